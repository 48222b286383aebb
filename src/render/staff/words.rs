//! What the pages of staff say beside their templates.

use crate::model::act::Flag;

/// Path and name of each page that stands in the navigation.
pub(super) const TABS: [(&str, &str); 8] = [
    ("", "Overview"),
    ("reports", "Reports"),
    ("held", "Held posts"),
    ("posts", "Recent posts"),
    ("log", "Log"),
    ("bans", "Bans"),
    ("posture", "Posture"),
    ("users", "Accounts"),
];

type Verb = (&'static str, &'static str);

/// Each flag of a thread, with the verbs that put it on and off, and what their buttons say.
pub(super) const FLAGS: [(Flag, Verb, Verb); 5] = [
    (Flag::Locked, ("lock", "Lock"), ("unlock", "Unlock")),
    (Flag::Sticky, ("sticky", "Make sticky"), ("unsticky", "Make not sticky")),
    (Flag::Bumplock, ("bumplock", "Let no reply bump it"), ("unbumplock", "Let replies bump it")),
    (Flag::Cyclic, ("cyclic", "Make cyclic"), ("uncyclic", "Make not cyclic")),
    (Flag::Archived, ("archive", "Archive"), ("unarchive", "Take out of the archive")),
];

/// What somebody is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// It is done: what, and the act's id.
    Done(String, String),
    /// It will be.
    Waiting,
    /// It cannot be.
    Refused(String),
    /// Name or password are wrong.
    WrongPassword,
    /// Too many tries.
    TooManyTries(u32),
    /// Too many people sign in.
    Busy,
    /// A form from elsewhere.
    Foreign,
    /// The session is over.
    SignedOut,
    /// Not with this role.
    NotAllowed,
    /// Nothing was chosen.
    NothingChosen,
    /// All of something was asked for, without a word that it is meant.
    NotSure,
    /// There is nothing here.
    NotFound,
    /// An error of ours.
    Fault,
}

impl Notice {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Notice::Done(what, id) => format!("Done: {what} (act {id})."),
            Notice::Waiting => {
                "It lies in the inbox and will be done, but not yet. See the log in a moment.".to_owned()
            }
            Notice::Refused(why) => format!("This cannot be done: {why}."),
            Notice::WrongPassword => "Name or password are wrong.".to_owned(),
            Notice::TooManyTries(seconds) => format!("Too many tries. Try again in {seconds} seconds."),
            Notice::Busy => "Too many sign in at once. Try again in a moment.".to_owned(),
            Notice::Foreign => {
                "This form did not come from here, or from too old a page. Go back, load the page anew, and try again."
                    .to_owned()
            }
            Notice::SignedOut => "You are not signed in any more. Sign in and do it again.".to_owned(),
            Notice::NotAllowed => "Your account may not do this.".to_owned(),
            Notice::NothingChosen => "Nothing was chosen. Tick the posts that are meant.".to_owned(),
            Notice::NotSure => "Nothing was done. Tick the box that says so if all are meant.".to_owned(),
            Notice::NotFound => "There is nothing here.".to_owned(),
            Notice::Fault => "Something went wrong on our side. The program's log tells more.".to_owned(),
        }
    }

    /// Whether it is bad news.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Notice::Done(..) | Notice::Waiting)
    }

    /// The status of a page that tells this alone.
    pub fn status(&self) -> u16 {
        match self {
            Notice::Done(..) => 200,
            Notice::Waiting => 202,
            Notice::Refused(_) | Notice::NothingChosen | Notice::NotSure => 422,
            Notice::WrongPassword | Notice::Foreign | Notice::SignedOut | Notice::NotAllowed => 403,
            Notice::TooManyTries(_) => 429,
            Notice::Busy => 503,
            Notice::NotFound => 404,
            Notice::Fault => 500,
        }
    }
}
