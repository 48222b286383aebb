//! Held posts on the command line.

use serde_json::json;

use super::{act_id, show, time_text};
use crate::app::Console;
use crate::app::error::Error;
use crate::cli::HeldTargets;
use crate::model::PostId;
use crate::model::summary::one_line;
use crate::store::held::{Held, HeldPost};
use crate::store::site_dir::SiteDir;

/// Characters of a post that a line shows.
const SHOWN_CHARS: usize = 100;

/// The posts that are meant.
pub fn ids(dir: &SiteDir, targets: HeldTargets) -> Result<Vec<PostId>, Error> {
    match targets.all {
        true => Ok(Held::new(dir.held()).read()?.into_iter().map(|post| post.arrival.id).collect()),
        false => targets.ids.iter().map(|id| act_id(id)).collect(),
    }
}

/// A line for each held post, or all of them for programs.
pub fn show_held(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    let posts = Held::new(dir.held()).read()?;
    let value = json!(posts.iter().map(HeldPost::line).collect::<Vec<_>>());
    let line = |post: &HeldPost| {
        let of = &post.arrival;
        let at = of.at.map_or(String::new(), time_text);
        let to = of.thread.map_or("a new thread".to_owned(), |no| format!("in thread {no}"));
        let text = one_line(&[of.subject.as_str(), of.body.as_str()].join(" "), SHOWN_CHARS);
        format!("{at} /{}/ {to}: {} ({}) [{}]", of.board, text.trim(), post.why, of.id.as_str())
    };
    show(console, "held", value, posts.iter().map(line))
}
