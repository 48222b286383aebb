//! Importing threads of the 4chan read API and of its relatives.

use std::fs;
use std::path::PathBuf;

use nejiboard::model::{BoardSlug, Post, Problem, Thread};
use nejiboard::store::import::{Dialect, ImportError, Imported, Stats, fourchan};

struct Heard {
    stats: Stats,
    threads: Vec<Thread>,
    /// Threads and how many replies came without their opening post.
    replies: Vec<(u64, usize)>,
    problems: Vec<Problem>,
}

impl Heard {
    /// `file:line:column: message` of each problem.
    fn problems(&self) -> Vec<String> {
        let show = |problem: &Problem| {
            let file = problem.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let place = problem.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            format!("{file}{place}: {}", problem.message)
        };
        self.problems.iter().map(show).collect()
    }
}

fn import(sources: &[PathBuf]) -> Result<Heard, ImportError> {
    let (mut threads, mut replies, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let mut take = |imported| {
        match imported {
            Imported::Thread { thread, .. } => threads.push(thread),
            Imported::Replies { thread, posts, .. } => replies.push((thread.get(), posts.len())),
            Imported::Board { .. } => panic!("these files know no boards"),
            Imported::Moved { .. } | Imported::Read(_) => {}
        }
        Ok(())
    };
    let board = BoardSlug::parse("ck").unwrap();
    let stats = fourchan(sources, Some(&board), Dialect::Vichan, &mut take, &mut |problem| problems.push(problem))?;
    Ok(Heard { stats, threads, replies, problems })
}

/// The import of a folder with these files.
fn import_files(files: &[(&str, &[u8])]) -> Heard {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    import(&[dir.path().to_owned()]).unwrap()
}

/// The import of a thread whose `posts` are these.
fn import_posts(posts: &str) -> Heard {
    import_files(&[("thread.json", format!("{{\"posts\":[{posts}]}}").as_bytes())])
}

fn line(post: &Post) -> String {
    let Post { no, at, name, trip, capcode, subject, sage, body, .. } = post;
    format!("{no} {} {name:?} {trip:?} {capcode:?} {subject:?} {sage} {body:?}", at.timestamp())
}

#[test]
fn a_thread_is_carried_over_with_its_flags() {
    let heard = import_posts(
        r##"{"no":12,"resto":0,"time":1546293948,"name":"Anonymous","sub":"Cats &amp; dogs&#44; &lt;b&gt;","com":"a<br>b","capcode":"mod",
            "sticky":1,"closed":1,"archived":1,"filename":"x","ext":".png","tim":1546293948883,"semantic_url":"cats","replies":2,"unique_ips":1},
           {"no":13,"resto":12,"time":1546293949,"name":"Bo &quot;B&quot;","trip":"!!abc","email":"sage","com":"<a href=\"#p12\" class=\"quotelink\">&gt;&gt;12</a>"},
           {"no":15,"resto":12,"time":1546293950,"name":"Anonymous","email":"me@example.org","filedeleted":1,"filename":"y","id":"Heaven","country":"NO"}"##,
    );
    assert_eq!(heard.problems(), [""; 0]);
    let thread = &heard.threads[0];
    let lines: Vec<String> = thread.posts.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            r#"12 1546293948 "" "" "mod" "Cats & dogs, <b>" false "a\nb""#,
            r#"13 1546293949 "Bo \"B\"" "!!abc" "" "" true ">>12""#,
            r#"15 1546293950 "" "" "" "" false """#,
        ]
    );
    let on: Vec<&str> = thread.flags.named().iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    assert_eq!(on, ["sticky", "locked", "archived"]);
    let lost: Vec<(&str, u64)> = heard.stats.lost.into_iter().collect();
    assert_eq!(lost, [("attachments", 1), ("deleted attachments", 1), ("e-mail addresses", 1), ("flags", 1)]);
}

#[test]
fn the_vichan_dialect_is_read_too() {
    let heard = import_posts(
        r#"{"no":14298,"com":"one<br/>two","name":"Gitgood","trip":"!MY2","time":1563642417,"sticky":0,"locked":1,"cyclical":"1",
            "filename":"a","tim":"1563642402862-0","extra_files":[{"filename":"b"},{"filename":"c"}],"resto":0},
           {"no":"14300","resto":"14298","com":"<p class=\"body-line ltr quote\">&gt;one</p><p class=\"body-line empty \"></p><p class=\"body-line ltr \">yes</p>","time":"1563642418"}"#,
    );
    assert_eq!(heard.problems(), [""; 0]);
    let thread = &heard.threads[0];
    assert!(thread.flags.locked && thread.flags.cyclic && !thread.flags.sticky);
    assert_eq!(line(&thread.posts[0]), r#"14298 1563642417 "Gitgood" "!MY2" "" "" false "one\ntwo""#);
    assert_eq!(line(&thread.posts[1]), r#"14300 1563642418 "" "" "" "" false ">one\n\nyes""#);
    assert_eq!(heard.stats.lost["attachments"], 3);
}

#[test]
fn a_bad_post_is_a_problem_and_its_thread_goes_on() {
    let cases = [
        (r#"{"no":-5,"resto":1}"#, "its number -5 is not one of 1 to 9007199254740991"),
        (r#"{"no":0,"resto":1}"#, "its number 0 is not one of"),
        (r#"{"no":9007199254740992,"resto":1}"#, "its number 9007199254740992 is not one of"),
        (r#"{"no":1e300,"resto":1}"#, "its number 1"),
        (r#"{"no":"five","resto":1}"#, "its number `five` is not one of"),
        (r#"{"resto":1}"#, "its number (none) is not one of"),
        (r#"{"no":[3],"resto":1}"#, "its number (a list) is not one of"),
        (r#"{"no":5,"resto":0}"#, "number 5 says that it opens a thread too"),
        (r#"{"no":5,"resto":7}"#, "number 5 says that it belongs to thread 7"),
        (r#"{"no":5,"resto":"x"}"#, "number 5 says that it belongs to thread `x`"),
        (r#"{"no":1,"resto":0}"#, "number 1 came already"),
        (&format!(r#"{{"no":5,"resto":1,"com":"{}"}}"#, "x".repeat(1_000_001)), "the comment of number 5 is longer"),
    ];
    for (post, expected) in cases {
        let heard = import_posts(&format!(r#"{{"no":1,"resto":0,"time":1}},{post},{{"no":9,"resto":1,"time":2}}"#));
        let shown: String = post.chars().take(80).collect();
        assert_eq!(heard.problems.len(), 1, "{shown}: {:?}", heard.problems());
        let expected = format!("thread.json: post 2 of 1: {expected}");
        assert!(heard.problems()[0].starts_with(&expected), "{shown}: {:?}", heard.problems());
        let nos: Vec<u64> = heard.threads[0].posts.iter().map(|post| post.no.get()).collect();
        assert_eq!(nos, [1, 9], "{shown}");
    }
}

#[test]
fn a_reply_older_than_its_thread_is_left_out() {
    let heard = import_posts(r#"{"no":5,"resto":0},{"no":3,"resto":5}"#);
    assert_eq!(heard.problems(), ["thread.json: post 2 of 5: number 3 is older than its thread; it is left out"]);
    assert_eq!(heard.threads[0].posts.len(), 1);
}

#[test]
fn a_time_out_of_range_costs_the_time_and_not_the_post() {
    for time in ["-1", "99999999999999", "1e40", "\"soon\"", "[]"] {
        let heard = import_posts(&format!(r#"{{"no":5,"resto":0,"time":{time},"com":"kept"}}"#));
        assert_eq!(heard.problems.len(), 1, "{time}");
        assert!(heard.problems()[0].contains("of post 5 is out of range"), "{:?}", heard.problems());
        assert_eq!(line(&heard.threads[0].posts[0]), r#"5 0 "" "" "" "" false "kept""#);
    }
}

#[test]
fn replies_without_an_opening_post_come_as_such() {
    let heard = import_posts(r#"{"no":-1,"resto":0},{"no":9,"resto":7},{"no":8,"resto":7}"#);
    assert_eq!(heard.replies, [(7, 2)]);
    assert_eq!(heard.threads, []);
    let heard = import_posts(r#"{"no":-1,"resto":0}"#);
    assert_eq!(heard.problems(), ["thread.json: the thread has no opening post"]);
    assert_eq!(import_posts("").problems(), ["thread.json: the thread has no posts"]);
}

#[test]
fn replies_that_do_not_say_what_they_answer_belong_to_the_first_post() {
    let heard = import_posts(r#"{"no":4},{"no":6,"com":"x"}"#);
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!(heard.threads[0].posts.len(), 2);
}

#[test]
fn a_bad_file_is_a_problem_with_its_place_and_the_others_go_on() {
    let good: &[u8] = br#"{"posts":[{"no":1,"resto":0}]}"#;
    let cases: [(&[u8], &str); 7] = [
        (b"", "m.json:1:1: the JSON ends in the middle"),
        (b"{\"posts\":[\n{\"no\":2,\"re", "m.json:2:11: the JSON ends in the middle"),
        (b"<html>", "m.json:1:1: expected value"),
        (b"{\"posts\":5}", "m.json:1:10: invalid type"),
        (b"{\n\"posts\":[{\"no\":2,\"com\":\"caf\xE9\"}]}", "m.json:2:28: the file is not UTF-8"),
        (b"\xFF\xFE{\0", "m.json:1:1: the file is not UTF-8"),
        (b"{\"posts\":[{\"no\":2,\"com\":\"\\ud800\"}]}", "m.json:1:32: unexpected end of hex escape"),
    ];
    for (bytes, expected) in cases {
        let heard = import_files(&[("a.json", good), ("m.json", bytes), ("z.json", br#"{"posts":[{"no":3}]}"#)]);
        assert_eq!(heard.problems.len(), 1, "{expected}: {:?}", heard.problems());
        assert!(heard.problems()[0].starts_with(expected), "{expected}: {:?}", heard.problems());
        assert_eq!(heard.threads.len(), 2);
    }
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1.json");
    // A hole: it takes no room on disk.
    fs::File::create(&path).unwrap().set_len(2_000_000_000).unwrap();
    let heard = import(&[path]).unwrap();
    assert_eq!(heard.problems(), ["1.json: larger than 256 MB, which no thread is"]);
}

#[test]
fn a_thread_that_came_already_is_a_problem() {
    let thread: &[u8] = br#"{"posts":[{"no":1,"resto":0},{"no":2,"resto":1}]}"#;
    let heard = import_files(&[("a.json", thread), ("b.json", thread)]);
    assert_eq!(heard.problems.len(), 1);
    assert!(heard.problems()[0].starts_with("b.json: thread 1 came already, from `"), "{:?}", heard.problems());
    assert_eq!((heard.threads.len(), heard.stats.posts), (1, 2));
}

#[test]
fn what_stands_beside_the_threads_in_a_folder_is_passed_over() {
    let heard = import_files(&[
        ("po/catalog.json", b"cut off ["),
        ("po/threads.json", b"[]"),
        ("po/archive.json", b"[1,2]"),
        ("boards.json", br#"{"boards":[]}"#),
        ("po/2.json", br#"{"threads":[{"posts":[{"no":5,"resto":0}]}]}"#),
        ("po/page.json", b"[1,2]"),
        ("po/thread/5-tail.json", br#"{"posts":[{"no":5,"resto":0}]}"#),
        ("po/thread/5.json", br#"{"posts":[{"no":5,"resto":0}]}"#),
        ("po/src/5.png", b"\x89PNG"),
    ]);
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!((heard.threads.len(), heard.stats.skipped), (1, 8));
}

#[test]
fn a_file_that_was_asked_for_has_to_be_a_thread() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.json");
    fs::write(&path, "[]").unwrap();
    assert_eq!(import(&[path]).unwrap().problems(), ["catalog.json: not a thread: there is no `posts`"]);
    assert!(matches!(import(&[dir.path().join("missing")]), Err(ImportError::Read { .. })));
}

/// The sample data, or `None` where there is none.
fn samples() -> Option<PathBuf> {
    let root = std::env::var_os("NEJIBOARD_SAMPLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")), PathBuf::from)
        .join("threads-4chan-json");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("sample data absent at {}: set NEJIBOARD_SAMPLES", root.display());
    None
}

#[test]
fn the_samples_are_read_whole() {
    let Some(root) = samples() else { return };
    let heard = import(&[root]).unwrap();
    assert_eq!(heard.problems(), [""; 0]);
    let threads: Vec<(u64, usize)> =
        heard.threads.iter().map(|thread| (thread.no().get(), thread.posts.len())).collect();
    assert_eq!(threads, [(3_856_791, 33), (14_298, 1), (570_368, 3)]);
    // The board list, the catalog, an index page, the thread list and the archive list.
    assert_eq!(heard.stats.skipped, 5);
    let lost: Vec<(&str, u64)> = heard.stats.lost.into_iter().collect();
    assert_eq!(lost, [("attachments", 9)]);

    let [bread, lain, welcome] = &heard.threads[..] else { panic!() };
    let tripped: Vec<&Post> = bread.posts.iter().filter(|post| !post.trip.is_empty()).collect();
    assert!(tripped.iter().all(|post| post.name == "RF360" && post.trip == "!!s1shuD45usb"));
    assert_eq!(tripped.len(), 9);
    assert_eq!(bread.posts[0].name, "");
    assert!(
        bread.posts[0].body.starts_with("All industrial food is based on something real you can make at home, and")
    );
    assert_eq!(bread.posts[2].body, ">>3856796\nyou comedian!");
    assert!(bread.posts.iter().any(|post| post.body == ">white bread"));
    assert_eq!(line(&lain.posts[0]).split('"').nth(3), Some("!MY2dR21qWo"));
    assert!(lain.posts[0].body.ends_with("\n\nhttps://volafile.org/r/z7b3gqwg"));
    assert!(welcome.flags.sticky && welcome.flags.locked && !bread.flags.sticky);
    assert_eq!((welcome.op().subject.as_str(), welcome.op().capcode.as_str()), ("Welcome to /po/!", "mod"));
    let faq = &welcome.posts[1].body;
    assert!(faq.starts_with("**FAQs about papercraft**\n\n*What paper should I use?*\n\nSmall models"), "{faq}");
    assert!(faq.contains(
        "\nhttp://papercraft.wikidot.com/papercraft\nhttp://cp.c-ij.com/en/categories/CAT-ST01-0071/top.html\n"
    ));
    assert!(welcome.posts[2].body.contains("Let’s Fold Together threads >>>/po/lft - open up the PDF"));
}
