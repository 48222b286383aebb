//! The builder: keeps what is known of a site, takes what changed, and makes the pages follow.
//!
//! There is one way to build. [`Builder::open`] looks at everything and finds which pages are not as they should be;
//! [`Builder::take`] does so for single threads; both end in the same [`Builder::publish`]. A clean build asks for all
//! pages and fills a fresh folder.

mod aside;
mod assets;
mod numbers;
mod staff;
mod stale;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::clock;
use super::condition::Vitals;
use super::drawing::{Drawing, InMemory, note};
use super::error::Error;
use super::faults::excerpt;
use super::folder;
use super::held_back::{self, HeldBack};
use super::hook::Hook;
use super::old_assets::OldAssets;
use super::owed::Owed;
use super::packer::Packer;
use super::progress::Progress;
use super::pulse::Part;
use super::remembered::{fingerprint, program, restore, to_cache};
use crate::disk;
use crate::model::{Arrival, Change, PageKey, Problem, Report, Site, Thread, ThreadKey};
use crate::publish::{self, InPlace, Known, Remembered, Shelf, Siblings, Surveyed};
use crate::render::{Previews, Theme, plan};
use crate::store::cache::Cache;
use crate::store::changed::Changed;
use crate::store::commit::{self, Committed, Written};
use crate::store::content::{self, Found, Frame};
use crate::store::mod_log::ModLog;
use crate::store::numbers::Numbers;
use crate::store::site_dir::{Lock, SiteDir};
use crate::store::theme::{self, ThemeError};
use crate::store::{cache, locale};

/// What is read by the door while the builder works: all threads and the theme.
pub struct Shown {
    /// The site.
    pub site: Site,
    /// Its theme.
    pub theme: Theme,
}

/// Keeps `public/` in step with `content/`.
pub struct Builder {
    pub(super) dir: SiteDir,
    pub(super) shown: Arc<RwLock<Shown>>,
    pub(super) shelf: Shelf,
    /// The packed siblings of pages.
    pub(super) siblings: Arc<Siblings>,
    /// Siblings that should not be there, by path.
    pub(super) orphans: BTreeSet<String>,
    /// Pages that may lack siblings, by path.
    pub(super) unpacked: BTreeSet<String>,
    /// Who packs them when nobody waits; `None` if each build does.
    pub(super) packer: Option<Packer>,
    /// Who calls the hook; `None` if each build does.
    pub(super) hook: Option<Hook>,
    /// Changes of which the hook was not told.
    pub(super) owed: Owed,
    /// Changes of which the hook is to be told.
    pub(super) changed: Arc<Changed>,
    numbers: Numbers,
    /// What was done, with what is known of where it stands.
    mod_log: ModLog,
    old_assets: OldAssets,
    /// Pages that are not as they should be: the plan of the next [`Builder::publish`].
    pub(super) due: plan::Touched,
    previews: Previews,
    /// Pages that are drawn as they will be after the next [`Builder::publish`]. Whatever changes the site clears this.
    ahead: InMemory,
    /// Which folder `public/` was, to notice that somebody removed it.
    pub(super) public_folder: Option<folder::Id>,
    pub(super) saved: bool,
    /// How often siblings had changed when that was.
    siblings_saved: u64,
    pub(super) vitals: Vitals,
    /// `None` while another process builds.
    lock: Option<Lock>,
}

/// More pages than this are not drawn before the threads they show are durable.
const DRAWN_AHEAD_MAX: usize = 64;

/// Nor are those of threads that are larger than this together, in bytes of their files.
const DRAWN_AHEAD_BYTES_MAX: u64 = 4 << 20;

/// Whether what these threads touch may be held in memory.
fn small(threads: &[Written]) -> bool {
    threads.iter().map(|thread| thread.stamp.bytes).sum::<u64>() <= DRAWN_AHEAD_BYTES_MAX
}

/// Whether a build starts from nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Only what is not as it should be.
    Incremental,
    /// All pages, into a fresh folder.
    Clean,
}

impl Builder {
    /// Opens a site: reads its settings and theme, and finds what changed since the last build.
    pub fn open(dir: SiteDir, progress: &Progress) -> Result<(Builder, Report), Error> {
        // A wrong `--root` should not even get a private folder.
        content::require_site(dir.root())?;
        let lock = dir.lock()?;
        dir.sweep();
        let frame = content::read_frame(dir.root())?;
        let load = || -> Option<Cache<'_, Known>> { cache::load(&dir.cache()) };
        let (theme, remembered) = rayon::join(|| read_theme(&dir, &frame), load);
        let theme = theme?;
        let mut site = Site::new(frame.settings.clone(), frame.boards.clone());
        let mut report = Report { problems: frame.problems, ..Report::default() };
        let (drawn_with, mut output) = (remembered.as_ref().map(|cache| cache.drawn_with), Remembered::default());
        if let Some(remembered) = remembered {
            output.pages = remembered.pages.into_owned();
            if remembered.made_by == program() {
                // Another program may pack otherwise.
                output.siblings = remembered.siblings.into_owned();
                restore(&mut site, remembered.boards);
            }
        }
        progress.stage("reading");
        let mut shelf = Shelf::new(publish::resolve(&dir.public()));
        publish::sweep(shelf.root())?;
        let pages_remembered = output.pages.len();
        let tick = || progress.tick();
        // One asks the system for each thread, the other for each page: neither waits for the other.
        let (due, surveyed) = rayon::join(|| look_at_all(&dir, &mut site, &tick, &mut report), || shelf.survey(output));
        let (mut due, surveyed) = (due?, surveyed?);
        let owed = Owed::since(&surveyed);
        let Surveyed { strangers, siblings, strange_siblings: mut orphans, .. } = surveyed;
        let mut numbers = Numbers::open(dir.numbers())?;
        let same_look = drawn_with == Some(fingerprint(&site, &theme));
        report.problems.extend(content::collisions(dir.root(), &site));
        numbers.learn(&site);
        site.log = staff::public_log(&dir, &site, &mut report);
        let all = plan::all_pages(&site, &theme);
        due.draw.insert(PageKey::Log);
        if same_look && !shelf.files().is_empty() {
            due.draw.extend(all.iter().filter(|key| shelf.get(&key.path()).is_none()).cloned());
            due.draw.retain(|key| all.contains(key));
        } else {
            due.draw = all;
        }
        due.strangers = strangers;
        let mut old_assets = OldAssets::open(dir.private().join("old-assets"));
        let now = publish::seconds(clock::system());
        let to_go = stale::stale(&shelf, &due.strangers, &site, &theme);
        due.stale = old_assets.spare(&mut shelf, to_go, now);
        let public_folder = folder::id(&dir.public());
        let changed = Arc::new(Changed::new(dir.changed()));
        let siblings = Siblings::new(shelf.root().to_owned(), frame.settings.precompress, siblings);
        orphans.extend(siblings.disown(&shelf, !orphans.is_empty()));
        let shown = Arc::new(RwLock::new(Shown { site, theme }));
        let nothing_new =
            report.read == 0 && due.is_empty() && orphans.is_empty() && shelf.files().len() == pages_remembered;
        let mod_log = ModLog::new(dir.mod_log());
        let mut builder = Builder {
            dir,
            shown,
            shelf,
            siblings: Arc::new(siblings),
            orphans,
            unpacked: BTreeSet::new(),
            packer: None,
            hook: None,
            owed,
            changed,
            numbers,
            mod_log,
            old_assets,
            due,
            previews: Previews::default(),
            ahead: InMemory::new(),
            public_folder,
            saved: same_look && nothing_new,
            siblings_saved: 0,
            vitals: Vitals::default(),
            lock: Some(lock),
        };
        builder.unpacked = builder.lacking();
        builder.siblings_saved = builder.siblings.changes();
        Ok((builder, report))
    }

    /// The site's folders.
    pub fn dir(&self) -> &SiteDir {
        &self.dir
    }

    /// What is told of it and of all that works with it.
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// What the door may look at.
    pub fn shown(&self) -> &Arc<RwLock<Shown>> {
        &self.shown
    }

    /// Changes that wait for the hook.
    pub fn changed(&self) -> &Arc<Changed> {
        &self.changed
    }

    /// The path below which the site stands.
    pub fn prefix(&self) -> String {
        self.read_shown().site.settings.prefix().to_owned()
    }

    pub(super) fn read_shown(&self) -> RwLockReadGuard<'_, Shown> {
        read(&self.shown)
    }

    /// Commits posts of the inbox, notes which pages they touch, and draws these while the disk is busy.
    ///
    /// What the threads will hold is known before their files are durable. So the pages are drawn then, and put in
    /// their place later, once the files are. If the disk did not do as was foreseen, they are thrown away.
    pub fn commit(&mut self, arrivals: Vec<Arrival>) -> Committed {
        let content = self.dir.content();
        let shown = self.shown.clone();
        let plan = commit::plan(&content, &read(&shown).site, &mut self.numbers, arrivals, clock::now());
        let foreseen = plan.foreseen().filter(|threads| !self.is_due() && small(threads));
        let (outcome, drawn) = match &foreseen {
            None => (plan.write(), InMemory::new()),
            Some(threads) => std::thread::scope(|scope| {
                let writing = scope.spawn(|| plan.write());
                let drawn = self.foresee(threads);
                (writing.join().unwrap_or_else(|panic| resume_unwind(panic)), drawn)
            }),
        };
        let committed = plan.finish(outcome, &read(&shown).site, &mut self.numbers);
        match foreseen {
            None => self.take_over(&committed.written),
            Some(_) if committed.failed.is_empty() => self.confirm(&committed.written),
            Some(threads) => {
                // Those that a failure gave another number are not among the foreseen ones.
                let all = threads.iter().chain(&committed.written);
                let keys = all.map(|thread| thread.key.clone()).collect();
                self.take(&keys, &mut Report::default());
                return committed;
            }
        }
        self.ahead = drawn;
        committed
    }

    /// Takes over threads as they will be, and draws what that touches.
    fn foresee(&mut self, threads: &[Written]) -> InMemory {
        self.take_over(threads);
        let warm = threads.iter().map(|thread| (thread.key.clone(), thread.thread.clone())).collect();
        let shown = read(&self.shown);
        let has_page = |key: &&PageKey| plan::has_page(&shown.site, &shown.theme, key);
        let pages: Vec<PageKey> = self.due.draw.iter().filter(has_page).cloned().collect();
        if DRAWN_AHEAD_MAX < pages.len() {
            return InMemory::new();
        }
        self.forget_previews(&pages);
        Drawing {
            dir: &self.dir,
            shown: &shown,
            warm: &warm,
            previews: Some(&self.previews),
            metrics: &self.vitals.metrics,
        }
        .draw(pages)
    }

    /// The files are there as they were foreseen: notes how they look.
    fn confirm(&mut self, written: &[Written]) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        written.iter().for_each(|written| shown.site.restamp(&written.key, written.stamp));
    }

    /// Takes over threads that commit has written, or will have.
    fn take_over(&mut self, threads: &[Written]) {
        self.ahead.clear();
        // Long threads take a while to be summed up, and the door should not wait for that.
        let changes: Vec<Change> = {
            let site = &read(&self.shown).site;
            let change = |Written { key, thread, stamp, hash }: &Written| {
                let board = site.board(&key.board)?;
                let now = content::number(thread, key, &board.settings, *stamp, *hash, excerpt);
                Some(Change { key: key.clone(), now: Some(now) })
            };
            threads.iter().filter_map(change).collect()
        };
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let delta = shown.site.apply(changes);
        self.due.add(plan::touched(&shown.site, &delta));
        self.saved = false;
    }

    fn forget_previews(&self, pages: &[PageKey]) {
        for page in pages {
            if let PageKey::Thread(board, no) = page {
                self.previews.forget(&ThreadKey { board: board.clone(), no: *no });
            }
        }
    }

    /// Looks at these threads' files again.
    pub fn take(&mut self, keys: &BTreeSet<ThreadKey>, report: &mut Report) {
        let found = content::find_changes_of(self.dir.root(), &self.read_shown().site, keys, clock::now_ns(), excerpt);
        self.apply(found, report);
    }

    /// Looks at all threads' files again.
    pub fn take_all(&mut self, report: &mut Report) -> Result<(), Error> {
        let boards: Vec<_> = self.read_shown().site.boards().map(|board| board.slug.clone()).collect();
        let pulses = self.vitals.pulses.clone();
        let beat = || pulses.beat(Part::Builder);
        for board in boards {
            let found = {
                let site = &self.read_shown().site;
                content::find_changes_on(self.dir.root(), site, &board, clock::now_ns(), excerpt, &beat)?
            };
            self.apply(found, report);
        }
        Ok(())
    }

    fn apply(&mut self, found: Found, report: &mut Report) {
        self.ahead.clear();
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let delta = note_found(&mut shown.site, found, report);
        let touched = plan::touched(&shown.site, &delta);
        if !delta.drawn.is_empty() || !delta.gone.is_empty() {
            let boards = delta.boards.keys().filter_map(|slug| shown.site.board(slug));
            boards.for_each(|board| self.numbers.learn_board(board));
            self.saved = false;
        }
        drop(shown);
        self.due.add(touched);
    }

    /// Reads settings, boards and theme anew; what is wrong with them is an error, and nothing changes then.
    pub fn reload(&mut self, report: &mut Report) -> Result<(), Error> {
        let frame = content::read_frame(self.dir.root())?;
        let theme = read_theme(&self.dir, &frame)?;
        report.problems.extend(frame.problems.iter().cloned());
        let mut site = Site::new(frame.settings.clone(), frame.boards.clone());
        {
            let shown = self.read_shown();
            if fingerprint(&site, &theme) == fingerprint(&shown.site, &shown.theme) {
                return Ok(());
            }
            restore(&mut site, to_cache(&shown.site));
        }
        self.show(site, theme, report)
    }

    /// Forgets all that is known and looks at everything again, as a new process would.
    pub fn start_over(&mut self, report: &mut Report) -> Result<(), Error> {
        let frame = content::read_frame(self.dir.root())?;
        let theme = read_theme(&self.dir, &frame)?;
        report.problems.extend(frame.problems);
        // The next look at `public/` takes it for a folder that was never seen.
        self.public_folder = None;
        self.due = plan::Touched::default();
        self.show(Site::new(frame.settings, frame.boards), theme, report)
    }

    /// Shows `site`, with what its files say that it does not know, and makes all pages due.
    fn show(&mut self, mut site: Site, theme: Theme, report: &mut Report) -> Result<(), Error> {
        look_at_all(&self.dir, &mut site, &|| self.vitals.pulses.beat(Part::Builder), report)?;
        self.orphans.extend(self.siblings.recode(site.settings.precompress));
        self.numbers.learn(&site);
        site.log = staff::public_log(&self.dir, &site, report);
        self.previews.clear();
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Shown { site, theme };
        self.redraw_all();
        Ok(())
    }

    /// Makes all pages due, and whatever else lies in `public/` stale.
    pub(super) fn redraw_all(&mut self) {
        self.ahead.clear();
        let shown = read(&self.shown);
        let all = plan::all_pages(&shown.site, &shown.theme);
        let stale = stale::stale(&self.shelf, &self.due.strangers, &shown.site, &shown.theme);
        self.due.stale = self.old_assets.spare(&mut self.shelf, stale, publish::seconds(clock::system()));
        self.due.draw = all;
        self.saved = false;
    }

    /// Notices that somebody has removed or replaced `public/`, and makes all pages due if so.
    pub fn notice_loss(&mut self) -> Result<(), Error> {
        if self.public_folder.is_some() && folder::id(&self.dir.public()) == self.public_folder {
            return Ok(());
        }
        // The next publish fills whatever is there then, and that is the folder from then on.
        self.public_folder = None;
        self.shelf = Shelf::new(publish::resolve(&self.dir.public()));
        let surveyed = self.shelf.survey(Remembered::default())?;
        self.owed.add(&surveyed);
        self.due.strangers = surveyed.strangers;
        self.siblings.reset(self.shelf.root().to_owned());
        self.orphans = surveyed.strange_siblings;
        self.redraw_all();
        Ok(())
    }

    /// Whether there is anything to publish.
    pub fn is_due(&self) -> bool {
        let due = &self.due;
        !due.draw.is_empty() || !due.stale.is_empty() || !due.gone.is_empty() || !self.orphans.is_empty()
    }

    /// How many pages are not as they should be.
    pub fn pages_due(&self) -> usize {
        self.due.draw.len()
    }

    /// Whether this page is not as it should be.
    pub fn is_page_due(&self, page: &PageKey) -> bool {
        self.due.draw.contains(page)
    }

    /// Draws and publishes what is due. `warm` holds threads that need not be read again.
    pub fn publish(&mut self, warm: &BTreeMap<ThreadKey, Arc<Thread>>, progress: &Progress, report: &mut Report) {
        let mut drawn = std::mem::take(&mut self.ahead);
        let due = std::mem::take(&mut self.due);
        let shown_lock = self.shown.clone();
        let shown = read(&shown_lock);
        let exists = |key: &PageKey| {
            let path = key.path();
            self.shelf.get(&path).is_some() || due.strangers.contains(&path)
        };
        let draw: Vec<PageKey> =
            due.draw.iter().filter(|key| plan::has_page(&shown.site, &shown.theme, key)).cloned().collect();
        // Pages that are not there yet come first, so that no link to them leads nowhere, not even for a moment. Then
        // threads with their new posts, to which all the others may link.
        let (old, new): (Vec<PageKey>, Vec<PageKey>) = draw.into_iter().partition(exists);
        let gone: Vec<String> = due.gone.iter().filter(|key| exists(key)).map(PageKey::path).collect();
        let undrawn: Vec<PageKey> = new.iter().chain(&old).filter(|key| !drawn.contains_key(key)).cloned().collect();
        self.forget_previews(&undrawn);
        self.remove_orphans(report);
        publish::remove_links(self.shelf.root(), &due.strangers);
        progress.stage("building");
        progress.expect(new.len() + old.len());
        let now = publish::seconds(clock::system());
        let are_new = new.iter().cloned().collect();
        let (new_lists, new): (Vec<PageKey>, Vec<PageKey>) =
            new.into_iter().partition(|page| held_back::is_new_list(page, &are_new));
        let (threads, lists): (Vec<PageKey>, Vec<PageKey>) = old.into_iter().partition(|page| page.thread().is_some());
        let answered = |page: &PageKey| page.thread().is_some_and(|key| warm.contains_key(&key));
        let (answered, threads): (Vec<PageKey>, Vec<PageKey>) = threads.into_iter().partition(answered);
        let mut held_back = HeldBack::default();
        // Pages link to what programs read of them.
        let (new_files, new): (Vec<PageKey>, Vec<PageKey>) =
            new.into_iter().partition(|page| page.is_for_programs() && page.thread().is_none());
        for (stage, mut pages) in [new_files, new, new_lists, answered, threads, lists].into_iter().enumerate() {
            if stage == 2 || stage == 3 {
                // An old page that fails is there all the same, so nobody waits for it.
                held_back = HeldBack::by(&self.due.draw, &shown.site);
            }
            self.due.draw.extend(pages.extract_if(.., |page| held_back.has(page)));
            let target = InPlace { shelf: &self.shelf, siblings: &self.siblings, now };
            let drawing = Drawing {
                dir: &self.dir,
                shown: &shown,
                warm,
                previews: Some(&self.previews),
                metrics: &self.vitals.metrics,
            };
            let results = drawing.draw_and_put(pages, &mut drawn, &target, progress);
            for result in results {
                self.note_packing(&result);
                note(result, &mut self.shelf, &mut self.due.draw, report);
            }
            if stage < 3 {
                self.withdraw(held_back::cut_off(&are_new, &self.due.draw, &shown.site), report);
            }
            disk::point("pages put, new ones or old ones");
        }
        let still_there = |path: &String| !stale::has_path(&shown.site, &shown.theme, path);
        // A page may be both: found in the output by this start, and taken away by what changed since the last one.
        let stale: BTreeSet<String> = due.stale.into_iter().chain(gone).filter(still_there).collect();
        match self.due.draw.is_empty() {
            true => self.remove(stale.into_iter().collect(), report),
            // A page that could not be drawn may still link to these. They go with the next try.
            false => self.due.stale.extend(stale),
        }
        disk::point("pages removed");
        report.unchanged = self.shelf.files().len().saturating_sub(report.written.len());
        if self.public_folder.is_none() {
            self.public_folder = folder::id(&self.dir.public());
        }
        self.saved &= report.written.is_empty() && report.removed.is_empty();
        self.pack(progress, report);
    }

    /// Takes pages away that were put as new ones a moment ago; they are due again.
    fn withdraw(&mut self, pages: BTreeSet<PageKey>, report: &mut Report) {
        report.written.retain(|page| !pages.contains(page));
        self.remove(pages.iter().map(PageKey::path).collect(), report);
        self.due.draw.extend(pages);
    }

    fn remove(&mut self, paths: Vec<String>, report: &mut Report) {
        let failures = publish::remove(self.shelf.root(), &self.siblings, &paths);
        for failure in &failures {
            report.problems.push(Problem::new(&failure.path, format!("cannot be removed: {}", failure.source)));
        }
        let stays = |path: &String| failures.iter().any(|failure| failure.path == self.shelf.root().join(path));
        let (staying, removed): (Vec<String>, Vec<String>) = paths.into_iter().partition(stays);
        self.due.stale.extend(staying);
        removed.iter().for_each(|path| self.shelf.forget(path));
        report.removed.extend(removed);
    }

    /// Remembers what is known, for the next start. Nothing is lost if this fails.
    pub fn save(&mut self) {
        let siblings_now = self.siblings.changes();
        if self.lock.is_none() || self.saved && siblings_now == self.siblings_saved {
            return;
        }
        let shown = read(&self.shown);
        // Pages that are due are not as they should be: what is not remembered is looked at anew.
        let due: BTreeSet<String> = self.due.draw.iter().map(PageKey::path).collect();
        let mut pages = Cow::Borrowed(self.shelf.files());
        if !due.is_empty() {
            pages.to_mut().retain(|path, _| !due.contains(path));
        }
        let drawn_with = fingerprint(&shown.site, &shown.theme);
        let outcome = self.siblings.with_known(|siblings| {
            let (boards, siblings) = (to_cache(&shown.site), Cow::Borrowed(siblings));
            cache::save(&self.dir.cache(), &Cache { drawn_with, made_by: program(), boards, pages, siblings })
        });
        disk::point("cache saved");
        match outcome {
            Ok(()) => (self.saved, self.siblings_saved) = (true, siblings_now),
            Err(error) => tracing::warn!(error = %super::error::chain(&error), "cannot write the build cache"),
        }
    }
}

/// The guard of what is shown. Readers never leave it half changed, so a panic elsewhere does not spoil it.
pub fn read(shown: &RwLock<Shown>) -> RwLockReadGuard<'_, Shown> {
    shown.read().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the theme that the settings name.
pub(super) fn read_theme(dir: &SiteDir, frame: &Frame) -> Result<Theme, Error> {
    let files = theme::read(&dir.themes(), &frame.settings.theme)?;
    let locale = locale::read(&files, &frame.settings.locale).map_err(ThemeError::Texts)?;
    Ok(Theme::compile(&files, &locale.texts, frame.settings.prefix())?)
}

/// Looks at all thread files, a board after the other, and takes over what changed; gives the pages that it touches.
fn look_at_all(
    dir: &SiteDir,
    site: &mut Site,
    tick: &(impl Fn() + Sync),
    report: &mut Report,
) -> Result<plan::Touched, Error> {
    let mut touched = plan::Touched::default();
    let boards: Vec<_> = site.boards().map(|board| board.slug.clone()).collect();
    for board in boards {
        let found = content::find_changes_on(dir.root(), site, &board, clock::now_ns(), excerpt, tick)?;
        let delta = note_found(site, found, report);
        touched.add(plan::touched(site, &delta));
    }
    Ok(touched)
}

/// Takes over what a look at the files found. The builder holds the site's lock.
fn note_found(site: &mut Site, found: Found, report: &mut Report) -> crate::model::Delta {
    report.read += found.read;
    report.panics += found.panics;
    for draft in &found.drafts {
        // One that stays is written over or found again next time.
        let _ = std::fs::remove_file(draft);
    }
    report.problems.extend(found.problems);
    for (key, stamp) in found.restamped {
        site.restamp(&key, stamp);
    }
    site.apply(found.changes)
}
