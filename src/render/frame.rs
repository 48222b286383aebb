//! What pages show around what is their own: the site and its boards.

use super::GENERATOR;
use super::views::{BoardLink, Frame, PageView, SiteView};
use crate::model::{Board, BoardFile, BoardSlug, Format, Formats, OverboardPage, PageKey, Site, SiteFile, ThreadFile};

/// The most boards that every page lists. Where there are more, each page lists its own, so that pages do not grow with
/// the number of boards.
pub const BOARDS_LISTED: usize = 50;

/// What the pages of one board have in common, or those of none: made once for all that are drawn together.
pub struct Surroundings {
    site: SiteView,
    boards: Vec<BoardLink>,
    more_boards: bool,
    formats: Formats,
}

impl Surroundings {
    /// For pages that belong to the board `current`, if to one.
    pub fn new(site: &Site, current: Option<&BoardSlug>) -> Surroundings {
        let settings = &site.settings;
        let board = |board: &Board| BoardLink {
            slug: board.slug.to_string(),
            title: board.title().to_owned(),
            href: PageKey::Index(board.slug.clone(), 1).href(settings.prefix()),
            current: Some(&board.slug) == current,
        };
        let more_boards = site.boards().nth(BOARDS_LISTED).is_some();
        let listed = site.boards().filter(|board| !more_boards || Some(&board.slug) == current);
        Surroundings {
            site: SiteView {
                title: settings.title.clone(),
                description: settings.description.clone(),
                prefix: settings.prefix().to_owned(),
                home: PageKey::Home.href(settings.prefix()),
                overboard_href: match site.has_overboard() {
                    true => PageKey::Overboard(OverboardPage::Index(1)).href(settings.prefix()),
                    false => String::new(),
                },
                origin: settings.base_url.origin().unwrap_or_default().to_owned(),
                locale: settings.locale.clone(),
                dir: direction(&settings.locale).to_owned(),
                log: match settings.public_log {
                    true => PageKey::Log.href(settings.prefix()),
                    false => String::new(),
                },
                generator: GENERATOR.to_owned(),
            },
            boards: listed.map(board).collect(),
            more_boards,
            formats: settings.written(),
        }
    }

    /// Where a file that is written in a format stands; empty if there is none, or not in this format.
    fn href(&self, key: Option<PageKey>, format: Format) -> String {
        let key = key.filter(|_| self.formats.has(format));
        key.map_or(String::new(), |key| key.href(&self.site.prefix))
    }

    /// The frame of a page that is known by the address of `key`, if by one.
    pub fn frame(&self, kind: &'static str, title: &str, description: &str, key: Option<&PageKey>) -> Frame<'_> {
        let SiteView { origin, prefix, .. } = &self.site;
        let url = key.filter(|_| !origin.is_empty()).map(|key| format!("{origin}{}", key.href(prefix)));
        Frame {
            site: &self.site,
            boards: &self.boards,
            more_boards: self.more_boards,
            page: PageView {
                kind,
                title: title.to_owned(),
                description: description.to_owned(),
                url: url.unwrap_or_default(),
                og_type: if matches!(kind, "thread" | "tail") { "article" } else { "website" },
                feed_href: self.href(key.and_then(feed_of), Format::Feeds),
                json_href: self.href(key.and_then(json_of), Format::Json),
            },
        }
    }
}

/// The feed of what a page shows.
fn feed_of(key: &PageKey) -> Option<PageKey> {
    Some(match key {
        PageKey::Thread(board, no) => PageKey::OfThread(board.clone(), *no, ThreadFile::Feed),
        PageKey::Home | PageKey::Overboard(_) => PageKey::OfSite(SiteFile::Feed),
        key => PageKey::OfBoard(key.list_of()?.clone(), BoardFile::Feed),
    })
}

/// What a page shows, as JSON.
fn json_of(key: &PageKey) -> Option<PageKey> {
    Some(match key {
        PageKey::Thread(board, no) => PageKey::OfThread(board.clone(), *no, ThreadFile::Json),
        PageKey::Index(board, page) => PageKey::IndexJson(board.clone(), *page),
        PageKey::Catalog(board) => PageKey::OfBoard(board.clone(), BoardFile::Catalog),
        PageKey::Archive(board) => PageKey::OfBoard(board.clone(), BoardFile::Archive),
        PageKey::Overboard(OverboardPage::Index(page)) => PageKey::Overboard(OverboardPage::IndexJson(*page)),
        PageKey::Home => PageKey::OfSite(SiteFile::Boards),
        _ => return None,
    })
}

/// The direction of a language's script, which a part of four letters may name: `az-Arab`.
fn direction(locale: &str) -> &'static str {
    let locale = locale.to_ascii_lowercase();
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or_default();
    let script = parts.next().filter(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_lowercase()));
    let is_from_the_right = match script {
        Some(script) => ["adlm", "arab", "aran", "hebr", "nkoo", "rohg", "syrc", "thaa"].contains(&script),
        None => ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"].contains(&language),
    };
    if is_from_the_right { "rtl" } else { "ltr" }
}

#[cfg(test)]
mod tests {
    use super::direction;

    #[test]
    fn a_language_is_written_in_the_direction_of_its_script() {
        for locale in ["ar", "he", "fa", "ur", "ar-EG", "AR", "az-Arab", "uz-arab-AF", "pa-Arab"] {
            assert_eq!(direction(locale), "rtl", "{locale}");
        }
        for locale in ["en", "ja", "az", "ar-Latn", "arn", "pt-BR", "zh-Hant-TW", "de-1996"] {
            assert_eq!(direction(locale), "ltr", "{locale}");
        }
    }
}
