//! What a builder does with assets that no page names any more.

use super::Builder;
use crate::app::clock;
use crate::publish::{self, Fresh, Shelf};

impl Builder {
    /// Makes assets stale that have been old for a day.
    pub fn expire_old_assets(&mut self) {
        let now = publish::seconds(clock::system());
        if self.old_assets.are_over(now) {
            let old = self.old_assets.paths().cloned().collect();
            self.due.stale.extend(self.old_assets.spare(&mut self.shelf, old, now));
        }
    }

    /// Assets in `public/` that no page names any more.
    pub fn old_assets(&self) -> impl Iterator<Item = &String> {
        self.old_assets.paths()
    }

    /// Takes old assets over into a folder that is about to take the place of the old one.
    pub(in crate::app) fn keep_old_assets(&self, fresh: &Fresh<'_>, shelf: &mut Shelf) {
        for path in self.old_assets.paths().filter(|path| fresh.keep(path)) {
            self.shelf.get(path).into_iter().for_each(|known| shelf.learn(path.clone(), *known));
        }
    }
}
