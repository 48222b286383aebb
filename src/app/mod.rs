//! The corridor: joins the rooms for each command, and is the only reader of the clock.

mod accounts;
pub mod builder;
mod check;
mod clean;
pub mod clock;
pub mod condition;
pub mod desk;
mod door_lock;
mod drawing;
pub mod error;
pub mod events;
mod export;
mod faults;
mod folder;
pub mod follower;
mod guard;
mod headers;
mod held_back;
mod hook;
mod import;
mod isolate;
mod manager;
mod moderation;
mod new;
mod office;
mod old_assets;
pub mod onlooker;
mod overflow;
mod owed;
mod packer;
mod packing;
mod poster_ids;
pub mod progress;
pub mod pulse;
mod purge;
mod remembered;
pub mod rounds;
mod running;
mod serve;
mod sockets;
mod staff;
mod started;
mod theme;
mod trip_keys;
mod tripcodes;
mod upgrade;
mod verify;
mod watchdog;

use std::io::{IsTerminal, Write};

use clap::CommandFactory;
use serde_json::json;

use crate::cli::{Cli, Command, Common, LogFormat, ThemeAction};
use crate::disk::Counts;
use crate::model::{Problem, Report};
use crate::store::site_dir::SiteDir;

use builder::{Builder, Manner};
pub use error::Error;
use progress::Progress;

/// Fine.
const DONE: u8 = 0;
/// Done, but some files had problems.
const DONE_WITH_PROBLEMS: u8 = 1;
/// It could not be done.
const FAILED: u8 = 3;

/// Runs a command, tells what came of it, and gives the exit code.
pub fn run(cli: Cli) -> u8 {
    let console = Console { common: cli.common, progress: Progress::new(false) };
    let is_text = console.common.log_format == LogFormat::Text;
    let console = Console { progress: Progress::new(console.common.quiet || !is_text), ..console };
    log_to_stderr(&console.common, matches!(cli.command, Command::Serve(_) | Command::Build { watch: true, .. }));
    let dir = SiteDir::new(console.common.root.clone());
    let outcome = match cli.command {
        Command::New { dir } => new::new(&dir, &console),
        Command::Build { clean, watch: false, .. } => {
            build(dir, if clean { Manner::Clean } else { Manner::Incremental }, &console)
        }
        Command::Build { watchdog, .. } => serve::build(dir, watchdog, &console),
        Command::Serve(options) => serve::serve(dir, &options, &console),
        Command::Check => check::check(&dir, &console),
        Command::Verify { content: false } => verify::verify(dir, &console),
        Command::Verify { content: true } => verify::verify_content(&dir, &console),
        Command::Export(options) => export::export(&dir, &options, &console),
        Command::Import(options) => import::import(dir, &options, &console),
        Command::Headers { server, options } => headers::headers(&dir, server, &options),
        Command::Mod(command) => moderation::moderate(dir, command, &console),
        Command::Tripcode(options) => tripcodes::tripcodes(&dir, &options, &console),
        Command::Theme { action: ThemeAction::Eject { name } } => theme::eject(&dir, &name, &console),
        Command::Completions { shell } => completions(shell),
    };
    console.progress.finish();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            console.tell_error(&error);
            FAILED
        }
    }
}

/// Where a command tells what it does.
pub(crate) struct Console {
    common: Common,
    progress: Progress,
}

impl Console {
    /// Tells problems of single files; gives the exit code that they make.
    fn tell_problems(&self, problems: &[Problem]) -> u8 {
        self.progress.finish();
        problems.iter().for_each(|problem| self.tell_problem(problem));
        if problems.is_empty() { DONE } else { DONE_WITH_PROBLEMS }
    }

    fn tell_problem(&self, problem: &Problem) {
        match self.common.log_format {
            LogFormat::Text => eprintln!("{problem}"),
            LogFormat::Json => tracing::warn!("{problem}"),
        }
    }

    fn tell_error(&self, error: &Error) {
        error.problems().iter().for_each(|problem| self.tell_problem(problem));
        let text = crate::model::problem::printable(&error::chain(error));
        match (self.common.log_format, error.hint()) {
            (LogFormat::Json, Some(hint)) => tracing::error!(%hint, "{text}"),
            (LogFormat::Json, None) => tracing::error!("{text}"),
            (LogFormat::Text, hint) => {
                eprintln!("error: {text}");
                if let Some(hint) = hint {
                    eprintln!("  hint: {hint}");
                }
            }
        }
        if self.common.json {
            let line = json!({ "error": error::chain(error), "problems": error.problems().len() });
            // There is nowhere left to tell that it failed.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// Ends a command with a line for people, or one for programs.
    fn conclude(&self, line: &str, summary: &serde_json::Value) -> Result<(), Error> {
        self.progress.finish();
        match (self.common.json, self.common.quiet) {
            (true, _) => print(format!("{summary}\n").as_bytes()),
            (false, true) => Ok(()),
            (false, false) => print(format!("{line}\n").as_bytes()),
        }
    }
}

fn build(dir: SiteDir, manner: Manner, console: &Console) -> Result<u8, Error> {
    let (mut builder, mut report) = Builder::open(dir, &console.progress)?;
    builder.build(manner, &console.progress, &mut report)?;
    builder.write_purge(&report)?;
    builder.save();
    report.problems.extend(hook::tell_all(&builder));
    let code = console.tell_problems(&report.problems);
    conclude_build(&report, console)?;
    Ok(code)
}

fn conclude_build(report: &Report, console: &Console) -> Result<(), Error> {
    let seconds = console.progress.seconds();
    let asked = Counts::so_far();
    let (written, removed) = (report.written.len(), report.removed.len());
    let line =
        format!("{written} pages written, {} unchanged, {removed} removed, {seconds:.2} seconds", report.unchanged);
    let summary = json!({
        "command": "build",
        "written": written,
        "bytes_written": report.bytes_written,
        "unchanged": report.unchanged,
        "removed": removed,
        "drawn": report.drawn,
        "threads_read": report.read,
        "problems": report.problems.len(),
        "disk": { "files_read": asked.files_read, "files_written": asked.files_written, "bytes_written": asked.bytes_written },
        "seconds": seconds,
    });
    console.conclude(&line, &summary)
}

fn completions(shell: clap_complete::Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "nejiboard", &mut script);
    print(&script)?;
    Ok(DONE)
}

fn print(bytes: &[u8]) -> Result<(), Error> {
    match std::io::stdout().write_all(bytes) {
        // The reader of a pipe may leave early; that is not our failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Logs go to standard error, so that standard output holds results alone.
fn log_to_stderr(common: &Common, serving: bool) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) if serving => LevelFilter::WARN,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let logger = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first one's logger.
    match common.log_format {
        LogFormat::Text => drop(logger.with_ansi(std::io::stderr().is_terminal()).try_init()),
        LogFormat::Json => {
            drop(logger.with_ansi(false).json().flatten_event(true).try_init());
            std::panic::set_hook(Box::new(log_panic));
        }
    }
}

/// Tells of a panic as of everything else, so that whatever reads the log can read this too.
fn log_panic(panic: &std::panic::PanicHookInfo) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    tracing::error!(place, "panicked: {}", text.unwrap_or("without a word"));
}
