//! Builds that start from nothing: all pages into a fresh folder, to take the place of the old one or to be compared
//! with it.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{Builder, Manner, Shown, read};
use super::clock;
use super::drawing::{Drawing, InMemory, note};
use super::error::Error;
use super::folder;
use super::progress::Progress;
use crate::model::{PageKey, Report};
use crate::publish::{self, Fresh, Shelf, Siblings};
use crate::render::{Previews, plan};

impl Builder {
    /// Draws all pages into a fresh folder and puts it in the place of the old one. If anything fails, the old one
    /// stays as it is.
    pub fn publish_clean(&mut self, progress: &Progress, report: &mut Report) -> Result<(), Error> {
        let shown_lock = self.shown.clone();
        let shown = read(&shown_lock);
        let now = publish::seconds(clock::system());
        let fresh = Fresh::begin(&self.shelf, &self.siblings, self.packing(), now)?;
        let mut shelf = Shelf::new(self.shelf.root().to_owned());
        let failed = self.draw_all(&shown, &fresh, &mut shelf, progress, report);
        if !failed.is_empty() {
            fresh.abandon();
            return Err(Error::CleanFailed(std::mem::take(&mut report.problems)));
        }
        self.keep_old_assets(&fresh, &mut shelf);
        self.siblings.learn_all(fresh.finish()?);
        let before = self.shelf.files().keys().chain(&self.due.strangers);
        report.removed.extend(before.filter(|path| shelf.get(path).is_none()).cloned());
        report.unchanged = shelf.files().len() - report.written.len();
        self.shelf = shelf;
        self.orphans.clear();
        self.unpacked = self.lacking();
        self.due = plan::Touched::default();
        self.public_folder = folder::id(&self.dir.public());
        self.saved = false;
        self.pack(progress, report);
        Ok(())
    }

    /// Builds in the manner that is asked for, or clean where nothing is published yet: a fresh folder is quicker.
    pub fn build(&mut self, manner: Manner, progress: &Progress, report: &mut Report) -> Result<(), Error> {
        let nothing_yet = self.shelf.files().is_empty() && self.due.strangers.is_empty();
        let exchangeable = !folder::is_mount_point(self.shelf.root());
        if (manner == Manner::Clean || nothing_yet) && exchangeable {
            return self.publish_clean(progress, report);
        }
        if manner == Manner::Clean {
            self.redraw_all();
        }
        self.publish(&BTreeMap::new(), progress, report);
        Ok(())
    }

    /// Draws all pages into `folder`, for comparison.
    pub fn draw_beside(
        &self,
        folder: std::path::PathBuf,
        progress: &Progress,
        report: &mut Report,
    ) -> Result<(), Error> {
        let shown = read(&self.shown);
        let nowhere = folder.with_extension("none");
        let nothing = Shelf::new(nowhere.clone());
        let nothing_packed = Siblings::new(nowhere, self.siblings.codings(), BTreeMap::new());
        let fresh = Fresh::at(folder, &nothing, &nothing_packed, publish::seconds(clock::system()))?;
        let mut shelf = Shelf::new(fresh.folder().to_owned());
        // What failed is told in the report, and missing where it is compared.
        drop(self.draw_all(&shown, &fresh, &mut shelf, progress, report));
        Ok(())
    }

    /// Draws all pages into a fresh folder, of which `shelf` learns; gives those that failed.
    fn draw_all(
        &self,
        shown: &Shown,
        fresh: &Fresh<'_>,
        shelf: &mut Shelf,
        progress: &Progress,
        report: &mut Report,
    ) -> BTreeSet<PageKey> {
        let all = plan::all_pages(&shown.site, &shown.theme);
        progress.stage("building");
        progress.expect(all.len());
        let warm = BTreeMap::new();
        // Catalogs and feeds for programs show what threads look like, and need not read them again.
        let previews = Previews::default();
        let drawing =
            Drawing { dir: &self.dir, shown, warm: &warm, previews: Some(&previews), metrics: &self.vitals.metrics };
        let results = drawing.draw_and_put(all.into_iter().collect(), &mut InMemory::new(), fresh, progress);
        let mut failed = BTreeSet::new();
        for result in results {
            note(result, shelf, &mut failed, report);
        }
        failed
    }
}
