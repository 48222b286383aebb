//! The lock that keeps two builders apart.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use nejiboard::store::site_dir::SiteDir;

#[test]
fn the_lock_is_free_at_once_though_other_programs_are_being_started() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SiteDir::new(folder.path().to_owned());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        });
        let refused = (0..2_000).filter(|_| dir.lock().is_err()).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(refused, 0, "refused although nobody had it");
    });
}
