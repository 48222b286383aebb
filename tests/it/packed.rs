//! Packed siblings of pages: they are there, they are right, and none is ever older than its page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nejiboard::app::builder::Manner;
use nejiboard::model::{Coding, Codings, Page, PageKey};
use nejiboard::publish::{InPlace, Shelf, Siblings, Target};

use super::sandbox::running::{Running, run, wait_until};
use super::sandbox::{Sandbox, files_below};

const PACKED: &str = "
==> content/site.yaml
title: Test site
precompress: [gzip, brotli]
formats: none
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
==> content/tech/2.md
--- {no: 2, at: 2025-03-03, subject: Second}
the second post
";

/// What a packed file holds.
fn unpack(path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let done = match path.ends_with(".gz") {
        true => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        false => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
    };
    done.ok().map(|_| plain)
}

/// The packed files below a folder that do not hold what stands beside them, or bear another time.
pub fn wrong_siblings(folder: &Path) -> Vec<String> {
    let files = files_below(folder);
    let time = |path: &str| fs::metadata(folder.join(path)).map(|meta| (meta.mtime(), meta.mtime_nsec())).ok();
    let is_wrong = |(path, bytes): (&String, &Vec<u8>)| {
        let plain = path.strip_suffix(".gz").or(path.strip_suffix(".br"))?;
        let right = unpack(path, bytes).as_ref() == files.get(plain) && time(plain) == time(path);
        (!right).then(|| path.clone())
    };
    files.iter().filter_map(is_wrong).collect()
}

/// The pages of a site that lack a sibling.
fn unpacked(site: &Sandbox) -> Vec<String> {
    let there: BTreeSet<String> = files_below(&site.path("public")).into_keys().collect();
    let pages = there.iter().filter(|path| path.ends_with(".html") || path.ends_with(".css"));
    pages.flat_map(|page| [format!("{page}.gz"), format!("{page}.br")]).filter(|path| !there.contains(path)).collect()
}

#[track_caller]
fn all_packed_and_right(site: &Sandbox) {
    assert_eq!(unpacked(site), [""; 0]);
    assert_eq!(wrong_siblings(&site.path("public")), [""; 0]);
}

fn inodes(site: &Sandbox) -> BTreeMap<String, (u64, i64)> {
    let look = |path: String| {
        let meta = fs::metadata(site.path("public").join(&path)).unwrap();
        (path, (meta.ino(), meta.mtime()))
    };
    files_below(&site.path("public")).into_keys().map(look).collect()
}

#[test]
fn a_build_packs_pages_and_assets_and_a_page_takes_its_siblings_with_it() {
    let site = Sandbox::new(PACKED);
    let report = site.build();
    assert!(report.removed.is_empty() && report.unchanged == 0, "{report:?}");
    all_packed_and_right(&site);
    assert!(site.has_page("tech/thread/2.html.br"));
    let pages = report.written.len();
    site.remove("content/tech/2.md");
    let report = site.build();
    assert_eq!(report.removed, ["tech/thread/2.html"], "siblings are no pages");
    assert!(report.written.len() + report.unchanged == pages - 1, "siblings are no pages: {report:?}");
    assert!(!site.has_page("tech/thread/2.html.gz") && !site.has_page("tech/thread/2.html.br"));
    all_packed_and_right(&site);
    assert!(!site.read(".nejiboard/purge.txt").contains(".gz"), "a CDN knows no siblings");
}

#[test]
fn what_is_the_same_is_not_packed_again_by_either_build() {
    let site = Sandbox::new(PACKED);
    site.build();
    let before = inodes(&site);
    site.build();
    assert_eq!(inodes(&site), before);
    site.build_in(Manner::Clean);
    assert_eq!(inodes(&site), before, "a clean build takes the same files over");
    site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02, subject: First}\nanother text\n");
    site.build();
    let changed: Vec<String> =
        inodes(&site).into_iter().filter(|now| before.get(&now.0) != Some(&now.1)).map(|(path, _)| path).collect();
    assert!(changed.contains(&"tech/thread/1.html.br".to_owned()), "{changed:?}");
    assert!(
        !changed.iter().any(|path| path.starts_with("tech/thread/2") || path.starts_with("assets/")),
        "{changed:?}"
    );
    all_packed_and_right(&site);
}

#[test]
fn the_setting_may_change_and_strange_siblings_go() {
    let site = Sandbox::new(PACKED);
    site.build();
    for (setting, there) in [("gzip", 1), ("", 0), ("[brotli]", 1), ("[gzip, brotli]", 2)] {
        site.write("content/site.yaml", format!("title: Test site\nformats: none\nprecompress: {setting}\n"));
        site.build();
        let siblings = files_below(&site.path("public/tech/thread")).len() / 2 - 1;
        assert_eq!(siblings, there, "{setting}");
        assert_eq!(wrong_siblings(&site.path("public")), [""; 0], "{setting}");
    }
    site.write("public/tech/stray.html.gz", "stray");
    site.write("public/tech/thread/1.html.gz", "another one");
    site.remove("public/tech/thread/2.html.br");
    let verified = run(site.root(), &["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let told = String::from_utf8(verified.stderr).unwrap();
    for line in ["stray.html.gz: should not be there", "1.html.gz: differs", "2.html.br: is missing"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    site.build();
    all_packed_and_right(&site);
    assert!(!site.has_page("tech/stray.html.gz"));
    assert_eq!(run(site.root(), &["verify"]).status.code(), Some(0));
}

fn both() -> Codings {
    let mut codings = Codings::default();
    Coding::ALL.into_iter().for_each(|coding| codings.insert(coding));
    codings
}

#[test]
fn no_reader_finds_a_sibling_that_is_older_than_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let siblings = Siblings::new(folder.path().to_owned(), both(), BTreeMap::new());
    let mut shelf = Shelf::new(folder.path().to_owned());
    let path = folder.path().join("index.html");
    let over = AtomicBool::new(false);
    let version = |bytes: &[u8]| -> u64 { String::from_utf8_lossy(&bytes[..8]).parse().unwrap() };
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !over.load(Ordering::Relaxed) {
                let Ok(page) = fs::read(&path) else { continue };
                for coding in Coding::ALL {
                    let sibling = coding.sibling("index.html");
                    let Ok(packed) = fs::read(folder.path().join(&sibling)) else { continue };
                    let plain = unpack(&sibling, &packed).expect("a sibling is whole");
                    assert!(version(&page) <= version(&plain), "{} before {}", version(&plain), version(&page));
                    seen += 1;
                }
            }
            seen
        });
        let (send, pages) = std::sync::mpsc::channel();
        let packer = scope.spawn(|| {
            for known in pages {
                siblings.pack("index.html", &known).unwrap();
            }
        });
        for no in 0..1_000_u64 {
            let bytes = format!("{no:08} {}", "the same again ".repeat(40)).into_bytes();
            let page = Page { key: PageKey::Home, bytes };
            let target = InPlace { shelf: &shelf, siblings: &siblings, now: 1 };
            let (_, known) = target.put(&page).unwrap();
            shelf.learn("index.html".to_owned(), known);
            send.send(known).unwrap();
        }
        drop(send);
        packer.join().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(0 < seen, "nobody ever saw a sibling");
    assert_eq!(wrong_siblings(folder.path()), [""; 0]);
    assert_eq!(files_below(folder.path()).len(), 3, "the last page is packed");
}

#[test]
fn a_running_server_packs_when_nobody_waits() {
    let site = Sandbox::new(PACKED);
    let door = Running::start(site.root());
    let sent = door.post(&[("board", "tech"), ("thread", "1"), ("body", "hello there")]);
    assert_eq!(sent.status, 303);
    wait_until("all is packed", || unpacked(&site).is_empty());
    all_packed_and_right(&site);
    site.write("content/site.yaml", "title: Test site\n");
    wait_until("nothing is packed", || files_below(&site.path("public")).keys().all(|path| !path.ends_with(".gz")));
    site.write("content/site.yaml", "title: Test site\nprecompress: [gzip, brotli]\n");
    wait_until("all is packed again", || unpacked(&site).is_empty());
    assert_eq!(door.post(&[("board", "tech"), ("thread", "2"), ("body", "the last one")]).status, 303);
    // At the end it packs what waits, so that the next start need not.
    assert!(door.terminate().success());
    all_packed_and_right(&site);
    let before = inodes(&site);
    site.build();
    assert_eq!(inodes(&site), before, "what was packed already was packed again");
}

#[test]
fn a_kill_leaves_no_wrong_sibling() {
    let site = Sandbox::new(PACKED);
    let mut last = 0;
    for turn in 0..4 {
        let door = Running::start(site.root());
        for _ in 0..=turn {
            last += 1;
            door.post(&[("board", "tech"), ("thread", "1"), ("body", &format!("post {last}"))]);
        }
        if turn % 2 == 0 {
            wait_until("something is packed", || site.has_page("tech/thread/1.html.gz"));
        }
        door.kill();
        assert_eq!(wrong_siblings(&site.path("public")), [""; 0]);
    }
    site.build();
    all_packed_and_right(&site);
    assert_eq!(run(site.root(), &["verify"]).status.code(), Some(0));
}
