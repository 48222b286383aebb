//! Lists of spammers' addresses, which are asked by DNS (RFC 5782). Whatever goes wrong there, posts go on.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tracing::warn;

use super::dns::{self, Said};
use crate::model::SiteSettings;

/// How long a post waits for what all lists say together.
const WITHIN: Duration = Duration::from_secs(1);

/// How long it waits at most if there is no thread to ask them.
const THREAD_WITHIN: Duration = Duration::from_millis(1_500);

/// Questions that are asked at a time. Each has a thread for as long as it waits.
const ASKING_MAX: usize = 16;

/// Nobody is asked for so long after nobody has answered.
const REST: Duration = Duration::from_secs(10);

/// Addresses of which it is remembered what the lists say. Beyond them the oldest is forgotten.
const KNOWN_MAX: usize = 16_384;

/// How long it is remembered that an address is on no list.
const CLEAN_FOR: Duration = Duration::from_secs(300);

/// How long it is remembered that an address is on one: as its list says, but not less or more.
const LISTED_SECONDS: std::ops::RangeInclusive<u32> = 60..=3_600;

/// Where the system says which name servers it asks.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What the lists have said.
#[derive(Clone)]
pub struct Blocklists(Arc<Inner>);

struct Inner {
    known: Mutex<Known>,
    asking: Arc<Semaphore>,
}

#[derive(Default)]
struct Known {
    /// Of these lists.
    zones: Vec<String>,
    /// The list that an address is on, if it is on one, and until when that is known.
    by_address: HashMap<IpAddr, (Option<String>, Instant)>,
    oldest_first: VecDeque<IpAddr>,
    rest_until: Option<Instant>,
}

impl Default for Blocklists {
    fn default() -> Blocklists {
        Blocklists(Arc::new(Inner { known: Mutex::default(), asking: Arc::new(Semaphore::new(ASKING_MAX)) }))
    }
}

impl Blocklists {
    /// The list that an address is on, once that is known; `None` if nothing speaks against it, or nobody can be asked.
    pub fn ask(
        &self,
        address: IpAddr,
        site: &SiteSettings,
    ) -> Option<impl Future<Output = Option<String>> + Send + use<>> {
        if is_private(address) {
            return None;
        }
        let known = self.known(&site.dnsbl).find(address, Instant::now());
        let asking = match known {
            Some(None) => return None,
            Some(Some(zone)) => Asking::Done(zone),
            // SECURITY: who sends posts from ever new addresses keeps so many threads busy and no more.
            None => Asking::Begun(self.begin(address, site)?),
        };
        Some(async move {
            match asking {
                Asking::Done(zone) => Some(zone),
                Asking::Begun(asked) => tokio::time::timeout(THREAD_WITHIN, asked).await.ok()?.ok()?,
            }
        })
    }

    fn begin(&self, address: IpAddr, site: &SiteSettings) -> Option<tokio::task::JoinHandle<Option<String>>> {
        let place = Arc::clone(&self.0.asking).try_acquire_owned().ok()?;
        let (lists, zones, server) = (self.clone(), site.dnsbl.clone(), site.dnsbl_server);
        // It goes on if the client leaves: the answer is good for the next post.
        Some(tokio::task::spawn_blocking(move || {
            let _place = place;
            let names: Vec<String> = zones.iter().map(|zone| name(address, zone)).collect();
            let said = dns::ask(server.unwrap_or_else(system_server), &names, WITHIN);
            lists.known(&zones).note(address, &said, Instant::now())
        }))
    }

    /// What these lists have said. What others have said is forgotten.
    fn known(&self, zones: &[String]) -> std::sync::MutexGuard<'_, Known> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.zones != zones {
            *known = Known { zones: zones.to_vec(), ..Known::default() };
        }
        known
    }
}

enum Asking {
    Done(String),
    Begun(tokio::task::JoinHandle<Option<String>>),
}

impl Known {
    /// What is known of an address: nothing, or the list that it is on, if any. For a while after nobody has answered that
    /// is "none" of all that is not known.
    fn find(&self, address: IpAddr, now: Instant) -> Option<Option<String>> {
        match self.by_address.get(&address) {
            Some((zone, until)) if now < *until => Some(zone.clone()),
            _ => self.rest_until.is_some_and(|until| now < until).then_some(None),
        }
    }

    /// Takes note of what the lists say, and gives the first that the address is on.
    fn note(&mut self, address: IpAddr, said: &[Said], now: Instant) -> Option<String> {
        let listed = |(zone, said): (&String, &Said)| match said {
            Said::Addresses(codes, seconds) if codes.iter().any(is_listing) => {
                let seconds = (*seconds).clamp(*LISTED_SECONDS.start(), *LISTED_SECONDS.end());
                Some((zone.clone(), Duration::from_secs(seconds.into())))
            }
            _ => None,
        };
        let found = self.zones.iter().zip(said).find_map(listed);
        if found.is_none() && said.contains(&Said::Unknown) {
            if said.iter().all(|said| *said == Said::Unknown) {
                if self.rest_until.is_none_or(|until| until + REST < now) {
                    warn!("no list of spammers' addresses has answered in time; posts go on without them");
                }
                self.rest_until = Some(now + REST);
            }
            return None;
        }
        let (zone, time) = found.map_or((None, CLEAN_FOR), |(zone, time)| (Some(zone), time));
        if self.by_address.insert(address, (zone.clone(), now + time)).is_none() {
            self.oldest_first.push_back(address);
        }
        while KNOWN_MAX < self.oldest_first.len() {
            if let Some(oldest) = self.oldest_first.pop_front() {
                self.by_address.remove(&oldest);
            }
        }
        zone
    }
}

/// Whether a code says that an address is on the list. The last of these are what lists say to whom they do not answer, such
/// as all who ask by way of a large public name server.
fn is_listing(code: &Ipv4Addr) -> bool {
    code.is_loopback() && code.octets()[..3] != [127, 255, 255]
}

/// Whether an address is of a network of its own, which no list knows.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified(),
    }
}

/// What stands for an address on a list: its parts backwards, and then the list.
fn name(address: IpAddr, zone: &str) -> String {
    let mut name = String::new();
    match address {
        IpAddr::V4(address) => address.octets().iter().rev().for_each(|byte| name += &format!("{byte}.")),
        IpAddr::V6(address) => {
            let halves = address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            halves.for_each(|half| name += &format!("{half:x}."));
        }
    }
    name + zone
}

/// The first name server that the system asks. It is looked up each time, as networks change.
fn system_server() -> SocketAddr {
    let text = std::fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    first_server(&text).unwrap_or((Ipv4Addr::LOCALHOST, 53).into())
}

fn first_server(text: &str) -> Option<SocketAddr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|rest| rest.trim().parse::<IpAddr>().ok()).map(|address| (address, 53).into()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones() -> Vec<String> {
        ["a.example", "b.example"].map(str::to_owned).to_vec()
    }

    fn known() -> Known {
        Known { zones: zones(), ..Known::default() }
    }

    fn address(last: u32) -> IpAddr {
        Ipv4Addr::from(0xCB00_7100 + last).into()
    }

    fn code(last: u8, seconds: u32) -> Said {
        Said::Addresses(vec![Ipv4Addr::new(127, 0, 0, last)], seconds)
    }

    #[test]
    fn an_address_is_asked_for_backwards() {
        assert_eq!(name("203.0.113.9".parse().unwrap(), "a.example"), "9.113.0.203.a.example");
        let wanted = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.a.example";
        assert_eq!(name("2001:db8::1".parse().unwrap(), "a.example"), wanted);
    }

    #[test]
    fn the_first_list_that_has_it_counts_for_a_time_that_is_bounded() {
        let (mut known, now) = (known(), Instant::now());
        assert_eq!(known.note(address(1), &[Said::Unknown, code(2, 7)], now), Some("b.example".to_owned()));
        let found = Some(Some("b.example".to_owned()));
        assert_eq!(known.find(address(1), now + Duration::from_secs(59)), found);
        assert_eq!(known.find(address(1), now + Duration::from_secs(60)), None);
        known.note(address(1), &[Said::Nothing, code(2, u32::MAX)], now);
        assert_eq!(known.find(address(1), now + Duration::from_secs(3_599)), found);
        assert_eq!(known.find(address(1), now + Duration::from_secs(3_600)), None);
        assert_eq!(known.note(address(2), &[Said::Nothing, Said::Nothing], now), None);
        assert_eq!(known.find(address(2), now + Duration::from_secs(299)), Some(None));
        assert_eq!(known.find(address(2), now + CLEAN_FOR), None);
    }

    #[test]
    fn codes_that_say_something_else_are_no_listing() {
        let (mut known, now) = (known(), Instant::now());
        for other in [[127, 255, 255, 254], [10, 0, 0, 1], [0, 0, 0, 0]] {
            let said = Said::Addresses(vec![Ipv4Addr::from(other)], 60);
            assert_eq!(known.note(address(1), &[said, Said::Nothing], now), None);
        }
    }

    #[test]
    fn after_silence_nobody_is_asked_for_a_while_and_silence_is_not_remembered_of_an_address() {
        let (mut known, now) = (known(), Instant::now());
        assert_eq!(known.note(address(1), &[Said::Nothing, Said::Unknown], now), None);
        assert_eq!(known.find(address(1), now), None, "one list has answered");
        assert_eq!(known.note(address(1), &[Said::Unknown, Said::Unknown], now), None);
        assert_eq!(known.find(address(2), now + REST / 2), Some(None));
        assert_eq!(known.find(address(1), now + REST), None);
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let (mut known, now) = (known(), Instant::now());
        (0..=KNOWN_MAX as u32).for_each(|last| drop(known.note(address(last), &[code(2, 60), Said::Nothing], now)));
        assert_eq!((known.by_address.len(), known.oldest_first.len()), (KNOWN_MAX, KNOWN_MAX));
        assert_eq!(known.find(address(0), now), None);
    }

    #[test]
    fn the_systems_server_is_the_first_that_can_be_asked() {
        let text = "# nameserver 192.0.2.1\nsearch example\nnameserver fe80::1%eth0\nnameserver  192.0.2.53\n";
        assert_eq!(first_server(text), Some("192.0.2.53:53".parse().unwrap()));
        assert_eq!(first_server("nameserver 2001:db8::53"), Some("[2001:db8::53]:53".parse().unwrap()));
        assert_eq!(first_server(""), None);
    }
}
