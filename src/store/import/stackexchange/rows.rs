//! The rows of an XML file, one at a time, whatever happens to the file.
//!
//! A dump is a long list of elements without content: `<row Id="1" Body="…" />`. In XML a value holds no `<`, so the next
//! one always begins an element: a row that was cut off or damaged costs itself and no more. Nothing but the row at hand is
//! held, and no row is longer than a bound.

use std::io::{self, BufRead};

use super::super::entities::{self, Place};

/// A longer row is no post.
pub const ROW_BYTES_MAX: usize = 4_000_000;

/// Longest name of an element that is told.
const NAME_CHARS_MAX: usize = 40;

/// Reads elements.
pub struct Rows<R> {
    source: R,
    buffer: Vec<u8>,
    at: At,
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// In bytes.
    pub offset: u64,
    /// Counted from 1.
    pub line: usize,
    /// Where that line begins, in bytes.
    line_offset: u64,
}

impl At {
    /// The column, counted from 1, in bytes.
    pub fn column(self) -> usize {
        usize::try_from(self.offset - self.line_offset).unwrap_or(usize::MAX - 1) + 1
    }
}

/// What was found.
pub enum Found<'a> {
    /// An element or its end, and where it begins.
    Element(At, Element<'a>),
    /// Something that is none: where it begins, and what is wrong.
    Fault(At, &'static str),
}

/// An element as it stands in the file.
pub struct Element<'a> {
    /// From behind the `<` to before the `>`.
    bytes: &'a [u8],
}

impl<R: BufRead> Rows<R> {
    /// Reads `source`, which begins at the beginning of a file.
    pub fn new(source: R) -> Rows<R> {
        Rows { source, buffer: Vec::new(), at: At { offset: 0, line: 1, line_offset: 0 } }
    }

    /// How many bytes are read.
    pub fn bytes(&self) -> u64 {
        self.at.offset
    }

    /// Where the reading is.
    pub fn at(&self) -> At {
        self.at
    }

    /// The source, to be put somewhere else before the next element is read.
    pub fn source(&mut self) -> &mut R {
        &mut self.source
    }

    /// The next element; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        self.buffer.clear();
        while self.until(b"<", Keep::Nothing)?.is_some_and(|found| found != b'<') {}
        let begin = self.at;
        if self.take_one()? != Some(b'<') {
            return Ok(None);
        }
        let mut quote = None;
        loop {
            let wanted: &[u8] = match quote {
                Some(b'"') => b"\"<",
                Some(_) => b"'<",
                None => b"<>\"'",
            };
            let Some(found) = self.until(wanted, Keep::Upto(ROW_BYTES_MAX))? else {
                return Ok(Some(Found::Fault(begin, "the file ends in the middle of a row")));
            };
            match found {
                b'<' if !self.buffer.starts_with(b"!--") => {
                    return Ok(Some(Found::Fault(begin, "this row is cut off: another one begins within it")));
                }
                b'>' if !self.buffer.starts_with(b"!--") || self.buffer.ends_with(b"--") && 5 <= self.buffer.len() => {
                    self.take_one()?;
                    break;
                }
                b'>' => {}
                mark if quote == Some(mark) => quote = None,
                // Quotes in comments and the like are text.
                mark if !self.buffer.starts_with(b"!") => quote = Some(mark),
                _ => {}
            }
            self.keep_one()?;
        }
        if ROW_BYTES_MAX <= self.buffer.len() {
            return Ok(Some(Found::Fault(begin, "this row is longer than 4 MB, which no post is")));
        }
        Ok(Some(Found::Element(begin, Element { bytes: &self.buffer })))
    }

    /// Reads up to one of the `wanted` bytes, and gives that; `None` at the end.
    fn until(&mut self, wanted: &[u8], keep: Keep) -> io::Result<Option<u8>> {
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(None);
            }
            let place = match *wanted {
                [one] => memchr::memchr(one, chunk),
                [one, two] => memchr::memchr2(one, two, chunk),
                _ => chunk.iter().position(|b| wanted.contains(b)),
            };
            let taken = place.unwrap_or(chunk.len());
            let found = place.map(|place| chunk[place]);
            if let Keep::Upto(most) = keep {
                let room = most.saturating_sub(self.buffer.len());
                self.buffer.extend_from_slice(&chunk[..taken.min(room)]);
            }
            self.at.pass(&chunk[..taken]);
            self.source.consume(taken);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn take_one(&mut self) -> io::Result<Option<u8>> {
        let byte = self.source.fill_buf()?.first().copied();
        if let Some(byte) = byte {
            self.at.pass(&[byte]);
            self.source.consume(1);
        }
        Ok(byte)
    }

    fn keep_one(&mut self) -> io::Result<()> {
        if let Some(byte) = self.take_one()?
            && self.buffer.len() < ROW_BYTES_MAX
        {
            self.buffer.push(byte);
        }
        Ok(())
    }
}

enum Keep {
    Nothing,
    Upto(usize),
}

impl At {
    fn pass(&mut self, bytes: &[u8]) {
        self.line += memchr::memchr_iter(b'\n', bytes).count();
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            self.line_offset = self.offset + last as u64 + 1;
        }
        self.offset += bytes.len() as u64;
    }
}

impl Element<'_> {
    /// Its name, with a `/` before it if it ends an element.
    pub fn name(&self) -> String {
        let end = self.bytes.iter().position(|b| b.is_ascii_whitespace() || *b == b'>').unwrap_or(self.bytes.len());
        let name = String::from_utf8_lossy(&self.bytes[..end]);
        name.trim_end_matches('/').chars().take(NAME_CHARS_MAX).collect()
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64 + 2
    }

    /// Where in it the first byte stands that is not UTF-8.
    pub fn first_bad_byte(&self) -> Option<usize> {
        std::str::from_utf8(self.bytes).err().map(|error| error.valid_up_to())
    }

    /// Its attributes; bytes that are not UTF-8 become U+FFFD.
    pub fn attributes(&self) -> Attributes {
        let text = String::from_utf8_lossy(self.bytes);
        let mut attributes = Attributes::default();
        let mut rest = text.split_once(|c: char| c.is_ascii_whitespace()).map_or("", |(_, rest)| rest);
        while let Some((name, after)) = rest.split_once('=') {
            let after = after.trim_ascii_start();
            let Some(mark) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
            let Some((value, behind)) = after[1..].split_once(mark) else { break };
            attributes.0.push((name.trim().to_owned(), entities::decode(value, Place::Attribute)));
            rest = behind;
        }
        attributes
    }
}

/// The attributes of a row.
#[derive(Default)]
pub struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of one; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of one as a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.get(name).parse().ok()
    }
}
