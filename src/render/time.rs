//! Times as pages show them: for machines in UTC, for people in the site's zone. Never relative to now.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

/// A time in both forms. Both are empty for the Unix epoch, which stands for "not known".
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shown {
    /// `2025-03-02T10:20:30Z`
    pub iso: String,
    /// `2025-03-02 (Sun) 17:20`
    pub time: String,
}

/// Shows seconds since the Unix epoch.
pub fn shown(seconds: i64, zone: Tz) -> Shown {
    let Some(utc) = DateTime::<Utc>::from_timestamp(seconds, 0).filter(|_| seconds != 0) else {
        return Shown::default();
    };
    let (mut iso, mut time) = (String::with_capacity(20), String::with_capacity(24));
    push_date(&mut iso, &utc.naive_utc());
    let clock = utc.time();
    let _ = write!(iso, "T{:02}:{:02}:{:02}Z", clock.hour(), clock.minute(), clock.second());
    let local = match zone {
        Tz::UTC => utc.naive_utc(),
        zone => utc.with_timezone(&zone).naive_local(),
    };
    push_date(&mut time, &local);
    let _ = write!(time, " ({}) {:02}:{:02}", DAYS[local.weekday() as usize], local.hour(), local.minute());
    Shown { iso, time }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn push_date(out: &mut String, at: &NaiveDateTime) {
    let _ = write!(out, "{:04}-{:02}-{:02}", at.year(), at.month(), at.day());
}
