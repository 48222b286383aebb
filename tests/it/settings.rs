//! Settings: text to values, or to messages that help.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use nejiboard::model::settings::{DnsblAction, Moderation, Overflow, ProofOfWork};
use nejiboard::model::summary::one_line;
use nejiboard::model::{BoardSettings, Coding, Codings, Format, Formats, Problem, SiteSettings};
use nejiboard::store::settings::{self, ThemeInfo, read_board, read_site, read_theme};
use proptest::prelude::*;

fn site(text: &str) -> Result<SiteSettings, Vec<Problem>> {
    read_site(Path::new("site.yaml"), text)
}

fn board(text: &str) -> Result<BoardSettings, Vec<Problem>> {
    read_board(Path::new("board.yaml"), text, &SiteSettings::default())
}

/// The problems as an operator sees them.
#[track_caller]
fn told<T: Debug>(outcome: Result<T, Vec<Problem>>) -> String {
    let problems = outcome.expect_err("this text is wrong");
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// Reads `text` as `site.yaml` and expects this message and this hint.
#[track_caller]
fn wrong(text: &str, message: &str, hint: &str) {
    let hint = if hint.is_empty() { String::new() } else { format!("\n  hint: {hint}") };
    assert_eq!(told(site(text)), format!("site.yaml:{message}{hint}\n"), "text: {text:?}");
}

fn both() -> Codings {
    let mut codings = Codings::default();
    Coding::ALL.into_iter().for_each(|coding| codings.insert(coding));
    codings
}

#[test]
fn a_list_may_be_one_text() {
    let read = site("precompress: gzip\non_change: scripts/purge").unwrap();
    assert!(read.precompress.has(Coding::Gzip) && !read.precompress.has(Coding::Brotli));
    assert_eq!(read.on_change, ["scripts/purge"]);
    assert_eq!(site("precompress: []\non_change: []").unwrap(), SiteSettings::default());
}

#[test]
fn a_list_that_makes_no_sense_is_told() {
    wrong(
        "precompress: [gzip, zip]",
        "1:14: `precompress` cannot be a list",
        "`gzip`, `brotli` or both, such as `[gzip, brotli]`",
    );
    wrong(
        "precompress: zstd",
        "1:14: `precompress` cannot be `zstd`",
        "`gzip`, `brotli` or both, such as `[gzip, brotli]`",
    );
    wrong(
        "on_change: {curl: x}",
        "1:12: `on_change` must be a list of texts, not a mapping",
        "a program or a list of a program and its arguments",
    );
    wrong(
        "keep_addresses: 3",
        "1:17: `keep_addresses` cannot be `3`",
        "a time such as `3 days` or `12 hours`, at most `365 days`, or `never`",
    );
    wrong(
        "keep_addresses: 366 days",
        "1:17: `keep_addresses` cannot be `366 days`",
        "a time such as `3 days` or `12 hours`, at most `365 days`, or `never`",
    );
    wrong(
        "trusted_proxies: [here]",
        "1:18: `trusted_proxies` cannot be a list",
        "addresses such as `127.0.0.1` or ranges such as `10.0.0.0/8`; `here` is neither",
    );
    wrong(
        "on_change: curl -X PURGE",
        "1:12: `on_change` cannot be `curl -X PURGE`",
        "a list, since no shell reads it: `[curl, -X, PURGE]`",
    );
}

#[test]
fn lists_of_spammers_are_names_and_few() {
    let hint = "names such as `dnsbl.example.org`; `a..b` is none";
    wrong("dnsbl: a..b", "1:8: `dnsbl` cannot be `a..b`", hint);
    let long = format!("{}.example", "a".repeat(64));
    for text in ["localhost", "http://a.example", "-a.example", "a b.example", "ä.example", &long, &"a.".repeat(100)] {
        assert!(site(&format!("dnsbl: ['{text}']")).is_err(), "{text}");
    }
    assert!(site("dnsbl: [a.b, b.b, c.b, d.b, e.b]").is_err() && site("dnsbl_server: example.org").is_err());
    assert_eq!(site("dnsbl_server: '[::1]:5353'").unwrap().dnsbl_server, Some("[::1]:5353".parse().unwrap()));
    assert!(site("proof_bits: 25").is_err() && site("proof_bits: 0").is_err());
    assert!(site("dnsbl_action: ban").is_err() && site("defaults: {proof_of_work: sometimes}").is_err());
}

#[test]
fn every_setting_of_the_site_is_read() {
    let read = site(
        "
title: Neji's boards
description: >
  Three boards
  and a cat
base_url: https://example.org/boards
post_url: https://door.example.org/post
theme: night-2
locale: pt-BR
time_zone: America/Sao_Paulo
home_threads: 0
formats: [2ch, feeds]
overboard_threads: 30
precompress: [gzip, br]
cdn_seconds: 3600
on_change: [scripts/purge, 'zone one']
keep_addresses: 12 hours
trusted_proxies: [127.0.0.1, '10.0.0.0/8', '2001:db8::/32']
posts_per_minute: 4
threads_per_hour: 2
failures_per_minute: 0
duplicate_minutes: 60
guard_at_posts_per_hour: 500
public_log: true
proof_bits: 20
dnsbl: [dnsbl.example.org, BL.example.net.]
dnsbl_action: reject
dnsbl_server: 127.0.0.1
defaults:
  anonymous_name: Nobody
  bump_limit: 300
",
    );
    let mut expected = SiteSettings {
        title: "Neji's boards".to_owned(),
        description: "Three boards and a cat".to_owned(),
        base_url: nejiboard::model::settings::BaseUrl::parse("https://example.org/boards/").expect("a base URL"),
        post_url: Some("https://door.example.org/post".to_owned()),
        theme: "night-2".to_owned(),
        locale: "pt-BR".to_owned(),
        time_zone: chrono_tz::America::Sao_Paulo,
        home_threads: 0,
        formats: {
            let mut formats = Formats::NONE;
            [Format::Feeds, Format::TwoChannel].into_iter().for_each(|format| formats.insert(format));
            formats
        },
        overboard_threads: 30,
        precompress: both(),
        cdn_seconds: 3_600,
        on_change: vec!["scripts/purge".to_owned(), "zone one".to_owned()],
        keep_addresses_hours: 12,
        trusted_proxies: ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap()).to_vec(),
        posts_per_minute: 4,
        threads_per_hour: 2,
        failures_per_minute: 0,
        duplicate_minutes: 60,
        guard_at_posts_per_hour: 500,
        public_log: true,
        proof_bits: 20,
        dnsbl: vec!["dnsbl.example.org".to_owned(), "bl.example.net".to_owned()],
        dnsbl_action: DnsblAction::Reject,
        dnsbl_server: Some(([127, 0, 0, 1], 53).into()),
        defaults: BoardSettings::default(),
    };
    expected.defaults.anonymous_name = "Nobody".to_owned();
    expected.defaults.bump_limit = 300;
    assert_eq!(read, Ok(expected));
}

#[test]
fn every_setting_of_a_board_is_read() {
    let read = board(
        "
title: Technology
description: ''
anonymous_name: Nanashi
threads_per_page: 1
index_pages: 2
replies_previewed: 3
body_chars_max: 4
body_lines_max: 5
subject_chars_max: 6
name_chars_max: 7
quotes_max: 8
links_max: 3
poster_ids: true
moderation: new
proof_of_work: always
bump_limit: 9
reply_limit: 10
overflow: prune
overflow_hours_min: 11
threads_per_hour_max: 12
",
    );
    let expected = BoardSettings {
        title: "Technology".to_owned(),
        description: String::new(),
        anonymous_name: "Nanashi".to_owned(),
        threads_per_page: 1,
        index_pages: 2,
        replies_previewed: 3,
        body_chars_max: 4,
        body_lines_max: 5,
        subject_chars_max: 6,
        name_chars_max: 7,
        quotes_max: 8,
        links_max: 3,
        poster_ids: true,
        moderation: Moderation::New,
        proof_of_work: ProofOfWork::Always,
        bump_limit: 9,
        reply_limit: 10,
        overflow: Overflow::Prune,
        overflow_hours_min: 11,
        threads_per_hour_max: 12,
    };
    assert_eq!(read, Ok(expected));
}

#[test]
fn a_board_has_what_the_site_says_unless_it_says_otherwise() {
    let site = site("defaults: {bump_limit: 7, reply_limit: 8}\n").expect("right");
    let board = read_board(Path::new("board.yaml"), "reply_limit: 9\n", &site).expect("right");
    assert_eq!((board.bump_limit, board.reply_limit, board.quotes_max), (7, 9, 50));
}

#[test]
fn a_theme_tells_its_name() {
    let theme = read_theme(Path::new("theme.yaml"), "name: Night\ndescription: Dark and quiet\n");
    let expected = ThemeInfo { name: "Night".to_owned(), description: "Dark and quiet".to_owned() };
    assert_eq!(theme, Ok(expected));
    let message = told(read_theme(Path::new("theme.yaml"), "nam: Night\n"));
    assert_eq!(message, "theme.yaml:1:1: unknown setting `nam`\n  hint: did you mean `name`?\n");
}

#[test]
fn nothing_said_is_all_defaults() {
    for text in
        ["", "\n\n", "# only a comment", "---\n", "---\n...\n", "{}", "\u{feff}", "~", "defaults:\n", "title:\n"]
    {
        assert_eq!(site(text), Ok(SiteSettings::default()), "{text:?}");
        assert_eq!(board(&text.replace("defaults", "title")), Ok(BoardSettings::default()), "{text:?}");
    }
}

#[test]
fn text_is_taken_as_people_write_it() {
    for (text, title) in [
        ("title: 2024\n", "2024"),
        ("title: 1.10\n", "1.10"),
        ("title: 007\n", "007"),
        ("title: No\n", "No"),
        ("title: on\n", "on"),
        ("title: true\n", "true"),
        ("title: .nan\n", ".nan"),
        ("title: 2001-01-01\n", "2001-01-01"),
        ("title:   spaces around   \n", "spaces around"),
        ("\"title\": 'it''s'\n", "it's"),
        ("title: \"a: \\\"b\\\" # c\"\n", "a: \"b\" # c"),
        ("title: 日本語 😀\n", "日本語 😀"),
        ("title: a # comment\n", "a"),
        ("title: folded\n  over lines\n", "folded over lines"),
        ("title: |\n  block\n", "block"),
        ("title: \"<b>&amp;\"\n", "<b>&amp;"),
        ("\u{feff}title: with a mark\r\nhome_threads: 3\r\n", "with a mark"),
        ("%YAML 1.2\n---\ntitle: with a directive\n", "with a directive"),
        ("{title: a flow, home_threads: 3}", "a flow"),
    ] {
        assert_eq!(site(text).map(|site| site.title), Ok(title.to_owned()), "{text:?}");
    }
}

#[test]
fn all_problems_are_told_and_each_at_its_place() {
    let text = "\
titel: x
threads_per_page: 3
home_threads: many
defaults:
  threads-per-page: 5
  title: y
  bump_limit: \"10\"
  theme: night
title: a
title: b
";
    let expected = "\
site.yaml:1:1: unknown setting `titel`
  hint: did you mean `title`?
site.yaml:2:1: unknown setting `threads_per_page`
  hint: it stands below `defaults` in `site.yaml`, or in the `board.yaml` of a board
site.yaml:3:15: `home_threads` must be a number, not the text `many`
  hint: a whole number from 0 to 100
site.yaml:5:3: unknown setting `threads-per-page`
  hint: did you mean `threads_per_page`?
site.yaml:6:3: unknown setting `title`
  hint: each board has its own: it stands in its `board.yaml`
site.yaml:7:15: `bump_limit` must be a number, not the text `10`
  hint: write the number without quotes: `bump_limit: 10`
site.yaml:8:3: unknown setting `theme`
  hint: it stands at the left margin of `site.yaml`
site.yaml:10:1: `title` is set twice
  hint: it stands in line 9 already; remove one of the two
";
    assert_eq!(told(site(text)), expected);
}

#[test]
fn an_unknown_key_is_told_with_a_way_out() {
    let all = "known here: `title`, `description`, `base_url`, `post_url`, `theme`, `locale`, `time_zone`, \
               `home_threads`, `formats`, `overboard_threads`, `precompress`, `cdn_seconds`, `on_change`, `keep_addresses`, `trusted_proxies`, \
               `posts_per_minute`, `threads_per_hour`, `failures_per_minute`, `duplicate_minutes`, \
               `guard_at_posts_per_hour`, `public_log`, `proof_bits`, `dnsbl`, `dnsbl_action`, `dnsbl_server`, `defaults`";
    wrong("Title: x\n", "1:1: unknown setting `Title`", "did you mean `title`?");
    wrong("LOCALE: en\n", "1:1: unknown setting `LOCALE`", "did you mean `locale`?");
    wrong("baseurl: /\n", "1:1: unknown setting `baseurl`", "did you mean `base_url`?");
    wrong("homeThreads: 1\n", "1:1: unknown setting `homeThreads`", "did you mean `home_threads`?");
    wrong("timezone: UTC\n", "1:1: unknown setting `timezone`", "did you mean `time_zone`?");
    wrong("\n\n  plugins: x\n", "3:3: unknown setting `plugins`", all);
    wrong("'': x\n", "1:1: unknown setting ``", all);
    wrong("<<: {title: x}\n", "1:1: unknown setting `<<`", all);
    wrong("7: x\n", "1:1: unknown setting `7`", all);
    wrong("\"a\\e[31m\": x\n", "1:1: unknown setting `a\\u{1b}[31m`", all);
    wrong("? [a]\n: x\n", "1:3: the name of a setting must be a word, not a list", "");
    let long = format!("? {}\n: x\n", "k".repeat(500));
    wrong(&long, &format!("1:3: unknown setting `{}…`", "k".repeat(40)), all);
    let message = told(board("base_url: /\n"));
    assert_eq!(
        message,
        "board.yaml:1:1: unknown setting `base_url`\n  hint: it stands at the left margin of `site.yaml`\n"
    );
}

#[test]
fn a_wrong_type_is_told_with_what_stood_there() {
    let count = "a whole number from 0 to 100";
    let line = "one line of 1 to 200 characters";
    let lines = "write each on a line of its own as `key: value`";
    let below = "write each on a line of its own below it, indented, as `key: value`";
    wrong("home_threads: yes\n", "1:15: `home_threads` must be a number, not the text `yes`", count);
    wrong("home_threads: true\n", "1:15: `home_threads` must be a number, not `true`", count);
    wrong("home_threads: ''\n", "1:15: `home_threads` must be a number, not empty", count);
    wrong("home_threads: [1]\n", "1:15: `home_threads` must be a number, not a list", count);
    wrong("home_threads: {a: 1}\n", "1:15: `home_threads` must be a number, not a mapping", count);
    wrong("home_threads: 1 0\n", "1:15: `home_threads` must be a number, not the text `1 0`", count);
    wrong("title: [a, b]\n", "1:8: `title` must be a text, not a list", line);
    wrong("title:\n  a: b\n", "2:3: `title` must be a text, not a mapping", line);
    wrong("theme: {}\n", "1:8: `theme` must be a text, not a mapping", "1 to 64 of `a-z`, `0-9`, `-` and `_`");
    wrong("- a\n", "1:1: the file must be a mapping of settings, not a list", lines);
    wrong("hello\n", "1:1: the file must be a mapping of settings, not the text `hello`", lines);
    wrong("defaults: 3\n", "1:11: `defaults` must be a mapping of settings, not `3`", below);
    wrong("defaults:\n  - a\n", "2:3: `defaults` must be a mapping of settings, not a list", below);
    let quoted = "write the number without quotes: `home_threads: 5`";
    wrong("home_threads: '5'\n", "1:15: `home_threads` must be a number, not the text `5`", quoted);
}

#[test]
fn a_number_out_of_range_is_told_with_the_range() {
    let cases = [
        ("threads_per_page", "0", "a whole number from 1 to 100"),
        ("threads_per_page", "101", "a whole number from 1 to 100"),
        ("index_pages", "1000001", "a whole number from 0 to 1,000,000"),
        ("replies_previewed", "51", "a whole number from 0 to 50"),
        ("body_chars_max", "0", "a whole number from 1 to 65,536"),
        ("body_chars_max", "65537", "a whole number from 1 to 65,536"),
        ("body_lines_max", "10001", "a whole number from 1 to 10,000"),
        ("subject_chars_max", "1001", "a whole number from 0 to 1,000"),
        ("name_chars_max", "1001", "a whole number from 0 to 1,000"),
        ("quotes_max", "-1", "a whole number from 0 to 1,000"),
        ("bump_limit", "1.5", "a whole number from 0 to 1,000,000"),
        ("reply_limit", "1e3", "a whole number from 0 to 1,000,000"),
        ("reply_limit", "99999999999999999999", "a whole number from 0 to 1,000,000"),
        ("reply_limit", "-99999999999999999999", "a whole number from 0 to 1,000,000"),
    ];
    for (key, value, range) in cases {
        let column = key.len() + 3;
        let expected = format!("board.yaml:1:{column}: `{key}` cannot be `{value}`\n  hint: {range}\n");
        assert_eq!(told(board(&format!("{key}: {value}\n"))), expected);
    }
}

#[test]
fn a_text_that_does_not_fit_is_told() {
    let some = "at least one character; leave the line out for the default";
    let plain = "one line without control characters";
    wrong("title: ''\n", "1:8: `title` cannot be empty", some);
    wrong("title: '  '\n", "1:8: `title` cannot be empty", some);
    wrong("title: |\n  a\n  b\n", r"2:3: `title` cannot be `a\nb`", plain);
    wrong("title: \"\\e[31m\"\n", r"1:8: `title` cannot be `\u{1b}[31m`", plain);
    wrong("title: \"a\\u202eb\"\n", r"1:8: `title` cannot be `a\u{202e}b`", plain);
    let long = format!("title: {}\n", "ü".repeat(201));
    wrong(&long, &format!("1:8: `title` cannot be `{}…`", "ü".repeat(40)), "at most 200 characters");
    let longest = "ü".repeat(200);
    assert_eq!(site(&format!("title: {longest}\n")).map(|site| site.title), Ok(longest));
    let long = format!("description: {}\n", "x".repeat(1_001));
    wrong(&long, &format!("1:14: `description` cannot be `{}…`", "x".repeat(40)), "at most 1,000 characters");
}

#[test]
fn a_theme_is_one_safe_folder() {
    let hint = "the name of a folder under `themes/`: 1 to 64 of `a-z`, `0-9`, `-` and `_`";
    for name in ["..", ".", "a/b", "/etc", "Night", "a b", "nächte", "a.b", &"x".repeat(65)] {
        let told = told(site(&format!("theme: '{name}'\n")));
        assert!(told.ends_with(&format!("  hint: {hint}\n")), "{told}");
    }
    assert_eq!(site("theme: 2\n").map(|site| site.theme), Ok("2".to_owned()));
}

#[test]
fn addresses_have_their_form() {
    let scheme = "a base URL begins with `http://` or `https://`, or is a path such as `/` or `/boards/`";
    wrong("base_url: example.org\n", "1:11: `base_url` cannot be `example.org`", scheme);
    wrong("base_url: http://\n", "1:11: `base_url` cannot be `http://`", "a base URL names a host");

    let begins = "a URL that begins with `http://` or `https://`, or a path that begins with `/`";
    wrong("post_url: post\n", "1:11: `post_url` cannot be `post`", begins);
    wrong("post_url: javascript:alert(1)\n", "1:11: `post_url` cannot be `javascript:alert(1)`", begins);
    let host = "a URL names a host after its scheme, a path begins with one slash";
    for address in ["//evil.example/post", "http://", "https:///post", "http://?x", "https://:80/"] {
        wrong(&format!("post_url: {address}\n"), &format!("1:11: `post_url` cannot be `{address}`"), host);
    }
    let plain = "without spaces, quotes and control characters; write others as `%` and two digits";
    for address in ["/a b", "/a'b", "/a<b", r"/a\b", "/ä", "/a`b"] {
        wrong(&format!("post_url: {address}\n"), &format!("1:11: `post_url` cannot be `{address}`"), plain);
    }
    wrong("post_url: \"/a\\\"b\"\n", "1:11: `post_url` cannot be `/a\"b`", plain);
    for address in ["/", "/post?x=1", "http://localhost:8080/post", "https://[::1]/post", "/p%20q"] {
        let read = site(&format!("post_url: '{address}'\n")).map(|site| site.post_url);
        assert_eq!(read, Ok(Some(address.to_owned())));
    }
}

#[test]
fn a_time_zone_is_told_with_the_nearest() {
    for (typed, hint) in [
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("EUROPE/BERLIN", "did you mean `Europe/Berlin`?"),
        ("Europe/Belin", "did you mean `Europe/Berlin`?"),
        ("Asia/Tokio", "did you mean `Asia/Tokyo`?"),
        ("new york", "did you mean `America/New_York`?"),
        ("utc", "did you mean `UTC`?"),
        ("PST", "a name such as `UTC`, `Europe/Berlin` or `Asia/Tokyo`"),
        ("+02:00", "a name such as `UTC`, `Europe/Berlin` or `Asia/Tokyo`"),
        ("../../etc/passwd", "a name such as `UTC`, `Europe/Berlin` or `Asia/Tokyo`"),
    ] {
        wrong(&format!("time_zone: '{typed}'\n"), &format!("1:12: `time_zone` cannot be `{typed}`"), hint);
    }
}

#[test]
fn a_locale_has_the_form_of_a_language_tag() {
    for tag in ["en", "ja", "pt-BR", "zh-Hant-TW", "de-1996", "gsw"] {
        assert_eq!(site(&format!("locale: {tag}\n")).map(|site| site.locale), Ok(tag.to_owned()));
    }
    for tag in [
        "x",
        "e1",
        "en-",
        "en--us",
        "-en",
        "englishspoken",
        "en US",
        "日本",
        "en-123456789",
        "en-aaaaaaaa-bbbbbbbb-cccccccc-ddddddd",
    ] {
        let message = format!("1:9: `locale` cannot be `{tag}`");
        wrong(
            &format!("locale: '{tag}'\n"),
            &message,
            "a language and perhaps a region, such as `en`, `ja` or `pt-BR`",
        );
    }
    wrong("locale: pt_BR\n", "1:9: `locale` cannot be `pt_BR`", "write it with hyphens: `pt-BR`");
}

#[test]
fn what_is_not_yaml_is_told_at_its_place() {
    let tab = "a tab where YAML takes only spaces";
    let anchor = "anchors and aliases are not for settings";
    let written = "write the value out; what boards share stands below `defaults` in `site.yaml`";
    let one = "a file of settings is one document: remove the `---` or `...` before this";
    wrong("defaults:\n\tbump_limit: 3\n", &format!("2:2: {tab}"), "indent with spaces");
    wrong("title: 1\n\thome_threads: 2\n", &format!("1:8: {tab}"), "indent with spaces");
    wrong("title: Board: the best\n", "1:13: a second `: ` in one line", "a text with `: ` in it stands in quotes");
    wrong("title: a\nfoo\n", "2:1: a line without `:`", "a setting is written `key: value`");
    wrong("title: \"x\n", "1:8: unclosed quote", "");
    let sign = "a text that begins with such a sign stands in quotes";
    wrong("title: @home\n", "1:8: a sign that means something else to YAML", sign);
    wrong("title: \u{1b}[31m\n", "1:8: a control character", "remove it");
    wrong("title: \0\n", "1:8: a control character", "remove it");
    wrong("title: a\n---\ntitle: b\n", "3:1: a second document begins", one);
    wrong("title: a\n...\ntitle: b\n", "3:1: a second document begins", one);
    wrong("title: &a x\ndescription: *a\n", &format!("1:11: {anchor}"), written);
    wrong("title: *a\n", &format!("1:8: {anchor}"), written);
    wrong("title: !!int x\n", "1:14: the value is not what its `!!` tag says", "leave the tag out");
    wrong("title: !python/object x\n", "1:23: unsupported tag `!python/object`", "");
    wrong("title: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}\n", "1:36: the values are nested too deeply", "");
}

#[test]
fn comments_may_stand_anywhere() {
    let comments = "# a\n    # b\n".repeat(500);
    let text = format!("{comments}defaults:\n{comments}  bump_limit: 3 # c\n{comments}title: a\n{comments}");
    let read = site(&text).expect("right");
    assert_eq!((read.title.as_str(), read.defaults.bump_limit), ("a", 3));
    assert_eq!(site(&format!("defaults:\n{comments}title: a\n")).map(|site| site.title), Ok("a".to_owned()));
    assert_eq!(site(&format!("title:\n{comments}  a\n")).map(|site| site.title), Ok("a".to_owned()));
    assert_eq!(site(&format!("{{ title: a,\n{comments} }}")).map(|site| site.title), Ok("a".to_owned()));
}

#[test]
fn a_file_has_a_largest_size() {
    let fits = format!("title: x\n#{}", "x".repeat(settings::SETTINGS_BYTES_MAX - 10));
    assert_eq!(site(&fits).map(|site| site.title), Ok("x".to_owned()));
    let message = told(site(&format!("{fits}x")));
    assert_eq!(message, "site.yaml: the file is too large: 65537 bytes, at most 65536\n");
    assert_eq!(
        told(site(&"x".repeat(10_000_000))),
        "site.yaml: the file is too large: 10000000 bytes, at most 65536\n"
    );
}

/// Whatever stands in a file of the largest size, the answer comes at once.
#[test]
fn the_nastiest_files_are_answered_quickly() {
    let full = |text: &str| text.repeat(settings::SETTINGS_BYTES_MAX / text.len());
    let laughs: String = (1..20).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let rows = (0..6_000).map(|n| format!("key{n}: x\n")).collect::<String>();
    let texts = [
        full("["),
        full("{"),
        full("- "),
        full("? "),
        full("a: "),
        full("a:\n"),
        full("title: x\n"),
        full("#\n"),
        full("\""),
        full("!"),
        full("&a "),
        full("*"),
        full("---\n"),
        full("|\n "),
        full("{a: "),
        full("\u{feff}"),
        full("\t"),
        full("\r"),
        format!("time_zone: {}", "x".repeat(60_000)),
        format!("? {}\n: x", "x".repeat(60_000)),
        format!("a0: &a0 lol\n{laughs}"),
        rows,
    ];
    for text in texts {
        let started = Instant::now();
        let problems = site(&text).err().unwrap_or_default();
        let taken = started.elapsed();
        let start: String = text.chars().take(20).collect();
        assert!(taken < Duration::from_secs(3), "{taken:?} and {} problems for {start:?}", problems.len());
    }
}

#[test]
fn samples_read_back_as_all_defaults() {
    assert_eq!(site(&settings::sample_site("")), Ok(SiteSettings::default()));
    assert_eq!(board(&settings::sample_board("", "")), Ok(BoardSettings::default()));
    let named = site(&settings::sample_site("Neji: \"boards\" # 1")).expect("right");
    assert_eq!(named, SiteSettings { title: "Neji: \"boards\" # 1".to_owned(), ..SiteSettings::default() });
    let named = board(&settings::sample_board("No", "- it's")).expect("right");
    assert_eq!((named.title.as_str(), named.description.as_str()), ("No", "- it's"));
    let long = site(&settings::sample_site(&"x".repeat(300))).expect("right");
    assert_eq!(long.title, format!("{}…", "x".repeat(199)));
}

/// Otherwise a sample would tell a default that is not one, or a line that cannot be used.
#[test]
fn samples_say_the_same_without_their_comment_signs() {
    let bare = |sample: String| -> String {
        let setting = |line: &str| {
            line.split_once('#')
                .filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_lowercase()))
                .map_or(line.to_owned(), |(indent, rest)| format!("{indent}{rest}"))
        };
        sample.lines().map(|line| setting(line) + "\n").collect()
    };
    let site_text = bare(settings::sample_site(""));
    assert_eq!(site(&site_text), Ok(SiteSettings::default()));
    assert!(site_text.contains("\ntime_zone: UTC\n") && site_text.contains("\n  bump_limit: 500\n"), "{site_text}");
    let board_text = bare(settings::sample_board("", ""));
    assert_eq!(board(&board_text), Ok(BoardSettings::default()));
    assert!(board_text.contains("\nbump_limit: 500\n"), "{board_text}");
}

#[test]
fn the_documentation_has_every_setting() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    if env::var_os("NEJIBOARD_WRITE_DOCS").is_some() {
        fs::write(&path, settings::reference()).expect("docs/ can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == settings::reference(),
        "run the tests once with NEJIBOARD_WRITE_DOCS=1 and commit docs/settings.md"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever name a site is given on the command line, its first file is right.
    #[test]
    fn a_sample_takes_any_title(title in ".*|\\PC*|[\u{0}-\u{3000}\u{feff}\u{ffff}\\\\\"#:]*") {
        let shown = one_line(&title, 199).trim().to_owned();
        let of_site = if shown.is_empty() { "nejiboard".to_owned() } else { shown.clone() };
        prop_assert_eq!(site(&settings::sample_site(&title)).map(|site| site.title), Ok(of_site));
        let board = board(&settings::sample_board(&title, &title));
        prop_assert_eq!(board.map(|board| (board.title, board.description)), Ok((shown.clone(), shown)));
    }

    /// Every text has an answer, and what is wrong with it has a place.
    #[test]
    fn no_text_is_too_strange(parts in prop::collection::vec(strange_part(), 0..12)) {
        if let Err(problems) = site(&parts.concat()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.place.is_some_and(|(line, column)| 0 < line && 0 < column), "{problem}");
                prop_assert!(!problem.message.is_empty());
            }
        }
    }
}

fn strange_part() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "title",
        "defaults",
        "bump_limit",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\r\n",
        "\t",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "|",
        ">",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "#",
        " #",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<",
        "~",
        "null",
        "true",
        "1",
        "-1",
        "1e999",
        "0x",
        ".inf",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "\\",
        "😀",
        "ü",
        "`",
        "@",
        "%",
    ]);
    prop_oneof![signs.prop_map(str::to_owned), ".{0,3}"]
}
