//! What `check` tells of texts, and what `build` refuses.

use std::process::Output;

use nejiboard::store::locale;

use super::super::sandbox::running::run;
use super::{files, site};

/// The problems of a file of texts, as an operator sees them.
fn told(path: &str, text: &str) -> String {
    locale::audit(&files(&[(path, text)])).iter().map(|problem| format!("{problem}\n")).collect()
}

#[track_caller]
fn wrong(path: &str, text: &str, message: &str, hint: &str) {
    let hint = if hint.is_empty() { String::new() } else { format!("\n  hint: {hint}") };
    assert_eq!(told(path, text), format!("{path}:{message}{hint}\n"), "{text}");
}

#[test]
fn what_is_wrong_with_a_text_is_told_with_its_place() {
    let fr = "locales/fr.yaml";
    wrong(fr, "\nrepyl: 'x'\n", "2:1: unknown text `repyl`", "did you mean `reply`?");
    wrong(
        fr,
        "zzzzzzzz: 'x'\n",
        "1:1: unknown text `zzzzzzzz`",
        "a text of your own has to stand in `locales/en.yaml` too",
    );
    wrong(fr, "reply: [x]\n", "1:8: `reply` must be a text, not a list", "");
    wrong(fr, "reply: 'x'\nreply: 'y'\n", "2:1: `reply` stands here twice", "remove one of the two");
    wrong(fr, "- reply\n", "1:1: the file must be a mapping of keys to texts", "");
    let braces = "braces stand around the name of a value, such as `{n}`, and nowhere else";
    for text in ["{", "}", "{}", "{ n}", "{N}", "}{", "{{n}}"] {
        wrong(fr, &format!("reply: 'a {text}'\n"), "1:8: `reply` is no text", braces);
    }
    wrong(fr, "reply: \"a\\nb\"\n", "1:8: `reply` is no text", "a text is one line without control characters");
    let counted = "write `{one: …, other: …}`, or only `other` where one is said the same way";
    wrong(fr, "n-replies: '{n}'\n", "1:12: `n-replies` is counted", counted);
    wrong(fr, "reply: {other: 'x'}\n", "1:8: `reply` is not counted", "write one text, without forms");
    wrong(fr, "n-replies: {one: 'x'}\n", "1:12: `n-replies` lacks the form `other`", "");
    let forms = "a counted text has the forms `one` and `other`";
    wrong(fr, "n-replies: {few: 'x', other: '{n}'}\n", "1:13: unknown form of `n-replies`", forms);
}

#[test]
fn values_must_be_those_of_the_english_text() {
    let fr = "locales/fr.yaml";
    let of_n = "the values of the English text are: `{n}`";
    wrong(fr, "last-n: 'derniers'\n", "1:9: `last-n` lacks the value `{n}`", of_n);
    wrong(fr, "last-n: '{n} {m}'\n", "1:9: `last-n` has a value `{m}` that it does not get", of_n);
    wrong(
        fr,
        "reply: '{n}'\n",
        "1:8: `reply` has a value `{n}` that it does not get",
        "the values of the English text are: none",
    );
    // Only one needs no number.
    assert_eq!(told(fr, "n-replies: {one: 'une', other: '{n}'}\n"), "");
    wrong(fr, "n-replies: {one: 'une', other: 'des'}\n", "1:12: `n-replies` lacks the value `{n}`", of_n);
    wrong(fr, "n-replies: {other: 'des'}\n", "1:12: `n-replies` lacks the value `{n}`", of_n);
    // A theme's own English must fit the built-in templates and languages too.
    wrong("locales/en.yaml", "last-n: 'Last'\n", "1:9: `last-n` lacks the value `{n}`", of_n);
    wrong(
        "locales/en.yaml",
        "My Key: 'x'\n",
        "1:1: unknown text `My Key`",
        "a key is 1 to 64 of `a-z`, `0-9`, `-` and `_`",
    );
}

#[test]
fn a_theme_can_have_texts_of_its_own() {
    let en = ("locales/en.yaml", "good-evening: 'Good evening, {who}'\n");
    let fr = ("locales/fr.yaml", "good-evening: 'Bonsoir, {who}'\n");
    assert_eq!(locale::audit(&files(&[en, fr])), Vec::new());
    assert_eq!(super::texts(&[en, fr], "fr").say("good-evening", &[("who", "Neji")]), "Bonsoir, Neji");
    assert_eq!(super::texts(&[en], "de").say("good-evening", &[("who", "Neji")]), "Good evening, Neji");
    assert_eq!(locale::audit(&files(&[fr])).len(), 1);
}

#[test]
fn what_is_not_said_in_the_sites_language_is_told_but_no_problem() {
    let site = site("fr-CA");
    let check = || {
        let Output { status, stdout, stderr } = run(site.root(), &["check"]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    };
    let (code, out, err) = check();
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains(", 0 problems,"), "{out}");
    let wanted =
        "themes/default/locales/fr-CA.yaml: the theme has no texts for `fr-CA`, so its pages say them in English";
    assert!(err.starts_with(wanted) && err.contains("hint: write this file, or set `locale` to one of `"), "{err}");
    site.write("themes/default/locales/fr.yaml", "reply: 'Répondre'\n");
    let (code, _, err) = check();
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("fr.yaml: ") && err.contains(" texts are missing for `fr-CA` and said in English: `"),
        "{err}"
    );
    assert!(err.contains("`all-boards`") && !err.contains("`reply`"), "{err}");
    // What is wrong ends `check` and `build`, whichever language it is.
    site.write("themes/default/locales/fr.yaml", "repyl: 'Répondre'\n");
    let (code, _, err) = check();
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("fr.yaml:1:1: unknown text `repyl`\n  hint: did you mean `reply`?"), "{err}");
    let built = run(site.root(), &["build"]);
    let err = String::from_utf8(built.stderr).unwrap();
    assert_eq!(built.status.code(), Some(3), "{err}");
    assert!(
        err.contains("fr.yaml:1:1: unknown text `repyl`")
            && err.contains("error: the texts of the theme have 1 problem"),
        "{err}"
    );
}
