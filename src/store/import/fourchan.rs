//! Threads as the read API of 4chan and of its relatives (vichan, lainchan, infinity and others) serves them.
//!
//! A thread is one file, `{"posts": [...]}`, and its opening post is the one whose `resto` is 0. The dialects differ in
//! names (`closed` or `locked`, `cyclical`) and in types (`"0"`, `0`, `false`), so every field is read as whatever it
//! is, and only then looked at: a field that is odd costs a post, not its thread. What stands in a folder beside the
//! threads, such as catalogs and pictures, is passed over.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::html;
use super::loose::Loose;
use super::numbers::Numbers;
use super::sources::DEPTH_MAX;
use super::{ImportError, Imported, Report, Sink, Stats, Take, body, field, is_sage, json_fault, moment, trip};
use crate::model::{BoardSlug, Post, PostNo, Problem, Thread, ThreadFlags};

/// A larger file is no thread.
pub const FILE_BYTES_MAX: u64 = 256_000_000;

/// A longer comment is no comment.
pub const COMMENT_BYTES_MAX: usize = 1_000_000;

/// Reads threads from `sources`, files or folders, as threads of `board`. Folders are walked in the order of names.
///
/// A file that cannot be read as a thread is a problem; in a folder, files that are plainly something else are only
/// counted. A thread that came already is a problem, and so is a post whose number came already; what came first counts.
///
/// Fails if a source does not exist, before anything is taken, or if `take` fails.
pub fn fourchan(
    sources: &[PathBuf],
    board: &BoardSlug,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for path in sources {
        fs::metadata(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    }
    let sink = Sink::new(take, problem);
    let mut reading = Reading { board, sink, threads: HashMap::new(), numbers: Numbers::default() };
    for path in sources {
        match path.is_dir() {
            true => reading.folder(path)?,
            false => reading.file(path, Found::Named)?,
        }
    }
    Ok(reading.sink.stats)
}

/// How we came by a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was asked for, so it has to be a thread.
    Named,
    /// It stands in a folder, so it may be something else.
    InFolder,
}

/// A file of the API; a list of threads has none of the fields.
#[derive(Deserialize)]
struct Document {
    posts: Option<Vec<RawPost>>,
}

/// A post as it stands in a file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPost {
    no: Loose,
    resto: Loose,
    time: Loose,
    name: Loose,
    trip: Loose,
    capcode: Loose,
    sub: Loose,
    com: Loose,
    email: Loose,
    sticky: Loose,
    closed: Loose,
    locked: Loose,
    archived: Loose,
    cyclical: Loose,
    cyclic: Loose,
    filename: Loose,
    tim: Loose,
    filedeleted: Loose,
    extra_files: Loose,
    id: Loose,
    country: Loose,
    troll_country: Loose,
    board_flag: Loose,
}

struct Reading<'a, 'b> {
    board: &'a BoardSlug,
    sink: Sink<'b>,
    /// The threads that came, with their files.
    threads: HashMap<PostNo, PathBuf>,
    numbers: Numbers,
}

impl Reading<'_, '_> {
    fn folder(&mut self, path: &Path) -> Result<(), ImportError> {
        for entry in walkdir::WalkDir::new(path).max_depth(DEPTH_MAX).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() && may_be_thread(entry.path()) => {
                    self.file(entry.path(), Found::InFolder)?;
                }
                Ok(entry) => {
                    self.sink.read(entry.metadata().map_or(0, |meta| meta.len()))?;
                    self.sink.stats.skip(entry.path());
                }
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    self.sink.problem(Problem::new(at, format!("cannot be read: {error}")));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, found: Found) -> Result<(), ImportError> {
        let bytes = read(path);
        self.sink.read(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))?;
        match bytes.and_then(|bytes| parse(path, &bytes)) {
            Ok(Some(posts)) => self.thread(path, posts)?,
            Ok(None) if found == Found::InFolder => self.sink.stats.skip(path),
            Ok(None) => {
                let problem = Problem::new(path, "not a thread: there is no `posts`");
                self.sink.problem(problem.hint("give the files of single threads, or a folder of them"));
            }
            Err(problem) => self.sink.problem(*problem),
        }
        self.sink.end_of(path);
        Ok(())
    }

    fn problem(&mut self, path: &Path, message: String) {
        self.sink.problem(Problem::new(path, message));
    }

    fn thread(&mut self, path: &Path, raw: Vec<RawPost>) -> Result<(), ImportError> {
        let Some(no) = self.thread_no(path, &raw) else { return Ok(()) };
        if let Some(earlier) = self.threads.get(&no) {
            let message = format!("thread {no} came already, from `{}`; the first one counts", earlier.display());
            self.problem(path, message);
            return Ok(());
        }
        self.threads.insert(no, path.to_owned());
        let mut flags = ThreadFlags::default();
        let mut posts = Vec::with_capacity(raw.len());
        for (i, raw) in raw.into_iter().enumerate() {
            match self.post_no(no, &raw) {
                Ok(post_no) => {
                    if post_no == no {
                        flags = thread_flags(&raw);
                    }
                    posts.push(self.post(path, post_no, raw));
                }
                Err(why) => self.problem(path, format!("post {} of {no}: {why}; it is left out", i + 1)),
            }
        }
        posts.sort_unstable_by_key(|post| post.no);
        let board = self.board.clone();
        match posts.first() {
            None => Ok(()),
            Some(first) if first.no == no => {
                self.sink.take(Imported::Thread { board, thread: Thread { flags, changed: None, posts } })
            }
            Some(_) => {
                let message = format!("thread {no} has no opening post; its {} replies are left out", posts.len());
                let if_absent = Problem::new(path, message);
                self.sink.take(Imported::Replies { board, thread: no, posts, if_absent })
            }
        }
    }

    /// The number of the thread: that of its opening post, or else what the first reply says that can be read.
    fn thread_no(&mut self, path: &Path, raw: &[RawPost]) -> Option<PostNo> {
        let number = |post: &RawPost| post.no.post_no().filter(|no| post.opens(*no));
        let unsaid = || raw.first().filter(|post| post.resto == Loose::Absent).and_then(|post| post.no.post_no());
        let opening = raw.iter().find_map(number).or_else(unsaid);
        let no = opening.or_else(|| raw.iter().find_map(|post| post.resto.post_no()));
        if no.is_none() {
            let message = if raw.is_empty() { "the thread has no posts" } else { "the thread has no opening post" };
            self.problem(path, message.to_owned());
        }
        no
    }

    /// The number of a post that belongs to `thread`, or why it cannot be taken.
    fn post_no(&mut self, thread: PostNo, raw: &RawPost) -> Result<PostNo, String> {
        let Some(no) = raw.no.post_no() else {
            return Err(format!("its number {} is not one of 1 to {}", raw.no, PostNo::MAX));
        };
        if no != thread && raw.opens(no) {
            return Err(format!("number {no} says that it opens a thread too"));
        }
        let answers = raw.resto.post_no();
        if raw.resto != Loose::Absent && answers != Some(thread) && !raw.opens(no) {
            return Err(format!("number {no} says that it belongs to thread {}", raw.resto));
        }
        if no < thread {
            return Err(format!("number {no} is older than its thread"));
        }
        if raw.com.text().len() > COMMENT_BYTES_MAX {
            return Err(format!("the comment of number {no} is longer than {COMMENT_BYTES_MAX} bytes"));
        }
        match self.numbers.add(no) {
            true => Ok(no),
            false => Err(format!("number {no} came already")),
        }
    }

    fn post(&mut self, path: &Path, no: PostNo, raw: RawPost) -> Post {
        self.count_losses(&raw);
        let at = raw.time.whole().and_then(moment);
        if at.is_none() && raw.time != Loose::Absent {
            self.problem(
                path,
                format!("the time {} of post {no} is out of range; the post is kept without it", raw.time),
            );
        }
        let stats = &mut self.sink.stats;
        let markup = html::to_markup(raw.com.text());
        markup.lost.into_iter().for_each(|(kind, count)| stats.lose(kind, count));
        let mut text = |html: &Loose| field(&html::to_text(html.text()), stats);
        let name = text(&raw.name);
        Post {
            at: at.unwrap_or_default(),
            name: if name == "Anonymous" { String::new() } else { name },
            capcode: text(&raw.capcode),
            subject: text(&raw.sub),
            sage: is_sage(raw.email.text()),
            trip: trip(&html::to_text(raw.trip.text()), stats),
            body: body(markup.body),
            ..Post::new(no)
        }
    }

    fn count_losses(&mut self, raw: &RawPost) {
        let stats = &mut self.sink.stats;
        let deleted = raw.filedeleted.is_on();
        let files = u64::from(!deleted && (raw.filename != Loose::Absent || raw.tim != Loose::Absent));
        stats.lose("attachments", files + raw.extra_files.items());
        stats.lose("deleted attachments", u64::from(deleted));
        let email = raw.email.text();
        stats.lose("e-mail addresses", u64::from(!email.is_empty() && !is_sage(email)));
        stats.lose("poster ids", u64::from(!raw.id.text().is_empty()));
        let flagged = [&raw.country, &raw.troll_country, &raw.board_flag].iter().any(|flag| !flag.text().is_empty());
        stats.lose("flags", u64::from(flagged));
    }
}

impl RawPost {
    /// Whether it says that it opens a thread: it answers nothing, or itself.
    fn opens(&self, no: PostNo) -> bool {
        self.resto.whole() == Some(0) || self.resto.post_no() == Some(no)
    }
}

fn thread_flags(raw: &RawPost) -> ThreadFlags {
    ThreadFlags {
        sticky: raw.sticky.is_on(),
        locked: raw.closed.is_on() || raw.locked.is_on(),
        archived: raw.archived.is_on(),
        bumplock: false,
        cyclic: raw.cyclical.is_on() || raw.cyclic.is_on(),
    }
}

/// Whether a file in a folder can be a thread by its name.
fn may_be_thread(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lists = ["catalog.json", "threads.json", "archive.json", "boards.json"];
    // A tail is the end of a thread whose own file has all of it.
    name.ends_with(".json")
        && !name.starts_with('.')
        && !name.ends_with("-tail.json")
        && !lists.contains(&name.as_ref())
}

fn read(path: &Path) -> Result<Vec<u8>, Box<Problem>> {
    let unreadable = |error: std::io::Error| Box::new(Problem::new(path, format!("cannot be read: {error}")));
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut size = file.metadata().map_err(unreadable)?.len();
    if size <= FILE_BYTES_MAX {
        // One byte more than allowed, since a file may grow and a pipe has no size.
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        size = bytes.len() as u64;
    }
    if FILE_BYTES_MAX < size {
        let message = format!("larger than {} MB, which no thread is", FILE_BYTES_MAX / 1_000_000);
        return Err(Box::new(Problem::new(path, message)));
    }
    Ok(bytes)
}

/// The posts of a file; `None` if it is sound but no thread.
fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Vec<RawPost>>, Box<Problem>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        let column = good.len() - memchr::memrchr(b'\n', good).map_or(0, |at| at + 1) + 1;
        let problem = Problem::new(path, "the file is not UTF-8").at(line, column);
        Box::new(problem.hint("`iconv -f ENCODING -t UTF-8` converts it"))
    })?;
    let fault = |error: serde_json::Error| {
        let (message, line, column) = json_fault(&error);
        Box::new(Problem::new(path, message).at(line, column))
    };
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => Ok(serde_json::from_str::<Document>(text).map_err(fault)?.posts),
        _ => serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| None).map_err(fault),
    }
}
