//! A clean build: a new folder beside the old one, exchanged with it when it is whole.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::alias;
use super::known::{self, Known, Shelf};
use super::siblings::{self, Siblings};
use super::{Outcome, Target, later_than, write_new};
use crate::disk::{self, DiskError};
use crate::model::{Coding, Page};

/// A folder that is being filled. Nobody reads it yet, so its pages need no rename.
pub struct Fresh<'a> {
    folder: PathBuf,
    old: &'a Shelf,
    old_siblings: &'a Siblings,
    packing: Packing,
    siblings: Mutex<BTreeMap<String, Known>>,
    /// Whether anything stands at the old folder's path. If not, there is nothing to compare with.
    old_is_there: bool,
    now: u64,
}

/// When pages are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// Before the build ends.
    Now,
    /// Afterwards, when nobody waits.
    Later,
}

impl<'a> Fresh<'a> {
    /// Begins a new folder beside that of `old`; what an earlier attempt left there is removed.
    pub fn begin(
        old: &'a Shelf,
        old_siblings: &'a Siblings,
        packing: Packing,
        now: u64,
    ) -> Result<Fresh<'a>, DiskError> {
        let fresh = Fresh::at(beside(old.root(), "new"), old, old_siblings, now)?;
        Ok(Fresh { packing, ..fresh })
    }

    /// Begins a new folder elsewhere, to compare it with the old one and to throw it away.
    pub fn at(folder: PathBuf, old: &'a Shelf, old_siblings: &'a Siblings, now: u64) -> Result<Fresh<'a>, DiskError> {
        remove_all(&folder)?;
        disk::create_dir_all(&folder)?;
        let old_is_there = fs::symlink_metadata(old.root()).is_ok();
        Ok(Fresh { folder, old, old_siblings, packing: Packing::Now, siblings: Mutex::default(), old_is_there, now })
    }

    /// The folder that is being filled.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes a file over from the old folder as it is. `false` if that cannot be.
    pub fn keep(&self, path: &str) -> bool {
        alias::link(&self.old.root().join(path), &self.folder.join(path)).is_ok()
    }

    /// Puts the new folder in the place of the old one, at once, and removes the old one.
    /// Gives the packed siblings that it holds.
    pub fn finish(self) -> Result<BTreeMap<String, Known>, DiskError> {
        let public = self.old.root();
        let aside = beside(public, "old");
        remove_all(&aside)?;
        disk::point("before clean exchange");
        match exchange(&self.folder, public) {
            // What was public is now under the new one's name.
            Ok(true) => {
                disk::point("clean folders exchanged");
                fs::rename(&self.folder, &aside).map_err(DiskError::doing("move", &self.folder))?;
            }
            Ok(false) => {}
            Err(source) => return Err(DiskError { action: "replace", path: public.to_owned(), source }),
        }
        disk::point("old pages aside");
        remove_all(&aside)?;
        Ok(self.siblings.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives up, and removes what was written.
    pub fn abandon(self) {
        let _ = remove_all(&self.folder);
    }
}

impl Target for Fresh<'_> {
    fn put(&self, page: &Page) -> Result<(Outcome, Known), DiskError> {
        let put = self.put_plain(page)?;
        let path = page.key.path();
        for coding in siblings::wanted(self.old_siblings.codings(), &path, put.1.bytes).iter() {
            self.put_sibling(&coding.sibling(&path), coding, page, &put)?;
            disk::point("clean page packed one way");
        }
        Ok(put)
    }
}

impl Fresh<'_> {
    /// The sibling of the old folder if it was made from the same page, or else a new one.
    fn put_sibling(
        &self,
        sibling: &str,
        coding: Coding,
        page: &Page,
        (outcome, known): &(Outcome, Known),
    ) -> Result<(), DiskError> {
        let target = self.folder.join(sibling);
        let old = self.old_siblings.made_from(sibling, known.hash).filter(|_| *outcome == Outcome::Unchanged);
        let there = match old.filter(|_| alias::link(&self.old.root().join(sibling), &target).is_ok()) {
            Some(old) => old,
            None if self.packing == Packing::Later => return Ok(()),
            None => match siblings::packed(coding, sibling, &page.bytes) {
                Some(packed) => {
                    let options = OpenOptions::new().write(true).create_new(true).clone();
                    let written = write_new(&target, &packed, known.modified, &options);
                    written.map_err(DiskError::doing("write", &target))?
                }
                None => return Ok(()),
            },
        };
        let mut siblings = self.siblings.lock().unwrap_or_else(PoisonError::into_inner);
        siblings.insert(sibling.to_owned(), Known { hash: known.hash, ..there });
        Ok(())
    }

    fn put_plain(&self, page: &Page) -> Result<(Outcome, Known), DiskError> {
        let path = page.key.path();
        let hash = known::hash(&page.bytes);
        let target = self.folder.join(&path);
        let before = self.old.root().join(&path);
        let old = match self.old.get(&path) {
            Some(known) => Some(*known),
            None if self.old_is_there => known::look(&before)?,
            None => None,
        };
        if let Some(old) = old
            && old.bytes == page.bytes.len() as u64
            && (old.hash == hash || disk::read(&before).is_ok_and(|bytes| bytes == page.bytes))
            && alias::link(&before, &target).is_ok()
        {
            return Ok((Outcome::Unchanged, Known { hash, ..old }));
        }
        if let Some(known) = alias::put_fresh(&self.folder, page, &target) {
            return Ok((Outcome::Written(0), Known { hash, ..known }));
        }
        let modified = later_than(old.map(|old| old.modified), self.now);
        let written = write_new(&target, &page.bytes, modified, OpenOptions::new().write(true).create_new(true));
        let known = written.map_err(DiskError::doing("write", &target))?;
        disk::point("clean page written");
        Ok((Outcome::Written(page.bytes.len()), Known { hash, ..known }))
    }
}

/// Exchanges two folders at once; `false` if there was nothing at `public`, which then simply gets its name.
fn exchange(new: &Path, public: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if fs::symlink_metadata(public).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        fs::rename(new, public)?;
        return Ok(false);
    }
    match renameat_with(CWD, new, CWD, public, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        // Some file systems cannot: then there is a moment without the folder, as short as two renames.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            let aside = beside(public, "old");
            fs::rename(public, &aside)?;
            fs::rename(new, public)?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what clean builds that a crash has ended left beside the folder.
pub fn sweep(public: &Path) -> Result<(), DiskError> {
    remove_all(&beside(public, "new"))?;
    remove_all(&beside(public, "old"))
}

/// A hidden name beside `path`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{what}"));
    path.with_file_name(name)
}

fn remove_all(path: &Path) -> Result<(), DiskError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DiskError { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
