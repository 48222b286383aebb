//! What goes with a wipe: posts that are shown, and those that are held.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::{ActError, Means, Wanted, address_of, changed, no_board, read, tombstone};
use crate::model::{Arrival, Board, BoardSlug, Post, PostId, PostNo, Site};

/// What a wipe takes.
pub(super) struct Swept {
    /// Threads without those posts.
    pub threads: Vec<Wanted>,
    /// Posts at which somebody was to look.
    pub held: Vec<PostId>,
}

/// All that came from where a post did, on whatever board; or all posts of a board since a time. `at` is the time of
/// the act.
pub(super) fn wipe(
    means: &Means,
    site: &Site,
    slug: &BoardSlug,
    post: Option<PostNo>,
    since: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Result<Swept, ActError> {
    let Some(no) = post else {
        let (board, since) = (site.board(slug).ok_or_else(|| no_board(slug))?, since.unwrap_or(at));
        let threads = sweep(means.root, slug, board, since, |post| since <= post.at)?;
        return Ok(Swept { threads, held: held(means, since, |arrival| arrival.board == *slug)? });
    };
    let print = (means.fingerprint)(address_of(means, site, slug, no)?);
    let since = since.unwrap_or(DateTime::UNIX_EPOCH);
    let ids = means.journal.sent_from(|address| (means.fingerprint)(address) == print, since)?;
    let threads = sweep_sender(means, site, since, &ids)?;
    Ok(Swept { threads, held: held(means, since, |arrival| ids.contains(&arrival.id))? })
}

fn sweep_sender(
    means: &Means,
    site: &Site,
    since: DateTime<Utc>,
    ids: &BTreeSet<PostId>,
) -> Result<Vec<Wanted>, ActError> {
    let mut all = Vec::new();
    for board in site.boards() {
        let is_theirs = |post: &Post| since <= post.at && post.id.as_ref().is_some_and(|id| ids.contains(id));
        all.extend(sweep(means.root, &board.slug, board, since, is_theirs)?);
    }
    Ok(all)
}

/// Held posts of which `is_meant` says yes, that were sent since a time.
fn held(means: &Means, since: DateTime<Utc>, is_meant: impl Fn(&Arrival) -> bool) -> Result<Vec<PostId>, ActError> {
    let is_meant = |arrival: &Arrival| arrival.at.is_none_or(|at| since <= at) && is_meant(arrival);
    let all = means.held.read()?.into_iter().map(|held| held.arrival);
    Ok(all.filter(is_meant).map(|arrival| arrival.id).collect())
}

/// Deletes posts of a board of which `is_meant` says yes, in threads that have got posts since a time. With an opening
/// post goes its thread.
fn sweep(
    root: &Path,
    slug: &BoardSlug,
    board: &Board,
    since: DateTime<Utc>,
    is_meant: impl Fn(&Post) -> bool,
) -> Result<Vec<Wanted>, ActError> {
    let mut all = Vec::new();
    for summary in board.threads().filter(|summary| since.timestamp() <= summary.last_at && summary.visible()) {
        let mut wanted = read(root, slug, summary.no)?;
        let whole = is_meant(wanted.thread.op()) && !wanted.thread.op().deleted;
        let hit = wanted.thread.posts.iter().filter(|post| !post.deleted && (whole || is_meant(post)));
        let hit: Vec<Post> = hit.map(tombstone).collect();
        hit.into_iter().for_each(|post| wanted.put(post));
        all.push(wanted);
    }
    Ok(changed(all))
}
