//! Assets under names that tell their content, those that a style sheet names too.
//!
//! A style sheet says `url("mona.woff2")`, as it would if it were opened from the folder; what is published says
//! `url("mona.0123456789abcdef.woff2")`. A style sheet's own name is made after that, so a new font is a new style
//! sheet, and browsers may keep both for ever.

use std::collections::BTreeMap;
use std::ops::Range;

use super::theme::{BadTheme, asset_bytes};
use crate::model::Texts;
use crate::model::theme::{ThemeFile, ThemeFiles};

/// An asset as it is published.
pub(super) struct Asset {
    /// Below `public/`.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

/// All assets of a theme, by their names below its `assets/`.
pub(super) fn collect(files: &ThemeFiles, texts: &Texts) -> Result<BTreeMap<String, Asset>, BadTheme> {
    let named = |(path, file)| Some((str::strip_prefix(path, "assets/")?, file));
    let files: BTreeMap<&str, &ThemeFile> =
        files.files.iter().map(|(path, file)| (path.as_str(), file)).filter_map(named).collect();
    let mut collector = Collector { files, texts, done: BTreeMap::new(), open: Vec::new() };
    let names: Vec<&str> = collector.files.keys().copied().collect();
    for name in names {
        collector.take(name)?;
    }
    Ok(collector.done)
}

struct Collector<'a> {
    files: BTreeMap<&'a str, &'a ThemeFile>,
    texts: &'a Texts,
    done: BTreeMap<String, Asset>,
    /// The style sheets that are being read, each named by the one before.
    open: Vec<String>,
}

impl Collector<'_> {
    fn take(&mut self, name: &str) -> Result<(), BadTheme> {
        let Some(file) = self.files.get(name).copied().filter(|_| !self.done.contains_key(name)) else { return Ok(()) };
        let bytes = match name.ends_with(".css") {
            true => self.style_sheet(name, file)?,
            false => asset_bytes(name, file, self.texts)?,
        };
        let path = hashed_path(name, &bytes);
        self.done.insert(name.to_owned(), Asset { path, bytes });
        Ok(())
    }

    /// A style sheet with the published names of the assets that it names.
    fn style_sheet(&mut self, name: &str, file: &ThemeFile) -> Result<Vec<u8>, BadTheme> {
        let wrong = |place, message| BadTheme { path: file.origin.clone(), place, message };
        let text =
            std::str::from_utf8(&file.bytes).map_err(|_| wrong(None, "this style sheet is not UTF-8".to_owned()))?;
        self.open.push(name.to_owned());
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for reference in references(text) {
            let typed = &text[reference.from..reference.to];
            let Some((wanted, ending)) = local(name, typed) else { continue };
            let place = Some(place_of(text, reference.from));
            if self.open.contains(&wanted) {
                return Err(wrong(place, format!("`assets/{wanted}` names itself, by way of others or at once")));
            }
            self.take(&wanted)?;
            let asset = self.done.get(&wanted);
            let asset = asset.ok_or_else(|| wrong(place, format!("the theme has no file `assets/{wanted}`")))?;
            // The folders stay as they were typed; only the file's name changes.
            let typed_name = &typed[..typed.len() - ending.len()];
            let folders = typed_name.rfind('/').map_or(0, |slash| slash + 1);
            out.push_str(&text[copied..reference.from + folders]);
            out.push_str(asset.path.rsplit('/').next().unwrap_or_default());
            copied = reference.to - ending.len();
        }
        out.push_str(&text[copied..]);
        self.open.pop();
        Ok(without_comments(&out).into_bytes())
    }
}

/// A style sheet without the comments that have their lines for themselves: these are for who reads the theme.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("/*") {
            out.push_str(line);
            continue;
        }
        let mut comment = line.to_owned();
        while !comment.contains("*/")
            && let Some(more) = lines.next()
        {
            comment.push_str(more);
        }
        // Something else may stand behind it.
        if comment.find("*/").is_some_and(|end| !comment[end + 2..].trim().is_empty()) {
            out.push_str(&comment);
        }
    }
    out
}

/// Where an address stands in a style sheet, without its quotation marks.
struct Reference {
    from: usize,
    to: usize,
}

/// The addresses in `url(…)` and behind `@import`, in order. What stands in comments and other strings is none.
fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut at = 0;
    // Whether a string that comes now is an address.
    let mut import = false;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with(['"', '\'']) {
            let (to, end) = string_end(rest);
            if import {
                found.push(Reference { from: at + 1, to: at + to });
            }
            import = false;
            at += end;
        } else if begins(rest, "@import") {
            import = true;
            at += "@import".len();
        } else if begins(rest, "url(") {
            let (inside, end) = address(rest);
            found.push(Reference { from: at + inside.start, to: at + inside.end });
            import = false;
            at += end;
        } else {
            let c = rest.chars().next().unwrap_or_default();
            import &= c.is_whitespace();
            at += c.len_utf8();
        }
    }
    found
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|typed| typed.eq_ignore_ascii_case(word))
}

/// Where the content of a string that begins here ends, and where what is behind it begins. A string that is not
/// closed ends with its line.
fn string_end(text: &str) -> (usize, usize) {
    let mark = text.as_bytes()[0];
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == mark => return (at, at + 1),
            b'\n' => return (at, at),
            _ => {}
        }
    }
    (text.len(), text.len())
}

/// Of a `url(…)`: where the address stands in it, and where what is behind the address begins.
fn address(text: &str) -> (Range<usize>, usize) {
    let typed = text["url(".len()..].trim_start();
    let from = text.len() - typed.len();
    if typed.starts_with(['"', '\'']) {
        let (to, end) = string_end(typed);
        return (from + 1..from + to, from + end);
    }
    let typed = typed.find(')').map_or(typed, |close| &typed[..close]);
    (from..from + typed.trim_end().len(), from + typed.len())
}

/// What an address in the style sheet `name` means below `assets/`, and what is behind the file's name: `?` and `#`.
/// `None` for what is not the theme's: other hosts, `data:`, paths from the root, places inside a page.
fn local<'a>(name: &str, typed: &'a str) -> Option<(String, &'a str)> {
    let end = typed.find(['?', '#']).unwrap_or(typed.len());
    let (path, ending) = typed.split_at(end);
    if path.is_empty() || path.starts_with('/') || path.contains(':') {
        return None;
    }
    let mut segments: Vec<&str> = name.split('/').collect();
    segments.pop();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(segment),
        }
    }
    Some((segments.join("/"), ending))
}

/// Line and column, counted from 1.
fn place_of(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// `style.css` becomes `assets/style.0123456789abcdef.css`, by its content.
fn hashed_path(name: &str, bytes: &[u8]) -> String {
    let hash = xxhash_rust::xxh3::xxh3_64(bytes);
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    match file.split_once('.') {
        Some((stem, ending)) => format!("assets/{folder}{slash}{stem}.{hash:016x}.{ending}"),
        None => format!("assets/{folder}{slash}{file}.{hash:016x}"),
    }
}
