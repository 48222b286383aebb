//! What a post is called, so that a form that is sent twice becomes one post.
//!
//! With a nonce the id follows from the fields alone, on every machine and after every restart. Without one, the same
//! fields from the same address within a short time are taken as a resend; that is remembered in memory, within bounds.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::{Backend, Limits};
use crate::model::{Form, PostId};

/// The posts without a nonce that came of late.
pub(super) struct Resends {
    remembered: Mutex<Remembered>,
    count_max: usize,
    time: Duration,
}

#[derive(Default)]
struct Remembered {
    ids: HashMap<u128, (PostId, SystemTime)>,
    oldest_first: VecDeque<u128>,
}

impl Resends {
    pub(super) fn new(limits: &Limits) -> Resends {
        Resends { remembered: Mutex::default(), count_max: limits.resends_max, time: limits.resend_time }
    }

    /// The id of the post that this form makes.
    pub(super) fn id(&self, form: &Form, address: IpAddr, backend: &dyn Backend) -> PostId {
        if !form.nonce.is_empty() {
            let fields = [&form.nonce, &form.board, &form.thread, &form.name, &form.subject, &form.body];
            let text = Ulid(digest(fields.map(|field| field.as_bytes()))).to_string();
            return PostId::parse(&text).expect("base 32 fits a post's id");
        }
        let address = address.to_string();
        let fields = [&address, &form.board, &form.thread, &form.name, &form.options, &form.subject, &form.body];
        let key = digest(fields.map(|field| field.as_bytes()));
        // A panic elsewhere leaves the map as it was: each change is one insertion.
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.id(key, self, backend)
    }
}

impl Remembered {
    fn id(&mut self, key: u128, bounds: &Resends, backend: &dyn Backend) -> PostId {
        let now = backend.now();
        self.forget(now, bounds);
        if let Some((id, _)) = self.ids.get(&key) {
            return id.clone();
        }
        let id = backend.new_id();
        self.ids.insert(key, (id.clone(), now));
        self.oldest_first.push_back(key);
        id
    }

    /// Drops what is too old, and the oldest where there is no room for one more.
    fn forget(&mut self, now: SystemTime, bounds: &Resends) {
        while let Some(oldest) = self.oldest_first.front() {
            // A clock that was set back makes an entry older than it looks; it goes too.
            let age = self.ids.get(oldest).map(|(_, at)| now.duration_since(*at).unwrap_or(Duration::MAX));
            let fresh = age.is_some_and(|age| age < bounds.time);
            if fresh && self.oldest_first.len() < bounds.count_max {
                return;
            }
            self.ids.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}

/// The first 128 bits of a SHA-256 over the fields, each after its length, so that no two lists look alike.
fn digest<const N: usize>(fields: [&[u8]; N]) -> u128 {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let (first, _) = digest.split_at(16);
    u128::from_be_bytes(first.try_into().expect("16 bytes are 128 bits"))
}
