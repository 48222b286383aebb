//! A settings text as a small tree that knows where everything stands.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};

use super::SETTINGS_BYTES_MAX;
use crate::model::Problem;

/// A value and its place in the text.
pub(in crate::store) struct Node<'t> {
    /// Line and column, counted from 1.
    pub place: (usize, usize),
    /// The value as it is written, quotes and all; nothing for lists and mappings.
    pub source: &'t str,
    /// What it says.
    pub value: Value<'t>,
}

/// What a value says.
pub(in crate::store) enum Value<'t> {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number; `None` if it is negative, broken or too large.
    Number(Option<usize>),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node<'t>>),
    /// A mapping, in the order of the text and with every repetition.
    Map(Vec<(Node<'t>, Node<'t>)>),
}

/// The one document of `text`. A text without any is [`Value::Null`].
pub(in crate::store) fn parse<'t>(path: &Path, text: &'t str) -> Result<Node<'t>, Problem> {
    if SETTINGS_BYTES_MAX < text.len() {
        let message = format!("the file is too large: {} bytes, at most {SETTINGS_BYTES_MAX}", text.len());
        return Err(Problem::new(path, message));
    }
    let options = serde_saphyr::options! {
        // Repeated keys come through, so that they are told like every other problem, with all the others.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        // `yes` and `off` are words here: a name can be `No`.
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
        // SECURITY: without anchors nothing can grow beyond the text; depth bounds the recursion below. Comments are
        // bounded by the size of the file.
        budget: serde_saphyr::budget! {
            max_depth: 8,
            max_anchors: 0,
            max_aliases: 0,
            max_buffered_comment_events: SETTINGS_BYTES_MAX,
        },
    };
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| told(path, &error))?;
    Ok(placed(text, raw))
}

/// A value as the parser hands it on.
enum Raw {
    Null,
    Bool,
    Number(Option<usize>),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Bool)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.try_into().ok()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.try_into().ok()))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number(None))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

fn placed(text: &str, raw: Spanned<Raw>) -> Node<'_> {
    let place = (raw.referenced.line() as usize, raw.referenced.column() as usize);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool => Value::Bool,
        Raw::Number(number) => Value::Number(number),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| placed(text, item)).collect()),
        Raw::Map(entries) => {
            let placed_pair = |(key, value)| (placed(text, key), placed(text, value));
            Value::Map(entries.into_iter().map(placed_pair).collect())
        }
    };
    let span = raw.referenced.span();
    let from = span.byte_offset().unwrap_or(0) as usize;
    let bytes = span.byte_len().unwrap_or(0) as usize;
    Node { place, source: text.get(from..from + bytes).unwrap_or_default(), value }
}

/// What the parser found wrong, in our words where it is common.
fn told(path: &Path, error: &Error) -> Problem {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1) as usize, at.column().max(1) as usize));
    let whole = error.to_string();
    let said = whole.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&whole);
    let (message, hint) = by_kind(error).or_else(|| by_words(said)).unwrap_or((said, ""));
    let problem = Problem::new(path, message).at(line, column);
    if hint.is_empty() { problem } else { problem.hint(hint) }
}

type Words = (&'static str, &'static str);

const NO_ANCHORS: Words = (
    "anchors and aliases are not for settings",
    "write the value out; what boards share stands below `defaults` in `site.yaml`",
);

fn by_kind(error: &Error) -> Option<Words> {
    Some(match error {
        Error::MultipleDocuments { .. } => {
            ("a second document begins", "a file of settings is one document: remove the `---` or `...` before this")
        }
        Error::UnknownAnchor { .. } => NO_ANCHORS,
        Error::Budget { breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }, .. } => NO_ANCHORS,
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => ("the values are nested too deeply", ""),
        Error::Budget { .. } => ("there is too much in this file", ""),
        Error::InvalidScalar { .. } => ("the value is not what its `!!` tag says", "leave the tag out"),
        _ => return None,
    })
}

/// The parser has no kinds for these, only sentences.
fn by_words(said: &str) -> Option<Words> {
    Some(match said {
        _ if said.starts_with("tab") || said.ends_with("found a tab") => {
            ("a tab where YAML takes only spaces", "indent with spaces")
        }
        _ if said.starts_with("mapping values are not allowed") => {
            ("a second `: ` in one line", "a text with `: ` in it stands in quotes")
        }
        _ if said.starts_with("simple key expected") => ("a line without `:`", "a setting is written `key: value`"),
        _ if said.starts_with("unexpected character: `\\u") => ("a control character", "remove it"),
        _ if said.starts_with("unexpected character") => {
            ("a sign that means something else to YAML", "a text that begins with such a sign stands in quotes")
        }
        _ => return None,
    })
}
