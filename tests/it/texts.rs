//! Texts of the theme: how templates and scripts call them, where they come from, and what is told if they are wrong.

mod calls;
mod check;
mod languages;
mod said;

use std::path::{Path, PathBuf};

use nejiboard::model::Texts;
use nejiboard::model::theme::{ThemeFile, ThemeFiles};
use nejiboard::store::{locale, theme};

use super::sandbox::Sandbox;

/// The built-in theme with files over it, as a folder `themes/default/` has them.
fn files(over: &[(&str, &str)]) -> ThemeFiles {
    let mut files = theme::read(Path::new("no-themes-here"), "default").expect("it is built in");
    for (path, text) in over {
        let file = ThemeFile { origin: PathBuf::from(path), bytes: text.as_bytes().to_vec() };
        files.files.insert((*path).to_owned(), file);
    }
    files
}

/// What the theme says in a language.
#[track_caller]
fn texts(over: &[(&str, &str)], tag: &str) -> Texts {
    let told = |problems: Vec<_>| panic!("{tag}: {problems:?}");
    locale::read(&files(over), tag).unwrap_or_else(told).texts
}

/// A site in a language.
fn site(locale: &str) -> Sandbox {
    Sandbox::new(&format!("==> content/site.yaml\ntitle: T\nlocale: {locale}\n==> content/t/1.md\n--- {{no: 1}}\nx\n"))
}

#[test]
fn a_text_that_is_missing_is_said_in_the_next_language_of_the_chain() {
    let over = [
        ("locales/pt-BR.yaml", "skip: 'pt-BR'\nreply:\n"),
        ("locales/pt.yaml", "skip: 'pt'\nreply: 'pt'\nnext: 'pt'\n"),
        ("locales/en.yaml", "next: 'own en'\nto-top: 'own en'\n"),
    ];
    let said = |tag, key| texts(&over, tag).say(key, &[]);
    // A key without a text says nothing, as one that is not there.
    assert_eq!(["skip", "reply", "next", "to-top"].map(|key| said("pt-BR", key)), ["pt-BR", "pt", "pt", "own en"]);
    assert_eq!(["skip", "reply", "next", "to-top"].map(|key| said("pt", key)), ["pt", "pt", "pt", "own en"]);
    assert_eq!(said("pt-BR", "previous"), "Previous");
    // Case does not matter, nor a part that no file is for.
    assert_eq!([said("PT-br", "skip"), said("pt-BR-x-home", "skip")], ["pt-BR", "pt-BR"]);
    assert_eq!([said("fr", "next"), said("en-GB", "next")], ["own en", "own en"]);
    // No part of a tag is taken for one that begins alike.
    assert_eq!(said("p", "skip"), "Skip to the content");
}

#[test]
fn what_a_key_says_follows_a_number_and_takes_values() {
    let texts = texts(&[("locales/en.yaml", "greet: 'Good {time_of_day}, {name}: {time_of_day}'\n")], "en");
    assert_eq!(texts.say("greet", &[("name", "Neji"), ("time_of_day", "day")]), "Good day, Neji: day");
    assert_eq!(texts.say("greet", &[("name", "{time_of_day}")]), "Good {time_of_day}, {time_of_day}: {time_of_day}");
    let replies = texts.get("n-replies").unwrap();
    assert_eq!(replies.one().fill(&[("n", "1")]), "1 reply");
    assert_eq!(replies.other().fill(&[("n", "7")]), "7 replies");
    assert_eq!(texts.say("no-such-key", &[]), "no-such-key");
}

#[test]
fn pages_of_a_language_that_is_written_from_the_right_say_so() {
    let site = site("ar");
    site.write(
        "themes/default/locales/ar.yaml",
        "skip: 'انتقل إلى المحتوى'\nn-replies: {one: 'رد واحد', other: '{n} ردود'}\n",
    );
    assert_eq!(site.build().problems, Vec::new());
    let page = site.page("t/thread/1.html");
    assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"), "{page}");
    assert!(page.contains("انتقل إلى المحتوى") && page.contains("0 ردود"), "{page}");
    // What it does not say is said in English.
    assert!(page.contains("Back to the top"), "{page}");
}

#[test]
fn a_text_that_changes_redraws_the_pages_that_say_it() {
    let site = site("en");
    site.build();
    let before = site.page("t/thread/1.html");
    site.write("themes/default/locales/en.yaml", "to-top: 'Up, up & away'\n");
    site.build();
    let after = site.page("t/thread/1.html");
    assert_eq!(after, before.replace("Back to the top", "Up, up &amp; away"));
    // A language that the site does not speak is nothing to it.
    site.write("themes/default/locales/fr.yaml", "to-top: 'En haut'\n");
    let report = site.build();
    assert_eq!((report.drawn, report.written.len()), (0, 0));
    site.write("content/site.yaml", "title: T\nlocale: fr\n");
    site.build();
    assert!(site.page("t/thread/1.html").contains("En haut"));
    let public = super::sandbox::files_below(&site.path("public"));
    site.build_in(nejiboard::app::builder::Manner::Clean);
    assert_eq!(super::sandbox::files_below(&site.path("public")), public);
}
