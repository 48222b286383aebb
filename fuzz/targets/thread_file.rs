//! A thread file, edited by anybody: it is read without a panic, and what was read is written so that it is the same.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{Post, PostNo};
use nejiboard::store::thread_file::{append, read};
use nejiboard_fuzz::is_read_as_written;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("content/tech/1.md");
    let reading = read(path, bytes);
    for problem in &reading.problems {
        let told = problem.to_string();
        assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    }
    let Some(thread) = reading.thread else { return };
    is_read_as_written(&thread);
    let Some(no) = thread.posts.iter().map(|post| post.no.get()).max().and_then(|no| PostNo::new(no + 1)) else {
        return;
    };
    // A reply that is added at the end changes nothing of what is there.
    let post = Post { at: thread.posts[0].at, body: "one more".to_owned(), ..Post::new(no) };
    let after = read(path, &append(bytes, std::slice::from_ref(&post)));
    let mut expected = thread;
    expected.posts.push(post);
    if reading.problems.is_empty() {
        assert!(after.problems.is_empty(), "{:?}", after.problems);
    }
    assert_eq!(after.thread.as_ref(), Some(&expected));
});
