//! The commands as a person or a script meets them: exit codes, messages, and the line of JSON at the end.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::sandbox::running::{Running, run};
use super::sandbox::{Sandbox, copy_folder, files_below, samples};

const ONE_THREAD: &str = "
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
";

/// What a command gave: its exit code, standard output, standard error.
fn nejiboard(site: &Sandbox, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = run(site.root(), arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Checks the exit code, that standard error has these texts, and that nothing but JSON is on standard output.
#[track_caller]
fn check(site: &Sandbox, arguments: &[&str], code: i32, told: &[&str]) -> Value {
    let (there, out, err) = nejiboard(site, &[arguments, &["--json"]].concat());
    assert_eq!(there, code, "{arguments:?}: {out}{err}");
    for part in told {
        assert!(err.contains(part), "{arguments:?} does not tell {part:?}:\n{err}");
    }
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), usize::from(code != 2), "{arguments:?}: {out}");
    lines.first().map_or(Value::Null, |line| serde_json::from_str(line).unwrap())
}

#[test]
fn what_is_fine_ends_with_0_and_a_line() {
    let site = Sandbox::new(ONE_THREAD);
    let (code, out, err) = nejiboard(&site, &["build"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(" pages written, 0 unchanged, 0 removed") && out.lines().count() == 1, "{out}");
    let told = check(&site, &["build"], 0, &[]);
    assert_eq!((&told["command"], &told["written"], &told["drawn"]), (&"build".into(), &0.into(), &0.into()), "{told}");
    let told = check(&site, &["build", "--clean"], 0, &[]);
    assert_eq!((&told["written"], told["drawn"].as_u64().unwrap() > 5), (&0.into(), true), "{told}");
    let told = check(&site, &["check"], 0, &[]);
    assert_eq!((&told["boards"], &told["threads"], &told["problems"]), (&1.into(), &1.into(), &0.into()), "{told}");
    let told = check(&site, &["verify"], 0, &[]);
    assert_eq!((&told["differences"], told["pages"].as_u64().unwrap() > 5), (&0.into(), true), "{told}");
}

#[test]
fn a_problem_of_one_file_ends_with_1_and_the_rest_is_built() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/5.md", "--- {no: 5, stiky: true}\nstill read\n");
    site.write("content/tech/notes.md", "no thread");
    let told =
        check(&site, &["build"], 1, &["5.md:1:13: unknown key `stiky`\n  hint: did you mean `sticky`?", "notes.md"]);
    assert_eq!(told["problems"], 2, "{told}");
    assert!(site.page("tech/thread/5.html").contains("still read"));
    assert_eq!(check(&site, &["check"], 1, &["5.md:1:13", "notes.md"])["problems"], 2);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let site = Sandbox::new(ONE_THREAD);
    for arguments in [&["biuld"][..], &["build", "--clear"], &[], &["serve", "--listen", "here"], &["import", "jsonl"]]
    {
        assert_eq!(nejiboard(&site, arguments).0, 2, "{arguments:?}");
    }
    assert!(nejiboard(&site, &["biuld"]).2.contains("similar subcommand exists: 'build'"));
}

#[test]
fn where_no_site_is_the_way_out_is_told() {
    let site = Sandbox::empty();
    for command in ["build", "check", "verify", "serve"] {
        let told =
            check(&site, &[command], 3, &["error: there is no site in `", "hint: `nejiboard new DIR` makes a site"]);
        assert!(told["error"].as_str().unwrap().starts_with("there is no site in"), "{told}");
    }
    assert!(!site.path("public").exists());
}

#[test]
fn a_typo_in_the_settings_is_told_with_place_and_way_out_and_builds_nothing() {
    let site = Sandbox::new(ONE_THREAD);
    site.build();
    let before = files_below(&site.path("public"));
    site.write("content/site.yaml", "title: Site\nhome_treads: 3\n");
    site.write("content/tech/board.yaml", "title: T\nbump_limit: many\n");
    let both = [
        "content/site.yaml:2:1: unknown setting `home_treads`",
        "hint: did you mean `home_threads`?",
        "content/tech/board.yaml:2:13: ",
        "error: the settings have 2 problems",
    ];
    assert_eq!(check(&site, &["build"], 3, &both)["problems"], 2);
    assert_eq!(check(&site, &["check"], 3, &both[..3])["problems"], 2);
    assert_eq!(files_below(&site.path("public")), before);
}

#[test]
fn a_broken_or_unknown_theme_is_told_with_its_place_and_the_threads_are_checked_all_the_same() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("themes/default/thread.hbs", "line one\n{{no_such}}\n");
    site.write("content/tech/1.md", "--- {no: 1, stiky: true}\nx\n");
    check(&site, &["build"], 3, &["error: the theme cannot be used", "thread.hbs:2:"]);
    check(&site, &["check"], 3, &["thread.hbs:2:", "unknown key `stiky`"]);
    site.remove("themes/default/thread.hbs");
    site.write("content/site.yaml", "title: T\ntheme: sparkling\n");
    check(&site, &["build"], 3, &["there is no theme `sparkling`: no folder `./themes/sparkling`"]);
}

#[test]
fn two_threads_that_claim_a_number_are_told() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/1.md", "--- {no: 1}\nx\n--- {no: 5}\ny\n");
    site.write("content/tech/5.md", "--- {no: 5}\nz\n");
    let wanted = ["5.md: post number 5 is used by `", "1.md` too", "hint: "];
    check(&site, &["check"], 1, &wanted);
    check(&site, &["build"], 1, &wanted);
}

#[test]
fn what_strangers_write_does_not_reach_the_terminal_as_commands() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/\u{1b}[31m\u{202e}.md", "x");
    site.write("content/tech/5.md", "--- {no: 5, \"\\e[2J\": 1}\nx\n");
    let (_, out, err) = nejiboard(&site, &["check"]);
    assert!(!(out + &err).contains(['\u{1b}', '\u{202e}']), "{err:?}");
    assert!(err.contains("\\u{1b}[31m\\u{202e}.md"), "{err}");
}

#[test]
fn a_new_site_is_built_and_served_and_one_that_is_there_is_left_alone() {
    let site = Sandbox::empty();
    let (code, out, _) = nejiboard(&site, &["new", "mine"]);
    assert_eq!((code, out.as_str()), (0, "made a site in mine\nnext: nejiboard --root mine serve\n"));
    let before = files_below(site.root());
    check(&site, &["new", "mine"], 3, &["error: `mine` is not empty", "hint: name a folder that is empty"]);
    assert_eq!(files_below(site.root()), before);
    check(&site, &["check", "--root", "mine"], 0, &[]);
    check(&site, &["build", "--root", "mine"], 0, &[]);
    check(&site, &["verify", "--root", "mine"], 0, &[]);
    let door = Running::start_with(site.root(), &["--root", "mine"]);
    let sent = door.post(&[("board", "general"), ("thread", "1"), ("body", "hello")]);
    assert_eq!(sent.header("location"), "/general/thread/1.html#p2");
    fs::create_dir(site.path("empty")).unwrap();
    check(&site, &["new", "empty"], 0, &[]);
}

#[test]
fn verify_finds_what_differs_and_leaves_nothing_behind() {
    let site = Sandbox::new(ONE_THREAD);
    let unbuilt =
        check(&site, &["verify"], 1, &["public/index.html: is missing\n  hint: `nejiboard build` puts it right"]);
    assert_eq!(unbuilt["pages"], unbuilt["differences"]);
    site.build();
    let times = |site: &Sandbox| fs::metadata(site.path("public/tech/index.html")).unwrap().modified().unwrap();
    let (before, time) = (files_below(&site.path("public")), times(&site));
    let page = site.page("tech/thread/1.html");
    site.write("public/tech/thread/1.html", page.replace("first post", "FIRST POST"));
    site.write("public/extra.html", "x");
    site.remove("public/404.html");
    let wanted = [
        "public/tech/thread/1.html: differs from a clean build",
        "public/extra.html: should not be there",
        "public/404.html: is missing",
    ];
    assert_eq!(check(&site, &["verify"], 1, &wanted)["differences"], 3);
    assert!(!site.path(".nejiboard/verify").exists());
    check(&site, &["build"], 0, &[]);
    assert_eq!((files_below(&site.path("public")), times(&site)), (before, time));
    check(&site, &["verify"], 0, &[]);
}

#[test]
fn quiet_says_nothing_but_errors() {
    let site = Sandbox::empty();
    let silent = |arguments: &[&str]| {
        let (code, out, err) = nejiboard(&site, &[arguments, &["--quiet"]].concat());
        assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""), "{arguments:?}");
    };
    silent(&["new", "s"]);
    site.write("in.jsonl", r#"{"kind":"thread","board":"b","thread":1}"#.to_owned() + "\n" + &post_line(1, "hello"));
    for arguments in [&["import", "jsonl", "in.jsonl"][..], &["build"], &["build", "--clean"], &["check"], &["verify"]]
    {
        silent(&[arguments, &["--root", "s"]].concat());
    }
    let (code, out, err) = nejiboard(&site, &["build", "--quiet"]);
    assert_eq!((code, out.as_str(), err.contains("there is no site")), (3, "", true));
}

#[test]
fn completions_are_printed_for_each_shell() {
    let site = Sandbox::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = nejiboard(&site, &["completions", shell]);
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        assert!(["serve", "verify", "import"].iter().all(|command| out.contains(command)), "{shell}: {out}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    for arguments in [&["completions", "bash"][..], &["new", "x"], &["--help"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        command.args(arguments).current_dir(folder.path()).stdout(writer).stderr(Stdio::piped());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*told), (Some(0), ""), "{arguments:?}");
    }
}

fn post_line(no: u64, body: &str) -> String {
    format!("{{\"kind\":\"post\",\"board\":\"b\",\"thread\":1,\"no\":{no},\"time\":{no}0,\"body\":\"{body}\"}}\n")
}

#[test]
fn what_is_imported_twice_is_there_once() {
    let site = Sandbox::new("");
    let thread = r#"{"kind":"thread","board":"b","thread":1,"subject":"S"}"#.to_owned() + "\n";
    site.write("in.jsonl", thread.clone() + &post_line(1, "one") + &post_line(2, "two"));
    assert_eq!(check(&site, &["import", "jsonl", "in.jsonl"], 0, &[])["posts_new"], 2);
    let before = files_below(&site.path("content"));
    assert_eq!(check(&site, &["import", "jsonl", "in.jsonl"], 0, &[])["posts_new"], 0);
    assert_eq!(files_below(&site.path("content")), before);
    // A longer export of the same thread adds what is new, and leaves alone what was edited here.
    let edited = site.read("content/b/1.md").replace("one", "edited here");
    site.write("content/b/1.md", edited);
    site.write("in.jsonl", thread + &post_line(1, "one") + &post_line(2, "two") + &post_line(3, "three"));
    assert_eq!(check(&site, &["import", "jsonl", "in.jsonl"], 0, &[])["posts_new"], 1);
    let there = site.read("content/b/1.md");
    assert!(there.contains("edited here") && there.contains("three") && !there.contains("one"), "{there}");
    check(&site, &["build"], 0, &[]);
    check(&site, &["verify"], 0, &[]);
}

#[test]
fn an_import_leaves_alone_what_it_cannot_read() {
    let site = Sandbox::new("");
    let thread = r#"{"kind":"thread","board":"b","thread":1,"subject":"S"}"#.to_owned() + "\n";
    site.write("in.jsonl", thread + &post_line(1, "one") + &post_line(2, "two") + &post_line(5, "five"));
    let told = ["content/b/1.md:", "not all of this file can be read; nothing was added to it", "hint: "];
    for broken in
        ["--- {no: 1, at: 1970-01-01T00:00:10Z}\none\n--- {no: 3, name: \"x\nlost\n--- {no: 4}\nfour\n", "my notes\n"]
    {
        site.write("content/b/1.md", broken);
        assert_eq!(check(&site, &["import", "jsonl", "in.jsonl"], 1, &told)["posts_new"], 0);
        assert_eq!(site.read("content/b/1.md"), broken);
    }
    // What a power cut leaves of a file holds nothing that could be lost.
    for torn in ["", "\0\0\0\0"] {
        site.write("content/b/1.md", torn);
        assert_eq!(check(&site, &["import", "jsonl", "in.jsonl"], 0, &[])["posts_new"], 3);
    }
}

#[test]
fn real_threads_are_imported_once_and_built() {
    let Some(samples) = samples() else { return };
    let site = Sandbox::new("");
    copy_folder(&samples.join("threads-4chan-json"), &site.path("in"));
    let import = ["import", "4chan", "in", "--board", "po"];
    check(&site, &["import", "4chan", "in/lainchan-vichan-dialect"], 3, &["say which board", "hint: add `--board B`"]);
    let told = check(&site, &import, 0, &[]);
    assert!(told["posts_new"].as_u64().unwrap() > 0 && told["posts_new"] == told["posts"], "{told}");
    let before = files_below(&site.path("content"));
    assert_eq!(check(&site, &import, 0, &[])["posts_new"], 0);
    assert_eq!(files_below(&site.path("content")), before);
    check(&site, &["build"], 0, &[]);
    check(&site, &["verify"], 0, &[]);
}

#[test]
fn the_built_in_theme_can_be_had_to_be_changed() {
    let site = Sandbox::new(ONE_THREAD);
    check(&site, &["build"], 0, &[]);
    let before = files_below(&site.path("public"));
    check(&site, &["theme", "eject", "Mine!"], 3, &["error: `Mine!` cannot be a theme", "1 to 64 of `a-z`"]);
    check(&site, &["theme", "eject", "../mine"], 3, &["cannot be a theme"]);
    let told = check(&site, &["theme", "eject", "mine"], 0, &[]);
    assert!(told["folder"].as_str().unwrap().ends_with("themes/mine"), "{told}");
    check(&site, &["theme", "eject", "mine"], 3, &["there is something at", "hint: choose another name"]);
    assert!(site.read("themes/mine/theme.yaml").starts_with("name: mine\ndescription: "));
    // Nothing else lies there, and the same theme makes the same pages.
    assert_eq!(fs::read_dir(site.path("themes")).unwrap().count(), 1);
    site.write("content/site.yaml", "title: T\ntheme: mine\n");
    site.write("themes/mine/post.hbs", &(site.read("themes/mine/post.hbs") + "<!-- mine -->\n"));
    check(&site, &["build"], 0, &[]);
    assert_ne!(files_below(&site.path("public")), before);
    assert!(site.read("public/tech/thread/1.html").contains("<!-- mine -->"));
    fs::remove_file(site.path("themes/mine/post.hbs")).unwrap();
    check(&site, &["build"], 0, &[]);
    assert!(!site.read("public/tech/thread/1.html").contains("<!-- mine -->"));
}

/// Runs `tripcode` with these lines; gives its exit code and what it printed.
fn tripcodes(site: &Sandbox, lines: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    command.current_dir(site.root()).arg("tripcode");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn tripcodes_are_printed_line_by_line() {
    let site = Sandbox::new(ONE_THREAD);
    let (code, out, err) = tripcodes(&site, "Neji#tea\r\ntea\n\u{ff03}tea\nNeji#\n##tea\nx##tea\n");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..4], ["!WokonZwxw2", "!WokonZwxw2", "!WokonZwxw2", ""]);
    assert!(lines[4].starts_with("!!") && lines[4].len() == 14 && lines[4] == lines[5], "{out}");
    // The site's door gives the same.
    let running = Running::start(site.root());
    running.post(&[("board", "tech"), ("thread", "1"), ("name", "me##tea"), ("body", "x")]);
    assert!(site.read("content/tech/1.md").contains(lines[4]));
    let nowhere = Sandbox::empty();
    assert_eq!(tripcodes(&nowhere, "tea\n").1, "!WokonZwxw2\n");
    let (code, _, err) = tripcodes(&nowhere, "##tea\n");
    assert_eq!(code, Some(3), "a secure one needs a site: {err}");
}
