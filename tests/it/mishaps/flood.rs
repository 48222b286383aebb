//! An inbox full of files: each becomes one post, and those who post and read meanwhile are answered.

use std::fs;
use std::time::{Duration, Instant};

use super::super::crash::ledger::{Ledger, Told, Wanted, send, text_of};
use super::super::sandbox::Sandbox;
use super::super::sandbox::running::Running;

/// Threads that the posts are for.
const THREADS: usize = 200;

#[test]
fn an_inbox_of_5_000_files_becomes_as_many_posts() {
    flood(5_000);
}

/// `scripts/soak inbox` runs this.
#[test]
#[ignore = "it takes minutes"]
fn soak_inbox_of_100_000_files() {
    flood(100_000);
}

fn flood(files: usize) {
    let site = Sandbox::new("==> content/a/board.yaml\ntitle: A\nreply_limit: 0\n");
    for no in 1..=THREADS {
        site.write(&format!("content/a/{no}.md"), format!("--- {{no: {no}, at: 2025-03-02}}\ntext of old{no}\n"));
    }
    let mut ledger = Ledger::default();
    for nth in 0..files {
        let (nonce, thread) = (format!("file{nth}"), nth % THREADS + 1);
        let text =
            format!("--- {{\"board\": \"a\", \"thread\": {thread}, \"id\": \"{nonce}\"}}\n{}\n", text_of(&nonce));
        site.write(&format!("posts-inbox/{nth:06}.md"), text);
        ledger.note(&nonce, Told { board: "a".to_owned(), no: None });
    }
    let began = Instant::now();
    let running = Running::start(site.root());
    let ready = began.elapsed();
    let (mut slowest_post, mut slowest_page) = (Duration::ZERO, Duration::ZERO);
    let mut posts = 0;
    let is_empty = || fs::read_dir(site.path("posts-inbox")).unwrap().next().is_none();
    while !is_empty() {
        assert!(began.elapsed() < Duration::from_secs(900), "the inbox is not emptied");
        let asked = Instant::now();
        assert_eq!(running.get("/a/index.html").status, 200);
        slowest_page = slowest_page.max(asked.elapsed());
        let (nonce, asked) = (format!("meanwhile{posts}"), Instant::now());
        // While more wait than are taken, the answer is 503, and just as quick.
        if let Some(told) = send(running.address, "a", "1", &nonce, Wanted::OnceSafe) {
            ledger.note(&nonce, told);
            posts += 1;
        }
        slowest_post = slowest_post.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    let emptied = began.elapsed();
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    assert!(running.terminate().success());
    ledger.check_site(site.root(), &["a"]);
    println!(
        "{files} files: ready after {} ms, in their threads after {:.1} s; {posts} posts meanwhile, the slowest answered \
         after {} ms, the slowest page {} ms; {}",
        ready.as_millis(),
        emptied.as_secs_f64(),
        slowest_post.as_millis(),
        slowest_page.as_millis(),
        peak.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}
