//! Headers and times in precisely the form in which we write them: nearly all that are ever read. They need no reader
//! of JSON, which takes longer than all the rest of a post. Whatever else people write is left to one.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use super::header::Header;
use crate::model::{PostId, PostKey, PostNo, ThreadFlags};

/// Reads the header of a post in a thread file. `None` if it is not as we would write it, which may still be right.
pub(super) fn read(text: &str) -> Option<Header> {
    let mut entries = Entries { rest: text.strip_prefix('{')?.strip_suffix('}')? };
    // As they are written, and each at most once.
    let header = Header {
        no: entries.take("\"no\": ", number)?,
        at: entries.take("\"at\": ", time)?,
        name: entries.take("\"name\": ", text_of)?.unwrap_or_default(),
        trip: entries.take("\"trip\": ", text_of)?.unwrap_or_default(),
        poster_id: entries.take("\"poster_id\": ", text_of)?.unwrap_or_default(),
        capcode: entries.take("\"capcode\": ", text_of)?.unwrap_or_default(),
        subject: entries.take("\"subject\": ", text_of)?.unwrap_or_default(),
        sage: entries.take("\"sage\": ", on)?.is_some(),
        flags: ThreadFlags {
            sticky: entries.take("\"sticky\": ", on)?.is_some(),
            locked: entries.take("\"locked\": ", on)?.is_some(),
            archived: entries.take("\"archived\": ", on)?.is_some(),
            bumplock: entries.take("\"bumplock\": ", on)?.is_some(),
            cyclic: entries.take("\"cyclic\": ", on)?.is_some(),
        },
        changed: entries.take("\"changed\": ", time)?,
        moved: entries.take("\"moved\": ", moved)?,
        deleted: entries.take("\"deleted\": ", on)?.is_some(),
        id: entries.take("\"id\": ", id)?,
        board: None,
        thread: None,
    };
    entries.rest.is_empty().then_some(header)
}

/// What is left of the entries of a header.
struct Entries<'a> {
    rest: &'a str,
}

impl<'a> Entries<'a> {
    /// Takes the entry with this key, if it is the next one: `Some(None)` if it is not, `None` if its value is not as
    /// we write it. `value` gives the value and how many bytes it takes.
    fn take<T>(&mut self, key: &str, value: impl FnOnce(&'a str) -> Option<(T, usize)>) -> Option<Option<T>> {
        // Nearly all headers have but a few entries.
        if self.rest.is_empty() {
            return Some(None);
        }
        let Some(typed) = self.rest.strip_prefix(key) else { return Some(None) };
        let (value, bytes) = value(typed)?;
        self.rest = &typed[bytes..];
        if !self.rest.is_empty() {
            self.rest = self.rest.strip_prefix(", ").filter(|rest| !rest.is_empty())?;
        }
        Some(Some(value))
    }
}

fn number(typed: &str) -> Option<(PostNo, usize)> {
    let digits = typed.bytes().take_while(u8::is_ascii_digit).count();
    Some((PostNo::parse(&typed[..digits])?, digits))
}

fn on(typed: &str) -> Option<((), usize)> {
    typed.starts_with("true").then_some(((), "true".len()))
}

fn text_of(typed: &str) -> Option<(String, usize)> {
    quoted(typed).map(|(text, bytes)| (text.to_owned(), bytes))
}

fn time(typed: &str) -> Option<(DateTime<Utc>, usize)> {
    let (text, bytes) = quoted(typed)?;
    Some((parse_time(text)?, bytes))
}

fn moved(typed: &str) -> Option<(PostKey, usize)> {
    let (text, bytes) = quoted(typed)?;
    Some((PostKey::parse(text).ok()?, bytes))
}

fn id(typed: &str) -> Option<(PostId, usize)> {
    let (text, bytes) = quoted(typed)?;
    Some((PostId::parse(text).ok()?, bytes))
}

/// A JSON string without escapes, which no control character may stand in.
fn quoted(typed: &str) -> Option<(&str, usize)> {
    let inner = typed.strip_prefix('"')?;
    let end = inner.bytes().position(|b| matches!(b, b'"' | b'\\' | ..b' '))?;
    inner[end..].starts_with('"').then_some((&inner[..end], end + 2))
}

/// Reads a time such as `2025-03-02T10:20:30Z`.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let forms = b"0000-00-00T00:00:00Z".iter().zip(b"9999-99-99T99:99:99Z");
    // All bytes are looked at, for then the processor does it in one go.
    let in_form = bytes.iter().zip(forms).fold(true, |ok, (byte, (low, high))| ok & (low <= byte) & (byte <= high));
    if !in_form {
        return None;
    }
    let two = |at: usize| u32::from(bytes[at] - b'0') * 10 + u32::from(bytes[at + 1] - b'0');
    let date = NaiveDate::from_ymd_opt((two(0) * 100 + two(2)) as i32, two(5), two(8))?;
    Some(date.and_hms_opt(two(11), two(14), two(17))?.and_utc())
}

/// Appends a time in the same form.
pub(super) fn push_time(out: &mut String, time: DateTime<Utc>) {
    let Ok(year @ 0..=9999) = u32::try_from(time.year()) else {
        return out.push_str(&time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    };
    let mut two = |number: u32, behind: &str| {
        out.push(char::from(b'0' + (number / 10) as u8));
        out.push(char::from(b'0' + (number % 10) as u8));
        out.push_str(behind);
    };
    two(year / 100, "");
    two(year % 100, "-");
    two(time.month(), "-");
    two(time.day(), "T");
    two(time.hour(), ":");
    two(time.minute(), ":");
    two(time.second(), "Z");
}
