//! Posts by their lines, as readers of 2ch count them: the opening post is line 1, then come the replies. Tombstones have
//! their lines too, so that a deletion moves nothing.

use super::{Board, PostNo};

/// What part of a thread somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lines {
    /// All of it.
    All,
    /// The last posts.
    Last,
    /// From this line on.
    From(u64),
}

/// How far behind the opening post a number may be for its line to be looked up by a page or a reader: as many posts of the
/// board are counted for that, in whatever thread they stand. It goes by numbers, so that whether one is found changes with
/// nothing else.
pub const FAR: u64 = 50_000;

/// The same for somebody who posts, which happens less often.
pub const VERY_FAR: u64 = 1_000_000;

impl Board {
    /// The numbers of a thread's posts, tombstones included, that are so far behind the first one at most: each stands at
    /// its line, counted from 0.
    pub fn lines(&self, thread: PostNo, far: u64) -> Vec<PostNo> {
        let (threads, places) = self.remembered();
        let Some(summary) = threads.get(&thread) else { return Vec::new() };
        let until = PostNo::new(thread.get() + far).unwrap_or(PostNo::MAX);
        places.of_until(summary, until.min(summary.last_no))
    }
}
