//! Numbers that are given without the inbox.

use super::Builder;
use crate::model::{BoardSlug, PostNo};

impl Builder {
    /// The next free number of a board, which need not be there; `None` if it has used all.
    pub fn next_number(&mut self, board: &BoardSlug) -> Option<PostNo> {
        self.numbers.recall(board);
        self.numbers.next(board)
    }

    /// Notes that a board has used all numbers up to `last`, so that no post gets one of them.
    pub fn use_numbers(&mut self, board: &BoardSlug, last: PostNo) {
        self.numbers.recall(board);
        self.numbers.used(board, last);
        self.numbers.save(board);
    }
}
