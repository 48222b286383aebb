//! Settings that are some of a few words.

use crate::model::{Coding, Codings, Format, Formats};

/// Formats by their names.
pub(super) fn formats(texts: &[String]) -> Result<Formats, String> {
    let mut formats = Formats::NONE;
    if texts == ["none"] {
        return Ok(formats);
    }
    for text in texts {
        match Format::ALL.into_iter().find(|format| format.name() == text) {
            Some(format) => formats.insert(format),
            None => {
                return Err(
                    "some of `json`, `feeds`, `2ch` and `vichan`, such as `[json, feeds]`, or `none`".to_owned()
                );
            }
        }
    }
    Ok(formats)
}

/// Codings by their names.
pub(super) fn codings(texts: &[String]) -> Result<Codings, String> {
    let mut codings = Codings::default();
    for text in texts {
        match Coding::ALL.into_iter().find(|coding| coding.name() == text || coding.token() == text) {
            Some(coding) => codings.insert(coding),
            None => return Err("`gzip`, `brotli` or both, such as `[gzip, brotli]`".to_owned()),
        }
    }
    Ok(codings)
}
