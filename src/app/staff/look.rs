//! What staff looks at: gathered from the site, its files, the log, the reports and the journal. It waits for the disk,
//! so it is no work for the threads of the door.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::builder;
use super::super::clock;
use super::Staff;
use crate::disk::DiskError;
use crate::model::act::Deed;
use crate::model::ban::Whom;
use crate::model::{BoardSlug, PostId, PostNo, Thread, ThreadKey};
use crate::render::staff::{BanLine, Line, PostToShow};
use crate::store::bans::Bans;
use crate::store::content;
use crate::store::journal::Journal;
use crate::store::mod_log::{Entry, ModLog};
use crate::store::reports::{Report, Reports};

/// Posts in a list.
const POSTS_MAX: usize = 50;

/// Threads that are read to find the posts of one sender.
const THREADS_READ_MAX: usize = 500;

/// Acts that the log shows.
pub const LOG_MAX: usize = 100;

/// Acts that the first page shows.
pub const OVERVIEW_MAX: usize = 10;

/// Numbers of an act that are shown.
const NUMBERS_MAX: usize = 8;

/// Whether a post belongs into a list.
type Wanted<'a> = &'a dyn Fn(&crate::model::Post) -> bool;

impl Staff {
    /// What readers have reported.
    pub(super) fn reports(&self) -> Result<Vec<Report>, DiskError> {
        Reports::new(self.dir.reports()).read()
    }

    /// The posts that were reported, the first report first.
    pub(super) fn reported(&self) -> Result<Vec<PostToShow>, DiskError> {
        let reports = self.reports()?;
        let posts = reports.into_iter().take(POSTS_MAX).filter_map(|report| {
            let mut post = self.find(&report.board, report.post)?;
            (post.times, post.reasons) = (report.times, report.reasons);
            Some(post)
        });
        self.with_senders(posts.collect())
    }

    /// A post with what was reported of it.
    pub(super) fn post(&self, board: &BoardSlug, no: PostNo) -> Result<Option<PostToShow>, DiskError> {
        let Some(mut post) = self.find(board, no) else { return Ok(None) };
        if let Some(report) = self.reports()?.into_iter().find(|there| there.board == *board && there.post == no) {
            (post.times, post.reasons) = (report.times, report.reasons);
        }
        Ok(self.with_senders(vec![post])?.pop())
    }

    /// The newest posts of all boards.
    pub(super) fn newest(&self) -> Result<Vec<PostToShow>, DiskError> {
        let threads = self.threads_by_time();
        self.with_senders(self.newest_of(threads, &|_| true))
    }

    /// The newest posts of the sender for whom `label` stands.
    pub(super) fn of_sender(&self, label: &str) -> Result<Vec<PostToShow>, DiskError> {
        let (ids, since) = (self.ids_of_sender(label)?, self.senders_known_since());
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut threads = self.threads_by_time();
        threads.retain(|(last_at, _)| since.timestamp() <= *last_at);
        threads.truncate(THREADS_READ_MAX);
        let posts = self.newest_of(threads, &|post| post.id.as_ref().is_some_and(|id| ids.contains(id)));
        self.with_senders(posts)
    }

    /// All that the sender for whom `label` stands has sent, shown or not.
    pub(super) fn ids_of_sender(&self, label: &str) -> Result<BTreeSet<PostId>, DiskError> {
        let is_theirs = |address| self.secret.label(&self.secret.fingerprint(address)) == label;
        Journal::new(self.dir.journal()).sent_from(is_theirs, self.senders_known_since())
    }

    /// Since when it is kept where posts came from.
    fn senders_known_since(&self) -> DateTime<Utc> {
        let hours = builder::read(&self.shown).site.settings.keep_addresses_hours;
        clock::now() - TimeDelta::hours(hours as i64 + 1)
    }

    /// All threads that have a page, the one that changed last first.
    fn threads_by_time(&self) -> Vec<(i64, ThreadKey)> {
        let shown = builder::read(&self.shown);
        let boards = shown.site.boards();
        let mut threads: Vec<(i64, ThreadKey)> = boards
            .flat_map(|board| {
                let visible = board.threads().filter(|thread| thread.visible());
                visible.map(|thread| (thread.last_at, ThreadKey { board: board.slug.clone(), no: thread.no }))
            })
            .collect();
        threads.sort_by(|a, b| b.cmp(a));
        threads
    }

    /// The newest posts that are wanted. Threads are read as long as they can hold newer ones than there are.
    fn newest_of(&self, threads: Vec<(i64, ThreadKey)>, wanted: Wanted<'_>) -> Vec<PostToShow> {
        let mut found: Vec<(DateTime<Utc>, PostToShow)> = Vec::new();
        for (last_at, key) in threads {
            let is_full = found.len() == POSTS_MAX;
            if is_full && found.last().is_some_and(|(at, _)| last_at <= at.timestamp()) {
                break;
            }
            // A file that is gone by now has nothing to show.
            let Ok(thread) = content::read_thread(self.dir.root(), &key) else { continue };
            let thread = Arc::new(thread);
            let posts = thread.posts.iter().filter(|post| !post.deleted && wanted(post));
            found.extend(posts.map(|post| (post.at, shown(&key, &thread, post.no))));
            found.sort_by(|(a, x), (b, y)| b.cmp(a).then(y.no.cmp(&x.no)));
            found.truncate(POSTS_MAX);
        }
        found.into_iter().map(|(_, post)| post).collect()
    }

    fn find(&self, board: &BoardSlug, no: PostNo) -> Option<PostToShow> {
        let thread = builder::read(&self.shown).site.board(board)?.thread_of(no)?;
        let key = ThreadKey { board: board.clone(), no: thread };
        let thread = Arc::new(content::read_thread(self.dir.root(), &key).ok()?);
        thread.posts.iter().any(|post| post.no == no).then(|| shown(&key, &thread, no))
    }

    /// Puts in what stands for who sent each.
    fn with_senders(&self, mut posts: Vec<PostToShow>) -> Result<Vec<PostToShow>, DiskError> {
        let id_of = |shown: &PostToShow| {
            let post = shown.thread.posts.iter().find(|post| post.no == shown.no)?;
            Some((post.id.clone()?, post.at))
        };
        let ids: Vec<_> = posts.iter().filter_map(id_of).collect();
        let labels = self.labels(&ids)?;
        for post in &mut posts {
            post.sender = id_of(post).and_then(|(id, _)| labels.get(&id).cloned()).unwrap_or_default();
        }
        Ok(posts)
    }

    /// What stands for the sender of each post that was accepted, or held, at about this time, as far as that is known.
    pub(super) fn labels(&self, posts: &[(PostId, DateTime<Utc>)]) -> Result<BTreeMap<PostId, String>, DiskError> {
        let addresses = Journal::new(self.dir.journal()).addresses(posts)?;
        let label = |address| self.secret.label(&self.secret.fingerprint(address));
        Ok(addresses.into_iter().map(|(id, address)| (id, label(address))).collect())
    }

    /// The last acts, newest first; `time` shows a time.
    pub(super) fn lines(&self, most: usize, time: &dyn Fn(i64) -> (String, String)) -> Result<Vec<Line>, DiskError> {
        let entries = ModLog::new(self.dir.mod_log()).last(LOG_MAX)?;
        let undone: BTreeSet<PostId> = entries
            .iter()
            .filter_map(|entry| match &entry.act.deed {
                Deed::Undo { of } | Deed::Unban { of } => Some(of.clone()),
                _ => None,
            })
            .collect();
        Ok(entries.into_iter().take(most).map(|entry| line(entry, &undone, time)).collect())
    }

    /// An act of somebody by its id, as a notice tells it.
    pub(super) fn done_by(&self, id: &PostId, by: &str) -> Result<Option<String>, DiskError> {
        let entries = ModLog::new(self.dir.mod_log()).last(LOG_MAX)?;
        let entry = entries.into_iter().find(|entry| entry.act.id.as_ref() == Some(id) && entry.act.by == by);
        Ok(entry.map(|entry| entry.act.deed.name().to_owned()))
    }

    /// Who may not post.
    pub(super) fn banned(&self, time: &dyn Fn(i64) -> (String, String)) -> Result<Vec<BanLine>, DiskError> {
        let now = clock::now();
        let bans = Bans::new(self.dir.bans()).read()?.into_iter().rev();
        let line = |ban: crate::model::ban::Ban| BanLine {
            id: ban.id.as_str().to_owned(),
            // What the operator typed on the command line stays there: no page shows an address.
            whom: match ban.whom {
                Whom::Range(_) => "A range of addresses",
                Whom::Hash(_) => "The sender of a post",
            },
            board: ban.board.map_or(String::new(), |board| board.to_string()),
            until: ban.until.map_or(String::new(), |until| time(until.timestamp()).1),
            why: ban.why,
        };
        Ok(bans.filter(|ban| ban.until.is_none_or(|until| now < until)).map(line).collect())
    }
}

fn shown(key: &ThreadKey, thread: &Arc<Thread>, no: PostNo) -> PostToShow {
    let (key, thread) = (key.clone(), thread.clone());
    PostToShow { key, thread, no, sender: String::new(), times: 0, reasons: Vec::new() }
}

fn line(entry: Entry, undone: &BTreeSet<PostId>, time: &dyn Fn(i64) -> (String, String)) -> Line {
    let act = entry.act;
    let (iso, shown) = time(act.at.map_or(0, |at| at.timestamp()));
    let numbers: Vec<u64> = act.deed.targets().iter().take(NUMBERS_MAX).map(|no| no.get()).collect();
    let is_undone = act.id.as_ref().is_some_and(|id| undone.contains(id));
    let changes = !entry.before.is_empty() || !entry.denied.is_empty() || matches!(act.deed, Deed::Ban { .. });
    let what = match act.deed.held().len() {
        0 => act.deed.name().to_owned(),
        1 => format!("{}, a held post", act.deed.name()),
        held => format!("{}, {held} held posts", act.deed.name()),
    };
    Line {
        id: act.id.as_ref().map_or(String::new(), |id| id.as_str().to_owned()),
        iso,
        time: shown,
        what,
        board: act.deed.board().map_or(String::new(), |board| board.to_string()),
        more: act.deed.targets().len().saturating_sub(numbers.len()),
        numbers,
        by: act.by,
        why: act.why,
        undoable: changes && !is_undone && act.id.is_some(),
        undone: is_undone,
    }
}
