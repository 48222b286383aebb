//! The clock. Nothing else in the program looks at it.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Timelike, Utc};

/// Now, in whole seconds.
pub fn now() -> DateTime<Utc> {
    let now = Utc::now();
    now.with_nanosecond(0).unwrap_or(now)
}

/// Now, as the system has it.
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// Now, in nanoseconds since the Unix epoch.
pub fn now_ns() -> i64 {
    system().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}
