//! How the builder sees to the packed siblings of pages: which lack some, which have wrong ones, and who packs them.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::builder::Builder;
use super::drawing::PutResult;
use super::error::Error;
use super::hook::Hook;
use super::packer::Packer;
use super::progress::Progress;
use crate::model::{Problem, Report};
use crate::publish::{Known, Packing};

impl Builder {
    /// From now on pages are packed, and the hook is called, when nobody waits for anything else; no build waits for
    /// that.
    pub fn begin_side_work(&mut self) -> Result<(), Error> {
        self.packer = Some(Packer::start(self.siblings.clone(), self.vitals.metrics.clone()).map_err(Error::Door)?);
        self.hook = Some(Hook::start(self)?);
        // Whatever an earlier packer did not come to.
        self.unpacked.extend(self.lacking());
        Ok(())
    }

    /// Ends that, and remembers what is known. It must come before another process may build: nobody else looks at the
    /// locks that keep packers and builders apart.
    pub fn end_side_work(&mut self) {
        self.hook = None;
        if self.packer.take().is_some() {
            self.save();
        }
    }

    /// When pages are packed.
    pub(super) fn packing(&self) -> Packing {
        if self.packer.is_some() { Packing::Later } else { Packing::Now }
    }

    /// All pages that lack siblings.
    pub(super) fn lacking(&self) -> BTreeSet<String> {
        if self.siblings.codings().is_empty() {
            return BTreeSet::new();
        }
        let lacks = |(path, page): &(&String, &Known)| !self.siblings.lacking(path, page).is_empty();
        self.shelf.files().iter().filter(lacks).map(|(path, _)| path.clone()).collect()
    }

    /// Notes a page that was put in its place, if it lacks siblings now.
    pub(super) fn note_packing(&mut self, (key, result): &PutResult) {
        if let Ok((_, known)) = result
            && !self.siblings.lacking(&key.path(), known).is_empty()
        {
            self.unpacked.insert(key.path());
        }
    }

    /// Packs what lacks siblings, or has it packed later.
    pub(super) fn pack(&mut self, progress: &Progress, report: &mut Report) {
        let unpacked = std::mem::take(&mut self.unpacked);
        if unpacked.is_empty() {
            return;
        }
        self.saved = false;
        let with_known = |path: String| self.shelf.get(&path).map(|known| (path, *known));
        let pages: Vec<(String, Known)> = unpacked.into_iter().filter_map(with_known).collect();
        if let Some(packer) = &self.packer {
            return packer.add(pages);
        }
        progress.stage("packing");
        progress.expect(pages.len());
        let pack = |(path, known): &(String, Known)| {
            progress.tick();
            self.siblings.pack(path, known).err()
        };
        // One at a time: a long thread takes as long as a hundred short ones.
        let failures: Vec<_> = pages.par_iter().with_max_len(1).map(pack).collect();
        for ((path, _), failure) in pages.into_iter().zip(failures) {
            if let Some(error) = failure {
                report.problems.push(Problem::new(&error.path, format!("cannot be written: {}", error.source)));
                self.unpacked.insert(path);
            }
        }
    }

    /// Removes siblings that should not be there, before their pages change.
    pub(super) fn remove_orphans(&mut self, report: &mut Report) {
        for (path, error) in self.siblings.remove(std::mem::take(&mut self.orphans)) {
            report.problems.push(Problem::new(&error.path, format!("cannot be removed: {}", error.source)));
            self.orphans.insert(path);
        }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.end_side_work();
    }
}
