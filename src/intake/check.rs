//! A form's fields to a [`Submission`], against the settings of its board. Pure, but for what it asks the backend.

use std::net::IpAddr;

use super::reply::Taste;
use super::{Backend, Door, Limits, ThreadState};
use crate::model::likeness::{self, is_invisible};
use crate::model::problem::is_bidi_control;
use crate::model::{
    BoardSettings, BoardSlug, Effort, Form, FormFault, PostNo, ReaderRequest, Refusal, Submission, Verdict, quotes,
};

/// Checks every field, in the order in which a poster would want to hear of it.
pub(super) async fn check(
    door: &Door,
    form: &Form,
    address: IpAddr,
    taste: Taste,
) -> Result<(Submission, Verdict), Refusal> {
    let backend = &*door.backend;
    let board = BoardSlug::parse(&form.board).map_err(|_| Refusal::NoSuchBoard)?;
    let settings = backend.board(&board).ok_or(Refusal::NoSuchBoard)?;
    backend.admit(&board, address)?;
    // What fills in whatever there is does not look at it.
    if !form.website.is_empty() || !form.message.is_empty() {
        return Err(Refusal::Spam);
    }
    let thread = thread(backend, &board, &form.thread)?;
    let body = body(&form.body)?;
    measure(form, &body, &settings, &door.limits)?;
    let (name, trip) = name(backend, form, &settings)?;
    let subject = if settings.subject_chars_max == 0 { String::new() } else { one_line(&form.subject) };
    let sage = thread.is_some() && wants_sage(&form.options);
    let id = door.resends.id(form, address, backend);
    let password = form.password.clone();
    let mut submission = Submission { id, board, thread, name, trip, subject, sage, body, password, address };
    let effort = Effort { proof: &form.proof, is_scripted: taste == Taste::Json };
    // Before the thread is counted, or refused ones would leave no room for others.
    let mut verdict = backend.screen(&mut submission, effort)?;
    if let Some(consulting) = backend.consult(address)
        && let Some(why) = consulting.await?
        && !matches!(verdict, Verdict::Hold(_))
    {
        verdict = Verdict::Hold(why);
    }
    if thread.is_none() && !matches!(verdict, Verdict::Hold(_)) {
        backend.start_thread(&submission.board, &submission.id)?;
    }
    Ok((submission, verdict))
}

/// The post that a form is about, and what is to be done to it; `None` if it is a post itself.
pub(super) fn request(door: &Door, form: &Form) -> Result<Option<(BoardSlug, PostNo, ReaderRequest)>, Refusal> {
    let request = match form.task.as_str() {
        "" | "post" => return Ok(None),
        "delete" => ReaderRequest::Withdraw { password: form.password.clone() },
        "report" => ReaderRequest::Report { reason: one_line(&form.reason) },
        _ => return Err(Refusal::BadForm(FormFault::Task)),
    };
    let board = BoardSlug::parse(&form.board).map_err(|_| Refusal::NoSuchBoard)?;
    let no = PostNo::parse(form.no.trim().trim_start_matches('>')).ok_or(Refusal::NoSuchPost)?;
    let max = door.limits.small_field_chars_max;
    at_most("password", form.password.chars().count(), max, "characters")?;
    at_most("reason", form.reason.chars().count(), door.limits.reason_chars_max, "characters")?;
    Ok(Some((board, no, request)))
}

/// The thread that the form names, if it takes replies; `None` for a new thread.
fn thread(backend: &dyn Backend, board: &BoardSlug, typed: &str) -> Result<Option<PostNo>, Refusal> {
    if typed.is_empty() {
        return Ok(None);
    }
    let no = PostNo::parse(typed).ok_or(Refusal::NoSuchThread)?;
    match backend.thread(board, no) {
        ThreadState::Open => Ok(Some(no)),
        ThreadState::Missing => Err(Refusal::NoSuchThread),
        ThreadState::Closed => Err(Refusal::Locked),
        ThreadState::Full => Err(Refusal::Full),
        ThreadState::ReplyOf(thread) => Err(Refusal::NotAThread(thread)),
    }
}

/// The body with its line ends made `\n` and without white space at its end.
///
/// White space at the beginning stays: it may be the first line of a drawing.
fn body(typed: &str) -> Result<String, Refusal> {
    if is_blank(typed) {
        return Err(Refusal::Empty);
    }
    let mut body = match typed.contains('\r') {
        true => typed.replace("\r\n", "\n").replace('\r', "\n"),
        false => typed.to_owned(),
    };
    body.truncate(body.trim_end().len());
    Ok(body)
}

/// Whether nothing of `text` would be seen.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_bidi_control(c) || is_invisible(c))
}

/// Holds every text against its limit.
fn measure(form: &Form, body: &str, settings: &BoardSettings, limits: &Limits) -> Result<(), Refusal> {
    at_most("body", body.chars().count(), settings.body_chars_max, "characters")?;
    at_most("body", memchr::memchr_iter(b'\n', body.as_bytes()).count() + 1, settings.body_lines_max, "lines")?;
    at_most("body", quotes::count(body), settings.quotes_max, "quotes")?;
    at_most("body", likeness::links(body), settings.links_max, "links")?;
    if settings.subject_chars_max != 0 {
        at_most("subject", form.subject.chars().count(), settings.subject_chars_max, "characters")?;
    }
    if settings.name_chars_max != 0 {
        let max = settings.name_chars_max + limits.name_key_chars_max;
        at_most("name", form.name.chars().count(), max, "characters")?;
    }
    for (field, text) in [("options", &form.options), ("password", &form.password), ("nonce", &form.nonce)] {
        at_most(field, text.chars().count(), limits.small_field_chars_max, "characters")?;
    }
    Ok(())
}

fn at_most(field: &'static str, got: usize, max: usize, unit: &'static str) -> Result<(), Refusal> {
    if got <= max { Ok(()) } else { Err(Refusal::TooLong { field, got, max, unit }) }
}

/// The name to show and the tripcode; both empty on a board where everyone is anonymous.
fn name(backend: &dyn Backend, form: &Form, settings: &BoardSettings) -> Result<(String, String), Refusal> {
    if settings.name_chars_max == 0 || form.name.is_empty() {
        return Ok(Default::default());
    }
    let (name, trip) = backend.sign(&form.name);
    at_most("name", name.chars().count(), settings.name_chars_max, "characters")?;
    let name = one_line(&name);
    Ok((if is_blank(&name) { String::new() } else { name }, trip))
}

/// `text` on one line, without characters that steer instead of being read.
fn one_line(text: &str) -> String {
    let breaks = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let spaced = text.chars().map(|c| if breaks(c) { ' ' } else { c });
    let kept: String = spaced.filter(|c| !c.is_control() && !is_bidi_control(*c)).collect();
    kept.trim().to_owned()
}

/// Whether one of the words is `sage`: not a part of a word, in whatever case.
fn wants_sage(options: &str) -> bool {
    options.split(|c: char| c.is_whitespace() || c == ',').any(|word| word.eq_ignore_ascii_case("sage"))
}
