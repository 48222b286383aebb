//! What a stranger sends, what becomes of it, and how a refusal is told.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{BoardSlug, FormFault, Post, PostId, PostNo, RequestFault};

/// The fields of the posting form as they came, bounded in size, nothing else checked. A field that was absent is
/// empty.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct Form {
    /// The board's slug.
    pub board: String,
    /// The thread's number; empty for a new thread.
    pub thread: String,
    /// The name, perhaps with a key after `#` or `##`.
    pub name: String,
    /// Words such as `sage`.
    pub options: String,
    /// The subject.
    pub subject: String,
    /// What the poster typed.
    pub body: String,
    /// The password for a later deletion.
    #[serde(skip)]
    pub password: String,
    /// A random text by which a resend is known.
    pub nonce: String,
    /// A trap: people do not see this field, and leave it empty.
    #[serde(skip)]
    pub website: String,
    /// Another trap.
    #[serde(skip)]
    pub message: String,
    /// What shows that the sender's machine has worked for the post.
    #[serde(skip)]
    pub proof: String,
    /// What is to be done: empty or `post` for a post, `delete` to take one's own back, `report` to report one.
    #[serde(skip)]
    pub task: String,
    /// The number of the post that is meant.
    #[serde(skip)]
    pub no: String,
    /// Why it is reported.
    #[serde(skip)]
    pub reason: String,
}

/// A post that has passed the door: every field checked against the board's settings, but not yet anywhere on disk.
#[derive(Clone, PartialEq, Debug)]
pub struct Submission {
    /// What the post is called until it has a number. The same for a resend.
    pub id: PostId,
    /// The board.
    pub board: BoardSlug,
    /// The thread it answers; `None` for a new thread.
    pub thread: Option<PostNo>,
    /// The name without key; empty for anonymous.
    pub name: String,
    /// The tripcode with its `!` or `!!`; empty if there is none.
    pub trip: String,
    /// The subject; may be empty.
    pub subject: String,
    /// Whether the reply leaves its thread where it is.
    pub sage: bool,
    /// What the poster typed, line ends made `\n`.
    pub body: String,
    /// What takes it back; empty if nothing does. Private like the address.
    pub password: String,
    /// Who sent it. Private: never written below `content/` or `public/`.
    pub address: IpAddr,
}

/// Where an accepted post can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Receipt {
    /// It is on its page.
    Visible {
        /// The board.
        board: BoardSlug,
        /// The thread it stands in.
        thread: PostNo,
        /// Its number.
        no: PostNo,
    },
    /// It is safe in the inbox, but its page was not ready in time.
    Safe {
        /// The board.
        board: BoardSlug,
        /// The thread it answers; `None` for a new thread.
        thread: Option<PostNo>,
    },
    /// It is safe, and somebody looks at it before it is shown.
    Held {
        /// The board.
        board: BoardSlug,
        /// The thread it answers; `None` for a new thread.
        thread: Option<PostNo>,
    },
    /// What a reader asked to be done to a post is done, or will be.
    Done {
        /// The board.
        board: BoardSlug,
        /// The post's thread; `None` if that is gone.
        thread: Option<PostNo>,
    },
}

/// What came with a post to show that its sender's machine has worked for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort<'a> {
    /// The proof as it came; empty if none did.
    pub proof: &'a str,
    /// Whether a script or a program has sent the post, which can be told to work and send it again.
    pub is_scripted: bool,
}

/// What a sender's machine is to solve before its post is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Riddle {
    /// The text that stands before each number when it is hashed.
    pub challenge: String,
    /// Zero bits with which each hash has to begin.
    pub bits: usize,
    /// How many numbers are to be found.
    pub numbers: usize,
    /// Whether something came that is no proof.
    pub is_fault: bool,
}

/// What is to become of a post that nothing speaks against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is taken.
    Pass,
    /// Somebody looks at it first, for this reason.
    Hold(String),
    /// Likewise, if no post of its sender is shown.
    HoldIfNew,
}

/// What a reader asks to be done to a post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReaderRequest {
    /// To take one's own post back.
    Withdraw {
        /// What proves that it is one's own.
        password: String,
    },
    /// To have somebody look at it.
    Report {
        /// Why; may be empty.
        reason: String,
    },
}

/// Why a visitor's request is not done. Each has a code for programs and a sentence for people.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not one that the door understands.
    #[error("The form could not be read: {0}.")]
    BadForm(FormFault),
    /// A field came twice.
    #[error("The field \u{201c}{0}\u{201d} came twice.")]
    FieldTwice(&'static str),
    /// A field is not UTF-8 or holds a NUL.
    #[error("The field \u{201c}{0}\u{201d} is not plain UTF-8 text.")]
    BadText(&'static str),
    /// No board of this name.
    #[error("There is no such board.")]
    NoSuchBoard,
    /// No thread of this number.
    #[error("There is no such thread. It may have been removed.")]
    NoSuchThread,
    /// No post of this number.
    #[error("There is no such post. It may have been removed.")]
    NoSuchPost,
    /// The password is not that of the post.
    #[error("This is not the password that the post was written with, or it is too long ago.")]
    WrongPassword,
    /// Whoever sends may not.
    #[error("You may not post here.{}{}", told(" The ban ends at ", until), told(" The reason: ", why))]
    Banned {
        /// When that ends; empty for never.
        until: String,
        /// The reason; may be empty.
        why: String,
    },
    /// The number is that of a reply.
    #[error("That is a reply, not a thread: it stands in thread {0}.")]
    NotAThread(PostNo),
    /// The thread takes no replies.
    #[error("This thread is locked.")]
    Locked,
    /// The thread has as many replies as its board allows.
    #[error("This thread is full. Start a new one.")]
    Full,
    /// Nothing but white space.
    #[error("A post needs some text.")]
    Empty,
    /// A field is longer than the board allows.
    #[error("The {field} is too long: {got} of at most {max} {unit}.")]
    TooLong {
        /// The field's name.
        field: &'static str,
        /// How much came.
        got: usize,
        /// How much is allowed.
        max: usize,
        /// What is counted: `characters`, `lines`, `quotes` or `links`.
        unit: &'static str,
    },
    /// The request as a whole is larger than the door reads.
    #[error("The request is too large: at most {0} bytes.")]
    TooLarge(usize),
    /// The body of the request did not come in time.
    #[error("The request took too long.")]
    TooSlow,
    /// The request breaks the rules of HTTP, or bends them in a way that two servers could read differently.
    #[error("The request is not plain HTTP: {0}.")]
    BadRequest(RequestFault),
    /// The request has a body whose length is not told beforehand.
    #[error("Send the form with a `Content-Length`.")]
    NoLength,
    /// Neither urlencoded nor multipart.
    #[error("Send the form as `application/x-www-form-urlencoded` or `multipart/form-data`.")]
    BadType,
    /// The path takes another method.
    #[error("This address does not take that kind of request.")]
    BadMethod,
    /// Too many posts wait; the client may try again after this many seconds.
    #[error("Very many people are posting right now. Try again in {0} seconds.")]
    Busy(u32),
    /// So many threads were started on the board that there may be no more for these seconds.
    #[error(
        "Too many threads were started on this board within an hour. Answer one of them, or try again in {0} seconds."
    )]
    ManyThreads(u32),
    /// Whoever sends has sent so much that there may be no more for these seconds.
    #[error("You are too fast. Try again in {0} seconds.")]
    TooFast(u32),
    /// A field is filled in that nobody sees.
    #[error("A field was filled in that people do not see, as programs do. Leave it empty and send the post again.")]
    Spam,
    /// Somebody has just sent this text.
    #[error("Just this text was posted a short while ago.")]
    Duplicate,
    /// No posts are taken at all.
    #[error("No posts are taken at the moment. Try again later.")]
    Closed,
    /// The sender's machine has to work for the post first.
    #[error(
        "A post needs a proof of work at the moment, which the script of the page finds by itself. Reload it and try again."
    )]
    ProofNeeded(Riddle),
    /// The sender's address stands on a list of such.
    #[error("Your address is on the list of spammers at {zone}. Ask there to be taken off it, or post from elsewhere.")]
    Listed {
        /// Whose list.
        zone: String,
    },
    /// A filter keeps it out.
    #[error("This text is not wanted here.{}", told(" The reason: ", why))]
    Filtered {
        /// The reason; may be empty.
        why: String,
    },
    /// The board's last number is taken.
    #[error("This board has used all its numbers.")]
    NumbersUsedUp,
    /// The post could not be stored; it is not accepted.
    #[error("The post could not be stored, and was not accepted. Try again later.")]
    NotStored,
    /// Nothing at this address.
    #[error("There is nothing at this address.")]
    NotFound,
    /// A panic or another fault of ours.
    #[error("Something went wrong on our side.")]
    Fault,
}

/// A value and what stands before it, with a full stop, or nothing if there is none.
fn told(before: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{before}{value}.") }
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::BadForm(_) | Refusal::FieldTwice(_) | Refusal::BadText(_) | Refusal::BadRequest(_) => 400,
            Refusal::NoSuchBoard
            | Refusal::NoSuchThread
            | Refusal::NoSuchPost
            | Refusal::NotAThread(_)
            | Refusal::NotFound => 404,
            Refusal::Locked
            | Refusal::Full
            | Refusal::NumbersUsedUp
            | Refusal::WrongPassword
            | Refusal::Banned { .. }
            | Refusal::Listed { .. } => 403,
            Refusal::ProofNeeded(_) => 428,
            Refusal::Empty | Refusal::TooLong { .. } | Refusal::Filtered { .. } | Refusal::Spam => 422,
            Refusal::TooLarge(_) => 413,
            Refusal::TooSlow => 408,
            Refusal::NoLength => 411,
            Refusal::BadType => 415,
            Refusal::BadMethod => 405,
            Refusal::Busy(_) | Refusal::NotStored | Refusal::Closed => 503,
            Refusal::ManyThreads(_) | Refusal::TooFast(_) => 429,
            Refusal::Duplicate => 409,
            Refusal::Fault => 500,
        }
    }

    /// The code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::BadForm(_) => "bad_form",
            Refusal::FieldTwice(_) => "field_twice",
            Refusal::BadText(_) => "bad_text",
            Refusal::NoSuchBoard => "no_such_board",
            Refusal::NoSuchThread => "no_such_thread",
            Refusal::NoSuchPost => "no_such_post",
            Refusal::WrongPassword => "wrong_password",
            Refusal::Banned { .. } => "banned",
            Refusal::NotAThread(_) => "not_a_thread",
            Refusal::Locked => "locked",
            Refusal::Full => "full",
            Refusal::Empty => "empty",
            Refusal::TooLong { .. } => "too_long",
            Refusal::TooLarge(_) => "too_large",
            Refusal::TooSlow => "too_slow",
            Refusal::BadRequest(_) => "bad_request",
            Refusal::NoLength => "no_length",
            Refusal::BadType => "bad_type",
            Refusal::BadMethod => "bad_method",
            Refusal::Busy(_) => "busy",
            Refusal::ManyThreads(_) => "many_threads",
            Refusal::TooFast(_) => "too_fast",
            Refusal::Duplicate => "duplicate",
            Refusal::Spam => "spam",
            Refusal::Closed => "closed",
            Refusal::ProofNeeded(_) => "proof_needed",
            Refusal::Listed { .. } => "listed",
            Refusal::Filtered { .. } => "filtered",
            Refusal::NumbersUsedUp => "numbers_used_up",
            Refusal::NotStored => "not_stored",
            Refusal::NotFound => "not_found",
            Refusal::Fault => "fault",
        }
    }

    /// Seconds after which a try may be worth it.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Refusal::Busy(seconds) | Refusal::ManyThreads(seconds) | Refusal::TooFast(seconds) => Some(*seconds),
            Refusal::NotStored => Some(30),
            _ => None,
        }
    }
}

/// What a page that the door draws has to tell: a refusal with what was typed, or that a post is safe.
#[derive(Clone, PartialEq, Debug)]
pub enum ErrorView {
    /// A request was refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// What was typed, to be sent again; `None` where no form was sent.
        form: Option<Box<Form>>,
    },
    /// The post is safe, and somebody looks at it before it is shown.
    Held {
        /// The board.
        board: BoardSlug,
        /// The thread it answers; `None` for a new thread.
        thread: Option<PostNo>,
    },
    /// The post is safe but not yet on its page. The page refreshes to where it will be.
    Safe {
        /// The board.
        board: BoardSlug,
        /// The thread it answers; `None` for a new thread.
        thread: Option<PostNo>,
    },
}

/// A post as it lies in the inbox: accepted, but without a number.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrival {
    /// What makes it be added exactly once.
    pub id: PostId,
    /// The board.
    pub board: BoardSlug,
    /// The thread it answers; `None` for a new thread.
    pub thread: Option<PostNo>,
    /// When it was accepted; `None` means when it is committed.
    pub at: Option<DateTime<Utc>>,
    /// The name; empty for anonymous.
    pub name: String,
    /// The tripcode with its `!` or `!!`.
    pub trip: String,
    /// What stands for its sender among the posters of its thread; empty if nothing does.
    pub poster_id: String,
    /// The staff role.
    pub capcode: String,
    /// The subject.
    pub subject: String,
    /// Whether it leaves its thread where it is.
    pub sage: bool,
    /// The text.
    pub body: String,
}

impl Arrival {
    /// What of a submission may be seen: all but the address.
    pub fn of(submission: Submission, at: DateTime<Utc>) -> Arrival {
        Arrival {
            id: submission.id,
            board: submission.board,
            thread: submission.thread,
            at: Some(at),
            name: submission.name,
            trip: submission.trip,
            poster_id: String::new(),
            capcode: String::new(),
            subject: submission.subject,
            sage: submission.sage,
            body: submission.body,
        }
    }

    /// The post with its number and time.
    pub fn into_post(self, no: PostNo, at: DateTime<Utc>) -> Post {
        Post {
            no,
            at,
            name: self.name,
            trip: self.trip,
            poster_id: self.poster_id,
            capcode: self.capcode,
            subject: self.subject,
            sage: self.sage,
            deleted: false,
            moved: None,
            id: Some(self.id),
            body: self.body,
        }
    }
}
