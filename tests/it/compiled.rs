//! Compiled templates give the very bytes that handlebars gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use nejiboard::model::{ErrorView, Form, PageKey, Refusal, Site, Thread, ThreadKey};
use nejiboard::render::theme::TEMPLATES;
use nejiboard::render::{Pen, Theme, plan};
use nejiboard::store::{content, locale, theme};

use super::sandbox::english;

/// The demo site, in memory.
fn demo() -> Site {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let frame = content::read_frame(root).expect("the demo's settings are good");
    let mut site = Site::new(frame.settings, frame.boards);
    let boards: Vec<_> = site.boards().map(|board| board.slug.clone()).collect();
    for board in boards {
        let excerpt = nejiboard::render::excerpt;
        let found = content::find_changes_on(root, &site, &board, i64::MAX, excerpt, &|| {});
        site.apply(found.expect("the demo can be read").changes);
    }
    site
}

/// A theme whose files are the built-in one's, less those that are given.
fn theme(files: &[(&str, &str)]) -> Theme {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join("default").join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a fresh folder takes folders");
        std::fs::write(path, text).expect("a fresh folder takes files");
    }
    let files = theme::read(folder.path(), "default").expect("the theme can be read");
    Theme::compile(&files, &english(&files), "/").unwrap_or_else(|bad| panic!("{bad}"))
}

/// Every page of the demo, and the door's answers, drawn with a theme.
fn pages(site: &Site, theme: &Theme) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |key: &ThreadKey| -> Result<Arc<Thread>, String> {
        content::read_thread(root, key).map(Arc::new).map_err(|error| error.to_string())
    };
    let pen = Pen { site, theme, read: &read, previews: None };
    let mut pages = BTreeMap::new();
    let wanted = plan::all_pages(site, theme).into_iter().filter(|key| !matches!(key, PageKey::Asset(_)));
    for job in plan::jobs(site, wanted) {
        pen.draw(&job, &mut |(key, drawn)| {
            let page = drawn.unwrap_or_else(|error| panic!("{key:?}: {error}"));
            pages.insert(key.path(), String::from_utf8(page.bytes).expect("pages are UTF-8"));
        });
    }
    let board = site.boards().next().expect("the demo has boards").slug.clone();
    let form = Form { board: board.to_string(), body: "<b>'\"`= &\n{{x}}".to_owned(), ..Form::default() };
    let views = [
        ErrorView::Refused { refusal: Refusal::Locked, form: Some(Box::new(form)) },
        ErrorView::Refused { refusal: Refusal::Fault, form: None },
        ErrorView::Safe { board, thread: None },
    ];
    for view in views {
        pages.insert(format!("{view:?}"), pen.answer(&view).unwrap_or_else(|bad| panic!("{bad}")));
    }
    pages
}

fn check(files: &[(&str, &str)], compiled: &[&str], left_to_handlebars: &[&str]) {
    let theme_here = theme(files);
    let names: Vec<&str> = theme_here.compiled().collect();
    for name in compiled {
        assert!(names.contains(name), "`{name}` should be compiled; these are: {names:?}");
    }
    for name in left_to_handlebars {
        assert!(!names.contains(name), "`{name}` cannot be compiled right");
    }
    let site = demo();
    let expected = pages(&site, &theme(files).uncompiled());
    let got = pages(&site, &theme_here);
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, page) in &got {
        assert_eq!(page, &expected[path], "{path}");
    }
}

#[test]
fn the_built_in_theme_is_compiled_whole() {
    let pages: Vec<&str> = TEMPLATES.into_iter().filter(|name| *name != "post").collect();
    check(&[], &pages, &[]);
    assert!(theme(&[]).post_is_compiled());
}

#[test]
fn the_built_in_theme_says_the_same_in_each_language() {
    let files = theme::read(Path::new("no-themes-here"), "default").expect("it is built in");
    let site = demo();
    for tag in locale::tags(&files) {
        let texts = locale::read(&files, tag).unwrap_or_else(|problems| panic!("{problems:?}")).texts;
        let in_language = || Theme::compile(&files, &texts, "/").unwrap_or_else(|bad| panic!("{bad}"));
        assert!(in_language().post_is_compiled(), "{tag}");
        assert_eq!(in_language().compiled().count(), theme(&[]).compiled().count(), "{tag}");
        let (expected, got) = (pages(&site, &in_language().uncompiled()), pages(&site, &in_language()));
        for (path, page) in &got {
            assert_eq!(page, &expected[path], "{tag}: {path}");
        }
    }
}

#[test]
fn what_templates_commonly_do_is_compiled() {
    let home = "\
{{!-- a comment --}}{{! another }}
{{#> page}}
  {{#if latest}}some{{else if boards}}boards{{else}}none{{/if}}
  {{#unless site.description}}quiet{{else}}{{site.description}}{{/unless}}
  {{#each latest}}
    {{title}} {{replies}} {{sticky}} {{this.href}} {{> mark}}
    {{#if (and sticky (not locked))}}pinned{{/if}}{{#if (ne board \"tech\")}}other{{/if}}
  {{else}}
    nothing
  {{/each}}
  {{~#if (or (eq threads_total 0) (eq page.kind \"home\"))~}}  close  {{~/if~}}
  \\{{literal}} {{{{raw}}}} {{x}} {{{{/raw}}}}
{{/page}}
";
    let without_raw = home.replace("{{{{raw}}}} {{x}} {{{{/raw}}}}", "");
    check(&[("home.hbs", &without_raw), ("partials/mark.hbs", "[{{no}}]\n")], &["thread"], &[]);
}

#[test]
fn what_only_handlebars_knows_is_left_to_it() {
    let clever = [
        "{{#each latest}}{{@index}} {{../threads_total}}{{/each}}",
        "{{#with site}}{{title}}{{/with}}",
        "{{#each latest as |row|}}{{row.title}}{{/each}}",
        "{{#*inline \"x\"}}inline{{/inline}}{{> x}}",
        "{{len latest}}",
        "{{lookup site \"title\"}}",
        "{{> mark no=threads_total}}",
        "  {{> mark site}}\n",
        "{{eq threads_total 1}}",
    ];
    for home in clever {
        check(&[("home.hbs", home), ("partials/mark.hbs", "[mark]\n")], &["thread", "index"], &["home"]);
    }
}

#[test]
fn a_field_that_does_not_exist_is_told_as_handlebars_tells_it() {
    for home in ["{{titel}}", "{{#if titel}}x{{/if}}", "{{#unless titel}}x{{/unless}}", "{{#if (eq titel 1)}}x{{/if}}"]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("default")).expect("a fresh folder takes folders");
        std::fs::write(folder.path().join("default/home.hbs"), format!("one\n{home}")).expect("and files");
        let files = theme::read(folder.path(), "default").expect("the theme can be read");
        let bad = Theme::compile(&files, &english(&files), "/").err().unwrap_or_else(|| panic!("{home} was taken"));
        assert_eq!(bad.place.map(|place| place.0), Some(2), "{home}: {bad}");
        assert!(bad.path.ends_with("default/home.hbs"), "{bad}");
    }
}
