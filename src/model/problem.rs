//! What is wrong with one file; the rest goes on.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something wrong with one file: the rest is done all the same, and the exit code remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Line and column, counted from 1, if known.
    pub place: Option<(usize, usize)>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// The way out, if there is one to tell.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with the file as a whole.
    pub fn new(path: impl AsRef<Path>, message: impl Into<String>) -> Problem {
        Problem { path: path.as_ref().to_owned(), place: None, message: message.into(), hint: None }
    }

    /// The same at a line and column, both counted from 1.
    pub fn at(mut self, line: usize, column: usize) -> Problem {
        self.place = Some((line, column));
        self
    }

    /// The same with a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// `path:line:column: message`, and the hint on a line of its own. Control characters of strangers are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.path.to_string_lossy()))?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", printable(&self.message))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", printable(hint)),
            None => Ok(()),
        }
    }
}

/// `text` with everything escaped that a terminal or a log would obey or that would break the line.
///
/// SECURITY: a stranger's text can carry escape sequences that rewrite an operator's terminal, and line breaks that
/// forge log lines.
pub fn printable(text: &str) -> String {
    let harmless = |c: char| !c.is_control() && !is_bidi_control(c);
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match harmless(c) {
            true => out.push(c),
            false => out.extend(c.escape_default()),
        }
    }
    out
}

/// Whether `c` changes the direction of the text after it (Unicode Bidirectional Algorithm, UAX #9, section 2).
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
