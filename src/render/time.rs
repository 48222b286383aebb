//! Times as pages show them: for machines in UTC, for people in the site's zone. Never relative to now.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::digits::{push_ascii, put_two};
use crate::model::Texts;
use crate::model::texts::Piece;

/// How a time is written for people: what the text `time` says, such as `{year}-{month}-{day} ({weekday}) {hour}:{minute}`.
#[derive(Clone, Debug)]
pub struct TimeForm {
    /// Up to the hour: the same all day long.
    date: Vec<Part>,
    /// The rest.
    clock: Vec<Part>,
    /// Monday first.
    weekdays: [String; 7],
}

/// A part of a written time.
#[derive(Clone, PartialEq, Debug)]
enum Part {
    Words(String),
    Year,
    Month,
    Day,
    Weekday,
    Hour,
    Minute,
}

impl TimeForm {
    /// As the texts have it.
    pub fn of(texts: &Texts) -> TimeForm {
        let pieces = texts.get("time").map_or(&[][..], |text| text.other().pieces());
        let mut date: Vec<Part> = pieces.iter().map(part).collect();
        let clock = date.split_off(date.iter().position(Part::is_of_clock).unwrap_or(date.len()));
        TimeForm { date, clock, weekdays: WEEKDAYS.map(|key| texts.say(key, &[])) }
    }
}

fn part(piece: &Piece) -> Part {
    match piece {
        Piece::Words(words) => Part::Words(words.clone()),
        Piece::Value(name) => match name.as_str() {
            "year" => Part::Year,
            "month" => Part::Month,
            "day" => Part::Day,
            "weekday" => Part::Weekday,
            "hour" => Part::Hour,
            "minute" => Part::Minute,
            // Texts take no other values than the English one does.
            other => Part::Words(other.to_owned()),
        },
    }
}

impl Part {
    fn is_of_clock(&self) -> bool {
        matches!(self, Part::Hour | Part::Minute)
    }
}

/// A time in both forms. Both are empty for the Unix epoch, which stands for "not known".
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shown {
    /// `2025-03-02T10:20:30Z`
    pub iso: String,
    /// `2025-03-02 (Sun) 17:20`
    pub time: String,
    /// The day that each shows, counted from the Unix epoch. The next post is mostly of the same day.
    days: Option<[i64; 2]>,
    /// How much of `time` is the same all day long.
    same: usize,
}

/// Shows seconds since the Unix epoch.
pub fn shown(seconds: i64, zone: Tz, form: &TimeForm) -> Shown {
    let mut shown = Shown::default();
    shown.set(seconds, zone, form);
    shown
}

impl Shown {
    /// Shows another time: seconds since the Unix epoch. The form is the same each time.
    pub fn set(&mut self, seconds: i64, zone: Tz, form: &TimeForm) {
        let ahead = match zone {
            _ if seconds == 0 => return *self = Shown::default(),
            Tz::UTC => 0,
            zone => ahead_of_utc(seconds, zone),
        };
        let both = [seconds, seconds + ahead];
        let days = both.map(|seconds| seconds.div_euclid(DAY_SECONDS));
        if self.days == Some(days) {
            self.iso.truncate(self.iso.len() - ISO_CLOCK.len());
            self.time.truncate(self.same);
        } else {
            let [Some(utc), Some(local)] = both.map(date) else { return *self = Shown::default() };
            self.days = Some(days);
            self.iso.clear();
            self.time.clear();
            push_year(&mut self.iso, utc);
            push_month_and_day(&mut self.iso, utc);
            self.iso.push('T');
            for part in &form.date {
                push_of_date(&mut self.time, part, local, form);
            }
            self.same = self.time.len();
        }
        let [utc, local] = both.map(|seconds| seconds.rem_euclid(DAY_SECONDS) as u32);
        push_clock(&mut self.iso, utc);
        for part in &form.clock {
            match part {
                Part::Words(words) => self.time.push_str(words),
                Part::Hour => push_two(&mut self.time, local / 3600),
                Part::Minute => push_two(&mut self.time, local / 60 % 60),
                // Some languages tell the clock first; the day has to be reckoned again then.
                part => {
                    let date = date(both[1]).unwrap_or_default();
                    push_of_date(&mut self.time, part, date, form);
                }
            }
        }
    }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The keys of the days' names.
const WEEKDAYS: [&str; 7] =
    ["weekday-mon", "weekday-tue", "weekday-wed", "weekday-thu", "weekday-fri", "weekday-sat", "weekday-sun"];

/// The form of what stands behind the date.
const ISO_CLOCK: &[u8; 9] = b"00:00:00Z";

/// How many seconds the clocks of a zone are ahead then.
fn ahead_of_utc(seconds: i64, zone: Tz) -> i64 {
    let utc = DateTime::<Utc>::from_timestamp(seconds, 0);
    utc.map_or(0, |utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc().into())
}

/// The date of seconds since the Unix epoch.
fn date(seconds: i64) -> Option<NaiveDate> {
    Some(DateTime::<Utc>::from_timestamp(seconds, 0)?.date_naive())
}

/// Adds a part that the date tells.
fn push_of_date(out: &mut String, part: &Part, date: NaiveDate, form: &TimeForm) {
    match part {
        Part::Words(words) => out.push_str(words),
        Part::Year => push_year(out, date),
        Part::Month => push_two(out, date.month()),
        Part::Day => push_two(out, date.day()),
        Part::Weekday => out.push_str(&form.weekdays[date.weekday() as usize]),
        Part::Hour | Part::Minute => {}
    }
}

fn push_year(out: &mut String, date: NaiveDate) {
    match u32::try_from(date.year()) {
        Ok(year @ 0..=9999) => {
            let mut digits = [0; 4];
            put_two(&mut digits, 0, year / 100);
            put_two(&mut digits, 2, year);
            push_ascii(out, &digits);
        }
        _ => drop(write!(out, "{:04}", date.year())),
    }
}

fn push_month_and_day(out: &mut String, date: NaiveDate) {
    let mut line = *b"-00-00";
    put_two(&mut line, 1, date.month());
    put_two(&mut line, 4, date.day());
    push_ascii(out, &line);
}

fn push_two(out: &mut String, number: u32) {
    let mut digits = [0; 2];
    put_two(&mut digits, 0, number);
    push_ascii(out, &digits);
}

/// Adds the time of the day in UTC.
fn push_clock(out: &mut String, seconds: u32) {
    let mut line = *ISO_CLOCK;
    put_two(&mut line, 0, seconds / 3600);
    put_two(&mut line, 3, seconds / 60 % 60);
    put_two(&mut line, 6, seconds % 60);
    push_ascii(out, &line);
}

/// Adds a time as machines read it, such as `2025-03-02T10:20:30Z`: seconds since the Unix epoch.
pub fn push_iso(out: &mut String, seconds: i64) {
    let date = date(seconds).unwrap_or_default();
    push_year(out, date);
    push_month_and_day(out, date);
    out.push('T');
    push_clock(out, seconds.rem_euclid(DAY_SECONDS) as u32);
}

/// Times as the API of 4chan has them, such as `03/02/25(Sun)05:20:30`: of the east coast of the USA.
#[derive(Default)]
pub struct Eastern {
    /// What stands before the minutes: the same for an hour, since clocks there are changed by whole hours.
    hour: String,
    /// The hour, counted from the Unix epoch.
    hours: Option<i64>,
}

impl Eastern {
    /// Adds the time of so many seconds since the Unix epoch.
    pub fn push(&mut self, seconds: i64, out: &mut String) {
        let hours = seconds.div_euclid(3600);
        if self.hours != Some(hours) {
            self.hour.clear();
            self.hours = Some(hours);
            let local = seconds + ahead_of_utc(seconds, Tz::America__New_York);
            let date = date(local).unwrap_or_default();
            push_two(&mut self.hour, date.month());
            self.hour.push('/');
            push_two(&mut self.hour, date.day());
            self.hour.push('/');
            push_two(&mut self.hour, date.year().rem_euclid(100) as u32);
            self.hour.push('(');
            self.hour.push_str(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][date.weekday() as usize]);
            self.hour.push(')');
            push_two(&mut self.hour, local.rem_euclid(DAY_SECONDS) as u32 / 3600);
        }
        let in_hour = seconds.rem_euclid(3600) as u32;
        out.push_str(&self.hour);
        out.push(':');
        push_two(out, in_hour / 60);
        out.push(':');
        push_two(out, in_hour % 60);
    }
}

/// Times as 2ch has them, such as `2025/03/02(日) 19:20:30.00`: of Japan, where clocks are never changed.
#[derive(Default)]
pub struct Japanese {
    /// What stands before the clock: the same for a day.
    date: String,
    /// The day, counted from the Unix epoch.
    days: Option<i64>,
}

impl Japanese {
    /// Adds the time of so many seconds since the Unix epoch; nothing if that is not known.
    pub fn push(&mut self, seconds: i64, out: &mut String) {
        if seconds == 0 {
            return;
        }
        let local = seconds.saturating_add(9 * 3600);
        let days = local.div_euclid(DAY_SECONDS);
        if self.days != Some(days) {
            self.days = Some(days);
            self.date.clear();
            let date = date(local).unwrap_or_default();
            push_year(&mut self.date, date);
            self.date.push('/');
            push_two(&mut self.date, date.month());
            self.date.push('/');
            push_two(&mut self.date, date.day());
            self.date.push('(');
            self.date.push(['月', '火', '水', '木', '金', '土', '日'][date.weekday() as usize]);
            self.date.push_str(") ");
        }
        let in_day = local.rem_euclid(DAY_SECONDS) as u32;
        out.push_str(&self.date);
        push_two(out, in_day / 3600);
        out.push(':');
        push_two(out, in_day / 60 % 60);
        out.push(':');
        push_two(out, in_day % 60);
        // Posts are dated by the second.
        out.push_str(".00");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::texts::{Phrase, Text};

    fn form(time: &str) -> TimeForm {
        let mut texts = Texts::default();
        let days = WEEKDAYS.into_iter().zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
        for (key, text) in days.chain([("time", time)]) {
            texts.set(key, Text::Plain(Phrase::parse(text).expect("it is a text")));
        }
        TimeForm::of(&texts)
    }

    fn english() -> TimeForm {
        form("{year}-{month}-{day} ({weekday}) {hour}:{minute}")
    }

    #[test]
    fn times_are_what_chrono_makes_of_them() {
        let form = english();
        // Steps of some days and hours, from before the year 0 to beyond 9999.
        for seconds in (-63_000_000_000..260_000_000_000_i64).step_by(7_654_321) {
            let utc = DateTime::from_timestamp(seconds, 0).expect("chrono knows this time");
            for zone in [Tz::UTC, Tz::Asia__Bangkok, Tz::America__Sao_Paulo] {
                let Shown { iso, time, .. } = shown(seconds, zone, &form);
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
        for form in [english(), form("{hour}:{minute}, {weekday} {day}/{month}"), form("today"), form("")] {
            behind_another_one(&form);
        }
    }

    fn behind_another_one(form: &TimeForm) {
        let seconds = [1, 86_399, 86_400, 1_700_000_000, 1_700_000_001, 0, 1_700_000_002, i64::MAX, 1_711_846_799];
        for zone in [Tz::UTC, Tz::Asia__Bangkok, Tz::Europe__Berlin] {
            let mut again = Shown::default();
            for seconds in seconds.into_iter().flat_map(|seconds| [seconds, seconds.saturating_add(3_601)]) {
                again.set(seconds, zone, form);
                assert_eq!(again, shown(seconds, zone, form), "{seconds} in {zone}");
            }
        }
    }

    #[test]
    fn the_epoch_stands_for_a_time_that_is_not_known() {
        assert_eq!(shown(0, Tz::UTC, &english()), Shown::default());
    }

    #[test]
    fn a_language_may_tell_the_clock_first_and_leave_parts_out() {
        let told = |text: &str| shown(1_740_910_830, Tz::UTC, &form(text)).time;
        assert_eq!(told("{hour}:{minute} · {weekday}, {day}.{month}.{year}"), "10:20 · Sun, 02.03.2025");
        assert_eq!(told("{year}/{month}/{day}"), "2025/03/02");
        assert_eq!(told("at {minute} past {hour}"), "at 20 past 10");
    }

    #[test]
    fn the_east_coast_has_its_own_time() {
        let mut eastern = Eastern::default();
        for seconds in (0..2_000_000_000_i64).step_by(1_234_567).flat_map(|seconds| [seconds, seconds + 59]) {
            let mut told = String::new();
            eastern.push(seconds, &mut told);
            let there = DateTime::from_timestamp(seconds, 0).expect("chrono knows this time");
            let there = there.with_timezone(&Tz::America__New_York);
            assert_eq!(told, there.format("%m/%d/%y(%a)%H:%M:%S").to_string());
        }
    }
    #[test]
    fn japan_has_its_own_time() {
        let mut japanese = Japanese::default();
        for seconds in (1..2_000_000_000_i64).step_by(1_234_567).flat_map(|seconds| [seconds, seconds + 59]) {
            let mut told = String::new();
            japanese.push(seconds, &mut told);
            let there = DateTime::from_timestamp(seconds, 0).expect("chrono knows this time");
            let there = there.with_timezone(&Tz::Asia__Tokyo);
            let day = ["月", "火", "水", "木", "金", "土", "日"][there.weekday() as usize];
            assert_eq!(told, there.format(&format!("%Y/%m/%d({day}) %H:%M:%S.00")).to_string());
        }
        let mut told = String::new();
        japanese.push(1_740_910_830, &mut told);
        assert_eq!(told, "2025/03/02(日) 19:20:30.00");
        japanese.push(0, &mut told);
        assert_eq!(told, "2025/03/02(日) 19:20:30.00");
    }
}
