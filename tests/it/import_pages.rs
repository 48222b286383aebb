//! The HTML of forums, turned back into markup: what a reader of the source saw is what a reader sees here.

pub mod seen;

use std::fs;

use nejiboard::model::PostNo;
use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Links, render};
use nejiboard::store::import::html::{Markup, page_to_markup};
use serde_json::Value;

use super::sandbox::samples;
use seen::{of_page, of_post};

fn converted(html: &str) -> Markup {
    page_to_markup(html, &|topic, post| (topic == 7).then(|| PostNo::new(100 + post)).flatten())
}

/// Each HTML must become this markup.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(converted(source).body, *expected, "\n{source}");
    }
}

struct NoLinks;

impl Links for NoLinks {
    fn href(&self, _: &Quote, _: &mut String) -> bool {
        false
    }
}

/// What a reader of this site sees of a post of another one.
pub fn shown(html: &str) -> String {
    let body = page_to_markup(html, &|_, _| None).body;
    let mut out = String::new();
    render(&body, &NoLinks, &mut out);
    of_post(&out)
}

#[test]
fn paragraphs_and_spaces_are_those_of_a_page() {
    check(&[
        ("<p>a\n  b</p>\n\n<p>c<br>\nd</p>\n", "a b\n\nc\nd"),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("a <b> b </b> c", "a **b** c"),
        ("<p></p><p> </p><p>a</p><hr><p>b</p>", "a\n\nb"),
        ("no tags\nat all", "no tags at all"),
        ("a&nbsp;&nbsp;b", "a\u{A0}\u{A0}b"),
    ]);
}

#[test]
fn quotes_are_greentext_line_by_line() {
    check(&[
        ("<p>x</p><blockquote>\n<p>a<br>b</p>\n<p>c</p>\n</blockquote>\n<p>y</p>", "x\n\n> a\n> b\n\n> c\n\ny"),
        ("<blockquote><blockquote><p>in</p></blockquote><p><b>out</b></p></blockquote>", "> > in\n\n> **out**"),
        ("<blockquote><ul><li>a</li><li>b</li></ul><ol><li>c</li></ol></blockquote>", "> - a\n> - b\n> 1. c"),
        ("<blockquote class=\"spoiler\"><p>he <b>dies</b></p></blockquote>", "[spoiler]he **dies**[/spoiler]"),
        (
            "<blockquote><pre><code>x</code></pre><p>see <a href=\"http://a.org/b\">http://a.org/b</a></p></blockquote>",
            "```\nx\n```\n> see http://a.org/b",
        ),
        // A link may be the first of its line.
        ("<blockquote><a href=\"http://a.org\">t</a> u</blockquote>", "> [t](http://a.org) u"),
        ("<p>&gt; no quote<br>&gt;&gt;12 neither, a&gt;&gt;12</p>", "\\> no quote\n\\>>12 neither, a\\>>12"),
    ]);
}

#[test]
fn a_forums_quote_names_the_post_that_it_quotes() {
    let aside = |topic: u64| {
        format!(
            "<aside class=\"quote no-group\" data-username=\"Neji\" data-post=\"5\" data-topic=\"{topic}\">\n\
             <div class=\"title\">\n<div class=\"quote-controls\"></div>\n\
             <img alt=\"\" width=\"20\" src=\"https://x.org/40.png\" class=\"avatar\"> Neji:</div>\n\
             <blockquote>\n<p>When?</p>\n</blockquote>\n</aside>\n<p>Now.</p>"
        )
    };
    check(&[(&aside(7), ">>105 Neji:\n> When?\n\nNow."), (&aside(8), "Neji:\n> When?\n\nNow.")]);
    assert_eq!(converted(&aside(7)).lost["avatars"], 1);
}

#[test]
fn lists_nest_and_hold_more_than_a_line() {
    check(&[
        ("<p>x</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>y</p>", "x\n\n- a\n- b\ny"),
        ("<ol><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ol>", "1. a\n  - b\n    - c\n2. d"),
        ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "- a\n\n  b\n\n- c"),
        ("<ul><li>a<pre><code>x\n  y</code></pre></li><li>b</li></ul>", "- a\n  ```\n  x\n    y\n  ```\n- b"),
        ("a<ol start=\"3\"><li>c</li><li>d</li></ol>", "a\n\n3. c\n4. d"),
        ("<ul><li></li><li>a<br>- b<br>&gt; c</li></ul>", "- a\n\\- b\n\\> c"),
        ("<ul><li><ul><li>a</li><li>b</li></ul></li><li>c</li></ul>", "- a\n- b\n- c"),
    ]);
}

#[test]
fn headings_tables_keys_and_code() {
    check(&[
        ("<h2>Two <em>words</em></h2><p>x</p>", "**Two** ***words***\nx"),
        (
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td><td>3 | 4</td></tr></tbody></table>",
            "a | b\n1 | | 3 | 4",
        ),
        ("press <kbd>Ctrl</kbd> or <code>a*b</code>", "press `Ctrl` or `a*b`"),
        ("<pre class=\"lang-c\"><code>int a;\n\n&lt;b&gt;\n</code></pre>", "```\nint a;\n\n<b>\n```"),
        ("<details><summary>Log</summary><p>a</p></details>b", "**Log**\na\n\nb"),
        ("x<s>y</s><sub>z</sub>", "xyz"),
        (
            "<div class=\"spoiler\"><p>a</p></div><span class=\"spoiler\">b</span>",
            "[spoiler]a[/spoiler]\n\n[spoiler]b[/spoiler]",
        ),
    ]);
}

#[test]
fn pictures_are_links_and_counted() {
    check(&[
        ("<p>see <img src=\"http://a.org/x.png\" alt=\"\"></p>", "see http://a.org/x.png"),
        ("<img src=\"//a.org/x.png\" alt=\"A\n [fox]\">", "[A \\[fox\\]](https://a.org/x.png)"),
        (
            "<div class=\"lightbox-wrapper\"><a class=\"lightbox\" href=\"http://a.org/big.jpg\"><img src=\"http://a.org/s.jpg\" alt=\"\">\
             <div class=\"meta\"><svg><use></use></svg><span class=\"informations\">10×5</span></div></a></div>x",
            "http://a.org/big.jpg\nx",
        ),
        ("<a href=\"http://a.org/\"><img src=\"http://a.org/s.jpg\" alt=\"fox\"></a>", "[fox](http://a.org/)"),
        ("nice <img src=\"https://e.org/wink.png\" class=\"emoji\" alt=\":wink:\">", "nice :wink:"),
        ("<img src=\"/uploads/1.png\" alt=\"fox\">", "fox"),
        ("<iframe src=\"https://v.org/1\"></iframe>", "https://v.org/1"),
    ]);
    let lost = converted(
        "<img src=\"http://a.org/x.png\"><img class=\"emoji\" alt=\":a:\"><img src=\"x\"><a class=\"mention\" href=\"/u/a\">@a</a>\
         <a href=\"/about\">b</a><h1>c</h1><aside class=\"onebox\">d</aside><div class=\"poll\">e</div><hr><table></table>",
    )
    .lost;
    let lost: Vec<(&str, u64)> = lost.into_iter().collect();
    assert_eq!(
        lost,
        [
            ("headings", 1),
            ("links", 1),
            ("mentions", 1),
            ("pictures in text", 1),
            ("pictures of emoji", 1),
            ("pictures that are links now", 1),
            ("polls", 1),
            ("previews of links", 1),
            ("rules", 1),
            ("tables", 1)
        ]
    );
}

/// The bodies of the samples: 391 posts of Discourse, 540 questions and answers.
fn bodies() -> Vec<(String, String)> {
    let Some(samples) = samples() else { return Vec::new() };
    let mut bodies = Vec::new();
    for entry in fs::read_dir(samples.join("threads-discourse-json")).unwrap() {
        let path = entry.unwrap().path();
        let topic: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for post in topic["post_stream"]["posts"].as_array().unwrap() {
            let name = format!("{} {}", path.display(), post["post_number"]);
            bodies.push((name, post["cooked"].as_str().unwrap().to_owned()));
        }
    }
    let posts = fs::read_to_string(samples.join("threads-stackexchange-xml/coffee/Posts.xml")).unwrap();
    for row in posts.lines().filter(|line| line.contains("<row ")) {
        let value =
            |name: &str| row.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
        if matches!(value("PostTypeId"), Some("1" | "2")) {
            let mut body = value("Body").unwrap().to_owned();
            for (from, to) in
                [("&#xA;", "\n"), ("&#xD;", "\r"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
            {
                body = body.replace(from, to);
            }
            bodies.push((format!("post {}", value("Id").unwrap()), body));
        }
    }
    bodies
}

#[test]
fn the_samples_show_what_they_showed() {
    let bodies = bodies();
    assert!(bodies.is_empty() || bodies.len() == 391 + 540, "{}", bodies.len());
    let mut wrong = Vec::new();
    for (name, html) in &bodies {
        let (expected, there) = (of_page(html), shown(html));
        if expected != there {
            let at = expected.bytes().zip(there.bytes()).take_while(|(a, b)| a == b).count();
            let part = |text: &str| {
                let from = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
                text[from..].chars().take(60).collect::<String>()
            };
            wrong.push(format!("{name}: {:?} became {:?}", part(&expected), part(&there)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), bodies.len(), wrong.join("\n"));
}

/// 64 KB of the nastiest: nesting, lists without end, links around everything.
#[test]
fn the_nastiest_posts_take_no_time() {
    let start = std::time::Instant::now();
    for unit in
        PIECES.iter().chain(&["<ul><li>", "<blockquote><p>x", "<li>x", "<td>x", "<a href=\"http://a.org\"><p>x</p>"])
    {
        converted(&unit.repeat(65_536 / unit.len()));
    }
    // Unoptimized, all of them together take about a second; anything quadratic takes minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// Pieces of posts, whole and broken.
const PIECES: [&str; 48] = [
    "a",
    "日",
    " ",
    "\n",
    "*",
    "_",
    "`",
    "[",
    "](http://a.org)",
    "||",
    "- ",
    "1. ",
    "&gt;",
    "&gt;&gt;1",
    "<br>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<p>",
    "</p>",
    "<blockquote>",
    "</blockquote>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<ol start=\"5\">",
    "</ol>",
    "<li>",
    "</li>",
    "<pre>",
    "</pre>",
    "<code>",
    "</code>",
    "<a href=\"http://a.org/\">",
    "</a>",
    "<table>",
    "<tr>",
    "<td>",
    "</td></tr></table>",
    "<h2>",
    "</h2>",
    "<div class=\"spoiler\">",
    "</div>",
    "<hr>",
    "<img src=\"http://a.org/x.png\" alt=\"x\">",
    "<aside class=\"quote\" data-post=\"1\" data-topic=\"7\">",
    "</aside>",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 1_500, ..Default::default() })]

    /// No post breaks the converter, each letter of its text stays, and what comes of it renders.
    #[test]
    fn any_post_becomes_markup(parts in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..24)) {
        let source = parts.concat();
        let markup = converted(&source);
        let letters = |text: &str| text.matches('日').count();
        assert_eq!(letters(&markup.body), letters(&source), "{source:?} {markup:?}");
        let mut out = String::new();
        render(&markup.body, &NoLinks, &mut out);
        assert_eq!(letters(&out), letters(&source), "{source:?} {markup:?} {out:?}");
    }
}
