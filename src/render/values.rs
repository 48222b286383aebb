//! The values of a page as compiled templates read them: straight from its view. Handlebars needs a copy of them as
//! JSON, which takes longer to make than the page to draw.

use super::views::*;

/// The name of a field, as a number, so that looking one up compares no text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(u128);

impl Name {
    /// A name of a template; `None` if it is too long to be that of a field.
    pub const fn parse(text: &str) -> Option<Name> {
        let bytes = text.as_bytes();
        if size_of::<u128>() < bytes.len() {
            return None;
        }
        let (mut packed, mut at) = (0, 0);
        while at < bytes.len() {
            if bytes[at] == 0 {
                // It would be the same as none.
                return None;
            }
            packed = packed << 8 | bytes[at] as u128;
            at += 1;
        }
        Some(Name(packed))
    }
}

/// A value.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Text, which is escaped.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Where drawn posts stand.
    Slot(Slot),
    /// Values of the same kind.
    List(&'a dyn List),
    /// Values with names.
    Record(&'a dyn Record),
}

impl Value<'_> {
    /// Whether handlebars takes it for a yes.
    pub fn truthy(self) -> bool {
        match self {
            Value::Text(text) => !text.is_empty(),
            Value::Number(number) => number != 0,
            Value::Flag(on) => on,
            Value::List(list) => !list.is_empty(),
            Value::Slot(_) | Value::Record(_) => true,
        }
    }
}

/// Values of the same kind.
pub trait List {
    /// The value at a place; `None` behind the last one.
    fn at(&self, place: usize) -> Option<Value<'_>>;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.at(0).is_none()
    }
}

/// Values with names.
pub trait Record {
    /// The field of this name.
    fn get(&self, name: Name) -> Option<Value<'_>>;
}

/// What a field can hold.
trait Field {
    fn value(&self) -> Value<'_>;
}

impl Field for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for bool {
    fn value(&self) -> Value<'_> {
        Value::Flag(*self)
    }
}

impl Field for Slot {
    fn value(&self) -> Value<'_> {
        Value::Slot(*self)
    }
}

impl<T: Record> Field for Vec<T> {
    fn value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<T: Record> Field for &[T] {
    fn value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<T: Record> List for Vec<T> {
    fn at(&self, place: usize) -> Option<Value<'_>> {
        Some(Value::Record(self.get(place)?))
    }
}

impl<T: Record> List for &[T] {
    fn at(&self, place: usize) -> Option<Value<'_>> {
        Some(Value::Record(self.get(place)?))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Field for $number {
            fn value(&self) -> Value<'_> {
                Value::Number(*self as u64)
            }
        })*
    };
}

numbers!(u16, u32, u64, usize);

/// Lists the fields of a view, and behind `over` the view that lends it all of its own.
macro_rules! record {
    ($view:ty: $($field:ident)* $(, over $base:ident)?) => {
        impl Record for $view {
            fn get(&self, name: Name) -> Option<Value<'_>> {
                // The compiler tells if one is missing.
                let Self { $($field,)* $($base,)? } = self;
                $(if name == const { Name::parse(stringify!($field)).expect("the names of fields are short") } {
                    return Some($field.value());
                })*
                None$(.or_else(|| $base.get(name)))?
            }
        }

        impl Field for $view {
            fn value(&self) -> Value<'_> {
                Value::Record(self)
            }
        }
    };
}

record!(Frame<'_>: site boards more_boards page);
record!(SiteView: title description prefix home overboard_href origin locale dir log generator);
record!(BoardLink: slug title href current);
record!(PageView: kind title description url og_type feed_href json_href);
record!(HomeView<'_>: board_stats threads_total posts_total latest, over frame);
record!(BoardStats: slug title description href catalog_href threads posts iso time);
record!(ThreadRow: board no href title teaser replies tail_href tail_posts sticky locked archived iso time);
record!(BoardView: slug title description href catalog_href archive_href);
record!(IndexView<'_>: board threads pages prev_href next_href form, over frame);
record!(OverboardView<'_>: threads pages prev_href next_href, over frame);
record!(PageLink: number href current);
record!(ThreadPreview: board no href title sticky locked archived replies omitted tail_href tail_posts posts);
record!(ThreadView<'_>: board no href title sticky locked archived replies tail_href tail_posts posts form, over frame);
record!(TailView<'_>: opening omitted, over thread);
record!(CatalogView<'_>: board threads form, over frame);
record!(ArchiveView<'_>: board parts threads, over frame);
record!(ArchivePart: from to href threads current);
record!(
    FormView: action board thread has_name has_subject name_max subject_max body_max anonymous_name name options subject
        body nonce
);
record!(RefusedView<'_>: status heading message has_form form, over frame);
record!(MovedView<'_>: board target target_board target_no href refresh, over frame);
record!(LogView<'_>: acts, over frame);
record!(LoggedRow: iso time what board posts to why undone);
record!(SafeView<'_>: heading message href refresh, over frame);
