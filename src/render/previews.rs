//! How threads look on the index, kept from one build to the next.
//!
//! A reply redraws an index page, and nine of the ten threads on it are as they were: what they look like there need
//! not be read and rendered again. Bounded, and never needed: what is not kept is drawn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::views::SafeHtml;
use crate::model::ThreadKey;

/// The most that is kept, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// The opening post and the last replies of a thread, drawn.
#[derive(Debug)]
pub struct Preview {
    /// For readers.
    pub posts: SafeHtml,
    /// How many replies that are.
    pub shown: usize,
    /// The opening post as a JSON object without the bracket that ends it; empty if the site has no JSON.
    pub op_json: String,
    /// The replies as JSON objects with commas between them.
    pub replies_json: String,
    /// The opening post as an entry of a feed; empty if the site has none, or if the post is gone.
    pub op_entry: String,
}

impl Preview {
    fn bytes(&self) -> usize {
        self.posts.as_str().len() + self.op_json.len() + self.replies_json.len() + self.op_entry.len()
    }
}

/// What is kept. Whoever changes a thread, or anything that it is drawn with, forgets it first.
#[derive(Default)]
pub struct Previews(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    previews: HashMap<ThreadKey, Arc<Preview>>,
    bytes: usize,
}

impl Previews {
    /// How a thread looks, if it is known.
    pub fn get(&self, key: &ThreadKey) -> Option<Arc<Preview>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).previews.get(key).cloned()
    }

    /// Keeps how a thread looks.
    pub fn keep(&self, key: ThreadKey, preview: &Arc<Preview>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = preview.bytes();
        if BYTES_MAX < kept.bytes + bytes {
            // Rare, and what is asked for most comes back first.
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        if let Some(old) = kept.previews.insert(key, preview.clone()) {
            kept.bytes -= old.bytes();
        }
    }

    /// Forgets a thread.
    pub fn forget(&self, key: &ThreadKey) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = kept.previews.remove(key) {
            kept.bytes -= old.bytes();
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
