//! What an operator can set, for the site and for each board. The texts are read by the `store` room.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::{BoardSlug, Codings, Format, Formats, caching};

/// The settings of the whole site, each checked.
#[derive(Clone, PartialEq, Debug)]
pub struct SiteSettings {
    /// The site's name.
    pub title: String,
    /// A sentence about the site; may be empty.
    pub description: String,
    /// Where the site is reached from outside.
    pub base_url: BaseUrl,
    /// Where forms are sent: a path or an absolute `http(s)` URL. `None` means `post` below the base URL.
    pub post_url: Option<String>,
    /// The folder under `themes/` that overrides the built-in theme file by file.
    pub theme: String,
    /// The language of the site's own texts, a BCP 47 tag such as `en` or `pt-BR`.
    pub locale: String,
    /// The zone in which times are shown.
    pub time_zone: chrono_tz::Tz,
    /// How many of the latest threads the home page lists, 0 to 100.
    pub home_threads: usize,
    /// What the site is written as beside its pages.
    pub formats: Formats,
    /// How many threads the pages of all boards list, 0 to 1,000; 0 means that there are no such pages.
    pub overboard_threads: usize,
    /// How files are packed beside themselves, for servers that hand out what is packed already.
    pub precompress: Codings,
    /// Seconds that a CDN may show a page before it asks for it anew, 0 to 31,536,000.
    pub cdn_seconds: usize,
    /// The command, and its arguments, that is told what changed; empty for none.
    pub on_change: Vec<String>,
    /// Hours for which it is kept where posts came from, 0 to 8,760; 0 keeps nothing.
    pub keep_addresses_hours: usize,
    /// Where proxies stand whose word is taken for where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    /// Posts that an address may send in a minute; 0 means no limit.
    pub posts_per_minute: usize,
    /// Threads that an address may start in an hour; 0 means no limit.
    pub threads_per_hour: usize,
    /// Refused posts and wrong passwords that an address may send in a minute; 0 means no limit.
    pub failures_per_minute: usize,
    /// Minutes for which nobody may send the text of a post again, 0 to 1,440; 0 means that everybody may.
    pub duplicate_minutes: usize,
    /// Posts in an hour at which the program is on its guard by itself; 0 means never.
    pub guard_at_posts_per_hour: usize,
    /// Whether there is a page that tells what staff did.
    pub public_log: bool,
    /// Zero bits of each hash of a proof of work, 1 to 24.
    pub proof_bits: usize,
    /// Lists of spammers' addresses that are asked by DNS, such as `dnsbl.example.org`; four at most.
    pub dnsbl: Vec<String>,
    /// What becomes of posts from addresses that are on one.
    pub dnsbl_action: DnsblAction,
    /// Who is asked; `None` is whom the system asks.
    pub dnsbl_server: Option<SocketAddr>,
    /// What boards have that say nothing else.
    pub defaults: BoardSettings,
}

impl SiteSettings {
    /// The path below which everything of the site stands, with a slash at both ends: `/` or `/boards/`.
    pub fn prefix(&self) -> &str {
        self.base_url.path()
    }

    /// The formats in which the site is written. Feeds need to know the site's whole address.
    pub fn written(&self) -> Formats {
        let mut formats = self.formats;
        if self.base_url.origin().is_none() {
            formats.remove(Format::Feeds);
        }
        formats
    }

    /// Where forms are sent.
    pub fn post_target(&self) -> String {
        self.post_url.clone().unwrap_or_else(|| format!("{}post", self.prefix()))
    }

    /// The scheme and host where forms are sent, if a whole URL says that.
    pub fn post_origin(&self) -> Option<&str> {
        self.post_url.as_deref().and_then(caching::origin)
    }
}

impl Default for SiteSettings {
    fn default() -> SiteSettings {
        SiteSettings {
            title: "nejiboard".to_owned(),
            description: String::new(),
            base_url: BaseUrl::default(),
            post_url: None,
            theme: "default".to_owned(),
            locale: "en".to_owned(),
            time_zone: chrono_tz::UTC,
            home_threads: 12,
            formats: Formats::default(),
            overboard_threads: 100,
            precompress: Codings::default(),
            cdn_seconds: caching::CDN_SECONDS,
            on_change: Vec::new(),
            keep_addresses_hours: 72,
            trusted_proxies: Vec::new(),
            posts_per_minute: 10,
            threads_per_hour: 10,
            failures_per_minute: 20,
            duplicate_minutes: 10,
            guard_at_posts_per_hour: 0,
            public_log: false,
            proof_bits: 17,
            dnsbl: Vec::new(),
            dnsbl_action: DnsblAction::default(),
            dnsbl_server: None,
            defaults: BoardSettings::default(),
        }
    }
}

/// The settings of one board, with the site's defaults already filled in.
#[derive(Clone, PartialEq, Debug)]
pub struct BoardSettings {
    /// The board's name for people; empty means its slug.
    pub title: String,
    /// A sentence about the board; may be empty.
    pub description: String,
    /// What a post without a name is signed with; empty means what the theme says in the site's language.
    pub anonymous_name: String,
    /// Threads on one index page, 1 to 100.
    pub threads_per_page: usize,
    /// Index pages; older threads stand in the archive. 0 means as many as there are threads for.
    pub index_pages: usize,
    /// Replies shown below each opening post on the index, 0 to 50.
    pub replies_previewed: usize,
    /// Characters in a body, 1 to 65,536.
    pub body_chars_max: usize,
    /// Lines in a body, 1 to 10,000.
    pub body_lines_max: usize,
    /// Characters in a subject, 0 to 1,000; 0 means that posts have no subject.
    pub subject_chars_max: usize,
    /// Characters in a name, 0 to 1,000; 0 means that everyone is anonymous.
    pub name_chars_max: usize,
    /// Quotes that one post may hold, 0 to 1,000.
    pub quotes_max: usize,
    /// Links that one post may hold, 0 to 1,000.
    pub links_max: usize,
    /// Whether ids are shown that tell the posters of a thread apart.
    pub poster_ids: bool,
    /// Which posts somebody looks at before they are shown.
    pub moderation: Moderation,
    /// When a sender's machine has to work for a post.
    pub proof_of_work: ProofOfWork,
    /// Replies after which a thread is no longer bumped; 0 means no limit.
    pub bump_limit: usize,
    /// Replies after which a thread takes no more; 0 means no limit.
    pub reply_limit: usize,
    /// What becomes of threads for which the index has no more room.
    pub overflow: Overflow,
    /// Hours for which a thread is not touched by that, however many come, 0 to 8,760.
    pub overflow_hours_min: usize,
    /// New threads in an hour; 0 means no limit.
    pub threads_per_hour_max: usize,
}

/// What becomes of threads for which the index has no more room.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Overflow {
    /// They stand in the archive, take replies, and come back when they are bumped.
    Keep,
    /// They are archived: they keep their pages and take no more replies.
    #[default]
    Archive,
    /// They are deleted.
    Prune,
}

/// Which posts somebody looks at before they are shown.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Moderation {
    /// None.
    #[default]
    None,
    /// Those with links.
    Links,
    /// Those of posters of whom no post is shown.
    New,
    /// All.
    All,
}

/// When a sender's machine has to work for a post.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ProofOfWork {
    /// While the site is on its guard.
    #[default]
    Guarded,
    /// At all times.
    Always,
    /// Never.
    Never,
}

/// What becomes of posts from addresses that are on a list of spammers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum DnsblAction {
    /// Somebody looks at them first.
    #[default]
    Hold,
    /// They are refused.
    Reject,
}

impl ProofOfWork {
    /// All of them, by their names in settings.
    pub const NAMED: [(&'static str, ProofOfWork); 3] =
        [("guarded", ProofOfWork::Guarded), ("always", ProofOfWork::Always), ("never", ProofOfWork::Never)];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        let named = ProofOfWork::NAMED.iter().find(|(_, when)| *when == self);
        named.map_or("", |(name, _)| name)
    }
}

impl DnsblAction {
    /// All of them, by their names in settings.
    pub const NAMED: [(&'static str, DnsblAction); 2] = [("hold", DnsblAction::Hold), ("reject", DnsblAction::Reject)];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        let named = DnsblAction::NAMED.iter().find(|(_, action)| *action == self);
        named.map_or("", |(name, _)| name)
    }
}

impl Moderation {
    /// All of them, by their names in settings.
    pub const NAMED: [(&'static str, Moderation); 4] =
        [("none", Moderation::None), ("links", Moderation::Links), ("new", Moderation::New), ("all", Moderation::All)];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        let named = Moderation::NAMED.iter().find(|(_, moderation)| *moderation == self);
        named.map_or("", |(name, _)| name)
    }
}

impl Overflow {
    /// All of them, by their names in settings.
    pub const NAMED: [(&'static str, Overflow); 3] =
        [("keep", Overflow::Keep), ("archive", Overflow::Archive), ("prune", Overflow::Prune)];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        let named = Overflow::NAMED.iter().find(|(_, overflow)| *overflow == self);
        named.map_or("", |(name, _)| name)
    }
}

impl Default for BoardSettings {
    fn default() -> BoardSettings {
        BoardSettings {
            title: String::new(),
            description: String::new(),
            anonymous_name: String::new(),
            threads_per_page: 10,
            index_pages: 10,
            replies_previewed: 3,
            body_chars_max: 8_000,
            body_lines_max: 400,
            subject_chars_max: 120,
            name_chars_max: 60,
            quotes_max: 50,
            links_max: 10,
            poster_ids: false,
            moderation: Moderation::default(),
            proof_of_work: ProofOfWork::default(),
            bump_limit: 500,
            reply_limit: 1_000,
            overflow: Overflow::default(),
            overflow_hours_min: 24,
            threads_per_hour_max: 100,
        }
    }
}

impl BoardSettings {
    /// How many threads stand on the index and in the catalog; the rest is in the archive.
    pub fn window(&self) -> usize {
        match self.index_pages {
            0 => usize::MAX,
            pages => pages * self.threads_per_page,
        }
    }
}

/// A board: its slug and its settings.
#[derive(Clone, PartialEq, Debug)]
pub struct BoardInfo {
    /// The name in URLs and on disk.
    pub slug: BoardSlug,
    /// Its settings, with the site's defaults filled in.
    pub settings: Arc<BoardSettings>,
}

impl BoardInfo {
    /// The board's name for people.
    pub fn title(&self) -> &str {
        match self.settings.title.as_str() {
            "" => self.slug.as_str(),
            title => title,
        }
    }
}

/// Where the site is reached: an absolute `http(s)` URL that ends in a slash, or only its path where the rest is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl {
    text: String,
    path_from: usize,
}

/// Why a text is not a base URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadBaseUrl {
    /// Neither `http://…`, `https://…` nor `/…`.
    #[error("a base URL begins with `http://` or `https://`, or is a path such as `/` or `/boards/`")]
    Scheme,
    /// No host after the scheme.
    #[error("a base URL names a host")]
    Host,
    /// A query, a fragment, white space, a quote or the like, or a path that is not plain.
    #[error("a base URL is plain: letters, digits and `-._~:/[]`, no query, no `//` or `..` in its path")]
    Plain,
}

impl BaseUrl {
    /// Checks `text`; a slash at the end is added if it lacks one.
    pub fn parse(text: &str) -> Result<BaseUrl, BadBaseUrl> {
        let host_from = match text {
            _ if text.starts_with("https://") => 8,
            _ if text.starts_with("http://") => 7,
            _ if text.starts_with('/') => 0,
            _ => return Err(BadBaseUrl::Scheme),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b);
        if !text.bytes().all(plain) {
            return Err(BadBaseUrl::Plain);
        }
        let path_from = text[host_from..].find('/').map_or(text.len(), |at| host_from + at);
        if 0 < host_from && path_from == host_from {
            return Err(BadBaseUrl::Host);
        }
        let path = &text[path_from..];
        if path.contains("//") || path.split('/').any(|part| part == "." || part == "..") {
            return Err(BadBaseUrl::Plain);
        }
        let slash = if text.ends_with('/') && path_from < text.len() { "" } else { "/" };
        Ok(BaseUrl { text: format!("{text}{slash}"), path_from })
    }

    /// The path with a slash at both ends.
    pub fn path(&self) -> &str {
        &self.text[self.path_from..]
    }

    /// The scheme and host without a slash, such as `https://example.org`; `None` if only the path is known.
    pub fn origin(&self) -> Option<&str> {
        (0 < self.path_from).then(|| &self.text[..self.path_from])
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Default for BaseUrl {
    fn default() -> BaseUrl {
        BaseUrl { text: "/".to_owned(), path_from: 0 }
    }
}
