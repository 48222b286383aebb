//! Draws pages: a portion of work at a time, each page handed on as soon as it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::board_pen::BoardPen;
use super::frame::Surroundings;
use super::json;
use super::overboard::OverboardPen;
use super::plan::{IndexPages, Job, ThreadPages};
use super::previews::Previews;
use super::sitemap;
use super::theme::{BadTheme, Theme};
use super::time::shown;
use super::two_channel;
use super::views::*;
use crate::model::site::Board;
use crate::model::summary::TAIL_POSTS;
use crate::model::{
    BoardSettings, BoardSlug, ErrorView, Form, Page, PageKey, PostNo, Refusal, Site, SiteFile, Thread, ThreadKey,
    ThreadSummary,
};

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

/// What a post that is safe waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wait {
    /// Its page is being built.
    ForPage,
    /// Somebody is to look at it.
    ForStaff,
}

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

    fn draw_threads(
        &self,
        slug: &BoardSlug,
        threads: &BTreeMap<PostNo, ThreadPages>,
        index: Option<IndexPages>,
        emit: &mut dyn FnMut(Drawn),
    ) {
        match self.site.board(slug) {
            Some(board) => BoardPen::new(self, board).threads(threads, index, emit),
            None => {
                let gone = threads.iter().flat_map(|(no, pages)| pages.keys(slug, *no));
                let gone = gone.chain(index.into_iter().flat_map(|index| index.keys(slug)));
                gone.for_each(|key| emit((key, Err(DrawError::Gone))));
            }
        }
    }

    fn page(&self, key: &PageKey) -> Result<Vec<u8>, DrawError> {
        let board = |slug| Ok::<_, DrawError>(BoardPen::new(self, self.site.board(slug).ok_or(DrawError::Gone)?));
        match key {
            PageKey::Asset(path) => Ok(self.theme.asset(path).ok_or(DrawError::Gone)?.to_vec()),
            PageKey::Catalog(slug) => board(slug)?.catalog_page(),
            PageKey::Archive(slug) => board(slug)?.archive_page(),
            PageKey::ArchivePart(slug, part) => board(slug)?.archive_part(*part),
            PageKey::Log => self.log_page(),
            PageKey::NotFound => Ok(self.refused(&Refusal::NotFound, None)?.into_bytes()),
            PageKey::Home => self.home_page(),
            PageKey::OfBoard(slug, file) => board(slug)?.file(*file),
            PageKey::SitemapPart(slug, span) => {
                let board = self.site.board(slug).ok_or(DrawError::Gone)?;
                Ok(sitemap::part(self.site, board, *span).into_bytes())
            }
            PageKey::Overboard(page) => OverboardPen::new(self).page(*page),
            PageKey::OfSite(file) => match file {
                SiteFile::Boards => Ok(json::boards(self.site).into_bytes()),
                SiteFile::Sitemap => Ok(sitemap::list(self.site).into_bytes()),
                SiteFile::Robots => Ok(sitemap::robots(self.site).into_bytes()),
                SiteFile::Feed => OverboardPen::new(self).feed(),
                SiteFile::BbsMenu => Ok(two_channel::menu(self.site)),
            },
            PageKey::Thread(..)
            | PageKey::Tail(..)
            | PageKey::OfThread(..)
            | PageKey::Index(..)
            | PageKey::IndexJson(..) => Err(DrawError::Gone),
        }
    }

    fn home_page(&self) -> Result<Vec<u8>, DrawError> {
        let settings = &self.site.settings;
        let around = Surroundings::new(self.site, None);
        let mut latest: Vec<(&Board, &ThreadSummary)> = Vec::new();
        for board in self.site.boards() {
            latest.extend(board.latest(settings.home_threads).into_iter().map(|summary| (board, summary)));
        }
        latest.sort_by(|(a_board, a), (b_board, b)| {
            b.bumped_at.cmp(&a.bumped_at).then_with(|| a_board.slug.cmp(&b_board.slug)).then(b.no.cmp(&a.no))
        });
        latest.truncate(settings.home_threads);
        let view = HomeView {
            frame: around.frame("home", &settings.title, &settings.description, Some(&PageKey::Home)),
            board_stats: self.site.boards().map(|board| self.stats(board)).collect(),
            threads_total: self.site.boards().map(Board::threads_visible).sum(),
            posts_total: self.site.boards().map(Board::posts_visible).sum(),
            latest: latest.into_iter().map(|(board, summary)| self.row(board, summary)).collect(),
        };
        Ok(self.theme.draw("home", &view, &[])?.into_bytes())
    }

    fn stats(&self, board: &Board) -> BoardStats {
        let bumped = board.latest(1).first().map_or(0, |summary| summary.bumped_at);
        let last = shown(bumped, self.site.settings.time_zone, self.theme.time());
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
            ErrorView::Held { board, thread } => self.safe(board, *thread, Wait::ForStaff),
            ErrorView::Safe { board, thread } => self.safe(board, *thread, Wait::ForPage),
        }
    }

    fn refused(&self, refusal: &Refusal, typed: Option<&Form>) -> Result<String, BadTheme> {
        let heading = self.theme.say(if refusal.status() == 404 { "not-found" } else { "refused" }, &[]);
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
        let around = Surroundings::new(self.site, None);
        let view = RefusedView {
            frame: around.frame("error", &title, "", None),
            status: refusal.status(),
            heading,
            message: self.theme.sentence(refusal),
            has_form: board.is_some(),
            form,
        };
        self.theme.draw("error", &view, &[])
    }

    fn safe(&self, board: &BoardSlug, thread: Option<PostNo>, wait: Wait) -> Result<String, BadTheme> {
        let heading = self.theme.say("post-safe", &[]);
        // The page of the first kind goes to the post by itself, the other stays.
        let (kind, message) = match wait {
            Wait::ForPage => ("safe", self.theme.say("post-safe-next", &[])),
            Wait::ForStaff => ("error", self.theme.say("post-held-next", &[])),
        };
        let key = match thread {
            Some(no) => PageKey::Thread(board.clone(), no),
            None => PageKey::Index(board.clone(), 1),
        };
        let around = Surroundings::new(self.site, Some(board));
        let view = SafeView {
            frame: around.frame(kind, &format!("{heading} - {}", self.site.settings.title), "", None),
            heading,
            message,
            href: self.href(&key),
            refresh: 3,
        };
        self.theme.draw("safe", &view, &[])
    }

    pub(super) fn row(&self, board: &Board, summary: &ThreadSummary) -> ThreadRow {
        let bumped = shown(summary.bumped_at, self.site.settings.time_zone, self.theme.time());
        ThreadRow {
            board: board.slug.to_string(),
            no: summary.no.get(),
            href: self.href(&PageKey::Thread(board.slug.clone(), summary.no)),
            title: self.thread_title(summary),
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

    /// Where the last posts of a thread stand alone; empty if they do not.
    pub(super) fn tail_href(&self, board: &Board, summary: &ThreadSummary) -> String {
        match summary.has_tail() {
            true => self.href(&PageKey::Tail(board.slug.clone(), summary.no)),
            false => String::new(),
        }
    }

    pub(super) fn form(&self, board: &BoardSlug, settings: &BoardSettings, thread: Option<PostNo>) -> FormView {
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
            anonymous_name: self.theme.anonymous(settings).to_owned(),
            name: String::new(),
            options: String::new(),
            subject: String::new(),
            body: String::new(),
            nonce: String::new(),
        }
    }

    /// What a thread is called.
    pub(super) fn thread_title(&self, summary: &ThreadSummary) -> String {
        match &*summary.title {
            "" => self.theme.say("thread-no", &[("no", &summary.no.to_string())]),
            title => title.to_owned(),
        }
    }

    pub(super) fn href(&self, key: &PageKey) -> String {
        key.href(self.site.settings.prefix())
    }
}

/// How many replies of a thread can be read.
pub(super) fn replies(summary: &ThreadSummary) -> usize {
    (summary.posts as usize).saturating_sub(1)
}
