//! A JSON value read as whatever it is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::PostNo;

/// The value of a field whose type differs from one archive to the other.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Loose {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of so many items.
    List(u64),
    /// An object.
    Object,
}

impl Loose {
    /// A whole number, written as such or as text.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Loose::Whole(number) => Some(*number),
            Loose::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The number of a post.
    pub fn post_no(&self) -> Option<PostNo> {
        PostNo::new(u64::try_from(self.whole()?).ok()?)
    }

    /// The text; empty if it is none.
    pub fn text(&self) -> &str {
        match self {
            Loose::Text(text) => text,
            _ => "",
        }
    }

    /// Whether it says yes: `true`, `1`, `"1"`.
    pub fn is_on(&self) -> bool {
        match self {
            Loose::Bool(on) => *on,
            Loose::Text(text) if text == "true" => true,
            other => other.whole().is_some_and(|number| number != 0),
        }
    }

    /// The items of a list.
    pub fn items(&self) -> u64 {
        match self {
            Loose::List(items) => *items,
            _ => 0,
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loose::Absent => f.write_str("(none)"),
            Loose::Bool(on) => on.fmt(f),
            Loose::Whole(number) => number.fmt(f),
            Loose::Number(number) => number.fmt(f),
            Loose::Text(text) => write!(f, "`{}`", text.chars().take(40).collect::<String>()),
            Loose::List(_) => f.write_str("(a list)"),
            Loose::Object => f.write_str("(an object)"),
        }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(AsItIs)
    }
}

struct AsItIs;

impl<'de> Visitor<'de> for AsItIs {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Absent)
    }

    fn visit_bool<E>(self, on: bool) -> Result<Loose, E> {
        Ok(Loose::Bool(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(i64::try_from(number).map_or(Loose::Number(number as f64), Loose::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Loose::List(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Loose, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Object)
    }
}
