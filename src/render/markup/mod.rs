//! What a poster typed to the HTML of a comment.
//!
//! Values flow one way. The body is cleaned (`clean`) and cut into lines and blocks (`lines`, with `art` to find art
//! that has no tags, and `holds` to tell at once what a line cannot hold). The text of these is cut into runs of text,
//! links, quotes and spoiler marks (`inline`, `scan`, `url`). The result is a flat list of steps, in which the spoiler marks are then paired (`spoiler`), since a
//! spoiler may begin in one block and end in another. At last `write` turns the list into HTML. Only it knows how
//! elements look, and it keeps them well-formed by itself, so nothing before it can break a page.
//!
//! Markdown inside lines is read by pulldown-cmark. Its blocks are not wanted here (`#tag` is no heading, `>` quotes
//! one line, an indented line is no code), nor is all of its inline syntax (a `<` is a `<`). So it is shown the text
//! with an inert prefix on each line, and with inert characters in place of what must stay as typed (`shield`), and
//! it is only asked *where* things are: what is written comes from the text itself.
//!
//! The output has no line breaks of its own: each is a `<br>`, in code and art too, so that a template may indent it
//! and clients of the JSON that know no style sheet still show the lines. The style sheet should give `.sjis` the
//! rules `display: inline-block; white-space: pre; overflow-x: auto; max-width: 100%`, which keep every space.

mod art;
mod clean;
mod cut;
mod holds;
mod inline;
mod lines;
mod marks;
mod scan;
mod shield;
mod spoiler;
mod url;
mod write;

pub use cut::Length;

use std::borrow::Cow;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::quotes::{self, Quote};

/// Where quotes lead. Asked once for each quote that is shown and can be a link.
pub trait Links {
    /// Appends the address of what `quote` names to `out`, as plain text; false, and nothing appended, if it names
    /// nothing.
    fn href(&self, quote: &Quote, out: &mut String) -> bool;
}

/// Renders what a poster typed, appending HTML of the closed vocabulary to `out`. [`Renderer`] does the same for many.
pub fn render(body: &str, links: &impl Links, out: &mut String) {
    Renderer::default().render(body, links, out);
}

/// Puts others in the place of the quotes of a body that are links, where `rename` gives one. What only looks like a quote,
/// in code or art, stays.
pub fn rename_quotes(body: &str, rename: &dyn Fn(&Quote) -> Option<Quote>) -> String {
    let mut renderer = Renderer::default();
    let text = renderer.read(body);
    let shown =
        renderer.ops.iter().filter_map(|op| if let Op::Quote(span) = op { Some((span.from, span.to)) } else { None });
    let shown: BTreeSet<(usize, usize)> = shown.collect();
    // The same quotes stand in both texts, in the same order.
    let mut are_links = Vec::new();
    quotes::scan_places(&text, |_, place| are_links.push(shown.contains(&(place.start, place.end))));
    let mut renamed: Vec<(Range<usize>, Quote)> = Vec::new();
    let mut are_links = are_links.into_iter();
    quotes::scan_places(body, |quote, place| {
        let is_link = are_links.next().unwrap_or(false);
        renamed.extend(rename(&quote).filter(|_| is_link).map(|quote| (place, quote)));
    });
    let mut out = String::with_capacity(body.len() + 8 * renamed.len());
    let mut from = 0;
    for (place, quote) in renamed {
        out.push_str(&body[from..place.start]);
        out.push_str(&quote.to_string());
        from = place.end;
    }
    out.push_str(&body[from..]);
    out
}

/// What art is called for those who do not see it, where nobody says it in their own language.
pub const ART_LABEL: &str = "Text art";

/// Renders bodies, one after the other. What it notes down on the way takes the same memory for each.
pub struct Renderer {
    art_label: String,
    lines: Vec<holds::Line>,
    run: Vec<holds::Line>,
    ops: Vec<Op>,
    tags: write::Tags,
}

impl Default for Renderer {
    fn default() -> Renderer {
        Renderer::new(ART_LABEL)
    }
}

impl Renderer {
    /// A renderer that calls art `art_label` for those who do not see it.
    pub fn new(art_label: &str) -> Renderer {
        let art_label = art_label.to_owned();
        Renderer { art_label, lines: Vec::new(), run: Vec::new(), ops: Vec::new(), tags: write::Tags::default() }
    }

    /// Renders what a poster typed, appending HTML of the closed vocabulary to `out`.
    ///
    /// `links` is asked only for quotes that [`quotes::scan`](crate::model::quotes::scan) finds in `body`. Time and
    /// size of the output are linear in the size of the body.
    pub fn render(&mut self, body: &str, links: &impl Links, out: &mut String) {
        let text = self.read(body);
        write::write(&text, &self.ops, &self.art_label, links, &mut self.tags, out);
    }

    /// Does the same; and if the body is longer than `length`, gives its beginning as well, as HTML that stands by
    /// itself.
    pub fn render_with_beginning(
        &mut self,
        body: &str,
        length: Length,
        links: &impl Links,
        out: &mut String,
    ) -> Option<String> {
        let text = self.read(body);
        write::write(&text, &self.ops, &self.art_label, links, &mut self.tags, out);
        if !length.may_cut(&text, self.lines.len()) || !cut::cut(&text, &mut self.ops, length) {
            return None;
        }
        let mut beginning = String::new();
        write::write(&text, &self.ops, &self.art_label, links, &mut self.tags, &mut beginning);
        Some(beginning)
    }

    /// Notes down the lines and the steps of a body; gives the text to which they belong.
    fn read<'b>(&mut self, body: &'b str) -> Cow<'b, str> {
        holds::lines(body, &mut self.lines);
        let is_clean = |line: &holds::Line| !line.holds.special() || clean::is_clean(line.span.of(body));
        let text = match self.lines.iter().all(is_clean) {
            true => Cow::Borrowed(body),
            false => Cow::Owned(clean::rewrite(body)),
        };
        if let Cow::Owned(text) = &text {
            holds::lines(text, &mut self.lines);
        }
        self.ops.clear();
        lines::read(&text, &self.lines, &mut self.run, &mut self.ops);
        spoiler::pair(&mut self.ops);
        text
    }
}

/// A piece of the cleaned text, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    from: usize,
    to: usize,
}

impl Span {
    fn new(from: usize, to: usize) -> Span {
        Span { from, to }
    }

    fn of(self, text: &str) -> &str {
        &text[self.from..self.to]
    }

    fn is_empty(self) -> bool {
        self.to <= self.from
    }
}

/// One step of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    /// Text as it stands.
    Text(Span),
    /// Text in which nothing needs to be escaped or left out.
    Plain(Span),
    /// A line break.
    Break,
    /// A line break that was taken back.
    Nothing,
    /// A quote, to be asked for.
    Quote(Span),
    /// A bare address.
    Url(Span),
    /// From here on the element applies, to whatever follows.
    Open(Element),
    /// The innermost of these elements ends.
    Close(Element),
    /// A spoiler mark that is not paired yet; one that stays alone is text.
    Mark(Mark, Span),
    /// Art, in which every space counts.
    Art(Span),
    /// Code as a block, and how many spaces each line may lose.
    Pre(Span, usize),
    /// A list opens; a number is where an ordered one starts.
    List(Option<u32>),
    /// An item of the list opens.
    Item,
    /// It closes.
    ItemEnd,
    /// The list closes.
    ListEnd { ordered: bool },
}

/// An element inside a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Element {
    Green,
    Spoiler,
    Em,
    Strong,
    Code,
    /// With its address.
    Link(Span),
}

/// What a spoiler mark can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    /// `||`
    Pipes { opens: bool, closes: bool },
    /// `[spoiler]`
    TagOpen,
    /// `[/spoiler]`
    TagClose,
}
