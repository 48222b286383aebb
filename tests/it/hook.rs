//! The operator's command that is told what changed: every change reaches it, whatever goes wrong.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nejiboard::store::changed::Changed;

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, run, wait_until};

const BASE: &str = "https://example.org/";

/// A site whose hook is this script. It runs in the site's folder.
fn site_with(script: &str) -> Sandbox {
    let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1, at: 2025-03-02}\nthe first post\n");
    site.write("content/site.yaml", format!("title: T\nbase_url: {BASE}\non_change: [./hook, 'zone one']\n"));
    site.write("hook", format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(site.path("hook"), fs::Permissions::from_mode(0o755)).unwrap();
    site
}

/// The URLs that the script has put into `told.txt`.
fn told(site: &Sandbox) -> BTreeSet<String> {
    fs::read_to_string(site.path("told.txt")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn pages(site: &Sandbox) -> BTreeSet<String> {
    let files = super::sandbox::files_below(&site.path("public"));
    files.into_keys().map(|path| format!("{BASE}{path}")).collect()
}

fn post(door: &Running, body: &str) {
    assert_eq!(door.post(&[("board", "tech"), ("thread", "1"), ("body", body)]).status, 303);
}

const THREAD: &str = "https://example.org/tech/thread/1.html";

#[test]
fn a_build_tells_what_it_changed_to_a_program_that_no_shell_has_read() {
    let site = site_with("echo \"$#:$1\" >args.txt; cat >>told.txt");
    let built = run(site.root(), &["build"]);
    assert_eq!(built.status.code(), Some(0), "{built:?}");
    assert_eq!(site.read("args.txt"), "1:zone one\n");
    assert_eq!(told(&site), pages(&site));
    site.remove("told.txt");
    run(site.root(), &["build"]);
    assert!(!site.path("told.txt").exists(), "nothing changed, so nobody is told");
    site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02}\nanother text\n");
    run(site.root(), &["build", "--clean"]);
    assert!(told(&site).contains(THREAD) && told(&site).len() < pages(&site).len(), "{:?}", told(&site));
    site.remove("content/tech/1.md");
    run(site.root(), &["build"]);
    assert!(site.read("told.txt").matches(THREAD).count() == 2, "what is gone is told as well");
    assert!(!site.path(".nejiboard/changed.txt").exists(), "all is told");
}

#[test]
fn a_hook_that_fails_twice_is_told_in_the_end() {
    let script =
        "[ $(wc -l <tries.txt) -lt 2 ] && { echo again >>tries.txt; echo no network >&2; exit 7; }\ncat >>told.txt";
    let site = site_with(script);
    site.write("tries.txt", "");
    let door = Running::start(site.root());
    post(&door, "hello");
    wait_until("all is told", || told(&site).is_superset(&pages(&site)));
    assert_eq!(site.read("tries.txt").lines().count(), 2);
    let log = door.told();
    assert!(log.contains("`on_change` failed; trying again") && log.contains("no network"), "{log}");
    assert!(door.get("/healthz").body.contains("ready"));
    wait_until("nothing waits", || !site.path(".nejiboard/changed.txt").exists());
}

#[test]
fn changes_of_a_busy_time_are_told_together_and_none_is_lost() {
    let site = site_with("sleep 0.3; cat >>told.txt; echo call >>calls.txt");
    let door = Running::start(site.root());
    for no in 0..30 {
        let sent = door.post(&[("board", "tech"), ("subject", "S"), ("body", &format!("thread {no}"))]);
        assert_eq!(sent.status, 303);
    }
    assert!(door.terminate().success());
    assert!(told(&site).is_superset(&pages(&site)), "{:?}", pages(&site).difference(&told(&site)));
    let calls = site.read("calls.txt").lines().count();
    assert!(calls < 20, "{calls} calls for 30 posts");
}

#[test]
fn a_hook_that_never_works_is_a_trouble_that_all_can_see() {
    let site = site_with("exit 1");
    let door = Running::start(site.root());
    wait_until("it is told", || door.get("/healthz").body.contains("{\"part\":\"hook\"}"));
    // Nobody else minds.
    post(&door, "hello");
    site.write("hook", "#!/bin/sh\ncat >>told.txt\n");
    assert!(door.terminate().success());
    // What could not be told is told by the next start.
    let door = Running::start(site.root());
    wait_until("all is told", || told(&site).is_superset(&pages(&site)));
    assert!(door.get("/healthz").body.contains("ready"));
}

#[test]
fn a_kill_at_any_moment_loses_no_change() {
    let site = site_with("cat >>told.txt");
    let door = Running::start(site.root());
    wait_until("all is told", || told(&site).is_superset(&pages(&site)));
    site.write("hook", "#!/bin/sh\nexit 1\n");
    post(&door, "hello");
    door.kill();
    site.remove("told.txt");
    site.write("hook", "#!/bin/sh\ncat >>told.txt\n");
    assert_eq!(run(site.root(), &["build"]).status.code(), Some(0));
    assert!(told(&site).contains(THREAD), "{:?}", told(&site));
    // Even if the process was killed after the page was written and before that was noted.
    run(site.root(), &["build"]);
    site.remove("told.txt");
    let page = site.page("tech/thread/1.html");
    fs::remove_file(site.path("public/tech/thread/1.html")).unwrap();
    site.write("public/tech/thread/1.html", page);
    assert_eq!(run(site.root(), &["build"]).status.code(), Some(0));
    assert_eq!(told(&site), BTreeSet::from([THREAD.to_owned()]));
}

#[test]
fn a_build_gives_up_after_some_tries_and_keeps_the_changes() {
    let site = site_with("echo no network; exit 3");
    let built = run(site.root(), &["build"]);
    let said = String::from_utf8(built.stderr).unwrap();
    assert_eq!(built.status.code(), Some(1), "{said}");
    assert!(said.contains("`on_change` failed 3 times") && said.contains("no network"), "{said}");
    assert_eq!(site.read(".nejiboard/changed.txt").lines().count(), pages(&site).len());
    site.write("content/site.yaml", format!("title: T\nbase_url: {BASE}\non_change: [nowhere-to-be-found]\n"));
    let said = String::from_utf8(run(site.root(), &["build"]).stderr).unwrap();
    assert!(said.contains("cannot start `nowhere-to-be-found`"), "{said}");
    site.write("content/site.yaml", format!("title: T\nbase_url: {BASE}\n"));
    assert_eq!(run(site.root(), &["build"]).status.code(), Some(0));
    assert!(!site.path(".nejiboard/changed.txt").exists(), "nobody wants to be told");
}

#[test]
fn a_hook_that_hangs_is_ended_with_all_that_it_started() {
    let site = site_with("sleep 1000 & echo $! >child.txt; sleep 1000");
    let door = Running::start(site.root());
    wait_until("it hangs", || fs::read_to_string(site.path("child.txt")).is_ok_and(|text| text.ends_with('\n')));
    let child = site.read("child.txt");
    post(&door, "nobody waits for it");
    let began = Instant::now();
    assert!(door.terminate().success());
    assert!(began.elapsed() < Duration::from_secs(20), "the end waits for a hook that hangs");
    let gone = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    wait_until("what it started is gone too", gone);
}

#[test]
fn the_list_of_changes_keeps_each_line_until_it_is_told_and_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.txt");
    let changed = Changed::new(path.clone());
    assert!(changed.take().unwrap().is_none());
    changed.add("a\nb\na\n").unwrap();
    let taken = changed.take().unwrap().unwrap();
    assert_eq!(taken.urls, "a\nb\n");
    changed.add("c\n").unwrap();
    assert_eq!(changed.take().unwrap().unwrap().urls, "a\nb\nc\n", "what is not told is taken again");
    changed.told(&taken).unwrap();
    assert_eq!(changed.take().unwrap().unwrap().urls, "c\n");
    // A crash in the middle of a line.
    fs::write(&path, "a\nhalf").unwrap();
    let changed = Changed::new(path.clone());
    changed.add("b\n").unwrap();
    assert_eq!(changed.take().unwrap().unwrap().urls, "a\nhalf\nb\n");
    // The same few lines over and over while nobody can be told.
    let taken = changed.take().unwrap().unwrap();
    let lines: String = (0..1_000).map(|no| format!("https://example.org/tech/thread/{no}.html\n")).collect();
    for _ in 0..100 {
        changed.add(&lines).unwrap();
    }
    assert!(fs::metadata(&path).unwrap().len() < 2 << 20, "the list grows without bound");
    changed.told(&taken).unwrap();
    let mut told = BTreeSet::new();
    while let Some(taken) = changed.take().unwrap() {
        told.extend(taken.urls.lines().map(str::to_owned));
        changed.told(&taken).unwrap();
    }
    assert!(told.is_superset(&lines.lines().map(str::to_owned).collect()), "lines were lost when it was cut");
    assert!(!path.exists());
}
