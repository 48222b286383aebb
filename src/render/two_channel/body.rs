//! The HTML of a comment to what readers of 2ch know: text, line breaks and references.
//!
//! Spoilers keep their tags as one types them, so that who quotes one hides it again; emphasis goes; items of lists get a
//! mark; a link whose text is another than its address has that behind it; in art and code no space is lost.

use crate::model::PostNo;

/// Between two lines.
pub const BREAK: &str = " <br> ";

/// What quotes are written as. They come as what stands in the link, or what was typed where there is none.
pub trait Quotes {
    /// Appends a quote that leads to a post of the same thread.
    fn own(&mut self, no: PostNo, out: &mut String);
    /// Appends a quote that leads elsewhere on the site. `typed` is escaped.
    fn elsewhere(&mut self, href: &str, typed: &str, out: &mut String);
    /// Appends a quote that leads nowhere, or is one too many to be a link.
    fn dead(&mut self, typed: &str, out: &mut String);
}

/// Appends a comment, `html` of the closed vocabulary.
pub fn push(html: &str, quotes: &mut impl Quotes, out: &mut String) {
    let mut writer =
        Writer { quotes, out, fresh: true, block_ended: false, spaced: false, lists: Vec::new(), link: None };
    let mut rest = html;
    while let Some((text, tagged)) = rest.split_once('<') {
        writer.text(text);
        // Text has no bracket, and no value of an attribute does.
        let Some((tag, after)) = tagged.split_once('>') else { return };
        rest = writer.tag(tag, after);
    }
    writer.text(rest);
}

struct Writer<'a, Q> {
    quotes: &'a mut Q,
    out: &'a mut String,
    /// Nothing stands on this line yet.
    fresh: bool,
    /// A block has ended: what follows stands on a new line, if anything does.
    block_ended: bool,
    /// Each space counts.
    spaced: bool,
    /// For each list that is open the number of its next item, if it has numbers.
    lists: Vec<Option<u64>>,
    /// The address of the link that is open, and where its text begins.
    link: Option<(String, usize)>,
}

impl<Q: Quotes> Writer<'_, Q> {
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.begin();
        match self.spaced {
            true => self.spaces_and_all(text),
            false => self.out.push_str(text),
        }
        self.fresh = false;
    }

    /// Appends text in which browsers would make runs of spaces one.
    fn spaces_and_all(&mut self, text: &str) {
        let mut after_space = self.fresh;
        for piece in text.split_inclusive(' ') {
            match piece {
                " " if after_space => self.out.push_str("&nbsp;"),
                _ => self.out.push_str(piece),
            }
            after_space = piece.ends_with(' ');
        }
    }

    /// Leaves a block that has ended.
    fn begin(&mut self) {
        if std::mem::take(&mut self.block_ended) {
            self.line_break();
        }
    }

    fn line_break(&mut self) {
        self.out.push_str(BREAK);
        self.fresh = true;
    }

    fn open_block(&mut self) {
        self.begin();
        if !self.fresh {
            self.line_break();
        }
    }

    fn close_block(&mut self) {
        self.block_ended = true;
    }

    /// Takes a tag without its brackets; gives what of `after` is left.
    fn tag<'h>(&mut self, tag: &str, after: &'h str) -> &'h str {
        match tag {
            "br" => {
                self.begin();
                self.line_break();
            }
            "s" => self.text("[spoiler]"),
            "/s" => self.text("[/spoiler]"),
            "/span" => self.spaced = false,
            "/a" => self.close_link(),
            "/pre" => {
                self.spaced = false;
                self.close_block();
            }
            "ul" => self.lists.push(None),
            "li" => self.item(),
            "/li" => self.close_block(),
            "/ul" | "/ol" => {
                self.lists.pop();
                self.close_block();
            }
            _ => return self.tag_with_attributes(tag, after),
        }
        after
    }

    fn tag_with_attributes<'h>(&mut self, tag: &str, after: &'h str) -> &'h str {
        let values = || tag.split('"').skip(1).step_by(2);
        let first = values().next().unwrap_or_default();
        match tag.split([' ', '=']).next().unwrap_or_default() {
            "span" if first == "quotelink" || first == "deadlink" => {
                let (typed, after) = after.split_once("</span>").unwrap_or((after, ""));
                self.begin();
                self.quotes.dead(typed, self.out);
                self.fresh = false;
                return after;
            }
            "span" if first.starts_with("sjis") => self.spaced = true,
            "a" if values().nth(1) == Some("quotelink") => {
                let (typed, after) = after.split_once("</a>").unwrap_or((after, ""));
                self.begin();
                match first.strip_prefix("#p").and_then(PostNo::parse) {
                    Some(no) => self.quotes.own(no, self.out),
                    None => self.quotes.elsewhere(first, typed, self.out),
                }
                self.fresh = false;
                return after;
            }
            "a" => {
                self.begin();
                self.link = Some((first.to_owned(), self.out.len()));
            }
            "pre" => {
                self.open_block();
                self.spaced = true;
            }
            "ol" => self.lists.push(Some(first.parse().unwrap_or(1))),
            // Emphasis, greentext.
            _ => {}
        }
        after
    }

    fn item(&mut self) {
        self.open_block();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "・".to_owned(),
        };
        self.text(&mark);
    }

    fn close_link(&mut self) {
        let Some((href, from)) = self.link.take() else { return };
        if self.out.get(from..) != Some(href.as_str()) {
            self.text(" ( ");
            self.text(&href);
            self.text(" )");
        }
    }
}
