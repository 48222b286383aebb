//! The settings in words: commented samples and the reference.

use super::filter_keys;
use super::keys::{self, Key, Kind};
use crate::model::summary::one_line;

/// The `site.yaml` of a new site: every setting with its default, commented out, below the given title.
pub fn sample_site(title: &str) -> String {
    let mut out = SITE_HEAD.to_owned();
    for key in &keys::SITE {
        let given = if key.name == "title" { title } else { "" };
        entry(&mut out, "", key, given);
        if let Kind::Defaults(_) = key.kind {
            keys::shared().iter().for_each(|key| entry(&mut out, "  ", key, ""));
        }
    }
    out
}

/// The `board.yaml` of a new board: every setting with its default, commented out, below the given two.
pub fn sample_board(title: &str, description: &str) -> String {
    let mut out = BOARD_HEAD.to_owned();
    for key in &keys::BOARD {
        let given = match key.name {
            "title" => title,
            "description" => description,
            _ => "",
        };
        entry(&mut out, "", key, given);
    }
    out
}

const SITE_HEAD: &str = "# Every setting with its default. Remove the `#` in front of one to change it.\n";

const BOARD_HEAD: &str = "\
# Every setting with its built-in default, which `defaults` in `site.yaml` may replace for all boards. Remove the `#` in
# front of one to change it for this board.
";

/// One setting with its documentation; commented out unless a value is given.
fn entry<S: Default>(out: &mut String, indent: &str, key: &Key<S>, given: &str) {
    let given = match &key.kind {
        Kind::Text(lengths, _) if *lengths.end() < given.chars().count() => one_line(given, lengths.end() - 1),
        Kind::Text(lengths, _) => one_line(given, *lengths.end()),
        _ => String::new(),
    };
    let line = match (&key.kind, given.trim()) {
        // Stays, so that the settings below it need only lose their `#`.
        (Kind::Defaults(_), _) => format!("{}:", key.name),
        (_, "") => format!("#{}: {}", key.name, key.default_text()),
        (_, given) => format!("{}: {}", key.name, quoted(given)),
    };
    let doc = format!("\n{indent}# {}\n{indent}{}\n", key.doc, line.trim_end());
    out.push_str(&doc);
}

/// A JSON string, which is YAML too if what YAML does not take as it is gets escaped.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            _ => out.push(c),
        }
    }
    out
}

/// The page that documents all settings, in Markdown.
pub fn reference() -> String {
    let mut out = REFERENCE_HEAD.to_owned();
    table(&mut out, &keys::SITE);
    out.push_str(REFERENCE_BOARD);
    table(&mut out, &keys::BOARD);
    out.push_str(REFERENCE_THEME);
    table(&mut out, &keys::THEME);
    out.push_str(REFERENCE_FILTERS);
    table(&mut out, &filter_keys::FILTER);
    out
}

const REFERENCE_HEAD: &str = "\
# Settings

Settings are YAML files of lines `key: value`. Every setting has a default; one that is left out, or has nothing
after its colon, keeps it. A key that is not known, a value out of range or a key that stands twice is an error that
names the place and the way out. Anchors, aliases and a second document are refused, and so is a file above 64 KB.

## `content/site.yaml`

";

const REFERENCE_BOARD: &str = "
## `content/<board>/board.yaml`

All of these except `title` and `description` can stand below `defaults` in `site.yaml` too, for boards that say nothing
else.

";

const REFERENCE_THEME: &str = "
## `themes/<name>/theme.yaml`

";

const REFERENCE_FILTERS: &str = "
## `content/filters.yaml`

A list of filters, at most 500; each is a mapping of these. [Moderation](moderation.md#filters) tells what they do.

";

fn table<S: Default>(out: &mut String, keys: &[Key<S>]) {
    out.push_str("| setting | takes | default | what it is |\n|---|---|---|---|\n");
    for key in keys {
        let default = match key.default_text() {
            text if text.is_empty() => "nothing".to_owned(),
            text => format!("`{text}`"),
        };
        let row = format!("| `{}` | {} | {default} | {} |\n", key.name, key.expected(), key.doc);
        out.push_str(&row);
    }
}
