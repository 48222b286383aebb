//! Who has an account and who is signed in. Both are files, so that an upgrade signs nobody out, and a command line can
//! take an account away while the door is open. They are read again when they look otherwise than before.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::error;

use super::super::error::chain;
use crate::disk::{self, DiskError};
use crate::intake::tripcode::Secret;
use crate::model::Stamp;
use crate::store::journal::hex;
use crate::store::sessions::{Session, Sessions};
use crate::store::site_dir::{SiteDir, random_bytes};
use crate::store::users::{Account, Users};

/// A session that nobody uses for so long is over.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// No session is longer.
pub const LONGEST: TimeDelta = TimeDelta::days(7);

/// How exactly it is noted when a session was used last.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// The most sessions of one account. Beyond them the oldest ends.
const OF_ACCOUNT_MAX: usize = 20;

/// The accounts and sessions of a site.
pub struct SignedIn {
    secret: Secret,
    users: Users,
    accounts: Mutex<Kept<Account>>,
    sessions: Sessions,
    open: Mutex<Kept<Session>>,
}

/// What was read last, and how its file looked then.
struct Kept<T> {
    stamp: Option<Stamp>,
    all: Arc<Vec<T>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept { stamp: None, all: Arc::default() }
    }
}

impl<T> Kept<T> {
    fn fresh(&mut self, path: &Path, read: impl FnOnce() -> Result<Vec<T>, DiskError>) -> Arc<Vec<T>> {
        let stamp = std::fs::metadata(path).ok().map(|meta| disk::stamp(&meta));
        if self.stamp != stamp {
            match read() {
                Ok(all) => *self = Kept { stamp, all: Arc::new(all) },
                // SECURITY: who cannot be looked up is nobody.
                Err(error) => {
                    error!(error = %chain(&error), "cannot read who may moderate; nobody may");
                    *self = Kept::default();
                }
            }
        }
        self.all.clone()
    }
}

/// Somebody who is signed in, as one request needs it.
pub struct Member {
    /// The account.
    pub account: Account,
    /// What the browser holds.
    pub token: String,
}

impl SignedIn {
    /// Those of a site.
    pub fn new(dir: &SiteDir, secret: Secret) -> SignedIn {
        let (users, sessions) = (Users::new(dir.users()), Sessions::new(dir.sessions()));
        SignedIn { secret, users, accounts: Mutex::default(), sessions, open: Mutex::default() }
    }

    /// All accounts.
    pub fn accounts(&self) -> Arc<Vec<Account>> {
        let mut kept = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        kept.fresh(self.users.path(), || self.users.read())
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<Account> {
        self.accounts().iter().find(|account| account.name == name).cloned()
    }

    /// Takes an account away, and with it its sessions.
    pub fn remove(&self, name: &str) -> Result<(), DiskError> {
        let mut accounts = self.users.read()?;
        accounts.retain(|account| account.name != name);
        self.users.write(&accounts)
    }

    /// Begins a session; gives its token.
    pub fn begin(&self, account: &Account, now: DateTime<Utc>) -> Result<String, DiskError> {
        let token = hex(&random_bytes()?);
        let session = Session {
            key: self.key(&token),
            name: account.name.clone(),
            mark: account.password.mark().to_owned(),
            at: now,
            seen: now,
        };
        self.change(|sessions| {
            sessions.retain(|there| is_open(there, now));
            let own = sessions.iter().filter(|there| there.name == account.name).count();
            let mut excess = (own + 1).saturating_sub(OF_ACCOUNT_MAX);
            sessions.retain(|there| {
                let goes = there.name == account.name && 0 < excess;
                excess -= usize::from(goes);
                !goes
            });
            sessions.push(session);
        })?;
        Ok(token)
    }

    /// Who holds this token, if the session is still open and the account still has the same password.
    pub fn member(&self, token: &str, now: DateTime<Utc>) -> Option<Member> {
        // SECURITY: looked up by a keyed hash, so that how long that takes tells nothing of other tokens.
        let key = self.key(token);
        let sessions = {
            let mut kept = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            kept.fresh(self.sessions.path(), || self.sessions.read())
        };
        let session = sessions.iter().find(|there| there.key == key && is_open(there, now))?;
        let account = self.account(&session.name).filter(|account| account.password.mark() == session.mark)?;
        if NOTED_EVERY <= now - session.seen {
            let noted = self.change(|sessions| {
                sessions.iter_mut().filter(|there| there.key == key).for_each(|there| there.seen = now);
            });
            if let Err(error) = noted {
                error!(error = %chain(&error), "cannot note that a session is used");
            }
        }
        Some(Member { account, token: token.to_owned() })
    }

    /// Ends a session.
    pub fn end(&self, token: &str) -> Result<(), DiskError> {
        let key = self.key(token);
        self.change(|sessions| sessions.retain(|there| there.key != key))
    }

    /// What proves that a form was on a page of this session.
    pub fn csrf(&self, token: &str) -> String {
        hex(&self.secret.keyed("form of staff", token.as_bytes()))
    }

    /// Whether it is that.
    pub fn is_csrf(&self, token: &str, told: &str) -> bool {
        // SECURITY: hashes are compared, so that the time it takes tells nothing of what was compared.
        let hash = |text: &str| self.secret.keyed("comparison", text.as_bytes());
        hash(&self.csrf(token)) == hash(told)
    }

    fn key(&self, token: &str) -> String {
        hex(&self.secret.keyed("session of staff", token.as_bytes()))
    }

    /// Changes the file. Two processes hardly do so at once: only while one takes over from the other.
    fn change(&self, change: impl FnOnce(&mut Vec<Session>)) -> Result<(), DiskError> {
        let mut kept = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sessions = self.sessions.read()?;
        change(&mut sessions);
        self.sessions.write(&sessions)?;
        // The next look reads it.
        *kept = Kept::default();
        Ok(())
    }
}

fn is_open(session: &Session, now: DateTime<Utc>) -> bool {
    now - session.seen < IDLE && now - session.at < LONGEST
}
