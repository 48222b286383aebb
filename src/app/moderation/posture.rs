//! The posture on the command line.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{show, time_text};
use crate::app::error::Error;
use crate::app::{Console, clock};
use crate::model::act::{Deed, HOURS_MAX, Posture};
use crate::store::posture::PostureFile;
use crate::store::site_dir::SiteDir;

/// The act that changes it.
pub fn deed(name: &str, hours: Option<u32>) -> Result<Deed, Error> {
    let named = Posture::NAMED.iter().find(|(known, _)| *known == name);
    let (_, posture) = named.ok_or_else(|| Error::BadAct(format!("there is no posture `{name}`")))?;
    Ok(Deed::Posture { posture: *posture, until: hours.map(until).transpose()? })
}

/// When a posture ends that is wanted for so many hours from now on.
pub fn until(hours: u32) -> Result<DateTime<Utc>, Error> {
    let end = Some(hours).filter(|hours| (1..=HOURS_MAX).contains(hours));
    let end = end.and_then(|hours| clock::now().checked_add_signed(TimeDelta::hours(hours.into())));
    end.ok_or_else(|| Error::BadAct(format!("a posture holds for 1 to {HOURS_MAX} hours")))
}

/// A line that says how open the door is, since when and by whom.
pub fn show_posture(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    let standing = PostureFile::new(dir.posture()).read()?;
    let now = standing.as_ref().map_or(Posture::Calm, |standing| standing.posture(clock::now()));
    let line = match standing.filter(|standing| standing.posture == now) {
        None => now.name().to_owned(),
        Some(standing) => {
            let until = standing.until.map_or(String::new(), |until| format!(" until {}", time_text(until)));
            format!("{} since {}{until}, by {}", now.name(), time_text(standing.at), standing.by)
        }
    };
    show(console, "posture", json!(now), std::iter::once(line))
}
