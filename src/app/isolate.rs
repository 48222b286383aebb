//! Finds the post that makes the builder panic, so that it does not hold up all others for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::error;

use super::builder::Builder;
use super::error::chain;
use super::faults;
use crate::metrics::Place;
use crate::model::{Arrival, Refusal, Report};
use crate::store::commit::Committed;

/// So many rounds panic together before their posts are tried one at a time.
pub const AFTER_PANICS: u32 = 3;

/// Commits posts together.
pub fn together(builder: &mut Builder, arrivals: Vec<Arrival>) -> Committed {
    faults::strike_posts(&arrivals);
    match arrivals.is_empty() {
        true => Committed::default(),
        false => builder.commit(arrivals),
    }
}

/// Commits posts one at a time. One that panics is refused, which puts it aside for whoever looks after the site.
pub fn singly(builder: &mut Builder, arrivals: Vec<Arrival>) -> Committed {
    let mut all = Committed::default();
    for arrival in arrivals {
        let copy = arrival.clone();
        let Ok(one) = catch_unwind(AssertUnwindSafe(|| together(builder, vec![copy]))) else {
            error!(post = arrival.id.as_str(), "this post makes the builder panic, and is put aside");
            builder.vitals().metrics.panicked(Place::Builder);
            // It may have left anything half done. Should this panic too, so does the round.
            if let Err(error) = builder.start_over(&mut Report::default()) {
                error!(error = %chain(&error), "cannot look at the site anew");
            }
            all.refused.push((arrival, Refusal::Fault));
            continue;
        };
        all.placed.extend(one.placed);
        all.refused.extend(one.refused);
        all.failed.extend(one.failed);
        all.unsynced.extend(one.unsynced);
        all.problems.extend(one.problems);
        // The newest state of a thread is the one that counts.
        all.written.retain(|written| one.written.iter().all(|newer| newer.key != written.key));
        all.written.extend(one.written);
    }
    all
}
