//! The build cache is taken whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;

use nejiboard::model::{BoardSlug, PostNo, ThreadFlags, ThreadSummary};
use nejiboard::store::cache::{self, Cache, CachedBoard};

fn summary(no: u64) -> ThreadSummary {
    let no = PostNo::new(no).expect("a number");
    ThreadSummary {
        no,
        stamp: Default::default(),
        content_hash: 7,
        flags: ThreadFlags { sticky: true, ..ThreadFlags::default() },
        title: "タイトル".into(),
        teaser: "x".repeat(300).into(),
        at: 1,
        bumped_at: -5,
        last_at: i64::MAX,
        posts: 3,
        replies: 2,
        last_no: no,
        op_id_hash: 9,
        moved: Box::default(),
        cross: [(BoardSlug::parse("tech").expect("a name"), PostNo::MAX)].into(),
    }
}

fn sample() -> Cache<'static, u64> {
    let threads: BTreeMap<PostNo, ThreadSummary> = [1, 5, 900].map(|no| (summary(no).no, summary(no))).into();
    let board = CachedBoard {
        slug: BoardSlug::parse("tech").expect("a name"),
        bump_limit: 500,
        threads: Cow::Owned(threads),
        places: Cow::Owned(Default::default()),
    };
    let pages = BTreeMap::from([("index.html".to_owned(), 3), ("tech/thread/1.html".to_owned(), 4)]);
    Cache { drawn_with: 1, made_by: 2, boards: vec![board], pages: Cow::Owned(pages), siblings: Cow::default() }
}

#[test]
fn what_is_remembered_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cache");
    cache::save(&path, &sample()).expect("it can be written");
    let back: Cache<'_, u64> = cache::load(&path).expect("it is whole");
    assert_eq!((back.drawn_with, back.made_by), (1, 2));
    assert_eq!(back.pages, sample().pages);
    assert_eq!(back.boards[0].threads, sample().boards[0].threads);
    assert_eq!((back.boards[0].slug.as_str(), back.boards[0].bump_limit), ("tech", 500));
}

#[test]
fn a_torn_or_spoilt_cache_is_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cache");
    cache::save(&path, &sample()).expect("it can be written");
    let whole = fs::read(&path).expect("it was written");
    let check = |bytes: &[u8], how: &str| {
        fs::write(&path, bytes).expect("it can be replaced");
        assert!(cache::load::<u64>(&path).is_none(), "{how}");
    };
    for length in 0..whole.len() {
        check(&whole[..length], &format!("cut after {length} bytes"));
    }
    for at in 0..whole.len() {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1 << (at % 8);
        check(&spoilt, &format!("byte {at} changed"));
    }
    check(&[&whole[..], b"x"].concat(), "a byte too many");
    check(&[0; 4096], "nothing but zeros");
    fs::remove_file(&path).expect("it is there");
    assert!(cache::load::<u64>(&path).is_none());
}
