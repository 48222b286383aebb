//! The inbox: what lies there becomes a post exactly once, or goes to `rejected/` with the reason beside it.

use std::fs;
use std::time::{Duration, SystemTime};

use nejiboard::model::{Arrival, PostId};
use nejiboard::store::inbox::{FILE_BYTES_MAX, GRACE, Inbox, Taking};
use proptest::prelude::*;

use super::sandbox::running::{Running, wait_until};
use super::sandbox::{Sandbox, files_below, number, publish, slug};

const ONE_THREAD: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02}
the first post
--- {no: 2}
a reply
";

fn arrival(id: &str, thread: Option<u64>, body: &str) -> Arrival {
    let (name, trip, poster_id, capcode, subject) = Default::default();
    let (id, thread) = (PostId::parse(id).unwrap(), thread.map(number));
    Arrival {
        id,
        board: slug("tech"),
        thread,
        at: None,
        name,
        trip,
        poster_id,
        capcode,
        subject,
        sage: false,
        body: body.into(),
    }
}

/// What an inbox makes of a file of this name, long after it was written.
fn take(name: &str, bytes: impl AsRef<[u8]>) -> Taking {
    let site = Sandbox::empty();
    site.write(name, bytes);
    Inbox::open(site.root().to_owned()).unwrap().take(name, later()).unwrap()
}

fn later() -> SystemTime {
    SystemTime::now() + GRACE + Duration::from_secs(1)
}

/// Why a file of this name is no post.
fn why_not(name: &str, bytes: impl AsRef<[u8]>) -> String {
    match take(name, bytes) {
        Taking::Junk(why) => why,
        other => panic!("{name} was taken: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn what_is_put_in_is_taken_out(
        bodies in prop::collection::vec("(--- \\{|\\\\|\n|\r\n|\0|[a-z]{1,3}|狐){0,8}x(\n| ){0,3}", 1..5),
        name in any::<String>(), sage in any::<bool>(), at in prop::option::of(0..2_000_000_000_i64),
    ) {
        let posts: Vec<Arrival> = bodies.iter().zip(0..).map(|(body, nth)| Arrival {
            name: name.clone(),
            sage,
            at: at.and_then(|at| chrono::DateTime::from_timestamp(at, 0)),
            ..arrival(&format!("id{nth}"), (nth % 2 == 0).then_some(7), body)
        }).collect();
        let site = Sandbox::empty();
        let inbox = Inbox::open(site.root().to_owned()).unwrap();
        inbox.put("a.md", &posts).unwrap();
        let Taking::Posts(taken, bad) = inbox.take("a.md", SystemTime::now()).unwrap() else { panic!() };
        prop_assert_eq!(taken, posts);
        prop_assert_eq!(bad, Vec::<String>::new());
    }
}

#[test]
fn what_is_no_post_tells_why() {
    assert_eq!(why_not("a.txt", "--- {board: tech}\nhi\n"), "its name does not end in `.md` or `.json`");
    assert_eq!(why_not("a.md", b"--- {board: tech}\n\xff\n"), "it is not UTF-8");
    for empty in ["", "\n \n"] {
        assert_eq!(why_not("a.md", empty), "it holds no post; a post begins with a line `--- {\"board\": \"…\"}`");
    }
    assert!(why_not("a.md", "just text\n").starts_with("line 1, column 1: text before the first post's header"));
    assert_eq!(why_not("a.md", "--- {thread: 1}\nhi\n"), "line 1, column 1: this post names no `board`");
    assert_eq!(why_not("a.md", "--- {board: tech}\n \n"), "line 1, column 1: a post needs some text");
    assert!(why_not("a.md", "--- {board: ../etc}\nhi\n").contains("bad `board`: a board's name is 1 to 32"));
    assert!(why_not("a.md", "--- {board: tech\nhi\n").contains("this header does not end in `}`"));
    let long = format!("--- {{board: tech}}\n{}\n", "x".repeat((1 << 20) + 1));
    assert_eq!(why_not("a.md", long), "line 1, column 1: the text of this post is larger than 1 MiB");
    let many = "--- {board: tech}\nhi\n".repeat(10_001);
    assert_eq!(why_not("a.md", many), "it holds more than 10000 posts");
}

#[test]
fn what_is_no_plain_file_is_not_followed() {
    let site = Sandbox::empty();
    site.write("secret", "--- {board: tech}\nthe operator's secret\n");
    fs::create_dir_all(site.path("inbox/folder.md")).unwrap();
    std::os::unix::fs::symlink(site.path("secret"), site.path("inbox/link.md")).unwrap();
    fs::File::create(site.path("inbox/large.md")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    let inbox = Inbox::open(site.path("inbox")).unwrap();
    for (name, wanted) in [
        ("link.md", "it is a link; put the file itself here"),
        ("folder.md", "it is not a file"),
        ("large.md", "it is larger than 33554432 bytes"),
    ] {
        let Taking::Junk(why) = inbox.take(name, SystemTime::now()).unwrap() else { panic!("{name} was taken") };
        assert_eq!(why, wanted);
        inbox.reject(name, &why).unwrap();
        assert_eq!(site.read(&format!("inbox/rejected/{name}.why")), format!("{wanted}\n"));
    }
    assert_eq!(inbox.names().unwrap(), Vec::<String>::new());
    assert!(site.path("secret").exists());
}

#[test]
fn a_name_that_is_rejected_twice_does_not_write_over_the_first() {
    let site = Sandbox::empty();
    let inbox = Inbox::open(site.root().to_owned()).unwrap();
    for nth in ["one", "two", "three"] {
        site.write("a.md", nth);
        inbox.reject("a.md", nth).unwrap();
    }
    let there = files_below(&site.path("rejected"));
    let there: Vec<(&str, &[u8])> = there.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let wanted: [(&str, &[u8]); 6] = [
        ("a.md", b"one"),
        ("a.md.2", b"two"),
        ("a.md.2.why", b"two\n"),
        ("a.md.3", b"three"),
        ("a.md.3.why", b"three\n"),
        ("a.md.why", b"one\n"),
    ];
    assert_eq!(there, wanted);
}

#[test]
fn hidden_files_are_not_looked_at() {
    let site = Sandbox::empty();
    site.write(".draft.md", "--- {board: tech}\nhalf\n");
    site.write("rejected/x.md", "--- {board: tech}\nold\n");
    assert_eq!(Inbox::open(site.root().to_owned()).unwrap().names().unwrap(), Vec::<String>::new());
}

#[test]
fn a_half_written_file_is_left_alone_for_a_while() {
    let site = Sandbox::empty();
    let inbox = Inbox::open(site.root().to_owned()).unwrap();
    site.write("a.md", "--- {board: tech}\nfirst\n--- {board: te");
    assert!(matches!(inbox.take("a.md", SystemTime::now()).unwrap(), Taking::Unfinished));
    let Taking::Posts(posts, bad) = inbox.take("a.md", later()).unwrap() else { panic!() };
    assert_eq!((posts.len(), posts[0].body.as_str(), bad.len()), (1, "first", 1));
    site.write("a.md", "--- {board: tech}\nfirst\n--- {board: tech}\nsecond\n");
    assert!(
        matches!(inbox.take("a.md", SystemTime::now()).unwrap(), Taking::Posts(posts, bad) if posts.len() == 2 && bad.is_empty())
    );
    inbox.remove("a.md").unwrap();
    assert!(matches!(inbox.take("a.md", SystemTime::now()).unwrap(), Taking::Gone));
}

/// Serves a site until all of these inbox files are gone, and gives the site.
fn serve_inbox(files: &[(&str, &str)]) -> Sandbox {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/5.md", "--- {no: 5, locked: true}\na locked thread\n");
    for (name, text) in files {
        site.write(&format!("posts-inbox/{name}"), text);
    }
    serve_until_empty(&site);
    site
}

fn serve_until_empty(site: &Sandbox) {
    let door = Running::start(site.root());
    let left = || files_below(&site.path("posts-inbox")).into_keys().filter(|path| !path.starts_with("rejected/"));
    wait_until(&format!("the inbox is empty; told: {}", door.told()), || left().count() == 0);
    assert!(door.terminate().success());
}

#[test]
fn posts_that_nobody_can_take_are_put_aside_with_the_reason() {
    let site = serve_inbox(&[
        ("board.md", "--- {board: nowhere}\nhi\n"),
        ("thread.md", "--- {board: tech, thread: 99}\nhi\n"),
        ("reply.md", "--- {board: tech, thread: 2}\nhi\n"),
        ("locked.md", "--- {board: tech, thread: 5}\nhi\n"),
        ("mixed.md", "--- {board: tech, thread: 1, id: good1}\ngood\n--- {board: tech, thread: 99, id: bad1}\nhi\n"),
    ]);
    let why = |name: &str| site.read(&format!("posts-inbox/rejected/{name}.md.why"));
    assert!(why("board").contains("There is no such board."), "{}", why("board"));
    assert!(why("thread").contains("There is no such thread."), "{}", why("thread"));
    assert!(why("reply").contains("it stands in thread 1"), "{}", why("reply"));
    assert!(why("locked").contains("This thread is locked."), "{}", why("locked"));
    assert_eq!(why("mixed"), "post bad1: There is no such thread. It may have been removed.\n");
    let aside = site.read("posts-inbox/rejected/mixed.md");
    assert!(aside.contains("bad1") && !aside.contains("good"), "{aside}");
    assert!(site.page("tech/thread/1.html").contains("good"));
    assert!(!site.read("content/tech/5.md").contains("hi"));
}

#[test]
fn a_file_that_is_partly_bad_keeps_its_good_posts() {
    let text = "--- {board: tech, thread: 1}\ngood one\n--- {borad: tech}\nbad\n--- {board: tech}\ngood two\n";
    let site = serve_inbox(&[("a.md", text)]);
    assert!(site.read("content/tech/1.md").contains("good one"));
    assert!(
        files_below(&site.path("content/tech")).values().any(|file| String::from_utf8_lossy(file).contains("good two"))
    );
    let why = site.read("posts-inbox/rejected/a.md.why");
    assert!(why.contains("line 3") && why.contains("did you mean `board`?"), "{why}");
    assert_eq!(site.read("posts-inbox/rejected/a.md"), text);
}

/// A header that is as long as the reader allows must not become a thread that cannot be read.
#[test]
fn a_dropped_post_never_makes_a_thread_that_cannot_be_read() {
    let name = "n".repeat(65_490);
    let escapes = "\\x01".repeat(15_000);
    let site = serve_inbox(&[
        ("a.md", &format!("--- {{board: tech, thread: 1, id: a, name: {name}}}\nlong name\n")),
        ("b.md", &format!("--- {{board: tech, thread: 1, id: b, subject: \"{escapes}\"}}\nlong subject\n")),
        ("c.md", "--- {board: tech, thread: 1, id: c}\nshort\n"),
    ]);
    // What is remembered would not be read.
    site.remove(".nejiboard/cache");
    let report = site.build();
    assert!(report.problems.is_empty(), "{}", report.problems[0]);
    assert!(site.page("tech/thread/1.html").contains("short"));
    let aside = files_below(&site.path("posts-inbox/rejected"));
    for (id, text) in [("a", "long name"), ("b", "long subject")] {
        let taken = site.page("tech/thread/1.html").contains(text);
        assert!(taken || aside.contains_key(&format!("{id}.md.why")), "{text} is neither taken nor put aside");
    }
}

#[test]
fn a_crash_after_the_thread_was_written_does_not_add_its_posts_again() {
    let site = Sandbox::new(ONE_THREAD);
    let posts = [arrival("reply1", Some(1), "a reply by id"), arrival("op1", None, "a thread by id")];
    Inbox::open(site.path("posts-inbox")).unwrap().put("a.md", &posts).unwrap();
    {
        // The posts get into their files, and the program ends before it removes them from the inbox.
        let (mut builder, _) = site.open();
        let committed = builder.commit(posts.to_vec());
        assert_eq!(committed.placed.len(), 2);
    }
    serve_until_empty(&site);
    let files = files_below(&site.path("content/tech"));
    let all: String = files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert_eq!(all.matches("a reply by id").count(), 1, "{all}");
    assert_eq!(all.matches("a thread by id").count(), 1, "{all}");
    assert!(site.page("tech/thread/1.html").contains("a reply by id"));
}

#[test]
fn a_file_without_ids_that_is_met_again_after_a_crash_is_added_once() {
    let site = Sandbox::new(ONE_THREAD);
    let text = "--- {board: tech, thread: 1}\nwithout an id\n--- {board: tech}\na thread without an id\n";
    site.write("posts-inbox/a.md", text);
    let inbox = Inbox::open(site.path("posts-inbox")).unwrap();
    {
        let Taking::Posts(posts, _) = inbox.take("a.md", later()).unwrap() else { panic!() };
        let (mut builder, _) = site.open();
        assert_eq!(builder.commit(posts).placed.len(), 2);
    }
    serve_until_empty(&site);
    let files = files_below(&site.path("content/tech"));
    let all: String = files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert_eq!((all.matches("\nwithout an id").count(), all.matches("a thread without").count()), (1, 1), "{all}");
}

#[test]
fn a_file_that_is_dropped_again_on_another_day_is_another_post() {
    let site = Sandbox::new(ONE_THREAD);
    for day in [1, 2] {
        site.write("posts-inbox/daily.md", "--- {board: tech, thread: 1}\nbackup done\n");
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + day * 86_400);
        fs::File::options().write(true).open(site.path("posts-inbox/daily.md")).unwrap().set_modified(written).unwrap();
        serve_until_empty(&site);
        assert_eq!(site.read("content/tech/1.md").matches("backup done").count(), day as usize);
    }
}

#[test]
fn the_same_post_twice_in_one_batch_is_added_once() {
    let site = Sandbox::new(ONE_THREAD);
    let (mut builder, _) = site.open();
    let twice = |thread| [arrival("x", thread, "twice"), arrival("x", thread, "twice")];
    let committed = builder.commit(twice(Some(1)).into_iter().chain(twice(None)).collect());
    let places: Vec<u64> = committed.placed.iter().map(|placed| placed.no.get()).collect();
    assert_eq!((committed.written.len(), places), (2, vec![3, 3, 4, 4]));
}

#[test]
fn a_post_whose_thread_was_moved_to_another_number_is_still_known() {
    let site = Sandbox::new(ONE_THREAD);
    let (mut builder, _) = site.open();
    builder.commit(vec![arrival("x", None, "a thread")]);
    let moved = site.read("content/tech/3.md").replace("\"no\": 3", "\"no\": 9");
    site.write("content/tech/9.md", moved);
    site.remove("content/tech/3.md");
    builder.take_all(&mut Default::default()).unwrap();
    let again = builder.commit(vec![arrival("x", None, "a thread")]);
    assert_eq!((again.written.len(), again.placed[0].no.get()), (0, 9));
}

#[test]
fn numbers_do_not_return_when_the_newest_thread_is_removed() {
    let site = Sandbox::new(ONE_THREAD);
    let next = |site: &Sandbox, id: &str| {
        let (mut builder, _) = site.open();
        let committed = builder.commit(vec![arrival(id, None, "new")]);
        publish(&mut builder);
        committed.placed[0].no.get()
    };
    assert_eq!(next(&site, "a"), 3);
    site.remove("content/tech/3.md");
    assert_eq!(next(&site, "b"), 4);
    // Without what is remembered, content alone tells; what it does not hold any more cannot be known.
    site.remove("content/tech/4.md");
    fs::remove_dir_all(site.path(".nejiboard")).unwrap();
    assert_eq!(next(&site, "c"), 3);
    site.write(".nejiboard/numbers/tech", "not a number");
    assert_eq!(next(&site, "d"), 4);
}

#[test]
fn what_a_hand_has_just_written_is_neither_lost_nor_numbered_twice() {
    let site = Sandbox::new(ONE_THREAD);
    let (mut builder, _) = site.open();
    // Not told yet: the watch needs a moment.
    let by_hand = "--- {no: 3}\na thread by hand\n";
    site.write("content/tech/3.md", by_hand);
    site.write("content/tech/1.md", site.read("content/tech/1.md") + "--- {no: 8}\na reply by hand\n");
    let committed = builder.commit(vec![arrival("a", None, "new thread"), arrival("b", Some(1), "new reply")]);
    let places: Vec<u64> = committed.placed.iter().map(|placed| placed.no.get()).collect();
    assert_eq!(places, [4, 9]);
    assert_eq!(site.read("content/tech/3.md"), by_hand);
    builder.take_all(&mut Default::default()).unwrap();
    let report = publish(&mut builder);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let page = site.page("tech/thread/1.html");
    assert!(page.contains("a reply by hand") && page.contains("new reply"), "{page}");
}

#[test]
fn the_last_number_is_the_last() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/9007199254740990.md", "--- {no: 9007199254740990}\nnearly the last\n");
    let (mut builder, _) = site.open();
    let committed = builder.commit(vec![
        arrival("a", Some(9_007_199_254_740_990), "the last"),
        arrival("b", Some(9_007_199_254_740_990), "one too many"),
        arrival("c", None, "no thread either"),
        arrival("d", Some(1), "nor a reply elsewhere"),
    ]);
    assert_eq!(committed.placed.iter().map(|placed| placed.no.get()).collect::<Vec<_>>(), [9_007_199_254_740_991]);
    assert_eq!(committed.refused.len(), 3);
}
