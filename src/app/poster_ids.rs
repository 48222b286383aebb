//! The ids that tell the posters of a thread apart, on boards that want them.
//!
//! An id is of the sender's address and of its thread: it takes the site's secret, and a salt that only this thread has.
//! So the same sender has another id in another thread, and none can be traced back once the salt is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tracing::warn;

use super::builder::{self, Shown};
use super::error::chain;
use super::guard::is_somebody;
use crate::intake::tripcode::Secret;
use crate::model::summary::id_hash;
use crate::model::{Board, PostNo, SiteSettings, Submission};
use crate::store::poster_salts::{PosterSalt, PosterSalts};
use crate::store::site_dir::SiteDir;

/// Salts that are kept in memory. Beyond them all are read again.
const KEPT_MAX: usize = 1_024;

/// Hours for which a salt is kept where addresses are not.
const HOURS_WITHOUT_ADDRESSES: usize = 24;

/// Makes ids.
pub struct PosterIds {
    shown: Arc<RwLock<Shown>>,
    secret: Secret,
    salts: PosterSalts,
    kept: Mutex<HashMap<String, PosterSalt>>,
}

impl PosterIds {
    /// Those of a site.
    pub fn new(dir: &SiteDir, shown: Arc<RwLock<Shown>>, secret: Secret) -> PosterIds {
        PosterIds { shown, secret, salts: PosterSalts::new(dir.poster_salts()), kept: Mutex::default() }
    }

    /// The id of who sends a post; empty on boards without ids, and for who comes from nowhere in particular. That one
    /// cannot be made is no reason to refuse a post.
    pub fn id(&self, post: &Submission, now: DateTime<Utc>) -> String {
        let (thread, site) = {
            let shown = builder::read(&self.shown);
            let Some(board) = shown.site.board(&post.board).filter(|board| board.settings.poster_ids) else {
                return String::new();
            };
            (name_of_thread(board, post), shown.site.settings.clone())
        };
        // The id would say of all of them that they are one.
        if !is_somebody(&site, post.address) {
            return String::new();
        }
        match self.salt(&thread, now, hours_kept(&site)) {
            Ok(salt) => self.secret.poster_id(&thread, &salt.bytes, post.address),
            Err(error) => {
                warn!(error = %chain(&error), "cannot make a poster's id");
                String::new()
            }
        }
    }

    fn salt(&self, thread: &str, now: DateTime<Utc>, hours: usize) -> Result<PosterSalt, crate::disk::DiskError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(salt) = kept.get(thread).filter(|salt| !salt.is_over(now, hours)) {
            return Ok(*salt);
        }
        let salt = self.salts.of(thread, now, hours)?;
        if KEPT_MAX <= kept.len() {
            kept.clear();
        }
        kept.insert(thread.to_owned(), salt);
        Ok(salt)
    }
}

/// How long salts are kept.
pub fn hours_kept(site: &SiteSettings) -> usize {
    match site.keep_addresses_hours {
        0 => HOURS_WITHOUT_ADDRESSES,
        hours => hours,
    }
}

/// What a thread is called before it has a number, and afterwards: by the id of its first post. One without an id got
/// its number otherwise.
fn name_of_thread(board: &Board, post: &Submission) -> String {
    let of_op = |no: PostNo| board.visible(no).map(|thread| thread.op_id_hash).filter(|hash| *hash != 0);
    match (post.thread, post.thread.and_then(of_op)) {
        (None, _) => format!("{}-{:016x}", board.slug, id_hash(post.id.as_str())),
        (Some(_), Some(hash)) => format!("{}-{hash:016x}", board.slug),
        (Some(no), None) => format!("{}-no-{no}", board.slug),
    }
}
