//! Files of one entry a line to which entries are only ever added: how one is added durably, and how the last ones are
//! read without the others.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::disk::{self, DiskError};

/// Who may read a file that is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrecy {
    /// The operator alone.
    Private,
    /// Whoever may read content.
    Public,
}

/// Bytes that are read at a time from the end; more for a longer line.
const BLOCK_BYTES: u64 = 64 << 10;

/// Adds a line, which ends with no line end, and comes back when it is durable.
pub fn append(path: &Path, mut line: Vec<u8>, secrecy: Secrecy) -> Result<(), DiskError> {
    line.push(b'\n');
    let is_new = !path.exists();
    let mut open = OpenOptions::new();
    open.read(true).append(true).create(true);
    if secrecy == Secrecy::Private {
        // SECURITY: what was deleted is for nobody but the operator.
        open.mode(0o600);
    }
    let written = open.open(path).and_then(|mut file| {
        let before = file.metadata()?.len();
        // A crash, or a full disk, may have left half a line.
        let whole = before == 0 || last_byte(&mut file)? == b'\n';
        let lines = if whole { line } else { [b"\n", line.as_slice()].concat() };
        file.write_all(&lines).and_then(|()| file.sync_data()).inspect_err(|_| drop(file.set_len(before)))
    });
    written.map_err(DiskError::doing("write", path))?;
    if is_new {
        disk::sync_folder(path.parent().unwrap_or(path))?;
    }
    Ok(())
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// The lines of a file, the last one first. They end where the file cannot be read.
pub struct Backwards {
    file: Option<File>,
    /// What lies before this place is not read yet.
    unread: u64,
    /// What lies before this place is not read at all.
    floor: u64,
    held: Vec<u8>,
}

impl Backwards {
    /// Those of a file that need not be there.
    pub fn of(path: &Path) -> Result<Backwards, DiskError> {
        Backwards::within(path, u64::MAX)
    }

    /// Those that end so many bytes before its end, at most.
    pub fn within(path: &Path, bytes_max: u64) -> Result<Backwards, DiskError> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((bytes, file)) => {
                let floor = bytes.saturating_sub(bytes_max);
                Ok(Backwards { file: Some(file), unread: bytes, floor, held: Vec::new() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Backwards { file: None, unread: 0, floor: 0, held: Vec::new() })
            }
            Err(source) => Err(DiskError { action: "read", path: path.to_owned(), source }),
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        // As much again as is held, so that a long line is not moved too often.
        let bytes = BLOCK_BYTES.max(self.held.len() as u64).min(self.unread - self.floor);
        self.unread -= bytes;
        file.seek(SeekFrom::Start(self.unread))?;
        let mut block = vec![0; bytes as usize];
        file.read_exact(&mut block)?;
        block.append(&mut self.held);
        self.held = block;
        Ok(())
    }
}

impl Iterator for Backwards {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = memchr::memrchr(b'\n', &self.held) {
                let line = self.held.split_off(at + 1);
                self.held.truncate(at);
                return Some(line);
            }
            if self.unread == self.floor {
                self.file.take()?;
                if 0 < self.floor {
                    // The end of a line that is too far away.
                    return None;
                }
                return Some(std::mem::take(&mut self.held));
            }
            if self.read_more().is_err() {
                (self.file, self.unread) = (None, self.floor);
                return None;
            }
        }
    }
}
