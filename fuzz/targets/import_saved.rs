//! A saved thread, as a `.dat` of 2ch and as a page of vichan or 4chan: every thread that comes of it can be kept.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{BoardSlug, PostNo};
use nejiboard::store::import::{Dialect, Imported, Registry, fourchan, two_channel};
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
    let page = file("120.html", bytes);
    let _ = fourchan(&[page], Some(&board), Dialect::Vichan, &mut keep, &mut |_| {});
    let dat = file("1046550030.dat", bytes);
    let _ = two_channel(&[dat], Some(&board), &mut NoPosts, &mut keep, &mut |_| {});
    let _ = std::fs::remove_dir_all(NoPosts.folder());
});
