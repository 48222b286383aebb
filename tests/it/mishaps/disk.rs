//! A disk that is full, read-only or closed: posts are refused or safe, never lost, and all is well when it is again.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use super::super::crash::ledger::{Ledger, Wanted, send};
use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{self, Running, wait_until};
use super::mount::Mount;

const SITE: &str = "==> content/a/1.md\n--- {no: 1, at: 2025-03-02}\ntext of old\n==> content/a/board.yaml\ntitle: A\n";

/// A site that readers and posters use, and what the posters were told.
struct Used<'a> {
    root: &'a Path,
    running: Running,
    ledger: Ledger,
    sent: usize,
}

impl<'a> Used<'a> {
    fn new(root: &'a Path, running: Running) -> Used<'a> {
        let mut used = Used { root, running, ledger: Ledger::default(), sent: 0 };
        assert!(used.post(Wanted::OnceVisible), "the first post is taken");
        used
    }

    /// Sends a new post. Whether it was taken; if so it must never be lost.
    fn post(&mut self, wanted: Wanted) -> bool {
        self.sent += 1;
        let nonce = format!("nonce{}", self.sent);
        let thread = if self.sent.is_multiple_of(5) { "" } else { "1" };
        let told = send(self.running.address, "a", thread, &nonce, wanted);
        told.map(|told| self.ledger.note(&nonce, told)).is_some()
    }

    fn reads(&self) {
        assert_eq!(self.running.get("/a/thread/1.html").status, 200, "readers are served");
    }

    fn health(&self) -> String {
        self.running.get("/healthz").body
    }

    /// The trouble is over: what is safe gets its place, and posts are taken as ever.
    fn recovers(&mut self) {
        wait_until("posts are taken again", || self.post(Wanted::OnceVisible));
        let inbox = self.root.join("posts-inbox");
        let empty = || fs::read_dir(&inbox).unwrap().flatten().all(|entry| entry.file_name() == "rejected");
        wait_until("the inbox is empty", empty);
        wait_until("all is well", || self.health().contains("\"status\":\"ready\""));
    }

    fn ends_well(self) {
        assert!(self.running.terminate().success());
        self.ledger.check_site(self.root, &["a"]);
    }
}

/// Writes a file that leaves only so much free.
fn fill(path: &Path, free_bytes: u64) {
    let mut file = File::create(path).unwrap();
    let block = [0; 4096];
    while file.write_all(&block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(free_bytes)).unwrap();
}

#[test]
fn a_full_disk_refuses_posts_and_loses_none_and_a_start_on_it_still_serves_readers() {
    let site = Sandbox::empty();
    let Some(_mount) = Mount::small(site.root(), 6 << 10) else { return };
    site.write("content/site.yaml", "title: T\n");
    site.write_all(SITE);
    let mut used = Used::new(site.root(), Running::start(site.root()));
    let filler = site.path("filler");
    // A little more room each time, so that it ends in another step: the inbox file, the thread, a page.
    for free_kibibytes in [0, 4, 8, 20, 64] {
        fill(&filler, free_kibibytes << 10);
        let mut refused = 0;
        for nth in 0..400 {
            let wanted = if nth % 8 == 0 { Wanted::OnceVisible } else { Wanted::OnceSafe };
            refused = if used.post(wanted) { 0 } else { refused + 1 };
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3, "with {free_kibibytes} KiB the disk is not full");
        used.reads();
        assert!(used.health().contains("\"degraded\""), "{}", used.health());
        fs::remove_file(&filler).unwrap();
        used.recovers();
    }
    // Killed while it is full, and started while it is full.
    fill(&filler, 4 << 10);
    while used.post(Wanted::OnceSafe) {}
    let Used { running, ledger, sent, .. } = used;
    running.kill();
    let mut used = Used { root: site.root(), running: Running::start(site.root()), ledger, sent };
    used.reads();
    fs::remove_file(&filler).unwrap();
    used.recovers();
    used.ends_well();
}

#[test]
fn a_full_disk_below_content_leaves_posts_safe_in_the_inbox() {
    let site = Sandbox::new("");
    let content = site.path("content");
    let Some(_mount) = Mount::small(&content, 512) else { return };
    site.write("content/site.yaml", "title: T\n");
    site.write_all(SITE);
    let mut used = Used::new(site.root(), Running::start(site.root()));
    fill(&content.join("filler"), 0);
    for _ in 0..20 {
        assert!(used.post(Wanted::OnceSafe), "the inbox is not full");
    }
    wait_until("it is told", || used.health().contains("\"builder\""));
    used.reads();
    fs::remove_file(content.join("filler")).unwrap();
    used.recovers();
    used.ends_well();
}

/// What is to become of a post while a folder cannot be used.
#[derive(PartialEq)]
enum Becomes {
    Refused,
    Safe,
}

/// The folders that a post passes on its way, what becomes of it if one cannot be written, and who tells.
const FOLDERS: [(&str, Becomes, &str); 4] = [
    ("posts-inbox", Becomes::Refused, "inbox"),
    ("content", Becomes::Safe, "builder"),
    ("public", Becomes::Safe, "pages"),
    // What is in there can be made again.
    (".nejiboard", Becomes::Safe, ""),
];

#[test]
fn a_folder_that_is_read_only_for_a_while_loses_no_post() {
    let site = Sandbox::new(SITE);
    let mut used = Used::new(site.root(), Running::start(site.root()));
    for (folder, becomes, part) in FOLDERS {
        let Some(read_only) = Mount::read_only(&site.path(folder)) else { return };
        let taken = used.post(Wanted::OnceVisible);
        assert_eq!(taken, becomes == Becomes::Safe, "{folder} is read-only");
        assert!(used.health().contains(part), "{folder}: {}", used.health());
        used.reads();
        drop(read_only);
        used.recovers();
    }
    used.ends_well();
}

#[test]
fn a_start_on_a_read_only_disk_says_so() {
    let site = Sandbox::new(SITE);
    let Some(_read_only) = Mount::read_only(site.root()) else { return };
    let told = running::run(site.root(), &["serve"]);
    assert_eq!(told.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&told.stderr).contains("Read-only file system"), "{told:?}");
}

/// Who runs the program where root runs the tests: root may do anything, whatever the permissions say.
const NOBODY: u32 = 65_534;

fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            give_away(&path);
        } else {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

#[test]
fn permissions_that_are_lost_for_a_while_lose_no_post() {
    let site = Sandbox::new(SITE);
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        give_away(site.root());
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_nejiboard"));
        if let Err(error) = program.arg("--version").uid(NOBODY).gid(NOBODY).output() {
            println!("left out: another user than root cannot run the program: {error}");
            return;
        }
    }
    let running = Running::launch(site.root(), &[], |command| {
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
    });
    let mut used = Used::new(site.root(), running.unwrap());
    let lost: [(&str, u32, bool, &str); 6] = [
        ("posts-inbox", 0o500, false, "inbox"),
        ("posts-inbox", 0o000, false, "inbox"),
        ("content/a", 0o500, true, "builder"),
        ("content/a/1.md", 0o000, true, "builder"),
        ("public/a", 0o500, true, "pages"),
        (".nejiboard", 0o000, true, ""),
    ];
    for (path, mode, taken, part) in lost {
        let path = site.path(path);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        // One that opens no thread: the thread's own file may be closed.
        used.sent = used.sent.next_multiple_of(5);
        assert_eq!(used.post(Wanted::OnceVisible), taken, "{}", path.display());
        wait_until("it is told", || used.health().contains(part));
        used.reads();
        // A file that was replaced meanwhile has the permissions of a new one.
        fs::set_permissions(&path, before).unwrap();
        used.recovers();
    }
    used.ends_well();
}
