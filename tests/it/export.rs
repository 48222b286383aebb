//! `export jsonl` is the inverse of `import jsonl`: thread files go through both and come out to the letter.

use std::fs;
use std::path::Path;

use nejiboard::model::{PostNo, Problem, Thread};
use nejiboard::store::export::{ExportError, Exported, export};
use nejiboard::store::import::jsonl::Source;
use nejiboard::store::import::{Imported, Stats, jsonl};
use nejiboard::store::thread_file;
use proptest::prelude::*;

use super::sandbox::running::run;
use super::sandbox::{Sandbox, copy_folder, files_below, samples, slug};
use super::threadfile;

/// Exports a site; the lines, what it came to, and the problems.
fn exported(root: &Path, boards: &[&str]) -> (String, Exported, Vec<Problem>) {
    let boards: Vec<_> = boards.iter().map(|board| slug(board)).collect();
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    let came = export(root, &boards, &mut out, &mut |problem| problems.push(problem), &|| ()).unwrap();
    (String::from_utf8(out).unwrap(), came, problems)
}

/// What these lines are read as.
fn imported(lines: &str) -> (Vec<Imported>, Stats) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.jsonl");
    fs::write(&path, lines).unwrap();
    let mut came = Vec::new();
    let mut take = |imported| {
        if !matches!(imported, Imported::Read(_)) {
            came.push(imported);
        }
        Ok(())
    };
    let stats = jsonl(&[Source::File(path)], None, &mut take, &mut |problem| panic!("{problem}")).unwrap();
    (came, stats)
}

/// A thread with everything that a file can hold.
const WHOLE: &str = r#"--- {"no": 3, "at": "2025-03-02T10:20:30Z", "name": " Neji\t", "trip": "◆abc", "poster_id": "AbC123+/", "capcode": "Admin", "subject": "We\nmoved", "sticky": true, "locked": true, "archived": true, "bumplock": true, "cyclic": true, "changed": "2025-03-05T00:00:00Z", "id": "01JNB4R2V7M3Q5Z8X1C6D9F0GH"}
The board

\--- {"no": 9} is \--- {

--- {"no": 4, "at": "0000-01-01T00:00:00Z", "subject": "a reply's own", "sage": true}


--- {"no": 5, "at": "1969-12-31T23:59:59Z", "sage": true, "deleted": true, "id": "x"}


--- {"no": 6, "at": "2025-03-02T10:20:30Z", "moved": "art/31", "deleted": true, "id": "y"}

"#;

#[test]
fn everything_in_a_thread_file_stands_in_its_lines_and_comes_back() {
    let site = Sandbox::new("==> content/b/board.yaml\ntitle: 'A \"b\"'\ndescription: about & so on\n");
    site.write("content/b/3.md", WHOLE);
    let (lines, came, problems) = exported(site.root(), &[]);
    assert_eq!(problems, []);
    assert_eq!(came, Exported { boards: 1, threads: 1, posts: 4 });
    assert_eq!(
        lines,
        r#"{"kind":"corpus","version":1,"exact":true}
{"kind":"board","board":"b","title":"A \"b\"","about":"about & so on"}
{"kind":"thread","board":"b","thread":3,"subject":"We\nmoved","sticky":true,"locked":true,"archived":true,"bumplock":true,"cyclic":true,"changed":1741132800}
{"kind":"post","board":"b","thread":3,"no":3,"time":1740910830,"name":" Neji\t","trip":"◆abc","poster_id":"AbC123+/","capcode":"Admin","id":"01JNB4R2V7M3Q5Z8X1C6D9F0GH","body":"The board\n\n--- {\"no\": 9} is \\--- {"}
{"kind":"post","board":"b","thread":3,"no":4,"time":-62167219200,"subject":"a reply's own","email":"sage","body":""}
{"kind":"post","board":"b","thread":3,"no":5,"time":-1,"email":"sage","deleted":true,"id":"x","body":""}
{"kind":"post","board":"b","thread":3,"no":6,"time":1740910830,"moved":"art/31","deleted":true,"id":"y","body":""}
"#
    );
    let (came, stats) = imported(&lines);
    assert_eq!(stats.lost, std::collections::BTreeMap::new());
    let Imported::Thread { thread, .. } = &came[1] else { panic!("{came:?}") };
    assert_eq!(String::from_utf8(thread_file::write(thread)).unwrap(), WHOLE);
}

/// Imports into an empty site with the program, and gives that site.
fn imported_site(lines: &str) -> Sandbox {
    let site = Sandbox::new("");
    site.write("in.jsonl", lines);
    let output = run(site.root(), &["import", "jsonl", "in.jsonl"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site
}

/// The threads of a site as they are read.
fn threads(site: &Path) -> Vec<(String, Thread)> {
    let files = files_below(&site.join("content")).into_iter().filter(|(path, _)| path.ends_with(".md"));
    files.map(|(path, bytes)| (path.clone(), thread_file::read(Path::new(&path), &bytes).thread.unwrap())).collect()
}

#[test]
fn the_demo_site_goes_through_an_export_and_an_import() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (lines, came, problems) = exported(demo, &[]);
    assert_eq!(problems, []);
    assert!(came.boards >= 3 && came.posts > 20, "{came:?}");
    let site = imported_site(&lines);
    // The demo is written by hand, so that the order in a header differs.
    assert_eq!(threads(site.root()), threads(demo));
    assert_eq!(exported(site.root(), &[]).0, lines);
    // What the program wrote comes back byte for byte.
    let again = imported_site(&lines);
    assert_eq!(files_below(&again.path("content")), files_below(&site.path("content")));
}

#[test]
fn imported_samples_go_through_an_export_and_an_import() {
    let Some(samples) = samples() else { return };
    let site = Sandbox::new("");
    copy_folder(&samples.join("threads-4chan-json"), &site.path("in"));
    assert!(run(site.root(), &["import", "4chan", "in", "--board", "po"]).status.success());
    let (lines, came, problems) = exported(site.root(), &[]);
    assert!(problems.is_empty() && came.posts >= 37, "{came:?} {problems:?}");
    let again = imported_site(&lines);
    let mut before = files_below(&site.path("content"));
    let mut after = files_below(&again.path("content"));
    // How a board was made is written in its settings as comments.
    assert_eq!(before.remove("po/board.yaml").is_some(), after.remove("po/board.yaml").is_some());
    assert_eq!(after, before);
    assert_eq!(exported(again.root(), &[]).0, lines);
}

#[test]
fn broken_files_are_told_and_the_rest_is_written() {
    let site = Sandbox::new(
        "
==> content/a/1.md
--- {no: 1, at: 2025-03-02, stiky: true}
one
--- {no: 3, name: \"x
lost
==> content/a/2.md
my notes
==> content/a/7.md
--- {no: 7}
seven
--- {no: 9}
nine
==> content/a/8.md
--- {no: 8}
eight
--- {no: 9}
nine again
==> content/Not a board/1.md
--- {no: 1}
nobody's
",
    );
    site.write("content/a/20.md", [&b"--- {no: 20}\ncaf"[..], b"\xE9\n"].concat());
    let (lines, came, problems) = exported(site.root(), &[]);
    assert_eq!(came, Exported { boards: 1, threads: 4, posts: 6 });
    let told: Vec<String> = problems
        .iter()
        .map(|problem| problem.to_string().replace(&format!("{}/", site.root().display()), ""))
        .collect();
    for part in [
        "content/Not a board: this folder cannot be a board",
        "content/a/1.md:1:29: unknown key `stiky`",
        "content/a/1.md:3:",
        "content/a/2.md:1:1: text before the first post's header",
        "content/a/8.md: post number 9 stands in an older thread too",
        "content/a/20.md:2:1: these bytes are not UTF-8",
    ] {
        assert!(told.iter().any(|problem| problem.starts_with(part)), "{part}: {told:#?}");
    }
    assert!(lines.contains(r#""no":1,"time":1740873600,"body":"one""#), "{lines}");
    let output = run(site.root(), &["export", "jsonl", "out.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(site.read("out.jsonl"), lines);
}

#[test]
fn boards_can_be_chosen_and_one_that_is_not_there_is_told() {
    let site = Sandbox::new(
        "
==> content/a/1.md
--- {no: 1}
one
==> content/b/1.md
--- {no: 1}
two
==> content/c/board.yaml
title: C
",
    );
    assert_eq!(exported(site.root(), &["c", "a"]).1, Exported { boards: 2, threads: 1, posts: 1 });
    let none = export(site.root(), &[slug("d")], &mut Vec::new(), &mut |_| (), &|| ());
    assert!(matches!(none, Err(ExportError::NoBoard(_))));
    let output = run(site.root(), &["export", "jsonl", "--board", "d"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: there is no board `d`\n");
    let output = run(site.root(), &["export", "jsonl", "--board", "a", "--board", "b"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(out, exported(site.root(), &["a", "b"]).0);
    assert!(err.starts_with("2 posts in 2 threads of 2 boards written"), "{err}");
}

#[test]
fn a_file_is_there_only_when_it_is_whole() {
    let site = Sandbox::new("==> content/a/1.md\n--- {no: 1}\none\n");
    assert_eq!(run(site.root(), &["export", "jsonl", "no/such/folder"]).status.code(), Some(3));
    assert!(run(site.root(), &["export", "jsonl", "out.jsonl"]).status.success());
    let before = site.read("out.jsonl");
    // No site, so nothing to write: the file of before stays.
    fs::rename(site.path("content"), site.path("gone")).unwrap();
    let output = run(site.root(), &["export", "jsonl", "out.jsonl"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && err.contains("there is no site") && err.contains("hint: "), "{err}");
    assert_eq!(site.read("out.jsonl"), before);
    assert_eq!(fs::read_dir(site.root()).unwrap().count(), 2, "no draft stays");
}

#[test]
fn a_post_is_refused_whose_header_could_not_be_read_again() {
    let line = |name: &str| {
        format!(
            "{{\"kind\":\"corpus\",\"exact\":true}}\n\
             {{\"kind\":\"post\",\"board\":\"b\",\"thread\":1,\"no\":1,\"name\":\"{name}\",\"body\":\"x\"}}\n"
        )
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    for (name, fits) in [("n".repeat(9_000), true), ("\\u0001".repeat(9_000), true), ("\\u0001".repeat(12_000), false)]
    {
        fs::write(&path, line(&name)).unwrap();
        let (mut posts, mut told) = (0, Vec::new());
        let mut take = |imported| {
            if let Imported::Thread { thread, .. } = imported {
                let bytes = thread_file::write(&thread);
                assert_eq!(thread_file::read(Path::new("1.md"), &bytes).thread, Some(thread));
                posts += 1;
            }
            Ok(())
        };
        jsonl(&[Source::File(path.clone())], None, &mut take, &mut |problem| told.push(problem.message)).unwrap();
        assert_eq!((posts == 1, told.is_empty()), (fits, fits), "{told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// Whatever threads there are: their files come back byte for byte, and so does the export.
    #[test]
    fn any_threads_come_back_to_the_letter(boards in prop::collection::vec(prop::collection::vec(threadfile::thread(), 0..4), 1..3)) {
        let site = Sandbox::new("");
        let mut files = std::collections::BTreeMap::new();
        for (nth, threads) in boards.into_iter().enumerate() {
            let board = ["tech", "b"][nth];
            site.write(&format!("content/{board}/board.yaml"), format!("title: Board {nth}\n"));
            for (place, mut thread) in threads.into_iter().enumerate() {
                for post in &mut thread.posts {
                    post.no = PostNo::new(post.no.get() + 100 * place as u64).unwrap();
                }
                let path = format!("{board}/{}.md", thread.no());
                let bytes = thread_file::write(&thread);
                site.write(&format!("content/{path}"), &bytes);
                files.insert(path, bytes);
            }
        }
        let (lines, _, problems) = exported(site.root(), &[]);
        prop_assert_eq!(problems, []);
        let (came, stats) = imported(&lines);
        prop_assert_eq!(stats.lost.len(), 0);
        let again = Sandbox::new("");
        let mut back = std::collections::BTreeMap::new();
        for imported in came {
            match imported {
                Imported::Board { slug, title, .. } => again.write(&format!("content/{slug}/board.yaml"), format!("title: {title}\n")),
                Imported::Thread { board, thread } => {
                    let bytes = thread_file::write(&thread);
                    again.write(&format!("content/{board}/{}.md", thread.no()), &bytes);
                    back.insert(format!("{board}/{}.md", thread.no()), bytes);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(back, files);
        prop_assert_eq!(exported(again.root(), &[]).0, lines);
    }
}
