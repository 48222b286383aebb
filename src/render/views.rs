//! The values that templates get, one struct for each kind of page.
//!
//! Every field is always there, so that strict mode catches a misspelt name and nothing else. Text fields are plain
//! text, which templates escape; a field whose type is [`Slot`] is drawn posts, which stand in triple braces.
//! Links are whole paths below the site's prefix, times come twice: `iso` for machines (UTC) and `time` for people
//! (the site's zone); both are empty where a time is not known.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Markup that is safe to stand in a page as it is. Only this room makes it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SafeHtml(pub(super) String);

impl SafeHtml {
    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stands for drawn posts: the place of them in the list that is put in while the page is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Slot(pub(super) usize);

impl Slot {
    /// Stands around the place, for handlebars. Summaries and settings hold no control characters, so no text of a page
    /// can.
    pub(super) const MARK: char = '\0';
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{mark}{}{mark}", self.0, mark = Slot::MARK))
    }
}

/// What every page gets beside its own values: `site`, `boards` and `page`.
#[derive(Clone, Debug, Serialize)]
pub struct Frame<'a> {
    /// The site.
    pub site: &'a SiteView,
    /// All boards, for the list on each page; on a site of very many only the board that the page belongs to.
    pub boards: &'a [BoardLink],
    /// Whether there are boards that are not in this list. The home page lists all.
    pub more_boards: bool,
    /// This page.
    pub page: PageView,
}

/// The site as templates see it.
#[derive(Clone, Debug, Serialize)]
pub struct SiteView {
    /// Its name.
    pub title: String,
    /// A sentence; may be empty.
    pub description: String,
    /// The path below which all stands, with a slash at both ends.
    pub prefix: String,
    /// The home page.
    pub home: String,
    /// The page of the threads of all boards; empty if there is none.
    pub overboard_href: String,
    /// Scheme and host, such as `https://example.org`; empty if not known.
    pub origin: String,
    /// BCP 47 tag for `lang`.
    pub locale: String,
    /// `ltr` or `rtl`.
    pub dir: String,
    /// The page that tells what staff did; empty if there is none.
    pub log: String,
    /// Name and version of the program.
    pub generator: String,
}

/// A board in the list of boards.
#[derive(Clone, Debug, Serialize)]
pub struct BoardLink {
    /// `tech`.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// Its first index page.
    pub href: String,
    /// Whether this page belongs to the board.
    pub current: bool,
}

/// The page itself.
#[derive(Clone, Debug, Serialize)]
pub struct PageView {
    /// `home`, `index`, `overboard`, `catalog`, `archive`, `thread`, `tail`, `moved`, `log`, `error` or `safe`.
    pub kind: &'static str,
    /// For `<title>` and `og:title`; the site's or board's name is already in it.
    pub title: String,
    /// For `description` and `og:description`; may be empty.
    pub description: String,
    /// The absolute URL for `canonical` and `og:url`; empty if the site does not know its host.
    pub url: String,
    /// `website` or `article`.
    pub og_type: &'static str,
    /// The Atom feed of what the page shows; empty if there is none.
    pub feed_href: String,
    /// The same as JSON; empty if there is none.
    pub json_href: String,
}

/// `home.hbs`.
#[derive(Clone, Debug, Serialize)]
pub struct HomeView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The boards with their figures.
    pub board_stats: Vec<BoardStats>,
    /// Threads on all boards.
    pub threads_total: usize,
    /// Posts on all boards.
    pub posts_total: usize,
    /// The threads that were bumped last, on whatever board.
    pub latest: Vec<ThreadRow>,
}

/// A board on the home page.
#[derive(Clone, Debug, Serialize)]
pub struct BoardStats {
    /// `tech`.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// A sentence; may be empty.
    pub description: String,
    /// Its first index page.
    pub href: String,
    /// Its catalog.
    pub catalog_href: String,
    /// Threads that can be read.
    pub threads: usize,
    /// Posts that can be read.
    pub posts: usize,
    /// When a thread of it was last bumped.
    pub iso: String,
    /// When a thread of it was last bumped.
    pub time: String,
}

/// A thread in a list: on the home page, in the catalog, in the archive.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadRow {
    /// The board's slug.
    pub board: String,
    /// The thread's number.
    pub no: u64,
    /// Its page.
    pub href: String,
    /// The subject, or else the beginning of the text; empty only if the opening post is gone.
    pub title: String,
    /// The beginning of the opening post as plain text, at most 160 characters.
    pub teaser: String,
    /// Replies that can be read.
    pub replies: usize,
    /// The page of its last posts; empty if the thread is too short for one.
    pub tail_href: String,
    /// How many replies are shown there.
    pub tail_posts: usize,
    /// Stays on top.
    pub sticky: bool,
    /// Takes no replies.
    pub locked: bool,
    /// Archived for good.
    pub archived: bool,
    /// When it was last bumped.
    pub iso: String,
    /// When it was last bumped.
    pub time: String,
}

/// The board that a page belongs to.
#[derive(Clone, Debug, Serialize)]
pub struct BoardView {
    /// `tech`.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// A sentence; may be empty.
    pub description: String,
    /// Its first index page.
    pub href: String,
    /// Its catalog.
    pub catalog_href: String,
    /// Its archive.
    pub archive_href: String,
}

/// `index.hbs`.
#[derive(Clone, Debug, Serialize)]
pub struct IndexView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The board.
    pub board: &'a BoardView,
    /// The threads of this page, in order.
    pub threads: Vec<ThreadPreview>,
    /// All index pages.
    pub pages: Vec<PageLink>,
    /// The page before; empty on the first.
    pub prev_href: String,
    /// The page after; empty on the last.
    pub next_href: String,
    /// The form for a new thread.
    pub form: FormView,
}

/// An index page in the row of page numbers.
#[derive(Clone, Debug, Serialize)]
pub struct PageLink {
    /// Counted from 1.
    pub number: u32,
    /// Where it is.
    pub href: String,
    /// Whether it is this one.
    pub current: bool,
}

/// A thread on the index.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadPreview {
    /// The board's slug.
    pub board: String,
    /// The thread's number.
    pub no: u64,
    /// Its page.
    pub href: String,
    /// The subject, or else the beginning of the text.
    pub title: String,
    /// Stays on top.
    pub sticky: bool,
    /// Takes no replies.
    pub locked: bool,
    /// Archived for good.
    pub archived: bool,
    /// Replies that can be read.
    pub replies: usize,
    /// Those of them that are not shown here.
    pub omitted: usize,
    /// The page of its last posts; empty if the thread is too short for one.
    pub tail_href: String,
    /// How many replies are shown there.
    pub tail_posts: usize,
    /// The opening post and the last replies, each drawn by `post.hbs`.
    pub posts: Slot,
}

/// `thread.hbs`.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The board.
    pub board: &'a BoardView,
    /// The thread's number.
    pub no: u64,
    /// Its page.
    pub href: String,
    /// The subject, or else the beginning of the text.
    pub title: String,
    /// Stays on top.
    pub sticky: bool,
    /// Takes no replies.
    pub locked: bool,
    /// Archived for good.
    pub archived: bool,
    /// Replies that can be read.
    pub replies: usize,
    /// The page of its last posts; empty if the thread is too short for one.
    pub tail_href: String,
    /// How many replies are shown there.
    pub tail_posts: usize,
    /// All posts, each drawn by `post.hbs`; on the tail the last replies.
    pub posts: Slot,
    /// The form for a reply.
    pub form: FormView,
}

/// `tail.hbs`: the last posts of a long thread.
#[derive(Clone, Debug, Serialize)]
pub struct TailView<'a> {
    /// What the page of the whole thread has too.
    #[serde(flatten)]
    pub thread: ThreadView<'a>,
    /// The opening post, drawn by `post.hbs`.
    pub opening: Slot,
    /// Replies that are not shown here.
    pub omitted: usize,
}

/// `post.hbs`: one post, on its thread's page or on the index.
#[derive(Clone, Debug, Serialize)]
pub struct PostView<'a> {
    /// The number; its anchor is `p` and the number.
    pub no: u64,
    /// The post's own link.
    pub href: &'a str,
    /// Whether it opens its thread.
    pub op: bool,
    /// A tombstone: show that a post was removed, and nothing else.
    pub deleted: bool,
    /// The name, or the board's anonymous name.
    pub name: &'a str,
    /// With its `!` or `!!`; empty if there is none.
    pub trip: &'a str,
    /// What stands for the sender among the posters of the thread; empty if nothing is shown.
    pub poster_id: &'a str,
    /// Staff role; empty if there is none.
    pub capcode: &'a str,
    /// May be empty.
    pub subject: &'a str,
    /// Whether the reply did not bump.
    pub sage: bool,
    /// Opening post of a sticky thread.
    pub sticky: bool,
    /// Opening post of a locked thread.
    pub locked: bool,
    /// Opening post of an archived thread.
    pub archived: bool,
    /// When it was accepted.
    pub iso: &'a str,
    /// When it was accepted.
    pub time: &'a str,
    /// What was typed, rendered.
    pub body: &'a str,
    /// Whether that is only the beginning, since the post is too long for the index.
    pub cut: bool,
    /// The first replies of the same thread that name this post; empty on the index.
    pub backlinks: &'a [Backlink<'a>],
    /// How many others do.
    pub more_backlinks: usize,
}

/// A reply that names a post. Templates get its number as `no`, and as `href` its link.
#[derive(Clone, Copy, Default, Debug)]
pub struct Backlink<'a> {
    /// The reply's number.
    pub no: u64,
    /// The page on which it stands; empty if that is the same one.
    pub page: &'a str,
}

impl Backlink<'_> {
    /// What stands in its link between the page and the number.
    pub(super) const ANCHOR: &'static str = "#p";
}

impl Serialize for Backlink<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Backlink", 2)?;
        fields.serialize_field("no", &self.no)?;
        fields.serialize_field("href", &format_args!("{}{}{}", self.page, Backlink::ANCHOR, self.no))?;
        fields.end()
    }
}

/// `overboard.hbs`: an index page of all boards.
#[derive(Clone, Debug, Serialize)]
pub struct OverboardView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The threads of this page, in order.
    pub threads: Vec<ThreadPreview>,
    /// All index pages.
    pub pages: Vec<PageLink>,
    /// The page before; empty on the first.
    pub prev_href: String,
    /// The page after; empty on the last.
    pub next_href: String,
}

/// `moved.hbs`: what stands at the old address of a thread that was moved to another board.
#[derive(Clone, Debug, Serialize)]
pub struct MovedView<'a> {
    /// Common to all pages; the address is that of the new place.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The board on which it stood.
    pub board: &'a BoardView,
    /// The name for people of the board on which it stands.
    pub target: String,
    /// The slug of that.
    pub target_board: String,
    /// Its number there.
    pub target_no: u64,
    /// Its page there.
    pub href: String,
    /// Seconds after which the page goes there by itself.
    pub refresh: u32,
}

/// `log.hbs`: what staff did.
#[derive(Clone, Debug, Serialize)]
pub struct LogView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The newest acts, newest first.
    pub acts: Vec<LoggedRow>,
}

/// An act of staff.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRow {
    /// When.
    pub iso: String,
    /// When.
    pub time: String,
    /// What, in words.
    pub what: String,
    /// The board; empty if none.
    pub board: String,
    /// The numbers of posts or threads; may be empty.
    pub posts: String,
    /// The board to which a thread went; empty for other acts.
    pub to: String,
    /// Why; may be empty.
    pub why: String,
    /// When it was taken back; empty if it was not.
    pub undone: String,
}

/// `catalog.hbs`.
#[derive(Clone, Debug, Serialize)]
pub struct CatalogView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The board.
    pub board: &'a BoardView,
    /// The threads of the index, in its order.
    pub threads: Vec<ThreadRow>,
    /// The form for a new thread.
    pub form: FormView,
}

/// `archive.hbs`.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// The board.
    pub board: &'a BoardView,
    /// All parts, newest first.
    pub parts: Vec<ArchivePart>,
    /// The threads of this part, newest first.
    pub threads: Vec<ThreadRow>,
}

/// A part of the archive: the threads whose numbers are in a range.
#[derive(Clone, Debug, Serialize)]
pub struct ArchivePart {
    /// The first number that it can hold.
    pub from: u64,
    /// The last number that it can hold.
    pub to: u64,
    /// Its page.
    pub href: String,
    /// How many threads it holds.
    pub threads: usize,
    /// Whether it is this page.
    pub current: bool,
}

/// A posting form with its limits and what is already typed in.
#[derive(Clone, Debug, Serialize)]
pub struct FormView {
    /// Where it is sent.
    pub action: String,
    /// The board's slug.
    pub board: String,
    /// The thread's number as text; empty for a new thread.
    pub thread: String,
    /// Whether posts here take a name.
    pub has_name: bool,
    /// Whether posts here take a subject.
    pub has_subject: bool,
    /// Characters.
    pub name_max: usize,
    /// Characters.
    pub subject_max: usize,
    /// Characters.
    pub body_max: usize,
    /// What an empty name becomes.
    pub anonymous_name: String,
    /// Already typed.
    pub name: String,
    /// Already typed.
    pub options: String,
    /// Already typed.
    pub subject: String,
    /// Already typed.
    pub body: String,
    /// Already given.
    pub nonce: String,
}

/// `error.hbs`: nothing at this address, or a request that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// HTTP status.
    pub status: u16,
    /// A few words.
    pub heading: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether `form` holds what was typed.
    pub has_form: bool,
    /// What was typed, to be sent again.
    pub form: FormView,
}

/// `safe.hbs`: the post is stored, its page is not ready yet.
#[derive(Clone, Debug, Serialize)]
pub struct SafeView<'a> {
    /// Common to all pages.
    #[serde(flatten)]
    pub frame: Frame<'a>,
    /// A few words.
    pub heading: String,
    /// What happens next.
    pub message: String,
    /// Where the post will be: its thread, or the board for a new thread.
    pub href: String,
    /// Seconds after which the page goes there by itself.
    pub refresh: u32,
}
