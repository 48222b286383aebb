//! Carries out what staff decided, on the thread files.
//!
//! First it is found out what would change; then the log gets that with what was there before; then the files are
//! replaced. Each step may be met again after a crash: what is as it should be already is left alone, and the log takes
//! an act once.

pub mod moving;
pub mod posting;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::bans::Bans;
use super::content;
use super::held::{Held, HeldError};
use super::inbox::Inbox;
use super::journal::Journal;
use super::mod_log::{Before, Entry, ModLog};
use super::numbers::Numbers;
use super::posture::{PostureFile, Standing};
use super::public_log::{Again, PublicLog};
use super::reports::Reports;
use super::site_dir::SiteDir;
use super::thread_file;
use moving::{Carrying, Rename};

use crate::disk::{self, DiskError};
use crate::model::act::{Deed, Flag};
use crate::model::ban::{Ban, Whom};
use crate::model::public_act::PublicAct;
use crate::model::{Act, BoardSlug, Post, PostId, PostNo, Site, Thread, ThreadFlags, ThreadKey};

/// Why an act is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// It can never be.
    #[error("{0}")]
    Refused(String),
    /// Not now.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl From<HeldError> for ActError {
    fn from(error: HeldError) -> ActError {
        match error {
            HeldError::Disk(error) => ActError::Disk(error),
            HeldError::NotThere(_) => ActError::Refused(error.to_string()),
        }
    }
}

/// Where an act finds what it needs.
pub struct Means<'a> {
    /// The root of the site.
    pub root: &'a Path,
    /// What was done.
    pub log: ModLog,
    /// Who sent which post.
    pub journal: Journal,
    /// What everybody may know of it.
    pub public_log: PublicLog,
    /// Who may not post.
    pub bans: Bans,
    /// What readers have reported.
    pub reports: Reports,
    /// Posts at which somebody is to look.
    pub held: Held,
    /// How open the door is.
    pub posture: PostureFile,
    /// Where they go when they are approved.
    pub inbox: Inbox,
    /// The keyed hash of an address, or of its neighbourhood.
    pub fingerprint: &'a dyn Fn(IpAddr) -> String,
    /// Gives quotes other names.
    pub rename: Rename<'a>,
}

impl Means<'_> {
    /// Those of a site.
    pub fn of<'a>(
        dir: &'a SiteDir,
        log: &ModLog,
        fingerprint: &'a dyn Fn(IpAddr) -> String,
        rename: Rename<'a>,
    ) -> Means<'a> {
        Means {
            root: dir.root(),
            log: log.clone(),
            journal: Journal::new(dir.journal()),
            public_log: PublicLog::new(dir.public_log()),
            bans: Bans::new(dir.bans()),
            reports: Reports::new(dir.reports()),
            held: Held::new(dir.held()),
            posture: PostureFile::new(dir.posture()),
            inbox: Inbox::at(dir.inbox()),
            fingerprint,
            rename,
        }
    }
}

/// Carries out an act, and gives the threads whose files are different now. `now` is the time of an act that has none.
pub fn perform(
    means: &Means,
    site: &Site,
    numbers: &mut Numbers,
    act: &Act,
    now: DateTime<Utc>,
) -> Result<BTreeSet<ThreadKey>, ActError> {
    let id = act.id.clone().ok_or_else(|| ActError::Refused("an act needs an id".to_owned()))?;
    let (root, log, at) = (means.root, &means.log, act.at.unwrap_or(now));
    if let Deed::Report { board, post } = &act.deed {
        exists(site, board, *post)?;
        means.reports.add(board, *post, &act.why, at)?;
        return Ok(BTreeSet::new());
    }
    let logged = log.find(&id)?;
    let mut thrown_away = if let Deed::Deny { held } = &act.deed { held.clone() } else { Vec::new() };
    let logged_carried = logged.as_ref().and_then(|entry| entry.carried.as_ref());
    let mut carrying = None;
    let wanted = match &act.deed {
        Deed::Delete { board, posts } => delete(root, site, board, posts)?,
        Deed::Restore { board, posts } => restore(root, log, board, posts)?,
        Deed::Set { board, threads, flag, on } => set(root, site, board, threads, *flag, *on)?,
        Deed::Edit { board, post, body } => edit(root, site, board, *post, body)?,
        Deed::Wipe { board, post, since } => {
            let swept = sweep::wipe(means, site, board, *post, *since, at)?;
            thrown_away = swept.held;
            swept.threads
        }
        Deed::Move { board, thread, to } => {
            let from = ThreadKey { board: board.clone(), no: *thread };
            carrying = moving::plan(means, site, numbers, from, to, logged_carried)?;
            Vec::new()
        }
        Deed::Undo { of } => match log.find_among_all(of)?.and_then(|entry| entry.carried) {
            Some(undone) => {
                carrying = moving::plan_back(means, site, numbers, &undone, logged_carried)?;
                Vec::new()
            }
            None => undo(root, log, of)?,
        },
        Deed::Approve { held } | Deed::Deny { held } if logged.is_none() => {
            means.held.require(held)?;
            Vec::new()
        }
        Deed::Post { board, thread, .. } if logged.is_none() => {
            posting::check(site, board, *thread)?;
            Vec::new()
        }
        Deed::Approve { .. } | Deed::Deny { .. } | Deed::Posture { .. } | Deed::Post { .. } => Vec::new(),
        Deed::Ban { .. } | Deed::BanSender { .. } | Deed::Unban { .. } | Deed::Report { .. } | Deed::Dismiss { .. } => {
            Vec::new()
        }
    };
    // Whom a ban is about is found out before it is logged, since it may not be known any more.
    let ban = match &act.deed {
        Deed::Ban { range, board, post, held, only, hours } => {
            let whom = match (range, board, post, held) {
                (Some(range), ..) => Whom::Range(*range),
                (None, Some(board), Some(post), None) => {
                    Whom::Hash((means.fingerprint)(address_of(means, site, board, *post)?))
                }
                (None, _, _, Some(held)) => Whom::Hash((means.fingerprint)(address_of_held(means, held)?)),
                _ => return Err(ActError::Refused("a ban needs a range or a post".to_owned())),
            };
            let until = hours.map(|hours| end_of(at, hours)).transpose()?;
            Some(Ban { id: id.clone(), whom, board: only.clone(), until, why: act.why.clone() })
        }
        Deed::BanSender { sender, only, hours } => {
            let (whom, board) = (Whom::Hash(sender.clone()), only.clone());
            let until = hours.map(|hours| end_of(at, hours)).transpose()?;
            Some(Ban { id: id.clone(), whom, board, until, why: act.why.clone() })
        }
        _ => None,
    };
    let entry = match logged.clone() {
        Some(entry) => {
            if let Deed::Wipe { .. } = act.deed {
                // What came since is not in the log.
                thrown_away = means.held.ids_in(&entry.denied);
            }
            entry
        }
        None => {
            let mut before: Vec<Before> = wanted.iter().map(Wanted::before).collect();
            before.extend(carrying.iter().flat_map(Carrying::before));
            let carried = carrying.as_ref().map(|carrying| carrying.carried.clone());
            let act = posting::without_text(Act { id: Some(id.clone()), at: Some(at), ..act.clone() });
            let denied = means.held.texts(&thrown_away)?;
            let entry = Entry { act, before, denied_count: denied.len(), denied, carried };
            log.append(&entry)?;
            entry
        }
    };
    if site.settings.public_log
        && let Some(public) = PublicAct::of(&entry.act).filter(|_| entry.shows())
    {
        means.public_log.append(&public, if logged.is_some() { Again::Maybe } else { Again::No })?;
    }
    means.held.remove(&thrown_away)?;
    let mut keys = write(root, wanted, at)?;
    if let Some(carrying) = carrying {
        keys.extend(carrying.write(means, at)?);
    }
    match (&act.deed, ban) {
        (_, Some(ban)) => means.bans.add(ban, now)?,
        // Undoing a ban lifts it.
        (Deed::Unban { of } | Deed::Undo { of }, None) => {
            means.bans.lift(of, now)?;
            let denied =
                log.find_among_all(of)?.filter(|_| matches!(act.deed, Deed::Undo { .. })).map(|entry| entry.denied);
            means.held.put_back(&denied.unwrap_or_default())?;
        }
        (Deed::Approve { held }, None) => means.held.release(held, at, &means.inbox, &means.journal)?,
        (Deed::Post { .. }, None) => posting::put(means, &id, at, &act.deed)?,
        (Deed::Posture { posture, until }, None) => {
            means.posture.set(&Standing { posture: *posture, at, until: *until, by: act.by.clone() })?;
        }
        (Deed::Dismiss { board, posts } | Deed::Delete { board, posts }, None) => {
            means.reports.dismiss(board, posts)?;
        }
        _ => {}
    }
    Ok(keys)
}

fn write(root: &Path, wanted: Vec<Wanted>, at: DateTime<Utc>) -> Result<BTreeSet<ThreadKey>, ActError> {
    let mut keys = BTreeSet::new();
    for wanted in wanted {
        let mut thread = wanted.thread;
        thread.changed = Some(thread.changed.map_or(at, |before| before.max(at)));
        disk::point("before a moderated thread");
        disk::replace_durably(&content::path_of(root, &wanted.key), &thread_file::write(&thread))?;
        disk::point("after a moderated thread");
        keys.insert(wanted.key);
    }
    for board in keys.iter().map(|key| &key.board).collect::<BTreeSet<_>>() {
        disk::sync_folder(&root.join("content").join(board.as_str()))?;
    }
    Ok(keys)
}

fn exists(site: &Site, board: &BoardSlug, post: PostNo) -> Result<(), ActError> {
    let there = site.board(board).ok_or_else(|| no_board(board))?;
    there.thread_of(post).map(drop).ok_or_else(|| no_post(board, post))
}

/// Where a post came from.
fn address_of(means: &Means, site: &Site, slug: &BoardSlug, no: PostNo) -> Result<IpAddr, ActError> {
    let board = site.board(slug).ok_or_else(|| no_board(slug))?;
    let thread = board.thread_of(no).ok_or_else(|| no_post(slug, no))?;
    let wanted = read(means.root, slug, thread)?;
    let post = wanted.thread.posts.iter().find(|post| post.no == no);
    let (id, at) = post.and_then(|post| Some((post.id.as_ref()?, post.at))).ok_or_else(|| unknown_sender(slug, no))?;
    let sender = means.journal.sender(id, at)?;
    sender.and_then(|sender| sender.address).ok_or_else(|| unknown_sender(slug, no))
}

/// Where a post came from that is held, or was: with what it is thrown away, its sender is still known.
fn address_of_held(means: &Means, id: &PostId) -> Result<IpAddr, ActError> {
    let sender = means.journal.find(id)?;
    sender.and_then(|sender| sender.address).ok_or_else(|| {
        ActError::Refused(format!(
            "where the held post `{}` came from is not known any more, or never was (see `keep_addresses`)",
            id.as_str()
        ))
    })
}

/// When something ends that begins at `at`.
fn end_of(at: DateTime<Utc>, hours: u32) -> Result<DateTime<Utc>, ActError> {
    let end = at.checked_add_signed(TimeDelta::hours(hours.into()));
    end.ok_or_else(|| ActError::Refused("so late there is no time any more".to_owned()))
}

fn unknown_sender(slug: &BoardSlug, no: PostNo) -> ActError {
    ActError::Refused(format!(
        "where post {no} of `{slug}` came from is not known any more, or never was (see `keep_addresses`)"
    ))
}

/// A thread as it should be, and what it takes to put it back.
struct Wanted {
    key: ThreadKey,
    thread: Thread,
    old_flags: ThreadFlags,
    old_posts: Vec<Post>,
}

impl Wanted {
    fn of(key: ThreadKey, thread: Thread) -> Wanted {
        Wanted { key, old_flags: thread.flags, thread, old_posts: Vec::new() }
    }

    fn is_changed(&self) -> bool {
        self.old_flags != self.thread.flags || !self.old_posts.is_empty()
    }

    /// Puts a post in the place of the one with its number.
    fn put(&mut self, post: Post) {
        let Some(place) = self.thread.posts.iter_mut().find(|there| there.no == post.no) else { return };
        if *place != post {
            self.old_posts.push(std::mem::replace(place, post));
        }
    }

    fn before(&self) -> Before {
        let posts = Thread { flags: ThreadFlags::default(), changed: None, posts: self.old_posts.clone() };
        let text = String::from_utf8(thread_file::write(&posts)).unwrap_or_default();
        Before { board: self.key.board.clone(), thread: self.key.no, flags: self.old_flags, posts: text }
    }
}

/// The posts of [`Before::posts`].
fn posts_of(before: &Before) -> Vec<Post> {
    let first = before.posts.split_once("\"no\": ").map_or("", |(_, rest)| rest);
    let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
    let name = format!("{digits}.md");
    thread_file::read(Path::new(&name), before.posts.as_bytes()).thread.map_or(Vec::new(), |thread| thread.posts)
}

/// What is left of a removed post: what keeps its number and its id taken.
fn tombstone(post: &Post) -> Post {
    Post { at: post.at, id: post.id.clone(), deleted: true, ..Post::new(post.no) }
}

fn delete(root: &Path, site: &Site, slug: &BoardSlug, posts: &[PostNo]) -> Result<Vec<Wanted>, ActError> {
    let board = site.board(slug).ok_or_else(|| no_board(slug))?;
    let mut by_thread: BTreeMap<PostNo, BTreeSet<PostNo>> = BTreeMap::new();
    for no in posts {
        let thread = board.thread_of(*no).ok_or_else(|| no_post(slug, *no))?;
        by_thread.entry(thread).or_default().insert(*no);
    }
    let mut all = Vec::new();
    for (no, gone) in by_thread {
        let mut wanted = read(root, slug, no)?;
        let whole = gone.contains(&no);
        let hit: Vec<Post> =
            wanted.thread.posts.iter().filter(|post| whole || gone.contains(&post.no)).map(tombstone).collect();
        hit.into_iter().for_each(|post| wanted.put(post));
        all.push(wanted);
    }
    Ok(changed(all))
}

/// Deleted posts as they were when they were last there, by what the log holds.
fn restore(root: &Path, log: &ModLog, slug: &BoardSlug, posts: &[PostNo]) -> Result<Vec<Wanted>, ActError> {
    let asked: BTreeSet<PostNo> = posts.iter().copied().collect();
    let mut last: BTreeMap<PostNo, (PostNo, Post)> = BTreeMap::new();
    for before in log.entries()?.flat_map(|entry| entry.before).filter(|before| before.board == *slug) {
        let there = posts_of(&before).into_iter().filter(|post| !post.deleted);
        let is_asked = |post: &Post| asked.contains(&post.no) || asked.contains(&before.thread);
        last.extend(there.filter(is_asked).map(|post| (post.no, (before.thread, post))));
    }
    if let Some(no) = asked.iter().find(|no| !last.contains_key(no)) {
        let message = format!("post {no} of `{slug}` is not in the log: it was not deleted, or too long ago");
        return Err(ActError::Refused(message));
    }
    let mut all: BTreeMap<PostNo, Wanted> = BTreeMap::new();
    for (thread, post) in last.into_values() {
        let wanted = match all.remove(&thread) {
            Some(wanted) => wanted,
            None => read(root, slug, thread)?,
        };
        let is_gone = wanted.thread.posts.iter().any(|there| there.no == post.no && there.deleted);
        let wanted = all.entry(thread).or_insert(wanted);
        if is_gone {
            wanted.put(post);
        }
    }
    Ok(changed(all.into_values().collect()))
}

fn set(
    root: &Path,
    site: &Site,
    slug: &BoardSlug,
    threads: &[PostNo],
    flag: Flag,
    on: bool,
) -> Result<Vec<Wanted>, ActError> {
    let board = site.board(slug).ok_or_else(|| no_board(slug))?;
    let mut all = Vec::new();
    for no in threads.iter().collect::<BTreeSet<_>>() {
        if board.thread(*no).is_none() {
            return Err(match board.thread_of(*no) {
                Some(thread) => ActError::Refused(format!("post {no} of `{slug}` is a reply in thread {thread}")),
                None => no_post(slug, *no),
            });
        }
        let mut wanted = read(root, slug, *no)?;
        wanted.thread.flags.set(flag, on);
        all.push(wanted);
    }
    Ok(changed(all))
}

fn edit(root: &Path, site: &Site, slug: &BoardSlug, no: PostNo, body: &str) -> Result<Vec<Wanted>, ActError> {
    let board = site.board(slug).ok_or_else(|| no_board(slug))?;
    let thread = board.thread_of(no).ok_or_else(|| no_post(slug, no))?;
    let mut wanted = read(root, slug, thread)?;
    let post = wanted.thread.posts.iter().find(|post| post.no == no && !post.deleted).cloned();
    let post = post.ok_or_else(|| ActError::Refused(format!("post {no} of `{slug}` is deleted")))?;
    wanted.put(Post { body: body.trim_end().to_owned(), ..post });
    Ok(changed(vec![wanted]))
}

/// Threads as they were before an act, as far as it changed them.
fn undo(root: &Path, log: &ModLog, id: &PostId) -> Result<Vec<Wanted>, ActError> {
    let not_there = || ActError::Refused(format!("there is no act `{}` in the log", id.as_str()));
    let entry = log.find_among_all(id)?.ok_or_else(not_there)?;
    if let Deed::Approve { .. } | Deed::Post { .. } = entry.act.deed {
        return Err(ActError::Refused("posts that are there are taken away by deleting them".to_owned()));
    }
    if let Deed::Posture { .. } = entry.act.deed {
        return Err(ActError::Refused("say which posture is wanted instead, with `nejiboard mod posture`".to_owned()));
    }
    let thrown_away = if let Deed::Deny { held } = &entry.act.deed { held.len() } else { entry.denied_count };
    if entry.denied.len() < thrown_away {
        return Err(ActError::Refused("what this act threw away is not kept any more".to_owned()));
    }
    let changes_posts =
        matches!(entry.act.deed, Deed::Delete { .. } | Deed::Restore { .. } | Deed::Edit { .. } | Deed::Wipe { .. });
    if changes_posts && entry.before.iter().any(|before| before.posts.is_empty()) {
        return Err(ActError::Refused("what this act changed is not kept any more".to_owned()));
    }
    let mut all = Vec::new();
    for before in &entry.before {
        let mut wanted = read(root, &before.board, before.thread)?;
        posts_of(before).into_iter().for_each(|post| wanted.put(post));
        match entry.act.deed {
            // Another flag may have been put on or off since.
            Deed::Set { flag, .. } => wanted.thread.flags.set(flag, before.flags.get(flag)),
            Deed::Undo { .. } => wanted.thread.flags = before.flags,
            _ => {}
        }
        all.push(wanted);
    }
    Ok(changed(all))
}

/// A thread of which something is to be changed. One that was moved is changed where it is.
fn read(root: &Path, board: &BoardSlug, no: PostNo) -> Result<Wanted, ActError> {
    let wanted = read_any(root, board, no)?;
    match &wanted.thread.op().moved {
        Some(there) => Err(ActError::Refused(format!(
            "thread {no} of `{board}` was moved to `{there}`; name it by that, or undo the move first"
        ))),
        None => Ok(wanted),
    }
}

fn read_any(root: &Path, board: &BoardSlug, no: PostNo) -> Result<Wanted, ActError> {
    let key = ThreadKey { board: board.clone(), no };
    let path = content::path_of(root, &key);
    let bytes = match disk::read(&path) {
        Err(error) if error.is_absent() => return Err(no_post(board, no)),
        read => read?,
    };
    let reading = thread_file::read(&path, &bytes);
    // The file is written anew, and what could not be read would be lost.
    match (reading.thread, reading.problems.first()) {
        (Some(thread), None) => Ok(Wanted::of(key, thread)),
        (_, Some(problem)) => Err(ActError::Refused(format!("mend the thread's file first: {problem}"))),
        (None, None) => Err(no_post(board, no)),
    }
}

fn changed(mut all: Vec<Wanted>) -> Vec<Wanted> {
    all.retain(Wanted::is_changed);
    all
}

fn no_board(slug: &BoardSlug) -> ActError {
    ActError::Refused(format!("there is no board `{slug}`"))
}

fn no_post(slug: &BoardSlug, no: PostNo) -> ActError {
    ActError::Refused(format!("there is no post {no} on `{slug}`"))
}
