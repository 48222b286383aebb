//! What the builder of a running `serve` hears, and from whom.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::model::{Arrival, PostId, Receipt, Refusal};
use crate::watch::Seen;

/// Posts that may wait for the builder; beyond that the door is busy.
pub const BACKLOG_MAX: usize = 20_000;

/// Among those that wait, a long post counts as one more for each so many bytes, since they are held in memory.
const BYTES_A_POST: usize = 2_048;

/// What the builder hears.
pub enum Event {
    /// Posts that are durable in the inbox.
    Accepted(Batch),
    /// Files that changed.
    Seen(Seen),
    /// Finish what is there, and end.
    Stop,
    /// Finish the round, give the site to another process, and say so.
    StepAside(mpsc::Sender<()>),
    /// The other process is gone: take the site again.
    TakeBack,
}

/// Posts that were accepted together.
pub struct Batch {
    /// Their inbox file.
    pub name: String,
    /// The posts.
    pub arrivals: Vec<Arrival>,
    /// Who wants to know.
    pub waiting: Vec<Waiting>,
}

/// A poster who waits for the page.
pub struct Waiting {
    /// The post.
    pub id: PostId,
    /// Where to tell.
    pub tell: oneshot::Sender<Result<Receipt, Refusal>>,
}

/// The way to the builder, with a count of the posts that wait there.
#[derive(Clone)]
pub struct Events {
    send: Sender<Event>,
    pub(super) backlog: Arc<AtomicUsize>,
}

impl Events {
    /// A way to the builder, and its end.
    pub fn open() -> (Events, Receiver<Event>) {
        let (send, receive) = mpsc::channel();
        (Events { send, backlog: Arc::default() }, receive)
    }

    /// Whether so many posts wait that no more should be accepted.
    pub fn is_full(&self) -> bool {
        BACKLOG_MAX <= self.backlog.load(Ordering::Relaxed)
    }

    /// Tells the builder.
    pub fn send(&self, event: Event) {
        if let Event::Accepted(batch) = &event {
            self.backlog.fetch_add(weight(&batch.arrivals), Ordering::Relaxed);
        }
        // The builder is gone only at the end, when nothing is built any more; the inbox keeps what was accepted.
        let _ = self.send.send(event);
    }
}

/// What posts count for while they wait.
pub fn weight(arrivals: &[Arrival]) -> usize {
    arrivals.iter().map(|arrival| 1 + arrival.body.len() / BYTES_A_POST).sum()
}

/// Names of inbox files that come to the builder as events, so that it does not read them from disk.
#[derive(Clone, Default)]
pub struct Mine(Arc<Mutex<BTreeSet<String>>>);

impl Mine {
    /// Notes a name.
    pub fn add(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    /// Forgets a name.
    pub fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Whether it is noted.
    pub fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}
