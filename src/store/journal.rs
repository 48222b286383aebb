//! Who sent which post: `.nejiboard/journal/`, a file and a key for each hour.
//!
//! Addresses are encrypted (ChaCha20-Poly1305, RFC 8439) with the key of their hour. When the time is over for which they are
//! kept, the key is removed, and nobody can read them any more, not even from a back-up of the file. Passwords for deleting
//! one's own post are there as a hash, under a salt of its own each, and stay longer.
//!
//! The journal is written when posts are accepted, and read only when somebody moderates. It is no truth: without it
//! posts stay, and only their senders are not known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::site_dir::random_bytes;
use crate::disk::{self, DiskError};
use crate::model::PostId;

/// Hours for which passwords are kept: 30 days.
const PASSWORD_HOURS: i64 = 30 * 24;

/// What the name of a key ends in.
const KEY: &str = ".key";

/// A post and who sent it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sender {
    /// The post.
    pub id: PostId,
    /// Where it came from; `None` if that is not to be kept.
    pub address: Option<IpAddr>,
    /// The hash of its password with its salt, as text; empty if there is none.
    pub password: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: PostId,
    /// Nonce and cipher text, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    password: String,
}

/// The journal of a site.
#[derive(Clone)]
pub struct Journal {
    folder: PathBuf,
    /// The hour that was written last, and its key.
    open: Arc<Mutex<Option<(String, ChaCha20Poly1305)>>>,
}

impl Journal {
    /// The journal in this folder, which need not be there.
    pub fn new(folder: PathBuf) -> Journal {
        Journal { folder, open: Arc::default() }
    }

    /// Notes who sent posts at `now`.
    pub fn note(&self, now: DateTime<Utc>, senders: &[Sender]) -> Result<(), DiskError> {
        let worth = |sender: &&Sender| sender.address.is_some() || !sender.password.is_empty();
        let senders: Vec<&Sender> = senders.iter().filter(worth).collect();
        if senders.is_empty() {
            return Ok(());
        }
        disk::create_private_dir(&self.folder)?;
        let hour = hour(now);
        let key = match senders.iter().any(|sender| sender.address.is_some()) {
            true => Some(self.key_to_write(&hour)?),
            false => None,
        };
        let mut lines = Vec::new();
        for sender in senders {
            let from = match (&key, sender.address) {
                (Some(key), Some(address)) => sealed(key, &sender.id, address)?,
                _ => String::new(),
            };
            let line = Line { id: sender.id.clone(), from, password: sender.password.clone() };
            serde_json::to_writer(&mut lines, &line).expect("memory takes all, and texts are always JSON");
            lines.push(b'\n');
        }
        let path = self.folder.join(&hour);
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        opened.and_then(|mut file| file.write_all(&lines)).map_err(DiskError::doing("write", &path))
    }

    /// Who sent a post that was accepted at about this time; `None` if that is not known.
    pub fn sender(&self, id: &PostId, at: DateTime<Utc>) -> Result<Option<Sender>, DiskError> {
        // It may have waited, and its time be that of an earlier post of its thread.
        for hours in [0, 1, -1] {
            let found = self.read_hour(&hour(at + TimeDelta::hours(hours)), |line, _| line.id == *id)?.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Who sent a post, whenever that was; the newest hours are searched first.
    pub fn find(&self, id: &PostId) -> Result<Option<Sender>, DiskError> {
        for name in self.names()?.into_iter().rev().filter(|name| !name.ends_with(KEY)) {
            if let Some(sender) = self.read_hour(&name, |line, _| line.id == *id)?.pop() {
                return Ok(Some(sender));
            }
        }
        Ok(None)
    }

    /// Where posts came from that were accepted at about these times. Each hour is read once.
    pub fn addresses(&self, posts: &[(PostId, DateTime<Utc>)]) -> Result<BTreeMap<PostId, IpAddr>, DiskError> {
        let wanted: BTreeSet<&PostId> = posts.iter().map(|(id, _)| id).collect();
        // See `sender`.
        let around = |at: &DateTime<Utc>| [-1, 0, 1].map(|hours| hour(*at + TimeDelta::hours(hours)));
        let hours: BTreeSet<String> = posts.iter().flat_map(|(_, at)| around(at)).collect();
        let mut addresses = BTreeMap::new();
        for hour in hours {
            let senders = self.read_hour(&hour, |line, _| wanted.contains(&line.id))?;
            addresses.extend(senders.into_iter().filter_map(|sender| Some((sender.id, sender.address?))));
        }
        Ok(addresses)
    }

    /// All posts since a time whose sender's address fits.
    pub fn sent_from(
        &self,
        fits: impl Fn(IpAddr) -> bool,
        since: DateTime<Utc>,
    ) -> Result<BTreeSet<PostId>, DiskError> {
        let from = hour(since);
        let mut ids = BTreeSet::new();
        for name in self.names()?.into_iter().filter(|name| !name.ends_with(KEY) && from <= *name) {
            ids.extend(
                self.read_hour(&name, |_, address| address.is_some_and(&fits))?.into_iter().map(|sender| sender.id),
            );
        }
        Ok(ids)
    }

    /// All senders of posts since a time, as far as they are known, of which `wanted` says yes to the post.
    pub fn senders(&self, wanted: impl Fn(&PostId) -> bool, since: DateTime<Utc>) -> Result<Vec<Sender>, DiskError> {
        // One that waited may be of the hour before.
        let from = hour(since - TimeDelta::hours(1));
        let mut senders = Vec::new();
        for name in self.names()?.into_iter().filter(|name| !name.ends_with(KEY) && from <= *name) {
            senders.extend(self.read_hour(&name, |line, _| wanted(&line.id))?);
        }
        Ok(senders)
    }

    /// Forgets addresses that are older than so many hours, and passwords that are older than 30 days.
    pub fn forget(&self, now: DateTime<Utc>, keep_hours: usize) -> Result<(), DiskError> {
        // An hour is over for its last post only.
        let keys_until = hour(now - TimeDelta::hours(keep_hours as i64 + 1));
        let files_until = hour(now - TimeDelta::hours(PASSWORD_HOURS.max(keep_hours as i64) + 1));
        for name in self.names()? {
            let due = match name.strip_suffix(KEY) {
                Some(hour) => hour <= keys_until.as_str() || keep_hours == 0,
                None => name <= files_until,
            };
            if !due {
                continue;
            }
            let path = self.folder.join(&name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(DiskError { action: "remove", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, DiskError> {
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing.map_err(DiskError::doing("list", &self.folder))?,
        };
        let mut names: Vec<String> =
            listing.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The senders of an hour that `wanted` says yes to. Lines that cannot be read are passed over.
    fn read_hour(&self, hour: &str, wanted: impl Fn(&Line, Option<IpAddr>) -> bool) -> Result<Vec<Sender>, DiskError> {
        let bytes = match disk::read(&self.folder.join(hour)) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let key = disk::read(&self.key_path(hour)).ok().and_then(|key| cipher(&key));
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let sender = |line: Line| {
            let address = key.as_ref().and_then(|key| opened(key, &line.id, &line.from));
            wanted(&line, address).then_some(Sender { id: line.id, address, password: line.password })
        };
        Ok(lines.filter_map(sender).collect())
    }

    fn key_path(&self, hour: &str) -> PathBuf {
        self.folder.join(format!("{hour}{KEY}"))
    }

    fn key_to_write(&self, hour: &str) -> Result<ChaCha20Poly1305, DiskError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.key_path(hour);
        // It may have been removed, and then nothing more may be written with it.
        if let Some((_, key)) = open.as_ref().filter(|(open, _)| open == hour && path.exists()) {
            return Ok(key.clone());
        }
        let bytes = match disk::read(&path) {
            Err(error) if error.is_absent() => {
                let bytes = random_bytes()?;
                match create_new(&path, &bytes)? {
                    true => bytes.to_vec(),
                    // Another process was faster.
                    false => disk::read(&path)?,
                }
            }
            read => read?,
        };
        let broken = || std::io::Error::new(ErrorKind::InvalidData, "it should have 32 bytes");
        let key = cipher(&bytes).ok_or_else(broken).map_err(DiskError::doing("use", &path))?;
        *open = Some((hour.to_owned(), key.clone()));
        Ok(key)
    }
}

/// Makes a file that nobody else may read; `false` if it is there already.
fn create_new(path: &Path, bytes: &[u8]) -> Result<bool, DiskError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match opened.and_then(|mut file| file.write_all(bytes)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(DiskError { action: "write", path: path.to_owned(), source }),
    }
}

/// The name of the files of an hour; they sort by time.
fn hour(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H").to_string()
}

fn cipher(key: &[u8]) -> Option<ChaCha20Poly1305> {
    Some(ChaCha20Poly1305::new(&Key::try_from(key).ok()?))
}

const NONCE_BYTES: usize = 12;

/// An address that can be read with the key alone, and as this post's only.
fn sealed(key: &ChaCha20Poly1305, id: &PostId, address: IpAddr) -> Result<String, DiskError> {
    let random = random_bytes()?;
    let (nonce, _) = random.split_at(NONCE_BYTES);
    let text = address.to_string();
    // Of the same length for all, or the length would tell something.
    let text = format!("{text:<39}");
    let nonce = Nonce::try_from(nonce).expect("it has 12 bytes");
    let sealed = key.encrypt(&nonce, Payload { msg: text.as_bytes(), aad: id.as_str().as_bytes() });
    Ok(hex([nonce.as_slice(), &sealed.expect("so little can always be sealed")].concat().as_slice()))
}

fn opened(key: &ChaCha20Poly1305, id: &PostId, from: &str) -> Option<IpAddr> {
    let bytes = unhex(from)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
    let payload = Payload { msg: sealed, aad: id.as_str().as_bytes() };
    let text = key.decrypt(&Nonce::try_from(nonce).ok()?, payload).ok()?;
    std::str::from_utf8(&text).ok()?.trim_end().parse().ok()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    digits.len().is_multiple_of(2).then(|| pairs.collect())?
}
