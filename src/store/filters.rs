//! Filters: texts and patterns that posts may not hold, from `content/filters.yaml`.
//!
//! A field is looked at as it came and without disguise. The time that takes grows with the field and the number of
//! filters and with nothing else, whatever the patterns are.

use std::path::Path;

use regex::{NoExpand, Regex, RegexBuilder};

use super::settings::{Action, Field, FilterDraft, read_filters};
use crate::disk;
use crate::model::likeness::{Unmasked, folded};
use crate::model::{Problem, Submission};

/// Bytes that a pattern may take once it is compiled.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Characters of a filter's text by which it is named.
const NAME_CHARS_MAX: usize = 40;

/// All filters, in the order of the file.
#[derive(Default, Debug)]
pub struct Filters(Vec<Filter>);

#[derive(Debug)]
struct Filter {
    draft: FilterDraft,
    regex: Regex,
    /// Whether it was given as a text, which has no disguise itself.
    is_text: bool,
    name: String,
}

/// What filters say of a post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// Nothing against it.
    Pass,
    /// Somebody should look at it first.
    Hold(String),
    /// It is refused for this reason.
    Reject(String),
    /// Likewise, and its sender is kept out for so many hours.
    Ban(String, u32),
}

impl Filters {
    /// Reads the file at `path`; none is no filters.
    pub fn read(path: &Path) -> Result<Filters, Vec<Problem>> {
        let bytes = match disk::read(path) {
            Err(error) if error.is_absent() => return Ok(Filters::default()),
            Err(error) => return Err(vec![Problem::new(path, error.to_string())]),
            Ok(bytes) => bytes,
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| vec![Problem::new(path, "this file is not UTF-8")])?;
        Filters::parse(path, text)
    }

    /// Reads the text of the file. `path` is only for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Filters, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut filters = Vec::new();
        for draft in read_filters(path, text)? {
            match Filter::of(draft, filters.len() + 1) {
                Ok(filter) => filters.push(filter),
                Err((place, message)) => {
                    let hint = "see the syntax of the `regex` package: it has no look-around and no back-references";
                    problems.push(Problem::new(path, message).at(place.0, place.1).hint(hint));
                }
            }
        }
        if problems.is_empty() { Ok(Filters(filters)) } else { Err(problems) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Holds a post against all filters, in their order, and replaces what some of them want replaced. The first that refuses
    /// it decides. `hit` hears of each that found something, by its name.
    pub fn apply(&self, post: &mut Submission, mut hit: impl FnMut(&str)) -> Finding {
        let mut finding = Finding::Pass;
        let mut seen = Seen::default();
        for filter in &self.0 {
            if filter.draft.board.as_ref().is_some_and(|board| *board != post.board) {
                continue;
            }
            let mut has_hit = false;
            for field in &filter.draft.fields {
                let text = seen.field(*field, post);
                if !filter.finds(text) {
                    continue;
                }
                has_hit = true;
                if filter.draft.action == Action::Replace {
                    *field_of(post, *field) = filter.replaced(text);
                    seen.forget(*field);
                }
            }
            if !has_hit {
                continue;
            }
            hit(&filter.name);
            let why = filter.draft.why.trim_end_matches('.').to_owned();
            let named = if why.is_empty() { &filter.name } else { &why };
            match filter.draft.action {
                Action::Replace => {}
                Action::Hold if finding == Finding::Pass => finding = Finding::Hold(format!("a filter: {named}")),
                Action::Hold => {}
                Action::Reject => return Finding::Reject(why),
                Action::Ban => return Finding::Ban(why, filter.draft.hours as u32),
            }
        }
        finding
    }
}

/// The fields of a post as they came and without disguise, made out when a filter asks for them.
#[derive(Default)]
struct Seen([Option<Text>; 3]);

struct Text {
    raw: String,
    folded: String,
}

impl Seen {
    fn field(&mut self, field: Field, post: &mut Submission) -> &Text {
        self.0[field as usize].get_or_insert_with(|| {
            let raw = field_of(post, field).clone();
            Text { folded: folded(&raw).into_owned(), raw }
        })
    }

    fn forget(&mut self, field: Field) {
        self.0[field as usize] = None;
    }
}

fn field_of(post: &mut Submission, field: Field) -> &mut String {
    match field {
        Field::Body => &mut post.body,
        Field::Name => &mut post.name,
        Field::Subject => &mut post.subject,
    }
}

impl Filter {
    fn of(draft: FilterDraft, number: usize) -> Result<Filter, ((usize, usize), String)> {
        let is_text = !draft.text.is_empty();
        let pattern = if is_text { regex::escape(&folded(&draft.text)) } else { draft.regex.clone() };
        if is_text && pattern.is_empty() {
            return Err((draft.place, format!("nobody could see the text of filter {number}")));
        }
        let built = RegexBuilder::new(&pattern).case_insensitive(!is_text).size_limit(COMPILED_BYTES_MAX).build();
        let regex = built.map_err(|error| {
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            (draft.place, format!("the pattern of filter {number} cannot be used: {last}"))
        })?;
        // It would find something in every post.
        if regex.is_match("") {
            return Err((draft.place, format!("the pattern of filter {number} finds nothing, everywhere")));
        }
        let shown: String = if is_text { &draft.text } else { &draft.regex }.chars().take(NAME_CHARS_MAX).collect();
        Ok(Filter { name: format!("{number}: {shown}"), draft, regex, is_text })
    }

    fn finds(&self, text: &Text) -> bool {
        self.regex.is_match(&text.folded) || !self.is_text && text.raw != text.folded && self.regex.is_match(&text.raw)
    }

    /// The field with all that was found replaced.
    fn replaced(&self, text: &Text) -> String {
        let (raw, with) = (text.raw.as_str(), self.draft.with.as_str());
        let unmasked = Unmasked::of(raw);
        let mut out = String::with_capacity(raw.len());
        let mut from = 0;
        for found in self.regex.find_iter(&unmasked.text) {
            let place = unmasked.place(raw, found.range());
            // Letters of one character may be found one after the other.
            if from <= place.start {
                out.push_str(&raw[from..place.start]);
                out.push_str(with);
                from = place.end;
            }
        }
        match from {
            // It names a disguise.
            0 => self.regex.replace_all(raw, NoExpand(with)).into_owned(),
            from => out + &raw[from..],
        }
    }
}
