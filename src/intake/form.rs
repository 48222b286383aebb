//! The bytes of a form to its fields. Knows nothing of boards: whatever is UTF-8 and comes once is taken as it came.

use http_body_util::{BodyDataStream, Full};
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::Limits;
use super::path::percent_decode;
use crate::model::{Form, FormFault, Refusal};

/// How a form is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` with this boundary.
    Multipart(String),
}

/// The longest boundary that RFC 2046 allows.
const BOUNDARY_BYTES_MAX: usize = 70;

const BAD_CHARSET: Refusal = Refusal::BadForm(FormFault::Charset);
const BAD_PARTS: Refusal = Refusal::BadForm(FormFault::Parts);

/// The encoding that the headers announce.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let text = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().map_err(|_| Refusal::BadType)?,
        _ => return Err(Refusal::BadType),
    };
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Refusal::BadType);
    }
    if parameter(text, "charset").is_some_and(|charset| !is_utf8_label(charset)) {
        return Err(BAD_CHARSET);
    }
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Encoding::Urlencoded);
    }
    if !essence.eq_ignore_ascii_case("multipart/form-data") {
        return Err(Refusal::BadType);
    }
    match multer::parse_boundary(text) {
        Ok(boundary) if (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) => Ok(Encoding::Multipart(boundary)),
        _ => Err(Refusal::BadForm(FormFault::Boundary)),
    }
}

/// The value of a media type's parameter, without its quotes.
pub(super) fn parameter<'a>(media_type: &'a str, name: &str) -> Option<&'a str> {
    let parameters = media_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    let mut named = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim().trim_matches('"'))
}

fn is_utf8_label(label: &str) -> bool {
    label.eq_ignore_ascii_case("utf-8") || label.eq_ignore_ascii_case("utf8")
}

/// The fields in `bytes`.
pub(super) async fn decode(encoding: Encoding, bytes: Vec<u8>, limits: &Limits) -> Result<Form, Refusal> {
    match encoding {
        Encoding::Urlencoded => urlencoded(&bytes, limits),
        Encoding::Multipart(boundary) => multipart(bytes.into(), boundary, limits).await,
    }
}

fn urlencoded(bytes: &[u8], limits: &Limits) -> Result<Form, Refusal> {
    let mut fields = Fields::new(limits);
    for (name, value) in urlencoded_pairs(bytes) {
        fields.take(&percent_decode(name, b'+'), || percent_decode(value, b'+'))?;
    }
    Ok(fields.form)
}

/// Names and values, still with their escapes.
pub(super) fn urlencoded_pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = memchr::memchr(b'=', pair);
        (&pair[..equals.unwrap_or(pair.len())], equals.map_or(&[][..], |at| &pair[at + 1..]))
    })
}

async fn multipart(bytes: Bytes, boundary: String, limits: &Limits) -> Result<Form, Refusal> {
    let mut parts = multer::Multipart::new(BodyDataStream::new(Full::new(bytes)), boundary);
    let mut fields = Fields::new(limits);
    while let Some(part) = parts.next_field().await.map_err(|_| BAD_PARTS)? {
        let name = part.name().ok_or(BAD_PARTS)?.to_owned();
        let has_file = part.file_name().is_some();
        if let Some(media_type) = part.content_type() {
            if media_type.type_() == "multipart" {
                return Err(Refusal::BadForm(FormFault::Nested));
            }
            if media_type.get_param("charset").is_some_and(|charset| !is_utf8_label(charset.as_str())) {
                return Err(BAD_CHARSET);
            }
        }
        let named = part.file_name().is_some_and(|file_name| !file_name.is_empty());
        let value = part.bytes().await.map_err(|_| BAD_PARTS)?;
        // Browsers send an empty part with an empty name for a file that nobody chose.
        match has_file {
            true if named || !value.is_empty() => return Err(Refusal::BadForm(FormFault::File)),
            true => fields.count()?,
            false => fields.take(name.as_bytes(), || value.into())?,
        }
    }
    Ok(fields.form)
}

/// The fields that the door knows.
const NAMES: [&str; 14] = [
    "board", "thread", "name", "options", "subject", "body", "password", "nonce", "task", "no", "reason", "website",
    "message", "proof",
];

/// A form that is being filled.
struct Fields {
    form: Form,
    seen: [bool; NAMES.len()],
    left: usize,
}

impl Fields {
    fn new(limits: &Limits) -> Fields {
        Fields { form: Form::default(), seen: [false; NAMES.len()], left: limits.fields_max }
    }

    /// Counts one field more.
    fn count(&mut self) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or(Refusal::BadForm(FormFault::TooManyFields))?;
        Ok(())
    }

    /// Takes one field; one that the door does not know is only counted.
    fn take(&mut self, name: &[u8], value: impl FnOnce() -> Vec<u8>) -> Result<(), Refusal> {
        self.count()?;
        let name = std::str::from_utf8(name).ok().filter(|name| !name.contains('\0'));
        let name = name.ok_or(Refusal::BadForm(FormFault::FieldName))?;
        if name == "_charset_" {
            return self.check_charset(&value());
        }
        let Some(at) = NAMES.iter().position(|known| *known == name) else { return Ok(()) };
        if std::mem::replace(&mut self.seen[at], true) {
            return Err(Refusal::FieldTwice(NAMES[at]));
        }
        let text = String::from_utf8(value()).ok().filter(|text| !text.contains('\0'));
        *self.slot(at) = text.ok_or(Refusal::BadText(NAMES[at]))?;
        Ok(())
    }

    /// A browser writes into this field how it encoded the form.
    fn check_charset(&self, value: &[u8]) -> Result<(), Refusal> {
        let label = std::str::from_utf8(value).unwrap_or("unknown");
        if label.is_empty() || is_utf8_label(label) { Ok(()) } else { Err(BAD_CHARSET) }
    }

    fn slot(&mut self, at: usize) -> &mut String {
        let form = &mut self.form;
        let slots = [
            &mut form.board,
            &mut form.thread,
            &mut form.name,
            &mut form.options,
            &mut form.subject,
            &mut form.body,
            &mut form.password,
            &mut form.nonce,
            &mut form.task,
            &mut form.no,
            &mut form.reason,
            &mut form.website,
            &mut form.message,
            &mut form.proof,
        ];
        slots.into_iter().nth(at).expect("there is a slot for each name")
    }
}
