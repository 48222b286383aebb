//! Posting as the clients of 2ch do: the fields of `bbs.cgi`, in Shift_JIS unless the head says otherwise, and an answer
//! by whose title and comment they know what became of the post.
//!
//! The fields become a [`Form`] like any other, so a post that comes this way passes the same checks. It has no nonce:
//! what is sent twice within a short time is known by its fields and its sender (`resend`).

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8};
use hyper::header::{self, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::form::{parameter, urlencoded_pairs};
use super::path::{Target, percent_decode, target};
use super::reply;
use super::{Backend, Body, Limits};
use crate::model::{Form, FormFault, PostNo, Receipt, Refusal, SiteSettings};

/// Whether a request is a post of a client of 2ch.
pub(super) fn is_meant(parts: &Parts, site: &SiteSettings) -> bool {
    parts.method == Method::POST && target(parts.uri.path(), site) == Target::BbsCgi
}

/// The encoding of the fields.
pub(super) fn encoding(headers: &HeaderMap) -> Result<&'static Encoding, Refusal> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let text = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().map_err(|_| Refusal::BadType)?,
        _ => return Err(Refusal::BadType),
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    if headers.contains_key(CONTENT_ENCODING) || !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::BadType);
    }
    // Whether bytes are the one or the other cannot be told from themselves: short words are both.
    let named = parameter(text, "charset").map_or(Some(SHIFT_JIS), |label| Encoding::for_label(label.as_bytes()));
    named.filter(|encoding| [SHIFT_JIS, UTF_8].contains(encoding)).ok_or(Refusal::BadForm(FormFault::Charset))
}

/// The fields that are looked at, by their names on 2ch and on the form here.
const NAMES: [(&str, &str); 6] = [
    ("bbs", "board"),
    ("key", "thread"),
    ("FROM", "name"),
    ("mail", "options"),
    ("subject", "subject"),
    ("MESSAGE", "body"),
];

/// The form that the fields in `bytes` make.
pub(super) fn decode(encoding: &'static Encoding, bytes: &[u8], limits: &Limits) -> Result<Form, Refusal> {
    let mut form = Form::default();
    let mut seen = [false; NAMES.len()];
    for (count, (name, value)) in urlencoded_pairs(bytes).enumerate() {
        if limits.fields_max <= count {
            return Err(Refusal::BadForm(FormFault::TooManyFields));
        }
        let name = percent_decode(name, b'+');
        let Some(at) = NAMES.iter().position(|(theirs, _)| theirs.as_bytes() == name) else { continue };
        if std::mem::replace(&mut seen[at], true) {
            return Err(Refusal::FieldTwice(NAMES[at].1));
        }
        let slots =
            [&mut form.board, &mut form.thread, &mut form.name, &mut form.options, &mut form.subject, &mut form.body];
        let text = text(encoding, &percent_decode(value, b'+')).ok_or(Refusal::BadText(NAMES[at].1))?;
        *slots.into_iter().nth(at).expect("there is a slot for each name") = text;
    }
    Ok(form)
}

/// A text in which quotes of lines are quotes of the posts on them, and those of numbers (`>>No.12`, as dats have them)
/// quotes of these. A line that is not there is no quote, since the post of that number is another one. `lines` are the
/// posts of the thread.
pub(super) fn with_numbers(body: &str, lines: &[PostNo]) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b">>") {
        let (before, quote) = rest.split_at(at);
        rest = quote.trim_start_matches('>');
        out.push_str(before);
        if quote.len() - rest.len() != 2 {
            out.push_str(&quote[..quote.len() - rest.len()]);
            continue;
        }
        out.push_str(">>");
        if let Some(number) = rest.strip_prefix("No.").filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        {
            rest = number;
            continue;
        }
        while let Some((line, after)) = digits(rest) {
            let post = line.parse::<usize>().ok().and_then(|line| lines.get(line.checked_sub(1)?));
            match post {
                Some(post) => out.push_str(&post.to_string()),
                None => {
                    out.push(' ');
                    out.push_str(line);
                }
            }
            rest = after;
            // Several lines are named like `>>2-5` and `>>2,4`.
            if after.starts_with(['-', ',']) && digits(&after[1..]).is_some() {
                out.push_str(&after[..1]);
                out.push_str(">>");
                rest = &after[1..];
            }
        }
    }
    out + rest
}

/// The digits at the start of a text, and what comes behind them.
fn digits(text: &str) -> Option<(&str, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (0 < count).then(|| text.split_at(count))
}

/// What bytes say, if they say something.
fn text(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let text = if encoding == SHIFT_JIS { with_references(&text) } else { text.into_owned() };
    (!text.contains('\0')).then_some(text)
}

/// The longest numeric reference: `&#x0010FFFF;`.
const REFERENCE_BYTES_MAX: usize = 12;

/// Reads the references that clients write for what Shift_JIS lacks. Others were typed by hand, and stay.
fn with_references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"&#") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest).filter(|(c, _)| is_lacking(*c)) {
            Some((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            None => {
                out.push_str("&#");
                rest = &rest[2..];
            }
        }
    }
    out + rest
}

/// The character that the reference at the start of `text` names, and how long that is.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(REFERENCE_BYTES_MAX).position(|b| b == b';')?;
    let digits = &text[2..end];
    let (digits, radix) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok().filter(|_| plain)?)?;
    Some((c, end + 1))
}

/// Whether a character has no code of its own in Shift_JIS.
fn is_lacking(c: char) -> bool {
    // The last three get the codes of others, which is why a client may rather write them so.
    !c.is_control() && (SHIFT_JIS.encode(c.encode_utf8(&mut [0; 4])).2 || matches!(c, '¥' | '‾' | '−'))
}

/// Tells a poster what became of the post.
pub(super) fn receipt(backend: &dyn Backend, receipt: &Receipt) -> Response<Body> {
    match receipt {
        // Not the title by which clients know that all is well: they would not show what stands below it.
        Receipt::Held { .. } => told(StatusCode::OK, "お預かりしました。", "false", &backend.held_sentence()),
        _ => told(StatusCode::OK, "書きこみました。", "true", "書きこみが終わりました。"),
    }
}

/// Tells why there is no post. `bbs.cgi` says so with a status of 200, as clients show nothing else.
/// Requests that are no form at all are none for it.
pub(super) fn refused(backend: &dyn Backend, refusal: &Refusal, is_form: bool) -> Response<Body> {
    let status = match refusal {
        _ if is_form => StatusCode::OK,
        Refusal::BadForm(_) | Refusal::FieldTwice(_) | Refusal::BadText(_) => StatusCode::OK,
        _ => StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    told(status, "ＥＲＲＯＲ！", "error", &reply::sentence(backend, refusal))
}

/// A page as clients read it: by the title, the comment, or what stands in `<b>`.
fn told(status: StatusCode, title: &str, mark: &str, sentence: &str) -> Response<Body> {
    let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!(
        "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">\n\
         <title>{title}</title>\n</head>\n<body>\n<!-- 2ch_X:{mark} -->\n<b>{sentence}</b>\n</body>\n</html>\n"
    );
    let body = Body::memory(SHIFT_JIS.encode(&text).0.into_owned());
    let mut response = reply::with_type(status, "text/html; charset=Shift_JIS", body);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
