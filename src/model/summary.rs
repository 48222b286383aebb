//! What is kept in memory of each thread: enough to list it and to plan, never its posts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::quotes::{self, Quote};
use super::{BoardSettings, BoardSlug, PostKey, PostNo, Thread, ThreadFlags};

/// How a file looked when it was read: if nothing here has changed, neither has the file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since the Unix epoch.
    pub modified_ns: i64,
    /// Change time of the inode in nanoseconds; unlike the modification time no tool can set it.
    pub changed_ns: i64,
    /// The inode's number.
    pub inode: u64,
}

/// A post that a thread names but does not hold.
pub type CrossQuote = (BoardSlug, PostNo);

/// A thread as lists and plans need it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ThreadSummary {
    /// The number of the opening post.
    pub no: PostNo,
    /// The file when it was read.
    pub stamp: Stamp,
    /// XXH3 of the file's bytes.
    pub content_hash: u64,
    /// What a moderator has switched.
    pub flags: ThreadFlags,
    /// The subject, or else the beginning of the opening post as a reader sees it.
    pub title: Box<str>,
    /// The beginning of the opening post as a reader sees it, at most [`TEASER_CHARS`] characters.
    pub teaser: Box<str>,
    /// Seconds since the Unix epoch at which the opening post was accepted.
    pub at: i64,
    /// Seconds since the Unix epoch of the last post that bumped the thread.
    pub bumped_at: i64,
    /// Seconds since the Unix epoch of the last post or change.
    pub last_at: i64,
    /// Posts that are not tombstones.
    pub posts: u32,
    /// Replies, tombstones and all: what a reply limit counts.
    pub replies: u32,
    /// The highest number in the thread.
    pub last_no: PostNo,
    /// XXH3 of the opening post's id, 0 without one: finds a new thread that was already written before a crash.
    pub op_id_hash: u64,
    /// Posts of other threads, or of none, that this one names; sorted, each once.
    pub cross: Box<[CrossQuote]>,
    /// Where each post was moved, by number, if the whole thread was.
    pub moved: Box<[(PostNo, PostKey)]>,
}

/// What a reader sees of a body, as plain text. The render room knows it.
pub type Excerpt = fn(&str) -> String;

/// How much of an opening post a list shows.
pub const TEASER_CHARS: usize = 160;

/// A thread of more replies than this has a page of its last posts beside the page of the whole.
pub const TAIL_FROM: u32 = 100;

/// How many replies the page of a thread's last posts shows.
pub const TAIL_POSTS: usize = 50;

/// How much of a text stands for a missing subject.
const TITLE_CHARS: usize = 60;

impl ThreadSummary {
    /// Sums up `thread` of `board`, as read from a file with this `stamp` and hash. `excerpt` tells what a reader sees
    /// of a body.
    pub fn of(
        thread: &Thread,
        board: &BoardSlug,
        settings: &BoardSettings,
        stamp: Stamp,
        content_hash: u64,
        excerpt: Excerpt,
    ) -> ThreadSummary {
        let op = thread.op();
        let plain = one_line(&excerpt(if op.deleted { "" } else { &op.body }), TEASER_CHARS);
        let title = match op.subject.as_str() {
            "" => one_line(&plain, TITLE_CHARS),
            subject => one_line(subject, usize::MAX),
        };
        ThreadSummary {
            no: op.no,
            stamp,
            content_hash,
            flags: thread.flags,
            title: title.into(),
            teaser: plain.into(),
            at: op.at.timestamp(),
            bumped_at: bumped_at(thread, settings).timestamp(),
            last_at: last_at(thread).timestamp(),
            posts: thread.posts.iter().filter(|post| !post.deleted).count() as u32,
            replies: thread.posts.len() as u32 - 1,
            last_no: thread.posts.iter().map(|post| post.no).max().unwrap_or(op.no),
            op_id_hash: op.id.as_ref().map_or(0, |id| id_hash(id.as_str())),
            cross: cross_quotes(thread, board),
            moved: moved_posts(thread),
        }
    }

    /// Whether the thread has a page. One of tombstones alone has none.
    pub fn visible(&self) -> bool {
        0 < self.posts
    }

    /// Where a post of it was moved.
    pub fn moved_to(&self, no: PostNo) -> Option<&PostKey> {
        self.moved.binary_search_by_key(&no, |(no, _)| *no).ok().map(|at| &self.moved[at].1)
    }

    /// Whether the thread has a page of its last posts too. Tombstones make it long like other posts, but there must be
    /// enough left to be shown.
    pub fn has_tail(&self) -> bool {
        // Of a thread that was moved, both addresses lead on.
        TAIL_FROM < self.replies && (TAIL_POSTS < self.posts as usize || !self.moved.is_empty())
    }
}

/// What [`ThreadSummary::op_id_hash`] holds for an id.
pub fn id_hash(id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
}

/// When the thread was bumped last: by its opening post, or by a reply within the limit that is neither a sage nor a
/// tombstone, so that removing a post undoes its bump.
fn bumped_at(thread: &Thread, settings: &BoardSettings) -> DateTime<Utc> {
    let limit = match (thread.flags.bumplock, settings.bump_limit) {
        (true, _) => 0,
        (false, 0) => usize::MAX,
        (false, limit) => limit,
    };
    let replies = thread.posts.iter().skip(1).take(limit);
    replies.filter(|post| !post.sage && !post.deleted).map(|post| post.at).fold(thread.op().at, DateTime::max)
}

fn last_at(thread: &Thread) -> DateTime<Utc> {
    let posts = thread.posts.iter().map(|post| post.at);
    posts.chain(thread.changed).max().unwrap_or(DateTime::UNIX_EPOCH)
}

/// Where the posts of a thread were moved, if nothing is left to read here.
fn moved_posts(thread: &Thread) -> Box<[(PostNo, PostKey)]> {
    if thread.visible() {
        return Box::default();
    }
    let mut moved: Vec<_> = thread.posts.iter().filter_map(|post| Some((post.no, post.moved.clone()?))).collect();
    moved.sort_unstable();
    moved.into()
}

/// The posts outside of `thread` that its bodies name. One that was moved names its posts where they are now, for
/// whoever names them here follows them.
fn cross_quotes(thread: &Thread, board: &BoardSlug) -> Box<[CrossQuote]> {
    let mut own: Vec<PostNo> = thread.posts.iter().map(|post| post.no).collect();
    own.sort_unstable();
    let moved = moved_posts(thread).into_iter().map(|(_, to)| (to.board, to.no));
    let mut cross: Vec<CrossQuote> = moved.collect();
    for post in thread.posts.iter().filter(|post| !post.deleted) {
        quotes::scan(&post.body, |quote| match quote {
            Quote::Post(no) if own.binary_search(&no).is_err() => cross.push((board.clone(), no)),
            Quote::Cross(other, no) if other != *board || own.binary_search(&no).is_err() => cross.push((other, no)),
            _ => {}
        });
    }
    cross.sort_unstable();
    cross.dedup();
    cross.into()
}

/// `text` with runs of white space made one space, cut after `chars_max` characters with an ellipsis.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
            chars += 1;
        }
        for c in word.chars().filter(|c| !c.is_control() && !super::problem::is_bidi_control(*c)) {
            if chars_max <= chars {
                out.truncate(out.trim_end().len());
                out.push('…');
                return out;
            }
            out.push(c);
            chars += 1;
        }
    }
    out
}
