//! Reads files as a client of 2ch does, from their bytes alone.

use encoding_rs::SHIFT_JIS;

/// A line of a dat.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    pub name: String,
    pub mail: String,
    pub date: String,
    /// Its lines, as a reader sees them.
    pub body: Vec<String>,
    /// Of the first line alone.
    pub title: String,
}

/// The lines of a dat.
#[track_caller]
pub fn lines(dat: &[u8]) -> Vec<Line> {
    let Some(whole) = dat.strip_suffix(b"\n") else { panic!("a line is cut: {:?}", text(dat)) };
    whole.split(|b| *b == b'\n').map(|line| read_line(&text(line))).collect()
}

#[track_caller]
fn read_line(line: &str) -> Line {
    let fields: Vec<&str> = line.split("<>").collect();
    let [name, mail, date, body, title] = fields[..] else { panic!("{} fields: {line}", fields.len()) };
    let body = body.split("<br>").map(|line| plain(line.strip_prefix(' ').unwrap_or(line).trim_end()));
    Line {
        name: plain(&name.replace("</b>", "").replace("<b>", "")),
        mail: plain(mail),
        date: date.to_owned(),
        body: body.collect(),
        title: plain(title),
    }
}

/// Bytes in Shift_JIS as text.
#[track_caller]
pub fn text(bytes: &[u8]) -> String {
    let (text, _, broken) = SHIFT_JIS.decode(bytes);
    assert!(!broken, "not Shift_JIS: {text}");
    text.into_owned()
}

/// Text without its references. There are no other tags by now.
#[track_caller]
pub fn plain(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "a tag: {text}");
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').unwrap_or_else(|| panic!("a bare `&`: {text}"));
        out.push_str(before);
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "nbsp" => '\u{A0}',
            _ => char::from_u32(name.trim_start_matches('#').parse().unwrap()).unwrap(),
        });
        rest = after;
    }
    out + rest
}
