//! The URLs that changed and of which nobody outside has been told yet, in a file, so that none is lost if the process
//! ends.
//!
//! The builder adds lines at the end; whoever tells takes some from the front, and says when they are told. The front
//! moves in memory alone, and what was told is cut off the file now and then: after a crash some are told twice.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{self, DiskError};

/// So many lines are taken at a time.
const TAKEN_MAX: usize = 1_000;

/// A file above this size, and twice as large as it was after it was last cut, is cut.
const CUT_FROM: u64 = 1 << 20;

/// The list, shared by the builder and by whoever tells.
pub struct Changed {
    path: PathBuf,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes at the front that are told.
    told: u64,
    /// Bytes of the file when it was last cut.
    cut: u64,
    /// How often it was cut: whoever took lines before takes them once more.
    cuts: u64,
    stop: bool,
}

/// Lines from the front of the list.
#[derive(Debug)]
pub struct Taken {
    /// The URLs, each once, one on a line.
    pub urls: String,
    bytes: u64,
    cuts: u64,
}

impl Changed {
    /// The list in this file, which need not be there.
    pub fn new(path: PathBuf) -> Changed {
        Changed { path, state: Mutex::default(), more: Condvar::new() }
    }

    /// Adds lines at the end.
    pub fn add(&self, urls: &str) -> Result<(), DiskError> {
        if urls.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let added = OpenOptions::new().append(true).create(true).open(&self.path).and_then(|mut file| {
            // A crash, or a full disk, may have left half a line.
            let before = file.metadata()?.len();
            file.write_all(if ends_in_line(&self.path)? { b"" } else { b"\n" })?;
            file.write_all(urls.as_bytes()).inspect_err(|_| drop(file.set_len(before)))?;
            file.metadata()
        });
        let bytes = added.map_err(DiskError::doing("write", &self.path))?.len();
        // If that fails it is only larger, and cut the next time.
        if CUT_FROM.max(2 * state.cut) < bytes
            && let Err(error) = self.cut(&mut state)
        {
            tracing::warn!(%error, "cannot cut the list of changes");
        }
        self.more.notify_all();
        Ok(())
    }

    /// Takes lines from the front; `None` if there are none. They stay until they are told.
    pub fn take(&self) -> Result<Option<Taken>, DiskError> {
        let state = self.state();
        let taken = self.read_from(state.told).and_then(|lines| {
            let mut taken = Taken { urls: String::new(), bytes: 0, cuts: state.cuts };
            let mut seen = HashSet::new();
            for line in lines.into_iter().flatten().take(TAKEN_MAX) {
                let line = line?;
                taken.bytes += line.len() as u64;
                let whole = line.ends_with(b"\n") && 1 < line.len();
                if whole && seen.insert(line.clone()) {
                    taken.urls.push_str(&String::from_utf8_lossy(&line));
                }
            }
            Ok((0 < taken.bytes).then_some(taken))
        });
        taken.map_err(DiskError::doing("read", &self.path))
    }

    /// Notes that these are told.
    pub fn told(&self, taken: &Taken) -> Result<(), DiskError> {
        let mut state = self.state();
        if state.cuts != taken.cuts {
            return Ok(());
        }
        state.told += taken.bytes;
        match fs::metadata(&self.path) {
            Ok(meta) if state.told < meta.len() => Ok(()),
            _ => self.remove(&mut state),
        }
    }

    /// How much is still to be told, in bytes.
    pub fn waiting_bytes(&self) -> u64 {
        let state = self.state();
        fs::metadata(&self.path).map_or(0, |meta| meta.len().saturating_sub(state.told))
    }

    /// Forgets all: nobody wants to be told.
    pub fn clear(&self) -> Result<(), DiskError> {
        self.remove(&mut self.state())
    }

    /// Waits until there is something to tell, so long at most.
    pub fn wait(&self, at_most: Duration) {
        let state = self.state();
        if !state.stop {
            drop(self.more.wait_timeout(state, at_most));
        }
    }

    /// Waits so long, or until there is to be an end.
    pub fn pause(&self, time: Duration) {
        drop(self.more.wait_timeout_while(self.state(), time, |state| !state.stop));
    }

    /// Tells whoever waits that there is to be an end, or that there may be a new beginning.
    pub fn stop(&self, stop: bool) {
        self.state().stop = stop;
        self.more.notify_all();
    }

    /// Whether there is to be an end.
    pub fn is_stopping(&self) -> bool {
        self.state().stop
    }

    fn remove(&self, state: &mut State) -> Result<(), DiskError> {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(DiskError { action: "remove", path: self.path.clone(), source })
            }
            _ => {
                (state.told, state.cut, state.cuts) = (0, 0, state.cuts + 1);
                Ok(())
            }
        }
    }

    /// Writes the file anew without what is told and what stands in it twice. A page that changes all the time while
    /// nobody can be told is one line.
    fn cut(&self, state: &mut State) -> Result<(), DiskError> {
        let lines = self.read_from(state.told).map_err(DiskError::doing("read", &self.path))?;
        disk::replace_soon_with(&self.path, |out| {
            // Two URLs with the same 128 bits are not to be expected in the age of the universe.
            let mut seen = HashSet::new();
            for line in lines.into_iter().flatten() {
                let line = line?;
                if line.ends_with(b"\n") && seen.insert(xxhash_rust::xxh3::xxh3_128(&line)) {
                    out.write_all(&line)?;
                }
            }
            Ok(())
        })?;
        let left = fs::metadata(&self.path).map_err(DiskError::doing("look at", &self.path))?.len();
        (state.told, state.cut, state.cuts) = (0, left, state.cuts + 1);
        Ok(())
    }

    /// The lines from this byte on, with their ends; `None` if there is no file.
    fn read_from(&self, byte: u64) -> io::Result<Option<impl Iterator<Item = io::Result<Vec<u8>>> + use<>>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(byte))?;
        let mut reader = BufReader::new(file);
        Ok(Some(std::iter::from_fn(move || {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => None,
                Ok(_) => Some(Ok(line)),
                Err(error) => Some(Err(error)),
            }
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_in_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
