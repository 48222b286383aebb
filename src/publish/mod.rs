//! Pages to `public/`: what is the same is not touched, what is different is swapped in whole.
//!
//! A [`Folder`] remembers what it holds, so that a page is compared by its hash and nothing is read back. It is
//! written to in place by an incremental build, page by page (a draft, then a rename), or filled from nothing beside
//! the old one and then exchanged with it. In both cases an unchanged page keeps its modification time, and a changed
//! one gets a strictly later whole second, because clients and proxies compare `Last-Modified` exactly.

mod alias;
mod fresh;
mod known;
mod siblings;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use fresh::{Fresh, Packing, sweep};
pub use known::{Known, Remembered, Shelf, Surveyed, hash};
pub use siblings::Siblings;

use crate::disk::{self, DiskError};
use crate::model::Page;

/// What became of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its bytes were already there.
    Unchanged,
    /// It was written; so many bytes.
    Written(usize),
}

/// Where pages go. Safe to call from several threads, for different pages.
pub trait Target: Sync {
    /// Puts a page in its place, unless it is there already. Gives what is known of it then.
    fn put(&self, page: &Page) -> Result<(Outcome, Known), DiskError>;
}

/// The folder `public/` of a running site, written in place.
pub struct InPlace<'a> {
    /// What it holds.
    pub shelf: &'a Shelf,
    /// What is packed of it.
    pub siblings: &'a Siblings,
    /// The time of this build: whole seconds since the Unix epoch.
    pub now: u64,
}

impl Target for InPlace<'_> {
    fn put(&self, page: &Page) -> Result<(Outcome, Known), DiskError> {
        let path = page.key.path();
        let hash = known::hash(&page.bytes);
        if let Some(known) = self.shelf.get(&path)
            && known.is(hash, page.bytes.len())
        {
            return Ok((Outcome::Unchanged, *known));
        }
        let target = self.shelf.root().join(&path);
        let old = match self.shelf.get(&path) {
            Some(known) => Some(known.modified),
            None => match known::look(&target)? {
                Some(there) if there.bytes == page.bytes.len() as u64 && disk::read(&target)? == page.bytes => {
                    return Ok((Outcome::Unchanged, Known { hash, ..there }));
                }
                there => there.map(|there| there.modified),
            },
        };
        if let Some(known) = alias::put(self.shelf.root(), page, &target, || self.siblings.clear(&path))? {
            return Ok((Outcome::Written(0), Known { hash, ..known }));
        }
        let times = (old, self.now);
        let known = write_over(&target, &page.bytes, hash, times, || self.siblings.clear(&path))?;
        Ok((Outcome::Written(page.bytes.len()), known))
    }
}

/// The modification time of a page that replaces one of the time `old`: now, or a second later than the old one.
fn later_than(old: Option<u64>, now: u64) -> u64 {
    old.map_or(now, |old| now.max(old + 1))
}

/// Puts a page in the place of the one of the time `old`, or where none was. What `before` gives, just before the page
/// takes its place, is held until it has.
fn write_over<T>(
    target: &Path,
    bytes: &[u8],
    hash: u64,
    (old, now): (Option<u64>, u64),
    before: impl FnOnce() -> io::Result<T>,
) -> Result<Known, DiskError> {
    let draft = disk::draft_path(target);
    let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
    let written = write_new(&draft, bytes, later_than(old, now), &options).and_then(|known| {
        disk::point("page drafted");
        let _held = before()?;
        match old {
            Some(_) => swap(&draft, target)?,
            None => fs::rename(&draft, target)?,
        }
        disk::point("page put");
        Ok(known)
    });
    match written {
        Ok(known) => Ok(Known { hash, ..known }),
        Err(source) => {
            // The draft may hold the last free bytes of a full disk.
            let _ = fs::remove_file(&draft);
            Err(DiskError { action: "write", path: target.to_owned(), source })
        }
    }
}

/// Puts a draft in the place of a file, at once, and removes that file.
///
/// The two are exchanged, not renamed one over the other: ext4 takes a rename over a file for a program that hopes to
/// be durable, and writes the bytes out before it goes on. A page can be drawn again, and need not wait for the disk.
fn swap(draft: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    // A folder would be exchanged as well, and then be there under the draft's name.
    let is_file = fs::symlink_metadata(target).is_ok_and(|meta| meta.is_file());
    if is_file && renameat_with(CWD, draft, CWD, target, RenameFlags::EXCHANGE).is_ok() {
        disk::point("pages exchanged");
        // A draft that stays is swept at the next start.
        let _ = fs::remove_file(draft);
        return Ok(());
    }
    // Gone in the meantime, or a file system that cannot exchange.
    fs::rename(draft, target)
}

/// Writes a file that nobody reads yet, with this modification time; makes its folder if it has none.
fn write_new(path: &Path, bytes: &[u8], modified: u64, options: &OpenOptions) -> io::Result<Known> {
    let mut file = open_with_folder(path, options)?;
    file.write_all(bytes)?;
    disk::count_written(bytes.len());
    disk::point("page written, its time not set");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(modified))?;
    Ok(Known::of(&file.metadata()?))
}

fn open_with_folder(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            options.open(path)
        }
        opened => opened,
    }
}

/// Removes files below `root` with their packed siblings, and the folders that are empty then. One that is gone already
/// is no failure.
pub fn remove(root: &Path, siblings: &Siblings, paths: &[String]) -> Vec<DiskError> {
    let mut failures = Vec::new();
    for path in paths {
        let target = root.join(path);
        let removed = siblings.clear(path).and_then(|_cleared| fs::remove_file(&target));
        match removed {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                failures.push(DiskError { action: "remove", path: target, source });
            }
            _ => remove_empty_folders(root, target.parent()),
        }
        disk::point("page removed");
    }
    failures
}

/// Removes those of these files that are links. What they lead to is not ours, and pages would be written through them.
pub fn remove_links(root: &Path, paths: &BTreeSet<String>) {
    let links = paths.iter().map(|path| root.join(path)).filter(|path| path.is_symlink());
    // One that stays is tried once more, and told, when it is removed with all that should not be there.
    links.for_each(|link| drop(fs::remove_file(link)));
}

fn remove_empty_folders(root: &Path, mut folder: Option<&Path>) {
    // A folder that is not empty cannot be removed, which is what ends the walk.
    while let Some(path) = folder.filter(|path| *path != root && path.starts_with(root)) {
        if fs::remove_dir(path).is_err() {
            return;
        }
        folder = path.parent();
    }
}

/// Whole seconds since the Unix epoch.
pub fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Where `public/` really is: a link to it is followed, so that it can be exchanged by name.
pub fn resolve(public: &Path) -> PathBuf {
    fs::canonicalize(public).unwrap_or_else(|_| public.to_owned())
}
