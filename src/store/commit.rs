//! Commit: the one place where a post gets its number.
//!
//! Each thread's posts are numbered and written together, and the next number only moves on when their file is
//! there. So a full disk leaves no gap, and posts that could not be written stay in the inbox, to be tried again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::numbers::Numbers;
use super::thread_file;
use crate::disk::{self, DiskError};
use crate::model::summary::id_hash;
use crate::model::{Arrival, BoardSlug, PostId, PostNo, Problem, Refusal, Site, Stamp, Thread, ThreadFlags, ThreadKey};

/// What became of a batch.
#[derive(Default)]
pub struct Committed {
    /// Posts that are in their thread's file now, or were there already.
    pub placed: Vec<Placed>,
    /// Posts that can never be taken, and why.
    pub refused: Vec<(Arrival, Refusal)>,
    /// Posts that could not be written this time. Their inbox files must stay.
    pub failed: Vec<(Arrival, Arc<DiskError>)>,
    /// Thread files that are different now.
    pub written: Vec<Written>,
    /// Boards whose new names may not be durable yet. The inbox files of their posts must stay; the posts are found
    /// again by their ids.
    pub unsynced: Vec<BoardSlug>,
    /// What was wrong with thread files that were read on the way.
    pub problems: Vec<Problem>,
}

/// Where a post stands.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its id.
    pub id: PostId,
    /// Its thread.
    pub key: ThreadKey,
    /// Its number.
    pub no: PostNo,
}

/// A thread file that was written, as reading it would give it.
pub struct Written {
    /// The thread.
    pub key: ThreadKey,
    /// What it holds now.
    pub thread: Arc<Thread>,
    /// How the file looks.
    pub stamp: Stamp,
    /// XXH3 of its bytes.
    pub hash: u64,
}

/// Gives numbers to `arrivals` and puts them into their threads' files. `site` tells what is there; `now` is the time
/// of posts that have none.
pub fn commit(
    content: &Path,
    site: &Site,
    numbers: &mut Numbers,
    arrivals: Vec<Arrival>,
    now: DateTime<Utc>,
) -> Committed {
    let mut committed = Committed::default();
    let mut folders: BTreeMap<BoardSlug, PathBuf> = BTreeMap::new();
    for group in group(site, arrivals, &mut committed) {
        let board = group.board().clone();
        let folder = folders.entry(board.clone()).or_insert_with(|| content.join(board.as_str()));
        write_group(folder, site, numbers, group, now, &mut committed);
    }
    sync(&folders, &mut committed);
    for board in folders.keys() {
        numbers.save(board);
    }
    committed
}

/// Posts of one thread, in the order in which they came.
enum Group {
    New(Arrival),
    Replies(ThreadKey, Vec<Arrival>),
}

impl Group {
    fn board(&self) -> &BoardSlug {
        match self {
            Group::New(arrival) => &arrival.board,
            Group::Replies(key, _) => &key.board,
        }
    }
}

/// Sorts posts by thread, and out those that can never be taken.
fn group(site: &Site, arrivals: Vec<Arrival>, committed: &mut Committed) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at: HashMap<ThreadKey, usize> = HashMap::new();
    for arrival in arrivals {
        match thread_for(site, &arrival) {
            Err(why) => committed.refused.push((arrival, why)),
            Ok(None) => groups.push(Group::New(arrival)),
            Ok(Some(key)) => {
                let index = *at.entry(key.clone()).or_insert_with(|| {
                    groups.push(Group::Replies(key, Vec::new()));
                    groups.len() - 1
                });
                if let Group::Replies(_, replies) = &mut groups[index] {
                    replies.push(arrival);
                }
            }
        }
    }
    groups
}

/// The thread that a post answers, `None` for a new one, or why it can have none.
fn thread_for(site: &Site, arrival: &Arrival) -> Result<Option<ThreadKey>, Refusal> {
    let board = site.board(&arrival.board).ok_or(Refusal::NoSuchBoard)?;
    let Some(no) = arrival.thread else { return Ok(None) };
    match (board.visible(no), board.thread_of(no)) {
        (Some(_), _) => Ok(Some(ThreadKey { board: arrival.board.clone(), no })),
        (None, Some(thread)) if thread != no => Err(Refusal::NotAThread(thread)),
        _ => Err(Refusal::NoSuchThread),
    }
}

fn write_group(
    folder: &Path,
    site: &Site,
    numbers: &mut Numbers,
    group: Group,
    now: DateTime<Utc>,
    committed: &mut Committed,
) {
    match group {
        Group::New(arrival) => start_thread(folder, site, numbers, arrival, now, committed),
        Group::Replies(key, replies) => add_replies(folder, numbers, &key, replies, now, committed),
    }
}

fn start_thread(
    folder: &Path,
    site: &Site,
    numbers: &mut Numbers,
    arrival: Arrival,
    now: DateTime<Utc>,
    committed: &mut Committed,
) {
    let id = arrival.id.clone();
    match existing_thread(folder, site, &arrival, committed) {
        Ok(None) => {}
        Ok(Some(no)) => {
            committed.placed.push(Placed { id, key: ThreadKey { board: arrival.board, no }, no });
            return;
        }
        Err(error) => return fail(vec![arrival], error, committed),
    }
    let Some(no) = free_number(folder, numbers, &arrival.board) else {
        committed.refused.push((arrival, Refusal::NumbersUsedUp));
        return;
    };
    let key = ThreadKey { board: arrival.board.clone(), no };
    let at = arrival.at.unwrap_or(now);
    let post = arrival.clone().into_post(no, at);
    let thread = Thread { flags: ThreadFlags::default(), changed: None, posts: vec![post] };
    match write_thread(folder, &key, &thread_file::write(&thread), thread) {
        Ok(written) => {
            numbers.used(&key.board, no);
            committed.written.push(written);
            committed.placed.push(Placed { id, key, no });
        }
        Err(error) => committed.failed.push((arrival, Arc::new(error))),
    }
}

/// The next number whose file is not there yet: one that a hand has just made is not known, and must not be lost.
fn free_number(folder: &Path, numbers: &Numbers, board: &BoardSlug) -> Option<PostNo> {
    let mut no = numbers.next(board)?;
    while fs::symlink_metadata(thread_path(folder, no)).is_ok() {
        no = no.next()?;
    }
    Some(no)
}

/// The thread that this very post has opened before: earlier in this batch, or before a crash. An error if that cannot
/// be told now; the post would be there twice if that were taken for a no.
fn existing_thread(
    folder: &Path,
    site: &Site,
    arrival: &Arrival,
    committed: &Committed,
) -> Result<Option<PostNo>, DiskError> {
    let opens = |thread: &Thread| thread.op().id.as_ref() == Some(&arrival.id);
    let mut written = committed.written.iter().filter(|written| written.key.board == arrival.board);
    if let Some(written) = written.find(|written| opens(&written.thread)) {
        return Ok(Some(written.key.no));
    }
    let board = site.board(&arrival.board);
    let Some(no) = board.and_then(|board| board.thread_by_op_id(id_hash(arrival.id.as_str()))) else {
        return Ok(None);
    };
    let path = thread_path(folder, no);
    let bytes = match disk::read(&path) {
        Err(error) if error.is_absent() => return Ok(None),
        read => read?,
    };
    Ok(thread_file::read(&path, &bytes).thread.filter(opens).map(|_| no))
}

fn add_replies(
    folder: &Path,
    numbers: &mut Numbers,
    key: &ThreadKey,
    replies: Vec<Arrival>,
    now: DateTime<Utc>,
    committed: &mut Committed,
) {
    let path = thread_path(folder, key.no);
    let read = disk::read(&path).and_then(|old| {
        let reading = thread_file::read(&path, &old);
        committed.problems.extend(reading.problems);
        let unreadable = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no thread file any more");
        let thread = reading.thread.ok_or_else(unreadable).map_err(DiskError::doing("add a reply to", &path))?;
        Ok((old, thread))
    });
    let (old, mut thread) = match read {
        Ok(read) => read,
        Err(error) => return fail(replies, error, committed),
    };
    if thread.flags.closed() {
        let refuse = |arrival| (arrival, Refusal::Locked);
        let (there, closed_to): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| stands(&thread, reply).is_some());
        committed.refused.extend(closed_to.into_iter().map(refuse));
        committed.placed.extend(there.iter().filter_map(|reply| place(key, &thread, reply)));
        return;
    }
    let held = thread.posts.len();
    // A hand may have added posts since the file was read last.
    let highest = thread.posts.iter().map(|post| post.no).max();
    let free = |next: PostNo| highest.filter(|highest| next <= *highest).map_or(Some(next), PostNo::next);
    let mut next = numbers.next(&key.board).and_then(free);
    let mut added = Vec::new();
    for reply in replies {
        if stands(&thread, &reply).is_some() {
            committed.placed.extend(place(key, &thread, &reply));
            continue;
        }
        let Some(no) = next else {
            committed.refused.push((reply, Refusal::NumbersUsedUp));
            continue;
        };
        next = no.next();
        // A clock that goes back must not make a thread's times go back.
        let earliest = thread.posts.last().map(|post| post.at).unwrap_or_default();
        thread.posts.push(reply.clone().into_post(no, reply.at.unwrap_or(now).max(earliest)));
        added.push(reply);
    }
    let Some(last) = thread.posts[held..].last().map(|post| post.no) else { return };
    let bytes = thread_file::append(&old, &thread.posts[held..]);
    match write_thread(folder, key, &bytes, thread) {
        Ok(written) => {
            numbers.used(&key.board, last);
            committed.placed.extend(added.iter().filter_map(|reply| place(key, &written.thread, reply)));
            committed.written.push(written);
        }
        Err(error) => fail(added, error, committed),
    }
}

/// The number of the post of this id in the thread.
fn stands(thread: &Thread, arrival: &Arrival) -> Option<PostNo> {
    // The latest first: that is where a post stands whose inbox file a crash has left.
    thread.posts.iter().rev().find(|post| post.id.as_ref() == Some(&arrival.id)).map(|post| post.no)
}

fn place(key: &ThreadKey, thread: &Thread, arrival: &Arrival) -> Option<Placed> {
    Some(Placed { id: arrival.id.clone(), key: key.clone(), no: stands(thread, arrival)? })
}

fn fail(arrivals: Vec<Arrival>, error: DiskError, committed: &mut Committed) {
    let error = Arc::new(error);
    committed.failed.extend(arrivals.into_iter().map(|arrival| (arrival, error.clone())));
}

fn write_thread(folder: &Path, key: &ThreadKey, bytes: &[u8], thread: Thread) -> Result<Written, DiskError> {
    let path = thread_path(folder, key.no);
    let stamp = disk::replace_stamped(&path, bytes)?;
    let hash = xxhash_rust::xxh3::xxh3_64(bytes);
    Ok(Written { key: key.clone(), thread: Arc::new(thread), stamp, hash })
}

/// Makes the new names durable.
fn sync(folders: &BTreeMap<BoardSlug, PathBuf>, committed: &mut Committed) {
    let boards: BTreeSet<&BoardSlug> = committed.written.iter().map(|written| &written.key.board).collect();
    for board in boards {
        if let Err(error) = disk::sync_folder(&folders[board]) {
            committed.problems.push(Problem::new(&error.path, error.to_string()));
            committed.unsynced.push(board.clone());
        }
    }
}

/// The file of a thread in its board's folder.
pub fn thread_path(folder: &Path, no: PostNo) -> PathBuf {
    folder.join(format!("{no}.md"))
}
