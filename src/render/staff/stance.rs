//! How open the door is: told on every page of staff where it is not as usual, and changed on one.

use serde::Serialize;

use super::Pages;
use crate::model::act::Posture;
use crate::render::theme::BadTheme;

/// How open the door is.
#[derive(Clone)]
pub struct Stance {
    /// The posture.
    pub posture: Posture,
    /// Since when, for people; empty if nobody said.
    pub since: String,
    /// When all is calm again; empty for never.
    pub until: String,
    /// Who wanted it so; empty if nobody did.
    pub by: String,
}

/// What every page tells of it.
#[derive(Clone, Serialize)]
pub(super) struct Told {
    sentence: &'static str,
    until: String,
    by: String,
}

impl Told {
    /// Nothing, if all is as usual.
    pub(super) fn of(stance: &Stance) -> Option<Told> {
        let sentence = match stance.posture {
            Posture::Calm => return None,
            posture => meaning(posture),
        };
        Some(Told { sentence, until: stance.until.clone(), by: stance.by.clone() })
    }
}

fn meaning(posture: Posture) -> &'static str {
    match posture {
        Posture::Calm => "Calm: all is as the settings say.",
        Posture::Guarded => "On guard: new threads and posts with links are held, and limits are halved.",
        Posture::Closed => "Closed: no posts are taken.",
    }
}

#[derive(Serialize)]
struct View {
    sentence: &'static str,
    since: String,
    until: String,
    by: String,
    choices: Vec<Choice>,
    boards: Vec<String>,
    back: &'static str,
}

#[derive(Serialize)]
struct Choice {
    name: &'static str,
    sentence: &'static str,
    is_now: bool,
}

impl Pages<'_> {
    /// How open the door is, and what else is about a whole board.
    pub fn posture(&self) -> Result<String, BadTheme> {
        let now = self.stance.as_ref().map_or(Posture::Calm, |stance| stance.posture);
        let of =
            |text: fn(&Stance) -> &String| self.stance.as_ref().map_or(String::new(), |stance| text(stance).clone());
        let choices =
            Posture::NAMED.map(|(name, posture)| Choice { name, sentence: meaning(posture), is_now: posture == now });
        let view = View {
            sentence: meaning(now),
            since: of(|stance| &stance.since),
            until: of(|stance| &stance.until),
            by: of(|stance| &stance.by),
            choices: choices.into(),
            boards: self.slugs(),
            back: "posture",
        };
        self.draw("posture", "Posture", "posture", view)
    }
}
