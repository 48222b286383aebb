//! The clock. Nothing else in the program looks at it.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Timelike, Utc};

/// Now, in whole seconds.
pub fn now() -> DateTime<Utc> {
    let now = DateTime::<Utc>::from(system());
    now.with_nanosecond(0).unwrap_or(now)
}

/// Now, as the system has it.
pub fn system() -> SystemTime {
    #[cfg(any(debug_assertions, feature = "crash-points"))]
    return shifted(SystemTime::now());
    #[cfg(not(any(debug_assertions, feature = "crash-points")))]
    SystemTime::now()
}

/// A name that nothing else has, and that sorts by time.
pub fn ulid() -> String {
    ulid::Ulid::from_datetime(system()).to_string()
}

/// Now, in nanoseconds since the Unix epoch.
pub fn now_ns() -> i64 {
    system().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// A clock that is set while the program runs, for tests: `NEJIBOARD_CLOCK_SHIFT` names a file that holds the seconds
/// by which it is ahead or, with a minus, behind. A release build cannot do this.
#[cfg(any(debug_assertions, feature = "crash-points"))]
fn shifted(now: SystemTime) -> SystemTime {
    use std::path::PathBuf;
    use std::sync::LazyLock;
    use std::time::Duration;
    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("NEJIBOARD_CLOCK_SHIFT").map(PathBuf::from));
    let Some(file) = &*FILE else { return now };
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let seconds: i64 = text.trim().parse().unwrap_or(0);
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { now - by } else { now + by }
}
