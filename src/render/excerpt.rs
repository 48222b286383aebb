//! A body as plain text on one line, for titles, catalogs and descriptions.
//!
//! It is what a reader sees of the body, less what should not be seen in passing: a spoiler stays hidden, and art makes
//! no sense on one line. The quotes at its beginning say nothing to those who have not read what they answer.

use super::markup::{self, Links};
use crate::model::quotes::Quote;

/// Stands for what a spoiler hides.
const HIDDEN: &str = "▒▒▒";

/// The visible text of `body`, its lines joined by spaces.
pub fn excerpt(body: &str) -> String {
    let mut html = String::new();
    markup::render(body, &NoLinks, &mut html);
    text_of(&html)
}

/// Quotes lead nowhere: where they do is no matter here.
struct NoLinks;

impl Links for NoLinks {
    fn href(&self, _: &Quote, _: &mut String) -> bool {
        false
    }
}

/// The text of comment HTML, which only `markup` makes: its tags are well formed, and its references are four.
fn text_of(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&rest[..at], &mut out);
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        let tag = &rest[at..end];
        rest = match tag {
            "<s>" => {
                out.push_str(HIDDEN);
                after(&rest[end..], "</s>")
            }
            // At the beginning, nobody knows yet what it answers.
            _ if is_quote(tag) && out.trim().is_empty() => after(&rest[end..], "</span>"),
            _ if tag.starts_with("<span class=\"sjis") => {
                out.push(' ');
                after(&rest[end..], "</span>")
            }
            _ => {
                if is_break(tag) {
                    out.push(' ');
                }
                &rest[end..]
            }
        };
    }
    push_text(rest, &mut out);
    out
}

/// What comes after the first `tag`. Neither spoilers nor art hold elements of their own kind.
fn after<'a>(html: &'a str, tag: &str) -> &'a str {
    html.find(tag).map_or("", |at| &html[at + tag.len()..])
}

/// Whether a tag opens a quote, which is never a link here.
fn is_quote(tag: &str) -> bool {
    ["<span class=\"deadlink\"", "<span class=\"quotelink\""].iter().any(|start| tag.starts_with(start))
}

/// Whether a tag ends a line.
fn is_break(tag: &str) -> bool {
    ["<br", "<ul", "<ol", "<li", "<pre", "</pre"].iter().any(|start| tag.starts_with(start))
}

fn push_text(text: &str, out: &mut String) {
    if !text.contains('&') {
        return out.push_str(text);
    }
    out.push_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"));
}
