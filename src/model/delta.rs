//! What changed in thread files, and what that means for lists and pages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::overboard::OverboardDelta;
use super::{BoardSlug, PostNo, ThreadKey, ThreadSummary};

/// A thread file that is new, different or gone.
#[derive(Clone, Debug)]
pub struct Change {
    /// The thread.
    pub key: ThreadKey,
    /// What its file holds now; `None` if there is no such thread any more.
    pub now: Option<Numbered>,
}

/// A summary with the numbers of all posts of the thread, tombstones included, in rising order.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// The summary.
    pub summary: ThreadSummary,
    /// The numbers.
    pub numbers: Vec<PostNo>,
}

/// What a set of changes means for the pages.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Delta {
    /// Threads whose page is new or different.
    pub drawn: BTreeSet<ThreadKey>,
    /// Threads whose page is no more.
    pub gone: BTreeSet<ThreadKey>,
    /// Per board, which of its lists are different.
    pub boards: BTreeMap<BoardSlug, BoardDelta>,
    /// Which pages of all boards are.
    pub overboard: OverboardDelta,
}

/// What changed in the lists of one board.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct BoardDelta {
    /// Index pages that are different, counted from 1.
    pub index: BTreeSet<u32>,
    /// Index pages that are no more.
    pub index_gone: Option<RangeInclusive<u32>>,
    /// Parts of the archive that are different, by their first number.
    pub parts: BTreeSet<u64>,
    /// Parts of the archive that are empty now.
    pub parts_gone: BTreeSet<u64>,
    /// Whether anything in the catalog is different.
    pub catalog: bool,
    /// Spans of numbers that hold no visible thread any more.
    pub spans_gone: BTreeSet<u64>,
    /// Whether others do now.
    pub spans: bool,
}
