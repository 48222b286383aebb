//! The files of 2ch, which its clients read: `subject.txt`, `dat/<no>.dat`, `SETTING.TXT` and `bbsmenu.html`, all in
//! Shift_JIS.
//!
//! A dat is made of the bodies as they were rendered for the page: `body` reduces them to what these clients know, `dat`
//! puts lines together, and `shift_jis` encodes the whole at once.

mod body;
mod dat;
mod shift_jis;

pub use dat::DatWriter;

use super::digits::push_number;
use crate::model::site::Board;
use crate::model::{BoardSettings, PageKey, Site, ThreadSummary};

/// What a client may put into the field `mail`, such as `sage`, in bytes.
const MAIL_BYTES: usize = 64;

/// The threads of a board, in the order of its index, with what each is called.
pub fn subject<'a>(threads: impl Iterator<Item = (&'a ThreadSummary, String)>) -> Vec<u8> {
    let mut out = String::new();
    for (summary, title) in threads {
        push_number(&mut out, summary.no.get());
        out.push_str(".dat<>");
        push_field(&mut out, &title);
        out.push_str(" (");
        // Lines, with those of tombstones: clients compare it with what they have.
        push_number(&mut out, u64::from(summary.replies) + 1);
        out.push_str(")\n");
    }
    shift_jis::encode(out)
}

/// What a board is called and how much it takes. `anonymous` is what it calls posters without a name.
pub fn setting(board: &Board, anonymous: &str) -> Vec<u8> {
    let settings = &board.settings;
    let mut out = format!("{}@{}\n", board.slug, super::GENERATOR.split(' ').next().unwrap_or_default());
    for (key, text) in [
        ("BBS_TITLE", board.title()),
        ("BBS_TITLE_ORIG", board.title()),
        ("BBS_NONAME_NAME", anonymous),
        // What Shift_JIS lacks comes as references, and stays what it is.
        ("BBS_UNICODE", "pass"),
        (if settings.poster_ids { "BBS_FORCE_ID" } else { "BBS_NO_ID" }, "checked"),
    ] {
        out.push_str(key);
        out.push('=');
        push_field(&mut out, text);
        out.push('\n');
    }
    for (key, number) in limits(settings) {
        out.push_str(key);
        out.push('=');
        push_number(&mut out, number as u64);
        out.push('\n');
    }
    shift_jis::encode(out)
}

/// Limits as clients count them: bytes of Shift_JIS, of which a character takes two at most, and half as many lines as
/// may be. The door counts characters and lines, and has the last word.
fn limits(settings: &BoardSettings) -> [(&'static str, usize); 5] {
    [
        ("BBS_SUBJECT_COUNT", settings.subject_chars_max * 2),
        ("BBS_NAME_COUNT", settings.name_chars_max * 2),
        ("BBS_MAIL_COUNT", MAIL_BYTES),
        ("BBS_MESSAGE_COUNT", settings.body_chars_max * 2),
        ("BBS_LINE_NUMBER", settings.body_lines_max.div_ceil(2)),
    ]
}

/// The list of the boards.
pub fn menu(site: &Site) -> Vec<u8> {
    let mut out = String::from(
        "<HTML>\n<HEAD>\n<META http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">\n<TITLE>",
    );
    push_field(&mut out, &site.settings.title);
    out.push_str("</TITLE>\n</HEAD>\n<BODY>\n<BR><BR><B>");
    push_field(&mut out, &site.settings.title);
    out.push_str("</B><BR>\n");
    for board in site.boards() {
        // As old as the format: no quotes, which clients would take for a part of the address. It needs none.
        out.push_str("<A HREF=");
        out.push_str(site.settings.base_url.as_str());
        out.push_str(PageKey::Index(board.slug.clone(), 1).path().trim_end_matches("index.html"));
        out.push('>');
        push_field(&mut out, board.title());
        out.push_str("</A><BR>\n");
    }
    out.push_str("</BODY>\n</HTML>\n");
    shift_jis::encode(out)
}

/// Adds a text as it stands in a field: escaped, on one line.
fn push_field(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}
