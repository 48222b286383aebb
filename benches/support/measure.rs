//! Times, and how they are told.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The middle one; of an even number the upper one of the two in the middle.
pub fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("times and ratios can be compared"));
    values[values.len() / 2]
}

/// In milliseconds, as all times are printed.
pub fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Where folders go that are not needed any more.
///
/// To delete many files between two measurements would distort the second one: for minutes ext4 passes over each inode
/// that was freed a while ago when it looks for a free one. So they are moved, and deleted at the end.
pub struct Attic {
    folder: PathBuf,
    held: usize,
}

impl Attic {
    /// An empty one, which is made below `folder`.
    pub fn new(folder: &Path) -> Attic {
        let folder = folder.join("attic");
        fs::create_dir_all(&folder).expect("a fresh folder takes folders");
        Attic { folder, held: 0 }
    }

    /// Moves `path` away, if it is there.
    pub fn take(&mut self, path: &Path) {
        if path.exists() {
            self.held += 1;
            fs::rename(path, self.folder.join(self.held.to_string())).expect("a rename on one disk");
        }
    }
}
