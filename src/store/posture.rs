//! How open the door is, in a private file of one JSON object, so that it outlasts the program.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::model::act::{PROGRAM, Posture};

/// The posture of a site and how it came to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The posture.
    pub posture: Posture,
    /// Since when.
    pub at: DateTime<Utc>,
    /// When it is over and all is calm again; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Who wanted it so.
    pub by: String,
}

impl Standing {
    /// The posture at a time.
    pub fn posture(&self, now: DateTime<Utc>) -> Posture {
        match self.until.is_none_or(|until| now < until) {
            true => self.posture,
            false => Posture::Calm,
        }
    }

    /// Whether the program itself wanted it so.
    pub fn is_automatic(&self) -> bool {
        self.by == PROGRAM
    }
}

/// The file that holds it.
#[derive(Clone, Debug)]
pub struct PostureFile {
    path: PathBuf,
}

impl PostureFile {
    /// The posture in this file, which need not be there.
    pub fn new(path: PathBuf) -> PostureFile {
        PostureFile { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; `None` if it says nothing that can be read.
    pub fn read(&self) -> Result<Option<Standing>, DiskError> {
        match disk::read(&self.path) {
            Err(error) if error.is_absent() => Ok(None),
            read => Ok(serde_json::from_slice(&read?).ok()),
        }
    }

    /// Replaces it.
    pub fn set(&self, standing: &Standing) -> Result<(), DiskError> {
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        let mut bytes = serde_json::to_vec(standing).expect("a posture is always JSON");
        bytes.push(b'\n');
        disk::replace_private(&self.path, &bytes)
    }
}
