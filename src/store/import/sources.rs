//! What is to be imported, before it is read.

use std::fs;
use std::path::PathBuf;

/// Folders in folders that are walked.
pub(super) const DEPTH_MAX: usize = 32;

/// How many bytes the files of `sources` have together, those in folders included; `None` where that cannot be told
/// before they are read, as with a pipe.
pub fn bytes_of(sources: &[PathBuf]) -> Option<u64> {
    let mut bytes = 0;
    for path in sources {
        let meta = fs::metadata(path).ok()?;
        if meta.is_file() {
            bytes += meta.len();
            continue;
        }
        if !meta.is_dir() {
            return None;
        }
        let files = walkdir::WalkDir::new(path).max_depth(DEPTH_MAX).into_iter().filter_map(Result::ok);
        let sizes = files.filter(|entry| entry.file_type().is_file()).filter_map(|entry| entry.metadata().ok());
        bytes += sizes.map(|meta| meta.len()).sum::<u64>();
    }
    Some(bytes)
}
