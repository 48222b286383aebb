//! The output as a browser's tokenizer reads it, so that our own reader is not the only witness.

use super::vocabulary;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use std::cell::RefCell;

#[derive(Default)]
struct Seen {
    text: RefCell<String>,
    wrong: RefCell<Vec<String>>,
}

impl TokenSink for Seen {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            Token::TagToken(tag) => self.tag(&tag),
            Token::EOFToken => {}
            other => self.wrong.borrow_mut().push(format!("{other:?}")),
        }
        TokenSinkResult::Continue
    }
}

impl Seen {
    fn tag(&self, tag: &Tag) {
        let attributes: Vec<(&str, &str)> =
            tag.attrs.iter().map(|a| (a.name.local.as_ref(), a.value.as_ref())).collect();
        let known = match (tag.name.as_ref(), attributes.as_slice()) {
            ("br", []) => {
                self.text.borrow_mut().push('\n');
                true
            }
            ("s" | "strong" | "em" | "code" | "ul" | "li", []) => true,
            ("span" | "pre" | "a" | "ol", []) => tag.kind == TagKind::EndTag,
            ("pre", [("class", "prettyprint")]) => true,
            ("span", [("class", "quote" | "quotelink" | "deadlink")]) => true,
            (
                "span",
                [("class", "sjis" | "sjis ascii"), ("tabindex", "0"), ("role", "img"), ("aria-label", "Text art")],
            ) => true,
            ("ol", [("start", start)]) => start.parse::<u32>().is_ok(),
            ("a", [("href", _), ("class", "quotelink")]) => true,
            ("a", [("href", address), ("rel", "nofollow ugc noopener noreferrer")]) => {
                let address = address.to_ascii_lowercase();
                address.starts_with("http://") || address.starts_with("https://")
            }
            _ => false,
        };
        if !known || tag.self_closing {
            self.wrong.borrow_mut().push(format!("{tag:?}"));
        }
    }
}

/// Fails unless `html` is of the vocabulary, for our reader and for a browser's tokenizer, and both see the same text.
#[track_caller]
pub fn check(html: &str) {
    let text = vocabulary::check(html);
    let input = BufferQueue::default();
    input.push_back(html.into());
    let tokenizer = Tokenizer::new(Seen::default(), TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() });
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let seen = tokenizer.sink;
    assert!(seen.wrong.borrow().is_empty(), "{:?} in:\n{html}", seen.wrong.borrow());
    assert_eq!(*seen.text.borrow(), text, "in:\n{html}");
}
