//! Threads of 4chan, vichan and their relatives (lainchan, infinity and others): files of the read API, or saved pages.
//!
//! A thread is one file, `{"posts": [...]}`, and its opening post is the one whose `resto` is 0. The dialects differ in
//! names (`closed` or `locked`, `cyclical`) and in types (`"0"`, `0`, `false`), so every field is read as whatever it
//! is, and only then looked at: a field that is odd costs a post, not its thread. A [`page`] gives the same fields. What
//! stands in a folder beside the threads, such as catalogs and pictures, is passed over.

mod page;
mod raw;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::folders::{self, BoardFolder};
use super::html;
use super::loose::Loose;
use super::numbers::Numbers;
use super::sources::DEPTH_MAX;
use super::{
    Address, ImportError, Imported, Report, Sink, Stats, Take, WITHOUT_BOARD, body, field, fill_times, is_sage, moment,
    trip,
};
use crate::model::{BoardSlug, Post, PostNo, Problem, Thread, ThreadFlags, ThreadKey};
pub(super) use raw::text as text_of;
use raw::{RawPost, RawThread};

/// A larger file is no thread.
pub const FILE_BYTES_MAX: u64 = 256_000_000;

/// A longer comment is no comment.
pub const COMMENT_BYTES_MAX: usize = 1_000_000;

/// Folders of a board in which threads stand.
const THREAD_FOLDERS: [&str; 3] = ["thread", "res", "threads"];

/// Whose addresses lead here afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `/po/thread/12` and `/po/thread/12/its-title`.
    Fourchan,
    /// `/po/res/12.html`.
    Vichan,
}

/// Reads threads from `sources`, files or folders, as threads of `board`, or else of the boards in whose folders they
/// stand: `po/thread/12.json` and `po/res/12.html` are of `po`. Folders are walked in the order of names.
///
/// A file that cannot be read as a thread is a problem; in a folder, files that are plainly something else are only
/// counted. A thread that came already is a problem, and so is a post whose number came already; what came first counts.
///
/// Fails if a source does not exist, before anything is taken, or if `take` fails.
pub fn fourchan(
    sources: &[PathBuf],
    board: Option<&BoardSlug>,
    dialect: Dialect,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for path in sources {
        fs::metadata(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    }
    let mut reading = Reading {
        only: board,
        dialect,
        sink: Sink::new(take, problem),
        boards: HashMap::new(),
        told: HashSet::new(),
        threads: HashMap::new(),
        numbers: HashMap::new(),
        titles: HashMap::new(),
    };
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

/// A list of boards, as `boards.json` has it.
#[derive(Deserialize)]
struct BoardList {
    boards: Vec<ListedBoard>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ListedBoard {
    board: Loose,
    /// vichan's name for it.
    uri: Loose,
    title: Loose,
    meta_description: Loose,
    subtitle: Loose,
}

struct Reading<'a, 'b> {
    only: Option<&'a BoardSlug>,
    dialect: Dialect,
    sink: Sink<'b>,
    /// The boards that came, with the folders from which they came first.
    boards: HashMap<BoardSlug, PathBuf>,
    /// Folders of which it was told that they name no board.
    told: HashSet<PathBuf>,
    /// The threads that came, with their files.
    threads: HashMap<ThreadKey, PathBuf>,
    numbers: HashMap<BoardSlug, Numbers>,
    /// Names for people and sentences of boards, by their names in the source.
    titles: HashMap<String, (String, String)>,
}

/// Where a thread goes, and what its board was called.
struct Home {
    board: BoardSlug,
    old_name: String,
}

impl Reading<'_, '_> {
    fn folder(&mut self, path: &Path) -> Result<(), ImportError> {
        self.read_titles(&path.join("boards.json"));
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

    /// Takes note of what boards are called, if there is a list of them that can be read.
    fn read_titles(&mut self, list: &Path) {
        let Ok(bytes) = fs::read(list) else { return };
        let Ok(list) = serde_json::from_slice::<BoardList>(&bytes) else { return };
        for board in list.boards {
            let text = |field: &Loose| html::to_text(field.text());
            let name = if board.board.text().is_empty() { &board.uri } else { &board.board };
            let about =
                if board.meta_description.text().is_empty() { &board.subtitle } else { &board.meta_description };
            self.titles.insert(name.text().to_owned(), (text(&board.title), text(about)));
        }
    }

    fn file(&mut self, path: &Path, found: Found) -> Result<(), ImportError> {
        let bytes = read(path);
        self.sink.read(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))?;
        let read = match &bytes {
            Ok(bytes) => raw::text(path, bytes).map(|text| self.parse(path, text)),
            Err(problem) => Err(Problem::clone(problem)),
        };
        match read {
            Ok(RawThread { posts, problem }) => {
                if posts.is_none() && problem.is_none() {
                    self.no_thread(path, found);
                }
                problem.into_iter().for_each(|problem| self.sink.problem(problem));
                if let Some(posts) = posts
                    && let Some(home) = self.home(path)?
                {
                    self.thread(path, home, posts)?;
                }
            }
            Err(problem) => self.sink.problem(problem),
        }
        self.sink.end_of(path);
        Ok(())
    }

    fn parse(&mut self, path: &Path, text: &str) -> RawThread {
        let is_page = path.extension().is_some_and(|ending| ending == "html" || ending == "htm");
        if is_json(path) || !is_page && !text.trim_ascii_start().starts_with('<') {
            return raw::parse(path, text);
        }
        let thread = page::parse(path, text);
        if let Some(folder) =
            BoardFolder::of(path, &THREAD_FOLDERS).filter(|folder| !self.titles.contains_key(&folder.name))
            && let Some(title) = folders::title_in(text)
        {
            self.titles.insert(folder.name, (title, String::new()));
        }
        thread
    }

    fn no_thread(&mut self, path: &Path, found: Found) {
        if found == Found::InFolder {
            return self.sink.stats.skip(path);
        }
        let message = match is_json(path) {
            true => "not a thread: there is no `posts`",
            false => "not a thread: there is no post that looks like one of vichan or 4chan",
        };
        self.sink.problem(Problem::new(path, message).hint("give the files of single threads, or a folder of them"));
    }

    /// The board of a file, which is handed on if it is new. That it has none is told once for a folder.
    fn home(&mut self, path: &Path) -> Result<Option<Home>, ImportError> {
        let folder = BoardFolder::of(path, &THREAD_FOLDERS);
        if let Some(only) = self.only {
            let old_name = folder.map_or_else(|| only.to_string(), |folder| folder.name);
            return Ok(Some(Home { board: only.clone(), old_name }));
        }
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        let fault = match &folder {
            None => "the threads here do not say which board they are from".to_owned(),
            Some(folder) => match folder.slug() {
                Err(error) => format!("`{}` cannot be a board: {error}", folder.name),
                Ok(slug) => match self.boards.get(&slug) {
                    Some(first) if *first != folder.path => {
                        format!("/{slug}/ came already, from `{}`", first.display())
                    }
                    _ => return self.home_in(slug, folder).map(Some),
                },
            },
        };
        self.sink.stats.lose(WITHOUT_BOARD, 1);
        if self.told.insert(beside.clone()) {
            let hint = "name a board with `--board B`, or keep threads in folders such as `po/res` or `po/thread`";
            self.sink.problem(Problem::new(beside, fault).hint(hint));
        }
        Ok(None)
    }

    fn home_in(&mut self, slug: BoardSlug, folder: &BoardFolder) -> Result<Home, ImportError> {
        let home = Home { board: slug.clone(), old_name: folder.name.clone() };
        if self.boards.insert(slug.clone(), folder.path.clone()).is_none() {
            let listed = self.titles.get(&folder.name).cloned();
            let told = || folders::title_of(&folder.path).map(|title| (title, String::new()));
            let (title, about) = listed.or_else(told).unwrap_or_default();
            let title = field(&title, &mut self.sink.stats);
            let title = if title.is_empty() { slug.as_str().to_owned() } else { title };
            let description = field(&about, &mut self.sink.stats);
            self.sink.take(Imported::Board { slug, title, description })?;
        }
        Ok(home)
    }

    fn problem(&mut self, path: &Path, message: String) {
        self.sink.problem(Problem::new(path, message));
    }

    fn thread(&mut self, path: &Path, home: Home, raw: Vec<RawPost>) -> Result<(), ImportError> {
        let Some(no) = self.thread_no(path, &raw) else { return Ok(()) };
        let key = ThreadKey { board: home.board.clone(), no };
        if let Some(earlier) = self.threads.get(&key) {
            let message = format!("thread {no} came already, from `{}`; the first one counts", earlier.display());
            self.problem(path, message);
            return Ok(());
        }
        self.threads.insert(key, path.to_owned());
        let slug = raw.iter().find(|post| post.opens(no)).map_or("", |post| post.semantic_url.text());
        let moved = self.dialect.addresses(&home.old_name, no, slug);
        let mut flags = ThreadFlags::default();
        let mut posts = Vec::with_capacity(raw.len());
        for (i, raw) in raw.into_iter().enumerate() {
            match self.post_no(&home.board, no, &raw) {
                Ok(post_no) => {
                    if post_no == no {
                        flags = raw.flags();
                    }
                    posts.push(self.post(path, post_no, raw));
                }
                Err(why) => self.problem(path, format!("post {} of {no}: {why}; it is left out", i + 1)),
            }
        }
        posts.sort_unstable_by_key(|post| post.no);
        fill_times(&mut posts);
        let board = home.board;
        match posts.first() {
            None => Ok(()),
            Some(first) if first.no == no => {
                let to = Address::of_thread(&board, no);
                self.sink.take(Imported::Thread { board, thread: Thread { flags, changed: None, posts } })?;
                moved.into_iter().try_for_each(|from| self.sink.moved(from, to.clone()))
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
    fn post_no(&mut self, board: &BoardSlug, thread: PostNo, raw: &RawPost) -> Result<PostNo, String> {
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
        match self.numbers.entry(board.clone()).or_default().add(no) {
            true => Ok(no),
            false => Err(format!("number {no} came already")),
        }
    }

    fn post(&mut self, path: &Path, no: PostNo, raw: RawPost) -> Post {
        self.count_losses(&raw);
        let at = raw.time.whole().and_then(moment);
        self.sink.stats.lose("posts without a time", u64::from(at.is_none()));
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
            poster_id: text(&raw.id),
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
        stats.lose("embedded things", u64::from(!raw.embed.text().is_empty()));
        stats.lose("deleted attachments", u64::from(deleted));
        let email = raw.email.text();
        stats.lose("e-mail addresses", u64::from(!email.is_empty() && !is_sage(email)));
        let flagged = [&raw.country, &raw.troll_country, &raw.board_flag].iter().any(|flag| !flag.text().is_empty());
        stats.lose("flags", u64::from(flagged));
    }
}

impl Dialect {
    /// The addresses at which a thread stood. `slug` is its title as part of an address, if there was one.
    fn addresses(self, board: &str, no: PostNo, slug: &str) -> Vec<String> {
        let mut addresses = match self {
            Dialect::Fourchan => vec![format!("/{board}/thread/{no}"), format!("/{board}/res/{no}")],
            Dialect::Vichan => vec![format!("/{board}/res/{no}.html"), format!("/{board}/res/{no}+50.html")],
        };
        if !slug.is_empty() {
            addresses.push(match self {
                Dialect::Fourchan => format!("/{board}/thread/{no}/{slug}"),
                Dialect::Vichan => format!("/{board}/res/{no}-{slug}.html"),
            });
        }
        addresses
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json")
}

/// Whether a file in a folder can be a thread by its name.
fn may_be_thread(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') {
        return false;
    }
    if let Some(stem) = name.strip_suffix(".json") {
        // A tail is the end of a thread whose own file has all of it.
        return !stem.ends_with("-tail") && !["catalog", "threads", "archive", "boards"].contains(&stem);
    }
    may_be_thread_page(path, &name)
}

/// Whether a file can be the page of a thread: `res/12.html`, `res/12-title.html`, `thread/12`, `thread/12/title.html`.
/// If the thread is there as JSON too, or if this is only its end, it is none.
fn may_be_thread_page(path: &Path, name: &str) -> bool {
    let in_thread_folder = |path: &Path| {
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        folder.is_some_and(|name| THREAD_FOLDERS.contains(&name))
    };
    let numbered = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    let stem = name.strip_suffix(".html").or_else(|| name.strip_suffix(".htm"));
    let Some(stem) = stem.or_else(|| (!name.contains('.')).then_some(name)) else { return false };
    let folder = path.parent().unwrap_or(Path::new(""));
    let named_by_folder =
        in_thread_folder(folder) && folder.file_name().and_then(|name| name.to_str()).is_some_and(numbered);
    if named_by_folder {
        // `thread/12` may have been saved as well.
        let whole = |ending: &str| folder.with_extension(ending).exists();
        return !whole("html") && !whole("json");
    }
    if !in_thread_folder(path) || !numbered(stem) {
        return false;
    }
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (no, rest) = stem.split_at(digits);
    let there = |name: String| folder.join(name).exists();
    let end_of_one = rest.starts_with('+') && there(format!("{no}.html"));
    !end_of_one && !there(format!("{no}.json"))
}
/// The bytes of a file that is small enough for a thread.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Box<Problem>> {
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
