//! How much each address sends.
//!
//! Each limit is a bucket that runs empty with time (the generic cell rate algorithm): of an address there is kept when its
//! bucket will be empty, and nothing else. All buckets stand in one table of fixed size. Where it has no room the bucket goes
//! that is empty first, so that many addresses cost those their memory that sent least.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ipnet::IpNet;

/// Buckets that can stand at one place of the table.
const WAYS: usize = 8;

/// Places of the table. With all buckets it takes 2 MB, which the system gives as they are used.
const PLACES: usize = 16_384;

/// A network may send so many times as much as one address.
const NETWORK_SHARE: u64 = 4;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Thing {
    /// Posts.
    Post,
    /// New threads.
    Thread,
    /// What was refused.
    Failure,
}

/// How many of something there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Of what.
    pub thing: Thing,
    /// So many, all at once if need be; 0 for any number.
    pub count: usize,
    /// In so many milliseconds.
    pub time_ms: u64,
}

impl Quota {
    /// Half of it, but at least one.
    pub fn halved(self) -> Quota {
        Quota { count: self.count.div_ceil(2), ..self }
    }
}

/// Whether something is counted, or it is only looked whether it could be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// It has happened.
    Take,
    /// It may happen.
    Look,
}

/// The buckets of all addresses.
pub struct Pace<S = std::hash::RandomState> {
    /// Each holds whose it is, and when it will be empty, in milliseconds since the epoch.
    buckets: Mutex<Vec<[u64; 2]>>,
    /// SECURITY: nobody outside knows its key, so nobody can choose addresses that push others out.
    hasher: S,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { buckets: Mutex::new(vec![[0; 2]; PLACES * WAYS]), hasher: Default::default() }
    }
}

impl Pace {
    /// Takes one of each from the address and its network; or nothing, and says after how many seconds that would do.
    pub fn take(&self, address: IpAddr, quotas: &[Quota], count: Count, now_ms: u64) -> Result<(), u32> {
        let buckets = quotas.iter().filter(|quota| quota.count != 0).flat_map(|quota| {
            let [own, network] = networks(address);
            [(own, quota.count as u64), (network, quota.count as u64 * NETWORK_SHARE)].map(|(range, count)| {
                let key = self.hasher.hash_one((quota.thing, range));
                (key, quota.time_ms.div_ceil(count), quota.time_ms)
            })
        });
        let asked: Vec<(u64, u64, u64)> = buckets.collect();
        let mut table = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait_ms = 0;
        for (key, step, time_ms) in &asked {
            let empty_at = find(&table, *key).map_or(now_ms, |at| empty_at(table[at], now_ms, *time_ms));
            wait_ms = wait_ms.max((empty_at + step).saturating_sub(now_ms + time_ms));
        }
        if 0 < wait_ms {
            return Err(u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX));
        }
        if count == Count::Take {
            for (key, step, time_ms) in asked {
                let at = find(&table, key).unwrap_or_else(|| {
                    let at = poorest(&table, key);
                    table[at] = [key, now_ms];
                    at
                });
                table[at][1] = empty_at(table[at], now_ms, time_ms) + step;
            }
        }
        Ok(())
    }
}

/// When a bucket is empty that is now: not before now, and no later than a full one, though the clock was set back.
fn empty_at(bucket: [u64; 2], now_ms: u64, time_ms: u64) -> u64 {
    bucket[1].clamp(now_ms, now_ms + time_ms)
}

/// The buckets that can be those of a key.
fn place(key: u64) -> std::ops::Range<usize> {
    let from = key as usize % PLACES * WAYS;
    from..from + WAYS
}

fn find(table: &[[u64; 2]], key: u64) -> Option<usize> {
    place(key).find(|at| table[*at][0] == key && table[*at][1] != 0)
}

/// The bucket at the place of a key that is empty first.
fn poorest(table: &[[u64; 2]], key: u64) -> usize {
    place(key).min_by_key(|at| table[*at][1]).unwrap_or_default()
}

/// What counts as one address, and as its network: an IPv4 address and its /24, an IPv6 /64 and its /48.
fn networks(address: IpAddr) -> [IpNet; 2] {
    let address = address.to_canonical();
    let lengths = if address.is_ipv4() { [32, 24] } else { [64, 48] };
    lengths.map(|length| IpNet::new(address, length).map_or(IpNet::from(address), |range| range.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTS: Quota = Quota { thing: Thing::Post, count: 3, time_ms: 60_000 };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Sends `times` posts at once; how many were let through, and the wait that was told last.
    fn send(pace: &Pace, from: &str, times: usize, now_ms: u64) -> (usize, u32) {
        let mut wait = 0;
        let take = |_: &usize| match pace.take(address(from), &[POSTS], Count::Take, now_ms) {
            Ok(()) => true,
            Err(seconds) => {
                wait = seconds;
                false
            }
        };
        ((0..times).filter(take).count(), wait)
    }

    #[test]
    fn so_many_at_once_and_then_one_after_the_other() {
        let pace = Pace::default();
        let now = 1_000_000;
        assert_eq!(send(&pace, "203.0.113.9", 5, now), (3, 20));
        assert_eq!(send(&pace, "203.0.113.9", 1, now + 19_999), (0, 1));
        assert_eq!(send(&pace, "203.0.113.9", 2, now + 20_000), (1, 20));
        assert_eq!(send(&pace, "203.0.113.9", 9, now + 90_000), (3, 20));
        // Who is refused is not counted, so that whoever waits as told gets through.
        assert_eq!(send(&pace, "203.0.113.9", 1_000, now + 90_001).0, 0);
        assert_eq!(send(&pace, "203.0.113.9", 1, now + 110_001).0, 1);
    }

    #[test]
    fn a_network_has_four_times_as_much() {
        for (own, others) in [("203.0.113.9", "203.0.113."), ("2001:db8:1:2::1", "2001:db8:1:")] {
            let pace = Pace::default();
            let other =
                |n: usize| if others.contains(':') { format!("{others}{n:x}::1") } else { format!("{others}{n}") };
            let sent: usize = (20..40).map(|n| send(&pace, &other(n), 3, 1_000).0).sum();
            assert_eq!(sent, 12, "{others}");
            assert_eq!(send(&pace, own, 1, 1_000).0, 0, "{own}");
            assert_eq!(send(&pace, "198.51.100.1", 5, 1_000).0, 3);
        }
        // The lower half of an IPv6 address is its own to choose.
        let pace = Pace::default();
        let sent: usize = (0..9).map(|n| send(&pace, &format!("2001:db8::{n}"), 1, 1_000).0).sum();
        assert_eq!(sent, 3);
        assert_eq!(send(&pace, "::ffff:203.0.113.9", 3, 1_000).0 + send(&pace, "203.0.113.9", 3, 1_000).0, 3);
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out_for_longer_than_a_full_bucket() {
        let pace = Pace::default();
        assert_eq!(send(&pace, "203.0.113.9", 5, 9_000_000_000).0, 3);
        let (sent, wait) = send(&pace, "203.0.113.9", 1, 1_000);
        assert!(sent == 0 && wait <= 20, "{wait}");
    }

    #[test]
    fn more_addresses_than_buckets_push_out_those_that_sent_least() {
        let pace = Pace::default();
        assert_eq!(send(&pace, "203.0.113.9", 5, 1_000).0, 3);
        for n in 0..200_000_u32 {
            let address = IpAddr::from((n + 0x0a00_0000).to_be_bytes());
            pace.take(address, &[Quota { count: 1_000, ..POSTS }], Count::Take, 1_001).unwrap_or_default();
        }
        assert_eq!(send(&pace, "203.0.113.9", 1, 1_002).0, 0, "it was forgotten");
        assert_eq!(pace.buckets.lock().unwrap().len(), PLACES * WAYS);
    }

    #[test]
    fn to_look_takes_nothing_and_nought_means_no_limit() {
        let pace = Pace::default();
        let from = address("203.0.113.9");
        assert!((0..100).all(|_| pace.take(from, &[POSTS], Count::Look, 1_000).is_ok()));
        let endless = Quota { count: 0, ..POSTS };
        assert!((0..100).all(|_| pace.take(from, &[endless], Count::Take, 1_000).is_ok()));
        assert_eq!(send(&pace, "203.0.113.9", 5, 1_000).0, 3);
        // If one of several is used up, none is taken of the others.
        let threads = Quota { thing: Thing::Thread, count: 5, time_ms: 60_000 };
        assert!(pace.take(from, &[threads, POSTS], Count::Take, 1_000).is_err());
        assert_eq!((0..9).filter(|_| pace.take(from, &[threads], Count::Take, 1_000).is_ok()).count(), 5);
    }

    /// What the door does about posts of which it wants to hear nothing.
    #[test]
    fn a_refusal_costs_far_less_than_a_millisecond() {
        let pace = Pace::default();
        send(&pace, "203.0.113.9", 9, 1_000);
        let began = std::time::Instant::now();
        assert_eq!(send(&pace, "203.0.113.9", 10_000, 1_000).0, 0);
        let each = began.elapsed() / 10_000;
        println!("a refusal takes {each:?}");
        assert!(each < std::time::Duration::from_micros(200), "{each:?}");
    }
}
