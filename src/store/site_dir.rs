//! The folders of a site, and the lock that keeps two builders apart.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError};

/// The root of a site and what stands below it.
#[derive(Clone, Debug)]
pub struct SiteDir {
    root: PathBuf,
}

impl SiteDir {
    /// The site in `root`.
    pub fn new(root: PathBuf) -> SiteDir {
        SiteDir { root }
    }

    /// The root itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Boards and threads.
    pub fn content(&self) -> PathBuf {
        self.root.join("content")
    }

    /// What posts may not say.
    pub fn filters(&self) -> PathBuf {
        self.content().join("filters.yaml")
    }

    /// What everybody may know of what staff did.
    pub fn public_log(&self) -> PathBuf {
        self.content().join("log.jsonl")
    }

    /// Templates.
    pub fn themes(&self) -> PathBuf {
        self.root.join("themes")
    }

    /// Accepted posts.
    pub fn inbox(&self) -> PathBuf {
        self.root.join("posts-inbox")
    }

    /// Output.
    pub fn public(&self) -> PathBuf {
        self.root.join("public")
    }

    /// What nobody but the operator may see.
    pub fn private(&self) -> PathBuf {
        self.root.join(".nejiboard")
    }

    /// The build cache.
    pub fn cache(&self) -> PathBuf {
        self.private().join("cache")
    }

    /// The URLs that the last build changed.
    pub fn purge(&self) -> PathBuf {
        self.private().join("purge.txt")
    }

    /// The URLs that changed and of which nobody outside has been told yet.
    pub fn changed(&self) -> PathBuf {
        self.private().join("changed.txt")
    }

    /// The log of what staff did.
    pub fn mod_log(&self) -> PathBuf {
        self.private().join("mod").join("log")
    }

    /// Who sent which post.
    pub fn journal(&self) -> PathBuf {
        self.private().join("journal")
    }

    /// What poster ids are made with.
    pub fn poster_salts(&self) -> PathBuf {
        self.private().join("poster-salts")
    }

    /// Who may not post.
    pub fn bans(&self) -> PathBuf {
        self.private().join("mod").join("bans")
    }

    /// Posts at which somebody is to look before they are shown.
    pub fn held(&self) -> PathBuf {
        self.private().join("mod").join("held")
    }

    /// How open the door is.
    pub fn posture(&self) -> PathBuf {
        self.private().join("mod").join("posture")
    }

    /// The keys of secure tripcodes that came after the first one.
    pub fn tripcodes(&self) -> PathBuf {
        self.private().join("tripcodes")
    }

    /// What readers have reported.
    pub fn reports(&self) -> PathBuf {
        self.private().join("mod").join("reports")
    }

    /// The accounts of staff.
    pub fn users(&self) -> PathBuf {
        self.private().join("mod").join("users")
    }

    /// Which of them are signed in.
    pub fn sessions(&self) -> PathBuf {
        self.private().join("mod").join("sessions")
    }

    /// The highest numbers.
    pub fn numbers(&self) -> PathBuf {
        self.private().join("numbers")
    }

    /// What `verify` draws beside the pages, while it runs.
    pub fn beside(&self) -> PathBuf {
        self.private().join("verify")
    }

    /// Removes what a crash has left in the private folder. Whoever does has the lock.
    pub fn sweep(&self) {
        disk::sweep_drafts(&self.private());
        // What stays is removed by the next `verify`.
        let _ = std::fs::remove_dir_all(self.beside());
    }

    /// Takes the lock of the site's builder; it is given back when the process ends, however it ends.
    pub fn lock(&self) -> Result<Lock, LockError> {
        disk::create_private_dir(&self.private())?;
        let path = self.private().join("lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(DiskError::doing("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(LockError::Held { holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(DiskError { action: "lock", path, source }.into()),
        }
        // Who holds it, for the message of whoever comes second; the lock itself does not depend on it.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Lock { file })
    }

    /// The site's secret key, 32 random bytes, made the first time it is asked for.
    pub fn secret(&self) -> Result<[u8; 32], DiskError> {
        disk::create_private_dir(&self.private())?;
        match self.read_secret() {
            Err(error) if error.is_absent() => {}
            read => return read,
        }
        // Two processes that start at once have one secret.
        let _lock = disk::lock_folder(&self.private())?;
        match self.read_secret() {
            Err(error) if error.is_absent() => {}
            read => return read,
        }
        let bytes = random_bytes()?;
        disk::replace_private(&self.secret_path(), &bytes)?;
        disk::sync_folder(&self.private())?;
        disk::point("secret written");
        Ok(bytes)
    }

    fn secret_path(&self) -> PathBuf {
        self.private().join("secret")
    }

    fn read_secret(&self) -> Result<[u8; 32], DiskError> {
        let path = self.secret_path();
        disk::read(&path)?.try_into().map_err(|_| {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, "it should have 32 bytes");
            DiskError { action: "use", path, source }
        })
    }
}

/// Bytes from the system's source of randomness.
pub fn random_bytes() -> Result<[u8; 32], DiskError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    let read = File::open(path).and_then(|mut source| source.read_exact(&mut bytes));
    read.map(|()| bytes).map_err(DiskError::doing("read", path))
}

/// While this lives, no other process builds the site.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing is not enough: a process that is just being started holds a copy of every open file until its program
    /// runs, and the lock with it.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Why the lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another nejiboard works on this site (process {holder})")]
    Held {
        /// Its process id.
        holder: String,
    },
    /// The lock file could not be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
