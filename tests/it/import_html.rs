//! The HTML of comments, turned back into markup.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nejiboard::store::import::html;

/// Each HTML must become this markup.
fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(html::to_markup(source).body, *expected, "\n{source}");
    }
}

#[test]
fn lines_and_greentext() {
    check(&[
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ("one<br><br>two", "one\n\ntwo"),
        ("one <br>\n two<br>\n<br>\nthree\nfour", "one\ntwo\n\nthree four"),
        ("one\ntwo", "one\ntwo"),
        ("<span class=\"quote\">&gt;implying</span><br>no", ">implying\nno"),
        (
            "<p class=\"body-line ltr quote\">&gt;a</p><p class=\"body-line empty\"></p><p class=\"body-line ltr \">b</p>",
            ">a\n\nb",
        ),
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
        ("so<wbr>me", "some"),
        ("", ""),
        ("<br><br>a<br><br>", "a"),
    ]);
}

#[test]
fn quotes_stay_what_they_were() {
    check(&[
        ("<a href=\"#p12\" class=\"quotelink\">&gt;&gt;12</a><br>yes", ">>12\nyes"),
        (
            "<span class=\"quote\"><a href=\"3856791#p3856796\" class=\"quotelink\">&gt;&gt;3856796</a></span><br>x",
            ">>3856796\nx",
        ),
        ("<a onclick=\"highlightReply('2', event);\" href=\"/b/res/1.html#2\">&gt;&gt;2</a> a_b", ">>2 a_b"),
        ("<a href=\"/po/thread/1#p2\" class=\"quotelink\">&gt;&gt;&gt;/po/2</a>", ">>>/po/2"),
        (
            "<a href=\"//boards.4channel.org/po/catalog#s=lft\" class=\"quotelink\">&gt;&gt;&gt;/po/lft</a>",
            ">>>/po/lft",
        ),
        (
            "<a href=\"https://x.org/po/\"><a href=\"//x.org/po/\" class=\"quotelink\">&gt;&gt;&gt;/po/</a></a> - open",
            ">>>/po/ - open",
        ),
        ("<span class=\"deadlink\">&gt;&gt;99</span> and &gt;&gt;98", ">>99 and >>98"),
    ]);
}

#[test]
fn styles_spoilers_code_and_art() {
    check(&[
        ("a <b>bold</b>, <i>italic</i> and <strong><em>both</em></strong>", "a **bold**, *italic* and ***both***"),
        ("<b>two<br>lines</b>", "**two**\n**lines**"),
        ("<b> padded </b>x", " **padded** x"),
        ("<i></i>x<b> </b>y", "x y"),
        ("a<b>\"b\"</b>c", "a\"b\"c"),
        ("<b>a</b><i>b</i> x<b>y</b>", "ab xy"),
        ("no <s>he dies</s>!", "no [spoiler]he dies[/spoiler]!"),
        ("<span class=\"spoiler\">a<br>b <b>c</b></span>", "[spoiler]a[/spoiler]\n[spoiler]b **c**[/spoiler]"),
        ("<s><span class=\"quote\">&gt;he dies</span></s>", ">[spoiler]he dies[/spoiler]"),
        (
            "see<pre class=\"prettyprint\">if a &lt; b:<br>    *p = `x`</pre>done",
            "see\n```\nif a < b:\n    *p = `x`\n```\ndone",
        ),
        ("<pre>```<br>x</pre>", "````\n```\nx\n````"),
        ("<code>a*b*c</code> and <code>`</code>", "`a*b*c` and `` ` ``"),
        (
            "x<br><span class=\"sjis\">　 ∧＿∧<br>　（ ´∀｀） *_*</span><br>y",
            "x\n[aa]\n　 ∧＿∧\n　（ ´∀｀） *_*\n[/aa]\n\ny",
        ),
        ("<span class=\"sjis\">[/AA]</span>", "```\n[/AA]\n```"),
        ("<span class=\"heading\">News</span> <u>now</u> <font color=red>red</font>", "News now red"),
    ]);
}

#[test]
fn links() {
    check(&[
        (
            "<a href=\"http://a.org/very_long_path\">http://a.org/very_<wbr>long_path</a>.",
            "http://a.org/very_long_path.",
        ),
        (
            "see <a href=\"http://a.org/b_c_d\" rel=\"nofollow\">http://a.org/b_c_d</a><br>x",
            "see http://a.org/b_c_d\nx",
        ),
        ("<a href=\"https://a.org/123456789\">https://a.org/1234(...)</a>", "https://a.org/123456789"),
        ("<a href=\"https://a.org/?a=1&amp;lt=2\">https://a.org/?a=1&amp;lt=2</a>", "https://a.org/?a=1&lt=2"),
        ("<a href=\"https://a.org/(x)\">my *site*</a>", "[my \\*site\\*](https://a.org/%28x%29)"),
        ("<a href='//a.org/x y'>s</a>", "[s](https://a.org/x%20y)"),
        ("<a href=\"https://a.org\">https://a.org</a>b", "[https://a.org](https://a.org)b"),
        ("<a href=\"javascript:alert(1)\">click</a> <a href=/rules>rules</a> <a name=x>y</a>", "click rules y"),
        ("http://a.org/_x_/*y* and *z*", "http://a.org/_x_/*y\\* and \\*z\\*"),
    ]);
}

#[test]
fn character_references() {
    check(&[
        ("a&#44; b&#x2c; c&#44 d &amp;lt; &eacute;&euro;&hellip;", "a, b, c, d &lt; é€…"),
        ("&gt&gt1 &ampx &copy 1 &nosuch; &; &#; &#x;", ">>1 &x © 1 &nosuch; &; &#; &#x;"),
        ("&#55357;&#56832; &#xD83D; &#1114112; &#99999999999999999999; &#0;", "😀 � � � �"),
        ("&#147;quoted&#148; &#x80;", "“quoted” €"),
        ("a&#8;b&#27;[31m&#13;c", "ab[31m\nc"),
    ]);
}

#[test]
fn text_is_escaped_where_markup_would_change_it_and_nowhere_else() {
    check(&[
        ("2 * 3 * 4, 5*3, *really*", "2 * 3 * 4, 5*3, \\*really\\*"),
        ("one *", "one *"),
        ("snake_case_name __init__ a_b", "snake_case_name \\_\\_init\\_\\_ a_b"),
        ("`unfolds&#039; them", "`unfolds' them"),
        ("`a` b", "\\`a\\` b"),
        ("- a<br>-3-<br>--x<br>-<br>+ b<br> * c", "\\- a\n-3-\n--x\n-\n\\+ b\n\\* c"),
        ("1. a<br>2) b<br>3.5<br>1234567890. c<br>4.", "1.\u{A0}a\n2)\u{A0}b\n3.5\n1234567890. c\n4."),
        ("a<br>===<br>---<br>_ _ _", "a\n===\n---\n_ _ _"),
        ("~~~<br>```", "\\~~~\n\\`\\`\\`"),
        ("[code]x[/code] [Spoiler] [aa] [b]", "\\[code]x\\[/code] \\[Spoiler] \\[aa] [b]"),
        ("[x](http://a.org) [y](z)", "[x\\](http://a.org) [y](z)"),
        ("||a|| || b | c |||", "\\||a\\|| || b | c |||"),
        ("&lt;b&gt; &amp;amp; # a &lt;3", "<b> &amp; # a <3"),
        ("\\o/ C:\\dir a\\<br>b", "\\o/ C:\\dir a\\\nb"),
        ("    code<br>  b", "    code\n  b"),
        ("* <b>x</b> y*z *w", "\\* **x** y*z \\*w"),
        (
            "see http://a.org/(b)_c_, *d* e* <s>http://a.org/x</s>",
            "see http://a.org/(b)_c_, \\*d\\* e\\* [spoiler]http://a.org/x [/spoiler]",
        ),
        ("wow!<a href=\"http://a.org\">x</a>", "wow! [x](http://a.org)"),
        ("&gt;as typed", ">as typed"),
    ]);
}

#[test]
fn what_markup_has_no_word_for_is_counted() {
    let source = "a<u>b</u><script>alert(1)</script><img src=x alt=\":3\"><table class=\"exif\"><tr><td>Camera</td></tr></table>\
                  <span class=\"abbr\">Comment too long.</span><a href=\"mailto:x\">y</a><i>!</i>z";
    let markup = html::to_markup(source);
    assert_eq!(markup.body, "ab:3y!z");
    let lost: Vec<(&str, u64)> = markup.lost.into_iter().collect();
    assert_eq!(
        lost,
        [
            ("embedded things", 1),
            ("links", 1),
            ("notices", 1),
            ("picture data tables", 1),
            ("pictures in text", 1),
            ("text styles", 2)
        ]
    );
}

#[test]
fn broken_html_is_text() {
    check(&[
        ("a < b", "a < b"),
        ("a <", "a <"),
        ("a <3 b", "a <3 b"),
        ("a <b", "a <b"),
        ("a <b c", "a <b c"),
        ("a<!-- gone -->b<!doctype x>c", "abc"),
        ("a<!-- never closed", "a<!-- never closed"),
        ("a</b></p></nosuch>b", "a\nb"),
        ("<b>a <i>b</b> c</i>d", "**a** ***b*** cd"),
        ("<a href=\"x>y\">z</a>", "z"),
        ("<a href=\"x>z</a>", "z"),
        ("<b class=>a</b>", "**a**"),
    ]);
}

#[test]
fn names_and_subjects_are_plain_text() {
    assert_eq!(html::to_text("<span class=\"x\">A &amp; B</span> <i>c*</i>"), "A & B c*");
}

/// 64 KB of the nastiest: nesting, unclosed quotes, tags without end.
#[test]
fn the_nastiest_comments_take_no_time() {
    let units = [
        "<",
        "<a ",
        "<a href=\"",
        "<a href='\"",
        "<b>",
        "<b><i><s>",
        "</b>",
        "<a href=\"http://a.org\">",
        "<!--",
        "<!-- -->",
        "&",
        "&#",
        "&#1",
        "&#55357;",
        "*",
        "**a",
        "_a",
        "`",
        "[",
        "](",
        "||",
        "\\",
        "> ",
        "<pre>",
        "<pre></pre>",
        "<span class=\"sjis\">",
        "<p>",
        "<br>",
        " ",
        "<a b=\"> <a =\"> \"=\"",
        "http://",
        "<s>x</s>",
        "<i>x</i>y",
        "<img alt=\"",
        "x<code>`</code>",
    ];
    let start = Instant::now();
    for unit in units {
        html::to_markup(&unit.repeat(65_536 / unit.len()));
    }
    for inner in ["_", "](http://[", "[](http://a", "http://", "||", "</b>"] {
        html::to_markup(&format!("<a href=\"http://a.org\">{}</a>", inner.repeat(65_536 / inner.len())));
        html::to_markup(&inner.repeat(65_536 / inner.len()));
    }
    // Unoptimized, all of them together take well under a second; anything quadratic takes minutes.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

/// What a reader sees of HTML, spaces and line ends aside.
fn seen(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text += rest;
    for (from, to) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#44;", ","), ("&amp;", "&")]
    {
        text = text.replace(from, to);
    }
    without_spaces(&text)
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What a reader sees of the few kinds of markup that the samples come to, spaces and line ends aside.
fn seen_of_markup(body: &str) -> String {
    let plain = body.replace("***", "").replace("**", "");
    let lines = plain.lines().map(|line| {
        // In the samples, a star at the start of a line and at its end is emphasis.
        line.strip_prefix('*').and_then(|line| line.strip_suffix('*')).unwrap_or(line).replace('\\', "")
    });
    without_spaces(&lines.collect::<Vec<_>>().join("\n"))
}

/// The thread files of the sample data; empty where there is none.
fn samples() -> Vec<PathBuf> {
    let root = std::env::var_os("NEJIBOARD_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
        .join("threads-4chan-json");
    let files = ["ck/thread/3856791.json", "po/thread/570368.json", "lainchan-vichan-dialect/thread-14298.json"];
    if !root.is_dir() {
        eprintln!("sample data absent at {}: set NEJIBOARD_SAMPLES", root.display());
        return Vec::new();
    }
    files.iter().map(|file| root.join(file)).collect()
}

#[test]
fn the_samples_say_what_they_said() {
    let mut comments = 0;
    for path in samples() {
        let thread: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for post in thread["posts"].as_array().unwrap() {
            let source = post["com"].as_str().unwrap_or("");
            let body = html::to_markup(source).body;
            assert_eq!(seen_of_markup(&body), seen(source), "{} of {}", post["no"], path.display());
            comments += 1;
        }
    }
    assert!(comments == 0 || comments == 37, "{comments}");
}

/// Pieces of comments, whole and broken.
fn pieces() -> Vec<&'static str> {
    vec![
        "a",
        "日",
        " ",
        "\n",
        "*",
        "**",
        "_",
        "`",
        "[",
        "](http://a.org)",
        "||",
        "\\",
        "- ",
        "1. ",
        "&gt;",
        "&gt;&gt;1",
        "&#",
        "<br>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<s>",
        "</s>",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "<span class=\"sjis\">",
        "</span>",
        "<a href=\"http://a.org/\">",
        "</a>",
        "<a href='",
        "<p>",
        "</p>",
        "<table class=\"exif\">",
        "</table>",
        "<",
        ">",
        "<!--",
        "http://a.org/b_c",
        "[code]",
        "[/aa]",
        "<img alt=x>",
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 2_000, ..Default::default() })]

    /// No comment breaks the converter, and each letter of its text stays.
    #[test]
    fn any_comment_becomes_markup(
        parts in proptest::collection::vec(proptest::sample::select(pieces()), 0..24)
    ) {
        let source = parts.concat();
        let markup = html::to_markup(&source);
        let dropped = ["<table", "<a href='", "<!--", "<", "<img"].iter().any(|part| parts.contains(part) || source.contains("<table"));
        let letters = |text: &str| text.matches('日').count();
        assert!(dropped || letters(&markup.body) == letters(&source), "{source:?} {markup:?}");
        assert!(markup.body.len() <= 60 + source.len() * 20);
    }
}
