//! The inbox: accepted posts that are not content yet, one file for all that were accepted together.
//!
//! A file has the form of a thread file, but its posts name a `board`, and a `thread` if they answer one, and have no
//! number. What staff does comes the same way, in files of its own kind ([`acts`]). Anything else that lies here is moved to `rejected/` with the reason beside it, so that one bad file never
//! holds up the others. Names that begin with a dot are not looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::acts;
use super::header::{self, Lines, Place};
use super::thread_file;
use crate::disk::{self, DiskError, Draft};
use crate::model::{Act, Arrival, PostId, Problem};

/// The largest inbox file that is taken, in bytes.
pub const FILE_BYTES_MAX: u64 = 32 << 20;

/// The most posts in one file.
pub const POSTS_MAX: usize = 10_000;

/// The longest body that is taken from a file, in bytes. The door has the board's own, smaller bound.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// The longest name, tripcode, id, role and subject together, in bytes. However they are escaped, the thread file's header
/// that holds them is within its bound.
pub const FIELDS_BYTES_MAX: usize = 10_000;

/// A file that cannot be read is left alone this long after it was last written: its writer may not be done.
pub const GRACE: Duration = Duration::from_secs(2);

/// The folder `posts-inbox/` of a site.
#[derive(Clone, Debug)]
pub struct Inbox {
    folder: PathBuf,
}

/// What lies in an inbox file.
#[derive(Debug)]
pub enum Taking {
    /// Posts, and those parts of the file that are none, with the reason.
    Posts(Vec<Arrival>, Vec<String>),
    /// Acts of staff, each with an id.
    Acts(Vec<Act>),
    /// Nothing that can be taken, and why.
    Junk(String),
    /// It was written a moment ago and makes no sense yet; look again later.
    Unfinished,
    /// It is not there any more.
    Gone,
}

impl Inbox {
    /// The inbox in `folder`, which is made if it is missing.
    pub fn open(folder: PathBuf) -> Result<Inbox, DiskError> {
        disk::create_dir_durably(&folder)?;
        Ok(Inbox { folder })
    }

    /// The inbox in `folder`, to be looked at; it need not be there.
    pub(super) fn at(folder: PathBuf) -> Inbox {
        Inbox { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts posts into one file, and comes back when they are durable.
    pub fn put(&self, name: &str, arrivals: &[Arrival]) -> Result<(), DiskError> {
        self.put_bytes(name, &write(arrivals))
    }

    /// Puts acts of staff into one file, and comes back when they are durable.
    pub fn put_acts(&self, name: &str, acts: &[Act]) -> Result<(), DiskError> {
        self.put_bytes(name, &acts::write(acts))
    }

    fn put_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let path = self.folder.join(name);
        let draft = match Draft::write(path.clone(), bytes) {
            // Somebody has removed the folder.
            Err(error) if error.is_absent() => {
                disk::create_dir_durably(&self.folder)?;
                Draft::write(path, bytes)?
            }
            written => written?,
        };
        disk::point("inbox file written");
        draft.place()?;
        disk::point("inbox file renamed");
        disk::sync_folder(&self.folder)?;
        disk::point("inbox folder synced");
        Ok(())
    }

    /// The names of what lies there, in order.
    pub fn names(&self) -> Result<Vec<String>, DiskError> {
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing.map_err(DiskError::doing("list", &self.folder))?,
        };
        let mut names = Vec::new();
        for entry in listing {
            let entry = entry.map_err(DiskError::doing("list", &self.folder))?;
            // A name that is not UTF-8 stays where it is: no `.why` could be named after it.
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with('.')
                && name != REJECTED
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Removes drafts that a crash has left.
    pub fn sweep(&self) {
        disk::sweep_drafts(&self.folder);
        disk::sweep_drafts(&self.folder.join(REJECTED));
    }

    /// Reads a file. `now` tells how long ago it was written.
    pub fn take(&self, name: &str, now: std::time::SystemTime) -> Result<Taking, DiskError> {
        let path = self.folder.join(name);
        let meta = match fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Taking::Gone),
            Err(source) => return Err(DiskError { action: "look at", path, source }),
        };
        // SECURITY: a link could lead to any file of the machine, whose text would then be published.
        if meta.is_symlink() {
            return Ok(Taking::Junk("it is a link; put the file itself here".to_owned()));
        }
        if !meta.is_file() {
            return Ok(Taking::Junk("it is not a file".to_owned()));
        }
        if FILE_BYTES_MAX < meta.len() {
            return Ok(Taking::Junk(format!("it is larger than {FILE_BYTES_MAX} bytes")));
        }
        let taking = if name.ends_with(".md") {
            read(&path, disk::stamp(&meta).modified_ns, &disk::read(&path)?)
        } else if name.ends_with(acts::ENDING) {
            acts::read(name, &disk::read(&path)?).map_or_else(Taking::Junk, Taking::Acts)
        } else {
            Taking::Junk("its name does not end in `.md` or `.json`".to_owned())
        };
        let age = meta.modified().ok().and_then(|modified| now.duration_since(modified).ok());
        let settled = age.is_none_or(|age| GRACE <= age);
        let whole = match &taking {
            Taking::Posts(_, bad) => bad.is_empty(),
            Taking::Acts(_) => true,
            _ => false,
        };
        Ok(if whole || settled { taking } else { Taking::Unfinished })
    }

    /// Removes a file whose posts are durable elsewhere.
    pub fn remove(&self, name: &str) -> Result<(), DiskError> {
        let path = self.folder.join(name);
        disk::point("before inbox removal");
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(DiskError { action: "remove", path, source });
            }
            _ => {}
        }
        disk::point("after inbox removal");
        Ok(())
    }

    /// Moves a whole file to `rejected/`, and says why beside it. Gives its new path.
    pub fn reject(&self, name: &str, why: &str) -> Result<PathBuf, DiskError> {
        let target = self.rejected_path(name, why, None)?;
        say_why(&target, why)?;
        let from = self.folder.join(name);
        fs::rename(&from, &target).map_err(DiskError::doing("move", &from))?;
        disk::point("rejected file moved");
        Ok(target)
    }

    /// Writes posts of a file that cannot be taken to `rejected/`, so that the file itself can go.
    pub fn reject_posts(&self, name: &str, posts: &[Arrival], why: &str) -> Result<PathBuf, DiskError> {
        self.keep_rejected(name, &write(posts), why)
    }

    /// Keeps a copy of a whole file in `rejected/`, of which only a part could be taken.
    pub fn reject_copy(&self, name: &str, why: &str) -> Result<PathBuf, DiskError> {
        let bytes = disk::read(&self.folder.join(name))?;
        self.keep_rejected(name, &bytes, why)
    }

    fn keep_rejected(&self, name: &str, bytes: &[u8], why: &str) -> Result<PathBuf, DiskError> {
        let target = self.rejected_path(name, why, Some(bytes))?;
        say_why(&target, why)?;
        disk::replace_durably(&target, bytes)?;
        disk::sync_folder(&self.folder.join(REJECTED))?;
        disk::point("rejected posts kept");
        Ok(target)
    }

    /// A path under `rejected/` at which nothing stands yet, or just what is to stand there: then a crash has ended an
    /// earlier try, and its traces are not left beside those of this one.
    fn rejected_path(&self, name: &str, why: &str, bytes: Option<&[u8]>) -> Result<PathBuf, DiskError> {
        let folder = self.folder.join(REJECTED);
        disk::create_dir_durably(&folder)?;
        let holds = |path: &Path, bytes: &[u8]| disk::read(path).is_ok_and(|there| there == bytes);
        let says_why = |path: &Path| holds(&why_path(path), reason(why).as_bytes());
        let free = |path: &Path| match fs::symlink_metadata(path) {
            Ok(_) => bytes.is_some_and(|bytes| holds(path, bytes)) && says_why(path),
            Err(_) => fs::symlink_metadata(why_path(path)).is_err() || says_why(path),
        };
        let numbered = (2..).map(|n| folder.join(format!("{name}.{n}")));
        let mut candidates = std::iter::once(folder.join(name)).chain(numbered);
        Ok(candidates.find(|path| free(path)).expect("there are more numbers than files"))
    }
}

const REJECTED: &str = "rejected";

fn say_why(target: &Path, why: &str) -> Result<(), DiskError> {
    disk::replace_durably(&why_path(target), reason(why).as_bytes())?;
    disk::point("reason of a rejection written");
    Ok(())
}

/// The text of a `.why`.
fn reason(why: &str) -> String {
    format!("{why}\n")
}

fn why_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".why");
    name.into()
}

/// The bytes of an inbox file.
pub(super) fn write(arrivals: &[Arrival]) -> Vec<u8> {
    let mut out = Vec::new();
    for arrival in arrivals {
        if !out.is_empty() {
            out.push(b'\n');
        }
        let mut line = header::Writer::new();
        line.text("board", arrival.board.as_str());
        if let Some(thread) = arrival.thread {
            line.number("thread", thread.get());
        }
        if let Some(at) = arrival.at {
            line.time("at", at);
        }
        line.text("name", &arrival.name);
        line.text("trip", &arrival.trip);
        line.text("poster_id", &arrival.poster_id);
        line.text("capcode", &arrival.capcode);
        line.text("subject", &arrival.subject);
        line.flag("sage", arrival.sage);
        line.text("id", arrival.id.as_str());
        out.extend_from_slice(line.finish().as_bytes());
        thread_file::write_body(&mut out, &arrival.body);
    }
    out
}

/// Reads the bytes of an inbox file that was written at this time, in nanoseconds.
pub(super) fn read(path: &Path, written_ns: i64, bytes: &[u8]) -> Taking {
    if std::str::from_utf8(bytes).is_err() {
        return Taking::Junk("it is not UTF-8".to_owned());
    }
    let mut problems = Vec::new();
    let text = thread_file::as_text(path, bytes, &mut problems);
    let sections = thread_file::sections(path, &text, &mut problems);
    if POSTS_MAX < sections.len() {
        return Taking::Junk(format!("it holds more than {POSTS_MAX} posts"));
    }
    let lines = Lines::of(&text);
    let mut posts = Vec::new();
    for (nth, section) in sections.into_iter().enumerate() {
        let place = Place { path, lines: &lines, from: section.from };
        let Some(header) = header::read(section.header, &place, &mut problems) else { continue };
        match arrival(header, section.body(), || derived_id(path, written_ns, bytes, nth)) {
            Ok(arrival) => posts.push(arrival),
            Err(message) => problems.push(place.problem(message)),
        }
    }
    if posts.is_empty() && problems.is_empty() {
        return Taking::Junk("it holds no post; a post begins with a line `--- {\"board\": \"…\"}`".to_owned());
    }
    let bad: Vec<String> = problems.iter().map(told).collect();
    match posts.is_empty() {
        true => Taking::Junk(bad.join("\n")),
        false => Taking::Posts(posts, bad),
    }
}

fn arrival(header: header::Header, body: String, id: impl FnOnce() -> PostId) -> Result<Arrival, &'static str> {
    if body.trim().is_empty() {
        return Err("a post needs some text");
    }
    if BODY_BYTES_MAX < body.len() {
        return Err("the text of this post is larger than 1 MiB");
    }
    let fields = [&header.name, &header.trip, &header.poster_id, &header.capcode, &header.subject];
    if FIELDS_BYTES_MAX < fields.iter().map(|field| field.len()).sum() {
        return Err("name and subject of this post are larger than 10,000 bytes");
    }
    Ok(Arrival {
        id: header.id.unwrap_or_else(id),
        board: header.board.ok_or("this post names no `board`")?,
        thread: header.thread,
        at: header.at,
        name: header.name,
        trip: header.trip,
        poster_id: header.poster_id,
        capcode: header.capcode,
        subject: header.subject,
        sage: header.sage,
        body,
    })
}

/// The id of a post whose author gave none: the same file, met again after a crash, is the same post. One that was
/// written later is another, though it may have the same name and text.
fn derived_id(path: &Path, written_ns: i64, bytes: &[u8], nth: usize) -> PostId {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let of_name = xxhash_rust::xxh3::xxh3_64_with_seed(name, written_ns as u64);
    let of_bytes = xxhash_rust::xxh3::xxh3_64(bytes);
    PostId::parse(&format!("f-{of_name:016x}{of_bytes:016x}-{nth}")).expect("hexadecimal digits make an id")
}

/// A problem without the path, which the `.why` beside the file need not repeat.
fn told(problem: &Problem) -> String {
    let place = problem.place.map_or(String::new(), |(line, column)| format!("line {line}, column {column}: "));
    let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{place}{}{hint}", problem.message)
}
