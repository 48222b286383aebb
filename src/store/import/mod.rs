//! Other people's archives, read as boards and threads.
//!
//! An importer is a source of values that streams: it calls `take` with one board or thread after the other and
//! `problem` with what it could not read, and goes on after both. What becomes of a thread on disk is the caller's
//! matter, so that an import that was cut short can simply be run again: posts are known again by their numbers. A
//! source that counts posts thread by thread has them numbered by [`Numbering`], which remembers. Nothing is dropped
//! silently: what a post here has no room for is counted in [`Stats::lost`].
//!
//! - [`jsonl`] reads one JSON object per line, in whatever order the posts stand;
//! - [`fourchan`] reads the thread files of the 4chan read API and of its relatives, and pages that these programs
//!   wrote. Their comments are HTML, which [`html`] turns back into what one would have typed;
//! - [`two_channel`] reads the `.dat` files of 2ch and its relatives;
//! - [`discourse`] reads the topics of a forum, [`stackexchange`] the questions and answers of a dump, both with HTML.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::model::{BoardSlug, Post, PostNo, Problem, Thread};

pub mod discourse;
mod entities;
mod escape;
mod folders;
pub mod fourchan;
pub mod html;
pub mod jsonl;
mod lines;
mod loose;
mod numbering;
pub(super) mod numbers;
mod redirects;
mod roles;
mod sink;
mod sources;
pub mod stackexchange;
mod tags;
pub mod two_channel;

pub use discourse::discourse;
pub use fourchan::{Dialect, fourchan};
pub use jsonl::jsonl;
pub use numbering::{Numbering, NumberingError, Registry};
pub use redirects::Redirects;
use sink::Sink;
pub use sources::bytes_of;
pub use stackexchange::stackexchange;
pub use two_channel::two_channel;

/// What an importer yields.
#[derive(Clone, PartialEq, Debug)]
pub enum Imported {
    /// A board. It comes before the first thread on it, at most once in a call, and only from sources that know boards.
    Board {
        /// Its name.
        slug: BoardSlug,
        /// Its name for people; the slug if the source has none.
        title: String,
        /// A sentence; may be empty.
        description: String,
    },
    /// A thread with its opening post, replies by rising number.
    ///
    /// It may be partial: what is on disk already can have posts that the source lacks, and the other way round. Posts
    /// are the same when their numbers are.
    Thread {
        /// The board it stands on.
        board: BoardSlug,
        /// The posts and flags.
        thread: Thread,
    },
    /// Replies to a thread whose opening post is not in the source, such as what was posted since an earlier export.
    Replies {
        /// The board the thread stands on.
        board: BoardSlug,
        /// The number of the thread.
        thread: PostNo,
        /// At least one post, by rising number, each above `thread`.
        posts: Vec<Post>,
        /// What to report if no such thread is on disk.
        if_absent: Problem,
    },
    /// An address of the source that leads elsewhere now. It comes after what it leads to.
    Moved {
        /// The path at the source's site, such as `/po/res/12.html`; from its root, with a slash.
        from: String,
        /// Where it leads now.
        to: Address,
    },
    /// So many more bytes of the sources are read. It comes before what they held.
    Read(u64),
}

/// A place of the site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// The board.
    pub board: BoardSlug,
    /// A thread on it; `None` means the board itself.
    pub thread: Option<PostNo>,
    /// A post in that thread; `None` means the thread itself.
    pub post: Option<PostNo>,
}

impl Address {
    /// The address of a thread.
    pub fn of_thread(board: &BoardSlug, thread: PostNo) -> Address {
        Address { board: board.clone(), thread: Some(thread), post: None }
    }

    /// The address of a post.
    pub fn of_post(board: &BoardSlug, thread: PostNo, post: PostNo) -> Address {
        Address { post: Some(post), ..Address::of_thread(board, thread) }
    }
}

/// Takes what an importer yields. An error ends the import.
pub type Take<'a> = &'a mut dyn FnMut(Imported) -> io::Result<()>;

/// Hears what could not be read.
pub type Report<'a> = &'a mut dyn FnMut(Problem);

/// What an import came to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Boards yielded.
    pub boards: u64,
    /// Threads yielded, those of which only replies were there included.
    pub threads: u64,
    /// Posts yielded.
    pub posts: u64,
    /// Files passed over because they are no threads: catalogs, index pages, lists, pictures.
    pub skipped: u64,
    /// The same by the ending of their names, such as `.jpg`.
    pub skipped_endings: BTreeMap<String, u64>,
    /// What a post here has no room for, counted by kind in the plural, such as `attachments`.
    pub lost: BTreeMap<&'static str, u64>,
}

impl Stats {
    /// Counts `count` things of a kind that could not be carried over.
    fn lose(&mut self, kind: &'static str, count: u64) {
        if 0 < count {
            *self.lost.entry(kind).or_default() += count;
        }
    }

    /// Counts a file that is no thread.
    fn skip(&mut self, path: &Path) {
        self.skipped += 1;
        let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy().to_lowercase()));
        let ending = ending.filter(|ending| ending.len() <= 10).unwrap_or_default();
        match self.skipped_endings.len() < ENDINGS_MAX || self.skipped_endings.contains_key(&ending) {
            true => *self.skipped_endings.entry(ending).or_default() += 1,
            false => *self.skipped_endings.entry(String::new()).or_default() += 1,
        }
    }

    /// Counts what is handed on.
    fn note(&mut self, imported: &Imported) {
        let posts = match imported {
            Imported::Board { .. } => {
                self.boards += 1;
                return;
            }
            Imported::Thread { thread, .. } => thread.posts.len(),
            Imported::Replies { posts, .. } => posts.len(),
            Imported::Moved { .. } | Imported::Read(_) => return,
        };
        self.threads += 1;
        self.posts += posts as u64;
    }
}

/// Why an import ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder that was asked for cannot be opened or read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder stands where a file is due.
    #[error("`{}` is a folder, not a file", .0.display())]
    Folder(PathBuf),
    /// What was yielded could not be taken.
    #[error("cannot keep what was read")]
    Take(#[source] io::Error),
    /// The numbers that posts have got here cannot be told.
    #[error(transparent)]
    Numbering(#[from] NumberingError),
}

/// Threads that nobody says a board for, as they are counted among what is lost.
pub const WITHOUT_BOARD: &str = "threads without a board";

/// Endings of names of files that are passed over which are counted one by one.
const ENDINGS_MAX: usize = 40;

/// Single-line fields longer than this are cut; a board's settings allow no more either.
const FIELD_CHARS_MAX: usize = 1_000;

/// The last second of the year 9999, after which dates need another form.
const TIME_MAX: i64 = 253_402_300_799;

/// A time in Unix seconds, if it is one of the years 1970 to 9999.
fn moment(seconds: i64) -> Option<DateTime<Utc>> {
    (0..=TIME_MAX).contains(&seconds).then(|| DateTime::from_timestamp(seconds, 0)).flatten()
}

/// `text` on one line, without control characters, cut at [`FIELD_CHARS_MAX`].
fn field(text: &str, stats: &mut Stats) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.trim();
    match plain.char_indices().nth(FIELD_CHARS_MAX) {
        Some((at, _)) => {
            stats.lose("ends of long names or subjects", 1);
            plain[..at].trim_end().to_owned()
        }
        None => plain.to_owned(),
    }
}

/// A tripcode with its `!`.
fn trip(text: &str, stats: &mut Stats) -> String {
    let text = field(text, stats).replace('◆', "!");
    match text.is_empty() || text.starts_with('!') {
        true => text,
        false => format!("!{text}"),
    }
}

/// A body with `\n` as line end and without control characters other than tabs.
fn body(text: String) -> String {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(odd) {
        return text;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|&c| !odd(c)).collect()
}

/// Gives a post whose time is not known that of the post before it, as a thread file without one is read.
fn fill_times(posts: &mut [Post]) {
    let mut before = DateTime::UNIX_EPOCH;
    for post in posts {
        if post.at == DateTime::UNIX_EPOCH {
            post.at = before;
        }
        before = post.at;
    }
}

/// Whether the options field of a post says that it shall not bump.
fn is_sage(options: &str) -> bool {
    options.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("sage"))
}

/// What is wrong with some JSON: the message without its place, which problems tell by themselves, and the place.
fn json_fault(error: &serde_json::Error) -> (String, usize, usize) {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    let short: String = text[..end].chars().take(200).collect();
    let short = match error.classify() {
        serde_json::error::Category::Eof => format!("the JSON ends in the middle: {short}"),
        _ => short,
    };
    (short, error.line().max(1), error.column().max(1))
}

/// Whether there is something at `path` that can be read as a file.
fn check_file(path: &Path) -> Result<(), ImportError> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(ImportError::Folder(path.to_owned())),
        Ok(_) => Ok(()),
        Err(source) => Err(ImportError::Read { path: path.to_owned(), source }),
    }
}
