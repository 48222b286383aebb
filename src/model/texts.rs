//! The texts of a theme in one language: what its pages say that nobody typed.
//!
//! A text has a key. Some are counted: they have a form for one and a form for others. In braces stand the names of
//! values that are put in, such as `{n} replies`.

use std::collections::{BTreeMap, BTreeSet};

use super::nearest::nearest;

/// All texts, by their keys.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Texts(BTreeMap<String, Text>);

/// What one key says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    /// The same for any number.
    Plain(Phrase),
    /// Depends on the value [`COUNT`].
    Counted {
        /// For 1; `None` where a language says nothing else for it.
        one: Option<Phrase>,
        /// For all others.
        other: Phrase,
    },
}

/// The name of the value that chooses the form of a counted text.
pub const COUNT: &str = "n";

/// One line with places for values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phrase {
    source: String,
    pieces: Vec<Piece>,
}

/// A part of a phrase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// As it is.
    Words(String),
    /// A value of this name.
    Value(String),
}

/// Why a line is no phrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPhrase {
    /// A line break or another control character.
    #[error("a text is one line without control characters")]
    Control,
    /// A brace that belongs to no name of a value.
    #[error("braces stand around the name of a value, such as `{{n}}`, and nowhere else")]
    Brace,
}

impl Phrase {
    /// Reads one line.
    pub fn parse(source: &str) -> Result<Phrase, BadPhrase> {
        if source.chars().any(char::is_control) {
            return Err(BadPhrase::Control);
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (words, from) = rest.split_at(at);
            let (name, behind) =
                from.strip_prefix('{').and_then(|inside| inside.split_once('}')).ok_or(BadPhrase::Brace)?;
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                return Err(BadPhrase::Brace);
            }
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            pieces.push(Piece::Value(name.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Phrase { source: source.to_owned(), pieces })
    }

    /// The line as it was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its parts in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The names of the values that it takes.
    pub fn values(&self) -> BTreeSet<&str> {
        self.pieces.iter().filter_map(Piece::value).collect()
    }

    /// The line with values put in. A value that is not given stays a name in braces.
    pub fn fill(&self, values: &[(&str, &str)]) -> String {
        let mut out = String::with_capacity(self.source.len() + 16);
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Value(name) => match values.iter().find(|(given, _)| given == name) {
                    Some((_, value)) => out.push_str(value),
                    None => out.extend(["{", name, "}"]),
                },
            }
        }
        out
    }
}

impl Piece {
    fn value(&self) -> Option<&str> {
        match self {
            Piece::Value(name) => Some(name),
            Piece::Words(_) => None,
        }
    }
}

impl Text {
    /// The form for any number but 1.
    pub fn other(&self) -> &Phrase {
        match self {
            Text::Plain(phrase) | Text::Counted { other: phrase, .. } => phrase,
        }
    }

    /// The form for 1.
    pub fn one(&self) -> &Phrase {
        match self {
            Text::Counted { one: Some(phrase), .. } => phrase,
            _ => self.other(),
        }
    }

    /// Whether there is a choice of forms.
    pub fn is_counted(&self) -> bool {
        matches!(self, Text::Counted { .. })
    }
}

impl Texts {
    /// What a key says.
    pub fn get(&self, key: &str) -> Option<&Text> {
        self.0.get(key)
    }

    /// Sets what a key says.
    pub fn set(&mut self, key: &str, text: Text) {
        self.0.insert(key.to_owned(), text);
    }

    /// All keys with what they say, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.0.iter().map(|(key, text)| (key.as_str(), text))
    }

    /// What the key says, with values put in. A key that there is not says itself.
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.get(key).map_or_else(|| key.to_owned(), |text| text.other().fill(values))
    }

    /// The key that is closest to `typed`, if any is close.
    pub fn nearest(&self, typed: &str) -> Option<&str> {
        nearest(typed, self.0.keys().map(String::as_str))
    }
}
