//! `new`: a site to begin with.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::error::Error;
use super::{Console, DONE, clock};
use crate::disk::{self, DiskError};
use crate::model::{Post, PostNo, Thread, ThreadFlags};
use crate::store::{settings, thread_file};

/// The first thread of a new site.
const WELCOME: &str = "\
This board is a folder of plain files. This thread is `content/general/1.md`.

> Lines that begin with an arrow are quotes.
Write >>1 to answer a post, **bold**, *italic*, `code`, and ||spoiler|| for what should stay hidden.

Edit `content/site.yaml` and `content/general/board.yaml` next; every setting stands there with its meaning.";

/// Makes a site in `dir`.
pub fn new(dir: &Path, console: &Console) -> Result<u8, Error> {
    let there = match fs::read_dir(dir) {
        Ok(mut listing) => listing.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(source) => return Err(DiskError { action: "list", path: dir.to_owned(), source }.into()),
    };
    if there {
        return Err(Error::NotEmpty(dir.to_owned()));
    }
    let board = dir.join("content/general");
    disk::create_dir_all(&board)?;
    let write = |path: &str, text: &[u8]| disk::replace_durably(&dir.join(path), text);
    write("content/site.yaml", settings::sample_site("A new board").as_bytes())?;
    write("content/general/board.yaml", settings::sample_board("General", "Whatever comes to mind").as_bytes())?;
    write("content/general/1.md", &thread_file::write(&welcome()))?;
    write(".gitignore", b"/public/\n/.public.*/\n/.nejiboard/\n/posts-inbox/\n")?;
    disk::sync_folder(&board)?;
    let path = dir.display();
    let line = format!("made a site in {path}\nnext: nejiboard --root {path} serve");
    console.conclude(&line, &json!({ "command": "new", "root": dir.to_string_lossy() }))?;
    Ok(DONE)
}

fn welcome() -> Thread {
    let post = Post {
        at: clock::now(),
        subject: "Welcome".to_owned(),
        body: WELCOME.to_owned(),
        ..Post::new(PostNo::new(1).expect("1 is a number"))
    };
    Thread { flags: ThreadFlags::default(), changed: None, posts: vec![post] }
}
