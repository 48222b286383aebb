//! Who sent what: known to those who moderate for a while, to nobody else ever, and to nobody at all in the end.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;

use chrono::{DateTime, TimeDelta, Utc};
use nejiboard::intake::tripcode::Secret;
use nejiboard::model::PostId;
use nejiboard::store::journal::{Journal, Sender};

use super::sandbox::running::{Reply, Running, run, wait_until};
use super::sandbox::{Sandbox, files_below};

/// A site behind a proxy on this machine, which tells who posts.
fn site(settings: &str) -> Sandbox {
    let site = Sandbox::new(
        "\n==> content/b/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n==> content/c/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n",
    );
    site.write("content/site.yaml", format!("title: T\ntrusted_proxies: [127.0.0.1]\n{settings}"));
    site
}

/// Posts from an address.
fn post_from(running: &Running, address: &str, fields: &[(&str, &str)]) -> Reply {
    running.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], fields)
}

fn moderate(site: &Sandbox, arguments: &[&str]) -> (bool, String) {
    let output = run(site.root(), &[&["mod", "--by", "neji"], arguments].concat());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), told)
}

fn holds(folder: &std::path::Path, text: &str) -> Vec<String> {
    let all = files_below(folder);
    let with = all.iter().filter(|(_, bytes)| memchr::memmem::find(bytes, text.as_bytes()).is_some());
    with.map(|(path, _)| path.clone()).collect()
}

#[test]
fn all_posts_of_a_poster_are_wiped_and_the_poster_is_banned_without_anybody_seeing_the_address() {
    let site = site("");
    let running = Running::start(site.root());
    for (nth, address) in ["198.51.100.7", "203.0.113.5", "198.51.100.7", "2001:db8::1"].iter().enumerate() {
        let body = format!("text {nth}");
        assert_eq!(post_from(&running, address, &[("board", "b"), ("thread", "1"), ("body", &body)]).status, 201);
    }
    post_from(&running, "198.51.100.7", &[("board", "c"), ("body", "their own thread")]);
    post_from(&running, "203.0.113.5", &[("board", "c"), ("thread", "2"), ("body", "a reply there")]);
    let (done, told) = moderate(&site, &["wipe", "b", "2", "--why", "spam"]);
    assert!(done && told.contains("wipe: done, 2 threads changed"), "{told}");
    let page = running.get("/b/thread/1.html").body;
    assert!(page.contains("text 1") && page.contains("text 3") && !page.contains("text 0") && !page.contains("text 2"));
    assert!(!site.has_page("c/thread/2.html"), "with the opening post goes the thread");
    let (done, told) = moderate(&site, &["ban", "b", "2", "--hours", "24", "--why", "spam"]);
    assert!(done, "{told}");
    let refused = post_from(&running, "198.51.100.7", &[("board", "b"), ("thread", "1"), ("body", "again")]);
    assert!(
        refused.status == 403 && refused.body.contains("You may not post here. The ban ends at 20"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("The reason: spam."), "{}", refused.body);
    assert_eq!(post_from(&running, "203.0.113.5", &[("board", "b"), ("thread", "1"), ("body", "I may")]).status, 201);
    let (_, bans) = moderate(&site, &["bans"]);
    assert!(bans.contains("the sender of a post on all boards until 20") && bans.contains(": spam ["), "{bans}");
    let id = bans.split('[').nth(1).unwrap().split(']').next().unwrap();
    assert!(moderate(&site, &["unban", id]).0);
    assert_eq!(post_from(&running, "198.51.100.7", &[("board", "b"), ("thread", "1"), ("body", "again")]).status, 201);
    // The whole /64 network of an IPv6 address is one sender.
    assert!(moderate(&site, &["ban", "b", "5", "--only", "b"]).0);
    assert_eq!(post_from(&running, "2001:db8::ffff", &[("board", "b"), ("thread", "1"), ("body", "no")]).status, 403);
    assert_eq!(post_from(&running, "2001:db8::ffff", &[("board", "c"), ("thread", "1"), ("body", "yes")]).status, 201);
    assert!(moderate(&site, &["ban", "--range", "203.0.113.0/24"]).0);
    assert_eq!(post_from(&running, "203.0.113.99", &[("board", "c"), ("thread", "1"), ("body", "no")]).status, 403);
    assert!(running.terminate().success());
    for address in ["198.51.100.7", "2001:db8", "203.0.113.5"] {
        assert_eq!(holds(site.root(), address), [""; 0], "{address}");
    }
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn nothing_private_of_a_post_is_in_the_output_or_in_what_is_logged() {
    let site = site("keep_addresses: 1 hour\n");
    let running = Running::start_with(site.root(), &["-vv"]);
    let headers = [
        ("X-Forwarded-For", "198.51.100.7"),
        ("User-Agent", "Secret-Browser/7"),
        ("Referer", "http://secret.example/"),
    ];
    let fields = [
        ("board", "b"),
        ("thread", "1"),
        ("body", "the text"),
        ("password", "hunter-two"),
        ("name", "me##hidden-key"),
        ("email", "someone@secret.example"),
        ("options", "sage"),
    ];
    assert_eq!(running.post_with(&headers, &fields).status, 303);
    running.wait_for("/b/thread/1.html", "the text");
    let told = running.told();
    assert!(running.terminate().success());
    for secret in ["198.51.100.7", "Secret-Browser", "hunter-two", "hidden-key", "secret.example"] {
        assert_eq!(holds(site.root(), secret), [""; 0], "{secret}");
        assert!(!told.contains(secret), "{secret} is logged: {told}");
    }
    let journal = site.path(".nejiboard/journal");
    assert_eq!(fs::metadata(&journal).unwrap().permissions().mode() & 0o777, 0o700);
    let modes =
        fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777);
    assert_eq!(modes.collect::<Vec<_>>(), [0o600, 0o600]);
}

#[test]
fn where_addresses_are_never_kept_there_is_no_key_and_no_wipe_by_sender() {
    let site = site("keep_addresses: never\n");
    let running = Running::start(site.root());
    assert_eq!(post_from(&running, "198.51.100.7", &[("board", "b"), ("thread", "1"), ("body", "x")]).status, 201);
    assert!(!site.path(".nejiboard/journal").exists());
    let (done, told) = moderate(&site, &["wipe", "b", "2"]);
    assert!(!done && told.contains("where post 2 of `b` came from is not known any more"), "{told}");
    // By time it is possible all the same.
    assert!(moderate(&site, &["wipe", "b", "--since", "1h"]).0);
    assert!(site.page("b/thread/1.html").contains("Post removed.") && site.page("b/thread/1.html").contains("first"));
}

#[test]
fn a_post_is_taken_back_with_its_password_alone() {
    let site = site("");
    let running = Running::start(site.root());
    let post = |body: &str, password: &str| {
        let fields = [("board", "b"), ("thread", "1"), ("body", body), ("password", password)];
        assert_eq!(post_from(&running, "198.51.100.7", &fields).status, 201);
    };
    post("mine", "right");
    post("nobody's", "");
    let delete = |no: &str, password: &str| {
        let fields = [("task", "delete"), ("board", "b"), ("no", no), ("password", password)];
        let reply = post_from(&running, "203.0.113.1", &fields);
        (reply.status, reply.body)
    };
    for (no, password, status, code) in [
        ("2", "wrong", 403, "wrong_password"),
        ("2", "", 403, "wrong_password"),
        ("3", "", 403, "wrong_password"),
        ("1", "", 403, "wrong_password"),
        ("99", "right", 404, "no_such_post"),
        ("x", "right", 404, "no_such_post"),
    ] {
        let (there, body) = delete(no, password);
        assert!(there == status && body.contains(code), "{no} {password}: {there} {body}");
    }
    assert_eq!(delete(">>2", "right").0, 200);
    running.wait_for("/b/thread/1.html", "Post removed.");
    let page = running.get("/b/thread/1.html").body;
    assert!(
        !page.contains("mine")
            && page.contains("nobody&#x27;s") | page.contains("nobody's") | page.contains("nobody&#39;s"),
        "{page}"
    );
    assert_eq!(delete("2", "right").0, 404);
    assert!(site.read(".nejiboard/mod/log").contains("\"by\":\"reader\""));
}

#[test]
fn reports_are_merged_and_go_when_somebody_has_looked() {
    let site = site("");
    let running = Running::start(site.root());
    post_from(&running, "198.51.100.7", &[("board", "b"), ("thread", "1"), ("body", "bad")]);
    for reason in ["spam", "spam", "rude\nwords", ""] {
        let fields = [("task", "report"), ("board", "b"), ("no", "2"), ("reason", reason)];
        assert_eq!(post_from(&running, "203.0.113.1", &fields).status, 200);
    }
    wait_until("all are taken", || moderate(&site, &["reports"]).1.contains("4 times"));
    let (_, told) = moderate(&site, &["reports"]);
    assert!(told.starts_with("/b/ 2 4 times since 20") && told.trim_end().ends_with(": spam; rude words"), "{told}");
    assert!(moderate(&site, &["dismiss", "b", "2"]).0);
    assert_eq!(moderate(&site, &["reports"]).1, "");
    post_from(&running, "203.0.113.1", &[("task", "report"), ("board", "b"), ("no", "2")]);
    wait_until("it is taken", || moderate(&site, &["reports"]).1.contains("once"));
    assert!(moderate(&site, &["delete", "b", "2"]).0);
    assert_eq!(moderate(&site, &["reports"]).1, "", "what is deleted needs nobody to look at it");
    let refused = post_from(&running, "203.0.113.1", &[("task", "praise"), ("board", "b"), ("no", "2")]);
    assert!(refused.status == 400 && refused.body.contains("bad_form"), "{}", refused.body);
}

#[test]
fn addresses_are_forgotten_when_their_time_is_over_and_passwords_later() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path().join("journal"));
    let at: DateTime<Utc> = "2026-03-02T10:59:59Z".parse().unwrap();
    let id = PostId::parse("one").unwrap();
    let address: IpAddr = "198.51.100.7".parse().unwrap();
    let sender = Sender { id: id.clone(), address: Some(address), password: "abc".to_owned() };
    journal.note(at, std::slice::from_ref(&sender)).unwrap();
    assert_eq!(journal.sender(&id, at).unwrap(), Some(sender.clone()));
    // It is found though its post waited until the next hour.
    assert_eq!(journal.sender(&id, at + TimeDelta::minutes(30)).unwrap(), Some(sender.clone()));
    assert_eq!(journal.sender(&PostId::parse("two").unwrap(), at).unwrap(), None);
    journal.forget(at + TimeDelta::hours(3), 3).unwrap();
    assert_eq!(journal.sender(&id, at).unwrap(), Some(sender.clone()));
    assert_eq!(journal.sent_from(|from| from == address, at).unwrap().len(), 1);
    journal.forget(at + TimeDelta::hours(5), 3).unwrap();
    assert_eq!(journal.sender(&id, at).unwrap(), Some(Sender { address: None, ..sender.clone() }));
    assert!(journal.sent_from(|_| true, at).unwrap().is_empty());
    journal.forget(at + TimeDelta::days(32), 3).unwrap();
    assert_eq!(journal.sender(&id, at).unwrap(), None);
    assert_eq!(fs::read_dir(folder.path().join("journal")).unwrap().count(), 0);
}

#[test]
fn a_password_is_known_by_its_hash_alone() {
    let secret = Secret::from_bytes([7; 32]);
    let hash = secret.hash_password("right", [1; 16]);
    assert_ne!(hash, secret.hash_password("right", [2; 16]));
    assert!(
        secret.is_password("right", &hash) && !secret.is_password("Right", &hash) && !secret.is_password("", &hash)
    );
    assert_eq!(secret.hash_password("", [1; 16]), "");
    for broken in
        ["", "ab", &hash[..94], &format!("{hash}00"), &hash.replace(&hash[..2], "zz"), "ä".repeat(48).as_str()]
    {
        assert!(!secret.is_password("right", broken) && !secret.is_password("", broken), "{broken}");
    }
    assert!(!Secret::from_bytes([8; 32]).is_password("right", &hash));
}
