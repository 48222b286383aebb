//! Holds what a file says against the table of keys.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

use super::keys::{self, Key, Kind};
use super::yaml::{self, Node, Value};
use crate::model::Problem;
use crate::model::nearest::nearest;
use crate::model::problem::is_bidi_control;

/// Reads `text` over `settings`, or tells everything that is wrong with it.
pub(super) fn file<S>(path: &Path, text: &str, keys: &'static [Key<S>], mut settings: S) -> Result<S, Vec<Problem>> {
    let root = yaml::parse(path, text).map_err(|problem| vec![problem])?;
    let mut reader = Reader { path, problems: Vec::new() };
    reader.mapping(None, &root, keys, &mut settings);
    match reader.problems.is_empty() {
        true => Ok(settings),
        false => Err(reader.problems),
    }
}

/// How much of what stands in the file a message repeats.
const FOUND_CHARS_MAX: usize = 40;

pub(super) struct Reader<'p> {
    pub path: &'p Path,
    pub problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn tell(&mut self, node: &Node, message: String, hint: Option<String>) {
        let problem = Problem::new(self.path, message).at(node.place.0, node.place.1);
        self.problems.push(Problem { hint, ..problem });
    }

    /// Reads the mapping `node` into `settings`. `section` is the key it stands below, `None` for the whole file.
    pub(super) fn mapping<S>(
        &mut self,
        section: Option<&'static str>,
        node: &Node,
        keys: &'static [Key<S>],
        settings: &mut S,
    ) {
        let entries = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => return,
            _ => return self.not_a_mapping(section, node),
        };
        let mut lines = HashMap::new();
        for (name, value) in entries {
            let Some(key) = keys.iter().find(|key| key.name == name_of(name)) else {
                self.unknown(section, name, keys);
                continue;
            };
            if let Some(first) = lines.insert(key.name, name.place.0) {
                let hint = format!("it stands in line {first} already; remove one of the two");
                self.tell(name, format!("`{}` is set twice", key.name), Some(hint));
            }
            self.setting(key, value, settings);
        }
    }

    fn not_a_mapping(&mut self, section: Option<&str>, node: &Node) {
        let whole = section.map_or("the file".to_owned(), |name| format!("`{name}`"));
        let below = section.map_or("", |_| " below it, indented,");
        let hint = format!("write each on a line of its own{below} as `key: value`");
        self.tell(node, format!("{whole} must be a mapping of settings, not {}", found(node)), Some(hint));
    }

    fn unknown<S>(&mut self, section: Option<&str>, name: &Node, keys: &[Key<S>]) {
        if let Value::List(_) | Value::Map(_) = name.value {
            return self.tell(name, format!("the name of a setting must be a word, not {}", found(name)), None);
        }
        let typed = name_of(name);
        self.tell(name, format!("unknown setting `{}`", shown(typed)), Some(way_out(section, typed, keys)));
    }

    fn setting<S>(&mut self, key: &Key<S>, node: &Node, settings: &mut S) {
        // A key without a value is as good as one that is commented out.
        if let Value::Null = node.value {
            return;
        }
        let outcome = match &key.kind {
            Kind::Text(chars, field) => {
                text(node).and_then(|text| line(&text, chars)).map(|text| *field(settings) = text)
            }
            Kind::Count(range, field) => count(node, range).map(|number| *field(settings) = number),
            Kind::Form(form) => text(node).and_then(|text| (form.set)(settings, &text).map_err(Fault::Value)),
            Kind::List(list) => items(node).and_then(|items| (list.set)(settings, &items).map_err(Fault::Value)),
            Kind::Defaults(field) => return self.mapping(Some(key.name), node, keys::shared(), field(settings)),
        };
        match outcome {
            Ok(()) => {}
            Err(Fault::Type(expected)) => {
                let message = format!("`{}` must be {expected}, not {}", key.name, found(node));
                self.tell(node, message, unquoted(key, node));
            }
            Err(Fault::Value(hint)) => {
                self.tell(node, format!("`{}` cannot be {}", key.name, value_of(node)), Some(hint));
            }
        }
    }
}

/// What is wrong with a value.
enum Fault {
    /// It is of another type than this.
    Type(&'static str),
    /// It is of the right type, and this would be right.
    Value(String),
}

/// The value as text. What YAML takes for a number or a truth value is text all the same where a text is wanted, just
/// as it is written: `title: 2024` or `anonymous_name: No`.
fn text(node: &Node) -> Result<String, Fault> {
    match &node.value {
        Value::Text(text) => Ok(text.trim().to_owned()),
        Value::Number(_) | Value::Bool => Ok(node.source.trim().to_owned()),
        Value::Null | Value::List(_) | Value::Map(_) => Err(Fault::Type("a text")),
    }
}

/// The texts of a list; one alone is a list as well.
fn items(node: &Node) -> Result<Vec<String>, Fault> {
    match &node.value {
        Value::List(items) => {
            items.iter().map(text).collect::<Result<_, _>>().map_err(|_| Fault::Type("a list of texts"))
        }
        _ => text(node).map(|text| vec![text]).map_err(|_| Fault::Type("a list of texts")),
    }
}

fn line(text: &str, chars: &RangeInclusive<usize>) -> Result<String, Fault> {
    if text.chars().any(|c| c.is_control() || is_bidi_control(c)) {
        return Err(Fault::Value("one line without control characters".to_owned()));
    }
    match chars.contains(&text.chars().count()) {
        true => Ok(text.to_owned()),
        false if text.is_empty() => {
            Err(Fault::Value("at least one character; leave the line out for the default".to_owned()))
        }
        false => Err(Fault::Value(format!("at most {} characters", keys::grouped(*chars.end())))),
    }
}

fn count(node: &Node, range: &RangeInclusive<usize>) -> Result<usize, Fault> {
    match node.value {
        Value::Number(Some(number)) if range.contains(&number) => Ok(number),
        Value::Number(_) => Err(Fault::Value(keys::range_in_words(range))),
        _ => Err(Fault::Type("a number")),
    }
}

/// A hint for a number in quotes; for everything else what the key takes.
fn unquoted<S>(key: &Key<S>, node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) if text.parse::<usize>().is_ok() => {
            Some(format!("write the number without quotes: `{}: {text}`", key.name))
        }
        _ => Some(key.expected()),
    }
}

/// What stands at `node`, for a message.
pub(super) fn found(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool | Value::Number(_) => format!("`{}`", shown(node.source)),
        Value::Text(text) if text.trim().is_empty() => "empty".to_owned(),
        Value::Text(text) => format!("the text `{}`", shown(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}

/// The scalar at `node`, for a message about a value of the right type.
fn value_of(node: &Node) -> String {
    match &node.value {
        Value::Text(text) if !text.trim().is_empty() => format!("`{}`", shown(text.trim())),
        _ => found(node),
    }
}

/// The beginning of `text`. What a terminal would obey is escaped when the problem is printed.
fn shown(text: &str) -> String {
    match text.char_indices().nth(FOUND_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The key as it is written, quotes or not.
fn name_of<'n>(node: &'n Node) -> &'n str {
    match &node.value {
        Value::Text(name) => name,
        _ => node.source,
    }
}

/// Where a key belongs that is not one of `keys`, or which of them it may have been meant to be.
fn way_out<S>(section: Option<&str>, typed: &str, keys: &[Key<S>]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    if let Some(place) = belongs(typed, section) {
        return place.to_owned();
    }
    match nearest(typed, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("known here: {}", quoted.join(", "))
        }
    }
}

/// Where a setting stands that is known, but not here.
fn belongs(typed: &str, section: Option<&str>) -> Option<&'static str> {
    let shared = keys::shared().iter().any(|key| key.name == typed);
    let of_site = keys::SITE.iter().any(|key| key.name == typed);
    let of_board = keys::BOARD.iter().any(|key| key.name == typed);
    match section {
        None if shared => Some("it stands below `defaults` in `site.yaml`, or in the `board.yaml` of a board"),
        Some(_) if of_board => Some("each board has its own: it stands in its `board.yaml`"),
        _ if of_site => Some("it stands at the left margin of `site.yaml`"),
        _ => None,
    }
}
