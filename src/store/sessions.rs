//! Who is signed in, in a private file of one JSON object a line. It holds hashes of what browsers hold.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The keyed hash of the token.
    pub key: String,
    /// The account.
    pub name: String,
    /// Belongs to the password that was given; another password ends it.
    pub mark: String,
    /// When it began.
    pub at: DateTime<Utc>,
    /// When it was used last, to some minutes.
    pub seen: DateTime<Utc>,
}

/// The sessions of a site.
#[derive(Clone, Debug)]
pub struct Sessions {
    path: PathBuf,
}

impl Sessions {
    /// The sessions in this file, which need not be there.
    pub fn new(path: PathBuf) -> Sessions {
        Sessions { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of them, oldest first. Lines that cannot be read are passed over.
    pub fn read(&self) -> Result<Vec<Session>, DiskError> {
        let bytes = match disk::read(&self.path) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Replaces all of them.
    pub fn write(&self, sessions: &[Session]) -> Result<(), DiskError> {
        let mut bytes = Vec::new();
        for session in sessions {
            serde_json::to_writer(&mut bytes, session).expect("memory takes all, and a session is always JSON");
            bytes.push(b'\n');
        }
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        disk::replace_private(&self.path, &bytes)
    }
}
