//! `serve`: the door, the committer, the builder and the watch, joined.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::json;

use super::builder::{Builder, Manner};
use super::desk::Desk;
use super::error::Error;
use super::rounds::{self, Event, Events, Mine, Rounds};
use super::{Console, DONE};
use crate::disk::{self, DiskError};
use crate::intake::tripcode::Secret;
use crate::intake::{self, DoorOptions, Limits};
use crate::model::Report;
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;
use crate::watch::Watch;

/// Builds the site, then serves it until it is told to stop.
pub fn serve(dir: SiteDir, address: SocketAddr, console: &Console) -> Result<u8, Error> {
    let dir = watchable(dir)?;
    raise_file_limit();
    // First, so that a port that is taken is told at once; clients wait in the backlog while the site is built.
    let listener = intake::listen(address).map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
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
    let options = DoorOptions { public: builder.dir().public(), limits: Limits::default() };
    let prefix = builder.prefix();

    let (events, heard) = Events::open();
    let mine = Mine::default();
    let _watch = watch(&builder, &events)?;
    let shown = builder.shown().clone();
    let rounds = Rounds::new(builder, inbox.clone(), mine.clone(), &events, heard);
    let builder_thread = spawn("builder", move || rounds.run())?;
    let (desk, committer_thread) = Desk::open(shown, secret, inbox, mine, events.clone()).map_err(Error::Door)?;

    announce(&format!("http://{address}{prefix}"), &report, console)?;
    let served = run_door(listener, options, Arc::new(desk));
    // In this order: no more posts come in, those that came are durable, those that are durable are built.
    let _ = committer_thread.join();
    events.send(Event::Stop);
    let _ = builder_thread.join();
    served.map_err(Error::Door)?;
    Ok(DONE)
}

/// Tells that the door is open, and where. Programs that wait for it read the line on standard output.
fn announce(url: &str, report: &Report, console: &Console) -> Result<(), Error> {
    if !console.common.quiet {
        eprintln!("serving {url} (Ctrl-C stops)");
    }
    if !console.common.json {
        return Ok(());
    }
    let summary = json!({
        "command": "serve",
        "url": url,
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

/// Runs the door on its own small runtime, and drops it, and with it the desk, at the end.
fn run_door(listener: std::net::TcpListener, options: DoorOptions, desk: Arc<Desk>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        intake::serve(listener, options, desk, stop).await
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
