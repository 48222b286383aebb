//! One JSON object per line: boards, threads and posts, in whatever order.
//!
//! ```text
//! {"kind":"corpus","version":1}
//! {"kind":"board","board":"tech","title":"Technology","about":"Computers"}
//! {"kind":"thread","board":"tech","thread":1,"subject":"Help","sticky":false,"locked":false}
//! {"kind":"post","board":"tech","thread":1,"no":1,"time":1700000000,"name":"","trip":"","email":"","body":"hi"}
//! ```
//! The `corpus` line, `title`, `about`, `subject`, `sticky`, `locked`, `time`, `name`, `trip`, `email` and other fields
//! than these are optional. Boards come before the threads on them.
//!
//! What our own export writes, [`super::super::export`], has more: `archived`, `bumplock`, `cyclic` and `changed` of a
//! thread, `capcode`, `subject`, `deleted` and `id` of a post. Its first line says `"exact":true`. Then nothing is tidied
//! up, and what thread files hold comes back to the letter.
//!
//! A file is read twice. The first pass learns on which line each thread ends, the second one hands a thread on at that
//! very line. So each thread is yielded once and whole, also from a file in the order of time, while only those are
//! held that are still growing: one at a time where each thread is followed by its posts. What cannot be read twice,
//! such as standard input, is kept in a temporary file without a name.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;

use super::lines::{Line, Lines};
use super::numbers::Numbers;
use super::{ImportError, Imported, Report, Sink, Stats, Take, body, check_file, field, is_sage, json_fault, trip};
use crate::model::{BoardSlug, Post, PostId, PostKey, PostNo, Problem, Thread, ThreadFlags, ThreadKey};
use crate::store::thread_file;

/// A longer line is no post. A body of the inbox of 1 MiB fits, whatever it consists of.
pub const LINE_BYTES_MAX: usize = 8_000_000;

/// After so many bytes it is told how far the reading is.
const READ_BYTES: u64 = 1 << 16;

/// Where the lines come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Standard input, told as `-`.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Source {
    /// What the argument of a command means.
    pub fn from_argument(argument: impl Into<PathBuf>) -> Source {
        let path = argument.into();
        match path.as_os_str() == "-" {
            true => Source::Stdin,
            false => Source::File(path),
        }
    }

    /// What problems call it.
    fn name(&self) -> &Path {
        match self {
            Source::Stdin => Path::new("(standard input)"),
            Source::File(path) => path,
        }
    }
}

/// Reads boards and threads from `sources`, one after the other.
///
/// With `board`, only records of this board are taken, and those that name no board are taken as its own. A board that
/// has threads but no record gets its slug as title. A line that cannot be read is a problem, and so is a number that
/// came already in the same source; the rest goes on.
///
/// Fails if a source cannot be read or is a folder, before anything is taken as far as that can be seen beforehand, or
/// if `take` fails.
pub fn jsonl(
    sources: &[Source],
    board: Option<&BoardSlug>,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for source in sources {
        if let Source::File(path) = source {
            check_file(path)?;
        }
    }
    let mut sink = Sink::new(take, problem);
    let mut boards = BTreeSet::new();
    for source in sources {
        let name = source.name();
        let unreadable = |source| ImportError::Read { path: name.to_owned(), source };
        let mut file = rereadable(source).map_err(unreadable)?;
        let ends = thread_ends(BufReader::new(&file), board).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let reading = Reading {
            name,
            only: board,
            boards: &mut boards,
            sink: &mut sink,
            held: HashMap::new(),
            numbers: HashMap::new(),
            care: Care::Tidy,
        };
        reading.read(BufReader::with_capacity(1 << 16, file), ends)?;
        sink.end_of(name);
    }
    Ok(sink.stats)
}

/// The source as something that can be read twice.
fn rereadable(source: &Source) -> io::Result<File> {
    match source {
        Source::Stdin => spooled(io::stdin().lock()),
        Source::File(path) => {
            let file = File::open(path)?;
            match file.metadata()?.is_file() {
                true => Ok(file),
                false => spooled(file),
            }
        }
    }
}

fn spooled(mut source: impl Read) -> io::Result<File> {
    let mut spool = tempfile::tempfile()?;
    io::copy(&mut source, &mut spool)?;
    spool.rewind()?;
    Ok(spool)
}

/// Where a line belongs; the rest of the line is not looked at.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    board: Cow<'a, str>,
    thread: u64,
}

/// The threads with their last lines, by line. Lines that cannot be read are left to the second pass.
fn thread_ends(source: impl BufRead, only: Option<&BoardSlug>) -> io::Result<Vec<(usize, ThreadKey)>> {
    let mut lines = Lines::new(source, LINE_BYTES_MAX);
    let mut ends: HashMap<ThreadKey, usize> = HashMap::new();
    while let Some((number, line)) = lines.next()? {
        let Line::Bytes(bytes) = line else { continue };
        let Ok(place) = serde_json::from_slice::<Place<'_>>(without_bom(bytes)) else { continue };
        let board = match (place.board.as_ref(), only) {
            ("", Some(only)) => Some(only.clone()),
            (slug, _) => BoardSlug::parse(slug).ok(),
        };
        if let (Some(board), Some(no), "thread" | "post") = (board, PostNo::new(place.thread), place.kind.as_ref()) {
            ends.insert(ThreadKey { board, no }, number);
        }
    }
    let mut ends: Vec<(usize, ThreadKey)> = ends.into_iter().map(|(key, line)| (line, key)).collect();
    ends.sort_unstable();
    Ok(ends)
}

fn without_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
}

/// Any record; which fields must be there depends on the kind.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    board: Option<String>,
    version: Option<u64>,
    exact: Option<bool>,
    title: Option<String>,
    about: Option<String>,
    thread: Option<u64>,
    subject: Option<String>,
    sticky: Option<bool>,
    locked: Option<bool>,
    archived: Option<bool>,
    bumplock: Option<bool>,
    cyclic: Option<bool>,
    changed: Option<i64>,
    no: Option<u64>,
    time: Option<i64>,
    name: Option<String>,
    trip: Option<String>,
    email: Option<String>,
    poster_id: Option<String>,
    capcode: Option<String>,
    moved: Option<String>,
    deleted: Option<bool>,
    id: Option<String>,
    body: Option<String>,
}

/// Why a line is left out: a column if one is known, and what is wrong.
struct Fault {
    column: usize,
    message: String,
    hint: Option<&'static str>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Fault {
        Fault { column: 1, message: message.into(), hint: None }
    }
}

/// What is known so far of a thread that has not ended.
struct Growing {
    first_line: usize,
    head: Option<Head>,
    posts: Vec<Post>,
}

/// What a thread's own record says.
#[derive(Default)]
struct Head {
    subject: String,
    flags: ThreadFlags,
    changed: Option<DateTime<Utc>>,
}

/// Whether texts are made fit to be seen, or taken as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Tidy,
    Exact,
}

/// The second pass over one source.
struct Reading<'a, 'b> {
    name: &'a Path,
    only: Option<&'a BoardSlug>,
    boards: &'a mut BTreeSet<BoardSlug>,
    sink: &'a mut Sink<'b>,
    held: HashMap<ThreadKey, Growing>,
    numbers: HashMap<BoardSlug, Numbers>,
    care: Care,
}

impl Reading<'_, '_> {
    fn read(mut self, source: impl BufRead, ends: Vec<(usize, ThreadKey)>) -> Result<(), ImportError> {
        let mut lines = Lines::new(source, LINE_BYTES_MAX);
        let mut ends = ends.into_iter().peekable();
        let mut told = 0;
        loop {
            let bytes = lines.bytes();
            if told + READ_BYTES < bytes {
                self.sink.read(bytes - told)?;
                told = bytes;
            }
            let read = lines.next().map_err(|source| ImportError::Read { path: self.name.to_owned(), source })?;
            let Some((number, line)) = read else { break };
            let record = match line {
                Line::TooLong => Err(Fault::new(format!("the line is longer than {LINE_BYTES_MAX} bytes"))),
                Line::Bytes(bytes) => parse(without_bom(bytes)),
            };
            let done = match record {
                Ok(Some(record)) => self.record(record, number)?,
                Ok(None) => Ok(()),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = done {
                self.fault(fault, number);
            }
            while let Some((_, key)) = ends.next_if(|(line, _)| *line <= number) {
                self.finish(key)?;
            }
        }
        // Nothing is left, unless the file grew between the passes.
        let mut rest: Vec<ThreadKey> = self.held.keys().cloned().collect();
        rest.sort_unstable();
        rest.into_iter().try_for_each(|key| self.finish(key))
    }

    fn fault(&mut self, fault: Fault, line: usize) {
        let mut problem = Problem::new(self.name, fault.message).at(line, fault.column);
        problem.hint = fault.hint.map(str::to_owned);
        self.sink.problem(problem);
    }

    /// Takes one record in. The outer error ends the import, the inner one is the line's own.
    fn record(&mut self, record: Record<'_>, line: usize) -> Result<Result<(), Fault>, ImportError> {
        if record.kind == "corpus" {
            self.care = if record.exact == Some(true) { Care::Exact } else { Care::Tidy };
            return Ok(version(&record));
        }
        if !matches!(record.kind.as_ref(), "board" | "thread" | "post") {
            let kind: String = record.kind.chars().take(40).collect();
            return Ok(Err(Fault::new(format!("the kind `{kind}` is none of `board`, `thread` and `post`"))));
        }
        let slug = match self.slug(record.board.as_deref().unwrap_or("")) {
            Ok(Some(slug)) => slug,
            Ok(None) => {
                self.sink.stats.lose("records of other boards", 1);
                return Ok(Ok(()));
            }
            Err(fault) => return Ok(Err(fault)),
        };
        if record.kind == "board" {
            return self.board(slug, record);
        }
        let Some(no) = record.thread.and_then(PostNo::new) else {
            return Ok(Err(Fault::new("`thread` must be the number of the opening post, at least 1")));
        };
        let key = ThreadKey { board: slug, no };
        Ok(match record.kind == "thread" {
            true => self.head(key, record, line),
            false => self.post(key, record, line),
        })
    }

    /// The board of a record; `None` if it is not the one that is asked for.
    fn slug(&self, text: &str) -> Result<Option<BoardSlug>, Fault> {
        match (text, self.only) {
            ("", Some(only)) => Ok(Some(only.clone())),
            ("", None) => {
                Err(Fault { hint: Some("name one with `--board`"), ..Fault::new("the record names no board") })
            }
            (slug, Some(only)) if slug != only.as_str() => Ok(None),
            (slug, _) => match BoardSlug::parse(slug) {
                Ok(slug) => Ok(Some(slug)),
                Err(error) => {
                    let slug: String = slug.chars().take(40).collect();
                    Err(Fault::new(format!("`{slug}` cannot be a board: {error}")))
                }
            },
        }
    }

    fn board(&mut self, slug: BoardSlug, record: Record<'_>) -> Result<Result<(), Fault>, ImportError> {
        if self.boards.contains(&slug) {
            // Several exports of one site all begin with its boards.
            return Ok(Ok(()));
        }
        let title = field(record.title.as_deref().unwrap_or(""), &mut self.sink.stats);
        let description = field(record.about.as_deref().unwrap_or(""), &mut self.sink.stats);
        self.boards.insert(slug.clone());
        let title = if title.is_empty() { slug.as_str().to_owned() } else { title };
        self.sink.take(Imported::Board { slug, title, description }).map(Ok)
    }

    fn growing(&mut self, key: ThreadKey, line: usize) -> &mut Growing {
        self.held.entry(key).or_insert_with(|| Growing { first_line: line, head: None, posts: Vec::new() })
    }

    fn head(&mut self, key: ThreadKey, record: Record<'_>, line: usize) -> Result<(), Fault> {
        let on = |flag: Option<bool>| flag.unwrap_or(false);
        let flags = ThreadFlags {
            sticky: on(record.sticky),
            locked: on(record.locked),
            archived: on(record.archived),
            bumplock: on(record.bumplock),
            cyclic: on(record.cyclic),
        };
        let changed = record.changed.and_then(time);
        let subject = self.text(record.subject);
        let no = key.no;
        let growing = self.growing(key, line);
        if growing.head.is_some() {
            return Err(Fault::new(format!("thread {no} came already; the first record counts")));
        }
        growing.head = Some(Head { subject, flags, changed });
        match record.changed.filter(|_| changed.is_none()) {
            Some(time) => Err(Fault::new(format!("the time {time} of thread {no} is out of range; it is left out"))),
            None => Ok(()),
        }
    }

    /// A text on one line.
    fn text(&mut self, text: Option<String>) -> String {
        let text = text.unwrap_or_default();
        match self.care {
            Care::Tidy => field(&text, &mut self.sink.stats),
            Care::Exact => text,
        }
    }

    fn post(&mut self, key: ThreadKey, record: Record<'_>, line: usize) -> Result<(), Fault> {
        let Some(no) = record.no.and_then(PostNo::new) else {
            return Err(Fault::new("`no` must be the number of the post, 1 to 9007199254740991"));
        };
        let Some(text) = record.body else {
            return Err(Fault::new("missing field `body`"));
        };
        if no < key.no {
            return Err(Fault::new(format!("post {no} is older than its thread {}", key.no)));
        }
        if self.numbers.get(&key.board).is_some_and(|numbers| numbers.has(no)) {
            return Err(Fault::new(format!("post {no} of /{}/ came already; the first one counts", key.board)));
        }
        let id = match record.id.as_deref().filter(|id| !id.is_empty()).map(PostId::parse) {
            Some(Err(error)) => return Err(Fault::new(format!("the `id` of post {no} is none: {error}"))),
            Some(Ok(id)) => Some(id),
            None => None,
        };
        let moved = match record.moved.as_deref().filter(|moved| !moved.is_empty()).map(PostKey::parse) {
            Some(Err(error)) => return Err(Fault::new(format!("where post {no} was `moved` is no place: {error}"))),
            Some(Ok(moved)) => Some(moved),
            None => None,
        };
        let seconds = record.time.unwrap_or(0);
        let at = time(seconds);
        let email = record.email.as_deref().unwrap_or("");
        if !email.is_empty() && !is_sage(email) {
            self.sink.stats.lose("e-mail addresses", 1);
        }
        let post = Post {
            at: at.unwrap_or_default(),
            name: self.text(record.name),
            trip: match (self.care, record.trip.unwrap_or_default()) {
                (Care::Tidy, text) => trip(&text, &mut self.sink.stats),
                (Care::Exact, text) => text,
            },
            poster_id: self.text(record.poster_id),
            capcode: self.text(record.capcode),
            subject: self.text(record.subject),
            sage: is_sage(email),
            deleted: record.deleted.unwrap_or(false) || moved.is_some(),
            moved,
            id,
            body: if self.care == Care::Exact { text } else { body(text) },
            ..Post::new(no)
        };
        let said = [&post.name, &post.trip, &post.poster_id, &post.capcode, &post.subject, &post.body];
        if post.deleted && said.iter().any(|text| !text.is_empty()) {
            self.sink.stats.lose("texts of removed posts", 1);
        }
        let post = if post.deleted { tombstone(post) } else { post };
        if !thread_file::has_room_for(&post) {
            return Err(Fault::new(format!("the name and the other fields of post {no} are too long together")));
        }
        self.numbers.entry(key.board.clone()).or_default().add(no);
        self.growing(key, line).posts.push(post);
        match at {
            Some(_) => Ok(()),
            None => {
                let message = format!("the time {seconds} of post {no} is out of range; the post is kept without it");
                Err(Fault::new(message))
            }
        }
    }

    /// Hands on a thread that has ended.
    fn finish(&mut self, key: ThreadKey) -> Result<(), ImportError> {
        let Some(Growing { first_line, head, mut posts }) = self.held.remove(&key) else { return Ok(()) };
        let ThreadKey { board, no } = key;
        if posts.is_empty() {
            self.fault(Fault::new(format!("thread {no} has no posts")), first_line);
            return Ok(());
        }
        if self.boards.insert(board.clone()) {
            let title = board.as_str().to_owned();
            self.sink.take(Imported::Board { slug: board.clone(), title, description: String::new() })?;
        }
        posts.sort_unstable_by_key(|post| post.no);
        if posts[0].no != no {
            let message =
                format!("thread {no} of /{board}/ has no opening post; its {} replies are left out", posts.len());
            let if_absent = Problem::new(self.name, message).at(first_line, 1);
            return self.sink.take(Imported::Replies { board, thread: no, posts, if_absent });
        }
        let Head { subject, flags, changed } = head.unwrap_or_default();
        if !subject.is_empty() && !posts[0].deleted {
            posts[0].subject = subject;
        }
        self.sink.take(Imported::Thread { board, thread: Thread { flags, changed, posts } })
    }
}

/// The record on a line; `None` if the line is empty.
fn parse(line: &[u8]) -> Result<Option<Record<'_>>, Fault> {
    let text = std::str::from_utf8(line).map_err(|error| Fault {
        column: error.valid_up_to() + 1,
        message: "the line is not UTF-8".to_owned(),
        hint: None,
    })?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Ok(None),
        Some(b'{') => {}
        // Without this an array would be read too, its items in the order of the fields.
        Some(_) => return Err(Fault::new("the line is not a JSON object")),
    }
    serde_json::from_str(text).map(Some).map_err(|error| {
        let (message, _, column) = json_fault(&error);
        Fault { column, message, hint: None }
    })
}

/// What a removed post keeps.
fn tombstone(post: Post) -> Post {
    Post { at: post.at, sage: post.sage, deleted: true, moved: post.moved, id: post.id, ..Post::new(post.no) }
}

/// A time in Unix seconds, if thread files can hold it: one of the years 0 to 9999.
fn time(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).filter(|time| (0..=9_999).contains(&time.year()))
}

fn version(record: &Record<'_>) -> Result<(), Fault> {
    match record.version {
        None | Some(1) => Ok(()),
        Some(other) => Err(Fault::new(format!("version {other} of the format is not known; it is read as version 1"))),
    }
}
