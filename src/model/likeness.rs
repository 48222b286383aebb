//! What texts have in common however they are dressed up: for filters, repeated texts and counts of links.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text without disguise: in small letters, full-width and other forms of a letter as that letter, and without
/// accents, marks above and below, and characters that nobody sees.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let seen = text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c));
    Cow::Owned(seen.flat_map(char::to_lowercase).collect())
}

/// A text without disguise that knows where each letter stood.
pub struct Unmasked {
    /// The text without disguise.
    pub text: String,
    /// For each byte of it, where the character that it is of begins in the text as it came.
    starts: Vec<usize>,
}

impl Unmasked {
    /// Unmasks a text, character by character.
    pub fn of(text: &str) -> Unmasked {
        let mut unmasked = Unmasked { text: String::with_capacity(text.len()), starts: Vec::with_capacity(text.len()) };
        let mut buffer = [0; 4];
        for (at, c) in text.char_indices() {
            unmasked.text.push_str(&folded(c.encode_utf8(&mut buffer)));
            unmasked.starts.resize(unmasked.text.len(), at);
        }
        unmasked
    }

    /// The bytes of `whole`, the text as it came, for those of the text without disguise; with what nobody sees in between.
    pub fn place(&self, whole: &str, found: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let start_of = |at: usize| self.starts.get(at).copied().unwrap_or(whole.len());
        let last = found.end.checked_sub(1).map_or(0, start_of);
        let end = whole[last..].chars().next().map_or(last, |c| last + c.len_utf8());
        start_of(found.start)..end
    }
}

/// The letters and digits of a text without disguise, one after the other. What else is put between them makes no other text
/// of it.
pub fn letters(text: &str) -> String {
    folded(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Characters that are neither white space nor ever drawn: joiners, fillers and blanks.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// How many links to other sites a body holds, in whatever markup they stand.
pub fn links(body: &str) -> usize {
    let scheme = |before: &[u8]| {
        let ends_in =
            |end: &[u8]| before.len().checked_sub(end.len()).is_some_and(|at| before[at..].eq_ignore_ascii_case(end));
        ends_in(b"http") || ends_in(b"https")
    };
    let bytes = body.as_bytes();
    memchr::memmem::find_iter(bytes, b"://").filter(|at| scheme(&bytes[..*at])).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disguise_is_seen_through() {
        for text in [
            "casino",
            "CASINO",
            "ｃａｓｉｎｏ",
            "ca\u{200b}si\u{ad}no",
            "c\u{301}a\u{308}sin\u{303}o",
            "𝓬𝓪𝓼𝓲𝓷𝓸",
            "cásinó",
        ] {
            assert_eq!(folded(text), "casino", "{text}");
        }
        assert_eq!(folded("ﾈｼﾞ"), folded("ネジ"));
        assert_eq!(letters("Buy  gold!!\n>>12 NOW…"), "buygold12now");
        assert_eq!(letters("| / \\ ___"), "");
    }

    #[test]
    fn what_was_found_without_disguise_is_found_again_in_it() {
        for (whole, there) in
            [("a CÁSino b", "CÁSino"), ("Ｃaｓ\u{200b}ｉno", "Ｃaｓ\u{200b}ｉno"), ("caſino", "caſino")]
        {
            let unmasked = Unmasked::of(whole);
            let at = unmasked.text.find("casino").unwrap();
            assert_eq!(&whole[unmasked.place(whole, at..at + 6)], there);
        }
        // One character may be several letters.
        let unmasked = Unmasked::of("x ㎏ y");
        assert_eq!((unmasked.text.as_str(), unmasked.place("x ㎏ y", 3..4)), ("x kg y", 2..5));
    }

    #[test]
    fn links_are_counted_in_any_case_and_markup() {
        let body = "http://a.example [x](HTTPS://b.example) <https://c.example> ftp://d.example ://e http:/f xhttp://g";
        assert_eq!(links(body), 4);
        assert_eq!(links(""), 0);
    }
}
