//! What staff decides, and what is forgotten with time.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use chrono::TimeDelta;

use super::{Builder, read};
use crate::app::{clock, poster_ids};
use crate::disk::DiskError;
use crate::intake::tripcode::Secret;
use crate::model::public_act::LoggedAct;
use crate::model::{Act, Arrival, PageKey, Problem, Report, Site, ThreadKey};
use crate::render::markup;
use crate::store::journal::Journal;
use crate::store::moderate::{self, ActError, moving};
use crate::store::poster_salts::PosterSalts;
use crate::store::public_log::PublicLog;
use crate::store::site_dir::SiteDir;

/// How long what was deleted can be had back.
const DELETED_KEPT: TimeDelta = TimeDelta::days(30);

/// What everybody may know of what staff did, if the settings say so.
pub(super) fn public_log(dir: &SiteDir, site: &Site, report: &mut Report) -> Arc<Vec<LoggedAct>> {
    if !site.settings.public_log {
        return Arc::default();
    }
    match PublicLog::new(dir.public_log()).shown() {
        Ok(shown) => Arc::new(shown),
        Err(error) => {
            report.problems.push(Problem::new(&error.path, format!("cannot be read: {}", error.source)));
            site.log.clone()
        }
    }
}

impl Builder {
    /// Carries out an act of staff, and takes over what it changed; gives those threads.
    pub fn perform(&mut self, act: &Act, report: &mut Report) -> Result<BTreeSet<ThreadKey>, ActError> {
        let secret = Secret::from_bytes(self.dir.secret()?);
        let fingerprint = |address| secret.fingerprint(address);
        let means = moderate::Means::of(&self.dir, &self.mod_log, &fingerprint, &markup::rename_quotes);
        let keys = moderate::perform(&means, &read(&self.shown).site, &mut self.numbers, act, clock::now())?;
        self.take(&keys, report);
        self.take_log(report);
        Ok(keys)
    }

    /// Looks at the public log again.
    pub fn take_log(&mut self, report: &mut Report) {
        let log = public_log(&self.dir, &self.read_shown().site, report);
        if log == self.read_shown().site.log {
            return;
        }
        self.ahead.clear();
        self.shown.write().unwrap_or_else(PoisonError::into_inner).site.log = log;
        self.due.draw.insert(PageKey::Log);
        self.saved = false;
    }

    /// Sends replies after their threads, as far as these were moved.
    pub fn redirect<'a>(&self, arrivals: impl Iterator<Item = &'a mut Arrival>) {
        let site = &self.read_shown().site;
        arrivals.for_each(|arrival| moving::follow(site, arrival, &markup::rename_quotes));
    }

    /// Forgets where posts came from, what their senders' ids were made with, and what was deleted, once the time is over
    /// for which that is kept.
    pub fn forget_old(&self) -> Result<(), DiskError> {
        let keep = self.read_shown().site.settings.keep_addresses_hours;
        Journal::new(self.dir.journal()).forget(clock::now(), keep)?;
        let salts = poster_ids::hours_kept(&self.read_shown().site.settings);
        PosterSalts::new(self.dir.poster_salts()).forget(clock::now(), salts)?;
        self.mod_log.forget_before(clock::now() - DELETED_KEPT)
    }
}
