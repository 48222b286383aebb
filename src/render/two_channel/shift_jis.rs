//! Text to Shift_JIS, as browsers and the clients of 2ch read it.

use encoding_rs::SHIFT_JIS;

use crate::render::bytes;

/// Text in Shift_JIS. What that has no code for becomes a numeric reference, so `text` is one in which those mean
/// something, and each character comes out again.
pub fn encode(text: String) -> Vec<u8> {
    if text.is_ascii() {
        return text.into_bytes();
    }
    let text = without_look_alikes(text);
    // Most threads are in one script or another, and each of these is encoded in long runs.
    SHIFT_JIS.encode(&text).0.into_owned()
}

/// Writes characters as references that would get the code of another one and come out as that: the yen sign is not a
/// backslash here, nor is the overline a tilde or the minus sign a wide hyphen. The control character 0x80 goes.
fn without_look_alikes(text: String) -> String {
    // What each of them begins with; 0xE2 begins others too, but few that stand in Japanese text.
    if !bytes::hold(text.as_bytes(), |b| (b == 0xC2) | (b == 0xE2)) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some(at) = bytes::find(rest.as_bytes(), |b| (b == 0xC2) | (b == 0xE2)) {
        let c = rest[at..].chars().next().unwrap_or_default();
        out.push_str(&rest[..at]);
        match c {
            '¥' => out.push_str("&#165;"),
            '‾' => out.push_str("&#8254;"),
            '−' => out.push_str("&#8722;"),
            '\u{80}' => {}
            _ => out.push(c),
        }
        rest = &rest[at + c.len_utf8()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser makes of bytes in Shift_JIS, and then of numeric references.
    fn read(bytes: &[u8]) -> String {
        let (text, _, broken) = SHIFT_JIS.decode(bytes);
        assert!(!broken, "{bytes:x?}");
        let mut out = String::new();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once("&#") {
            let (number, after) = after.split_once(';').expect("a reference ends");
            out.push_str(before);
            out.push(char::from_u32(number.parse().expect("it is decimal")).expect("it is a character"));
            rest = after;
        }
        out + rest
    }

    #[test]
    fn each_character_comes_out_again() {
        let planes = (0x20..=0x2FFFF_u32).chain(0xE0100..=0xE01EF).chain(0x10FFF0..=0x10FFFF);
        let mut all = String::new();
        for c in planes.filter_map(char::from_u32).filter(|c| !matches!(c, '&' | '\u{80}')) {
            assert_eq!(read(&encode(c.to_string())), c.to_string(), "U+{:04X}", c as u32);
            all.push(c);
        }
        assert_eq!(read(&encode(all.clone())), all);
        assert_eq!(encode("a\u{80}b".to_owned()), b"ab");
    }

    #[test]
    fn what_looks_alike_is_told_apart() {
        for (c, bytes) in [
            ("\\", &b"\\"[..]),
            ("¥", b"&#165;"),
            ("~", b"~"),
            ("‾", b"&#8254;"),
            // The wave dash as Windows has it, and as others do.
            ("～", b"\x81\x60"),
            ("〜", b"&#12316;"),
            ("－", b"\x81\x7C"),
            ("−", b"&#8722;"),
            ("∥", b"\x81\x61"),
            ("‖", b"&#8214;"),
            ("―", b"\x81\x5C"),
            ("—", b"&#8212;"),
            ("￠", b"\x81\x91"),
            ("¢", b"&#162;"),
            ("①", b"\x87\x40"),
            ("髙", b"\xFB\xFC"),
            ("ｱ", b"\xB1"),
            ("表", b"\x95\x5C"),
            ("é", b"&#233;"),
            ("🍥", b"&#127845;"),
        ] {
            assert_eq!(encode(c.to_owned()), bytes, "{c}");
        }
    }
}
