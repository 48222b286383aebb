//! Assets that no page names any more stay for a day: a page that a reader, a proxy or a CDN still has from before
//! names them.
//!
//! When each became old is written down, as nothing in `public/` tells it. If that list is lost, the day begins anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::publish::{self, Known, Shelf};

/// How long an old asset stays, in seconds.
const STAYS_SECONDS: u64 = 24 * 60 * 60;

/// The old assets in `public/`.
#[derive(Default)]
pub struct OldAssets {
    list: PathBuf,
    /// When each was first seen to be old, in whole seconds since the Unix epoch.
    since: BTreeMap<String, u64>,
}

impl OldAssets {
    /// Those that are written down in the file `list`.
    pub fn open(list: PathBuf) -> OldAssets {
        let text = disk::read(&list).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let entry = |line: &str| {
            let (seconds, path) = line.split_once(' ')?;
            Some((path.to_owned(), seconds.parse().ok()?))
        };
        OldAssets { list, since: text.lines().filter_map(entry).collect() }
    }

    /// Of files in `public/` that should go, gives those that go now. Old assets are spared as long as their day lasts,
    /// and the shelf knows them from then on.
    pub fn spare(&mut self, shelf: &mut Shelf, stale: BTreeSet<String>, now: u64) -> BTreeSet<String> {
        let mut since = BTreeMap::new();
        let mut go = BTreeSet::new();
        for path in stale {
            // A clock that was set back would keep one for longer than a day.
            let began = self.since.get(&path).copied().unwrap_or(now).min(now);
            match look(shelf.root(), &path).filter(|_| now - began < STAYS_SECONDS) {
                Some(known) => {
                    shelf.learn(path.clone(), known);
                    since.insert(path, began);
                }
                None => drop(go.insert(path)),
            }
        }
        if since != self.since {
            self.since = since;
            self.save();
        }
        go
    }

    /// Those that are spared.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.since.keys()
    }

    /// Whether the day of one of them is over.
    pub fn are_over(&self, now: u64) -> bool {
        self.since.values().any(|began| now.saturating_sub(*began) >= STAYS_SECONDS)
    }

    fn save(&self) {
        let lines: String = self.since.iter().map(|(path, began)| format!("{began} {path}\n")).collect();
        // Without it they stay a day longer.
        if let Err(error) = disk::replace_soon(&self.list, lines.as_bytes()) {
            tracing::warn!(error = %super::error::chain(&error), "cannot write down which assets are old");
        }
    }
}

/// What is known of a file that was an asset: its name holds the hash of what it holds. Anything else that lies in
/// `assets/` is a stranger.
fn look(public: &Path, path: &str) -> Option<Known> {
    let name = path.strip_prefix("assets/")?.rsplit('/').next()?;
    let target = public.join(path);
    let (bytes, meta) = disk::read_with_meta(&target).ok().filter(|_| !target.is_symlink())?;
    let hash = publish::hash(&bytes);
    let is_named_so = name.split('.').skip(1).any(|part| part == format!("{hash:016x}"));
    is_named_so.then(|| Known { hash, ..Known::of(&meta) })
}
