//! The log of what staff did, and what it takes to undo it: `.nejiboard/mod/log`, one JSON object a line.
//!
//! It is private, since it holds what was deleted. An entry is durable before anything is changed: what it says was
//! there before is what a crash in between cannot take away, and an act that is met again is known by its id.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::model::{Act, BoardSlug, PostId, PostNo, ThreadFlags};

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

/// The log of a site.
#[derive(Clone, Debug)]
pub struct ModLog {
    path: PathBuf,
}

impl ModLog {
    /// The log in this file, which need not be there.
    pub fn new(path: PathBuf) -> ModLog {
        ModLog { path }
    }

    /// Adds an entry at the end, and comes back when it is durable.
    pub fn append(&self, entry: &Entry) -> Result<(), DiskError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        disk::create_private_dir(folder)?;
        let mut line = serde_json::to_vec(entry).expect("an entry is always JSON");
        line.push(b'\n');
        let is_new = !self.path.exists();
        let mut open = OpenOptions::new();
        // SECURITY: what was deleted is for nobody but the operator.
        let opened = open.read(true).append(true).create(true).mode(0o600).open(&self.path);
        let written = opened.and_then(|mut file| {
            let before = file.metadata()?.len();
            // A crash, or a full disk, may have left half a line.
            let whole = before == 0 || last_byte(&mut file)? == b'\n';
            let lines = if whole { line } else { [b"\n", line.as_slice()].concat() };
            file.write_all(&lines).and_then(|()| file.sync_data()).inspect_err(|_| drop(file.set_len(before)))
        });
        written.map_err(DiskError::doing("write", &self.path))?;
        if is_new {
            disk::sync_folder(folder)?;
        }
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
        let mut last = VecDeque::new();
        for mut entry in self.entries()? {
            if last.len() == most {
                last.pop_front();
            }
            entry.before.iter_mut().for_each(|before| before.posts = String::new());
            entry.denied.iter_mut().for_each(|text| *text = String::new());
            last.push_back(entry);
        }
        Ok(last.into_iter().rev().collect())
    }

    /// The entry of the act with this id.
    pub fn find(&self, id: &PostId) -> Result<Option<Entry>, DiskError> {
        Ok(self.entries()?.find(|entry| entry.act.id.as_ref() == Some(id)))
    }

    /// Forgets the posts that were deleted or changed before `time`. What was done, by whom and why stays.
    pub fn forget_before(&self, time: DateTime<Utc>) -> Result<(), DiskError> {
        let is_due = |entry: &Entry| entry.act.at.is_some_and(|at| at < time);
        let holds =
            |entry: &Entry| !entry.denied.is_empty() || entry.before.iter().any(|before| !before.posts.is_empty());
        if !self.entries()?.any(|entry| is_due(&entry) && holds(&entry)) {
            return Ok(());
        }
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

fn last_byte(file: &mut File) -> std::io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
