//! An archive to import, as lines of JSON and as a file of the 4chan API: every thread that comes of it can be kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nejiboard::model::{BoardSlug, Thread, ThreadFlags};
use nejiboard::store::import::jsonl::Source;
use nejiboard::store::import::{Dialect, Imported, fourchan, jsonl};
use nejiboard_fuzz::{file, is_read_as_written};

fn keep(imported: Imported) -> std::io::Result<()> {
    let thread = match imported {
        Imported::Board { .. } | Imported::Moved { .. } | Imported::Read(_) => return Ok(()),
        Imported::Thread { thread, .. } => thread,
        Imported::Replies { posts, .. } => Thread { flags: ThreadFlags::default(), changed: None, posts },
    };
    assert!(thread.posts.is_sorted_by(|a, b| a.no < b.no), "{thread:?}");
    is_read_as_written(&thread);
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let path = file("archive.json", bytes);
    let board = BoardSlug::parse("tech").expect("it is a name");
    for board in [None, Some(&board)] {
        let _ = jsonl(&[Source::File(path.clone())], board, &mut keep, &mut |_| {});
    }
    let _ = fourchan(&[path], Some(&board), Dialect::Vichan, &mut keep, &mut |_| {});
});
