//! Ids that tell the posters of a thread apart, and tell nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use nejiboard::intake::tripcode::Secret;

use super::sandbox::running::{Running, run, wait_until};
use super::sandbox::{Sandbox, files_below};

const ALICE: &str = "198.51.100.7";
const BOB: &str = "203.0.113.9";

/// A site behind a proxy on this machine, which tells who posts. Board `b` has ids, board `c` has none, on board `held`
/// somebody looks at all posts.
fn site(settings: &str) -> Sandbox {
    let site = Sandbox::new(
        "
==> content/b/board.yaml
poster_ids: true
==> content/b/1.md
--- {no: 1, at: 2025-03-02}
by hand
==> content/c/1.md
--- {no: 1, at: 2025-03-02}
without ids
==> content/held/board.yaml
poster_ids: true
moderation: all
",
    );
    let site_yaml =
        format!("title: T\ntrusted_proxies: [127.0.0.1]\nduplicate_minutes: 0\nposts_per_minute: 0\n{settings}");
    site.write("content/site.yaml", site_yaml);
    site
}

/// Posts from an address, and gives the number.
fn post(running: &Running, address: &str, board: &str, thread: &str) -> u64 {
    static NTH: AtomicUsize = AtomicUsize::new(0);
    // The same text once more would be taken for the same post.
    let body = format!("some text {}", NTH.fetch_add(1, Ordering::Relaxed));
    let fields = [("board", board), ("thread", thread), ("body", &body)];
    let reply = running.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], &fields);
    assert_eq!(reply.status, 201, "{}", reply.body);
    serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["no"].as_u64().unwrap()
}

/// The id of a post in its thread's file; empty if it has none.
fn id(site: &Sandbox, board: &str, thread: u64, no: u64) -> String {
    let file = site.read(&format!("content/{board}/{thread}.md"));
    let header = file.lines().find(|line| line.starts_with(&format!("--- {{\"no\": {no},"))).unwrap().to_owned();
    let rest = header.split("\"poster_id\": \"").nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn a_sender_has_one_id_in_a_thread_and_another_one_in_each_other_thread() {
    let site = site("");
    let running = Running::start(site.root());
    let first = post(&running, ALICE, "b", "");
    let thread = first.to_string();
    let [alice, bob, again] = [ALICE, BOB, ALICE].map(|who| post(&running, who, "b", &thread));
    let of = |no| id(&site, "b", first, no);
    let is_id = |id: &str| id.len() == 8 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
    assert!(is_id(&of(first)) && is_id(&of(bob)), "{} {}", of(first), of(bob));
    assert_eq!((of(alice), of(again)), (of(first), of(first)), "who opens a thread is known in it");
    assert_ne!(of(bob), of(first));
    // A thread that was written by hand has ids too.
    let elsewhere = [post(&running, ALICE, "b", "1"), post(&running, BOB, "b", "1"), post(&running, ALICE, "b", "1")];
    let [one, two, three] = elsewhere.map(|no| id(&site, "b", 1, no));
    assert!(one == three && one != two && is_id(&one), "{one} {two} {three}");
    assert!(one != of(first) && two != of(bob) && one != of(bob) && two != of(first));
    // The /64 of an IPv6 address is one sender.
    let [near, far] = ["2001:db8::1", "2001:db8:0:1::1"].map(|who| post(&running, who, "b", "1"));
    let same = post(&running, "2001:db8::ffff", "b", "1");
    assert_eq!(id(&site, "b", 1, near), id(&site, "b", 1, same));
    assert_ne!(id(&site, "b", 1, near), id(&site, "b", 1, far));
    // As they are shown, on the thread's page and on the index.
    let shown = format!("</bdi> <span class=\"posterid\">ID: {}</span> <time", of(bob));
    assert_eq!(site.page(&format!("b/thread/{first}.html")).matches(&shown).count(), 1);
    assert_eq!(site.page("b/index.html").matches(&shown).count(), 1);
    // A board says for itself whether it wants them.
    let plain = post(&running, ALICE, "c", "1");
    assert!(id(&site, "c", 1, plain).is_empty() && !site.page("c/thread/1.html").contains("posterid"));
    // Another process knows them too.
    assert!(running.terminate().success());
    let running = Running::start(site.root());
    let later = post(&running, ALICE, "b", &thread);
    assert_eq!(id(&site, "b", first, later), of(first));
    assert!(running.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn who_comes_from_nowhere_in_particular_has_no_id() {
    let site = site("");
    let running = Running::start(site.root());
    // The proxy tells nothing, or that it was asked by another one.
    let fields = [("board", "b"), ("thread", "1"), ("body", "some text")];
    assert_eq!(running.post(&fields).status, 303);
    let by_proxy = post(&running, "127.0.0.1", "b", "1");
    assert!(id(&site, "b", 1, 2).is_empty() && id(&site, "b", 1, by_proxy).is_empty());
    assert!(!site.page("b/thread/1.html").contains("posterid"));
}

#[test]
fn who_opens_a_thread_that_is_held_is_known_in_it_when_it_is_approved_much_later() {
    let site = site("");
    let shift = site.path("shift");
    fs::write(&shift, "0").unwrap();
    let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
    let fields = [("board", "held"), ("thread", ""), ("body", "a new thread")];
    let reply = running.post_with(&[("X-Forwarded-For", ALICE), ("Accept", "application/json")], &fields);
    assert_eq!(reply.status, 202, "{}", reply.body);
    fs::write(&shift, (30 * 3_600).to_string()).unwrap();
    assert!(run(site.root(), &["mod", "approve", "--all"]).status.success());
    wait_until("it is a thread", || site.path("content/held/1.md").exists());
    site.write("content/held/board.yaml", "poster_ids: true\n");
    // No page tells when the setting holds.
    wait_until("nothing is held any more", || {
        let fields = [("board", "held"), ("thread", "1"), ("body", "a reply")];
        running.post_with(&[("X-Forwarded-For", ALICE), ("Accept", "application/json")], &fields).status == 201
    });
    let [bob, alice] = [BOB, ALICE].map(|who| post(&running, who, "held", "1"));
    let of = |no| id(&site, "held", 1, no);
    assert_eq!((of(alice).len(), of(alice)), (8, of(1)));
    assert_ne!(of(bob), of(1));
}

#[test]
fn what_ids_are_made_with_is_forgotten_with_the_addresses() {
    for (settings, hours) in [("keep_addresses: 5 hours\n", 5), ("keep_addresses: never\n", 24)] {
        let site = site(settings);
        let shift = site.path("shift");
        let shift_by = |hours: i64| fs::write(&shift, (hours * 3_600).to_string()).unwrap();
        shift_by(0);
        let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
        let first = post(&running, ALICE, "b", "1");
        let salts = || files_below(&site.path(".nejiboard/poster-salts"));
        let (name, salt) = salts().pop_first().unwrap();
        let mode = |path: &str| fs::metadata(site.path(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(".nejiboard/poster-salts"), 0o700);
        assert_eq!(mode(&format!(".nejiboard/poster-salts/{name}")), 0o600);
        // Who has all of it can find out whose an id is by trying all addresses. That is why it goes.
        let secret = Secret::from_bytes(fs::read(site.path(".nejiboard/secret")).unwrap().try_into().unwrap());
        let guess = secret.poster_id(&name, salt[8..].try_into().unwrap(), ALICE.parse().unwrap());
        assert_eq!(guess, id(&site, "b", 1, first), "{settings}");
        shift_by(hours - 1);
        let still = post(&running, ALICE, "b", "1");
        assert_eq!(id(&site, "b", 1, still), guess, "{settings}");
        shift_by(hours);
        let later = post(&running, ALICE, "b", "1");
        assert_ne!(id(&site, "b", 1, later), guess, "{settings}");
        assert!(salts().len() == 1 && salts()[&name] != salt, "{settings}");
        assert!(running.terminate().success());
        // In a thread in which nobody posts any more they go by themselves.
        shift_by(2 * hours);
        site.write(".nejiboard/poster-salts/.b-no-1.draft", "half");
        let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
        wait_until("they are forgotten", || salts().is_empty());
        assert!(site.path(".nejiboard/journal").exists() == (hours == 5), "{settings}");
        drop(running);
    }
}

#[test]
fn a_broken_salt_is_made_anew_and_one_that_cannot_be_made_costs_the_id_alone() {
    let site = site("");
    let running = Running::start(site.root());
    fs::create_dir(site.path(".nejiboard/poster-salts")).unwrap();
    site.write(".nejiboard/poster-salts/b-no-1", "torn");
    let [one, two] = [ALICE, ALICE].map(|who| post(&running, who, "b", "1"));
    assert_eq!((id(&site, "b", 1, one).len(), id(&site, "b", 1, one)), (8, id(&site, "b", 1, two)));
    fs::remove_dir_all(site.path(".nejiboard/poster-salts")).unwrap();
    site.write(".nejiboard/poster-salts", "no folder");
    let first = post(&running, ALICE, "b", "");
    assert_eq!(id(&site, "b", first, first), "");
    assert!(running.told().contains("cannot make a poster's id") && !running.told().contains(ALICE));
}

#[test]
fn a_board_that_wants_ids_no_more_shows_none_and_a_removed_post_has_none() {
    let site = site("");
    let running = Running::start(site.root());
    let no = post(&running, ALICE, "b", "1");
    let (theirs, page) = (id(&site, "b", 1, no), || site.page("b/thread/1.html"));
    assert!(page().contains(&theirs));
    assert!(run(site.root(), &["mod", "delete", "b", &no.to_string()]).status.success());
    assert!(!page().contains(&theirs) && id(&site, "b", 1, no).is_empty());
    assert!(run(site.root(), &["mod", "restore", "b", &no.to_string()]).status.success());
    assert!(page().contains(&theirs));
    site.write("content/b/board.yaml", "poster_ids: false\n");
    wait_until("it is shown no more", || !page().contains(&theirs));
    assert_eq!(id(&site, "b", 1, no), theirs, "the file keeps it");
    let later = post(&running, ALICE, "b", "1");
    assert_eq!(id(&site, "b", 1, later), "");
    assert!(running.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

/// What stands in a file is text, whoever wrote it.
#[test]
fn an_id_by_hand_is_escaped() {
    let site = site("");
    site.write("content/b/1.md", "--- {no: 1, at: 2025-03-02, poster_id: \"<b>{{x}}\"}\nx\n");
    site.build();
    let page = site.page("b/thread/1.html");
    assert!(page.contains("<span class=\"posterid\">ID: &lt;b&gt;{{x}}</span>"), "{page}");
}
