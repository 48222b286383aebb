//! Held posts a page at a time: however many wait, only those that are shown are read.

use std::fmt;
use std::fs;
use std::io::ErrorKind;

use super::{Held, HeldPost, POST, WHY};
use crate::disk::{self, DiskError};
use crate::model::PostId;

/// Where a post stands among those that wait: when its file was written, and its id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    written_ns: i64,
    id: PostId,
}

impl Place {
    /// The place of which this is the text.
    pub fn parse(text: &str) -> Option<Place> {
        let (written_ns, id) = text.split_once('-')?;
        Some(Place { written_ns: written_ns.parse().ok()?, id: PostId::parse(id).ok()? })
    }

    /// The post that stands there.
    pub fn id(&self) -> &PostId {
        &self.id
    }

    /// Seconds since the Unix epoch at which its file was written.
    pub fn written_at(&self) -> i64 {
        self.written_ns.div_euclid(1_000_000_000)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.written_ns, self.id.as_str())
    }
}

impl Held {
    /// The places of all posts that wait, the oldest first. Ids follow from what was posted and sort by nothing; the
    /// times of the files do.
    pub fn queue(&self) -> Result<Vec<Place>, DiskError> {
        let mut queue = Vec::new();
        for id in self.ids()? {
            match fs::symlink_metadata(self.path(&id, POST)) {
                Ok(meta) => queue.push(Place { written_ns: disk::stamp(&meta).modified_ns, id }),
                // It was decided a moment ago.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(DiskError { action: "look at", path: self.path(&id, POST), source }),
            }
        }
        queue.sort_unstable();
        Ok(queue)
    }

    /// A held post; `None` if it is decided by now, or its file cannot be read.
    pub fn post(&self, id: &PostId) -> Result<Option<HeldPost>, DiskError> {
        let Some(arrival) = self.arrival(id)? else { return Ok(None) };
        let why = disk::read(&self.path(id, WHY)).unwrap_or_default();
        Ok(Some(HeldPost { arrival, why: String::from_utf8_lossy(&why).trim().to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { written_ns: 1_700_000_000_123_456_789, id: PostId::parse("01JNB-a").unwrap() };
        assert_eq!(Place::parse(&place.to_string()), Some(place.clone()));
        assert_eq!(place.written_at(), 1_700_000_000);
        for wrong in ["", "-", "1", "1-", "x-y", "1-../x", "99999999999999999999-a"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
