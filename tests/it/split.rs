//! Door and builder as two processes that share folders and nothing else.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::sandbox::running::{Running, get, run, wait_until};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
";

/// A running `build --watch`. It is killed when this is dropped.
struct Building(Child);

impl Building {
    fn start(root: &Path) -> Building {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
        command.args(["--json", "build", "--watch"]).current_dir(root).env_clear();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut told = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut told, &mut line).unwrap();
        assert!(line.contains("\"command\":\"build\""), "{line}");
        Building(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn terminate(mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        wait_until("it ends", || self.0.try_wait().unwrap().is_some());
        self.0.wait().unwrap().success()
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reply<'a>(body: &'a str, nonce: &'a str) -> [(&'a str, &'a str); 4] {
    [("board", "tech"), ("thread", "1"), ("body", body), ("nonce", nonce)]
}

fn door(site: &Sandbox) -> Running {
    Running::start_with(site.root(), &["--no-build"])
}

#[test]
fn a_poster_is_told_the_number_that_the_other_process_gave() {
    let site = Sandbox::new(SITE);
    let builder = Building::start(site.root());
    let door = door(&site);
    let sent = door.post(&reply("hello there", "a"));
    assert_eq!((sent.status, sent.header("location")), (303, "/tech/thread/1.html#p2"), "{sent:?}");
    assert!(door.get("/tech/thread/1.html").body.contains("hello there"), "it is told once the page is there");
    let sent = door.post(&[("board", "tech"), ("subject", "S"), ("body", "a new thread")]);
    assert_eq!((sent.status, sent.header("location")), (303, "/tech/thread/3.html#p3"), "{sent:?}");
    // The door knows the new thread, and what was edited by hand.
    let sent = door.post(&[("board", "tech"), ("thread", "3"), ("body", "a reply to it")]);
    assert_eq!(sent.header("location"), "/tech/thread/3.html#p4", "{sent:?}");
    let locked = site.read("content/tech/3.md").replacen("{", "{\"locked\": true, ", 1);
    site.write(".next", locked);
    fs::rename(site.path(".next"), site.path("content/tech/3.md")).unwrap();
    let late = || door.post(&[("board", "tech"), ("thread", "3"), ("body", "too late")]).status;
    wait_until("the lock counts", || late() == 403);
    site.write("content/art/board.yaml", "title: Art\n");
    let new_board = || door.post(&[("board", "art"), ("body", "a drawing")]).status;
    wait_until("the board counts", || new_board() == 303);
    // A resend is the same post.
    assert_eq!(door.post(&reply("hello there", "a")).header("location"), "/tech/thread/1.html#p2");
    assert!(door.terminate().success());
    assert!(builder.terminate());
    assert!(files_below(&site.path("posts-inbox")).keys().all(|path| path.starts_with("rejected/")));
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn a_door_whose_builder_was_killed_takes_posts_and_shows_pages() {
    let site = Sandbox::new(SITE);
    let builder = Building::start(site.root());
    let door = door(&site);
    builder.kill();
    assert_eq!(door.get("/tech/thread/1.html").status, 200);
    let sent = door.post(&reply("nobody builds", "a"));
    assert_eq!(sent.status, 202, "{sent:?}");
    assert_eq!(door.post(&reply("nobody builds", "a")).status, 202, "a resend is no harm");
    wait_until("it is told that nobody builds", || door.get("/healthz").body.contains("\"builder\""));
    let builder = Building::start(site.root());
    door.wait_for("/tech/thread/1.html", "nobody builds");
    wait_until("all is well again", || door.get("/healthz").body.contains("ready"));
    let sent = door.post(&reply("somebody builds again", "b"));
    assert_eq!(sent.header("location"), "/tech/thread/1.html#p3", "{sent:?}");
    assert_eq!(site.read("content/tech/1.md").matches("nobody builds").count(), 1);
    builder.kill();
    assert!(door.terminate().success());
}

#[test]
fn a_builder_whose_door_was_killed_builds_what_it_left_and_edits() {
    let site = Sandbox::new(SITE);
    let builder = Building::start(site.root());
    for nth in 0..5 {
        let door = door(&site);
        let address = door.address;
        let bodies: Vec<String> = (0..8).map(|poster| format!("round {nth} poster {poster}.")).collect();
        let answered: Vec<bool> = std::thread::scope(|scope| {
            let post = |body: &String| {
                let body = body.clone();
                scope.spawn(move || {
                    super::sandbox::running::post(address, &reply(&body, &body), "text/html")
                        .is_ok_and(|sent| [202, 303].contains(&sent.status))
                })
            };
            let senders: Vec<_> = bodies.iter().map(post).collect();
            std::thread::sleep(Duration::from_millis(10 * nth));
            door.kill();
            senders.into_iter().map(|sender| sender.join().unwrap()).collect()
        });
        let thread = || site.read("content/tech/1.md");
        for (body, _) in bodies.iter().zip(answered).filter(|(_, answered)| *answered) {
            wait_until(&format!("{body:?} is built"), || thread().matches(body).count() == 1);
        }
    }
    site.write("content/tech/board.yaml", "title: Edited meanwhile\n");
    wait_until("the edit is built", || site.page("tech/index.html").contains("Edited meanwhile"));
    assert!(builder.terminate());
    // The drafts that the killed doors have left go when the next one starts.
    let door = door(&site);
    assert!(!files_below(&site.path("posts-inbox")).keys().any(|path| path.ends_with(".draft")));
    assert!(door.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn two_doors_share_one_builder_and_none_may_build_beside_it() {
    let site = Sandbox::new(SITE);
    let builder = Building::start(site.root());
    let doors = [door(&site), door(&site)];
    for (nth, door) in doors.iter().enumerate() {
        let sent = door.post(&reply(&format!("door {nth}."), ""));
        assert_eq!(sent.header("location"), format!("/tech/thread/1.html#p{}", nth + 2), "{sent:?}");
    }
    for arguments in [&["build"][..], &["build", "--watch"], &["serve", "--listen", "127.0.0.1:0"]] {
        assert_eq!(run(site.root(), arguments).status.code(), Some(3));
    }
    builder.kill();
    assert_eq!(get(doors[0].address, "/tech/thread/1.html").status, 200);
}

#[test]
fn a_door_alone_starts_where_nothing_is_built_yet() {
    let site = Sandbox::new(SITE);
    let door = door(&site);
    assert_eq!(door.get("/tech/thread/1.html").status, 404);
    assert_eq!(door.post(&reply("early", "")).status, 202);
    let builder = Building::start(site.root());
    door.wait_for("/tech/thread/1.html", "early");
    assert!(builder.terminate());
}
