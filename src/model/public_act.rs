//! What everybody may know of what staff did: when, what, where and why. Not who, and nothing of what was deleted.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::act::{Deed, PROGRAM, READER};
use super::{Act, BoardSlug, PostId, PostNo};

/// The most posts that are named of an act; the others are counted.
pub const POSTS_NAMED: usize = 20;

/// An act as the public log has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublicAct {
    /// The act's id.
    pub id: PostId,
    /// When.
    pub at: DateTime<Utc>,
    /// What it is called; see [`Deed::name`].
    pub act: String,
    /// The board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<BoardSlug>,
    /// The first of the posts or threads that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<PostNo>,
    /// How many others it names.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// The board to which a thread went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BoardSlug>,
    /// The act that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<PostId>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An act of the public log, and whether it was taken back.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedAct {
    /// The act.
    pub act: PublicAct,
    /// When it was taken back, if it was and that was not taken back again.
    pub undone: Option<DateTime<Utc>>,
}

impl PublicAct {
    /// What of an act everybody may know. `None` of what the program and readers do by themselves, and of what changes
    /// nothing that anybody can see.
    pub fn of(act: &Act) -> Option<PublicAct> {
        let (id, at) = (act.id.clone()?, act.at?);
        if [PROGRAM, READER].contains(&act.by.as_str()) {
            return None;
        }
        let (mut of, mut to) = (None, None);
        match &act.deed {
            Deed::Delete { .. } | Deed::Restore { .. } | Deed::Set { .. } | Deed::Edit { .. } | Deed::Wipe { .. } => {}
            // SECURITY: of a range nothing is said but that there is a ban.
            Deed::Ban { .. } => {}
            Deed::Move { to: board, .. } => to = Some(board.clone()),
            Deed::Undo { of: undone } | Deed::Unban { of: undone } => of = Some(undone.clone()),
            Deed::BanSender { .. } | Deed::Report { .. } | Deed::Dismiss { .. } => return None,
            // A post can be seen as such.
            Deed::Approve { .. } | Deed::Deny { .. } | Deed::Posture { .. } | Deed::Post { .. } => return None,
        }
        let targets = act.deed.targets();
        let posts: Vec<PostNo> = targets.iter().take(POSTS_NAMED).copied().collect();
        Some(PublicAct {
            id,
            at,
            act: act.deed.name().to_owned(),
            board: act.deed.board().cloned(),
            more: targets.len() - posts.len(),
            posts,
            to,
            of,
            why: act.why.clone(),
        })
    }
}
