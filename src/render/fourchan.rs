//! Text and posts as programs of 4chan know them, where our pages have more.
//!
//! Such programs do not ask a browser what HTML means. They know five references, a handful of elements, each by its
//! whole tag, and drop the others. So lists become lines again, as they were typed, and art bears nothing but its class.

use std::borrow::Cow;

use super::bytes;
use super::digits::push_number;

/// How a list, or art, begins in a body. Text cannot hold this, since its `<` is escaped.
const RARE: [&str; 3] = ["<ul", "<ol", ART];

const ART: &str = "<span class=\"sjis";

/// What stands before the items of a list within a list, once for each list around it. HTML does not fold these.
const DEEPER: &str = "\u{A0}\u{A0}";

/// Adds a text that is no HTML, escaped.
pub fn push_escaped(out: &mut String, text: &str) {
    let special = |b: u8| (b == b'<') | (b == b'>') | (b == b'"') | (b == b'&') | (b == b'\'');
    let mut rest = text;
    while let Some(at) = bytes::find(rest.as_bytes(), special) {
        // All of them are ASCII, so that the text may be cut before and after them.
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'&' => "&amp;",
            _ => "&#039;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// The HTML of a body.
pub fn comment(body: &str) -> Cow<'_, str> {
    if !RARE.iter().any(|rare| memchr::memmem::find(body.as_bytes(), rare.as_bytes()).is_some()) {
        return body.into();
    }
    let mut comment = Comment { out: String::with_capacity(body.len()), ..Comment::default() };
    let mut rest = body;
    while let Some((text, tag)) = rest.split_once('<') {
        comment.text(text);
        let Some((tag, after)) = tag.split_once('>') else { break };
        comment.tag(tag);
        rest = after;
    }
    comment.text(rest);
    comment.out.into()
}

/// A body that is written anew.
#[derive(Default)]
struct Comment {
    out: String,
    /// The lists that are open, each with the number of its next item if it is numbered.
    lists: Vec<Option<u64>>,
    /// Whether something stands on the last line.
    begun: bool,
    /// Whether what comes next stands on a line of its own.
    breaks: bool,
}

impl Comment {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.line();
            self.out.push_str(text);
            self.begun = true;
        }
    }

    /// Adds a tag, without its brackets.
    fn tag(&mut self, tag: &str) {
        match tag {
            "ul" => return self.list(None),
            "/ul" | "/ol" => {
                self.lists.pop();
                return self.breaks = true;
            }
            "li" => return self.item(),
            "/li" => return,
            // It begins a line by itself.
            "pre class=\"prettyprint\"" => self.breaks = false,
            _ if tag.starts_with('/') => {}
            _ => {
                if let Some(start) = tag.strip_prefix("ol start=\"") {
                    return self.list(start.trim_end_matches('"').parse().ok());
                }
                self.line();
            }
        }
        if tag.starts_with(&ART[1..]) {
            self.out.push_str(ART);
            self.out.push_str("\">");
            return;
        }
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
        if matches!(tag, "br" | "/pre") {
            self.begun = false;
        }
    }

    fn list(&mut self, start: Option<u64>) {
        self.lists.push(start);
        self.breaks = true;
    }

    fn item(&mut self) {
        self.breaks = true;
        self.line();
        for _ in 1..self.lists.len() {
            self.out.push_str(DEEPER);
        }
        match self.lists.last_mut() {
            Some(Some(no)) => {
                push_number(&mut self.out, *no);
                *no = no.saturating_add(1);
                self.out.push_str(". ");
            }
            _ => self.out.push_str("- "),
        }
        self.begun = true;
    }

    /// Begins a line, if what comes next needs one.
    fn line(&mut self) {
        if std::mem::take(&mut self.breaks) && std::mem::take(&mut self.begun) {
            self.out.push_str("<br>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, wanted: &str) {
        assert_eq!(comment(body), wanted);
    }

    #[test]
    fn lists_become_lines() {
        check("<ul><li>one</li><li>two</li></ul>", "- one<br>- two");
        check("a<ul><li>one</li></ul>b", "a<br>- one<br>b");
        check("a<ol start=\"9\"><li>nine</li><li><s>ten</s></li></ol>", "a<br>9. nine<br>10. <s>ten</s>");
        check(
            "<ul><li>one<br>more<ol start=\"0\"><li>deep</li><li></li></ol></li><li>two</li></ul><em>b</em>",
            "- one<br>more<br>\u{A0}\u{A0}0. deep<br>\u{A0}\u{A0}1. <br>- two<br><em>b</em>",
        );
        check("<s>a<ul><li>one</li></ul></s>b", "<s>a<br>- one</s><br>b");
        check("<ul><li>one</li></ul><br>b", "- one<br><br>b");
        check("<ul><li>one</li></ul><pre class=\"prettyprint\">b</pre>c", "- one<pre class=\"prettyprint\">b</pre>c");
        check("<pre class=\"prettyprint\">b</pre><ul><li>c</li></ul>", "<pre class=\"prettyprint\">b</pre>- c");
    }

    #[test]
    fn art_is_known_by_its_class_alone() {
        check(
            "<span class=\"sjis ascii\" tabindex=\"0\" role=\"img\" aria-label=\"Text art\">  &lt;<br> ^</span>b",
            "<span class=\"sjis\">  &lt;<br> ^</span>b",
        );
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for body in ["", "&lt;ul&gt;", "<a href=\"#p1\" class=\"quotelink\">&gt;&gt;1</a><br><em>b</em>"] {
            assert!(matches!(comment(body), Cow::Borrowed(same) if same == body));
        }
    }
}
