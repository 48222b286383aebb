//! Packed siblings of files: `index.html.gz` and `index.html.br` beside `index.html`.
//!
//! A file server hands a sibling out in place of its page and compares neither times nor bytes, so one of an older
//! page must never stand beside a newer one, not for a moment. Hence the siblings of a page go before the next page
//! takes its place, and whoever packs puts a sibling down only while the page that it was made from is still there. A
//! lock for each page keeps the two apart. A page without siblings is right all the same, only larger.
//!
//! What is known of a sibling bears the hash of the *page* that it was made from.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::known::{self, Known, Shelf};
use super::write_new;
use crate::disk::{self, DiskError};
use crate::model::caching::Kind;
use crate::model::coding::is_packed;
use crate::model::{Coding, Codings};

/// Smaller files are not packed: they fit into one packet as they are.
const PACKED_FROM: u64 = 256;

/// Of pages of ours, 9 makes nothing smaller than 6 does.
const GZIP_LEVEL: u32 = 6;

/// 11 makes a page smaller by another tenth, and takes sixteen times as long. Pages change often.
const BROTLI_QUALITY: i32 = 5;

/// Assets are packed once and then fetched for a year.
const BROTLI_QUALITY_OF_ASSETS: i32 = 11;

/// So many pages can be changed at a time without one waiting for another.
const LOCKS: usize = 64;

/// The siblings of all files of one folder, shared by the builder and by whoever packs.
pub struct Siblings {
    state: Mutex<State>,
    places: [Mutex<()>; LOCKS],
}

struct State {
    root: PathBuf,
    codings: Codings,
    known: BTreeMap<String, Known>,
    /// Whether there may be any at all; if not, nobody looks for them.
    some: bool,
    /// How often something was put down or removed.
    changes: u64,
}

/// While this lives, a page has no siblings and gets none.
pub struct Cleared<'a> {
    _place: MutexGuard<'a, ()>,
}

impl Siblings {
    /// Those of a folder, of which these are known.
    pub fn new(root: PathBuf, codings: Codings, known: BTreeMap<String, Known>) -> Siblings {
        let some = !codings.is_empty() || !known.is_empty();
        let state = Mutex::new(State { root, codings, known, some, changes: 0 });
        Siblings { state, places: std::array::from_fn(|_| Mutex::new(())) }
    }

    /// How files are to be packed.
    pub fn codings(&self) -> Codings {
        self.state().codings
    }

    /// Packs otherwise from now on; gives the siblings that should not be there any more.
    pub fn recode(&self, codings: Codings) -> Vec<String> {
        let mut state = self.state();
        state.codings = codings;
        state.some |= !codings.is_empty();
        let unwanted = |path: &&String| !Coding::of_sibling(path).is_some_and(|(_, coding)| codings.has(coding));
        state.known.keys().filter(unwanted).cloned().collect()
    }

    /// Knows nothing any more, of this folder.
    pub fn reset(&self, root: PathBuf) {
        let mut state = self.state();
        (state.root, state.known, state.some) = (root, BTreeMap::new(), true);
    }

    /// Forgets those that were not made from the pages of `shelf`, or not as files are packed now, and gives them.
    /// `strange` says that there are others that nobody knows.
    pub fn disown(&self, shelf: &Shelf, strange: bool) -> Vec<String> {
        let mut state = self.state();
        state.some |= strange;
        let State { codings, known, .. } = &mut *state;
        let is_right = |path: &str, sibling: &Known| {
            let (plain, coding) = Coding::of_sibling(path)?;
            let page = shelf.get(plain)?;
            Some(wanted(*codings, plain, page.bytes).has(coding) && is_of(sibling, page))
        };
        let (right, wrong) = std::mem::take(known).into_iter().partition(|(path, it)| is_right(path, it) == Some(true));
        *known = right;
        let wrong: BTreeMap<String, Known> = wrong;
        wrong.into_keys().collect()
    }

    /// Knows these instead.
    pub fn learn_all(&self, known: BTreeMap<String, Known>) {
        self.state().known = known;
    }

    /// Looks at all that are known, while the lock is held that keeps them as they are.
    pub fn with_known<T>(&self, look: impl FnOnce(&BTreeMap<String, Known>) -> T) -> T {
        look(&self.state().known)
    }

    /// What is known of the sibling at this path, if it was made from a page with this hash.
    pub(super) fn made_from(&self, sibling: &str, hash: u64) -> Option<Known> {
        self.state().known.get(sibling).filter(|known| known.hash == hash).copied()
    }

    /// How often something was put down or removed.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// The codings in which a page should be packed and is not.
    pub fn lacking(&self, path: &str, page: &Known) -> Codings {
        let state = self.state();
        let mut lacking = wanted(state.codings, path, page.bytes);
        for coding in state.codings.iter() {
            if state.known.get(&coding.sibling(path)).is_some_and(|known| is_of(known, page)) {
                lacking.remove(coding);
            }
        }
        lacking
    }

    /// Removes the siblings of a page. Until what is given back is dropped, nobody puts others down.
    pub fn clear(&self, path: &str) -> io::Result<Cleared<'_>> {
        let place = self.place(path);
        let root = {
            let mut state = self.state();
            if !state.some || !is_packed(path) {
                return Ok(Cleared { _place: place });
            }
            for coding in Coding::ALL {
                let gone = state.known.remove(&coding.sibling(path)).is_some();
                state.changes += u64::from(gone);
            }
            state.root.clone()
        };
        for coding in Coding::ALL {
            gone(fs::remove_file(root.join(coding.sibling(path))))?;
        }
        Ok(Cleared { _place: place })
    }

    /// Packs the file at `path` in all codings that it lacks, if it is still the one that is known as `page`. Gives how
    /// many siblings it put down.
    pub fn pack(&self, path: &str, page: &Known) -> Result<usize, DiskError> {
        let lacking = self.lacking(path, page);
        if lacking.is_empty() {
            return Ok(0);
        }
        let plain = self.state().root.join(path);
        let bytes = match disk::read(&plain) {
            Ok(bytes) if known::hash(&bytes) == page.hash => bytes,
            Ok(_) => return Ok(0),
            Err(error) if error.is_absent() => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut files = 0;
        for coding in lacking.iter() {
            let target = self.state().root.join(coding.sibling(path));
            if let Some(packed) = packed(coding, path, &bytes) {
                let put = self.put(path, page, coding, &target, &packed);
                files += usize::from(put.map_err(DiskError::doing("write", &target))?);
                disk::point("page packed one way");
            }
        }
        Ok(files)
    }

    /// Puts a sibling down, unless its page is another one by now; `false` then.
    fn put(&self, path: &str, page: &Known, coding: Coding, target: &Path, packed: &[u8]) -> io::Result<bool> {
        let draft = disk::draft_path(target);
        let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
        let placed = write_new(&draft, packed, page.modified, &options).and_then(|sibling| {
            let _place = self.place(path);
            let there = Known::of(&fs::metadata(self.state().root.join(path))?);
            if !there.looks_like(page) || !self.codings().has(coding) {
                return Ok(false);
            }
            fs::rename(&draft, target)?;
            let mut state = self.state();
            state.known.insert(coding.sibling(path), Known { hash: page.hash, ..sibling });
            state.changes += 1;
            Ok(true)
        });
        if !matches!(placed, Ok(true)) {
            let _ = fs::remove_file(&draft);
        }
        match placed {
            Ok(is_there) => Ok(is_there),
            Err(error) => gone(Err(error)).map(|()| false),
        }
    }

    /// Removes siblings that should not be there; gives those that cannot be removed.
    pub fn remove(&self, siblings: impl IntoIterator<Item = String>) -> Vec<(String, DiskError)> {
        let mut staying = Vec::new();
        for sibling in siblings {
            let plain = Coding::of_sibling(&sibling).map_or(sibling.as_str(), |(plain, _)| plain);
            let _place = self.place(plain);
            let target = self.state().root.join(&sibling);
            self.state().known.remove(&sibling);
            if let Err(source) = gone(fs::remove_file(&target)) {
                staying.push((sibling, DiskError { action: "remove", path: target, source }));
            }
        }
        staying
    }

    fn place(&self, path: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let lock = &self.places[hasher.finish() as usize % LOCKS];
        lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a sibling was made from this page.
fn is_of(sibling: &Known, page: &Known) -> bool {
    sibling.hash == page.hash && sibling.modified == page.modified
}

/// In which of these codings a file is packed.
pub(super) fn wanted(codings: Codings, path: &str, bytes: u64) -> Codings {
    match PACKED_FROM <= bytes && is_packed(path) {
        true => codings,
        false => Codings::default(),
    }
}

/// That something is gone already is as good as if it was removed now.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}

/// Packs the file at `path`; the same bytes give the same ones, whatever the time and the machine. `None` if it makes
/// them no smaller.
pub(super) fn packed(coding: Coding, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() / 3);
    let done = match coding {
        Coding::Gzip => {
            // Without a time or a name in its head.
            let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::new(GZIP_LEVEL));
            encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop))
        }
        Coding::Brotli => {
            let parameters = brotli::enc::BrotliEncoderParams {
                quality: match Kind::of_path(path) {
                    Kind::Asset => BROTLI_QUALITY_OF_ASSETS,
                    _ => BROTLI_QUALITY,
                },
                size_hint: bytes.len(),
                ..Default::default()
            };
            brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters).map(drop)
        }
    };
    // Writing into memory does not fail; if it did, the page would do without.
    (done.is_ok() && packed.len() < bytes.len()).then_some(packed)
}
