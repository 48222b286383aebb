//! Text as it stands in a page: the characters that mean something in HTML become references, as handlebars does it.

/// Bytes that are looked at together.
const TOGETHER: usize = 16;

/// Adds a text, escaped.
pub fn push_escaped(out: &mut String, text: &str) {
    let (chunks, rest) = text.as_bytes().as_chunks::<TOGETHER>();
    if !chunks.iter().any(any_special) && !rest.iter().any(|byte| SPECIAL[usize::from(*byte)]) {
        return out.push_str(text);
    }
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !SPECIAL[usize::from(byte)] {
            continue;
        }
        // All of them are ASCII, so that the text may be cut before and after them.
        out.push_str(&text[written..at]);
        out.push_str(reference(byte));
        written = at + 1;
    }
    out.push_str(&text[written..]);
}

/// Whether there is a reference for any of the bytes. All are looked at, for then the processor does it in one go.
fn any_special(bytes: &[u8; TOGETHER]) -> bool {
    let special =
        |b: u8| (b == b'<') | (b == b'>') | (b == b'"') | (b == b'&') | (b == b'\'') | (b == b'`') | (b == b'=');
    bytes.iter().fold(false, |any, byte| any | special(*byte))
}

/// The reference for a byte that is special; empty for others.
const fn reference(byte: u8) -> &'static str {
    match byte {
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'&' => "&amp;",
        b'\'' => "&#x27;",
        b'`' => "&#x60;",
        b'=' => "&#x3D;",
        _ => "",
    }
}

/// Whether there is a reference for a byte.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < special.len() {
        special[byte] = !reference(byte as u8).is_empty();
        byte += 1;
    }
    special
};

#[cfg(test)]
mod tests {
    use super::*;

    /// SECURITY: it is what keeps a stranger's text from being markup.
    #[test]
    fn each_character_is_escaped_as_handlebars_does() {
        for c in (0..=0x2FFF).filter_map(char::from_u32) {
            let long = format!("{c} stands before a text of more than {TOGETHER} bytes");
            for text in [format!("{c}"), format!("a{c}"), format!("{c}é"), format!("{c}{c}b{c}"), long] {
                let mut out = String::new();
                push_escaped(&mut out, &text);
                assert_eq!(out, handlebars::html_escape(&text), "{text:?}");
            }
        }
    }
}
