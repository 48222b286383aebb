//! The README's commands do what they say, and the pages of the documentation lead to one another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of the README's shell examples that call the program, in their order.
fn command_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut shell = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => shell = &*language == "sh",
            Event::End(TagEnd::CodeBlock) => shell = false,
            Event::Text(text) if shell => lines.extend(text.lines().map(str::to_owned)),
            _ => {}
        }
    }
    lines.retain(|line| line.starts_with("nejiboard "));
    lines
}

/// What the README's imports find in the folder in which they run.
fn put_sources(folder: &Path) {
    let dump = read(&root().join("README.md"));
    let dump: String =
        dump.lines().filter(|line| line.starts_with("{\"kind\":")).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("dump.jsonl"), dump).expect("the folder can be written");
    let thread = r#"{"posts": [{"no": 7, "resto": 0, "time": 1700000000, "com": "a <b>crane</b>"}]}"#;
    fs::create_dir(folder.join("archive")).expect("the folder can be written");
    fs::write(folder.join("archive/7.json"), thread).expect("the folder can be written");
}

#[test]
fn the_commands_of_the_readme_work_in_their_order() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    put_sources(folder.path());
    let program = Path::new(env!("CARGO_BIN_EXE_nejiboard"));
    let beside = program.parent().expect("a program lies in a folder");
    let path = env::join_paths([beside, Path::new("/usr/bin"), Path::new("/bin")]).expect("no colon in the path");
    let lines = command_lines(&read(&root().join("README.md")));
    // It runs until it is stopped; other tests try it.
    for line in lines.iter().filter(|line| !line.contains(" serve")) {
        let ran = Command::new("sh").args(["-c", line]).current_dir(folder.path()).env("PATH", &path).output();
        let ran = ran.expect("there is a shell");
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "`{line}` ended with {}\n{told}", ran.status);
        assert_eq!(told, "", "`{line}` has something to complain about");
    }
    let page = |path: &str| read(&folder.path().join("myboard/public").join(path));
    assert!(page("tech/thread/1.html").contains("id=\"p2\""), "the posts of the jsonl example are on their page");
    assert!(page("po/thread/7.html").contains("a <strong>crane</strong>"), "the imported thread is on its page");
}

#[test]
fn the_readme_shows_every_command() {
    let text = read(&root().join("README.md"));
    let lines = command_lines(&text);
    for name in ["new", "serve", "build", "check", "verify", "import 4chan", "import jsonl", "completions"] {
        let shown = lines.iter().any(|line| line.contains(&format!(" {name} ")) || line.ends_with(&format!(" {name}")));
        assert!(shown, "no example of `{name}` in {lines:#?}");
    }
    assert!(text.contains("cargo run --release -- serve"));
    assert!(text.contains("http://127.0.0.1:8080"));
}

/// README, changelog and everything in `docs/`.
fn pages() -> Vec<PathBuf> {
    let listing = fs::read_dir(root().join("docs")).expect("there is documentation");
    let paths = listing.map(|entry| entry.expect("it can be listed").path());
    let mut pages: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    pages
}

fn links(text: &str) -> Vec<String> {
    let destination = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    Parser::new(text).filter_map(destination).collect()
}

/// The anchors of a page's headings, as forges make them: lower case, spaces as `-`, no punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take()),
            Event::Text(text) | Event::Code(text) => {
                let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                let kept = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c });
                heading.iter_mut().for_each(|heading| heading.extend(kept.clone()));
            }
            _ => {}
        }
    }
    anchors
}

#[test]
fn links_between_pages_lead_to_files_and_headings() {
    let mut followed = 0;
    for page in pages() {
        for link in links(&read(&page)).iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.parent().expect("a file lies in a folder");
            let target = if path.is_empty() { page.clone() } else { folder.join(path) };
            assert!(target.is_file(), "{}: `{link}` leads nowhere", page.display());
            assert!(
                anchor.is_empty() || anchors(&read(&target)).contains(anchor),
                "{}: `{link}` names no heading",
                page.display()
            );
            followed += 1;
        }
    }
    assert!(15 < followed, "only {followed} links were found");
}

#[test]
fn every_page_of_the_documentation_can_be_reached_from_the_readme() {
    let readme = links(&read(&root().join("README.md")));
    for page in pages() {
        let name = page.strip_prefix(root()).expect("it lies below").to_str().expect("our names are UTF-8");
        assert!(name == "README.md" || readme.iter().any(|link| link == name), "the README does not lead to `{name}`");
    }
}
