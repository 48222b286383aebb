//! Themes as the program compiles them: what is refused, and that the quick way to draw a post gives what handlebars
//! gives, byte for byte.

use std::path::PathBuf;

use nejiboard::model::theme::ThemeFile;
use nejiboard::render::{BadTheme, Theme};

/// The built-in theme with some of its files replaced.
fn compile(replaced: &[(&str, &str)]) -> Result<Theme, BadTheme> {
    let folder = super::sandbox::Sandbox::empty();
    let mut files = nejiboard::store::theme::read(&folder.path("themes"), "default").expect("it is built in");
    for (path, text) in replaced {
        let file = ThemeFile { bytes: text.as_bytes().to_vec(), origin: PathBuf::from(path) };
        files.files.insert((*path).to_owned(), file);
    }
    Theme::compile(&files, "/")
}

/// SECURITY: each of these would write what a stranger typed without escaping it.
#[test]
fn no_template_gets_a_strangers_text_into_triple_braces() {
    let raw = ("partials/raw.hbs", "{{body}}");
    for (path, template) in [
        ("post.hbs", "{{&subject}}"),
        ("post.hbs", "{{#if op}}{{else}}{{{name}}}{{/if}}"),
        ("post.hbs", "{{#*inline \"p\"}}{{{subject}}}{{/inline}}{{> p}}"),
        ("post.hbs", "{{#*inline \"p\"}}{{{body}}}{{/inline}}{{> p body=subject}}"),
        ("post.hbs", "{{#each backlinks as |body|}}{{{body}}}{{/each}}"),
        ("post.hbs", "{{#each backlinks as |link body|}}{{{body}}}{{/each}}"),
        ("post.hbs", "{{> raw body=subject}}"),
        ("post.hbs", "{{{lookup this \"subject\"}}}"),
        ("post.hbs", "{{> (lookup this \"subject\")}}"),
        ("thread.hbs", "{{> post body=subject}}"),
        ("thread.hbs", "{{#> post form}}{{/post}}"),
        ("thread.hbs", "{{{form.body}}}"),
        ("thread.hbs", "{{#> raw posts=subject}}{{{posts}}}{{/raw}}"),
        ("partials/form.hbs", "<textarea>{{{body}}}</textarea>"),
    ] {
        let bad = compile(&[raw, (path, template)]).err().unwrap_or_else(|| panic!("accepted: {path}: {template}"));
        let message = bad.to_string();
        let told = [
            "`, which may stand in triple",
            "stands in triple braces",
            "has to stand in the template",
            "cannot be a partial",
        ];
        assert!(
            message.starts_with(path) && told.iter().any(|words| message.contains(words)),
            "{path}: {template}: {message}"
        );
    }
    let fine =
        compile(&[("post.hbs", "{{#*inline \"p\"}}<b>{{subject}}</b>{{/inline}}{{> p}}{{#if op}}{{{body}}}{{/if}}")]);
    assert!(fine.is_ok(), "{:?}", fine.err());
}
