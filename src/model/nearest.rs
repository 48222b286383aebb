//! What somebody may have meant.

/// The name that is closest to `typed`, if any is close.
pub fn nearest<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let typed = typed.to_lowercase();
    let scored = names.into_iter().map(|name| (strsim::normalized_damerau_levenshtein(&typed, name), name));
    let near = scored.filter(|(score, _)| 0.6 <= *score);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
