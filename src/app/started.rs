//! How many threads were started on a board within the last hour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::model::summary::id_hash;
use crate::model::{Board, BoardSlug, PostId, Refusal};

const HOUR: i64 = 3_600;

/// When threads were let in. Counted when they are, since many may come before the first of them is built.
#[derive(Default)]
pub struct Started(Mutex<HashMap<BoardSlug, VecDeque<(i64, u64)>>>);

impl Started {
    /// Lets one more thread in at `now`, in seconds since the Unix epoch, or says when there may be one again. A resend is
    /// known by its id, and counts once.
    pub fn note(&self, board: &Board, id: &PostId, now: i64) -> Result<(), Refusal> {
        let max = board.settings.threads_per_hour_max;
        if max == 0 {
            return Ok(());
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that an earlier process let in.
        let times = all.entry(board.slug.clone()).or_insert_with(|| {
            let mut times: VecDeque<(i64, u64)> =
                board.threads().rev().take(max).map(|thread| (thread.at, thread.op_id_hash)).collect();
            times.make_contiguous().sort_unstable();
            times
        });
        let hash = id_hash(id.as_str());
        if times.iter().any(|(_, there)| *there == hash) {
            return Ok(());
        }
        while times.front().is_some_and(|(at, _)| *at <= now - HOUR || now < *at) {
            times.pop_front();
        }
        match times.len() < max {
            true => times.push_back((now, hash)),
            false => {
                let wait = times.front().map_or(HOUR, |(at, _)| at + HOUR - now).clamp(1, HOUR);
                return Err(Refusal::ManyThreads(wait as u32));
            }
        }
        Ok(())
    }
}
