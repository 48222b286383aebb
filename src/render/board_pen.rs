//! Draws the pages of one board. What they have in common is made once for all that are drawn together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw::{DrawError, Drawn, Pen, replies};
use super::frame::Surroundings;
use super::plan::{IndexPages, ThreadPages};
use super::posts::{DrawnThread, Extent};
use super::previews::Preview;
use super::two_channel;
use super::views::*;
use super::{feed, json};
use crate::model::site::{ARCHIVE_SPAN, Board, Standing};
use crate::model::summary::TAIL_POSTS;
use crate::model::{BoardFile, Page, PageKey, PostNo, ThreadFile, ThreadKey, ThreadSummary};

/// What draws the pages of a board.
pub struct BoardPen<'a> {
    pen: &'a Pen<'a>,
    board: &'a Board,
    around: Surroundings,
    view: BoardView,
    /// The board's name and the site's, for the titles of pages.
    title: String,
}

impl<'a> BoardPen<'a> {
    /// For a board of the pen's site.
    pub fn new(pen: &'a Pen<'a>, board: &'a Board) -> BoardPen<'a> {
        let slug = &board.slug;
        let view = BoardView {
            slug: slug.to_string(),
            title: board.title().to_owned(),
            description: board.settings.description.clone(),
            href: pen.href(&PageKey::Index(slug.clone(), 1)),
            catalog_href: pen.href(&PageKey::Catalog(slug.clone())),
            archive_href: pen.href(&PageKey::Archive(slug.clone())),
        };
        let title = format!("/{slug}/ {} - {}", board.title(), pen.site.settings.title);
        BoardPen { pen, board, around: Surroundings::new(pen.site, Some(slug)), view, title }
    }

    /// Draws threads and the index page that shows them. A thread that stands on both is read and rendered once.
    pub fn threads(
        &self,
        threads: &BTreeMap<PostNo, ThreadPages>,
        index: Option<IndexPages>,
        emit: &mut dyn FnMut(Drawn),
    ) {
        let slug = &self.board.slug;
        let listed = index.map(|index| self.board.index_page(index.number)).unwrap_or_default();
        let mut previews: Vec<Option<Result<Arc<Preview>, DrawError>>> = listed.iter().map(|_| None).collect();
        for (no, pages) in threads {
            if let Some(standing) = self.pen.site.forward(self.board, *no) {
                let page = self.moved_page(standing);
                let page = |key: PageKey| page.clone().map(|bytes| Page { key, bytes });
                pages.keys(slug, *no).into_iter().for_each(|key| emit((key.clone(), page(key))));
                continue;
            }
            let at = listed.iter().position(|summary| summary.no == *no);
            let outcome = self.with_thread(*no, Extent::All, |drawn, summary| {
                if let Some(at) = at {
                    previews[at] = Some(self.preview(summary, drawn));
                } else if self.pen.previews.is_some() && self.board.page_of(*no).is_some() {
                    // Its index page comes later and need not read it again. If this fails, so will that, and tell why.
                    let _ = self.preview(summary, drawn);
                }
                let mut made: Vec<(PageKey, Vec<u8>)> = Vec::new();
                let keys = pages.keys(slug, *no);
                for key in &keys {
                    let original = key.original();
                    let same = made.iter().find(|(there, _)| Some(there) == original.as_ref());
                    let page = match same {
                        Some((_, bytes)) => Ok(bytes.clone()),
                        None => self.page_of_thread(original.as_ref().unwrap_or(key), summary, drawn),
                    };
                    // Only what has another name is needed again.
                    if let Ok(bytes) = &page
                        && keys.iter().any(|other| other.original().as_ref() == Some(key))
                    {
                        made.push((key.clone(), bytes.clone()));
                    }
                    emit((key.clone(), page.map(|bytes| Page { key: key.clone(), bytes })));
                }
            });
            if let Err(error) = outcome {
                pages.keys(slug, *no).into_iter().for_each(|key| emit((key, Err(error.clone()))));
            }
        }
        let Some(index) = index else { return };
        let previews: Result<Vec<Arc<Preview>>, DrawError> = previews
            .into_iter()
            .zip(&listed)
            .map(|(made, summary)| made.unwrap_or_else(|| self.preview_of(summary)))
            .collect();
        for key in index.keys(slug) {
            let page = match (&previews, &key) {
                (Err(error), _) => Err(error.clone()),
                (Ok(previews), PageKey::IndexJson(..) | PageKey::OfBoard(..)) => {
                    Ok(index_json(self.board, &listed, previews))
                }
                (Ok(previews), _) => self.index_page(index.number, &listed, previews),
            };
            emit((key.clone(), page.map(|bytes| Page { key, bytes })));
        }
    }

    fn page_of_thread(
        &self,
        key: &PageKey,
        summary: &ThreadSummary,
        drawn: &DrawnThread<'_>,
    ) -> Result<Vec<u8>, DrawError> {
        match key {
            PageKey::Tail(..) => self.tail_page(summary, drawn),
            PageKey::OfThread(_, _, file) => match file {
                ThreadFile::Json => Ok(drawn.json(self.pen.theme, summary).into_bytes()),
                ThreadFile::TailJson => Ok(drawn.tail_json(self.pen.theme, summary).into_bytes()),
                ThreadFile::Feed => {
                    let title = self.pen.thread_title(summary);
                    Ok(drawn.feed(self.pen.theme, &title, summary).into_bytes())
                }
                ThreadFile::Dat => Ok(drawn.dat(self.pen.theme, &self.board.slug, &self.pen.thread_title(summary))),
                // They are other names of pages, and drawn as these.
                ThreadFile::VichanPage | ThreadFile::VichanJson => Err(DrawError::Gone),
            },
            _ => self.thread_page(summary, drawn),
        }
    }

    /// How a thread looks on lists: as it is remembered, or else drawn.
    pub fn preview_of(&self, summary: &ThreadSummary) -> Result<Arc<Preview>, DrawError> {
        let key = ThreadKey { board: self.board.slug.clone(), no: summary.no };
        if let Some(kept) = self.pen.previews.and_then(|previews| previews.get(&key)) {
            return Ok(kept);
        }
        self.with_thread(summary.no, Extent::Preview, |drawn, summary| self.preview(summary, drawn))?
    }

    /// What programs read of the board.
    pub fn file(&self, file: BoardFile) -> Result<Vec<u8>, DrawError> {
        let per_page = self.board.settings.threads_per_page;
        let text = match file {
            BoardFile::Catalog => {
                let previews: Result<Vec<_>, DrawError> =
                    self.board.listed().map(|summary| Ok((summary, self.preview_of(summary)?))).collect();
                json::paged(previews?.into_iter(), per_page, |out, (summary, preview)| {
                    push_listed(out, self.board, summary, &preview, None);
                })
            }
            BoardFile::Threads => json::threads(self.board.listed().map(|summary| (None, summary)), per_page),
            BoardFile::Archive => json::archive(self.board),
            BoardFile::Feed => {
                let threads: Vec<&ThreadSummary> = self.board.newest().take(feed::THREADS).collect();
                let previews: Result<Vec<_>, DrawError> =
                    threads.iter().map(|summary| self.preview_of(summary)).collect();
                let previews = previews?;
                let head = feed::Head {
                    title: &self.title,
                    subtitle: &self.board.settings.description,
                    tag: self.board.slug.as_str(),
                    own: &PageKey::OfBoard(self.board.slug.clone(), BoardFile::Feed),
                    page: &PageKey::Index(self.board.slug.clone(), 1),
                    updated: threads.iter().map(|summary| summary.at).max().unwrap_or_default(),
                };
                feed::feed(self.pen.site, &head, previews.iter().map(|preview| preview.op_entry.as_str()))
            }
            BoardFile::Subject => {
                let titled = self.board.listed().map(|summary| (summary, self.pen.thread_title(summary)));
                return Ok(two_channel::subject(titled));
            }
            BoardFile::Setting => {
                return Ok(two_channel::setting(self.board, self.pen.theme.anonymous(&self.board.settings)));
            }
            BoardFile::VichanIndex => return Err(DrawError::Gone),
        };
        Ok(text.into_bytes())
    }

    /// The title of a page: what the theme says for a key, and the names of board and site.
    fn titled(&self, key: &str, values: &[(&str, &str)]) -> String {
        format!("{} - {}", self.pen.theme.say(key, values), self.title)
    }

    fn with_thread<T>(
        &self,
        no: PostNo,
        extent: Extent,
        draw: impl FnOnce(&DrawnThread<'_>, &ThreadSummary) -> T,
    ) -> Result<T, DrawError> {
        let summary = self.board.visible(no).ok_or(DrawError::Gone)?;
        let thread = (self.pen.read)(&ThreadKey { board: self.board.slug.clone(), no }).map_err(DrawError::Read)?;
        let art_label = self.pen.theme.say("text-art", &[]);
        Ok(draw(&DrawnThread::new(&thread, self.pen.site, &self.board.slug, extent, &art_label), summary))
    }

    fn thread_page(&self, summary: &ThreadSummary, drawn: &DrawnThread<'_>) -> Result<Vec<u8>, DrawError> {
        let title = format!("{} - {}", self.pen.thread_title(summary), self.title);
        let view = self.thread_view("thread", &title, summary);
        Ok(self.pen.theme.draw("thread", &view, &[&drawn.page(self.pen.theme)?])?.into_bytes())
    }

    /// The last posts of a thread, which are drawn already for the page of the whole.
    fn tail_page(&self, summary: &ThreadSummary, drawn: &DrawnThread<'_>) -> Result<Vec<u8>, DrawError> {
        let title = self.titled("last-posts-of", &[("thread", &self.pen.thread_title(summary))]);
        let tail = drawn.tail(self.pen.theme)?;
        let view = TailView {
            thread: self.thread_view("tail", &title, summary),
            opening: Slot(1),
            omitted: replies(summary).saturating_sub(tail.shown),
        };
        Ok(self.pen.theme.draw("tail", &view, &[&tail.replies, &tail.opening])?.into_bytes())
    }

    /// What the page of a thread and that of its last posts have in common: both are known by the former's address.
    fn thread_view(&self, kind: &'static str, title: &str, summary: &ThreadSummary) -> ThreadView<'_> {
        let key = PageKey::Thread(self.board.slug.clone(), summary.no);
        ThreadView {
            frame: self.around.frame(kind, title, &summary.teaser, Some(&key)),
            board: &self.view,
            no: summary.no.get(),
            href: self.pen.href(&key),
            title: self.pen.thread_title(summary),
            sticky: summary.flags.sticky,
            locked: summary.flags.locked,
            archived: summary.flags.archived,
            replies: replies(summary),
            tail_href: self.pen.tail_href(self.board, summary),
            tail_posts: TAIL_POSTS,
            posts: Slot(0),
            form: self.pen.form(&self.board.slug, &self.board.settings, Some(summary.no)),
        }
    }

    /// What stands at the old address of a thread that was moved: it leads on.
    fn moved_page(&self, to: Standing<'_>) -> Result<Vec<u8>, DrawError> {
        let key = PageKey::Thread(to.board.clone(), to.thread);
        let title = self.titled("thread-moved", &[]);
        let view = MovedView {
            frame: self.around.frame("moved", &title, "", Some(&key)),
            board: &self.view,
            target: self.pen.site.board(to.board).map_or(String::new(), |board| board.title().to_owned()),
            target_board: to.board.to_string(),
            target_no: to.thread.get(),
            href: self.pen.href(&key),
            refresh: 0,
        };
        Ok(self.pen.theme.draw("moved", &view, &[])?.into_bytes())
    }

    fn preview(&self, summary: &ThreadSummary, drawn: &DrawnThread<'_>) -> Result<Arc<Preview>, DrawError> {
        let title = self.pen.thread_title(summary);
        let preview = Arc::new(drawn.preview(self.pen.theme, &title, self.board.settings.replies_previewed)?);
        if let Some(previews) = self.pen.previews {
            previews.keep(ThreadKey { board: self.board.slug.clone(), no: summary.no }, &preview);
        }
        Ok(preview)
    }

    /// A thread on the index. `shown` of its replies are, and its posts stand in a slot.
    pub(super) fn thread_preview(&self, summary: &ThreadSummary, shown: usize, posts: Slot) -> ThreadPreview {
        ThreadPreview {
            board: self.board.slug.to_string(),
            no: summary.no.get(),
            href: self.pen.href(&PageKey::Thread(self.board.slug.clone(), summary.no)),
            title: self.pen.thread_title(summary),
            sticky: summary.flags.sticky,
            locked: summary.flags.locked,
            archived: summary.flags.archived,
            replies: replies(summary),
            omitted: replies(summary).saturating_sub(shown),
            tail_href: self.pen.tail_href(self.board, summary),
            tail_posts: TAIL_POSTS,
            posts,
        }
    }

    fn index_page(
        &self,
        number: u32,
        listed: &[&ThreadSummary],
        previews: &[Arc<Preview>],
    ) -> Result<Vec<u8>, DrawError> {
        let posts: Vec<&SafeHtml> = previews.iter().map(|preview| &preview.posts).collect();
        let threads = listed.iter().zip(previews.iter().map(|preview| preview.shown)).zip(0..);
        let last = self.board.index_pages();
        let key = |page| PageKey::Index(self.board.slug.clone(), page);
        let link = |page| PageLink { number: page, href: self.pen.href(&key(page)), current: page == number };
        let title = match number {
            1 => self.title.clone(),
            _ => self.titled("page-no", &[("n", &number.to_string())]),
        };
        let view = IndexView {
            frame: self.around.frame("index", &title, &self.board.settings.description, Some(&key(number))),
            board: &self.view,
            threads: threads.map(|((summary, shown), at)| self.thread_preview(summary, shown, Slot(at))).collect(),
            pages: (1..=last).map(link).collect(),
            prev_href: if number == 1 { String::new() } else { self.pen.href(&key(number - 1)) },
            next_href: if number == last { String::new() } else { self.pen.href(&key(number + 1)) },
            form: self.pen.form(&self.board.slug, &self.board.settings, None),
        };
        Ok(self.pen.theme.draw("index", &view, &posts)?.into_bytes())
    }

    /// The catalog.
    pub fn catalog_page(&self) -> Result<Vec<u8>, DrawError> {
        let key = PageKey::Catalog(self.board.slug.clone());
        let title = self.titled("catalog", &[]);
        let view = CatalogView {
            frame: self.around.frame("catalog", &title, &self.board.settings.description, Some(&key)),
            board: &self.view,
            threads: self.board.listed().map(|summary| self.pen.row(self.board, summary)).collect(),
            form: self.pen.form(&self.board.slug, &self.board.settings, None),
        };
        Ok(self.pen.theme.draw("catalog", &view, &[])?.into_bytes())
    }

    /// The archive's own page: its newest part, and links to the others.
    pub fn archive_page(&self) -> Result<Vec<u8>, DrawError> {
        let newest = self.board.parts().keys().next_back().copied();
        let part = |(from, threads): (&u64, &usize)| ArchivePart {
            from: *from,
            to: from + ARCHIVE_SPAN - 1,
            href: match Some(*from) == newest {
                true => self.pen.href(&PageKey::Archive(self.board.slug.clone())),
                false => self.pen.href(&PageKey::ArchivePart(self.board.slug.clone(), *from)),
            },
            threads: *threads,
            current: Some(*from) == newest,
        };
        let parts = self.board.parts().iter().rev().map(part).collect();
        self.archive(&PageKey::Archive(self.board.slug.clone()), parts, newest)
    }

    /// An older part of the archive. It does not list the others, so that they need not change when one does.
    pub fn archive_part(&self, part: u64) -> Result<Vec<u8>, DrawError> {
        self.archive(&PageKey::ArchivePart(self.board.slug.clone(), part), Vec::new(), Some(part))
    }

    fn archive(&self, key: &PageKey, parts: Vec<ArchivePart>, part: Option<u64>) -> Result<Vec<u8>, DrawError> {
        let title = self.titled("archive", &[]);
        let threads = part.map(|part| self.board.part(part)).unwrap_or_default();
        let view = ArchiveView {
            frame: self.around.frame("archive", &title, &self.board.settings.description, Some(key)),
            board: &self.view,
            parts,
            threads: threads.into_iter().map(|summary| self.pen.row(self.board, summary)).collect(),
        };
        Ok(self.pen.theme.draw("archive", &view, &[])?.into_bytes())
    }
}

/// An index page for programs.
fn index_json(board: &Board, listed: &[&ThreadSummary], previews: &[Arc<Preview>]) -> Vec<u8> {
    let mut out = String::from("{\"threads\":[");
    for (at, (summary, preview)) in listed.iter().zip(previews).enumerate() {
        if 0 < at {
            out.push(',');
        }
        push_indexed(&mut out, board, summary, preview, None);
    }
    out.push_str("]}");
    out.into_bytes()
}

/// Adds a thread as index pages have it. `of` is its board, where there are threads of others too.
pub(super) fn push_indexed(
    out: &mut String,
    board: &Board,
    summary: &ThreadSummary,
    preview: &Preview,
    of: Option<&str>,
) {
    out.push_str("{\"posts\":[");
    push_op(out, board, summary, preview, of);
    out.push('}');
    if !preview.replies_json.is_empty() {
        out.push(',');
        out.push_str(&preview.replies_json);
    }
    out.push_str("]}");
}

/// Adds a thread as the catalog has it.
pub(super) fn push_listed(
    out: &mut String,
    board: &Board,
    summary: &ThreadSummary,
    preview: &Preview,
    of: Option<&str>,
) {
    push_op(out, board, summary, preview, of);
    if !preview.replies_json.is_empty() {
        out.push_str(",\"last_replies\":[");
        out.push_str(&preview.replies_json);
        out.push(']');
    }
    out.push('}');
}

fn push_op(out: &mut String, board: &Board, summary: &ThreadSummary, preview: &Preview, of: Option<&str>) {
    out.push_str(&preview.op_json);
    if let Some(of) = of {
        json::push_board_of(out, of);
    }
    json::push_omitted(out, summary, preview.shown);
    json::push_thread(out, summary, &board.settings);
}
