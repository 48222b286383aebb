//! What a build changed, for those outside who have to know.

use super::builder::Builder;
use super::error::Error;
use crate::disk::{self, DiskError};
use crate::model::Report;

impl Builder {
    /// Writes the URLs that a build changed, for a CDN to forget, and adds them to those that the hook is to be told.
    pub fn write_purge(&mut self, report: &Report) -> Result<(), Error> {
        let (base, has_hook) = {
            let settings = &self.read_shown().site.settings;
            (settings.base_url.as_str().to_owned(), !settings.on_change.is_empty())
        };
        let mut paths: Vec<String> = report.written.iter().map(|key| key.path()).collect();
        paths.extend(report.removed.iter().cloned());
        paths.sort_unstable();
        let lines: String = paths.iter().flat_map(|path| [base.as_str(), path, "\n"]).collect();
        // First, since nothing may be lost of this.
        self.owe(&base, paths, has_hook)?;
        disk::replace_soon(&self.dir.purge(), lines.as_bytes())?;
        disk::point("purge list written");
        Ok(())
    }

    fn owe(&mut self, base: &str, paths: Vec<String>, has_hook: bool) -> Result<(), DiskError> {
        if !has_hook {
            self.owed = Default::default();
            return Ok(());
        }
        self.owed.extend(paths);
        if self.owed.is_empty() {
            return Ok(());
        }
        self.changed.add(&self.owed.urls(base, &self.shelf))?;
        self.vitals.metrics.hook_waiting_bytes.set(self.changed.waiting_bytes() as i64);
        self.owed = Default::default();
        Ok(())
    }
}
