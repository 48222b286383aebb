//! Which encoding a `.dat` is written in, and its text.
//!
//! Nothing in the file says it. cp932 and EUC-JP share most of their bytes: each reads much of the other as signs that
//! nobody writes, half-width kana and rare kanji among them, and as errors. So the file is read as each, and the reading
//! that has fewer errors counts; if both have as many, the one in which more is written in common kana and kanji.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_8};

/// So much of a file is looked at to tell its encoding.
const LOOKED_AT_BYTES: usize = 1 << 18;

/// The text of a file.
pub(super) struct Decoded {
    /// The text; what is no character is U+FFFD.
    pub text: String,
    /// The name of the encoding.
    pub encoding: &'static str,
    /// The first line, counted from 1, with bytes that are no character, if there is one.
    pub broken_line: Option<usize>,
}

/// Reads the bytes of a file.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: text.to_owned(), encoding: "UTF-8", broken_line: None };
    }
    // The last line may be cut in the middle of a character, which says nothing.
    let sample = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
    let sample = &sample[..memchr::memrchr(b'\n', sample).unwrap_or(sample.len())];
    let best = [SHIFT_JIS, EUC_JP, UTF_8].into_iter().max_by_key(|encoding| {
        let first_wins = [UTF_8, EUC_JP, SHIFT_JIS].iter().position(|other| other == encoding);
        (worth(sample, encoding), first_wins)
    });
    let encoding = best.unwrap_or(SHIFT_JIS);
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    let broken_line = broken.then(|| {
        let good = text.find(char::REPLACEMENT_CHARACTER).unwrap_or(text.len());
        1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..good]).count()
    });
    let name = if encoding == SHIFT_JIS { "cp932" } else { encoding.name() };
    Decoded { text: text.into_owned(), encoding: name, broken_line }
}

/// How likely some bytes are to be written in an encoding: fewer errors come first, then more of what is common.
fn worth(bytes: &[u8], encoding: &'static Encoding) -> (i64, i64) {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let (mut errors, mut common) = (0, 0);
    for c in text.chars() {
        match c {
            char::REPLACEMENT_CHARACTER => errors += 1,
            'ぁ'..='ん' | 'ァ'..='ー' | '、' | '。' | '　' => common += 2,
            '一'..='龠' | '！'..='～' => common += 1,
            '｡'..='ﾟ' => common -= 1,
            _ => {}
        }
    }
    (-errors, common)
}
