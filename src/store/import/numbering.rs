//! Numbers for posts whose source counts them thread by thread, as 2ch and forums do.
//!
//! A board here numbers all its posts in one row. All posts of a source are planned first and then get numbers in the
//! order of their times, above all that the board has used. The plan is on disk before a post is: an import that was
//! killed goes on with the same numbers, quotes across threads are right before the quoted thread is there, and a
//! later import of more posts numbers only these.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError};
use crate::model::{BoardSlug, PostNo};

/// What the site knows of its boards' numbers.
pub trait Registry {
    /// The lowest number above all that a board has used; `None` if it has used all.
    fn first_free(&mut self, board: &BoardSlug) -> Option<PostNo>;
    /// Notes that a board has used all numbers up to this one.
    fn reserve(&mut self, board: &BoardSlug, last: PostNo);
    /// The folder in which numbers are remembered.
    fn folder(&self) -> PathBuf;
}

/// Why numbers cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum NumberingError {
    /// The file of them cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It holds something else.
    #[error("line {line} of `{}` is not the numbers of a thread; without them posts would be doubled", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The board has used all numbers.
    #[error("/{0}/ has no numbers left")]
    Full(BoardSlug),
}

/// The numbers of a board's imported posts, by their thread in the source and their place in it.
pub struct Numbering {
    path: PathBuf,
    board: BoardSlug,
    threads: HashMap<String, Vec<(u32, PostNo)>>,
    highest: u64,
    planned: Vec<Planned>,
    names: Vec<String>,
    /// The latest time of the thread that is being planned.
    latest: i64,
}

struct Planned {
    at: i64,
    /// Where the thread's name stands in `names`.
    thread: u32,
    place: u32,
}

/// A row of posts in a thread's line: the first place, how many, and the number of the first.
type Row = (u32, u32, PostNo);

impl Numbering {
    /// The numbers given so far to posts of `board` that come from sources of this format.
    pub fn open(format: &str, board: &BoardSlug, registry: &dyn Registry) -> Result<Numbering, NumberingError> {
        let path = registry.folder().join(format!("{format}-{board}.numbers"));
        let mut numbering = Numbering {
            path,
            board: board.clone(),
            threads: HashMap::new(),
            highest: 0,
            planned: Vec::new(),
            names: Vec::new(),
            latest: i64::MIN,
        };
        let bytes = match disk::read(&numbering.path) {
            Err(error) if error.is_absent() => return Ok(numbering),
            read => read?,
        };
        for (i, line) in bytes.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let broken = |_| NumberingError::Broken { path: numbering.path.clone(), line: i + 1 };
            let (thread, rows): (String, Vec<Row>) = serde_json::from_slice(line).map_err(broken)?;
            for (place, count, first) in rows {
                let posts =
                    (0..count).filter_map(|i| Some((place.checked_add(i)?, PostNo::new(first.get() + u64::from(i))?)));
                numbering.highest = numbering.highest.max(first.get() + u64::from(count) - 1);
                numbering.threads.entry(thread.clone()).or_default().extend(posts);
            }
        }
        numbering.threads.values_mut().for_each(|posts| posts.sort_unstable());
        Ok(numbering)
    }

    /// Plans a number for the post at `place` of a thread, if it has none. Posts of a thread come one after the other, by
    /// rising place; one without a time has that of the one before.
    pub fn plan(&mut self, thread: &str, place: u32, at: Option<i64>) {
        if self.names.last().is_none_or(|last| last != thread) {
            self.names.push(thread.to_owned());
            self.latest = i64::MIN;
        }
        self.latest = self.latest.max(at.unwrap_or(i64::MIN));
        if self.of(thread, place).is_none() {
            let thread = u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX);
            self.planned.push(Planned { at: self.latest, thread, place });
        }
    }

    /// Gives numbers to all that was planned, and waits until they are on disk.
    pub fn settle(&mut self, registry: &mut dyn Registry) -> Result<(), NumberingError> {
        let mut planned = std::mem::take(&mut self.planned);
        let names = std::mem::take(&mut self.names);
        planned.sort_by(|a, b| {
            let name = |planned: &Planned| names[planned.thread as usize].as_str();
            (a.at, name(a), a.place).cmp(&(b.at, name(b), b.place))
        });
        let full = || NumberingError::Full(self.board.clone());
        let free = registry.first_free(&self.board).ok_or_else(full)?;
        let first = free.get().max(self.highest + 1);
        // The same thread may have been planned twice, from two copies of its file.
        let mut seen = HashSet::new();
        planned.retain(|planned| seen.insert((names[planned.thread as usize].as_str(), planned.place)));
        for (next, Planned { thread, place, .. }) in (first..).zip(&planned) {
            let no = PostNo::new(next).ok_or_else(full)?;
            self.threads.entry(names[*thread as usize].clone()).or_default().push((*place, no));
            self.highest = next;
        }
        if !planned.is_empty() {
            self.threads.values_mut().for_each(|posts| posts.sort_unstable());
        }
        // Before they are on disk: should it end between the two, numbers are lost, and none is given twice.
        if let Some(highest) = PostNo::new(self.highest) {
            registry.reserve(&self.board, highest);
        }
        if !planned.is_empty() {
            self.save()?;
        }
        Ok(())
    }

    /// The number of the post at `place` of a thread.
    pub fn of(&self, thread: &str, place: u32) -> Option<PostNo> {
        let posts = self.threads.get(thread)?;
        let at = posts.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        Some(posts[at].1)
    }

    /// The number that names a thread: the lowest of its posts'.
    pub fn thread(&self, thread: &str) -> Option<PostNo> {
        self.threads.get(thread)?.iter().map(|(_, no)| *no).min()
    }

    fn save(&self) -> Result<(), NumberingError> {
        let mut names: Vec<&String> = self.threads.keys().collect();
        names.sort_unstable();
        let mut out = String::new();
        for name in names {
            let rows = rows(&self.threads[name]);
            let name = serde_json::Value::from(name.as_str());
            let rows: Vec<String> = rows.iter().map(|(place, count, no)| format!("[{place},{count},{no}]")).collect();
            // Writing to a text cannot fail.
            let _ = writeln!(out, "[{name},[{}]]", rows.join(","));
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        disk::create_private_dir(folder)?;
        disk::replace_private(&self.path, out.as_bytes())?;
        disk::sync_folder(folder)?;
        Ok(())
    }
}

/// Posts that follow each other in their thread and in their numbers, as rows.
fn rows(posts: &[(u32, PostNo)]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, no) in posts {
        match rows.last_mut() {
            Some((first, count, first_no))
                if first.checked_add(*count) == Some(*place) && no.get() == first_no.get() + u64::from(*count) =>
            {
                *count += 1;
            }
            _ => rows.push((*place, 1, *no)),
        }
    }
    rows
}
