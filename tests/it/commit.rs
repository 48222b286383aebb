//! Commit: many posts at once get numbers without a gap, whatever fails, and never write over what a hand has just
//! written.

use std::collections::BTreeSet;
use std::fs;

use nejiboard::model::{Arrival, PostId};

use super::sandbox::{Sandbox, number, publish, slug};

fn arrival(board: &str, id: String, thread: Option<u64>) -> Arrival {
    let (name, trip, capcode, subject) = Default::default();
    let id = PostId::parse(&id).expect("letters and digits");
    let (board, thread) = (slug(board), thread.map(number));
    Arrival { id, board, thread, at: None, name, trip, capcode, subject, sage: false, body: "text".to_owned() }
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
