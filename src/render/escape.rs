//! Text as it stands in a page: the characters that mean something in HTML become references, as handlebars does it.

use super::bytes;

/// Adds a text, escaped.
pub fn push_escaped(out: &mut String, text: &str) {
    if !bytes::hold(text.as_bytes(), special) {
        return out.push_str(text);
    }
    let mut rest = text;
    while let Some(at) = bytes::find(rest.as_bytes(), special) {
        // All of them are ASCII, so that the text may be cut before and after them.
        out.push_str(&rest[..at]);
        out.push_str(reference(rest.as_bytes()[at]));
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Whether there is a reference for a byte.
fn special(b: u8) -> bool {
    (b == b'<') | (b == b'>') | (b == b'"') | (b == b'&') | (b == b'\'') | (b == b'`') | (b == b'=')
}

/// The reference for a byte that is special; empty for others.
fn reference(byte: u8) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// SECURITY: it is what keeps a stranger's text from being markup.
    #[test]
    fn each_character_is_escaped_as_handlebars_does() {
        for c in (0..=0x2FFF).filter_map(char::from_u32) {
            let long = format!("{c} stands before a text of more than 16 bytes");
            for text in [format!("{c}"), format!("a{c}"), format!("{c}é"), format!("{c}{c}b{c}"), long] {
                let mut out = String::new();
                push_escaped(&mut out, &text);
                assert_eq!(out, handlebars::html_escape(&text), "{text:?}");
            }
        }
    }
}
