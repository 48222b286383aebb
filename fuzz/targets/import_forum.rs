//! A saved forum, as a topic of Discourse and as a dump of Stack Exchange: every thread that comes of it can be kept.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{BoardSlug, PostNo};
use nejiboard::store::import::{Imported, Registry, discourse, stackexchange};
use nejiboard_fuzz::{file, folder, is_read_as_written};

/// A site without any post.
struct NoPosts;

impl Registry for NoPosts {
    fn first_free(&mut self, _: &BoardSlug) -> Option<PostNo> {
        Some(PostNo::MIN)
    }

    fn reserve(&mut self, _: &BoardSlug, _: PostNo) {}

    fn folder(&self) -> PathBuf {
        folder().join("numbers")
    }
}

fn keep(imported: Imported) -> std::io::Result<()> {
    if let Imported::Thread { thread, .. } = imported {
        assert!(thread.posts.is_sorted_by(|a, b| a.no < b.no), "{thread:?}");
        is_read_as_written(&thread);
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let board = BoardSlug::parse("tech").expect("it is a name");
    let topic = file("12.json", bytes);
    let _ = discourse(&[topic], &board, &mut NoPosts, &mut keep, &mut |_| {});
    let dump = file("Posts.xml", bytes);
    let _ = stackexchange(&[dump], &board, &mut NoPosts, &mut keep, &mut |_| {});
    let _ = std::fs::remove_dir_all(NoPosts.folder());
});
