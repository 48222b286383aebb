//! The HTML of somebody else's comments, of an imageboard and of a forum: what comes of it is markup that renders well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::PostNo;
use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Links, render};
use nejiboard::store::import::html::{page_to_markup, to_markup, to_text};
use nejiboard_fuzz::vocabulary;

struct NoLinks;

impl Links for NoLinks {
    fn href(&self, _: &Quote, _: &mut String) -> bool {
        false
    }
}

fuzz_target!(|html: &str| {
    for markup in [to_markup(html), page_to_markup(html, &|_, post| PostNo::new(post))] {
        let mut out = String::new();
        render(&markup.body, &NoLinks, &mut out);
        vocabulary::check(&out);
    }
    to_text(html);
});
