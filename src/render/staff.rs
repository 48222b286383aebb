//! The pages of staff. Their templates are built in: a theme changes how they look by its `style.css`, not what they
//! can do. All that they say stands in `staff/*.hbs` and `staff/words.rs`.

mod held;
mod say;
mod stance;
mod words;

use std::sync::LazyLock;

use handlebars::Handlebars;
use serde::Serialize;

use super::links::{self, ThreadLinks};
use super::markup::Renderer;
use super::posts::LISTED;
use super::theme::{BadTheme, Theme};
use super::time::shown;
use super::views::SafeHtml;
use crate::model::capcode;
use crate::model::role::{Right, Role};
use crate::model::{BoardSlug, PageKey, Post, PostNo, Site, Thread, ThreadKey};

pub use held::{HeldPage, HeldToShow};
use say::CapcodeLine;
pub use stance::Stance;
pub use words::Notice;

/// The style sheet of these pages, beside that of the theme.
pub const STYLE: &str = include_str!("staff/staff.css");

/// Each template, by its name.
const TEMPLATES: [(&str, &str); 17] = [
    ("layout", include_str!("staff/layout.hbs")),
    ("hidden", include_str!("staff/hidden.hbs")),
    ("row", include_str!("staff/row.hbs")),
    ("lines", include_str!("staff/lines.hbs")),
    ("acts", include_str!("staff/acts.hbs")),
    ("say", include_str!("staff/say.hbs")),
    ("notice", include_str!("staff/notice.hbs")),
    ("signin", include_str!("staff/signin.hbs")),
    ("overview", include_str!("staff/overview.hbs")),
    ("posts", include_str!("staff/posts.hbs")),
    ("post", include_str!("staff/post.hbs")),
    ("held", include_str!("staff/held.hbs")),
    ("posture", include_str!("staff/posture.hbs")),
    ("move", include_str!("staff/move.hbs")),
    ("log", include_str!("staff/log.hbs")),
    ("bans", include_str!("staff/bans.hbs")),
    ("users", include_str!("staff/users.hbs")),
];

static PAGES: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    for (name, template) in TEMPLATES {
        pages.register_template_string(name, template).expect("the built-in templates are well formed");
    }
    pages
});

/// What every page of staff shows.
#[derive(Clone, Serialize)]
pub struct Frame {
    title: String,
    site: String,
    home: String,
    /// Where these pages begin.
    base: String,
    style: String,
    generator: &'static str,
    name: String,
    role: &'static str,
    csrf: String,
    may: May,
    capcodes: Vec<CapcodeLine>,
    tabs: Vec<Tab>,
    stance: Option<stance::Told>,
    notice: String,
    failed: bool,
}

#[derive(Clone, Serialize)]
struct Tab {
    href: String,
    label: &'static str,
    current: bool,
}

/// What a role may do, for templates: what it may not is not shown.
#[derive(Clone, Copy, Serialize)]
struct May {
    delete: bool,
    dismiss: bool,
    restore: bool,
    set: bool,
    edit: bool,
    moving: bool,
    wipe: bool,
    ban: bool,
    unban: bool,
    undo: bool,
    senders: bool,
    users: bool,
    held: bool,
    approve: bool,
    deny: bool,
    posture: bool,
}

impl May {
    fn of(role: Option<Role>) -> May {
        let may = |right| role.is_some_and(|role| role.may(right));
        May {
            delete: may(Right::Delete),
            dismiss: may(Right::Dismiss),
            restore: may(Right::Restore),
            set: may(Right::Set),
            edit: may(Right::Edit),
            moving: may(Right::Move),
            wipe: may(Right::Wipe),
            ban: may(Right::Ban),
            unban: may(Right::Unban),
            undo: may(Right::Undo),
            senders: may(Right::LookAtSenders),
            users: may(Right::Users),
            held: may(Right::LookAtHeld),
            approve: may(Right::Approve),
            deny: may(Right::Deny),
            posture: may(Right::Posture),
        }
    }
}

/// Who looks.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    /// The account's name; empty for nobody.
    pub name: &'a str,
    /// Its role.
    pub role: Option<Role>,
    /// What proves that a form comes from these pages.
    pub csrf: &'a str,
}

/// A post to be shown.
pub struct PostToShow {
    /// Where it stands.
    pub key: ThreadKey,
    /// Its thread.
    pub thread: std::sync::Arc<Thread>,
    /// Its number.
    pub no: PostNo,
    /// Stands for whoever sent it; empty if nobody knows.
    pub sender: String,
    /// How often it was reported.
    pub times: u32,
    /// Why.
    pub reasons: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    board: String,
    no: u64,
    target: String,
    href: String,
    own: String,
    thread: u64,
    is_opening: bool,
    deleted: bool,
    name: String,
    trip: String,
    capcode: String,
    subject: String,
    iso: String,
    time: String,
    #[serde(serialize_with = "as_markup")]
    body: SafeHtml,
    cut: bool,
    sender: String,
    times: u32,
    reasons: Vec<String>,
}

/// SECURITY: the one text that stands in triple braces. Only the markup makes such values.
fn as_markup<S: serde::Serializer>(html: &SafeHtml, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(html.as_str())
}

/// An act of the log to be shown.
#[derive(Serialize)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// When; see [`Pages::time`].
    pub iso: String,
    /// The same for people.
    pub time: String,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
    /// Where; empty if nowhere.
    pub board: String,
    /// The first numbers that it names.
    pub numbers: Vec<u64>,
    /// How many others there are.
    pub more: usize,
    /// Why.
    pub why: String,
    /// Whether it can be undone, and is not yet.
    pub undoable: bool,
    /// Whether it was.
    pub undone: bool,
}

/// A ban to be shown.
#[derive(Serialize)]
pub struct BanLine {
    /// The id by which it is lifted.
    pub id: String,
    /// Whom it is about: never an address.
    pub whom: &'static str,
    /// The board; empty for all.
    pub board: String,
    /// When it ends; empty for never.
    pub until: String,
    /// Why.
    pub why: String,
}

/// An account to be shown.
#[derive(Serialize)]
pub struct AccountLine {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: &'static str,
    /// Whether it is the one that looks.
    pub own: bool,
}

/// A flag of a thread, and the verb that changes it.
#[derive(Serialize)]
struct FlagLine {
    verb: &'static str,
    label: &'static str,
}

/// Draws pages of staff.
pub struct Pages<'a> {
    /// All that is known of the threads.
    pub site: &'a Site,
    /// The theme, for its style sheet and how it writes times.
    pub theme: &'a Theme,
    /// Who looks.
    pub viewer: Viewer<'a>,
    /// What came of what was done.
    pub notice: Option<Notice>,
    /// How open the door is, as far as somebody ever said.
    pub stance: Option<Stance>,
}

#[derive(Serialize)]
struct View<T: Serialize> {
    #[serde(flatten)]
    frame: Frame,
    #[serde(flatten)]
    page: T,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct SignIn<'a> {
    typed: &'a str,
}

#[derive(Serialize)]
struct Overview {
    waiting: Waiting,
    boards: Vec<BoardLine>,
    lines: Vec<Line>,
    back: &'static str,
}

/// What waits for somebody to look at it.
#[derive(Clone, Copy, Serialize)]
pub struct Waiting {
    /// Reported posts.
    pub reports: usize,
    /// Held posts.
    pub held: usize,
}

#[derive(Serialize)]
struct BoardLine {
    slug: String,
    title: String,
    href: String,
    threads: usize,
    posts: usize,
}

#[derive(Serialize)]
struct Posts<'a> {
    heading: &'static str,
    lead: &'a str,
    rows: Vec<Row>,
    back: &'a str,
    is_reports: bool,
    /// Held posts of the same sender.
    held: usize,
}

#[derive(Serialize)]
struct OnePost {
    row: Row,
    thread_flags: Vec<FlagLine>,
    thread_target: String,
    /// The boards to which the thread can go.
    other_boards: Vec<String>,
    source: String,
    takes_replies: bool,
    back: String,
    is_reports: bool,
}

#[derive(Serialize)]
struct Log {
    lines: Vec<Line>,
    back: &'static str,
}

#[derive(Serialize)]
struct BansPage {
    bans: Vec<BanLine>,
    boards: Vec<String>,
    back: &'static str,
}

#[derive(Serialize)]
struct UsersPage {
    users: Vec<AccountLine>,
}

/// Which posts a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those that were reported.
    Reported,
    /// The newest of all boards.
    Newest,
    /// Those of whom this stands for, and how many of theirs are held.
    Sender(&'a str, usize),
}

impl Pages<'_> {
    /// Where these pages begin.
    pub fn base(site: &Site) -> String {
        format!("{}mod/", site.settings.prefix())
    }

    /// The page on which somebody signs in.
    pub fn sign_in(&self, typed: &str) -> Result<String, BadTheme> {
        self.draw("signin", "Sign in", "", SignIn { typed })
    }

    /// A page that only tells something.
    pub fn told(&self) -> Result<String, BadTheme> {
        let title = if matches!(self.notice, Some(Notice::Waiting)) { "Not done yet" } else { "Not done" };
        self.draw("notice", title, "", Empty {})
    }

    /// The first page.
    pub fn overview(&self, waiting: Waiting, lines: Vec<Line>) -> Result<String, BadTheme> {
        let boards = self.site.boards().map(|board| BoardLine {
            slug: board.slug.to_string(),
            title: board.title().to_owned(),
            href: PageKey::Index(board.slug.clone(), 1).href(self.site.settings.prefix()),
            threads: board.threads_visible(),
            posts: board.posts_visible(),
        });
        self.draw("overview", "Overview", "", Overview { waiting, boards: boards.collect(), lines, back: "" })
    }

    /// A list of posts.
    pub fn posts(&self, which: Which<'_>, posts: &[PostToShow]) -> Result<String, BadTheme> {
        let rows = posts.iter().filter_map(|post| self.row(post, true)).collect();
        let is_reports = which == Which::Reported;
        let (heading, tab, back, lead, held) = match which {
            Which::Reported => ("Reports", "reports", "reports".to_owned(), String::new(), 0),
            Which::Newest => ("Recent posts", "posts", "posts".to_owned(), String::new(), 0),
            Which::Sender(label, held) => {
                ("Posts of one sender", "posts", format!("sender/{label}"), label.to_owned(), held)
            }
        };
        self.draw("posts", heading, tab, Posts { heading, lead: &lead, rows, back: &back, is_reports, held })
    }

    /// A post with all that can be done to it; `None` if it is not in its thread.
    pub fn post(&self, post: &PostToShow) -> Result<Option<String>, BadTheme> {
        let Some(row) = self.row(post, false) else { return Ok(None) };
        let source = post.thread.posts.iter().find(|there| there.no == post.no).map(|post| post.body.clone());
        let flags = post.thread.flags;
        let thread_flags = words::FLAGS.iter().filter(|(flag, ..)| post.thread.visible() || flags.get(*flag));
        let thread_flags = thread_flags.map(|(flag, on, off)| {
            let (verb, label) = if flags.get(*flag) { *off } else { *on };
            FlagLine { verb, label }
        });
        let thread_flags = thread_flags.collect();
        let page = OnePost {
            thread_flags,
            other_boards: match post.thread.visible() {
                true => {
                    self.site.boards().map(|board| board.slug.to_string()).filter(|slug| *slug != row.board).collect()
                }
                false => Vec::new(),
            },
            thread_target: format!("{}/{}", post.key.board, post.key.no),
            source: source.unwrap_or_default(),
            takes_replies: post.thread.visible() && !flags.closed(),
            back: format!("post/{}/{}", post.key.board, post.no),
            is_reports: 0 < row.times,
            row,
        };
        self.draw("post", "Post", "posts", page).map(Some)
    }

    /// What was done.
    pub fn log(&self, lines: Vec<Line>) -> Result<String, BadTheme> {
        self.draw("log", "Log", "log", Log { lines, back: "log" })
    }

    /// Who may not post.
    pub fn bans(&self, bans: Vec<BanLine>) -> Result<String, BadTheme> {
        self.draw("bans", "Bans", "bans", BansPage { bans, boards: self.slugs(), back: "bans" })
    }

    /// Who has an account.
    pub fn users(&self, users: Vec<AccountLine>) -> Result<String, BadTheme> {
        self.draw("users", "Accounts", "users", UsersPage { users })
    }

    /// The boards' names in addresses.
    fn slugs(&self) -> Vec<String> {
        self.site.boards().map(|board| board.slug.to_string()).collect()
    }

    /// The name of a post as its board shows it.
    fn name_or_anonymous(&self, name: &str, trip: &str, board: &BoardSlug) -> String {
        match (name, trip, self.site.board(board)) {
            ("", "", Some(board)) => self.theme.anonymous(&board.settings).to_owned(),
            (name, ..) => name.to_owned(),
        }
    }

    /// A time for programs and for people.
    pub fn time(&self, seconds: i64) -> (String, String) {
        let shown = shown(seconds, self.site.settings.time_zone, self.theme.time());
        (shown.iso, shown.time)
    }

    fn draw(&self, template: &str, title: &str, tab: &str, page: impl Serialize) -> Result<String, BadTheme> {
        let view = View { frame: self.frame(title, tab), page };
        PAGES.render(template, &view).map_err(|error| BadTheme {
            path: format!("staff/{}.hbs", error.template_name.as_deref().unwrap_or(template)).into(),
            place: error.line_no.map(|line| (line, error.column_no.unwrap_or(1))),
            message: error.reason().to_string(),
        })
    }

    fn frame(&self, title: &str, tab: &str) -> Frame {
        let base = Pages::base(self.site);
        let prefix = self.site.settings.prefix();
        let is_style = |path: &&str| path.starts_with("assets/style.") && path.ends_with(".css");
        let style = self.theme.assets().find(is_style).map_or(String::new(), |path| format!("{prefix}{path}"));
        let may = May::of(self.viewer.role);
        let tabs = words::TABS.iter().filter(|(path, _)| match *path {
            "bans" => may.senders,
            "users" => may.users,
            "held" => may.held,
            "posture" => may.posture,
            _ => self.viewer.role.is_some(),
        });
        let tabs =
            tabs.map(|(path, label)| Tab { href: format!("{base}{path}"), label, current: *path == tab }).collect();
        Frame {
            title: format!("{title} - {}", self.site.settings.title),
            site: self.site.settings.title.clone(),
            home: prefix.to_owned(),
            base,
            style,
            generator: super::GENERATOR,
            name: self.viewer.name.to_owned(),
            role: self.viewer.role.map_or("", Role::name),
            csrf: self.viewer.csrf.to_owned(),
            may,
            capcodes: say::capcodes(self.viewer.role),
            tabs,
            stance: self.stance.as_ref().and_then(stance::Told::of),
            notice: self.notice.as_ref().map_or(String::new(), Notice::sentence),
            failed: self.notice.as_ref().is_some_and(Notice::is_failure),
        }
    }

    /// A post as a row; in a list only its beginning.
    fn row(&self, shown: &PostToShow, in_list: bool) -> Option<Row> {
        let post = shown.thread.posts.iter().find(|post| post.no == shown.no)?;
        let ThreadKey { board, no: thread } = &shown.key;
        let thread_href = PageKey::Thread(board.clone(), *thread).href(self.site.settings.prefix());
        let (body, cut) = self.body(post, &shown.thread, board, &thread_href, in_list);
        let (iso, time) = self.time(post.at.timestamp());
        Some(Row {
            board: board.to_string(),
            no: post.no.get(),
            target: format!("{board}/{}", post.no),
            href: format!("{thread_href}#p{}", post.no),
            own: format!("{}post/{board}/{}", Pages::base(self.site), post.no),
            thread: thread.get(),
            is_opening: post.no == *thread,
            deleted: post.deleted,
            name: self.name_or_anonymous(&post.name, &post.trip, board),
            trip: post.trip.clone(),
            capcode: capcode::shown(&post.capcode).to_owned(),
            subject: post.subject.clone(),
            iso,
            time,
            body,
            cut,
            sender: shown.sender.clone(),
            times: shown.times,
            reasons: shown.reasons.clone(),
        })
    }

    /// The text as the board shows it, with links that lead out of here.
    fn body(
        &self,
        post: &Post,
        thread: &Thread,
        board: &BoardSlug,
        thread_href: &str,
        in_list: bool,
    ) -> (SafeHtml, bool) {
        if post.deleted {
            return (SafeHtml(String::new()), false);
        }
        let mut own: Vec<PostNo> = thread.posts.iter().map(|post| post.no).collect();
        own.sort_unstable();
        let links = ThreadLinks::new(self.site, board, &own);
        let (mut renderer, mut whole) = (Renderer::default(), String::new());
        let beginning = match in_list {
            true => renderer.render_with_beginning(&post.body, LISTED, &links, &mut whole),
            false => {
                renderer.render(&post.body, &links, &mut whole);
                None
            }
        };
        let cut = beginning.is_some();
        let html = beginning.unwrap_or(whole);
        (SafeHtml(links::from_elsewhere(&html, thread_href).into_owned()), cut)
    }
}
