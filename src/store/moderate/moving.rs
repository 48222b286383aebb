//! A thread goes to another board, and comes back.
//!
//! Its posts get numbers of that board and keep their order, their times and their ids. Where they stood, each leaves a
//! tombstone that says where it is, so quotes and bookmarks lead there. First the numbers are logged, then the thread is
//! made durable on the other board, and only then it goes from the old one. After a crash in between it stands on both;
//! the act is met again, takes the numbers from the log and does the rest.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{ActError, Means, Wanted, no_board, no_post, read_any, tombstone, write};
use crate::model::quotes::Quote;
use crate::model::{Arrival, Board, BoardSlug, Post, PostKey, PostNo, Site, Thread, ThreadFlags, ThreadKey};
use crate::store::content;
use crate::store::mod_log::{Before, Carried};
use crate::store::numbers::Numbers;

/// Puts other quotes in the place of those of a text that are links. The render room knows which are.
pub type Rename<'a> = &'a dyn Fn(&str, &dyn Fn(&Quote) -> Option<Quote>) -> String;

/// A thread on its way.
pub(super) struct Carrying {
    /// What the log is told.
    pub carried: Carried,
    target: Wanted,
    source: Wanted,
}

impl Carrying {
    /// What the log is told of both threads.
    pub fn before(&self) -> [Before; 2] {
        [self.target.before(), self.source.before()]
    }

    /// Writes both threads, one after the other: it may stand in two places for a moment, but never in none.
    pub fn write(self, means: &Means, at: DateTime<Utc>) -> Result<[ThreadKey; 2], ActError> {
        let Carrying { carried: Carried { from, to, numbers }, target, source } = self;
        write(means.root, vec![target], at)?;
        crate::disk::point("between two boards");
        write(means.root, vec![source], at)?;
        means.reports.renumber(&from.board, &to.board, &numbers)?;
        Ok([to, from])
    }
}

/// Plans how a thread goes to another board. `logged` is what the log has of it already; `None` if there is nothing left
/// to do.
pub(super) fn plan(
    means: &Means,
    site: &Site,
    numbers: &mut Numbers,
    from: ThreadKey,
    to: &BoardSlug,
    logged: Option<&Carried>,
) -> Result<Option<Carrying>, ActError> {
    let board = site.board(&from.board).ok_or_else(|| no_board(&from.board))?;
    let target = site.board(to).ok_or_else(|| no_board(to))?;
    if from.board == *to {
        return Err(ActError::Refused(format!("thread {} stands on `{to}` already", from.no)));
    }
    if board.thread(from.no).is_none() {
        return Err(match board.thread_of(from.no) {
            Some(thread) => {
                ActError::Refused(format!("post {} of `{}` is a reply in thread {thread}", from.no, from.board))
            }
            None => no_post(&from.board, from.no),
        });
    }
    let source = read_any(means.root, &from.board, from.no)?;
    match (&source.thread.op().moved, logged) {
        (Some(_), Some(_)) => Ok(None),
        (Some(there), None) => Err(was_moved(&from, there)),
        (None, _) => carry(means, target, numbers, source, None, logged).map(Some),
    }
}

/// Plans how a thread that was carried to another board comes back to where it was, with what was posted since. What its
/// old place says of where it is now counts; the log may not know, after a crash.
pub(super) fn plan_back(
    means: &Means,
    site: &Site,
    numbers: &mut Numbers,
    undone: &Carried,
    logged: Option<&Carried>,
) -> Result<Option<Carrying>, ActError> {
    let home = site.board(&undone.from.board).ok_or_else(|| no_board(&undone.from.board))?;
    let old = match read_any(means.root, &undone.from.board, undone.from.no) {
        Ok(old) => Some(old.thread),
        // Somebody has removed the file; its numbers are free all the same.
        Err(ActError::Refused(_)) if home.thread(undone.from.no).is_none() => None,
        Err(error) => return Err(error),
    };
    let from = match (logged, &old) {
        (Some(logged), _) => logged.from.clone(),
        (None, None) => undone.to.clone(),
        (None, Some(old)) => match &old.op().moved {
            Some(there) => ThreadKey { board: there.board.clone(), no: there.no },
            None => return Ok(None),
        },
    };
    let source = read_any(means.root, &from.board, from.no)?;
    match (&source.thread.op().moved, logged) {
        (Some(_), Some(_)) => Ok(None),
        (Some(there), None) => Err(was_moved(&from, there)),
        (None, _) => carry(means, home, numbers, source, Some(undone), logged).map(Some),
    }
}

fn was_moved(key: &ThreadKey, there: &PostKey) -> ActError {
    ActError::Refused(format!("thread {} of `{}` was moved to `{there}`; undo that first", key.no, key.board))
}

/// Plans how the posts of `source` go to a board: back to the thread they came from if `undone` carried them here.
fn carry(
    means: &Means,
    board: &Board,
    numbers: &mut Numbers,
    mut source: Wanted,
    undone: Option<&Carried>,
    logged: Option<&Carried>,
) -> Result<Carrying, ActError> {
    let from = source.key.clone();
    if !source.thread.visible() {
        return Err(ActError::Refused(format!("thread {} of `{}` is deleted", from.no, from.board)));
    }
    let mut known: BTreeMap<PostNo, PostNo> = BTreeMap::new();
    if let Some(undone) = undone {
        known.extend(undone.numbers.iter().map(|(there, here)| (*here, *there)));
    }
    known.extend(logged.iter().flat_map(|logged| &logged.numbers).copied());
    let mut free = Free { means, board, numbers, last: None };
    let mut no = undone.map(|undone| undone.from.no).or_else(|| known.get(&from.no).copied());
    let mut there = no.map(|no| target_of(means, board, no)).transpose()?.flatten();
    let is_taken = |there: Option<&Wanted>, no: PostNo| {
        board.thread_of(no).is_some_and(|thread| Some(thread) != there.map(|there| there.key.no))
    };
    let lost = match &there {
        Some(there) => !is_same(&there.thread, &source.thread),
        None => known.values().any(|no| is_taken(None, *no)),
    };
    if undone.is_none() && lost {
        // A power cut has taken the numbers away before they were written down, and another thread has got them since.
        (known, no, there) = (BTreeMap::new(), None, None);
    }
    for post in there.iter().flat_map(|there| &there.thread.posts) {
        known.extend(post.moved.as_ref().filter(|moved| moved.board == from.board).map(|moved| (moved.no, post.no)));
    }
    let no = match no {
        Some(no) => no,
        None => free.thread()?,
    };
    known.insert(from.no, no);
    for post in &source.thread.posts {
        if known.get(&post.no).is_none_or(|no| is_taken(there.as_ref(), *no)) {
            known.insert(post.no, free.post()?);
        }
    }
    let last = free.last;
    let rename = |quote: &Quote| renamed(quote, &from.board, &board.slug, &|no| known.get(&no).copied());
    let key = ThreadKey { board: board.slug.clone(), no };
    let mut target = there.unwrap_or_else(|| {
        let thread = Thread { flags: ThreadFlags::default(), changed: None, posts: Vec::new() };
        Wanted::of(key.clone(), thread)
    });
    target.thread.flags = source.thread.flags;
    let mut posts: BTreeMap<PostNo, Post> = target.thread.posts.drain(..).map(|post| (post.no, post)).collect();
    let mut gone = Vec::with_capacity(source.thread.posts.len());
    let mut pairs = Vec::with_capacity(source.thread.posts.len());
    for post in source.thread.posts {
        let no = known[&post.no];
        pairs.push((post.no, no));
        gone.push(Post { moved: Some(PostKey { board: board.slug.clone(), no }), ..tombstone(&post) });
        // What stands there already has come before a crash.
        if posts.get(&no).is_none_or(|there| there.moved.is_some()) {
            let body = (means.rename)(&post.body, &rename);
            posts.insert(no, Post { no, body, ..post });
        }
    }
    target.thread.posts = posts.into_values().collect();
    source.thread.posts = gone;
    source.thread.flags = ThreadFlags::default();
    if let Some(last) = last {
        // Before anybody can be given them, whatever becomes of the writing.
        numbers.used(&board.slug, last);
        numbers.save(&board.slug);
    }
    Ok(Carrying { carried: Carried { from, to: key, numbers: pairs }, target, source })
}

/// The thread of a board, if there is a file.
fn target_of(means: &Means, board: &Board, no: PostNo) -> Result<Option<Wanted>, ActError> {
    let key = ThreadKey { board: board.slug.clone(), no };
    match content::path_of(means.root, &key).exists() {
        true => read_any(means.root, &board.slug, no).map(Some),
        false => Ok(None),
    }
}

/// Whether both are the same thread, before it is wholly carried.
fn is_same(there: &Thread, here: &Thread) -> bool {
    there.op().at == here.op().at && there.op().id == here.op().id
}

/// Numbers of a board that nothing has.
struct Free<'a> {
    means: &'a Means<'a>,
    board: &'a Board,
    numbers: &'a Numbers,
    last: Option<PostNo>,
}

impl Free<'_> {
    fn post(&mut self) -> Result<PostNo, ActError> {
        let next = self.last.map_or_else(|| self.numbers.next(&self.board.slug), PostNo::next);
        self.last = next;
        next.ok_or_else(|| ActError::Refused(format!("`{}` has used all its numbers", self.board.slug)))
    }

    /// One that a hand has just made a file of is passed over.
    fn thread(&mut self) -> Result<PostNo, ActError> {
        loop {
            let key = ThreadKey { board: self.board.slug.clone(), no: self.post()? };
            if content::path_of(self.means.root, &key).symlink_metadata().is_err() {
                return Ok(key.no);
            }
        }
    }
}

/// What a quote is called once its post has gone from one board to another, and with it the posts of which `carried` tells
/// the new numbers. `None` if it stays as it is.
fn renamed(
    quote: &Quote,
    from: &BoardSlug,
    to: &BoardSlug,
    carried: &dyn Fn(PostNo) -> Option<PostNo>,
) -> Option<Quote> {
    match quote {
        Quote::Post(no) => Some(match carried(*no) {
            Some(no) => Quote::Post(no),
            None => Quote::Cross(from.clone(), *no),
        }),
        Quote::Cross(board, no) if board == from => carried(*no).map(|no| Quote::Cross(to.clone(), no)),
        Quote::Cross(board, no) if board == to => Some(Quote::Post(*no)),
        Quote::Cross(..) | Quote::Board(_) => None,
    }
}

/// Sends a reply after its thread, if that was moved: whoever wrote it had the old page before them.
pub fn follow(site: &Site, arrival: &mut Arrival, rename: Rename) {
    let leads = |board: &Board| arrival.thread.is_some_and(|no| site.forward(board, no).is_some());
    if !site.board(&arrival.board).is_some_and(leads) {
        return;
    }
    while let Some(no) = arrival.thread
        && let Some(summary) = site.board(&arrival.board).and_then(|board| board.thread(no))
        && let Some(PostKey { board: to, no: thread }) = summary.moved_to(no)
    {
        let carried = |no| summary.moved_to(no).filter(|there| there.board == *to).map(|there| there.no);
        arrival.body = rename(&arrival.body, &|quote| renamed(quote, &arrival.board, to, &carried));
        (arrival.board, arrival.thread) = (to.clone(), Some(*thread));
    }
}
