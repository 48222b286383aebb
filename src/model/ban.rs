//! Who may not post.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{BoardSlug, PostId};

/// A range of addresses, or a single address, as somebody types it.
pub fn range(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A ban.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ban {
    /// The act that made it, by which it is lifted.
    pub id: PostId,
    /// Whom it is about.
    #[serde(flatten)]
    pub whom: Whom,
    /// The board on which it holds; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<BoardSlug>,
    /// When it ends; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The reason, which is told to whom it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Whom a ban is about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whom {
    /// All addresses in a range, as the operator gave it.
    Range(IpNet),
    /// One address or IPv6 /64 network that nobody is to read here: its keyed hash.
    Hash(String),
}

impl Ban {
    /// Whether it keeps a post out that comes from `address`, whose keyed hash is `hash`, at `now`.
    pub fn holds(&self, address: IpAddr, hash: &str, board: &BoardSlug, now: DateTime<Utc>) -> bool {
        let there = self.board.as_ref().is_none_or(|only| only == board);
        let still = self.until.is_none_or(|until| now < until);
        let fits = match &self.whom {
            Whom::Range(range) => range.contains(&address.to_canonical()),
            Whom::Hash(banned) => banned == hash,
        };
        there && still && fits
    }
}
