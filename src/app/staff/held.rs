//! Held posts in the browser: a page of them is gathered, and a form becomes what is done to them.

use std::collections::BTreeSet;

use super::Staff;
use super::signed_in::Member;
use crate::disk::DiskError;
use crate::model::PostId;
use crate::model::act::Deed;
use crate::model::role::Right;
use crate::model::staff::StaffRequest;
use crate::render::staff::{HeldPage, HeldToShow, Notice};
use crate::store::held::{Held, HeldPost, Place};

/// Held posts on a page.
const PAGE_MAX: usize = 50;

/// What is asked for below `held`.
enum Asked<'a> {
    /// Those of a sender, or of everybody, after a place.
    Some { sender: &'a str, after: Option<Place> },
    /// A single one, whole.
    One(PostId),
}

/// `held`, `held/after/PLACE`, `held/sender/LABEL`, `held/sender/LABEL/PLACE` and `held/post/ID`.
fn asked(path: &str) -> Option<Asked<'_>> {
    let segments: Vec<&str> = path.split('/').collect();
    Some(match segments[..] {
        ["held"] => Asked::Some { sender: "", after: None },
        ["held", "after", place] => Asked::Some { sender: "", after: Some(Place::parse(place)?) },
        ["held", "sender", sender] => Asked::Some { sender, after: None },
        ["held", "sender", sender, place] => Asked::Some { sender, after: Some(Place::parse(place)?) },
        ["held", "post", id] => Asked::One(PostId::parse(id).ok()?),
        _ => return None,
    })
}

impl Staff {
    /// The page at a path that begins with `held`; the notice says why there is none.
    pub(super) fn held_page(&self, member: &Member, path: &str) -> Result<Result<HeldPage, Notice>, DiskError> {
        let sees_senders = member.account.role.may(Right::LookAtSenders);
        let held = Held::new(self.dir.held());
        match asked(path) {
            None => Ok(Err(Notice::NotFound)),
            Some(Asked::Some { sender, .. }) if !sender.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Err(Notice::NotFound))
            }
            Some(Asked::Some { sender, .. }) if !sender.is_empty() && !sees_senders => Ok(Err(Notice::NotAllowed)),
            Some(Asked::One(id)) => match held.post(&id)? {
                None => Ok(Err(Notice::NotFound)),
                Some(post) => {
                    let posts = self.with_held_senders(vec![post], sees_senders)?;
                    Ok(Ok(HeldPage { posts, total: 1, is_one: true, back: path.to_owned(), ..HeldPage::default() }))
                }
            },
            Some(Asked::Some { sender, after }) => {
                let queue = self.held_queue(&held, sender)?;
                let from = after.as_ref().map_or(0, |after| queue.partition_point(|place| place <= after));
                let shown = &queue[from..queue.len().min(from + PAGE_MAX)];
                let mut posts = Vec::new();
                for place in shown {
                    posts.extend(held.post(place.id())?);
                }
                let next = shown.last().filter(|_| from + shown.len() < queue.len());
                let next = next.map(|place| match sender {
                    "" => format!("held/after/{place}"),
                    sender => format!("held/sender/{sender}/{place}"),
                });
                Ok(Ok(HeldPage {
                    posts: self.with_held_senders(posts, sees_senders)?,
                    total: queue.len(),
                    before: from,
                    until: queue.last().map_or(String::new(), Place::to_string),
                    sender: sender.to_owned(),
                    next: next.unwrap_or_default(),
                    back: path.to_owned(),
                    is_one: false,
                }))
            }
        }
    }

    /// How many posts wait: all, or those of the sender for whom a label stands.
    pub(super) fn held_count(&self, sender: &str) -> Result<usize, DiskError> {
        let held = Held::new(self.dir.held());
        match sender {
            "" => Ok(held.ids()?.len()),
            sender => Ok(self.held_queue(&held, sender)?.len()),
        }
    }

    /// The places of what waits, the oldest first.
    fn held_queue(&self, held: &Held, sender: &str) -> Result<Vec<Place>, DiskError> {
        let mut queue = held.queue()?;
        if !sender.is_empty() {
            let ids = self.ids_of_sender(sender)?;
            queue.retain(|place| ids.contains(place.id()));
        }
        Ok(queue)
    }

    fn with_held_senders(&self, posts: Vec<HeldPost>, sees_senders: bool) -> Result<Vec<HeldToShow>, DiskError> {
        let ids: Vec<_> = posts.iter().filter_map(|post| Some((post.arrival.id.clone(), post.arrival.at?))).collect();
        let labels = if sees_senders { self.labels(&ids)? } else { Default::default() };
        let shown = |HeldPost { arrival, why }: HeldPost| {
            let sender = labels.get(&arrival.id).cloned().unwrap_or_default();
            HeldToShow { arrival, why, sender }
        };
        Ok(posts.into_iter().map(shown).collect())
    }

    /// The deed that takes all that waited when the page was drawn, seen or not; `None` if the form asks for none.
    pub(super) fn all_held(&self, form: &StaffRequest, member: &Member) -> Option<Result<Vec<Deed>, Notice>> {
        let approve = match form.field("act") {
            "approve-all" => true,
            "deny-all" => false,
            _ => return None,
        };
        let role = member.account.role;
        let needed = if approve { Right::Approve } else { Right::Deny };
        let sender = form.field("of");
        if !role.may(needed) || !(sender.is_empty() || role.may(Right::LookAtSenders)) {
            return Some(Err(Notice::NotAllowed));
        }
        if form.field("sure").is_empty() {
            return Some(Err(Notice::NotSure));
        }
        // What came since then nobody has counted.
        let Some(until) = Place::parse(form.field("until")) else { return Some(Err(Notice::NothingChosen)) };
        let queue = match self.held_queue(&Held::new(self.dir.held()), sender) {
            Ok(queue) => queue,
            Err(error) => {
                tracing::error!(error = %super::chain(&error), "cannot list the held posts");
                return Some(Err(Notice::Fault));
            }
        };
        let held: Vec<PostId> = queue.iter().filter(|place| **place <= until).map(|place| place.id().clone()).collect();
        Some(match (held.is_empty(), approve) {
            (true, _) => Err(Notice::NothingChosen),
            (false, true) => Ok(vec![Deed::Approve { held }]),
            (false, false) => Ok(vec![Deed::Deny { held }]),
        })
    }
}

/// What a form asks to be done to held posts; `None` if it asks for something else.
pub fn deeds(form: &StaffRequest) -> Option<Result<Vec<Deed>, Notice>> {
    // A button beside a post means that post, whatever is ticked.
    let (verb, ids) = match form.field("one").split_once(' ') {
        Some((verb, id)) => (verb, vec![id]),
        None => (form.field("act"), form.fields("held").collect()),
    };
    if !matches!(verb, "approve" | "deny" | "ban-held" | "ban-deny") {
        return None;
    }
    let ids: Result<BTreeSet<PostId>, _> = ids.into_iter().map(PostId::parse).collect();
    Some(match ids {
        Err(error) => Err(Notice::Refused(error.to_string())),
        Ok(ids) if ids.is_empty() => Err(Notice::NothingChosen),
        Ok(ids) => of_held(form, verb, ids.into_iter().collect()),
    })
}

fn of_held(form: &StaffRequest, verb: &str, held: Vec<PostId>) -> Result<Vec<Deed>, Notice> {
    let bans = || {
        let hours = super::deeds::hours(form)?;
        let ban =
            |id: &PostId| Deed::Ban { range: None, board: None, post: None, held: Some(id.clone()), only: None, hours };
        Ok(super::deeds::bounded(&held)?.iter().map(ban).collect::<Vec<_>>())
    };
    Ok(match verb {
        "approve" => vec![Deed::Approve { held }],
        "deny" => vec![Deed::Deny { held }],
        "ban-held" => bans()?,
        // Thrown away first: should the sender not be known any more, at least that is done.
        _ => {
            let bans = bans()?;
            [vec![Deed::Deny { held }], bans].concat()
        }
    })
}
