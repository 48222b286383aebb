//! The files below `public/`: small ones from a bounded memory, large ones in chunks from disk.
//!
//! Memory is two generations: what is asked for stands in the young one, and when that is full it becomes the old one
//! and what nobody asked for since goes. That costs the same for one file as for a million.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::Limits;

/// What stands at a path.
pub(super) enum Found {
    /// A file, with its bytes in memory.
    Memory(Arc<Kept>),
    /// A file that is too large for that, opened.
    Large(Arc<Kept>, File),
    /// A folder.
    Folder,
    /// Nothing that is served.
    Nothing,
}

/// What is kept in memory of a file.
pub(super) struct Kept {
    /// The strong entity tag, in its quotes: a hash of the bytes.
    pub etag: String,
    /// When the file was last changed.
    pub modified: SystemTime,
    /// How many bytes it has.
    pub length: u64,
    /// The bytes; `None` of a large file.
    pub bytes: Option<Bytes>,
    stamp: Stamp,
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
}

impl Files {
    pub(super) fn new(root: PathBuf, limits: &Limits) -> Files {
        let memory = Memory { generation_bytes_max: limits.cache_bytes_max / 2, ..Memory::default() };
        Files { root, memory: Mutex::new(memory), file_bytes_max: limits.cache_file_bytes_max }
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
            return Ok(Found::Large(kept, file));
        }
        let kept = Arc::new(Kept::read(&mut file, &metadata, self.file_bytes_max)?);
        self.memory().put(inside, Arc::clone(&kept));
        Ok(if kept.bytes.is_some() { Found::Memory(kept) } else { Found::Large(kept, file) })
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
            file.by_ref().take(metadata.len()).read_to_end(&mut bytes)?;
            hasher.update(&bytes);
        } else {
            hash_whole(file, &mut hasher)?;
        }
        let length = if small { bytes.len() as u64 } else { metadata.len() };
        Ok(Kept {
            etag: format!("\"{:016x}-{length:x}\"", hasher.digest()),
            modified: metadata.modified().unwrap_or(UNIX_EPOCH),
            length,
            bytes: small.then(|| bytes.into()),
            stamp: Stamp::of(metadata),
        })
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
    ENTRY_BYTES + inside.len() + kept.bytes.as_ref().map_or(0, Bytes::len)
}
