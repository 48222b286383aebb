//! What is known of a site whose pages another process builds: read from `content/`, and kept up as that changes.
//!
//! It has no lock, writes nothing, and removes nothing: a draft that it finds may be one that the builder is writing.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::builder::{Shown, read, read_theme};
use super::clock;
use super::error::Error;
use super::faults::excerpt;
use super::progress::Progress;
use super::remembered::{fingerprint, program, restore, to_cache};
use crate::model::{Problem, Site, ThreadKey};
use crate::publish::Known;
use crate::store::cache::{self, Cache};
use crate::store::content::{self, Found};
use crate::store::site_dir::SiteDir;

/// Keeps `shown` in step with `content/`.
pub struct Onlooker {
    dir: SiteDir,
    shown: Arc<RwLock<Shown>>,
}

impl Onlooker {
    /// Reads a site. What the builder remembers of it saves most of the reading.
    pub fn open(dir: SiteDir, progress: &Progress) -> Result<(Onlooker, Vec<Problem>), Error> {
        content::require_site(dir.root())?;
        let frame = content::read_frame(dir.root())?;
        let theme = read_theme(&dir, &frame)?;
        let mut site = Site::new(frame.settings, frame.boards);
        let remembered: Option<Cache<'_, Known>> = cache::load(&dir.cache());
        if let Some(remembered) = remembered.filter(|remembered| remembered.made_by == program()) {
            restore(&mut site, remembered.boards);
        }
        progress.stage("reading");
        let mut problems = frame.problems;
        problems.extend(look_at_all(&dir, &mut site, &|| progress.tick())?);
        Ok((Onlooker { dir, shown: Arc::new(RwLock::new(Shown { site, theme })) }, problems))
    }

    /// Goes on with what a builder knows that has stepped aside.
    pub fn of(dir: SiteDir, shown: Arc<RwLock<Shown>>) -> Onlooker {
        Onlooker { dir, shown }
    }

    /// The site's folders.
    pub fn dir(&self) -> &SiteDir {
        &self.dir
    }

    /// What is known.
    pub fn shown(&self) -> &Arc<RwLock<Shown>> {
        &self.shown
    }

    /// Looks at these threads' files again.
    pub fn take(&self, keys: &BTreeSet<ThreadKey>) {
        let found = content::find_changes_of(self.dir.root(), &read(&self.shown).site, keys, clock::now_ns(), excerpt);
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        take_over(&mut shown.site, found);
    }

    /// Looks at settings, theme and all threads again. What is wrong with settings or theme is an error, and then the
    /// last good ones are kept.
    pub fn take_all(&self) -> Result<(), Error> {
        let frame = content::read_frame(self.dir.root())?;
        let theme = read_theme(&self.dir, &frame)?;
        let mut site = Site::new(frame.settings, frame.boards);
        restore(&mut site, to_cache(&read(&self.shown).site));
        look_at_all(&self.dir, &mut site, &|| {})?;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if fingerprint(&site, &theme) == fingerprint(&shown.site, &shown.theme) {
            shown.site = site;
        } else {
            *shown = Shown { site, theme };
        }
        Ok(())
    }
}

fn look_at_all(dir: &SiteDir, site: &mut Site, tick: &(impl Fn() + Sync)) -> Result<Vec<Problem>, Error> {
    let boards: Vec<_> = site.boards().map(|board| board.slug.clone()).collect();
    let mut problems = Vec::new();
    for board in boards {
        let found = content::find_changes_on(dir.root(), site, &board, clock::now_ns(), excerpt, tick)?;
        problems.extend(take_over(site, found));
    }
    Ok(problems)
}

fn take_over(site: &mut Site, found: Found) -> Vec<Problem> {
    for (key, stamp) in found.restamped {
        site.restamp(&key, stamp);
    }
    site.apply(found.changes);
    found.problems
}
