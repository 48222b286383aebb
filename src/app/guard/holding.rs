//! Holds posts until somebody has looked at them.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tracing::warn;

use crate::app::builder::{self, Shown};
use crate::app::clock;
use crate::app::error::chain;
use crate::app::office::Office;
use crate::disk::DiskError;
use crate::model::{PostId, Refusal, Submission, ThreadKey};
use crate::store::held::{Held, POSTS_MAX};
use crate::store::site_dir::SiteDir;
use crate::store::{content, journal::Journal};

/// Posts that are being stored at a time, or wait for that.
const STORING_MAX: usize = 64;

/// How long it is known how many posts are held without looking.
const COUNTED_FOR: Duration = Duration::from_secs(5);

/// How long it is known whose posts are shown without looking, for those of whom none is.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// Seconds after which a client may try again.
const BUSY_SECONDS: u32 = 60;

/// Shared by those who store posts.
#[derive(Clone)]
pub struct Holding(Arc<Inner>);

struct Inner {
    dir: SiteDir,
    shown: Arc<RwLock<Shown>>,
    office: Office,
    held: Held,
    storing: AtomicUsize,
    count: Mutex<Option<(Instant, usize)>>,
    known: Mutex<Option<(Instant, HashSet<String>)>>,
}

impl Holding {
    /// That of a site.
    pub fn new(dir: &SiteDir, shown: Arc<RwLock<Shown>>, office: Office) -> Holding {
        let (dir, held) = (dir.clone(), Held::new(dir.held()));
        let (storing, count, known) = (AtomicUsize::new(0), Mutex::default(), Mutex::default());
        Holding(Arc::new(Inner { dir, shown, office, held, storing, count, known }))
    }

    /// Keeps a post, and comes back when it is durable.
    pub fn keep(&self, post: Submission, why: &str) -> Result<(), Refusal> {
        let inner = &*self.0;
        let storing = Storing::begin(&inner.storing)?;
        let outcome = inner.has_room().and_then(|has_room| {
            if has_room {
                let at = clock::now();
                inner.office.note_senders(std::iter::once(&post), at);
                inner.held.put(&inner.office.arrival(post, at), why)?;
            }
            Ok(has_room)
        });
        drop(storing);
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Busy(BUSY_SECONDS)),
            Err(error) => {
                warn!(error = %chain(&error), "cannot hold a post");
                Err(Refusal::NotStored)
            }
        }
    }

    /// Whether some post is shown that came from this address since addresses are kept.
    pub fn knows(&self, address: IpAddr) -> bool {
        let print = self.0.office.secret().fingerprint(address);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, prints)) = &*known
            && at.elapsed() < KNOWN_FOR
        {
            return prints.contains(&print);
        }
        let prints = self.0.prints_shown().unwrap_or_else(|error| {
            warn!(error = %chain(&error), "cannot find out who has posted before");
            HashSet::new()
        });
        let knows = prints.contains(&print);
        *known = Some((Instant::now(), prints));
        knows
    }
}

/// One of those that store a post now.
struct Storing<'a>(&'a AtomicUsize);

impl Storing<'_> {
    fn begin(storing: &AtomicUsize) -> Result<Storing<'_>, Refusal> {
        match storing.fetch_add(1, Ordering::Relaxed) < STORING_MAX {
            true => Ok(Storing(storing)),
            false => {
                storing.fetch_sub(1, Ordering::Relaxed);
                Err(Refusal::Busy(2))
            }
        }
    }
}

impl Drop for Storing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// Counts one post more, if there is room for it.
    fn has_room(&self) -> Result<bool, DiskError> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, posts) = match *count {
            Some((at, posts)) if at.elapsed() < COUNTED_FOR => (at, posts),
            // Others approve and deny.
            _ => (Instant::now(), self.held.ids()?.len()),
        };
        let has_room = posts < POSTS_MAX;
        *count = Some((at, posts + usize::from(has_room)));
        Ok(has_room)
    }

    /// The keyed hashes of all whose posts are shown.
    fn prints_shown(&self) -> Result<HashSet<String>, DiskError> {
        let (since, keys) = {
            let shown = builder::read(&self.shown);
            let hours = shown.site.settings.keep_addresses_hours;
            let since = clock::now() - TimeDelta::hours(hours as i64);
            let recent = |board: &crate::model::Board| -> Vec<ThreadKey> {
                let threads = board.threads().filter(|thread| thread.visible() && since.timestamp() <= thread.last_at);
                threads.map(|thread| ThreadKey { board: board.slug.clone(), no: thread.no }).collect()
            };
            (since, shown.site.boards().flat_map(recent).collect::<Vec<_>>())
        };
        let mut shown: HashSet<PostId> = HashSet::new();
        for thread in keys.iter().filter_map(|key| content::read_thread(self.dir.root(), key).ok()) {
            shown.extend(thread.posts.into_iter().filter(|post| !post.deleted).filter_map(|post| post.id));
        }
        let senders = Journal::new(self.dir.journal()).senders(|id| shown.contains(id), since)?;
        let addresses: HashSet<IpAddr> = senders.into_iter().filter_map(|sender| sender.address).collect();
        Ok(addresses.into_iter().map(|address| self.office.secret().fingerprint(address)).collect())
    }
}
