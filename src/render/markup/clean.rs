//! Takes out of a body what no reader should meet: control characters, changes of direction, piles of marks.
//!
//! What is taken out leaves a [`HOLE`], so that its neighbours do not become something that nobody typed: `>`, a
//! control character and `>12` must not join to a quote. Writing the text skips holes.

use super::marks::is_mark;
use crate::model::problem::is_bidi_control;
use crate::render::bytes;

/// Stands where something was taken out. As a control character it never comes from a poster.
pub(super) const HOLE: char = '\u{1}';

/// Marks that may sit on one character. Vietnamese and Thai need two, Hindi three.
const MARKS_MAX: usize = 4;

/// Hebrew with vowels and accents, and Tibetan stacks, need more.
const MARKS_OF_STACKING_SCRIPTS_MAX: usize = 6;

/// Whether all of a line is kept. Asks only for the characters that may be taken out.
pub(super) fn is_clean(line: &str) -> bool {
    // Many lines that are asked for hold but a sign that is escaped.
    if !bytes::hold(line.as_bytes(), |b| !(b' '..=b'~').contains(&b) & (b != b'\t')) {
        return true;
    }
    let mut filter = Filter::default();
    let mut rest = line;
    while let Some(plain) = rest.bytes().position(|byte| !PLAIN[usize::from(byte)]) {
        if plain > 0 {
            filter.marks = 0;
        }
        rest = &rest[plain..];
        let Some(c) = rest.chars().next().filter(|c| filter.keeps(*c)) else { return false };
        rest = &rest[c.len_utf8()..];
    }
    true
}

/// The bytes of characters that are always kept, and on which marks may pile up anew: printable ASCII, Latin, Greek and
/// Cyrillic letters, kanji and hangul. The bytes behind a character's first one are plain, since a character whose
/// first one is not is looked at whole.
pub(super) const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = matches!(byte as u8, b' '..=b'~' | b'\n' | b'\t' | 0x80..=0xBF
            | 0xC3..=0xCB | 0xCE..=0xD1 | 0xE4..=0xE9 | 0xEB..=0xED);
        byte += 1;
    }
    plain
};

/// The body without what no reader should meet.
pub(super) fn rewrite(body: &str) -> String {
    let mut filter = Filter::default();
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if filter.keeps(c) {
            text.push(c);
        } else if !(text.ends_with(HOLE) || c == '\r' && chars.peek() == Some(&'\n')) {
            text.push(HOLE);
        }
    }
    text
}

/// Knows how many marks the current character already carries.
#[derive(Default)]
struct Filter {
    marks: usize,
}

impl Filter {
    fn keeps(&mut self, c: char) -> bool {
        // Kana, of which most bytes tell nothing by themselves.
        if matches!(c, '\u{3040}'..='\u{3098}' | '\u{30A0}'..='\u{30FF}') {
            self.marks = 0;
            return true;
        }
        if c.is_ascii() {
            self.marks = 0;
            return !c.is_ascii_control() || c == '\n' || c == '\t';
        }
        if is_mark(c) {
            self.marks += 1;
            return self.marks <= marks_max(c);
        }
        if c.is_control() || is_bidi_control(c) {
            return false;
        }
        // A joiner or another character without width carries no marks of its own: what follows still piles up on
        // the character before it.
        if !is_widthless(c) {
            self.marks = 0;
        }
        true
    }
}

fn marks_max(mark: char) -> usize {
    match mark {
        '\u{590}'..='\u{5FF}' | '\u{F00}'..='\u{FFF}' => MARKS_OF_STACKING_SCRIPTS_MAX,
        _ => MARKS_MAX,
    }
}

fn is_widthless(c: char) -> bool {
    let space = matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    // Soft hyphen, Mongolian vowel separator, and the tags of flags.
    space || matches!(c, '\u{AD}' | '\u{180E}' | '\u{E0000}'..='\u{E007F}')
}
