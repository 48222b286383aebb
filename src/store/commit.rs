//! Commit: the one place where a post gets its number.
//!
//! Each thread's posts are numbered and written together, and the next number only moves on when their file is
//! there. So a full disk leaves no gap, and posts that could not be written stay in the inbox, to be tried again.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
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

/// The first step: gives numbers to `arrivals`, and says what their threads' files are to hold. Nothing is written yet,
/// and no number is used. `site` tells what is there; `now` is the time of posts that have none.
pub fn plan(content: &Path, site: &Site, numbers: &mut Numbers, arrivals: Vec<Arrival>, now: DateTime<Utc>) -> Plan {
    let mut committed = Committed::default();
    let groups = group(site, arrivals, &mut committed);
    let plan = Plan { content: content.to_owned(), now, drafts: Vec::new(), bytes: 0, later: groups.into(), committed };
    let mut committing = Committing { site, numbers, plan };
    committing.fill();
    committing.plan
}

/// Posts that have numbers, and the thread files that would hold them.
pub struct Plan {
    content: PathBuf,
    now: DateTime<Utc>,
    /// What is to be written next, in the order of numbers on each board.
    drafts: Vec<Planned>,
    /// The size of those.
    bytes: usize,
    /// What there was no room for.
    later: VecDeque<Group>,
    committed: Committed,
}

/// What became of each planned file: how it looks now, or why it could not be written. `None` if it was not tried,
/// since one before it on the same board failed.
pub struct Outcome {
    files: Vec<Option<Result<Stamp, DiskError>>>,
    folders: Vec<DiskError>,
}

impl Plan {
    /// The threads as their files will hold them, if all goes well. Of their stamps only the size is known. `None` if
    /// there is more to write than is held at once.
    pub fn foreseen(&self) -> Option<Vec<Written>> {
        let foreseen = |planned: &Planned| {
            let stamp = Stamp { bytes: planned.bytes.len() as u64, ..Stamp::default() };
            planned.written(stamp)
        };
        self.later.is_empty().then(|| self.drafts.iter().map(foreseen).collect())
    }

    /// The second step: writes all bytes at the same time, then the names in the order of the numbers, then makes the
    /// names durable. Needs to know nothing of the site, so that others may look at it meanwhile.
    pub fn write(&self) -> Outcome {
        let paths = self.drafts.iter().map(|planned| self.path(&planned.key)).collect();
        let mut broken: BTreeSet<&BoardSlug> = BTreeSet::new();
        let mut changed: BTreeSet<&BoardSlug> = BTreeSet::new();
        let mut files = Vec::with_capacity(self.drafts.len());
        disk::point("before thread files");
        for (planned, draft) in self.drafts.iter().zip(write_together(&self.drafts, paths)) {
            let board = &planned.key.board;
            if broken.contains(board) {
                files.push(None);
                continue;
            }
            disk::point("before thread file");
            let placed = draft.and_then(|draft| match &planned.old {
                Some(old) => draft.replace(old),
                None => draft.place(),
            });
            disk::point("after thread file");
            let _ = if placed.is_ok() { changed.insert(board) } else { broken.insert(board) };
            files.push(Some(placed));
        }
        let folders = sync_together(changed.into_iter().map(|board| self.folder(board)).collect());
        disk::point("board folders synced");
        Outcome { files, folders }
    }

    /// The last step: notes what was written, and does again what an earlier failure held up. `site` may show the
    /// planned threads by now: what it says of them is looked up in their files.
    pub fn finish(self, outcome: Outcome, site: &Site, numbers: &mut Numbers) -> Committed {
        let mut committing = Committing { site, numbers, plan: self };
        committing.note(outcome);
        while committing.has_more() {
            committing.write_drafts();
        }
        committing.save_numbers();
        committing.plan.committed
    }

    fn add(&mut self, planned: Planned) {
        self.bytes += planned.bytes.len();
        self.drafts.push(planned);
    }

    fn folder(&self, board: &BoardSlug) -> PathBuf {
        self.content.join(board.as_str())
    }

    fn path(&self, key: &ThreadKey) -> PathBuf {
        thread_path(&self.folder(&key.board), key.no)
    }
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

/// A plan, and what is needed to go on with it.
struct Committing<'a> {
    site: &'a Site,
    numbers: &'a mut Numbers,
    plan: Plan,
}

/// A thread file that is to be written.
struct Planned {
    key: ThreadKey,
    bytes: Vec<u8>,
    /// XXH3 of those.
    hash: u64,
    thread: Arc<Thread>,
    /// How the file looks that it replaces; `None` for a new thread.
    old: Option<Stamp>,
    /// The posts that are new in it.
    added: Vec<Arrival>,
}

/// A thread file as it was found.
struct ReadThread {
    stamp: Stamp,
    bytes: Vec<u8>,
    thread: Thread,
    /// Whether there is nothing in it that could not be read, and that would be lost if it was written anew.
    whole: bool,
}

impl Committing<'_> {
    /// Plans as much as may be held at once.
    fn fill(&mut self) {
        while self.plan.drafts.len() < DRAFTS_TOGETHER && self.plan.bytes < DRAFT_BYTES_TOGETHER {
            match self.plan.later.pop_front() {
                None => return,
                Some(Group::New(arrival)) => self.start_thread(arrival),
                Some(Group::Replies(key, replies)) => self.add_replies(key, replies),
            }
        }
    }

    fn has_more(&mut self) -> bool {
        self.fill();
        !self.plan.drafts.is_empty()
    }

    fn start_thread(&mut self, arrival: Arrival) {
        let opens = |planned: &Planned| planned.thread.op().id.as_ref() == Some(&arrival.id);
        let same = |planned: &&mut Planned| planned.key.board == arrival.board && opens(planned);
        // The same post may have come twice in this batch.
        if let Some(planned) = self.plan.drafts.iter_mut().find(same) {
            planned.added.push(arrival);
            return;
        }
        let key = |no| ThreadKey { board: arrival.board.clone(), no };
        match self.existing_thread(&arrival) {
            Ok(None) => {}
            Ok(Some(no)) => {
                self.plan.committed.placed.push(Placed { id: arrival.id.clone(), key: key(no), no });
                return;
            }
            Err(error) => return fail(vec![arrival], error, &mut self.plan.committed),
        }
        let Some(no) = self.free_number(&arrival.board) else {
            self.plan.committed.refused.push((arrival, Refusal::NumbersUsedUp));
            return;
        };
        let post = arrival.clone().into_post(no, arrival.at.unwrap_or(self.plan.now));
        let thread = Arc::new(Thread { flags: ThreadFlags::default(), changed: None, posts: vec![post] });
        let bytes = thread_file::write(&thread);
        self.plan.add(Planned::new(key(no), bytes, thread, None, vec![arrival]));
    }

    /// The number after all that are used, or planned to be.
    fn next_number(&self, board: &BoardSlug) -> Option<PostNo> {
        let last = self.plan.drafts.iter().rev().find(|planned| planned.key.board == *board).map(Planned::last);
        last.map_or_else(|| self.numbers.next(board), PostNo::next)
    }

    /// The next number whose file is not there yet: one that a hand has just made is not known, and must not be lost.
    fn free_number(&self, board: &BoardSlug) -> Option<PostNo> {
        let mut no = self.next_number(board)?;
        while fs::symlink_metadata(thread_path(&self.plan.folder(board), no)).is_ok() {
            no = no.next()?;
        }
        Some(no)
    }

    /// The thread that this very post has opened before: earlier in this batch, or before a crash. An error if that
    /// cannot be told now; the post would be there twice if that were taken for a no.
    fn existing_thread(&self, arrival: &Arrival) -> Result<Option<PostNo>, DiskError> {
        let opens = |thread: &Thread| thread.op().id.as_ref() == Some(&arrival.id);
        let mut written = self.plan.committed.written.iter().filter(|written| written.key.board == arrival.board);
        if let Some(written) = written.find(|written| opens(&written.thread)) {
            return Ok(Some(written.key.no));
        }
        let board = self.site.board(&arrival.board);
        let Some(no) = board.and_then(|board| board.thread_by_op_id(id_hash(arrival.id.as_str()))) else {
            return Ok(None);
        };
        let path = thread_path(&self.plan.folder(&arrival.board), no);
        let bytes = match disk::read(&path) {
            Err(error) if error.is_absent() => return Ok(None),
            read => read?,
        };
        Ok(thread_file::read(&path, &bytes).thread.filter(opens).map(|_| no))
    }

    fn add_replies(&mut self, key: ThreadKey, replies: Vec<Arrival>) {
        let ReadThread { stamp, bytes, mut thread, whole } = match self.read_thread(&key) {
            Ok(read) => read,
            Err(error) => return fail(replies, error, &mut self.plan.committed),
        };
        let there = standing(&thread, &replies);
        self.plan.committed.placed.extend(places(&key, &there, &replies));
        let new: Vec<Arrival> = replies.into_iter().filter(|reply| !there.contains_key(&reply.id)).collect();
        if thread.flags.closed() {
            self.plan.committed.refused.extend(new.into_iter().map(|reply| (reply, Refusal::Locked)));
            return;
        }
        let held = thread.posts.len();
        // A hand may have added posts since the file was read last.
        let highest = thread.posts.iter().map(|post| post.no).max();
        let free = |next: PostNo| highest.filter(|highest| next <= *highest).map_or(Some(next), PostNo::next);
        let mut next = self.next_number(&key.board).and_then(free);
        let mut added = Vec::new();
        let mut ids = HashSet::new();
        for reply in new {
            // The same post may have come twice in this batch.
            if ids.contains(&reply.id) {
                added.push(reply);
                continue;
            }
            let Some(no) = next else {
                self.plan.committed.refused.push((reply, Refusal::NumbersUsedUp));
                continue;
            };
            next = no.next();
            // A clock that goes back must not make a thread's times go back.
            let earliest = thread.posts.last().map(|post| post.at).unwrap_or_default();
            thread.posts.push(reply.clone().into_post(no, reply.at.unwrap_or(self.plan.now).max(earliest)));
            ids.insert(reply.id.clone());
            added.push(reply);
        }
        if held < thread.posts.len() {
            let excess = if whole { self.excess(&key.board, &thread) } else { 0 };
            let bytes = match excess {
                0 => thread_file::append(&bytes, &thread.posts[held..]),
                _ => {
                    thread.posts.drain(1..=excess);
                    thread_file::write(&thread)
                }
            };
            self.plan.add(Planned::new(key, bytes, Arc::new(thread), Some(stamp), added));
        }
    }

    /// How many of its oldest replies a cyclic thread loses. They leave no tombstones, of which it would be full soon;
    /// their numbers are not given again, for the board has higher ones.
    fn excess(&self, board: &BoardSlug, thread: &Thread) -> usize {
        let limit = self.site.board(board).map_or(0, |board| board.settings.reply_limit);
        match thread.flags.cyclic && limit != 0 {
            true => (thread.posts.len() - 1).saturating_sub(limit),
            false => 0,
        }
    }

    fn read_thread(&mut self, key: &ThreadKey) -> Result<ReadThread, DiskError> {
        let path = thread_path(&self.plan.folder(&key.board), key.no);
        // What it looked like before it was read: what changes afterwards is seen when it is to be replaced.
        let (bytes, meta) = disk::read_with_meta(&path)?;
        let reading = thread_file::read(&path, &bytes);
        let whole = reading.problems.is_empty();
        self.plan.committed.problems.extend(reading.problems);
        let unreadable = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no thread file any more");
        let thread = reading.thread.ok_or_else(unreadable).map_err(DiskError::doing("add a reply to", &path))?;
        Ok(ReadThread { stamp: disk::stamp(&meta), bytes, thread, whole })
    }

    fn write_drafts(&mut self) {
        let outcome = self.plan.write();
        self.note(outcome);
    }

    /// Takes note of what was written. If a file failed, those of its board that come after it would leave a gap, and
    /// are done again, one by one.
    fn note(&mut self, outcome: Outcome) {
        let planned = std::mem::take(&mut self.plan.drafts);
        self.plan.bytes = 0;
        for error in outcome.folders {
            let board = error.path.file_name().and_then(|name| BoardSlug::parse(name.to_str()?).ok());
            self.plan.committed.problems.push(Problem::new(&error.path, error.to_string()));
            self.plan.committed.unsynced.extend(board);
        }
        let mut again = Vec::new();
        for (planned, written) in planned.into_iter().zip(outcome.files) {
            match written {
                None => again.push(planned),
                Some(Ok(stamp)) => self.note_written(planned, stamp),
                Some(Err(error)) => fail(planned.added, error, &mut self.plan.committed),
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
        let there = standing(&planned.thread, &planned.added);
        self.plan.committed.placed.extend(places(&planned.key, &there, &planned.added));
        self.plan.committed.written.push(planned.written(stamp));
    }

    fn save_numbers(&mut self) {
        let boards: BTreeSet<&BoardSlug> =
            self.plan.committed.written.iter().map(|written| &written.key.board).collect();
        boards.into_iter().for_each(|board| self.numbers.save(board));
    }
}

impl Planned {
    fn new(key: ThreadKey, bytes: Vec<u8>, thread: Arc<Thread>, old: Option<Stamp>, added: Vec<Arrival>) -> Planned {
        Planned { hash: xxhash_rust::xxh3::xxh3_64(&bytes), key, bytes, thread, old, added }
    }

    fn written(&self, stamp: Stamp) -> Written {
        Written { key: self.key.clone(), thread: self.thread.clone(), stamp, hash: self.hash }
    }

    /// The highest number in it. New posts come last, and above all others.
    fn last(&self) -> PostNo {
        self.thread.posts.last().map_or(self.key.no, |post| post.no)
    }
}

/// Writes the drafts of thread files, in the order in which they came.
fn write_together(planned: &[Planned], paths: Vec<PathBuf>) -> Vec<Result<Draft, DiskError>> {
    let work: Vec<(&Planned, PathBuf)> = planned.iter().zip(paths).collect();
    together(&work, |(planned, path)| Draft::write(path.clone(), &planned.bytes))
}

/// Makes the names in folders durable. Gives the failures.
fn sync_together(folders: Vec<PathBuf>) -> Vec<DiskError> {
    together(&folders, |folder| disk::sync_folder(folder)).into_iter().filter_map(Result::err).collect()
}

/// Does something that waits for the disk for all of `work`, several at a time. The results are in the order of the
/// work.
fn together<T: Sync, R: Send>(work: &[T], wait: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if work.len() < 2 {
        return work.iter().map(wait).collect();
    }
    std::thread::scope(|scope| {
        let wait = &wait;
        let chunks = work.chunks(work.len().div_ceil(WRITERS));
        let writers: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || chunk.iter().map(wait).collect::<Vec<R>>())).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Which of the arrivals stand in the thread, by their ids, and with what number. One look at each post, as both may be
/// many.
fn standing<'a>(thread: &'a Thread, arrivals: &[Arrival]) -> HashMap<&'a PostId, PostNo> {
    let wanted: HashSet<&PostId> = arrivals.iter().map(|arrival| &arrival.id).collect();
    let ids = thread.posts.iter().filter_map(|post| Some((post.id.as_ref()?, post.no)));
    ids.filter(|(id, _)| wanted.contains(id)).collect()
}

fn places(key: &ThreadKey, there: &HashMap<&PostId, PostNo>, arrivals: &[Arrival]) -> Vec<Placed> {
    let place =
        |arrival: &Arrival| Some(Placed { id: arrival.id.clone(), key: key.clone(), no: *there.get(&arrival.id)? });
    arrivals.iter().filter_map(place).collect()
}

fn fail(arrivals: Vec<Arrival>, error: DiskError, committed: &mut Committed) {
    let error = Arc::new(error);
    committed.failed.extend(arrivals.into_iter().map(|arrival| (arrival, error.clone())));
}

/// The file of a thread in its board's folder.
pub fn thread_path(folder: &Path, no: PostNo) -> PathBuf {
    folder.join(format!("{no}.md"))
}
