//! Named places at which a test ends the process, to see what a crash just there leaves behind.
//!
//! A release build has none of this: [`point`] is empty there, unless the feature `crash-points` is on. Elsewhere the
//! environment says what is to happen: `NEJIBOARD_CRASH_AT=NAME:NTH` kills the process when it comes to the place NAME
//! for the nth time (the first time if no number is given), and `NEJIBOARD_CRASH_LOG=FILE` notes in a file which
//! places it comes to.

/// A place at which a test may end the process. Its name tells what was done last, or what comes next.
#[inline(always)]
pub fn point(name: &'static str) {
    #[cfg(any(debug_assertions, feature = "crash-points"))]
    armed::reached(name);
    #[cfg(not(any(debug_assertions, feature = "crash-points")))]
    let _ = name;
}

#[cfg(any(debug_assertions, feature = "crash-points"))]
mod armed {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// What the environment asks for.
    struct Armed {
        crash_at: Option<(String, u64)>,
        times: AtomicU64,
        log: Option<File>,
    }

    static ARMED: LazyLock<Armed> = LazyLock::new(|| {
        let log = std::env::var_os("NEJIBOARD_CRASH_LOG");
        let log = log.and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
        let crash_at = std::env::var("NEJIBOARD_CRASH_AT").ok();
        Armed { crash_at: crash_at.as_deref().map(read), times: AtomicU64::new(0), log }
    });

    /// `NAME` or `NAME:NTH`.
    fn read(text: &str) -> (String, u64) {
        let numbered = text.rsplit_once(':').and_then(|(name, nth)| Some((name.to_owned(), nth.parse().ok()?)));
        numbered.unwrap_or_else(|| (text.to_owned(), 1))
    }

    pub fn reached(name: &str) {
        let Armed { crash_at, times, log } = &*ARMED;
        if let Some(mut log) = log.as_ref() {
            // One write, so that lines of several threads stay whole.
            let _ = log.write_all(format!("{name}\n").as_bytes());
        }
        if let Some((at, nth)) = crash_at
            && at == name
            && times.fetch_add(1, Ordering::Relaxed) + 1 == *nth
        {
            // As `kill -9` does it: nothing is unwound, no buffer is written out, and no core file lies about.
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
    }
}
