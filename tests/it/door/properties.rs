//! What holds whatever is asked.

use std::fs;

use proptest::prelude::*;

use super::setup::{Fake, Quiet, request};
use nejiboard::model::PostId;

/// Pieces of which a path is made that wants to leave its folder.
const PIECES: [&str; 26] = [
    "/",
    "/",
    "/",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "\\",
    "%00",
    "%0a",
    "%25",
    "%c0%ae",
    "%ff",
    "tech",
    "out",
    "secret.html",
    "index.html",
    "thread",
    "1.html",
    "?",
    "a",
    "%",
    "é",
    "~",
];

/// Pieces of which a form is made.
const FORM_PIECES: [&str; 32] = [
    "&",
    "&",
    "&",
    "=",
    "board=tech",
    "board",
    "thread=1",
    "thread",
    "name=",
    "subject=",
    "body=",
    "body=x",
    "options=sage",
    "nonce=",
    "password=",
    "_charset_=",
    "%00",
    "%0d%0a",
    "%0d",
    "%ED%A0%80",
    "%E2%80%AE",
    "%1b",
    "+",
    "%e3%80%80",
    "%",
    "%23",
    "x",
    "\0",
    "é",
    "%f0%9f%8d%a5",
    "%3e%3e1",
    "%85",
];

fn joined(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_path_leaves_public(path in joined(&PIECES)) {
        thread_local! {
            static SITE: Quiet = {
                let quiet = Quiet::new(Fake::default());
                quiet.file("index.html", "fine");
                quiet.file("tech/thread/1.html", "fine");
                fs::write(quiet.public.path().join("secret.html"), "secret").unwrap();
                std::os::unix::fs::symlink("..", quiet.public.path().join("public/out")).unwrap();
                quiet
            };
        }
        let path = format!("/{path}");
        prop_assume!(path.parse::<hyper::Uri>().is_ok_and(|uri| uri.authority().is_none()));
        SITE.with(|quiet| {
            let answer = quiet.get(&path);
            prop_assert!([200, 308, 404, 405].contains(&answer.status), "{path}: {}", answer.status);
            prop_assert!(!answer.text().contains("secret"), "{path}");
            if answer.status == 308 {
                let location = answer.header("location");
                prop_assert!(location.starts_with('/') && !location.starts_with("//"), "{path}: {location}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn whatever_is_sent_is_refused_or_well(form in joined(&FORM_PIECES)) {
        let quiet = Quiet::new(Fake::default());
        let form = format!("board=tech&body={form}");
        let answer = quiet.post(&form);
        let posts = quiet.backend.taken();
        prop_assert!(answer.status < 500, "{form}: {}", answer.status);
        prop_assert_eq!(posts.len(), usize::from(answer.status == 303), "{}", form);
        for post in posts {
            let one_line = |text: &str| !text.chars().any(|c| c.is_control()) && text.trim() == text;
            prop_assert!(one_line(&post.name) && one_line(&post.subject), "{:?}", post);
            prop_assert!(!post.body.contains(['\r', '\0']) && !post.body.trim_end().is_empty(), "{:?}", post);
            prop_assert!(post.body.trim_end() == post.body, "{:?}", post);
            prop_assert!(PostId::parse(post.id.as_str()).is_ok());
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300), boundary in "[a-z]{0,3}") {
        let quiet = Quiet::new(Fake::default());
        for media_type in ["application/x-www-form-urlencoded", &format!("multipart/form-data; boundary={boundary}")] {
            let answer = quiet.post_as(media_type, &bytes);
            prop_assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
        let range = String::from_utf8_lossy(&bytes).replace(|c: char| !c.is_ascii_graphic(), "");
        quiet.file("index.html", "0123456789");
        for name in ["range", "if-range", "if-none-match", "if-modified-since", "accept"] {
            let headers = [(name, range.as_str())];
            // A lone star matches every tag.
            let status = quiet.ask(request("GET", "/", &headers, "")).status;
            prop_assert!(status == 200 || (status == 304 && range.contains('*')), "{status}");
        }
    }
}
