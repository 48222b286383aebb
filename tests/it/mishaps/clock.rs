//! A clock that jumps an hour back and forth: nothing is lost, and nothing that a reader compares goes back.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nejiboard::store::thread_file;

use super::super::crash::ledger::{Ledger, Told, Wanted, send, text_of};
use super::super::crash::points::may_be_armed;
use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{Running, wait_until};

fn start(root: &Path, shift: &Path) -> Running {
    let prepared = |command: &mut std::process::Command| {
        command.env("NEJIBOARD_CLOCK_SHIFT", shift);
    };
    Running::launch(root, &[], prepared).unwrap()
}

#[test]
fn a_clock_that_jumps_an_hour_loses_nothing_and_turns_no_time_back() {
    if !may_be_armed() {
        return;
    }
    let site = Sandbox::new("==> content/a/board.yaml\ntitle: A\n");
    let clock = tempfile::tempdir().unwrap();
    let shift = clock.path().join("shift");
    fs::write(&shift, "0").unwrap();
    let mut running = start(site.root(), &shift);
    let mut ledger = Ledger::default();
    let mut last_modified = 0;
    for (nth, seconds) in [0, -3_600, 3_600, 0, -3_600, -7_200, 3_600].into_iter().enumerate() {
        // As a rename, so that it is never read half written.
        fs::write(clock.path().join("new"), seconds.to_string()).unwrap();
        fs::rename(clock.path().join("new"), &shift).unwrap();
        if nth % 3 == 2 {
            running.kill();
            running = start(site.root(), &shift);
        }
        for (post, wanted) in [("seen", Wanted::OnceVisible), ("safe", Wanted::OnceSafe)] {
            let nonce = format!("{post} {nth}");
            let thread = if nth == 0 && post == "seen" { "" } else { "1" };
            ledger.note(&nonce, send(running.address, "a", thread, &nonce, wanted).unwrap());
        }
        let dropped = format!("dropped {nth}");
        site.write("posts-inbox/.new", format!("--- {{board: a, thread: 1}}\n{}\n", text_of(&dropped)));
        fs::rename(site.path("posts-inbox/.new"), site.path(&format!("posts-inbox/dropped{nth}.md"))).unwrap();
        running.wait_for("/a/thread/1.html", &dropped);
        running.wait_for("/a/thread/1.html", &format!("safe {nth}"));
        ledger.note(&dropped, Told { board: "a".to_owned(), no: None });
        // Of the file: the header must not be later than the clock, so it goes back with it.
        let modified = fs::metadata(site.path("public/a/thread/1.html")).unwrap().mtime();
        assert!(last_modified < modified, "a page that changed has a later time: {last_modified}, {modified}");
        last_modified = modified;
    }
    wait_until("the inbox is empty", || fs::read_dir(site.path("posts-inbox")).unwrap().next().is_none());
    assert!(running.terminate().success());
    ledger.check_site(site.root(), &["a"]);
    let path = site.path("content/a/1.md");
    let posts = thread_file::read(&path, &fs::read(&path).unwrap()).thread.unwrap().posts;
    assert!(posts.is_sorted_by_key(|post| post.at), "times go back");
}
