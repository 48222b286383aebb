//! The threads of all boards, as the overboard lists them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use super::site::pages_for;
use super::{Board, BoardSlug, SiteSettings, ThreadKey};

/// The list, found when it is asked for and kept until something changes.
#[derive(Clone, Default, Debug)]
pub(super) struct Overboard(OnceLock<Vec<ThreadKey>>);

/// What changed in the pages of all boards.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct OverboardDelta {
    /// Index pages that are different, counted from 1.
    pub index: BTreeSet<u32>,
    /// Index pages that are no more.
    pub index_gone: Option<RangeInclusive<u32>>,
}

impl Overboard {
    /// Something changed.
    pub(super) fn forget(&mut self) {
        self.0 = OnceLock::new();
    }

    /// The threads, the one that was bumped last first.
    pub(super) fn threads(&self, settings: &SiteSettings, boards: &BTreeMap<BoardSlug, Board>) -> &[ThreadKey] {
        self.0.get_or_init(|| match boards.len() {
            0..2 => Vec::new(),
            _ => latest(settings.overboard_threads, boards),
        })
    }
}

/// The threads that were bumped last on all boards, at most so many. Sticky ones stand where their bump puts them.
fn latest(most: usize, boards: &BTreeMap<BoardSlug, Board>) -> Vec<ThreadKey> {
    let bumped = |board: &Board| board.latest(1).first().map(|summary| summary.bumped_at);
    let mut busy: Vec<(Reverse<i64>, &Board)> =
        boards.values().filter_map(|board| Some((Reverse(bumped(board)?), board))).collect();
    busy.sort_by(|(a, a_board), (b, b_board)| a.cmp(b).then_with(|| a_board.slug.cmp(&b_board.slug)));
    // A thread has its place because of its board's latest one, or behind that. So no more boards than places matter.
    busy.truncate(most);
    let of_board = |board: &Board| {
        let keys = board.latest(most).into_iter().map(|summary| (Reverse(summary.bumped_at), Reverse(summary.no)));
        keys.map(|(bumped, no)| (bumped, board.slug.clone(), no)).collect::<Vec<_>>()
    };
    let mut threads: Vec<_> = busy.into_iter().flat_map(|(_, board)| of_board(board)).collect();
    threads.sort_unstable();
    threads.into_iter().take(most).map(|(_, board, no)| ThreadKey { board, no: no.0 }).collect()
}

/// What it means for the pages that the list was `before` and is `after`, and that some threads are drawn anew.
pub(super) fn delta(
    before: &[ThreadKey],
    after: &[ThreadKey],
    drawn: &BTreeSet<ThreadKey>,
    per_page: usize,
) -> OverboardDelta {
    let (pages_before, pages_after) = (pages_for(before.len(), per_page), pages_for(after.len(), per_page));
    let mut delta = OverboardDelta::default();
    let mut old = before.chunks(per_page);
    for (page, new) in (1..).zip(after.chunks(per_page)) {
        let same = old.next() == Some(new) && !new.iter().any(|key| drawn.contains(key));
        // Each page names all others.
        if !same || pages_before != pages_after {
            delta.index.insert(page);
        }
    }
    if after.is_empty() && !before.is_empty() {
        delta.index.insert(1);
    }
    if pages_after < pages_before {
        delta.index_gone = Some(pages_after + 1..=pages_before);
    }
    delta
}
