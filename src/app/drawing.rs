//! Draws pages in portions, in parallel, and puts each in its place; a page that panics costs that page alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::builder::Shown;
use super::faults;
use super::progress::Progress;
use crate::metrics::{Metrics, Place};
use crate::model::{Page, PageKey, Problem, Report, Thread, ThreadKey};
use crate::publish::{Known, Outcome, Shelf, Target};
use crate::render::draw::DrawError;
use crate::render::{Job, Pen, Previews, plan};
use crate::store::content;
use crate::store::site_dir::SiteDir;

/// What pages are drawn from.
pub struct Drawing<'a> {
    /// Where posts are read.
    pub dir: &'a SiteDir,
    /// The site and its theme.
    pub shown: &'a Shown,
    /// Threads that need not be read.
    pub warm: &'a BTreeMap<ThreadKey, Arc<Thread>>,
    /// How threads look on the index.
    pub previews: Option<&'a Previews>,
    /// Where a panic is counted.
    pub metrics: &'a Metrics,
}

/// What became of a page that was to be put in its place.
pub type PutResult = (PageKey, Result<(Outcome, Known), Problem>);

/// A page that is drawn and not yet in its place, or why it could not be drawn.
pub type InMemory = BTreeMap<PageKey, Result<Page, Problem>>;

impl Drawing<'_> {
    /// Draws pages, and puts each in its place as soon as it is drawn. Those that are `drawn` already are only put.
    pub fn draw_and_put(
        &self,
        mut pages: Vec<PageKey>,
        drawn: &mut InMemory,
        target: &dyn Target,
        progress: &Progress,
    ) -> Vec<PutResult> {
        let ready: Vec<PageKey> = pages.extract_if(.., |page| drawn.contains_key(page)).collect();
        let ready: Vec<_> = ready.into_iter().filter_map(|page| drawn.remove_entry(&page)).collect();
        let put_one = |(key, page): (PageKey, Result<Page, Problem>)| {
            progress.tick();
            (key, put(page, target))
        };
        // Pages link to what programs read of them, and other names need what they are names of.
        let (aliases, ready): (Vec<_>, Vec<_>) = ready.into_iter().partition(|(key, _)| key.original().is_some());
        let (files, ready): (Vec<_>, Vec<_>) = ready.into_iter().partition(|(key, _)| key.is_for_programs());
        let mut results: Vec<PutResult> = Vec::new();
        for ready in [files, ready, aliases] {
            match ready.len() {
                // Not worth waking another thread.
                0..2 => results.extend(ready.into_iter().map(put_one)),
                _ => results.par_extend(ready.into_par_iter().with_max_len(1).map(put_one)),
            }
        }
        results.extend(self.each(pages, |key, page| put_one((key, page))));
        results
    }

    /// Draws pages into memory.
    pub fn draw(&self, pages: Vec<PageKey>) -> InMemory {
        self.each(pages, |key, page| (key, page)).into_iter().collect()
    }

    /// Draws pages and does something with each.
    fn each<T: Send>(
        &self,
        pages: Vec<PageKey>,
        then: impl Fn(PageKey, Result<Page, Problem>) -> (PageKey, Result<T, Problem>) + Sync,
    ) -> Vec<(PageKey, Result<T, Problem>)> {
        let read = |key: &ThreadKey| match self.warm.get(key) {
            Some(thread) => Ok(thread.clone()),
            None => content::read_thread(self.dir.root(), key).map(Arc::new).map_err(|e| super::error::chain(&e)),
        };
        let pen = Pen { site: &self.shown.site, theme: &self.shown.theme, read: &read, previews: self.previews };
        let jobs = plan::jobs(&self.shown.site, pages);
        let draw = |job: &Job| draw_job(&pen, job, self.metrics, &then);
        match jobs.len() {
            0..2 => jobs.iter().flat_map(draw).collect(),
            // One at a time: portions differ in size, and nobody should be left alone with the last ones.
            _ => jobs.par_iter().with_max_len(1).flat_map_iter(draw).collect(),
        }
    }
}

/// A panic costs one page: the job is done again page by page, and only what panics then is given up.
fn draw_job<T>(
    pen: &Pen<'_>,
    job: &Job,
    metrics: &Metrics,
    then: &impl Fn(PageKey, Result<Page, Problem>) -> (PageKey, Result<T, Problem>),
) -> Vec<(PageKey, Result<T, Problem>)> {
    let results = Mutex::new(Vec::new());
    let attempt = |job: &Job| {
        catch_unwind(AssertUnwindSafe(|| {
            faults::strike("page");
            pen.draw(job, &mut |(key, drawn)| {
                let page = drawn.map_err(|error| undrawn(&key, &error));
                let result = then(key, page);
                results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
            });
        }))
    };
    if attempt(job).is_err() {
        metrics.panicked(Place::Page);
        results.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for (key, single) in job.singly() {
            if attempt(&single).is_err() {
                let problem = Problem::new(key.path(), "drawing this page panicked; its last version stays");
                results.lock().unwrap_or_else(PoisonError::into_inner).push((key, Err(problem)));
            }
        }
    }
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn undrawn(key: &PageKey, error: &DrawError) -> Problem {
    Problem::new(key.path(), format!("cannot be drawn: {}", super::error::chain(error)))
}

fn put(page: Result<Page, Problem>, target: &dyn Target) -> Result<(Outcome, Known), Problem> {
    target.put(&page?).map_err(|error| Problem::new(&error.path, format!("cannot be written: {}", error.source)))
}

/// Takes note of a page that was put, or not.
pub fn note((key, result): PutResult, shelf: &mut Shelf, failed: &mut BTreeSet<PageKey>, report: &mut Report) {
    report.drawn += 1;
    match result {
        Ok((outcome, known)) => {
            shelf.learn(key.path(), known);
            if let Outcome::Written(bytes) = outcome {
                report.bytes_written += bytes as u64;
                report.written.push(key);
            }
        }
        Err(problem) => {
            report.problems.push(problem);
            failed.insert(key);
        }
    }
}
