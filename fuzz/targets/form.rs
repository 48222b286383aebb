//! A submission: the first byte says how it is sent, the rest is what is sent. It is refused, or it is a post that keeps
//! to the rules of its board.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::PostId;

#[allow(dead_code)]
#[path = "../../tests/it/door/setup.rs"]
mod setup;

use setup::{Fake, Quiet, quick, request};

fuzz_target!(|bytes: &[u8]| {
    thread_local! {
        static DOOR: Quiet = Quiet::with_limits(Fake::default(), quick());
    }
    let Some((how, body)) = bytes.split_first() else { return };
    let media_type = match how % 4 {
        0 => "application/x-www-form-urlencoded",
        1 => "multipart/form-data; boundary=x",
        2 => "application/x-www-form-urlencoded; charset=utf-8",
        _ => "multipart/form-data; boundary=\"--a b\"",
    };
    let accept = if how & 4 == 0 { "text/html" } else { "application/json" };
    DOOR.with(|door| {
        let before = door.backend.metrics.text().expect("it is text");
        let answer = door.ask(request("POST", "/post", &[("content-type", media_type), ("accept", accept)], body));
        // A panic in a request is survived, and is counted.
        let panics =
            |text: &str| text.lines().filter(|line| line.contains("panics")).map(str::to_owned).collect::<Vec<_>>();
        let after = door.backend.metrics.text().expect("it is text");
        assert_eq!(panics(&before), panics(&after), "a request panicked");
        assert!(answer.status < 500 && !answer.header("content-security-policy").is_empty(), "{answer:?}");
        let posts: Vec<_> = std::mem::take(&mut *door.backend.posts.lock().expect("nobody panics"));
        let accepted = [201, 202, 303].contains(&answer.status);
        // The same form again, or the same nonce, leads to the first post.
        assert!(posts.len() <= usize::from(accepted), "{answer:?} {posts:?}");
        for post in posts {
            let one_line = |text: &str| !text.chars().any(|c| c.is_control()) && text.trim() == text;
            assert!(one_line(&post.name) && one_line(&post.subject), "{post:?}");
            assert!(!post.body.contains(['\r', '\0']) && !post.body.trim_end().is_empty(), "{post:?}");
            assert!(post.body.chars().count() <= door.backend.board.body_chars_max, "{post:?}");
            assert!(post.body.lines().count() <= door.backend.board.body_lines_max, "{post:?}");
            assert!(post.subject.chars().count() <= door.backend.board.subject_chars_max, "{post:?}");
            assert!(PostId::parse(post.id.as_str()).is_ok());
        }
    });
});
