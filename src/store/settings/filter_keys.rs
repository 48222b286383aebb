//! `content/filters.yaml`: what each filter can say, and a list of them from a text.

use std::path::Path;

use super::keys::{Form, Key, Kind, List};
use super::read::{Reader, found};
use super::yaml::{self, Node, Value};
use crate::model::{BoardSlug, Problem};

/// The most filters in a file.
const FILTERS_MAX: usize = 500;

/// Characters in a text or pattern.
const PATTERN_CHARS_MAX: usize = 1_000;

/// Characters in a replacement: what one post can grow to is bounded by its board all the same.
const WITH_CHARS_MAX: usize = 200;

/// Hours of a ban, ten years at most.
const HOURS_MAX: usize = 87_600;

/// What a filter looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// The text.
    Body,
    /// The name, without its key.
    Name,
    /// The subject.
    Subject,
}

impl Field {
    const NAMED: [(&'static str, Field); 3] =
        [("body", Field::Body), ("name", Field::Name), ("subject", Field::Subject)];
}

/// What a filter does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Action {
    /// The post is refused.
    #[default]
    Reject,
    /// Somebody looks at the post first.
    Hold,
    /// What was found is replaced.
    Replace,
    /// The post is refused, and its sender may not post for a time.
    Ban,
}

impl Action {
    const NAMED: [(&'static str, Action); 4] =
        [("reject", Action::Reject), ("hold", Action::Hold), ("replace", Action::Replace), ("ban", Action::Ban)];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        Action::NAMED.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

/// A filter as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct FilterDraft {
    /// A text that is looked for as it is; empty if there is a pattern.
    pub text: String,
    /// A pattern; empty if there is a text.
    pub regex: String,
    /// Where it is looked for.
    pub fields: Vec<Field>,
    /// What is done.
    pub action: Action,
    /// What is put in its place.
    pub with: String,
    /// The reason, which the poster and the log are told.
    pub why: String,
    /// The board on which it holds; `None` for all.
    pub board: Option<BoardSlug>,
    /// Hours of a ban.
    pub hours: usize,
    /// Where it stands in the file.
    pub place: (usize, usize),
}

impl Default for FilterDraft {
    fn default() -> FilterDraft {
        FilterDraft {
            text: String::new(),
            regex: String::new(),
            fields: Field::NAMED.map(|(_, field)| field).to_vec(),
            action: Action::default(),
            with: String::new(),
            why: String::new(),
            board: None,
            hours: 24,
            place: (1, 1),
        }
    }
}

/// What stands in a filter.
pub(super) static FILTER: [Key<FilterDraft>; 8] = [
    Key {
        name: "match",
        doc: "A text that is looked for, in whatever disguise.",
        kind: Kind::Text(1..=PATTERN_CHARS_MAX, |filter| &mut filter.text),
    },
    Key {
        name: "regex",
        doc: "Instead of that a regular expression, for capitals and small letters alike.",
        kind: Kind::Text(1..=PATTERN_CHARS_MAX, |filter| &mut filter.regex),
    },
    Key {
        name: "in",
        doc: "Where it is looked for.",
        kind: Kind::List(List {
            expected: "a list of `body`, `name` and `subject`",
            set: |filter, texts| fields(texts).map(|fields| filter.fields = fields),
            get: |filter| {
                let named = Field::NAMED.iter().filter(|(_, field)| filter.fields.contains(field));
                named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            },
        }),
    },
    Key {
        name: "action",
        doc: "What becomes of the post: `reject` refuses it, `hold` has somebody look at it first, `replace` puts `with` in the place of what was found, `ban` refuses it and keeps its sender out.",
        kind: Kind::Form(Form {
            expected: "`reject`, `hold`, `replace` or `ban`",
            set: |filter, text| action(text).map(|action| filter.action = action),
            get: |filter| filter.action.name().to_owned(),
        }),
    },
    Key {
        name: "with",
        doc: "What `replace` puts there; nothing if it is not given.",
        kind: Kind::Text(0..=WITH_CHARS_MAX, |filter| &mut filter.with),
    },
    Key {
        name: "why",
        doc: "The reason, which the poster is told.",
        kind: Kind::Text(0..=PATTERN_CHARS_MAX, |filter| &mut filter.why),
    },
    Key {
        name: "board",
        doc: "The board on which it holds; all if it is not given.",
        kind: Kind::Form(Form {
            expected: "the name of a board",
            set: |filter, text| {
                BoardSlug::parse(text).map(|slug| filter.board = Some(slug)).map_err(|error| error.to_string())
            },
            get: |filter| filter.board.as_ref().map_or(String::new(), ToString::to_string),
        }),
    },
    Key { name: "hours", doc: "How long a `ban` holds.", kind: Kind::Count(1..=HOURS_MAX, |filter| &mut filter.hours) },
];

fn fields(texts: &[String]) -> Result<Vec<Field>, String> {
    let field = |text: &String| {
        let named = Field::NAMED.iter().find(|(name, _)| name == text);
        named.map(|(_, field)| *field).ok_or_else(|| "some of `body`, `name` and `subject`".to_owned())
    };
    match texts.is_empty() {
        true => Err("at least one of `body`, `name` and `subject`".to_owned()),
        false => texts.iter().map(field).collect(),
    }
}

fn action(text: &str) -> Result<Action, String> {
    let named = Action::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, action)| *action).ok_or_else(|| "`reject`, `hold`, `replace` or `ban`".to_owned())
}

/// Reads the text of `filters.yaml`. `path` is only for messages. All problems are collected, not just the first.
pub fn read_filters(path: &Path, text: &str) -> Result<Vec<FilterDraft>, Vec<Problem>> {
    let root = yaml::parse(path, text).map_err(|problem| vec![problem])?;
    let mut reader = Reader { path, problems: Vec::new() };
    let mut filters = Vec::new();
    match &root.value {
        Value::Null => {}
        Value::List(items) => {
            if FILTERS_MAX < items.len() {
                reader.tell(&root, format!("there are {} filters, at most {FILTERS_MAX}", items.len()), None);
            }
            for item in items.iter().take(FILTERS_MAX) {
                filters.push(filter(item, &mut reader));
            }
        }
        _ => {
            let hint = "write each as `- match: text`, and what else it has on lines below, indented".to_owned();
            reader.tell(&root, format!("the file must be a list of filters, not {}", found(&root)), Some(hint));
        }
    }
    match reader.problems.is_empty() {
        true => Ok(filters),
        false => Err(reader.problems),
    }
}

fn filter(node: &Node, reader: &mut Reader) -> FilterDraft {
    let mut filter = FilterDraft { place: node.place, ..FilterDraft::default() };
    let before = reader.problems.len();
    if !matches!(node.value, Value::Map(_)) {
        let hint = Some("write it as `- match: text`".to_owned());
        reader.tell(node, format!("a filter must be a mapping, not {}", found(node)), hint);
        return filter;
    }
    reader.mapping(Some("filters"), node, &FILTER, &mut filter);
    if before < reader.problems.len() {
        return filter;
    }
    let defaults = FilterDraft::default();
    let wrong = match (&filter.text, &filter.regex) {
        (text, regex) if text.is_empty() == regex.is_empty() => "a filter has a `match` or a `regex`, and not both",
        _ if filter.action != Action::Replace && !filter.with.is_empty() => "`with` is for `action: replace` alone",
        _ if filter.action != Action::Ban && filter.hours != defaults.hours => "`hours` is for `action: ban` alone",
        _ => return filter,
    };
    reader.tell(node, wrong.to_owned(), None);
    filter
}
