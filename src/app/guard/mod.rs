//! The guard at the door: who sends too much, and what was sent already.
//!
//! A post that passes the checks of its form comes here. What can be told from memory is told first and without a look
//! at its text, so that a flood costs little. Addresses of the machine itself and of `trusted_proxies` are nobody in
//! particular: their posts are neither counted nor compared.

mod blocklists;
mod dns;
mod filter_file;
mod holding;
mod pace;
mod postures;
mod recent;
mod recount;

use std::net::IpAddr;
use std::sync::{Arc, RwLock};

use tracing::warn;

use self::blocklists::Blocklists;
use self::filter_file::FilterFile;
use self::holding::Holding;
use self::pace::{Count, Pace, Quota, Thing};
use self::postures::Postures;
use self::recent::Recent;
use super::builder::{self, Shown};
use super::clock;
use super::condition::Vitals;
use super::office::Office;
use crate::intake::Consulting;
use crate::intake::proof::{self, ProofFault};
use crate::metrics::Metrics;
use crate::model::act::Posture;
use crate::model::settings::{DnsblAction, Moderation, ProofOfWork};
use crate::model::{BoardSlug, Effort, PostNo, Refusal, Riddle, SiteSettings, Submission, Verdict, likeness};
use crate::store::filters::Finding;
use crate::store::posture::PostureFile;
use crate::store::site_dir::SiteDir;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// The guard of a site.
pub struct Guard {
    shown: Arc<RwLock<Shown>>,
    office: Office,
    metrics: Arc<Metrics>,
    pace: Pace,
    recent: Recent,
    filters: FilterFile,
    holding: Holding,
    postures: Postures,
    blocklists: Blocklists,
}

/// What became of a post that was to be held.
pub enum Held {
    /// It is, and durable.
    Kept {
        /// The board.
        board: BoardSlug,
        /// The thread it answers; `None` for a new thread.
        thread: Option<PostNo>,
    },
    /// It need not be: its sender is known.
    Known(Submission),
}

impl Guard {
    /// That of a site. Of what was sent before, it knows how much that was within the hour.
    pub fn new(dir: &SiteDir, shown: Arc<RwLock<Shown>>, office: Office, vitals: Vitals) -> Guard {
        let (pace, recent, metrics) = (Pace::default(), Recent::default(), vitals.metrics.clone());
        let filters = FilterFile::new(dir.filters(), vitals);
        // Mistakes are told when the program starts, and not with the first post.
        filters.filters();
        let holding = Holding::new(dir, shown.clone(), office.clone());
        let postures = Postures::new(PostureFile::new(dir.posture()));
        {
            let shown = builder::read(&shown);
            if 0 < shown.site.settings.guard_at_posts_per_hour {
                postures.recount(&recount::recent_posts(dir, &shown, clock::now()));
            }
        }
        Guard { blocklists: Blocklists::default(), postures, holding, shown, office, metrics, pace, recent, filters }
    }

    /// Refuses to look at anything of an address of which too much was refused.
    pub fn admit(&self, address: IpAddr) -> Result<(), Refusal> {
        let site = self.site();
        match is_somebody(&site, address) {
            true => self.pace.take(address, &[failures(&site)], Count::Look, now_ms()).map_err(Refusal::TooFast),
            false => Ok(()),
        }
    }

    /// The same for posts, of which none may be wanted at all.
    pub fn admit_post(&self, address: IpAddr) -> Result<(), Refusal> {
        match self.postures.now(clock::now()) {
            Posture::Closed => Err(Refusal::Closed),
            Posture::Calm | Posture::Guarded => self.admit(address),
        }
    }

    /// Counts what somebody asks to be done to a post.
    pub fn admit_request(&self, address: IpAddr) -> Result<(), Refusal> {
        self.admit(address)?;
        let site = self.site();
        match is_somebody(&site, address) {
            true => self.pace.take(address, &[posts(&site)], Count::Take, now_ms()).map_err(Refusal::TooFast),
            false => Ok(()),
        }
    }

    /// Looks at a post before it is accepted.
    pub fn screen(&self, post: &mut Submission, effort: Effort<'_>) -> Result<Verdict, Refusal> {
        let (site, now_ms) = (self.site(), now_ms());
        let is_guarded = self.postures.now(clock::now()) == Posture::Guarded;
        let threads = Quota { thing: Thing::Thread, count: site.threads_per_hour, time_ms: HOUR_MS };
        let quotas = [posts(&site), threads].map(|quota| if is_guarded { quota.halved() } else { quota });
        let taken = if post.thread.is_none() { &quotas[..] } else { &quotas[..1] };
        let take = |count| match is_somebody(&site, post.address) {
            true => self.pace.take(post.address, taken, count, now_ms).map_err(Refusal::TooFast),
            false => Ok(()),
        };
        // Nobody works for a post that would be refused all the same, and being told to work is no post yet.
        take(Count::Look)?;
        let is_unproven = self.is_unproven(post, effort, &site, is_guarded)?;
        take(Count::Take)?;
        let reason = self.filter(post)?;
        if is_somebody(&site, post.address) {
            let time_ms = site.duplicate_minutes as u64 * MINUTE_MS;
            if !self.recent.note(&post.id, &post.body, time_ms, now_ms) {
                return Err(Refusal::Duplicate);
            }
        }
        self.watch_flow(&site);
        let is_suspect = is_guarded && (post.thread.is_none() || 0 < likeness::links(&post.body));
        Ok(match reason {
            Some(reason) => Verdict::Hold(reason),
            None if is_suspect => Verdict::Hold("the site is on its guard".to_owned()),
            None if is_unproven => Verdict::Hold("it came without a proof of work".to_owned()),
            None => self.moderation(post),
        })
    }

    /// Whether a post has no proof of work where one is asked for. What can find one is told to, and has to send the post
    /// again; what cannot is a browser without script, and nobody is to be shut out.
    fn is_unproven(
        &self,
        post: &Submission,
        effort: Effort<'_>,
        site: &SiteSettings,
        is_guarded: bool,
    ) -> Result<bool, Refusal> {
        let board = builder::read(&self.shown).site.board(&post.board).map(|board| board.settings.proof_of_work);
        let is_asked_for = match board.unwrap_or_default() {
            ProofOfWork::Never => false,
            ProofOfWork::Guarded => is_guarded,
            ProofOfWork::Always => true,
        };
        if !is_asked_for {
            return Ok(false);
        }
        let (secret, bits, now) = (self.office.secret(), site.proof_bits, clock::now().timestamp());
        match proof::check(secret, &post.id, bits, now, effort.proof) {
            Ok(()) => Ok(false),
            Err(_) if !effort.is_scripted => Ok(true),
            Err(fault) => {
                let riddle = proof::riddle(secret, &post.id, bits, now);
                Err(Refusal::ProofNeeded(Riddle { is_fault: fault == ProofFault::Wrong, ..riddle }))
            }
        }
    }

    /// Asks the lists of spammers about an address, if there are any and it is not known what they say.
    pub fn consult(&self, address: IpAddr) -> Option<Consulting> {
        let site = self.site();
        if site.dnsbl.is_empty() || !is_somebody(&site, address) {
            return None;
        }
        let asking = self.blocklists.ask(address.to_canonical(), &site)?;
        Some(Box::pin(async move {
            match (asking.await, site.dnsbl_action) {
                (None, _) => Ok(None),
                (Some(zone), DnsblAction::Reject) => Err(Refusal::Listed { zone }),
                (Some(zone), DnsblAction::Hold) => Ok(Some(format!("its sender's address is on the list at {zone}"))),
            }
        }))
    }

    /// Counts a post, and has the site be on its guard if too many come.
    fn watch_flow(&self, site: &SiteSettings) {
        let max = site.guard_at_posts_per_hour;
        if let Some(until) = self.postures.note_post(clock::now(), max) {
            warn!(max, "so many posts came within an hour: new threads and links are held until {until}");
            self.office.be_on_guard(until, format!("{max} posts within an hour"));
        }
    }

    /// What the board wants somebody to look at.
    fn moderation(&self, post: &Submission) -> Verdict {
        let board = builder::read(&self.shown).site.board(&post.board).map(|board| board.settings.moderation);
        match board.unwrap_or_default() {
            Moderation::None => Verdict::Pass,
            Moderation::Links if likeness::links(&post.body) == 0 => Verdict::Pass,
            Moderation::Links => Verdict::Hold("it has links".to_owned()),
            Moderation::New => Verdict::HoldIfNew,
            Moderation::All => Verdict::Hold("this board holds all posts".to_owned()),
        }
    }

    /// Puts a post where somebody looks at it, as the verdict says.
    pub fn hold(&self, post: Submission, verdict: Verdict) -> impl Future<Output = Result<Held, Refusal>> + use<> {
        let holding = self.holding.clone();
        // A client that leaves changes nothing.
        let done = tokio::task::spawn_blocking(move || {
            let (board, thread) = (post.board.clone(), post.thread);
            let why = match verdict {
                Verdict::Pass => return Ok(Held::Known(post)),
                Verdict::HoldIfNew if holding.knows(post.address) => return Ok(Held::Known(post)),
                Verdict::HoldIfNew => "no other post of its sender is shown".to_owned(),
                Verdict::Hold(why) => why,
            };
            holding.keep(post, &why).map(|()| Held::Kept { board, thread })
        });
        async move { done.await.unwrap_or(Err(Refusal::Fault)) }
    }

    /// Holds a post against the filters; gives why somebody should look at it, if one says so.
    fn filter(&self, post: &mut Submission) -> Result<Option<String>, Refusal> {
        let filters = self.filters.filters();
        if filters.is_empty() {
            return Ok(None);
        }
        let finding = filters.apply(post, |name| self.metrics.filter_hit(name));
        let board = builder::read(&self.shown).site.board(&post.board).map(|board| board.settings.clone());
        let (got, max) = (post.body.chars().count(), board.map_or(usize::MAX, |board| board.body_chars_max));
        match finding {
            Finding::Reject(why) => Err(Refusal::Filtered { why }),
            Finding::Ban(why, hours) => {
                // Where all posters have the address of the machine, a ban would keep all of them out.
                if is_somebody(&self.site(), post.address) {
                    self.office.ban_sender(post.address, hours, &why);
                }
                Err(Refusal::Filtered { why })
            }
            // What was put in may be too much, or nothing.
            _ if post.body.trim().is_empty() => Err(Refusal::Empty),
            _ if max < got => Err(Refusal::TooLong { field: "body", got, max, unit: "characters" }),
            Finding::Hold(why) => Ok(Some(why)),
            Finding::Pass => Ok(None),
        }
    }

    /// Counts what was refused, if whoever sent it is to blame.
    pub fn note_refusal(&self, address: IpAddr, refusal: &Refusal) {
        let site = self.site();
        if is_fault_of_sender(refusal) && is_somebody(&site, address) {
            // Once it is full there is nothing to add.
            let _ = self.pace.take(address, &[failures(&site)], Count::Take, now_ms());
        }
    }

    fn site(&self) -> Arc<SiteSettings> {
        builder::read(&self.shown).site.settings.clone()
    }
}

fn now_ms() -> u64 {
    u64::try_from(clock::now_ns() / 1_000_000).unwrap_or_default()
}

/// Whether an address is that of a poster. Behind a proxy that is not trusted, or a tunnel that ends here, all posters
/// have that of the machine, and one of them must not keep out the others.
pub fn is_somebody(site: &SiteSettings, address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_loopback() && !site.trusted_proxies.iter().any(|range| range.contains(&address))
}

fn posts(site: &SiteSettings) -> Quota {
    Quota { thing: Thing::Post, count: site.posts_per_minute, time_ms: MINUTE_MS }
}

fn failures(site: &SiteSettings) -> Quota {
    Quota { thing: Thing::Failure, count: site.failures_per_minute, time_ms: MINUTE_MS }
}

/// Whether somebody who meant well would seldom be refused like that.
fn is_fault_of_sender(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::WrongPassword | Refusal::Banned { .. } | Refusal::Duplicate => true,
        // Told already, or no fault of theirs.
        Refusal::TooFast(_) | Refusal::ManyThreads(_) | Refusal::NumbersUsedUp => false,
        Refusal::ProofNeeded(riddle) => riddle.is_fault,
        refusal => (400..500).contains(&refusal.status()) && *refusal != Refusal::TooSlow,
    }
}
