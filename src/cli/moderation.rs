//! What `mod` takes.

use clap::{Args, Subcommand};

use crate::model::capcode::Capcode;
use crate::model::role::Role;

/// What every act has beside its targets.
#[derive(Args, Clone, Debug)]
pub struct Signed {
    /// Who acts, for the log [default: the name you are logged in by]
    #[arg(long, global = true, value_name = "NAME")]
    pub by: Option<String>,
    /// The reason, for the log
    #[arg(long, global = true, value_name = "TEXT")]
    pub why: Option<String>,
}

/// Moderation: what is done, and to what.
#[derive(Args, Clone, Debug)]
pub struct Moderate {
    /// Who and why.
    #[command(flatten)]
    pub signed: Signed,
    /// What.
    #[command(subcommand)]
    pub deed: ModCommand,
}

/// Posts or threads of a board.
#[derive(Args, Clone, Debug)]
pub struct Targets {
    /// The board, such as `tech`
    pub board: String,
    /// The numbers of posts, or of threads
    #[arg(required = true, value_name = "NO")]
    pub numbers: Vec<u64>,
}

/// Held posts.
#[derive(Args, Clone, Debug)]
pub struct HeldTargets {
    /// The ids of the posts
    #[arg(required_unless_present = "all", value_name = "ID")]
    pub ids: Vec<String>,
    /// All that are held
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

/// A post of staff.
#[derive(Args, Clone, Debug)]
pub struct Say {
    /// The board, such as `tech`
    pub board: String,
    /// The thread that is answered; a new one if not given
    #[arg(value_name = "NO")]
    pub thread: Option<u64>,
    /// The text; from standard input if not given
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// The mark behind the name: admin, mod or janitor; none if not given
    #[arg(long, value_name = "MARK", value_parser = capcode)]
    pub capcode: Option<Capcode>,
    /// The name, perhaps with a key: `name#key` or `name##secret`
    #[arg(long, value_name = "NAME", default_value = "")]
    pub name: String,
    /// The subject
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub subject: String,
    /// Leave the thread where it is
    #[arg(long)]
    pub sage: bool,
}

/// What can be done.
#[derive(Subcommand, Clone, Debug)]
pub enum ModCommand {
    /// Remove posts; with an opening post goes its thread
    Delete(Targets),
    /// Put deleted posts back, or a deleted thread by its number
    Restore(Targets),
    /// Let threads take no more replies
    Lock(Targets),
    /// Let them take replies again
    Unlock(Targets),
    /// Keep threads above all others
    Sticky(Targets),
    /// Let them move again
    Unsticky(Targets),
    /// Let no reply bump these threads
    Bumplock(Targets),
    /// Let replies bump them again
    Unbumplock(Targets),
    /// Let threads lose their oldest replies instead of filling up
    Cyclic(Targets),
    /// Let them fill up again
    Uncyclic(Targets),
    /// Take threads from the index for good; they keep their pages
    Archive(Targets),
    /// Put them on the index again
    Unarchive(Targets),
    /// Take a thread to another board; its old address leads there
    Move {
        /// The board, such as `tech`
        board: String,
        /// The thread's number
        #[arg(value_name = "NO")]
        number: u64,
        /// The board to which it goes
        #[arg(long, value_name = "B")]
        to: String,
    },
    /// Replace the text of a post
    Edit {
        /// The board, such as `tech`
        board: String,
        /// The post's number
        #[arg(value_name = "NO")]
        number: u64,
        /// The new text; from standard input if not given
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
    },
    /// Post as a member of staff: a reply, or a new thread
    Post(Say),
    /// Remove all posts of a poster, on all boards, or all posts of a board since a time
    Wipe {
        /// The board, such as `tech`
        board: String,
        /// A post of the poster whose posts are meant
        #[arg(value_name = "NO", required_unless_present = "since")]
        number: Option<u64>,
        /// From when on: a time such as 2026-11-24T18:00, or how long ago, such as 2h
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
    /// Let somebody post no more: the sender of a post, or a range of addresses
    Ban {
        /// The board of the post
        #[arg(required_unless_present_any = ["range", "held"], requires = "number")]
        board: Option<String>,
        /// The post whose sender is meant
        #[arg(value_name = "NO")]
        number: Option<u64>,
        /// A range such as 203.0.113.0/24, instead of a post
        #[arg(long, value_name = "RANGE", conflicts_with = "number")]
        range: Option<ipnet::IpNet>,
        /// The id of a held post, instead of both
        #[arg(long, value_name = "ID", conflicts_with_all = ["number", "range"])]
        held: Option<String>,
        /// Only on this board
        #[arg(long, value_name = "B")]
        only: Option<String>,
        /// How many hours; for ever if not given
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
    },
    /// Lift a ban; `mod bans` shows their ids
    Unban {
        /// The id of the ban
        id: String,
    },
    /// Show who may not post
    Bans,
    /// Show what readers have reported
    Reports,
    /// Forget what was reported of these posts
    Dismiss(Targets),
    /// Show posts that are held until somebody has looked at them
    Held,
    /// Accept held posts; `mod held` shows their ids
    Approve(HeldTargets),
    /// Throw held posts away
    Deny(HeldTargets),
    /// Show how open the door is, or change it: guarded holds new threads and links and halves limits, closed takes no posts
    Posture {
        /// How open it is to be
        #[arg(value_parser = ["calm", "guarded", "closed"])]
        posture: Option<String>,
        /// For how many hours; until it is changed if not given
        #[arg(long, value_name = "N", requires = "posture")]
        hours: Option<u32>,
    },
    /// Put back what an earlier act changed; `mod log` shows their ids
    Undo {
        /// The id of the act
        id: String,
    },
    /// Accounts for the pages at mod/, where staff moderates in a browser
    User {
        /// What to do
        #[command(subcommand)]
        action: UserAction,
    },
    /// Show what was done, newest last
    Log {
        /// The last N acts alone
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
        last: usize,
    },
}

/// What can be done with accounts.
#[derive(Subcommand, Clone, Debug)]
pub enum UserAction {
    /// Make an account; its password is asked for, or the first line of standard input
    Add {
        /// Its name: 1 to 32 of a-z, 0-9, `-` and `_`
        name: String,
        /// What it may do: a janitor deletes and answers reports, a moderator does all but look after accounts
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: Role,
    },
    /// Show who has an account
    List,
    /// Take an account away, which signs it out
    Remove {
        /// Its name
        name: String,
    },
    /// Give it another password, which signs it out
    Password {
        /// Its name
        name: String,
    },
}

fn capcode(word: &str) -> Result<Capcode, &'static str> {
    Capcode::parse(word).ok_or("the marks are `admin`, `mod` and `janitor`")
}

fn role(name: &str) -> Result<Role, &'static str> {
    Role::parse(name).ok_or("the roles are `admin`, `moderator` and `janitor`")
}
