//! What readers have reported, in a private file of one JSON object for each post.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::model::{BoardSlug, PostNo};

/// The most posts that wait to be looked at. Beyond them the oldest goes.
const POSTS_MAX: usize = 1_000;

/// The most reasons that are kept of one post.
const REASONS_MAX: usize = 10;

/// A post that was reported.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The board.
    pub board: BoardSlug,
    /// The post's number.
    pub post: PostNo,
    /// When it was reported first.
    pub at: DateTime<Utc>,
    /// How often it was.
    pub times: u32,
    /// The first different reasons.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// The reports of a site.
#[derive(Clone, Debug)]
pub struct Reports {
    path: PathBuf,
}

impl Reports {
    /// The reports in this file, which need not be there.
    pub fn new(path: PathBuf) -> Reports {
        Reports { path }
    }

    /// All of them, the one that was reported first first. Lines that cannot be read are passed over.
    pub fn read(&self) -> Result<Vec<Report>, DiskError> {
        let bytes = match disk::read(&self.path) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Adds a report of a post to those that it has.
    pub fn add(&self, board: &BoardSlug, post: PostNo, why: &str, at: DateTime<Utc>) -> Result<(), DiskError> {
        let mut all = self.read()?;
        let nth = all.iter().position(|there| there.board == *board && there.post == post).unwrap_or_else(|| {
            all.push(Report { board: board.clone(), post, at, times: 0, reasons: Vec::new() });
            all.len() - 1
        });
        let report = &mut all[nth];
        report.times = report.times.saturating_add(1);
        if !why.is_empty() && report.reasons.len() < REASONS_MAX && !report.reasons.iter().any(|there| there == why) {
            report.reasons.push(why.to_owned());
        }
        let excess = all.len().saturating_sub(POSTS_MAX);
        all.drain(..excess);
        self.write(&all)
    }

    /// Forgets what was reported of these posts.
    pub fn dismiss(&self, board: &BoardSlug, posts: &[PostNo]) -> Result<usize, DiskError> {
        let mut all = self.read()?;
        let before = all.len();
        all.retain(|report| report.board != *board || !posts.contains(&report.post));
        if all.len() < before {
            self.write(&all)?;
        }
        Ok(before - all.len())
    }

    /// What was reported of posts that went to another board is said of their new numbers.
    pub fn renumber(&self, from: &BoardSlug, to: &BoardSlug, numbers: &[(PostNo, PostNo)]) -> Result<(), DiskError> {
        let numbers: BTreeMap<PostNo, PostNo> = numbers.iter().copied().collect();
        let mut all = self.read()?;
        let mut changed = false;
        for report in all.iter_mut().filter(|report| report.board == *from) {
            if let Some(no) = numbers.get(&report.post) {
                (report.board, report.post, changed) = (to.clone(), *no, true);
            }
        }
        if changed { self.write(&all) } else { Ok(()) }
    }

    fn write(&self, all: &[Report]) -> Result<(), DiskError> {
        let mut bytes = Vec::new();
        for report in all {
            serde_json::to_writer(&mut bytes, report).expect("memory takes all, and a report is always JSON");
            bytes.push(b'\n');
        }
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        disk::replace_private(&self.path, &bytes)
    }
}
