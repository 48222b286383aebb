//! Draws pages: a portion of work at a time, each page handed on as soon as it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::GENERATOR;
use super::plan::{Job, ThreadPages};
use super::posts::{DrawnThread, Extent};
use super::previews::{Preview, Previews};
use super::theme::{BadTheme, Theme, slot};
use super::time::shown;
use super::views::*;
use crate::model::site::{ARCHIVE_SPAN, Board};
use crate::model::summary::TAIL_POSTS;
use crate::model::{
    BoardSettings, BoardSlug, ErrorView, Form, Page, PageKey, PostNo, Refusal, Site, Thread, ThreadKey, ThreadSummary,
};

/// The most boards that every page lists. Where there are more, each page lists its own, so that pages do not grow with
/// the number of boards.
pub const BOARDS_LISTED: usize = 50;

/// Gives the posts of a thread, or why they cannot be had.
pub type ReadThread<'a> = &'a (dyn Fn(&ThreadKey) -> Result<Arc<Thread>, String> + Sync);

/// What draws: the site, its theme, and a way to get posts.
pub struct Pen<'a> {
    /// All that is known of the threads.
    pub site: &'a Site,
    /// The templates.
    pub theme: &'a Theme,
    /// Posts are read when they are drawn.
    pub read: ReadThread<'a>,
    /// How threads look on the index, if that is worth keeping.
    pub previews: Option<&'a Previews>,
}

/// A page that could not be drawn. Its last version stays.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DrawError {
    /// The template failed.
    #[error(transparent)]
    Theme(#[from] BadTheme),
    /// The posts could not be read.
    #[error("{0}")]
    Read(String),
    /// The page does not exist any more.
    #[error("it is not there any more")]
    Gone,
}

/// What becomes of each page of a job.
pub type Drawn = (PageKey, Result<Page, DrawError>);

impl Pen<'_> {
    /// Draws a job, and hands on page after page.
    pub fn draw(&self, job: &Job, emit: &mut dyn FnMut(Drawn)) {
        match job {
            Job::Threads { board, threads, index } => self.draw_threads(board, threads, *index, emit),
            Job::Page(key) => {
                let page = self.page(key).map(|bytes| Page { key: key.clone(), bytes });
                emit((key.clone(), page));
            }
        }
    }

    /// Draws threads and the index page that shows them. A thread that stands on both is read and rendered once.
    fn draw_threads(
        &self,
        slug: &BoardSlug,
        threads: &BTreeMap<PostNo, ThreadPages>,
        index: Option<u32>,
        emit: &mut dyn FnMut(Drawn),
    ) {
        let Some(board) = self.site.board(slug) else {
            let gone = threads.iter().flat_map(|(no, pages)| pages.keys(slug, *no));
            let gone = gone.chain(index.map(|page| PageKey::Index(slug.clone(), page)));
            return gone.for_each(|key| emit((key, Err(DrawError::Gone))));
        };
        let listed = index.map(|page| board.index_page(page)).unwrap_or_default();
        let mut previews: Vec<Option<Result<ThreadPreview, DrawError>>> = listed.iter().map(|_| None).collect();
        for (no, pages) in threads {
            let at = listed.iter().position(|summary| summary.no == *no);
            let outcome = self.with_thread(board, *no, Extent::All, |drawn, summary| {
                if let Some(at) = at {
                    previews[at] = Some(self.preview(board, summary, drawn));
                }
                for key in pages.keys(slug, *no) {
                    let page = match key {
                        PageKey::Tail(..) => self.tail_page(board, summary, drawn),
                        _ => self.thread_page(board, summary, drawn),
                    };
                    emit((key.clone(), page.map(|bytes| Page { key, bytes })));
                }
            });
            if let Err(error) = outcome {
                pages.keys(slug, *no).into_iter().for_each(|key| emit((key, Err(error.clone()))));
            }
        }
        let Some(number) = index else { return };
        let missing = |summary: &ThreadSummary| {
            let key = ThreadKey { board: slug.clone(), no: summary.no };
            if let Some(kept) = self.previews.and_then(|previews| previews.get(&key)) {
                return Ok(self.thread_preview(board, summary, kept));
            }
            let draw = |drawn: &DrawnThread<'_>, summary: &ThreadSummary| self.preview(board, summary, drawn);
            self.with_thread(board, summary.no, Extent::Preview, draw)?
        };
        let previews: Result<Vec<ThreadPreview>, DrawError> =
            previews.into_iter().zip(&listed).map(|(made, summary)| made.unwrap_or_else(|| missing(summary))).collect();
        let key = PageKey::Index(slug.clone(), number);
        let page = previews.and_then(|threads| self.index_page(board, number, threads));
        emit((key.clone(), page.map(|bytes| Page { key, bytes })));
    }

    fn with_thread<T>(
        &self,
        board: &Board,
        no: PostNo,
        extent: Extent,
        draw: impl FnOnce(&DrawnThread<'_>, &ThreadSummary) -> T,
    ) -> Result<T, DrawError> {
        let summary = board.visible(no).ok_or(DrawError::Gone)?;
        let thread = (self.read)(&ThreadKey { board: board.slug.clone(), no }).map_err(DrawError::Read)?;
        Ok(draw(&DrawnThread::new(&thread, self.site, &board.slug, extent), summary))
    }

    fn page(&self, key: &PageKey) -> Result<Vec<u8>, DrawError> {
        let board = |slug| self.site.board(slug).ok_or(DrawError::Gone);
        match key {
            PageKey::Asset(path) => Ok(self.theme.asset(path).ok_or(DrawError::Gone)?.to_vec()),
            PageKey::Catalog(slug) => self.catalog_page(board(slug)?),
            PageKey::Archive(slug) => self.archive_page(board(slug)?),
            PageKey::ArchivePart(slug, part) => self.archive_part(board(slug)?, *part),
            PageKey::NotFound => Ok(self.refused(&Refusal::NotFound, None)?.into_bytes()),
            PageKey::Home => self.home_page(),
            PageKey::Thread(..) | PageKey::Tail(..) | PageKey::Index(..) => Err(DrawError::Gone),
        }
    }

    fn thread_page(
        &self,
        board: &Board,
        summary: &ThreadSummary,
        drawn: &DrawnThread<'_>,
    ) -> Result<Vec<u8>, DrawError> {
        let title = format!("{} - {}", thread_title(summary), self.board_title(board));
        let view = self.thread_view("thread", &title, board, summary);
        Ok(self.theme.draw_around("thread", &view, &[drawn.page(self.theme)?])?.into_bytes())
    }

    /// The last posts of a thread, which are drawn already for the page of the whole.
    fn tail_page(&self, board: &Board, summary: &ThreadSummary, drawn: &DrawnThread<'_>) -> Result<Vec<u8>, DrawError> {
        let title = format!("Last posts of {} - {}", thread_title(summary), self.board_title(board));
        let tail = drawn.tail(self.theme)?;
        let view = TailView {
            thread: self.thread_view("tail", &title, board, summary),
            opening: slot(1),
            omitted: replies(summary).saturating_sub(tail.shown),
        };
        Ok(self.theme.draw_around("tail", &view, &[tail.replies, tail.opening])?.into_bytes())
    }

    /// What the page of a thread and that of its last posts have in common: both are known by the former's address.
    fn thread_view(&self, kind: &'static str, title: &str, board: &Board, summary: &ThreadSummary) -> ThreadView {
        let key = PageKey::Thread(board.slug.clone(), summary.no);
        ThreadView {
            frame: self.frame(kind, title, &summary.teaser, Some(&key), Some(&board.slug)),
            board: self.board_view(board),
            no: summary.no.get(),
            href: self.href(&key),
            title: thread_title(summary),
            sticky: summary.flags.sticky,
            locked: summary.flags.locked,
            archived: summary.flags.archived,
            replies: replies(summary),
            tail_href: self.tail_href(board, summary),
            tail_posts: TAIL_POSTS,
            posts: slot(0),
            form: self.form(&board.slug, &board.settings, Some(summary.no)),
        }
    }

    /// Where the last posts of a thread stand alone; empty if they do not.
    fn tail_href(&self, board: &Board, summary: &ThreadSummary) -> String {
        match summary.has_tail() {
            true => self.href(&PageKey::Tail(board.slug.clone(), summary.no)),
            false => String::new(),
        }
    }

    fn preview(
        &self,
        board: &Board,
        summary: &ThreadSummary,
        drawn: &DrawnThread<'_>,
    ) -> Result<ThreadPreview, DrawError> {
        let preview = drawn.preview(self.theme, board.settings.replies_previewed)?;
        if let Some(previews) = self.previews {
            previews.keep(ThreadKey { board: board.slug.clone(), no: summary.no }, &preview);
        }
        Ok(self.thread_preview(board, summary, preview))
    }

    fn thread_preview(&self, board: &Board, summary: &ThreadSummary, (posts, shown): Preview) -> ThreadPreview {
        ThreadPreview {
            no: summary.no.get(),
            href: self.href(&PageKey::Thread(board.slug.clone(), summary.no)),
            title: thread_title(summary),
            sticky: summary.flags.sticky,
            locked: summary.flags.locked,
            archived: summary.flags.archived,
            replies: replies(summary),
            omitted: replies(summary).saturating_sub(shown),
            tail_href: self.tail_href(board, summary),
            tail_posts: TAIL_POSTS,
            posts,
        }
    }

    fn index_page(&self, board: &Board, number: u32, mut threads: Vec<ThreadPreview>) -> Result<Vec<u8>, DrawError> {
        let aside = |(place, preview): (usize, &mut ThreadPreview)| std::mem::replace(&mut preview.posts, slot(place));
        let posts: Vec<SafeHtml> = threads.iter_mut().enumerate().map(aside).collect();
        let last = board.index_pages();
        let key = |page| PageKey::Index(board.slug.clone(), page);
        let link = |page| PageLink { number: page, href: self.href(&key(page)), current: page == number };
        let title = match number {
            1 => self.board_title(board),
            _ => format!("Page {number} - {}", self.board_title(board)),
        };
        let view = IndexView {
            frame: self.frame("index", &title, &board.settings.description, Some(&key(number)), Some(&board.slug)),
            board: self.board_view(board),
            threads,
            pages: (1..=last).map(link).collect(),
            prev_href: if number == 1 { String::new() } else { self.href(&key(number - 1)) },
            next_href: if number == last { String::new() } else { self.href(&key(number + 1)) },
            form: self.form(&board.slug, &board.settings, None),
        };
        Ok(self.theme.draw_around("index", &view, &posts)?.into_bytes())
    }

    fn catalog_page(&self, board: &Board) -> Result<Vec<u8>, DrawError> {
        let key = PageKey::Catalog(board.slug.clone());
        let title = format!("Catalog - {}", self.board_title(board));
        let view = CatalogView {
            frame: self.frame("catalog", &title, &board.settings.description, Some(&key), Some(&board.slug)),
            board: self.board_view(board),
            threads: board.listed().map(|summary| self.row(board, summary)).collect(),
            form: self.form(&board.slug, &board.settings, None),
        };
        Ok(self.theme.draw("catalog", &view)?.into_bytes())
    }

    /// The archive's own page: its newest part, and links to the others.
    fn archive_page(&self, board: &Board) -> Result<Vec<u8>, DrawError> {
        let newest = board.parts().keys().next_back().copied();
        let part = |(from, threads): (&u64, &usize)| ArchivePart {
            from: *from,
            to: from + ARCHIVE_SPAN - 1,
            href: match Some(*from) == newest {
                true => self.href(&PageKey::Archive(board.slug.clone())),
                false => self.href(&PageKey::ArchivePart(board.slug.clone(), *from)),
            },
            threads: *threads,
            current: Some(*from) == newest,
        };
        let parts = board.parts().iter().rev().map(part).collect();
        self.archive(board, &PageKey::Archive(board.slug.clone()), parts, newest)
    }

    /// An older part of the archive. It does not list the others, so that they need not change when one does.
    fn archive_part(&self, board: &Board, part: u64) -> Result<Vec<u8>, DrawError> {
        self.archive(board, &PageKey::ArchivePart(board.slug.clone(), part), Vec::new(), Some(part))
    }

    fn archive(
        &self,
        board: &Board,
        key: &PageKey,
        parts: Vec<ArchivePart>,
        part: Option<u64>,
    ) -> Result<Vec<u8>, DrawError> {
        let title = format!("Archive - {}", self.board_title(board));
        let threads = part.map(|part| board.part(part)).unwrap_or_default();
        let view = ArchiveView {
            frame: self.frame("archive", &title, &board.settings.description, Some(key), Some(&board.slug)),
            board: self.board_view(board),
            parts,
            threads: threads.into_iter().map(|summary| self.row(board, summary)).collect(),
        };
        Ok(self.theme.draw("archive", &view)?.into_bytes())
    }

    fn home_page(&self) -> Result<Vec<u8>, DrawError> {
        let settings = &self.site.settings;
        let mut latest: Vec<(&Board, &ThreadSummary)> = Vec::new();
        for board in self.site.boards() {
            latest.extend(board.latest(settings.home_threads).into_iter().map(|summary| (board, summary)));
        }
        latest.sort_by(|(a_board, a), (b_board, b)| {
            b.bumped_at.cmp(&a.bumped_at).then_with(|| a_board.slug.cmp(&b_board.slug)).then(b.no.cmp(&a.no))
        });
        latest.truncate(settings.home_threads);
        let view = HomeView {
            frame: self.frame("home", &settings.title, &settings.description, Some(&PageKey::Home), None),
            board_stats: self.site.boards().map(|board| self.stats(board)).collect(),
            threads_total: self.site.boards().map(Board::threads_visible).sum(),
            posts_total: self.site.boards().map(Board::posts_visible).sum(),
            latest: latest.into_iter().map(|(board, summary)| self.row(board, summary)).collect(),
        };
        Ok(self.theme.draw("home", &view)?.into_bytes())
    }

    fn stats(&self, board: &Board) -> BoardStats {
        let bumped = board.latest(1).first().map_or(0, |summary| summary.bumped_at);
        let last = shown(bumped, self.site.settings.time_zone);
        BoardStats {
            slug: board.slug.to_string(),
            title: board.title().to_owned(),
            description: board.settings.description.clone(),
            href: self.href(&PageKey::Index(board.slug.clone(), 1)),
            catalog_href: self.href(&PageKey::Catalog(board.slug.clone())),
            threads: board.threads_visible(),
            posts: board.posts_visible(),
            iso: last.iso,
            time: last.time,
        }
    }

    /// A page that the door shows: a refusal, or that a post is safe.
    pub fn answer(&self, view: &ErrorView) -> Result<String, BadTheme> {
        match view {
            ErrorView::Refused { refusal, form } => self.refused(refusal, form.as_deref()),
            ErrorView::Safe { board, thread } => self.safe(board, *thread),
        }
    }

    fn refused(&self, refusal: &Refusal, typed: Option<&Form>) -> Result<String, BadTheme> {
        let heading = if refusal.status() == 404 { "Not found" } else { "That did not work" };
        let title = format!("{heading} - {}", self.site.settings.title);
        let board = typed.and_then(|form| BoardSlug::parse(&form.board).ok()).and_then(|slug| self.site.board(&slug));
        let mut form = match board {
            Some(board) => self.form(&board.slug, &board.settings, None),
            None => FormView { board: String::new(), ..self.blank_form(&self.site.settings.defaults) },
        };
        if let Some(typed) = typed {
            form.thread = typed.thread.clone();
            form.name = typed.name.clone();
            form.options = typed.options.clone();
            form.subject = typed.subject.clone();
            form.body = typed.body.clone();
            form.nonce = typed.nonce.clone();
        }
        let view = RefusedView {
            frame: self.frame("error", &title, "", None, None),
            status: refusal.status(),
            heading: heading.to_owned(),
            message: refusal.to_string(),
            has_form: board.is_some(),
            form,
        };
        self.theme.draw("error", &view)
    }

    fn safe(&self, board: &BoardSlug, thread: Option<PostNo>) -> Result<String, BadTheme> {
        let heading = "Your post is safe";
        let key = match thread {
            Some(no) => PageKey::Thread(board.clone(), no),
            None => PageKey::Index(board.clone(), 1),
        };
        let view = SafeView {
            frame: self.frame("safe", &format!("{heading} - {}", self.site.settings.title), "", None, Some(board)),
            heading: heading.to_owned(),
            message: "It is stored and will be on its page in a moment. There is no need to send it again.".to_owned(),
            href: self.href(&key),
            refresh: 3,
        };
        self.theme.draw("safe", &view)
    }

    fn frame(
        &self,
        kind: &'static str,
        title: &str,
        description: &str,
        key: Option<&PageKey>,
        current: Option<&BoardSlug>,
    ) -> Frame {
        let settings = &self.site.settings;
        let origin = settings.base_url.origin().unwrap_or_default();
        let url = key.filter(|_| !origin.is_empty()).map(|key| format!("{origin}{}", self.href(key)));
        let board = |board: &Board| BoardLink {
            slug: board.slug.to_string(),
            title: board.title().to_owned(),
            href: self.href(&PageKey::Index(board.slug.clone(), 1)),
            current: Some(&board.slug) == current,
        };
        let more_boards = self.site.boards().nth(BOARDS_LISTED).is_some();
        let listed = self.site.boards().filter(|board| !more_boards || Some(&board.slug) == current);
        Frame {
            site: SiteView {
                title: settings.title.clone(),
                description: settings.description.clone(),
                prefix: settings.prefix().to_owned(),
                home: self.href(&PageKey::Home),
                origin: origin.to_owned(),
                locale: settings.locale.clone(),
                dir: direction(&settings.locale).to_owned(),
                generator: GENERATOR.to_owned(),
            },
            boards: listed.map(board).collect(),
            more_boards,
            page: PageView {
                kind,
                title: title.to_owned(),
                description: description.to_owned(),
                url: url.unwrap_or_default(),
                og_type: if matches!(kind, "thread" | "tail") { "article" } else { "website" },
            },
        }
    }

    fn board_view(&self, board: &Board) -> BoardView {
        BoardView {
            slug: board.slug.to_string(),
            title: board.title().to_owned(),
            description: board.settings.description.clone(),
            href: self.href(&PageKey::Index(board.slug.clone(), 1)),
            catalog_href: self.href(&PageKey::Catalog(board.slug.clone())),
            archive_href: self.href(&PageKey::Archive(board.slug.clone())),
        }
    }

    fn row(&self, board: &Board, summary: &ThreadSummary) -> ThreadRow {
        let bumped = shown(summary.bumped_at, self.site.settings.time_zone);
        ThreadRow {
            board: board.slug.to_string(),
            no: summary.no.get(),
            href: self.href(&PageKey::Thread(board.slug.clone(), summary.no)),
            title: thread_title(summary),
            teaser: summary.teaser.to_string(),
            replies: replies(summary),
            tail_href: self.tail_href(board, summary),
            tail_posts: TAIL_POSTS,
            sticky: summary.flags.sticky,
            locked: summary.flags.locked,
            archived: summary.flags.archived,
            iso: bumped.iso,
            time: bumped.time,
        }
    }

    fn form(&self, board: &BoardSlug, settings: &BoardSettings, thread: Option<PostNo>) -> FormView {
        FormView {
            board: board.to_string(),
            thread: thread.map(|no| no.to_string()).unwrap_or_default(),
            ..self.blank_form(settings)
        }
    }

    fn blank_form(&self, settings: &BoardSettings) -> FormView {
        FormView {
            action: self.site.settings.post_target(),
            board: String::new(),
            thread: String::new(),
            has_name: 0 < settings.name_chars_max,
            has_subject: 0 < settings.subject_chars_max,
            name_max: settings.name_chars_max,
            subject_max: settings.subject_chars_max,
            body_max: settings.body_chars_max,
            anonymous_name: settings.anonymous_name.clone(),
            name: String::new(),
            options: String::new(),
            subject: String::new(),
            body: String::new(),
            nonce: String::new(),
        }
    }

    fn href(&self, key: &PageKey) -> String {
        key.href(self.site.settings.prefix())
    }

    fn board_title(&self, board: &Board) -> String {
        format!("/{}/ {} - {}", board.slug, board.title(), self.site.settings.title)
    }
}

fn thread_title(summary: &ThreadSummary) -> String {
    match &*summary.title {
        "" => format!("Thread {}", summary.no),
        title => title.to_owned(),
    }
}

fn replies(summary: &ThreadSummary) -> usize {
    (summary.posts as usize).saturating_sub(1)
}

/// The direction of a language's script.
fn direction(locale: &str) -> &'static str {
    let language = locale.split('-').next().unwrap_or_default();
    match ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"].contains(&language) {
        true => "rtl",
        false => "ltr",
    }
}
