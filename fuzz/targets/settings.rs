//! A settings file: values, or messages that name a place within it.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{Problem, SiteSettings};
use nejiboard::store::settings::{read_board, read_site, read_theme};

fn look<T>(text: &str, outcome: Result<T, Vec<Problem>>) -> Option<T> {
    match outcome {
        Ok(settings) => Some(settings),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                // The end of the file is behind its last line.
                let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() + 1;
                assert!(problem.place.is_none_or(|(line, _)| line <= lines), "{problem}");
                let told = problem.to_string();
                assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
            }
            None
        }
    }
}

fuzz_target!(|text: &str| {
    let path = Path::new("site.yaml");
    if let Some(site) = look(text, read_site(path, text)) {
        assert!(site.prefix().starts_with('/') && site.prefix().ends_with('/'), "{site:?}");
        assert!(!site.theme.contains(['/', '.']), "{site:?}");
        assert!(site.post_url.iter().all(|url| !url.contains(['"', '\'', '<', '>', ' '])), "{site:?}");
        look(text, read_board(path, text, &site));
    }
    look(text, read_board(path, text, &SiteSettings::default()));
    look(text, read_theme(path, text));
});
