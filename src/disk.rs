//! A few helpers for files that put the path in the error, and that say what is durable and what is not.

mod points;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use points::point;

use crate::model::Stamp;

/// A file or folder that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct DiskError {
    /// The verb, such as `read`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// For `map_err`: puts the verb and the path around what the system said.
    pub fn doing(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        move |source| DiskError { action, path: path.to_owned(), source }
    }

    /// Whether the file or folder is not there.
    pub fn is_absent(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

static FILES_READ: AtomicU64 = AtomicU64::new(0);
static FILES_WRITTEN: AtomicU64 = AtomicU64::new(0);
static BYTES_WRITTEN: AtomicU64 = AtomicU64::new(0);

/// What the process has asked of the disk: files that were read or written whole. Looking at a file does not count.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Files read.
    pub files_read: u64,
    /// Files written.
    pub files_written: u64,
    /// Bytes of those.
    pub bytes_written: u64,
}

impl Counts {
    /// Since the process began.
    pub fn so_far() -> Counts {
        Counts {
            files_read: FILES_READ.load(Ordering::Relaxed),
            files_written: FILES_WRITTEN.load(Ordering::Relaxed),
            bytes_written: BYTES_WRITTEN.load(Ordering::Relaxed),
        }
    }

    /// Since then.
    pub fn since(self, then: Counts) -> Counts {
        Counts {
            files_read: self.files_read - then.files_read,
            files_written: self.files_written - then.files_written,
            bytes_written: self.bytes_written - then.bytes_written,
        }
    }
}

/// Counts a file that is written.
pub fn count_written(bytes: usize) {
    FILES_WRITTEN.fetch_add(1, Ordering::Relaxed);
    BYTES_WRITTEN.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Reads a whole file. Whatever else stands there is an error: to open a pipe would wait for ever.
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    Ok(read_with_meta(path)?.0)
}

/// The same, with what the system tells of the file, from before its bytes were read.
///
/// One look-up of the path and three calls more, which is half of what [`fs::metadata`] and [`fs::read`] need.
pub fn read_with_meta(path: &Path) -> Result<(Vec<u8>, Metadata), DiskError> {
    let whole = || {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        let mut bytes = Vec::new();
        // A file may claim any size; one that does not fit is an error and not the end of the process.
        bytes.try_reserve_exact(usize::try_from(meta.len()).map_err(io::Error::other)?)?;
        // Up to where it ended when it was looked at, so that its end need not be asked for once more.
        file.take(meta.len()).read_to_end(&mut bytes)?;
        FILES_READ.fetch_add(1, Ordering::Relaxed);
        Ok((bytes, meta))
    };
    whole().map_err(DiskError::doing("read", path))
}

/// Makes a folder and those above it.
pub fn create_dir_all(path: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(path).map_err(DiskError::doing("make the folder", path))
}

/// Makes a folder in one that is there, and waits until its name is on disk: what is synced into it would be lost
/// together with it. One that is there already costs no more than a look.
pub fn create_dir_durably(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    create_dir_all(path)?;
    sync_parent(path)
}

/// The same for a folder that only its owner may enter.
pub fn create_private_dir(path: &Path) -> Result<(), DiskError> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(DiskError::doing("make the folder", path))?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> Result<(), DiskError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new(".")))
}

/// Removes the drafts in a folder that a crash has left. One that stays is found again at the next start.
pub fn sweep_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_draft) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// How a file looks now.
pub fn stamp(meta: &Metadata) -> Stamp {
    Stamp {
        bytes: meta.len(),
        modified_ns: nanoseconds(meta.mtime(), meta.mtime_nsec()),
        changed_ns: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        inode: meta.ino(),
    }
}

/// A stamp tells whether a file changed, and nothing else. So a year that has no number of nanoseconds may share one.
fn nanoseconds(seconds: i64, below: i64) -> i64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(below)
}

/// The name beside `path` under which a file is drafted before it is renamed: hidden, so that nothing takes it for
/// the real one, and always the same, so that a draft left by a crash is written over or found by its ending.
pub fn draft_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{DRAFT_ENDING}"))
}

/// What the name of a draft ends in; it begins with a dot.
pub const DRAFT_ENDING: &str = ".draft";

/// Whether a file of this name was left by a write that never ended.
pub fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(DRAFT_ENDING)
}

/// Replaces a file so that after a crash either the old or the new one is there whole, and waits until its bytes are
/// on disk. The *name* is durable only after [`sync_folder`] of the folder.
pub fn replace_durably(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    replace(path, 0o644, Durability::Synced, |file| file.write_all(bytes))
}

/// The same for a file that nobody but its owner may read.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    replace(path, 0o600, Durability::Synced, |file| file.write_all(bytes))
}

/// Replaces a file that can be made again: readers see the old or the new one whole, a power cut may lose it.
pub fn replace_soon(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    replace(path, 0o644, Durability::Soon, |file| file.write_all(bytes))
}

/// The same for what is better written piece by piece than held in memory.
pub fn replace_soon_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DiskError> {
    replace(path, 0o644, Durability::Soon, |file| {
        let mut buffered = BufWriter::with_capacity(1 << 16, file);
        write(&mut buffered)?;
        buffered.flush()
    })
}

#[derive(PartialEq)]
enum Durability {
    Synced,
    Soon,
}

/// Writes a draft and renames it.
fn replace(
    path: &Path,
    mode: u32,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), DiskError> {
    let draft = draft_path(path);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
        write(&mut file)?;
        count_written(usize::try_from(file.stream_position()?).map_err(io::Error::other)?);
        if durability == Durability::Synced {
            file.sync_data()?;
        }
        point("replacement written, the old file still there");
        fs::rename(&draft, path)
    })();
    written.map_err(|source| {
        // The draft may hold the last free bytes of a full disk.
        let _ = fs::remove_file(&draft);
        DiskError { action: "write", path: path.to_owned(), source }
    })
}

/// A file that is written and on disk, but not yet under its name. Dropped, it is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    inode: u64,
    bytes: u64,
    placed: bool,
}

impl Draft {
    /// Writes `bytes`, which are to become the file `path`, and waits until they are on disk.
    pub fn write(path: PathBuf, bytes: &[u8]) -> Result<Draft, DiskError> {
        let mut draft = Draft { path, inode: 0, bytes: bytes.len() as u64, placed: false };
        let written = (|| {
            let mut file = File::create(draft_path(&draft.path))?;
            file.write_all(bytes)?;
            count_written(bytes.len());
            point("draft written");
            file.sync_data()?;
            point("draft synced");
            file.metadata()
        })();
        draft.inode = written.map_err(DiskError::doing("write", &draft.path))?.ino();
        Ok(draft)
    }

    /// Gives it its name, over the file that looks like `old`; if another one stands there by now, nothing is done.
    pub fn replace(self, old: &Stamp) -> Result<Stamp, DiskError> {
        let there = fs::metadata(&self.path).map_err(DiskError::doing("look at", &self.path))?;
        if stamp(&there) != *old {
            let source = io::Error::new(io::ErrorKind::ResourceBusy, "somebody else has just changed it");
            return Err(DiskError { action: "replace", path: self.path.clone(), source });
        }
        let renamed = fs::rename(draft_path(&self.path), &self.path);
        self.finish(renamed)
    }

    /// Gives it its name, at which nothing stands; if something does by now, nothing is done.
    pub fn place(self) -> Result<Stamp, DiskError> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let draft = draft_path(&self.path);
        let renamed = match renameat_with(CWD, &draft, CWD, &self.path, RenameFlags::NOREPLACE) {
            // Some file systems do not know how; the name was free a moment ago.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::rename(&draft, &self.path),
            renamed => renamed.map_err(io::Error::from),
        };
        self.finish(renamed)
    }

    /// Tells how the file looks. Should somebody have replaced it in the meantime, the stamp is one that no file has.
    fn finish(mut self, renamed: io::Result<()>) -> Result<Stamp, DiskError> {
        renamed.map_err(DiskError::doing("write", &self.path))?;
        self.placed = true;
        let now = stamp(&fs::metadata(&self.path).map_err(DiskError::doing("look at", &self.path))?);
        Ok(if now.inode == self.inode && now.bytes == self.bytes { now } else { Stamp::default() })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            // It may hold the last free bytes of a full disk.
            let _ = fs::remove_file(draft_path(&self.path));
        }
    }
}

/// Keeps others out who lock the same folder, until what it gives is dropped, or the process ends. Some file systems, such
/// as NFS, lock no folders; there nobody is kept out.
pub fn lock_folder(path: &Path) -> Result<File, DiskError> {
    let folder = File::open(path).map_err(DiskError::doing("lock", path))?;
    match folder.lock() {
        Err(error) if !matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOLCK | libc::EOPNOTSUPP)) => {
            Err(DiskError { action: "lock", path: path.to_owned(), source: error })
        }
        _ => Ok(folder),
    }
}

/// Waits until the names in a folder are on disk.
pub fn sync_folder(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(DiskError::doing("sync the folder", path))
}
