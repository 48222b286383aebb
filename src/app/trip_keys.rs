//! The keys of secure tripcodes, as they are now. Their file is read again when it looks otherwise than before, so that a
//! new key is used from the moment it is made.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tracing::error;

use super::clock;
use super::error::chain;
use crate::disk;
use crate::intake::tripcode::{self, Key, Keys, Secret, Signed};
use crate::model::Stamp;
use crate::store::site_dir::SiteDir;
use crate::store::trip_keys::{FIRST_ID, TripKey, TripKeys};

/// What signs names.
pub struct Signer {
    secret: Secret,
    file: TripKeys,
    read: Mutex<(Option<Stamp>, Arc<Vec<TripKey>>)>,
}

impl Signer {
    /// That of a site, whose first key is its secret.
    pub fn new(dir: &SiteDir, secret: Secret) -> Signer {
        Signer { secret, file: TripKeys::new(dir.tripcodes()), read: Mutex::default() }
    }

    /// The name without its key, and the tripcode.
    pub fn sign(&self, typed: &str) -> Signed {
        tripcode::sign(typed, &keys_at(&self.secret, &self.keys(), clock::now()))
    }

    fn keys(&self) -> Arc<Vec<TripKey>> {
        let stamp = std::fs::metadata(self.file.path()).ok().map(|meta| disk::stamp(&meta));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != stamp {
            match self.file.read() {
                Ok(keys) => *read = (stamp, Arc::new(keys)),
                Err(error) => error!(error = %chain(&error), "cannot read the keys of tripcodes; the last ones hold"),
            }
        }
        read.1.clone()
    }
}

/// The keys that sign at a time, of all that there are.
pub fn keys_at(secret: &Secret, keys: &[TripKey], now: DateTime<Utc>) -> Keys {
    let Some((last, earlier)) = keys.split_last() else { return Keys::from(secret.clone()) };
    let before = earlier.last().map_or_else(|| first(secret), key);
    Keys { current: key(last), before: (now < last.both_until).then_some(before) }
}

/// The key with this id, if there is one.
pub fn key_of(secret: &Secret, keys: &[TripKey], id: u32) -> Option<Key> {
    if id == FIRST_ID { Some(first(secret)) } else { keys.iter().find(|key| key.id == id).map(key) }
}

fn first(secret: &Secret) -> Key {
    Key { id: FIRST_ID, secret: secret.clone() }
}

fn key(key: &TripKey) -> Key {
    Key { id: key.id, secret: Secret::from_bytes(key.bytes().expect("a key that was read has its bytes")) }
}
