//! The table of everything that can be set. Reading, suggestions, samples and the reference all come from it.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use chrono_tz::Tz;
use ipnet::IpNet;

use super::lists::{codings, formats};
use super::{ThemeInfo, defences};
use crate::model::settings::{BaseUrl, Moderation, Overflow};
use crate::model::{BoardSettings, Coding, Format, Formats, SiteSettings};

/// One setting of an `S`.
pub(super) struct Key<S> {
    /// How it is written.
    pub name: &'static str,
    /// One line that explains it.
    pub doc: &'static str,
    /// What it takes, and where that goes.
    pub kind: Kind<S>,
}

/// What a setting takes, and where that goes.
pub(super) enum Kind<S> {
    /// One line of text with so many characters.
    Text(RangeInclusive<usize>, fn(&mut S) -> &mut String),
    /// A whole number in this range.
    Count(RangeInclusive<usize>, fn(&mut S) -> &mut usize),
    /// A text with a form of its own.
    Form(Form<S>),
    /// A list of texts with a form of their own; one text alone is a list as well.
    List(List<S>),
    /// A mapping with the settings that boards share.
    Defaults(fn(&mut S) -> &mut BoardSettings),
}

/// A text with a form of its own.
pub(super) struct Form<S> {
    /// The form in words.
    pub expected: &'static str,
    /// Takes the text, or says what would be right.
    pub set: fn(&mut S, &str) -> Result<(), String>,
    /// The text that would set what is set.
    pub get: fn(&S) -> String,
}

/// A list of texts with a form of their own.
pub(super) struct List<S> {
    /// The form in words.
    pub expected: &'static str,
    /// Takes the texts, or says what would be right.
    pub set: fn(&mut S, &[String]) -> Result<(), String>,
    /// The text that would set what is set.
    pub get: fn(&S) -> String,
}

/// Characters in a title or another name for people.
const TITLE_CHARS_MAX: usize = 200;

/// Characters in a description.
const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// The largest limit: far above what a thread can hold, and no product of two of them overflows.
const LIMIT_MAX: usize = 1_000_000;

/// A year of 365 days: no cache keeps anything longer.
const YEAR_SECONDS: usize = 31_536_000;

/// What stands in `site.yaml`.
pub(super) static SITE: [Key<SiteSettings>; 26] = [
    Key { name: "title", doc: "The site's name.", kind: Kind::Text(1..=TITLE_CHARS_MAX, |site| &mut site.title) },
    Key {
        name: "description",
        doc: "A sentence about the site.",
        kind: Kind::Text(0..=DESCRIPTION_CHARS_MAX, |site| &mut site.description),
    },
    Key {
        name: "base_url",
        doc: "Where the site is reached, such as `https://example.org/boards/`; feeds need the whole address.",
        kind: Kind::Form(Form {
            expected: "an `http(s)` URL or a path",
            set: |site, text| BaseUrl::parse(text).map(|url| site.base_url = url).map_err(|error| error.to_string()),
            get: |site| site.base_url.as_str().to_owned(),
        }),
    },
    Key {
        name: "post_url",
        doc: "Where forms are sent, if not to `post` below `base_url`.",
        kind: Kind::Form(Form {
            expected: "an `http(s)` URL or a path",
            set: |site, text| post_url(text).map(|url| site.post_url = Some(url)),
            get: |site| site.post_url.clone().unwrap_or_default(),
        }),
    },
    Key {
        name: "theme",
        doc: "The folder under `themes/` that overrides the built-in theme file by file.",
        kind: Kind::Form(Form {
            expected: "1 to 64 of `a-z`, `0-9`, `-` and `_`",
            set: |site, text| theme(text).map(|theme| site.theme = theme),
            get: |site| site.theme.clone(),
        }),
    },
    Key {
        name: "locale",
        doc: "The language of the site's own texts, a BCP 47 tag: `de`, `en`, `es`, `id`, `ja`, or another that the theme has.",
        kind: Kind::Form(Form {
            expected: "a language tag",
            set: |site, text| locale(text).map(|locale| site.locale = locale),
            get: |site| site.locale.clone(),
        }),
    },
    Key {
        name: "time_zone",
        doc: "The zone in which times are shown, such as `Europe/Berlin`.",
        kind: Kind::Form(Form {
            expected: "a zone of the IANA database",
            set: |site, text| time_zone(text).map(|time_zone| site.time_zone = time_zone),
            get: |site| site.time_zone.name().to_owned(),
        }),
    },
    Key {
        name: "home_threads",
        doc: "How many of the latest threads the home page lists.",
        kind: Kind::Count(0..=100, |site| &mut site.home_threads),
    },
    Key {
        name: "formats",
        doc: "What is written beside the pages, for programs: `json`, the API of 4chan; `feeds`, Atom; `2ch`, the files of 2ch; `vichan`, the paths of vichan.",
        kind: Kind::List(List {
            expected: "a list of `json`, `feeds`, `2ch` and `vichan`, or `none`",
            set: |site, texts| formats(texts).map(|formats| site.formats = formats),
            get: |site| match site.formats {
                Formats::NONE => "none".to_owned(),
                formats => format!("[{}]", formats.iter().map(Format::name).collect::<Vec<_>>().join(", ")),
            },
        }),
    },
    Key {
        name: "overboard_threads",
        doc: "How many threads the pages of all boards at `all/` list, if there is more than one board; 0 means none.",
        kind: Kind::Count(0..=1_000, |site| &mut site.overboard_threads),
    },
    Key {
        name: "precompress",
        doc: "How pages and assets are packed beside themselves, for nginx, Caddy and the door to hand out as they are.",
        kind: Kind::List(List {
            expected: "a list of `gzip` and `brotli`",
            set: |site, texts| codings(texts).map(|codings| site.precompress = codings),
            get: |site| site.precompress.iter().map(Coding::name).collect::<Vec<_>>().join(", "),
        }),
    },
    Key {
        name: "cdn_seconds",
        doc: "How long a CDN may show a page before it asks for it anew. More than a few seconds only if `on_change` tells it what changed.",
        kind: Kind::Count(0..=YEAR_SECONDS, |site| &mut site.cdn_seconds),
    },
    Key {
        name: "on_change",
        doc: "A command that gets the URLs that changed on its standard input, such as `[scripts/purge, example]`; no shell is between.",
        kind: Kind::List(List {
            expected: "a program or a list of a program and its arguments",
            set: |site, texts| command(texts).map(|command| site.on_change = command),
            get: |site| site.on_change.join(", "),
        }),
    },
    Key {
        name: "keep_addresses",
        doc: "How long it is kept, encrypted, where posts came from, such as `3 days` or `12 hours`; `never` keeps nothing, and then posts of one sender cannot be told.",
        kind: Kind::Form(Form {
            expected: "a time such as `3 days` or `12 hours`, or `never`",
            set: |site, text| hours(text).map(|hours| site.keep_addresses_hours = hours),
            get: |site| hours_in_words(site.keep_addresses_hours),
        }),
    },
    Key {
        name: "trusted_proxies",
        doc: "Addresses or ranges of proxies whose `X-Forwarded-For` is believed, such as `[127.0.0.1, 10.0.0.0/8]`. Without them it never is.",
        kind: Kind::List(List {
            expected: "a list of addresses or ranges",
            set: |site, texts| ranges(texts).map(|ranges| site.trusted_proxies = ranges),
            get: |site| site.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }),
    },
    Key {
        name: "posts_per_minute",
        doc: "Posts that one address may send in a minute, and its network four times as many; 0 means no limit. The machine itself and `trusted_proxies` have none.",
        kind: Kind::Count(0..=LIMIT_MAX, |site| &mut site.posts_per_minute),
    },
    Key {
        name: "threads_per_hour",
        doc: "Threads that one address may start in an hour, and its network four times as many; 0 means no limit.",
        kind: Kind::Count(0..=LIMIT_MAX, |site| &mut site.threads_per_hour),
    },
    Key {
        name: "failures_per_minute",
        doc: "Refused posts and wrong passwords of one address in a minute, after which nothing more of it is looked at for a while; 0 means no limit.",
        kind: Kind::Count(0..=LIMIT_MAX, |site| &mut site.failures_per_minute),
    },
    Key {
        name: "duplicate_minutes",
        doc: "Minutes for which nobody may send the text of a post again; 0 means that everybody may. Texts of fewer than 20 letters always may be sent.",
        kind: Kind::Count(0..=1_440, |site| &mut site.duplicate_minutes),
    },
    Key {
        name: "guard_at_posts_per_hour",
        doc: "Posts in an hour on the whole site at which it is on its guard by itself, until an hour is calm: new threads and links are held, and limits halved. 0 means never.",
        kind: Kind::Count(0..=LIMIT_MAX, |site| &mut site.guard_at_posts_per_hour),
    },
    Key {
        name: "public_log",
        doc: "Whether `log.html` tells everybody what staff does from now on: when, what, where and why, but not who. The reasons (`--why`) are public then.",
        kind: Kind::Form(Form {
            expected: "`true` or `false`",
            set: |site, text| match text {
                "true" | "false" => {
                    site.public_log = text == "true";
                    Ok(())
                }
                _ => Err("`true` or `false`".to_owned()),
            },
            get: |site| site.public_log.to_string(),
        }),
    },
    Key {
        name: "proof_bits",
        doc: "How much work `proof_of_work` asks for: zero bits of each of eight hashes. One more is twice the work.",
        kind: Kind::Count(1..=24, |site| &mut site.proof_bits),
    },
    Key {
        name: "dnsbl",
        doc: "Lists of spammers' addresses that are asked by DNS about each poster, such as `[dnsbl.example.org]`. Whoever keeps a list then learns who posts here.",
        kind: Kind::List(List {
            expected: "a list of up to four names",
            set: |site, texts| defences::dnsbl(texts).map(|zones| site.dnsbl = zones),
            get: |site| site.dnsbl.join(", "),
        }),
    },
    Key {
        name: "dnsbl_action",
        doc: "What becomes of posts from addresses that are on such a list: `hold` has somebody look at them, `reject` refuses them.",
        kind: Kind::Form(Form {
            expected: "`hold` or `reject`",
            set: |site, text| defences::dnsbl_action(text).map(|action| site.dnsbl_action = action),
            get: |site| site.dnsbl_action.name().to_owned(),
        }),
    },
    Key {
        name: "dnsbl_server",
        doc: "The name server that is asked, such as `127.0.0.1`, if not the first one of `/etc/resolv.conf`.",
        kind: Kind::Form(Form {
            expected: "an address, perhaps with a port",
            set: |site, text| defences::dnsbl_server(text).map(|server| site.dnsbl_server = server),
            get: |site| site.dnsbl_server.map_or(String::new(), |server| server.to_string()),
        }),
    },
    Key {
        name: "defaults",
        doc: "What boards have that say nothing else: any setting of `board.yaml` except its title and description.",
        kind: Kind::Defaults(|site| &mut site.defaults),
    },
];

/// How many settings at the beginning of [`BOARD`] are one board's own.
const OWN: usize = 2;

/// What stands in `board.yaml`.
pub(super) static BOARD: [Key<BoardSettings>; 20] = [
    Key {
        name: "title",
        doc: "The board's name for people, if not the name of its folder.",
        kind: Kind::Text(1..=TITLE_CHARS_MAX, |board| &mut board.title),
    },
    Key {
        name: "description",
        doc: "A sentence about the board.",
        kind: Kind::Text(0..=DESCRIPTION_CHARS_MAX, |board| &mut board.description),
    },
    Key {
        name: "anonymous_name",
        doc: "What a post without a name is signed with, if not with what the theme says, such as `Anonymous`.",
        kind: Kind::Text(1..=TITLE_CHARS_MAX, |board| &mut board.anonymous_name),
    },
    Key {
        name: "threads_per_page",
        doc: "Threads on one index page.",
        kind: Kind::Count(1..=100, |board| &mut board.threads_per_page),
    },
    Key {
        name: "index_pages",
        doc: "Index pages; older threads stand in the archive. 0 means as many as there are threads for.",
        kind: Kind::Count(0..=LIMIT_MAX, |board| &mut board.index_pages),
    },
    Key {
        name: "replies_previewed",
        doc: "Replies shown below each opening post on the index.",
        kind: Kind::Count(0..=50, |board| &mut board.replies_previewed),
    },
    Key {
        name: "body_chars_max",
        doc: "Characters in a body.",
        kind: Kind::Count(1..=65_536, |board| &mut board.body_chars_max),
    },
    Key {
        name: "body_lines_max",
        doc: "Lines in a body.",
        kind: Kind::Count(1..=10_000, |board| &mut board.body_lines_max),
    },
    Key {
        name: "subject_chars_max",
        doc: "Characters in a subject; 0 means that posts have no subject.",
        kind: Kind::Count(0..=1_000, |board| &mut board.subject_chars_max),
    },
    Key {
        name: "name_chars_max",
        doc: "Characters in a name; 0 means that everyone is anonymous.",
        kind: Kind::Count(0..=1_000, |board| &mut board.name_chars_max),
    },
    Key {
        name: "quotes_max",
        doc: "Quotes that one post may hold.",
        kind: Kind::Count(0..=1_000, |board| &mut board.quotes_max),
    },
    Key {
        name: "links_max",
        doc: "Links to other sites that one post may hold.",
        kind: Kind::Count(0..=1_000, |board| &mut board.links_max),
    },
    Key {
        name: "poster_ids",
        doc: "Whether each post shows an id of its sender, the same in one thread and another in each other. It says which posts of a thread came from one address.",
        kind: Kind::Form(Form {
            expected: "`true` or `false`",
            set: |board, text| truth(text).map(|on| board.poster_ids = on),
            get: |board| board.poster_ids.to_string(),
        }),
    },
    Key {
        name: "moderation",
        doc: "Which posts somebody looks at before they are shown: `none`, those with `links`, those of `new` posters, of whom no post is shown since addresses are kept, or `all`.",
        kind: Kind::Form(Form {
            expected: "`none`, `links`, `new` or `all`",
            set: |board, text| moderation(text).map(|moderation| board.moderation = moderation),
            get: |board| board.moderation.name().to_owned(),
        }),
    },
    Key {
        name: "proof_of_work",
        doc: "When a sender's machine has to work for a post, which its script does by itself: while the site is on its guard (`guarded`), `always` or `never`. Posts of browsers without script are held instead.",
        kind: Kind::Form(Form {
            expected: "`guarded`, `always` or `never`",
            set: |board, text| defences::proof_of_work(text).map(|when| board.proof_of_work = when),
            get: |board| board.proof_of_work.name().to_owned(),
        }),
    },
    Key {
        name: "bump_limit",
        doc: "Replies after which a thread is no longer bumped; 0 means no limit.",
        kind: Kind::Count(0..=LIMIT_MAX, |board| &mut board.bump_limit),
    },
    Key {
        name: "reply_limit",
        doc: "Replies after which a thread takes no more; 0 means no limit.",
        kind: Kind::Count(0..=LIMIT_MAX, |board| &mut board.reply_limit),
    },
    Key {
        name: "overflow",
        doc: "What becomes of threads for which the index has no more room: `keep` lets them take replies and come back, `archive` closes them, `prune` deletes them.",
        kind: Kind::Form(Form {
            expected: "`keep`, `archive` or `prune`",
            set: |board, text| overflow(text).map(|overflow| board.overflow = overflow),
            get: |board| board.overflow.name().to_owned(),
        }),
    },
    Key {
        name: "overflow_hours_min",
        doc: "Hours for which that leaves a new thread alone, so that a flood of others does not take it away.",
        kind: Kind::Count(0..=8_760, |board| &mut board.overflow_hours_min),
    },
    Key {
        name: "threads_per_hour_max",
        doc: "New threads in an hour; 0 means no limit.",
        kind: Kind::Count(0..=LIMIT_MAX, |board| &mut board.threads_per_hour_max),
    },
];

/// What stands in `board.yaml` and below `defaults` of `site.yaml`.
pub(super) fn shared() -> &'static [Key<BoardSettings>] {
    &BOARD[OWN..]
}

/// What stands in `theme.yaml`.
pub(super) static THEME: [Key<ThemeInfo>; 2] = [
    Key {
        name: "name",
        doc: "The theme's name for people.",
        kind: Kind::Text(1..=TITLE_CHARS_MAX, |theme| &mut theme.name),
    },
    Key {
        name: "description",
        doc: "A sentence about the theme.",
        kind: Kind::Text(0..=DESCRIPTION_CHARS_MAX, |theme| &mut theme.description),
    },
];

impl<S: Default> Key<S> {
    /// The text that would set the default; empty where the default is nothing, and for a mapping.
    pub fn default_text(&self) -> String {
        let mut settings = S::default();
        match &self.kind {
            Kind::Text(_, field) => field(&mut settings).clone(),
            Kind::Count(_, field) => field(&mut settings).to_string(),
            Kind::Form(form) => (form.get)(&settings),
            Kind::List(list) => (list.get)(&settings),
            Kind::Defaults(_) => String::new(),
        }
    }
}

impl<S> Key<S> {
    /// What the setting takes, in words.
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Text(chars, _) => format!("one line of {} to {} characters", chars.start(), grouped(*chars.end())),
            Kind::Count(range, _) => range_in_words(range),
            Kind::Form(form) => form.expected.to_owned(),
            Kind::List(list) => list.expected.to_owned(),
            Kind::Defaults(_) => "a mapping".to_owned(),
        }
    }
}

/// The numbers that a setting takes, in words.
pub(super) fn range_in_words(range: &RangeInclusive<usize>) -> String {
    format!("a whole number from {} to {}", range.start(), grouped(*range.end()))
}

/// `number` with commas between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// SECURITY: the text stands in an attribute of every form, and a browser that takes `//host` or a backslash for a
/// host would send posts there.
fn post_url(text: &str) -> Result<String, String> {
    let rest = ["https://", "http://", "/"].iter().find_map(|start| text.strip_prefix(start));
    let Some(rest) = rest else {
        return Err("a URL that begins with `http://` or `https://`, or a path that begins with `/`".to_owned());
    };
    let names_host =
        text.starts_with('/') || !matches!(rest.as_bytes().first(), None | Some(b'/' | b'?' | b'#' | b':'));
    if !names_host || text.starts_with("//") {
        return Err("a URL names a host after its scheme, a path begins with one slash".to_owned());
    }
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&b);
    if !text.bytes().all(plain) {
        return Err("without spaces, quotes and control characters; write others as `%` and two digits".to_owned());
    }
    match text.len() {
        ..=1_000 => Ok(text.to_owned()),
        _ => Err("at most 1,000 characters".to_owned()),
    }
}

/// No shell reads it, so nothing in it means anything else than itself.
fn command(texts: &[String]) -> Result<Vec<String>, String> {
    match texts {
        [] => Ok(Vec::new()),
        [program, ..] if program.is_empty() => Err("the name or the path of a program first".to_owned()),
        // One line as for a shell would be taken for the name of a program.
        [line] if line.contains(' ') => Err(format!(
            "a list, since no shell reads it: `[{}]`",
            line.split_whitespace().collect::<Vec<_>>().join(", ")
        )),
        _ if texts.iter().any(|text| text.contains('\0') || 1_000 < text.len()) || 64 < texts.len() => {
            Err("at most 64 texts of 1,000 bytes, without null characters".to_owned())
        }
        _ => Ok(texts.to_vec()),
    }
}

/// SECURITY: the name becomes a folder, so it must be one safe path segment.
pub(super) fn theme(text: &str) -> Result<String, String> {
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    match (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err("the name of a folder under `themes/`: 1 to 64 of `a-z`, `0-9`, `-` and `_`".to_owned()),
    }
}

/// The longest time for which addresses can be kept: a year.
const HOURS_MAX: usize = 365 * 24;

/// Hours, from words.
fn hours(text: &str) -> Result<usize, String> {
    let wrong = || "a time such as `3 days` or `12 hours`, at most `365 days`, or `never`".to_owned();
    if text == "never" {
        return Ok(0);
    }
    let (number, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let number: usize = number.parse().map_err(|_| wrong())?;
    let hours = match unit.trim() {
        "hour" | "hours" => Some(number),
        "day" | "days" => number.checked_mul(24),
        _ => None,
    };
    hours.filter(|hours| (1..=HOURS_MAX).contains(hours)).ok_or_else(wrong)
}

fn hours_in_words(hours: usize) -> String {
    match hours {
        0 => "never".to_owned(),
        24 => "1 day".to_owned(),
        _ if hours.is_multiple_of(24) => format!("{} days", hours / 24),
        _ => format!("{hours} hours"),
    }
}

fn ranges(texts: &[String]) -> Result<Vec<IpNet>, String> {
    let range = |text: &String| {
        let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        range.map_err(|_| format!("addresses such as `127.0.0.1` or ranges such as `10.0.0.0/8`; `{text}` is neither"))
    };
    texts.iter().map(range).collect()
}

fn overflow(text: &str) -> Result<Overflow, String> {
    let named = Overflow::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, overflow)| *overflow).ok_or_else(|| "`keep`, `archive` or `prune`".to_owned())
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "`true` or `false`".to_owned())
}

fn moderation(text: &str) -> Result<Moderation, String> {
    let named = Moderation::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, moderation)| *moderation).ok_or_else(|| "`none`, `links`, `new` or `all`".to_owned())
}

fn locale(text: &str) -> Result<String, String> {
    let hyphened = text.replace('_', "-");
    match (is_language_tag(text), is_language_tag(&hyphened)) {
        (true, _) => Ok(text.to_owned()),
        (false, true) => Err(format!("write it with hyphens: `{hyphened}`")),
        (false, false) => Err("a language and perhaps a region, such as `en`, `ja` or `pt-BR`".to_owned()),
    }
}

/// Checks the form alone: which languages there are is for others to say.
fn is_language_tag(text: &str) -> bool {
    let (language, rest) = text.split_once('-').unwrap_or((text, "x"));
    let language_fits = (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let part_fits = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 35 && language_fits && rest.split('-').all(part_fits)
}

fn time_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| match nearest_zones(text).as_slice() {
        [] => "a name such as `UTC`, `Europe/Berlin` or `Asia/Tokyo`".to_owned(),
        names => format!("did you mean `{}`?", names.join("` or `")),
    })
}

/// Up to three zones whose name, or whose city alone, is close to `text`, the closest first.
fn nearest_zones(text: &str) -> Vec<&'static str> {
    // Longer than any zone's name: not worth the comparisons.
    if 64 < text.len() {
        return Vec::new();
    }
    let typed = text.to_ascii_lowercase().replace(' ', "_");
    let closeness = |name: &str| {
        let name = name.to_ascii_lowercase();
        let city = name.rsplit('/').next().unwrap_or(&name);
        // The city a little less, so that `utc` is `UTC` and not also `Etc/UTC`.
        let by_city = 0.98 * strsim::normalized_damerau_levenshtein(&typed, city);
        by_city.max(strsim::normalized_damerau_levenshtein(&typed, &name))
    };
    let scored = chrono_tz::TZ_VARIANTS.iter().map(|zone| (closeness(zone.name()), zone.name()));
    let mut near: Vec<_> = scored.filter(|(score, _)| 0.7 <= *score).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    // A clear winner stands alone.
    let best = near.first().map_or(0.0, |(score, _)| *score);
    near.into_iter().take_while(|(score, _)| best < score + 0.02).take(3).map(|(_, name)| name).collect()
}
