//! Writes the steps as HTML: the only place that knows tags, and the one that keeps them well-formed.

use super::clean::HOLE;
use super::{Element, Links, Op, Span, art};
use crate::model::quotes;
use crate::render::bytes;

/// Elements inside one another; deeper ones are left out, their text is not.
const DEPTH_MAX: usize = 16;

/// What is noted down while a body is written.
#[derive(Default)]
pub(super) struct Tags {
    wanted: Vec<Element>,
    open: Vec<Element>,
    href: String,
}

/// Appends the steps to `out` as HTML.
pub(super) fn write(text: &str, ops: &[Op], art_label: &str, links: &impl Links, tags: &mut Tags, out: &mut String) {
    out.reserve(text.len() + text.len() / 4);
    tags.wanted.clear();
    let mut writer = Writer {
        text,
        art_label,
        links,
        out,
        wanted: &mut tags.wanted,
        open: &mut tags.open,
        too_deep: 0,
        spoilers: 0,
        href: &mut tags.href,
        links_end: quotes::links_end(text),
    };
    for op in ops {
        writer.step(*op);
    }
    writer.close_down_to(0);
}

/// `wanted` are the elements that apply to what comes next, `open` those whose tags are written. They are brought
/// together only when there is something to show. So crossed elements come out nested, each closed where its
/// surroundings end and opened again behind, and none is empty.
struct Writer<'a, L> {
    text: &'a str,
    art_label: &'a str,
    links: &'a L,
    out: &'a mut String,
    wanted: &'a mut Vec<Element>,
    open: &'a mut Vec<Element>,
    too_deep: usize,
    spoilers: usize,
    href: &'a mut String,
    /// Quotes behind this place are no links.
    links_end: usize,
}

impl<L: Links> Writer<'_, L> {
    fn step(&mut self, op: Op) {
        match op {
            Op::Text(span) => {
                self.arrange();
                escape(span.of(self.text), self.out);
            }
            Op::Plain(span) => {
                self.arrange();
                self.out.push_str(span.of(self.text));
            }
            Op::Break => {
                self.close_down_to(self.agreed());
                self.out.push_str("<br>");
            }
            Op::Nothing => {}
            Op::Quote(span) => self.quote(span),
            Op::Url(span) => self.url(span),
            Op::Open(element) => self.want(element),
            Op::Close(element) => self.unwant(element),
            Op::Mark(_, span) => self.step(Op::Text(span)),
            Op::Art(span) => {
                self.arrange();
                // One font cannot keep both kinds straight. For those who do not see it, it is one picture, which they
                // pass in a step; those who have no pointer scroll it when the focus is on it.
                let ascii = if art::is_monospaced(span.of(self.text)) { " ascii" } else { "" };
                self.out.push_str("<span class=\"sjis");
                self.out.push_str(ascii);
                self.out.push_str("\" tabindex=\"0\" role=\"img\" aria-label=\"");
                escape(self.art_label, self.out);
                self.out.push_str("\">");
                self.lines(span, 0);
                self.out.push_str("</span>");
            }
            Op::Pre(span, indent) => self.pre(span, indent),
            Op::List(Some(start)) => {
                self.block("<ol start=\"");
                self.out.push_str(&start.to_string());
                self.out.push_str("\">");
            }
            Op::List(None) => self.block("<ul>"),
            Op::Item => self.block("<li>"),
            Op::ItemEnd => self.block("</li>"),
            Op::ListEnd { ordered: true } => self.block("</ol>"),
            Op::ListEnd { ordered: false } => self.block("</ul>"),
        }
    }

    /// A tag of a block: inline elements end before it.
    fn block(&mut self, tag: &str) {
        self.close_down_to(0);
        self.out.push_str(tag);
    }

    fn pre(&mut self, span: Span, indent: usize) {
        self.block("<pre class=\"prettyprint\">");
        if !span.is_empty() {
            self.arrange();
            self.lines(span, indent);
        }
        self.block("</pre>");
    }

    /// Lines in which every space counts.
    fn lines(&mut self, span: Span, indent: usize) {
        for (number, line) in span.of(self.text).split('\n').enumerate() {
            if number > 0 {
                self.out.push_str("<br>");
            }
            let spaces = line.bytes().take(indent).take_while(|b| *b == b' ').count();
            escape(&line[spaces..], self.out);
        }
    }

    fn quote(&mut self, span: Span) {
        let typed = span.of(self.text);
        let Some((quote, _)) = quotes::parse(typed) else { return self.step(Op::Text(span)) };
        self.arrange();
        if self.links_end <= span.from {
            self.out.push_str("<span class=\"quotelink\">");
            escape(typed, self.out);
            return self.out.push_str("</span>");
        }
        self.href.clear();
        if self.links.href(&quote, self.href) {
            self.out.push_str("<a href=\"");
            escape(self.href, self.out);
            self.out.push_str("\" class=\"quotelink\">");
            escape(typed, self.out);
            self.out.push_str("</a>");
        } else {
            self.out.push_str("<span class=\"deadlink\">");
            escape(typed, self.out);
            self.out.push_str("</span>");
        }
    }

    fn url(&mut self, span: Span) {
        self.arrange();
        self.open_tag(Element::Link(span));
        escape(span.of(self.text), self.out);
        self.out.push_str("</a>");
    }

    fn want(&mut self, element: Element) {
        if element == Element::Spoiler {
            self.spoilers += 1;
            if self.spoilers == 1 {
                self.wanted.push(element);
            }
        } else if self.wanted.len() < DEPTH_MAX && self.too_deep == 0 {
            self.wanted.push(element);
        } else {
            self.too_deep += 1;
        }
    }

    fn unwant(&mut self, element: Element) {
        if element == Element::Spoiler {
            self.spoilers -= 1;
            if self.spoilers > 0 {
                return;
            }
        } else if self.too_deep > 0 {
            // All but spoilers come well nested, so the one that ends is one of those left out.
            self.too_deep -= 1;
            return;
        }
        if let Some(at) = self.wanted.iter().rposition(|wanted| *wanted == element) {
            self.wanted.remove(at);
        }
    }

    /// How many of the open elements, from the outermost, are still wanted.
    fn agreed(&self) -> usize {
        self.open.iter().zip(self.wanted.iter()).take_while(|(open, wanted)| open == wanted).count()
    }

    /// Makes the open elements the wanted ones.
    fn arrange(&mut self) {
        // Most text stands in none.
        if self.open.is_empty() && self.wanted.is_empty() {
            return;
        }
        let agreed = self.agreed();
        self.close_down_to(agreed);
        for at in agreed..self.wanted.len() {
            self.open_tag(self.wanted[at]);
            self.open.push(self.wanted[at]);
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let tag = match self.open.pop() {
                Some(Element::Green) => "</span>",
                Some(Element::Spoiler) => "</s>",
                Some(Element::Em) => "</em>",
                Some(Element::Strong) => "</strong>",
                Some(Element::Code) => "</code>",
                Some(Element::Link(_)) => "</a>",
                None => return,
            };
            self.out.push_str(tag);
        }
    }

    fn open_tag(&mut self, element: Element) {
        match element {
            Element::Green => self.out.push_str("<span class=\"quote\">"),
            Element::Spoiler => self.out.push_str("<s>"),
            Element::Em => self.out.push_str("<em>"),
            Element::Strong => self.out.push_str("<strong>"),
            Element::Code => self.out.push_str("<code>"),
            Element::Link(address) => {
                self.out.push_str("<a href=\"");
                escape(address.of(self.text), self.out);
                self.out.push_str("\" rel=\"nofollow ugc noopener noreferrer\">");
            }
        }
    }
}

/// Appends `text` for use between tags or inside double quotes, without the holes.
fn escape(text: &str, out: &mut String) {
    let special = |b: u8| (b == b'&') | (b == b'<') | (b == b'>') | (b == b'"') | (b == HOLE_BYTE);
    let mut rest = text;
    while let Some(at) = bytes::find(rest.as_bytes(), special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

const HOLE_BYTE: u8 = HOLE as u8;
