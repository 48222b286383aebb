//! Posts of members of staff: an act, so that the log knows who it was, that becomes a post in the inbox.

use chrono::{DateTime, Utc};

use super::{ActError, Means, no_board, no_post};
use crate::disk::DiskError;
use crate::model::act::Deed;
use crate::model::capcode::Capcode;
use crate::model::{Act, Arrival, BoardSlug, PostId, PostNo, Site};

/// The name of the inbox file of the post that an act with this id makes.
pub fn file_name(id: &PostId) -> String {
    format!("{}.md", id.as_str())
}

/// Refuses what the inbox would.
pub(super) fn check(site: &Site, slug: &BoardSlug, thread: Option<PostNo>) -> Result<(), ActError> {
    let board = site.board(slug).ok_or_else(|| no_board(slug))?;
    let Some(no) = thread else { return Ok(()) };
    match (board.visible(no), board.thread_of(no)) {
        (Some(summary), _) if summary.flags.closed() => {
            Err(ActError::Refused(format!("thread {no} of `{slug}` is locked or archived")))
        }
        (Some(_), _) => Ok(()),
        (None, Some(thread)) if thread != no => {
            Err(ActError::Refused(format!("post {no} of `{slug}` is a reply in thread {thread}")))
        }
        (None, _) => Err(no_post(slug, no)),
    }
}

/// The act as it is logged: the text stands in the thread, and is gone when it is deleted there.
pub(super) fn without_text(mut act: Act) -> Act {
    if let Deed::Post { body, .. } = &mut act.deed {
        body.clear();
    }
    act
}

/// Puts the post into the inbox. It has the act's id, so it is one post, also if a crash has it put there twice.
pub(super) fn put(means: &Means, id: &PostId, at: DateTime<Utc>, deed: &Deed) -> Result<(), DiskError> {
    let Deed::Post { board, thread, capcode, name, trip, subject, sage, body } = deed else { return Ok(()) };
    let file = file_name(id);
    if means.inbox.folder().join(&file).exists() {
        return Ok(());
    }
    let arrival = Arrival {
        id: id.clone(),
        board: board.clone(),
        thread: *thread,
        at: Some(at),
        name: name.clone(),
        trip: trip.clone(),
        poster_id: String::new(),
        capcode: capcode.map_or(String::new(), |capcode| Capcode::word(capcode).to_owned()),
        subject: subject.clone(),
        sage: *sage && thread.is_some(),
        body: body.trim_end().to_owned(),
    };
    means.inbox.put(&file, &[arrival])
}
