//! The folder `content/`: which boards and threads there are, and what changed since it was last looked at.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::{settings, thread_file};
use crate::disk::{self, DiskError};
use crate::model::settings::BoardInfo;
use crate::model::summary::Excerpt;
use crate::model::{
    BoardSettings, BoardSlug, Change, Numbered, PostNo, Problem, Site, SiteSettings, Stamp, Thread, ThreadKey,
    ThreadSummary,
};

/// Where the settings of the site stand, below its root.
pub const SITE_FILE: &str = "content/site.yaml";

/// The settings of the site and of its boards.
pub struct Frame {
    /// The site's.
    pub settings: Arc<SiteSettings>,
    /// The boards, by name.
    pub boards: Vec<BoardInfo>,
    /// Folders that cannot be boards. They are passed over.
    pub problems: Vec<Problem>,
}

/// Why the site cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// `content/` or something in it could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no site here.
    #[error("there is no site in `{}`: no `content/site.yaml`", .0.display())]
    NoSite(PathBuf),
    /// Settings are wrong; every problem of all settings files.
    #[error("the settings have {} problem{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Settings(Vec<Problem>),
}

/// Tells whether there is a site at all.
pub fn require_site(root: &Path) -> Result<(), ContentError> {
    match fs::symlink_metadata(root.join(SITE_FILE)) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Err(ContentError::NoSite(root.to_owned()))
        }
        // What else may be wrong with it is told by reading it.
        _ => Ok(()),
    }
}

/// Reads `site.yaml` and all `board.yaml`.
pub fn read_frame(root: &Path) -> Result<Frame, ContentError> {
    let path = root.join(SITE_FILE);
    let text = match disk::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_absent() => return Err(ContentError::NoSite(root.to_owned())),
        Err(error) => return Err(error.into()),
    };
    let mut wrong = Vec::new();
    let settings = read_settings(&path, &text, &mut wrong, settings::read_site).unwrap_or_default();
    let mut problems = Vec::new();
    let mut boards = Vec::new();
    for folder in board_folders(&root.join("content"), &mut problems)? {
        let path = folder.path.join("board.yaml");
        let read = |path: &Path, text: &str| settings::read_board(path, text, &settings);
        let own = match disk::read(&path) {
            Ok(bytes) => read_settings(&path, &bytes, &mut wrong, read),
            Err(error) if error.is_absent() => Some(settings.defaults.clone()),
            Err(error) => return Err(error.into()),
        };
        let settings: Arc<BoardSettings> = Arc::new(own.unwrap_or_default());
        boards.push(BoardInfo { slug: folder.slug, settings });
    }
    match wrong.is_empty() {
        true => Ok(Frame { settings: Arc::new(settings), boards, problems }),
        false => Err(ContentError::Settings(wrong)),
    }
}

fn read_settings<T>(
    path: &Path,
    bytes: &[u8],
    wrong: &mut Vec<Problem>,
    read: impl Fn(&Path, &str) -> Result<T, Vec<Problem>>,
) -> Option<T> {
    let text = std::str::from_utf8(bytes).map_err(|_| vec![Problem::new(path, "this file is not UTF-8")]);
    match text.and_then(|text| read(path, text)) {
        Ok(settings) => Some(settings),
        Err(problems) => {
            wrong.extend(problems);
            None
        }
    }
}

struct BoardFolder {
    slug: BoardSlug,
    path: PathBuf,
}

/// The folders of `content/` that are boards, by name.
fn board_folders(content: &Path, problems: &mut Vec<Problem>) -> Result<Vec<BoardFolder>, DiskError> {
    let mut folders = Vec::new();
    for entry in list(content)? {
        let (path, name) = (entry.path(), entry.file_name());
        if name.as_encoded_bytes().starts_with(b".") || !path.is_dir() {
            continue;
        }
        match BoardSlug::parse(&name.to_string_lossy()) {
            Ok(slug) => folders.push(BoardFolder { slug, path }),
            Err(error) => problems.push(Problem::new(&path, format!("this folder cannot be a board: {error}"))),
        }
    }
    folders.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(folders)
}

fn list(folder: &Path) -> Result<Vec<DirEntry>, DiskError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    listed.map_err(DiskError::doing("list", folder))
}

/// What a look at the thread files found.
#[derive(Default)]
pub struct Found {
    /// Threads that are new, different or gone.
    pub changes: Vec<Change>,
    /// Threads whose file was written anew with the same bytes.
    pub restamped: Vec<(ThreadKey, Stamp)>,
    /// What was wrong with files that were read. Files that did not change are not read, and tell nothing.
    pub problems: Vec<Problem>,
    /// Thread files that were read.
    pub read: usize,
    /// Thread files that made it panic. What is known of them stays.
    pub panics: usize,
    /// Drafts in the boards' folders. Whoever holds the site's lock may remove them: a crash has left them, and what
    /// they were to become is still in the inbox.
    pub drafts: Vec<PathBuf>,
}

/// Compares the thread files of a board with what `site` knows of them. `now_ns` is the time, in nanoseconds since the
/// Unix epoch; `excerpt` tells what a reader sees of a body; `tick` is called for each file.
///
/// A board at a time: what is found is taken over before the next one is looked at, and need not be held any longer.
pub fn find_changes_on(
    root: &Path,
    site: &Site,
    slug: &BoardSlug,
    now_ns: i64,
    excerpt: Excerpt,
    tick: &(impl Fn() + Sync),
) -> Result<Found, DiskError> {
    let Some(board) = site.board(slug) else { return Ok(Found::default()) };
    let mut found = Found::default();
    let mut files = Vec::new();
    list_threads(&root.join("content").join(slug.as_str()), slug, &mut files, &mut found)?;
    let looks: Vec<Look> = files
        .par_iter()
        .map(|(key, path)| {
            tick();
            look(key, path, site, now_ns, excerpt)
        })
        .collect();
    let mut there = Vec::with_capacity(files.len());
    for (look, (key, _)) in looks.into_iter().zip(&files) {
        if !matches!(look, Look::Gone) {
            there.push(key.no);
        }
        found.note(key, look);
    }
    there.sort_unstable();
    let gone = board.threads().filter(|summary| there.binary_search(&summary.no).is_err());
    let key = |summary: &ThreadSummary| ThreadKey { board: slug.clone(), no: summary.no };
    found.changes.extend(gone.map(|summary| Change { key: key(summary), now: None }));
    Ok(found)
}

/// Looks at these threads alone, whether they are there or not.
pub fn find_changes_of(root: &Path, site: &Site, keys: &BTreeSet<ThreadKey>, now_ns: i64, excerpt: Excerpt) -> Found {
    let mut found = Found::default();
    for key in keys {
        let look = look(key, &path_of(root, key), site, now_ns, excerpt);
        match (&look, site.thread(key)) {
            (Look::Gone, None) => {}
            (Look::Gone, Some(_)) => found.changes.push(Change { key: key.clone(), now: None }),
            _ => found.note(key, look),
        }
    }
    found
}

impl Found {
    fn note(&mut self, key: &ThreadKey, look: Look) {
        match look {
            Look::Same | Look::Gone => {}
            Look::Touched(stamp) => {
                self.read += 1;
                self.restamped.push((key.clone(), stamp));
            }
            Look::Read(numbered, problems) => {
                self.read += 1;
                self.problems.extend(problems);
                self.changes.push(Change { key: key.clone(), now: Some(*numbered) });
            }
            Look::Empty(problems) => {
                self.read += 1;
                self.problems.extend(problems);
                self.changes.push(Change { key: key.clone(), now: None });
            }
            Look::Trouble(problem) => self.problems.push(problem),
            Look::Panicked(problem) => {
                self.read += 1;
                self.panics += 1;
                self.problems.push(problem);
            }
        }
    }
}

/// The path of a thread's file.
pub fn path_of(root: &Path, key: &ThreadKey) -> PathBuf {
    root.join("content").join(key.board.as_str()).join(format!("{}.md", key.no))
}

/// The thread that a path below the site's root names, if it names one: `content/tech/12.md`.
pub fn key_of(root: &Path, path: &Path) -> Option<ThreadKey> {
    let mut parts = path.strip_prefix(root).ok()?.strip_prefix("content").ok()?.iter();
    let board = BoardSlug::parse(parts.next()?.to_str()?).ok()?;
    let no = PostNo::parse(parts.next()?.to_str()?.strip_suffix(".md")?)?;
    parts.next().is_none().then_some(ThreadKey { board, no })
}

/// Reads a thread whole.
pub fn read_thread(root: &Path, key: &ThreadKey) -> Result<Thread, DiskError> {
    let path = path_of(root, key);
    let bytes = disk::read(&path)?;
    let unreadable = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it holds no post that can be read");
    let thread = thread_file::read(&path, &bytes).thread;
    thread.ok_or_else(unreadable).map_err(DiskError::doing("read", &path))
}

/// The thread files of a board's folder, and what else lies there.
pub(super) fn list_threads(
    folder: &Path,
    board: &BoardSlug,
    files: &mut Vec<(ThreadKey, PathBuf)>,
    found: &mut Found,
) -> Result<(), DiskError> {
    for entry in list(folder)? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if disk::is_draft(&name) {
            found.drafts.push(entry.path());
            continue;
        }
        let Some(stem) = name.strip_suffix(".md").filter(|_| !name.starts_with('.')) else { continue };
        match PostNo::parse(stem) {
            Some(no) => files.push((ThreadKey { board: board.clone(), no }, entry.path())),
            None => {
                let hint = "a thread's file has the number of its first post as its name, such as `12.md`";
                found.problems.push(Problem::new(entry.path(), "this is not the name of a thread file").hint(hint));
            }
        }
    }
    Ok(())
}

enum Look {
    Same,
    Touched(Stamp),
    Read(Box<Numbered>, Vec<Problem>),
    /// It holds no post. Its thread is gone, just as a clean build would have it.
    Empty(Vec<Problem>),
    /// The system would not let us read it. What is known of it stays.
    Trouble(Problem),
    /// It is too much for us. What is known of it stays, and it is tried again when somebody looks the next time.
    Panicked(Problem),
    Gone,
}

fn look(key: &ThreadKey, path: &Path, site: &Site, now_ns: i64, excerpt: Excerpt) -> Look {
    let trouble = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Look::Gone,
        _ => Look::Trouble(Problem::new(path, format!("cannot be read: {error}"))),
    };
    let stamp = match fs::metadata(path) {
        // To open a pipe would wait for ever.
        Ok(meta) if !meta.is_file() => return Look::Trouble(Problem::new(path, "this is not a file")),
        Ok(meta) => disk::stamp(&meta),
        Err(error) => return trouble(error),
    };
    let known = site.thread(key);
    if known.is_some_and(|known| known.stamp == stamp) {
        return Look::Same;
    }
    let stamp = settled(stamp, now_ns);
    if thread_file::FILE_BYTES_MAX < stamp.bytes as usize {
        let message = format!("this file is larger than {} bytes", thread_file::FILE_BYTES_MAX);
        return Look::Empty(vec![Problem::new(path, message)]);
    }
    let bytes = match disk::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return trouble(error.source),
    };
    let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
    if known.is_some_and(|known| known.content_hash == hash) {
        return Look::Touched(stamp);
    }
    let sum_up = || {
        let reading = thread_file::read(path, &bytes);
        match (reading.thread, site.board(&key.board)) {
            (Some(thread), Some(board)) => {
                let numbered = number(&thread, key, &board.settings, stamp, hash, excerpt);
                Look::Read(Box::new(numbered), reading.problems)
            }
            _ => Look::Empty(reading.problems),
        }
    };
    unpanicked(path, sum_up).unwrap_or_else(Look::Panicked)
}

/// What comes of a file; a panic costs that file alone, or the whole site would wait for it for ever.
pub(super) fn unpanicked<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T, Problem> {
    // Nothing is shared with what panics but what it reads.
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        let hint = "this is a mistake of the program: report it, and move the file away until it is mended";
        Problem::new(path, "reading this file panicked; what was known of it stays").hint(hint)
    })
}

/// A stamp that proves something later on. A file may change twice within one tick of the system's clock; one that was
/// changed a moment before it is read gets a stamp that matches nothing, and is read once more next time.
fn settled(stamp: Stamp, now_ns: i64) -> Stamp {
    const TICK_NS: i64 = 20_000_000;
    match stamp.changed_ns.saturating_add(TICK_NS) < now_ns {
        true => stamp,
        false => Stamp { changed_ns: 0, ..stamp },
    }
}

/// Sums up a thread for the site.
pub fn number(
    thread: &Thread,
    key: &ThreadKey,
    settings: &BoardSettings,
    stamp: Stamp,
    hash: u64,
    excerpt: Excerpt,
) -> Numbered {
    let mut numbers: Vec<PostNo> = thread.posts.iter().map(|post| post.no).collect();
    numbers.sort_unstable();
    Numbered { summary: ThreadSummary::of(thread, &key.board, settings, stamp, hash, excerpt), numbers }
}

/// Numbers that stand in more than one thread of a board. The older thread has them.
pub fn collisions(root: &Path, site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    for board in site.boards() {
        for (no, first, second) in board.collisions() {
            let path = |no| path_of(root, &ThreadKey { board: board.slug.clone(), no });
            let message = format!("post number {no} is used by `{}` too", path(first).display());
            let hint = "quotes lead to the older thread; give the post here a number that is free on its board";
            problems.push(Problem::new(path(second), message).hint(hint));
        }
    }
    problems
}
