//! Made-up pages on which a theme is tried before it is used: a site with everything, and one with nothing.

use std::sync::Arc;

use super::draw::Pen;
use super::frame::BOARDS_LISTED;
use super::plan;
use super::theme::{BadTheme, Theme};
use super::views::PostView;
use crate::model::public_act::{LoggedAct, PublicAct};
use crate::model::settings::{BaseUrl, BoardInfo};
use crate::model::summary::TAIL_FROM;
use crate::model::{
    BoardSettings, BoardSlug, Change, ErrorView, Form, Numbered, Post, PostId, PostKey, PostNo, Refusal, Site,
    SiteSettings, Stamp, Thread, ThreadFlags, ThreadKey, ThreadSummary,
};

/// A made-up site, ready to be drawn.
pub struct Sample {
    site: Site,
    thread: Option<Arc<Thread>>,
}

/// The samples for a site below `prefix`.
pub fn pages(prefix: &str) -> Vec<Sample> {
    vec![Sample::full(prefix, true), Sample::full(prefix, false), Sample::empty()]
}

impl Sample {
    fn full(prefix: &str, open: bool) -> Sample {
        let settings = SiteSettings {
            base_url: BaseUrl::parse(&format!("https://example.org{prefix}")).unwrap_or_default(),
            description: "A site".to_owned(),
            public_log: true,
            ..SiteSettings::default()
        };
        let board = BoardSettings {
            title: "Board".to_owned(),
            description: "A board".to_owned(),
            index_pages: 2,
            threads_per_page: 1,
            ..BoardSettings::default()
        };
        let crowd = if open { 0 } else { BOARDS_LISTED };
        let mut sample = Sample { site: site(settings, board, crowd), thread: None };
        let thread = Arc::new(thread(open));
        let mut changes: Vec<Change> =
            (1..=4).map(|step| change(&thread, &sample.site, step * 10_000, step % 2 == 0)).collect();
        changes.push(moved(&sample.site, 50_000, 10_000));
        sample.site.apply(changes);
        sample.thread = Some(thread);
        sample.site.log = Arc::new(logged(open));
        sample
    }

    fn empty() -> Sample {
        let board = BoardSettings { name_chars_max: 0, subject_chars_max: 0, ..BoardSettings::default() };
        Sample { site: site(SiteSettings::default(), board, 1), thread: None }
    }

    /// Draws every page of the sample and the door's answers.
    pub fn draw(&self, theme: &Theme) -> Result<(), BadTheme> {
        let read = |_: &ThreadKey| self.thread.clone().ok_or_else(String::new);
        let pen = Pen { site: &self.site, theme, read: &read, previews: None };
        let mut first_wrong = None;
        // The crowd is there to be too many for the list of boards.
        let pages = plan::all_pages(&self.site, theme).into_iter().filter(|key| !key.path().starts_with(CROWD));
        for job in plan::jobs(&self.site, pages) {
            pen.draw(&job, &mut |(_, drawn)| {
                if let Err(super::draw::DrawError::Theme(wrong)) = drawn {
                    first_wrong.get_or_insert(wrong);
                }
            });
        }
        let form = Form { board: "sample".to_owned(), body: "text".to_owned(), ..Form::default() };
        for form in [Some(Box::new(form)), None] {
            pen.answer(&ErrorView::Refused { refusal: Refusal::Empty, form })?;
        }
        pen.answer(&ErrorView::Held { board: slug(), thread: PostNo::new(1) })?;
        pen.answer(&ErrorView::Safe { board: slug(), thread: PostNo::new(1) })?;
        theme.draw_post(&large_post(), &mut String::new())?;
        first_wrong.map_or(Ok(()), Err)
    }
}

fn slug() -> BoardSlug {
    BoardSlug::parse("sample").expect("letters make a board's name")
}

/// How the names of boards begin that are never drawn.
const CROWD: &str = "crowd";

fn site(settings: SiteSettings, board: BoardSettings, crowd: usize) -> Site {
    let settings_of_all = Arc::new(board);
    let crowd = (0..crowd).filter_map(|nth| BoardSlug::parse(&format!("{CROWD}{nth}")).ok());
    let board = |slug| BoardInfo { slug, settings: settings_of_all.clone() };
    Site::new(Arc::new(settings), crowd.chain([slug()]).map(board).collect())
}

fn change(thread: &Thread, site: &Site, no: u64, long: bool) -> Change {
    let no = PostNo::new(no).expect("it is above 0");
    let settings = &site.board(&slug()).expect("it was made with this board").settings;
    let summed_up = ThreadSummary::of(thread, &slug(), settings, Stamp::default(), 0, super::excerpt);
    // Every other one passes for a long thread.
    let (replies, posts) = if long { (TAIL_FROM + 1, TAIL_FROM) } else { (summed_up.replies, summed_up.posts) };
    let summary = ThreadSummary { no, last_no: no, replies, posts, ..summed_up };
    Change { key: ThreadKey { board: slug(), no }, now: Some(Numbered { summary, numbers: vec![no] }) }
}

/// What staff did: an act with everything, or one with nothing.
fn logged(full: bool) -> Vec<LoggedAct> {
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
    let act = PublicAct {
        id: PostId::parse("id").expect("letters make an id"),
        at,
        act: if full { "move" } else { "ban" }.to_owned(),
        board: full.then(slug),
        posts: PostNo::new(1).filter(|_| full).into_iter().collect(),
        more: 0,
        to: full.then(slug),
        of: None,
        why: if full { "text" } else { "" }.to_owned(),
    };
    vec![LoggedAct { act, undone: full.then_some(at) }]
}

/// A thread that was moved to where another one is.
fn moved(site: &Site, no: u64, to: u64) -> Change {
    let [no, to] = [no, to].map(|no| PostNo::new(no).expect("it is above 0"));
    let moved = Some(PostKey { board: slug(), no: to });
    let posts = vec![Post { deleted: true, moved, ..Post::new(no) }];
    let thread = Thread { flags: ThreadFlags::default(), changed: None, posts };
    let settings = &site.board(&slug()).expect("it was made with this board").settings;
    let summary = ThreadSummary::of(&thread, &slug(), settings, Stamp::default(), 0, super::excerpt);
    Change { key: ThreadKey { board: slug(), no }, now: Some(Numbered { summary, numbers: vec![no] }) }
}

/// A post that is too long for the index, and that more replies name than are listed: nothing to be drawn whole at each
/// start.
fn large_post() -> PostView<'static> {
    PostView {
        no: 1,
        href: "#p1",
        op: false,
        deleted: false,
        name: "Name",
        trip: "",
        poster_id: "",
        capcode: "",
        subject: "",
        sage: false,
        sticky: false,
        locked: false,
        archived: false,
        iso: "",
        time: "",
        body: "",
        cut: true,
        backlinks: &[],
        more_backlinks: 1,
    }
}

/// A thread with one post of each kind.
fn thread(open: bool) -> Thread {
    let number = |no| PostNo::new(no).expect("it is above 0");
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
    let text = |word: &str| if open { word.to_owned() } else { String::new() };
    let post = |no, body: &str| Post {
        at: if open { at } else { chrono::DateTime::UNIX_EPOCH },
        name: text("Name"),
        trip: text("!trip"),
        poster_id: text("id"),
        capcode: text("admin"),
        subject: text("Subject"),
        sage: open,
        body: body.to_owned(),
        ..Post::new(number(no))
    };
    let mut posts: Vec<Post> = (1..=8).map(|no| post(no, ">>1\n>>2\ntext")).collect();
    posts[6].deleted = true;
    let flags = ThreadFlags { sticky: !open, locked: !open, archived: false, bumplock: !open, cyclic: !open };
    Thread { flags, changed: None, posts }
}
