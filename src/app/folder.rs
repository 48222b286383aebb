//! What tells one folder from another at the same path.

use std::path::Path;

/// What tells a folder from another of the same name: the inode's number, and when it was made, since numbers return.
pub type FolderId = (u64, Option<std::time::SystemTime>);

/// Which folder stands there; `None` if there is none.
pub fn folder_id(folder: &Path) -> Option<FolderId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).ok().map(|meta| (meta.ino(), meta.created().ok()))
}

/// A folder on a device of its own cannot be exchanged by name.
pub fn is_mount_point(public: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).ok().map(|meta| meta.dev());
    public.parent().is_some_and(|parent| device(public).is_some() && device(public) != device(parent))
}
