//! The body of a line of a `.dat`, as markup.

use super::super::entities::{self, Place};
use super::super::html::{self, Markup};

/// Fewer lines of strokes are no picture.
const STROKE_LINES_MIN: usize = 3;

/// Turns a body into markup.
///
/// Between two lines stands ` <br> `, whose spaces are none of theirs. Pictures are drawn with signs that markup would
/// take for its own, so they are tagged as art.
pub(super) fn to_markup(body: &str) -> Markup {
    let lines: Vec<&str> = body.split("<br>").map(without_padding).collect();
    let strokes: Vec<usize> = (0..lines.len()).filter(|i| is_strokes(lines[*i])).collect();
    let art = match (strokes.first(), strokes.last()) {
        (Some(first), Some(last)) if STROKE_LINES_MIN <= strokes.len() && last - first < 2 * strokes.len() => {
            Some((*first, *last))
        }
        _ => None,
    };
    let mut source = String::with_capacity(body.len() + 40);
    for (i, line) in lines.iter().enumerate() {
        if 0 < i {
            source.push_str("<br>");
        }
        if art.is_some_and(|(first, _)| first == i) {
            source.push_str("<span class=\"sjis\">");
        }
        source.push_str(line);
        if art.is_some_and(|(_, last)| last == i) {
            source.push_str("</span>");
        }
    }
    if lines.len() == 1 {
        // Otherwise it would be taken for a text whose line ends are line ends.
        source.push_str("<br>");
    }
    html::to_markup(&source)
}

/// A line without the space on either side.
fn without_padding(line: &str) -> &str {
    let line = line.strip_prefix(' ').unwrap_or(line);
    line.strip_suffix(' ').unwrap_or(line)
}

/// Whether a line is part of a picture: mostly wide spaces and strokes.
fn is_strokes(line: &str) -> bool {
    if line.contains("<a ") {
        return false;
    }
    let text = entities::decode(line, Place::Text);
    let (mut strokes, mut others) = (0, 0);
    for c in text.chars() {
        match c {
            '　' | '＿' | '￣' | '∧' | '∨' | '∀' | '´' | '｀' | '＼' | '／' | '｜' | '|' | '/' | '\\' | '_' | '（'
            | '）' | '⌒' | '⊂' | '⊃' | '彡' | 'ヽ' | 'ノ' | '＜' | '＞' | '〈' | '〉' | '―' | '─' | '━' | '┃' | '│'
            | '＋' | '+' | '＊' | '.' | ',' | ';' | ':' | '(' | ')' | '`' | '\'' | '-' | '=' | '~' | 'ｰ' | '┌'
            | '┐' | '└' | '┘' => strokes += 1,
            ' ' => {}
            _ => others += 1,
        }
    }
    2 <= strokes && others <= strokes
}
