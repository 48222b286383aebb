//! What the build cache keeps of a site from one start to the next, and how it is told whether that still holds.

use std::borrow::Cow;

use crate::model::Site;
use crate::publish;
use crate::render::Theme;
use crate::store::cache::CachedBoard;

/// Tells this program from others: they may sum up and draw differently.
pub fn program() -> u64 {
    publish::hash(concat!(env!("CARGO_PKG_VERSION"), " ", env!("NEJIBOARD_BUILD")).as_bytes())
}

/// Everything but content that pages depend on.
pub fn fingerprint(site: &Site, theme: &Theme) -> u64 {
    let mut text = format!("{:016x} {:016x} {:?}", program(), theme.hash(), site.settings);
    for board in site.boards() {
        text.push_str(&format!(" {} {:?}", board.slug, board.settings));
    }
    publish::hash(text.as_bytes())
}

/// Takes over what the cache, or the site before its settings changed, knows of boards that still summarize as they
/// did.
pub fn restore(site: &mut Site, boards: Vec<CachedBoard<'_>>) {
    for cached in boards {
        if site.board(&cached.slug).is_some_and(|board| board.settings.bump_limit == cached.bump_limit) {
            site.restore(&cached.slug, cached.threads.into_owned(), cached.places.into_owned());
        }
    }
}

/// What the cache is to know.
pub fn to_cache(site: &Site) -> Vec<CachedBoard<'_>> {
    let mut boards = Vec::new();
    for board in site.boards() {
        let (threads, places) = board.remembered();
        boards.push(CachedBoard {
            slug: board.slug.clone(),
            bump_limit: board.settings.bump_limit,
            threads: Cow::Borrowed(threads),
            places: Cow::Borrowed(places),
        });
    }
    boards
}
