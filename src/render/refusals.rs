//! A refusal in the language of the site.

use crate::model::{Refusal, Texts};

/// What is wrong and what to do, for people. In English it is what the refusal itself says, so that pages and logs agree.
pub fn sentence(texts: &Texts, refusal: &Refusal) -> String {
    let key = format!("refused-{}", refusal.code());
    let say = |values: &[(&str, &str)]| texts.say(&key, values);
    let part = |key: &str, value: &str| match value {
        "" => String::new(),
        value => format!(" {}", texts.say(key, &[("value", value)])),
    };
    match refusal {
        Refusal::BadForm(fault) => say(&[("why", &texts.say(&format!("form-{}", fault.code()), &[]))]),
        Refusal::BadRequest(fault) => say(&[("why", &texts.say(&format!("request-{}", fault.code()), &[]))]),
        Refusal::FieldTwice(field) | Refusal::BadText(field) => say(&[("field", field)]),
        Refusal::NotAThread(no) => say(&[("no", &no.to_string())]),
        Refusal::TooLong { field, got, max, unit } => {
            let (field, unit) = (texts.say(&format!("field-{field}"), &[]), texts.say(&format!("unit-{unit}"), &[]));
            say(&[("field", &field), ("got", &got.to_string()), ("max", &max.to_string()), ("unit", &unit)])
        }
        Refusal::TooLarge(bytes) => say(&[("max", &bytes.to_string())]),
        Refusal::Banned { until, why } => say(&[]) + &part("banned-until", until) + &part("banned-why", why),
        Refusal::Filtered { why } => say(&[]) + &part("banned-why", why),
        Refusal::Busy(seconds) | Refusal::ManyThreads(seconds) | Refusal::TooFast(seconds) => {
            say(&[("seconds", &seconds.to_string())])
        }
        Refusal::Listed { zone } => say(&[("zone", zone)]),
        Refusal::ProofNeeded(_)
        | Refusal::NoSuchBoard
        | Refusal::NoSuchThread
        | Refusal::NoSuchPost
        | Refusal::WrongPassword
        | Refusal::Duplicate
        | Refusal::Spam
        | Refusal::Closed
        | Refusal::Locked
        | Refusal::Full
        | Refusal::Empty
        | Refusal::TooSlow
        | Refusal::NoLength
        | Refusal::BadType
        | Refusal::BadMethod
        | Refusal::NumbersUsedUp
        | Refusal::NotStored
        | Refusal::NotFound
        | Refusal::Fault => say(&[]),
    }
}
