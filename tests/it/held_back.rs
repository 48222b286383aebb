//! New pages of which one cannot be written: whatever would link to it waits for it, and all else comes.

use std::fs;

use nejiboard::model::Report;

use super::sandbox::links::dead_links;
use super::sandbox::{Sandbox, publish};

/// A site with a board `t` of one thread, to which these threads are added while pages of some cannot be written. Tells
/// which of the pages are there then, and sees to it that no link is dead and that all come in the end.
fn check(new: &[(u64, &str)], fails: &[&str], wanted: &[&str], missing: &[&str]) {
    let site = Sandbox::new("\n==> content/t/1.md\n--- {no: 1, at: 2025-03-02}\nthe first\n");
    site.write("content/site.yaml", "title: T\ndefaults:\n  threads_per_page: 1\n");
    site.build();
    let (mut builder, _) = site.open();
    for page in fails {
        fs::create_dir_all(site.path(&format!("public/{page}/in the way"))).unwrap();
    }
    for (no, body) in new {
        site.write(&format!("content/t/{no}.md"), format!("--- {{no: {no}, at: 2025-03-{no:02}}}\n{body}\n"));
    }
    builder.take_all(&mut Report::default()).unwrap();
    // The second time they were not there a moment ago either.
    for _ in 0..2 {
        let report = publish(&mut builder);
        assert_eq!(report.problems.len(), fails.len(), "{:?}", report.problems);
        for page in wanted {
            assert!(site.has_page(page), "{page} is missing");
        }
        for page in missing {
            assert!(!site.has_page(page), "{page} is there");
            assert!(!report.written.iter().any(|written| written.path() == *page), "{:?}", report.written);
        }
        assert_eq!(dead_links(&site.path("public"), "/"), [""; 0]);
        assert!(builder.is_due());
    }
    for page in fails {
        fs::remove_dir_all(site.path(&format!("public/{page}"))).unwrap();
    }
    assert_eq!(publish(&mut builder).problems, []);
    assert!(!builder.is_due());
    for page in wanted.iter().chain(missing).chain(fails) {
        assert!(site.has_page(page), "{page} is missing in the end");
    }
    assert_eq!(dead_links(&site.path("public"), "/"), [""; 0]);
}

#[test]
fn new_threads_that_quote_each_other_come_together_or_not_at_all() {
    let circle = [(3, ">>4"), (4, ">>3")];
    check(&circle, &["t/thread/3.html"], &[], &["t/thread/4.html"]);
    check(&circle, &["t/thread/4.html"], &[], &["t/thread/3.html"]);
    check(&circle, &["t/thread/3.html", "t/thread/4.html"], &[], &[]);
    let longer = [(3, ">>4"), (4, ">>5"), (5, ">>3"), (6, "of something else")];
    check(&longer, &["t/thread/4.html"], &["t/thread/6.html"], &["t/thread/3.html", "t/thread/5.html"]);
}

#[test]
fn a_new_thread_that_quotes_one_that_fails_waits_and_the_one_that_is_quoted_does_not() {
    let chain = [(3, "nothing"), (4, ">>3"), (5, ">>4")];
    check(&chain, &["t/thread/4.html"], &["t/thread/3.html"], &["t/thread/5.html"]);
    check(&chain, &["t/thread/3.html"], &[], &["t/thread/4.html", "t/thread/5.html"]);
}

/// The first thread is pushed to a page that was not there before, and the new ones before it to others.
#[test]
fn a_new_list_waits_for_the_new_threads_on_it() {
    let new = [(3, "third"), (4, "fourth")];
    check(&new, &["t/thread/3.html"], &["t/thread/4.html"], &["t/2.html", "t/3.html"]);
    // Lists name each other.
    check(&new, &["t/3.html"], &["t/thread/3.html", "t/thread/4.html"], &["t/2.html"]);
}

#[test]
fn a_new_board_is_not_kept_back_by_one_of_its_threads() {
    let site = Sandbox::new("\n==> content/t/1.md\n--- {no: 1}\n>>2\n==> content/t/2.md\n--- {no: 2}\n>>1\n");
    fs::create_dir_all(site.path("public/t/thread/1.html/in the way")).unwrap();
    let (mut builder, _) = site.open();
    let report = publish(&mut builder);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    for page in ["t/thread/2.html", "t/index.html", "index.html"] {
        assert!(site.has_page(page), "{page}");
    }
}
