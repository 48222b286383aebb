//! The inbox and the builder's loop: what lies there comes in, what is done goes away.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Instant;

use tracing::{error, info, warn};

use super::{BYTES_A_ROUND, FILES_A_ROUND, Rounds};
use crate::app::builder;
use crate::app::clock;
use crate::app::error::chain;
use crate::app::events::{BACKLOG_MAX, Batch, weight};
use crate::app::isolate;
use crate::app::overflow;
use crate::disk;
use crate::model::act::Deed;
use crate::model::{Act, Arrival, PostId, Problem, Refusal, Report, ThreadKey};
use crate::store::commit::Committed;
use crate::store::inbox::{GRACE, Taking};
use crate::store::moderate::ActError;

/// What became of acts of staff.
#[derive(Default)]
pub(super) struct Performed {
    /// Threads that are different now.
    pub changed: BTreeSet<ThreadKey>,
    /// Files whose acts are carried out, or why they can never be.
    done: Vec<(String, Option<String>)>,
    /// Whether something is to be done again.
    failed: bool,
}

impl Rounds {
    /// Adds what lies in the inbox and did not come as an event. `true` if that failed and is to be done again.
    pub(super) fn take_from_inbox(&mut self) -> bool {
        let names = match self.inbox.names() {
            Ok(names) => names,
            Err(error) => {
                error!(error = %chain(&error), "cannot look into the inbox");
                self.todo.inbox = true;
                return true;
            }
        };
        // Files of an earlier round whose posts could not be stored are still there; they are here already.
        let held: BTreeSet<&String> = self.batches.iter().map(|batch| &batch.name).collect();
        let is_new = |name: &String| !held.contains(name) && !self.mine.has(name) && !self.acts.contains_key(name);
        let dropped: Vec<String> = names.into_iter().filter(is_new).collect();
        let mut failed = false;
        let mut bytes = 0;
        for (nth, name) in dropped.into_iter().enumerate() {
            // The rest is for the next round, so that a flooded inbox neither holds up those who wait nor fills memory.
            let full = BACKLOG_MAX <= self.backlog.load(Ordering::Relaxed);
            if full || FILES_A_ROUND <= nth || BYTES_A_ROUND <= bytes {
                self.todo.inbox = true;
                break;
            }
            let taken = self.inbox.take(&name, clock::system()).map(|taking| self.sort_out(&name, taking));
            match taken {
                Ok(Ok(Some(arrivals))) => {
                    self.backlog.fetch_add(weight(&arrivals), Ordering::Relaxed);
                    bytes += arrivals.iter().map(|arrival| arrival.body.len()).sum::<usize>();
                    self.batches.push(Batch { name, arrivals, waiting: Vec::new() });
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) | Err(error) => {
                    error!(error = %chain(&error), "cannot take a file from the inbox");
                    self.todo.inbox = true;
                    failed = true;
                }
            }
        }
        failed
    }

    /// The posts of an inbox file; what is none goes to `rejected/`.
    fn sort_out(&mut self, name: &str, taking: Taking) -> Result<Option<Vec<Arrival>>, disk::DiskError> {
        match taking {
            Taking::Posts(arrivals, bad) => {
                if !bad.is_empty() {
                    let copy = self.inbox.reject_copy(name, &bad.join("\n"))?;
                    warn!("{}", Problem::new(copy, format!("parts of this file are no posts: {}", bad[0])));
                }
                Ok(Some(arrivals))
            }
            Taking::Acts(acts) => {
                self.acts.insert(name.to_owned(), acts);
                Ok(None)
            }
            Taking::Junk(why) => {
                let path = self.inbox.reject(name, &why)?;
                warn!("{}", Problem::new(path, format!("this is no post: {why}")));
                Ok(None)
            }
            Taking::Unfinished => {
                self.todo.inbox_again_at = Some(Instant::now() + GRACE);
                Ok(None)
            }
            Taking::Gone => Ok(None),
        }
    }

    /// Removes the inbox files whose posts are durable in their threads; keeps the others for the next round.
    pub(super) fn finish_batches(&mut self, committed: &Committed) {
        let failed: BTreeSet<&PostId> = committed.failed.iter().map(|(arrival, _)| &arrival.id).collect();
        let refused: HashMap<&PostId, &Refusal> =
            committed.refused.iter().map(|(arrival, refusal)| (&arrival.id, refusal)).collect();
        for batch in std::mem::take(&mut self.batches) {
            let stays = |arrival: &Arrival| failed.contains(&arrival.id) || committed.unsynced.contains(&arrival.board);
            if batch.arrivals.iter().any(stays) {
                self.batches.push(batch);
                continue;
            }
            self.backlog.fetch_sub(weight(&batch.arrivals), Ordering::Relaxed);
            if let Err(error) = self.close_batch(&batch, &refused) {
                error!(error = %chain(&error), "cannot put away an inbox file; its posts will not be added twice");
            }
            self.mine.remove(&batch.name);
        }
    }

    fn close_batch(&self, batch: &Batch, refused: &HashMap<&PostId, &Refusal>) -> Result<(), disk::DiskError> {
        let bad: Vec<Arrival> =
            batch.arrivals.iter().filter(|arrival| refused.contains_key(&arrival.id)).cloned().collect();
        if let Some(first) = bad.first() {
            let mut why: Vec<String> =
                bad.iter().map(|arrival| format!("post {}: {}", arrival.id.as_str(), refused[&arrival.id])).collect();
            why.dedup();
            self.inbox.reject_posts(&batch.name, &bad, &why.join("\n"))?;
            warn!(file = batch.name, posts = bad.len(), "posts were rejected: {}", refused[&first.id]);
        }
        self.inbox.remove(&batch.name)
    }

    /// Carries out what staff has decided, in the order in which it came. What comes after something that failed waits,
    /// since it may build on that.
    pub(super) fn perform_acts(&mut self, report: &mut Report) -> Performed {
        let mut performed = Performed::default();
        for (name, acts) in self.acts.clone() {
            let alone = isolate::AFTER_PANICS <= self.panics;
            let mut perform = || acts.iter().try_for_each(|act| self.perform(act, &mut performed.changed, report));
            let outcome = match alone {
                false => perform(),
                // It would hold up all others for ever.
                true => catch_unwind(AssertUnwindSafe(perform)).unwrap_or_else(|_| {
                    Err(ActError::Refused("the program panicked when it carried this out".to_owned()))
                }),
            };
            // Those are posts in the inbox now.
            self.todo.inbox |= acts.iter().any(|act| matches!(act.deed, Deed::Approve { .. } | Deed::Post { .. }));
            match outcome {
                Ok(()) => performed.done.push((name, None)),
                Err(ActError::Refused(why)) => performed.done.push((name, Some(why))),
                Err(ActError::Disk(error)) => {
                    error!(error = %chain(&error), file = name, "cannot carry out an act; trying again");
                    performed.failed = true;
                    break;
                }
            }
        }
        performed
    }

    /// Once the pages show it: removes the files of what is done, and puts aside what can never be. `true` if that
    /// failed and is to be done again.
    pub(super) fn put_acts_away(&mut self, performed: Performed) -> bool {
        let mut failed = performed.failed;
        for (name, refused) in performed.done {
            let put_away = match &refused {
                None => self.inbox.remove(&name),
                Some(why) => self.inbox.reject(&name, why).map(drop),
            };
            match (put_away, refused) {
                (Ok(()), refused) => {
                    if let Some(why) = refused {
                        warn!(file = name, "an act was rejected: {why}");
                    }
                    self.acts.remove(&name);
                }
                (Err(error), _) => {
                    error!(error = %chain(&error), file = name, "cannot put an act away; it will not be done twice");
                    failed = true;
                }
            }
        }
        failed
    }

    /// Takes threads away for which new ones leave no room.
    pub(super) fn make_room(&mut self, committed: &Committed, changed: &mut BTreeSet<ThreadKey>, report: &mut Report) {
        let new = committed.written.iter().filter(|written| written.thread.posts.len() == 1);
        let boards: BTreeSet<_> = new.map(|written| &written.key.board).collect();
        let acts = overflow::acts(&builder::read(self.builder.shown()).site, &boards, clock::now());
        for act in acts {
            if let Err(error) = self.perform(&act, changed, report) {
                // The next new thread is the next try.
                warn!(error = %chain(&error), "cannot make room on a board");
            }
        }
    }

    fn perform(&mut self, act: &Act, changed: &mut BTreeSet<ThreadKey>, report: &mut Report) -> Result<(), ActError> {
        let threads = self.builder.perform(act, report)?;
        info!(act = act.deed.name(), by = act.by, threads = threads.len(), "carried out");
        changed.extend(threads);
        Ok(())
    }
}
