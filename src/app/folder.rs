//! What the system tells of the folder `public/`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What tells a folder from another of the same name: the inode's number, and when it was made, since numbers return.
pub type Id = (u64, Option<SystemTime>);

/// Which folder it is; `None` if there is none.
pub fn id(folder: &Path) -> Option<Id> {
    fs::metadata(folder).ok().map(|meta| (meta.ino(), meta.created().ok()))
}

/// Whether it lies on a device of its own: then it cannot be exchanged by name.
pub fn is_mount_point(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|meta| meta.dev());
    folder.parent().is_some_and(|parent| device(folder).is_some() && device(folder) != device(parent))
}
