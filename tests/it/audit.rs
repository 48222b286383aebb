//! `verify --content`: what it tells of threads and inbox, without building anything.

use serde_json::Value;

use super::sandbox::running::run;
use super::sandbox::{Sandbox, files_below};

const TWO_THREADS: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, id: one}
first

--- {no: 3, at: 2025-03-02, id: three}
third
==> content/tech/2.md
--- {no: 2, at: 2025-03-02, id: two}
second
==> content/misc/1.md
--- {no: 1, at: 2025-03-02}
a post without an id
==> posts-inbox/new.md
--- {board: tech, thread: 1, id: four}
waits

--- {board: tech, thread: 1, id: three}
is in its thread already
";

/// Checks the exit code, the figures that are told, and that standard error has these texts. Nothing is written.
#[track_caller]
fn check(site: &Sandbox, code: i32, figures: &[(&str, u64)], told: &[&str]) {
    let before = files_below(site.root());
    let ended = run(site.root(), &["verify", "--content", "--json"]);
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(code), "{err}");
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    for (name, figure) in figures {
        assert_eq!(summary[name], *figure, "{name}: {summary}{err}");
    }
    for part in told {
        assert!(err.contains(part), "{part:?} is not told:\n{err}");
    }
    assert_eq!(err.lines().filter(|line| !line.starts_with("  hint")).count(), told.len(), "{err}");
    assert!(before == files_below(site.root()), "something was written");
}

#[test]
fn what_is_whole_ends_with_0_and_figures() {
    let site = Sandbox::new(TWO_THREADS);
    // A theme that cannot be used is none of its business, nor a draft that the copy caught.
    site.write("content/site.yaml", "title: T\ntheme: sparkling\n");
    site.write("content/tech/.1.md.draft", "--- {no: 1");
    check(&site, 0, &[("boards", 2), ("threads", 3), ("posts", 4), ("waiting", 1), ("problems", 0)], &[]);
}

#[test]
fn posts_and_numbers_that_are_there_twice_are_told() {
    let site = Sandbox::new(TWO_THREADS);
    site.write("content/tech/4.md", "--- {no: 4, id: two}\nsecond\n--- {no: 5, id: one}\nfirst\n");
    site.write("content/tech/6.md", "--- {no: 6}\nx\n\n--- {no: 7}\nx\n");
    site.write("content/tech/7.md", "--- {no: 7}\nx\n");
    let told = [
        "content/tech/4.md: post 4 has the id of post 2 in `./content/tech/2.md`",
        "content/tech/4.md: post 5 has the id of post 1 in `./content/tech/1.md`",
        "content/tech/7.md: post number 7 is used by `./content/tech/6.md` too",
    ];
    check(&site, 1, &[("posts", 9), ("problems", 3)], &told);
}

#[test]
fn what_cannot_be_read_is_told() {
    let site = Sandbox::new(TWO_THREADS);
    site.write("content/tech/2.md", "--- {no: 2, at");
    site.write("content/tech/notes.md", "no thread");
    site.write("posts-inbox/torn.md", "--- {board: te");
    std::fs::create_dir(site.path("content/tech/9.md")).unwrap();
    let told = [
        "content/tech/2.md:1:",
        "notes.md: this is not the name",
        "9.md: cannot be read: ",
        "torn.md: this is no post",
    ];
    check(&site, 1, &[("threads", 2), ("posts", 3), ("problems", 4)], &told);
}

#[test]
fn a_site_may_be_looked_at_while_somebody_else_has_it() {
    let site = Sandbox::new(TWO_THREADS);
    let _builder = site.open();
    check(&site, 0, &[("posts", 4)], &[]);
}
