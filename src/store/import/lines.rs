//! Lines of bytes, none longer than a bound.

use std::io::{self, BufRead};

/// Reads lines, counted from 1.
pub struct Lines<R> {
    source: R,
    line_bytes_max: usize,
    buffer: Vec<u8>,
    number: usize,
    bytes: u64,
}

/// One line.
pub enum Line<'a> {
    /// Its bytes without the line end.
    Bytes(&'a [u8]),
    /// It is longer than the bound; its rest was passed over.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// Reads `source` by lines of at most `line_bytes_max`.
    pub fn new(source: R, line_bytes_max: usize) -> Lines<R> {
        Lines { source, line_bytes_max, buffer: Vec::new(), number: 0, bytes: 0 }
    }

    /// How many bytes are read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line and its number; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<(usize, Line<'_>)>> {
        self.buffer.clear();
        let mut read_any = false;
        let mut too_long = false;
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            read_any = true;
            let end = memchr::memchr(b'\n', chunk);
            let taken = end.unwrap_or(chunk.len());
            too_long |= self.line_bytes_max < self.buffer.len() + taken;
            if !too_long {
                self.buffer.extend_from_slice(&chunk[..taken]);
            }
            self.bytes += (taken + usize::from(end.is_some())) as u64;
            self.source.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                break;
            }
        }
        if !read_any {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some((self.number, if too_long { Line::TooLong } else { Line::Bytes(&self.buffer) })))
    }
}
