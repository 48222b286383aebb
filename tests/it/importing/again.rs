//! Imports that are given twice, that were killed, and that share their files.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{import, thread};
use crate::sandbox::running::{run, wait_until};
use crate::sandbox::{Sandbox, files_below};

/// Threads of 2ch that overlap in time, each with so many posts.
fn dats(site: &Sandbox, threads: u64, posts: u64) {
    for thread in 0..threads {
        let key = 1_046_550_000 + thread * 60;
        let line = |i: u64| {
            let at = thread + i * 3;
            let (hour, minute) = (at / 60 % 24, at % 60);
            let quote = if 0 < i { format!("&gt;&gt;{} ", i) } else { String::new() };
            let title = if i == 0 { format!("thread {thread}") } else { String::new() };
            format!("a<><>2003/03/{:02}(x) {hour:02}:{minute:02}:00<>{quote}post {i}<>{title}\n", 2 + at / 1_440)
        };
        site.write(&format!("in/b/dat/{key}.dat"), (0..posts).map(line).collect::<String>());
    }
}

#[test]
fn a_finished_import_says_so_and_does_nothing() {
    let site = Sandbox::new("");
    dats(&site, 5, 6);
    assert_eq!(import(&site, &["2ch", "in"]).is_fine().count("posts_new"), 30);
    let kept = |site: &Sandbox| (files_below(&site.path("content")), site.read("redirects.txt"));
    let before = kept(&site);
    let again = run(site.root(), &["import", "2ch", "in"]);
    let out = String::from_utf8_lossy(&again.stdout);
    assert!(out.contains("nothing to do: all 30 posts in 5 threads are there already"), "{out}");
    assert_eq!(kept(&site), before);
}

#[test]
fn what_is_new_in_a_source_gets_numbers_above_and_the_rest_keeps_its_own() {
    let site = Sandbox::new("");
    dats(&site, 2, 3);
    import(&site, &["2ch", "in"]).is_fine();
    let before = thread(&site, "b/1");
    // A post that was written here in between takes the next number.
    site.write("posts-inbox/x.md", "--- {\"board\": \"b\", \"thread\": 1}\nfrom here\n");
    let door = crate::sandbox::running::Running::start(site.root());
    wait_until("the post is taken", || thread(&site, "b/1").contains("from here"));
    door.terminate();
    dats(&site, 3, 4);
    let told = import(&site, &["2ch", "in"]);
    assert_eq!(told.is_fine().count("posts_new"), 6);
    let now = thread(&site, "b/1");
    assert!(now.starts_with(&before) && now.contains("\"no\": 7,") && now.contains("from here"), "{now}");
    let threads: String = [1, 2].map(|no| thread(&site, &format!("b/{no}"))).concat() + &thread(&site, "b/8");
    for no in 1..=13 {
        assert_eq!(threads.matches(&format!("\"no\": {no},")).count(), 1, "{no}: {threads}");
    }
}

#[test]
fn numbers_are_reserved_before_the_first_thread_is_written() {
    let site = Sandbox::new("");
    dats(&site, 3, 3);
    import(&site, &["2ch", "in"]).is_fine();
    // As if it had been killed right after it had given the numbers.
    std::fs::remove_dir_all(site.path("content/b")).unwrap();
    site.write("content/b/board.yaml", "title: B\n");
    let mut door = crate::sandbox::running::Running::start(site.root());
    let sent = door.post(&[("board", "b"), ("body", "in between")]);
    assert_eq!(sent.header("location"), "/b/thread/10.html#p10", "{}", sent.body);
    assert!(!door.has_ended());
    door.terminate();
    assert_eq!(import(&site, &["2ch", "in"]).is_fine().count("posts_new"), 9);
    assert!(thread(&site, "b/1").contains("thread 0"));
}

/// The import of `site`, killed after `pause`.
pub fn killed_after(site: &Sandbox, arguments: &[&str], pause: Duration) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    command.arg("import").args(arguments).current_dir(site.root()).env_clear();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(pause);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

/// Thread files with their numbers counted from the lowest one. A kill in the moment between reserving numbers and
/// remembering what they are for costs these numbers: then all are higher by as many.
pub fn relative(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<u64, String> {
    let stem = |path: &String| path.strip_suffix(".md")?.parse::<u64>().ok();
    let base = files.keys().filter_map(stem).min().unwrap_or(0);
    let lowered = |text: &str, mark: &str| {
        let mut parts = text.split(mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let no: u64 = part[..digits].parse().unwrap();
            out += &format!("{mark}{}{}", no - base, &part[digits..]);
        }
        out
    };
    let threads = files.iter().filter_map(|(path, bytes)| Some((stem(path)?, String::from_utf8_lossy(bytes))));
    threads.map(|(no, text)| (no - base, lowered(&lowered(&text, "\"no\": "), ">>"))).collect()
}

#[test]
fn a_killed_import_goes_on_as_if_nothing_had_happened() {
    let whole = Sandbox::new("");
    dats(&whole, 300, 12);
    let json = |no: u64| format!("{{\"posts\":[{{\"no\":{no},\"resto\":0,\"time\":{no},\"com\":\"text {no}\"}}]}}");
    (1..=600).for_each(|no| whole.write(&format!("in/v/res/{no}.json"), json(no)));
    for format in ["2ch", "vichan"] {
        let board = if format == "2ch" { "b" } else { "v" };
        import(&whole, &[format, "in"]).is_fine();
        let wanted = files_below(&whole.path(&format!("content/{board}")));
        let mut interrupted = 0;
        let site = Sandbox::new("");
        crate::sandbox::copy_folder(&whole.path("in"), &site.path("in"));
        for pause in [30, 60, 80, 100, 120, 150, 200, 250, 300, 400] {
            let killed = killed_after(&site, &[format, "in"], Duration::from_millis(pause));
            let there = files_below(&site.path("content")).len();
            interrupted += usize::from(killed && 2 < there && there < wanted.len());
        }
        import(&site, &[format, "in"]).is_fine();
        let mut there = files_below(&site.path(&format!("content/{board}")));
        // Half a file that a kill has left is removed when the site is opened.
        there.retain(|path, _| !path.ends_with(".draft"));
        let same = if format == "2ch" { relative(&there) == relative(&wanted) } else { there == wanted };
        assert!(same, "{format}: {} files, wanted {}", there.len(), wanted.len());
        println!("{format}: {interrupted} of 10 kills came in the middle");
    }
}

#[test]
fn several_imports_share_one_file_of_redirects() {
    let site = Sandbox::new("");
    site.write("in/a/res/1.json", r#"{"posts":[{"no":1,"resto":0}]}"#);
    site.write("in/b/res/1.json", r#"{"posts":[{"no":1,"resto":0}]}"#);
    for board in ["a", "b", "a"] {
        import(&site, &["vichan", &format!("in/{board}")]).is_fine();
    }
    let lines = |board| {
        format!("/{board}/res/1.html /{board}/thread/1.html 301\n/{board}/res/1+50.html /{board}/thread/1.html 301\n")
    };
    assert_eq!(site.read("redirects.txt"), lines("b") + &lines("a"));
    // Below a prefix, and into a file of one's own.
    site.write("content/site.yaml", "title: T\nbase_url: https://example.org/boards/\n");
    import(&site, &["vichan", "in/a", "--redirects", "moved.txt", "--report", "told.txt"]).is_fine();
    assert_eq!(site.read("moved.txt").lines().next(), Some("/a/res/1.html /boards/a/thread/1.html 301"));
    assert!(site.read("told.txt").contains("posts read: 1\nposts that are new: 0\n"), "{}", site.read("told.txt"));
}

#[test]
fn no_old_address_can_become_a_directive_of_a_server() {
    let site = Sandbox::new("");
    let nasty = "x; } evil {\n$host \"' \u{202e}";
    site.write(&format!("in/{nasty}/res/1.json"), r#"{"posts":[{"no":1,"resto":0,"semantic_url":"a b;c\n/d e 301"}]}"#);
    import(&site, &["vichan", "in", "--board", "b"]).is_fine();
    let redirects = site.read("redirects.txt");
    assert_eq!(redirects.lines().count(), 3, "{redirects}");
    for line in redirects.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        assert_eq!(parts[1..], ["/b/thread/1.html", "301"], "{line}");
        assert!(parts[0].bytes().all(|b| b.is_ascii_graphic() && !b"{};$\"'\\#".contains(&b)), "{line}");
    }
}

#[test]
fn a_thread_that_could_not_be_kept_gets_no_redirect() {
    let site = Sandbox::new("");
    site.write("content/b/board.yaml", "title: B\n");
    site.write("content/b/1.md", "--- {no: 1}\nx\n\n--- {no: 2}\ny\n");
    site.write("in/b/res/2.json", r#"{"posts":[{"no":2,"resto":0,"com":"z"}]}"#);
    let told = import(&site, &["vichan", "in"]);
    assert!(told.err.contains("post number 2 stands in thread 1 already"), "{}", told.err);
    assert_eq!((told.code, told.count("posts_left_out"), told.count("redirects")), (1, 1, 0));
    assert!(!site.path("redirects.txt").exists());
}
