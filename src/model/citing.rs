//! Who names posts of other threads.

use std::collections::BTreeMap;

use super::ThreadKey;
use super::summary::CrossQuote;

/// For each post that is named from another thread, the threads that do so. Mostly one thread, or a few: sorted lists
/// take a tenth of the memory that sets would.
pub(super) type Citing = BTreeMap<CrossQuote, Vec<ThreadKey>>;

/// A thread named these posts before, and names those after.
pub(super) fn recite(citing: &mut Citing, key: &ThreadKey, before: &[CrossQuote], after: &[CrossQuote]) {
    for quote in before.iter().filter(|quote| after.binary_search(quote).is_err()) {
        if let Some(threads) = citing.get_mut(quote) {
            threads.retain(|thread| thread != key);
            if threads.is_empty() {
                citing.remove(quote);
            }
        }
    }
    for quote in after.iter().filter(|quote| before.binary_search(quote).is_err()) {
        let threads = citing.entry(quote.clone()).or_insert_with(|| Vec::with_capacity(1));
        if let Err(at) = threads.binary_search(key) {
            threads.insert(at, key.clone());
        }
    }
}
