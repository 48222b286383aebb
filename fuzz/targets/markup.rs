//! What a poster typed: HTML of the closed vocabulary, well nested, of a size that is linear in that of the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Length, Links, render, render_with_beginning};
use nejiboard_fuzz::vocabulary;

/// Every other quote leads somewhere.
struct SomeLinks;

impl Links for SomeLinks {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        let text = format!("{quote:?}");
        if text.len() % 2 == 0 {
            out.push_str("/tech/thread/1.html#p1");
        }
        text.len() % 2 == 0
    }
}

fuzz_target!(|body: &str| {
    let mut html = String::new();
    render(body, &SomeLinks, &mut html);
    vocabulary::check(&html);
    // A bare address stands in its link twice, with a fixed text around it.
    assert!(html.len() <= 200 + 80 * body.len(), "{} of {}", html.len(), body.len());
    let mut again = String::new();
    if let Some(beginning) = render_with_beginning(body, Length { chars: 40, lines: 4 }, &SomeLinks, &mut again) {
        vocabulary::check(&beginning);
    }
    assert_eq!(html, again);
});
