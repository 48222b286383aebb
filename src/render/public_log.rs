//! The page that tells what staff did.

use super::draw::{DrawError, Pen};
use super::frame::Surroundings;
use super::time::shown;
use super::views::{LogView, LoggedRow};
use crate::model::PageKey;
use crate::model::public_act::LoggedAct;

/// What each act is called on the page. Others are not shown.
const ACTS: [(&str, &str); 17] = [
    ("delete", "log-delete"),
    ("restore", "log-restore"),
    ("edit", "log-edit"),
    ("wipe", "log-wipe"),
    ("ban", "log-ban"),
    ("move", "log-move"),
    ("sticky", "log-sticky"),
    ("unsticky", "log-unsticky"),
    ("lock", "log-lock"),
    ("unlock", "log-unlock"),
    ("archive", "log-archive"),
    ("unarchive", "log-unarchive"),
    ("bumplock", "log-bumplock"),
    ("unbumplock", "log-unbumplock"),
    ("cyclic", "log-cyclic"),
    ("uncyclic", "log-uncyclic"),
    ("wipe-since", "log-wipe-since"),
];

impl Pen<'_> {
    /// The public log.
    pub(super) fn log_page(&self) -> Result<Vec<u8>, DrawError> {
        let heading = self.theme.say("log", &[]);
        let title = format!("{heading} - {}", self.site.settings.title);
        let around = Surroundings::new(self.site, None);
        let view = LogView {
            frame: around.frame("log", &title, "", Some(&PageKey::Log)),
            acts: self.site.log.iter().filter_map(|logged| self.logged(logged)).collect(),
        };
        Ok(self.theme.draw("log", &view, &[])?.into_bytes())
    }

    fn logged(&self, LoggedAct { act, undone }: &LoggedAct) -> Option<LoggedRow> {
        let name = if act.act == "wipe" && act.posts.is_empty() { "wipe-since" } else { &act.act };
        let (_, key) = ACTS.iter().find(|(act, _)| *act == name)?;
        let time =
            |at: &chrono::DateTime<chrono::Utc>| shown(at.timestamp(), self.site.settings.time_zone, self.theme.time());
        let (at, undone) = (time(&act.at), undone.as_ref().map(time));
        let mut numbers: Vec<String> =
            act.posts.iter().map(|no| self.theme.say("post-no", &[("no", &no.to_string())])).collect();
        if 0 < act.more {
            numbers.push(format!("+{}", act.more));
        }
        Some(LoggedRow {
            iso: at.iso,
            time: at.time,
            what: self.theme.say(key, &[]),
            board: act.board.as_ref().map_or(String::new(), ToString::to_string),
            posts: numbers.join(" "),
            to: act.to.as_ref().map_or(String::new(), ToString::to_string),
            why: act.why.clone(),
            undone: undone.map_or(String::new(), |undone| undone.time),
        })
    }
}
