//! A form of staff to acts, and these into the inbox.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::warn;

use super::super::clock;
use super::super::error::chain;
use super::{Staff, held, site_wide};
use crate::disk;
use crate::model::act::{Deed, Flag};
use crate::model::role::{Right, Role};
use crate::model::staff::StaffRequest;
use crate::model::{Act, BoardSlug, PostId, PostNo};
use crate::render::staff::Notice;

/// How long somebody waits until it is done.
const DONE_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The most posts of which each makes an act of its own: a ban, or all of a sender.
const SENDERS_MAX: usize = 100;

/// What a form asks for; the notice says what is wrong with it.
pub fn deeds(form: &StaffRequest, role: Role) -> Result<Vec<Deed>, Notice> {
    let wanted = match held::deeds(form).or_else(|| site_wide::deeds(form)) {
        Some(wanted) => wanted?,
        None => of_posts(form)?,
    };
    // SECURITY: what is not shown can be sent all the same.
    let may = |deed: &Deed| Right::of(deed).is_some_and(|right| role.may(right));
    if !wanted.iter().all(may) {
        return Err(Notice::NotAllowed);
    }
    Ok(wanted)
}

fn of_posts(form: &StaffRequest) -> Result<Vec<Deed>, Notice> {
    // A button beside a post means that post, whatever is ticked.
    let (verb, posts) = match form.field("one").split_once(' ') {
        Some((verb, target)) => (verb, vec![target_of(target)?]),
        None => (form.field("act"), form.fields("on").map(target_of).collect::<Result<Vec<_>, _>>()?),
    };
    wanted(form, verb, posts)
}

fn wanted(form: &StaffRequest, verb: &str, posts: Vec<(BoardSlug, PostNo)>) -> Result<Vec<Deed>, Notice> {
    let wrong = |what: &str| Notice::Refused(format!("`{what}` is nothing that can be done here"));
    if let "undo" | "unban" = verb {
        let of = PostId::parse(form.field("of")).map_err(|_| wrong(form.field("of")))?;
        return Ok(vec![if verb == "undo" { Deed::Undo { of } } else { Deed::Unban { of } }]);
    }
    if posts.is_empty() {
        return Err(Notice::NothingChosen);
    }
    let by_board = |make: &dyn Fn(BoardSlug, Vec<PostNo>) -> Deed| {
        let mut boards: BTreeMap<BoardSlug, Vec<PostNo>> = BTreeMap::new();
        posts.iter().for_each(|(board, no)| boards.entry(board.clone()).or_default().push(*no));
        boards.into_iter().map(|(board, posts)| make(board, posts)).collect::<Vec<_>>()
    };
    if let Some((_, flag, on)) = Flag::VERBS.into_iter().find(|(name, ..)| *name == verb) {
        return Ok(by_board(&|board, threads| Deed::Set { board, threads, flag, on }));
    }
    let delete = || by_board(&|board, posts| Deed::Delete { board, posts });
    Ok(match verb {
        "delete" => delete(),
        "dismiss" => by_board(&|board, posts| Deed::Dismiss { board, posts }),
        "restore" => by_board(&|board, posts| Deed::Restore { board, posts }),
        "ban" => bans(form, &posts)?,
        // Deleted first: should the sender not be known any more, at least that is done.
        "ban-delete" => [delete(), bans(form, &posts)?].concat(),
        "wipe" => {
            let wipe =
                |(board, no): &(BoardSlug, PostNo)| Deed::Wipe { board: board.clone(), post: Some(*no), since: None };
            bounded(&posts)?.iter().map(wipe).collect()
        }
        "move" => {
            let to = BoardSlug::parse(form.field("to")).map_err(|_| Notice::Refused("choose a board".to_owned()))?;
            let [(board, thread)] = posts.as_slice() else { return Err(Notice::NothingChosen) };
            vec![Deed::Move { board: board.clone(), thread: *thread, to }]
        }
        "edit" => {
            // Browsers send line ends as two characters.
            let body = form.field("text").replace("\r\n", "\n");
            let [(board, post)] = posts.as_slice() else { return Err(Notice::NothingChosen) };
            vec![Deed::Edit { board: board.clone(), post: *post, body }]
        }
        _ => return Err(wrong(verb)),
    })
}

fn bans(form: &StaffRequest, posts: &[(BoardSlug, PostNo)]) -> Result<Vec<Deed>, Notice> {
    let hours = hours(form)?;
    let only = match form.field("only") {
        "" => None,
        text => Some(BoardSlug::parse(text).map_err(|error| Notice::Refused(error.to_string()))?),
    };
    let ban = |(board, no): &(BoardSlug, PostNo)| Deed::Ban {
        range: None,
        board: Some(board.clone()),
        post: Some(*no),
        held: None,
        only: only.clone(),
        hours,
    };
    Ok(bounded(posts)?.iter().map(ban).collect())
}

/// For how long something is wanted; `None` means without an end.
pub fn hours(form: &StaffRequest) -> Result<Option<u32>, Notice> {
    match form.field("hours").trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Notice::Refused("the hours are no number".to_owned())),
    }
}

/// Posts of which each makes an act of its own, if they are not too many.
pub fn bounded<T>(posts: &[T]) -> Result<&[T], Notice> {
    match posts.len() <= SENDERS_MAX {
        true => Ok(posts),
        false => Err(Notice::Refused(format!("this takes at most {SENDERS_MAX} posts at once"))),
    }
}

/// `tech/12`
fn target_of(text: &str) -> Result<(BoardSlug, PostNo), Notice> {
    let target = text.split_once('/').and_then(|(board, no)| Some((BoardSlug::parse(board).ok()?, PostNo::parse(no)?)));
    target.ok_or_else(|| Notice::Refused("a post is named like `tech/12`".to_owned()))
}

impl Staff {
    /// Puts deeds into the inbox and waits, for a bounded time, until they are done. Gives the id of the first act.
    pub(super) async fn carry_out(&self, by: &str, why: &str, deeds: Vec<Deed>) -> Result<PostId, Notice> {
        let act = |deed| Act {
            id: PostId::parse(&clock::ulid()).ok(),
            at: Some(clock::now()),
            by: by.to_owned(),
            why: why.trim().to_owned(),
            deed,
        };
        let acts: Vec<Act> = deeds.into_iter().map(act).collect();
        for act in &acts {
            act.check().map_err(|message| Notice::Refused(message.to_owned()))?;
        }
        let first = acts.first().and_then(|act| act.id.clone()).ok_or(Notice::NothingChosen)?;
        let name = format!("{}.json", clock::ulid());
        let (inbox, file) = (self.inbox.clone(), name.clone());
        let stored = tokio::task::spawn_blocking(move || inbox.put_acts(&file, &acts)).await;
        match stored {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(error = %chain(&error), "cannot store what staff decided");
                return Err(Notice::Fault);
            }
            Err(_) => return Err(Notice::Fault),
        }
        let path = self.inbox.folder().join(&name);
        // Whoever builds removes it when it is carried out.
        let gone = tokio::time::timeout(DONE_WITHIN, async {
            while path.exists() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        if gone.await.is_err() {
            return Err(Notice::Waiting);
        }
        let why = disk::read(&self.inbox.folder().join("rejected").join(format!("{name}.why")));
        match why {
            Ok(why) => Err(Notice::Refused(String::from_utf8_lossy(&why).trim().trim_end_matches('.').to_owned())),
            Err(_) => Ok(first),
        }
    }
}
