//! How open the door is now, and when so many posts come that it is not left open.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::warn;

use crate::app::error::chain;
use crate::disk;
use crate::model::Stamp;
use crate::model::act::Posture;
use crate::store::posture::{PostureFile, Standing};

/// How long the program keeps to a posture that it takes by itself, and to one that staff has chosen.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// The program renews its posture if less than this is left of it, so that it ends an hour after the last flood.
const RENEW_BELOW: TimeDelta = TimeDelta::minutes(50);

/// What was decided is not decided again before it can have been carried out.
const AGAIN_AFTER: TimeDelta = TimeDelta::seconds(10);

/// The posture, and how many posts came of late.
pub struct Postures {
    file: PostureFile,
    read: Mutex<Read>,
    flow: Mutex<Flow>,
}

#[derive(Default)]
struct Read {
    stamp: Option<Stamp>,
    standing: Option<Arc<Standing>>,
}

/// Posts by the minute, for an hour.
struct Flow {
    minutes: [(i64, usize); 60],
    decided: Option<DateTime<Utc>>,
}

impl Postures {
    /// That of a site.
    pub fn new(file: PostureFile) -> Postures {
        let flow = Flow { minutes: [(0, 0); 60], decided: None };
        Postures { file, read: Mutex::default(), flow: Mutex::new(flow) }
    }

    /// Takes over what came before the program started, by the minutes in which it did.
    pub fn recount(&self, minutes: &[i64]) {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        for minute in minutes {
            flow.note(*minute);
        }
    }

    /// The posture now.
    pub fn now(&self, now: DateTime<Utc>) -> Posture {
        self.standing().map_or(Posture::Calm, |standing| standing.posture(now))
    }

    /// Counts a post that was taken. With the end of the posture if the program should be on its guard from now on,
    /// because more than so many came within an hour.
    pub fn note_post(&self, now: DateTime<Utc>, per_hour_max: usize) -> Option<DateTime<Utc>> {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let per_hour = flow.note(now.timestamp().div_euclid(60));
        if per_hour_max == 0
            || per_hour < per_hour_max
            || flow.decided.is_some_and(|at| at <= now && now < at + AGAIN_AFTER)
        {
            return None;
        }
        let wanted = match self.standing() {
            None => true,
            // Whoever looks at it knows better, for a while.
            Some(standing) if !standing.is_automatic() => {
                let chosen_until = standing.until.unwrap_or(standing.at).checked_add_signed(HOUR);
                standing.posture(now) == Posture::Calm && chosen_until.is_some_and(|until| until <= now)
            }
            Some(standing) => standing.until.is_none_or(|until| until < now + RENEW_BELOW),
        };
        wanted.then(|| {
            flow.decided = Some(now);
            now + HOUR
        })
    }

    fn standing(&self) -> Option<Arc<Standing>> {
        let stamp = std::fs::metadata(self.file.path()).ok().map(|meta| disk::stamp(&meta));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.stamp != stamp {
            match self.file.read() {
                Ok(standing) => *read = Read { stamp, standing: standing.map(Arc::new) },
                Err(error) => warn!(error = %chain(&error), "cannot read the posture; the last one holds"),
            }
        }
        read.standing.clone()
    }
}

impl Flow {
    /// Counts a post in a minute; gives how many came within the hour that ends with it.
    fn note(&mut self, minute: i64) -> usize {
        let slot = &mut self.minutes[minute.rem_euclid(60) as usize];
        if slot.0 != minute {
            *slot = (minute, 0);
        }
        slot.1 = slot.1.saturating_add(1);
        let recent = self.minutes.iter().filter(|(then, _)| (minute - 59..=minute).contains(then));
        recent.map(|(_, posts)| posts).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn standing(posture: Posture, since: i64, until: Option<i64>, by: &str) -> Standing {
        Standing { posture, at: at(since), until: until.map(at), by: by.to_owned() }
    }

    #[test]
    fn so_many_posts_within_an_hour_put_the_program_on_its_guard_until_an_hour_is_calm() {
        let folder = tempfile::tempdir().unwrap();
        let file = PostureFile::new(folder.path().join("mod/posture"));
        let postures = Postures::new(file.clone());
        assert_eq!(postures.now(at(0)), Posture::Calm);
        // Two an hour are no flood, three are one.
        assert!([0, 1_000, 4_000, 5_000, 8_000].iter().all(|s| postures.note_post(at(*s), 3).is_none()));
        assert_eq!(postures.note_post(at(8_100), 3), Some(at(11_700)));
        assert_eq!(postures.note_post(at(8_101), 3), None, "it is decided");
        file.set(&standing(Posture::Guarded, 8_100, Some(11_700), "nejiboard")).unwrap();
        assert_eq!(postures.now(at(8_102)), Posture::Guarded);
        assert_eq!(postures.note_post(at(8_200), 3), None, "enough is left of it");
        assert_eq!(postures.note_post(at(9_000), 3), Some(at(12_600)));
        assert_eq!((postures.now(at(11_699)), postures.now(at(11_700))), (Posture::Guarded, Posture::Calm));
        assert!((0..99).all(|_| postures.note_post(at(11_800), 0).is_none()));
    }

    #[test]
    fn what_staff_has_chosen_holds_for_an_hour_at_least() {
        let folder = tempfile::tempdir().unwrap();
        let file = PostureFile::new(folder.path().join("mod/posture"));
        let postures = Postures::new(file.clone());
        file.set(&standing(Posture::Calm, 0, None, "neji")).unwrap();
        assert_eq!(postures.note_post(at(3_599), 1), None);
        assert!(postures.note_post(at(3_600), 1).is_some());
        file.set(&standing(Posture::Closed, 3_700, None, "neji")).unwrap();
        assert_eq!((postures.note_post(at(90_000), 1), postures.now(at(90_000))), (None, Posture::Closed));
    }
}
