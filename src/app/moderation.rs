//! `mod`: what staff decides, from the command line.
//!
//! An act is put into the inbox. A running `serve` carries it out; where none runs, this command does so itself.

use std::io::Read;
use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use serde_json::json;

use super::builder::Builder;
use super::error::Error;
use super::{Console, DONE, clock, hook, print};
use crate::cli::{ModCommand, Moderate, Targets};
use crate::disk;
use crate::model::act::{Deed, Flag};
use crate::model::problem::printable;
use crate::model::{Act, BoardSlug, PostId, PostNo, Report};
use crate::store::inbox::Inbox;
use crate::store::mod_log::{Entry, ModLog};
use crate::store::moderate::ActError;
use crate::store::site_dir::{LockError, SiteDir};

/// How long a running `serve` may take before this command goes on without knowing.
const CARRIED_OUT_WITHIN: Duration = Duration::from_secs(10);

/// The longest text that standard input may hold, in bytes.
const TEXT_BYTES_MAX: u64 = 2 << 20;

/// Carries out an act, or shows what was done.
pub fn moderate(dir: SiteDir, command: Moderate, console: &Console) -> Result<u8, Error> {
    let deed = match command.deed {
        ModCommand::Log { last } => return show_log(&dir, last, console),
        ModCommand::Delete(targets) => deed(targets, |board, posts| Deed::Delete { board, posts }),
        ModCommand::Restore(targets) => deed(targets, |board, posts| Deed::Restore { board, posts }),
        ModCommand::Lock(targets) => set(targets, Flag::Locked, true),
        ModCommand::Unlock(targets) => set(targets, Flag::Locked, false),
        ModCommand::Sticky(targets) => set(targets, Flag::Sticky, true),
        ModCommand::Unsticky(targets) => set(targets, Flag::Sticky, false),
        ModCommand::Bumplock(targets) => set(targets, Flag::Bumplock, true),
        ModCommand::Unbumplock(targets) => set(targets, Flag::Bumplock, false),
        ModCommand::Cyclic(targets) => set(targets, Flag::Cyclic, true),
        ModCommand::Uncyclic(targets) => set(targets, Flag::Cyclic, false),
        ModCommand::Archive(targets) => set(targets, Flag::Archived, true),
        ModCommand::Unarchive(targets) => set(targets, Flag::Archived, false),
        ModCommand::Edit { board, number, text } => {
            let body = text.map_or_else(read_text, Ok)?;
            deed(Targets { board, numbers: vec![number] }, |board, posts| Deed::Edit { board, post: posts[0], body })
        }
        ModCommand::Undo { id } => {
            PostId::parse(&id).map(|of| Deed::Undo { of }).map_err(|error| Error::BadAct(error.to_string()))
        }
    }?;
    let act = Act {
        id: Some(PostId::parse(&clock::ulid()).expect("a ULID is 26 letters and digits")),
        at: Some(clock::now()),
        by: command.signed.by.unwrap_or_else(logged_in),
        why: command.signed.why.unwrap_or_default(),
        deed,
    };
    act.check().map_err(|message| Error::BadAct(message.to_owned()))?;
    carry_out(dir, &act, console)
}

fn set(targets: Targets, flag: Flag, on: bool) -> Result<Deed, Error> {
    deed(targets, |board, threads| Deed::Set { board, threads, flag, on })
}

fn deed(targets: Targets, make: impl FnOnce(BoardSlug, Vec<PostNo>) -> Deed) -> Result<Deed, Error> {
    let board = BoardSlug::parse(&targets.board).map_err(Error::BadBoard)?;
    let number = |no: u64| PostNo::new(no).ok_or_else(|| Error::BadAct(format!("`{no}` is no number of a post")));
    let numbers = targets.numbers.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    Ok(make(board, numbers))
}

fn read_text() -> Result<String, Error> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(TEXT_BYTES_MAX);
    input.read_to_string(&mut text).map_err(|error| Error::BadAct(format!("cannot read the text: {error}")))?;
    Ok(text)
}

fn logged_in() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok().filter(|name| !name.is_empty()));
    name.unwrap_or_else(|| "operator".to_owned())
}

fn carry_out(dir: SiteDir, act: &Act, console: &Console) -> Result<u8, Error> {
    let threads = match Builder::open(dir.clone(), &console.progress) {
        Ok((builder, report)) => Some(here(builder, report, act, console)?),
        // Whoever builds looks into the inbox.
        Err(Error::Lock(LockError::Held { .. })) => there(&dir, act)?,
        Err(error) => return Err(error),
    };
    let name = act.deed.name();
    let id = act.id.as_ref().map_or("", PostId::as_str);
    let line = match threads {
        Some(0) => format!("nothing to do: all is so already (act {id})"),
        Some(1) => format!("{name}: done, 1 thread changed (act {id})"),
        Some(threads) => format!("{name}: done, {threads} threads changed (act {id})"),
        None => format!("{name}: it lies in the inbox, and will be done (act {id})"),
    };
    console.conclude(&line, &json!({ "command": "mod", "act": name, "id": id, "threads": threads }))?;
    Ok(DONE)
}

/// Carries it out in this process, with what waits in the inbox left to the next `serve`.
fn here(mut builder: Builder, mut report: Report, act: &Act, console: &Console) -> Result<usize, Error> {
    let changed = builder.perform(act, &mut report).map_err(|error| match error {
        ActError::Refused(why) => Error::BadAct(why),
        ActError::Disk(error) => error.into(),
    })?;
    builder.publish(&Default::default(), &console.progress, &mut report);
    builder.write_purge(&report)?;
    builder.save();
    report.problems.extend(hook::tell_all(&builder));
    console.tell_problems(&report.problems);
    Ok(changed.len())
}

/// Leaves it to the process that runs, and waits until it is done. `None` if that takes too long.
fn there(dir: &SiteDir, act: &Act) -> Result<Option<usize>, Error> {
    let inbox = Inbox::open(dir.inbox())?;
    let name = format!("{}.json", clock::ulid());
    inbox.put_acts(&name, std::slice::from_ref(act))?;
    let until = Instant::now() + CARRIED_OUT_WITHIN;
    while inbox.folder().join(&name).exists() {
        if until < Instant::now() {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = act.id.as_ref().expect("it was given one");
    if let Some(entry) = ModLog::new(dir.mod_log()).find(id)? {
        return Ok(Some(entry.before.len()));
    }
    let why = disk::read(&inbox.folder().join("rejected").join(format!("{name}.why"))).unwrap_or_default();
    Err(Error::BadAct(String::from_utf8_lossy(&why).trim().to_owned()))
}

fn show_log(dir: &SiteDir, last: usize, console: &Console) -> Result<u8, Error> {
    let entries: Vec<Entry> = ModLog::new(dir.mod_log()).entries()?.collect();
    let shown = &entries[entries.len().saturating_sub(last)..];
    if console.common.json {
        return print(format!("{}\n", json!({ "command": "mod", "log": shown })).as_bytes()).map(|()| DONE);
    }
    let text: String = shown.iter().map(line).collect();
    print(text.as_bytes())?;
    Ok(DONE)
}

/// An entry on a line: when, who, what, why, and the id by which it can be undone.
fn line(entry: &Entry) -> String {
    let act = &entry.act;
    let at = act.at.map_or(String::new(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let board = act.deed.board().map_or(String::new(), |board| format!(" /{board}/"));
    let numbers: Vec<String> = act.deed.targets().iter().take(8).map(ToString::to_string).collect();
    let more = act.deed.targets().len().saturating_sub(numbers.len());
    let more = if 0 < more { format!(" and {more} more") } else { String::new() };
    let why = if act.why.is_empty() { String::new() } else { format!(": {}", act.why) };
    let id = act.id.as_ref().map_or("", PostId::as_str);
    let what = act.deed.name();
    printable(&format!("{at} {} {what}{board} {}{more}{why} [{id}]", act.by, numbers.join(" "))) + "\n"
}
