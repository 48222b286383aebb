//! Texts put into templates and scripts before anything else reads them.
//!
//! `{{t "reply"}}` becomes the text of that key, and `{{t "n-replies" n=replies}}` a choice between the forms of a
//! counted one. So what draws pages, handlebars or what is compiled of it, meets plain templates, and texts cost
//! nothing when a page is drawn. The values of a text are paths, or pieces of template in quotes.
//!
//! Lines stay lines, and [`Places`] leads from a column of the result back to that of the file.

use super::escape::push_escaped;
use crate::model::Texts;
use crate::model::texts::{COUNT, Phrase, Piece, Text};

/// A template with its texts put in.
#[derive(Clone, Debug)]
pub struct Worded {
    /// The template.
    pub source: String,
    /// Where its parts stood.
    pub places: Places,
}

/// What is wrong with a use of a text, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct Misworded {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Leads from columns of a template with its texts to those of its file.
#[derive(Clone, Default, Debug)]
pub struct Places(Vec<Swap>);

/// A text that was put in: all columns are counted in characters.
#[derive(Clone, Copy, Debug)]
struct Swap {
    line: usize,
    /// In the result: from where up to where.
    now: (usize, usize),
    /// In the file.
    before: (usize, usize),
}

impl Places {
    /// Where a line and column of the result stand in the file, both counted from 1. What stands in a text stands where
    /// the text is called.
    pub fn original(&self, (line, column): (usize, usize)) -> (usize, usize) {
        let passed = self.0.iter().take_while(|swap| (swap.line, swap.now.0) <= (line, column));
        let column = match passed.last().filter(|swap| swap.line == line) {
            Some(swap) if column < swap.now.1 => swap.before.0,
            Some(swap) => column - swap.now.1 + swap.before.1,
            None => column,
        };
        (line, column)
    }
}

/// Puts the texts into a template.
pub fn expand(template: &str, texts: &Texts) -> Result<Worded, Misworded> {
    let mut out = Writer { source: String::with_capacity(template.len() * 5 / 4), places: Places::default() };
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let before = &rest[..at];
        let from = &rest[at..];
        out.source.push_str(before);
        let is_escaped = before.ends_with('\\') && !before.ends_with("\\\\");
        let wrong = |message| misworded(template, from, message);
        let taken = match call(from) {
            Call::Text(inside) if !is_escaped => {
                let (asked, bytes) = Asked::parse(inside).map_err(wrong)?;
                let text = asked.text(texts).map_err(wrong)?;
                let whole = &from[.."{{t".len() + bytes];
                out.swap(whole, &text, wrong(String::new()));
                whole.len()
            }
            Call::Odd if !is_escaped => {
                let message = "a text is written `{{t \"key\"}}`: two braces, and nothing else before the `t`";
                return Err(wrong(message.to_owned()));
            }
            Call::Other(bytes) if !is_escaped => {
                out.source.push_str(&from[..bytes]);
                bytes
            }
            _ => {
                out.source.push_str("{{");
                "{{".len()
            }
        };
        rest = &from[taken..];
    }
    out.source.push_str(rest);
    Ok(Worded { source: out.source, places: out.places })
}

/// A script without the lines that hold nothing but a `//` comment: these are for who reads the theme.
pub fn without_comments(script: &str) -> String {
    script.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//")).collect()
}

/// Puts the texts into a script, where they stand in quotes: `"{{t 'reply'}}"`. A counted one is asked for by form,
/// `n-replies.one` and `n-replies.other`; the names of values stay in their braces, for the script to put them in. All
/// other braces are the script's own.
pub fn expand_script(script: &str, texts: &Texts) -> Result<String, Misworded> {
    let mut out = String::with_capacity(script.len() * 5 / 4);
    let mut rest = script;
    while let Some(at) = rest.find("{{t ") {
        let from = &rest[at..];
        out.push_str(&rest[..at]);
        let Some((key, bytes)) = script_key(from) else {
            out.push_str("{{t ");
            rest = &from["{{t ".len()..];
            continue;
        };
        let phrase = script_phrase(key, texts).map_err(|message| misworded(script, from, message))?;
        push_script(&mut out, phrase.source());
        rest = &from[bytes..];
    }
    out.push_str(rest);
    Ok(out)
}

struct Writer {
    source: String,
    places: Places,
}

impl Writer {
    /// Adds `text` in the place of the call `before`, which stands at a place of the file.
    fn swap(&mut self, before: &str, text: &str, place: Misworded) {
        let line_from = self.source.rfind('\n').map_or(0, |at| at + 1);
        let column = self.source[line_from..].chars().count() + 1;
        self.source.push_str(text);
        self.places.0.push(Swap {
            line: place.line,
            now: (column, column + text.chars().count()),
            before: (place.column, place.column + before.chars().count()),
        });
    }
}

/// A fault at the beginning of `from`, which is the end of `whole`.
fn misworded(whole: &str, from: &str, message: String) -> Misworded {
    let before = &whole[..whole.len() - from.len()];
    let line_from = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    Misworded { line, column: before[line_from..].chars().count() + 1, message }
}

/// What begins with two braces.
enum Call<'a> {
    /// A text; what stands behind the `t`.
    Text(&'a str),
    /// Meant for a text, but written so that it would not be one.
    Odd,
    /// Something of handlebars: so many bytes of it are passed over.
    Other(usize),
}

fn call(from: &str) -> Call<'_> {
    let upto = |end: &str| from.find(end).map_or(from.len(), |at| at + end.len());
    let inside = &from[2..];
    // What is in comments and raw blocks is no template.
    if inside.starts_with("!--") {
        return Call::Other(from[5..].find("--").map_or(from.len(), |at| 5 + at + "--".len()));
    }
    if inside.starts_with('!') {
        return Call::Other(upto("}}"));
    }
    if inside.starts_with("{{") {
        let closed = from.find("{{{{/").map_or(from.len(), |at| at + 5);
        return Call::Other(closed);
    }
    match asks(inside) {
        Some(behind) => Call::Text(behind),
        None if asks(inside.trim_start_matches(['{', '~', '&', ' ', '\t'])).is_some() => Call::Odd,
        None => Call::Other(2),
    }
}

/// What stands behind the `t` of a call.
fn asks(text: &str) -> Option<&str> {
    let behind = text.strip_prefix('t')?;
    let quoted = behind.trim_start();
    (quoted.len() < behind.len() && quoted.starts_with(['"', '\''])).then_some(behind)
}

/// A text that a template asks for.
struct Asked<'a> {
    key: &'a str,
    values: Vec<(&'a str, Given<'a>)>,
}

/// A value that a template gives to a text.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// What stands at a path.
    Path(&'a str),
    /// A piece of template.
    Template(&'a str),
}

impl<'a> Asked<'a> {
    /// Reads what stands behind the `t`; gives how many bytes that are, with the closing braces.
    fn parse(inside: &'a str) -> Result<(Asked<'a>, usize), String> {
        const FORM: &str = "a text is written `{{t \"key\"}}` or, with values, `{{t \"key\" n=replies}}`, on one line";
        let form = || FORM.to_owned();
        let (key, mut rest) = quoted(inside.trim_start()).ok_or_else(form)?;
        let mut values = Vec::new();
        loop {
            let next = rest.trim_start();
            if let Some(behind) = next.strip_prefix("}}") {
                let bytes = inside.len() - behind.len();
                // A line more or less would put every later fault on a wrong line.
                return match inside[..bytes].contains('\n') {
                    true => Err(form()),
                    false => Ok((Asked { key, values }, bytes)),
                };
            }
            let (name, behind) = next.split_once('=').ok_or_else(form)?;
            let is_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
            if next.len() == rest.len() || name.is_empty() || !name.bytes().all(is_name) {
                return Err(form());
            }
            let (given, behind) = match quoted(behind) {
                Some((template, behind)) => (Given::Template(template), behind),
                None => {
                    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '@');
                    let end = behind.find(|c| !is_path(c)).unwrap_or(behind.len());
                    (Given::Path(&behind[..end]), &behind[end..])
                }
            };
            if matches!(given, Given::Path("")) {
                return Err(form());
            }
            values.push((name, given));
            rest = behind;
        }
    }

    /// What stands in the template instead.
    fn text(&self, texts: &Texts) -> Result<String, String> {
        let Asked { key, .. } = self;
        let text = texts.get(key).ok_or_else(|| unknown(key, texts))?;
        let (one, other) = (text.one(), text.other());
        if let Some((stray, _)) = self.values.iter().find(|(name, _)| !other.values().contains(name)) {
            return Err(format!("the text `{key}` takes no value `{stray}`"));
        }
        if !is_choice(text) {
            return self.filled(other, texts);
        }
        let Some(Given::Path(count)) = self.given(COUNT) else {
            return Err(format!("the text `{key}` is counted: give it a number, `{{{{t \"{key}\" {COUNT}=…}}}}`"));
        };
        let (one, other) = (self.filled(one, texts)?, self.filled(other, texts)?);
        Ok(format!("{{{{#if (eq {count} 1)}}}}{one}{{{{else}}}}{other}{{{{/if}}}}"))
    }

    fn given(&self, name: &str) -> Option<Given<'a>> {
        self.values.iter().find(|(given, _)| *given == name).map(|(_, given)| *given)
    }

    fn filled(&self, phrase: &Phrase, texts: &Texts) -> Result<String, String> {
        let mut out = String::new();
        for piece in phrase.pieces() {
            match piece {
                Piece::Words(words) => push_words(&mut out, words),
                Piece::Value(name) => match self.given(name) {
                    Some(Given::Path(path)) => out.extend(["{{", path, "}}"]),
                    // It may call texts itself.
                    Some(Given::Template(template)) => {
                        out.push_str(&expand(template, texts).map_err(|bad| bad.message)?.source);
                    }
                    None => return Err(format!("the text `{}` needs the value `{name}=…`", self.key)),
                },
            }
        }
        Ok(out)
    }
}

fn is_choice(text: &Text) -> bool {
    text.is_counted() && text.one() != text.other()
}

/// What stands in quotes at the beginning of `text`, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}

/// Adds words as a template holds them.
fn push_words(out: &mut String, words: &str) {
    // A backslash before braces would make them text.
    for (place, part) in words.split('\\').enumerate() {
        if 0 < place {
            out.push_str("&#92;");
        }
        push_escaped(out, part);
    }
}

fn unknown(key: &str, texts: &Texts) -> String {
    let near = texts.nearest(key).map(|near| format!(": did you mean `{near}`?"));
    format!("there is no text `{key}`{}", near.unwrap_or_else(|| "; it has to stand in `locales/en.yaml`".to_owned()))
}

/// The key of a text that a script asks for, and the bytes of the whole.
fn script_key(from: &str) -> Option<(&str, usize)> {
    let (key, behind) = quoted(from.strip_prefix("{{t ")?.trim_start_matches(' '))?;
    let behind = behind.trim_start_matches(' ').strip_prefix("}}")?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    (!key.is_empty() && key.bytes().all(plain)).then_some((key, from.len() - behind.len()))
}

fn script_phrase<'t>(asked: &str, texts: &'t Texts) -> Result<&'t Phrase, String> {
    let (key, form) = asked.split_once('.').unwrap_or((asked, ""));
    let text = texts.get(key).ok_or_else(|| unknown(key, texts))?;
    match (form, text.is_counted()) {
        ("", false) => Ok(text.other()),
        ("one", true) => Ok(text.one()),
        ("other", true) => Ok(text.other()),
        (_, true) => Err(format!("the text `{key}` is counted: ask for `{key}.one` and `{key}.other`")),
        (_, false) => Err(format!("the text `{key}` is not counted: ask for `{key}`")),
    }
}

/// Adds a text as it can stand in a string of a script.
///
/// SECURITY: in whatever quotes it stands, it neither ends the string nor the script, and starts no other part of it.
fn push_script(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\'' | '`' | '\\' | '$' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
}
