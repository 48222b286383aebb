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
use super::roles::{self, Role};
use super::tags::{Attributes, Token, Tokens};
use crate::model::PostNo;

/// A comment as markup.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Markup {
    /// The text.
    pub body: String,
    /// What markup has no word for, counted by kind in the plural.
    pub lost: BTreeMap<&'static str, u64>,
}

/// Turns the HTML of a comment on an imageboard into markup.
pub fn to_markup(html: &str) -> Markup {
    build(html, Builder::new(html, None))
}

/// What a quote on a forum's page names: topic and post there, and the number of that post here.
pub type Quoted<'a> = &'a dyn Fn(u64, u64) -> Option<PostNo>;

/// Turns the HTML of a post of a forum into markup: spaces count as in a page, and there are quotes, lists, headings,
/// tables and pictures.
pub fn page_to_markup(html: &str, quoted: Quoted<'_>) -> Markup {
    build(html, Builder::new(html, Some(quoted)))
}

fn build(html: &str, mut builder: Builder<'_>) -> Markup {
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
    /// Markup at the start of a line, such as the mark of a list's item or of a quote.
    Mark(String),
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
            Piece::Mark(_) | Piece::Break | Piece::Block(_) => false,
        }
    }
}

/// Elements open at the same time; deeper ones are not looked at, only their text.
const DEPTH_MAX: usize = 64;

/// Lists inside one another that markup knows.
const LIST_DEPTH_MAX: usize = 8;

const VOID: [&str; 15] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "bgsound",
];

struct Builder<'a> {
    /// What quotes name, if it is a forum's page.
    page: Option<Quoted<'a>>,
    pieces: Vec<Piece>,
    open: Vec<(String, Role)>,
    /// The text of the code or art that is open.
    verbatim: Option<String>,
    /// No `<br>` and no paragraphs: an archive whose line ends are line ends.
    plain_lines: bool,
    lost: BTreeMap<&'static str, u64>,
}

impl<'a> Builder<'a> {
    fn new(html: &str, page: Option<Quoted<'a>>) -> Builder<'a> {
        let marked_up =
            Tokens::new(html).any(|token| matches!(token, Token::Open(name, _) if name == "br" || name == "p"));
        let plain_lines = page.is_none() && !marked_up;
        Builder { page, pieces: Vec::new(), open: Vec::new(), verbatim: None, plain_lines, lost: BTreeMap::new() }
    }

    fn lose(&mut self, kind: &'static str) {
        *self.lost.entry(kind).or_default() += 1;
    }

    fn style(&self) -> Style {
        let has = |wanted: &[Role]| self.open.iter().any(|(_, role)| wanted.contains(role));
        Style {
            bold: has(&[Role::Bold, Role::Heading]),
            italic: has(&[Role::Italic]),
            spoiler: has(&[Role::Spoiler, Role::SpoilerLines]),
        }
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

    /// Ends the line, and leaves an empty one.
    fn blank_line(&mut self) {
        self.new_line();
        let before = self.pieces.len().checked_sub(2).and_then(|at| self.pieces.get(at));
        if self.pieces.last() == Some(&Piece::Break) && !matches!(before, Some(Piece::Break | Piece::Block(_))) {
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
        if self.page.is_some() {
            return self.page_text(&text);
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

    /// Text in which white space is one space, and none at the start of a line.
    fn page_text(&mut self, text: &str) {
        let spaced =
            matches!(self.pieces.last(), Some(Piece::Text(last, _) | Piece::Raw(last, _)) if last.ends_with(' '));
        let mut folded = String::with_capacity(text.len());
        let mut space = spaced || self.at_line_start();
        for c in text.chars() {
            let is_space = matches!(c, ' ' | '\t' | '\n');
            if !(space && is_space) {
                folded.push(if is_space { ' ' } else { c });
            }
            space = is_space;
        }
        self.push(&folded);
    }

    /// Writes what stands before the first text of a line: arrows of a quote, the mark of an item.
    fn begin_line(&mut self) {
        if self.page.is_none() || !self.at_line_start() {
            return;
        }
        let quotes = self.open.iter().filter(|(_, role)| *role == Role::Quote).count();
        let quote = self.open.iter().rposition(|(_, role)| *role == Role::Quote);
        let item = self.open.iter().rposition(|(_, role)| matches!(role, Role::Item(_)));
        let told = self.open.iter().filter(|(_, role)| *role == Role::Item(None)).count();
        let indent = "  ".repeat(told.min(LIST_DEPTH_MAX - 1));
        let own = match item.filter(|item| Some(*item) > quote).map(|item| &mut self.open[item].1) {
            Some(Role::Item(mark)) => mark.take().unwrap_or_default(),
            _ => String::new(),
        };
        // Markup knows no lists in quotes: there the mark of an item is text.
        let before = if 0 < quotes { "> ".repeat(quotes) } else { indent };
        if !before.is_empty() || !own.is_empty() {
            self.pieces.push(Piece::Mark(before + &own));
        }
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.begin_line();
        let style = self.style();
        // The text of a link begins a piece of its own, since the link is made of whole pieces.
        let count = self.pieces.len();
        let at_link = self.open.iter().any(|(_, role)| matches!(role, Role::Link { from, .. } if *from == count));
        match self.pieces.last_mut() {
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
            let mut role = if self.drops() { Role::Nothing } else { self.role(&name, attributes) };
            self.begin(&mut role, &attributes);
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
            ("hr", None) if self.page.is_some() => {
                self.blank_line();
                self.lose("rules");
            }
            ("hr", None) => self.new_line(),
            ("img", None) if self.page.is_some() => self.picture(&attributes),
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
        let (role, lost) = match self.page {
            Some(_) => roles::of_page(name, &attributes),
            None => roles::of_comment(name, &attributes),
        };
        if let Some(kind) = lost {
            self.lose(kind);
        }
        match role {
            Role::Dropped => {
                if let Some(url) = self.page.and_then(|_| web_address(&attributes.get("src").unwrap_or_default())) {
                    self.begin_line();
                    let style = self.style();
                    self.pieces.push(Piece::Url(url, style));
                }
                Role::Dropped
            }
            // Inside code and art, nothing is anything else.
            _ if self.verbatim.is_some() => Role::Nothing,
            // The text of a link is text.
            Role::CodeSpan if self.open.iter().any(|(_, role)| matches!(role, Role::Link { .. })) => Role::Nothing,
            Role::Lines if self.page.is_some() && attributes.has_class("title") && self.is_in_quote() => Role::Source,
            Role::Link { href, pictured, .. } => Role::Link { href, from: self.pieces.len(), pictured },
            role => role,
        }
    }

    /// Whether what is open last quotes somebody.
    fn is_in_quote(&self) -> bool {
        matches!(self.open.last(), Some((name, _)) if name == "aside")
    }

    fn begin(&mut self, role: &mut Role, attributes: &Attributes<'_>) {
        match role {
            Role::CodeSpan | Role::CodeBlock | Role::Art => self.verbatim = Some(String::new()),
            Role::Lines | Role::Line | Role::Heading | Role::SpoilerLines | Role::Quote | Role::Row(_) => {
                self.new_line();
                self.quote_post(attributes);
            }
            // The text of an item begins behind its mark.
            Role::Paragraph => self.new_line(),
            Role::List(start) => {
                self.new_line();
                if start.is_some_and(|start| 1 < start) {
                    self.blank_line();
                }
            }
            Role::Item(mark) => {
                self.new_line();
                let list = self.open.iter_mut().rev().find_map(|(_, role)| match role {
                    Role::List(next) => Some(next),
                    _ => None,
                });
                *mark = Some(match list {
                    Some(Some(next)) => {
                        *next += 1;
                        format!("{}. ", *next - 1)
                    }
                    _ => "- ".to_owned(),
                });
            }
            Role::Cell => self.cell(),
            _ => {}
        }
    }

    /// Names the post here that a forum's quote is of.
    fn quote_post(&mut self, attributes: &Attributes<'_>) {
        let Some(quoted) = self.page.filter(|_| attributes.has_class("quote")) else { return };
        let number = |name: &str| attributes.get(name).and_then(|text| text.trim().parse().ok());
        let (Some(topic), Some(post)) = (number("data-topic"), number("data-post")) else { return };
        if let Some(no) = quoted(topic, post) {
            self.begin_line();
            self.pieces.push(Piece::Raw(format!(">>{no} "), Style::default()));
        }
    }

    fn cell(&mut self) {
        let row = self.open.iter_mut().rev().find_map(|(_, role)| match role {
            Role::Row(cells) => Some(cells),
            _ => None,
        });
        let Some(cells) = row else { return };
        *cells += 1;
        if 1 < *cells && !self.at_line_start() {
            self.page_text(" | ");
        }
    }

    /// A picture on a forum's page: what it says in words, or a link to it.
    fn picture(&mut self, attributes: &Attributes<'_>) {
        let text = attributes.get("alt").unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if attributes.has_class("emoji") {
            self.lose("pictures of emoji");
            return self.push(&text);
        }
        if attributes.has_class("avatar") {
            return self.lose("avatars");
        }
        let link = self.open.iter_mut().rev().find_map(|(_, role)| match role {
            Role::Link { href, pictured, .. } => Some((web_address(href), pictured)),
            _ => None,
        });
        let url = web_address(&attributes.get("src").unwrap_or_default());
        match (link, url) {
            (Some((Some(_), pictured)), _) => {
                *pictured = true;
                self.lose("pictures that are links now");
                self.push(&text);
            }
            (None, Some(url)) => {
                self.lose("pictures that are links now");
                self.begin_line();
                let style = self.style();
                self.pieces.push(match text.is_empty() || stands_for(&text, &url) {
                    true => Piece::Url(url, style),
                    false => Piece::Raw(escape::link(&text, &url), style),
                });
            }
            _ => {
                self.lose("pictures in text");
                self.push(&text);
            }
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
            Role::Link { href, from, pictured } => self.link(&href, from, pictured),
            Role::CodeSpan | Role::CodeBlock | Role::Art => {
                let text = self.verbatim.take().unwrap_or_default();
                self.verbatim_piece(text, &role, style);
            }
            Role::Lines if name == "p" => {
                self.new_line();
                self.pieces.push(Piece::Break);
            }
            Role::Paragraph => self.blank_line(),
            Role::Cell => {}
            Role::Lines
            | Role::Heading
            | Role::SpoilerLines
            | Role::Quote
            | Role::Source
            | Role::List(_)
            | Role::Item(_)
            | Role::Row(_) => self.new_line(),
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
            Role::CodeSpan if !text.contains('\n') => {
                self.begin_line();
                self.pieces.push(Piece::Raw(escape::code_span(text), style));
            }
            Role::Art => self.pieces.push(Piece::Block(escape::art(text))),
            _ => self.fence(text),
        }
    }

    /// Code on lines of its own. In a list it belongs to the item that has begun.
    fn fence(&mut self, text: &str) {
        let fence = escape::fence(text);
        let quoted = self.open.iter().any(|(_, role)| *role == Role::Quote);
        if quoted {
            self.lose("marks of a quote before code");
        }
        let items = self.open.iter().filter(|(_, role)| *role == Role::Item(None)).count();
        let indent = "  ".repeat(if quoted { 0 } else { items.min(LIST_DEPTH_MAX) });
        self.pieces.push(Piece::Block(match indent.as_str() {
            "" => fence,
            indent => fence.split('\n').map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n"),
        }));
    }

    /// Makes a link of the pieces from `from` on.
    fn link(&mut self, href: &str, from: usize, pictured: bool) {
        // A block inside the link has already been put on lines of its own: such a link keeps only its text.
        if self.pieces[from.min(self.pieces.len())..].iter().any(|piece| matches!(piece, Piece::Block(_))) {
            return self.lose("links");
        }
        let style = self.style();
        let mut held: Vec<Piece> = self.pieces.drain(from..).collect();
        if matches!(held.first(), Some(Piece::Mark(_))) {
            self.pieces.push(held.remove(0));
        }
        let text: String = held
            .iter()
            .map(|piece| match piece {
                Piece::Text(text, _) | Piece::Raw(text, _) | Piece::Url(text, _) => text.as_str(),
                Piece::Break | Piece::Block(_) => " ",
                Piece::Mark(_) => "",
            })
            .collect();
        let is_quote = text.trim_start().starts_with(">>");
        match web_address(href) {
            Some(url) if text.trim().is_empty() && pictured => {
                self.begin_line();
                self.pieces.push(Piece::Url(url, style));
            }
            // A quote names its post by itself, wherever its link went.
            _ if is_quote || text.trim().is_empty() => self.pieces.extend(held),
            Some(url) => {
                self.space_of(&text, str::starts_with);
                self.pieces.push(match stands_for(text.trim(), &url) {
                    true => Piece::Url(url, style),
                    false => Piece::Raw(escape::link(text.trim(), &url), style),
                });
                self.space_of(&text, str::ends_with);
            }
            // Of others without an address it was told what they are.
            None if self.page.is_some() && href.is_empty() => self.pieces.extend(held),
            None => {
                self.pieces.extend(held);
                self.lose("links");
            }
        }
    }

    /// A space at the end of a link's text, which is none of the link, where spaces count once.
    fn space_of(&mut self, text: &str, at: for<'t> fn(&'t str, char) -> bool) {
        if self.page.is_some() && at(text, ' ') {
            self.page_text(" ");
        }
    }

    fn finish(mut self) -> Markup {
        while !self.open.is_empty() {
            self.end_last();
        }
        let (body, flattened) = escape::markup(&self.pieces, self.page.is_some());
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
