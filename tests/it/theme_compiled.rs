//! Themes as the program compiles them: what is refused, and that the quick way to draw a post gives what handlebars
//! gives, byte for byte.

use std::path::PathBuf;

use nejiboard::model::theme::ThemeFile;
use nejiboard::render::views::{Backlink, PostView};
use nejiboard::render::{BadTheme, Theme};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::sandbox::english;

/// The built-in theme with some of its files replaced.
fn compile(replaced: &[(&str, &str)]) -> Result<Theme, BadTheme> {
    let folder = super::sandbox::Sandbox::empty();
    let mut files = nejiboard::store::theme::read(&folder.path("themes"), "default").expect("it is built in");
    for (path, text) in replaced {
        let file = ThemeFile { bytes: text.as_bytes().to_vec(), origin: PathBuf::from(path) };
        files.files.insert((*path).to_owned(), file);
    }
    Theme::compile(&files, &english(&files), "/")
}

/// SECURITY: each of these would write what a stranger typed without escaping it.
#[test]
fn no_template_gets_a_strangers_text_into_triple_braces() {
    let raw = ("partials/raw.hbs", "{{body}}");
    for (path, template) in [
        ("post.hbs", "{{&subject}}"),
        ("post.hbs", "{{#if op}}{{else}}{{{name}}}{{/if}}"),
        ("post.hbs", "{{#*inline \"p\"}}{{{subject}}}{{/inline}}{{> p}}"),
        ("post.hbs", "{{#*inline \"p\"}}{{{body}}}{{/inline}}{{> p body=subject}}"),
        ("post.hbs", "{{#each backlinks as |body|}}{{{body}}}{{/each}}"),
        ("post.hbs", "{{#each backlinks as |link body|}}{{{body}}}{{/each}}"),
        ("post.hbs", "{{> raw body=subject}}"),
        ("post.hbs", "{{{lookup this \"subject\"}}}"),
        ("post.hbs", "{{> (lookup this \"subject\")}}"),
        ("thread.hbs", "{{> post body=subject}}"),
        ("thread.hbs", "{{#> post form}}{{/post}}"),
        ("thread.hbs", "{{{form.body}}}"),
        ("thread.hbs", "{{{opening}}}"),
        ("index.hbs", "{{#each threads as |opening|}}{{/each}}"),
        ("thread.hbs", "{{> tail opening=title}}"),
        ("tail.hbs", "{{{form.body}}}"),
        ("thread.hbs", "{{#> raw posts=subject}}{{{posts}}}{{/raw}}"),
        ("partials/form.hbs", "<textarea>{{{body}}}</textarea>"),
    ] {
        let bad = compile(&[raw, (path, template)]).err().unwrap_or_else(|| panic!("accepted: {path}: {template}"));
        let message = bad.to_string();
        let told = [
            "`, which may stand in triple",
            "stands in triple braces",
            "has to stand in the template",
            "cannot be a partial",
        ];
        assert!(
            message.starts_with(path) && told.iter().any(|words| message.contains(words)),
            "{path}: {template}: {message}"
        );
    }
    let fine =
        compile(&[("post.hbs", "{{#*inline \"p\"}}<b>{{subject}}</b>{{/inline}}{{> p}}{{#if op}}{{{body}}}{{/if}}")]);
    assert!(fine.is_ok(), "{:?}", fine.err());
}

/// SECURITY: one that shows only on some pages would let a stranger break those.
#[test]
fn a_misspelt_value_is_found_wherever_it_stands() {
    for (path, template) in [
        ("tail.hbs", "{{ommitted}}"),
        ("post.hbs", "{{#if more_backlinks}}{{more}}{{/if}}"),
        ("post.hbs", "{{#if cut}}{{hrev}}{{/if}}"),
        ("home.hbs", "{{#if more_boards}}{{more}}{{/if}}"),
        ("archive.hbs", "{{#if more_boards}}{{else}}{{more}}{{/if}}"),
        ("catalog.hbs", "{{#each boards}}{{#if current}}{{no}}{{/if}}{{/each}}"),
        ("thread.hbs", "{{#if tail_href}}{{tail_post}}{{/if}}"),
        ("thread.hbs", "{{#if tail_href}}{{else}}{{tail_post}}{{/if}}"),
        ("catalog.hbs", "{{#each threads}}{{#if tail_href}}{{tail_post}}{{/if}}{{/each}}"),
    ] {
        assert!(compile(&[(path, template)]).is_err(), "accepted: {path}: {template}");
    }
}

/// Pieces of templates, from plain ones to those that only handlebars knows.
fn template() -> impl Strategy<Value = String> {
    let fields = "no|href|op|deleted|name|trip|poster_id|capcode|subject|sage|sticky|locked|archived|iso|time|more_backlinks|cut";
    let field = proptest::sample::select(fields.split('|').collect::<Vec<_>>());
    let text = proptest::sample::select(vec![
        "<p>",
        " ",
        "\n",
        "  \n",
        "\t",
        "é",
        "\\{{name}}",
        "\\\\",
        "}}",
        "{",
        "&amp;",
        "\r\n",
        "{{! no }}",
        "{{!-- {{no}} --}}\n",
        "{{{body}}}",
        "{{~{body}~}}",
        "{{& body}}",
        "{{body}}",
        "{{this.name}}",
        "{{./trip}}",
        "{{@root.name}}",
        "{{[name]}}",
        "{{lookup this \"name\"}}",
        "{{#if (eq no 1)}}one{{/if}}",
        "{{#if no includeZero=true}}z{{/if}}",
        "{{#each backlinks}}{{@index}}{{#if @last}}.{{/if}}{{../no}}{{/each}}",
        "{{#each backlinks as |b|}}{{b.no}}{{/each}}",
        "{{#with this}}{{name}}{{/with}}",
        "{{{{raw}}}}{{name}}{{{{/raw}}}}",
        "{{#if body}}b{{/if}}",
        "{{len backlinks}}",
        "{{asset \"style.css\"}}",
        "{{#*inline \"p\"}}{{no}}{{/inline}}{{> p}}",
    ]);
    let leaf = prop_oneof![
        text.prop_map(str::to_owned),
        field.clone().prop_map(|field| format!("{{{{{field}}}}}")),
        field.clone().prop_map(|field| format!(" \n{{{{~{field} ~}}}}\n ")),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let pieces = proptest::collection::vec(inner, 0..4).prop_map(|pieces| pieces.concat());
        let links = "{{no}}|{{href}}|<i>|\n|{{#if no}}n{{else}}z{{/if}}|{{#unless href}}u{{/unless}}|{{~href~}}";
        let link = proptest::sample::select(links.split('|').collect::<Vec<_>>());
        let links = proptest::collection::vec(link, 0..4).prop_map(|pieces| pieces.concat());
        let (f, p) = (field.clone(), pieces.clone());
        prop_oneof![
            (f.clone(), p.clone()).prop_map(|(f, a)| format!("{{{{#if {f}}}}}{a}{{{{/if}}}}")),
            (f.clone(), p.clone(), p.clone())
                .prop_map(|(f, a, b)| format!("{{{{#if {f}}}}}{a}{{{{else}}}}{b}{{{{/if}}}}")),
            (f.clone(), p.clone(), p.clone())
                .prop_map(|(f, a, b)| format!("\n  {{{{#unless {f}}}}}  \n{a}\n{{{{^}}}}\n{b}{{{{~/unless}}}}\n")),
            (f.clone(), p.clone(), f, p.clone(), p.clone()).prop_map(|(f, a, g, b, c)| {
                format!("{{{{#if {f}}}}}{a}{{{{else if {g}}}}}{b}{{{{else}}}}{c}{{{{/if}}}}")
            }),
            (links.clone(), p.clone())
                .prop_map(|(a, b)| format!("{{{{#each backlinks}}}}{a}{{{{else}}}}{b}{{{{/each}}}}")),
            (links, p).prop_map(|(a, b)| format!(
                "{b}\n{{{{#if backlinks}}}}\n{{{{#each backlinks}}}}\n {a}\n{{{{/each}}}}\n{{{{/if}}}}\n"
            )),
        ]
    })
}

/// The values of a post.
#[derive(Clone, Debug)]
struct Values {
    no: u64,
    flags: [bool; 7],
    texts: [String; 9],
    backlinks: Vec<(u64, String)>,
    more_backlinks: usize,
}

fn values() -> impl Strategy<Value = Values> {
    let text = || prop_oneof![Just(String::new()), "[<>&\"'`= a-z\\u{0}\u{7}é{}]{0,12}"];
    let texts = [text(), text(), text(), text(), text(), text(), text(), text(), text()];
    let no = || prop_oneof![Just(0), 1..1_000_u64, Just((1 << 53) - 1), Just(u64::MAX)];
    let backlinks = proptest::collection::vec((no(), text()), 0..3);
    let more = prop_oneof![Just(0), 1..1_000_usize];
    (no(), any::<[bool; 7]>(), texts, backlinks, more).prop_map(|(no, flags, texts, backlinks, more_backlinks)| {
        Values { no, flags, texts, backlinks, more_backlinks }
    })
}

impl Values {
    /// The post as the compiled template and as handlebars draw it.
    fn drawn_twice(&self, theme: &Theme) -> (String, String) {
        let [op, deleted, sage, sticky, locked, archived, cut] = self.flags;
        let [href, name, trip, poster_id, capcode, subject, iso, time, body] =
            self.texts.each_ref().map(String::as_str);
        let backlinks: Vec<Backlink<'_>> = self.backlinks.iter().map(|(no, page)| Backlink { no: *no, page }).collect();
        let backlinks = backlinks.as_slice();
        #[rustfmt::skip]
        let post = PostView {
            no: self.no, href, op, deleted, name, trip, poster_id, capcode, subject, sage, sticky, locked, archived, iso, time, body,
            cut, backlinks, more_backlinks: self.more_backlinks,
        };
        let mut quick = String::new();
        theme.draw_post(&post, &mut quick).expect("a theme that was tried out can draw");
        (quick, theme.draw_by_handlebars("post", &post).expect("a theme that was tried out can draw"))
    }
}

/// The quick way is of use only if it changes nothing.
#[test]
fn a_compiled_post_is_what_handlebars_gives() {
    let (mut compiled, mut left) = (0, 0);
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let pieces = proptest::collection::vec(template(), 1..6).prop_map(|pieces| pieces.concat());
    let many = proptest::collection::vec(values(), 1..6);
    let counts = std::cell::RefCell::new((&mut compiled, &mut left));
    let outcome = runner.run(&(pieces, many), |(template, many)| {
        // What handlebars itself cannot read or draw is no theme.
        let Ok(theme) = compile(&[("post.hbs", &template)]) else { return Ok(()) };
        match theme.post_is_compiled() {
            true => *counts.borrow_mut().0 += 1,
            false => *counts.borrow_mut().1 += 1,
        }
        for values in many {
            let (quick, slow) = values.drawn_twice(&theme);
            prop_assert_eq!(quick, slow, "{:?}", template);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(50 < compiled && 50 < left, "{compiled} templates were compiled, {left} left to handlebars");
}
