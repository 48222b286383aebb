//! A file that somebody dropped into the inbox: what is taken from it can stand in a thread's file.
#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{PostNo, Thread, ThreadFlags};
use nejiboard::store::inbox::{BODY_BYTES_MAX, FIELDS_BYTES_MAX, Inbox, Taking};
use nejiboard_fuzz::{file, folder, is_read_as_written};

fuzz_target!(|bytes: &[u8]| {
    file("dropped.md", bytes);
    let inbox = Inbox::open(folder().to_owned()).expect("it is there");
    let later = SystemTime::now() + std::time::Duration::from_secs(60);
    let Taking::Posts(arrivals, _) = inbox.take("dropped.md", later).expect("it can be read") else { return };
    for arrival in arrivals {
        assert!(!arrival.body.trim().is_empty() && arrival.body.len() <= BODY_BYTES_MAX);
        assert!(arrival.name.len() + arrival.subject.len() <= FIELDS_BYTES_MAX);
        let no = PostNo::new(1).expect("1 is a number");
        let at = arrival.at.unwrap_or_default();
        let posts = vec![arrival.into_post(no, at)];
        is_read_as_written(&Thread { flags: ThreadFlags::default(), changed: None, posts });
    }
});
