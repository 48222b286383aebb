//! `mod post`: a post of staff.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::error::Error;
use super::super::trip_keys::Signer;
use super::super::{Console, DONE};
use super::{CARRIED_OUT_WITHIN, number_of, read_text};
use crate::cli::Say;
use crate::disk;
use crate::intake::tripcode::Secret;
use crate::model::act::Deed;
use crate::model::{Act, BoardSlug, PostId, PostNo, ThreadKey};
use crate::store::content;
use crate::store::moderate::posting::file_name;
use crate::store::site_dir::SiteDir;

/// Threads that are looked at for one that was just started, the newest first.
const LOOKED_AT_MAX: usize = 100;

/// What the command line asks for, with the name signed.
pub fn deed(dir: &SiteDir, say: Say) -> Result<Deed, Error> {
    content::require_site(dir.root())?;
    let board = BoardSlug::parse(&say.board).map_err(Error::BadBoard)?;
    let thread = say.thread.map(number_of).transpose()?;
    let signed = Signer::new(dir, Secret::from_bytes(dir.secret()?)).sign(&say.name);
    let body = say.text.map_or_else(read_text, Ok)?;
    let (name, trip, subject) = (signed.name, signed.trip, say.subject);
    Ok(Deed::Post { board, thread, capcode: say.capcode, name, trip, subject, sage: say.sage, body })
}

/// Tells where the post stands, once it does.
pub fn conclude(dir: &SiteDir, act: &Act, console: &Console) -> Result<u8, Error> {
    let (Deed::Post { board, thread, .. }, Some(id)) = (&act.deed, &act.id) else { return Ok(DONE) };
    let path = dir.inbox().join(file_name(id));
    let until = Instant::now() + CARRIED_OUT_WITHIN;
    while path.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let why = dir.inbox().join("rejected").join(format!("{}.why", file_name(id)));
    if let Ok(why) = disk::read(&why) {
        return Err(Error::BadAct(String::from_utf8_lossy(&why).trim().to_owned()));
    }
    let place = find(dir, board, *thread, id);
    let id = id.as_str();
    let line = match &place {
        Some((key, no)) => format!("post: done, number {no} in thread {} of `{board}` (act {id})", key.no),
        None => format!("post: it lies in the inbox, and will be done (act {id})"),
    };
    let (thread, no) = place.map(|(key, no)| (key.no.get(), no.get())).unzip();
    console.conclude(&line, &json!({ "command": "mod", "act": "post", "id": id, "thread": thread, "no": no }))?;
    Ok(DONE)
}

/// Where the post with this id stands.
fn find(dir: &SiteDir, board: &BoardSlug, thread: Option<PostNo>, id: &PostId) -> Option<(ThreadKey, PostNo)> {
    let numbers = match thread {
        Some(no) => vec![no],
        None => newest(dir, board),
    };
    numbers.into_iter().find_map(|no| {
        let key = ThreadKey { board: board.clone(), no };
        let found = content::read_thread(dir.root(), &key).ok()?;
        let post = found.posts.iter().find(|post| post.id.as_ref() == Some(id))?;
        Some((key, post.no))
    })
}

/// The threads of a board with the highest numbers.
fn newest(dir: &SiteDir, board: &BoardSlug) -> Vec<PostNo> {
    let listing = std::fs::read_dir(dir.content().join(board.as_str()));
    let names = listing.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut numbers: Vec<PostNo> = names.filter_map(|name| PostNo::parse(name.strip_suffix(".md")?)).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.truncate(LOOKED_AT_MAX);
    numbers
}
