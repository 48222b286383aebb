//! The HTML of somebody else's comments: what comes of it is markup that renders well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Links, render};
use nejiboard::store::import::html::{to_markup, to_text};
use nejiboard_fuzz::vocabulary;

struct NoLinks;

impl Links for NoLinks {
    fn href(&self, _: &Quote, _: &mut String) -> bool {
        false
    }
}

fuzz_target!(|html: &str| {
    let markup = to_markup(html);
    let mut out = String::new();
    render(&markup.body, &NoLinks, &mut out);
    vocabulary::check(&out);
    to_text(html);
});
