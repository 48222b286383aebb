//! The HTML of a comment, turned back into what one would have typed.
//!
//! ```text
//! HTML -> tokens (tags) -> pieces: text with its style, line ends, blocks -> markup (escape)
//! ```
//! What the reader saw counts: the text stays the same, character for character, and so do its lines, quotes, spoilers,
//! code, art, bold, italics and links. What markup has no word for is dropped and counted; text that markup would
//! take for something else is escaped where that matters. Nesting is bounded, and time is linear.

use std::collections::BTreeMap;

use super::entities::{self, Place};
use super::escape;
use super::tags::{Attributes, Token, Tokens};

/// A comment as markup.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Markup {
    /// The text.
    pub body: String,
    /// What markup has no word for, counted by kind in the plural.
    pub lost: BTreeMap<&'static str, u64>,
}

/// Turns the HTML of a comment into markup.
pub fn to_markup(html: &str) -> Markup {
    let mut builder = Builder::new(html);
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => builder.text(text),
            Token::Open(name, attributes) => builder.open(name, attributes),
            Token::Close(name) => builder.close(&name),
        }
    }
    builder.finish()
}

/// The text of a name or subject, which some archives keep as HTML.
pub fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => out.push_str(&entities::decode(text, Place::Text)),
            Token::Open(name, _) if name == "br" => out.push(' '),
            Token::Open(..) | Token::Close(_) => {}
        }
    }
    out
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Style {
    pub bold: bool,
    pub italic: bool,
    pub spoiler: bool,
}

/// A part of the comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// Text that is not markup yet.
    Text(String, Style),
    /// Markup that stays as it is, such as a code span.
    Raw(String, Style),
    /// A URL that stands for itself.
    Url(String, Style),
    /// The end of a line.
    Break,
    /// Whole lines of markup, such as a fence.
    Block(String),
}

impl Piece {
    /// Whether it is part of a spoiler.
    pub fn is_spoiler(&self) -> bool {
        match self {
            Piece::Text(_, style) | Piece::Raw(_, style) | Piece::Url(_, style) => style.spoiler,
            Piece::Break | Piece::Block(_) => false,
        }
    }
}

/// What an element does to what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Role {
    Nothing,
    Bold,
    Italic,
    Spoiler,
    /// A link whose text are the pieces from this one on.
    Link {
        href: String,
        from: usize,
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
}

/// Elements open at the same time; deeper ones are not looked at, only their text.
const DEPTH_MAX: usize = 64;

const VOID: [&str; 15] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "bgsound",
];

struct Builder {
    pieces: Vec<Piece>,
    open: Vec<(String, Role)>,
    /// The text of the code or art that is open.
    verbatim: Option<String>,
    /// No `<br>` and no paragraphs: an archive whose line ends are line ends.
    plain_lines: bool,
    lost: BTreeMap<&'static str, u64>,
}

impl Builder {
    fn new(html: &str) -> Builder {
        let marked_up =
            Tokens::new(html).any(|token| matches!(token, Token::Open(name, _) if name == "br" || name == "p"));
        Builder { pieces: Vec::new(), open: Vec::new(), verbatim: None, plain_lines: !marked_up, lost: BTreeMap::new() }
    }

    fn lose(&mut self, kind: &'static str) {
        *self.lost.entry(kind).or_default() += 1;
    }

    fn style(&self) -> Style {
        let has = |wanted: Role| self.open.iter().any(|(_, role)| *role == wanted);
        Style { bold: has(Role::Bold), italic: has(Role::Italic), spoiler: has(Role::Spoiler) }
    }

    /// Whether we are inside something of which nothing is kept.
    fn drops(&self) -> bool {
        self.open.iter().any(|(_, role)| *role == Role::Dropped)
    }

    fn at_line_start(&self) -> bool {
        matches!(self.pieces.last(), None | Some(Piece::Break | Piece::Block(_)))
    }

    fn new_line(&mut self) {
        if !self.at_line_start() {
            self.pieces.push(Piece::Break);
        }
    }

    fn text(&mut self, html: &str) {
        if self.drops() {
            return;
        }
        let text = entities::decode(html, Place::Text).replace("\r\n", "\n").replace('\r', "\n");
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        if let Some(verbatim) = &mut self.verbatim {
            verbatim.push_str(&text);
            return;
        }
        for (i, line) in text.split('\n').enumerate() {
            if 0 < i && self.plain_lines {
                self.pieces.push(Piece::Break);
            }
            // In HTML a line end is a space, and at the start of a line it is nothing.
            let folded = 0 < i && !self.plain_lines;
            let line = if folded { line.trim_ascii_start() } else { line };
            if folded && !self.at_line_start() {
                self.push(" ");
            }
            self.push(line);
        }
    }

    fn push(&mut self, text: &str) {
        let style = self.style();
        // The text of a link begins a piece of its own, since the link is made of whole pieces.
        let count = self.pieces.len();
        let at_link = self.open.iter().any(|(_, role)| matches!(role, Role::Link { from, .. } if *from == count));
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last, same)) if *same == style && !at_link => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned(), style)),
        }
    }

    fn open(&mut self, name: String, attributes: Attributes<'_>) {
        if VOID.contains(&name.as_str()) {
            return self.void(&name, attributes);
        }
        if name == "a" {
            // Links do not nest: the second one ends the first.
            self.close("a");
        }
        if self.open.len() < DEPTH_MAX {
            let role = if self.drops() { Role::Nothing } else { self.role(&name, attributes) };
            self.begin(&role);
            self.open.push((name, role));
        }
    }

    fn void(&mut self, name: &str, attributes: Attributes<'_>) {
        if self.drops() {
            return;
        }
        match (name, &mut self.verbatim) {
            ("br", Some(verbatim)) => verbatim.push('\n'),
            ("br", None) => self.pieces.push(Piece::Break),
            ("hr", None) => self.new_line(),
            ("img", verbatim) => {
                let text = attributes.get("alt").unwrap_or_default();
                match verbatim {
                    Some(verbatim) => verbatim.push_str(&text),
                    None => self.push(&text.replace(['\n', '\r'], " ")),
                }
                self.lose("pictures in text");
            }
            ("embed", _) => self.lose("embedded things"),
            _ => {}
        }
    }

    /// What an element means here; counts what has no meaning here.
    fn role(&mut self, name: &str, attributes: Attributes<'_>) -> Role {
        let class = |class: &str| attributes.has_class(class);
        let role = match name {
            "script" | "style" | "iframe" | "object" | "video" | "audio" | "svg" | "template" => {
                self.lose("embedded things");
                return Role::Dropped;
            }
            "table" if class("exif") => {
                self.lose("picture data tables");
                return Role::Dropped;
            }
            "span" if class("abbr") => {
                self.lose("notices");
                return Role::Dropped;
            }
            "b" | "strong" => Role::Bold,
            "i" | "em" => Role::Italic,
            "s" => Role::Spoiler,
            "span" if class("spoiler") => Role::Spoiler,
            "span" if class("mu-s") => Role::Bold,
            "span" if class("mu-i") => Role::Italic,
            "a" => Role::Link { href: attributes.get("href").unwrap_or_default(), from: self.pieces.len() },
            "pre" => Role::CodeBlock,
            // The text of a link is text.
            "code" | "tt" if self.open.iter().any(|(_, role)| matches!(role, Role::Link { .. })) => Role::Nothing,
            "code" | "tt" => Role::CodeSpan,
            "span" if class("sjis") || class("aa") => Role::Art,
            "p" if class("body-line") => Role::Line,
            "p" | "div" | "blockquote" | "ul" | "ol" | "li" | "dl" | "dt" | "dd" | "table" | "tr" | "h1" | "h2"
            | "h3" | "h4" | "h5" | "h6" => Role::Lines,
            _ => Role::Nothing,
        };
        let unknown =
            matches!(name, "u" | "ins" | "del" | "strike" | "font" | "sup" | "sub" | "h1" | "h2" | "h3" | "h4")
                || name == "span" && (class("heading") || class("underline") || class("strikethrough"));
        if unknown {
            self.lose("text styles");
        }
        // Inside code and art, nothing is anything else.
        if self.verbatim.is_some() { Role::Nothing } else { role }
    }

    fn begin(&mut self, role: &Role) {
        match role {
            Role::CodeSpan | Role::CodeBlock | Role::Art => self.verbatim = Some(String::new()),
            Role::Lines | Role::Line => self.new_line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            while at < self.open.len() {
                self.end_last();
            }
        } else if name == "p" && self.verbatim.is_none() {
            self.new_line();
        }
    }

    /// Ends the element that was opened last.
    fn end_last(&mut self) {
        let style = self.style();
        let Some((name, role)) = self.open.pop() else { return };
        match role {
            Role::Link { href, from } => self.link(&href, from),
            Role::CodeSpan | Role::CodeBlock | Role::Art => {
                let text = self.verbatim.take().unwrap_or_default();
                self.verbatim_piece(text, &role, style);
            }
            Role::Lines => {
                self.new_line();
                if name == "p" {
                    self.pieces.push(Piece::Break);
                }
            }
            Role::Line => self.pieces.push(Piece::Break),
            _ if matches!(name.as_str(), "td" | "th") && self.verbatim.is_none() && !self.drops() => self.push(" "),
            _ => {}
        }
    }

    fn verbatim_piece(&mut self, text: String, role: &Role, style: Style) {
        let text = text.strip_prefix('\n').unwrap_or(&text).trim_end_matches('\n');
        if text.trim().is_empty() {
            return;
        }
        match role {
            Role::CodeSpan if !text.contains('\n') => self.pieces.push(Piece::Raw(escape::code_span(text), style)),
            Role::Art => self.pieces.push(Piece::Block(escape::art(text))),
            _ => self.pieces.push(Piece::Block(escape::fence(text))),
        }
    }

    /// Makes a link of the pieces from `from` on.
    fn link(&mut self, href: &str, from: usize) {
        // A block inside the link has already been put on lines of its own: such a link keeps only its text.
        if self.pieces[from.min(self.pieces.len())..].iter().any(|piece| matches!(piece, Piece::Block(_))) {
            return self.lose("links");
        }
        let style = self.style();
        let held: Vec<Piece> = self.pieces.drain(from..).collect();
        let text: String = held
            .iter()
            .map(|piece| match piece {
                Piece::Text(text, _) | Piece::Raw(text, _) | Piece::Url(text, _) => text.as_str(),
                Piece::Break | Piece::Block(_) => " ",
            })
            .collect();
        let is_quote = text.trim_start().starts_with(">>");
        match web_address(href) {
            // A quote names its post by itself, wherever its link went.
            _ if is_quote || text.trim().is_empty() => self.pieces.extend(held),
            Some(url) if stands_for(text.trim(), &url) => self.pieces.push(Piece::Url(url, style)),
            Some(url) => self.pieces.push(Piece::Raw(escape::link(text.trim(), &url), style)),
            None => {
                self.pieces.extend(held);
                self.lose("links");
            }
        }
    }

    fn finish(mut self) -> Markup {
        while !self.open.is_empty() {
            self.end_last();
        }
        let (body, flattened) = escape::markup(&self.pieces);
        if 0 < flattened {
            *self.lost.entry("text styles").or_default() += flattened;
        }
        Markup { body, lost: self.lost }
    }
}

/// `href` as a URL that becomes a link here, with everything percent-encoded that would end it early.
fn web_address(href: &str) -> Option<String> {
    let href = href.trim();
    let href = if href.starts_with("//") { format!("https:{href}") } else { href.to_owned() };
    let scheme = |scheme: &str| href.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !scheme("http://") && !scheme("https://") {
        return None;
    }
    // A name before an `@` is there to mislead; without a host it leads nowhere.
    let host = href.split("//").nth(1)?.split(['/', '?', '#']).next()?;
    if host.contains('@') || !host.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return None;
    }
    let mut url = String::with_capacity(href.len());
    for c in href.chars() {
        match c {
            ' ' | '<' | '>' | '"' | '\\' | '`' => url.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() || c.is_whitespace() => {}
            c => url.push(c),
        }
    }
    Some(url)
}

/// Whether a link's text is its URL, perhaps cut short.
fn stands_for(text: &str, url: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200B}' | '\u{AD}')).collect();
    if text == url || text.strip_suffix('/') == Some(url) || url.strip_suffix('/') == Some(text.as_str()) {
        return true;
    }
    let cut = ["(...)", "...", "…"].iter().find_map(|mark| text.strip_suffix(mark));
    cut.is_some_and(|start| start.contains("://") && 12 < start.len() && url.starts_with(start))
}
