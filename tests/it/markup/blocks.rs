//! Code and art.

use nejiboard::render::markup::Renderer;

use super::{Known, check, html};

#[test]
fn fences_hold_code() {
    check(&[
        ("```\na\n```", r#"<pre class="prettyprint">a</pre>"#),
        ("~~~\na\n~~~", r#"<pre class="prettyprint">a</pre>"#),
        ("```rust\nfn a() {}\n```", r#"<pre class="prettyprint">fn a() {}</pre>"#),
        ("```c++\na\n```", r#"<pre class="prettyprint">a</pre>"#),
        ("a\n```\n  b\n\n\tc\n```\nd", r#"a<pre class="prettyprint">  b<br><br>	c</pre>d"#),
        ("a\n\n```\nb\n```\n\nc", r#"a<pre class="prettyprint">b</pre>c"#),
        ("````\n```\na\n````", r#"<pre class="prettyprint">```<br>a</pre>"#),
        ("~~~\n```\n~~~", r#"<pre class="prettyprint">```</pre>"#),
        ("  ```\n  a\n    b\n c\n  ```", r#"<pre class="prettyprint">a<br>  b<br>c</pre>"#),
        (
            "```\n*a* <b> >>12 ||c|| [spoiler]d[/spoiler] https://e.f\n```",
            r#"<pre class="prettyprint">*a* &lt;b&gt; &gt;&gt;12 ||c|| [spoiler]d[/spoiler] https://e.f</pre>"#,
        ),
        ("```\n\na\n\n```", r#"<pre class="prettyprint"><br>a<br></pre>"#),
        ("```\n```", r#"<pre class="prettyprint"></pre>"#),
        (">a\n```\n>b\n```", r#"<span class="quote">&gt;a</span><pre class="prettyprint">&gt;b</pre>"#),
    ]);
}

#[test]
fn fences_may_stand_beside_the_code() {
    check(&[
        ("```print(1)\n```", r#"<pre class="prettyprint">print(1)</pre>"#),
        ("```let a = 1;\n  b```\nc", r#"<pre class="prettyprint">let a = 1;<br>  b</pre>c"#),
        ("```\na\nb```\nc", r#"<pre class="prettyprint">a<br>b</pre>c"#),
        ("```rust\na ```b```\n```", r#"<pre class="prettyprint">a ```b```</pre>"#),
        ("```a b\n*c*", "```a b<br><em>c</em>"),
    ]);
}

#[test]
fn backticks_that_never_close_go_on_and_tildes_do_not() {
    check(&[
        ("a\n```\nb\n\n*c*", r#"a<pre class="prettyprint">b<br><br>*c*</pre>"#),
        ("~~~\na\n*b*", "~~~<br>a<br><em>b</em>"),
        ("~~~~\na\n~~~\nb\n~~~", r#"~~~~<br>a<pre class="prettyprint">b</pre>"#),
    ]);
}

#[test]
fn what_only_looks_like_a_fence_is_text() {
    check(&[
        ("~~~ a title ~~~\nb", "~~~ a title ~~~<br>b"),
        ("~~~~~~~~~~~~~~~~~~~~\na", "~~~~~~~~~~~~~~~~~~~~<br>a"),
        (
            ">```\n>a\n>```",
            concat!(
                r#"<span class="quote">&gt;```</span><br><span class="quote">&gt;a</span><br>"#,
                r#"<span class="quote">&gt;```</span>"#,
            ),
        ),
    ]);
}

#[test]
fn code_tags_hold_code() {
    check(&[
        ("[code]a[/code]", r#"<pre class="prettyprint">a</pre>"#),
        ("[CODE]a[/Code]", r#"<pre class="prettyprint">a</pre>"#),
        ("[code]\n a\n\n b\n[/code]", r#"<pre class="prettyprint"> a<br><br> b</pre>"#),
        ("a [code]b[/code] c", "a <code>b</code> c"),
        (">a [code]b[/code]", r#"<span class="quote">&gt;a <code>b</code></span>"#),
        (">a [code]b\nc[/code] d", r#"<span class="quote">&gt;a </span><pre class="prettyprint">b<br>c</pre> d"#),
        ("a [code]b\nc[/code] *d*\ne", r#"a <pre class="prettyprint">b<br>c</pre> <em>d</em><br>e"#),
        ("[code]*a* [aa]b[/aa] ||c|| `d`[/code] e", "<code>*a* [aa]b[/aa] ||c|| `d`</code> e"),
        ("*[code]a[/code]*", "<em><code>a</code></em>"),
        ("[code]\n```\na\n```\n[/code]", r#"<pre class="prettyprint">```<br>a<br>```</pre>"#),
        ("```\n[code]\n```\na[/code]", r#"<pre class="prettyprint">[code]</pre>a[/code]"#),
        ("- a [code]b\nc[/code]\n- d", r#"<ul><li>a <pre class="prettyprint">b<br>c</pre></li><li>d</li></ul>"#),
        ("- [code]\na\n[/code]\n- b", r#"<ul><li><pre class="prettyprint">a</pre></li><li>b</li></ul>"#),
        ("[code]a[code]b[/code]c[/code]", "<code>a[code]b</code>c[/code]"),
        ("[code]a\n*b*", "[code]a<br><em>b</em>"),
    ]);
}

#[test]
fn art_tags_keep_every_space() {
    check(&[
        ("[aa]  a   b  [/aa]", r#"<span class="sjis ascii">  a   b  </span>"#),
        ("[aa]\n /\\\n\n/  \\\n[/aa]", r#"<span class="sjis ascii"> /\<br><br>/  \</span>"#),
        ("[AA]　（´∀｀）[/aa]", r#"<span class="sjis">　（´∀｀）</span>"#),
        ("a\n[aa]b[/aa]\nc", r#"a<br><span class="sjis ascii">b</span><br>c"#),
        ("a\n\n[aa]\nb\n[/aa]\n\nc", r#"a<br><br><span class="sjis ascii">b</span><br><br>c"#),
        ("a [aa]b\nc[/aa] d", r#"a <span class="sjis ascii">b<br>c</span> d"#),
        (">a [aa]b[/aa]", r#"<span class="quote">&gt;a <span class="sjis ascii">b</span></span>"#),
        (
            "[aa]>a\n>>12\n- b\n*c*\n```\n[code]d[/code][/aa]",
            r#"<span class="sjis ascii">&gt;a<br>&gt;&gt;12<br>- b<br>*c*<br>```<br>[code]d[/code]</span>"#,
        ),
        ("[aa]\"a\" <b> & -- ...[/aa]", r#"<span class="sjis ascii">&quot;a&quot; &lt;b&gt; &amp; -- ...</span>"#),
        ("1. [aa]\n a\n[/aa]\n2. b", r#"<ol start="1"><li><span class="sjis ascii"> a</span></li><li>b</li></ol>"#),
        ("- [aa]a[/aa]", r#"<ul><li><span class="sjis ascii">a</span></li></ul>"#),
    ]);
}

/// One picture, which says what it is in the site's language, and takes the focus so that it can be scrolled.
#[test]
fn art_says_what_it_is() {
    let typed = "[aa](´∀｀)[/aa]";
    let art = |label| format!(r#"<span class="sjis" tabindex="0" role="img" aria-label="{label}">(´∀｀)</span>"#);
    assert_eq!(html(typed), art("Text art"));
    let mut out = String::new();
    Renderer::new("\"Zeichen\" & <Bild>").render(typed, &Known, &mut out);
    assert_eq!(out, art("&quot;Zeichen&quot; &amp; &lt;Bild&gt;"));
}

#[test]
fn art_has_the_font_that_it_is_drawn_for() {
    for art in ["/\\_/\\", "██▌▐██", "┌──┐\n└──┘", "⣿⣶⡄", "|\\==|指|==/|"] {
        assert!(
            html(&format!("[aa]{art}[/aa]")).starts_with("<span class=\"sjis ascii\""),
            "letters of one width: {art}"
        );
    }
    for art in ["∧_∧\n(´∀`)", "　┌─┐", "|＿|", "(･ω･)", "ﾆﾆﾆ", "ニ二ニ", "/｀"] {
        assert!(html(&format!("[aa]{art}[/aa]")).starts_with("<span class=\"sjis\""), "drawn for MS PGothic: {art}");
    }
}

#[test]
fn art_without_tags_is_found() {
    let cat = " /\\_/\\\n( o.o )\n > ^ <";
    let shown = r#"<span class="sjis ascii"> /\_/\<br>( o.o )<br> &gt; ^ &lt;</span>"#;
    check(&[
        (cat, shown),
        (&format!("{cat}\n"), shown),
        (&format!("my cat:\n{cat}\nis it *not*?"), &format!("my cat:<br>{shown}<br>is it <em>not</em>?")),
        (&format!(">my cat\n{cat}"), &format!(r#"<span class="quote">&gt;my cat</span><br>{shown}"#)),
        (&format!("- my cat\n{cat}"), &format!("<ul><li>my cat</li></ul>{shown}")),
        (&format!("[spoiler]\n{cat}\n[/spoiler]"), &format!("<s>{shown}</s>")),
        (
            &format!("```\n{cat}\n```"),
            &shown.replace("<span class=\"sjis ascii\">", "<pre class=\"prettyprint\">").replace("</span>", "</pre>"),
        ),
        (
            &format!("[code]{cat}[/code]"),
            &shown.replace("<span class=\"sjis ascii\">", "<pre class=\"prettyprint\">").replace("</span>", "</pre>"),
        ),
        (&format!("[aa]\n{cat}\n[/aa]"), shown),
    ]);
    check(&[(
        "　　∧＿∧\n　（　´∀｀）\n\n　｜ ｜　|\n　（_＿）＿）",
        r#"<span class="sjis">　　∧＿∧<br>　（　´∀｀）<br><br>　｜ ｜　|<br>　（_＿）＿）</span>"#,
    )]);
}

/// `~~~` opens code, but not with strokes behind it.
#[test]
fn a_line_of_tildes_and_strokes_is_art() {
    let boat = "   |\\\n   |_\\\n __|____\n \\_____/\n~~~~\\_/~~~~~";
    let shown = boat.replace('\n', "<br>");
    check(&[(boat, &format!(r#"<span class="sjis ascii">{shown}</span>"#))]);
}

#[test]
fn art_with_arrows_and_marks_is_shown_as_typed() {
    check(&[(
        "  _/_\\_  *x*\n _/ >>12 \\_\n> \\_ __ _/\n   `||`||\n  /_/ \\_\\",
        r#"<span class="sjis ascii">  _/_\_  *x*<br> _/ &gt;&gt;12 \_<br>&gt; \_ __ _/<br>   `||`||<br>  /_/ \_\</span>"#,
    )]);
}

#[test]
fn what_is_not_plainly_art_is_text() {
    let texts = [
        "Some prose, that goes on\nfor a line or two or three\n  and is (indented) here\n   and -- there.",
        "fn main() {\n    let x = vec![1, 2];\n    for i in 0..x.len() {\n        print(x[i]);\n    }\n}",
        "int *p = &a[0];\n  while (*p++ = *q++)\n    ;\n  p->x |= y << 2;\n}",
        "/// a\n///\n/// b\n///\n/// c\n///",
        "// -----\n// a\n// -----",
        "1  2  3\n4  5  6\n7  8  9",
        "-1.5 | +2.0 | 3\n-2.5 | +3.0 | 4\n-3.5 | +4.0 | 5",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "これは普通の文章です。\n「ここ」は、それで……\n　字下げもします。",
        "＊注意＊\n・一つ\n・二つ\n・三つ",
        "-----\n=====\n-----",
        ":)\n:(\n:D",
        "/b/\n/tech/\n/g/",
        "../a\n./b\n~/c",
        "a = b + c\nd = e * f\ng = h / i",
        "x^2 + y^2 = z^2\nx = -y / 2\n(a+b)*(c-d)",
        "$ ls | wc\n$ cd ..\n$ ./a > b",
        "{\n  \"a\": [1, 2],\n  \"b\": {}\n},\n{\n}",
        "> /\\\n>/  \\\n>\\  /\n> \\/",
        "ｗｗｗｗｗ\nｗｗｗ\nｗｗ",
        "(´・ω・`)\nそうか\n(´・ω・`)",
        "http://a.b/_/_/\nhttp://a.b/_/_/\nhttp://a.b/_/_/",
        "الحمد لله\nهذا نص\nعربي",
        "यह हिन्दी है\nऔर यह भी\nहाँ",
        "ภาษาไทย\nก็มี\nที่นี่",
        "||a||\n||b||\n||c||",
        "||a\n||b\nc||",
        "🔥🔥🔥\n😎😎😎\n🎉🎉🎉",
    ];
    for text in texts {
        let shown = super::html(text);
        super::vocabulary::check(&shown);
        assert!(!shown.contains("sjis"), "taken for art:\n{text}");
    }
}
