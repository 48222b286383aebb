//! The accounts of staff, in a private file of one JSON object a line, and the proof of their passwords.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use super::journal::{hex, unhex};
use super::site_dir::random_bytes;
use crate::disk::{self, DiskError};
use crate::model::role::Role;

/// The most accounts of a site.
pub const ACCOUNTS_MAX: usize = 1_000;

/// The shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Bytes of a salt.
const SALT_BYTES: usize = 16;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// KiB of memory and rounds that a hash takes: what OWASP names for one lane of argon2id.
const COST: (u32, u32) = (19 * 1024, 2);

/// An account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name, by which it acts.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The password's hash.
    pub password: Hash,
}

/// A hash by argon2id with what it takes to make it again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hash {
    memory_kib: u32,
    rounds: u32,
    salt: String,
    hash: String,
}

impl Hash {
    /// Hashes a password. It takes 19 MiB and some 20 ms.
    pub fn of(password: &str) -> Result<Hash, DiskError> {
        let salt = &random_bytes()?[..SALT_BYTES];
        let (memory_kib, rounds) = COST;
        let hash = hashed(password, salt, COST).expect("these costs and lengths are within argon2's bounds");
        Ok(Hash { memory_kib, rounds, salt: hex(salt), hash: hex(&hash) })
    }

    /// One that fits no password, and takes as long to find that out.
    pub fn of_nobody() -> Hash {
        let (memory_kib, rounds) = COST;
        Hash { memory_kib, rounds, salt: "00".repeat(SALT_BYTES), hash: String::new() }
    }

    /// Whether a password is the one that was hashed.
    pub fn fits(&self, password: &str) -> bool {
        let salt = unhex(&self.salt).unwrap_or_default();
        let (Some(hash), Some(wanted)) = (hashed(password, &salt, (self.memory_kib, self.rounds)), unhex(&self.hash))
        else {
            return false;
        };
        // SECURITY: all bytes are looked at, whichever differs.
        wanted.len() == hash.len() && wanted.iter().zip(&hash).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }

    /// What is another one after each change of the password, and tells nothing of it.
    pub fn mark(&self) -> &str {
        &self.salt
    }
}

/// `None` if these costs are none, as in a file that was edited by hand.
fn hashed(password: &str, salt: &[u8], (memory_kib, rounds): (u32, u32)) -> Option<[u8; HASH_BYTES]> {
    // A file by hand must not ask for all memory.
    let params = Params::new(memory_kib.min(1 << 20), rounds.min(16), 1, Some(HASH_BYTES)).ok()?;
    let mut hash = [0; HASH_BYTES];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

/// The accounts of a site.
#[derive(Clone, Debug)]
pub struct Users {
    path: PathBuf,
}

impl Users {
    /// The accounts in this file, which need not be there.
    pub fn new(path: PathBuf) -> Users {
        Users { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of them. Lines that cannot be read are passed over.
    pub fn read(&self) -> Result<Vec<Account>, DiskError> {
        let bytes = match disk::read(&self.path) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            read => read?,
        };
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Replaces all of them.
    pub fn write(&self, accounts: &[Account]) -> Result<(), DiskError> {
        let mut bytes = Vec::new();
        for account in accounts {
            serde_json::to_writer(&mut bytes, account).expect("memory takes all, and an account is always JSON");
            bytes.push(b'\n');
        }
        disk::create_private_dir(self.path.parent().unwrap_or(&self.path))?;
        disk::replace_private(&self.path, &bytes)
    }
}
