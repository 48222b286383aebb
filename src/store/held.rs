//! Posts at which somebody is to look before they are shown: `.nejiboard/mod/held/<id>.md`, each in the form of an inbox
//! file, with the reason in `<id>.why` beside it.
//!
//! They lie outside of `content/` and the inbox, so nothing else reads them. A post is durable here before its poster is
//! told. Approved, it goes into the inbox and only then from here; by its id it becomes one post, also if a crash comes
//! between and it goes twice.

mod queue;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::inbox::{self, Inbox, Taking};
use super::journal::Journal;
use crate::disk::{self, DiskError};
use crate::model::{Arrival, PostId};

pub use queue::Place;

/// The most posts that are held.
pub const POSTS_MAX: usize = 10_000;

/// Bytes of posts that go into one inbox file; the last may go beyond it.
const RELEASE_BYTES: usize = 4 << 20;

const POST: &str = ".md";
const WHY: &str = ".why";

/// The held posts of a site.
#[derive(Clone, Debug)]
pub struct Held {
    folder: PathBuf,
}

/// A held post.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldPost {
    /// The post.
    pub arrival: Arrival,
    /// Why it is held.
    pub why: String,
}

/// A held post, for programs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HeldLine {
    id: PostId,
    at: Option<DateTime<Utc>>,
    board: String,
    thread: Option<u64>,
    name: String,
    subject: String,
    body: String,
    why: String,
}

impl HeldPost {
    /// All of it, for programs.
    pub fn line(&self) -> HeldLine {
        let Arrival { id, at, board, thread, name, trip, subject, body, .. } = &self.arrival;
        HeldLine {
            id: id.clone(),
            at: *at,
            board: board.to_string(),
            thread: thread.map(|no| no.get()),
            name: format!("{name}{trip}"),
            subject: subject.clone(),
            body: body.clone(),
            why: self.why.clone(),
        }
    }
}

/// Why something cannot be done to held posts.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// No held post has this id.
    #[error("no post is held by the id `{}`; `nejiboard mod held` shows them", .0.as_str())]
    NotThere(PostId),
    /// The disk does not do it.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Held {
    /// The posts in this folder, which need not be there.
    pub fn new(folder: PathBuf) -> Held {
        Held { folder }
    }

    /// Holds a post, and comes back when it is durable. One that is held already is held once.
    pub fn put(&self, arrival: &Arrival, why: &str) -> Result<(), DiskError> {
        if let Some(above) = self.folder.parent() {
            disk::create_private_dir(above)?;
        }
        disk::create_private_dir(&self.folder)?;
        // First, so that whoever sees the post sees the reason.
        disk::replace_private(&self.path(&arrival.id, WHY), format!("{why}\n").as_bytes())?;
        self.put_text(&arrival.id, &inbox::write(std::slice::from_ref(arrival)))
    }

    fn put_text(&self, id: &PostId, text: &[u8]) -> Result<(), DiskError> {
        disk::replace_private(&self.path(id, POST), text)?;
        disk::sync_folder(&self.folder)?;
        disk::point("held post kept");
        Ok(())
    }

    /// The ids of all posts.
    pub fn ids(&self) -> Result<BTreeSet<PostId>, DiskError> {
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            listing => listing.map_err(DiskError::doing("list", &self.folder))?,
        };
        let names = listing.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| PostId::parse(name.strip_suffix(POST)?).ok()).collect())
    }

    /// All posts, the oldest first. Files that cannot be read are passed over.
    pub fn read(&self) -> Result<Vec<HeldPost>, DiskError> {
        let mut posts = Vec::new();
        for id in self.ids()? {
            posts.extend(self.post(&id)?);
        }
        posts.sort_by(|a, b| (a.arrival.at, &a.arrival.id).cmp(&(b.arrival.at, &b.arrival.id)));
        Ok(posts)
    }

    fn arrival(&self, id: &PostId) -> Result<Option<Arrival>, DiskError> {
        Ok(self.text(id)?.and_then(|text| self.parse(id, &text)))
    }

    fn parse(&self, id: &PostId, text: &[u8]) -> Option<Arrival> {
        match inbox::read(&self.path(id, POST), 0, text) {
            Taking::Posts(mut arrivals, _) => arrivals.pop(),
            _ => None,
        }
    }

    fn text(&self, id: &PostId) -> Result<Option<Vec<u8>>, DiskError> {
        match disk::read(&self.path(id, POST)) {
            Err(error) if error.is_absent() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Refuses posts that are not held.
    pub(super) fn require(&self, ids: &[PostId]) -> Result<(), HeldError> {
        let there = self.ids()?;
        ids.iter().find(|id| !there.contains(*id)).map_or(Ok(()), |id| Err(HeldError::NotThere(id.clone())))
    }

    /// The files of posts as they are.
    pub(super) fn texts(&self, ids: &[PostId]) -> Result<Vec<String>, DiskError> {
        let text =
            |id: &PostId| self.text(id).map(|text| String::from_utf8(text.unwrap_or_default()).unwrap_or_default());
        ids.iter().map(text).collect()
    }

    /// Puts posts into the inbox, as sent at `at`, and takes them from here. Those that are not here any more are there.
    pub(super) fn release(
        &self,
        ids: &[PostId],
        at: DateTime<Utc>,
        inbox: &Inbox,
        journal: &Journal,
    ) -> Result<(), DiskError> {
        let mut arrivals = Vec::new();
        for id in ids {
            arrivals.extend(self.arrival(id)?);
            let bytes: usize = arrivals.iter().map(|arrival: &Arrival| arrival.body.len()).sum();
            if RELEASE_BYTES <= bytes || arrivals.len() == inbox::POSTS_MAX / 2 {
                self.release_some(std::mem::take(&mut arrivals), at, inbox, journal)?;
            }
        }
        self.release_some(arrivals, at, inbox, journal)
    }

    fn release_some(
        &self,
        mut arrivals: Vec<Arrival>,
        at: DateTime<Utc>,
        inbox: &Inbox,
        journal: &Journal,
    ) -> Result<(), DiskError> {
        let Some(first) = arrivals.first() else { return Ok(()) };
        let name = format!("{}{POST}", first.id.as_str());
        let ids: BTreeSet<PostId> = arrivals.iter().map(|arrival| arrival.id.clone()).collect();
        // It is looked for who sent a post at the time that the post has.
        let since = arrivals.iter().filter_map(|arrival| arrival.at).min().unwrap_or(at);
        journal.note(at, &journal.senders(|id| ids.contains(id), since)?)?;
        arrivals.iter_mut().for_each(|arrival| arrival.at = Some(at));
        disk::point("before approved posts");
        inbox.put(&name, &arrivals)?;
        disk::point("after approved posts");
        self.remove(&ids.into_iter().collect::<Vec<_>>())
    }

    /// Takes posts away for good.
    pub(super) fn remove(&self, ids: &[PostId]) -> Result<(), DiskError> {
        for path in ids.iter().flat_map(|id| [self.path(id, POST), self.path(id, WHY)]) {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(DiskError { action: "remove", path, source });
                }
                _ => {}
            }
        }
        match !ids.is_empty() && self.folder.exists() {
            true => disk::sync_folder(&self.folder),
            false => Ok(()),
        }
    }

    /// Holds posts again whose files were taken away.
    pub(super) fn put_back(&self, texts: &[String]) -> Result<(), DiskError> {
        for text in texts {
            let unknown = PostId::parse("unknown").expect("letters make an id");
            if let Some(arrival) = self.parse(&unknown, text.as_bytes()) {
                self.put_text(&arrival.id, text.as_bytes())?;
                // It stands in the queue where it stood. If that cannot be set, it stands at the end.
                if let (Some(at), Ok(file)) = (arrival.at, fs::File::open(self.path(&arrival.id, POST))) {
                    let _ = file.set_modified(at.into());
                }
            }
        }
        Ok(())
    }

    /// The ids of posts whose files were so.
    pub(super) fn ids_in(&self, texts: &[String]) -> Vec<PostId> {
        texts.iter().filter_map(|text| self.id_in(text)).collect()
    }

    fn id_in(&self, text: &str) -> Option<PostId> {
        let unknown = PostId::parse("unknown").expect("letters make an id");
        self.parse(&unknown, text.as_bytes()).map(|arrival| arrival.id)
    }

    fn path(&self, id: &PostId, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", id.as_str()))
    }
}
