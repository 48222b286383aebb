//! Finds art that stands in a text without tags.

use super::Span;

/// The pieces of art in `text`, in order, each a run of whole lines.
pub(super) fn find(_text: &str) -> Vec<Span> {
    Vec::new()
}
