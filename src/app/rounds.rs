//! The builder's loop in `serve`: takes events, commits what lies in the inbox, builds, and tells those who wait.
//!
//! All events that are there make one round, so that many posts at once are one build. What fails stays where it is
//! and is tried again, after a pause that grows.

mod taking;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::builder::{self, Builder};
use super::condition::Vitals;
use super::error::{Error, chain};
use super::events::{BACKLOG_MAX, Batch, Event, Events, Mine, Waiting, weight};
use super::faults;
use super::follower::{self, Ended, Follower};
use super::isolate;
use super::onlooker::Onlooker;
use super::progress::Progress;
use super::pulse::Part;
use crate::disk::{self, Counts};
use crate::metrics::Place;
use crate::model::{Act, Arrival, PageKey, PostId, Receipt, Refusal, Report, Thread, ThreadKey};
use crate::store::commit::{Committed, Placed};
use crate::store::content;
use crate::store::inbox::Inbox;
use crate::watch::Seen;

/// So many posts do not wait for more of them.
const GATHERED_MAX: usize = BACKLOG_MAX / 4;

/// Inbox files that are taken into one round.
const FILES_A_ROUND: usize = 2_000;

/// Text from inbox files that is taken into one round, in bytes; the last file may go beyond it.
const BYTES_A_ROUND: usize = 64 << 20;

/// The first pause after a failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The longest pause before a round for which nobody waits, so that it takes more.
const GATHER_MAX: Duration = Duration::from_millis(500);

/// The build cache is written after so long without work.
const SAVE_AFTER: Duration = Duration::from_secs(5);

/// How often it is looked what has been kept long enough.
const HOUSEWORK_EVERY: Duration = Duration::from_secs(600);

/// Writing the build cache takes at most one part in so many of the time, since a post that comes meanwhile waits. An
/// older cache costs the next start no more than a look at what changed since.
const SAVE_SHARE: u32 = 1_000;

/// The loop and what it keeps from round to round.
pub struct Rounds {
    builder: Builder,
    inbox: Inbox,
    events: Receiver<Event>,
    backlog: Arc<AtomicUsize>,
    mine: Mine,
    quiet: Progress,
    /// Batches whose posts are not all in their threads yet.
    batches: Vec<Batch>,
    /// Posters by post; a resend waits for the same post as the first.
    waiting: HashMap<PostId, Vec<oneshot::Sender<Result<Receipt, Refusal>>>>,
    /// Acts of staff that are not carried out yet, by the names of their inbox files.
    acts: BTreeMap<String, Vec<Act>>,
    todo: Todo,
    failures: u32,
    /// Rounds that panicked since one did not.
    panics: u32,
    /// When the next round begins at the earliest if nobody waits for it.
    gather_until: Instant,
    /// It is not looked before what has been kept long enough.
    housework_from: Instant,
    /// The build cache is not written before.
    save_from: Instant,
    /// What had been read and written when that was told last.
    counts: Counts,
    /// Whether the last round could not store posts; else it was single pages or inbox files, if anything.
    storing_failed: bool,
    stop: bool,
    /// Who wants to hear that the site is free for another process.
    step_aside: Option<mpsc::Sender<()>>,
}

/// What the next round has to look at.
#[derive(Default)]
struct Todo {
    inbox: bool,
    inbox_again_at: Option<Instant>,
    threads: BTreeSet<ThreadKey>,
    /// The public log.
    log: bool,
    all_threads: bool,
    settings: bool,
    output: bool,
    /// After a panic nothing that is known can be relied on.
    anew: bool,
}

impl Rounds {
    /// A loop for `builder`, which looks at the whole inbox first.
    pub fn new(builder: Builder, inbox: Inbox, mine: Mine, way: &Events, events: Receiver<Event>) -> Rounds {
        let quiet = Progress::beating(&builder.vitals().pulses);
        Rounds {
            builder,
            inbox,
            events,
            backlog: way.backlog.clone(),
            mine,
            quiet,
            batches: Vec::new(),
            waiting: HashMap::new(),
            acts: BTreeMap::new(),
            // What changed after the builder was opened and before the watch began is told by nobody.
            todo: Todo { inbox: true, all_threads: true, settings: true, ..Todo::default() },
            failures: 0,
            panics: 0,
            gather_until: Instant::now(),
            housework_from: Instant::now(),
            save_from: Instant::now(),
            counts: Counts::so_far(),
            storing_failed: false,
            stop: false,
            step_aside: None,
        }
    }

    /// Runs until it is told to stop and everything that was accepted is built, or cannot be for now.
    pub fn run(mut self) {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.step())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(_) => self.recover(),
            }
        }
        self.builder.save();
        self.pulse_rests();
    }

    /// Does what lies in the inbox, for a command that ends then; gives the builder back. What fails stays there.
    pub fn empty_inbox(mut self) -> Builder {
        // The builder has just looked at all the rest.
        self.todo = Todo { inbox: true, ..Todo::default() };
        self.stop = true;
        while self.step().is_continue() {}
        self.builder.save();
        self.builder
    }

    fn pulse_rests(&self) {
        self.builder.vitals().pulses.rest(Part::Builder);
    }

    /// Waits for work and does it. A panic in it does not end the loop, for then posts would be accepted that nobody
    /// builds.
    fn step(&mut self) -> ControlFlow<()> {
        let busy = self.is_busy();
        if !busy && self.stop {
            return ControlFlow::Break(());
        }
        if !busy && self.step_aside.is_none() {
            self.wait();
        }
        self.gather();
        self.keep_house();
        self.builder.vitals().pulses.beat(Part::Builder);
        if self.is_busy() {
            self.timed_round();
        }
        if let Some(done) = self.step_aside.take() {
            self.stand_aside(&done)?;
        }
        if 0 < self.failures && self.stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Gives the site to another process, and looks on until that is told to be gone, or this one is to end. What is
    /// not built yet lies in the inbox for the other one.
    fn stand_aside(&mut self, done: &mpsc::Sender<()>) -> ControlFlow<()> {
        self.builder.step_aside();
        // Whoever asked may have given up; it will say so.
        let _ = done.send(());
        let mut batches = std::mem::take(&mut self.batches);
        for batch in &mut batches {
            for id in batch.arrivals.iter().map(|arrival| &arrival.id) {
                let tells = self.waiting.remove(id).unwrap_or_default();
                batch.waiting.extend(tells.into_iter().map(|tell| Waiting { id: id.clone(), tell }));
            }
        }
        let onlooker = Onlooker::of(self.builder.dir().clone(), self.builder.shown().clone());
        let vitals = self.builder.vitals().clone();
        let (inbox, mine, backlog) = (self.inbox.clone(), self.mine.clone(), self.backlog.clone());
        let (ended, left) = Follower::new(onlooker, inbox, mine, backlog, &self.events, vitals).with(batches).run();
        if let Ended::Stopped = ended {
            return ControlFlow::Break(());
        }
        for batch in left {
            self.backlog.fetch_sub(weight(&batch.arrivals), Ordering::Relaxed);
            for waiting in batch.waiting {
                self.waiting.entry(waiting.id).or_default().push(waiting.tell);
            }
        }
        self.acts.clear();
        self.todo = Todo { inbox: true, anew: true, ..Todo::default() };
        // Without the site there is nothing to go on with. The process ends then, and whoever looks after it starts it
        // anew.
        if follower::take_back(&mut self.builder) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn is_busy(&self) -> bool {
        let todo = &self.todo;
        let again = todo.inbox_again_at.is_some_and(|at| at <= Instant::now());
        let work = todo.inbox
            || again
            || todo.all_threads
            || todo.settings
            || todo.log
            || todo.output
            || todo.anew
            || !todo.threads.is_empty();
        work || !self.batches.is_empty() || !self.acts.is_empty() || self.builder.is_due()
    }

    /// Waits for an event; writes the cache when there is none for a while.
    fn wait(&mut self) {
        let until_inbox = self.todo.inbox_again_at.map(|at| at.saturating_duration_since(Instant::now()));
        self.pulse_rests();
        match self.events.recv_timeout(until_inbox.unwrap_or(SAVE_AFTER).min(SAVE_AFTER)) {
            Ok(event) => self.hear(event),
            Err(RecvTimeoutError::Timeout) => self.save_now_and_then(),
            Err(RecvTimeoutError::Disconnected) => self.stop = true,
        }
    }

    /// What has been kept long enough is forgotten.
    fn keep_house(&mut self) {
        if Instant::now() < self.housework_from {
            return;
        }
        self.housework_from = Instant::now() + HOUSEWORK_EVERY;
        if let Err(error) = self.builder.forget_old() {
            error!(error = %chain(&error), "cannot remove what should not be kept any longer");
        }
    }

    fn save_now_and_then(&mut self) {
        self.builder.expire_old_assets();
        let began = Instant::now();
        if began < self.save_from {
            return;
        }
        self.builder.save();
        self.save_from = Instant::now() + began.elapsed() * SAVE_SHARE;
    }

    /// Hears all events that are there; after a failure, waits a while first. A new post does not wait for that.
    fn gather(&mut self) {
        if 0 < self.failures && !self.is_asked_away() {
            self.pulse_rests();
            let pause = PAUSE_MIN.saturating_mul(1 << self.failures.min(10).saturating_sub(1)).min(PAUSE_MAX);
            let until = Instant::now() + pause;
            while let Ok(event) = self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                self.hear(event);
                // A page that fails must not hold up posts elsewhere, and this may be what puts it right. A disk that
                // takes no posts is better left alone for the whole pause.
                if self.is_asked_away() || !self.storing_failed {
                    break;
                }
            }
        }
        while let Ok(event) = self.events.try_recv() {
            self.hear(event);
        }
        while self.may_gather() {
            match self.events.recv_timeout(self.gather_until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.hear(event),
                Err(_) => return,
            }
        }
    }

    /// Whether the next round may take more. The door and the builder want the same processors and the same disk, and
    /// one large round is much less work than several small ones. What a hand has changed can wait as well: it comes
    /// together with what the rounds themselves have written.
    fn may_gather(&self) -> bool {
        let many = GATHERED_MAX <= self.backlog.load(Ordering::Relaxed);
        !many && self.waiting.is_empty() && !self.is_asked_away()
    }

    fn is_asked_away(&self) -> bool {
        self.stop || self.step_aside.is_some()
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Accepted(mut batch) => {
                for waiting in batch.waiting.drain(..) {
                    self.waiting.entry(waiting.id).or_default().push(waiting.tell);
                }
                self.batches.push(batch);
            }
            Event::Seen(seen) => self.hear_of_files(seen),
            Event::Stop => self.stop = true,
            Event::StepAside(done) => self.step_aside = Some(done),
            // It has not stepped aside yet, and need not any more.
            Event::TakeBack => self.step_aside = None,
        }
    }

    fn hear_of_files(&mut self, seen: Seen) {
        let dir = self.builder.dir();
        let (root, inbox, themes, public) = (dir.root(), dir.inbox(), dir.themes(), dir.public());
        let todo = &mut self.todo;
        if seen.everything {
            let anew = todo.anew;
            *todo = Todo { inbox: true, all_threads: true, settings: true, output: true, anew, ..Todo::default() };
            return;
        }
        for path in seen.paths {
            if path.starts_with(&inbox) {
                let inside = path.parent() == Some(&inbox) && !self.mine.has(&name_of(&path));
                todo.inbox |= inside || path == inbox;
            } else if path == public {
                todo.output = true;
            } else if path.starts_with(&themes) {
                todo.settings = true;
            } else if let Some(key) = content::key_of(root, &path) {
                todo.threads.insert(key);
            } else if path == dir.public_log() {
                todo.log = true;
            } else if path.starts_with(dir.content()) {
                // A settings file, or a board's folder with all that is in it.
                todo.settings = true;
                todo.all_threads = true;
            }
        }
    }

    fn timed_round(&mut self) {
        let began = Instant::now();
        self.round();
        self.panics = 0;
        // As long as this one took: a few posts are not held up, and many leave half of the time to the door.
        self.gather_until = Instant::now() + began.elapsed().min(GATHER_MAX);
    }

    /// What was half done when it panicked is given up: the batches are still here, and what is known of the site is
    /// learnt anew.
    fn recover(&mut self) {
        error!("the builder panicked; starting over");
        let vitals = self.builder.vitals();
        vitals.metrics.panicked(Place::Builder);
        vitals.metrics.rounds_failed.inc();
        vitals.condition.note("builder", Some("the last round panicked; it starts over".to_owned()));
        self.failures = self.failures.saturating_add(1);
        self.panics = self.panics.saturating_add(1);
        // Whatever made it panic may be in each new post too: it is better left alone for the whole pause.
        self.storing_failed = true;
        self.todo = Todo { inbox: true, anew: true, ..Todo::default() };
    }

    fn round(&mut self) {
        faults::strike("round");
        let began = Instant::now();
        let mut report = Report::default();
        let mut failed = false;
        let todo = std::mem::take(&mut self.todo);
        self.todo.inbox_again_at = todo.inbox_again_at.filter(|at| Instant::now() < *at);
        let inbox_due = todo.inbox || self.todo.inbox_again_at.is_none() && todo.inbox_again_at.is_some();
        failed |= self.look_at_files(&todo, &mut report);
        failed |= inbox_due && self.take_from_inbox();
        self.builder.redirect(self.batches.iter_mut().flat_map(|batch| &mut batch.arrivals));
        let arrivals: Vec<Arrival> = self.batches.iter().flat_map(|batch| batch.arrivals.iter().cloned()).collect();
        let posts = arrivals.len();
        let committed = match self.panics < isolate::AFTER_PANICS {
            true => isolate::together(&mut self.builder, arrivals),
            false => isolate::singly(&mut self.builder, arrivals),
        };
        let mut performed = self.perform_acts(&mut report);
        self.make_room(&committed, &mut performed.changed, &mut report);
        let mut warm: BTreeMap<ThreadKey, Arc<Thread>> =
            committed.written.iter().map(|written| (written.key.clone(), written.thread.clone())).collect();
        // Those are not any more what was committed.
        warm.retain(|key, _| !performed.changed.contains(key));
        if self.builder.is_due() {
            self.builder.publish(&warm, &self.quiet, &mut report);
        }
        failed |= self.put_acts_away(performed);
        self.storing_failed = !committed.failed.is_empty() || !committed.unsynced.is_empty();
        failed |= self.builder.is_due() || self.storing_failed;
        disk::point("before posters are told");
        self.tell(&committed);
        disk::point("after posters are told");
        self.finish_batches(&committed);
        if !(report.written.is_empty() && report.removed.is_empty())
            && let Err(error) = self.builder.write_purge(&report)
        {
            warn!(error = %chain(&error), "cannot write purge.txt");
        }
        for problem in report.problems.iter().chain(&committed.problems) {
            warn!("{problem}");
        }
        if let Some((_, error)) = committed.failed.first() {
            error!(error = %chain(&**error), posts = committed.failed.len(), "cannot store posts; trying again");
        }
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        self.note_vitals(&report, &committed, failed);
        if posts == 0 && report.written.is_empty() && report.removed.is_empty() {
            return;
        }
        let counts = Counts::so_far();
        self.builder.vitals().metrics.built(began.elapsed());
        let asked = counts.since(std::mem::replace(&mut self.counts, counts));
        info!(
            posts,
            written = report.written.len(),
            removed = report.removed.len(),
            files_read = asked.files_read,
            files_written = asked.files_written,
            bytes_written = asked.bytes_written,
            milliseconds = began.elapsed().as_secs_f64() * 1e3,
            "built"
        );
    }

    /// Tells whoever monitors the program what came of a round.
    fn note_vitals(&self, report: &Report, committed: &Committed, failed: bool) {
        let vitals = self.builder.vitals();
        vitals.count(report);
        let Vitals { metrics, condition, .. } = vitals;
        metrics.posts_built.inc_by(committed.placed.len() as u64);
        metrics.posts_waiting.set(self.backlog.load(Ordering::Relaxed) as i64);
        let pages_due = self.builder.pages_due();
        metrics.pages_due.set(pages_due as i64);
        if failed {
            metrics.rounds_failed.inc();
        }
        let posts = committed.failed.first().map(|(_, error)| format!("posts cannot be stored: {}", chain(&**error)));
        condition.note("builder", posts);
        let first =
            report.problems.first().map(|problem| format!(", first {}: {}", problem.path.display(), problem.message));
        let pages =
            (0 < pages_due).then(|| format!("{pages_due} pages are not up to date{}", first.unwrap_or_default()));
        condition.note("pages", pages);
    }

    /// Looks at what was edited by hand. `true` if that failed and is to be done again.
    fn look_at_files(&mut self, todo: &Todo, report: &mut Report) -> bool {
        let mut failed = false;
        if todo.anew
            && let Err(error) = self.builder.start_over(report)
        {
            tell_error("cannot look at the site anew", &error);
            self.todo.anew = true;
            failed = true;
        }
        if todo.settings {
            failed |= self.reload_settings(report);
        }
        if todo.all_threads
            && let Err(error) = self.builder.take_all(report)
        {
            tell_error("cannot look at all threads", &error);
            self.todo.all_threads = true;
            failed = true;
        } else if !todo.threads.is_empty() {
            self.builder.take(&todo.threads, report);
        }
        if todo.log || todo.all_threads {
            self.builder.take_log(report);
        }
        if let Err(error) = self.builder.notice_loss() {
            tell_error("cannot look at `public/`", &error);
            failed = true;
        }
        failed
    }

    /// Reads settings and theme again. `true` if that failed and is to be done again.
    fn reload_settings(&mut self, report: &mut Report) -> bool {
        let outcome = self.builder.reload(report);
        let trouble = outcome.as_ref().err().map(|error| match error.problems().first() {
            Some(problem) => format!("the last good ones are used: {}: {}", problem.path.display(), problem.message),
            None => format!("the last good ones are used: {}", chain(error)),
        });
        self.builder.vitals().condition.note("settings", trouble);
        let Err(error) = outcome else { return false };
        tell_error("settings or theme cannot be used; going on with the last good ones", &error);
        // A mistake in a file is not tried again until the file changes.
        self.todo.settings = !error.is_of_settings();
        self.todo.settings
    }

    /// Tells posters where their posts stand, or why they do not.
    fn tell(&mut self, committed: &Committed) {
        let shown = self.builder.shown().clone();
        let shown = builder::read(&shown);
        for placed in &committed.placed {
            let page = PageKey::Thread(placed.key.board.clone(), placed.key.no);
            if shown.site.thread(&placed.key).is_some() && !self.builder.is_page_due(&page) {
                self.answer(&placed.id, Ok(visible(placed)));
            }
        }
        drop(shown);
        for (arrival, refusal) in &committed.refused {
            self.answer(&arrival.id, Err(refusal.clone()));
        }
        // Those whose page failed, or whose client has left, are not kept.
        self.waiting.retain(|_, waiting| {
            waiting.retain(|tell| !tell.is_closed());
            !waiting.is_empty()
        });
    }

    fn answer(&mut self, id: &PostId, outcome: Result<Receipt, Refusal>) {
        for tell in self.waiting.remove(id).unwrap_or_default() {
            // A client that has left need not be told.
            let _ = tell.send(outcome.clone());
        }
    }
}

fn visible(placed: &Placed) -> Receipt {
    Receipt::Visible { board: placed.key.board.clone(), thread: placed.key.no, no: placed.no }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Logs an error and the problems that it consists of.
fn tell_error(what: &str, error: &Error) {
    error!(error = %chain(error), "{what}");
    for problem in error.problems() {
        error!("{problem}");
    }
}
