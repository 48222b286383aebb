//! How threads look on the index, kept from one build to the next.
//!
//! A reply redraws an index page, and nine of the ten threads on it are as they were: what they look like there need
//! not be read and rendered again. Bounded, and never needed: what is not kept is drawn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::views::SafeHtml;
use crate::model::ThreadKey;

/// The most that is kept, in bytes.
const BYTES_MAX: usize = 8 << 20;

/// The opening post and the last replies of a thread, drawn, and how many replies that are.
pub type Preview = (SafeHtml, usize);

/// What is kept. Whoever changes a thread, or anything that it is drawn with, forgets it first.
#[derive(Default)]
pub struct Previews(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    previews: HashMap<ThreadKey, Preview>,
    bytes: usize,
}

impl Previews {
    /// How a thread looks, if it is known.
    pub fn get(&self, key: &ThreadKey) -> Option<Preview> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).previews.get(key).cloned()
    }

    /// Keeps how a thread looks.
    pub fn keep(&self, key: ThreadKey, preview: &Preview) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = preview.0.as_str().len();
        if BYTES_MAX < kept.bytes + bytes {
            // Rare, and what is asked for most comes back first.
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        if let Some((old, _)) = kept.previews.insert(key, preview.clone()) {
            kept.bytes -= old.as_str().len();
        }
    }

    /// Forgets a thread.
    pub fn forget(&self, key: &ThreadKey) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((old, _)) = kept.previews.remove(key) {
            kept.bytes -= old.as_str().len();
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
