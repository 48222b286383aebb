//! The log of what staff did, and what it takes to undo it: `.nejiboard/mod/log`, one JSON object a line.
//!
//! It is private, since it holds what was deleted. An entry is durable before anything is changed: what it says was
//! there before is what a crash in between cannot take away, and an act that is met again is known by its id.

mod index;

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use index::Index;

use super::lines::{self, Backwards, Secrecy};
use crate::disk::{self, DiskError};
use crate::model::act::Deed;
use crate::model::{Act, BoardSlug, PostId, PostNo, ThreadFlags, ThreadKey};

/// An act that was carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The act, with its id and time.
    #[serde(flatten)]
    pub act: Act,
    /// What it changed, as it was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Before>,
    /// Held posts that it threw away, each as its file was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
    /// How many that were, also once they are forgotten.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denied_count: usize,
    /// A thread that it took to another board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
}

impl Entry {
    /// Whether it changed something that readers or posters notice.
    pub fn shows(&self) -> bool {
        !self.before.is_empty() || matches!(self.act.deed, Deed::Ban { .. } | Deed::Unban { .. } | Deed::Undo { .. })
    }
}

/// A thread that went to another board.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Carried {
    /// Where it stood.
    pub from: ThreadKey,
    /// Where it stands.
    pub to: ThreadKey,
    /// Its posts' old numbers and their new ones.
    pub numbers: Vec<(PostNo, PostNo)>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A thread that an act changed, as it was before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Before {
    /// The board.
    pub board: BoardSlug,
    /// The thread's number.
    pub thread: PostNo,
    /// Its flags.
    pub flags: ThreadFlags,
    /// The posts that it changed, as a thread file holds them; empty if it changed none, or once the time is over for
    /// which deleted posts are kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub posts: String,
}

/// The log of a site. Clones of it share what they know of the file.
#[derive(Clone, Debug)]
pub struct ModLog {
    path: PathBuf,
    index: Arc<Mutex<Index>>,
}

impl ModLog {
    /// The log in this file, which need not be there.
    pub fn new(path: PathBuf) -> ModLog {
        ModLog { path, index: Arc::default() }
    }

    /// Adds an entry at the end, and comes back when it is durable.
    pub fn append(&self, entry: &Entry) -> Result<(), DiskError> {
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        let line = serde_json::to_vec(entry).expect("an entry is always JSON");
        lines::append(&self.path, line, Secrecy::Private)?;
        disk::point("act logged");
        Ok(())
    }

    /// All entries, oldest first. Lines that cannot be read are passed over: half of one may be there after a crash.
    pub fn entries(&self) -> Result<impl Iterator<Item = Entry>, DiskError> {
        let file = match File::open(&self.path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(DiskError { action: "read", path: self.path.clone(), source }),
        };
        let lines = file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n').map_while(Result::ok));
        Ok(lines.filter_map(|line| serde_json::from_slice(&line).ok()))
    }

    /// The last entries, newest first, without the posts that they hold.
    pub fn last(&self, most: usize) -> Result<Vec<Entry>, DiskError> {
        let bare = |mut entry: Entry| {
            entry.before.iter_mut().for_each(|before| before.posts = String::new());
            entry.denied.iter_mut().for_each(|text| *text = String::new());
            entry
        };
        Ok(self.newest()?.take(most).map(bare).collect())
    }

    /// All entries, newest first.
    pub fn newest(&self) -> Result<impl Iterator<Item = Entry>, DiskError> {
        Ok(Backwards::of(&self.path)?.filter_map(|line| serde_json::from_slice(&line).ok()))
    }

    /// The entry of the act with this id: of the newest [`index::INDEXED_MAX`] / 2 at least.
    pub fn find(&self, id: &PostId) -> Result<Option<Entry>, DiskError> {
        let place = self.indexed(|index| index.place(id))?;
        let Some(place) = place else { return Ok(None) };
        let read = || {
            let mut line = Vec::new();
            let mut file = BufReader::new(File::open(&self.path)?);
            file.seek(SeekFrom::Start(place))?;
            file.read_until(b'\n', &mut line).map(|_| line)
        };
        let line = read().map_err(DiskError::doing("read", &self.path))?;
        let entry: Option<Entry> = serde_json::from_slice(&line).ok();
        // Ids are known by their hash.
        Ok(entry.filter(|entry| entry.act.id.as_ref() == Some(id)))
    }

    /// The same, however old it is.
    pub fn find_among_all(&self, id: &PostId) -> Result<Option<Entry>, DiskError> {
        match self.find(id)? {
            None if self.indexed(|index| index.is_cut())? => {
                Ok(self.entries()?.find(|entry| entry.act.id.as_ref() == Some(id)))
            }
            found => Ok(found),
        }
    }

    fn indexed<T>(&self, ask: impl FnOnce(&Index) -> T) -> Result<T, DiskError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.catch_up(&self.path).map_err(DiskError::doing("read", &self.path))?;
        Ok(ask(&index))
    }

    /// Forgets the posts that were deleted or changed before `time`. What was done, by whom and why stays.
    pub fn forget_before(&self, time: DateTime<Utc>) -> Result<(), DiskError> {
        if self.indexed(Index::holds_since)?.is_none_or(|since| time <= since) {
            return Ok(());
        }
        let is_due = |entry: &Entry| entry.act.at.is_some_and(|at| at < time);
        let mut bytes = Vec::new();
        for mut entry in self.entries()? {
            if is_due(&entry) {
                entry.before.iter_mut().for_each(|before| before.posts.clear());
                entry.denied.clear();
            }
            serde_json::to_writer(&mut bytes, &entry).expect("an entry is always JSON");
            bytes.push(b'\n');
        }
        disk::replace_private(&self.path, &bytes)
    }
}
