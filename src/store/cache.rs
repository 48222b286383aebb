//! The build cache: what was known of the content and of the output when a build ended, so that the next one need
//! not read and draw what is the same.
//!
//! It is never needed for correctness. Every entry is checked against its file, and a cache that is absent, torn, of
//! another version or of other settings is as good as none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::disk::{self, DiskError};
use crate::model::places::Places;
use crate::model::{BoardSlug, PostNo, ThreadSummary};

/// Rises whenever the meaning of anything in the file changes.
const VERSION: u32 = 2;

/// What begins the file: a name and the version.
const MAGIC: [u8; 12] = *b"nejiboard\0\0\0";

/// What is remembered. `P` is what the output room remembers of a page.
#[derive(Serialize, Deserialize)]
pub struct Cache<'a, P: Clone> {
    /// Tells with which program, theme and settings the pages were drawn.
    pub drawn_with: u64,
    /// Tells which program made the summaries.
    pub made_by: u64,
    /// The boards.
    pub boards: Vec<CachedBoard<'a>>,
    /// The pages, by path below `public/`.
    pub pages: Cow<'a, BTreeMap<String, P>>,
}

/// What is remembered of a board.
#[derive(Serialize, Deserialize)]
pub struct CachedBoard<'a> {
    /// Its name.
    pub slug: BoardSlug,
    /// The setting that summaries depend on.
    pub bump_limit: usize,
    /// The threads by number.
    pub threads: Cow<'a, BTreeMap<PostNo, ThreadSummary>>,
    /// Where each post stands.
    pub places: Cow<'a, Places>,
}

/// Reads the cache; `None` if there is none that can be used.
pub fn load<P: Clone + for<'de> Deserialize<'de>>(path: &Path) -> Option<Cache<'static, P>> {
    let bytes = std::fs::read(path).ok()?;
    let body_from = MAGIC.len() + 4;
    let body_to = bytes.len().checked_sub(CHECKSUM_BYTES).filter(|to| body_from <= *to)?;
    let body = &bytes[body_from..body_to];
    let whole = bytes[..body_from] == head() && bytes[body_to..] == xxh3_64(body).to_le_bytes();
    if whole { postcard::from_bytes(body).ok() } else { None }
}

/// Writes the cache. It is not synced: one that a power cut tears is seen to be torn.
pub fn save<P: Clone + Serialize>(path: &Path, cache: &Cache<'_, P>) -> Result<(), DiskError> {
    disk::replace_soon_with(path, |out| {
        out.write_all(&head())?;
        let mut body = Hashing { out, hasher: Xxh3::new() };
        postcard::to_io(cache, &mut body).map_err(std::io::Error::other)?;
        let checksum = body.hasher.digest();
        out.write_all(&checksum.to_le_bytes())
    })
}

const CHECKSUM_BYTES: usize = 8;

fn head() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_le_bytes()].concat()
}

/// Passes bytes on and takes their hash.
struct Hashing<'a> {
    out: &'a mut dyn Write,
    hasher: Xxh3,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
