//! What a member of staff does to a board: a record that goes through the inbox like a post.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::capcode::Capcode;
use super::problem::is_bidi_control;
use super::{BoardSlug, PostId, PostNo, ThreadFlags};

/// The most posts or threads that one act names.
pub const TARGETS_MAX: usize = 10_000;

/// The longest name of who acts, in characters.
pub const BY_CHARS_MAX: usize = 64;

/// The longest reason, in characters.
pub const WHY_CHARS_MAX: usize = 1_000;

/// The longest time that a ban or a posture is given, in hours: a hundred years and more.
pub const HOURS_MAX: u32 = 1_000_000;
/// The longest name, and the longest subject, of a post of staff, in characters.
pub const LINE_CHARS_MAX: usize = 500;

/// What the program itself does is done by this name.
pub const PROGRAM: &str = "nejiboard";

/// Readers do what they may by this name.
pub const READER: &str = "reader";

/// An act: who does what, when and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Act {
    /// What makes it be logged exactly once. A hand-written one may have none.
    pub id: Option<PostId>,
    /// When it was decided; `None` means when it is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// The name of the member of staff; `nejiboard` for the program itself.
    pub by: String,
    /// The reason, for the log; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What is done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What is done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "lowercase")]
pub enum Deed {
    /// Posts become tombstones. With an opening post goes its whole thread.
    Delete {
        /// The board.
        board: BoardSlug,
        /// The posts' numbers.
        posts: Vec<PostNo>,
    },
    /// Deleted posts come back as they were.
    Restore {
        /// The board.
        board: BoardSlug,
        /// The posts' numbers; an opening post's stands for its thread.
        posts: Vec<PostNo>,
    },
    /// A flag of threads is put on or off.
    Set {
        /// The board.
        board: BoardSlug,
        /// The threads' numbers.
        threads: Vec<PostNo>,
        /// Which flag.
        flag: Flag,
        /// Whether it is on then.
        on: bool,
    },
    /// A thread goes to another board, where its posts get new numbers.
    Move {
        /// The board.
        board: BoardSlug,
        /// The thread's number.
        thread: PostNo,
        /// The board to which it goes.
        to: BoardSlug,
    },
    /// The text of a post is replaced.
    Edit {
        /// The board.
        board: BoardSlug,
        /// The post's number.
        post: PostNo,
        /// The new text.
        body: String,
    },
    /// All posts of a board since a time become tombstones, or all that one poster has sent, wherever they stand.
    Wipe {
        /// The board.
        board: BoardSlug,
        /// A post of the poster whose posts are meant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        post: Option<PostNo>,
        /// From when on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<DateTime<Utc>>,
    },
    /// Addresses of a range, or whoever sent a post, may not post any more.
    Ban {
        /// The range.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<IpNet>,
        /// The board of the post.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        board: Option<BoardSlug>,
        /// The post.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        post: Option<PostNo>,
        /// Instead of both, a post that is held, or was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<PostId>,
        /// The board on which it holds; all if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<BoardSlug>,
        /// How long; for ever if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<u32>,
    },
    /// Whoever has an address may not post any more: what a filter decides.
    BanSender {
        /// The keyed hash of the address.
        sender: String,
        /// The board on which it holds; all if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<BoardSlug>,
        /// How long; for ever if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<u32>,
    },
    /// A ban is lifted.
    Unban {
        /// The act that made it.
        of: PostId,
    },
    /// A reader says that somebody should look at a post; the reason is the act's.
    Report {
        /// The board.
        board: BoardSlug,
        /// The post's number.
        post: PostNo,
    },
    /// What was reported of posts needs nothing done.
    Dismiss {
        /// The board.
        board: BoardSlug,
        /// The posts' numbers.
        posts: Vec<PostNo>,
    },
    /// Posts that were held are accepted.
    Approve {
        /// Their ids.
        held: Vec<PostId>,
    },
    /// Posts that were held are thrown away.
    Deny {
        /// Their ids.
        held: Vec<PostId>,
    },
    /// The door is opened or closed, or half.
    Posture {
        /// How.
        posture: Posture,
        /// When all is calm again; never by itself if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// A member of staff posts.
    Post {
        /// The board.
        board: BoardSlug,
        /// The thread that is answered; a new one if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<PostNo>,
        /// The mark behind the name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capcode: Option<Capcode>,
        /// The name, without a key.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// The tripcode.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        trip: String,
        /// The subject.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        subject: String,
        /// Whether it leaves its thread where it is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sage: bool,
        /// The text. The log does not keep it.
        body: String,
    },
    /// What an earlier act changed is put back as it was.
    Undo {
        /// That act's id.
        of: PostId,
    },
}

/// How open the door is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posture {
    /// As the settings say.
    #[default]
    Calm,
    /// New threads and posts with links are held, and each address may send half as much.
    Guarded,
    /// No post is taken.
    Closed,
}

impl Posture {
    /// All of them, by their names.
    pub const NAMED: [(&'static str, Posture); 3] =
        [("calm", Posture::Calm), ("guarded", Posture::Guarded), ("closed", Posture::Closed)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Posture::NAMED.iter().find(|(_, posture)| *posture == self).map_or("", |(name, _)| name)
    }
}

/// A flag of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flag {
    /// Stays above all threads that are not.
    Sticky,
    /// Takes no replies.
    Locked,
    /// Has left the index for good.
    Archived,
    /// No reply bumps it.
    Bumplock,
    /// Loses its oldest replies instead of filling up.
    Cyclic,
}

impl Deed {
    /// The board that it is about, if it names one.
    pub fn board(&self) -> Option<&BoardSlug> {
        match self {
            Deed::Delete { board, .. }
            | Deed::Restore { board, .. }
            | Deed::Set { board, .. }
            | Deed::Move { board, .. }
            | Deed::Edit { board, .. }
            | Deed::Wipe { board, .. }
            | Deed::Report { board, .. }
            | Deed::Post { board, .. }
            | Deed::Dismiss { board, .. } => Some(board),
            Deed::Ban { board, .. } => board.as_ref(),
            Deed::BanSender { only, .. } => only.as_ref(),
            Deed::Approve { .. } | Deed::Deny { .. } | Deed::Posture { .. } => None,
            Deed::Undo { .. } | Deed::Unban { .. } => None,
        }
    }

    /// The posts or threads that it names.
    pub fn targets(&self) -> &[PostNo] {
        match self {
            Deed::Delete { posts, .. } | Deed::Restore { posts, .. } | Deed::Dismiss { posts, .. } => posts,
            Deed::Set { threads, .. } => threads,
            Deed::Move { thread, .. } => std::slice::from_ref(thread),
            Deed::Edit { post, .. } | Deed::Report { post, .. } => std::slice::from_ref(post),
            Deed::Wipe { post, .. } | Deed::Ban { post, .. } => post.as_slice(),
            Deed::Post { thread, .. } => thread.as_slice(),
            Deed::BanSender { .. } | Deed::Undo { .. } | Deed::Unban { .. } => &[],
            Deed::Approve { .. } | Deed::Deny { .. } | Deed::Posture { .. } => &[],
        }
    }

    /// The posts that it names that were held.
    pub fn held(&self) -> &[PostId] {
        match self {
            Deed::Approve { held } | Deed::Deny { held } => held,
            Deed::Ban { held, .. } => held.as_slice(),
            _ => &[],
        }
    }

    /// What it is called, as on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Deed::Delete { .. } => "delete",
            Deed::Restore { .. } => "restore",
            Deed::Set { flag, on, .. } => flag.verb(*on),
            Deed::Move { .. } => "move",
            Deed::Edit { .. } => "edit",
            Deed::Wipe { .. } => "wipe",
            Deed::Ban { .. } | Deed::BanSender { .. } => "ban",
            Deed::Unban { .. } => "unban",
            Deed::Report { .. } => "report",
            Deed::Dismiss { .. } => "dismiss",
            Deed::Approve { .. } => "approve",
            Deed::Deny { .. } => "deny",
            Deed::Posture { posture, .. } => posture.name(),
            Deed::Undo { .. } => "undo",
            Deed::Post { .. } => "post",
        }
    }
}

impl Flag {
    fn verb(self, on: bool) -> &'static str {
        match (self, on) {
            (Flag::Sticky, true) => "sticky",
            (Flag::Sticky, false) => "unsticky",
            (Flag::Locked, true) => "lock",
            (Flag::Locked, false) => "unlock",
            (Flag::Archived, true) => "archive",
            (Flag::Archived, false) => "unarchive",
            (Flag::Bumplock, true) => "bumplock",
            (Flag::Bumplock, false) => "unbumplock",
            (Flag::Cyclic, true) => "cyclic",
            (Flag::Cyclic, false) => "uncyclic",
        }
    }
}

impl ThreadFlags {
    /// Whether a flag is on.
    pub fn get(&self, flag: Flag) -> bool {
        match flag {
            Flag::Sticky => self.sticky,
            Flag::Locked => self.locked,
            Flag::Archived => self.archived,
            Flag::Bumplock => self.bumplock,
            Flag::Cyclic => self.cyclic,
        }
    }

    /// Puts a flag on or off.
    pub fn set(&mut self, flag: Flag, on: bool) {
        *match flag {
            Flag::Sticky => &mut self.sticky,
            Flag::Locked => &mut self.locked,
            Flag::Archived => &mut self.archived,
            Flag::Bumplock => &mut self.bumplock,
            Flag::Cyclic => &mut self.cyclic,
        } = on;
    }
}

/// Whether a name or a subject is one that the door would take, but for the limits of a board.
fn is_line(text: &str) -> bool {
    text.chars().count() <= LINE_CHARS_MAX && !text.chars().any(|c| c.is_control() || is_bidi_control(c))
}

impl Act {
    /// Checks what no type does; the message says what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.by.trim().is_empty() || BY_CHARS_MAX < self.by.chars().count() {
            return Err("`by` is the name of who acts, 1 to 64 characters");
        }
        if WHY_CHARS_MAX < self.why.chars().count() {
            return Err("`why` is at most 1,000 characters");
        }
        if TARGETS_MAX < self.deed.targets().len() {
            return Err("an act names at most 10,000 posts");
        }
        match &self.deed {
            Deed::Delete { posts, .. } | Deed::Restore { posts, .. } | Deed::Dismiss { posts, .. }
                if posts.is_empty() =>
            {
                Err("`posts` is empty")
            }
            Deed::Approve { held } | Deed::Deny { held } if held.is_empty() => Err("`held` is empty"),
            Deed::Approve { held } | Deed::Deny { held } if TARGETS_MAX < held.len() => {
                Err("an act names at most 10,000 posts")
            }
            Deed::Wipe { post: None, since: None, .. } => Err("a wipe needs a `post` or a time, `since`"),
            Deed::Ban { range: None, held: None, board, post, .. } if board.is_none() || post.is_none() => {
                Err("a ban needs a `range`, or a `board` and a `post`, or a `held` post")
            }
            Deed::Ban { range, post, held, .. }
                if 1 < [range.is_some(), post.is_some(), held.is_some()].into_iter().filter(|is| *is).count() =>
            {
                Err("a ban has a `range` or a `post` or a `held` post, not several of them")
            }
            Deed::Ban { hours: Some(hours), .. } | Deed::BanSender { hours: Some(hours), .. } if HOURS_MAX < *hours => {
                Err("a ban lasts at most 1,000,000 hours; without `hours` it has no end")
            }
            Deed::Set { threads, .. } if threads.is_empty() => Err("`threads` is empty"),
            Deed::Post { name, trip, subject, .. } if ![name, trip, subject].into_iter().all(|text| is_line(text)) => {
                Err("name and subject are one line of at most 500 characters each")
            }
            Deed::Edit { body, .. } | Deed::Post { body, .. } if body.trim().is_empty() => {
                Err("a post needs some text")
            }
            Deed::Edit { body, .. } | Deed::Post { body, .. } if 1 << 20 < body.len() => {
                Err("the text of this post is larger than 1 MiB")
            }
            _ => Ok(()),
        }
    }
}
