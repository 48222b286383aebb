//! The marks by which members of staff sign their posts.

use serde::{Deserialize, Serialize};

use super::role::Role;

/// A mark that nobody but staff can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capcode {
    /// `## Janitor`
    Janitor,
    /// `## Mod`
    Mod,
    /// `## Admin`
    Admin,
}

impl Capcode {
    /// All of them, the lowest first.
    pub const ALL: [Capcode; 3] = [Capcode::Janitor, Capcode::Mod, Capcode::Admin];

    /// The word in a post's header.
    pub fn word(self) -> &'static str {
        match self {
            Capcode::Janitor => "janitor",
            Capcode::Mod => "mod",
            Capcode::Admin => "admin",
        }
    }

    /// What readers see behind `## `.
    pub fn label(self) -> &'static str {
        match self {
            Capcode::Janitor => "Janitor",
            Capcode::Mod => "Mod",
            Capcode::Admin => "Admin",
        }
    }

    /// The mark with this word.
    pub fn parse(word: &str) -> Option<Capcode> {
        Capcode::ALL.into_iter().find(|capcode| capcode.word() == word)
    }

    /// The lowest role that may sign so.
    pub const fn role(self) -> Role {
        match self {
            Capcode::Janitor => Role::Janitor,
            Capcode::Mod => Role::Moderator,
            Capcode::Admin => Role::Admin,
        }
    }
}

/// What readers see of the word in a header: an imported post may have one that is none of ours.
pub fn shown(word: &str) -> &str {
    match Capcode::parse(word) {
        Some(capcode) => capcode.label(),
        None => word,
    }
}
