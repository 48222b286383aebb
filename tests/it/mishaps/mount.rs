//! Small and read-only file systems. To mount them needs rights; where these are missing, the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is mounted, until this is dropped.
pub struct Mount(PathBuf);

impl Mount {
    /// An empty file system of this size, held in memory.
    pub fn small(at: &Path, kibibytes: u32) -> Option<Mount> {
        let size = format!("size={kibibytes}k,mode=755");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], at).then(|| Mount(at.to_owned()))
    }

    /// The same folder once more over itself, read-only. Files that are open stay as they are.
    pub fn read_only(at: &Path) -> Option<Mount> {
        if !mount(&["--bind", &at.to_string_lossy()], at) {
            return None;
        }
        let bound = Mount(at.to_owned());
        mount(&["-o", "remount,bind,ro"], at).then_some(bound)
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    match Command::new("mount").args(arguments).arg(at).output() {
        Ok(ended) if ended.status.success() => true,
        Ok(ended) => {
            println!("left out: mounting is not permitted here: {}", String::from_utf8_lossy(&ended.stderr).trim());
            false
        }
        Err(error) => {
            println!("left out: `mount` cannot be run: {error}");
            false
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: somebody may still have a file open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
