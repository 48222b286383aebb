//! What several targets ask of what they are given.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use nejiboard::model::Thread;
use nejiboard::store::thread_file::{read, write};

#[path = "../../tests/it/markup/vocabulary.rs"]
pub mod vocabulary;

/// A folder in memory, if there is one, for what reads files.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder can be made")
});

/// A file with these bytes.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("it can be written");
    path
}

/// The folder in which such files are.
pub fn folder() -> &'static Path {
    FOLDER.path()
}

/// Whatever thread comes from anywhere is read as it was written.
pub fn is_read_as_written(thread: &Thread) {
    let bytes = write(thread);
    let path = PathBuf::from(format!("content/tech/{}.md", thread.no()));
    let reading = read(&path, &bytes);
    // What was edited by hand may stand in any order, which is told each time.
    let rises = thread.posts.is_sorted_by(|a, b| a.no < b.no);
    assert!(!rises || reading.problems.is_empty(), "{:?}\n{}", reading.problems, String::from_utf8_lossy(&bytes));
    assert_eq!(reading.thread.as_ref(), Some(thread), "{}", String::from_utf8_lossy(&bytes));
}
