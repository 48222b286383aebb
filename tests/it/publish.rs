//! Pages to `public/`: what is the same is not touched, what differs is swapped in whole and gets a later time, and
//! the order is such that no link leads nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use nejiboard::app::builder::Manner;
use nejiboard::app::error::Error;
use nejiboard::model::{Codings, Page, PageKey, Report};
use nejiboard::publish::{Fresh, InPlace, Outcome, Packing, Shelf, Siblings, Target};
use notify::Watcher;

use super::sandbox::{Sandbox, files_below, publish, quiet};

const TWO_THREADS: &str = "
==> content/site.yaml
title: Test site
base_url: https://example.org/boards/
formats: none
overboard_threads: 0
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
>>2 is elsewhere
==> content/tech/2.md
--- {no: 2, at: 2025-03-03, subject: Second}
text
==> content/art/board.yaml
title: Art
";

/// Inode, seconds and nanoseconds of each file below a folder.
fn looks(folder: &Path) -> BTreeMap<String, (u64, i64, i64)> {
    let look = |path: String| {
        let meta = fs::metadata(folder.join(&path)).unwrap();
        (path, (meta.ino(), meta.mtime(), meta.mtime_nsec()))
    };
    files_below(folder).into_keys().map(look).collect()
}

/// Checks that exactly the pages of the report are new, and that each of them has a later whole second.
fn check_touched(before: &BTreeMap<String, (u64, i64, i64)>, site: &Sandbox, report: &Report) {
    let after = looks(&site.path("public"));
    let written: Vec<String> = report.written.iter().map(PageKey::path).collect();
    for (path, now) in &after {
        match before.get(path) {
            Some(old) if written.contains(path) => {
                assert!(old.1 < now.1, "{path} has no later second: {old:?} {now:?}")
            }
            Some(old) => assert_eq!(old, now, "{path} was touched"),
            None => assert!(written.contains(path), "{path} is there and was not told"),
        }
        assert_eq!(now.2, 0, "{path} has no whole second");
    }
}

#[test]
fn what_is_the_same_is_not_touched_and_what_differs_is_a_second_later() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    for (manner, next) in [(Manner::Incremental, 7), (Manner::Clean, 8), (Manner::Incremental, 9)] {
        let before = looks(&site.path("public"));
        let report = site.build_in(manner);
        assert!(report.written.is_empty() && report.removed.is_empty(), "{manner:?}: {report:?}");
        assert_eq!(looks(&site.path("public")), before, "{manner:?}");
        // Several changes within a second: the clock alone would give them one time.
        site.write("content/tech/2.md", format!("{}\n--- {{no: {}}}\nmore\n", site.read("content/tech/2.md"), next));
        let report = site.build_in(manner);
        assert!(report.written.contains(&PageKey::of_path("tech/thread/2.html").unwrap()), "{report:?}");
        check_touched(&before, &site, &report);
        site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02, subject: First}\nedited\n");
        let before = looks(&site.path("public"));
        check_touched(&before, &site, &site.build_in(manner));
        site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02, subject: First}\n>>2 is elsewhere\n");
        let before = looks(&site.path("public"));
        check_touched(&before, &site, &site.build_in(manner));
    }
}

fn none(folder: &Path) -> Siblings {
    Siblings::new(folder.to_owned(), Codings::default(), BTreeMap::new())
}

fn page(text: &str) -> Page {
    Page { key: PageKey::Home, bytes: text.into() }
}

#[test]
fn a_changed_page_gets_a_later_second_whatever_the_clock_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = Shelf::new(folder.path().to_owned());
    let mut put = |text: &str, now, forget: bool| {
        let (outcome, known) = InPlace { shelf: &shelf, siblings: &none(folder.path()), now }.put(&page(text)).unwrap();
        match forget {
            true => shelf.forget("index.html"),
            false => shelf.learn("index.html".to_owned(), known),
        }
        let there = fs::metadata(folder.path().join("index.html")).unwrap();
        assert_eq!((known.modified, known.inode), (there.mtime() as u64, there.ino()));
        (outcome == Outcome::Unchanged, known.modified)
    };
    for forget in [false, true] {
        put("start", 1_000, forget);
        assert!(put("start", 2_000, forget).0, "equal bytes were written again");
    }
    assert_eq!(put("one", 5_000, false), (false, 5_000));
    assert_eq!(put("two", 5_000, false), (false, 5_001), "the clock stands");
    assert_eq!(put("three", 10, false), (false, 5_002), "the clock went back");
    assert_eq!(put("three", 9_000, true), (true, 5_002), "equal bytes were written again");
    assert_eq!(put("four", 10, true), (false, 5_003), "what is not remembered is looked at");
}

#[test]
fn a_fresh_folder_keeps_the_times_of_equal_pages_and_is_exchanged_at_once() {
    let root = tempfile::tempdir().unwrap();
    let public = root.path().join("public");
    let mut shelf = Shelf::new(public.clone());
    shelf.learn(
        "index.html".into(),
        InPlace { shelf: &shelf, siblings: &none(&public), now: 500 }.put(&page("old")).unwrap().1,
    );
    fs::write(public.join("stray.txt"), "stray").unwrap();
    let none = none(&public);
    let fresh = Fresh::begin(&shelf, &none, Packing::Now, 400).unwrap();
    let (outcome, known) = fresh.put(&page("old")).unwrap();
    assert_eq!((outcome, known.modified), (Outcome::Unchanged, 500));
    let other = Page { key: PageKey::NotFound, bytes: b"x".to_vec() };
    assert_eq!(fresh.put(&other).unwrap().1.modified, 400);
    assert_eq!(files_below(&public).len(), 2, "the old folder changed before the end");
    fresh.finish().unwrap();
    assert_eq!(files_below(&public).into_keys().collect::<Vec<_>>(), ["404.html", "index.html"]);
    let left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["public"]);
}

#[test]
fn a_clean_build_that_fails_leaves_the_old_pages() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let before = looks(&site.path("public"));
    let (mut builder, mut report) = site.open();
    site.remove("content/tech/2.md");
    let outcome = builder.publish_clean(&quiet(), &mut report);
    let Err(Error::CleanFailed(problems)) = outcome else { panic!("it did not fail") };
    assert!(problems.iter().any(|problem| problem.to_string().contains("tech/thread/2.html")), "{problems:?}");
    assert_eq!(looks(&site.path("public")), before);
    let names = files_below(site.root());
    assert!(!names.keys().any(|path| path.starts_with(".public")), "{:?}", names.keys());
}

#[test]
fn a_page_that_cannot_be_written_costs_itself_alone_and_keeps_what_it_links_to() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let (mut builder, _) = site.open();
    // The page is a folder all of a sudden: not even root can write a file there.
    site.remove("public/tech/index.html");
    fs::create_dir(site.path("public/tech/index.html")).unwrap();
    site.remove("content/tech/2.md");
    site.write("content/tech/3.md", "--- {no: 3}\nnew\n");
    builder.take_all(&mut Report::default()).unwrap();
    let report = publish(&mut builder);
    assert!(report.problems[0].to_string().contains("tech/index.html: cannot be written"), "{:?}", report.problems);
    assert!(site.has_page("tech/thread/3.html"));
    assert!(site.has_page("tech/thread/2.html"), "the index may still link to it");
    assert!(builder.is_due());
    fs::remove_dir(site.path("public/tech/index.html")).unwrap();
    let report = publish(&mut builder);
    assert_eq!((report.problems.len(), report.removed), (0, vec!["tech/thread/2.html".to_owned()]));
    assert!(site.page("tech/index.html").contains("thread/3.html") && !site.has_page("tech/thread/2.html"));
}

#[test]
fn no_page_links_to_a_new_one_that_could_not_be_written() {
    let site = Sandbox::new(&format!(
        "{TWO_THREADS}==> content/art/1.md\n--- {{no: 1}}\n>>>/tech/3\n==> content/art/2.md\n--- {{no: 2}}\nelsewhere\n"
    ));
    site.build();
    let (mut builder, _) = site.open();
    fs::create_dir(site.path("public/tech/thread/3.html")).unwrap();
    site.write("content/tech/3.md", "--- {no: 3}\nnew\n");
    site.write("content/art/2.md", "--- {no: 2}\nedited\n");
    builder.take_all(&mut Report::default()).unwrap();
    let report = publish(&mut builder);
    assert!(report.problems[0].to_string().contains("tech/thread/3.html: cannot be written"), "{:?}", report.problems);
    for (path, bytes) in files_below(&site.path("public")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("thread/3.html"), "{path} links to a page that is not there");
    }
    assert!(site.page("art/thread/2.html").contains("edited"), "what has nothing to do with it goes on");
    assert!(builder.is_due());
    fs::remove_dir(site.path("public/tech/thread/3.html")).unwrap();
    assert_eq!(publish(&mut builder).problems, []);
    for page in ["index.html", "tech/index.html", "tech/catalog.html", "art/thread/1.html"] {
        assert!(site.page(page).contains("thread/3.html"), "{page}");
    }
}

#[test]
fn a_file_that_cannot_be_removed_is_tried_again() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let (mut builder, _) = site.open();
    site.remove("public/tech/thread/2.html");
    fs::create_dir(site.path("public/tech/thread/2.html")).unwrap();
    site.remove("content/tech/2.md");
    builder.take_all(&mut Report::default()).unwrap();
    let report = publish(&mut builder);
    assert!(report.problems[0].to_string().contains("cannot be removed"), "{:?}", report.problems);
    assert!(report.removed.is_empty() && builder.is_due());
    fs::remove_dir(site.path("public/tech/thread/2.html")).unwrap();
    assert_eq!(publish(&mut builder).removed, ["tech/thread/2.html"]);
    assert!(!builder.is_due());
}

/// What happens below a folder while `act` runs: paths in order, a removed one with a `-` before it.
fn happenings(folder: &Path, act: impl FnOnce()) -> Vec<String> {
    let (send, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event| drop(send.send(event))).unwrap();
    watcher.watch(folder, notify::RecursiveMode::Recursive).unwrap();
    act();
    fs::write(folder.join("end"), "").unwrap();
    let mut seen = Vec::new();
    loop {
        let event: notify::Event = events.recv_timeout(Duration::from_secs(10)).unwrap().unwrap();
        use notify::event::{EventKind, ModifyKind, RenameMode};
        let sign = match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => "",
            EventKind::Remove(_) => "-",
            EventKind::Create(_) if event.paths[0].ends_with("end") => return seen,
            _ => continue,
        };
        seen.push(format!("{sign}{}", event.paths[0].strip_prefix(folder).unwrap().display()));
    }
}

#[test]
fn new_pages_come_before_those_that_link_to_them_and_removals_last() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    site.write("content/tech/3.md", "--- {no: 3, at: 2025-03-04}\n>>1\n");
    site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02, subject: First}\n>>3 is there, >>2 is gone\n");
    site.remove("content/tech/2.md");
    let seen = happenings(&site.path("public"), || drop(site.build()));
    let at = |path: &str| seen.iter().position(|seen| seen == path).unwrap_or_else(|| panic!("{path}: {seen:?}"));
    let new = at("tech/thread/3.html");
    for path in ["tech/thread/1.html", "tech/index.html", "tech/catalog.html", "index.html"] {
        assert!(new < at(path) && at(path) < at("-tech/thread/2.html"), "{path}: {seen:?}");
    }
}

#[test]
fn what_a_crash_left_behind_is_swept() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let before = files_below(&site.path("public"));
    site.write("public/tech/thread/.1.html.draft", "half a page");
    site.write("public/tech/stray.html", "no page of ours");
    site.write("content/tech/.1.md.draft", "half a thread");
    site.write(".public.new/index.html", "half a site");
    site.write(".public.old/index.html", "the site before");
    let report = site.build();
    assert_eq!(report.removed, ["tech/stray.html"]);
    assert_eq!(files_below(&site.path("public")), before);
    assert!(!site.path("content/tech/.1.md.draft").exists());
    assert!(!site.path(".public.new").exists() && !site.path(".public.old").exists());
}

#[test]
fn the_urls_that_changed_are_listed_for_a_cdn() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    site.write("content/tech/2.md", "--- {no: 2, at: 2025-03-03, subject: Second}\nedited\n");
    site.write("content/art/9.md", "--- {no: 9}\na drawing\n");
    site.remove("content/tech/1.md");
    site.build();
    let urls = "art/catalog.html art/index.html art/sitemap-1.xml art/thread/9.html index.html sitemap.xml \
                tech/catalog.html tech/index.html tech/sitemap-1.xml tech/thread/1.html tech/thread/2.html";
    let wanted: Vec<String> = urls.split(' ').map(|path| format!("https://example.org/boards/{path}")).collect();
    assert_eq!(site.read(".nejiboard/purge.txt").lines().collect::<Vec<_>>(), wanted);
    site.build();
    assert_eq!(site.read(".nejiboard/purge.txt"), "");
}

#[test]
fn the_output_may_be_a_link_to_elsewhere() {
    let (site, elsewhere) = (Sandbox::new(TWO_THREADS), Sandbox::empty());
    fs::create_dir(elsewhere.path("www")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path("www"), site.path("public")).unwrap();
    for manner in [Manner::Incremental, Manner::Clean, Manner::Incremental] {
        site.build_in(manner);
        assert!(fs::symlink_metadata(site.path("public")).unwrap().is_symlink(), "{manner:?}");
        assert!(elsewhere.path("www/tech/thread/1.html").exists(), "{manner:?}");
    }
    site.write("content/tech/3.md", "--- {no: 3}\nnew\n");
    assert!(site.build().written.contains(&PageKey::of_path("tech/thread/3.html").unwrap()));
    assert_eq!(fs::read_dir(elsewhere.root()).unwrap().count(), 1, "something was left beside the folder");
}

/// The pages come back once they are lost, and are not taken for lost again.
fn check_loss(lose: impl FnOnce(&Sandbox)) {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let before = files_below(&site.path("public"));
    let (mut builder, _) = site.open();
    lose(&site);
    builder.notice_loss().unwrap();
    publish(&mut builder);
    assert_eq!(files_below(&site.path("public")).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(files_below(&site.path("public")), before);
    builder.notice_loss().unwrap();
    assert!(!builder.is_due(), "what was made again is taken for lost a second time");
}

#[test]
fn pages_that_are_lost_are_made_again_once() {
    let rename = |site: &Sandbox| fs::rename(site.path("public"), site.path("kept")).unwrap();
    check_loss(|site| fs::remove_dir_all(site.path("public")).unwrap());
    check_loss(rename);
    check_loss(|site| {
        rename(site);
        site.write("public/old.html", "of another site");
    });
    // The new folder may well get the number that the old one had.
    check_loss(|site| {
        fs::remove_dir_all(site.path("public")).unwrap();
        fs::create_dir(site.path("public")).unwrap();
    });
}
