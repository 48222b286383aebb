//! How templates and scripts call texts.

use nejiboard::render::Theme;
use nejiboard::render::wording::{Misworded, expand, expand_script};

use super::{files, texts};

/// A few texts beside the built-in ones.
const OWN: (&str, &str) = (
    "locales/en.yaml",
    "fish: 'Fish & \"chips\" \\ back'\n\
     greet: 'Good {when}, {name}'\n\
     n-fish: {one: 'a fish in {where}', other: '{n} fish in {where}'}\n\
     n-same: {other: '{n} sheep'}\n",
);

fn expanded(template: &str) -> String {
    expand(template, &texts(&[OWN], "en")).unwrap_or_else(|bad| panic!("{template}: {bad}")).source
}

#[track_caller]
fn check(template: &str, wanted: &str) {
    assert_eq!(expanded(template), wanted, "{template}");
}

fn refused(template: &str) -> Misworded {
    expand(template, &texts(&[OWN], "en")).expect_err(template)
}

#[test]
fn a_call_becomes_the_text_escaped() {
    check("<p>{{t \"reply\"}}</p>", "<p>Reply</p>");
    check("{{t 'reply'}}{{t  \"reply\" }}", "ReplyReply");
    // The backslash would make braces behind it text.
    check("{{t \"fish\"}}{{x}}", "Fish &amp; &quot;chips&quot; &#92; back{{x}}");
}

#[test]
fn values_are_paths_or_pieces_of_template() {
    check("{{t \"greet\" when=../now name=page.title}}", "Good {{../now}}, {{page.title}}");
    check(
        "{{t 'greet' name='<b>{{name}}</b>' when=\"{{t 'fish'}}\"}}",
        "Good Fish &amp; &quot;chips&quot; &#92; back, <b>{{name}}</b>",
    );
}

#[test]
fn a_counted_text_becomes_a_choice() {
    check(
        "{{t \"n-fish\" n=this.fish where=sea}}",
        "{{#if (eq this.fish 1)}}a fish in {{sea}}{{else}}{{this.fish}} fish in {{sea}}{{/if}}",
    );
    // Where one is said the same way there is nothing to choose.
    check("{{t \"n-same\" n=sheep}}", "{{sheep}} sheep");
}

#[test]
fn what_is_no_call_stays_as_it_is() {
    for template in [
        "{{t}} {{t.x}} {{this}} {{#if t}}{{/if}} {{title}} {{> t}}",
        "\\{{t \"reply\"}}",
        "{{! {{t \"no-such\" }} {{!-- }} {{t \"no-such\"}} --}}",
        "{{{{raw}}}} {{t \"no-such\"}} {{{{/raw}}}}",
        "{{!-- never closed {{t \"no-such\"}}",
        "{{",
        "t \"reply\"}}",
    ] {
        check(template, template);
    }
    check("\\\\{{t \"reply\"}} {{!-- x --}}{{t \"reply\"}}", "\\\\Reply {{!-- x --}}Reply");
}

#[test]
fn what_cannot_be_a_call_is_told_with_its_place() {
    let cases = [
        ("\n é{{t \"repyl\"}}", 2, 3, "there is no text `repyl`: did you mean `reply`?"),
        ("{{t \"zzzzzzzz\"}}", 1, 1, "there is no text `zzzzzzzz`; it has to stand in `locales/en.yaml`"),
        ("a{{{t \"reply\"}}}", 1, 2, "two braces, and nothing else before the `t`"),
        ("{{~t \"reply\"}}", 1, 1, "two braces, and nothing else before the `t`"),
        ("{{& t \"reply\"}}", 1, 1, "two braces, and nothing else before the `t`"),
        ("{{t \"reply\" n=}}", 1, 1, "a text is written `{{t \"key\"}}`"),
        ("{{t \"reply\" n = x}}", 1, 1, "a text is written"),
        ("{{t \"reply\"x=y}}", 1, 1, "a text is written"),
        ("{{t \"reply\"", 1, 1, "a text is written"),
        ("{{t \"greet\"\nname=x when=y}}", 1, 1, "on one line"),
        ("{{t \"greet\" name='a\nb' when=y}}", 1, 1, "on one line"),
        ("{{t \"greet\" name=x}}", 1, 1, "the text `greet` needs the value `when=…`"),
        ("{{t \"reply\" name=x}}", 1, 1, "the text `reply` takes no value `name`"),
        ("{{t \"n-fish\" where=x}}", 1, 1, "the text `n-fish` is counted: give it a number"),
        ("{{t \"n-fish\" n='x' where=x}}", 1, 1, "the text `n-fish` is counted: give it a number"),
        ("{{t \"greet\" name=\"{{t 'repyl'}}\" when=x}}", 1, 1, "there is no text `repyl`"),
    ];
    for (template, line, column, message) in cases {
        let told = refused(template);
        assert_eq!((told.line, told.column), (line, column), "{template}: {told}");
        assert!(told.message.contains(message), "{template}: {told}");
    }
}

#[test]
fn faults_elsewhere_in_a_template_are_told_where_they_stand_in_its_file() {
    let place = |home: &str| {
        let over = [("home.hbs", home), OWN];
        let bad = Theme::compile(&files(&over), &texts(&over, "en"), "/").err().unwrap_or_else(|| panic!("{home}"));
        assert_eq!(bad.path.to_str(), Some("home.hbs"), "{bad}");
        bad.place.unwrap_or_else(|| panic!("{bad}"))
    };
    // Drawn, parsed, refused for its braces, and misworded.
    assert_eq!(place("é {{t \"fish\"}} {{t \"reply\"}} {{misspelt}}"), (1, 30));
    assert_eq!(place("\n{{t \"n-threads\" n=threads_total}}\n{{t \"n-posts\" n=threads_total}} {{misspelt}}"), (3, 33));
    assert_eq!(place("{{t \"reply\"}}\n{{t \"no-boards\"}} {{{site.title}}}"), (2, 19));
    assert_eq!(place("{{t \"reply\"}}\n{{t \"reply\"}} {{t \"no-such-text\"}}"), (2, 15));
    // A value that does not exist stands where the text is called.
    assert_eq!(place("{{t \"reply\"}} {{t \"thread-no\" no=misspelt}}"), (1, 15));
}

#[test]
fn a_template_of_texts_is_compiled_as_one_that_has_them_written_out() {
    let over = [
        ("post.hbs", "{{t 'post-no' no=no}} {{#if sage}}{{t 'mark-sage'}}{{/if}} {{{body}}}"),
        ("home.hbs", "{{#> page}}{{t 'figures' threads='{{t \"n-threads\" n=threads_total}}' posts='x'}}{{/page}}"),
    ];
    let theme = Theme::compile(&files(&over), &texts(&over, "en"), "/").unwrap_or_else(|bad| panic!("{bad}"));
    assert!(theme.post_is_compiled());
    assert!(theme.compiled().any(|name| name == "home"));
}

fn script(source: &str) -> Result<String, Misworded> {
    let odd = ("locales/en.yaml", "odd: \"</script> `'\\\"\\\\ ${x} & \\u2028 é\"\nleft: '{n} left'\n");
    expand_script(source, &texts(&[odd], "en"))
}

#[test]
fn a_script_says_texts_in_its_strings() {
    let said = |source: &str| script(source).unwrap_or_else(|bad| panic!("{source}: {bad}"));
    assert_eq!(said("say(\"{{t 'reply'}}\", '{{t \"left\"}}')"), "say(\"Reply\", '{n} left')");
    assert_eq!(said("[\"{{t \"n-replies.one\"}}\", \"{{t \"n-replies.other\"}}\"]"), "[\"1 reply\", \"{n} replies\"]");
    let odd = said("\"{{t 'odd'}}\"");
    assert_eq!(odd, "\"\\u003c/script\\u003e \\u0060\\u0027\\u0022\\u005c \\u0024{x} \\u0026 \\u2028 é\"");
    for own in ["a = {{x: 1}}; `${t}`", "{{t }} {{t x}} {{t 'A b'}} {{t 'reply' }", "{{ t 'reply'}}", "{{t \"reply'}}"]
    {
        assert_eq!(said(own), own);
    }
}

#[test]
fn a_script_that_asks_for_what_there_is_not_is_told_with_its_place() {
    let cases = [
        ("\n  \"{{t 'repyl'}}\"", 2, 4, "there is no text `repyl`: did you mean `reply`?"),
        ("\"{{t 'n-replies'}}\"", 1, 2, "ask for `n-replies.one` and `n-replies.other`"),
        ("\"{{t 'n-replies.two'}}\"", 1, 2, "ask for `n-replies.one` and `n-replies.other`"),
        ("\"{{t 'reply.one'}}\"", 1, 2, "the text `reply` is not counted"),
    ];
    for (source, line, column, message) in cases {
        let told = script(source).expect_err(source);
        assert_eq!((told.line, told.column), (line, column), "{source}: {told}");
        assert!(told.message.contains(message), "{source}: {told}");
    }
}

#[test]
fn an_asset_with_texts_is_named_after_what_it_says() {
    let over = [
        ("assets/board.js", "say(\"{{t 'reply'}}\")"),
        ("assets/page.css", "/* {{t 'no-such'}} */"),
        ("locales/fr.yaml", "reply: 'Répondre'\n"),
    ];
    let asset = |tag| {
        let theme = Theme::compile(&files(&over), &texts(&over, tag), "/").unwrap_or_else(|bad| panic!("{bad}"));
        let path = theme.assets().find(|path| path.starts_with("assets/board.")).unwrap().to_owned();
        // Only scripts have texts.
        assert!(theme.assets().any(|path| path.starts_with("assets/page.")));
        (String::from_utf8(theme.asset(&path).unwrap().to_vec()).unwrap(), path)
    };
    let (english, french) = (asset("en"), asset("fr"));
    assert_eq!([&*english.0, &*french.0], ["say(\"Reply\")", "say(\"Répondre\")"]);
    assert_ne!(english.1, french.1);
    let over = [("assets/board.js", "\n\"{{t 'repyl'}}\"")];
    let bad = Theme::compile(&files(&over), &texts(&over, "en"), "/").err().unwrap();
    assert_eq!(bad.to_string(), "assets/board.js:2:2: there is no text `repyl`: did you mean `reply`?");
}
