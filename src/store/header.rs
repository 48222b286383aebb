//! The header of a post: a flow mapping on one line, JSON when we write it, YAML when people do.

use std::cell::Cell;
use std::fmt::Write;
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde::{Deserialize, Deserializer};

use super::written;
use crate::model::{BoardSlug, PostId, PostKey, PostNo, Problem, ThreadFlags};

/// The longest header line that is read, in bytes.
pub const HEADER_BYTES_MAX: usize = 64 << 10;

/// Every key that a header can have.
const KEYS: [&str; 19] = [
    "no",
    "at",
    "name",
    "trip",
    "poster_id",
    "capcode",
    "subject",
    "sage",
    "sticky",
    "locked",
    "archived",
    "bumplock",
    "cyclic",
    "changed",
    "moved",
    "deleted",
    "id",
    "board",
    "thread",
];

/// A header as read. Absent texts are empty.
#[derive(Default, PartialEq, Debug)]
pub struct Header {
    /// The post's number; the inbox has none.
    pub no: Option<PostNo>,
    /// When the post was accepted.
    pub at: Option<DateTime<Utc>>,
    /// The name.
    pub name: String,
    /// The tripcode.
    pub trip: String,
    /// What stands for the sender among the posters of the thread.
    pub poster_id: String,
    /// The staff role.
    pub capcode: String,
    /// The subject.
    pub subject: String,
    /// Whether it does not bump.
    pub sage: bool,
    /// What a moderator has switched, on an opening post.
    pub flags: ThreadFlags,
    /// When a moderator last changed the thread.
    pub changed: Option<DateTime<Utc>>,
    /// Where the post was moved.
    pub moved: Option<PostKey>,
    /// A tombstone.
    pub deleted: bool,
    /// What the post got when it was accepted.
    pub id: Option<PostId>,
    /// In the inbox: the board.
    pub board: Option<BoardSlug>,
    /// In the inbox: the thread that it answers.
    pub thread: Option<PostNo>,
}

/// Where a header stands.
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its lines.
    pub lines: &'a Lines<'a>,
    /// Where the header begins in its text.
    pub from: usize,
}

impl Place<'_> {
    /// A problem with this header.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        self.at(1, message)
    }

    fn at(&self, column: usize, message: impl Into<String>) -> Problem {
        Problem::new(self.path, message).at(self.lines.number_at(self.from), column)
    }
}

/// The lines of a file. They are counted only if something is wrong on one, and from the last such one on.
pub struct Lines<'a> {
    text: &'a str,
    counted: Cell<(usize, usize)>,
}

impl<'a> Lines<'a> {
    /// The lines of `text`.
    pub fn of(text: &'a str) -> Lines<'a> {
        Lines { text, counted: Cell::new((0, 1)) }
    }

    /// The number, counted from 1, of the line on which this place is. Places are asked for in rising order.
    fn number_at(&self, place: usize) -> usize {
        let (from, line) = self.counted.get();
        let line = line + memchr::memchr_iter(b'\n', &self.text.as_bytes()[from..place]).count();
        self.counted.set((place, line));
        line
    }
}

/// The columns of the header's text are those of the line, less this.
const TEXT_COLUMN: usize = 4;

/// The same fields as [`Header`], as serde fills them in.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    no: Option<PostNo>,
    at: Option<Time>,
    name: String,
    trip: String,
    poster_id: String,
    capcode: String,
    subject: String,
    sage: bool,
    sticky: bool,
    locked: bool,
    archived: bool,
    bumplock: bool,
    cyclic: bool,
    changed: Option<Time>,
    moved: Option<PostKey>,
    deleted: bool,
    id: Option<PostId>,
    board: Option<BoardSlug>,
    thread: Option<PostNo>,
}

impl From<Raw> for Header {
    fn from(raw: Raw) -> Header {
        let flags = ThreadFlags {
            sticky: raw.sticky,
            locked: raw.locked,
            archived: raw.archived,
            bumplock: raw.bumplock,
            cyclic: raw.cyclic,
        };
        Header {
            no: raw.no,
            at: raw.at.map(|time| time.0),
            name: raw.name,
            trip: raw.trip,
            poster_id: raw.poster_id,
            capcode: raw.capcode,
            subject: raw.subject,
            sage: raw.sage,
            flags,
            changed: raw.changed.map(|time| time.0),
            moved: raw.moved,
            deleted: raw.deleted,
            id: raw.id,
            board: raw.board,
            thread: raw.thread,
        }
    }
}

/// Reads `text`, from its `{` on. `None` if it is no mapping; a single bad entry is reported and taken as absent.
pub fn read(text: &str, place: &Place<'_>, problems: &mut Vec<Problem>) -> Option<Header> {
    if HEADER_BYTES_MAX < text.len() {
        problems.push(place.problem(format!("this header is longer than {HEADER_BYTES_MAX} bytes")));
        return None;
    }
    if let Some(header) = written::read(text) {
        return Some(header);
    }
    if let Ok(raw) = serde_json::from_str::<Raw>(text) {
        return Some(raw.into());
    }
    match serde_saphyr::from_str::<Raw>(text) {
        Ok(raw) => Some(raw.into()),
        Err(error) => read_entry_by_entry(text, error, place, problems),
    }
}

/// The slow way, to tell what is wrong: each entry by itself.
fn read_entry_by_entry(
    text: &str,
    error: serde_saphyr::Error,
    place: &Place<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Header> {
    let Ok(entries) = serde_saphyr::from_str::<serde_json::Map<String, serde_json::Value>>(text) else {
        let column = error.location().map_or(1, |location| location.column() as usize);
        let what = if text.ends_with('}') { "this header is not a mapping" } else { "this header does not end in `}`" };
        let hint = "write it as `--- {\"no\": 12, \"name\": \"…\"}`, on one line";
        problems.push(place.at(column + TEXT_COLUMN, what).hint(hint));
        return None;
    };
    let mut good = serde_json::Map::new();
    for (key, value) in entries {
        let column = text.find(key.as_str()).map_or(1, |at| text[..at].chars().count() + 1) + TEXT_COLUMN;
        if !KEYS.contains(&key.as_str()) {
            let nearest = KEYS.iter().max_by(|a, b| likeness(a, &key).total_cmp(&likeness(b, &key)));
            let hint = format!("did you mean `{}`?", nearest.expect("there are keys"));
            problems.push(place.at(column, format!("unknown key `{key}`")).hint(hint));
            continue;
        }
        let alone = serde_json::Map::from_iter([(key.clone(), value.clone())]);
        match serde_json::from_value::<Raw>(alone.into()) {
            Ok(_) => drop(good.insert(key, value)),
            Err(error) => problems.push(place.at(column, format!("bad `{key}`: {error}"))),
        }
    }
    serde_json::from_value::<Raw>(good.into()).ok().map(Header::from)
}

fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

/// A time as people write it: RFC 3339, or the like without zone, which is then UTC.
struct Time(DateTime<Utc>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom(format!("`{text}` is no time such as `2025-03-02T10:20:30Z`"));
        parse_time(&text).map(Time).ok_or_else(bad)
    }
}

/// Reads a time; fractions of a second are dropped. Times of other years than 0 to 9999 are written in a form that
/// nobody reads, and a zone can lead there too.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    parse_time_of_any_year(text).filter(|time| (0..=9_999).contains(&time.year()))
}

fn parse_time_of_any_year(text: &str) -> Option<DateTime<Utc>> {
    if let Some(time) = written::parse_time(text) {
        return Some(time);
    }
    let whole = |time: DateTime<Utc>| time.with_nanosecond(0);
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return whole(time.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return whole(time.and_utc());
        }
    }
    Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc())
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::new()
    }
}

/// Writes a header line, JSON after the `--- `. Empty texts and flags that are off are left out.
pub struct Writer {
    line: String,
}

impl Writer {
    /// A header without entries yet.
    pub fn new() -> Writer {
        Writer { line: "--- {".to_owned() }
    }

    /// A number.
    pub fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        let _ = write!(self.line, "{number}");
    }

    /// A text, unless it is empty.
    pub fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.key(key);
            self.line.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
        }
    }

    /// A flag, if it is on.
    pub fn flag(&mut self, key: &str, on: bool) {
        if on {
            self.key(key);
            self.line.push_str("true");
        }
    }

    /// A time, in whole seconds.
    pub fn time(&mut self, key: &str, time: DateTime<Utc>) {
        self.key(key);
        self.line.push('"');
        written::push_time(&mut self.line, time);
        self.line.push('"');
    }

    /// The line with its end.
    pub fn finish(mut self) -> String {
        self.line.push_str("}\n");
        self.line
    }

    fn key(&mut self, key: &str) {
        if !self.line.ends_with('{') {
            self.line.push_str(", ");
        }
        let _ = write!(self.line, "\"{key}\": ");
    }
}
