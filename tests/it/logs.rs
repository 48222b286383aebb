//! What is told on standard error, for people and for programs. What strangers wrote can neither forge a line nor reach
//! a terminal.

use std::fs;

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, run, wait_until};

const SITE: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02}
first
";

/// A name that would clear the screen, begin a line of its own and turn what follows around.
const NASTY: &str = "a\u{1b}[2J\nWARN forged \u{202e}b.md";

/// Drops a file that nobody can take into the inbox of a running `serve`, and gives what it told.
fn told_of_junk(more: &[&str]) -> String {
    let site = Sandbox::new(SITE);
    let running = Running::start_with(site.root(), more);
    fs::write(site.path("posts-inbox").join(NASTY), "no post at all").unwrap();
    wait_until("it is told", || running.told().contains("forged"));
    running.told()
}

/// Whether a line is one JSON object with what each log line has; gives its message.
fn message(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
    assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&line["level"].as_str().unwrap()), "{line}");
    line["message"].as_str().unwrap().to_owned()
}

#[test]
fn lines_for_people_are_escaped() {
    let told = told_of_junk(&[]);
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    assert!(!told.lines().any(|line| line.starts_with("WARN forged")), "{told}");
}

#[test]
fn lines_for_programs_are_json_and_escaped() {
    let told = told_of_junk(&["--log-format", "json", "-v"]);
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    let messages: Vec<String> = told.lines().map(message).collect();
    assert!(messages.iter().any(|message| message.contains("forged")), "{messages:?}");
}

#[test]
fn problems_and_errors_are_json_too() {
    let site = Sandbox::new(SITE);
    site.write("content/tech/2.md", "no post at all\n");
    let output = run(site.root(), &["--log-format", "json", "build"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.lines().map(message).any(|message| message.contains("content/tech/2.md")), "{told}");
    site.write("content/site.yaml", "titel: T\n");
    let output = run(site.root(), &["--log-format", "json", "build"]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stderr).unwrap();
    let messages: Vec<String> = told.lines().map(message).collect();
    assert!(messages.iter().any(|message| message.contains("titel")), "{messages:?}");
}
