//! The threads of a board in the order of its index.

use std::collections::BTreeSet;

use super::{PostNo, ThreadSummary};

/// Numbers of threads in the order of the index: sticky ones first, then the latest bump, then the higher number.
///
/// They are held the other way round. What moves is mostly near the top, and few stand behind it then, however large
/// the board is.
#[derive(Clone, Default, Debug)]
pub(super) struct Order(Vec<Key>);

/// Rises from the bottom of the index to its top: whether it is sticky, its bump, its number.
type Key = (bool, i64, PostNo);

fn key(summary: &ThreadSummary) -> Key {
    (summary.flags.sticky, summary.bumped_at, summary.no)
}

impl Order {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The numbers, from the top of the index.
    pub(super) fn top_down(&self) -> impl Iterator<Item = PostNo> {
        self.0.iter().rev().map(|key| key.2)
    }

    /// The numbers, from the bottom of the index, or of what does not stand on it any more.
    pub(super) fn bottom_up(&self) -> impl Iterator<Item = PostNo> {
        self.0.iter().map(|key| key.2)
    }

    /// The thread's place, counted from 0 at the top.
    pub(super) fn position(&self, summary: &ThreadSummary) -> Option<usize> {
        let at = self.0.binary_search(&key(summary)).ok()?;
        Some(self.0.len() - 1 - at)
    }

    /// The numbers of the `most` threads that were bumped last, sticky or not.
    pub(super) fn latest(&self, most: usize) -> Vec<PostNo> {
        let (rest, sticky) = self.0.split_at(self.0.partition_point(|key| !key.0));
        let mut keys: Vec<&Key> = sticky.iter().chain(rest.iter().rev().take(most)).collect();
        keys.sort_unstable_by_key(|key| std::cmp::Reverse((key.1, key.2)));
        keys.into_iter().take(most).map(|key| key.2).collect()
    }

    /// Puts a thread in its place.
    pub(super) fn insert(&mut self, summary: &ThreadSummary) {
        let key = key(summary);
        if let Err(at) = self.0.binary_search(&key) {
            self.0.insert(at, key);
        }
    }

    /// Takes a thread out that is as it was when it was put in.
    pub(super) fn remove(&mut self, summary: &ThreadSummary) {
        if let Ok(at) = self.0.binary_search(&key(summary)) {
            self.0.remove(at);
        }
    }

    /// Takes many threads out.
    pub(super) fn remove_all(&mut self, threads: &BTreeSet<PostNo>) {
        self.0.retain(|key| !threads.contains(&key.2));
    }

    /// Adds a thread without order, until [`Order::sort`] puts all in their places.
    pub(super) fn push(&mut self, summary: &ThreadSummary) {
        self.0.push(key(summary));
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
    }
}
