//! A copy that is taken while posts come in has every post that was accepted before it began.
//!
//! The commands are those of `docs/operating.md`, so that what is told there is what is tried.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::crash::ledger::{Ledger, Wanted, send};
use super::sandbox::running::{Running, run, wait_until};
use super::sandbox::{Sandbox, links::dead_links};

/// Posts that are there before the first copy is taken, and how often one is.
const POSTS: usize = 120;
const COPIES: usize = 3;

/// The nth block of shell commands below the heading about back-ups.
fn commands(nth: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("## What to back up").nth(1).unwrap().split("\n## ").next().unwrap();
    section.split("```sh\n").nth(nth + 1).unwrap().split("```").next().unwrap().to_owned()
}

fn shell(script: &str) {
    let ended = Command::new("sh").args(["-e", "-c", script]).output().unwrap();
    assert!(ended.status.success(), "{script}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_copy_of_a_running_site_has_every_post_from_before() {
    let site = Sandbox::new("==> content/a/1.md\n--- {no: 1}\nx\n==> content/b/1.md\n--- {no: 1}\nx\n");
    // Copying takes a while then, whichever folder comes first; a copy in the wrong order would lose posts.
    for folder in 0..10 {
        (0..500).for_each(|file| site.write(&format!("content/.bulk{folder}/{file}"), ""));
    }
    let copies = tempfile::tempdir().unwrap();
    let running = Running::start(site.root());
    let (ledger, sent, done) = (Mutex::new(Ledger::default()), AtomicUsize::new(0), AtomicBool::new(false));
    let from_before: Vec<Ledger> = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let nth = sent.fetch_add(1, Ordering::Relaxed);
                    let (board, thread) = (["a", "b"][nth % 2], if nth % 12 < 2 { "" } else { "1" });
                    let nonce = format!("nonce{nth}");
                    let wanted = if nth % 5 == 0 { Wanted::OnceVisible } else { Wanted::OnceSafe };
                    while let Some(address) = Some(running.address).filter(|_| !done.load(Ordering::Relaxed)) {
                        if let Some(told) = send(address, board, thread, &nonce, wanted) {
                            ledger.lock().unwrap().note(&nonce, told);
                            break;
                        }
                    }
                }
            });
        }
        let answered = || ledger.lock().unwrap().0.len();
        let copied = (0..COPIES).map(|nth| {
            wait_until("posts come in", || (nth + 1) * POSTS <= answered());
            let before = ledger.lock().unwrap().clone();
            let copy = copies.path().join(format!("{nth}.tar"));
            let script = commands(0).replace("/srv/board", &site.root().to_string_lossy());
            shell(&script.replace("/var/backups/board.tar", &copy.to_string_lossy()));
            before
        });
        let copied = copied.collect();
        done.store(true, Ordering::Relaxed);
        copied
    });
    running.kill();
    for (nth, before) in from_before.iter().enumerate() {
        let restored = copies.path().join(format!("site{nth}"));
        let looked_at = commands(1)
            .replace("/var/backups/board.tar", &copies.path().join(format!("{nth}.tar")).to_string_lossy())
            .replace("/srv/restored", &restored.to_string_lossy())
            .replace("nejiboard ", &format!("{} ", env!("CARGO_BIN_EXE_nejiboard")));
        // The last line serves it, and would not end.
        shell(looked_at.trim_end().rsplit_once('\n').unwrap().0);
        let running = Running::start(&restored);
        assert_eq!(running.get("/a/index.html").status, 200);
        wait_until("the inbox is empty", || fs::read_dir(restored.join("posts-inbox")).unwrap().next().is_none());
        assert!(running.terminate().success());
        for board in ["a", "b"] {
            before.check_posts(&restored, board);
        }
        for arguments in [&["verify"][..], &["verify", "--content"]] {
            let verified = run(&restored, arguments);
            assert!(verified.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&verified.stderr));
        }
        assert_eq!(dead_links(&restored.join("public"), "/"), [""; 0]);
    }
}
