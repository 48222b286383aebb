//! The filters as the file has them now: read again when it was edited.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::app::condition::Vitals;
use crate::disk;
use crate::model::Stamp;
use crate::store::filters::Filters;

/// The file and what it said last.
pub struct FilterFile {
    path: PathBuf,
    vitals: Vitals,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    /// How the file looked; `None` before it was looked at, or if there was none.
    stamp: Option<Stamp>,
    filters: Arc<Filters>,
}

impl FilterFile {
    /// The filters in a file, which need not be there.
    pub fn new(path: PathBuf, vitals: Vitals) -> FilterFile {
        FilterFile { path, vitals, read: Mutex::default() }
    }

    /// What holds now. A file with mistakes changes nothing, and is told as a trouble.
    pub fn filters(&self) -> Arc<Filters> {
        let stamp = std::fs::metadata(&self.path).ok().map(|meta| disk::stamp(&meta));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.stamp == stamp {
            return read.filters.clone();
        }
        read.stamp = stamp;
        match Filters::read(&self.path) {
            Ok(filters) => {
                self.vitals.metrics.filters_changed();
                self.vitals.condition.note("filters", None);
                read.filters = Arc::new(filters);
            }
            Err(problems) => {
                problems.iter().for_each(|problem| warn!("{problem}"));
                let first = problems.first().map_or(String::new(), |problem| format!(": {}", problem.message));
                let told = format!("the filters are wrong, and the last good ones are used{first}");
                self.vitals.condition.note("filters", Some(told));
            }
        }
        read.filters.clone()
    }
}
