//! Puts a newer program in the place of this one, on `SIGHUP`, without a moment in which nobody answers.
//!
//! 1. The new program is asked for its version: one that does not even start is found out before anything is done.
//! 2. The builder finishes its round, saves what it knows and gives the site's lock away. From then on it looks on. The
//!    door goes on answering, and posts go to the inbox.
//! 3. The new program starts with the same arguments and with the very sockets at which this one listens. It builds,
//!    opens its doors at them, and says that it is ready.
//! 4. This one takes no more connections, ends those that it has, and itself.
//!
//! If the new program fails, or is not ready in time, it is ended, and this one goes on as before. Nothing is lost either
//! way: a post is in the inbox or in its thread, and whoever builds takes it from there.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{MAIN_SEPARATOR, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::warn;

use super::events::{Event, Events};
use super::manager;
use super::sockets::Heirloom;

/// How long the new program may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(10);

/// How long the builder may take to finish its round.
const ASIDE_WITHIN: Duration = Duration::from_secs(60);

/// How long the new program may show no sign of life while it starts.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How often it shows one.
const STARTING_EVERY: Duration = Duration::from_secs(5);

/// How often the old one looks whether the new one has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the new program says when it is ready.
const READY: &[u8] = b"ready";

/// What the new program says while it gets on with starting.
const STARTING: &[u8] = b"starting";

/// Why an upgrade did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The new program cannot be started at all.
    #[error("`{}` cannot be started", .0.display())]
    NoStart(PathBuf, #[source] io::Error),
    /// The new program does not tell its version.
    #[error("`{} --version` does not end well", .0.display())]
    BadProgram(PathBuf),
    /// The builder is in the middle of something.
    #[error("the builder did not finish its round in time")]
    BuilderBusy,
    /// The new program came to an end.
    #[error("the new process ended before it was ready ({0})")]
    Ended(std::process::ExitStatus),
    /// The new program did not get ready.
    #[error("the new process was not ready in time")]
    Late,
    /// This process was told to end meanwhile.
    #[error("this process is ending")]
    Cancelled,
    /// There is a mistake in this program.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// Files.
    #[error("the sockets cannot be handed on")]
    Sockets(#[source] io::Error),
}

/// The program and arguments with which this process was started, to start a newer one with.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// As this process was started. To be asked early: once the file is replaced, the system does not know its path.
    pub fn this() -> Program {
        let mut arguments = std::env::args_os();
        let named = arguments.next().map(PathBuf::from);
        // By the name that was used, so that a link that leads to a newer program by then is followed anew. A bare name
        // is looked for as a shell does.
        let by_path = |path: &PathBuf| path.as_os_str().to_string_lossy().contains(MAIN_SEPARATOR);
        let absolute = |path: PathBuf| if by_path(&path) { std::path::absolute(&path).unwrap_or(path) } else { path };
        let path = named.map(absolute).or_else(|| std::env::current_exe().ok()).unwrap_or_default();
        Program { path, arguments: arguments.collect() }
    }

    /// The version that the program tells now.
    fn version(&self) -> Result<String, Failed> {
        let no_start = |error| Failed::NoStart(self.path.clone(), error);
        let mut command = Command::new(&self.path);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(no_start)?;
        let began = Instant::now();
        loop {
            match child.try_wait().map_err(no_start)? {
                Some(status) if status.success() => break,
                Some(_) => return Err(Failed::BadProgram(self.path.clone())),
                None if VERSION_WITHIN < began.elapsed() => {
                    end(child);
                    return Err(Failed::BadProgram(self.path.clone()));
                }
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
        let output = child.wait_with_output().map_err(no_start)?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match text.starts_with(env!("CARGO_PKG_NAME")) {
            true => Ok(text),
            false => Err(Failed::BadProgram(self.path.clone())),
        }
    }
}

/// Tries to put a newer program in the place of this one. `Ok` means that it is ready, and this one is to end.
pub fn upgrade(program: &Program, heirloom: &Heirloom, events: &Events, cancelled: &AtomicBool) -> Result<(), Failed> {
    let version = program.version()?;
    // At this level it is seen without asking: it happens seldom, and somebody has asked for it.
    warn!("upgrading to {version}");
    manager::reloading();
    let outcome = replace(program, heirloom, events, cancelled);
    match &outcome {
        Ok(process) => {
            manager::replaced_by(*process);
            warn!(process, "the new process is ready; this one ends");
        }
        Err(_) => {
            events.send(Event::TakeBack);
            manager::ready("serving after an upgrade that failed");
        }
    }
    outcome.map(drop)
}

fn replace(program: &Program, heirloom: &Heirloom, events: &Events, cancelled: &AtomicBool) -> Result<u32, Failed> {
    let (done, is_done) = mpsc::channel();
    events.send(Event::StepAside(done));
    let began = Instant::now();
    loop {
        match is_done.recv_timeout(LOOK_EVERY) {
            Ok(()) => break,
            Err(_) if cancelled.load(Ordering::Relaxed) => return Err(Failed::Cancelled),
            Err(RecvTimeoutError::Timeout) if began.elapsed() < ASIDE_WITHIN => {}
            Err(_) => return Err(Failed::BuilderBusy),
        }
    }
    let (ours, theirs) = UnixDatagram::pair().map_err(Failed::Sockets)?;
    ours.set_read_timeout(Some(LOOK_EVERY)).map_err(Failed::Sockets)?;
    let mut command = Command::new(&program.path);
    command.args(&program.arguments);
    heirloom.leave_to(&mut command, theirs).map_err(Failed::Sockets)?;
    let child = command.spawn().map_err(|error| Failed::NoStart(program.path.clone(), error))?;
    // It holds our copies of the sockets that are for the child.
    drop(command);
    await_ready(child, &ours, cancelled)
}

/// Waits for the word of the new process; if it does not come, that is ended.
fn await_ready(mut child: Child, ours: &UnixDatagram, cancelled: &AtomicBool) -> Result<u32, Failed> {
    let mut heard_at = Instant::now();
    let mut said = [0; 16];
    loop {
        let length = ours.recv(&mut said).unwrap_or(0);
        match &said[..length] {
            READY => return Ok(child.id()),
            STARTING => heard_at = Instant::now(),
            _ => {}
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(Failed::Ended(status));
        }
        let failed = match () {
            () if cancelled.load(Ordering::Relaxed) => Failed::Cancelled,
            () if READY_WITHIN < heard_at.elapsed() => Failed::Late,
            () => continue,
        };
        end(child);
        return Err(failed);
    }
}

/// Ends a process for good, and waits until it has ended, so that its lock is free.
fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The old process, as the new one sees it: it hears how this one gets on with starting.
pub struct Predecessor {
    socket: UnixDatagram,
}

impl Predecessor {
    /// The process at the other end of `socket`.
    pub fn new(socket: UnixDatagram) -> Predecessor {
        // A full socket must not hold up the start.
        let _ = socket.set_nonblocking(true);
        Predecessor { socket }
    }

    /// Does something that takes a while, and tells now and then that it goes on as long as `steps` rises.
    pub fn patient<T>(&self, steps: impl Fn() -> usize + Sync, work: impl FnOnce() -> T) -> T {
        let (done, is_done) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let steps = &steps;
            scope.spawn(move || {
                let mut before = steps();
                while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(STARTING_EVERY) {
                    let now = steps();
                    if std::mem::replace(&mut before, now) != now {
                        let _ = self.socket.send(STARTING);
                    }
                }
            });
            let outcome = work();
            drop(done);
            outcome
        })
    }

    /// Tells that this process answers from now on.
    pub fn ready(self) {
        // Should it be gone, there is nobody left who could end.
        let _ = self.socket.send(READY);
    }
}
