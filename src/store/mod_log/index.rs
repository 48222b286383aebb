//! Where each act stands in the log, so that one is found without reading the others.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::PostId;
use crate::model::summary::id_hash;

/// Acts whose places are kept. When there are so many, the older half is forgotten.
pub const INDEXED_MAX: usize = 500_000;

/// What is known of a log. It is brought up to date by reading what was added since.
#[derive(Default, Debug)]
pub struct Index {
    /// Which file it was; a log that was written anew is another one.
    inode: u64,
    /// Up to where it was read: whole lines.
    read: u64,
    /// By the hash of an act's id, where its line begins.
    places: HashMap<u64, u64>,
    /// Whether acts were forgotten, the oldest ones.
    cut: bool,
    /// The time of the earliest act that holds what it takes to undo it.
    holds_since: Option<DateTime<Utc>>,
}

/// As much of an entry as is looked at.
#[derive(Deserialize)]
struct Brief {
    id: Option<PostId>,
    at: Option<DateTime<Utc>>,
    #[serde(default)]
    before: Vec<BriefBefore>,
    denied: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct BriefBefore {
    posts: Option<IgnoredAny>,
}

impl Index {
    /// Reads what was added to the log since.
    pub fn catch_up(&mut self, path: &Path) -> io::Result<()> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *self = Index::default();
                return Ok(());
            }
            opened => opened?,
        };
        let meta = file.metadata()?;
        if meta.ino() != self.inode || meta.len() < self.read {
            *self = Index { inode: meta.ino(), ..Index::default() };
        }
        if self.read == meta.len() {
            return Ok(());
        }
        let mut lines = BufReader::new(file);
        lines.seek(SeekFrom::Start(self.read))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let bytes = lines.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                return Ok(());
            }
            self.note(&line);
            self.read += bytes as u64;
        }
    }

    fn note(&mut self, line: &[u8]) {
        // Half a line may be there after a crash.
        let Ok(brief) = serde_json::from_slice::<Brief>(line) else { return };
        let holds = brief.denied.is_some() || brief.before.iter().any(|before| before.posts.is_some());
        if let Some(at) = brief.at.filter(|_| holds) {
            self.holds_since = Some(self.holds_since.map_or(at, |since| since.min(at)));
        }
        let Some(id) = brief.id else { return };
        // The first one of an id is the one that was carried out.
        self.places.entry(id_hash(id.as_str())).or_insert(self.read);
        if INDEXED_MAX <= self.places.len() {
            self.forget_half();
        }
    }

    fn forget_half(&mut self) {
        let mut places: Vec<u64> = self.places.values().copied().collect();
        let middle = places.len() / 2;
        let (_, middle, _) = places.select_nth_unstable(middle);
        self.places.retain(|_, place| *middle <= *place);
        self.cut = true;
    }

    /// Where the line of an act begins, as far as that is kept.
    pub fn place(&self, id: &PostId) -> Option<u64> {
        self.places.get(&id_hash(id.as_str())).copied()
    }

    /// Whether there may be acts whose places are not kept.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The time of the earliest act that holds what it takes to undo it.
    pub fn holds_since(&self) -> Option<DateTime<Utc>> {
        self.holds_since
    }
}
