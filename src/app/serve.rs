//! `serve` and `build --watch`: the door, the committer, the builder and the watch, joined.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use super::builder::{self, Builder, Manner, Shown};
use super::condition::Vitals;
use super::desk::{Desk, Means};
use super::door_lock::{self, DoorLock};
use super::error::Error;
use super::events::{Event, Events, Mine};
use super::onlooker::Onlooker;
use super::rounds::Rounds;
use super::running::Running;
use super::sockets::{Heirloom, Inherited};
use super::upgrade::{Predecessor, Program};
use super::{Console, DONE, follower, watchdog};
use crate::cli::{Connections, LogFormat, Serve};
use crate::disk::{self, DiskError};
use crate::intake::tripcode::Secret;
use crate::intake::{self, DoorOptions, Limits, Purpose};
use crate::model::Report;
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;
use crate::store::trip_keys::TripKeys;
use crate::watch::Watch;

/// Serves a site until it is told to stop: builds it first and all the while, or leaves that to another process.
pub fn serve(dir: SiteDir, options: &Serve, console: &Console) -> Result<u8, Error> {
    let program = Program::this();
    let mut inherited = Inherited::take()?;
    let predecessor = inherited.predecessor.take().map(Predecessor::new);
    let dir = watchable(dir)?;
    raise_file_limit();
    // First, so that a port that is taken is told at once; clients wait in the backlog while the site is built.
    let (site, monitor) = sockets(inherited, options)?;
    let heirloom = Heirloom::of(&site, monitor.as_ref()).map_err(Error::Door)?;

    let (events, heard) = Events::open();
    let mine = Mine::default();
    let open = || Source::open(dir.clone(), options.no_build, console);
    let (source, report) = match &predecessor {
        Some(predecessor) => predecessor.patient(|| console.progress.steps(), open)?,
        None => open()?,
    };
    let inbox = Inbox::open(dir.inbox())?;
    let _lock = DoorLock::take(&dir, &inbox)?;
    // So that it can be watched: a theme that is put there later is seen.
    disk::create_dir_all(&dir.themes())?;
    let secret = Secret::from_bytes(dir.secret()?);
    // Better told now than by tripcodes that nobody knows.
    TripKeys::new(dir.tripcodes()).read()?;
    let (shown, vitals) = (source.shown().clone(), source.vitals());
    let _watch = watch(&dir, &events)?;
    let builder = source.start(inbox.clone(), mine.clone(), &events, heard)?;
    watchdog::begin(&vitals.pulses, options.watchdog).map_err(Error::Door)?;
    let (prefix, pulses) = (builder::read(&shown).site.settings.prefix().to_owned(), vitals.pulses.clone());
    let means = Means { shown, dir: dir.clone(), secret, inbox, mine, events: events.clone(), vitals };
    let (desk, committer) = Desk::open(means).map_err(Error::Door)?;

    let announcement = Announcement::of(&site, monitor.as_ref(), &prefix);
    let public = dir.public();
    let front = |socket| {
        let (public, limits) = (public.clone(), limits(options.connections));
        (socket, DoorOptions { public, limits, purpose: Purpose::Site })
    };
    let mut doors: Vec<_> = site.into_iter().map(front).collect();
    doors.extend(monitor.map(|socket| (socket, monitoring())));
    let desk = Some((Arc::new(desk), committer));
    Running { program, events, builder, pulses, doors, heirloom, desk, predecessor }
        .run(|| announcement.make(&report, console))?;
    Ok(DONE)
}

/// Builds a site and goes on building what changes, without a door: beside a `serve --no-build`, or where nobody posts.
pub fn build(dir: SiteDir, watchdog_limit: Option<Duration>, console: &Console) -> Result<u8, Error> {
    let program = Program::this();
    let predecessor = Inherited::take()?.predecessor.map(Predecessor::new);
    let dir = watchable(dir)?;
    let (events, heard) = Events::open();
    let open = || Source::open(dir.clone(), false, console);
    let (source, report) = match &predecessor {
        Some(predecessor) => predecessor.patient(|| console.progress.steps(), open)?,
        None => open()?,
    };
    let inbox = Inbox::open(dir.inbox())?;
    door_lock::sweep(&dir, &inbox)?;
    disk::create_dir_all(&dir.themes())?;
    let vitals = source.vitals();
    let _watch = watch(&dir, &events)?;
    let builder = source.start(inbox, Mine::default(), &events, heard)?;
    watchdog::begin(&vitals.pulses, watchdog_limit).map_err(Error::Door)?;
    let announce = || {
        if !console.common.quiet {
            eprintln!("building {} as it changes (Ctrl-C stops)", dir.root().display());
        }
        if !console.common.json {
            return Ok(());
        }
        let mut summary = built(&report, console);
        summary["command"] = json!("build");
        console.conclude("", &summary)
    };
    let (doors, heirloom, desk, pulses) = (Vec::new(), Heirloom::default(), None, vitals.pulses);
    Running { program, events, builder, pulses, doors, heirloom, desk, predecessor }.run(announce)?;
    Ok(DONE)
}

/// Where the door's knowledge of the site comes from.
enum Source {
    /// This process builds.
    Building(Box<Builder>),
    /// Another one does, and this one looks on.
    LookingOn(Onlooker, Vitals),
}

impl Source {
    fn open(dir: SiteDir, look_on: bool, console: &Console) -> Result<(Source, Report), Error> {
        if look_on {
            let (onlooker, problems) = Onlooker::open(dir, &console.progress)?;
            console.tell_problems(&problems);
            return Ok((Source::LookingOn(onlooker, Vitals::default()), Report::default()));
        }
        let (mut builder, mut report) = Builder::open(dir, &console.progress)?;
        builder.begin_side_work()?;
        builder.build(Manner::Incremental, &console.progress, &mut report)?;
        // The list can be written anew by the next build; a full disk must not keep readers from the pages.
        if let Err(error) = builder.write_purge(&report) {
            tracing::warn!(error = %super::error::chain(&error), "cannot write purge.txt");
        }
        builder.save();
        console.tell_problems(&report.problems);
        Ok((Source::Building(Box::new(builder)), report))
    }

    fn shown(&self) -> &Arc<RwLock<Shown>> {
        match self {
            Source::Building(builder) => builder.shown(),
            Source::LookingOn(onlooker, _) => onlooker.shown(),
        }
    }

    fn vitals(&self) -> Vitals {
        match self {
            Source::Building(builder) => builder.vitals().clone(),
            Source::LookingOn(_, vitals) => vitals.clone(),
        }
    }

    fn start(self, inbox: Inbox, mine: Mine, way: &Events, heard: Receiver<Event>) -> Result<JoinHandle<()>, Error> {
        match self {
            Source::Building(builder) => {
                let rounds = Rounds::new(*builder, inbox, mine, way, heard);
                spawn("builder", move || rounds.run())
            }
            Source::LookingOn(onlooker, vitals) => {
                let way = way.clone();
                spawn("follower", move || follower::run(onlooker, inbox, mine, &way, &heard, vitals))
            }
        }
    }
}

/// The sockets to listen at: those that were handed over, or new ones.
fn sockets(inherited: Inherited, options: &Serve) -> Result<(Vec<TcpListener>, Option<TcpListener>), Error> {
    let site = match inherited.site.is_empty() {
        true => vec![listen(options.listen)?],
        false => inherited.site,
    };
    let monitor = match inherited.monitor {
        None => options.monitor.map(listen).transpose()?,
        handed_over => handed_over,
    };
    Ok((site, monitor))
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    intake::listen(address).map_err(|source| Error::Listen { address, source })
}

/// Files that are left to the rest of the program where somebody says how many connections there may be.
const FILES_SPARED: usize = 256;

/// The door's bounds, as far as they are set.
fn limits(connections: Connections) -> Limits {
    let mut limits = Limits::default();
    if let Some(max) = connections.max {
        limits.connections_max = max;
        limits.files_spared = Some(FILES_SPARED);
        let possible = limits.connections_possible();
        if possible < max {
            tracing::warn!("only {possible} connections are possible: the process may not open more files");
        }
    }
    limits.connections_per_address_max = connections.per_address.unwrap_or(limits.connections_per_address_max);
    limits.connections_per_loopback_max = connections.from_here.unwrap_or(limits.connections_per_loopback_max);
    limits
}

/// The door for monitoring, which few come to.
fn monitoring() -> DoorOptions {
    let limits = Limits { connections_max: 64, ..Limits::default() };
    DoorOptions { public: PathBuf::new(), limits, purpose: Purpose::Monitoring }
}

/// Where the doors are, for whoever started the program.
struct Announcement {
    urls: Vec<String>,
    monitor: Option<String>,
}

impl Announcement {
    fn of(site: &[TcpListener], monitor: Option<&TcpListener>, prefix: &str) -> Announcement {
        let address = |socket: &TcpListener| socket.local_addr().map(|address| format!("http://{address}"));
        let urls = site.iter().filter_map(|socket| Some(address(socket).ok()? + prefix)).collect();
        Announcement { urls, monitor: monitor.and_then(|socket| address(socket).ok()) }
    }

    /// Tells it. Programs that wait for it read the line on standard output.
    fn make(self, report: &Report, console: &Console) -> Result<(), Error> {
        if !console.common.quiet {
            let (urls, monitor) = (self.urls.join(" and "), self.monitor.as_ref());
            let monitor = monitor.map(|address| format!("{address}/metrics"));
            match console.common.log_format {
                LogFormat::Text => {
                    eprintln!("serving {urls} (Ctrl-C stops)");
                    if let Some(monitor) = monitor {
                        eprintln!("monitoring at {monitor}");
                    }
                }
                LogFormat::Json => tracing::info!(url = urls, monitor, "serving"),
            }
        }
        if !console.common.json {
            return Ok(());
        }
        let mut summary = built(report, console);
        summary["command"] = json!("serve");
        summary["url"] = json!(self.urls.first());
        summary["monitor"] = json!(self.monitor.map(|address| address + "/"));
        console.conclude("", &summary)
    }
}

/// What the first build did, for programs.
fn built(report: &Report, console: &Console) -> serde_json::Value {
    json!({
        "written": report.written.len(),
        "unchanged": report.unchanged,
        "removed": report.removed.len(),
        "problems": report.problems.len(),
        "seconds": console.progress.seconds(),
    })
}

/// The same site by its whole path: file events name their files so, and are compared with the site's folders.
fn watchable(dir: SiteDir) -> Result<SiteDir, Error> {
    let root = std::path::absolute(dir.root()).map_err(DiskError::doing("find", dir.root()))?;
    Ok(SiteDir::new(root))
}

/// Raises the number of files that may be open to what the system allows: the door takes half of it for connections.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Error::Door)
}

fn watch(dir: &SiteDir, events: &Events) -> Result<Watch, Error> {
    let events = events.clone();
    let mut watch = Watch::begin(move |seen| events.send(Event::Seen(seen))).map_err(Error::Watch)?;
    [dir.content(), dir.themes()].iter().try_for_each(|path| watch.tree(path)).map_err(Error::Watch)?;
    [dir.root(), &dir.inbox()].iter().try_for_each(|path| watch.folder(path)).map_err(Error::Watch)?;
    Ok(watch)
}
