//! Which numbers of a board are taken.

use std::collections::HashMap;

use crate::model::PostNo;

/// A set of post numbers. Boards number densely, so a bit for each number in blocks of 64 takes a few hundred
/// kilobytes for a million posts; the sparsest board needs a block for each.
#[derive(Default)]
pub struct Numbers {
    blocks: HashMap<u64, u64>,
}

impl Numbers {
    /// Adds `no`; false if it was there.
    pub fn add(&mut self, no: PostNo) -> bool {
        let bit = 1 << (no.get() % 64);
        let block = self.blocks.entry(no.get() / 64).or_default();
        let new = *block & bit == 0;
        *block |= bit;
        new
    }

    /// Whether `no` is there.
    pub fn has(&self, no: PostNo) -> bool {
        self.blocks.get(&(no.get() / 64)).is_some_and(|block| block & (1 << (no.get() % 64)) != 0)
    }
}
