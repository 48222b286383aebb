//! What goes wrong inside costs one thing, and what cannot be put right ends the process so that it is started anew.
//!
//! The faults are injected by a folder that a debug build looks into; a release build has none of this.
#![cfg(debug_assertions)]

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, run, wait_until};

const SITE: &str = "
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
==> faults/.keep
";

fn start(site: &Sandbox, more: &[&str]) -> Running {
    let mut arguments = vec!["--monitor", "127.0.0.1:0"];
    arguments.extend(more);
    let running = Running::start_in(site.root(), &arguments, &[("NEJIBOARD_FAULTS", &site.path("faults"))]);
    // The first round looks at everything; faults are for what comes later.
    wait_until("it is at rest", || running.post(&reply("the first reply")).status == 303);
    running
}

fn reply(body: &str) -> [(&str, &str); 4] {
    [("board", "tech"), ("thread", "1"), ("body", body), ("nonce", body)]
}

/// Panics that were counted at a place.
fn panics(running: &Running, place: &str) -> u64 {
    let address = running.told().split("monitoring at http://").nth(1).unwrap().split('/').next().unwrap().parse();
    let text = super::sandbox::running::get(address.unwrap(), "/metrics").body;
    let line = text.lines().find(|line| line.contains(&format!("panics_total{{place=\"{place}\"}}"))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn inject(site: &Sandbox, fault: &str) {
    site.write(&format!("faults/{fault}"), "");
}

#[test]
fn a_panic_in_a_request_costs_that_request() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &[]);
    inject(&site, "request-panic");
    assert_eq!(running.post(&reply("unlucky")).status, 500);
    assert_eq!(running.post(&reply("lucky")).status, 303);
    assert_eq!(panics(&running, "request"), 1);
    assert!(!site.read("content/tech/1.md").contains("unlucky"));
}

#[test]
fn a_panic_of_the_committer_costs_the_posts_it_had_in_hand_and_says_so() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &[]);
    inject(&site, "committer-panic");
    assert_eq!(running.post(&reply("again")).status, 503);
    assert_eq!(running.post(&reply("again")).status, 303, "what was refused can be sent again");
    assert_eq!(panics(&running, "committer"), 1);
    assert_eq!(site.read("content/tech/1.md").matches("again").count(), 1);
}

#[test]
fn a_panic_in_a_page_costs_no_more_than_that_page() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &[]);
    // Once: the page is drawn at the second attempt.
    inject(&site, "page-panic");
    assert_eq!(running.post(&reply("drawn anew")).status, 303);
    assert!(running.get("/tech/thread/1.html").body.contains("drawn anew"));
    assert_eq!(panics(&running, "page"), 1);
    // Every time: all pages keep their last version, and posts are safe.
    inject(&site, "page-panics");
    assert_eq!(running.post(&reply("not drawn")).status, 202);
    let page = running.get("/tech/thread/1.html").body;
    assert!(page.contains("drawn anew") && !page.contains("not drawn"), "{page}");
    assert!(running.get("/healthz").body.contains("\"pages\""));
    site.remove("faults/page-panics");
    running.wait_for("/tech/thread/1.html", "not drawn");
    wait_until("all is well", || running.get("/healthz").body.contains("ready"));
}

#[test]
fn a_panic_of_the_builder_costs_a_round_and_it_comes_back_with_pauses() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &[]);
    inject(&site, "round-panics");
    assert_eq!(running.post(&reply("meanwhile")).status, 202);
    wait_until("it is told", || running.get("/healthz").body.contains("\"builder\""));
    wait_until("it tries again", || 2 <= panics(&running, "builder"));
    assert_eq!(running.get("/tech/thread/1.html").status, 200);
    let before = Instant::now();
    let panicked = panics(&running, "builder");
    std::thread::sleep(Duration::from_secs(2));
    let more = panics(&running, "builder") - panicked;
    assert!(more as f64 <= 1.0 + before.elapsed().as_secs_f64() / 0.25, "no pause: {more}");
    site.remove("faults/round-panics");
    running.wait_for("/tech/thread/1.html", "meanwhile");
    wait_until("all is well", || running.get("/healthz").body.contains("ready"));
    assert_eq!(site.read("content/tech/1.md").matches("meanwhile").count(), 1);
    assert!(running.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn a_post_that_makes_the_builder_panic_is_put_aside_and_the_others_are_built() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &[]);
    site.write("faults/poison", "deadly");
    // In one inbox file and in several.
    let others: Vec<String> = (0..20).map(|nth| format!("harmless {nth}.")).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| running.post(&reply("a deadly post")));
        for body in &others {
            scope.spawn(|| running.post(&reply(body)));
        }
    });
    running.wait_for("/tech/thread/1.html", "harmless 19.");
    let rejected = || {
        let folder = fs::read_dir(site.path("posts-inbox/rejected")).ok()?;
        folder.flatten().find_map(|entry| fs::read_to_string(entry.path()).ok().filter(|text| text.contains("deadly")))
    };
    wait_until("the poison is put aside", || rejected().is_some());
    wait_until("all is well", || running.get("/healthz").body.contains("ready"));
    assert!(!rejected().unwrap().contains("harmless"));
    assert!(running.terminate().success());
    let thread = site.read("content/tech/1.md");
    assert!(!thread.contains("deadly"));
    for body in &others {
        assert_eq!(thread.matches(body.as_str()).count(), 1, "{body}");
    }
    assert!(run(site.root(), &["verify"]).status.success());
}

/// Otherwise each round would look at it again and panic again, for ever.
#[test]
fn a_thread_file_that_makes_it_panic_costs_that_file_and_the_rest_goes_on() {
    let site = Sandbox::new(SITE);
    site.write("content/tech/8.md", "--- {no: 8, at: 2025-03-02}\nwhat was there before\n");
    let running = start(&site, &[]);
    site.write("faults/indigestible", "deadly");
    site.write("content/tech/8.md", "--- {no: 8, at: 2025-03-02}\na deadly text\n");
    site.write("content/tech/7.md", "--- {no: 7, at: 2025-03-02}\nanother deadly text\n");
    site.write("content/tech/6.md", "--- {no: 6, at: 2025-03-02}\nharmless\n");
    running.wait_for("/tech/thread/6.html", "harmless");
    assert_eq!(running.post(&reply("meanwhile")).status, 303);
    running.wait_for("/tech/thread/1.html", "meanwhile");
    let told = || running.told().matches("reading this file panicked").count();
    wait_until("both are told", || 2 <= told() && 2 <= panics(&running, "thread"));
    assert!(running.told().contains("content/tech/7.md"), "{}", running.told());
    assert_eq!(panics(&running, "builder"), 0);
    assert_eq!(running.get("/tech/thread/7.html").status, 404);
    assert!(running.get("/tech/thread/8.html").body.contains("what was there before"));
    // Nobody tries again and again.
    let before = told();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(told(), before);
    // A start goes on with the rest too.
    assert!(running.terminate().success());
    let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_FAULTS", &site.path("faults"))]);
    running.wait_for("/tech/thread/1.html", "meanwhile");
    wait_until("it is told again", || running.told().contains("reading this file panicked"));
    site.remove("faults/indigestible");
    site.write("content/tech/7.md", "--- {no: 7, at: 2025-03-02}\nanother deadly text\n\n");
    site.write("content/tech/8.md", "--- {no: 8, at: 2025-03-02}\na deadly text\n\n");
    running.wait_for("/tech/thread/7.html", "another deadly text");
    running.wait_for("/tech/thread/8.html", "a deadly text");
    assert!(running.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn a_process_that_is_stuck_ends_itself_if_it_was_asked_to() {
    for part in ["round", "committer", "door"] {
        let site = Sandbox::new(SITE);
        let running = start(&site, &["--watchdog", "1"]);
        inject(&site, &format!("{part}-stuck"));
        let address = running.address;
        let sender = std::thread::spawn(move || {
            drop(super::sandbox::running::post(address, &reply("stored or not"), "text/html"));
        });
        wait_until("it says why", || running.told().contains("has been stuck for"));
        let status = running.wait();
        assert_eq!(status.signal(), Some(6), "{part}: {status}");
        sender.join().unwrap();
        let again = start(&site, &[]);
        let body = again.get("/tech/thread/1.html").body;
        match part {
            "round" => assert!(body.contains("stored or not"), "{body}"),
            "committer" => assert!(!body.contains("stored or not"), "{body}"),
            // Another thread of the door may have taken it.
            _ => {}
        }
    }
}

#[test]
fn a_process_that_is_at_work_or_at_rest_is_left_alone() {
    let site = Sandbox::new(SITE);
    let running = start(&site, &["--watchdog", "1"]);
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(500));
        running.post(&reply("still here"));
    }
    assert!(running.terminate().success());
}

/// A service manager that listens.
struct Manager(UnixDatagram);

impl Manager {
    fn listen(path: &Path) -> Manager {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        Manager(socket)
    }

    /// The next message; `None` if none comes for a while.
    fn hear(&self) -> Option<String> {
        let mut bytes = [0; 4_096];
        let length = self.0.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    /// Waits for a message with this text.
    fn wait_for(&self, text: &str) -> String {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(heard) = self.hear().filter(|heard| heard.contains(text)) {
                return heard;
            }
        }
        panic!("the manager waited in vain for {text}");
    }
}

#[test]
fn the_service_manager_hears_that_it_is_ready_alive_upgraded_and_at_its_end() {
    let site = Sandbox::new(SITE);
    let manager = Manager::listen(&site.path("manager"));
    let environment = [
        ("NEJIBOARD_FAULTS", &*site.path("faults")),
        ("NOTIFY_SOCKET", &*site.path("manager")),
        ("WATCHDOG_USEC", Path::new("2000000")),
    ];
    let running = Running::start_in(site.root(), &[], &environment);
    manager.wait_for("READY=1");
    manager.wait_for("WATCHDOG=1");
    let pid = rustix::process::Pid::from_raw(running.process() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    assert!(manager.wait_for("RELOADING=1").contains("MONOTONIC_USEC="));
    let replaced = manager.wait_for("MAINPID=");
    assert!(replaced.contains("READY=1"), "{replaced}");
    let new: i32 = replaced.split("MAINPID=").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(running.wait().success());
    manager.wait_for("WATCHDOG=1");
    let new = rustix::process::Pid::from_raw(new).unwrap();
    rustix::process::kill_process(new, rustix::process::Signal::TERM).unwrap();
    manager.wait_for("STOPPING=1");
    wait_until("it has ended", || rustix::process::test_kill_process(new).is_err());
}

#[test]
fn the_service_manager_hears_no_sign_of_life_of_a_process_that_is_stuck() {
    let site = Sandbox::new(SITE);
    let manager = Manager::listen(&site.path("manager"));
    let environment = [
        ("NEJIBOARD_FAULTS", &*site.path("faults")),
        ("NOTIFY_SOCKET", &*site.path("manager")),
        ("WATCHDOG_USEC", Path::new("2000000")),
    ];
    let running = Running::start_in(site.root(), &[], &environment);
    manager.wait_for("WATCHDOG=1");
    inject(&site, "round-stuck");
    assert_eq!(running.post(&reply("while it is stuck")).status, 202);
    wait_until("it falls silent", || manager.hear().is_none());
    assert!(running.told().contains("the builder has been stuck for"), "{}", running.told());
    running.kill();
}
