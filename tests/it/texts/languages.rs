//! The languages that the built-in theme has.

use std::collections::BTreeSet;

use nejiboard::app::builder::Manner;
use nejiboard::model::texts::{Piece, Text};
use nejiboard::store::locale;

use super::super::sandbox::running::Running;
use super::super::sandbox::{Sandbox, files_below};
use super::{files, texts};

const LANGUAGES: [&str; 5] = ["de", "en", "es", "id", "ja"];

/// Runs of three or more English words that the theme says, with nothing between them.
fn english_runs() -> BTreeSet<String> {
    let english = texts(&[], "en");
    let phrases = english.iter().flat_map(|(_, text)| [text.one().clone(), text.other().clone()]);
    let pieces = phrases.flat_map(|phrase| phrase.pieces().to_vec());
    let words = pieces.filter_map(|piece| match piece {
        Piece::Words(words) => Some(words.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()),
        Piece::Value(_) => None,
    });
    words.filter(|words| 3 <= words.split(' ').count() && !words.contains(['`', '“'])).collect()
}

#[test]
fn every_language_says_everything() {
    let files = files(&[]);
    assert_eq!(locale::tags(&files), LANGUAGES);
    assert_eq!(locale::audit(&files), Vec::new());
    let english = texts(&[], "en");
    for tag in LANGUAGES {
        let read = locale::read(&files, tag).unwrap();
        assert_eq!(read.missing, None, "{tag}");
        for (key, text) in read.texts.iter().filter(|_| tag != "en") {
            // A whole sentence is hardly the same in two languages.
            let source = english.get(key).unwrap().other().source();
            assert!(source.split(' ').count() < 3 || text.other().source() != source, "{tag}: `{key}` is English");
            let says = |text: &Text| !text.one().source().trim().is_empty() && !text.other().source().trim().is_empty();
            assert!(says(text), "{tag}: `{key}` is empty");
            let trimmed = |text: &str| text == text.trim();
            assert!(
                trimmed(text.one().source()) && trimmed(text.other().source()),
                "{tag}: `{key}` has spaces at its ends"
            );
        }
    }
}

/// A site that shows all that a theme can say, itself in Japanese.
fn everything(locale: &str) -> Sandbox {
    let replies: String = (22..=125).map(|no| format!("--- {{no: {no}}}\nあ\n")).collect();
    let site = Sandbox::new(&format!(
        "
==> content/b/board.yaml
title: 空
==> content/t/board.yaml
title: 雑談
description: なんでも
threads_per_page: 2
index_pages: 2
==> content/t/1.md
--- {{no: 1, at: 2025-03-02T10:20:30Z, archived: true}}
あ
--- {{no: 2, at: 2025-03-02T10:20:30Z, sage: true}}
>>1
==> content/t/3.md
--- {{no: 3, deleted: true, sticky: true, locked: true}}

--- {{no: 4, at: 2025-03-02T10:20:30Z}}
{long}
==> content/t/5.md
--- {{no: 5}}
あ
==> content/t/21.md
--- {{no: 21, at: 2025-03-02T10:20:30Z}}
あ
{replies}
==> content/t/200.md
--- {{no: 200}}
あ
",
        long = "い\n".repeat(120),
    ));
    site.write("content/site.yaml", format!("title: ねじ\nlocale: {locale}\n"));
    assert_eq!(site.build().problems, Vec::new());
    site
}

fn pages(site: &Sandbox) -> Vec<(String, String)> {
    let files = files_below(&site.path("public")).into_iter().filter(|(path, _)| path.ends_with(".html"));
    files.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// What a page says: its text, and the attributes that people get to read or to hear.
fn said(page: &str) -> String {
    let mut said = String::new();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let quoted: Vec<&str> = tag.split('"').collect();
        for pair in quoted.chunks(2).filter(|pair| pair.len() == 2) {
            let name = pair[0].trim_end_matches('=').rsplit(' ').next().unwrap();
            if ["title", "aria-label", "placeholder", "alt"].contains(&name) {
                said.extend([pair[1], "\n"]);
            }
        }
        said.extend([text, "\n"]);
    }
    said
}

#[test]
fn pages_of_another_language_have_no_english_left() {
    let runs = english_runs();
    assert!(40 < runs.len(), "{runs:?}");
    let english = pages(&everything("en"));
    // The site does show what is looked for, else this would prove nothing.
    let shown = runs.iter().filter(|run| english.iter().any(|(_, page)| page.contains(run.as_str()))).count();
    assert!(18 <= shown, "{shown} texts are shown");
    for tag in LANGUAGES.into_iter().filter(|tag| *tag != "en") {
        let site = everything(tag);
        let door = Running::start(site.root());
        let mut pages = pages(&site);
        assert_eq!(pages.len(), english.len());
        for form in [[("board", "t"), ("body", " ")], [("board", "nowhere"), ("body", "x")]] {
            pages.push((format!("{form:?}"), door.post(&form).body));
        }
        for (path, page) in pages {
            assert!(page.contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">")), "{path}");
            for run in &runs {
                assert!(!page.contains(run.as_str()), "{tag}: {path} says {run:?}");
            }
            // In Japanese two words of Latin letters side by side are foreign, wherever they come from.
            let words = |line: &str| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let latin = |word: &&str| 2 <= word.len() && word.bytes().all(|b| b.is_ascii_alphabetic());
                words.windows(2).any(|pair| pair.iter().all(latin))
            };
            let foreign = said(&page).lines().find(|line| words(line)).map(str::to_owned);
            assert_eq!(foreign.filter(|_| tag == "ja"), None, "{path}");
        }
    }
}

#[test]
fn a_site_that_changes_its_language_is_built_as_if_it_had_always_spoken_it() {
    let site = everything("en");
    for tag in ["de", "ja", "de"] {
        site.write("content/site.yaml", format!("title: ねじ\nlocale: {tag}\n"));
        site.build();
        let public = files_below(&site.path("public"));
        let fresh = everything(tag);
        let clean = files_below(&fresh.path("public"));
        let html = |path: &&String| path.ends_with(".html");
        assert_eq!(public.keys().filter(html).collect::<Vec<_>>(), clean.keys().filter(html).collect::<Vec<_>>());
        for (path, bytes) in &clean {
            assert!(public.get(path) == Some(bytes), "{tag}: {path} is not what a clean build gives");
        }
        site.build_in(Manner::Clean);
        assert_eq!(site.build().written.len(), 0);
    }
    assert!(site.page("t/thread/3.html").contains("Beitrag entfernt."));
}

#[test]
fn counted_texts_follow_the_number() {
    for (tag, one, many) in [("de", "1 Antwort", "104 Antworten"), ("ja", "レス1件", "レス104件")] {
        let site = everything(tag);
        let (archive, catalog) = (site.page("t/archive.html"), site.page("t/catalog.html"));
        assert!(archive.contains(&format!("{one}\n")), "{archive}");
        assert!(catalog.contains(&format!("{many}\n")), "{catalog}");
    }
}
