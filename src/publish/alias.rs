//! Pages that are only other names of pages: hard links, so that they take no room.
//!
//! Who can have no link, since the file system knows none, gets a copy. That is as right, only larger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::known::{self, Known};
use super::swap;
use crate::disk::{self, DiskError};
use crate::model::Page;

/// Puts a page in its place as another name of the page that it is the same as. `None` if it is nobody's other name, or
/// if that other page is not there with the same bytes. What `before` gives is held while the page takes its place.
pub(super) fn put<T>(
    root: &Path,
    page: &Page,
    target: &Path,
    before: impl FnOnce() -> io::Result<T>,
) -> Result<Option<Known>, DiskError> {
    let Some(original) = original_of(root, page) else { return Ok(None) };
    let draft = disk::draft_path(target);
    // What a crash has left may be another name of a page: nobody may write to it.
    let _ = fs::remove_file(&draft);
    if link(&original, &draft).is_err() {
        return Ok(None);
    }
    let put = || -> io::Result<Known> {
        disk::point("alias drafted");
        let _held = before()?;
        match fs::symlink_metadata(target) {
            Ok(_) => swap(&draft, target)?,
            Err(_) => fs::rename(&draft, target)?,
        }
        Ok(Known::of(&fs::metadata(target)?))
    };
    put().map(Some).map_err(|source| {
        let _ = fs::remove_file(&draft);
        DiskError { action: "link", path: target.to_owned(), source }
    })
}

/// The same in a folder that nobody reads yet, where nothing stands in the way. What has the page's name there was put by
/// this build a moment ago, and is what this page was made from: it need not be read.
pub(super) fn put_fresh(root: &Path, page: &Page, target: &Path) -> Option<Known> {
    let original = root.join(page.key.original()?.path());
    let there = known::look(&original).ok()?.filter(|there| there.bytes == page.bytes.len() as u64)?;
    link(&original, target).ok()?;
    Some(there)
}

/// The file of the page that this one is another name of, if it holds the same.
fn original_of(root: &Path, page: &Page) -> Option<PathBuf> {
    let path = root.join(page.key.original()?.path());
    let same_size =
        fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == page.bytes.len() as u64);
    // It was put a moment ago, so this reads memory.
    (same_size && fs::read(&path).is_ok_and(|bytes| bytes == page.bytes)).then_some(path)
}

/// The same file under a second name keeps its bytes and its time, and costs no write. Nothing here is ever written in
/// place, so the two names cannot disagree.
pub(super) fn link(file: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(file, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(name.parent().unwrap_or(Path::new(".")))?;
            fs::hard_link(file, name)
        }
        linked => linked,
    }
}
