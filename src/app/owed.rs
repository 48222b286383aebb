//! Changes of pages that nobody outside has been told of yet, kept in memory for as short as possible.

use std::collections::BTreeSet;

use crate::publish::{Shelf, Surveyed};

/// More paths than these are not held; then all pages of the site are told.
const PATHS_MAX: usize = 50_000;

/// The paths of pages that changed.
#[derive(Default, Debug)]
pub struct Owed {
    paths: BTreeSet<String>,
    all: bool,
}

impl Owed {
    /// What changed since a builder last remembered how `public/` was: after a crash nobody else knows.
    pub fn since(surveyed: &Surveyed) -> Owed {
        let mut owed = Owed::default();
        owed.add(surveyed);
        owed
    }

    /// Adds that.
    pub fn add(&mut self, surveyed: &Surveyed) {
        self.extend(surveyed.strangers.iter().chain(&surveyed.gone).cloned());
    }

    /// Adds paths.
    pub fn extend(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            if self.all {
                return;
            }
            self.paths.insert(path);
            if PATHS_MAX < self.paths.len() {
                (self.paths, self.all) = (BTreeSet::new(), true);
            }
        }
    }

    /// Their URLs, one on a line.
    pub fn urls(&self, base: &str, shelf: &Shelf) -> String {
        let paths: Box<dyn Iterator<Item = &String>> = match self.all {
            true => Box::new(shelf.files().keys()),
            false => Box::new(self.paths.iter()),
        };
        paths.flat_map(|path| [base, path, "\n"]).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.all
    }
}
