//! What `public/` holds, page by page.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};

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
    fn looks_like(&self, other: &Known) -> bool {
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

    /// Looks at the whole folder. Files that look as `remembered` tells are known from then on; the paths of all
    /// others that are there are given back. Drafts that a crash has left are removed.
    pub fn survey(&mut self, mut remembered: BTreeMap<String, Known>) -> Result<Vec<String>, DiskError> {
        self.files.clear();
        let mut strangers = Vec::new();
        let root = self.root.clone();
        match fs::symlink_metadata(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(strangers),
            _ => self.survey_folder(&root, "", &mut remembered, &mut strangers)?,
        }
        Ok(strangers)
    }

    fn survey_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        remembered: &mut BTreeMap<String, Known>,
        strangers: &mut Vec<String>,
    ) -> Result<(), DiskError> {
        let listing = fs::read_dir(folder).map_err(DiskError::doing("list", folder))?;
        for entry in listing {
            let entry = entry.map_err(DiskError::doing("list", folder))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(DiskError::doing("look at", &path))?;
            let below = format!("{prefix}{name}");
            if kind.is_dir() {
                self.survey_folder(&path, &format!("{below}/"), remembered, strangers)?;
            } else if disk::is_draft(&name) {
                let _ = fs::remove_file(&path);
            } else {
                self.survey_file(&entry, below, remembered, strangers);
            }
        }
        Ok(())
    }

    fn survey_file(
        &mut self,
        entry: &fs::DirEntry,
        below: String,
        remembered: &mut BTreeMap<String, Known>,
        strangers: &mut Vec<String>,
    ) {
        let there = entry.metadata().ok().filter(Metadata::is_file).map(|meta| Known::of(&meta));
        match (remembered.remove(&below), there) {
            (Some(known), Some(there)) if known.looks_like(&there) => self.learn(below, known),
            _ => strangers.push(below),
        }
    }
}
