//! What `serve` and `build --watch` do once everything is ready: the doors answer until the process is told to end, is
//! replaced by a newer one, or has lost one of its parts.

use std::io::{self, IsTerminal};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tracing::error;

use super::desk::Desk;
use super::error::{Error, chain};
use super::events::{Event, Events};
use super::pulse::Pulses;
use super::sockets::Heirloom;
use super::upgrade::{self, Failed, Predecessor, Program};
use super::{manager, watchdog};
use crate::intake::{self, Backend, DoorOptions, Farewell};

/// How often it looks whether all parts are there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// All parts of a running program.
pub struct Running {
    /// How it was started.
    pub program: Program,
    /// The way to the builder.
    pub events: Events,
    /// The builder, or what looks on in its place.
    pub builder: JoinHandle<()>,
    /// The signs of life.
    pub pulses: Pulses,
    /// The sockets of the doors, with what is behind each.
    pub doors: Vec<(TcpListener, DoorOptions)>,
    /// The same sockets, for a newer process.
    pub heirloom: Heirloom,
    /// What the doors ask, and the thread that makes posts durable; none where posts are only built.
    pub desk: Option<(Arc<Desk>, JoinHandle<()>)>,
    /// The process in whose place this one comes.
    pub predecessor: Option<Predecessor>,
}

/// Why it does not go on.
enum End {
    /// It was told to end.
    Told,
    /// A newer process goes on.
    Replaced,
    /// It has lost a part.
    Lost(Error),
}

impl Running {
    /// Runs to the end. What was accepted is built then, or another process builds it.
    pub fn run(self, announce: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let Running { program, events, builder, pulses, doors, heirloom, desk, predecessor } = self;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(Error::Door)?;
        let (desk, committer) = desk.unzip();
        let end: Result<End, Error> = runtime.block_on(async {
            let mut signals = Signals::listen().map_err(Error::Door)?;
            let (closing, is_closing) = tokio::sync::watch::channel(None);
            let mut open = JoinSet::new();
            for ((socket, options), desk) in doors.into_iter().zip(desk.iter().cycle()) {
                let mut is_closing = is_closing.clone();
                // An error means that whoever could tell is gone, which comes to the same.
                let stop = async move {
                    let told = is_closing.wait_for(Option::is_some).await;
                    told.ok().and_then(|farewell| *farewell).unwrap_or(Farewell::Now)
                };
                let desk: Arc<dyn Backend> = desk.clone();
                open.spawn(intake::serve(socket, options, desk, stop));
            }
            if !open.is_empty() {
                tokio::spawn(watchdog::beat_of_the_door(pulses));
            }
            // Not before signals are heard: whoever reads it may send one.
            announce()?;
            manager::ready("serving");
            predecessor.into_iter().for_each(Predecessor::ready);
            let legacy = Legacy { program, heirloom, events: events.clone() };
            let parts: Vec<&JoinHandle<()>> = committer.iter().chain([&builder]).collect();
            let end = until_end(&mut signals, legacy, &mut open, &parts).await;
            if !matches!(end, End::Replaced) {
                manager::stopping();
            }
            let _ = closing.send(Some(if let End::Replaced = end { Farewell::Gently } else { Farewell::Now }));
            while let Some(door) = open.join_next().await {
                door.map_err(io::Error::other).flatten().map_err(Error::Door)?;
            }
            Ok(end)
        });
        // In this order: no more posts come in, those that came are durable, those that are durable are built.
        drop(desk);
        drop(runtime);
        committer.map(JoinHandle::join);
        events.send(Event::Stop);
        let _ = builder.join();
        match end? {
            End::Told | End::Replaced => Ok(()),
            End::Lost(error) => Err(error),
        }
    }
}

/// Waits until there is a reason to end. The heirloom goes with it: its copies would keep the sockets open.
async fn until_end(
    signals: &mut Signals,
    legacy: Legacy,
    open: &mut JoinSet<io::Result<()>>,
    parts: &[&JoinHandle<()>],
) -> End {
    let legacy = Arc::new(legacy);
    loop {
        tokio::select! {
            call = signals.next() => match call {
                Call::End => return End::Told,
                Call::Upgrade => match try_upgrade(signals, &legacy).await {
                    Ok(()) => return End::Replaced,
                    Err(Failed::Cancelled) => return End::Told,
                    Err(failed) => error!("the upgrade failed, and this process goes on: {}", chain(&failed)),
                },
            },
            Some(door) = open.join_next() => {
                let outcome = door.map_err(io::Error::other).flatten();
                return End::Lost(outcome.map_or_else(Error::Door, |()| Error::PartLost("door")));
            }
            () = tokio::time::sleep(LOOK_EVERY) => {
                if let Some(lost) = parts.iter().find(|part| part.is_finished()) {
                    let is_committer = lost.thread().name() == Some("committer");
                    return End::Lost(Error::PartLost(if is_committer { "committer" } else { "builder" }));
                }
            }
        }
    }
}

/// What a newer process is started with.
struct Legacy {
    program: Program,
    heirloom: Heirloom,
    events: Events,
}

/// Tries to upgrade on a thread of its own, while the doors go on. Whoever tells the process to end cancels it.
async fn try_upgrade(signals: &mut Signals, legacy: &Arc<Legacy>) -> Result<(), Failed> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let (legacy, is_cancelled) = (legacy.clone(), cancelled.clone());
    let upgrade = move || upgrade::upgrade(&legacy.program, &legacy.heirloom, &legacy.events, &is_cancelled);
    let mut attempt = tokio::task::spawn_blocking(upgrade);
    loop {
        tokio::select! {
            outcome = &mut attempt => return outcome.unwrap_or_else(|panic| Err(Failed::Panicked(panic.to_string()))),
            call = signals.next() => match call {
                Call::End => cancelled.store(true, Ordering::Relaxed),
                // One is under way.
                Call::Upgrade => {}
            },
        }
    }
}

/// What signals ask for.
enum Call {
    End,
    Upgrade,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// A terminal that is closed hangs up too, and means that the process should end.
    of_a_terminal: bool,
}

impl Signals {
    fn listen() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            of_a_terminal: io::stderr().is_terminal(),
        })
    }

    async fn next(&mut self) -> Call {
        tokio::select! {
            _ = self.terminate.recv() => Call::End,
            _ = self.interrupt.recv() => Call::End,
            _ = self.hangup.recv() => if self.of_a_terminal { Call::End } else { Call::Upgrade },
        }
    }
}
