//! The real program among clients that mean no good: whoever wants to read or post is served all the same, with as many
//! connections as there can be and with few, and all is as before once they are gone.

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, get, wait_until};

#[path = "../../benches/support/siege.rs"]
mod attackers;

use attackers::{MANNERS, Manner, Siege, serve_me};

/// A page that is larger than what the system takes for a client who does not read.
const PAGE: &str = "/busy/thread/1.html";

fn site() -> Sandbox {
    let site = Sandbox::new("\n==> content/busy/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
    site.write("content/site.yaml", "title: Siege\ndefaults:\n  reply_limit: 0\n");
    site
}

/// Besieges a server that may open so many files, in each manner by so many clients.
fn check(files: usize, clients: usize, manners: &[Manner]) {
    let site = site();
    let running = Running::start_limited(site.root(), files, &["--monitor", "127.0.0.1:0"]);
    wait_until("the second door is told", || running.told().contains("monitoring at"));
    let told = running.told();
    let monitor = told.split("monitoring at http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let monitor = monitor.parse().unwrap();
    let mut posts = 0;
    for manner in manners {
        let siege = Siege::begin(running.address, *manner, clients, PAGE);
        let [reader, poster] = serve_me(running.address, 10, PAGE);
        assert_eq!((reader.failed, poster.failed), (0, 0), "{manner:?}");
        posts += poster.served;
        assert!(0 < siege.end());
    }
    // They are let go (the one that is left asks for the figures), nothing of them stays, and each post of the others is there once.
    wait_until("all are gone", || get(monitor, "/metrics").body.contains("\nnejiboard_connections 1\n"));
    let page = running.get(PAGE).body;
    assert_eq!(page.matches("a normal post").count(), posts);
    assert!(get(monitor, "/healthz").body.contains("ready"));
    assert!(!running.told().contains("panicked"), "{}", running.told());
}

#[test]
fn readers_and_posters_are_served_among_hostile_clients() {
    check(2_000, 300, &MANNERS);
}

#[test]
fn they_are_where_files_are_few() {
    check(256, 300, &MANNERS);
}
