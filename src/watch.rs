//! File events to one settled set of changes.
//!
//! An editor's save is several events, an import thousands. They are gathered until nothing has happened for a moment,
//! but no longer than half a second, and then told at once. Whoever hears of them looks at the files themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

/// Nothing has happened for so long: what happened is over.
const SETTLED_AFTER: Duration = Duration::from_millis(60);

/// Changes are told at least this often while they go on.
const TOLD_AFTER: Duration = Duration::from_millis(500);

/// Paths that are remembered one by one; more are told as "look at everything".
const PATHS_MAX: usize = 10_000;

/// What happened since it was last told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// Files that are new, different or gone.
    pub paths: BTreeSet<PathBuf>,
    /// Events were lost, or there were too many.
    pub everything: bool,
}

impl Seen {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everything
    }

    fn note(&mut self, event: notify::Result<Event>) {
        let Ok(event) = event else {
            self.everything = true;
            return;
        };
        self.everything |= event.need_rescan();
        // Our own reading is an event too, and would never end.
        if event.kind.is_access() {
            return;
        }
        let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        self.paths.extend(event.paths.into_iter().filter(|path| !hidden(path)));
        if PATHS_MAX < self.paths.len() {
            self.paths.clear();
            self.everything = true;
        }
    }
}

/// Watches until it is dropped.
pub struct Watch {
    kept: Arc<Mutex<Kept>>,
}

/// What is watched. A folder that is made anew under its old name is another folder to the system, so it is watched
/// anew when its name is told.
struct Kept {
    watcher: RecommendedWatcher,
    places: Vec<(PathBuf, RecursiveMode)>,
}

impl Watch {
    /// Calls `tell` with each settled set of changes, from a thread of its own.
    pub fn begin(tell: impl FnMut(Seen) + Send + 'static) -> notify::Result<Watch> {
        let (send, receive) = mpsc::channel();
        let watcher = notify::recommended_watcher(move |event| {
            // The receiver is gone only when the watch is being dropped.
            let _ = send.send(event);
        })?;
        let kept = Arc::new(Mutex::new(Kept { watcher, places: Vec::new() }));
        // Held by this thread too, the watcher would never be dropped.
        let known = Arc::downgrade(&kept);
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || settle(&receive, &known, tell))?;
        Ok(Watch { kept })
    }

    /// Watches a folder and all below it. If it is not there yet, its parent must be watched too.
    pub fn tree(&mut self, folder: &Path) -> notify::Result<()> {
        self.watch(folder, RecursiveMode::Recursive)
    }

    /// Watches a folder alone.
    pub fn folder(&mut self, folder: &Path) -> notify::Result<()> {
        self.watch(folder, RecursiveMode::NonRecursive)
    }

    fn watch(&mut self, folder: &Path, mode: RecursiveMode) -> notify::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.places.push((folder.to_owned(), mode));
        if folder.is_dir() { kept.watcher.watch(folder, mode) } else { Ok(()) }
    }
}

impl Kept {
    /// Watches those places anew that may be other folders than before.
    fn renew(&mut self, seen: &Seen) {
        let Kept { watcher, places } = self;
        for (folder, mode) in places.iter().filter(|(folder, _)| seen.everything || seen.paths.contains(folder)) {
            // It fails if the old folder is gone, which is as well.
            let _ = watcher.unwatch(folder);
            // It fails if there is none now; when there is one, its name is told again.
            let _ = watcher.watch(folder, *mode);
        }
    }
}

fn settle(receive: &Receiver<notify::Result<Event>>, kept: &Weak<Mutex<Kept>>, mut tell: impl FnMut(Seen)) {
    let mut seen = Seen::default();
    let mut first = Instant::now();
    loop {
        let event = match seen.is_empty() {
            true => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => receive.recv_timeout(SETTLED_AFTER.min(TOLD_AFTER.saturating_sub(first.elapsed()))),
        };
        match event {
            Ok(event) => {
                if seen.is_empty() {
                    first = Instant::now();
                }
                seen.note(event);
                if first.elapsed() < TOLD_AFTER {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !seen.is_empty() {
            // Before it is told, so that whoever looks then misses nothing that comes after.
            if let Some(kept) = kept.upgrade() {
                kept.lock().unwrap_or_else(PoisonError::into_inner).renew(&seen);
            }
            tell(std::mem::take(&mut seen));
        }
    }
}
