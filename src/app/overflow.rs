//! What becomes of threads for which the index has no more room: the program itself acts, as staff would.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::clock;
use crate::model::act::{self, Deed, Flag};
use crate::model::settings::Overflow;
use crate::model::{Act, Board, BoardSlug, PostId, PostNo, Site};

/// Threads that go at a time. A site that was moved in may have thousands too many, and posters should not wait for all
/// of them; each new thread takes some along.
const THREADS_AT_A_TIME: usize = 16;

/// What is to be done on these boards, which have got posts.
pub fn acts(site: &Site, boards: &BTreeSet<&BoardSlug>, now: DateTime<Utc>) -> Vec<Act> {
    boards.iter().filter_map(|slug| site.board(slug)).filter_map(|board| act_on(board, now)).collect()
}

fn act_on(board: &Board, now: DateTime<Utc>) -> Option<Act> {
    let settings = &board.settings;
    let old_enough = now.timestamp() - settings.overflow_hours_min as i64 * 3_600;
    let over = board.overflowing(THREADS_AT_A_TIME).filter(|thread| thread.at <= old_enough);
    let threads: Vec<PostNo> = over.map(|thread| thread.no).collect();
    let slug = board.slug.clone();
    let deed = match settings.overflow {
        _ if threads.is_empty() => return None,
        Overflow::Keep => return None,
        Overflow::Archive => Deed::Set { board: slug, threads, flag: Flag::Archived, on: true },
        Overflow::Prune => Deed::Delete { board: slug, posts: threads },
    };
    let id = PostId::parse(&clock::ulid()).expect("a ULID is 26 letters and digits");
    let (by, why) = (act::PROGRAM.to_owned(), "the index is full".to_owned());
    Some(Act { id: Some(id), at: Some(now), by, why, deed })
}
