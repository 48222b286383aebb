//! What lists and titles show of a post: what a reader sees, and no spoiler.

use nejiboard::render::excerpt;

use super::sandbox::Sandbox;

fn check(rows: &[(&str, &str)]) {
    for (body, expected) in rows {
        let shown = excerpt(body);
        let one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(one_line, *expected, "of {body:?}: {shown:?}");
    }
}

#[test]
fn an_excerpt_is_what_a_reader_sees() {
    check(&[
        ("plain", "plain"),
        ("**bold** and `code` & <b>\"tags\"</b>", "bold and code & <b>\"tags\"</b>"),
        ("one\ntwo\n\nthree", "one two three"),
        (">green\nwhite", ">green white"),
        ("- a\n- b", "a b"),
        ("[words](https://example.org/)", "words"),
        ("```\nlet x = 1 < 2;\n```\nand so on", "let x = 1 < 2; and so on"),
        ("&amp;lt; stays", "&amp;lt; stays"),
        ("", ""),
    ]);
}

#[test]
fn an_excerpt_hides_what_the_post_hides() {
    check(&[
        ("he is ||the butler||!", "he is ▒▒▒!"),
        ("[spoiler]one\n**two**[/spoiler] three", "▒▒▒ three"),
        ("||a **b** [c](https://example.org/) `d`|| e", "▒▒▒ e"),
        ("[aa]\n /\\\n[/aa]\ntext", "text"),
        (">>12\n>>>/tech/3 hello >>4", "hello >>4"),
        (&format!("{}hello >>4", ">>12\n".repeat(103)), "hello >>4"),
    ]);
}

#[test]
fn a_spoiler_of_an_opening_post_is_on_its_thread_alone() {
    let site = Sandbox::new(
        "
==> content/tech/1.md
--- {no: 1}
the murderer is ||Colonel Mustard|| **really**
",
    );
    site.build();
    for page in ["index.html", "tech/catalog.html"] {
        let html = site.page(page);
        assert!(!html.contains("Mustard") && !html.contains("**"), "{page}: {html}");
        assert!(html.contains("the murderer is ▒▒▒ really"), "{page}: {html}");
    }
    let thread = site.page("tech/thread/1.html");
    assert_eq!(thread.matches("Mustard").count(), 1, "{thread}");
    assert!(thread.contains("<s>Colonel Mustard</s>"), "{thread}");
}
