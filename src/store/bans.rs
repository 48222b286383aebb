//! Who may not post, in a private file of one JSON object a line.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::disk::{self, DiskError};
use crate::model::PostId;
use crate::model::ban::Ban;

/// The most bans: each post is held against all of them, and filters ban whom they will.
const BANS_MAX: usize = 10_000;

/// The bans of a site.
#[derive(Clone, Debug)]
pub struct Bans {
    path: PathBuf,
}

impl Bans {
    /// The bans in this file, which need not be there.
    pub fn new(path: PathBuf) -> Bans {
        Bans { path }
    }

    /// The file.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// All bans, oldest first. Lines that cannot be read are passed over.
    pub fn read(&self) -> Result<Vec<Ban>, DiskError> {
        let bytes = match disk::read(&self.path) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Adds a ban, or replaces the one of the same act. Where there are too many, the oldest goes.
    pub fn add(&self, ban: Ban, now: DateTime<Utc>) -> Result<(), DiskError> {
        let mut bans = self.read()?;
        bans.retain(|there| there.id != ban.id);
        bans.push(ban);
        bans.drain(..bans.len().saturating_sub(BANS_MAX));
        self.write(bans, now)
    }

    /// Lifts a ban; `false` if there is none of this act.
    pub fn lift(&self, id: &PostId, now: DateTime<Utc>) -> Result<bool, DiskError> {
        let mut bans = self.read()?;
        let before = bans.len();
        bans.retain(|ban| ban.id != *id);
        let found = bans.len() < before;
        if found {
            self.write(bans, now)?;
        }
        Ok(found)
    }

    fn write(&self, mut bans: Vec<Ban>, now: DateTime<Utc>) -> Result<(), DiskError> {
        bans.retain(|ban| ban.until.is_none_or(|until| now < until));
        let mut bytes = Vec::new();
        for ban in bans {
            serde_json::to_writer(&mut bytes, &ban).expect("memory takes all, and a ban is always JSON");
            bytes.push(b'\n');
        }
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        disk::replace_private(&self.path, &bytes)
    }
}
