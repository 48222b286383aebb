//! What a poster typed: HTML of the closed vocabulary, well nested, of a size that is linear in that of the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Length, Links, Renderer, render};
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
    let mut renderer = Renderer::default();
    // What it noted down for another body must not show.
    renderer.render("||a [code]b\n> c **d", &SomeLinks, &mut String::new());
    let length = Length { chars: 40, lines: 4 };
    if let Some(beginning) = renderer.render_with_beginning(body, length, &SomeLinks, &mut again) {
        vocabulary::check(&beginning);
    }
    assert_eq!(html, again);
});
