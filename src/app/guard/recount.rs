//! What came within the last hour, counted from what is there, so that a restart in a flood does not begin at nothing.
//!
//! Nothing is kept for that: posts and tombstones have their times in the threads, and held posts in their files. What was
//! thrown away unseen is not counted, and what was approved counts when it was.

use chrono::{DateTime, Utc};
use tracing::warn;

use crate::app::builder::Shown;
use crate::app::error::chain;
use crate::model::ThreadKey;
use crate::store::content;
use crate::store::held::Held;
use crate::store::site_dir::SiteDir;

/// Minutes that are counted, the one that it is among them.
const MINUTES: i64 = 60;

/// Threads that are read at most, those that got a post last. A start is not to wait long for this.
const THREADS_READ_MAX: usize = 2_000;

/// The minutes, since the Unix epoch, in which a post came within the hour that ends with `now`.
pub fn recent_posts(dir: &SiteDir, shown: &Shown, now: DateTime<Utc>) -> Vec<i64> {
    let now = minute(now.timestamp());
    let is_recent = |at: &i64| (now - MINUTES < *at) && *at <= now;
    let mut minutes: Vec<i64> = match Held::new(dir.held()).queue() {
        Ok(queue) => queue.iter().map(|place| minute(place.written_at())).filter(is_recent).collect(),
        Err(error) => {
            warn!(error = %chain(&error), "cannot count the held posts");
            Vec::new()
        }
    };
    let boards = shown.site.boards();
    let mut threads: Vec<(i64, ThreadKey)> = boards
        .flat_map(|board| {
            // Those that were deleted came too.
            let recent = board.threads().filter(|thread| now - MINUTES < minute(thread.last_at));
            recent.map(|thread| (thread.last_at, ThreadKey { board: board.slug.clone(), no: thread.no }))
        })
        .collect();
    threads.sort_unstable_by(|a, b| b.cmp(a));
    for (_, key) in threads.into_iter().take(THREADS_READ_MAX) {
        // One that cannot be read is told of by whoever builds.
        let Ok(thread) = content::read_thread(dir.root(), &key) else { continue };
        minutes.extend(thread.posts.iter().map(|post| minute(post.at.timestamp())).filter(is_recent));
    }
    minutes
}

fn minute(seconds: i64) -> i64 {
    seconds.div_euclid(60)
}
