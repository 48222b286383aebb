//! The keys of secure tripcodes: a new one takes the place of an old one, and nobody is mistaken for somebody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, run, run_with};

const SITE: &str = "
==> content/site.yaml
title: T
==> content/b/1.md
--- {no: 1, at: 2025-03-02}
first
";

/// Runs `tripcode` with a line of standard input; gives exit code and what it told.
fn tripcode(site: &Sandbox, arguments: &[&str], line: &str) -> (Option<i32>, String) {
    let typed = site.path("typed");
    fs::write(&typed, format!("{line}\n")).unwrap();
    let Output { status, stdout, stderr } = run_with(site.root(), &[&["tripcode"], arguments].concat(), |command| {
        command.stdin(Stdio::from(fs::File::open(&typed).unwrap()));
    });
    fs::remove_file(&typed).unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap().trim_end().to_owned())
}

/// The tripcode that the door gives to `name##secret`.
fn posted(running: &Running, site: &Sandbox, nth: usize) -> String {
    let body = format!("text {nth}");
    let reply = running.post(&[("board", "b"), ("thread", "1"), ("name", "me##secret"), ("body", &body)]);
    assert_eq!(reply.status, 303, "{}", reply.body);
    let file = site.read("content/b/1.md");
    let header = file.lines().rev().find(|line| line.starts_with("--- {")).unwrap().to_owned();
    header.split("\"trip\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// A site as it was before keys could be rotated: a secret, and nothing else. The tripcode is that of then.
#[test]
fn an_old_site_gives_the_tripcodes_that_it_always_gave() {
    let site = Sandbox::new(SITE);
    fs::create_dir(site.path(".nejiboard")).unwrap();
    site.write(".nejiboard/secret", [7; 32]);
    // The same sample as in `tripcode.rs`.
    assert_eq!(tripcode(&site, &[], "Neji##key"), (Some(0), "!!q/BrqE1rdJGl".to_owned()));
    let running = Running::start(site.root());
    running.post(&[("board", "b"), ("thread", "1"), ("name", "me##key"), ("body", "x")]);
    assert!(site.read("content/b/1.md").contains("\"trip\": \"!!q/BrqE1rdJGl\""));
    assert_eq!(site.read(".nejiboard/secret").as_bytes(), [7; 32]);
    assert!(!site.path(".nejiboard/tripcodes").exists());
    assert_eq!(tripcode(&site, &["--keys"], ""), (Some(0), "key 1, the site's secret".to_owned()));
}

#[test]
fn a_running_door_signs_with_a_new_key_at_once_and_shows_both_until_the_time_is_over() {
    let site = Sandbox::new(SITE);
    let shift = site.path("shift");
    fs::write(&shift, "0").unwrap();
    let running = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
    let first = posted(&running, &site, 0);
    assert!(first.starts_with("!!") && first.len() == 14, "{first}");
    let (code, told) = tripcode(&site, &["--rotate"], "");
    assert!(code == Some(0) && told.starts_with("key 2 is used from now on, together with key 1 until 20"), "{told}");
    let both = posted(&running, &site, 1);
    let second = both.strip_prefix(&format!("{first} ")).expect("the old one stands before the new one").to_owned();
    assert!(second.starts_with("!!") && second.ends_with("-2") && second.len() == 16, "{second}");
    assert_ne!(second[..14], first);
    assert_eq!(tripcode(&site, &[], "x##secret").1, both);
    fs::write(&shift, (31 * 24 * 3_600).to_string()).unwrap();
    assert_eq!(posted(&running, &site, 2), second);
    // What is on the page.
    let page = site.page("b/thread/1.html");
    assert!(page.contains(&format!("<span class=\"trip\">{both}</span>")), "{page}");
    // Whoever comes back with an old one can be told by it.
    assert_eq!(tripcode(&site, &["--key", "1"], "x##secret").1, first);
    assert_eq!(tripcode(&site, &["--key", "2"], "x##secret").1, second);
    // At once, without a time of both.
    assert_eq!(tripcode(&site, &["--rotate", "--both", "0"], "").1, "key 3 is used from now on");
    let third = posted(&running, &site, 3);
    assert!(third.ends_with("-3") && third.len() == 16, "{third}");
    let (_, keys) = tripcode(&site, &["--keys"], "");
    assert!(keys.lines().count() == 3 && keys.contains("\nkey 3 since 20"), "{keys}");
    let mode = fs::metadata(site.path(".nejiboard/tripcodes")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!running.told().contains("secret"));
}

#[test]
fn two_that_rotate_at_once_make_two_keys() {
    let site = Sandbox::new(SITE);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(run(site.root(), &["tripcode", "--rotate"]).status.success()));
        }
    });
    let keys = tripcode(&site, &["--keys"], "").1;
    assert_eq!(keys.lines().count(), 9, "{keys}");
    let hex: std::collections::BTreeSet<String> = site
        .read(".nejiboard/tripcodes")
        .lines()
        .map(|line| line.split("\"key\":").nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(hex.len(), 8);
}

#[test]
fn a_broken_file_of_keys_is_told_and_gives_nobody_another_tripcode() {
    let site = Sandbox::new(SITE);
    assert_eq!(tripcode(&site, &["--rotate", "--both", "0"], "").0, Some(0));
    let good = site.read(".nejiboard/tripcodes");
    let running = Running::start(site.root());
    let second = posted(&running, &site, 0);
    let twice = format!("{good}{good}");
    for bad in ["nothing", "{}", &good[..good.len() / 2], twice.as_str(), &good.replace("\"id\":2", "\"id\":3")] {
        site.write(".nejiboard/tripcodes", bad);
        let (code, told) = tripcode(&site, &[], "x##secret");
        assert!(code == Some(3) && told.contains("tripcodes") && told.contains("is not key "), "{bad}: {told}");
        assert_eq!(tripcode(&site, &["--rotate"], "").0, Some(3), "{bad}");
        assert_eq!(site.read(".nejiboard/tripcodes"), bad);
    }
    assert_eq!(posted(&running, &site, 1), second, "the last good keys hold");
    assert!(running.told().contains("cannot read the keys of tripcodes"));
    drop(running);
    let told = run(site.root(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!told.status.success() && String::from_utf8_lossy(&told.stderr).contains("is not key "), "{told:?}");
    site.write(".nejiboard/tripcodes", good);
    let (code, told) = tripcode(&site, &["--key", "3"], "x##secret");
    assert!(code == Some(3) && told.contains("there is no key 3"), "{told}");
    for arguments in [&["--both", "3"][..], &["--rotate", "--both", "366"], &["--rotate", "--keys"]] {
        assert_eq!(tripcode(&site, arguments, "").0, Some(2), "{arguments:?}");
    }
}
