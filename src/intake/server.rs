//! The loop that takes connections in, and the bounds on how many.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::connection::talk;
use super::pace::Pace;
use super::{Backend, Door, DoorOptions, Limits};
use crate::metrics::Metrics;

/// Connections that the system holds until the door takes them in. It has a bound of its own, and that should decide:
/// who finds this queue full tries again after a second.
const BACKLOG: i32 = 65_535;

/// Bytes of answers that the system holds for a client before any of them is on its way.
///
/// SECURITY: without this it holds megabytes for each client who asks and reads nothing.
const UNSENT_BYTES: u32 = 128 << 10;

/// How often the door becomes more patient, after it was in a hurry.
const RELAX_TIME: Duration = Duration::from_secs(2);

/// A listener at `address` for [`serve`].
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How a door closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farewell {
    /// Running requests are finished, idle connections are closed.
    Now,
    /// Somebody else answers at the same address from now on: whoever still has a connection here gets one answer more,
    /// which says that it is the last. A client that was about to ask on an idle connection is not cut off.
    Gently,
}

impl From<()> for Farewell {
    fn from((): ()) -> Farewell {
        Farewell::Now
    }
}

/// Serves until `stop` resolves, then lets running requests end within their bound. Returns when all is done.
pub async fn serve(
    listener: std::net::TcpListener,
    options: DoorOptions,
    backend: Arc<dyn Backend>,
    stop: impl Future<Output: Into<Farewell>>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    // What is accepted inherits it. Only memory is lost where this fails.
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT_BYTES);
    let listener = TcpListener::from_std(listener)?;
    let door = Arc::new(Door::new(options, backend));
    let slots = Slots::new(&door.limits, Arc::clone(door.backend.metrics()), door.pace.clone());
    let mut connections = JoinSet::new();
    let farewell = take_in(&listener, &slots, &door, &mut connections, stop).await;
    if farewell == Farewell::Gently {
        door.pace.send_replace(Pace::Leaving);
    }
    drop(listener);
    if farewell == Farewell::Gently {
        let _ = timeout(door.limits.farewell_time, all_ended(&mut connections)).await;
    }
    door.pace.send_replace(Pace::Over);
    let _ = timeout(door.limits.stop_time, all_ended(&mut connections)).await;
    connections.shutdown().await;
    Ok(())
}

async fn all_ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// Takes connections in until `stop` resolves, and gives what it says.
async fn take_in(
    listener: &TcpListener,
    slots: &Arc<Slots>,
    door: &Arc<Door>,
    connections: &mut JoinSet<()>,
    stop: impl Future<Output: Into<Farewell>>,
) -> Farewell {
    let mut stop = pin!(stop);
    let mut relaxing = interval(RELAX_TIME);
    // It goes on where it was, so that a connection which it has accepted is not lost.
    let mut arriving = pin!(arrival(listener, slots, &door.limits));
    loop {
        tokio::select! {
            farewell = &mut stop => return farewell.into(),
            _ = relaxing.tick() => slots.relax(),
            // Ended connections are let go as they end, or the set would grow for ever.
            Some(_) = connections.join_next() => {}
            (stream, slot) = &mut arriving => {
                connections.spawn(talk(stream, slot, Arc::clone(door)));
                arriving.set(arrival(listener, slots, &door.limits));
            }
        }
    }
}

/// The next connection that has a slot. Errors of `accept` concern one connection, or pass.
async fn arrival(listener: &TcpListener, slots: &Arc<Slots>, limits: &Limits) -> (TcpStream, Slot) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match slots.slot(peer.ip()) {
                Some(mut slot) => {
                    // Others wait in the backlog meanwhile, and cost nothing here.
                    slot.permit = Some(slots.permit().await);
                    return (stream, slot);
                }
                None => {
                    slots.metrics.connections_turned_away.inc();
                    drop(stream);
                }
            },
            Err(error) if no_files_left(&error) => sleep(limits.no_files_pause).await,
            Err(error) => tracing::debug!("a connection was lost before it was taken in: {error}"),
        }
    }
}

/// Whether accepting again at once would only fail again.
fn no_files_left(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// How many connections there may be, and how many each address has.
struct Slots {
    all: Arc<Semaphore>,
    of_address: Mutex<HashMap<IpAddr, usize>>,
    per_address_max: usize,
    per_loopback_max: usize,
    enough: usize,
    /// How long who says nothing is left alone in the next hurry. It shrinks while places are awaited, so that many who
    /// come only to be idle are gone as fast as they come, and grows again with time.
    patience: Mutex<Duration>,
    hurry_time: Duration,
    pace: watch::Sender<Pace>,
    metrics: Arc<Metrics>,
}

impl Slots {
    fn new(limits: &Limits, metrics: Arc<Metrics>, pace: watch::Sender<Pace>) -> Arc<Slots> {
        let all = limits.connections_possible().clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Slots {
            all: Arc::new(Semaphore::new(all)),
            of_address: Mutex::default(),
            per_address_max: limits.connections_per_address_max,
            per_loopback_max: limits.connections_per_loopback_max,
            enough: (all / 8).max(1),
            patience: Mutex::new(limits.hurry_time),
            hurry_time: limits.hurry_time,
            pace,
            metrics,
        })
    }

    /// A place for one more connection. While there is none, all that have one are hurried, more and more.
    async fn permit(&self) -> OwnedSemaphorePermit {
        loop {
            let place = Arc::clone(&self.all).acquire_owned();
            if 0 < self.all.available_permits() {
                return place.await.expect("this semaphore is never closed");
            }
            let time = *self.patience.lock().unwrap_or_else(PoisonError::into_inner);
            self.set_pace(Pace::Hurried(time));
            if let Ok(place) = timeout(self.hurry_time / 8, place).await {
                return place.expect("this semaphore is never closed");
            }
            self.change_patience(|time| (time / 2).max(self.hurry_time / 4));
        }
    }

    /// Once in a while: who came to be in less of a hurry.
    fn relax(&self) {
        self.change_patience(|time| (time * 2).min(self.hurry_time));
    }

    fn change_patience(&self, change: impl FnOnce(Duration) -> Duration) {
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        *patience = change(*patience);
    }

    /// Tells all connections, unless it is nothing new or the door closes already.
    fn set_pace(&self, to: Pace) {
        self.pace.send_if_modified(|pace| {
            let is_new = *pace != to && !matches!(pace, Pace::Leaving | Pace::Over);
            if is_new {
                *pace = to;
            }
            is_new
        });
    }

    /// A slot for one more connection of `address`, still without its place among all; `None` if it has enough of them.
    fn slot(self: &Arc<Slots>, address: IpAddr) -> Option<Slot> {
        let address = address.to_canonical();
        let max = if address.is_loopback() { self.per_loopback_max } else { self.per_address_max };
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        let key = neighbourhood(address);
        let count = of_address.get(&key).copied().unwrap_or(0);
        if max <= count {
            return None;
        }
        of_address.insert(key, count + 1);
        self.metrics.connections.inc();
        self.metrics.connections_taken.inc();
        Some(Slot { address, slots: Arc::clone(self), permit: None })
    }
}

/// What counts as one address: whoever has one IPv6 address has all of its /64 network.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// A connection's place among all, given back when it is dropped.
pub(super) struct Slot {
    /// Who has it; an IPv4 address is one, however it came.
    pub address: IpAddr,
    slots: Arc<Slots>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut of_address = self.slots.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        let key = neighbourhood(self.address);
        match of_address.get_mut(&key) {
            Some(count) if 1 < *count => *count -= 1,
            _ => drop(of_address.remove(&key)),
        }
        self.slots.metrics.connections.dec();
        // The hurry is over once an eighth of all places is free, so that it does not come and go with each of them.
        if self.slots.enough <= self.slots.all.available_permits() + 1 {
            self.slots.set_pace(Pace::Easy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an address that comes after 64 others still gets a slot.
    fn check(others: &str, address: &str, expected: bool) {
        let slots = Slots::new(&Limits::default(), Arc::default(), watch::Sender::default());
        let others: IpAddr = others.parse().unwrap();
        let mut kept = Vec::new();
        for _ in 0..64 {
            kept.push(slots.slot(others).unwrap());
        }
        let slot = slots.slot(address.parse().unwrap());
        assert_eq!(slot.is_some(), expected, "{address} after {others}");
        drop((kept, slot));
        assert!(slots.of_address.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        check("203.0.113.9", "203.0.113.9", false);
        check("203.0.113.9", "::ffff:203.0.113.9", false);
        check("203.0.113.9", "203.0.113.10", true);
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", false);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", true);
        check("127.0.0.1", "127.0.0.1", true);
    }
}
