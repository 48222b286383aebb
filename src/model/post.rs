//! One post and what identifies it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::BoardSlug;

/// A post's number, unique within its board and rising with time.
///
/// Invariant: 1 to [`PostNo::MAX`], so that every JSON reader keeps it exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PostNo(u64);

/// A number is 0 or above [`PostNo::MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a post's number is 1 to 9007199254740991")]
pub struct BadPostNo;

impl PostNo {
    /// The first number of every board.
    pub const MIN: PostNo = PostNo(1);

    /// The largest whole number below which every double is exact: 2^53 - 1.
    pub const MAX: PostNo = PostNo((1 << 53) - 1);

    /// Keeps `no` if it is in range.
    pub fn new(no: u64) -> Option<PostNo> {
        (1..=PostNo::MAX.0).contains(&no).then_some(PostNo(no))
    }

    /// Reads ASCII digits without sign, space or leading zero.
    pub fn parse(text: &str) -> Option<PostNo> {
        let plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit());
        if !plain || text.starts_with('0') {
            return None;
        }
        PostNo::new(text.parse().ok()?)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number after this one; `None` once the board has used all of them.
    pub fn next(self) -> Option<PostNo> {
        PostNo::new(self.0 + 1)
    }
}

impl fmt::Display for PostNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for PostNo {
    type Error = BadPostNo;

    fn try_from(no: u64) -> Result<PostNo, BadPostNo> {
        PostNo::new(no).ok_or(BadPostNo)
    }
}

impl From<PostNo> for u64 {
    fn from(no: PostNo) -> u64 {
        no.0
    }
}

/// A post of whatever board; `art/31` as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostKey {
    /// The board.
    pub board: BoardSlug,
    /// Its number there.
    pub no: PostNo,
}

/// A text that cannot be a [`PostKey`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a post of another board is written like `art/31`")]
pub struct BadPostKey;

impl PostKey {
    /// Reads `art/31`.
    pub fn parse(text: &str) -> Result<PostKey, BadPostKey> {
        let (board, no) = text.split_once('/').ok_or(BadPostKey)?;
        Ok(PostKey {
            board: BoardSlug::parse(board).map_err(|_| BadPostKey)?,
            no: PostNo::parse(no).ok_or(BadPostKey)?,
        })
    }
}

impl fmt::Display for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.board, self.no)
    }
}

impl TryFrom<String> for PostKey {
    type Error = BadPostKey;

    fn try_from(text: String) -> Result<PostKey, BadPostKey> {
        PostKey::parse(&text)
    }
}

impl From<PostKey> for String {
    fn from(key: PostKey) -> String {
        key.to_string()
    }
}

/// What a post got when it was accepted, so that it is added exactly once. The door uses ULIDs.
///
/// Invariant: 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostId(Arc<str>);

/// A text that cannot be a [`PostId`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an id is 1 to 64 of `A-Z`, `a-z`, `0-9`, `-` and `_`")]
pub struct BadPostId;

impl PostId {
    /// Checks `text` and keeps it.
    pub fn parse(text: &str) -> Result<PostId, BadPostId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.is_empty() || 64 < text.len() || !text.bytes().all(allowed) {
            return Err(BadPostId);
        }
        Ok(PostId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PostId {
    type Error = BadPostId;

    fn try_from(text: String) -> Result<PostId, BadPostId> {
        PostId::parse(&text)
    }
}

impl From<PostId> for String {
    fn from(id: PostId) -> String {
        id.0.as_ref().to_owned()
    }
}

/// One post as its thread's file holds it.
#[derive(Clone, PartialEq, Debug)]
pub struct Post {
    /// Its number on its board.
    pub no: PostNo,
    /// When it was accepted, in whole seconds. The Unix epoch stands for "not known".
    pub at: DateTime<Utc>,
    /// The poster's name; empty means the board's anonymous name.
    pub name: String,
    /// The tripcode with its leading `!` or `!!`; empty if there is none.
    pub trip: String,
    /// What stands for its sender among the posters of its thread; empty if nothing does.
    pub poster_id: String,
    /// The role of a member of staff who signed as such; empty for everyone else.
    pub capcode: String,
    /// The subject; empty if there is none.
    pub subject: String,
    /// Whether the reply leaves its thread where it is on the index.
    pub sage: bool,
    /// A tombstone: the number stays taken, the rest is gone.
    pub deleted: bool,
    /// Where it stands now, if it was moved to another board; then this is a tombstone.
    pub moved: Option<PostKey>,
    /// What the post got when it was accepted; imported and hand-written posts may have none.
    pub id: Option<PostId>,
    /// What the poster typed, unrendered.
    pub body: String,
}

impl Post {
    /// A post of which only the number is known.
    pub fn new(no: PostNo) -> Post {
        Post {
            no,
            at: DateTime::UNIX_EPOCH,
            name: String::new(),
            trip: String::new(),
            poster_id: String::new(),
            capcode: String::new(),
            subject: String::new(),
            sage: false,
            deleted: false,
            moved: None,
            id: None,
            body: String::new(),
        }
    }
}
