//! Times as pages show them: for machines in UTC, for people in the site's zone. Never relative to now.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::digits::{push_ascii, put_two};

/// A time in both forms. Both are empty for the Unix epoch, which stands for "not known".
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shown {
    /// `2025-03-02T10:20:30Z`
    pub iso: String,
    /// `2025-03-02 (Sun) 17:20`
    pub time: String,
    /// The day that each shows, counted from the Unix epoch. The next post is mostly of the same day.
    days: Option<[i64; 2]>,
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
        let ahead = match zone {
            _ if seconds == 0 => return *self = Shown::default(),
            Tz::UTC => 0,
            zone => ahead_of_utc(seconds, zone),
        };
        let both = [seconds, seconds + ahead];
        let days = both.map(|seconds| seconds.div_euclid(DAY_SECONDS));
        if self.days == Some(days) {
            self.iso.truncate(self.iso.len() - ISO_CLOCK.len());
            self.time.truncate(self.time.len() - CLOCK.len());
        } else {
            let [Some(utc), Some(local)] = both.map(date) else { return *self = Shown::default() };
            self.days = Some(days);
            self.iso.clear();
            self.time.clear();
            push_date(&mut self.iso, utc);
            self.iso.push('T');
            push_date(&mut self.time, local);
            push_ascii(&mut self.time, &[b" (", DAYS[local.weekday() as usize], b") "].concat());
        }
        let [utc, local] = both.map(|seconds| seconds.rem_euclid(DAY_SECONDS) as u32);
        push_clock(&mut self.iso, ISO_CLOCK, utc);
        push_clock(&mut self.time, CLOCK, local);
    }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// The forms of what stands behind the date.
const ISO_CLOCK: &[u8; 9] = b"00:00:00Z";
const CLOCK: &[u8; 5] = b"00:00";

/// How many seconds the clocks of a zone are ahead then.
fn ahead_of_utc(seconds: i64, zone: Tz) -> i64 {
    let utc = DateTime::<Utc>::from_timestamp(seconds, 0);
    utc.map_or(0, |utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc().into())
}

/// The date of seconds since the Unix epoch.
fn date(seconds: i64) -> Option<NaiveDate> {
    Some(DateTime::<Utc>::from_timestamp(seconds, 0)?.date_naive())
}

fn push_date(out: &mut String, date: NaiveDate) {
    match u32::try_from(date.year()) {
        Ok(year @ 0..=9999) => {
            let mut digits = [0; 4];
            put_two(&mut digits, 0, year / 100);
            put_two(&mut digits, 2, year);
            push_ascii(out, &digits);
        }
        _ => drop(write!(out, "{:04}", date.year())),
    }
    let mut line = *b"-00-00";
    put_two(&mut line, 1, date.month());
    put_two(&mut line, 4, date.day());
    push_ascii(out, &line);
}

/// Adds the time of the day in a form that has at least hours and minutes.
fn push_clock<const N: usize>(out: &mut String, form: &[u8; N], seconds: u32) {
    let mut line = *form;
    put_two(&mut line, 0, seconds / 3600);
    put_two(&mut line, 3, seconds / 60 % 60);
    if 8 <= N {
        put_two(&mut line, 6, seconds % 60);
    }
    push_ascii(out, &line);
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
                let Shown { iso, time, .. } = shown(seconds, zone);
                let local = utc.with_timezone(&zone);
                let year = format!("{:04}", utc.year());
                let local_year = format!("{:04}", local.year());
                assert_eq!(iso, format!("{year}{}", utc.format("-%m-%dT%H:%M:%SZ")));
                assert_eq!(time, format!("{local_year}{}", local.format("-%m-%d (%a) %H:%M")));
            }
        }
    }

    #[test]
    fn a_time_is_shown_the_same_behind_another_one() {
        let seconds = [1, 86_399, 86_400, 1_700_000_000, 1_700_000_001, 0, 1_700_000_002, i64::MAX, 1_711_846_799];
        for zone in [Tz::UTC, Tz::Asia__Bangkok, Tz::Europe__Berlin] {
            let mut again = Shown::default();
            for seconds in seconds.into_iter().flat_map(|seconds| [seconds, seconds.saturating_add(3_601)]) {
                again.set(seconds, zone);
                assert_eq!(again, shown(seconds, zone), "{seconds} in {zone}");
            }
        }
    }

    #[test]
    fn the_epoch_stands_for_a_time_that_is_not_known() {
        assert_eq!(shown(0, Tz::UTC), Shown::default());
    }
}
