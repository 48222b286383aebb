//! Questions and answers of a site of Stack Exchange, as `Posts.xml` of its dump has them.
//!
//! A question is a thread, and its answers are the replies. They stand far apart in the file, in the order of their
//! numbers, so it is read twice: the first pass notes where each post of which thread begins, 24 bytes a post, and the
//! second one takes thread by thread from these places. The numbers of the dump are unique, so they are the numbers here.
//! Only an answer that is older than its question, as happens where questions were joined, gets a number above all others.

mod rows;
mod users;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::discourse::foot;
use super::numbering::{Numbering, Registry};
use super::numbers::Numbers;
use super::sources::DEPTH_MAX;
use super::{Address, ImportError, Imported, Report, Sink, Stats, Take, body, field, fill_times, html, moment};
use crate::model::{BoardSlug, Post, PostNo, Problem, Thread, ThreadFlags};
use rows::{At, Attributes, Element, Found, Rows};
use users::Users;

/// After so many bytes it is told how far the reading is.
const READ_BYTES: u64 = 1 << 20;

/// Reads `Posts.xml` files, or folders in which they are, as threads of `board`.
///
/// A row that cannot be read is a problem with its place, and so is a number that came already, a time that is none, and
/// an answer whose question is neither in the dump nor on the board. `Users.xml` beside a file tells names.
///
/// Fails if a source does not exist, before anything is taken, or if it cannot be read, or if `take` fails.
pub fn stackexchange(
    sources: &[PathBuf],
    board: &BoardSlug,
    registry: &mut dyn Registry,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for path in sources {
        fs::metadata(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    }
    let mut importing = Importing { board, sink: Sink::new(take, problem), numbers: Numbers::default() };
    for path in sources {
        if !path.is_dir() {
            importing.file(path, registry)?;
            continue;
        }
        let mut found = false;
        for entry in walkdir::WalkDir::new(path).max_depth(DEPTH_MAX).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && entry.file_name() == "Posts.xml" => {
                    found = true;
                    importing.file(entry.path(), registry)?;
                }
                Ok(entry) if entry.file_type().is_file() => importing.sink.stats.skip(entry.path()),
                Ok(_) => {}
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    importing.sink.problem(Problem::new(at, format!("cannot be read: {error}")));
                }
            }
        }
        if !found {
            importing.sink.problem(Problem::new(path, "there is no `Posts.xml` in this folder"));
        }
    }
    Ok(importing.sink.stats)
}

/// Where a post stands in the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The number of the question.
    thread: u32,
    id: u32,
    offset: u64,
    line: u32,
}

/// What the first pass found.
#[derive(Default)]
struct Index {
    entries: Vec<Entry>,
    /// Answers older than their questions.
    misplaced: HashSet<u32>,
    owners: HashSet<u32>,
    highest: u32,
}

struct Importing<'a, 'b> {
    board: &'a BoardSlug,
    sink: Sink<'b>,
    numbers: Numbers,
}

impl Importing<'_, '_> {
    fn file(&mut self, path: &Path, registry: &mut dyn Registry) -> Result<(), ImportError> {
        let unreadable = |source| ImportError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        if let Some(problem) = of_other_encoding(path, &mut file).map_err(unreadable)? {
            self.sink.problem(problem);
            self.sink.end_of(path);
            return Ok(());
        }
        let mut index = self.index(path, &file)?;
        index.entries.sort_unstable();
        let numbering = self.numbering(&index, registry)?;
        let users = self.users(path, &index.owners);
        self.sink.end_of(path);
        let mut rest = index.entries.as_slice();
        file.rewind().map_err(unreadable)?;
        let mut rows = Rows::new(BufReader::with_capacity(1 << 13, file));
        let mut reader = Reader { path, rows: &mut rows, users: &users, numbering: numbering.as_ref() };
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|entry| entry.thread == first.thread).count();
            let (entries, others) = rest.split_at(count);
            self.thread(&mut reader, entries)?;
            rest = others;
        }
        self.sink.end_of(path);
        Ok(())
    }

    /// The first pass: which posts there are, and where.
    fn index(&mut self, path: &Path, file: &File) -> Result<Index, ImportError> {
        let unreadable = |source| ImportError::Read { path: path.to_owned(), source };
        let mut rows = Rows::new(BufReader::with_capacity(1 << 16, file));
        let (mut index, mut told, mut ended, mut any) = (Index::default(), 0, false, false);
        loop {
            let bytes = rows.bytes();
            if told + READ_BYTES < bytes {
                // Each pass is half of the work.
                self.sink.read((bytes - told) / 2)?;
                told = bytes;
            }
            match rows.next().map_err(unreadable)? {
                None => break,
                Some(Found::Fault(at, message)) => self.fault(path, at, message),
                Some(Found::Element(at, element)) => match element.name().as_str() {
                    "row" if any => self.note(path, at, &element, &mut index),
                    "/posts" => ended = true,
                    "posts" => any = true,
                    name if any || name.starts_with(['?', '!']) => {}
                    name => {
                        let message = format!("this is no `Posts.xml`: its first element is `{name}`");
                        self.fault(path, at, &message);
                        return Ok(index);
                    }
                },
            }
        }
        let end = rows.at();
        match (any, ended) {
            (false, _) => self.fault(path, end, "this is no `Posts.xml`: there is no element `posts`"),
            (true, false) => self.fault(path, end, "the file ends in the middle: there is no `</posts>`"),
            (true, true) => {}
        }
        Ok(index)
    }

    fn fault(&mut self, path: &Path, at: At, message: &str) {
        self.sink.problem(Problem::new(path, message).at(at.line, at.column()));
    }

    fn note(&mut self, path: &Path, at: At, element: &Element<'_>, index: &mut Index) {
        let row = element.attributes();
        if let Some(byte) = element.first_bad_byte() {
            let message = "these bytes are not UTF-8; they became \u{fffd}";
            let problem = Problem::new(path, message).at(at.line, at.column() + 1 + byte);
            self.sink.problem(problem.hint("`iconv -f ENCODING -t UTF-8` converts the file"));
        }
        let Some(id) = row.number("Id").filter(|id| 0 < *id) else {
            return self.fault(path, at, "this row has no `Id` of a post");
        };
        let thread = match row.get("PostTypeId") {
            "1" => id,
            "2" => match row.number("ParentId").filter(|parent| 0 < *parent && *parent != id) {
                Some(parent) => parent,
                None => return self.fault(path, at, &format!("answer {id} says no question, `ParentId`")),
            },
            "4" | "5" => return self.sink.stats.lose("texts about tags", 1),
            "" => return self.fault(path, at, &format!("post {id} says neither question nor answer, `PostTypeId`")),
            _ => return self.sink.stats.lose("posts that are neither questions nor answers", 1),
        };
        if !PostNo::new(u64::from(id)).is_some_and(|no| self.numbers.add(no)) {
            return self.fault(path, at, &format!("post {id} came already; the first one counts"));
        }
        if time(&row).is_none() {
            let (time, id) = (row.get("CreationDate").chars().take(40).collect::<String>(), id);
            self.fault(
                path,
                at,
                &format!("the time `{time}` of post {id} cannot be read; it gets that of the post before it"),
            );
        }
        if id < thread {
            index.misplaced.insert(id);
        }
        index.owners.extend(row.number("OwnerUserId"));
        index.highest = index.highest.max(id);
        let line = u32::try_from(at.line).unwrap_or(u32::MAX);
        index.entries.push(Entry { thread, id, offset: at.offset, line });
    }

    /// Numbers for answers that are older than their questions, above all of the dump.
    fn numbering(&mut self, index: &Index, registry: &mut dyn Registry) -> Result<Option<Numbering>, ImportError> {
        if index.misplaced.is_empty() {
            return Ok(None);
        }
        let mut numbering = Numbering::open("stackexchange", self.board, registry)?;
        if let Some(highest) = PostNo::new(u64::from(index.highest)) {
            registry.reserve(self.board, highest);
        }
        let mut misplaced: Vec<u32> = index.misplaced.iter().copied().collect();
        misplaced.sort_unstable();
        misplaced.into_iter().for_each(|id| numbering.plan(OLDER, id, None));
        numbering.settle(registry)?;
        self.sink.stats.lose("numbers of answers that are older than their questions", index.misplaced.len() as u64);
        Ok(Some(numbering))
    }

    fn users(&mut self, path: &Path, owners: &HashSet<u32>) -> Users {
        let path = path.with_file_name("Users.xml");
        match Users::read(&path, owners) {
            Ok(users) => {
                self.sink.stats.lose("names of users, of which the rows are damaged", users.damaged);
                users
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.sink.problem(Problem::new(&path, format!("cannot be read: {error}")));
                }
                Users::default()
            }
        }
    }

    /// The second pass over one thread.
    fn thread(&mut self, reader: &mut Reader<'_>, entries: &[Entry]) -> Result<(), ImportError> {
        let Some(no) = entries.first().and_then(|entry| PostNo::new(u64::from(entry.thread))) else { return Ok(()) };
        let unreadable = |source| ImportError::Read { path: reader.path.to_owned(), source };
        let (mut posts, mut slug, mut moved) = (Vec::new(), String::new(), Vec::new());
        let mut flags = ThreadFlags::default();
        for entry in entries {
            let Some((row, bytes)) = reader.row(entry.offset).map_err(unreadable)? else { continue };
            self.sink.read(bytes.div_ceil(2))?;
            self.count_losses(&row);
            let Some(post_no) = reader.number(entry) else { continue };
            let mut post = self.post(post_no, &row, reader.users);
            if entry.id == entry.thread {
                slug = slug_of(row.get("Title"));
                post.subject = field(row.get("Title"), &mut self.sink.stats);
                flags.locked = !row.get("ClosedDate").is_empty();
                let accepted = row.number("AcceptedAnswerId");
                let accepted = accepted.and_then(|id| entries.iter().find(|entry| entry.id == id));
                post.body.push_str(&foot(accepted.and_then(|entry| reader.number(entry)), tags(row.get("Tags"))));
            }
            moved.push((entry.id, post_no));
            posts.push(post);
        }
        posts.sort_unstable_by_key(|post| post.no);
        fill_times(&mut posts);
        let board = self.board.clone();
        match posts.first() {
            None => return Ok(()),
            Some(first) if first.no == no => {
                self.sink.take(Imported::Thread { board, thread: Thread { flags, changed: None, posts } })?;
            }
            Some(_) => {
                let message = format!("question {no} is not in the dump; its {} answers are left out", posts.len());
                let line = entries.first().map_or(1, |entry| entry.line as usize);
                let if_absent = Problem::new(reader.path, message).at(line, 1);
                self.sink.take(Imported::Replies { board, thread: no, posts, if_absent })?;
            }
        }
        self.redirects(no, &slug, &moved)
    }

    fn redirects(&mut self, thread: PostNo, slug: &str, posts: &[(u32, PostNo)]) -> Result<(), ImportError> {
        let question = format!("/questions/{thread}");
        let to = Address::of_thread(self.board, thread);
        let named = if slug.is_empty() { question.clone() } else { format!("{question}/{slug}") };
        for from in [named.clone(), question.clone(), format!("/q/{thread}")] {
            self.sink.moved(from, to.clone())?;
        }
        for (id, no) in posts.iter().filter(|(_, no)| *no != thread) {
            let to = Address::of_post(self.board, thread, *no);
            self.sink.moved(format!("/a/{id}"), to.clone())?;
            self.sink.moved(format!("{named}/{id}"), to)?;
        }
        Ok(())
    }

    fn post(&mut self, no: PostNo, row: &Attributes, users: &Users) -> Post {
        let markup = html::page_to_markup(row.get("Body"), &|_, _| None);
        let stats = &mut self.sink.stats;
        markup.lost.into_iter().for_each(|(kind, count)| stats.lose(kind, count));
        let name = match (row.number("OwnerUserId"), row.get("OwnerDisplayName")) {
            (Some(id), "") => users.name(id),
            (_, name) => name.to_owned(),
        };
        Post {
            at: time(row).and_then(moment).unwrap_or_default(),
            name: field(&name, stats),
            body: body(markup.body),
            ..Post::new(no)
        }
    }

    fn count_losses(&mut self, row: &Attributes) {
        let stats = &mut self.sink.stats;
        let there = |name: &str| u64::from(!matches!(row.get(name), "" | "0"));
        stats.lose("scores", there("Score"));
        stats.lose("numbers of views", there("ViewCount"));
        stats.lose("bookmarks", u64::from(row.number("FavoriteCount").unwrap_or(0)));
        stats.lose("comments", u64::from(row.number("CommentCount").unwrap_or(0)));
        stats.lose("times of edits", there("LastEditDate"));
        stats.lose("marks of the community", there("CommunityOwnedDate"));
    }
}

/// What the older answers are a thread of, as far as their numbers go.
const OLDER: &str = "older";

/// Takes posts from their places.
struct Reader<'a> {
    path: &'a Path,
    rows: &'a mut Rows<BufReader<File>>,
    users: &'a Users,
    numbering: Option<&'a Numbering>,
}

impl Reader<'_> {
    /// The row that begins there, and its bytes.
    fn row(&mut self, offset: u64) -> io::Result<Option<(Attributes, u64)>> {
        let source = self.rows.source();
        let here = source.stream_position()?;
        match i64::try_from(offset).ok().zip(i64::try_from(here).ok()) {
            Some((offset, here)) => source.seek_relative(offset - here)?,
            None => drop(source.seek(SeekFrom::Start(offset))?),
        }
        Ok(match self.rows.next()? {
            Some(Found::Element(_, element)) => Some((element.attributes(), element.bytes())),
            // The file has changed since.
            _ => None,
        })
    }

    /// The number that a post has here.
    fn number(&self, entry: &Entry) -> Option<PostNo> {
        match entry.id < entry.thread {
            true => self.numbering?.of(OLDER, entry.id),
            false => PostNo::new(u64::from(entry.id)),
        }
    }
}

/// What is wrong with the encoding of a file, as far as its beginning tells. Leaves it at its beginning.
fn of_other_encoding(path: &Path, file: &mut File) -> io::Result<Option<Problem>> {
    let mut start = Vec::new();
    file.take(200).read_to_end(&mut start)?;
    file.rewind()?;
    let wide = start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) || start.contains(&0);
    let declared = String::from_utf8_lossy(&start);
    let declared = declared.split_once("encoding=").and_then(|(_, rest)| rest.get(1..)?.split(['"', '\'']).next());
    let encoding = match declared {
        _ if wide => "UTF-16",
        Some(name) if !["utf-8", "utf8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => name,
        _ => return Ok(None),
    };
    let encoding: String = encoding.chars().take(40).collect();
    let problem = Problem::new(path, format!("this file is in {encoding}, not in UTF-8; nothing of it was read"));
    Ok(Some(problem.at(1, 1).hint("`iconv -t UTF-8` converts it; change its first line, too")))
}

/// When it was posted, in Unix seconds.
fn time(row: &Attributes) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(row.get("CreationDate"), "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    let seconds = time.and_utc().timestamp();
    moment(seconds).map(|_| seconds)
}

/// Tags as `<a><b>` or, in newer dumps, as `|a|b|`.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split(['<', '>', '|']).filter(|tag| !tag.is_empty())
}

/// Characters of a title that are part of its address.
const SLUG_CHARS_MAX: usize = 80;

/// A title as it stands in the address of a question.
fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().take(SLUG_CHARS_MAX) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            ' ' | ',' | '.' | '/' | '\\' | '-' | '_' | '=' if !slug.is_empty() && !slug.ends_with('-') => {
                slug.push('-')
            }
            _ => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}
