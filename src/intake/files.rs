//! The files below `public/`: small ones from a bounded memory, large ones in chunks from disk.
//!
//! A page in memory is packed once for all who take it so, either by whoever wrote its packed sibling or here. That is
//! done for one page at a time: who comes meanwhile gets the plain one, so nobody waits and nobody can make it dear.
//!
//! Whether a page is still the same is asked of the system each time. That is one call, a small part of what an answer
//! costs, and whoever changes a file, by whatever means, changes what the next reader gets.
//!
//! Packed siblings are asked for in the same way, but where there is none that is believed for the rest of the second: it
//! costs as much to learn that nothing is there, at each request of nearly every client. A sibling that comes is handed
//! out a moment later, and until then its page is, so nobody gets anything old.
//!
//! Memory is two generations: what is asked for stands in the young one, and when that is full it becomes the old one
//! and what nobody asked for since goes. That costs the same for one file as for a million.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xxhash_rust::xxh3::Xxh3;

use super::Limits;
use crate::model::Coding;

/// What stands at a path.
pub(super) enum Found {
    /// A file, with its bytes in memory.
    Memory(Arc<Kept>),
    /// A file that is too large for that, opened.
    Large(Arc<Kept>, Opened),
    /// A file that is too large for that, while so many of them are being sent that it has to wait.
    TooMany,
    /// A folder.
    Folder,
    /// Nothing that is served.
    Nothing,
}

/// A file that is open to be sent, and its place among all such.
pub(super) struct Opened {
    /// The file.
    pub file: File,
    /// Given back once the file is closed.
    pub place: OwnedSemaphorePermit,
}

/// What is kept in memory of a file.
#[derive(Clone)]
pub(super) struct Kept {
    /// The strong entity tag, in its quotes: a hash of the bytes.
    pub etag: HeaderValue,
    /// When the file was last changed.
    pub modified: SystemTime,
    /// The same as HTTP writes it.
    pub modified_date: HeaderValue,
    /// How many bytes it has.
    pub length: u64,
    /// The bytes; `None` of a large file.
    pub bytes: Option<Bytes>,
    packed: Packed,
    stamp: Stamp,
    /// The codings in which no packed sibling was there, and in which second that was: see [`Kept::lacks`].
    lacking: Arc<AtomicU64>,
}

/// A page as those get it who can unpack gzip.
#[derive(Clone)]
enum Packed {
    /// Nobody has asked for it yet.
    Unasked,
    /// It would not be smaller.
    Useless,
    /// It is there.
    Kept(Arc<Kept>),
}

/// How a file looked when it was read: if nothing here has changed, neither has the file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
    identity: Identity,
}

/// The files of one folder.
pub(super) struct Files {
    root: PathBuf,
    memory: Mutex<Memory>,
    file_bytes_max: usize,
    packer: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Files {
    pub(super) fn new(root: PathBuf, limits: &Limits) -> Files {
        let memory = Memory { generation_bytes_max: limits.cache_bytes_max / 2, ..Memory::default() };
        Files {
            root,
            memory: Mutex::new(memory),
            file_bytes_max: limits.cache_file_bytes_max,
            packer: Arc::new(Semaphore::new(1)),
            streams: Arc::new(Semaphore::new(limits.streams_max().min(Semaphore::MAX_PERMITS))),
        }
    }

    /// What stands at `inside`, a path that `path::target` has checked.
    pub(super) async fn find(self: &Arc<Self>, inside: &str) -> io::Result<Found> {
        let path = self.root.join(inside);
        // One `stat` on the async thread costs less than the way to another thread and back.
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return nothing_or(error),
        };
        if metadata.is_dir() {
            return Ok(Found::Folder);
        }
        // SECURITY: what is neither file nor folder is never opened; a pipe would block for ever.
        if !metadata.is_file() {
            return Ok(Found::Nothing);
        }
        let kept = self.memory().get(inside).filter(|kept| kept.stamp == Stamp::of(&metadata));
        if let Some(kept) = kept.as_ref().filter(|kept| kept.bytes.is_some()) {
            return Ok(Found::Memory(Arc::clone(kept)));
        }
        let (files, inside) = (Arc::clone(self), inside.to_owned());
        let opened = tokio::task::spawn_blocking(move || files.open(&path, inside, kept)).await;
        opened.unwrap_or_else(|panic| Err(io::Error::other(panic)))
    }

    /// The packed form of the file at `inside`, which is in memory as `plain`. `None` if it is not smaller, or not yet
    /// there and somebody else is packing.
    pub(super) async fn packed(self: &Arc<Self>, inside: &str, plain: &Arc<Kept>) -> Option<Arc<Kept>> {
        match &plain.packed {
            Packed::Kept(packed) => return Some(Arc::clone(packed)),
            Packed::Useless => return None,
            Packed::Unasked => {}
        }
        let turn = Arc::clone(&self.packer).try_acquire_owned().ok()?;
        let (files, inside, plain) = (Arc::clone(self), inside.to_owned(), Arc::clone(plain));
        let packing = tokio::task::spawn_blocking(move || {
            let packed = files.sibling(&inside, &plain).or_else(|| plain.packed_here().map(Arc::new));
            let known = packed.clone().map_or(Packed::Useless, Packed::Kept);
            files.memory().pack(inside, &plain, known);
            drop(turn);
            packed
        });
        packing.await.ok()?
    }

    /// The packed sibling of a file, if it is there and of the same state.
    fn sibling(&self, inside: &str, plain: &Kept) -> Option<Arc<Kept>> {
        let inside = format!("{inside}.gz");
        match self.open(&self.root.join(&inside), inside, None) {
            Ok(Found::Memory(kept)) if kept.modified == plain.modified => Some(kept),
            _ => None,
        }
    }

    /// Opens a file, and remembers what is to be remembered. `kept` holds the hash of a large file seen before.
    fn open(&self, path: &Path, inside: String, kept: Option<Arc<Kept>>) -> io::Result<Found> {
        // SECURITY: a link that leads out of `public/` is not followed.
        let real = match path.canonicalize().and_then(|real| Ok((real, self.root.canonicalize()?))) {
            Ok((real, root)) if real.starts_with(&root) => real,
            Ok(_) => return Ok(Found::Nothing),
            Err(error) => return nothing_or(error),
        };
        let mut file = match File::open(real) {
            Ok(file) => file,
            Err(error) => return nothing_or(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Found::Nothing);
        }
        if let Some(kept) = kept.filter(|kept| kept.stamp == Stamp::of(&metadata)) {
            return Ok(self.large(kept, file));
        }
        let kept = Arc::new(Kept::read(&mut file, &metadata, self.file_bytes_max)?);
        self.memory().put(inside, Arc::clone(&kept));
        Ok(if kept.bytes.is_some() { Found::Memory(kept) } else { self.large(kept, file) })
    }

    fn large(&self, kept: Arc<Kept>, file: File) -> Found {
        match Arc::clone(&self.streams).try_acquire_owned() {
            Ok(place) => Found::Large(kept, Opened { file, place }),
            Err(_) => Found::TooMany,
        }
    }

    /// What both generations take.
    pub(super) fn bytes_in_memory(&self) -> usize {
        let memory = self.memory();
        let cost = |(path, kept): (&String, &Arc<Kept>)| cost(path, kept);
        memory.young.iter().map(cost).sum::<usize>() + memory.old.iter().map(cost).sum::<usize>()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing under this lock panics half-way.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a failed look at a path means: some errors say that nothing is there.
fn nothing_or(error: io::Error) -> io::Result<Found> {
    use io::ErrorKind::*;
    match error.kind() {
        NotFound | NotADirectory | PermissionDenied | InvalidFilename | InvalidInput => Ok(Found::Nothing),
        // A link in a circle, for which the standard library has no stable name.
        _ if error.raw_os_error() == Some(libc::ELOOP) => Ok(Found::Nothing),
        _ => Err(error),
    }
}

impl Kept {
    /// Reads and hashes a file; one larger than `bytes_max` is only hashed, in chunks.
    fn read(file: &mut File, metadata: &Metadata, bytes_max: usize) -> io::Result<Kept> {
        let mut bytes = Vec::new();
        let mut hasher = Xxh3::new();
        let small = metadata.len() <= bytes_max as u64;
        if small {
            bytes.reserve_exact(metadata.len() as usize);
            (&*file).take(metadata.len()).read_to_end(&mut bytes)?;
            hasher.update(&bytes);
        } else {
            hash_whole(file, &mut hasher)?;
        }
        let length = if small { bytes.len() as u64 } else { metadata.len() };
        let stamp = Stamp::of(metadata);
        Ok(Kept::new(hasher.digest(), length, small.then(|| bytes.into()), stamp))
    }

    fn new(hash: u64, length: u64, bytes: Option<Bytes>, stamp: Stamp) -> Kept {
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Kept {
            etag: text(&format!("\"{hash:016x}-{length:x}\"")),
            modified: stamp.modified,
            modified_date: text(&httpdate::fmt_http_date(stamp.modified.max(UNIX_EPOCH))),
            length,
            bytes,
            packed: Packed::Unasked,
            stamp,
            lacking: Arc::default(),
        }
    }

    /// Whether somebody has noted in this second that there is no sibling of this coding.
    pub(super) fn lacks(&self, coding: Coding, second: u64) -> bool {
        let noted = self.lacking.load(Ordering::Relaxed);
        noted >> CODING_BITS == second && noted & bit(coding) != 0
    }

    /// Notes that.
    pub(super) fn note_lack(&self, coding: Coding, second: u64) {
        let noted = self.lacking.load(Ordering::Relaxed);
        let others = if noted >> CODING_BITS == second { noted } else { second << CODING_BITS };
        // If two note something at once, one of them looks again.
        self.lacking.store(others | bit(coding), Ordering::Relaxed);
    }

    /// The same packed, if that is smaller.
    fn packed_here(&self) -> Option<Kept> {
        let bytes = self.bytes.as_ref()?;
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::default());
        encoder.write_all(bytes).ok()?;
        let mut packed = encoder.finish().ok()?;
        packed.shrink_to_fit();
        let hash = xxhash_rust::xxh3::xxh3_64(&packed);
        let length = packed.len() as u64;
        (length < self.length).then(|| Kept::new(hash, length, Some(packed.into()), self.stamp))
    }
}

/// Bits for codings, below those of the second.
const CODING_BITS: u32 = 2;

fn bit(coding: Coding) -> u64 {
    match coding {
        Coding::Gzip => 1,
        Coding::Brotli => 2,
    }
}

fn hash_whole(file: &mut File, hasher: &mut Xxh3) -> io::Result<()> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(()),
            got => hasher.update(&chunk[..got]),
        }
    }
}

#[cfg(unix)]
type Identity = (u64, u64, i64, i64);

#[cfg(not(unix))]
type Identity = ();

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        Stamp { bytes: metadata.len(), modified, identity: identity(metadata) }
    }
}

/// Which file it is, and when its inode was changed, which no tool can set.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}

/// The two generations.
#[derive(Default)]
struct Memory {
    young: HashMap<String, Arc<Kept>>,
    young_bytes: usize,
    old: HashMap<String, Arc<Kept>>,
    generation_bytes_max: usize,
}

/// What an entry takes beside the file's bytes and its path: about the size of its fields and of its place in the map.
const ENTRY_BYTES: usize = 256;

impl Memory {
    fn get(&mut self, inside: &str) -> Option<Arc<Kept>> {
        if let Some(kept) = self.young.get(inside) {
            return Some(Arc::clone(kept));
        }
        let (inside, kept) = self.old.remove_entry(inside)?;
        self.put(inside, Arc::clone(&kept));
        Some(kept)
    }

    /// Adds what became of packing to an entry, unless it is of another state by now.
    fn pack(&mut self, inside: String, plain: &Kept, packed: Packed) {
        if self.get(&inside).is_some_and(|kept| kept.stamp == plain.stamp) {
            self.put(inside, Arc::new(Kept { packed, ..plain.clone() }));
        }
    }

    fn put(&mut self, inside: String, kept: Arc<Kept>) {
        let bytes = cost(&inside, &kept);
        if self.generation_bytes_max < self.young_bytes + bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.generation_bytes_max < bytes {
            return;
        }
        self.young_bytes += bytes;
        if let Some(before) = self.young.get(&inside) {
            self.young_bytes -= cost(&inside, before);
        }
        self.young.insert(inside, kept);
    }
}

fn cost(inside: &str, kept: &Kept) -> usize {
    let packed = match &kept.packed {
        Packed::Kept(packed) => ENTRY_BYTES + packed.bytes.as_ref().map_or(0, Bytes::len),
        Packed::Unasked | Packed::Useless => 0,
    };
    ENTRY_BYTES + inside.len() + kept.bytes.as_ref().map_or(0, Bytes::len) + packed
}
