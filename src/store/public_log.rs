//! The public log: `content/log.jsonl`, one JSON object a line, of what everybody may know.
//!
//! It is content, since pages depend on nothing else. Lines are only ever added, and the page shows the newest: what an
//! act costs does not grow with the log.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::lines::{self, Backwards, Secrecy};
use crate::disk::{self, DiskError};
use crate::model::PostId;
use crate::model::public_act::{LoggedAct, PublicAct};

/// Acts that are shown.
pub const SHOWN_MAX: usize = 500;

/// Bytes at the end of the log that are read for that.
const BYTES_READ: u64 = 2 << 20;

/// The public log of a site.
#[derive(Clone, Debug)]
pub struct PublicLog {
    path: PathBuf,
}

impl PublicLog {
    /// The log in this file, which need not be there.
    pub fn new(path: PathBuf) -> PublicLog {
        PublicLog { path }
    }

    /// Adds an act, and comes back when it is durable. `again` if it may be there already.
    pub fn append(&self, act: &PublicAct, again: Again) -> Result<(), DiskError> {
        if again == Again::Maybe && self.newest()?.any(|there| there.id == act.id) {
            return Ok(());
        }
        let line = serde_json::to_vec(act).expect("an act is always JSON");
        lines::append(&self.path, line, Secrecy::Public)?;
        disk::point("public log written");
        Ok(())
    }

    /// What is shown, the newest first. Lines that cannot be read are passed over.
    pub fn shown(&self) -> Result<Vec<LoggedAct>, DiskError> {
        let mut undone: BTreeMap<PostId, DateTime<Utc>> = BTreeMap::new();
        let mut shown = Vec::new();
        for act in self.newest()? {
            let taken_back = undone.get(&act.id).copied();
            match &act.of {
                // What was taken back takes nothing back.
                Some(of) if taken_back.is_none() => drop(undone.entry(of.clone()).or_insert(act.at)),
                Some(_) => {}
                None => shown.push(LoggedAct { act, undone: taken_back }),
            }
            if shown.len() == SHOWN_MAX {
                break;
            }
        }
        Ok(shown)
    }

    fn newest(&self) -> Result<impl Iterator<Item = PublicAct>, DiskError> {
        let lines = Backwards::within(&self.path, BYTES_READ)?;
        Ok(lines.filter_map(|line| serde_json::from_slice(&line).ok()))
    }
}

/// Whether an act may be in the log already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It is new.
    No,
    /// It is met again after a crash.
    Maybe,
}
