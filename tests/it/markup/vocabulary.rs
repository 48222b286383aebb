//! A strict reader of what the renderer may write: anything else fails.

use nejiboard::model::problem::is_bidi_control;

const REL: &str = "\" rel=\"nofollow ugc noopener noreferrer";
const QUOTELINK: &str = "\" class=\"quotelink";

/// What every piece of art says of itself, behind its class.
pub const ART: &str = " tabindex=\"0\" role=\"img\" aria-label=\"Text art\"";

/// Elements inside one another that the renderer may write: lists and their items, and what stands inside a line.
const DEPTH_MAX: usize = 2 * 8 + 16 + 3;

/// Reads `html` to its end; fails on all that is not in the closed vocabulary or not nested as HTML wants it.
///
/// Answers the text that a reader sees, with a line break for each `<br>`.
#[track_caller]
pub fn check(html: &str) -> String {
    match read(html) {
        Ok(text) => text,
        Err(why) => panic!("{why}, in:\n{html}"),
    }
}

fn read(html: &str) -> Result<String, String> {
    let mut open: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let end = rest.find('>').ok_or("a tag does not end")?;
            tag(&rest[1..end], &mut open, &mut text)?;
            rest = &rest[end + 1..];
        } else {
            if matches!(open.last(), Some(&"ul" | &"ol")) {
                return Err(format!("text between items: {rest:.20}"));
            }
            rest = &rest[character(rest, c, &mut text)?..];
        }
    }
    if open.is_empty() { Ok(text) } else { Err(format!("left open: {open:?}")) }
}

fn character(rest: &str, c: char, text: &mut String) -> Result<usize, String> {
    let entities = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"')];
    if let Some((entity, shown)) = entities.iter().find(|(entity, _)| rest.starts_with(entity)) {
        text.push(*shown);
        return Ok(entity.len());
    }
    if matches!(c, '&' | '>' | '"') || (c.is_control() && c != '\t') || is_bidi_control(c) {
        return Err(format!("a bare {c:?}"));
    }
    text.push(c);
    Ok(c.len_utf8())
}

fn tag<'a>(tag: &'a str, open: &mut Vec<&'a str>, text: &mut String) -> Result<(), String> {
    if tag == "br" {
        text.push('\n');
        return if matches!(open.last(), Some(&"ul" | &"ol")) { Err("a break between items".into()) } else { Ok(()) };
    }
    if let Some(name) = tag.strip_prefix('/') {
        let last = open.pop();
        return if last == Some(name) { Ok(()) } else { Err(format!("</{name}> closes {last:?}")) };
    }
    let name = tag.split(' ').next().unwrap_or("");
    if !is_known(tag) {
        return Err(format!("<{tag}> is not in the vocabulary"));
    }
    let parent = open.last().copied().unwrap_or("");
    let fits = match name {
        "li" => matches!(parent, "ul" | "ol"),
        "pre" | "ul" | "ol" => matches!(parent, "" | "li"),
        _ => !matches!(parent, "ul" | "ol"),
    };
    let twice = matches!(name, "a" | "s" | "code") && open.contains(&name);
    if !fits || twice || open.len() >= DEPTH_MAX {
        return Err(format!("<{tag}> inside {open:?}"));
    }
    open.push(name);
    Ok(())
}

fn is_known(tag: &str) -> bool {
    let plain = ["s", "strong", "em", "code", "ul", "li", "pre class=\"prettyprint\""];
    let spans = ["quote", "quotelink", "deadlink"];
    let class = tag.strip_prefix("span class=\"").and_then(|rest| rest.strip_suffix('"'));
    let art = ["sjis", "sjis ascii"].map(|class| format!("span class=\"{class}\"{}", ART));
    if art.iter().any(|art| art == tag) {
        return true;
    }
    if plain.contains(&tag) || class.is_some_and(|class| spans.contains(&class)) {
        return true;
    }
    if let Some(start) = tag.strip_prefix("ol start=\"").and_then(|rest| rest.strip_suffix('"')) {
        return (1..=9).contains(&start.len()) && start.bytes().all(|b| b.is_ascii_digit());
    }
    let Some(rest) = tag.strip_prefix("a href=\"").and_then(|rest| rest.strip_suffix('"')) else { return false };
    let (address, quote) = match (rest.strip_suffix(REL), rest.strip_suffix(QUOTELINK)) {
        (Some(address), _) => (address, false),
        (_, Some(address)) => (address, true),
        _ => return false,
    };
    let lower = address.to_ascii_lowercase();
    let leads_out = lower.starts_with("http://") || lower.starts_with("https://");
    let clean = !address.contains(|c: char| matches!(c, '"' | '<' | '\\') || c.is_whitespace() || c.is_control());
    clean
        && character_references_end(address)
        && (quote && address.contains("#p") | address.starts_with('/') || leads_out && !quote)
}

fn character_references_end(address: &str) -> bool {
    address
        .match_indices('&')
        .all(|(at, _)| ["&amp;", "&gt;", "&lt;", "&quot;"].iter().any(|known| address[at..].starts_with(known)))
}

#[test]
fn the_reader_itself_is_strict() {
    let good = [
        "a<br>b &amp; &lt;",
        "<ul><li>a<ol start=\"2\"><li>b</li></ol></li></ul>",
        "<a href=\"https://a.b/?c&amp;d\" rel=\"nofollow ugc noopener noreferrer\">x</a>",
        "<a href=\"#p1\" class=\"quotelink\">&gt;&gt;1</a>",
    ];
    for html in good {
        assert_eq!(read(html).err(), None, "{html}");
    }
    let bad = [
        "<b>x</b>",
        "<s>x",
        "<s><em>x</s></em>",
        "x</s>",
        "<s><ul><li>x</li></ul></s>",
        "<ul>x</ul>",
        "<ul><br></ul>",
        "a > b",
        "a & b",
        "say \"x\"",
        "a\nb",
        "a\u{202E}b",
        "a\0b",
        "<p>x</p>",
        "<span class=\"quote\" onclick=\"x\">x</span>",
        "<a href=\"javascript:x\" rel=\"nofollow ugc noopener noreferrer\">x</a>",
        "<a href=\"https://a.b\">x</a>",
        "<a href=\"#p1\" class=\"quotelink\"><a href=\"#p2\" class=\"quotelink\">x</a></a>",
        "<ol><li>x</li></ol>",
        "<ol start=\"-1\"><li>x</li></ol>",
        "<S>x</S>",
        "<br/>",
    ];
    for html in bad {
        assert!(read(html).is_err(), "{html}");
    }
}
