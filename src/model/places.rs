//! Where each post of a board stands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{PostNo, ThreadSummary};

/// For each post of a board the thread it stands in, sorted by number. Should two threads claim a number, the older
/// thread has it.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Places(pub(super) Vec<(PostNo, PostNo)>);

impl Places {
    pub(super) fn thread_of(&self, no: PostNo) -> Option<PostNo> {
        let at = self.0.partition_point(|place| place.0 < no);
        self.0.get(at).filter(|place| place.0 == no).map(|place| place.1)
    }

    /// The numbers that stand in a thread.
    pub(super) fn of(&self, summary: &ThreadSummary) -> Vec<PostNo> {
        self.of_until(summary, summary.last_no)
    }

    /// Those of them up to `last`.
    pub(super) fn of_until(&self, summary: &ThreadSummary, last: PostNo) -> Vec<PostNo> {
        let from = self.0.partition_point(|place| place.0 < summary.no);
        let to = self.0.partition_point(|place| place.0 <= last);
        self.0[from..to].iter().filter(|place| place.1 == summary.no).map(|place| place.0).collect()
    }

    /// Begins to take over changes of several threads.
    pub(super) fn begin(&self) -> Taking {
        Taking { last: self.0.last().map(|place| place.0), sorted: self.0.len() }
    }

    /// Ends what [`Places::begin`] began: the new numbers of several threads stand in turn.
    pub(super) fn end(&mut self, taking: &Taking) {
        self.0[taking.sorted..].sort_unstable();
    }

    /// Whether the thread has the posts that it had `before`, and new ones above all others of the board.
    pub(super) fn only_added(
        &self,
        thread: PostNo,
        before: Option<&ThreadSummary>,
        numbers: &[PostNo],
        taking: &Taking,
    ) -> bool {
        let added = numbers.partition_point(|no| Some(*no) <= taking.last);
        let held_before = before.map_or(0, |before| before.replies as usize + 1);
        let sorted = &self.0[..taking.sorted];
        held_before == added && numbers[..added].iter().all(|no| sorted.binary_search(&(*no, thread)).is_ok())
    }

    /// Makes `numbers` the posts of `thread`; gives the numbers that were added or removed, and those behind them, which
    /// stand on other lines now.
    pub(super) fn set(
        &mut self,
        thread: PostNo,
        before: Option<&ThreadSummary>,
        numbers: &[PostNo],
        taking: &mut Taking,
    ) -> Vec<PostNo> {
        if self.only_added(thread, before, numbers, taking) {
            let added = numbers.partition_point(|no| Some(*no) <= taking.last);
            self.0.extend(numbers[added..].iter().map(|no| (*no, thread)));
            return numbers[added..].to_vec();
        }
        // A hand edit: find what stood there before, wherever it is.
        self.0[taking.sorted..].sort_unstable();
        let old = before.map(|before| self.of(before)).unwrap_or_default();
        let same = old.iter().zip(numbers).take_while(|(old, new)| old == new).count();
        let differing: BTreeSet<PostNo> = old[same..].iter().chain(&numbers[same..]).copied().collect();
        self.0.retain(|place| place.1 != thread);
        self.0.extend(numbers.iter().map(|no| (*no, thread)));
        self.0.sort();
        *taking = self.begin();
        differing.into_iter().collect()
    }
}

/// Changes that are being taken over.
pub(super) struct Taking {
    /// The highest number of the board before them.
    last: Option<PostNo>,
    /// How many places are sorted; those after them are new.
    sorted: usize,
}
