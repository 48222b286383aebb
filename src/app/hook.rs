//! Tells the operator's command what changed: `on_change` of `site.yaml`, for a CDN that is to forget pages, or for
//! whatever copies them elsewhere.
//!
//! The command gets the URLs on its standard input. It is called without a shell, once at a time, and is ended when it
//! takes too long, with all that it started. Only when it ends well are the URLs told; until then they stay in a file.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tracing::{info, warn};

use super::builder::{Builder, Shown, read};
use super::condition::Vitals;
use super::error::{Error, chain};
use crate::disk::{self, DiskError};
use crate::model::Problem;
use crate::store::changed::Changed;
use crate::store::site_dir::SiteDir;

/// How long the command may take.
const TIME_OUT: Duration = Duration::from_secs(30);

/// How long it may take when the server ends.
const TIME_OUT_AT_END: Duration = Duration::from_secs(5);

/// The first pause after a failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// The longest pause after a call that went well, so that the next one takes more.
const GATHER_MAX: Duration = Duration::from_secs(1);

/// After so many failures in a row somebody should look.
const TROUBLE_FROM: u32 = 3;

/// How often `build` tries before it leaves the rest to the next build.
const BUILD_TRIES: u32 = 3;

/// How much of what the command said is repeated, in bytes from the end.
const SAID_MAX: u64 = 400;

/// A thread that calls the command. Dropped, it ends.
pub struct Hook {
    changed: Arc<Changed>,
    thread: Option<JoinHandle<()>>,
}

impl Hook {
    /// Starts it for the site of `builder`.
    pub fn start(builder: &Builder) -> Result<Hook, Error> {
        let changed = builder.changed().clone();
        let caller = Caller::of(builder);
        let named = thread::Builder::new().name("hook".to_owned());
        let thread = named.spawn(move || caller.run()).map_err(Error::Door)?;
        Ok(Hook { changed, thread: Some(thread) })
    }
}

impl Drop for Hook {
    /// Tells what is left to tell, unless that fails, and ends.
    fn drop(&mut self) {
        self.changed.stop(true);
        let _ = self.thread.take().map(JoinHandle::join);
        self.changed.stop(false);
    }
}

/// Tells all that waits, as a build does at its end. What could not be told waits for the next build.
pub fn tell_all(builder: &Builder) -> Option<Problem> {
    let caller = Caller::of(builder);
    let mut failures = 0;
    loop {
        match caller.call_once(TIME_OUT) {
            Ok(Called::Nothing) => return None,
            Ok(Called::Told) => failures = 0,
            Err(error) => {
                failures += 1;
                if failures == BUILD_TRIES {
                    let message = format!("`on_change` failed {failures} times: {error}");
                    let hint = "the URLs are kept; the next build, or `serve`, tells them";
                    return Some(Problem::new(caller.dir.changed(), message).hint(hint));
                }
                thread::sleep(pause_after(failures));
            }
        }
    }
}

fn pause_after(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << failures.min(20).saturating_sub(1)).min(PAUSE_MAX)
}

/// What came of a call.
enum Called {
    /// There was nothing to tell.
    Nothing,
    /// Some URLs are told.
    Told,
}

/// Why the command did not do its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("cannot wait for it")]
    Wait(#[source] io::Error),
    #[error("it took longer than {} seconds and was ended", .0.as_secs())]
    TooSlow(Duration),
    #[error("it ended with {status}{said}")]
    Status { status: std::process::ExitStatus, said: String },
}

struct Caller {
    dir: SiteDir,
    changed: Arc<Changed>,
    shown: Arc<RwLock<Shown>>,
    vitals: Vitals,
}

impl Caller {
    fn of(builder: &Builder) -> Caller {
        Caller {
            dir: builder.dir().clone(),
            changed: builder.changed().clone(),
            shown: builder.shown().clone(),
            vitals: builder.vitals().clone(),
        }
    }

    fn run(&self) {
        let Vitals { metrics, condition, .. } = &self.vitals;
        let mut failures = 0;
        loop {
            let stopping = self.changed.is_stopping();
            let began = Instant::now();
            let outcome = self.call_once(if stopping { TIME_OUT_AT_END } else { TIME_OUT });
            metrics.hook_failures.inc_by(u64::from(outcome.is_err()));
            metrics.hook_waiting_bytes.set(self.changed.waiting_bytes() as i64);
            match outcome {
                Ok(Called::Nothing) if stopping => return,
                Ok(Called::Nothing) => self.changed.wait(Duration::from_secs(60)),
                Ok(Called::Told) => {
                    failures = 0;
                    condition.note("hook", None);
                    self.changed.pause(began.elapsed().min(GATHER_MAX));
                }
                // What is left stays in the file, for the next start.
                Err(_) if stopping => return,
                Err(error) => {
                    failures += 1;
                    warn!(%error, failures, "`on_change` failed; trying again");
                    if TROUBLE_FROM <= failures {
                        condition.note("hook", Some(format!("`on_change` failed {failures} times: {error}")));
                    }
                    self.changed.pause(pause_after(failures));
                }
            }
        }
    }

    /// Tells the first URLs that wait, if any do.
    fn call_once(&self, time_out: Duration) -> Result<Called, String> {
        let told = |error: Failure| chain(&error);
        let command = read(&self.shown).site.settings.on_change.clone();
        let Some((program, arguments)) = command.split_first() else {
            self.changed.clear().map_err(|error| told(error.into()))?;
            return Ok(Called::Nothing);
        };
        let Some(taken) = self.changed.take().map_err(|error| told(error.into()))? else {
            return Ok(Called::Nothing);
        };
        if !taken.urls.is_empty() {
            self.vitals.metrics.hook_runs.inc();
            self.call(program, arguments, &taken.urls, time_out).map_err(told)?;
        }
        self.changed.told(&taken).map_err(|error| told(error.into()))?;
        info!(urls = taken.urls.lines().count(), "told `on_change` what changed");
        Ok(Called::Told)
    }

    fn call(&self, program: &str, arguments: &[String], urls: &str, time_out: Duration) -> Result<(), Failure> {
        let private = self.dir.private();
        let (input, output) = (private.join("on_change.in"), private.join("on_change.log"));
        // Files and not pipes: a command that reads nothing, or says very much, holds nobody up.
        disk::replace_soon(&input, urls.as_bytes())?;
        let stdin = File::open(&input).map_err(DiskError::doing("open", &input))?;
        let said = File::create(&output).map_err(DiskError::doing("write", &output))?;
        let stderr = said.try_clone().map_err(DiskError::doing("open", &output))?;
        let root = fs::canonicalize(self.dir.root()).map_err(DiskError::doing("find", self.dir.root()))?;
        // As in a shell, a path is one from where the command runs.
        let found = if program.contains('/') { root.join(program) } else { program.into() };
        let child = Command::new(found)
            .args(arguments)
            .current_dir(&root)
            .stdin(stdin)
            .stdout(said)
            .stderr(stderr)
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .map_err(|source| Failure::Start { program: program.to_owned(), source })?;
        let ended = end(child, time_out, || self.changed.is_stopping())?;
        match ended {
            None => Err(Failure::TooSlow(time_out)),
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Failure::Status { status, said: last_words(&output) }),
        }
    }
}

/// Waits for a command, so long at most, and ends what is left of it; `None` if it had to be ended itself.
fn end(
    mut child: Child,
    time_out: Duration,
    is_stopping: impl Fn() -> bool,
) -> Result<Option<std::process::ExitStatus>, Failure> {
    let pid = Pid::from_child(&child);
    let (mut until, mut hurried) = (Instant::now() + time_out, false);
    let mut pause = Duration::from_millis(1);
    // Until it is waited for, its number is nobody else's, so that the group that is ended is its own.
    let looking = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let in_time = loop {
        if !hurried && is_stopping() {
            (until, hurried) = (until.min(Instant::now() + TIME_OUT_AT_END), true);
        }
        match waitid(WaitId::Pid(pid), looking) {
            Ok(Some(_)) => break true,
            Ok(None) if until <= Instant::now() => break false,
            Ok(None) | Err(rustix::io::Errno::INTR) => thread::sleep(pause),
            Err(error) => return Err(Failure::Wait(error.into())),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    // Nobody may be left in it.
    let _ = kill_process_group(pid, Signal::KILL);
    let status = child.wait().map_err(Failure::Wait)?;
    Ok(in_time.then_some(status))
}

/// The end of what a command said, for the log.
fn last_words(output: &Path) -> String {
    let read = || {
        let mut file = File::open(output)?;
        let from = file.metadata()?.len().saturating_sub(SAID_MAX);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(SAID_MAX).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}
