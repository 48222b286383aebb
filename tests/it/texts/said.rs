//! What the program itself writes into pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nejiboard::model::{FormFault, PostNo, Refusal, RequestFault, Riddle, SiteSettings, Texts};
use nejiboard::render::refusals::sentence;

use super::super::sandbox::running::{Running, wait_until};
use super::super::sandbox::{Sandbox, files_below};
use super::texts;

/// Each kind of refusal. The match makes a new kind stand here too.
fn refusals() -> Vec<Refusal> {
    use Refusal::*;
    let mut all = vec![
        FieldTwice("name"),
        BadText("body"),
        NoSuchBoard,
        NoSuchThread,
        NotAThread(PostNo::new(7).unwrap()),
        Locked,
        Full,
        Empty,
        TooLarge(70_000),
        TooSlow,
        NoLength,
        BadType,
        BadMethod,
        Busy(5),
        NumbersUsedUp,
        NotStored,
        NotFound,
        Fault,
        NoSuchPost,
        WrongPassword,
        ManyThreads(60),
        TooFast(5),
        Spam,
        Closed,
        ProofNeeded(Riddle { challenge: "c".to_owned(), bits: 16, numbers: 8, is_fault: false }),
        Listed { zone: "dnsbl.example.org".to_owned() },
        Filtered { why: "no casinos".to_owned() },
        Filtered { why: String::new() },
        Duplicate,
        Banned { until: "2026-03-02 10:00 UTC".to_owned(), why: "spam".to_owned() },
        Banned { until: String::new(), why: String::new() },
    ];
    for refusal in &all {
        match refusal {
            FieldTwice(_) | BadText(_) | NoSuchBoard | NoSuchThread | NotAThread(_) | Locked | Full | Empty => {}
            TooLarge(_) | TooSlow | NoLength | BadType | BadMethod | Busy(_) | NumbersUsedUp | NotStored => {}
            NoSuchPost | WrongPassword | ManyThreads(_) | Banned { .. } => {}
            TooFast(_) | Duplicate | Spam | Closed | Filtered { .. } | ProofNeeded(_) | Listed { .. } => {}
            NotFound | Fault | BadForm(_) | BadRequest(_) | TooLong { .. } => {}
        }
    }
    all.extend(FormFault::ALL.map(BadForm));
    all.extend(RequestFault::ALL.map(BadRequest));
    for field in ["name", "options", "subject", "body", "password", "nonce", "reason"] {
        all.extend(["characters", "lines", "quotes", "links"].map(|unit| TooLong { field, got: 9, max: 5, unit }));
    }
    all
}

#[test]
fn english_pages_say_of_a_refusal_what_logs_say() {
    let english = texts(&[], "en");
    for refusal in refusals() {
        assert_eq!(sentence(&english, &refusal), refusal.to_string(), "{refusal:?}");
    }
}

/// A text that nothing says would be translated for nobody.
#[test]
fn every_text_is_said_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text_of = |folder: &str| {
        let files = files_below(&root.join(folder)).into_iter().filter(|(path, _)| !path.contains("locales/"));
        files.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect::<String>()
    };
    let (code, theme) = (text_of("src/render"), text_of("themes/default"));
    let of_refusals: BTreeSet<String> =
        refusals().iter().map(|refusal| format!("refused-{}", refusal.code())).collect();
    let made = |key: &str| {
        let rest = |start| key.strip_prefix(start);
        rest("form-").is_some_and(|code| FormFault::ALL.iter().any(|fault| fault.code() == code))
            || rest("request-").is_some_and(|code| RequestFault::ALL.iter().any(|fault| fault.code() == code))
            || rest("field-").is_some_and(sentence_has)
            || rest("unit-").is_some_and(sentence_has)
            || of_refusals.contains(key)
    };
    let english: Texts = texts(&[], "en");
    for (key, _) in english.iter() {
        let calls = [format!("t \"{key}\""), format!("t '{key}'"), format!("t \"{key}."), format!("t '{key}.")];
        let is_called = code.contains(&format!("\"{key}\"")) || calls.iter().any(|call| theme.contains(call));
        assert!(is_called || made(key), "nothing says `{key}`");
    }
}

fn sentence_has(word: &str) -> bool {
    refusals()
        .iter()
        .any(|refusal| matches!(refusal, Refusal::TooLong { field, unit, .. } if *field == word || *unit == word))
}

/// A site that says everything in its own way.
fn own_way() -> Sandbox {
    Sandbox::new(
        "
==> content/site.yaml
title: Site
locale: eo
==> content/t/board.yaml
title: Board
threads_per_page: 1
==> content/t/1.md
--- {no: 1, at: 2025-03-02T10:20:30Z}
x
==> content/t/2.md
--- {no: 2, at: 2025-03-02T10:20:30Z, deleted: true}

--- {no: 3, at: 2025-03-02T10:20:30Z}
y
",
    )
}

#[test]
fn titles_names_and_times_are_said_in_the_sites_language() {
    let site = own_way();
    site.write(
        "themes/default/locales/eo.yaml",
        "catalog: 'Katalogo'\narchive: 'Arkivo'\npage-no: 'Paĝo {n}'\nthread-no: 'Fadeno {no}'\nanonymous: 'Sennomulo'\n\
         not-found: 'Ne trovita'\nrefused-not_found: 'Ĉi tie estas nenio.'\ntime: '{day}.{month}., {weekday}, {hour}h'\n\
         weekday-sun: 'dim'\n",
    );
    assert_eq!(site.build().problems, Vec::new());
    let has = |page: &str, wanted: &str| {
        let text = site.page(page);
        assert!(text.contains(wanted), "{page} lacks {wanted}:\n{text}");
    };
    has("t/catalog.html", "<title>Katalogo - /t/ Board - Site</title>");
    has("t/archive.html", "<title>Arkivo - /t/ Board - Site</title>");
    has("t/2.html", "<title>Paĝo 2 - /t/ Board - Site</title>");
    has("t/thread/2.html", "<title>Fadeno 2 - /t/ Board - Site</title>");
    has("t/thread/1.html", "<bdi class=\"name\">Sennomulo</bdi>");
    has("t/thread/1.html", "placeholder=\"Sennomulo\"");
    has("t/thread/1.html", ">02.03., dim, 10h</time>");
    has("404.html", "<title>Ne trovita - Site</title>");
    has("404.html", "<p class=\"lead\">Ĉi tie estas nenio.</p>");
    // A board that has a name for them keeps it.
    site.write("content/t/board.yaml", "title: Board\nanonymous_name: Nejano\n");
    site.build();
    has("t/thread/1.html", "<bdi class=\"name\">Nejano</bdi>");
    assert_eq!(SiteSettings::default().defaults.anonymous_name, "");
}

#[test]
fn the_title_of_a_tail_is_said_in_the_sites_language() {
    let site = own_way();
    site.write("themes/default/locales/eo.yaml", "last-posts-of: 'Lastaj de {thread}'\n");
    let replies: String = (4..=110).map(|no| format!("--- {{no: {no}}}\nx\n")).collect();
    site.write("content/t/1.md", format!("--- {{no: 1, subject: Longa}}\nx\n{replies}"));
    site.write("content/t/2.md", "--- {no: 2}\nx\n");
    site.build();
    let page = site.page("t/thread/1-tail.html");
    assert!(page.contains("<title>Lastaj de Longa - /t/ Board - Site</title>"), "{page}");
}

#[test]
fn the_door_answers_in_the_sites_language_people_and_programs() {
    let site = own_way();
    site.write(
        "themes/default/locales/eo.yaml",
        "refused: 'Malsukceso'\nrefused-empty: 'Skribu ion & pli.'\nrefused-bad_form: 'Formularo: {why}.'\n",
    );
    let door = Running::start(site.root());
    let empty = [("board", "t"), ("body", " ")];
    let page = door.post(&empty);
    assert!(page.body.contains("<h1>Malsukceso</h1>\n<p class=\"lead\">Skribu ion &amp; pli.</p>"), "{}", page.body);
    let told: serde_json::Value = serde_json::from_str(&door.post_for_json(&empty).body).unwrap();
    assert_eq!(told["error"], serde_json::json!({"code": "empty", "message": "Skribu ion & pli."}));
    // An edited file counts from the next round on, and one with a mistake not at all.
    let edit = |text: &str| {
        fs::write(site.path(".draft"), text).unwrap();
        fs::rename(site.path(".draft"), site.path("themes/default/locales/eo.yaml")).unwrap();
    };
    edit("to-top: 'Supren'\n");
    door.wait_for("/t/thread/1.html", "Supren");
    edit("to-top: 'Malsupren'\nto-tip: 'x'\n");
    wait_until("the mistake is told", || door.told().contains("unknown text `to-tip`"));
    assert!(door.get("/t/thread/1.html").body.contains("Supren"));
    edit("to-top: 'Tute supren'\n");
    door.wait_for("/t/thread/1.html", "Tute supren");
}
