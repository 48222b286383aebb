//! A look at what a back-up holds: are all posts there to be read, and each once?
//!
//! Nothing is written, nothing is drawn and no theme is needed, so a copy can be looked at anywhere, and a site while
//! it runs.

use std::collections::HashSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

use super::content::{self, ContentError, Found};
use super::inbox::{Inbox, Taking};
use super::thread_file;
use crate::disk::{self, DiskError};
use crate::model::summary::id_hash;
use crate::model::{PostNo, Problem, ThreadKey};

/// What was found.
#[derive(Default, Debug)]
pub struct Audit {
    /// Boards.
    pub boards: usize,
    /// Thread files that can be read.
    pub threads: usize,
    /// Posts in them, removed ones too.
    pub posts: usize,
    /// Posts in the inbox that are in no thread yet.
    pub waiting: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Where a post stands. An id is told by its hash: there may be millions.
#[derive(Clone, Copy)]
struct Entry {
    no: PostNo,
    thread: PostNo,
    /// Of its board, by the order of names.
    board: u32,
    id_hash: Option<u64>,
}

/// Reads all threads below `root`, and the inbox. `tick` is called for each file.
pub fn audit(root: &Path, inbox: &Path, tick: &(impl Fn() + Sync)) -> Result<Audit, ContentError> {
    let frame = content::read_frame(root)?;
    let mut audit = Audit { boards: frame.boards.len(), problems: frame.problems, ..Audit::default() };
    let mut entries: Vec<Entry> = Vec::new();
    for (nth, board) in frame.boards.iter().enumerate() {
        let mut files = Vec::new();
        let mut found = Found::default();
        let folder = root.join("content").join(board.slug.as_str());
        content::list_threads(&folder, &board.slug, &mut files, &mut found)?;
        files.sort();
        audit.problems.extend(found.problems);
        let read = files.par_iter().map(|(key, path)| {
            tick();
            read_entries(key, path, nth as u32)
        });
        for (posts, problems) in read.collect::<Vec<_>>() {
            audit.threads += usize::from(!posts.is_empty());
            audit.posts += posts.len();
            audit.problems.extend(problems);
            entries.extend(posts);
        }
    }
    let path_of = |entry: &Entry| {
        let key = ThreadKey { board: frame.boards[entry.board as usize].slug.clone(), no: entry.thread };
        content::path_of(root, &key)
    };
    audit.problems.extend(same_numbers(&mut entries, path_of));
    audit.problems.extend(same_ids(&mut entries, path_of));
    audit.look_into_inbox(inbox, &entries)?;
    Ok(audit)
}

fn read_entries(key: &ThreadKey, path: &Path, board: u32) -> (Vec<Entry>, Vec<Problem>) {
    let bytes = match disk::read(path) {
        Ok(bytes) => bytes,
        // Somebody who is at work there has removed it since it was listed.
        Err(error) if error.is_absent() => return (Vec::new(), Vec::new()),
        Err(error) => return (Vec::new(), vec![Problem::new(path, format!("cannot be read: {}", error.source))]),
    };
    if thread_file::FILE_BYTES_MAX < bytes.len() {
        let message = format!("this file is larger than {} bytes", thread_file::FILE_BYTES_MAX);
        return (Vec::new(), vec![Problem::new(path, message)]);
    }
    let reading = match content::unpanicked(path, || thread_file::read(path, &bytes)) {
        Ok(reading) => reading,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let posts = reading.thread.map(|thread| thread.posts).unwrap_or_default();
    let hash = |id: &crate::model::PostId| id_hash(id.as_str());
    let entry = |post: &crate::model::Post| {
        // Of a post that was moved, the id stands with it too.
        let id = post.id.as_ref().filter(|_| post.moved.is_none());
        Entry { no: post.no, thread: key.no, board, id_hash: id.map(hash) }
    };
    (posts.iter().map(entry).collect(), reading.problems)
}

/// Numbers that two threads of a board claim.
fn same_numbers(entries: &mut [Entry], path_of: impl Fn(&Entry) -> std::path::PathBuf) -> Vec<Problem> {
    entries.sort_unstable_by_key(|entry| (entry.board, entry.no, entry.thread));
    let twice = entries.windows(2).filter(|pair| pair[0].board == pair[1].board && pair[0].no == pair[1].no);
    let told = twice.map(|pair| {
        let message = format!("post number {} is used by `{}` too", pair[1].no, path_of(&pair[0]).display());
        Problem::new(path_of(&pair[1]), message).hint("give the post here a number that is free on its board")
    });
    told.collect()
}

/// Ids that two posts have: then one post was taken for two. Leaves the entries in the order of their ids.
fn same_ids(entries: &mut [Entry], path_of: impl Fn(&Entry) -> std::path::PathBuf) -> Vec<Problem> {
    entries.sort_unstable_by_key(|entry| (entry.id_hash, entry.board, entry.no));
    let twice = entries.windows(2).filter(|pair| pair[0].id_hash.is_some() && pair[0].id_hash == pair[1].id_hash);
    let told = twice.map(|pair| {
        let first = path_of(&pair[0]);
        let message = format!("post {} has the id of post {} in `{}`", pair[1].no, pair[0].no, first.display());
        Problem::new(path_of(&pair[1]), message).hint("it is the same post twice; remove one, or the `id` of one")
    });
    told.collect()
}

impl Audit {
    /// Counts the posts that wait, and tells what lies there and is none.
    fn look_into_inbox(&mut self, folder: &Path, entries: &[Entry]) -> Result<(), DiskError> {
        let inbox = Inbox::at(folder.to_owned());
        let mut waiting: HashSet<u64> = HashSet::new();
        for name in inbox.names()? {
            let path = folder.join(&name);
            // It is not said when the file was written: what makes no sense yet is a problem of the copy.
            match inbox.take(&name, UNIX_EPOCH) {
                Ok(Taking::Posts(posts, bad)) => {
                    self.problems.extend(bad.into_iter().map(|why| Problem::new(&path, why)));
                    let hashes = posts.iter().map(|post| id_hash(post.id.as_str()));
                    let is_new =
                        |hash: &u64| entries.binary_search_by_key(&Some(*hash), |entry| entry.id_hash).is_err();
                    waiting.extend(hashes.filter(is_new));
                }
                // What staff has decided is no post, and carried out where the site runs.
                Ok(Taking::Acts(_)) => {}
                Ok(Taking::Junk(why)) => self.problems.push(Problem::new(&path, format!("this is no post: {why}"))),
                Ok(Taking::Unfinished | Taking::Gone) => {}
                Err(error) => self.problems.push(Problem::new(&path, format!("cannot be read: {}", error.source))),
            }
        }
        self.waiting = waiting.len();
        Ok(())
    }
}
