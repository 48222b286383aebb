//! What a form asks that is about no single post: the posture, all posts of a board since a time, a range of addresses.

use super::super::moderation;
use super::{Error, Staff};
use crate::model::BoardSlug;
use crate::model::act::{Deed, Posture};
use crate::model::ban::range;
use crate::model::staff::StaffRequest;
use crate::render::staff::{Notice, Stance};
use crate::store::posture::PostureFile;

/// The deed; `None` if the form asks for something else.
pub fn deeds(form: &StaffRequest) -> Option<Result<Vec<Deed>, Notice>> {
    let deed = match form.field("act") {
        "posture" => posture(form),
        "wipe-since" => wipe(form),
        "ban-range" => ban(form),
        _ => return None,
    };
    Some(deed.map(|deed| vec![deed]))
}

fn posture(form: &StaffRequest) -> Result<Deed, Notice> {
    let wanted = form.field("posture");
    let named = Posture::NAMED.into_iter().find(|(name, _)| *name == wanted);
    let (_, posture) = named.ok_or_else(|| Notice::Refused(format!("there is no posture `{wanted}`")))?;
    let until = match super::deeds::hours(form)? {
        None => None,
        Some(hours) => Some(moderation::posture::until(hours).map_err(refused)?),
    };
    Ok(Deed::Posture { posture, until })
}

fn wipe(form: &StaffRequest) -> Result<Deed, Notice> {
    if form.field("sure").is_empty() {
        return Err(Notice::NotSure);
    }
    let since = moderation::time(form.field("since").trim()).map_err(refused)?;
    Ok(Deed::Wipe { board: board(form.field("board"))?, post: None, since: Some(since) })
}

fn ban(form: &StaffRequest) -> Result<Deed, Notice> {
    // SECURITY: the notice does not tell what was typed, so no page shows an address.
    let range = range(form.field("range").trim())
        .ok_or_else(|| Notice::Refused("this is no range of addresses such as `192.0.2.0/24`".to_owned()))?;
    let only = match form.field("only") {
        "" => None,
        text => Some(board(text)?),
    };
    let hours = super::deeds::hours(form)?;
    Ok(Deed::Ban { range: Some(range), board: None, post: None, held: None, only, hours })
}

fn board(text: &str) -> Result<BoardSlug, Notice> {
    BoardSlug::parse(text).map_err(|error| Notice::Refused(error.to_string()))
}

fn refused(error: Error) -> Notice {
    match error {
        // The notice says the rest of it.
        Error::BadAct(why) => Notice::Refused(why),
        error => Notice::Refused(error.to_string()),
    }
}

impl Staff {
    /// How open the door is, with who wanted it so; `None` if nobody has ever said, or what cannot be read.
    pub(super) fn stance(&self) -> Option<Stance> {
        let standing = PostureFile::new(self.dir.posture()).read().ok().flatten()?;
        let time = |at: chrono::DateTime<chrono::Utc>| self.time(at.timestamp()).1;
        let posture = standing.posture(super::clock::now());
        let holds = posture == standing.posture;
        Some(Stance {
            posture,
            since: if holds { time(standing.at) } else { String::new() },
            until: standing.until.filter(|_| holds).map_or(String::new(), time),
            by: if holds { standing.by } else { String::new() },
        })
    }
}
