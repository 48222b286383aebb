//! What strangers send that nobody should, to the running program: each gets its answer, and nothing comes of it.

use super::sandbox::running::{Reply, Running, request, wait_until};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/site.yaml
title: Test site
keep_addresses: 3 days
trusted_proxies: [127.0.0.1]
posts_per_minute: 0
threads_per_hour: 0
failures_per_minute: 0
defaults:
  links_max: 2
  quotes_max: 3
  name_chars_max: 20
  subject_chars_max: 30
  body_chars_max: 500
  body_lines_max: 20
==> content/filters.yaml
- match: casino
  why: no advertisements
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First, id: a1}
the first thread

--- {no: 3, at: 2025-03-02T12:00:00Z, id: a3}
a reply without a password
==> content/tech/2.md
--- {no: 2, at: 2025-03-02T11:00:00Z, locked: true, id: a2}
the second thread
==> content/tech/4.md
--- {no: 4, at: 2025-03-02T11:00:00Z, archived: true, id: a4}
the third thread
";

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a request from an address of its own, and asks for JSON.
fn send(running: &Running, from: &str, method: &str, path: &str, media_type: &str, body: &str) -> Reply {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json\r\n\
         X-Forwarded-For: {from}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    request(running.address, &text).unwrap_or_else(|error| panic!("{method} {path} {body:.60}: {error}"))
}

fn code(reply: &Reply) -> String {
    let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    told["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// What is sent to `/post`, and the status and code of its answer.
fn posts() -> Vec<(String, u16, &'static str)> {
    let long = |field: &str, letter: &str, times: usize| format!("board=tech&body=x&{field}={}", letter.repeat(times));
    let body = |text: &str| format!("board=tech&body={text}");
    let rows: Vec<(String, u16, &str)> = vec![
        (String::new(), 404, "no_such_board"),
        ("body=x".into(), 404, "no_such_board"),
        ("board=..%2Fetc&body=x".into(), 404, "no_such_board"),
        ("board=mod&body=x".into(), 404, "no_such_board"),
        ("board=tech%00&body=x".into(), 400, "bad_text"),
        ("board=tech".into(), 422, "empty"),
        (body("+%E3%80%80%0A%E2%80%8B"), 422, "empty"),
        (body("a%00b"), 400, "bad_text"),
        (body("caf%E9"), 400, "bad_text"),
        (body("%ED%A0%80"), 400, "bad_text"),
        (body(&"x".repeat(501)), 422, "too_long"),
        (body(&"x%0A".repeat(21)), 422, "too_long"),
        (long("name", "x", 21), 422, "too_long"),
        (long("subject", "x", 31), 422, "too_long"),
        (long("options", "x", 70_000), 422, "too_long"),
        (long("password", "x", 70_000), 422, "too_long"),
        (body(&"%3E%3E1+".repeat(4)), 422, "too_long"),
        (body(&"http%3A%2F%2Fa.example%2F+".repeat(3)), 422, "too_long"),
        (body("try+our+c%C3%A1sino"), 422, "filtered"),
        ("board=tech&body=x&website=http%3A%2F%2Fa".into(), 422, "spam"),
        ("board=tech&body=x&message=hello".into(), 422, "spam"),
        ("board=tech&board=tech&body=x".into(), 400, "field_twice"),
        ("board=tech&thread=0&body=x".into(), 404, "no_such_thread"),
        ("board=tech&thread=-1&body=x".into(), 404, "no_such_thread"),
        ("board=tech&thread=18446744073709551617&body=x".into(), 404, "no_such_thread"),
        ("board=tech&thread=3&body=x".into(), 404, "not_a_thread"),
        ("board=tech&thread=2&body=x".into(), 403, "locked"),
        ("board=tech&thread=4&body=x".into(), 403, "locked"),
        (format!("board=tech&body=x&{}", "a=1&".repeat(5_000)), 400, "bad_form"),
        (format!("board=tech&body={}", "x".repeat(3 << 20)), 413, "too_large"),
        // Deleting what is not one's own.
        ("task=delete".into(), 404, "no_such_board"),
        ("task=delete&board=tech&password=x".into(), 404, "no_such_post"),
        ("task=delete&board=tech&no=999&password=x".into(), 404, "no_such_post"),
        ("task=delete&board=tech&no=1%3B2&password=x".into(), 404, "no_such_post"),
        ("task=delete&board=tech&no=3".into(), 403, "wrong_password"),
        ("task=delete&board=tech&no=3&password=".into(), 403, "wrong_password"),
        ("task=delete&board=tech&no=3&password=guess".into(), 403, "wrong_password"),
        ("task=delete&board=tech&no=5&password=another".into(), 403, "wrong_password"),
        ("task=delete&board=tech&no=5&password=Secret".into(), 403, "wrong_password"),
        // Reports of nothing, and other tasks.
        ("task=report&board=tech&no=999&reason=x".into(), 404, "no_such_post"),
        ("task=report&board=nope&no=1&reason=x".into(), 404, "no_such_board"),
        (format!("task=report&board=tech&no=1&reason={}", "x".repeat(5_000)), 422, "too_long"),
        ("task=report&board=tech&no=1&reason=%FF".into(), 400, "bad_text"),
        ("task=wipe&board=tech&no=1".into(), 400, "bad_form"),
        ("task=&task=delete&board=tech&no=1".into(), 400, "field_twice"),
    ];
    rows
}

/// What is sent elsewhere: method, path, type, body and status.
const ELSEWHERE: [(&str, &str, &str, &str, u16); 20] = [
    ("POST", "/post", "application/json", "{\"board\": \"tech\", \"body\": \"x\"}", 415),
    ("POST", "/post", "multipart/form-data", "x", 400),
    ("POST", "/post", "application/x-www-form-urlencoded; charset=Shift_JIS", "board=tech&body=x", 400),
    ("PUT", "/post", FORM, "", 405),
    ("DELETE", "/tech/thread/1.html", FORM, "", 405),
    ("GET", "/.nejiboard/journal", FORM, "", 404),
    ("GET", "/%2e%2e/content/site.yaml", FORM, "", 404),
    ("GET", "/tech/..%2f..%2fcontent/site.yaml", FORM, "", 404),
    ("POST", "/mod/sign-in", FORM, "", 403),
    ("POST", "/mod/sign-in", FORM, "name=admin", 403),
    ("POST", "/mod/sign-in", FORM, "name=admin&password=wrong", 403),
    ("POST", "/mod/sign-in", FORM, "name=nobody&password=correct+horse+battery", 403),
    ("POST", "/mod/sign-in", FORM, "name=admin%00&password=correct+horse+battery", 400),
    ("POST", "/mod/sign-in", "application/json", "{}", 415),
    ("POST", "/mod/act", FORM, "do=delete&post=tech/1", 403),
    ("POST", "/mod/act", FORM, "csrf=x&do=delete&post=tech/1", 403),
    // Who has not signed in is asked to, wherever that leads.
    ("GET", "/mod/log", FORM, "", 200),
    ("GET", "/mod/../content/site.yaml", FORM, "", 200),
    ("GET", "/mod/%2e%2e/users", FORM, "", 200),
    ("TRACE", "/mod/", FORM, "", 405),
];

/// Acts that somebody writes into the inbox, and what is told of each.
const ACTS: [(&str, &str); 16] = [
    ("", "no act"),
    ("{", "line 1: EOF"),
    ("[]", "Act"),
    ("{\"act\": \"explode\", \"by\": \"neji\"}", "explode"),
    ("{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [1]}", "by"),
    ("{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [1], \"by\": \"\"}", "by"),
    ("{\"act\": \"delete\", \"board\": \"nope\", \"posts\": [1], \"by\": \"neji\"}", "nope"),
    ("{\"act\": \"delete\", \"board\": \"../tech\", \"posts\": [1], \"by\": \"neji\"}", "board"),
    ("{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [], \"by\": \"neji\"}", "post"),
    ("{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [999], \"by\": \"neji\"}", "999"),
    ("{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [0], \"by\": \"neji\"}", "number"),
    (
        "{\"act\": \"set\", \"board\": \"tech\", \"threads\": [1], \"flag\": \"shiny\", \"on\": true, \"by\": \"neji\"}",
        "shiny",
    ),
    ("{\"act\": \"edit\", \"board\": \"tech\", \"post\": 999, \"body\": \"x\", \"by\": \"neji\"}", "999"),
    ("{\"act\": \"ban\", \"range\": \"300.1.2.3/8\", \"by\": \"neji\"}", "address"),
    ("{\"act\": \"undo\", \"of\": \"never\", \"by\": \"neji\"}", "never"),
    ("{\"act\": \"restore\", \"board\": \"tech\", \"posts\": [1], \"by\": \"neji\"}", "1"),
];

#[test]
fn what_nobody_should_send_is_answered_and_changes_nothing() {
    let site = Sandbox::new(SITE);
    super::staff::add_all(&site);
    let running = Running::start(site.root());
    let own = send(&running, "203.0.113.9", "POST", "/post", FORM, "board=tech&thread=1&body=mine&password=secret");
    assert_eq!(own.status, 201, "{own:?}");
    running.wait_for("/tech/thread/1.html", "mine");
    let content = files_below(&site.path("content"));
    let mut wrong = Vec::new();
    for (nth, (body, status, wanted)) in posts().into_iter().enumerate() {
        let reply = send(&running, &format!("203.0.113.{nth}"), "POST", "/post", FORM, &body);
        if (reply.status, code(&reply).as_str()) != (status, wanted) {
            wrong.push(format!("{body:.80}: {} {}, not {status} {wanted}", reply.status, code(&reply)));
        }
    }
    for (method, path, media_type, body, status) in ELSEWHERE {
        let reply = send(&running, "198.51.100.1", method, path, media_type, body);
        if reply.status != status {
            wrong.push(format!("{method} {path} {body}: {}, not {status}", reply.status));
        }
        if status == 200 && (!reply.body.contains("name=\"password\"") || reply.body.contains("Test site\n")) {
            wrong.push(format!("{method} {path}: more than the way in: {}", reply.body));
        }
    }
    for (nth, (act, told)) in ACTS.into_iter().enumerate() {
        site.write(&format!("posts-inbox/.{nth}"), act);
        std::fs::rename(site.path(&format!("posts-inbox/.{nth}")), site.path(&format!("posts-inbox/{nth}.json")))
            .unwrap();
        let why = format!("posts-inbox/rejected/{nth}.json.why");
        wait_until(&format!("{act} is rejected"), || site.path(&why).exists());
        if !site.read(&why).contains(told) {
            wrong.push(format!("{act}: {} does not tell of {told}", site.read(&why)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(45 <= posts().len());
    assert!(files_below(&site.path("content")) == content, "something came of it");
    assert!(!running.told().contains("panic"), "{}", running.told());
    // Everybody else goes on.
    let good = send(&running, "192.0.2.1", "POST", "/post", FORM, "board=tech&thread=1&body=still+here");
    assert_eq!(good.status, 201, "{good:?}");
    let deleted = send(&running, "192.0.2.1", "POST", "/post", FORM, "task=delete&board=tech&no=5&password=secret");
    assert_eq!(deleted.status, 200, "{deleted:?}");
}
