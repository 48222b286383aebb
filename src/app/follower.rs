//! The loop beside a door whose builder is another process: keeps up with `content/`, and tells posters where their
//! posts stand once the builder has put them there.
//!
//! The two processes share folders and nothing else. A post is an inbox file; when that is gone, the builder has put the
//! post into its thread and published the pages. Then the thread's file tells the number.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::{error, warn};

use super::builder::{Builder, read};
use super::condition::Vitals;
use super::error::chain;
use super::events::{Batch, Event, Events, Mine, weight};
use super::faults;
use super::onlooker::Onlooker;
use super::pulse::Part;
use crate::metrics::Place;
use crate::model::site::MOVES_FOLLOWED;
use crate::model::summary::id_hash;
use crate::model::{Arrival, Receipt, ThreadKey};
use crate::store::content;
use crate::store::inbox::Inbox;
use crate::watch::Seen;

/// How often it looks by itself whether posts have gone from the inbox.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A post that lies in the inbox for so long is a sign that nobody builds.
const LATE_AFTER: Duration = Duration::from_secs(10);

/// The process that was to take over is gone by then, and its lock with it; but what it started may live on for a while.
const TAKE_BACK_WITHIN: Duration = Duration::from_secs(10);

/// How often it tries.
const TAKE_BACK_EVERY: Duration = Duration::from_millis(100);

/// The loop.
pub struct Follower<'a> {
    onlooker: Onlooker,
    inbox: Inbox,
    events: &'a Receiver<Event>,
    backlog: Arc<AtomicUsize>,
    mine: Mine,
    vitals: Vitals,
    /// Posts that lie in the inbox, the oldest first.
    pending: Vec<Pending>,
}

struct Pending {
    since: Instant,
    batch: Batch,
}

/// Why the loop ended.
pub enum Ended {
    /// The process is to end.
    Stopped,
    /// This process is to build again.
    Recalled,
}

impl Follower<'_> {
    /// A loop that hears `events`.
    pub fn new<'a>(
        onlooker: Onlooker,
        inbox: Inbox,
        mine: Mine,
        backlog: Arc<AtomicUsize>,
        events: &'a Receiver<Event>,
        vitals: Vitals,
    ) -> Follower<'a> {
        Follower { onlooker, inbox, events, backlog, mine, vitals, pending: Vec::new() }
    }

    /// The same, with posts that the builder has not come to.
    pub fn with(mut self, batches: Vec<Batch>) -> Self {
        batches.into_iter().for_each(|batch| self.await_builder(batch));
        self
    }

    /// Runs until it is told to stop, or to give the work back. Gives the posts that still lie in the inbox.
    pub fn run(mut self) -> (Ended, Vec<Batch>) {
        loop {
            self.vitals.pulses.rest(Part::Builder);
            let event = self.events.recv_timeout(LOOK_EVERY);
            self.vitals.pulses.beat(Part::Builder);
            let ended = match event {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => Some(Ended::Stopped),
                Ok(Event::TakeBack) => Some(Ended::Recalled),
                Ok(event) => {
                    let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.hear(event)));
                    if heard.is_err() {
                        error!("looking at what the builder did panicked; going on");
                        self.vitals.metrics.panicked(Place::Builder);
                    }
                    None
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look_at_inbox();
                    None
                }
            };
            if let Some(ended) = ended {
                self.vitals.condition.note("builder", None);
                return (ended, self.pending.into_iter().map(|pending| pending.batch).collect());
            }
        }
    }

    fn hear(&mut self, event: Event) {
        faults::strike("follower");
        match event {
            Event::Accepted(batch) => self.await_builder(batch),
            Event::Seen(seen) => self.hear_of_files(&seen),
            // It has stepped aside already.
            Event::StepAside(done) => drop(done.send(())),
            Event::Stop | Event::TakeBack => {}
        }
    }

    fn await_builder(&mut self, batch: Batch) {
        // It is no more this process that takes the file out of the inbox.
        self.mine.remove(&batch.name);
        self.pending.push(Pending { since: Instant::now(), batch });
    }

    fn hear_of_files(&mut self, seen: &Seen) {
        let dir = self.onlooker.dir();
        let (root, themes, inbox) = (dir.root(), dir.themes(), dir.inbox());
        let in_content = |path: &Path| path.starts_with(dir.content());
        let threads = seen.paths.iter().filter_map(|path| content::key_of(root, path)).collect();
        let is_frame = |path: &&std::path::PathBuf| {
            let is_thread_or_log = content::key_of(root, path).is_some() || **path == dir.public_log();
            path.starts_with(&themes) || in_content(path) && !is_thread_or_log
        };
        if seen.everything || seen.paths.iter().any(|path| is_frame(&path)) {
            if let Err(error) = self.onlooker.take_all() {
                warn!(error = %chain(&error), "the site cannot be looked at; going on with what is known");
            }
        } else {
            self.onlooker.take(&threads);
        }
        if seen.everything || seen.paths.iter().any(|path| path.starts_with(&inbox)) {
            self.look_at_inbox();
        }
    }

    /// Tells those whose posts have gone from the inbox.
    fn look_at_inbox(&mut self) {
        let folder = self.inbox.folder();
        let gone = |pending: &mut Pending| !folder.join(&pending.batch.name).exists();
        let done: Vec<Pending> = self.pending.extract_if(.., gone).collect();
        for Pending { batch, .. } in done {
            self.backlog.fetch_sub(weight(&batch.arrivals), Ordering::Relaxed);
            self.tell(batch);
        }
        self.vitals.metrics.posts_waiting.set(self.backlog.load(Ordering::Relaxed) as i64);
        let oldest = self.pending.first().map(|pending| pending.since);
        let late = oldest.filter(|since| LATE_AFTER <= since.elapsed());
        let text = |_| "posts wait in the inbox; it looks as if no process builds the site".to_owned();
        self.vitals.condition.note("builder", late.map(text));
    }

    fn tell(&self, batch: Batch) {
        let waiting: Vec<_> = batch.waiting.into_iter().filter(|waiting| !waiting.tell.is_closed()).collect();
        if waiting.is_empty() {
            return;
        }
        // The file's events may come after those of the inbox.
        let threads = batch.arrivals.iter().filter_map(|arrival| self.thread_of(arrival)).collect();
        self.onlooker.take(&threads);
        for waiting in waiting {
            let arrival = batch.arrivals.iter().find(|arrival| arrival.id == waiting.id);
            // Should it be nowhere, it was refused, or somebody removed it: the poster is told that it was stored.
            if let Some(receipt) = arrival.and_then(|arrival| self.find(arrival)) {
                let _ = waiting.tell.send(Ok(receipt));
            }
        }
    }

    fn thread_of(&self, arrival: &Arrival) -> Option<ThreadKey> {
        let shown = read(self.onlooker.shown());
        let board = shown.site.board(&arrival.board)?;
        let no = arrival.thread.or_else(|| board.thread_by_op_id(id_hash(arrival.id.as_str())))?;
        Some(ThreadKey { board: arrival.board.clone(), no })
    }

    fn find(&self, arrival: &Arrival) -> Option<Receipt> {
        let mut key = self.thread_of(arrival)?;
        for _ in 0..=MOVES_FOLLOWED {
            let thread = content::read_thread(self.onlooker.dir().root(), &key).ok()?;
            let post = thread.posts.iter().find(|post| post.id.as_ref() == Some(&arrival.id));
            match &thread.op().moved {
                Some(there) => key = ThreadKey { board: there.board.clone(), no: there.no },
                None => return Some(Receipt::Visible { board: key.board, thread: key.no, no: post?.no }),
            }
        }
        None
    }
}

/// Takes the site again after an upgrade that failed. `false` if it cannot be had.
pub fn take_back(builder: &mut Builder) -> bool {
    let began = Instant::now();
    while let Err(error) = builder.take_back() {
        if TAKE_BACK_WITHIN < began.elapsed() {
            error!(error = %chain(&error), "the site cannot be taken back");
            return false;
        }
        std::thread::sleep(TAKE_BACK_EVERY);
    }
    true
}

/// Runs the loop in place of a builder, beside a door that never builds.
pub fn run(onlooker: Onlooker, inbox: Inbox, mine: Mine, way: &Events, events: &Receiver<Event>, vitals: Vitals) {
    drop(Follower::new(onlooker, inbox, mine, way.backlog.clone(), events, vitals).run());
}
