//! The build cache: what was known of the content and of the output when a build ended, so that the next one need
//! not read and draw what is the same.
//!
//! It is never needed for correctness. Every entry is checked against its file, and a cache that is absent, torn, of
//! another version or of other settings is as good as none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::disk::{self, DiskError};
use crate::model::places::Places;
use crate::model::{BoardSlug, PostNo, ThreadSummary};

/// Rises whenever the meaning of anything in the file changes.
const VERSION: u32 = 4;

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
    /// Their packed siblings, by path below `public/`.
    pub siblings: Cow<'a, BTreeMap<String, P>>,
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
    let mut file = File::open(path).ok()?;
    let body_bytes = file.metadata().ok()?.len().checked_sub((head().len() + CHECKSUM_BYTES) as u64)?;
    let mut found_head = vec![0; head().len()];
    file.read_exact(&mut found_head).ok()?;
    if found_head != head() {
        return None;
    }
    // Piece by piece: the file need not be in memory beside what is made of it. Whether it is whole shows at the end.
    let body = Hashing { inner: (&mut file).take(body_bytes), hasher: Xxh3::new() };
    let mut buffered = BufReader::with_capacity(1 << 16, body);
    let mut scratch = vec![0; TEXT_BYTES_MAX];
    let (cache, _) = postcard::from_io((&mut buffered, scratch.as_mut_slice())).ok()?;
    let consumed = buffered.buffer().is_empty();
    let body = buffered.into_inner();
    let (rest, hash) = (body.inner.limit(), body.hasher.digest());
    let mut checksum = [0; CHECKSUM_BYTES];
    file.read_exact(&mut checksum).ok()?;
    (consumed && rest == 0 && checksum == hash.to_le_bytes()).then_some(cache)
}

/// Longer texts than this are in no summary and no path. A cache that claims one is torn.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Writes the cache. It is not synced: one that a power cut tears is seen to be torn.
pub fn save<P: Clone + Serialize>(path: &Path, cache: &Cache<'_, P>) -> Result<(), DiskError> {
    disk::replace_soon_with(path, |out| {
        out.write_all(&head())?;
        // Numbers come one by one, of a few bytes each; hashing them so takes longer than all the rest.
        let mut body = BufWriter::new(Hashing { inner: &mut *out, hasher: Xxh3::new() });
        postcard::to_io(cache, &mut body).map_err(io::Error::other)?;
        disk::point("within cache file");
        body.flush()?;
        let checksum = body.get_ref().hasher.digest();
        drop(body);
        out.write_all(&checksum.to_le_bytes())
    })
}

const CHECKSUM_BYTES: usize = 8;

fn head() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_le_bytes()].concat()
}

/// Passes bytes on and takes their hash.
struct Hashing<T> {
    inner: T,
    hasher: Xxh3,
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..taken]);
        Ok(taken)
    }
}
