//! What the door does in private: who sent which post, who may not post, and what readers ask to be done to a post.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::{error, warn};

use super::builder::{self, Shown};
use super::clock;
use super::error::chain;
use super::poster_ids::PosterIds;
use crate::disk;
use crate::intake::tripcode::Secret;
use crate::model::act::{Deed, PROGRAM, Posture, READER};
use crate::model::ban::Ban;
use crate::model::{Act, Arrival, BoardSlug, PostId, PostNo, ReaderRequest, Refusal, Stamp, Submission, ThreadKey};
use crate::store::bans::Bans;
use crate::store::content;
use crate::store::inbox::Inbox;
use crate::store::journal::{Journal, Sender};
use crate::store::site_dir::SiteDir;

/// How long a reader waits until what was asked for is done.
const DONE_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Shared by the desk and its committer.
#[derive(Clone)]
pub struct Office(Arc<Inner>);

struct Inner {
    dir: SiteDir,
    shown: Arc<RwLock<Shown>>,
    secret: Secret,
    inbox: Inbox,
    journal: Journal,
    bans: Bans,
    banned: Mutex<Banned>,
    poster_ids: PosterIds,
}

/// The bans as they were read last, and how their file looked then.
#[derive(Default)]
struct Banned {
    stamp: Option<Stamp>,
    bans: Arc<Vec<Ban>>,
}

impl Office {
    /// That of a site.
    pub fn new(dir: SiteDir, shown: Arc<RwLock<Shown>>, secret: Secret, inbox: Inbox) -> Office {
        let (journal, bans) = (Journal::new(dir.journal()), Bans::new(dir.bans()));
        let poster_ids = PosterIds::new(&dir, shown.clone(), secret.clone());
        Office(Arc::new(Inner { dir, shown, secret, inbox, journal, bans, banned: Mutex::default(), poster_ids }))
    }

    /// What signs names.
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// Notes who sends posts that are about to be accepted, as far as that is to be kept. What cannot be noted is no
    /// reason to refuse them.
    pub fn note_senders<'a>(&self, posts: impl Iterator<Item = &'a Submission>, now: DateTime<Utc>) {
        let keep = builder::read(&self.0.shown).site.settings.keep_addresses_hours;
        let sender = |post: &Submission| Sender {
            id: post.id.clone(),
            address: (0 < keep).then_some(post.address),
            password: self.0.secret.hash_password(&post.password, salt(&self.0.secret, &post.id)),
        };
        let senders: Vec<Sender> = posts.map(sender).collect();
        if let Err(error) = self.0.journal.note(now, &senders) {
            warn!(error = %chain(&error), "cannot note who sent posts");
        }
    }

    /// The post as it may be seen: without its sender's address, which is an id at most.
    pub fn arrival(&self, post: Submission, at: DateTime<Utc>) -> Arrival {
        let poster_id = self.0.poster_ids.id(&post, at);
        Arrival { poster_id, ..Arrival::of(post, at) }
    }

    /// Refuses whoever is banned.
    pub fn admit(&self, board: &BoardSlug, address: IpAddr) -> Result<(), Refusal> {
        let bans = self.bans();
        if bans.is_empty() {
            return Ok(());
        }
        let (hash, now) = (self.0.secret.fingerprint(address), clock::now());
        match bans.iter().find(|ban| ban.holds(address, &hash, board, now)) {
            Some(ban) => Err(refusal(ban)),
            None => Ok(()),
        }
    }

    /// Keeps whoever has this address out, as a filter wants. It is done a moment later, by whoever builds.
    pub fn ban_sender(&self, address: IpAddr, hours: u32, why: &str) {
        let (office, sender, why) = (self.clone(), self.0.secret.fingerprint(address), why.to_owned());
        tokio::task::spawn_blocking(move || {
            let deed = Deed::BanSender { sender, only: None, hours: Some(hours) };
            // The next post that the filter finds is the next try.
            let _ = office.put_act(PROGRAM, why, deed);
        });
    }

    /// Has the program be on its guard until then. It is a moment later, when whoever builds has noted it.
    pub fn be_on_guard(&self, until: DateTime<Utc>, why: String) {
        let office = self.clone();
        tokio::task::spawn_blocking(move || {
            // It is tried again as long as so many posts come.
            let _ = office.put_act(PROGRAM, why, Deed::Posture { posture: Posture::Guarded, until: Some(until) });
        });
    }

    fn bans(&self) -> Arc<Vec<Ban>> {
        let stamp = std::fs::metadata(self.0.bans.path()).ok().map(|meta| disk::stamp(&meta));
        let mut banned = self.0.banned.lock().unwrap_or_else(PoisonError::into_inner);
        if banned.stamp != stamp {
            match self.0.bans.read() {
                Ok(bans) => *banned = Banned { stamp, bans: Arc::new(bans) },
                Err(error) => error!(error = %chain(&error), "cannot read the bans; the last ones hold"),
            }
        }
        banned.bans.clone()
    }

    /// Does what a reader asks for, and comes back when it is done, or safe to be done.
    pub async fn attend(&self, key: ThreadKey, no: PostNo, request: ReaderRequest) -> Result<(), Refusal> {
        let office = self.clone();
        let put = tokio::task::spawn_blocking(move || office.put(&key, no, request)).await;
        let path = self.0.inbox.folder().join(put.unwrap_or(Err(Refusal::Fault))?);
        // Whoever builds removes it when it is carried out.
        let _ = tokio::time::timeout(DONE_WITHIN, async {
            while path.exists() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
        .await;
        Ok(())
    }

    /// Puts it into the inbox, and gives the file's name.
    fn put(&self, key: &ThreadKey, no: PostNo, request: ReaderRequest) -> Result<String, Refusal> {
        let board = key.board.clone();
        let (why, deed) = match request {
            ReaderRequest::Report { reason } => (reason, Deed::Report { board, post: no }),
            ReaderRequest::Withdraw { password } => {
                self.prove(key, no, &password)?;
                let why = "with the password of the post".to_owned();
                (why, Deed::Delete { board, posts: vec![no] })
            }
        };
        self.put_act(READER, why, deed)
    }

    /// Puts an act into the inbox, and gives the file's name.
    fn put_act(&self, by: &str, why: String, deed: Deed) -> Result<String, Refusal> {
        let (id, at) = (PostId::parse(&clock::ulid()).ok(), Some(clock::now()));
        let name = format!("{}.json", clock::ulid());
        let stored = self.0.inbox.put_acts(&name, &[Act { id, at, by: by.to_owned(), why, deed }]);
        stored.map(|()| name).map_err(|error| {
            warn!(error = %chain(&error), "cannot store an act");
            Refusal::NotStored
        })
    }

    /// Whether a post was written with this password.
    fn prove(&self, key: &ThreadKey, no: PostNo, password: &str) -> Result<(), Refusal> {
        let thread = content::read_thread(self.0.dir.root(), key).map_err(|_| Refusal::NoSuchPost)?;
        let post = thread.posts.iter().find(|post| post.no == no && !post.deleted).ok_or(Refusal::NoSuchPost)?;
        let sender = post.id.as_ref().and_then(|id| self.0.journal.sender(id, post.at).ok().flatten());
        match sender.is_some_and(|sender| self.0.secret.is_password(password, &sender.password)) {
            true => Ok(()),
            false => Err(Refusal::WrongPassword),
        }
    }
}

/// A salt for each post, that nobody knows beforehand who has not the secret.
fn salt(secret: &Secret, id: &PostId) -> [u8; 16] {
    let keyed = secret.keyed("salt of a post", id.as_str().as_bytes());
    std::array::from_fn(|at| keyed[at])
}

/// What a ban says to whom it is about.
fn refusal(ban: &Ban) -> Refusal {
    let until = ban.until.map_or(String::new(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
    Refusal::Banned { until, why: ban.why.trim_end_matches('.').to_owned() }
}
