//! What holds for any body whatever.

use super::{Known, browser, html, vocabulary};
use nejiboard::model::quotes::{self, LINKS_MAX, Quote};
use nejiboard::render::markup::{Length, Links, Renderer, render};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Pieces that mean something, alone or beside one another.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n\n",
    " ",
    " ",
    "  ",
    "    ",
    "\t",
    "a",
    "b c",
    "word",
    "1",
    "12",
    ">",
    ">>",
    ">>12",
    ">>1",
    ">>>/tech/12",
    ">>>/tech/",
    ">>>/x/",
    "&gt;&gt;12",
    "&",
    "<",
    "<b>",
    "</b>",
    "<!--",
    "<a href=\"x\">",
    "\"",
    "'",
    "*",
    "**",
    "***",
    "_",
    "__",
    "`",
    "``",
    "```",
    "~~~",
    "```rust",
    "||",
    "|",
    "|||",
    "[spoiler]",
    "[/spoiler]",
    "[SPOILER]",
    "[code]",
    "[/code]",
    "[aa]",
    "[/aa]",
    "[",
    "]",
    "(",
    ")",
    "](",
    "![",
    "](https://a.b)",
    "[x](https://a.b/c)",
    "[>>12](http://a.b)",
    "https://a.b",
    "http://",
    "https://a.b/(c)?d=[e]&f",
    "HTTPS://A",
    "://",
    "\\",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "2. ",
    "3) ",
    "  - ",
    "     - ",
    "# ",
    "===",
    "---",
    "| a |",
    "/\\",
    "\\/",
    "_/ \\_",
    "／￣＼",
    "（´∀｀）",
    "　　　",
    "\0",
    "\r",
    "\r\n",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "\u{2066}",
    "\u{301}",
    "\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{200d}",
    "é",
    "漢字",
    "🏴",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![4 => soup(), 1 => any::<String>(), 1 => "[ -~\n]{0,80}", 1 => "[>/0-9a-z\\\\\0\n]{0,40}"]
}

/// Remembers what it is asked for.
#[derive(Default)]
struct Asked(RefCell<BTreeSet<Quote>>);

impl Links for Asked {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        self.0.borrow_mut().insert(quote.clone());
        Known.href(quote, out)
    }
}

/// The text that no spoiler hides.
fn in_sight(html: &str) -> String {
    let mut pieces = html.split("<s>");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    pieces.for_each(|piece| out.push_str(piece.split_once("</s>").expect("spoilers are closed").1));
    vocabulary::check(&out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_body_gives_well_formed_html_of_the_closed_vocabulary(body in anything()) {
        browser::check(&html(&body));
    }

    #[test]
    fn only_quotes_that_the_scan_finds_are_asked_for(body in anything()) {
        let asked = Asked::default();
        render(&body, &asked, &mut String::new());
        let mut scanned = BTreeSet::new();
        quotes::scan(&body, |quote| {
            scanned.insert(quote);
        });
        let asked = asked.0.into_inner();
        prop_assert!(asked.is_subset(&scanned), "{:?} are not among {:?}", asked, scanned);
    }

    #[test]
    fn no_quote_is_asked_for_behind_the_last_one_that_the_scan_finds(body in anything(), before in 0..=LINKS_MAX) {
        let body = ">>1\n".repeat(before) + &body;
        let asked = Asked::default();
        render(&body, &asked, &mut String::new());
        let (mut scanned, mut times) = (BTreeSet::new(), 0);
        quotes::scan(&body, |quote| {
            scanned.insert(quote);
            times += 1;
        });
        let asked = asked.0.into_inner();
        prop_assert!(asked.is_subset(&scanned), "{:?} are not among {:?}", asked, scanned);
        prop_assert!(times <= LINKS_MAX);
        browser::check(&html(&body));
    }

    #[test]
    fn a_renderer_forgets_the_bodies_before(bodies in prop::collection::vec(anything(), 1..4), chars in 0..60_usize) {
        let mut renderer = Renderer::default();
        for body in bodies {
            let (mut again, mut alone) = (String::new(), String::new());
            let length = Length { chars, lines: 8 };
            let beginning = renderer.render_with_beginning(&body, length, &Known, &mut again);
            prop_assert_eq!(&beginning, &Renderer::default().render_with_beginning(&body, length, &Known, &mut alone));
            prop_assert_eq!(again, alone);
        }
    }

    #[test]
    fn a_beginning_stands_by_itself_and_is_what_the_whole_begins_with(
        body in anything(), chars in 0..60_usize, lines in 0..8_usize,
    ) {
        let mut whole = String::new();
        let beginning = Renderer::default().render_with_beginning(&body, Length { chars, lines }, &Known, &mut whole);
        prop_assert_eq!(&whole, &html(&body));
        let Some(beginning) = beginning else { return Ok(()) };
        browser::check(&beginning);
        let (shown, all) = (vocabulary::check(&beginning), vocabulary::check(&whole));
        prop_assert!(all.starts_with(&shown), "{:?} does not begin with {:?}", all, shown);
        prop_assert!(shown.chars().filter(|c| *c != '\n').count() <= chars, "{:?}", shown);
        prop_assert!(shown.matches('\n').count() <= lines, "{:?}", shown);
        // What is hidden is hidden in the beginning too.
        prop_assert!(in_sight(&whole).starts_with(&in_sight(&beginning)), "{:?} and {:?}", whole, beginning);
    }

    #[test]
    fn the_output_is_bounded_by_the_input(body in anything()) {
        let shown = html(&body);
        prop_assert!(shown.len() <= 40 * body.len() + 60, "{} bytes of {}", shown.len(), body.len());
    }

    #[test]
    fn what_is_rendered_is_appended(body in anything()) {
        let mut out = String::from("before");
        render(&body, &Known, &mut out);
        prop_assert_eq!(out, format!("before{}", html(&body)));
    }

    #[test]
    fn art_in_tags_is_shown_as_it_was_typed(art in "[ -~\n　-〃＿／＼￣（）∧∀´ﾟ│─]{1,60}") {
        prop_assume!(!art.to_ascii_lowercase().contains("[/aa]"));
        let shown = vocabulary::check(&html(&format!("[aa]{art}[/aa]")));
        let inner = art.strip_prefix('\n').unwrap_or(&art);
        prop_assert_eq!(shown, inner.strip_suffix('\n').unwrap_or(inner));
    }

    #[test]
    fn code_is_shown_as_it_was_typed(code in "[ -~\né漢]{1,60}") {
        prop_assume!(!code.contains("~~~"));
        let shown = vocabulary::check(&html(&format!("~~~\n{code}\n~~~")));
        prop_assert_eq!(shown, code);
    }

    #[test]
    fn no_letter_is_lost_or_moved(body in "[a-d *_`\\\\|<>&\"'()!#=~^\n-]{0,60}") {
        // A line of three backticks or tildes and letters opens code and names its language.
        prop_assume!(!body.contains("```") && !body.contains("~~~"));
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
        prop_assert_eq!(letters(&vocabulary::check(&html(&body))), letters(&body));
    }

    #[test]
    fn prose_is_shown_as_it_was_typed(body in "([A-Za-z][a-z',]{0,8}[ .!?]){1,12}") {
        prop_assert_eq!(vocabulary::check(&html(&body)), body);
    }
}
