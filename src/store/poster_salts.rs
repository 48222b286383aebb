//! What poster ids are made with: `.nejiboard/poster-salts/`, a file of random bytes for each thread, which is kept for as
//! long as addresses are.
//!
//! Nobody can find out again from an id what it was made of once the salt is gone, not even who has all keys and tries
//! every address. A salt that was lost costs nothing but that ids in its thread are others from then on.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use super::site_dir::random_bytes;
use crate::disk::{self, DiskError};

/// Bytes of the time that stands before a salt.
const TIME_BYTES: usize = 8;

/// The salt of a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PosterSalt {
    /// When it was made.
    pub made: DateTime<Utc>,
    /// The random bytes.
    pub bytes: [u8; 32],
}

impl PosterSalt {
    /// Whether it is to be used no more, and to be forgotten, if it is kept for so many hours.
    pub fn is_over(&self, now: DateTime<Utc>, hours: usize) -> bool {
        self.made + TimeDelta::hours(hours as i64) <= now
    }

    fn parse(bytes: &[u8]) -> Option<PosterSalt> {
        let (time, bytes) = bytes.split_at_checked(TIME_BYTES)?;
        let made = DateTime::from_timestamp(i64::from_be_bytes(time.try_into().ok()?), 0)?;
        Some(PosterSalt { made, bytes: bytes.try_into().ok()? })
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.made.timestamp().to_be_bytes()[..], &self.bytes].concat()
    }
}

/// The salts of a site.
#[derive(Clone, Debug)]
pub struct PosterSalts {
    folder: PathBuf,
}

impl PosterSalts {
    /// Those in this folder, which need not be there.
    pub fn new(folder: PathBuf) -> PosterSalts {
        PosterSalts { folder }
    }

    /// The salt of a thread, whose name here is of letters, digits and hyphens. It is made if there is none, or if the
    /// one that there is was made `hours` ago.
    pub fn of(&self, thread: &str, now: DateTime<Utc>, hours: usize) -> Result<PosterSalt, DiskError> {
        disk::create_private_dir(&self.folder)?;
        // Two doors use the same.
        let _lock = disk::lock_folder(&self.folder)?;
        let path = self.folder.join(thread);
        let there = match disk::read(&path) {
            Err(error) if error.is_absent() => None,
            read => PosterSalt::parse(&read?),
        };
        if let Some(salt) = there.filter(|salt| !salt.is_over(now, hours)) {
            return Ok(salt);
        }
        let salt = PosterSalt { made: now, bytes: random_bytes()? };
        disk::replace_private(&path, &salt.to_bytes())?;
        Ok(salt)
    }

    /// Removes those that were made `hours` ago, and what is none.
    pub fn forget(&self, now: DateTime<Utc>, hours: usize) -> Result<(), DiskError> {
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            listing => listing.map_err(DiskError::doing("list", &self.folder))?,
        };
        // A draft that is there now was left by a crash.
        let _lock = disk::lock_folder(&self.folder)?;
        for path in listing.flatten().map(|entry| entry.path()) {
            let salt = disk::read(&path).ok().and_then(|bytes| PosterSalt::parse(&bytes));
            if salt.is_some_and(|salt| !salt.is_over(now, hours)) && !disk::is_draft(&name_of(&path)) {
                continue;
            }
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(DiskError { action: "remove", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
