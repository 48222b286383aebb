//! The texts of a theme, `locales/<tag>.yaml`: those of the site's language over those of English.
//!
//! For `pt-BR` these are read, each over the ones before, key by key: `en`, `pt`, `pt-BR`; and of each tag first the
//! built-in file, then the theme's own. English says which keys there are, and what values each takes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::settings::yaml::{self, Node, Value};
use super::theme;
use crate::model::Problem;
use crate::model::texts::{COUNT, Phrase, Text, Texts};
use crate::model::theme::{ThemeFile, ThemeFiles};

/// The language that every theme has, and that says which texts there are.
pub const SOURCE: &str = "en";

/// Where the files stand in a theme.
const FOLDER: &str = "locales/";

/// The text that says how times are written. It may leave out any of its values.
const TIME: &str = "time";

/// What a theme says in a language.
#[derive(Clone, PartialEq, Debug)]
pub struct Locale {
    /// The texts.
    pub texts: Texts,
    /// What is not said in this language but in English: no fault, but worth telling.
    pub missing: Option<Problem>,
}

/// Reads the texts for the language `tag`, or tells everything that is wrong with them.
pub fn read(files: &ThemeFiles, tag: &str) -> Result<Locale, Vec<Problem>> {
    let mut reader = Reader::default();
    reader.source(files);
    let mut texts = reader.english.clone();
    let mut said = BTreeSet::new();
    for tag in chain(tag) {
        for file in layers(files, &tag) {
            for (key, text) in reader.file(&file, false) {
                texts.set(&key, text);
                said.insert(key);
            }
        }
    }
    match reader.problems.is_empty() {
        true => Ok(Locale { missing: missing(files, tag, &reader.english, &said), texts }),
        false => Err(reader.problems),
    }
}

/// Everything that is wrong with any language of a theme.
pub fn audit(files: &ThemeFiles) -> Vec<Problem> {
    let mut reader = Reader::default();
    reader.source(files);
    for tag in tags(files).into_iter().filter(|tag| !tag.eq_ignore_ascii_case(SOURCE)) {
        for file in layers(files, tag) {
            reader.file(&file, false);
        }
    }
    reader.problems
}

/// The languages that a theme has.
pub fn tags(files: &ThemeFiles) -> Vec<&str> {
    files.files.keys().filter_map(|path| tag_of(path)).collect()
}

/// `pt-BR` for `locales/pt-BR.yaml`.
fn tag_of(path: &str) -> Option<&str> {
    path.strip_prefix(FOLDER)?.strip_suffix(".yaml").filter(|tag| !tag.contains('/'))
}

/// The tags that say something for a language, the most general first, without English: `pt`, `pt-BR`.
fn chain(tag: &str) -> Vec<String> {
    let ends = tag.match_indices('-').map(|(at, _)| at).chain([tag.len()]);
    ends.map(|end| tag[..end].to_owned()).filter(|tag| !tag.eq_ignore_ascii_case(SOURCE)).collect()
}

/// The files for one tag: the built-in one, and the theme's own over it.
fn layers<'f>(files: &'f ThemeFiles, tag: &str) -> Vec<Cow<'f, ThemeFile>> {
    let is_it = |path: &str| tag_of(path).is_some_and(|there| there.eq_ignore_ascii_case(tag));
    let own = files.files.iter().find(|(path, _)| is_it(path)).map(|(_, file)| Cow::Borrowed(file));
    let built_in = theme::built_in_files().find(|(path, _)| is_it(path)).map(|(_, file)| Cow::Owned(file));
    let is_own = |file: &Cow<'_, ThemeFile>| built_in.as_deref() != Some(&**file);
    let own = own.filter(is_own);
    built_in.into_iter().chain(own).collect()
}

/// What of English is not said in the language `tag`.
fn missing(files: &ThemeFiles, tag: &str, english: &Texts, said: &BTreeSet<String>) -> Option<Problem> {
    if tag.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case(SOURCE)) {
        return None;
    }
    let keys: Vec<&str> = english.iter().map(|(key, _)| key).filter(|key| !said.contains(*key)).collect();
    if keys.is_empty() {
        return None;
    }
    let there = chain(tag).iter().rev().find_map(|tag| layers(files, tag).pop()).map(|file| file.origin.clone());
    let wanted = PathBuf::from(format!("themes/{}/{FOLDER}{tag}.yaml", files.name));
    let Some(path) = there else {
        let message = format!("the theme has no texts for `{tag}`, so its pages say them in English");
        let known = tags(files).join("`, `");
        return Some(
            Problem::new(wanted, message).hint(format!("write this file, or set `locale` to one of `{known}`")),
        );
    };
    let message = format!("{} texts are missing for `{tag}` and said in English: `{}`", keys.len(), keys.join("`, `"));
    Some(Problem::new(path, message).hint(format!("add them in `{}`", wanted.display())))
}

#[derive(Default)]
struct Reader {
    /// What English says.
    english: Texts,
    problems: Vec<Problem>,
}

impl Reader {
    /// Reads English. A theme's own file may say more than the built-in one, for its own templates.
    fn source(&mut self, files: &ThemeFiles) {
        for file in layers(files, SOURCE) {
            for (key, text) in self.file(&file, true) {
                self.english.set(&key, text);
            }
        }
    }

    /// Reads one file. `adds` tells whether it may have keys that English does not have yet.
    fn file(&mut self, file: &ThemeFile, adds: bool) -> BTreeMap<String, Text> {
        let mut texts = BTreeMap::new();
        let path = &file.origin;
        let Ok(source) = std::str::from_utf8(&file.bytes) else {
            self.problems.push(Problem::new(path, "the file is not UTF-8"));
            return texts;
        };
        let root = match yaml::parse(path, source) {
            Ok(root) => root,
            Err(problem) => {
                self.problems.push(problem);
                return texts;
            }
        };
        let entries = match &root.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                self.tell(path, &root, "the file must be a mapping of keys to texts".to_owned(), None);
                return texts;
            }
        };
        for (name, node) in entries {
            let key = word(name).unwrap_or_default();
            match self.entry(path, name, &key, node, adds) {
                Some(_) if texts.contains_key(&key) => {
                    self.tell(
                        path,
                        name,
                        format!("`{key}` stands here twice"),
                        Some("remove one of the two".to_owned()),
                    );
                }
                Some(text) => drop(texts.insert(key, text)),
                None => {}
            }
        }
        texts
    }

    /// Reads one entry; `None` if it says nothing, or something wrong.
    fn entry(&mut self, path: &Path, name: &Node, key: &str, node: &Node, adds: bool) -> Option<Text> {
        let english = self.english.get(key).cloned();
        if english.is_none() && !(adds && is_key(key)) {
            let hint = match self.english.nearest(key) {
                _ if adds => "a key is 1 to 64 of `a-z`, `0-9`, `-` and `_`".to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a text of your own has to stand in `{FOLDER}{SOURCE}.yaml` too"),
            };
            self.tell(path, name, format!("unknown text `{key}`"), Some(hint));
            return None;
        }
        let text = match &node.value {
            // A key without a text is as good as one that is commented out.
            Value::Null => return None,
            Value::Map(forms) => self.counted(path, node, key, forms)?,
            Value::List(_) => {
                self.tell(path, node, format!("`{key}` must be a text, not a list"), None);
                return None;
            }
            _ => Text::Plain(self.phrase(path, key, node)?),
        };
        match english.map_or(Ok(()), |english| fits(key, &text, &english)) {
            Ok(()) => Some(text),
            Err((message, hint)) => {
                self.tell(path, node, message, Some(hint));
                None
            }
        }
    }

    fn counted(&mut self, path: &Path, node: &Node, key: &str, forms: &[(Node, Node)]) -> Option<Text> {
        let (mut one, mut other) = (None, None);
        for (form, phrase) in forms {
            let slot = match word(form).as_deref() {
                Some("one") => &mut one,
                Some("other") => &mut other,
                _ => {
                    let hint = "a counted text has the forms `one` and `other`".to_owned();
                    self.tell(path, form, format!("unknown form of `{key}`"), Some(hint));
                    return None;
                }
            };
            *slot = Some(self.phrase(path, key, phrase)?);
        }
        let Some(other) = other else {
            self.tell(path, node, format!("`{key}` lacks the form `other`"), None);
            return None;
        };
        Some(Text::Counted { one, other })
    }

    fn phrase(&mut self, path: &Path, key: &str, node: &Node) -> Option<Phrase> {
        let parsed = word(node).map(|words| Phrase::parse(&words));
        match parsed {
            Some(Ok(phrase)) => return Some(phrase),
            Some(Err(bad)) => self.tell(path, node, format!("`{key}` is no text"), Some(bad.to_string())),
            None => self.tell(path, node, format!("`{key}` must be a text"), None),
        }
        None
    }

    fn tell(&mut self, path: &Path, node: &Node, message: String, hint: Option<String>) {
        let problem = Problem::new(path, message).at(node.place.0, node.place.1);
        self.problems.push(Problem { hint, ..problem });
    }
}

/// A scalar as text: what YAML takes for a number or a truth value is a text here, as it is written.
fn word(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool => Some(node.source.trim().to_owned()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn is_key(key: &str) -> bool {
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=64).contains(&key.len()) && key.bytes().all(allowed)
}

/// Whether a text can stand where the English one does: pages give it the same values.
fn fits(key: &str, text: &Text, english: &Text) -> Result<(), (String, String)> {
    match (text.is_counted(), english.is_counted()) {
        (true, false) => return Err((format!("`{key}` is not counted"), "write one text, without forms".to_owned())),
        (false, true) => {
            let hint = "write `{one: …, other: …}`, or only `other` where one is said the same way".to_owned();
            return Err((format!("`{key}` is counted"), hint));
        }
        _ => {}
    }
    let wanted: BTreeSet<&str> = english.other().values();
    let list = |names: &BTreeSet<&str>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", "),
    };
    let hint = || format!("the values of the English text are: {}", list(&wanted));
    // "One reply" needs no number.
    let one = match text {
        Text::Counted { one: Some(one), .. } => Some((one, true)),
        _ => None,
    };
    for (phrase, is_one) in one.into_iter().chain([(text.other(), false)]) {
        let given = phrase.values();
        if let Some(stray) = given.iter().find(|name| !wanted.contains(*name)) {
            return Err((format!("`{key}` has a value `{{{stray}}}` that it does not get"), hint()));
        }
        let lost = |name: &&&str| !given.contains(*name) && key != TIME && !(is_one && **name == COUNT);
        if let Some(lost) = wanted.iter().find(lost) {
            return Err((format!("`{key}` lacks the value `{{{lost}}}`"), hint()));
        }
    }
    Ok(())
}
