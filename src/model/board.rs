//! The name of a board.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a board as it stands in a URL and on disk, such as `tech`.
///
/// Invariant: 1 to 32 bytes of `a-z` and `0-9`, and not one of [`RESERVED`], so it is always one safe path segment
/// that collides with nothing else under `public/`. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BoardSlug(Arc<str>);

/// Names that a board cannot have, because the site or its door uses them.
pub const RESERVED: [&str; 17] = [
    "404", "all", "archive", "assets", "boards", "catalog", "feed", "healthz", "index", "metrics", "mod", "post",
    "purge", "report", "robots", "sitemap", "test",
];

/// Why a text is not a board's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSlug {
    /// Empty, too long, or with a character outside `a-z0-9`.
    #[error("a board's name is 1 to 32 of `a-z` and `0-9`")]
    Shape,
    /// One of [`RESERVED`].
    #[error("the site itself uses this name, choose another one for the board")]
    Reserved,
}

impl BoardSlug {
    /// Checks `text` and keeps it.
    pub fn parse(text: &str) -> Result<BoardSlug, BadSlug> {
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
        if text.is_empty() || 32 < text.len() || !text.bytes().all(allowed) {
            return Err(BadSlug::Shape);
        }
        if RESERVED.contains(&text) {
            return Err(BadSlug::Reserved);
        }
        Ok(BoardSlug(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BoardSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for BoardSlug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BoardSlug {
    type Error = BadSlug;

    fn try_from(text: String) -> Result<BoardSlug, BadSlug> {
        BoardSlug::parse(&text)
    }
}

impl From<BoardSlug> for String {
    fn from(slug: BoardSlug) -> String {
        slug.0.as_ref().to_owned()
    }
}
