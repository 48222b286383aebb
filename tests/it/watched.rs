//! A running `serve` notices what is edited by hand.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::sandbox::Sandbox;
use super::sandbox::running::Running;

/// Ends the process when the test does, however it does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn nejiboard(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn comes_true(what: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The watch tells whole paths. Once they were compared with a site that was named `.`, and nothing was noticed.
#[test]
fn an_edit_shows_when_the_site_is_the_current_folder() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    assert!(nejiboard(folder.path(), &["new", "."]).status().expect("it starts").success());
    let serve = nejiboard(folder.path(), &["serve", "--listen", "127.0.0.1:0"]).spawn().expect("it starts");
    let _serve = Ended(serve);
    let page = folder.path().join("public/general/thread/1.html");
    // The inbox is made just before the watch begins.
    let inbox = folder.path().join("posts-inbox");
    assert!(comes_true(|| page.is_file() && inbox.is_dir()), "the site is built");
    let shows = |word: &str| fs::read_to_string(&page).is_ok_and(|html| html.contains(word));
    assert!(
        comes_true(|| {
            // Written anew each time, since the first time may come before the watch.
            let text = "--- {\"no\": 1}\nan edit by hand\n";
            fs::write(folder.path().join("content/general/1.md"), text).expect("the folder can be written");
            std::thread::sleep(Duration::from_millis(200));
            shows("an edit by hand")
        }),
        "the edit is on the page"
    );
}

/// A folder that is moved takes its watch along, and one that comes in its place has none of its own.
#[test]
fn folders_that_go_and_come_back_are_watched_on() {
    let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
    let door = Running::start(site.root());
    fs::rename(site.path("content"), site.path("aside")).expect("it is there");
    std::thread::sleep(Duration::from_millis(700));
    fs::rename(site.path("aside"), site.path("content")).expect("it is there");
    // The next change must not be what the return itself makes to be looked at.
    std::thread::sleep(Duration::from_millis(1500));
    site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02}\nafter the return\n");
    door.wait_for("/tech/thread/1.html", "after the return");
    fs::remove_dir_all(site.path("posts-inbox")).expect("it is there");
    let sent = door.post(&[("board", "tech"), ("thread", "1"), ("body", "without an inbox")]);
    assert_eq!(sent.status, 303, "{sent:?}");
    std::thread::sleep(Duration::from_millis(700));
    site.write(".dropped", "--- {\"board\": \"tech\", \"thread\": 1}\ndropped into the new inbox\n");
    fs::rename(site.path(".dropped"), site.path("posts-inbox/dropped.md")).expect("the inbox is back");
    door.wait_for("/tech/thread/1.html", "dropped into the new inbox");
}
