//! The process is killed at each named place, one after the other: see `src/disk/points.rs`.
//!
//! A first run notes which places it comes to and how often. Then each is tried: the first time it is come to,
//! one in the middle and the last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::sandbox::running::{self, LONG, Running};
use super::super::sandbox::{Sandbox, copy_folder};
use super::ledger::{self, Ledger, Told, Wanted};

/// Cases that are tried at the same time: they mostly wait for the disk.
const TOGETHER: usize = 4;

/// Boards whose numbers have no gap; from board `gone` a thread is removed.
const BOARDS: [&str; 2] = ["a", "b"];

/// Each page has two packed siblings, so that a crash can come between these.
const SETTINGS: &str = "title: Test site\nprecompress: [gzip, brotli]\nformats: [json, vichan]\npublic_log: true\n";

fn base() -> Sandbox {
    let site = Sandbox::new(
        "==> content/a/board.yaml\ntitle: A\n==> content/b/board.yaml\ntitle: B\n==> content/gone/1.md\n--- {no: 1}\nx\n",
    );
    site.write("content/site.yaml", SETTINGS);
    site.write("content/held/board.yaml", "moderation: all\n");
    site.write("content/from/board.yaml", "title: From\n");
    site.write("content/from/1.md", "--- {no: 1, id: f1}\ntext of far1\n\n--- {no: 2, id: f2}\n>>1 text of far2\n");
    site.write("content/to/1.md", "--- {no: 1}\nsee >>>/from/2\n");
    // One reply more gives the thread a tail, which is a new page.
    let posts = (1..=101).map(|no| format!("--- {{\"no\": {no}, \"at\": \"2025-03-02\"}}\ntext of old{no}\n"));
    site.write("content/a/1.md", posts.collect::<Vec<_>>().join("\n"));
    site
}

/// The program, started again whenever it was killed.
struct Phoenix<'a> {
    root: &'a Path,
    arm: Option<(&'a str, String)>,
    running: Option<Running>,
    crashes: usize,
    ready_after: Duration,
}

impl<'a> Phoenix<'a> {
    fn new(root: &'a Path, arm: (&'a str, String)) -> Phoenix<'a> {
        Phoenix { root, arm: Some(arm), running: None, crashes: 0, ready_after: Duration::ZERO }
    }

    /// It, alive. The first time it is armed, later on it is not.
    fn running(&mut self) -> &Running {
        if self.running.as_mut().is_some_and(Running::has_ended) {
            self.note_crash();
        }
        while self.running.is_none() {
            let arm = self.arm.take();
            let began = Instant::now();
            let launched = Running::launch(self.root, &[], |command| {
                if let Some((name, value)) = &arm {
                    command.env(name, value);
                }
            });
            match launched {
                Ok(running) => {
                    // It is ready once it answers a reader; and only then does it heed SIGTERM for sure.
                    let _ = running::try_get(running.address, "/index.html");
                    if 0 < self.crashes {
                        self.ready_after = self.ready_after.max(began.elapsed());
                    }
                    self.running = Some(running);
                }
                Err(told) => {
                    assert!(arm.is_some(), "it does not start again: {told}");
                    self.note_crash();
                }
            }
        }
        self.running.as_ref().unwrap()
    }

    fn note_crash(&mut self) {
        self.running = None;
        self.crashes += 1;
        ledger::check_pages_of_a_dead_program(self.root);
    }

    fn post(&mut self, board: &str, thread: &str, nonce: &str, wanted: Wanted) -> Told {
        let began = Instant::now();
        loop {
            let address = self.running().address;
            if let Some(told) = ledger::send(address, board, thread, nonce, wanted) {
                return told;
            }
            assert!(began.elapsed() < LONG, "{nonce} is not taken");
            // A process that was killed a moment ago may not be gone yet.
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            self.running();
            assert!(began.elapsed() < LONG, "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(&mut self) {
        self.running();
        let ended = self.running.take().unwrap().terminate();
        if !ended.success() {
            self.note_crash();
            self.running();
            assert!(self.running.take().unwrap().terminate().success());
        }
    }
}

/// A little of everything that `serve` does.
fn serve_a_while(phoenix: &mut Phoenix) -> Ledger {
    let root = phoenix.root;
    let mut ledger = Ledger::default();
    let posts =
        [("a", "1", "n1"), ("a", "", "n2"), ("b", "", "n3"), ("b", "1", "n4"), ("a", "1", "n5"), ("b", "1", "n6")];
    for (board, thread, nonce) in posts {
        let told = phoenix.post(board, thread, nonce, Wanted::OnceVisible);
        ledger.note(nonce, told);
        // Whatever becomes of these is found out at the end.
        let quiet = format!("{nonce} without waiting");
        let told = phoenix.post(board, thread, &quiet, Wanted::OnceSafe);
        ledger.note(&quiet, told);
    }
    let drop_file = |name: &str, text: &str| {
        fs::write(root.join("posts-inbox/.new"), text).unwrap();
        fs::rename(root.join("posts-inbox/.new"), root.join("posts-inbox").join(name)).unwrap();
    };
    let good = |nonce: &str| format!("--- {{board: b, thread: 1, id: {nonce}}}\n{}\n", ledger::text_of(nonce));
    drop_file("junk.md", "no post");
    drop_file("stray.md", &format!("{}\n--- {{board: nowhere, id: stray}}\nno such board\n", good("d1")));
    drop_file("torn.md", &format!("{}\n--- {{borad: b}}\nno board\n", good("d2")));
    // A file with something wrong in it may still be being written, and is left alone for a while.
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    for name in ["junk.md", "torn.md"] {
        let opened = fs::File::options().append(true).open(root.join("posts-inbox").join(name));
        let _ = opened.and_then(|file| file.set_modified(old));
    }
    drop_file("acts.json", ACTS);
    phoenix.post("held", "", "h1", Wanted::OnceSafe);
    let held = fs::read_dir(root.join(".nejiboard/mod/held")).unwrap().flatten();
    let mut ids = held.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".md")?.to_owned()));
    let id = ids.find(|name| !name.starts_with('.')).expect("what was answered is durable");
    drop_file(
        "approve.json",
        &format!("{{\"id\": \"act3\", \"act\": \"approve\", \"held\": [\"{id}\"], \"by\": \"me\"}}\n"),
    );
    for nonce in ["d1", "d2"] {
        ledger.note(nonce, Told { board: "b".to_owned(), no: None });
    }
    phoenix.wait_until("the inbox is emptied", || {
        let mut listing = fs::read_dir(root.join("posts-inbox")).unwrap().flatten();
        !listing.any(|entry| [".md", ".json"].iter().any(|end| entry.file_name().to_string_lossy().ends_with(end)))
    });
    fs::remove_file(root.join("content/gone/1.md")).unwrap();
    phoenix.wait_until("the page is gone", || !root.join("public/gone/thread/1.html").exists());
    phoenix.end();
    ledger
}

/// What staff does meanwhile.
const ACTS: &str = concat!(
    r#"{"id": "act1", "act": "delete", "board": "a", "posts": [50, 51], "by": "me"}"#,
    "\n",
    r#"{"id": "act2", "act": "set", "board": "a", "threads": [1], "flag": "sticky", "on": true, "by": "me"}"#,
    "\n",
    r#"{"id": "act4", "act": "move", "board": "from", "thread": 1, "to": "to", "by": "me"}"#,
    "\n"
);

fn check_acts(root: &Path) {
    let thread = fs::read_to_string(root.join("content/a/1.md")).unwrap();
    assert!(
        !thread.contains("text of old50\n")
            && !thread.contains("text of old51\n")
            && thread.contains("\"sticky\": true")
    );
    let log = fs::read_to_string(root.join(".nejiboard/mod/log")).unwrap();
    let acts = [log.matches("\"act1\"").count(), log.matches("\"act2\"").count(), log.matches("text of old5").count()];
    let approved = fs::read_to_string(root.join("content/held/1.md")).unwrap_or_else(|error| {
        let files = super::super::sandbox::files_below(root).into_keys();
        let files: Vec<String> = files.filter(|path| !path.starts_with("public/")).collect();
        panic!("the approved post is not there: {error}; {files:#?}\n{log}");
    });
    assert_eq!(approved.matches(&ledger::text_of("h1")).count(), 1, "{approved}");
    assert_eq!(log.matches("\"act3\"").count(), 1, "{log}");
    // A crash between giving numbers and using them may cost numbers.
    let files = super::super::sandbox::files_below(&root.join("content/to"));
    let moved = files.iter().find(|(_, bytes)| String::from_utf8_lossy(bytes).contains("text of far"));
    let (path, bytes) = moved.unwrap_or_else(|| panic!("the thread did not come: {:?}", files.keys()));
    let (old, new) = (fs::read_to_string(root.join("content/from/1.md")).unwrap(), String::from_utf8_lossy(bytes));
    let counts = [old.matches("text of far").count(), new.matches("text of far").count(), new.matches("--- {").count()];
    assert_eq!(counts, [0, 2, 2], "a thread is moved, and stands once: {old}\n{new}");
    let quote = format!(">>{} text of far2", path.trim_end_matches(".md"));
    assert!(new.contains(&quote) && log.matches("\"act4\"").count() == 1, "{new}\n{log}");
    assert_eq!(acts, [1, 1, 2], "each act is logged once, and with it what was deleted: {log}");
}

fn check_rejected(root: &Path) {
    let mut names: Vec<String> = fs::read_dir(root.join("posts-inbox/rejected"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let wanted = ["junk.md", "junk.md.why", "stray.md", "stray.md.why", "torn.md", "torn.md.why"];
    assert_eq!(names, wanted, "what was rejected is there once");
}

/// Commands that write: the first build, a clean one, one of an edit, a check of all, an import.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("first", &["build"]),
    ("clean", &["build", "--clean"]),
    ("edit", &["build"]),
    ("verify", &["verify"]),
    ("import", &["import", "jsonl", "in.jsonl"]),
];

/// A board of three threads with two posts each.
fn lines_to_import() -> String {
    let post = |no: u64| {
        let thread = (no - 1) % 3 + 1;
        format!(
            "{{\"kind\":\"post\",\"board\":\"new\",\"thread\":{thread},\"no\":{no},\"time\":1700000000,\"body\":\"{no}\"}}\n"
        )
    };
    let board = "{\"kind\":\"board\",\"board\":\"new\",\"title\":\"New\"}\n";
    board.to_owned() + &(1..=6).map(post).collect::<String>()
}

/// Makes a site as it is before the nth of [`COMMANDS`].
fn before_command(name: &str, built: &Sandbox) -> Sandbox {
    let site = Sandbox::empty();
    copy_folder(built.root(), site.root());
    match name {
        "first" => fs::remove_dir_all(site.path("public")).unwrap(),
        "edit" => {
            site.write("content/b/1.md", "--- {no: 1, at: 2025-03-02}\ntext of new\n");
            site.remove("content/gone/1.md");
        }
        "import" => site.write("in.jsonl", lines_to_import()),
        _ => site.write("content/site.yaml", SETTINGS.replace("Test site", "Another title")),
    }
    site
}

/// What is tried: `serve`, or one of [`COMMANDS`].
type Case = (Option<usize>, String, u64);

fn reached(log: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in fs::read_to_string(log).unwrap_or_default().lines() {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// The first run, and what is to be tried.
fn cases(built: &Sandbox) -> Vec<Case> {
    let mut cases = Vec::new();
    let logs = tempfile::tempdir().unwrap();
    let log = |name: &str| ("NEJIBOARD_CRASH_LOG", logs.path().join(name).to_string_lossy().into_owned());
    let mut add = |command: Option<usize>, name: &str| {
        for (point, times) in reached(&logs.path().join(name)) {
            cases.push((command, point.clone(), 1));
            for later in BTreeSet::from([times / 2 + 1, times]).into_iter().filter(|nth| 1 < *nth) {
                cases.push((command, point.clone(), later));
            }
        }
    };
    let site = Sandbox::empty();
    copy_folder(built.root(), site.root());
    let mut phoenix = Phoenix::new(site.root(), log("serve"));
    serve_a_while(&mut phoenix).check_site(site.root(), &BOARDS);
    check_rejected(site.root());
    check_acts(site.root());
    add(None, "serve");
    for (nth, (name, arguments)) in COMMANDS.iter().enumerate() {
        let site = before_command(name, built);
        let (variable, value) = log(name);
        running::run_with(site.root(), arguments, |command| {
            command.env(variable, value);
        });
        add(Some(nth), name);
    }
    cases
}

/// The names of all places in the sources.
fn all_points() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            names.extend(text.split("point(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    names
}

#[test]
fn a_crash_at_any_named_place_loses_nothing_and_leaves_nothing_behind() {
    if !may_be_armed() {
        return;
    }
    let built = base();
    built.build();
    let cases = cases(&built);
    for name in all_points() {
        assert!(cases.iter().any(|(_, point, _)| *point == name), "nothing here comes to the place `{name}`");
    }
    let (next, crashed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slowest = std::sync::Mutex::new(Duration::ZERO);
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A failure tells its case above its message.
                    let told = Tell(format!("{case:?}"));
                    let (crashes, ready_after) = try_case(&built, case);
                    std::mem::forget(told);
                    // How often a place is come to differs a little; the first time comes always.
                    assert!(crashes == 1 || 1 < case.2, "{case:?} did not crash");
                    crashed.fetch_add(crashes, Ordering::Relaxed);
                    let mut slowest = slowest.lock().unwrap();
                    *slowest = slowest.max(ready_after);
                }
            });
        }
    });
    println!(
        "{} places, {} cases, {} crashes; ready again after {} ms at most",
        all_points().len(),
        cases.len(),
        crashed.into_inner(),
        slowest.into_inner().unwrap().as_millis()
    );
}

/// Whether the program obeys the environment variables for tests. A release build does not; then it is told.
pub fn may_be_armed() -> bool {
    let armed = cfg!(debug_assertions) || cfg!(feature = "crash-points");
    if !armed {
        println!("left out: this build has no crash points; add `--features crash-points`");
    }
    armed
}

/// Tells what was tried when a test fails.
struct Tell(String);

impl Drop for Tell {
    fn drop(&mut self) {
        eprintln!("in the case {}:", self.0);
    }
}

fn try_case(built: &Sandbox, (command, point, nth): &Case) -> (usize, Duration) {
    let arm = ("NEJIBOARD_CRASH_AT", format!("{point}:{nth}"));
    let Some(command) = command else {
        let site = Sandbox::empty();
        copy_folder(built.root(), site.root());
        let mut phoenix = Phoenix::new(site.root(), arm);
        let ledger = serve_a_while(&mut phoenix);
        ledger.check_site(site.root(), &BOARDS);
        check_rejected(site.root());
        check_acts(site.root());
        return (phoenix.crashes, phoenix.ready_after);
    };
    let (name, arguments) = COMMANDS[*command];
    let site = before_command(name, built);
    let ended = running::run_with(site.root(), arguments, |command| {
        command.env(arm.0, arm.1);
    });
    ledger::check_pages_of_a_dead_program(site.root());
    let again: &[&[&str]] = if name == "import" { &[arguments, &["build"]] } else { &[&["build"]] };
    for arguments in again {
        let again = running::run(site.root(), arguments);
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    }
    if name == "import" {
        assert_eq!(ledger::posts_of(site.root(), "new").len(), 6);
    }
    fs::create_dir_all(site.path("posts-inbox")).unwrap();
    Ledger::default().check_site(site.root(), &BOARDS);
    (usize::from(ended.status.code().is_none()), Duration::ZERO)
}
