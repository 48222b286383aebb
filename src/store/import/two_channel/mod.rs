//! Threads of 2ch and its relatives: folders of `.dat` files, in cp932, EUC-JP or UTF-8.
//!
//! A file is a thread, its name the Unix time of the opening post, a line a post. The lines are counted in each thread,
//! while a board here counts all its posts in one row. So all files are read twice: first for the times of their posts,
//! by which [`Numbering`] gives them numbers, and then for the posts, whose `>>12` become quotes of these numbers.

mod body;
mod dat;
mod encoding;
mod quotes;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::folders::BoardFolder;
use super::fourchan::read;
use super::html;
use super::numbering::{Numbering, Registry};
use super::sources::DEPTH_MAX;
use super::{
    Address, ImportError, Imported, Report, Sink, Stats, Take, WITHOUT_BOARD, field, fill_times, is_sage, moment, trip,
};
use crate::model::{BoardSlug, Post, PostNo, Problem, Thread, ThreadFlags};
use dat::Fields;
use encoding::decode;

/// Folders of a board in which threads stand; those of old threads stand in folders of their own.
const THREAD_FOLDERS: [&str; 5] = ["dat", "kako", "oyster", "pool", "html"];

/// A longer line is no post.
pub const LINE_BYTES_MAX: usize = 1_000_000;

/// Reads the `.dat` files of `sources`, files or folders, as threads of `board`, or else of the boards in whose folders
/// they stand: `tech/dat/1046552430.dat` is of `tech`. Folders are walked in the order of names.
///
/// A line that is no post is a problem, and keeps its place, so that those behind it keep theirs.
///
/// Fails if a source does not exist, before anything is taken, or if numbers cannot be remembered, or if `take` fails.
pub fn two_channel(
    sources: &[PathBuf],
    board: Option<&BoardSlug>,
    registry: &mut dyn Registry,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for path in sources {
        fs::metadata(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    }
    let mut reading = Reading {
        only: board,
        sink: Sink::new(take, problem),
        boards: BTreeMap::new(),
        files: Vec::new(),
        seen: HashMap::new(),
        told: HashSet::new(),
    };
    for path in sources {
        match path.is_dir() {
            true => reading.folder(path, registry)?,
            false => reading.plan(path, Found::Named, registry)?,
        }
    }
    for board in reading.boards.values_mut() {
        board.numbering.settle(registry)?;
    }
    for file in std::mem::take(&mut reading.files) {
        reading.thread(&file)?;
    }
    Ok(reading.sink.stats)
}

/// How we came by a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was asked for, so it has to be a thread.
    Named,
    /// It stands in a folder.
    InFolder,
}

/// A board, while its threads are read.
struct Board {
    numbering: Numbering,
    /// What it was called, which its addresses tell.
    old_name: String,
    /// The folder from which it came first; `None` if the command names it.
    folder: Option<PathBuf>,
    /// Its name for people, until it is handed on.
    title: Option<String>,
}

/// A file that is a thread.
struct DatFile {
    path: PathBuf,
    board: BoardSlug,
    key: String,
}

struct Reading<'a, 'b> {
    only: Option<&'a BoardSlug>,
    sink: Sink<'b>,
    boards: BTreeMap<BoardSlug, Board>,
    files: Vec<DatFile>,
    /// The threads that came, with their files.
    seen: HashMap<(BoardSlug, String), PathBuf>,
    /// Folders of which it was told that they name no board.
    told: HashSet<PathBuf>,
}

impl Reading<'_, '_> {
    fn folder(&mut self, path: &Path, registry: &mut dyn Registry) -> Result<(), ImportError> {
        for entry in walkdir::WalkDir::new(path).max_depth(DEPTH_MAX).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() && is_named_as_dat(entry.path()) => {
                    self.plan(entry.path(), Found::InFolder, registry)?;
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

    /// The first look at a file: plans the numbers of its posts.
    fn plan(&mut self, path: &Path, found: Found, registry: &mut dyn Registry) -> Result<(), ImportError> {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                self.sink.problem(*problem);
                self.sink.end_of(path);
                return Ok(());
            }
        };
        // The other half is told when the file is read again.
        self.sink.read(bytes.len() as u64 / 2)?;
        let decoded = decode(&bytes);
        if !dat::is_dat(&decoded.text) {
            let what = if bytes.is_empty() { "the file is empty" } else { "no line has fields with `<>` between them" };
            let problem = Problem::new(path, format!("not a thread: {what}"));
            self.sink.problem(match found {
                Found::Named => problem.hint("give `.dat` files, or folders of them"),
                Found::InFolder => problem,
            });
            return Ok(());
        }
        let Some(board) = self.board(path, registry)? else { return Ok(()) };
        let key = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(earlier) = self.seen.get(&(board.clone(), key.clone())) {
            let message = format!("thread {key} came already, from `{}`; the first one counts", earlier.display());
            self.sink.problem(Problem::new(path, message));
            return Ok(());
        }
        self.seen.insert((board.clone(), key.clone()), path.to_owned());
        let Some(numbering) = self.boards.get_mut(&board).map(|board| &mut board.numbering) else { return Ok(()) };
        let mut opened = opened_at(&key);
        for (place, fields) in posts(&decoded.text).filter_map(|line| line.post.ok()) {
            let at = dat::moment(&fields.date).map(|at| at.timestamp());
            numbering.plan(&key, place, at.or(opened.take()));
        }
        self.files.push(DatFile { path: path.to_owned(), board, key });
        Ok(())
    }

    /// The board of a file; that it has none is told once for a folder.
    fn board(&mut self, path: &Path, registry: &mut dyn Registry) -> Result<Option<BoardSlug>, ImportError> {
        let folder = BoardFolder::of(path, &THREAD_FOLDERS);
        let slug = match (self.only, &folder) {
            (Some(only), _) => Ok(only.clone()),
            (None, None) => Err("the threads here do not say which board they are from".to_owned()),
            (None, Some(folder)) => {
                folder.slug().map_err(|error| format!("`{}` cannot be a board: {error}", folder.name))
            }
        };
        let slug = slug.and_then(|slug| match self.boards.get(&slug).and_then(|board| board.folder.as_ref()) {
            Some(first) if folder.as_ref().is_some_and(|folder| folder.path != *first) => {
                Err(format!("/{slug}/ came already, from `{}`", first.display()))
            }
            _ => Ok(slug),
        });
        let slug = match slug {
            Ok(slug) => slug,
            Err(fault) => {
                self.sink.stats.lose(WITHOUT_BOARD, 1);
                let beside = path.parent().unwrap_or(Path::new("")).to_owned();
                if self.told.insert(beside.clone()) {
                    let hint = "name a board with `--board B`, or keep threads in folders such as `tech/dat`";
                    self.sink.problem(Problem::new(beside, fault).hint(hint));
                }
                return Ok(None);
            }
        };
        if !self.boards.contains_key(&slug) {
            let numbering = Numbering::open("2ch", &slug, registry)?;
            let title = folder.as_ref().map(|folder| title_of(&folder.path)).filter(|title| !title.is_empty());
            let board = Board {
                numbering,
                old_name: folder.as_ref().map_or_else(|| slug.to_string(), |folder| folder.name.clone()),
                folder: folder.filter(|_| self.only.is_none()).map(|folder| folder.path),
                title: Some(title.unwrap_or_else(|| slug.to_string())),
            };
            self.boards.insert(slug.clone(), board);
        }
        Ok(Some(slug))
    }

    /// The second look at a file: hands its thread on.
    fn thread(&mut self, file: &DatFile) -> Result<(), ImportError> {
        let bytes = match read(&file.path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                self.sink.problem(*problem);
                return Ok(());
            }
        };
        self.sink.read(bytes.len() as u64 - bytes.len() as u64 / 2)?;
        let decoded = decode(&bytes);
        if let Some(line) = decoded.broken_line {
            let message = format!("not all of the file is {}; what is not is shown as \u{fffd}", decoded.encoding);
            self.sink.problem(Problem::new(&file.path, message).at(line, 1));
        }
        let Some(board) = self.boards.get_mut(&file.board) else { return Ok(()) };
        let mut made = Made { flags: ThreadFlags::default(), posts: Vec::new(), places: Vec::new() };
        let (mut opened, mut subject, mut places) = (opened_at(&file.key), String::new(), HashSet::new());
        for line in posts(&decoded.text) {
            let (place, fields) = match line.post {
                Ok(post) => post,
                Err(fault) => {
                    self.sink.problem(Problem::new(&file.path, fault).at(line.number, 1));
                    continue;
                }
            };
            // The file has grown since it was looked at first.
            let Some(no) = board.numbering.of(&file.key, place) else { continue };
            if !places.insert(place) {
                let message = format!("place {place} came already; the first one counts");
                self.sink.problem(Problem::new(&file.path, message).at(line.number, 1));
                continue;
            }
            if subject.is_empty() && !dat::is_removed(&fields) {
                subject = field(&html::to_text(&fields.title.replace("＠｀", ",")), &mut self.sink.stats);
            }
            let number = |place| board.numbering.of(&file.key, place);
            let post = post(no, &fields, opened.take(), number, &mut self.sink.stats);
            made.flags.locked |= fields.date.trim() == "停止";
            made.places.push((place, no));
            made.posts.push(post);
        }
        made.posts.sort_unstable_by_key(|post| post.no);
        fill_times(&mut made.posts);
        if let Some(first) = made.posts.first_mut()
            && !first.deleted
        {
            first.subject = subject;
        } else if !subject.is_empty() {
            self.sink.stats.lose("titles of threads whose opening post is removed", 1);
        }
        let (title, old_name) = (board.title.take(), board.old_name.clone());
        if let Some(title) = title.filter(|_| self.only.is_none()) {
            let (slug, description) = (file.board.clone(), String::new());
            let title = field(&title, &mut self.sink.stats);
            self.sink.take(Imported::Board { slug, title, description })?;
        }
        self.hand_on(file, made, &old_name)?;
        self.sink.end_of(&file.path);
        Ok(())
    }

    fn hand_on(&mut self, file: &DatFile, made: Made, old_name: &str) -> Result<(), ImportError> {
        let Some(no) = made.posts.first().map(|post| post.no) else { return Ok(()) };
        let thread = Thread { flags: made.flags, changed: None, posts: made.posts };
        self.sink.take(Imported::Thread { board: file.board.clone(), thread })?;
        let to = Address::of_thread(&file.board, no);
        let cgi = format!("/test/read.cgi/{old_name}/{}", file.key);
        for from in [cgi.clone(), format!("{cgi}/"), format!("{cgi}/l50")] {
            self.sink.moved(from, to.clone())?;
        }
        if let Some(from) = kept_page(&file.path, old_name) {
            self.sink.moved(from, to)?;
        }
        for (place, post) in made.places {
            self.sink.moved(format!("{cgi}/{place}"), Address::of_post(&file.board, no, post))?;
        }
        Ok(())
    }
}

/// A thread that is being made.
struct Made {
    flags: ThreadFlags,
    posts: Vec<Post>,
    places: Vec<(u32, PostNo)>,
}

/// A line of a file: its number, and its place in the thread with its fields, or why it is none.
struct DatLine<'a> {
    number: usize,
    post: Result<(u32, Fields<'a>), String>,
}

/// The posts of a file. Empty lines at its end are none.
fn posts(text: &str) -> impl Iterator<Item = DatLine<'_>> {
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r', '\0', '\u{1a}']);
    text.split('\n').enumerate().map(|(i, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let post = match dat::fields(line) {
            _ if LINE_BYTES_MAX < line.len() => Err(format!("the line is longer than {LINE_BYTES_MAX} bytes")),
            Ok(fields) => Ok((fields.place.unwrap_or(u32::try_from(i + 1).unwrap_or(u32::MAX)), fields)),
            Err(1) => Err("the line is no post: it has no fields with `<>` between them; it is left out".to_owned()),
            Err(count) => Err(format!("the line is no post: it has {count} of 4 fields; it is left out")),
        };
        DatLine { number: i + 1, post }
    })
}

fn post(
    no: PostNo,
    fields: &Fields<'_>,
    opened: Option<i64>,
    number: impl Fn(u32) -> Option<PostNo>,
    stats: &mut Stats,
) -> Post {
    let dated = dat::parse_moment(&fields.date);
    let at = dated.map(|(at, _)| at).or_else(|| opened.and_then(moment));
    if dat::is_removed(fields) {
        return Post { at: at.unwrap_or_default(), deleted: true, ..Post::new(no) };
    }
    stats.lose("posts without a time", u64::from(at.is_none()));
    count_remarks(dated.map_or(fields.date.as_str(), |(_, rest)| rest), fields, stats);
    let (name, tripcode) = signature(&fields.name, stats);
    let markup = body::to_markup(fields.body);
    markup.lost.into_iter().for_each(|(kind, count)| stats.lose(kind, count));
    let (text, nowhere) = quotes::renumber(&markup.body, number);
    stats.lose("quotes of posts that are not there", nowhere);
    Post {
        at: at.unwrap_or_default(),
        name,
        trip: tripcode,
        sage: is_sage(&fields.mail),
        body: super::body(text),
        ..Post::new(no)
    }
}

/// Counts what stands beside a time, and in the mail field.
fn count_remarks(remarks: &str, fields: &Fields<'_>, stats: &mut Stats) {
    let mail = fields.mail.trim();
    let options =
        mail.split_ascii_whitespace().all(|word| matches!(word.to_ascii_lowercase().as_str(), "sage" | "age"));
    stats.lose("e-mail addresses", u64::from(!options));
    stats.lose("poster ids", u64::from(fields.has_id));
    let remarks = html::to_text(remarks);
    let kinds: BTreeSet<&str> = remarks.split_whitespace().filter_map(remark).collect();
    kinds.into_iter().for_each(|kind| stats.lose(kind, 1));
}

/// What a word beside a time tells; `None` if it tells nothing.
fn remark(word: &str) -> Option<&'static str> {
    let begins = |starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
    match word {
        _ if begins(&["ID:???"]) => None,
        _ if begins(&["ID:"]) => Some("poster ids"),
        _ if begins(&["BE:"]) => Some("BE numbers"),
        _ if begins(&["HOST:", "発信元:", "["]) => Some("poster hosts"),
        _ => Some("remarks beside the time"),
    }
}

/// The name and the tripcode of a name field.
///
/// The field stands in a `<b>`, so what is outside of it was not typed: tripcodes, hosts, marks of the board.
fn signature(html: &str, stats: &mut Stats) -> (String, String) {
    let (mut name, mut tripcode) = (String::new(), String::new());
    let mut typed = true;
    let mut rest = html;
    loop {
        let end = rest.find(if typed { "</b>" } else { "<b>" });
        let (part, after) = match end {
            Some(at) => (&rest[..at], Some(&rest[at + if typed { 4 } else { 3 }..])),
            None => (rest, None),
        };
        let text = html::to_text(part);
        let signs = text.trim();
        match signs.strip_prefix('◆') {
            Some(code) if !typed && tripcode.is_empty() => {
                let code_bytes = code.find(|c: char| !c.is_ascii_graphic()).unwrap_or(code.len());
                tripcode = trip(&format!("!{}", &code[..code_bytes]), stats);
                name.push_str(&code[code_bytes..]);
            }
            _ => name.push_str(&text),
        }
        match after {
            Some(after) => (rest, typed) = (after, !typed),
            None => break,
        }
    }
    if html.contains("<font") {
        stats.lose("text styles", 1);
    }
    (field(&name, stats), tripcode)
}

/// When a thread was opened, as its file's name tells.
fn opened_at(key: &str) -> Option<i64> {
    let digits = (9..=10).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| key.parse().ok()).flatten()
}

/// The address of the page of an old thread, such as `/tech/kako/1046/10465/1046552430.html`.
fn kept_page(path: &Path, old_name: &str) -> Option<String> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let at = parts.iter().rposition(|part| matches!(*part, "kako" | "oyster" | "pool"))?;
    let below = parts[at..parts.len() - 1].join("/");
    Some(format!("/{old_name}/{below}/{}.html", path.file_stem()?.to_str()?))
}

fn is_named_as_dat(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && (name.ends_with(".dat") || name.ends_with(".rawmode"))
}

/// A board's name for people, as its `SETTING.TXT` tells it; empty if there is none.
fn title_of(folder: &Path) -> String {
    let Ok(bytes) = fs::read(folder.join("SETTING.TXT")) else { return String::new() };
    let text = decode(&bytes).text;
    let title = text.lines().find_map(|line| line.strip_prefix("BBS_TITLE="));
    html::to_text(title.unwrap_or_default().trim())
}
