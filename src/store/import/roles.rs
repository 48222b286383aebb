//! What the elements of other people's HTML mean here.

use super::tags::Attributes;

/// What an element does to what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Nothing,
    Bold,
    Italic,
    Spoiler,
    /// A link whose text are the pieces from this one on.
    Link {
        href: String,
        from: usize,
        /// Whether it holds a picture.
        pictured: bool,
    },
    CodeSpan,
    CodeBlock,
    Art,
    /// Nothing of it is kept.
    Dropped,
    /// Stands on lines of its own.
    Lines,
    /// Is a line, even if empty.
    Line,
    /// Stands on lines of its own, an empty line behind it.
    Paragraph,
    /// A line that is strong.
    Heading,
    /// Lines that are hidden.
    SpoilerLines,
    /// Lines that somebody else wrote.
    Quote,
    /// Whom a quote is from.
    Source,
    /// A list; the number of its next item, if it counts them.
    List(Option<u32>),
    /// An item; its mark until that is written.
    Item(Option<String>),
    /// A row of a table, and how many of its cells came.
    Row(u32),
    Cell,
}

/// What an element of a comment on an imageboard means, and what is lost of it.
pub(super) fn of_comment(name: &str, attributes: &Attributes<'_>) -> (Role, Option<&'static str>) {
    let class = |class: &str| attributes.has_class(class);
    let role = match name {
        "script" | "style" | "iframe" | "object" | "video" | "audio" | "svg" | "template" => {
            return (Role::Dropped, Some("embedded things"));
        }
        "table" if class("exif") => return (Role::Dropped, Some("picture data tables")),
        "span" if class("abbr") => return (Role::Dropped, Some("notices")),
        "b" | "strong" => Role::Bold,
        "i" | "em" => Role::Italic,
        "s" => Role::Spoiler,
        "span" if class("spoiler") => Role::Spoiler,
        "span" if class("mu-s") => Role::Bold,
        "span" if class("mu-i") => Role::Italic,
        "a" => Role::Link { href: attributes.get("href").unwrap_or_default(), from: 0, pictured: false },
        "pre" => Role::CodeBlock,
        "code" | "tt" => Role::CodeSpan,
        "span" if class("sjis") || class("aa") => Role::Art,
        "p" if class("body-line") => Role::Line,
        "p" | "div" | "blockquote" | "ul" | "ol" | "li" | "dl" | "dt" | "dd" | "table" | "tr" | "h1" | "h2" | "h3"
        | "h4" | "h5" | "h6" => Role::Lines,
        _ => Role::Nothing,
    };
    let unknown = matches!(name, "u" | "ins" | "del" | "strike" | "font" | "sup" | "sub" | "h1" | "h2" | "h3" | "h4")
        || name == "span" && (class("heading") || class("underline") || class("strikethrough"));
    (role, unknown.then_some("text styles"))
}

/// What an element of a forum's page means, and what is lost of it.
pub(super) fn of_page(name: &str, attributes: &Attributes<'_>) -> (Role, Option<&'static str>) {
    let class = |class: &str| attributes.has_class(class);
    match name {
        "script" | "style" | "template" | "object" => (Role::Dropped, Some("embedded things")),
        "iframe" | "video" | "audio" => (Role::Dropped, Some("embedded things that are links now")),
        // Signs beside a text, and what opens a picture or a quote.
        "svg" => (Role::Dropped, None),
        "div" if class("meta") || class("quote-controls") => (Role::Dropped, None),
        "b" | "strong" => (Role::Bold, None),
        "i" | "em" | "cite" | "var" | "dfn" => (Role::Italic, None),
        "span" if class("bbcode-b") => (Role::Bold, None),
        "span" if class("bbcode-i") => (Role::Italic, None),
        "span" if class("spoiler") || class("spoiled") => (Role::Spoiler, None),
        "div" | "blockquote" if class("spoiler") || class("spoiled") => (Role::SpoilerLines, None),
        "a" => {
            let href = attributes.get("href").unwrap_or_default();
            let lost = (class("mention") || class("mention-group")).then_some("mentions");
            let lost = lost.or(class("attachment").then_some("attachments"));
            (Role::Link { href: if lost.is_some() { String::new() } else { href }, from: 0, pictured: false }, lost)
        }
        "pre" => (Role::CodeBlock, None),
        "code" | "tt" | "kbd" | "samp" => (Role::CodeSpan, None),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => (Role::Heading, Some("headings")),
        "summary" => (Role::Heading, None),
        "details" => (Role::Lines, Some("folded parts")),
        "blockquote" => (Role::Quote, None),
        "ul" | "menu" => (Role::List(None), None),
        "ol" => {
            let start = attributes.get("start").and_then(|start| start.trim().parse().ok());
            (Role::List(Some(start.filter(|start| *start < LIST_START_MAX).unwrap_or(1))), None)
        }
        "li" => (Role::Item(None), None),
        "table" => (Role::Paragraph, Some("tables")),
        "tr" => (Role::Row(0), None),
        "td" | "th" => (Role::Cell, None),
        "p" | "dl" => (Role::Paragraph, None),
        "aside" if class("onebox") => (Role::Lines, Some("previews of links")),
        "div" if class("poll") => (Role::Lines, Some("polls")),
        "div" | "aside" | "section" | "article" | "header" | "footer" | "main" | "nav" | "figure" | "figcaption"
        | "dt" | "dd" | "thead" | "tbody" | "tfoot" | "caption" | "address" | "center" | "form" | "fieldset"
        | "hgroup" => (Role::Lines, None),
        "u" | "ins" | "s" | "del" | "strike" | "font" | "sup" | "sub" | "big" | "small" | "mark" => {
            (Role::Nothing, Some("text styles"))
        }
        "span" if class("bbcode-u") || class("bbcode-s") => (Role::Nothing, Some("text styles")),
        _ => (Role::Nothing, None),
    }
}

/// Markup has no larger numbers before items.
const LIST_START_MAX: u32 = 900_000_000;
