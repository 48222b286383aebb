//! The loop that takes connections in, and the bounds on how many.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::talk;
use super::{Backend, Door, DoorOptions, Limits};
use crate::metrics::Metrics;

/// Connections that the system holds until the door takes them in.
const BACKLOG: i32 = 4096;

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

/// How far a door is with closing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closing {
    /// It is open.
    NotYet,
    /// Each connection's next answer is its last.
    Soon,
    /// Connections end as soon as they are idle.
    Now,
}

/// Serves until `stop` resolves, then lets running requests end within their bound. Returns when all is done.
pub async fn serve(
    listener: std::net::TcpListener,
    options: DoorOptions,
    backend: Arc<dyn Backend>,
    stop: impl Future<Output: Into<Farewell>>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let door = Arc::new(Door::new(options, backend));
    let slots = Slots::new(&door.limits, Arc::clone(door.backend.metrics()));
    let (stopping, is_stopping) = watch::channel(Closing::NotYet);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    let farewell: Farewell = loop {
        tokio::select! {
            farewell = &mut stop => break farewell.into(),
            // Ended connections are let go as they end, or the set would grow for ever.
            Some(_) = connections.join_next() => {}
            (stream, slot) = arrival(&listener, &slots, &door.limits) => {
                let (door, is_stopping) = (Arc::clone(&door), is_stopping.clone());
                connections.spawn(talk(stream, slot, door, is_stopping));
            }
        }
    };
    drop(listener);
    if farewell == Farewell::Gently {
        let _ = stopping.send(Closing::Soon);
        let _ = timeout(door.limits.farewell_time, all_ended(&mut connections)).await;
    }
    // All receivers may be gone already: then there is nobody to wait for either.
    let _ = stopping.send(Closing::Now);
    let _ = timeout(door.limits.stop_time, all_ended(&mut connections)).await;
    connections.shutdown().await;
    Ok(())
}

async fn all_ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// The next connection that has a slot. Errors of `accept` concern one connection, or pass.
async fn arrival(listener: &TcpListener, slots: &Arc<Slots>, limits: &Limits) -> (TcpStream, Slot) {
    loop {
        // The slot comes first: without one, connections wait in the backlog and cost nothing here.
        let permit = slots.permit().await;
        match listener.accept().await {
            Ok((stream, peer)) => match slots.slot(peer.ip(), permit) {
                Some(slot) => return (stream, slot),
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
    scarce_below: usize,
    metrics: Arc<Metrics>,
}

impl Slots {
    fn new(limits: &Limits, metrics: Arc<Metrics>) -> Arc<Slots> {
        // Each connection is a file to the system; the other half is for the site's own files.
        let files_max = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |max| max as usize);
        let all = limits.connections_max.min(files_max / 2).clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Slots {
            all: Arc::new(Semaphore::new(all)),
            of_address: Mutex::default(),
            per_address_max: limits.connections_per_address_max,
            per_loopback_max: limits.connections_per_loopback_max,
            scarce_below: all / 4,
            metrics,
        })
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.all).acquire_owned().await.expect("this semaphore is never closed")
    }

    /// A slot for one more connection of `address`; `None` if it has enough of them.
    fn slot(self: &Arc<Slots>, address: IpAddr, permit: OwnedSemaphorePermit) -> Option<Slot> {
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
        Some(Slot { address, slots: Arc::clone(self), _permit: permit })
    }
}

/// What counts as one address: whoever has one IPv6 address has all of its /64 network.
fn neighbourhood(address: IpAddr) -> IpAddr {
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
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Whether less than a quarter is left, so that nobody should keep one to be idle in.
    pub(super) fn are_scarce(&self) -> bool {
        self.slots.all.available_permits() < self.slots.scarce_below
    }
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an address that comes after 64 others still gets a slot.
    async fn check(others: &str, address: &str, expected: bool) {
        let slots = Slots::new(&Limits::default(), Arc::default());
        let others: IpAddr = others.parse().unwrap();
        let mut kept = Vec::new();
        for _ in 0..64 {
            kept.push(slots.slot(others, slots.permit().await).unwrap());
        }
        let slot = slots.slot(address.parse().unwrap(), slots.permit().await);
        assert_eq!(slot.is_some(), expected, "{address} after {others}");
        drop((kept, slot));
        assert!(slots.of_address.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_network_of_ipv6_counts_as_one_address() {
        check("203.0.113.9", "203.0.113.9", false).await;
        check("203.0.113.9", "::ffff:203.0.113.9", false).await;
        check("203.0.113.9", "203.0.113.10", true).await;
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", false).await;
        check("2001:db8:1:2::1", "2001:db8:1:3::1", true).await;
        check("127.0.0.1", "127.0.0.1", true).await;
    }
}
