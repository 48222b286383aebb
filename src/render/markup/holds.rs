//! What a line holds, told in one pass over its bytes, so that a plain line is not searched for each mark by itself.

use super::{Span, clean};

/// A line of a text, and what it holds.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) span: Span,
    pub(super) holds: Holds,
}

impl Line {
    /// A part of the line. It may hold what the line holds.
    pub(super) fn part(self, from: usize, to: usize) -> Line {
        Line { span: Span::new(from, to), holds: self.holds }
    }
}

/// Makes `lines` those of `text`, without their line breaks. There is always one.
pub(super) fn lines(text: &str, lines: &mut Vec<Line>) {
    lines.clear();
    let mut from = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes());
    for to in ends.chain([text.len()]) {
        let span = Span::new(from, to);
        lines.push(Line { span, holds: Holds::of(span.of(text)) });
        from = to + 1;
    }
}

/// How many bytes of each class a line has, ten bits a class.
#[derive(Clone, Copy)]
pub(super) struct Holds(u64);

/// Longer lines are not counted: they may hold anything.
const COUNTED_BYTES_MAX: usize = 800;

const CLASS_BITS: u32 = 10;
const CLASS_MASK: u64 = (1 << CLASS_BITS) - 1;
const _: () = assert!(COUNTED_BYTES_MAX as u64 <= CLASS_MASK);

/// The first byte of a character that is seen.
const SIGN: u32 = 0;
/// The first byte of a letter or digit.
const LETTER: u32 = 1;
/// The first byte of kana, and also of the wide space and the brackets of Japanese.
const KANA: u32 = 2;
/// What Markdown inside lines needs.
const INLINE: u32 = 3;
/// What begins a quote, an address, a spoiler mark or a tag, or stands in it.
const SCANNED: u32 = 4;
/// What may have to be taken out; and what is escaped, of which `>` is scanned for.
const SPECIAL: u32 = 5;

/// Bytes that are counted together: the loop over them is unrolled.
const TOGETHER: usize = 8;

impl Holds {
    fn of(line: &str) -> Holds {
        if COUNTED_BYTES_MAX < line.len() {
            return Holds(u64::MAX);
        }
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| CLASSES[usize::from(*byte)]).sum::<u64>();
        let (chunks, rest) = line.as_bytes().as_chunks::<TOGETHER>();
        Holds(chunks.iter().map(|chunk| sum(chunk)).sum::<u64>() + sum(rest))
    }

    fn count(self, class: u32) -> u64 {
        self.0 >> (class * CLASS_BITS) & CLASS_MASK
    }

    /// Whether there may be one of the bytes ``* _ ` \ ]``, without which no line is Markdown.
    pub(super) fn inline(self) -> bool {
        self.count(INLINE) > 0
    }

    /// Whether there may be one of the bytes `> | [ :`, without which there is nothing to scan for.
    pub(super) fn scanned(self) -> bool {
        self.count(SCANNED) > 0
    }

    /// Whether there may be something that has to be taken out or, other than `>`, escaped.
    pub(super) fn special(self) -> bool {
        self.count(SPECIAL) > 0
    }

    /// Whether `line`, of which this tells, is not mostly letters. One that is too long to be counted counts as prose.
    pub(super) fn is_mostly_signs(self, line: &str) -> bool {
        let (signs, letters, kana) = (self.count(SIGN), self.count(LETTER), self.count(KANA));
        if COUNTED_BYTES_MAX < line.len() || signs <= (letters - kana) * 2 {
            return false;
        }
        let kana_taken_back =
            if kana == 0 { 0 } else { line.as_bytes().windows(2).filter(|pair| pair == b"\xE3\x80").count() };
        (letters - kana_taken_back as u64) * 2 < signs
    }
}

/// What a byte counts. Of the bytes of a character only the first one tells anything.
const CLASSES: [u64; 256] = {
    const fn one(class: u32) -> u64 {
        1 << (class * CLASS_BITS)
    }
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => one(SIGN) + one(LETTER),
            b'*' | b'_' | b'`' | b'\\' | b']' => one(SIGN) + one(INLINE),
            b'>' | b'|' | b'[' | b':' => one(SIGN) + one(SCANNED),
            b'!'..=b'~' => one(SIGN),
            0xE3 => one(SIGN) + one(LETTER) + one(KANA),
            // Greek, Cyrillic, Arabic and so on; Thai, Devanagari and so on; kanji and hangul, all with few signs
            // among them.
            0xC3..=0xCA | 0xCE..=0xE1 | 0xE4..=0xED => one(SIGN) + one(LETTER),
            // Signs, full-width forms, emoji.
            0xC2 | 0xCB | 0xE2 | 0xEE..=0xF4 => one(SIGN),
            _ => 0,
        };
        if !clean::PLAIN[byte] || matches!(byte as u8, b'&' | b'<' | b'"') {
            classes[byte] += one(SPECIAL);
        }
        byte += 1;
    }
    classes
};
