//! Commit: many posts at once get numbers without a gap, whatever fails, and never write over what a hand has just
//! written.

use std::collections::BTreeSet;
use std::fs;

use nejiboard::app::builder::Manner;
use nejiboard::model::{Arrival, PageKey, PostId};

use super::sandbox::{Sandbox, files_below, number, publish, slug};

fn arrival(board: &str, id: String, thread: Option<u64>) -> Arrival {
    let (name, trip, poster_id, capcode, subject) = Default::default();
    let id = PostId::parse(&id).expect("letters and digits");
    let (board, thread) = (slug(board), thread.map(number));
    Arrival {
        id,
        board,
        thread,
        at: None,
        name,
        trip,
        poster_id,
        capcode,
        subject,
        sage: false,
        body: "text".to_owned(),
    }
}

/// Two boards with ten threads each.
fn site() -> Sandbox {
    let mut text = String::from("\n");
    for board in ["a", "b"] {
        for no in 1..=10 {
            text += &format!("==> content/{board}/{no}.md\n--- {{no: {no}, at: 2025-03-02}}\nfirst\n");
        }
    }
    Sandbox::new(&text)
}

/// A hundred posts a board, new threads and replies in turn.
fn many() -> Vec<Arrival> {
    let thread = |nth: u64| (!nth.is_multiple_of(4)).then_some(nth % 10 + 1);
    let of = |board: &'static str| (0..100).map(move |nth| arrival(board, format!("{board}{nth}"), thread(nth)));
    of("a").chain(of("b")).collect()
}

#[test]
fn many_posts_at_once_are_numbered_without_a_gap() {
    let site = site();
    let (mut builder, _) = site.open();
    publish(&mut builder);
    let committed = builder.commit(many());
    assert_eq!((committed.placed.len(), committed.failed.len(), committed.refused.len()), (200, 0, 0));
    for board in ["a", "b"] {
        let placed = committed.placed.iter().filter(|placed| placed.key.board == slug(board));
        let numbers: BTreeSet<u64> = placed.map(|placed| placed.no.get()).collect();
        assert_eq!(numbers, (11..=110).collect(), "{board}");
    }
    let again = builder.commit(many());
    assert_eq!((again.placed.len(), again.written.len()), (200, 0), "each of them is there once");
}

#[test]
fn a_file_that_cannot_be_written_leaves_no_gap() {
    let site = site();
    let (mut builder, _) = site.open();
    publish(&mut builder);
    // A folder where the draft of a thread would be written.
    let obstacle = site.path("content/a/.4.md.draft");
    fs::create_dir(&obstacle).expect("the name is free");
    let committed = builder.commit(many());
    let failed: BTreeSet<&str> = committed.failed.iter().map(|(arrival, _)| arrival.id.as_str()).collect();
    let of_thread_4: BTreeSet<String> =
        (0..100).filter(|nth| nth % 10 == 3 && nth % 4 != 0).map(|nth| format!("a{nth}")).collect();
    assert_eq!(failed, of_thread_4.iter().map(String::as_str).collect());
    assert_eq!(committed.placed.len() + committed.failed.len(), 200);
    publish(&mut builder);
    fs::remove_dir(&obstacle).expect("it is empty");
    let retried = committed.failed.into_iter().map(|(arrival, _)| arrival).collect();
    let committed = builder.commit(retried);
    assert_eq!(committed.failed.len(), 0);
    publish(&mut builder);
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(site.path("content/a")).expect("it is there").flatten() {
        let text = fs::read_to_string(entry.path()).expect("it is text");
        let after = text.split("\"no\": ").skip(1).filter_map(|rest| rest.split(',').next());
        numbers.extend(after.map(|no| no.parse::<u64>().expect("a number")));
        assert!(!entry.file_name().to_string_lossy().starts_with('.'), "a draft was left: {entry:?}");
    }
    assert_eq!(numbers, (11..=110).collect());
}

#[test]
fn what_was_foreseen_of_a_file_that_cannot_be_written_is_forgotten() {
    let site = site();
    let (mut builder, _) = site.open();
    publish(&mut builder);
    fs::create_dir(site.path("content/a/.4.md.draft")).expect("the name is free");
    // The reply was to be number 11; the thread that was to be 12 gets its number, and the last reply is 12, not 13.
    let posts = [arrival("a", "x".into(), Some(4)), arrival("a", "y".into(), None), arrival("a", "z".into(), Some(5))];
    let committed = builder.commit(posts.to_vec());
    let placed: Vec<(&str, u64)> =
        committed.placed.iter().map(|placed| (placed.id.as_str(), placed.no.get())).collect();
    assert_eq!((placed, committed.failed.len()), (vec![("y", 11), ("z", 12)], 1));
    publish(&mut builder);
    assert!(site.has_page("a/thread/11.html") && !site.has_page("a/thread/12.html"));
    assert!(
        site.page("a/thread/5.html").contains("id=\"p12\"") && !site.page("a/thread/4.html").contains("id=\"p11\"")
    );
    drop(builder);
    let incremental = files_below(&site.path("public"));
    site.build_in(Manner::Clean);
    assert_eq!(files_below(&site.path("public")), incremental);
}

#[test]
fn replies_to_many_threads_at_once_do_not_redraw_those_that_quote_their_board() {
    let mut text = String::from("\n==> content/b/1.md\n--- {no: 1, at: 2025-03-02}\n>>>/a/1 and >>>/a/101\n");
    for no in 1..=100 {
        text += &format!("==> content/a/{no}.md\n--- {{no: {no}, at: 2025-03-02}}\nfirst\n");
    }
    let site = Sandbox::new(&text);
    let (mut builder, _) = site.open();
    publish(&mut builder);
    let citing = PageKey::Thread(slug("b"), number(1));
    let mut batch = |name: &str, threads: std::ops::RangeInclusive<u64>| {
        // Two for each, in turn: what a thread adds is not in one piece.
        let posts = [0, 1].into_iter().flat_map(|turn| threads.clone().map(move |thread| (turn, thread)));
        let posts = posts.map(|(turn, thread)| arrival("a", format!("{name}{turn}-{thread}"), Some(thread))).collect();
        assert_eq!(builder.commit(posts).placed.len(), 2 * threads.count());
        let due = builder.is_page_due(&citing);
        publish(&mut builder);
        due
    };
    assert!(batch("x", 1..=80), "a post that it quotes has come");
    assert!(!batch("y", 1..=80), "nothing that it quotes has changed");
    drop(builder);
    let incremental = files_below(&site.path("public"));
    site.build_in(Manner::Clean);
    assert_eq!(files_below(&site.path("public")), incremental);
}
