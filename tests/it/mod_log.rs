//! The log of what staff did: an act is found in a long one without reading it all, whatever becomes of the file.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use nejiboard::model::act::{Act, Deed};
use nejiboard::model::{BoardSlug, PostId, PostNo, ThreadFlags};
use nejiboard::store::mod_log::{Before, Entry, ModLog};

const ACTS: u64 = 20_000;

fn id(nth: u64) -> PostId {
    PostId::parse(&format!("act{nth}")).unwrap()
}

fn at(nth: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::minutes(nth as i64)
}

/// An act that deleted a post.
fn entry(nth: u64) -> Entry {
    let (board, no) = (BoardSlug::parse("tech").unwrap(), PostNo::new(nth + 1).unwrap());
    let deed = Deed::Delete { board: board.clone(), posts: vec![no] };
    let posts = format!("--- {{\"no\": {no}}}\ntext of {nth}\n");
    let before = vec![Before { board, thread: no, flags: ThreadFlags::default(), posts }];
    let act = Act { id: Some(id(nth)), at: Some(at(nth)), by: "neji".to_owned(), why: String::new(), deed };
    Entry { act, before, denied: Vec::new(), denied_count: 0, carried: None }
}

/// A log of so many acts, as if they had been added one by one.
fn log(acts: u64) -> (tempfile::TempDir, ModLog) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let lines: String = (0..acts).map(|nth| serde_json::to_string(&entry(nth)).unwrap() + "\n").collect();
    fs::write(&path, lines).unwrap();
    (folder, ModLog::new(path))
}

#[test]
fn each_act_is_found_and_no_other_and_only_the_first_time_takes_long() {
    let (_folder, log) = log(ACTS);
    assert_eq!(log.find(&id(ACTS)).unwrap(), None);
    let before = nejiboard::disk::Counts::so_far();
    let began = std::time::Instant::now();
    for nth in (0..ACTS).step_by(100) {
        assert_eq!(log.find(&id(nth)).unwrap(), Some(entry(nth)));
        assert_eq!(log.find(&id(ACTS + nth)).unwrap(), None);
    }
    println!("{:?} an act, {before:?}", began.elapsed() / (2 * ACTS as u32 / 100));
    // To read all of it takes a debug build half a second, and 400 times that is a quarter of an hour.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn what_is_added_by_this_process_or_another_is_found_behind_half_a_line_too() {
    let (folder, log) = log(3);
    let other = ModLog::new(folder.path().join("log"));
    assert_eq!(log.find(&id(3)).unwrap(), None);
    log.append(&entry(3)).unwrap();
    other.append(&entry(4)).unwrap();
    assert_eq!([log.find(&id(3)).unwrap(), log.find(&id(4)).unwrap()], [Some(entry(3)), Some(entry(4))]);
    let torn = fs::read_to_string(folder.path().join("log")).unwrap() + "{\"id\":\"act5\",\"at\":\"20";
    fs::write(folder.path().join("log"), torn).unwrap();
    assert_eq!(log.find(&id(5)).unwrap(), None);
    log.append(&entry(5)).unwrap();
    assert_eq!(log.find(&id(5)).unwrap(), Some(entry(5)));
    fs::remove_file(folder.path().join("log")).unwrap();
    assert_eq!(log.find(&id(5)).unwrap(), None);
}

#[test]
fn the_last_acts_come_newest_first_without_what_was_deleted() {
    let (folder, log) = log(2_000);
    let last = log.last(1_500).unwrap();
    let nths: Vec<u64> = last.iter().map(|entry| entry.before[0].thread.get() - 1).collect();
    assert_eq!(nths, (500..2_000).rev().collect::<Vec<_>>());
    assert!(last.iter().all(|entry| entry.before[0].posts.is_empty()));
    assert_eq!(log.last(9_999).unwrap().len(), 2_000);
    // A line that is longer than what is read at a time.
    let mut long = entry(2_000);
    long.before[0].posts = "x".repeat(1 << 20);
    log.append(&long).unwrap();
    log.append(&entry(2_001)).unwrap();
    let newest: Vec<Entry> = log.newest().unwrap().take(3).collect();
    assert_eq!(newest, [entry(2_001), long, entry(1_999)]);
    fs::write(folder.path().join("log"), "").unwrap();
    assert_eq!(log.last(5).unwrap(), []);
}

#[test]
fn what_was_deleted_is_forgotten_with_time_and_acts_are_found_all_the_same() {
    let (folder, log) = log(10);
    let texts = || fs::read_to_string(folder.path().join("log")).unwrap().matches("text of").count();
    assert_eq!(log.find(&id(2)).unwrap(), Some(entry(2)));
    log.forget_before(at(0)).unwrap();
    assert_eq!(texts(), 10);
    log.forget_before(at(4)).unwrap();
    assert_eq!(texts(), 6);
    for nth in 0..10 {
        let found = log.find(&id(nth)).unwrap().unwrap();
        assert_eq!(found.before[0].posts.is_empty(), nth < 4, "{nth}");
    }
    log.append(&entry(10)).unwrap();
    // An act may come by hand, with a time of long ago.
    log.append(&Entry { act: Act { at: Some(at(0)), ..entry(11).act }, ..entry(11) }).unwrap();
    log.forget_before(at(4)).unwrap();
    assert_eq!((texts(), log.find(&id(11)).unwrap().unwrap().before[0].posts.as_str()), (7, ""));
}
