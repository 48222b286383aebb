//! Times as pages show them: for machines in UTC, for people in the site's zone. Never relative to now.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

use super::digits::{push_ascii, put_two};

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
    let mut shown = Shown::default();
    shown.set(seconds, zone);
    shown
}

impl Shown {
    /// Shows another time: seconds since the Unix epoch.
    pub fn set(&mut self, seconds: i64, zone: Tz) {
        self.iso.clear();
        self.time.clear();
        let Some(utc) = DateTime::<Utc>::from_timestamp(seconds, 0).filter(|_| seconds != 0) else { return };
        let local = match zone {
            Tz::UTC => utc.naive_utc(),
            zone => utc.with_timezone(&zone).naive_local(),
        };
        push_iso(&mut self.iso, &utc.naive_utc());
        push_time(&mut self.time, &local);
    }
}

const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

fn push_iso(out: &mut String, at: &NaiveDateTime) {
    let mut line = *b"-00-00T00:00:00Z";
    put_two(&mut line, 1, at.month());
    put_two(&mut line, 4, at.day());
    put_two(&mut line, 7, at.hour());
    put_two(&mut line, 10, at.minute());
    put_two(&mut line, 13, at.second());
    push_year(out, at.year());
    push_ascii(out, &line);
}

fn push_time(out: &mut String, at: &NaiveDateTime) {
    let mut line = *b"-00-00 (Day) 00:00";
    put_two(&mut line, 1, at.month());
    put_two(&mut line, 4, at.day());
    line[8..11].copy_from_slice(DAYS[at.weekday() as usize]);
    put_two(&mut line, 13, at.hour());
    put_two(&mut line, 16, at.minute());
    push_year(out, at.year());
    push_ascii(out, &line);
}

fn push_year(out: &mut String, year: i32) {
    match u32::try_from(year) {
        Ok(year @ 0..=9999) => {
            let mut digits = [0; 4];
            put_two(&mut digits, 0, year / 100);
            put_two(&mut digits, 2, year);
            push_ascii(out, &digits);
        }
        _ => drop(write!(out, "{year:04}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_chrono_makes_of_them() {
        // Steps of some days and hours, from before the year 0 to beyond 9999.
        for seconds in (-63_000_000_000..260_000_000_000_i64).step_by(7_654_321) {
            let utc = DateTime::from_timestamp(seconds, 0).expect("chrono knows this time");
            for zone in [Tz::UTC, Tz::Asia__Bangkok, Tz::America__Sao_Paulo] {
                let Shown { iso, time } = shown(seconds, zone);
                let local = utc.with_timezone(&zone);
                let year = format!("{:04}", utc.year());
                let local_year = format!("{:04}", local.year());
                assert_eq!(iso, format!("{year}{}", utc.format("-%m-%dT%H:%M:%SZ")));
                assert_eq!(time, format!("{local_year}{}", local.format("-%m-%d (%a) %H:%M")));
            }
        }
    }

    #[test]
    fn the_epoch_stands_for_a_time_that_is_not_known() {
        assert_eq!(shown(0, Tz::UTC), Shown::default());
    }
}
