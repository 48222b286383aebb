//! How long clients may make the door wait, which depends on how many of them there are.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Door;

/// What all connections are told.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Pace {
    /// There are places enough: each client has its whole time.
    #[default]
    Easy,
    /// There is no place left, so whoever says nothing for so long goes.
    ///
    /// SECURITY: connections that only wait would keep everybody else out for as long as they may, at no cost to whoever
    /// opens them. So they keep their places only while nobody needs these.
    Hurried(Duration),
    /// Somebody else takes connections in from now on: each answer here is the last of its connection.
    Leaving,
    /// The door closes.
    Over,
}

impl Pace {
    /// Whether nobody should stay to be idle.
    pub(super) fn is_hurried(self) -> bool {
        self != Pace::Easy
    }

    /// Whether whoever keeps the door waiting goes.
    pub(super) fn presses(self) -> bool {
        matches!(self, Pace::Hurried(_) | Pace::Over)
    }

    /// A way to be told, also of the pace that there is now.
    pub(super) fn heard(pace: &watch::Sender<Pace>) -> watch::Receiver<Pace> {
        let mut pace = pace.subscribe();
        pace.mark_changed();
        pace
    }

    /// The next pace that presses, be it there already or not; each once.
    pub(super) async fn faster(pace: &mut watch::Receiver<Pace>) -> Pace {
        loop {
            // An error means that whoever could tell is gone, which comes to the same.
            if pace.changed().await.is_err() {
                return Pace::Over;
            }
            let told = *pace.borrow_and_update();
            if told.presses() {
                return told;
            }
        }
    }

    /// Resolves once the door has been in a hurry for as long as it grants. What is told later can shorten that time and
    /// never makes it longer. It is never less than `least`; the end of the door grants `at_end`.
    async fn hurried(mut pace: watch::Receiver<Pace>, least: Duration, at_end: Duration) {
        pace.mark_changed();
        let grant = |told| if let Pace::Hurried(time) = told { time.max(least) } else { at_end };
        let mut told = Pace::faster(&mut pace).await;
        let mut granted = grant(told);
        let mut rest = pin!(sleep(granted));
        let began = rest.deadline() - granted;
        while told != Pace::Over {
            tokio::select! {
                biased;
                () = rest.as_mut() => return,
                next = Pace::faster(&mut pace) => told = next,
            }
            granted = granted.min(grant(told));
            rest.as_mut().reset(began + granted);
        }
        rest.await;
    }
}

/// Resolves once a client has kept the door waiting for `usual`, or for less if others need its place.
pub(super) async fn out_of_patience(door: &Door, usual: Duration) {
    tokio::select! {
        () = sleep(usual) => {}
        () = Pace::hurried(door.pace.subscribe(), door.stall_time_min, door.limits.hurry_time) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep_until};

    use super::*;

    /// How many milliseconds somebody is given to whom these paces are told, each so many milliseconds after the start.
    async fn check(told: &[(u64, Pace)], expected: u64) {
        let (least, at_end) = (Duration::from_millis(100), Duration::from_millis(400));
        let pace = watch::Sender::new(told[0].1);
        let began = Instant::now();
        let hearing = tokio::spawn(Pace::hurried(pace.subscribe(), least, at_end));
        for (at, next) in &told[1..] {
            sleep_until(began + Duration::from_millis(*at)).await;
            pace.send_replace(*next);
        }
        hearing.await.unwrap();
        let took = began.elapsed().as_millis() as u64;
        assert!(expected <= took && took < expected + 90, "{took} ms instead of {expected} ms: {told:?}");
    }

    #[test]
    fn what_is_told_later_shortens_the_time_and_never_makes_it_longer() {
        let hurried = |milliseconds| Pace::Hurried(Duration::from_millis(milliseconds));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            check(&[(0, hurried(200))], 200).await;
            check(&[(0, Pace::Easy), (100, hurried(200))], 300).await;
            check(&[(0, hurried(400)), (100, hurried(200))], 200).await;
            check(&[(0, hurried(400)), (200, hurried(100))], 200).await;
            check(&[(0, hurried(200)), (100, hurried(400))], 200).await;
            check(&[(0, hurried(200)), (50, Pace::Easy), (100, hurried(400))], 200).await;
            check(&[(0, hurried(50))], 100).await;
            check(&[(0, Pace::Over)], 400).await;
            check(&[(0, hurried(200)), (100, Pace::Over)], 200).await;
        });
    }
}
