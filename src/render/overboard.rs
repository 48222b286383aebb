//! Draws the pages of all boards: the threads that were bumped last, wherever they stand.

use std::cmp::Reverse;
use std::sync::Arc;

use super::board_pen::{self, BoardPen};
use super::draw::{DrawError, Pen};
use super::frame::Surroundings;
use super::previews::Preview;
use super::views::*;
use super::{feed, json, links};
use crate::model::page::OVERBOARD;
use crate::model::site::Board;
use crate::model::{OverboardPage, PageKey, SiteFile, ThreadKey, ThreadSummary};

/// A thread with its board and how it looks.
type Listed<'a> = (&'a Board, &'a ThreadSummary, Arc<Preview>);

/// What draws them.
pub struct OverboardPen<'a> {
    pen: &'a Pen<'a>,
}

impl<'a> OverboardPen<'a> {
    /// For the boards of the pen's site.
    pub fn new(pen: &'a Pen<'a>) -> OverboardPen<'a> {
        OverboardPen { pen }
    }

    /// A page.
    pub fn page(&self, page: OverboardPage) -> Result<Vec<u8>, DrawError> {
        let site = self.pen.site;
        let per_page = site.settings.defaults.threads_per_page;
        let of_page = |page: u32| site.overboard().iter().skip((page as usize - 1) * per_page).take(per_page);
        let text = match page {
            OverboardPage::Index(page) => return self.index(page, of_page(page)),
            OverboardPage::IndexJson(page) => {
                let threads = self.previews(of_page(page))?;
                let mut out = String::from("{\"threads\":[");
                for (at, (board, summary, preview)) in threads.iter().enumerate() {
                    out.push_str(if 0 < at { "," } else { "" });
                    let of = Some(board.slug.as_str());
                    board_pen::push_indexed(&mut out, board, summary, preview, of);
                }
                out.push_str("]}");
                out
            }
            OverboardPage::Catalog => {
                let threads = self.previews(site.overboard().iter())?;
                json::paged(threads.into_iter(), per_page, |out, (board, summary, preview)| {
                    board_pen::push_listed(out, board, summary, &preview, Some(board.slug.as_str()));
                })
            }
            OverboardPage::Threads => {
                let threads = site.overboard().iter().filter_map(|key| Some((key.board.as_str(), site.thread(key)?)));
                json::threads(threads.map(|(board, summary)| (Some(board), summary)), per_page)
            }
        };
        Ok(text.into_bytes())
    }

    /// The newest threads of all boards as Atom.
    pub fn feed(&self) -> Result<Vec<u8>, DrawError> {
        let site = self.pen.site;
        let mut boards: Vec<(Reverse<i64>, &Board)> =
            site.boards().filter_map(|board| Some((Reverse(board.newest().next()?.at), board))).collect();
        boards.sort_by(|(a, a_board), (b, b_board)| a.cmp(b).then_with(|| a_board.slug.cmp(&b_board.slug)));
        // No thread is newer than the newest of its board, so no more boards than entries matter.
        boards.truncate(feed::THREADS);
        let newest = |board: &'a Board| board.newest().take(feed::THREADS).map(move |summary| (board, summary));
        let mut threads: Vec<(&Board, &ThreadSummary)> =
            boards.into_iter().flat_map(|(_, board)| newest(board)).collect();
        threads.sort_by(|(a_board, a), (b_board, b)| {
            b.at.cmp(&a.at).then_with(|| a_board.slug.cmp(&b_board.slug)).then(b.no.cmp(&a.no))
        });
        threads.truncate(feed::THREADS);
        let preview =
            |(board, summary): &(&'a Board, &ThreadSummary)| BoardPen::new(self.pen, board).preview_of(summary);
        let previews: Result<Vec<Arc<Preview>>, DrawError> = threads.iter().map(preview).collect();
        let head = feed::Head {
            title: &site.settings.title,
            subtitle: &site.settings.description,
            tag: OVERBOARD,
            own: &PageKey::OfSite(SiteFile::Feed),
            page: &PageKey::Home,
            updated: threads.iter().map(|(_, summary)| summary.at).max().unwrap_or_default(),
        };
        Ok(feed::feed(site, &head, previews?.iter().map(|preview| preview.op_entry.as_str())).into_bytes())
    }

    /// Threads with how they look.
    fn previews<'b>(&self, keys: impl Iterator<Item = &'b ThreadKey>) -> Result<Vec<Listed<'a>>, DrawError> {
        let site = self.pen.site;
        let preview = |key: &ThreadKey| {
            let board = site.board(&key.board).ok_or(DrawError::Gone)?;
            let summary = board.visible(key.no).ok_or(DrawError::Gone)?;
            Ok((board, summary, BoardPen::new(self.pen, board).preview_of(summary)?))
        };
        keys.map(preview).collect()
    }

    fn index<'b>(&self, number: u32, keys: impl Iterator<Item = &'b ThreadKey>) -> Result<Vec<u8>, DrawError> {
        let site = self.pen.site;
        let threads = self.previews(keys)?;
        let last = site.overboard_pages();
        let key = |page| PageKey::Overboard(OverboardPage::Index(page));
        let link = |page| PageLink { number: page, href: self.pen.href(&key(page)), current: page == number };
        let heading = self.pen.theme.say("all-threads", &[]);
        let title = match number {
            1 => format!("{heading} - {}", site.settings.title),
            _ => {
                let page = self.pen.theme.say("page-no", &[("n", &number.to_string())]);
                format!("{page} - {heading} - {}", site.settings.title)
            }
        };
        let around = Surroundings::new(site, None);
        let view = OverboardView {
            frame: around.frame("overboard", &title, &site.settings.description, Some(&key(number))),
            threads: (0..)
                .zip(&threads)
                .map(|(at, (board, summary, preview))| {
                    BoardPen::new(self.pen, board).thread_preview(summary, preview.shown, Slot(at))
                })
                .collect(),
            pages: (1..=last).map(link).collect(),
            prev_href: if number == 1 { String::new() } else { self.pen.href(&key(number - 1)) },
            next_href: if number == last { String::new() } else { self.pen.href(&key(number + 1)) },
        };
        let named =
            |board: &Board, posts: &SafeHtml| SafeHtml(links::named_by_board(posts.as_str(), board.slug.as_str()));
        let posts: Vec<SafeHtml> = threads.iter().map(|(board, _, preview)| named(board, &preview.posts)).collect();
        let posts: Vec<&SafeHtml> = posts.iter().collect();
        Ok(self.pen.theme.draw("overboard", &view, &posts)?.into_bytes())
    }
}
