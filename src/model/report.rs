//! What a build came to.

use super::{PageKey, Problem};

/// What a build came to.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Pages whose bytes are new.
    pub written: Vec<PageKey>,
    /// Bytes of those.
    pub bytes_written: u64,
    /// Pages that were left as they are, drawn or not.
    pub unchanged: usize,
    /// Files that were removed, by path below `public/`.
    pub removed: Vec<String>,
    /// Pages that were drawn.
    pub drawn: usize,
    /// Thread files that were read to see what changed.
    pub read: usize,
    /// Thread files that made it panic.
    pub panics: usize,
    /// What was wrong with single files.
    pub problems: Vec<Problem>,
}
