//! Old addresses and where they lead now, a pair a line, as several servers read it.
//!
//! ```text
//! /po/res/12.html /po/thread/12.html 301
//! ```
//! This is a `_redirects` file of Netlify and of others, and one line of `sed` makes a `map` of nginx or Caddy of it.
//! Several imports share one file: a pair of an earlier one stays until the same old address comes again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use super::Address;
use crate::disk::{self, DiskError};

/// Gathers pairs. They are kept on disk, since a large archive has millions.
pub struct Redirects {
    /// The path below which the site stands, with a slash at both ends.
    prefix: String,
    pairs: BufWriter<File>,
    /// Hashes of the old addresses. Servers do not tell upper and lower case apart in such tables.
    olds: HashSet<u64>,
}

impl Redirects {
    /// None yet; `prefix` is the path below which the site stands, with a slash at both ends.
    pub fn new(prefix: &str) -> io::Result<Redirects> {
        let pairs = BufWriter::new(tempfile::tempfile()?);
        Ok(Redirects { prefix: prefix.to_owned(), pairs, olds: HashSet::new() })
    }

    /// Adds a pair, unless both are the same or the old address came already.
    pub fn add(&mut self, from: &str, to: &Address) -> io::Result<()> {
        let (from, to) = (encoded(from), self.path(to));
        if from == to || !from.starts_with('/') || !self.olds.insert(hash(&from)) {
            return Ok(());
        }
        writeln!(self.pairs, "{from} {to} 301")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.olds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.olds.is_empty()
    }

    fn path(&self, to: &Address) -> String {
        let Address { board, thread, post } = to;
        let prefix = &self.prefix;
        match (thread, post) {
            (None, _) => format!("{prefix}{board}/index.html"),
            (Some(thread), None) => format!("{prefix}{board}/thread/{thread}.html"),
            (Some(thread), Some(post)) => format!("{prefix}{board}/thread/{thread}.html#p{post}"),
        }
    }

    /// Writes them to the file `path`, behind those of earlier imports that are there.
    pub fn write(mut self, path: &Path) -> Result<(), DiskError> {
        let earlier = match File::open(path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(DiskError::doing("read", path)(error)),
        };
        disk::replace_soon_with(path, |out| {
            let mut out = BufWriter::new(out);
            for line in earlier.into_iter().flat_map(BufRead::lines) {
                let line = line?;
                let old = line.split_ascii_whitespace().next().unwrap_or_default();
                if !self.olds.contains(&hash(old)) {
                    writeln!(out, "{line}")?;
                }
            }
            self.pairs.flush()?;
            let pairs = self.pairs.get_mut();
            pairs.rewind()?;
            io::copy(pairs, &mut out)?;
            out.flush()
        })
    }
}

fn hash(old: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(old.to_ascii_lowercase().as_bytes())
}

/// An address without characters that would end it, or mean something, in a file of pairs.
///
/// SECURITY: names of files and titles become part of old addresses, and the file becomes part of a server's
/// configuration.
fn encoded(from: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%+=&?,:@!()".contains(&b);
    let mut out = String::with_capacity(from.len());
    for b in from.bytes() {
        match plain(b) {
            true => out.push(char::from(b)),
            false => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
