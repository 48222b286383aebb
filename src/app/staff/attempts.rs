//! How often somebody may try to sign in: a few times at once, and then less and less.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Addresses, and names, that are remembered. Beyond them the one that tried longest ago is forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// Seconds after which a try does not count any more.
const FORGET_SECONDS: i64 = 3_600;

/// What is allowed.
#[derive(Clone, Copy)]
struct Patience {
    /// Tries that need not wait.
    free: u32,
    /// The longest time to wait, in seconds.
    wait_max: i64,
}

/// Who guesses from one address waits up to a quarter of an hour.
const OF_ADDRESS: Patience = Patience { free: 5, wait_max: 900 };

/// Less for a name, since its owner has to wait too if others guess.
const OF_NAME: Patience = Patience { free: 10, wait_max: 60 };

/// The tries of late.
#[derive(Default)]
pub struct Attempts {
    addresses: Mutex<HashMap<String, Tries>>,
    names: Mutex<HashMap<String, Tries>>,
}

#[derive(Clone, Copy)]
struct Tries {
    failed: u32,
    last: i64,
}

impl Tries {
    /// Seconds to wait at `now`.
    fn wait(self, patience: Patience, now: i64) -> i64 {
        let over = self.failed.saturating_sub(patience.free);
        if self.failed < patience.free {
            return 0;
        }
        let wait = 1_i64.checked_shl(over.min(20) + 1).unwrap_or(i64::MAX).min(patience.wait_max);
        // A clock that was set back must not lock anybody out.
        (self.last + wait - now).clamp(0, wait)
    }
}

impl Attempts {
    /// Counts a try before it is known what comes of it, so that many at once are as many; or says how many seconds to
    /// wait.
    pub fn begin(&self, address: &str, name: &str, now: i64) -> Result<(), u32> {
        let wait = wait(&self.addresses, address, OF_ADDRESS, now).max(wait(&self.names, name, OF_NAME, now));
        if 0 < wait {
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        note(&self.addresses, address, now);
        note(&self.names, name, now);
        Ok(())
    }

    /// Forgets the tries of whoever turned out to know the password.
    pub fn succeeded(&self, address: &str, name: &str) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn wait(tries: &Mutex<HashMap<String, Tries>>, key: &str, patience: Patience, now: i64) -> i64 {
    let tries = tries.lock().unwrap_or_else(PoisonError::into_inner);
    tries.get(key).filter(|there| now < there.last + FORGET_SECONDS).map_or(0, |there| there.wait(patience, now))
}

fn note(tries: &Mutex<HashMap<String, Tries>>, key: &str, now: i64) {
    let mut tries = tries.lock().unwrap_or_else(PoisonError::into_inner);
    if REMEMBERED_MAX <= tries.len() && !tries.contains_key(key) {
        tries.retain(|_, there| now < there.last + FORGET_SECONDS);
        let oldest = tries.iter().min_by_key(|(_, there)| there.last).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest.filter(|_| REMEMBERED_MAX <= tries.len()) {
            tries.remove(&oldest);
        }
    }
    let there = tries.entry(key.to_owned()).or_insert(Tries { failed: 0, last: now });
    if there.last + FORGET_SECONDS <= now {
        there.failed = 0;
    }
    *there = Tries { failed: there.failed.saturating_add(1), last: now };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_and_ends() {
        let attempts = Attempts::default();
        (0..5).for_each(|_| attempts.begin("a", "neji", 0).unwrap());
        assert_eq!(attempts.begin("a", "neji", 0), Err(2));
        assert_eq!(attempts.begin("b", "neji", 0), Ok(()));
        attempts.begin("a", "other", 2).unwrap();
        assert_eq!(attempts.begin("a", "other", 2), Err(4));
        // For a name it takes more tries, from wherever they come.
        (0..4).for_each(|at| attempts.begin(&format!("c{at}"), "neji", 2).unwrap());
        assert_eq!(attempts.begin("d", "neji", 2), Err(2));
        attempts.succeeded("a", "neji");
        assert_eq!(attempts.begin("a", "neji", 2), Ok(()));
        let mut now = 0;
        for _ in 0..40 {
            while let Err(wait) = attempts.begin("z", &now.to_string(), now) {
                assert!(wait <= 900);
                now += i64::from(wait);
            }
        }
        assert_eq!(attempts.begin("z", "neji", now + FORGET_SECONDS), Ok(()));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let attempts = Attempts::default();
        (0..REMEMBERED_MAX + 10).for_each(|at| attempts.begin(&format!("a{at}"), &format!("n{at}"), 0).unwrap());
        assert_eq!(attempts.addresses.lock().unwrap().len(), REMEMBERED_MAX);
        assert_eq!(attempts.names.lock().unwrap().len(), REMEMBERED_MAX);
    }
}
