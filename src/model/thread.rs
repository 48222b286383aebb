//! A thread: an opening post and its replies.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{BoardSlug, Post, PostNo};

/// Where a thread stands: its board and the number of its opening post.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ThreadKey {
    /// The board.
    pub board: BoardSlug,
    /// The number of the opening post, which names the thread.
    pub no: PostNo,
}

/// What a moderator can switch on a thread; it stands in the opening post's header.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ThreadFlags {
    /// Stays above all threads that are not.
    pub sticky: bool,
    /// Takes no replies.
    pub locked: bool,
    /// Has left the index for good, takes no replies, keeps its page.
    pub archived: bool,
    /// No reply bumps it.
    pub bumplock: bool,
    /// Loses its oldest replies instead of filling up.
    pub cyclic: bool,
}

impl ThreadFlags {
    /// The flags with their names in the header, in the order in which the writer puts them.
    pub fn named(&self) -> [(&'static str, bool); 5] {
        [
            ("sticky", self.sticky),
            ("locked", self.locked),
            ("archived", self.archived),
            ("bumplock", self.bumplock),
            ("cyclic", self.cyclic),
        ]
    }

    /// Whether a reply would be refused.
    pub fn closed(&self) -> bool {
        self.locked || self.archived
    }
}

/// A whole thread, oldest post first.
///
/// Invariant: at least one post, and no two with the same number.
#[derive(Clone, PartialEq, Debug)]
pub struct Thread {
    /// What a moderator has switched.
    pub flags: ThreadFlags,
    /// When a moderator last changed it, if ever.
    pub changed: Option<DateTime<Utc>>,
    /// The opening post and its replies.
    pub posts: Vec<Post>,
}

impl Thread {
    /// The opening post.
    pub fn op(&self) -> &Post {
        &self.posts[0]
    }

    /// The number that names the thread.
    pub fn no(&self) -> PostNo {
        self.op().no
    }

    /// Whether anything is left to read. A thread of tombstones has no page; its numbers stay taken.
    pub fn visible(&self) -> bool {
        self.posts.iter().any(|post| !post.deleted)
    }
}
