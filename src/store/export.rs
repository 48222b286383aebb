//! Boards and threads as lines of JSON: the inverse of [`super::import::jsonl`].
//!
//! Whatever a thread's file holds stands in its lines, so that the thread can be made again from them to the letter. The
//! order is that of names and numbers, and no line depends on the time: the same content gives the same bytes. One thread
//! is held at a time.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::content::{self, ContentError, Found};
use super::import::jsonl::LINE_BYTES_MAX;
use super::import::numbers::Numbers;
use super::thread_file;
use crate::disk;
use crate::model::settings::BoardInfo;
use crate::model::{BoardSlug, Post, PostKey, Problem, Thread, ThreadKey};

/// What an export came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Exported {
    /// Boards.
    pub boards: u64,
    /// Threads.
    pub threads: u64,
    /// Posts, removed ones included.
    pub posts: u64,
}

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The site or its settings.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A board that was asked for.
    #[error("there is no board `{0}`")]
    NoBoard(BoardSlug),
    /// What was read could not be written.
    #[error("cannot write what was read")]
    Write(#[source] io::Error),
}

/// The first line.
#[derive(Serialize)]
struct CorpusLine {
    kind: &'static str,
    version: u64,
    exact: bool,
}

#[derive(Serialize)]
struct BoardLine<'a> {
    kind: &'static str,
    board: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    about: &'a str,
}

#[derive(Serialize)]
struct ThreadLine<'a> {
    kind: &'static str,
    board: &'a str,
    thread: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "is_off")]
    sticky: bool,
    #[serde(skip_serializing_if = "is_off")]
    locked: bool,
    #[serde(skip_serializing_if = "is_off")]
    archived: bool,
    #[serde(skip_serializing_if = "is_off")]
    bumplock: bool,
    #[serde(skip_serializing_if = "is_off")]
    cyclic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<i64>,
}

#[derive(Serialize)]
struct PostLine<'a> {
    kind: &'static str,
    board: &'a str,
    thread: u64,
    no: u64,
    time: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    trip: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    poster_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    capcode: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<&'a PostKey>,
    #[serde(skip_serializing_if = "is_off")]
    deleted: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    body: &'a str,
}

// Serde asks with a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_off(flag: &bool) -> bool {
    !flag
}

/// Writes the threads of `boards`, or of all if it is empty, to `out`. `tick` is called for each thread.
///
/// What cannot be read, or could not be read again from its line, is a problem; the rest goes on.
pub fn export(
    root: &Path,
    boards: &[BoardSlug],
    out: &mut dyn Write,
    problem: &mut dyn FnMut(Problem),
    tick: &dyn Fn(),
) -> Result<Exported, ExportError> {
    let frame = content::read_frame(root)?;
    if let Some(slug) = boards.iter().find(|slug| frame.boards.iter().all(|board| board.slug != **slug)) {
        return Err(ExportError::NoBoard(slug.clone()));
    }
    if boards.is_empty() {
        frame.problems.into_iter().for_each(&mut *problem);
    }
    let mut exporting = Exporting { out, problem, line: Vec::new(), came: Exported::default() };
    exporting.line(&CorpusLine { kind: "corpus", version: 1, exact: true })?;
    for board in frame.boards.iter().filter(|board| boards.is_empty() || boards.contains(&board.slug)) {
        exporting.board(root, board, tick)?;
    }
    Ok(exporting.came)
}

struct Exporting<'a> {
    out: &'a mut dyn Write,
    problem: &'a mut dyn FnMut(Problem),
    line: Vec<u8>,
    came: Exported,
}

impl Exporting<'_> {
    fn board(&mut self, root: &Path, board: &BoardInfo, tick: &dyn Fn()) -> Result<(), ExportError> {
        let slug = &board.slug;
        self.came.boards += 1;
        let about = board.settings.description.as_str();
        self.line(&BoardLine { kind: "board", board: slug.as_str(), title: board.title(), about })?;
        let (mut files, mut found) = (Vec::new(), Found::default());
        content::list_threads(&root.join("content").join(slug.as_str()), slug, &mut files, &mut found)
            .map_err(ContentError::from)?;
        found.problems.into_iter().for_each(&mut *self.problem);
        files.sort_unstable();
        let mut numbers = Numbers::default();
        for (key, path) in files {
            if let Some(thread) = self.read(&path) {
                self.thread(&key, &path, &thread, &mut numbers)?;
            }
            tick();
        }
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Option<Thread> {
        let bytes = match disk::read(path) {
            Ok(bytes) => bytes,
            // Somebody who is at work there has removed it since it was listed.
            Err(error) if error.is_absent() => return None,
            Err(error) => {
                (self.problem)(Problem::new(path, format!("cannot be read: {}", error.source)));
                return None;
            }
        };
        if thread_file::FILE_BYTES_MAX < bytes.len() {
            let message = format!("this file is larger than {} bytes", thread_file::FILE_BYTES_MAX);
            (self.problem)(Problem::new(path, message));
            return None;
        }
        match content::unpanicked(path, || thread_file::read(path, &bytes)) {
            Ok(reading) => {
                reading.problems.into_iter().for_each(&mut *self.problem);
                reading.thread
            }
            Err(problem) => {
                (self.problem)(problem);
                None
            }
        }
    }

    fn thread(
        &mut self,
        key: &ThreadKey,
        path: &Path,
        thread: &Thread,
        numbers: &mut Numbers,
    ) -> Result<(), ExportError> {
        let (board, flags) = (key.board.as_str(), thread.flags);
        self.came.threads += 1;
        self.line(&ThreadLine {
            kind: "thread",
            board,
            thread: key.no.get(),
            subject: &thread.op().subject,
            sticky: flags.sticky,
            locked: flags.locked,
            archived: flags.archived,
            bumplock: flags.bumplock,
            cyclic: flags.cyclic,
            changed: thread.changed.map(|time| time.timestamp()),
        })?;
        for (place, post) in thread.posts.iter().enumerate() {
            if !numbers.add(post.no) {
                let message =
                    format!("post number {} stands in an older thread too; an import takes only that", post.no);
                let hint = "give the post here a number that is free on its board";
                (self.problem)(Problem::new(path, message).hint(hint));
            }
            if !self.post(key, place == 0, post)? {
                let message = format!("post {} is longer than a line of {LINE_BYTES_MAX} bytes can be", post.no);
                (self.problem)(Problem::new(path, format!("{message}; it is left out")));
            }
        }
        Ok(())
    }

    /// Writes a post; false if it is too long.
    fn post(&mut self, key: &ThreadKey, opens: bool, post: &Post) -> Result<bool, ExportError> {
        let line = PostLine {
            kind: "post",
            board: key.board.as_str(),
            thread: key.no.get(),
            no: post.no.get(),
            time: post.at.timestamp(),
            name: &post.name,
            trip: &post.trip,
            poster_id: &post.poster_id,
            capcode: &post.capcode,
            // That of the thread stands with the thread.
            subject: if opens { "" } else { &post.subject },
            email: if post.sage { "sage" } else { "" },
            moved: post.moved.as_ref(),
            deleted: post.deleted,
            id: post.id.as_ref().map_or("", |id| id.as_str()),
            body: &post.body,
        };
        self.encode(&line)?;
        let fits = self.line.len() <= LINE_BYTES_MAX;
        if fits {
            self.came.posts += 1;
            self.put()?;
        }
        Ok(fits)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        self.encode(line)?;
        self.put()
    }

    fn encode(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(|error| ExportError::Write(error.into()))
    }

    fn put(&mut self) -> Result<(), ExportError> {
        self.line.push(b'\n');
        self.out.write_all(&self.line).map_err(ExportError::Write)
    }
}
