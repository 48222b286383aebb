//! What lies in `public/` and should not.

use std::collections::BTreeSet;

use crate::model::{PageKey, Site};
use crate::publish::Shelf;
use crate::render::{Theme, plan};

/// Files that are in `public/` and should not be.
pub(super) fn stale(shelf: &Shelf, strangers: &BTreeSet<String>, site: &Site, theme: &Theme) -> BTreeSet<String> {
    let there = shelf.files().keys().chain(strangers);
    there.filter(|path| !has_path(site, theme, path)).cloned().collect()
}

/// Whether a page of the site has this path.
pub(super) fn has_path(site: &Site, theme: &Theme, path: &str) -> bool {
    PageKey::of_path(path).is_some_and(|key| plan::has_page(site, theme, &key))
}
