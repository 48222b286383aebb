//! `serve`: the door, the committer, the builder and the watch, joined.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::builder::{Builder, Manner};
use super::desk::{Desk, Means};
use super::error::Error;
use super::events::{Event, Events, Mine};
use super::rounds::{self, Rounds};
use super::{Console, DONE};
use crate::disk::{self, DiskError};
use crate::intake::tripcode::Secret;
use crate::intake::{self, Backend, DoorOptions, Limits, Purpose};
use crate::model::Report;
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;
use crate::watch::Watch;

/// Builds the site, then serves it until it is told to stop.
pub fn serve(dir: SiteDir, address: SocketAddr, monitor: Option<SocketAddr>, console: &Console) -> Result<u8, Error> {
    let dir = watchable(dir)?;
    raise_file_limit();
    // First, so that a port that is taken is told at once; clients wait in the backlog while the site is built.
    let (listener, address) = listen(address)?;
    let monitor = monitor.map(listen).transpose()?;
    let (mut builder, mut report) = Builder::open(dir, &console.progress)?;
    builder.build(Manner::Incremental, &console.progress, &mut report)?;
    builder.write_purge(&report)?;
    builder.save();
    console.tell_problems(&report.problems);
    let inbox = Inbox::open(builder.dir().inbox())?;
    inbox.sweep()?;
    // So that it can be watched: a theme that is put there later is seen.
    disk::create_dir_all(&builder.dir().themes())?;
    let secret = Secret::from_bytes(builder.dir().secret()?);
    let public = builder.dir().public();
    let prefix = builder.prefix();

    let (events, heard) = Events::open();
    let mine = Mine::default();
    let _watch = watch(&builder, &events)?;
    let (shown, vitals) = (builder.shown().clone(), builder.vitals().clone());
    let rounds = Rounds::new(builder, inbox.clone(), mine.clone(), &events, heard);
    let builder_thread = spawn("builder", move || rounds.run())?;
    let means = Means { shown, secret, inbox, mine, events: events.clone(), vitals };
    let (desk, committer_thread) = Desk::open(means).map_err(Error::Door)?;

    let monitor_address = monitor.as_ref().map(|(_, address)| *address);
    announce(&format!("http://{address}{prefix}"), monitor_address, &report, console)?;
    let mut doors = vec![(listener, DoorOptions { public, limits: Limits::default(), purpose: Purpose::Site })];
    doors.extend(monitor.map(|(listener, _)| (listener, monitoring())));
    let served = run_doors(doors, Arc::new(desk));
    // In this order: no more posts come in, those that came are durable, those that are durable are built.
    let _ = committer_thread.join();
    events.send(Event::Stop);
    let _ = builder_thread.join();
    served.map_err(Error::Door)?;
    Ok(DONE)
}

fn listen(address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), Error> {
    let listener = intake::listen(address).map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    Ok((listener, address))
}

/// The door for monitoring, which few come to.
fn monitoring() -> DoorOptions {
    let limits = Limits { connections_max: 64, ..Limits::default() };
    DoorOptions { public: PathBuf::new(), limits, purpose: Purpose::Monitoring }
}

/// Tells that the door is open, and where. Programs that wait for it read the line on standard output.
fn announce(url: &str, monitor: Option<SocketAddr>, report: &Report, console: &Console) -> Result<(), Error> {
    if !console.common.quiet {
        eprintln!("serving {url} (Ctrl-C stops)");
        if let Some(address) = monitor {
            eprintln!("monitoring at http://{address}/metrics");
        }
    }
    if !console.common.json {
        return Ok(());
    }
    let summary = json!({
        "command": "serve",
        "url": url,
        "monitor": monitor.map(|address| format!("http://{address}/")),
        "written": report.written.len(),
        "unchanged": report.unchanged,
        "removed": report.removed.len(),
        "problems": report.problems.len(),
        "seconds": console.progress.seconds(),
    });
    console.conclude("", &summary)
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

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>, Error> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Error::Door)
}

fn watch(builder: &Builder, events: &Events) -> Result<Watch, Error> {
    let events = events.clone();
    let mut watch = Watch::begin(move |seen| events.send(Event::Seen(seen))).map_err(Error::Watch)?;
    let (trees, folders) = rounds::watched(builder);
    trees.iter().try_for_each(|path| watch.tree(path)).map_err(Error::Watch)?;
    folders.iter().try_for_each(|path| watch.folder(path)).map_err(Error::Watch)?;
    Ok(watch)
}

/// Runs the doors on their own small runtime, and drops them, and with them the desk, at the end.
fn run_doors(doors: Vec<(std::net::TcpListener, DoorOptions)>, desk: Arc<Desk>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (stopping, is_stopping) = tokio::sync::watch::channel(false);
        let mut open = Vec::new();
        for (listener, options) in doors {
            let mut is_stopping = is_stopping.clone();
            // An error means that whoever could tell is gone, which comes to the same.
            let stop = async move { drop(is_stopping.wait_for(|stop| *stop).await) };
            let desk: Arc<dyn Backend> = desk.clone();
            open.push(tokio::spawn(intake::serve(listener, options, desk, stop)));
        }
        drop(desk);
        stop_signal()?.await;
        let _ = stopping.send(true);
        let mut outcome = Ok(());
        for door in open {
            outcome = outcome.and(door.await.map_err(std::io::Error::other).flatten());
        }
        outcome
    })
}

/// Resolves when the process is asked to end.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
