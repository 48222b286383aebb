//! What `public/` holds, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::model::Coding;

/// A file of `public/` as it was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Known {
    /// XXH3 of its bytes.
    pub hash: u64,
    /// Its size.
    pub bytes: u64,
    /// Its modification time: whole seconds since the Unix epoch.
    pub modified: u64,
    /// The part of the modification time below a second. We write none; whoever else wrote the file did.
    pub modified_ns: u32,
    /// The inode's number.
    pub inode: u64,
}

impl Known {
    /// What the system tells of a file. The hash is left 0.
    pub fn of(meta: &Metadata) -> Known {
        Known {
            hash: 0,
            bytes: meta.len(),
            modified: meta.mtime().max(0) as u64,
            modified_ns: meta.mtime_nsec() as u32,
            inode: meta.ino(),
        }
    }

    /// Whether a page with this hash and size is what is there.
    pub fn is(&self, hash: u64, bytes: usize) -> bool {
        self.hash == hash && self.bytes == bytes as u64
    }

    /// Whether the file still looks as it did, whatever its hash.
    pub(super) fn looks_like(&self, other: &Known) -> bool {
        Known { hash: 0, ..*self } == Known { hash: 0, ..*other }
    }
}

/// The hash by which pages are compared.
pub fn hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// What stands at `path`; `None` if nothing does.
pub fn look(path: &Path) -> Result<Option<Known>, DiskError> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(Some(Known::of(&meta))),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(DiskError { action: "look at", path: path.to_owned(), source }),
    }
}

/// The files of `public/` that are known, by path. What is not known is compared by reading it.
#[derive(Clone, Debug)]
pub struct Shelf {
    root: PathBuf,
    files: BTreeMap<String, Known>,
}

impl Shelf {
    /// A folder of which nothing is known.
    pub fn new(root: PathBuf) -> Shelf {
        Shelf { root, files: BTreeMap::new() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is known of a file.
    pub fn get(&self, path: &str) -> Option<&Known> {
        self.files.get(path)
    }

    /// All files that are known.
    pub fn files(&self) -> &BTreeMap<String, Known> {
        &self.files
    }

    /// Notes what a file is now.
    pub fn learn(&mut self, path: String, known: Known) {
        self.files.insert(path, known);
    }

    /// Notes that a file is gone.
    pub fn forget(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Looks at the whole folder. Files that look as `remembered` tells are known from then on; what is told of the
    /// others is given back. Drafts that a crash has left are removed.
    pub fn survey(&mut self, remembered: Remembered) -> Result<Surveyed, DiskError> {
        self.files.clear();
        let mut survey = Survey { shelf: self, remembered, found: Surveyed::default() };
        let root = survey.shelf.root.clone();
        match fs::symlink_metadata(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => survey.folder(&root, "")?,
        }
        let Survey { remembered, found, .. } = survey;
        Ok(Surveyed { gone: remembered.pages.into_keys().collect(), ..found })
    }
}

/// What a folder held when it was last looked at.
#[derive(Default, Debug)]
pub struct Remembered {
    /// Its pages, by path.
    pub pages: BTreeMap<String, Known>,
    /// Their packed siblings, by path.
    pub siblings: BTreeMap<String, Known>,
}

/// What a look at a folder found beside the pages that are as they were.
#[derive(Default, Debug)]
pub struct Surveyed {
    /// Files that nobody remembers so, by path.
    pub strangers: BTreeSet<String>,
    /// Pages that are not there any more.
    pub gone: BTreeSet<String>,
    /// Packed siblings that are as they were; whether their pages are is another question.
    pub siblings: BTreeMap<String, Known>,
    /// Files with the name of a packed sibling that nobody remembers so.
    pub strange_siblings: BTreeSet<String>,
}

/// A look at a folder.
struct Survey<'a> {
    shelf: &'a mut Shelf,
    remembered: Remembered,
    found: Surveyed,
}

impl Survey<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), DiskError> {
        let listing = fs::read_dir(folder).map_err(DiskError::doing("list", folder))?;
        for entry in listing {
            let entry = entry.map_err(DiskError::doing("list", folder))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(DiskError::doing("look at", &path))?;
            let below = format!("{prefix}{name}");
            if kind.is_dir() {
                self.folder(&path, &format!("{below}/"))?;
            } else if disk::is_draft(&name) {
                let _ = fs::remove_file(&path);
            } else {
                self.file(&entry, below);
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &fs::DirEntry, below: String) {
        let there = entry.metadata().ok().filter(Metadata::is_file).map(|meta| Known::of(&meta));
        let is_sibling = Coding::of_sibling(&below).is_some();
        let remembered = if is_sibling { &mut self.remembered.siblings } else { &mut self.remembered.pages };
        match (remembered.remove(&below), there) {
            (Some(known), Some(there)) if known.looks_like(&there) => match is_sibling {
                true => drop(self.found.siblings.insert(below, known)),
                false => self.shelf.learn(below, known),
            },
            _ if is_sibling => drop(self.found.strange_siblings.insert(below)),
            _ => drop(self.found.strangers.insert(below)),
        }
    }
}
