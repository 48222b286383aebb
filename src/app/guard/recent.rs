//! What was posted of late, so that it is not posted again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

use crate::model::summary::id_hash;
use crate::model::{PostId, likeness};

/// Texts that are remembered at most. Beyond them the oldest is forgotten.
const TEXTS_MAX: usize = 16_384;

/// Texts of fewer letters and digits may always be posted: everybody bumps and thanks in the same words.
const LETTERS_MIN: usize = 20;

/// The texts of late, by their hash: the first post that had it, and when it came.
#[derive(Default)]
pub struct Recent(Mutex<Texts>);

#[derive(Default)]
struct Texts {
    by_hash: HashMap<u128, (u64, u64)>,
    oldest_first: VecDeque<u128>,
}

impl Recent {
    /// Remembers the text of a post; `false` if another post has had it within this time.
    pub fn note(&self, id: &PostId, body: &str, time_ms: u64, now_ms: u64) -> bool {
        if time_ms == 0 {
            return true;
        }
        let letters = likeness::letters(body);
        if letters.chars().take(LETTERS_MIN).count() < LETTERS_MIN {
            return true;
        }
        let (hash, id) = (xxh3_128(letters.as_bytes()), id_hash(id.as_str()));
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.forget(time_ms, now_ms);
        if let Some((first, _)) = texts.by_hash.get(&hash) {
            // A resend is the post itself.
            return *first == id;
        }
        texts.by_hash.insert(hash, (id, now_ms));
        texts.oldest_first.push_back(hash);
        true
    }
}

impl Texts {
    /// Drops what is too old, and the oldest where there is no room for one more.
    fn forget(&mut self, time_ms: u64, now_ms: u64) {
        while let Some(oldest) = self.oldest_first.front() {
            // A clock that was set back makes an entry older than it looks; it goes too.
            let age = self.by_hash.get(oldest).and_then(|(_, at)| now_ms.checked_sub(*at));
            if age.is_some_and(|age| age < time_ms) && self.oldest_first.len() < TEXTS_MAX {
                return;
            }
            self.by_hash.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn id(text: &str) -> PostId {
        PostId::parse(text).unwrap()
    }

    #[test]
    fn a_text_is_posted_once_in_its_time_however_it_is_dressed_up() {
        let recent = Recent::default();
        let text = "Buy cheap gold at my shop";
        assert!(recent.note(&id("a"), text, MINUTE, 0));
        assert!(!recent.note(&id("b"), text, MINUTE, 1));
        assert!(!recent.note(
            &id("c"),
            ">>12\u{200b} BUY\n\ncheap, GOLD at ｍｙ shop!!".trim_start_matches(">>12"),
            MINUTE,
            2
        ));
        assert!(recent.note(&id("d"), "Buy cheap gold at my other shop", MINUTE, 3));
        // A resend is no second post.
        assert!(recent.note(&id("a"), text, MINUTE, 4));
        assert!(recent.note(&id("e"), text, MINUTE, MINUTE));
    }

    #[test]
    fn short_texts_and_drawings_may_be_posted_again_and_so_may_all_if_that_is_set() {
        let recent = Recent::default();
        for text in ["bump", "thank you very much", "| | | | | | | | | | | | | | | | | | | | |"] {
            assert!(["a", "b"].iter().all(|post| recent.note(&id(post), text, MINUTE, 0)), "{text}");
        }
        let text = "a text of more than twenty letters";
        assert!(["a", "b"].iter().all(|post| recent.note(&id(post), text, 0, 0)));
    }

    #[test]
    fn only_so_many_texts_are_remembered() {
        let recent = Recent::default();
        for n in 0..=TEXTS_MAX {
            assert!(recent.note(&id("a"), &format!("{n:030}"), MINUTE, 0));
        }
        assert_eq!(recent.0.lock().unwrap().by_hash.len(), TEXTS_MAX);
        assert!(recent.note(&id("b"), &format!("{:030}", 0), MINUTE, 0), "the oldest is still known");
    }
}
