//! The keys of secure tripcodes beside the first one: `.nejiboard/tripcodes`, a JSON object a line, the oldest first.
//!
//! The first key is the site's secret, which is in a file of its own, so a site whose keys were never rotated has no file
//! here. No key is ever taken away: with it somebody can still be told by an old tripcode.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::journal::{hex, unhex};
use super::site_dir::random_bytes;
use crate::disk::{self, DiskError};

/// The id of the site's secret.
pub const FIRST_ID: u32 = 1;

/// The highest id. Each stands in tripcodes, and should stay short.
const ID_MAX: u32 = 9_999;

/// A key that came after the first one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripKey {
    /// Its id, the number after that of the key before it.
    pub id: u32,
    /// From when on it is used.
    pub from: DateTime<Utc>,
    /// Until when names show what the key before it gives, too.
    pub both_until: DateTime<Utc>,
    /// Its 32 bytes, as hexadecimal digits.
    key: String,
}

impl TripKey {
    /// Its bytes. A key that was read has them.
    pub fn bytes(&self) -> Option<[u8; 32]> {
        unhex(&self.key)?.try_into().ok()
    }
}

/// The keys of a site.
#[derive(Clone, Debug)]
pub struct TripKeys {
    path: PathBuf,
}

impl TripKeys {
    /// The keys in this file, which need not be there.
    pub fn new(path: PathBuf) -> TripKeys {
        TripKeys { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of them. A line that cannot be read is an error: to pass over it would give people tripcodes by another key.
    pub fn read(&self) -> Result<Vec<TripKey>, DiskError> {
        let bytes = match disk::read(&self.path) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let mut keys: Vec<TripKey> = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let id = keys.last().map_or(FIRST_ID, |key| key.id) + 1;
            let key = serde_json::from_slice::<TripKey>(line).ok();
            match key.filter(|key| key.id == id && key.id <= ID_MAX && key.bytes().is_some()) {
                Some(key) => keys.push(key),
                None => return Err(self.broken(format!("line {} is not key {id}", keys.len() + 1))),
            }
        }
        Ok(keys)
    }

    /// Makes a key that is used from `now` on, and comes back when it is durable.
    pub fn rotate(&self, now: DateTime<Utc>, both_until: DateTime<Utc>) -> Result<TripKey, DiskError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        disk::create_private_dir(folder)?;
        // Two at once make two keys.
        let _lock = disk::lock_folder(folder)?;
        let mut keys = self.read()?;
        let id = keys.last().map_or(FIRST_ID, |key| key.id) + 1;
        if ID_MAX < id {
            return Err(self.broken(format!("there are {ID_MAX} keys, and no room for more")));
        }
        let key = TripKey { id, from: now, both_until, key: hex(&random_bytes()?) };
        keys.push(key.clone());
        let mut lines = Vec::new();
        for key in &keys {
            serde_json::to_writer(&mut lines, key).expect("memory takes all, and a key is always JSON");
            lines.push(b'\n');
        }
        disk::replace_private(&self.path, &lines)?;
        disk::sync_folder(folder)?;
        Ok(key)
    }

    fn broken(&self, what: String) -> DiskError {
        DiskError { action: "use", path: self.path.clone(), source: Error::new(ErrorKind::InvalidData, what) }
    }
}
