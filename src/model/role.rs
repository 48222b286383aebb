//! What members of staff may do: the one table, which pages and handlers read alike.

use serde::{Deserialize, Serialize};

use super::act::{BY_CHARS_MAX, Deed, Flag, PROGRAM, READER};
use super::capcode::Capcode;

/// What an account is for. Each may do what those below it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes rubbish out.
    Janitor,
    /// Looks after boards.
    Moderator,
    /// Looks after the others.
    Admin,
}

/// Something that not everybody may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// See the pages at all: reports, recent posts, the log.
    Look,
    /// See which posts are of one sender, and who is banned.
    LookAtSenders,
    /// Remove posts.
    Delete,
    /// Say that what was reported needs nothing done.
    Dismiss,
    /// Put deleted posts back.
    Restore,
    /// Put a flag of a thread on or off.
    Set,
    /// Take a thread to another board.
    Move,
    /// Replace the text of a post.
    Edit,
    /// Remove all of a sender.
    Wipe,
    /// Let somebody post no more.
    Ban,
    /// Lift that.
    Unban,
    /// Take an act back.
    Undo,
    /// See the posts that are held.
    LookAtHeld,
    /// Accept them.
    Approve,
    /// Throw them away.
    Deny,
    /// Open or close the door.
    Posture,
    /// See who has an account, and take it away.
    Users,
    /// Post under this mark.
    PostAs(Capcode),
}

/// Who may do what: the lowest role that may.
pub const RIGHTS: [(Right, Role); 20] = [
    (Right::Look, Role::Janitor),
    (Right::Delete, Role::Janitor),
    (Right::Dismiss, Role::Janitor),
    // To throw a held post away is less than to delete one that is shown, and who approves rubbish can delete it.
    (Right::LookAtHeld, Role::Janitor),
    (Right::Approve, Role::Janitor),
    (Right::Deny, Role::Janitor),
    (Right::LookAtSenders, Role::Moderator),
    (Right::Restore, Role::Moderator),
    (Right::Set, Role::Moderator),
    (Right::Move, Role::Moderator),
    (Right::Edit, Role::Moderator),
    (Right::Wipe, Role::Moderator),
    (Right::Ban, Role::Moderator),
    (Right::Unban, Role::Moderator),
    (Right::Undo, Role::Moderator),
    // It is about all posters at once.
    (Right::Posture, Role::Moderator),
    (Right::Users, Role::Admin),
    (Right::PostAs(Capcode::Janitor), Capcode::Janitor.role()),
    (Right::PostAs(Capcode::Mod), Capcode::Mod.role()),
    (Right::PostAs(Capcode::Admin), Capcode::Admin.role()),
];

impl Role {
    /// All of them, the lowest first.
    pub const ALL: [Role; 3] = [Role::Janitor, Role::Moderator, Role::Admin];

    /// Whether it may do something. What is not in the table nobody may.
    pub fn may(self, right: Right) -> bool {
        RIGHTS.iter().any(|(there, least)| *there == right && *least <= self)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Role::Janitor => "janitor",
            Role::Moderator => "moderator",
            Role::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Right {
    /// What it takes to do something; `None` for what nobody can do from a page: what readers and filters do.
    pub fn of(deed: &Deed) -> Option<Right> {
        Some(match deed {
            Deed::Delete { .. } => Right::Delete,
            Deed::Restore { .. } => Right::Restore,
            Deed::Set { .. } => Right::Set,
            Deed::Move { .. } => Right::Move,
            Deed::Edit { .. } => Right::Edit,
            Deed::Wipe { .. } => Right::Wipe,
            Deed::Ban { .. } => Right::Ban,
            Deed::Unban { .. } => Right::Unban,
            Deed::Dismiss { .. } => Right::Dismiss,
            Deed::Undo { .. } => Right::Undo,
            Deed::Approve { .. } => Right::Approve,
            Deed::Deny { .. } => Right::Deny,
            Deed::Posture { .. } => Right::Posture,
            Deed::Post { capcode, .. } => Right::PostAs((*capcode)?),
            Deed::Report { .. } | Deed::BanSender { .. } => return None,
        })
    }
}

impl Flag {
    /// The verbs that put flags on and off, and what they do.
    pub const VERBS: [(&'static str, Flag, bool); 10] = [
        ("sticky", Flag::Sticky, true),
        ("unsticky", Flag::Sticky, false),
        ("lock", Flag::Locked, true),
        ("unlock", Flag::Locked, false),
        ("archive", Flag::Archived, true),
        ("unarchive", Flag::Archived, false),
        ("bumplock", Flag::Bumplock, true),
        ("unbumplock", Flag::Bumplock, false),
        ("cyclic", Flag::Cyclic, true),
        ("uncyclic", Flag::Cyclic, false),
    ];
}

/// The longest name of an account, in bytes.
pub const ACCOUNT_NAME_BYTES_MAX: usize = 32;

/// Whether somebody may have an account of this name. It stands in the log, so it must not pass for another one.
pub fn is_account_name(name: &str) -> bool {
    const _: () = assert!(ACCOUNT_NAME_BYTES_MAX <= BY_CHARS_MAX);
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    let short = (1..=ACCOUNT_NAME_BYTES_MAX).contains(&name.len());
    short && name.bytes().all(plain) && ![PROGRAM, READER].contains(&name)
}
