//! `mod`: what staff decides, from the command line.
//!
//! An act is put into the inbox. A running `serve` carries it out; where none runs, this command does so itself.

mod held;
mod posting;
pub(super) mod posture;

use std::io::Read;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use super::builder::Builder;
use super::error::Error;
use super::events::{Events, Mine};
use super::rounds::Rounds;
use super::{Console, DONE, accounts, clock, hook, print};
use crate::cli::{ModCommand, Moderate, Targets};
use crate::disk;
use crate::model::act::{Deed, Flag};
use crate::model::ban::{Ban, Whom};
use crate::model::problem::printable;
use crate::model::{Act, BoardSlug, PostId, PostNo};
use crate::store::bans::Bans;
use crate::store::header;
use crate::store::inbox::Inbox;
use crate::store::mod_log::{Entry, ModLog};
use crate::store::reports::{Report, Reports};
use crate::store::site_dir::{LockError, SiteDir};

/// How long a running `serve` may take before this command goes on without knowing.
const CARRIED_OUT_WITHIN: Duration = Duration::from_secs(10);

/// The longest text that standard input may hold, in bytes.
const TEXT_BYTES_MAX: u64 = 2 << 20;

/// Carries out an act, or shows what was done.
pub fn moderate(dir: SiteDir, command: Moderate, console: &Console) -> Result<u8, Error> {
    let deed = match command.deed {
        ModCommand::Bans => return show_bans(&dir, console),
        ModCommand::Reports => return show_reports(&dir, console),
        ModCommand::Posture { posture: None, .. } => return posture::show_posture(&dir, console),
        ModCommand::Posture { posture: Some(name), hours } => posture::deed(&name, hours),
        ModCommand::Held => return held::show_held(&dir, console),
        ModCommand::Approve(targets) => held::ids(&dir, targets).map(|held| Deed::Approve { held }),
        ModCommand::Deny(targets) => held::ids(&dir, targets).map(|held| Deed::Deny { held }),
        ModCommand::Post(say) => posting::deed(&dir, say),
        ModCommand::Dismiss(targets) => deed(targets, |board, posts| Deed::Dismiss { board, posts }),
        ModCommand::Wipe { board, number, since } => {
            let since = since.map(|text| time(&text)).transpose()?;
            deed(Targets { board, numbers: number.into_iter().collect() }, |board, posts| Deed::Wipe {
                board,
                post: posts.first().copied(),
                since,
            })
        }
        ModCommand::Ban { board, number, range, held, only, hours } => {
            let (board, only) = (slug(board)?, slug(only)?);
            let post = number.map(number_of).transpose()?;
            let held = held.map(|id| act_id(&id)).transpose()?;
            Ok(Deed::Ban { range, board, post, held, only, hours })
        }
        ModCommand::Unban { id } => act_id(&id).map(|of| Deed::Unban { of }),
        ModCommand::User { action } => return accounts::accounts(&dir, action, console),
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
        ModCommand::Move { board, number, to } => {
            let to = BoardSlug::parse(&to).map_err(Error::BadBoard)?;
            deed(Targets { board, numbers: vec![number] }, |board, posts| Deed::Move { board, thread: posts[0], to })
        }
        ModCommand::Edit { board, number, text } => {
            let body = text.map_or_else(read_text, Ok)?;
            deed(Targets { board, numbers: vec![number] }, |board, posts| Deed::Edit { board, post: posts[0], body })
        }
        ModCommand::Undo { id } => act_id(&id).map(|of| Deed::Undo { of }),
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
    let numbers = targets.numbers.into_iter().map(number_of).collect::<Result<Vec<_>, _>>()?;
    Ok(make(board, numbers))
}

fn number_of(no: u64) -> Result<PostNo, Error> {
    PostNo::new(no).ok_or_else(|| Error::BadAct(format!("`{no}` is no number of a post")))
}

fn slug(text: Option<String>) -> Result<Option<BoardSlug>, Error> {
    text.map(|text| BoardSlug::parse(&text)).transpose().map_err(Error::BadBoard)
}

fn act_id(text: &str) -> Result<PostId, Error> {
    PostId::parse(text).map_err(|error| Error::BadAct(error.to_string()))
}

/// A time, or how long ago it was: `30m`, `2h`, `3d`.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, Error> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: i64 = number.parse().ok().filter(|number| (0..1_000_000).contains(number))?;
        let time = match unit {
            "m" => TimeDelta::minutes(number),
            "h" => TimeDelta::hours(number),
            "d" => TimeDelta::days(number),
            _ => return None,
        };
        clock::now().checked_sub_signed(time)
    };
    let wrong =
        || Error::BadAct(format!("`{text}` is no time such as `2026-11-24T18:00` (UTC), and none such as `2h`"));
    ago().or_else(|| header::parse_time(text)).ok_or_else(wrong)
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
    let done = match Builder::open(dir.clone(), &console.progress) {
        Ok((builder, report)) => {
            console.tell_problems(&report.problems);
            here(&dir, builder, act, console)?
        }
        // Whoever builds looks into the inbox.
        Err(Error::Lock(LockError::Held { .. })) => there(&dir, act)?,
        Err(error) => return Err(error),
    };
    if let Deed::Post { .. } = act.deed {
        return posting::conclude(&dir, act, console);
    }
    let name = act.deed.name();
    let id = act.id.as_ref().map_or("", PostId::as_str);
    let (threads, held) = done.as_ref().map_or((0, 0), |entry| (entry.before.len(), entry.denied_count));
    let parts: Vec<String> =
        [(threads, "thread changed", "threads changed"), (held, "held post denied", "held posts denied")]
            .into_iter()
            .filter(|(count, ..)| 0 < *count)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
    let line = match (&done, parts.is_empty()) {
        (None, _) => format!("{name}: it lies in the inbox, and will be done (act {id})"),
        (Some(_), true) if !is_no_threads_matter(&act.deed) => format!("nothing to do: all is so already (act {id})"),
        (Some(_), true) => format!("{name}: done (act {id})"),
        (Some(_), false) => format!("{name}: done, {} (act {id})", parts.join(", ")),
    };
    let threads = done.is_some().then_some(threads);
    console.conclude(&line, &json!({ "command": "mod", "act": name, "id": id, "threads": threads }))?;
    Ok(DONE)
}

/// Whether it changes something else than threads.
fn is_no_threads_matter(deed: &Deed) -> bool {
    let of_held = !deed.held().is_empty();
    of_held
        || matches!(
            deed,
            Deed::Posture { .. }
                | Deed::Ban { .. }
                | Deed::BanSender { .. }
                | Deed::Unban { .. }
                | Deed::Dismiss { .. }
                | Deed::Undo { .. }
        )
}

/// Carries it out in this process, with whatever else lies in the inbox: as one that was killed leaves it there, the
/// next one to build goes on with it.
fn here(dir: &SiteDir, builder: Builder, act: &Act, console: &Console) -> Result<Option<Entry>, Error> {
    let inbox = Inbox::open(dir.inbox())?;
    let name = put(&inbox, act)?;
    let (way, events) = Events::open();
    let builder = Rounds::new(builder, inbox.clone(), Mine::default(), &way, events).empty_inbox();
    hook::tell_all(&builder).iter().for_each(|problem| console.tell_problem(problem));
    if inbox.folder().join(&name).exists() {
        return Ok(None);
    }
    let outcome = outcome(dir, &inbox, &name, act);
    if outcome.is_err() {
        // Whoever would look for them there is told now.
        let rejected = inbox.folder().join("rejected").join(&name);
        [rejected.with_extension("json.why"), rejected].iter().for_each(|path| drop(std::fs::remove_file(path)));
    }
    outcome.map(Some)
}

/// Leaves it to the process that runs, and waits until it is done. `None` if that takes too long.
fn there(dir: &SiteDir, act: &Act) -> Result<Option<Entry>, Error> {
    let inbox = Inbox::open(dir.inbox())?;
    let name = put(&inbox, act)?;
    let until = Instant::now() + CARRIED_OUT_WITHIN;
    while inbox.folder().join(&name).exists() {
        if until < Instant::now() {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    outcome(dir, &inbox, &name, act).map(Some)
}

fn put(inbox: &Inbox, act: &Act) -> Result<String, Error> {
    let name = format!("{}.json", clock::ulid());
    inbox.put_acts(&name, std::slice::from_ref(act))?;
    Ok(name)
}

/// What the log says of an act whose inbox file is gone, or why it was rejected.
fn outcome(dir: &SiteDir, inbox: &Inbox, name: &str, act: &Act) -> Result<Entry, Error> {
    let id = act.id.as_ref().expect("it was given one");
    let why = disk::read(&inbox.folder().join("rejected").join(format!("{name}.why")));
    match (why, ModLog::new(dir.mod_log()).find(id)?) {
        (Err(_), Some(entry)) => Ok(entry),
        (why, _) => Err(Error::BadAct(String::from_utf8_lossy(&why.unwrap_or_default()).trim().to_owned())),
    }
}

fn show_bans(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    let bans = Bans::new(dir.bans()).read()?;
    let line = |ban: &Ban| {
        let whom = match &ban.whom {
            Whom::Range(range) => range.to_string(),
            Whom::Hash(_) => "the sender of a post".to_owned(),
        };
        let board = ban.board.as_ref().map_or("all boards".to_owned(), |board| format!("/{board}/"));
        let until = ban.until.map_or("for ever".to_owned(), |at| format!("until {}", time_text(at)));
        let why = if ban.why.is_empty() { String::new() } else { format!(": {}", ban.why) };
        format!("{whom} on {board} {until}{why} [{}]", ban.id.as_str())
    };
    show(console, "bans", json!(bans), bans.iter().map(line))
}

fn show_reports(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    let reports = Reports::new(dir.reports()).read()?;
    let line = |report: &Report| {
        let times = if report.times == 1 { "once".to_owned() } else { format!("{} times", report.times) };
        let reasons =
            if report.reasons.is_empty() { String::new() } else { format!(": {}", report.reasons.join("; ")) };
        format!("/{}/ {} {times} since {}{reasons}", report.board, report.post, time_text(report.at))
    };
    show(console, "reports", json!(reports), reports.iter().map(line))
}

/// A line for each, or all of them for programs.
fn show(
    console: &Console,
    what: &str,
    value: serde_json::Value,
    lines: impl Iterator<Item = String>,
) -> Result<u8, Error> {
    let text = match console.common.json {
        true => format!("{}\n", json!({ "command": "mod", what: value })),
        false => lines.map(|line| printable(&line) + "\n").collect(),
    };
    print(text.as_bytes())?;
    Ok(DONE)
}

fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn show_log(dir: &SiteDir, last: usize, console: &Console) -> Result<u8, Error> {
    let mut entries: Vec<Entry> = ModLog::new(dir.mod_log()).newest()?.take(last).collect();
    entries.reverse();
    show(console, "log", json!(entries), entries.iter().map(line))
}

/// An entry on a line: when, who, what, why, and the id by which it can be undone.
fn line(entry: &Entry) -> String {
    let act = &entry.act;
    let at = act.at.map_or(String::new(), time_text);
    let board = act.deed.board().map_or(String::new(), |board| format!(" /{board}/"));
    let numbers: Vec<String> = act.deed.targets().iter().take(8).map(ToString::to_string).collect();
    let more = act.deed.targets().len().saturating_sub(numbers.len());
    let more = if 0 < more { format!(" and {more} more") } else { String::new() };
    let why = if act.why.is_empty() { String::new() } else { format!(": {}", act.why) };
    let id = act.id.as_ref().map_or("", PostId::as_str);
    let what = act.deed.name();
    format!("{at} {} {what}{board} {}{more}{why} [{id}]", act.by, numbers.join(" "))
}
