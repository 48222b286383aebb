//! The life of a thread: what leaves the index when it is full, threads that lose their oldest replies, and how many may
//! be started.

use super::sandbox::running::{Running, run};
use super::sandbox::{Sandbox, files_below};

/// A board with room for two threads, of which these are there, the first being the one that was bumped last.
fn site(settings: &str, threads: u64) -> Sandbox {
    let site = Sandbox::new("\n==> content/site.yaml\ntitle: T\n");
    site.write("content/b/board.yaml", format!("threads_per_page: 1\nindex_pages: 2\n{settings}"));
    for no in 1..=threads {
        site.write(
            &format!("content/b/{no}.md"),
            format!("--- {{no: {no}, at: \"2025-03-0{no}\"}}\nold thread {no}\n"),
        );
    }
    site
}

/// Posts a new thread, and ends the program once it is on its page.
fn start_thread(site: &Sandbox) {
    let running = Running::start(site.root());
    assert_eq!(running.post(&[("board", "b"), ("body", "a new thread")]).status, 303);
    assert!(running.terminate().success());
    let verified = run(site.root(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn the_oldest_thread_is_archived_when_there_is_no_room_for_it() {
    let site = site("", 2);
    start_thread(&site);
    assert!(site.read("content/b/1.md").contains("\"archived\": true"));
    assert!(!site.read("content/b/2.md").contains("archived"));
    assert!(site.page("b/thread/1.html").contains("takes no more replies"));
    assert!(site.page("b/archive.html").contains("old thread 1"));
    let log = site.read(".nejiboard/mod/log");
    assert!(log.contains("\"by\":\"nejiboard\"") && log.contains("the index is full"), "{log}");
}

#[test]
fn it_is_deleted_or_left_where_the_board_says_so() {
    let pruned = site("overflow: prune\n", 2);
    start_thread(&pruned);
    assert!(!pruned.has_page("b/thread/1.html") && pruned.has_page("b/thread/2.html"));
    assert!(
        files_below(&pruned.path("public"))
            .values()
            .all(|page| !String::from_utf8_lossy(page).contains("old thread 1"))
    );
    let kept = site("overflow: keep\n", 2);
    start_thread(&kept);
    assert_eq!(kept.read("content/b/1.md"), "--- {no: 1, at: \"2025-03-01\"}\nold thread 1\n");
}

#[test]
fn a_young_thread_stays_however_many_come() {
    let site = site("overflow: prune\noverflow_hours_min: 1\n", 0);
    let running = Running::start(site.root());
    for nth in 0..5 {
        assert_eq!(running.post(&[("board", "b"), ("body", &format!("thread {nth}"))]).status, 303);
    }
    assert!(running.terminate().success());
    assert!((1..=5).all(|no| site.has_page(&format!("b/thread/{no}.html"))));
}

#[test]
fn of_a_site_with_far_too_many_some_go_with_each_new_thread() {
    let site = site("", 9);
    for no in 10..=40 {
        site.write(&format!("content/b/{no}.md"), format!("--- {{no: {no}, at: \"2025-04-01\"}}\nold thread {no}\n"));
    }
    start_thread(&site);
    let archived =
        (1..=40).filter(|no| site.read(&format!("content/b/{no}.md")).contains("archived")).collect::<Vec<_>>();
    assert_eq!(archived, (1..=16).collect::<Vec<_>>());
}

#[test]
fn a_cyclic_thread_loses_its_oldest_replies_and_never_fills_up() {
    let site = site("reply_limit: 3\n", 0);
    site.write("content/b/1.md", "--- {no: 1, at: 2025-03-02, cyclic: true}\nround and round\n");
    let running = Running::start(site.root());
    for nth in 0..5 {
        let reply = running.post(&[("board", "b"), ("thread", "1"), ("body", &format!("reply {nth} >>2"))]);
        assert_eq!(reply.status, 303, "reply {nth}");
    }
    let page = running.get("/b/thread/1.html").body;
    assert!(
        !page.contains("reply 0") && !page.contains("reply 1") && page.contains("reply 2") && page.contains("reply 4")
    );
    assert!(page.contains("round and round") && page.contains("<span class=\"deadlink\">&gt;&gt;2</span>"));
    assert!(running.terminate().success());
    let running = Running::start(site.root());
    running.post(&[("board", "b"), ("body", "another thread")]);
    assert!(site.has_page("b/thread/7.html"), "numbers do not return");
    drop(running);
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn no_more_threads_are_started_within_an_hour_than_the_board_allows() {
    let site = site("threads_per_hour_max: 2\n", 2);
    let running = Running::start(site.root());
    let start = |body: &str| running.post_for_json(&[("board", "b"), ("body", body)]);
    assert_eq!((start("one").status, start("two").status), (201, 201));
    assert_eq!(start("two").status, 201, "a resend counts once");
    let refused = start("three");
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.body.contains("many_threads"), "{}", refused.body);
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((3_500..=3_600).contains(&seconds), "{seconds}");
    assert_eq!(running.post(&[("board", "b"), ("thread", "3"), ("body", "a reply")]).status, 303);
    assert!(running.terminate().success());
    // Another process knows of them too.
    let running = Running::start(site.root());
    assert_eq!(running.post(&[("board", "b"), ("body", "once more")]).status, 429);
}
