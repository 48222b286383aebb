//! The posture on the command line.

use chrono::TimeDelta;
use serde_json::json;

use super::{show, time_text};
use crate::app::error::Error;
use crate::app::{Console, clock};
use crate::model::act::{Deed, Posture};
use crate::store::posture::PostureFile;
use crate::store::site_dir::SiteDir;

/// The act that changes it.
pub fn deed(name: &str, hours: Option<u32>) -> Result<Deed, Error> {
    let named = Posture::NAMED.iter().find(|(known, _)| *known == name);
    let (_, posture) = named.ok_or_else(|| Error::BadAct(format!("there is no posture `{name}`")))?;
    let until = hours.map(|hours| clock::now() + TimeDelta::hours(hours.into()));
    Ok(Deed::Posture { posture: *posture, until })
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
