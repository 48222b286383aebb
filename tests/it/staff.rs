//! Moderation in the browser, through a running `serve`: who gets in, what each may do, and that it is done.

mod queue;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use nejiboard::model::capcode::Capcode;
use nejiboard::model::role::{RIGHTS, Right, Role};

use super::sandbox::running::{Reply, Running, request, run, run_with, wait_until};
use super::sandbox::{Sandbox, files_below};

const PASSWORD: &str = "correct horse battery";

const SITE: &str = "
==> content/site.yaml
title: <i>Our</i> boards
keep_addresses: 3 days
trusted_proxies: [127.0.0.1]
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First, id: a1}
the first thread, see >>3

--- {no: 3, at: 2025-03-02T12:00:00Z, name: Spammer, id: a3}
buy my gold
==> content/tech/2.md
--- {no: 2, at: 2025-03-02T11:00:00Z, subject: Second, id: a2}
the second thread
==> content/art/1.md
--- {no: 1, at: 2025-03-02T09:00:00Z, subject: Pictures, id: b1}
of cats
";

/// Runs `mod user` with a line of standard input; gives exit code and what it told.
fn user(site: &Sandbox, arguments: &[&str], line: &str) -> (Option<i32>, String) {
    let typed = site.path("typed");
    fs::write(&typed, format!("{line}\n")).unwrap();
    let output = run_with(site.root(), &[&["mod", "user"], arguments].concat(), |command| {
        command.stdin(Stdio::from(File::open(&typed).unwrap()));
    });
    fs::remove_file(&typed).unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A site with an account for each role, and `serve` on it.
pub(super) fn open() -> (Sandbox, Running) {
    let site = Sandbox::new(SITE);
    add_all(&site);
    let running = Running::start(site.root());
    (site, running)
}

pub fn add_all(site: &Sandbox) {
    for role in Role::ALL {
        let (code, told) = user(site, &["add", role.name(), "--role", role.name()], PASSWORD);
        assert_eq!(code, Some(0), "{told}");
    }
}

fn percent(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.bytes().map(|b| if plain(&b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A browser, as far as the door can tell.
pub(super) struct Browser<'a> {
    running: &'a Running,
    base: &'static str,
    cookie: String,
    csrf: String,
}

impl<'a> Browser<'a> {
    fn new(running: &'a Running) -> Browser<'a> {
        Browser { running, base: "/mod/", cookie: String::new(), csrf: String::new() }
    }

    /// Somebody of this name who has signed in.
    #[track_caller]
    pub(super) fn signed_in(running: &'a Running, name: &str) -> Browser<'a> {
        let mut browser = Browser::new(running);
        let reply = browser.sign_in(name, PASSWORD);
        assert_eq!((reply.status, reply.header("Location")), (303, "/mod/"), "{}", reply.body);
        browser
    }

    fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        let reply = self.send_with("sign-in", "", &[("name", name), ("password", password)]);
        if let Some(cookie) = reply.header("Set-Cookie").split(';').next().filter(|cookie| !cookie.is_empty()) {
            self.cookie = cookie.to_owned();
            self.csrf = hidden(&self.get("").body, "csrf");
        }
        reply
    }

    pub(super) fn get(&self, path: &str) -> Reply {
        let (base, cookie) = (self.base, &self.cookie);
        let head = format!("GET {base}{path} HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; {cookie}\r\n");
        request(self.running.address, &(head + "Connection: close\r\n\r\n")).unwrap()
    }

    /// Sends a form with the token of the session.
    pub(super) fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send_with(path, "", &[&[("csrf", self.csrf.as_str())], fields].concat())
    }

    /// Sends a form with these headers.
    pub(super) fn send_with(&self, path: &str, headers: &str, fields: &[(&str, &str)]) -> Reply {
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let (body, base, cookie) = (pairs.join("&"), self.base, &self.cookie);
        let head = format!(
            "POST {base}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        request(self.running.address, &(head + &body)).unwrap()
    }

    /// Does something, and sees that it is told to be done.
    #[track_caller]
    pub(super) fn does(&self, fields: &[(&str, &str)]) -> String {
        let reply = self.send("act", fields);
        assert_eq!(reply.status, 303, "{fields:?}: {}", reply.body);
        let page = self.get(reply.header("Location").strip_prefix(self.base).unwrap());
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("role=\"status\">Done: "), "{fields:?}: {}", page.body);
        page.body
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Sends a post from an address.
fn post_from(running: &Running, address: &str, fields: &[(&str, &str)]) -> u64 {
    let reply = running.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], fields);
    assert_eq!(reply.status, 201, "{}", reply.body);
    serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["no"].as_u64().unwrap()
}

#[test]
fn accounts_are_made_listed_and_taken_away_by_command_and_the_file_tells_no_password() {
    let site = Sandbox::new(SITE);
    assert_eq!(user(&site, &["add", "neji", "--role", "admin"], PASSWORD).0, Some(0));
    assert_eq!(user(&site, &["add", "kenji", "--role", "janitor"], "another long one").0, Some(0));
    let mode = |path: &str| fs::metadata(site.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".nejiboard/mod"), mode(".nejiboard/mod/users")), (0o700, 0o600));
    let file = site.read(".nejiboard/mod/users");
    assert!(file.lines().count() == 2 && !file.contains("horse"), "{file}");
    assert!(file.contains("\"memory_kib\":19456") && file.contains("\"rounds\":2"), "{file}");
    assert_eq!(user(&site, &["list"], "").1, "neji admin\nkenji janitor\n");
    for (arguments, line, told) in [
        (&["add", "neji", "--role", "admin"][..], PASSWORD, "there is an account `neji` already"),
        (&["add", "Neji", "--role", "admin"], PASSWORD, "1 to 32 of a-z, 0-9"),
        (&["add", "reader", "--role", "admin"], PASSWORD, "neither `nejiboard` nor `reader`"),
        (&["add", "other", "--role", "admin"], "elevenchars", "at least 12 characters"),
        (&["password", "nobody"], PASSWORD, "there is no account `nobody`"),
        (&["remove", "nobody"], "", "there is no account `nobody`"),
    ] {
        let (code, said) = user(&site, arguments, line);
        assert!(code == Some(3) && said.contains(told), "{arguments:?}: {said}");
    }
    let before = site.read(".nejiboard/mod/users");
    assert_eq!(user(&site, &["password", "neji"], PASSWORD).0, Some(0));
    assert_ne!(site.read(".nejiboard/mod/users"), before, "the same password has another salt");
    assert_eq!(user(&site, &["remove", "kenji"], "").0, Some(0));
    assert_eq!(user(&site, &["list"], "").1, "neji admin\n");
}

#[test]
fn where_nobody_has_an_account_there_is_nothing() {
    let site = Sandbox::new(SITE);
    let running = Running::start(site.root());
    let mut browser = Browser::new(&running);
    assert_eq!(browser.get("").status, 404);
    assert_eq!(browser.get("staff.css").status, 404);
    assert_eq!(browser.sign_in("admin", PASSWORD).status, 404);
    add_all(&site);
    assert_eq!(browser.get("").status, 200, "an account that is made while it runs");
}

#[test]
fn whoever_knows_the_password_gets_in_until_signing_out() {
    let (site, running) = open();
    let stranger = Browser::new(&running);
    for path in ["", "reports", "posts", "log", "bans", "users", "post/tech/3", "sender/abc"] {
        let reply = stranger.get(path);
        assert!(reply.status == 200 && reply.body.contains("<h1>Sign in</h1>"), "{path}: {}", reply.body);
        assert!(!reply.body.contains("gold") && !reply.body.contains("name=\"csrf\""), "{path}");
    }
    assert_eq!(running.get("/mod").header("Location"), "/mod/");
    let mut browser = Browser::new(&running);
    let reply = browser.sign_in("moderator", PASSWORD);
    let cookie = reply.header("Set-Cookie");
    assert!(cookie.starts_with("nejiboard_mod="), "{cookie}");
    assert!(cookie.ends_with("; Path=/mod/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(browser.get("").body.contains("moderator (moderator)"));
    // What is on disk opens nothing.
    let token = browser.cookie.split('=').nth(1).unwrap();
    let kept = site.read(".nejiboard/mod/sessions");
    assert!(token.len() == 64 && !kept.contains(token), "{kept}");
    let mode = fs::metadata(site.path(".nejiboard/mod/sessions")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let key = kept.split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    let thief = Browser { cookie: format!("nejiboard_mod={key}"), ..Browser::new(&running) };
    assert!(thief.get("").body.contains("<h1>Sign in</h1>"));
    let out = browser.send("sign-out", &[]);
    assert!(out.status == 303 && out.header("Set-Cookie").contains("Max-Age=0"), "{}", out.head);
    assert!(browser.get("").body.contains("<h1>Sign in</h1>"), "the cookie alone is worth nothing then");
    assert!(
        browser.send("act", &[("one", "delete tech/3")]).status == 403
            && site.page("tech/thread/1.html").contains("gold")
    );
}

#[test]
fn the_cookie_goes_over_tls_alone_except_on_this_machine() {
    let (_site, running) = open();
    let sign_in = |host: &str| {
        let body = format!("name=admin&password={}", percent(PASSWORD));
        let head = format!(
            "POST /mod/sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        request(running.address, &(head + &body)).unwrap().header("Set-Cookie").to_owned()
    };
    for (host, secure) in [
        ("board.example.org", true),
        ("127.0.0.1.example.org", true),
        ("192.168.1.2:8080", true),
        ("localhost:8080", false),
        ("127.0.0.1:8080", false),
        ("[::1]:8080", false),
    ] {
        let cookie = sign_in(host);
        assert!(cookie.starts_with("nejiboard_mod=") && cookie.contains("; Secure") == secure, "{host}: {cookie}");
    }
}

#[test]
fn pages_of_staff_are_kept_by_nobody_and_framed_by_nobody() {
    let (_site, running) = open();
    let browser = Browser::signed_in(&running, "admin");
    for path in ["", "reports", "users", "nothing", "staff.css"] {
        let reply = browser.get(path);
        assert_eq!(reply.header("Cache-Control"), "no-store", "{path}");
        let policy = reply.header("Content-Security-Policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script"), "{path}: {policy}");
        assert_eq!((reply.header("X-Frame-Options"), reply.header("Referrer-Policy")), ("DENY", "same-origin"));
        assert_eq!(reply.header("X-Content-Type-Options"), "nosniff");
        assert!(!reply.body.contains("<script") && !reply.body.contains("style=\""), "{path}");
    }
    assert_eq!(browser.get("nothing").status, 404);
    assert_eq!(browser.get("staff.css").header("Content-Type"), "text/css; charset=utf-8");
    let options = request(running.address, "OPTIONS /mod/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let options = options.unwrap();
    assert!(options.header("Access-Control-Allow-Origin").is_empty(), "{}", options.head);
}

#[test]
fn a_wrong_password_and_a_name_that_nobody_has_are_answered_the_same_and_soon_not_at_all() {
    let (_site, running) = open();
    let mut browser = Browser::new(&running);
    let known = browser.sign_in("admin", "not the password");
    let unknown = browser.sign_in("nobody", "not the password");
    assert_eq!((known.status, unknown.status), (403, 403));
    assert_eq!(known.body.replace("value=\"admin\"", ""), unknown.body.replace("value=\"nobody\"", ""));
    assert!(known.body.contains("Name or password are wrong.") && browser.cookie.is_empty());
    for _ in 0..3 {
        assert_eq!(browser.sign_in("admin", "not the password").status, 403);
    }
    let reply = browser.sign_in("admin", PASSWORD);
    assert_eq!(reply.status, 429, "the right one has to wait too: {}", reply.body);
    let wait: u64 = reply.header("Retry-After").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Another address is another visitor.
    let elsewhere =
        browser.send_with("sign-in", "X-Forwarded-For: 203.0.113.9\r\n", &[("name", "admin"), ("password", PASSWORD)]);
    assert_eq!(elsewhere.status, 303, "{}", elsewhere.body);
    wait_until("it may be tried again", || browser.sign_in("admin", PASSWORD).status == 303);
}

#[test]
fn a_form_without_the_token_or_from_elsewhere_does_nothing() {
    let (site, running) = open();
    let browser = Browser::signed_in(&running, "admin");
    let other = Browser::signed_in(&running, "moderator");
    let delete = ("one", "delete tech/3");
    for csrf in ["", "0", &other.csrf, &browser.csrf[1..], &browser.csrf.to_uppercase()] {
        let reply = browser.send_with("act", "", &[("csrf", csrf), delete]);
        assert!(reply.status == 403 && reply.body.contains("did not come from here"), "{csrf}: {}", reply.body);
    }
    assert_eq!(browser.send_with("act", "", &[delete]).status, 403);
    let token = ("csrf", browser.csrf.as_str());
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost.evil.example\r\n",
        "Origin: http://localhost:81\r\n",
        "Origin: http://localhost\r\nOrigin: http://localhost\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost\r\n",
    ] {
        for path in ["act", "sign-out"] {
            let reply = browser.send_with(path, headers, &[token, delete]);
            assert_eq!(reply.status, 403, "{path} {headers}: {}", reply.body);
        }
        let sign_in = browser.send_with("sign-in", headers, &[("name", "admin"), ("password", PASSWORD)]);
        assert_eq!(sign_in.status, 403, "{headers}");
    }
    // A page that is only asked for changes nothing.
    browser.get(&format!("act?csrf={}&one=delete%20tech/3", browser.csrf));
    assert!(site.page("tech/thread/1.html").contains("gold") && !site.path(".nejiboard/mod/log").exists());
    let reply =
        browser.send_with("act", "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", &[token, delete]);
    assert_eq!(reply.status, 303, "{}", reply.body);
}

#[test]
fn a_session_ends_by_itself_with_its_account_and_with_its_password() {
    let site = Sandbox::new(SITE);
    add_all(&site);
    let shift = site.path("shift");
    fs::write(&shift, "0").unwrap();
    let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
    let is_in = |browser: &Browser<'_>| browser.get("").body.contains("Sign out");
    let hours = |hours: i64| fs::write(&shift, (hours * 3_600).to_string()).unwrap();
    let idle = Browser::signed_in(&running, "admin");
    let busy = Browser::signed_in(&running, "moderator");
    hours(11);
    assert!(is_in(&busy));
    hours(13);
    assert!(!is_in(&idle) && is_in(&busy), "12 hours without a request");
    (23..168).step_by(10).for_each(|at| {
        hours(at);
        assert!(is_in(&busy), "after {at} hours");
    });
    hours(169);
    assert!(!is_in(&busy), "7 days at most");
    let (janitor, admin) = (Browser::signed_in(&running, "janitor"), Browser::signed_in(&running, "admin"));
    assert_eq!(user(&site, &["password", "admin"], "a new long password").0, Some(0));
    assert!(!is_in(&admin) && is_in(&janitor));
    assert_eq!(user(&site, &["remove", "janitor"], "").0, Some(0));
    assert!(!is_in(&janitor));
}

#[test]
fn another_process_knows_who_is_signed_in() {
    let site = Sandbox::new(SITE);
    add_all(&site);
    let first = Running::start(site.root());
    let browser = Browser::signed_in(&first, "admin");
    let (cookie, csrf) = (browser.cookie.clone(), browser.csrf.clone());
    assert!(first.terminate().success());
    let second = Running::start(site.root());
    let browser = Browser { cookie, csrf, ..Browser::new(&second) };
    assert!(browser.get("").body.contains("Sign out"));
    browser.does(&[("one", "delete tech/3")]);
}

/// What each right is needed for: a form that is sent, and a button or link by which one would send it.
const FORMS: [(Right, &[(&str, &str)]); 20] = [
    (Right::Delete, &[("one", "delete tech/2")]),
    (Right::Dismiss, &[("act", "dismiss"), ("on", "tech/3")]),
    (Right::Restore, &[("act", "restore"), ("on", "tech/2")]),
    (Right::Set, &[("act", "cyclic"), ("on", "tech/1")]),
    (Right::Edit, &[("act", "edit"), ("on", "tech/1"), ("text", "edited")]),
    (Right::Move, &[("act", "move"), ("on", "art/1"), ("to", "tech")]),
    (Right::Wipe, &[("act", "wipe"), ("on", "tech/3")]),
    (Right::Ban, &[("act", "ban-delete"), ("on", "tech/3")]),
    (Right::Unban, &[("act", "unban"), ("of", "01")]),
    (Right::Undo, &[("act", "undo"), ("of", "01")]),
    (Right::Approve, &[("act", "approve"), ("held", "01")]),
    (Right::Deny, &[("one", "deny 01")]),
    (Right::Deny, &[("act", "deny-all"), ("sure", "yes"), ("until", "0-01")]),
    (Right::Ban, &[("act", "ban-deny"), ("held", "01")]),
    (Right::Ban, &[("act", "ban-range"), ("range", "192.0.2.0/24"), ("only", "art"), ("hours", "1")]),
    (Right::Posture, &[("act", "posture"), ("posture", "calm")]),
    (Right::Wipe, &[("act", "wipe-since"), ("board", "art"), ("since", "1m"), ("sure", "yes")]),
    (Right::PostAs(Capcode::Janitor), &[("act", "post"), ("board", "art"), ("capcode", "janitor"), ("text", "x")]),
    (Right::PostAs(Capcode::Mod), &[("act", "post"), ("board", "art"), ("capcode", "mod"), ("text", "x")]),
    (Right::PostAs(Capcode::Admin), &[("act", "post"), ("board", "art"), ("capcode", "admin"), ("text", "x")]),
];

#[test]
fn each_role_may_do_what_the_table_says_and_sees_no_more() {
    let (site, running) = open();
    let no = post_from(&running, "203.0.113.9", &[("board", "tech"), ("thread", "1"), ("body", "from somebody")]);
    let path = format!("post/tech/{no}");
    let buttons = BTreeMap::from([
        ("delete", Right::Delete),
        ("ban", Right::Ban),
        ("ban-delete", Right::Ban),
        ("wipe", Right::Wipe),
        ("edit", Right::Edit),
        ("move", Right::Move),
        ("lock", Right::Set),
        ("archive", Right::Set),
    ]);
    for role in Role::ALL {
        let browser = Browser::signed_in(&running, role.name());
        for (right, form) in FORMS {
            let reply = browser.send("act", form);
            let is_refused = reply.status == 403 && reply.body.contains("Your account may not do this.");
            assert_eq!(!is_refused, role.may(right), "{role:?} {right:?}: {} {}", reply.status, reply.body);
        }
        let page = browser.get(&path).body;
        for (button, right) in &buttons {
            let shown = page.contains(&format!("name=\"act\" value=\"{button}\""));
            assert_eq!(shown, role.may(*right), "{role:?} {button}: {page}");
        }
        for capcode in Capcode::ALL {
            let offered = page.contains(&format!("<option value=\"{}\"", capcode.word()));
            assert_eq!(offered, role.may(Right::PostAs(capcode)), "{role:?} {capcode:?}: {page}");
        }
        assert_eq!(page.contains("/mod/sender/"), role.may(Right::LookAtSenders), "{role:?}");
        let overview = browser.get("").body;
        let pages = [
            ("bans", Right::LookAtSenders),
            ("users", Right::Users),
            ("held", Right::LookAtHeld),
            ("posture", Right::Posture),
        ];
        for (page, right) in pages {
            assert_eq!(overview.contains(&format!("href=\"/mod/{page}\"")), role.may(right), "{role:?} {page}");
            assert_eq!(browser.get(page).status, if role.may(right) { 200 } else { 403 }, "{role:?} {page}");
        }
        let undo = browser.get("log").body.contains("value=\"undo\"");
        assert_eq!(undo, role.may(Right::Undo), "{role:?}");
        let removal = browser.send("remove-user", &[("name", "nobody-has-this")]);
        assert_eq!(removal.status == 403, !role.may(Right::Users), "{role:?}");
    }
    // The table itself, said once more.
    let least: Vec<(Right, Role)> = RIGHTS.to_vec();
    for (right, role) in [
        (Right::Delete, Role::Janitor),
        (Right::Ban, Role::Moderator),
        (Right::Users, Role::Admin),
        (Right::PostAs(Capcode::Janitor), Role::Janitor),
        (Right::PostAs(Capcode::Mod), Role::Moderator),
        (Right::PostAs(Capcode::Admin), Role::Admin),
    ] {
        assert!(least.contains(&(right, role)), "{right:?}");
    }
    assert!(!Role::Janitor.may(Right::Edit) && !Role::Moderator.may(Right::Users) && Role::Admin.may(Right::Delete));
    assert!(site.read("content/tech/1.md").contains("edited"));
}

#[test]
fn an_act_of_two_kinds_needs_the_right_to_both() {
    let (site, running) = open();
    let janitor = Browser::signed_in(&running, "janitor");
    assert_eq!(janitor.send("act", &[("one", "ban-delete tech/3")]).status, 403);
    assert!(site.page("tech/thread/1.html").contains("gold"));
}

#[test]
fn what_is_done_in_the_browser_is_done_on_the_board_and_told_in_the_log() {
    let (site, running) = open();
    let browser = Browser::signed_in(&running, "moderator");
    let thread = || site.page("tech/thread/1.html");
    browser.does(&[("act", "delete"), ("on", "tech/3"), ("why", "spam"), ("back", "posts")]);
    assert!(!thread().contains("gold"));
    assert!(browser.get("post/tech/3").body.contains("removed"));
    browser.does(&[("act", "restore"), ("on", "tech/3"), ("back", "post/tech/3")]);
    assert!(thread().contains("gold"));
    browser.does(&[("act", "lock"), ("on", "tech/1")]);
    assert!(thread().contains("Locked"));
    assert!(browser.get("post/tech/1").body.contains("value=\"unlock\""));
    browser.does(&[("act", "unlock"), ("on", "tech/1")]);
    assert!(!thread().contains("Locked"));
    browser.does(&[("act", "sticky"), ("on", "tech/1")]);
    assert!(thread().contains("Sticky"));
    browser.does(&[("act", "archive"), ("on", "tech/2")]);
    assert!(site.page("tech/archive.html").contains("Second"));
    browser.does(&[("act", "edit"), ("on", "tech/3"), ("text", "sell my\r\nsilver")]);
    assert!(site.read("content/tech/1.md").contains("sell my\nsilver\n"));
    let log = browser.get("log").body;
    assert!(log.contains("<strong>moderator</strong> delete /tech/ <a href=\"/mod/post/tech/3\">3</a>"), "{log}");
    assert!(log.contains("spam"));
    let of = hidden(&log, "of");
    let page = browser.does(&[("act", "undo"), ("of", &of), ("back", "log")]);
    assert!(thread().contains("gold") && page.contains("<span class=\"mark\">undone</span>"), "{page}");
    let told = String::from_utf8(run(site.root(), &["mod", "log"]).stdout).unwrap();
    assert_eq!(told.lines().filter(|line| line.contains(" moderator ")).count(), 8, "{told}");
}

#[test]
fn many_are_done_at_once_on_several_boards() {
    let (site, running) = open();
    let browser = Browser::signed_in(&running, "janitor");
    browser.does(&[("act", "delete"), ("on", "tech/3"), ("on", "art/1"), ("on", "tech/2"), ("back", "posts")]);
    assert!(!site.page("tech/thread/1.html").contains("gold"));
    assert!(!site.has_page("tech/thread/2.html") && !site.has_page("art/thread/1.html"));
    let reply = browser.send("act", &[("act", "delete")]);
    assert!(reply.status == 422 && reply.body.contains("Nothing was chosen."), "{}", reply.body);
}

#[test]
fn what_cannot_be_done_is_told_with_its_reason() {
    let (_site, running) = open();
    let browser = Browser::signed_in(&running, "admin");
    for (fields, told) in [
        (&[("one", "delete tech/99")][..], "there is no post 99 on `tech`"),
        (&[("one", "delete nowhere/1")], "there is no board `nowhere`"),
        (&[("one", "delete ../1")], "a post is named like `tech/12`"),
        (&[("one", "explode tech/1")], "`explode` is nothing that can be done here"),
        (&[("act", "lock"), ("on", "tech/3")], "post 3 of `tech` is a reply in thread 1"),
        (&[("act", "ban"), ("on", "tech/3")], "is not known any more"),
        (&[("act", "ban"), ("on", "tech/3"), ("hours", "x")], "no number"),
        (&[("act", "undo"), ("of", "../../x")], "is nothing that can be done here"),
        (&[("act", "undo"), ("of", "01")], "there is no act `01` in the log"),
        (&[("act", "edit"), ("on", "tech/3"), ("text", " ")], "a post needs some text"),
    ] {
        let reply = browser.send("act", fields);
        let body = reply.body.replace("&#x60;", "`");
        assert!(reply.status == 422 && body.contains(told), "{fields:?}: {} {body}", reply.status);
    }
}

#[test]
fn reported_posts_wait_to_be_dismissed_or_deleted() {
    let (_site, running) = open();
    let report = |no: &str, reason: &str| {
        running.post_for_json(&[("task", "report"), ("board", "tech"), ("no", no), ("reason", reason)])
    };
    assert_eq!(report("3", "it is an advertisement").status, 200);
    assert_eq!(report("2", "I do not like it").status, 200);
    let browser = Browser::signed_in(&running, "janitor");
    assert!(browser.get("").body.contains("Reported posts: 2"));
    let page = browser.get("reports").body;
    for text in ["it is an advertisement", "I do not like it", "buy my gold", "/tech/thread/1.html#p3", "Reported 1×"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = browser.does(&[("one", "dismiss tech/2"), ("back", "reports")]);
    assert!(!page.contains("I do not like it") && page.contains("advertisement"), "{page}");
    let page = browser.does(&[("one", "delete tech/3"), ("back", "reports")]);
    assert!(page.contains("Nothing to see here."), "{page}");
}

#[test]
fn a_sender_is_known_again_and_banned_but_no_page_shows_an_address() {
    let (site, running) = open();
    let spammer = "198.51.100.77";
    let say = |address: &str, thread: &str, body: &str| {
        post_from(&running, address, &[("board", "tech"), ("thread", thread), ("body", body)])
    };
    let first = say(spammer, "1", "cheap watches");
    let second = say(spammer, "2", "cheaper watches");
    say("203.0.113.9", "2", "what a nice day");
    let browser = Browser::signed_in(&running, "moderator");
    let page = browser.get("posts").body;
    assert!(page.find("nice day") < page.find("cheaper watches") && page.contains("of cats"), "{page}");
    let label = page.split("/mod/sender/").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let theirs = browser.get(&format!("sender/{label}")).body;
    assert!(theirs.contains("cheap watches") && theirs.contains("cheaper watches"), "{theirs}");
    assert!(!theirs.contains("nice day") && !theirs.contains("buy my gold"), "{theirs}");
    let target = format!("tech/{first}");
    browser.does(&[("act", "ban-delete"), ("on", &target), ("hours", "24"), ("why", "watches"), ("only", "tech")]);
    assert!(!site.page("tech/thread/1.html").contains("cheap watches"));
    let refused = running.post_with(
        &[("X-Forwarded-For", spammer)],
        &[("board", "tech"), ("thread", "1"), ("body", "expensive watches")],
    );
    assert!(refused.status == 403 && refused.body.contains("watches"), "{}", refused.body);
    let bans = browser.get("bans").body;
    assert!(bans.contains("The sender of a post on /tech/, until ") && bans.contains("watches"), "{bans}");
    assert!(run(site.root(), &["mod", "ban", "--range", "198.51.100.0/24"]).status.success());
    // Nor does any other page.
    let pages = [
        "",
        "posts",
        "reports",
        "log",
        "bans",
        "post/tech/1",
        &format!("post/tech/{second}"),
        &format!("sender/{label}"),
    ];
    for path in pages {
        let body = browser.get(path).body;
        assert!(!body.contains("198.51.100") && !body.contains("203.0.113"), "{path}: {body}");
        let hashes = site.read(".nejiboard/mod/bans");
        let hash = hashes.split("\"hash\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(!body.contains(&hash[..10]), "{path} shows what bans are compared by");
    }
    browser.does(&[("act", "unban"), ("of", &hidden(&bans, "of")), ("back", "bans")]);
    let page = browser.does(&[("act", "wipe"), ("on", &format!("tech/{second}")), ("back", "posts")]);
    assert!(!page.contains("watches") && page.contains("nice day"), "{page}");
}

#[test]
fn what_strangers_write_is_text_on_pages_of_staff_too() {
    let (site, running) = open();
    let evil = "<script>alert(1)</script>\"'>{{name}}<img src=x onerror=alert(2)>";
    let no = post_from(
        &running,
        "203.0.113.9",
        &[
            ("board", "tech"),
            ("name", "<script>1</script>\"'><img src=x>"),
            ("subject", evil),
            ("body", &format!("{evil}\n>>1 javascript:alert(3)")),
        ],
    );
    let no = no.to_string();
    running.post_for_json(&[("task", "report"), ("board", "tech"), ("no", &no), ("reason", evil)]);
    let browser = Browser::signed_in(&running, "admin");
    let target = format!("tech/{no}");
    browser.does(&[("act", "sticky"), ("on", &target), ("why", evil), ("back", "log")]);
    let typed = browser.send_with("sign-in", "X-Forwarded-For: 1.2.3.4\r\n", &[("name", "<b>\"x"), ("password", "y")]);
    let refused = browser.send("act", &[("act", evil), ("on", &target)]);
    let pages = ["", "reports", "posts", "log", &format!("post/{target}")].map(|path| browser.get(path).body);
    for page in pages.iter().chain([&typed.body, &refused.body]) {
        for markup in ["<script", "<img", "<b>", "<i>Our", "\"'>", "javascript:alert(3)\""] {
            assert!(!page.contains(markup), "{markup}: {page}");
        }
    }
    assert!(pages[1].contains("&lt;script&gt;alert(1)"), "{}", pages[1]);
    assert!(pages[1].contains("<a href=\"/tech/thread/1.html#p1\" class=\"quotelink\">"), "{}", pages[1]);
    let back = browser.send("act", &[("one", "delete tech/3"), ("back", "//evil.example/")]);
    assert!(back.header("Location").starts_with("/mod/?done="), "{}", back.head);
    assert!(site.read("content/tech/1.md").contains("deleted"));
}

#[test]
fn an_admin_takes_an_account_away_but_not_the_own_one() {
    let (site, running) = open();
    let (admin, janitor) = (Browser::signed_in(&running, "admin"), Browser::signed_in(&running, "janitor"));
    assert_eq!(admin.send("remove-user", &[("name", "admin")]).status, 404);
    assert_eq!(admin.send("remove-user", &[("name", "janitor")]).status, 303);
    assert!(janitor.get("").body.contains("<h1>Sign in</h1>"));
    assert!(!site.read(".nejiboard/mod/users").contains("janitor"));
    assert!(!admin.get("users").body.contains("janitor</strong>"));
}

#[test]
fn below_a_path_the_pages_stand_below_it() {
    let site = Sandbox::new(&SITE.replace("keep_addresses", "base_url: https://example.org/boards/\nkeep_addresses"));
    add_all(&site);
    let running = Running::start(site.root());
    assert_eq!(running.get("/mod/").status, 404);
    let mut browser = Browser { base: "/boards/mod/", ..Browser::new(&running) };
    let reply = browser.sign_in("admin", PASSWORD);
    assert_eq!(reply.header("Location"), "/boards/mod/");
    assert!(reply.header("Set-Cookie").contains("; Path=/boards/mod/; "), "{}", reply.head);
    let page = browser.get("").body;
    assert!(page.contains("href=\"/boards/assets/style.") && page.contains("href=\"/boards/mod/staff.css\""), "{page}");
    browser.does(&[("one", "delete tech/3"), ("back", "posts")]);
    // A proxy may have another name for the door than the browser has.
    let token = ("csrf", browser.csrf.as_str());
    let headers = "Origin: https://example.org\r\n";
    assert_eq!(browser.send_with("act", headers, &[token, ("one", "delete tech/2")]).status, 303);
}

#[test]
fn a_form_of_staff_has_bounds() {
    let (_site, running) = open();
    let browser = Browser::signed_in(&running, "admin");
    let many = vec![("on", "tech/1"); 600];
    assert_eq!(browser.send("act", &many).status, 400);
    let long = "x".repeat(4 << 20);
    assert_eq!(browser.send("act", &[("text", &long[..]), ("act", "edit")]).status, 413);
    assert_eq!(browser.sign_in_long(), 403);
}

impl Browser<'_> {
    /// Signs in with a password that is longer than any.
    fn sign_in_long(&self) -> u16 {
        self.send_with("sign-in", "", &[("name", "admin"), ("password", &"x".repeat(2_000))]).status
    }
}

#[test]
fn nothing_of_staff_is_published() {
    let (site, running) = open();
    Browser::signed_in(&running, "admin").does(&[("one", "delete tech/3")]);
    drop(running);
    let files = files_below(&site.path("public"));
    assert!(files.keys().all(|path| !Path::new(path).starts_with("mod")), "{:?}", files.keys());
}

#[test]
fn a_door_beside_another_builder_takes_acts_too_and_says_when_nobody_builds() {
    let site = Sandbox::new(SITE);
    add_all(&site);
    site.build();
    let door = Running::start_with(site.root(), &["--no-build"]);
    let browser = Browser::signed_in(&door, "admin");
    let reply = browser.send("act", &[("one", "delete tech/3")]);
    assert!(reply.status == 202 && reply.body.contains("It lies in the inbox"), "{}", reply.body);
    assert!(site.page("tech/thread/1.html").contains("gold"));
    let builder = Running::start(site.root());
    wait_until("it is done", || browser.get("log").body.contains("<strong>admin</strong> delete"));
    browser.does(&[("one", "delete tech/2")]);
    assert!(!site.page("tech/thread/1.html").contains("gold") && !site.has_page("tech/thread/2.html"));
    drop(builder);
}

#[test]
fn an_upgrade_signs_nobody_out() {
    use rustix::process::{Pid, Signal, kill_process};
    let (_site, running) = open();
    let browser = Browser::signed_in(&running, "moderator");
    let old = Pid::from_raw(running.pid() as i32).unwrap();
    kill_process(old, Signal::HUP).unwrap();
    wait_until("the new process is ready", || running.told().contains("the new process is ready"));
    let told = running.told();
    let new: i32 = told.split("process=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let page = browser.get("");
    let done = browser.send("act", &[("one", "delete tech/3")]);
    kill_process(Pid::from_raw(new).unwrap(), Signal::TERM).unwrap();
    wait_until("the new process has ended", || !super::upgrade::is_running(new));
    assert!(page.body.contains("moderator (moderator)"), "{}", page.body);
    assert_eq!(done.status, 303, "{}", done.body);
}
