//! What a reader sees of HTML, read as a browser's tokenizer reads it: the source's and ours, to be compared.
//!
//! Lines and runs of white space count as one space. Arrows at the start of a quoted line do not count, since the source
//! shows a quote by other means. Of pictures, a reader sees here what stands for them: their words or their address.

use std::cell::RefCell;

use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// What a reader of a forum's page sees of a post.
pub fn of_page(html: &str) -> String {
    normal(&read(html, Reader { page: true, ..Reader::default() }))
}

/// What a reader of this site sees of a post.
pub fn of_post(html: &str) -> String {
    normal(&read(html, Reader::default()))
}

/// Words with a space between. A line of a quote is told by a mark behind which arrows do not count.
fn normal(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = match line.trim_start().strip_prefix(QUOTE) {
            Some(quoted) => {
                quoted.replace(QUOTE, "").trim_start_matches(|c: char| c == '>' || c.is_whitespace()).to_owned()
            }
            None => line.to_owned(),
        };
        lines.push(line);
    }
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

const QUOTE: char = '\u{E000}';

#[derive(Default)]
struct Reader {
    page: bool,
    text: String,
    open: Vec<Element>,
}

struct Element {
    name: String,
    dropped: bool,
    href: Option<String>,
    /// Where its text begins.
    from: usize,
    /// Items or cells so far.
    count: u64,
    pictured: bool,
}

const VOID: [&str; 6] = ["br", "hr", "img", "wbr", "input", "source"];

const LINES: [&str; 24] = [
    "p",
    "div",
    "blockquote",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "aside",
    "article",
    "header",
    "details",
    "summary",
    "dl",
    "dt",
    "dd",
    "section",
];

impl Reader {
    fn is_dropped(&self) -> bool {
        self.open.iter().any(|element| element.dropped)
    }

    fn is_quoted(&self) -> bool {
        self.open.iter().any(|element| element.name == "blockquote" || element.name == "green")
    }

    fn push(&mut self, text: &str) {
        if self.is_dropped() {
            return;
        }
        let preformatted = !self.page || self.open.iter().any(|element| element.name == "pre");
        for (i, line) in text.split('\n').enumerate() {
            if 0 < i {
                self.text.push(if preformatted { '\n' } else { ' ' });
            }
            if self.is_quoted()
                && self.text.rsplit('\n').next().unwrap_or_default().trim().is_empty()
                && !line.trim().is_empty()
            {
                self.text.push(QUOTE);
            }
            self.text.push_str(line);
        }
    }

    fn open(&mut self, tag: &Tag) {
        let name = tag.name.as_ref();
        let get = |wanted: &str| {
            tag.attrs.iter().find(|a| &*a.name.local == wanted).map(|a| a.value.to_string()).unwrap_or_default()
        };
        let class = |wanted: &str| get("class").split_whitespace().any(|class| class == wanted);
        if name == "br" || LINES.contains(&name) {
            self.text.push('\n');
        }
        if name == "img" && self.page && !self.is_dropped() {
            self.picture(&get, class("emoji"), class("avatar"));
        }
        if matches!(name, "iframe" | "video" | "audio") {
            self.push(&get("src"));
        }
        if VOID.contains(&name) {
            return;
        }
        let dropped = matches!(name, "script" | "style" | "svg" | "template" | "object" | "iframe" | "video" | "audio")
            || name == "div" && (class("meta") || class("quote-controls"))
            // The source has no such thing: it shows an answer by other means.
            || !self.page && (class("quotelink") || class("deadlink"));
        if self.page && name == "li" && self.is_quoted() {
            let list = self.open.iter_mut().rev().find(|element| matches!(element.name.as_str(), "ul" | "ol"));
            let mark = list.map(|list| {
                list.count += 1;
                if list.name == "ol" { format!("{}. ", list.count) } else { "- ".to_owned() }
            });
            self.push(&mark.unwrap_or_default());
        }
        let green = !self.page && name == "span" && class("quote");
        let name = if green { "green" } else { name };
        let href = (name == "a").then(|| get("href"));
        let from = self.text.len();
        let count = get("start").parse().map_or(0, |start: u64| start - 1);
        self.open.push(Element { name: name.to_owned(), dropped, href, from, count, pictured: false });
    }

    fn picture(&mut self, get: &dyn Fn(&str) -> String, emoji: bool, avatar: bool) {
        let alt = get("alt");
        if avatar {
            return;
        }
        let web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        let src = get("src");
        let src = if src.starts_with("//") { format!("https:{src}") } else { src };
        let link = self.open.iter_mut().rev().find(|element| element.href.as_deref().is_some_and(web));
        match link {
            Some(link) if !emoji => {
                link.pictured = true;
                self.push(&alt);
            }
            _ if !emoji && alt.trim().is_empty() && web(&src) => self.push(&src),
            _ => self.push(&alt),
        }
    }

    fn close(&mut self, name: &str) {
        let is = |element: &Element| element.name == name || element.name == "green" && name == "span";
        let Some(at) = self.open.iter().rposition(is) else { return };
        for element in self.open.split_off(at) {
            if self.page
                && let Some(href) = element.href.filter(|href| href.starts_with("http"))
            {
                let text: String = self.text[element.from..].split_whitespace().collect();
                let cut = text.strip_suffix("...").or(text.strip_suffix('…'));
                let stands = cut.is_some_and(|start| start.contains("://") && href.starts_with(start));
                let slash = text.trim_end_matches('/') == href.trim_end_matches('/') && !text.is_empty();
                if stands || slash || text.is_empty() && element.pictured {
                    self.text.truncate(element.from);
                    self.push(&href.replace(' ', "%20"));
                }
            }
        }
        if LINES.contains(&name) {
            self.text.push('\n');
        }
    }
}

struct Sink(RefCell<Reader>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => reader.push(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => reader.open(&tag),
            Token::TagToken(tag) => reader.close(tag.name.as_ref()),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn read(html: &str, reader: Reader) -> String {
    let input = BufferQueue::default();
    input.push_back(html.into());
    let tokenizer = Tokenizer::new(Sink(RefCell::new(reader)), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().text
}
