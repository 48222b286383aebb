//! How open the door is: by command, by itself, over restarts.

use super::guard::{outcome, post_from, reply_from, site};
use super::holding::moderate;
use super::sandbox::running::{Running, wait_until};

#[test]
fn on_its_guard_the_site_holds_threads_and_links_and_halves_limits() {
    let site = site("posts_per_minute: 4\ndefaults: {proof_of_work: never}\n");
    let door = Running::start(site.root());
    assert_eq!(moderate(&site, &["posture"], 0), "calm\n");
    assert!(moderate(&site, &["posture", "guarded"], 0).contains("guarded: done (act "));
    assert!(moderate(&site, &["posture"], 0).starts_with("guarded since "));
    let thread = post_from(&door, "203.0.113.9", &[("board", "tech"), ("body", "a thread")]);
    assert_eq!(outcome(&thread), "202");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "a reply")), "201");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "one more")), "too_fast");
    assert_eq!(outcome(&reply_from(&door, "198.51.100.1", "see http://a.example")), "202");
    // It outlasts the program.
    door.kill();
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "198.51.100.2", "see http://b.example")), "202");
    moderate(&site, &["posture", "calm"], 0);
    assert_eq!(outcome(&reply_from(&door, "198.51.100.3", "see http://c.example")), "201");
    assert!(moderate(&site, &["log"], 0).contains("neji guarded"));
}

#[test]
fn a_closed_door_takes_no_posts_and_says_so_but_takes_reports() {
    let site = site("");
    let door = Running::start(site.root());
    moderate(&site, &["posture", "closed", "--hours", "2"], 0);
    let refused = reply_from(&door, "203.0.113.9", "let me in");
    assert_eq!((refused.status, outcome(&refused).as_str()), (503, "closed"), "{refused:?}");
    let page = door.post(&[("board", "tech"), ("thread", "1"), ("body", "let me in")]);
    assert!(page.body.contains("No posts are taken at the moment.") && page.body.contains("let me in</textarea>"));
    let report = [("task", "report"), ("board", "tech"), ("no", "1"), ("reason", "bad")];
    assert_eq!(post_from(&door, "203.0.113.9", &report).status, 200);
    assert!(moderate(&site, &["posture"], 0).contains(" until "));
    let told = moderate(&site, &["posture", "open"], 2);
    assert!(told.contains("calm, guarded, closed"), "{told}");
}

#[test]
fn too_many_posts_in_an_hour_put_the_site_on_its_guard_by_itself() {
    let site = site("guard_at_posts_per_hour: 5\nduplicate_minutes: 0\ndefaults: {proof_of_work: never}\n");
    let door = Running::start(site.root());
    (1..=5).for_each(|n| assert_eq!(outcome(&reply_from(&door, &format!("203.0.{n}.9"), "hello")), "201"));
    let thread = |n: usize| {
        outcome(&post_from(&door, &format!("198.51.{}.1", n % 250), &[("board", "tech"), ("body", "a thread")]))
    };
    let mut n = 0;
    wait_until("the site is on its guard", || {
        n += 1;
        thread(n) == "202"
    });
    let log = moderate(&site, &["log"], 0);
    assert!(log.contains("nejiboard guarded") && log.contains("5 posts within an hour"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(moderate(&site, &["posture"], 0).contains("by nejiboard"));
    // Staff knows better.
    moderate(&site, &["posture", "calm"], 0);
    assert_eq!([thread(101), thread(102)], ["201", "201"]);
}

#[test]
fn a_restart_in_a_flood_does_not_begin_to_count_at_nothing() {
    let site = site("guard_at_posts_per_hour: 7\nduplicate_minutes: 0\n");
    // Long ago, and so no part of any flood.
    let old: String = (10..30).map(|no| format!("--- {{no: {no}, at: 2025-03-02T11:00:00Z}}\nold\n\n")).collect();
    site.write("content/tech/1.md", site.read("content/tech/1.md") + "\n" + &old);
    site.write("content/filters.yaml", "- {match: gold, action: hold}\n");
    let door = Running::start(site.root());
    let post = |door: &Running, n: usize, body: &str| outcome(&reply_from(door, &format!("203.0.{n}.9"), body));
    assert_eq!([1, 2, 3].map(|n| post(&door, n, "hello")), ["201", "201", "201"]);
    assert_eq!([4, 5].map(|n| post(&door, n, "gold")), ["202", "202"], "held posts came too");
    door.wait_for("/tech/thread/1.html", "hello");
    moderate(&site, &["delete", "tech", "30"], 0);
    // Twice, as whatever counts must count each post once.
    door.kill();
    let door = Running::start(site.root());
    assert_eq!(post(&door, 6, "hello"), "201");
    door.wait_for("/tech/thread/1.html", "id=\"p33\"");
    door.kill();
    let door = Running::start(site.root());
    assert_eq!(moderate(&site, &["posture"], 0), "calm\n", "six have come");
    assert_eq!(post(&door, 7, "hello"), "201");
    wait_until("the seventh is one too many", || moderate(&site, &["posture"], 0).starts_with("guarded"));
}

#[test]
fn what_came_more_than_an_hour_before_a_restart_is_not_counted() {
    let site = site("guard_at_posts_per_hour: 3\nduplicate_minutes: 0\n");
    let shift = site.path("shift");
    std::fs::write(&shift, "0").unwrap();
    let start = || Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
    let door = start();
    (1..=2).for_each(|n| assert_eq!(outcome(&reply_from(&door, &format!("203.0.{n}.9"), "hello")), "201"));
    door.kill();
    std::fs::write(&shift, "3700").unwrap();
    let door = start();
    (3..=4).for_each(|n| assert_eq!(outcome(&reply_from(&door, &format!("203.0.{n}.9"), "hello")), "201"));
    // Acts are carried out in their order: had the program wanted to be on its guard, it would be by now.
    std::thread::sleep(std::time::Duration::from_millis(500));
    moderate(&site, &["lock", "tech", "1"], 0);
    assert_eq!(moderate(&site, &["posture"], 0), "calm\n");
}
