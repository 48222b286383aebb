//! The door: HTTP request to [`Submission`], or [`Refusal`] to HTTP response; and the files under `public/`.
//!
//! [`serve`] brings connections in and bounds them; [`answer`] is a function from request to response, which a test
//! can call without a socket. A request goes through these steps, in this order, and leaves at the first that fails:
//!
//! 1. The host is named once, the target is a path, no transfer coding (`answer`).
//! 2. The method fits the path (`answer`). A `GET` goes on to the files (`read`), a `POST` to the steps below.
//! 3. The form's type and declared length are acceptable (`form`, `post`).
//! 4. The body arrives within its time and its bound (`body`).
//! 5. The fields are decoded: bounded in number, none twice, all UTF-8 (`form`).
//! 6. The board and the thread exist and take posts (`check`).
//! 7. The texts are within the board's limits (`check`).
//! 8. The name is signed, and the post gets the id that a resend of it would get too (`check`, `resend`).
//! 9. The backend finds nothing in it, or in how much its sender posts, that speaks against it, and where it asks for a
//!    proof of work there is one (`check`, `proof`). Others may be asked about the address.
//! 10. The backend accepts it, and the client learns where it stands (`post`, `reply`).
//!
//! Beside them stand `/healthz`, which tells everybody whether all is well, and on a door of its own `/metrics`
//! (`monitor`).
//!
//! What is below `mod/` is for the backend's pages of staff (`staff`), which see to it themselves who sends a form.
//!
//! If the site is written as 2ch has it, its clients send posts to `test/bbs.cgi` (`bbs_cgi`), which go through the same
//! steps, and `test/read.cgi/` leads to pages (`read_cgi`).
//!
//! Posts are taken from every origin. The board is anonymous and keeps no session, so a foreign page can do nothing
//! in a visitor's name that it could not do itself; and a site on a CDN posts to a door on another host.

mod answer;
mod bbs_cgi;
mod body;
mod check;
mod conditional;
mod connection;
mod des;
mod files;
mod form;
mod head;
mod limits;
mod monitor;
mod negotiate;
mod pace;
mod path;
mod post;
pub mod proof;
mod proxy;
mod read;
mod read_cgi;
mod reply;
mod resend;
mod server;
mod staff;
pub mod tripcode;

use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::model::lines::Lines;
use crate::model::staff::{Answering, StaffRequest};
use crate::model::{
    BoardSettings, BoardSlug, Effort, ErrorView, PostId, PostNo, ReaderRequest, Receipt, Refusal, SiteSettings,
    Submission, Trouble, Verdict,
};

pub use answer::answer;
pub use body::Body;
pub use limits::Limits;
pub use server::{Farewell, listen, serve};

/// What the door is given when it opens.
#[derive(Clone, PartialEq, Debug)]
pub struct DoorOptions {
    /// The folder whose files are served; it may be absent, or replaced while the door is open.
    pub public: PathBuf,
    /// The bounds.
    pub limits: Limits,
    /// What is behind it.
    pub purpose: Purpose,
}

/// What a door is there for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Purpose {
    /// The site, for everybody.
    #[default]
    Site,
    /// The figures of the program, for whoever runs it.
    Monitoring,
}

/// What a reply to a thread would find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadState {
    /// No post has this number, or its thread is gone.
    Missing,
    /// The thread takes replies.
    Open,
    /// The thread is locked or archived.
    Closed,
    /// The thread has as many replies as its board allows.
    Full,
    /// The number is that of a reply, in the thread given.
    ReplyOf(PostNo),
}

/// How long a client waits for the answer to a post.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Until the post stands on its page.
    UntilVisible,
    /// Until it is durable: `Prefer: respond-async`, RFC 7240, section 4.1.
    UntilSafe,
}

/// The answer to a submission, once it comes.
pub type Accepting = Pin<Box<dyn Future<Output = Result<Receipt, Refusal>> + Send>>;

/// What others say of an address: why somebody is to look at posts from it, or that they are refused.
pub type Consulting = Pin<Box<dyn Future<Output = Result<Option<String>, Refusal>> + Send>>;

/// What the door asks the rest of the program. All that gives no future answers at once, from memory.
pub trait Backend: Send + Sync + 'static {
    /// The site's settings.
    fn site(&self) -> Arc<SiteSettings>;
    /// The settings of a board; `None` if there is no such board.
    fn board(&self, slug: &BoardSlug) -> Option<Arc<BoardSettings>>;
    /// What a reply to thread `no` would find.
    fn thread(&self, board: &BoardSlug, no: PostNo) -> ThreadState;
    /// The posts of a thread by their lines, tombstones included; none if there is no such thread.
    fn lines(&self, _: &BoardSlug, _: PostNo) -> Vec<PostNo> {
        Vec::new()
    }
    /// The page on which a part of a thread is read, by its path below the site's, and the place on it; `None` if there
    /// is no such thread.
    fn reading(&self, _: &BoardSlug, _: PostNo, _: Lines) -> Option<String> {
        None
    }
    /// Counts a new thread on a board by its first post, or refuses it if there are too many.
    fn start_thread(&self, board: &BoardSlug, id: &PostId) -> Result<(), Refusal>;
    /// Whether somebody at this address may post on a board at all.
    fn admit(&self, board: &BoardSlug, address: IpAddr) -> Result<(), Refusal>;
    /// Looks at a post as a whole, and perhaps changes it, before it is accepted: who sends how much, what it says, and
    /// whether its sender's machine has worked for it, if that is asked for.
    fn screen(&self, _: &mut Submission, _: Effort<'_>) -> Result<Verdict, Refusal> {
        Ok(Verdict::Pass)
    }
    /// Asks others about the address of a post that nothing else speaks against; `None` if nobody is to be asked.
    fn consult(&self, _: IpAddr) -> Option<Consulting> {
        None
    }
    /// Notes that something that came from this address was refused.
    fn note_refusal(&self, _: IpAddr, _: &Refusal) {}
    /// Does what a reader asks to be done to a post, or sees to it that it will be.
    fn attend(&self, board: BoardSlug, no: PostNo, request: ReaderRequest, address: IpAddr) -> Accepting;
    /// The name without its key, and the tripcode.
    fn sign(&self, typed_name: &str) -> (String, String);
    /// An id that no post has.
    fn new_id(&self) -> PostId;
    /// Takes the post. With [`Patience::UntilVisible`] it resolves once the post is visible, or as [`Receipt::Safe`]
    /// when that takes longer than two seconds; else as soon as it is safe.
    ///
    /// The door may drop the future when the client leaves; a post that was handed on stays accepted all the same.
    fn accept(&self, submission: Submission, patience: Patience) -> Accepting;
    /// Puts the post where somebody looks at it before it is shown, as the verdict says, or accepts it after all.
    fn hold(&self, submission: Submission, verdict: Verdict, patience: Patience) -> Accepting;
    /// A number that changes with the theme.
    fn theme_version(&self) -> u64 {
        0
    }

    /// Answers a request for a page of staff; `None` if there is nothing at its address.
    fn staff(&self, _: StaffRequest) -> Answering {
        Box::pin(async { None })
    }
    /// A whole HTML page in the theme.
    fn page(&self, view: &ErrorView) -> String;
    /// A refusal in a sentence for people, in the language of the site.
    fn sentence(&self, refusal: &Refusal) -> String {
        refusal.to_string()
    }
    /// Where an asset of the theme can be fetched, below the host of the site.
    fn asset(&self, _name: &str) -> Option<String> {
        None
    }
    /// What a poster is told whose post somebody looks at before it is shown, in the language of the site.
    fn held_sentence(&self) -> String {
        "Somebody will look at it before it is shown.".to_owned()
    }
    /// Where the door counts what it does.
    fn metrics(&self) -> &Arc<Metrics>;
    /// What is not as it should be.
    fn troubles(&self) -> Vec<Trouble>;
    /// The time, for dates in answers and for how long a resend is known.
    fn now(&self) -> SystemTime;
}

/// The door's memory: what it was given, the files it keeps, the posts by which it knows a resend.
pub struct Door {
    limits: Limits,
    purpose: Purpose,
    backend: Arc<dyn Backend>,
    files: Arc<files::Files>,
    resends: resend::Resends,
    room: body::Room,
    pace: watch::Sender<pace::Pace>,
    stall_time_min: Duration,
}

impl Door {
    /// A door that has not served anyone yet.
    pub fn new(options: DoorOptions, backend: Arc<dyn Backend>) -> Door {
        let limits = options.limits;
        Door {
            files: Arc::new(files::Files::new(options.public, &limits)),
            resends: resend::Resends::new(&limits),
            room: body::Room::new(&limits),
            pace: watch::Sender::default(),
            stall_time_min: limits.stall_time_min(),
            purpose: options.purpose,
            backend,
            limits,
        }
    }

    /// How many bytes the files take that are kept in memory.
    pub fn bytes_in_memory(&self) -> usize {
        self.files.bytes_in_memory()
    }
}
