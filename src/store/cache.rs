//! The build cache: what was known of the content and of the output when a build ended, so that the next one need
//! not read and draw what is the same.
//!
//! It is never needed for correctness. Every entry is checked against its file, and a cache that is absent, torn, of
//! another version or of other settings is as good as none.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::model::{BoardSlug, PostNo, ThreadSummary};

/// Rises whenever the meaning of anything in the file changes.
const VERSION: u32 = 1;

/// What begins the file: a name and the version.
const MAGIC: [u8; 12] = *b"nejiboard\0\0\0";

/// What is remembered. `P` is what the output room remembers of a page.
#[derive(Serialize, Deserialize)]
pub struct Cache<P> {
    /// Tells with which program, theme and settings the pages were drawn.
    pub drawn_with: u64,
    /// The boards.
    pub boards: Vec<CachedBoard>,
    /// The pages, by path below `public/`.
    pub pages: Vec<(String, P)>,
}

/// What is remembered of a board.
#[derive(Serialize, Deserialize)]
pub struct CachedBoard {
    /// Its name.
    pub slug: BoardSlug,
    /// The setting that summaries depend on.
    pub bump_limit: usize,
    /// Each thread with the numbers of its posts.
    pub threads: Vec<(ThreadSummary, Vec<PostNo>)>,
}

/// Reads the cache; `None` if there is none that can be used.
pub fn load<P: for<'de> Deserialize<'de>>(path: &Path) -> Option<Cache<P>> {
    let bytes = std::fs::read(path).ok()?;
    let (head, body) = bytes.split_at_checked(HEAD_BYTES)?;
    if head != head_for(body) {
        return None;
    }
    postcard::from_bytes(body).ok()
}

/// Writes the cache. It is not synced: one that a power cut tears is seen to be torn.
pub fn save<P: Serialize>(path: &Path, cache: &Cache<P>) -> Result<(), DiskError> {
    let Ok(body) = postcard::to_stdvec(cache) else { return Ok(()) };
    let mut bytes = head_for(&body);
    bytes.extend_from_slice(&body);
    disk::replace_soon(path, &bytes)
}

const HEAD_BYTES: usize = MAGIC.len() + 4 + 8;

fn head_for(body: &[u8]) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(body).to_le_bytes());
    head
}
