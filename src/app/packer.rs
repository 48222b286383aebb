//! Packs pages beside a running builder: each when it has been the same for a moment, one at a time, at a low priority.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{error, warn};

use super::error::chain;
use crate::metrics::{Metrics, Place};
use crate::publish::{Known, Siblings};

/// A page that changed is packed after so long: one that everybody writes to is packed once they are done.
const SETTLED: Duration = Duration::from_secs(1);

/// One that could not be packed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(30);

/// After a failure nothing is packed for so long, so that a full disk does not fill the log too.
const PAUSE: Duration = Duration::from_secs(1);

/// At the end, what waits is packed for so long; the rest is left to the next start.
const FINISH_MAX: Duration = Duration::from_secs(3);

/// How much others come first, as for `nice`.
const NICENESS: i32 = 15;

/// A thread that packs. Dropped, it ends.
pub struct Packer {
    queue: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    metrics: Arc<Metrics>,
}

/// The pages that wait, and from when on each may be packed: as was told last.
#[derive(Default)]
struct Queue {
    order: BTreeSet<(Instant, String)>,
    pages: BTreeMap<String, (Known, Instant)>,
    end_by: Option<Instant>,
}

impl Packer {
    /// Starts it.
    pub fn start(siblings: Arc<Siblings>, metrics: Arc<Metrics>) -> io::Result<Packer> {
        let queue = Arc::new(Shared { metrics, ..Shared::default() });
        let work = queue.clone();
        let run = move || {
            // On Linux this is of the thread alone. Where it cannot be had, packing is only less modest.
            let _ = rustix::process::setpriority_process(None, NICENESS);
            work.run(&siblings);
        };
        let thread = thread::Builder::new().name("packer".to_owned()).spawn(run)?;
        Ok(Packer { queue, thread: Some(thread) })
    }

    /// Adds pages, or tells that they are others now.
    pub fn add(&self, pages: impl IntoIterator<Item = (String, Known)>) {
        let mut queue = self.queue.lock();
        let from = Instant::now() + SETTLED;
        for (path, known) in pages {
            queue.add(path, known, from);
        }
        self.queue.note(&queue);
        self.queue.changed.notify_one();
    }
}

impl Drop for Packer {
    /// Packs what waits, for a bounded time, and ends.
    fn drop(&mut self) {
        self.queue.lock().end_by = Some(Instant::now() + FINISH_MAX);
        self.queue.changed.notify_one();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Queue {
    fn add(&mut self, path: String, known: Known, from: Instant) {
        if let Some((_, before)) = self.pages.insert(path.clone(), (known, from)) {
            self.order.remove(&(before, path.clone()));
        }
        self.order.insert((from, path));
    }

    /// The next page that may be packed, or how long there is none.
    fn next(&mut self, now: Instant) -> Result<(String, Known), Option<Duration>> {
        let (from, _) = self.order.first().ok_or(None)?;
        if now < *from && self.end_by.is_none() {
            return Err(Some(*from - now));
        }
        let (_, path) = self.order.pop_first().ok_or(None)?;
        let (known, _) = self.pages.remove(&path).ok_or(None)?;
        Ok((path, known))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing under this lock panics half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, queue: &Queue) {
        self.metrics.packing_waiting.set(queue.pages.len() as i64);
    }

    fn run(&self, siblings: &Siblings) {
        while let Some((path, known)) = self.wait() {
            let packed = catch_unwind(AssertUnwindSafe(|| siblings.pack(&path, &known)));
            match packed {
                Ok(Ok(files)) => drop(self.metrics.files_packed.inc_by(files as u64)),
                Err(_) => {
                    self.metrics.panicked(Place::Packer);
                    error!(path, "packing this page panicked; it stays as it is");
                }
                Ok(Err(error)) => {
                    warn!(error = %chain(&error), "cannot pack a page; trying again");
                    let mut queue = self.lock();
                    if !queue.pages.contains_key(&path) {
                        queue.add(path, known, Instant::now() + AGAIN);
                    }
                    self.note(&queue);
                    // At the end there is no time to try again, and all that waits would fail one by one.
                    drop(self.changed.wait_timeout(queue, PAUSE));
                }
            }
        }
    }

    /// The next page, once there is one; `None` at the end.
    fn wait(&self) -> Option<(String, Known)> {
        let mut queue = self.lock();
        loop {
            let now = Instant::now();
            if queue.end_by.is_some_and(|end| end <= now) {
                return None;
            }
            queue = match queue.next(now) {
                Ok(page) => {
                    self.note(&queue);
                    return Some(page);
                }
                Err(None) if queue.end_by.is_some() => return None,
                Err(None) => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Err(Some(pause)) => self.changed.wait_timeout(queue, pause).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}
