//! Moderation in the browser: the pages below `mod/`.
//!
//! A request goes through these steps, and leaves at the first that fails:
//!
//! 1. Somebody has an account; where nobody has, there is nothing here.
//! 2. A form comes from a page of this site, as far as the browser tells (`is_from_here`).
//! 3. Signing in: within the tries that are allowed (`attempts`), and with a password that fits.
//! 4. A session that is open, of an account that is still there (`signed_in`).
//! 5. A form bears the token of its session.
//! 6. The account's role may do it, which one table says (`model/role.rs`).
//! 7. It becomes an act in the inbox (`deeds`), like all that staff does; or something is shown (`look`).

mod attempts;
mod deeds;
mod held;
mod look;
mod posting;
mod signed_in;
mod site_wide;

use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{error, info};

use super::builder::{self, Shown};
use super::clock;
use super::error::{Error, chain};
use super::trip_keys::Signer;
use crate::intake::tripcode::Secret;
use crate::model::role::{ACCOUNT_NAME_BYTES_MAX, Right, Role};
use crate::model::staff::{StaffAnswer, StaffRequest};
use crate::model::{BoardSlug, PostId, PostNo, SiteSettings};
use crate::render::BadTheme;
use crate::render::staff::{AccountLine, Notice, Pages, STYLE, Viewer, Waiting, Which};
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;
use crate::store::users::{Hash, PASSWORD_BYTES_MAX};

use attempts::Attempts;
use look::{LOG_MAX, OVERVIEW_MAX};
use signed_in::{LONGEST, Member, SignedIn};

/// Passwords that are verified at once. Each takes 19 MiB.
const VERIFIED_AT_ONCE: usize = 2;

/// Others that may wait for that.
const VERIFICATIONS_WAITING: usize = 16;

/// The name of the cookie.
const COOKIE: &str = "nejiboard_mod";

/// The length of a token in a cookie.
const TOKEN_CHARS: usize = 64;

/// The pages of staff.
pub struct Staff {
    dir: SiteDir,
    shown: Arc<RwLock<Shown>>,
    secret: Secret,
    inbox: Inbox,
    signer: Arc<Signer>,
    signed_in: SignedIn,
    attempts: Attempts,
    verifying: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Staff {
    /// Those of a site.
    pub fn new(dir: SiteDir, shown: Arc<RwLock<Shown>>, secret: Secret, inbox: Inbox, signer: Arc<Signer>) -> Staff {
        Staff {
            signed_in: SignedIn::new(&dir, secret.clone()),
            dir,
            shown,
            secret,
            inbox,
            signer,
            attempts: Attempts::default(),
            verifying: Arc::new(Semaphore::new(VERIFIED_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(VERIFIED_AT_ONCE + VERIFICATIONS_WAITING)),
        }
    }

    /// Answers a request; `None` if there is nothing at its address.
    pub async fn answer(self: Arc<Staff>, request: StaffRequest) -> Option<StaffAnswer> {
        if self.signed_in.accounts().is_empty() {
            return None;
        }
        if request.form.is_none() && request.path == "staff.css" {
            return Some(StaffAnswer { is_css: true, ..StaffAnswer::page(200, STYLE.to_owned()) });
        }
        Some(match request.form {
            Some(_) => self.take(request).await,
            None => self.show(request).await,
        })
    }

    /// A page that is asked for.
    async fn show(self: Arc<Staff>, request: StaffRequest) -> StaffAnswer {
        let drawn = aside(move || {
            let Some(member) = self.member(&request) else { return self.sign_in_page("", None) };
            self.page(&member, &request).unwrap_or_else(|error| {
                error!(error = %chain(&error), "cannot draw a page of staff");
                self.told(Some(&member), Notice::Fault)
            })
        });
        drawn.await.unwrap_or_else(fault)
    }

    /// A form that was sent.
    async fn take(self: Arc<Staff>, request: StaffRequest) -> StaffAnswer {
        if !is_from_here(&request, &builder::read(&self.shown).site.settings) {
            return self.told(None, Notice::Foreign);
        }
        if request.path == "sign-in" {
            return self.sign_in(request).await;
        }
        let request = Arc::new(request);
        let (staff, asked) = (self.clone(), request.clone());
        let Some(member) = aside(move || staff.member(&asked)).await.flatten() else {
            return self.sign_in_page("", Some(Notice::SignedOut));
        };
        if !self.signed_in.is_csrf(&member.token, request.field("csrf")) {
            return self.told(Some(&member), Notice::Foreign);
        }
        match request.path.as_str() {
            "sign-out" => aside(move || self.sign_out(&member, &request)).await.unwrap_or_else(fault),
            "act" if request.field("act") == "post" => self.post_as(&member, &request).await,
            "act" => self.act(Arc::new(member), request).await,
            "remove-user" => {
                aside(move || self.remove_user(&member, request.field("name"))).await.unwrap_or_else(fault)
            }
            _ => self.told(Some(&member), Notice::NotFound),
        }
    }

    async fn sign_in(self: Arc<Staff>, request: StaffRequest) -> StaffAnswer {
        let (name, password) = (request.field("name").trim().to_owned(), request.field("password").to_owned());
        // What can be neither is not kept in memory.
        if ACCOUNT_NAME_BYTES_MAX < name.len() || PASSWORD_BYTES_MAX < password.len() {
            return self.sign_in_page("", Some(Notice::WrongPassword));
        }
        let address = request.address.map_or(String::new(), |address| self.secret.fingerprint(address));
        let now = clock::now();
        if let Err(seconds) = self.attempts.begin(&address, &name, now.timestamp()) {
            return self.sign_in_page(&name, Some(Notice::TooManyTries(seconds)));
        }
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            return self.sign_in_page(&name, Some(Notice::Busy));
        };
        let Ok(turn) = self.verifying.clone().acquire_owned().await else {
            return self.told(None, Notice::Fault);
        };
        // SECURITY: a name that nobody has takes as long, and is answered the same.
        let account = self.signed_in.account(&name);
        let hash = account.as_ref().map_or_else(Hash::of_nobody, |account| account.password.clone());
        let fits = aside(move || {
            let _held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
            hash.fits(&password)
        });
        match (fits.await.unwrap_or(false), account) {
            (true, Some(account)) => {
                self.attempts.succeeded(&address, &name);
                aside(move || self.let_in(&account, &request, now)).await.unwrap_or_else(fault)
            }
            _ => {
                info!("somebody could not sign in to moderate");
                self.sign_in_page(&name, Some(Notice::WrongPassword))
            }
        }
    }

    fn let_in(
        &self,
        account: &crate::store::users::Account,
        request: &StaffRequest,
        now: DateTime<Utc>,
    ) -> StaffAnswer {
        // Whoever held this browser before is signed out.
        if let Some(token) = token_of(&request.cookies) {
            let _ = self.signed_in.end(token);
        }
        match self.signed_in.begin(account, now) {
            Ok(token) => {
                let cookie = self.cookie(&token, LONGEST.num_seconds(), &request.host);
                StaffAnswer { cookie: Some(cookie), ..StaffAnswer::to(self.base()) }
            }
            Err(error) => {
                error!(error = %chain(&error), "cannot note who is signed in");
                self.told(None, Notice::Fault)
            }
        }
    }

    fn sign_out(&self, member: &Member, request: &StaffRequest) -> StaffAnswer {
        match self.signed_in.end(&member.token) {
            Ok(()) => {
                let cookie = self.cookie("", 0, &request.host);
                StaffAnswer { cookie: Some(cookie), ..StaffAnswer::to(self.base()) }
            }
            Err(error) => {
                error!(error = %chain(&error), "cannot note who is signed out");
                self.told(Some(member), Notice::Fault)
            }
        }
    }

    async fn act(self: Arc<Staff>, member: Arc<Member>, request: Arc<StaffRequest>) -> StaffAnswer {
        let (staff, by, asked) = (self.clone(), member.clone(), request.clone());
        let wanted = aside(move || {
            let of_all_held = staff.all_held(&asked, &by);
            of_all_held.unwrap_or_else(|| deeds::deeds(&asked, by.account.role))
        });
        let done = match wanted.await.unwrap_or(Err(Notice::Fault)) {
            Ok(deeds) => self.carry_out(&member.account.name, request.field("why"), deeds).await,
            Err(notice) => Err(notice),
        };
        match done {
            Ok(id) => {
                let back = Some(request.field("back")).filter(|back| is_page(back)).unwrap_or_default();
                StaffAnswer::to(format!("{}{back}?done={}", self.base(), id.as_str()))
            }
            Err(notice) => self.told(Some(&member), notice),
        }
    }

    fn remove_user(&self, member: &Member, name: &str) -> StaffAnswer {
        if !member.account.role.may(Right::Users) {
            return self.told(Some(member), Notice::NotAllowed);
        }
        // At least whoever does this stays.
        if name == member.account.name || self.signed_in.account(name).is_none() {
            return self.told(Some(member), Notice::NotFound);
        }
        match self.signed_in.remove(name) {
            Ok(()) => {
                info!(by = member.account.name, name, "an account was removed");
                StaffAnswer::to(format!("{}users", self.base()))
            }
            Err(error) => {
                error!(error = %chain(&error), "cannot remove an account");
                self.told(Some(member), Notice::Fault)
            }
        }
    }

    fn member(&self, request: &StaffRequest) -> Option<Member> {
        self.signed_in.member(token_of(&request.cookies)?, clock::now())
    }

    /// Draws the page at a path. What it needs is gathered before the site is looked at for long: whoever builds waits
    /// for those who look.
    fn page(&self, member: &Member, request: &StaffRequest) -> Result<StaffAnswer, Error> {
        let role = member.account.role;
        let may = |right| role.may(right);
        let notice = self.notice(member, &request.query)?;
        let drawn = match request.path.as_str() {
            "" => {
                let waiting = Waiting {
                    reports: self.reports()?.len(),
                    held: if may(Right::LookAtHeld) { self.held_count("")? } else { 0 },
                };
                let lines = self.lines(OVERVIEW_MAX, &|at| self.time(at))?;
                self.draw(Some(member), notice, |pages| pages.overview(waiting, lines))?
            }
            "reports" => {
                let posts = self.reported()?;
                self.draw(Some(member), notice, |pages| pages.posts(Which::Reported, &posts))?
            }
            "posts" => {
                let posts = self.newest()?;
                self.draw(Some(member), notice, |pages| pages.posts(Which::Newest, &posts))?
            }
            "log" => {
                let lines = self.lines(LOG_MAX, &|at| self.time(at))?;
                self.draw(Some(member), notice, |pages| pages.log(lines))?
            }
            "bans" if may(Right::LookAtSenders) => {
                let bans = self.banned(&|at| self.time(at))?;
                self.draw(Some(member), notice, |pages| pages.bans(bans))?
            }
            "users" if may(Right::Users) => {
                let users = self.account_lines(&member.account.name);
                self.draw(Some(member), notice, |pages| pages.users(users))?
            }
            "posture" if may(Right::Posture) => self.draw(Some(member), notice, |pages| pages.posture())?,
            "bans" | "users" | "posture" => return Ok(self.told(Some(member), Notice::NotAllowed)),
            path if path.split('/').next() == Some("held") && !may(Right::LookAtHeld) => {
                return Ok(self.told(Some(member), Notice::NotAllowed));
            }
            path if path.split('/').next() == Some("held") => match self.held_page(member, path)? {
                Ok(page) => self.draw(Some(member), notice, |pages| pages.held(&page))?,
                Err(notice) => return Ok(self.told(Some(member), notice)),
            },
            path => match path.split_once('/') {
                Some(("sender", _)) if !may(Right::LookAtSenders) => {
                    return Ok(self.told(Some(member), Notice::NotAllowed));
                }
                Some(("sender", label)) if label.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    let (posts, held) = (self.of_sender(label)?, self.held_count(label)?);
                    self.draw(Some(member), notice, |pages| pages.posts(Which::Sender(label, held), &posts))?
                }
                Some(("post", target)) => match self.one_post(member, notice, target)? {
                    Some(drawn) => drawn,
                    None => return Ok(self.told(Some(member), Notice::NotFound)),
                },
                _ => return Ok(self.told(Some(member), Notice::NotFound)),
            },
        };
        Ok(StaffAnswer::page(200, drawn))
    }

    fn one_post(&self, member: &Member, notice: Option<Notice>, target: &str) -> Result<Option<String>, Error> {
        let target =
            target.split_once('/').and_then(|(board, no)| Some((BoardSlug::parse(board).ok()?, PostNo::parse(no)?)));
        let Some((board, no)) = target else { return Ok(None) };
        let Some(post) = self.post(&board, no)? else { return Ok(None) };
        Ok(self.draw(Some(member), notice, |pages| pages.post(&post))?)
    }

    /// What came of what was done, if the query says that something was.
    fn notice(&self, member: &Member, query: &str) -> Result<Option<Notice>, Error> {
        let id = query.strip_prefix("done=").and_then(|id| PostId::parse(id).ok());
        let Some(id) = id else { return Ok(None) };
        let what = self.done_by(&id, &member.account.name)?;
        Ok(what.map(|what| Notice::Done(what, id.as_str().to_owned())))
    }

    fn account_lines(&self, own: &str) -> Vec<AccountLine> {
        let accounts = self.signed_in.accounts();
        let line = |account: &crate::store::users::Account| AccountLine {
            name: account.name.clone(),
            role: Role::name(account.role),
            own: account.name == own,
        };
        accounts.iter().map(line).collect()
    }

    fn draw<T>(
        &self,
        member: Option<&Member>,
        notice: Option<Notice>,
        draw: impl FnOnce(&Pages<'_>) -> Result<T, BadTheme>,
    ) -> Result<T, BadTheme> {
        let csrf = member.map_or(String::new(), |member| self.signed_in.csrf(&member.token));
        let viewer = Viewer {
            name: member.map_or("", |member| member.account.name.as_str()),
            role: member.map(|member| member.account.role),
            csrf: &csrf,
        };
        let stance = member.and_then(|_| self.stance());
        let shown = builder::read(&self.shown);
        draw(&Pages { site: &shown.site, theme: &shown.theme, viewer, notice, stance })
    }

    /// A page that tells one thing.
    fn told(&self, member: Option<&Member>, notice: Notice) -> StaffAnswer {
        let status = notice.status();
        let drawn = self.draw(member, Some(notice), |pages| pages.told());
        self.page_or_fault(status, drawn)
    }

    fn sign_in_page(&self, typed: &str, notice: Option<Notice>) -> StaffAnswer {
        let status = notice.as_ref().map_or(200, Notice::status);
        let retry_after = match notice {
            Some(Notice::TooManyTries(seconds)) => Some(seconds),
            Some(Notice::Busy) => Some(2),
            _ => None,
        };
        let drawn = self.draw(None, notice, |pages| pages.sign_in(typed));
        StaffAnswer { retry_after, ..self.page_or_fault(status, drawn) }
    }

    fn page_or_fault(&self, status: u16, drawn: Result<String, BadTheme>) -> StaffAnswer {
        match drawn {
            Ok(page) => StaffAnswer::page(status, page),
            Err(error) => {
                error!(error = %chain(&error), "cannot draw a page of staff");
                fault()
            }
        }
    }

    fn time(&self, seconds: i64) -> (String, String) {
        let shown = builder::read(&self.shown);
        let viewer = Viewer { name: "", role: None, csrf: "" };
        Pages { site: &shown.site, theme: &shown.theme, viewer, notice: None, stance: None }.time(seconds)
    }

    /// Where these pages begin.
    fn base(&self) -> String {
        Pages::base(&builder::read(&self.shown).site)
    }

    fn cookie(&self, token: &str, seconds: i64, host: &str) -> String {
        // SECURITY: over plain HTTP only where nobody listens in between.
        let secure = if is_loopback(host) { "" } else { "; Secure" };
        let path = self.base();
        format!("{COOKIE}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// Does what waits for the disk where it keeps no connection waiting; `None` if it panics.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// What is answered where even a page that tells of a fault cannot be drawn.
fn fault() -> StaffAnswer {
    StaffAnswer { status: 500, ..StaffAnswer::default() }
}

/// The token in a `Cookie` header.
fn token_of(cookies: &str) -> Option<&str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == COOKIE)?;
    (token.len() == TOKEN_CHARS && token.bytes().all(|b| b.is_ascii_hexdigit())).then_some(token)
}

/// Whether a form was sent from a page of this site, as far as the browser tells.
///
/// SECURITY: what browsers say here no script of a foreign page can change. Whoever is no browser says nothing, and has
/// no cookies that somebody else could use.
fn is_from_here(request: &StaffRequest, site: &SiteSettings) -> bool {
    if request.fetch_site.as_deref().is_some_and(|from| !matches!(from, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = request.origin.as_deref() else { return true };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let is_same = !host.is_empty() && host.eq_ignore_ascii_case(&request.host);
    // A proxy may have changed the host.
    is_same || [site.base_url.origin(), site.post_origin()].contains(&Some(origin))
}

/// Whether a `Host` is this machine itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Whether a path is one to which somebody can be led back.
fn is_page(path: &str) -> bool {
    let is_plain = |segment: &str| segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    matches!(path, "" | "reports" | "posts" | "held" | "log" | "bans" | "posture")
        || path.split_once('/').is_some_and(|(kind, rest)| {
            matches!(kind, "post" | "sender" | "held") && rest.split('/').count() <= 3 && rest.split('/').all(is_plain)
        })
}
