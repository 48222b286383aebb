//! The lines of a `.dat`: fields with `<>` between them, each a piece of HTML.
//!
//! ```text
//! name<>mail<>2003/03/02(日) 05:20:30.12 ID:abcdefgh<>body<>title
//! 1<>name<>mail<>2011/07/18(月) 14:50:39<>body<>title<>ID          (the raw mode of Shitaraba)
//! name,mail,99/12/31 23:59,body,title                              (before 2001; a comma in a field is `＠｀`)
//! ```

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// The zone of all times.
const JST_SECONDS: i32 = 9 * 3_600;

/// The fields of a line, as HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fields<'a> {
    /// The post's place in its thread, if the line tells it.
    pub place: Option<u32>,
    pub name: String,
    pub mail: String,
    /// The time and what stands beside it.
    pub date: String,
    pub body: &'a str,
    /// The title of the thread; of replies it is empty.
    pub title: String,
    /// Whether it tells who wrote it, in a field of its own.
    pub has_id: bool,
}

/// Whether a text has lines of this form, as far as its first lines tell.
pub(super) fn is_dat(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(20).peekable();
    lines.peek().is_some() && lines.any(|line| fields(line).is_ok())
}

/// The fields of a line, or how many there are if they are too few.
pub(super) fn fields(line: &str) -> Result<Fields<'_>, usize> {
    let parts: Vec<&str> = line.splitn(8, "<>").collect();
    let number = parts[0].trim().parse::<u32>().ok().filter(|number| 0 < *number);
    match (parts.as_slice(), number) {
        ([_, name, mail, date, body, title, id, ..], Some(place)) => Ok(Fields {
            place: Some(place),
            has_id: !matches!(id.trim(), "" | "???"),
            ..whole(name, mail, date, body, title)
        }),
        ([name, mail, date, body, rest @ ..], _) => {
            Ok(whole(name, mail, date, body, rest.first().copied().unwrap_or_default()))
        }
        ([_], _) => old_fields(line).ok_or(1),
        (few, _) => Err(few.len()),
    }
}

fn whole<'a>(name: &str, mail: &str, date: &str, body: &'a str, title: &str) -> Fields<'a> {
    let [name, mail, date, title] = [name, mail, date, title].map(|field| field.trim().to_owned());
    Fields { place: None, name, mail, date, body, title, has_id: false }
}

fn old_fields(line: &str) -> Option<Fields<'_>> {
    let parts: Vec<&str> = line.splitn(5, ',').collect();
    let [name, mail, date, body, rest @ ..] = parts.as_slice() else { return None };
    moment(date)?;
    let comma = |text: &str| text.replace("＠｀", ",");
    let title = rest.first().copied().unwrap_or_default();
    Some(whole(&comma(name), &comma(mail), date, body, &comma(title)))
}

/// Whether a line is what is left of a removed post.
pub(super) fn is_removed(fields: &Fields<'_>) -> bool {
    let mark = |text: &str| {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        matches!(
            plain.as_str(),
            "あぼーん" | "あぼ～ん" | "あぼ〜ん" | "うふ～ん" | "うふ〜ん" | "＜削除＞" | "<削除>" | "&lt;削除&gt;"
        )
    };
    mark(&fields.body.replace("<br>", "")) && (mark(&fields.date) || mark(&fields.name) || fields.date.is_empty())
}

/// The time at the start of a date field, such as `2003/03/02(日) 05:20:30.12` or `02/01/09 12:00`.
pub(super) fn moment(date: &str) -> Option<DateTime<Utc>> {
    parse_moment(date).map(|(at, _)| at)
}

/// The same, and what stands behind it.
pub(super) fn parse_moment(date: &str) -> Option<(DateTime<Utc>, &str)> {
    let start = date.find(|c: char| c.is_ascii_digit())?;
    let (year, rest) = number(&date[start..])?;
    let (month, rest) = number(rest.strip_prefix(['/', '-', '年'])?)?;
    let (day, rest) = number(rest.strip_prefix(['/', '-', '月'])?)?;
    let rest = rest.strip_prefix('日').unwrap_or(rest).trim_start();
    let rest = match rest.strip_prefix(['(', '（']) {
        Some(weekday) => weekday.split_once([')', '）'])?.1.trim_start(),
        None => rest,
    };
    let (hour, rest) = number(rest)?;
    let (minute, rest) = number(rest.strip_prefix([':', '時'])?)?;
    let (second, rest) = match rest.strip_prefix(':').and_then(number) {
        Some((second, rest)) => (second, rest),
        None => (0, rest),
    };
    let rest = match rest.strip_prefix('.').and_then(number) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let year = match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    };
    // A second that was put in by hand, such as 05:20:60.
    let second = second.min(59);
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let local = day.and_hms_opt(hour, minute, second)?.and_local_timezone(FixedOffset::east_opt(JST_SECONDS)?);
    let at = local.single()?.with_timezone(&Utc);
    (0 <= at.timestamp() && year < 10_000).then_some((at, rest))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(9).take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}
