//! Tells whether other processes write to the inbox: each that does holds a share of a lock.

use std::fs::{File, OpenOptions};

use crate::disk::{self, DiskError};
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;

/// A process's share. While it lives, nobody removes drafts from the inbox: they may be this process's.
pub struct DoorLock {
    _file: File,
}

impl DoorLock {
    /// Takes a share, and removes drafts from the inbox if nobody else has one: then a crash has left them.
    pub fn take(dir: &SiteDir, inbox: &Inbox) -> Result<DoorLock, DiskError> {
        let file = open(dir)?;
        sweep_if_alone(&file, inbox);
        // Others hold it alone only for a moment.
        file.lock_shared().map_err(DiskError::doing("lock", &path(dir)))?;
        Ok(DoorLock { _file: file })
    }
}

/// Removes drafts from the inbox, unless a door may be writing them.
pub fn sweep(dir: &SiteDir, inbox: &Inbox) -> Result<(), DiskError> {
    sweep_if_alone(&open(dir)?, inbox);
    Ok(())
}

fn sweep_if_alone(file: &File, inbox: &Inbox) {
    if file.try_lock().is_ok() {
        inbox.sweep();
        let _ = file.unlock();
    }
}

fn open(dir: &SiteDir) -> Result<File, DiskError> {
    disk::create_private_dir(&dir.private())?;
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path(dir));
    opened.map_err(DiskError::doing("open", &path(dir)))
}

fn path(dir: &SiteDir) -> std::path::PathBuf {
    dir.private().join("doors")
}
