//! Commit: the one place where a post gets its number.
//!
//! Each thread's posts are numbered and written together, and the next number only moves on when their file is
//! there. So a full disk leaves no gap, and posts that could not be written stay in the inbox, to be tried again.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::numbers::Numbers;
use super::thread_file;
use crate::disk::{self, DiskError, Draft};
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
    let groups = group(site, arrivals, &mut committed);
    let mut committing = Committing { content, site, numbers, now, drafts: Vec::new(), bytes: 0, committed };
    for group in groups {
        match group {
            Group::New(arrival) => committing.start_thread(arrival),
            Group::Replies(key, replies) => committing.add_replies(key, replies),
        }
        if DRAFTS_TOGETHER <= committing.drafts.len() || DRAFT_BYTES_TOGETHER <= committing.bytes {
            committing.write_drafts();
        }
    }
    committing.write_drafts();
    committing.sync_folders();
    committing.committed
}

/// Thread files that are written at the same time: a disk syncs many about as quickly as one.
const DRAFTS_TOGETHER: usize = 64;

/// Bytes of thread files that are held until they are written.
const DRAFT_BYTES_TOGETHER: usize = 16 << 20;

/// Threads of the process that write drafts. They mostly wait for the disk.
const WRITERS: usize = 8;

/// Posts of one thread, in the order in which they came.
enum Group {
    New(Arrival),
    Replies(ThreadKey, Vec<Arrival>),
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

/// A commit on its way.
struct Committing<'a> {
    content: &'a Path,
    site: &'a Site,
    numbers: &'a mut Numbers,
    now: DateTime<Utc>,
    /// What is to be written next, in the order of numbers on each board.
    drafts: Vec<Planned>,
    /// The size of those.
    bytes: usize,
    committed: Committed,
}

/// A thread file that is to be written.
struct Planned {
    key: ThreadKey,
    bytes: Vec<u8>,
    thread: Thread,
    /// How the file looks that it replaces; `None` for a new thread.
    old: Option<Stamp>,
    /// The posts that are new in it.
    added: Vec<Arrival>,
}

impl Committing<'_> {
    fn folder(&self, board: &BoardSlug) -> PathBuf {
        self.content.join(board.as_str())
    }

    fn start_thread(&mut self, arrival: Arrival) {
        let key = |no| ThreadKey { board: arrival.board.clone(), no };
        match self.existing_thread(&arrival) {
            Ok(None) => {}
            Ok(Some(no)) => {
                self.committed.placed.push(Placed { id: arrival.id.clone(), key: key(no), no });
                return;
            }
            Err(error) => return fail(vec![arrival], error, &mut self.committed),
        }
        let Some(no) = self.free_number(&arrival.board) else {
            self.committed.refused.push((arrival, Refusal::NumbersUsedUp));
            return;
        };
        let post = arrival.clone().into_post(no, arrival.at.unwrap_or(self.now));
        let thread = Thread { flags: ThreadFlags::default(), changed: None, posts: vec![post] };
        self.plan(Planned {
            key: key(no),
            bytes: thread_file::write(&thread),
            thread,
            old: None,
            added: vec![arrival],
        });
    }

    fn plan(&mut self, planned: Planned) {
        self.bytes += planned.bytes.len();
        self.drafts.push(planned);
    }

    /// The number after all that are used, or planned to be.
    fn next_number(&self, board: &BoardSlug) -> Option<PostNo> {
        let last = self.drafts.iter().rev().find(|planned| planned.key.board == *board).map(Planned::last);
        last.map_or_else(|| self.numbers.next(board), PostNo::next)
    }

    /// The next number whose file is not there yet: one that a hand has just made is not known, and must not be lost.
    fn free_number(&self, board: &BoardSlug) -> Option<PostNo> {
        let mut no = self.next_number(board)?;
        while fs::symlink_metadata(thread_path(&self.folder(board), no)).is_ok() {
            no = no.next()?;
        }
        Some(no)
    }

    /// The thread that this very post has opened before: earlier in this batch, or before a crash. An error if that
    /// cannot be told now; the post would be there twice if that were taken for a no.
    fn existing_thread(&mut self, arrival: &Arrival) -> Result<Option<PostNo>, DiskError> {
        let opens = |thread: &Thread| thread.op().id.as_ref() == Some(&arrival.id);
        let planned = |planned: &Planned| planned.key.board == arrival.board && opens(&planned.thread);
        if self.drafts.iter().any(planned) {
            self.write_drafts();
        }
        let mut written = self.committed.written.iter().filter(|written| written.key.board == arrival.board);
        if let Some(written) = written.find(|written| opens(&written.thread)) {
            return Ok(Some(written.key.no));
        }
        let board = self.site.board(&arrival.board);
        let Some(no) = board.and_then(|board| board.thread_by_op_id(id_hash(arrival.id.as_str()))) else {
            return Ok(None);
        };
        let path = thread_path(&self.folder(&arrival.board), no);
        let bytes = match disk::read(&path) {
            Err(error) if error.is_absent() => return Ok(None),
            read => read?,
        };
        Ok(thread_file::read(&path, &bytes).thread.filter(opens).map(|_| no))
    }

    fn add_replies(&mut self, key: ThreadKey, replies: Vec<Arrival>) {
        let (stamp, bytes, mut thread) = match self.read_thread(&key) {
            Ok(read) => read,
            Err(error) => return fail(replies, error, &mut self.committed),
        };
        let (there, new): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| stands(&thread, reply).is_some());
        self.committed.placed.extend(there.iter().filter_map(|reply| place(&key, &thread, reply)));
        if thread.flags.closed() {
            self.committed.refused.extend(new.into_iter().map(|reply| (reply, Refusal::Locked)));
            return;
        }
        let held = thread.posts.len();
        // A hand may have added posts since the file was read last.
        let highest = thread.posts.iter().map(|post| post.no).max();
        let free = |next: PostNo| highest.filter(|highest| next <= *highest).map_or(Some(next), PostNo::next);
        let mut next = self.next_number(&key.board).and_then(free);
        let mut added = Vec::new();
        for reply in new {
            // The same post may have come twice in this batch.
            if added.iter().any(|other: &Arrival| other.id == reply.id) {
                added.push(reply);
                continue;
            }
            let Some(no) = next else {
                self.committed.refused.push((reply, Refusal::NumbersUsedUp));
                continue;
            };
            next = no.next();
            // A clock that goes back must not make a thread's times go back.
            let earliest = thread.posts.last().map(|post| post.at).unwrap_or_default();
            thread.posts.push(reply.clone().into_post(no, reply.at.unwrap_or(self.now).max(earliest)));
            added.push(reply);
        }
        if held < thread.posts.len() {
            let bytes = thread_file::append(&bytes, &thread.posts[held..]);
            self.plan(Planned { key, bytes, thread, old: Some(stamp), added });
        }
    }

    fn read_thread(&mut self, key: &ThreadKey) -> Result<(Stamp, Vec<u8>, Thread), DiskError> {
        let path = thread_path(&self.folder(&key.board), key.no);
        // Before it is read: what changes afterwards is seen when it is to be replaced.
        let meta = fs::metadata(&path).map_err(DiskError::doing("look at", &path))?;
        let bytes = disk::read(&path)?;
        let reading = thread_file::read(&path, &bytes);
        self.committed.problems.extend(reading.problems);
        let unreadable = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no thread file any more");
        let thread = reading.thread.ok_or_else(unreadable).map_err(DiskError::doing("add a reply to", &path))?;
        Ok((disk::stamp(&meta), bytes, thread))
    }

    /// Writes what is planned: all bytes at the same time, then the names in the order of the numbers. If one fails,
    /// those of its board that come after it would leave a gap, and are done again, one by one.
    fn write_drafts(&mut self) {
        let planned = std::mem::take(&mut self.drafts);
        self.bytes = 0;
        let paths: Vec<PathBuf> =
            planned.iter().map(|planned| thread_path(&self.folder(&planned.key.board), planned.key.no)).collect();
        let drafts = write_together(&planned, paths);
        let mut broken: BTreeSet<BoardSlug> = BTreeSet::new();
        let mut again = Vec::new();
        for (planned, draft) in planned.into_iter().zip(drafts) {
            if broken.contains(&planned.key.board) {
                again.push(planned);
                continue;
            }
            let placed = draft.and_then(|draft| match &planned.old {
                Some(old) => draft.replace(old),
                None => draft.place(),
            });
            match placed {
                Ok(stamp) => self.note_written(planned, stamp),
                Err(error) => {
                    broken.insert(planned.key.board.clone());
                    fail(planned.added, error, &mut self.committed);
                }
            }
        }
        again.into_iter().for_each(|planned| self.plan_again(planned));
    }

    fn plan_again(&mut self, planned: Planned) {
        match planned.old {
            Some(_) => self.add_replies(planned.key, planned.added),
            None => planned.added.into_iter().for_each(|arrival| self.start_thread(arrival)),
        }
        self.write_drafts();
    }

    fn note_written(&mut self, planned: Planned, stamp: Stamp) {
        self.numbers.used(&planned.key.board, planned.last());
        let Planned { key, bytes, thread, added, .. } = planned;
        self.committed.placed.extend(added.iter().filter_map(|arrival| place(&key, &thread, arrival)));
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        self.committed.written.push(Written { key, thread: Arc::new(thread), stamp, hash });
    }

    /// Makes the new names durable, and remembers the numbers.
    fn sync_folders(&mut self) {
        let boards: BTreeSet<BoardSlug> =
            self.committed.written.iter().map(|written| written.key.board.clone()).collect();
        for board in boards {
            if let Err(error) = disk::sync_folder(&self.folder(&board)) {
                self.committed.problems.push(Problem::new(&error.path, error.to_string()));
                self.committed.unsynced.push(board.clone());
            }
            self.numbers.save(&board);
        }
    }
}

impl Planned {
    /// The highest number in it. New posts come last, and above all others.
    fn last(&self) -> PostNo {
        self.thread.posts.last().map_or(self.key.no, |post| post.no)
    }
}

/// Writes the drafts of thread files, several at a time, in the order in which they came.
fn write_together(planned: &[Planned], paths: Vec<PathBuf>) -> Vec<Result<Draft, DiskError>> {
    let work: Vec<(&Planned, PathBuf)> = planned.iter().zip(paths).collect();
    if work.len() < 2 {
        return work.into_iter().map(|(planned, path)| Draft::write(path, &planned.bytes)).collect();
    }
    let share = work.len().div_ceil(WRITERS);
    std::thread::scope(|scope| {
        let write = |chunk: &[(&Planned, PathBuf)]| -> Vec<Result<Draft, DiskError>> {
            chunk.iter().map(|(planned, path)| Draft::write(path.clone(), &planned.bytes)).collect()
        };
        let writers: Vec<_> = work.chunks(share).map(|chunk| scope.spawn(move || write(chunk))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
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

/// The file of a thread in its board's folder.
pub fn thread_path(folder: &Path, no: PostNo) -> PathBuf {
    folder.join(format!("{no}.md"))
}
