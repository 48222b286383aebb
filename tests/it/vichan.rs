//! vichan's paths: the same files under other names, whatever happens to them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nejiboard::app::builder::Manner;

use super::sandbox::running::{Running, run_with, wait_until};
use super::sandbox::{Sandbox, files_below, publish};

const SETTINGS: &str = "title: Test site\nformats: [json, vichan]\n";

/// The names, and what each is another name of.
const NAMES: [(&str, &str); 3] =
    [("t/res/1.html", "t/thread/1.html"), ("t/res/1.json", "t/thread/1.json"), ("t/0.json", "t/1.json")];

fn site() -> Sandbox {
    let site = Sandbox::new("==> content/t/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
    site.write("content/site.yaml", SETTINGS);
    site
}

fn inode(site: &Sandbox, path: &str) -> u64 {
    fs::metadata(site.path("public").join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).ino()
}

/// Checks that each name is the same file as its original.
#[track_caller]
fn are_the_same(site: &Sandbox) {
    for (name, original) in NAMES {
        assert_eq!(inode(site, name), inode(site, original), "{name} is another file than {original}");
    }
}

#[test]
fn each_name_is_the_same_file_in_whatever_way_it_is_built() {
    let site = site();
    for manner in [Manner::Clean, Manner::Incremental, Manner::Clean] {
        site.build_in(manner);
        are_the_same(&site);
    }
    assert_eq!(fs::metadata(site.path("public/t/res/1.html")).unwrap().nlink(), 2);
}

#[test]
fn the_names_follow_replies_edits_and_removals() {
    let site = site();
    site.build();
    let (mut builder, _) = site.open();
    let mut change = |text: Option<&str>| {
        match text {
            Some(text) => site.write("content/t/1.md", text),
            None => site.remove("content/t/1.md"),
        }
        builder.take_all(&mut Default::default()).unwrap();
        let report = publish(&mut builder);
        assert_eq!(report.problems, []);
    };
    let mut seen = inode(&site, "t/res/1.html");
    for text in ["--- {no: 1}\nedited\n", "--- {no: 1}\nedited\n--- {no: 2}\nreply\n", "--- {no: 1}\nedited\n"] {
        change(Some(text));
        are_the_same(&site);
        // Readers of the old name get the old page whole or the new one: nobody writes into a file that has two names.
        assert_ne!(std::mem::replace(&mut seen, inode(&site, "t/res/1.html")), seen);
        assert!(site.page("t/res/1.json").contains("edited"));
    }
    change(None);
    assert!(NAMES[..2].iter().all(|(name, _)| !site.has_page(name)));
    assert_eq!(site.page("t/0.json"), "{\"threads\":[]}");
    change(Some("--- {no: 1}\nback\n"));
    are_the_same(&site);
}

#[test]
fn the_names_come_and_go_with_the_setting() {
    let site = site();
    let names = |site: &Sandbox| NAMES.iter().filter(|(name, _)| site.has_page(name)).count();
    for (formats, wanted) in [("[json, vichan]", 3), ("json", 0), ("vichan", 1), ("none", 0), ("[vichan, json]", 3)] {
        site.write("content/site.yaml", format!("title: Test site\nformats: {formats}\n"));
        site.build();
        // Without the JSON there is only the page to be named.
        assert_eq!(names(&site), wanted, "{formats}");
    }
}

#[test]
fn a_file_that_somebody_put_in_the_place_of_a_name_is_replaced() {
    let site = site();
    site.build();
    fs::remove_file(site.path("public/t/res/1.html")).unwrap();
    site.write("public/t/res/1.html", "not ours");
    site.write("content/t/1.md", "--- {no: 1}\nedited\n");
    site.build();
    are_the_same(&site);
    assert!(site.page("t/thread/1.html").contains("edited"));
}

/// A crash leaves such a draft; here it is of a page that nothing else touches, so that a write into it shows.
#[test]
fn a_draft_that_is_another_name_of_a_page_does_not_change_that_page() {
    let site = site();
    site.build();
    let (mut builder, _) = site.open();
    let before = (inode(&site, "robots.txt"), site.page("robots.txt"));
    for draft in ["t/res/.1.html.draft", "t/res/.1.json.draft", "t/.0.json.draft"] {
        fs::hard_link(site.path("public/robots.txt"), site.path("public").join(draft)).unwrap();
    }
    site.write("content/t/1.md", "--- {no: 1}\nedited\n");
    builder.take_all(&mut Default::default()).unwrap();
    assert_eq!(publish(&mut builder).problems, []);
    assert_eq!((inode(&site, "robots.txt"), site.page("robots.txt")), before);
    are_the_same(&site);
    no_drafts(&site);
}

#[track_caller]
fn no_drafts(site: &Sandbox) {
    let files = files_below(&site.path("public"));
    let left: Vec<&String> = files.keys().filter(|path| path.rsplit('/').next().unwrap().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_crash_between_a_link_and_its_place_leaves_no_draft_and_no_wrong_page() {
    let site = site();
    site.build();
    site.write("content/t/1.md", "--- {no: 1}\nedited\n");
    let mut crashed = 0;
    for nth in 1..=4 {
        let output = run_with(site.root(), &["build"], |command| {
            command.env("NEJIBOARD_CRASH_AT", format!("alias drafted:{nth}"));
        });
        crashed += usize::from(!output.status.success());
        // What a reader meets in between is a whole page under either name.
        for (name, _) in NAMES {
            assert!(!site.page(name).is_empty(), "{name}");
        }
        site.write("content/t/1.md", format!("--- {{no: 1}}\nedited {nth}\n"));
    }
    assert!(3 <= crashed, "the program did not crash");
    let running = Running::start(site.root());
    running.wait_for("/t/res/1.html", "edited 4");
    wait_until("all names are there", || running.get("/t/0.json").body.contains("edited 4"));
    assert!(running.terminate().success());
    are_the_same(&site);
    no_drafts(&site);
}
