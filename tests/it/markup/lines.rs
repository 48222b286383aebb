//! Lines, greentext, quotes and lists.

use super::check;

#[test]
fn a_line_break_is_a_line_break() {
    check(&[
        ("", ""),
        ("hello", "hello"),
        ("a\nb", "a<br>b"),
        ("a\n\nb", "a<br><br>b"),
        ("a\n\n\nb", "a<br><br><br>b"),
        ("\n\na\n\n", "a"),
        (" \n\t\n", ""),
        ("a  \nb", "a  <br>b"),
        ("a\r\nb\r\n", "a<br>b"),
    ]);
}

#[test]
fn what_markdown_makes_of_lines_elsewhere_is_text_here() {
    check(&[
        ("# a\n## b\n#tag", "# a<br>## b<br>#tag"),
        ("a\n===\nb\n---", "a<br>===<br>b<br>---"),
        ("---\n***\n* * *\n___", "---<br>***<br>* * *<br>___"),
        ("    a\n\tb", "    a<br>\tb"),
        ("[a]: https://a.b\n[a]", r#"[a]: <a href="https://a.b" rel>https://a.b</a><br>[a]"#),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |<br>|---|---|<br>| 1 | 2 |"),
        ("![a](https://a.b/c.png)", r#"![a](<a href="https://a.b/c.png" rel>https://a.b/c.png</a>)"#),
        ("<b>a</b> <!-- *c* -->", "&lt;b&gt;a&lt;/b&gt; &lt;!-- <em>c</em> --&gt;"),
        ("<script>\nx\n</script>\n*y*", "&lt;script&gt;<br>x<br>&lt;/script&gt;<br><em>y</em>"),
        ("&amp; &lt;b&gt; &#62; &copy; *&amp;*", "&amp;amp; &amp;lt;b&amp;gt; &amp;#62; &amp;copy; <em>&amp;amp;</em>"),
        ("a[^1] ~~b~~ $c$ :d:", "a[^1] ~~b~~ $c$ :d:"),
        ("\"a\" -- 'b'... (c)", "&quot;a&quot; -- 'b'... (c)"),
    ]);
}

#[test]
fn a_line_that_starts_with_an_arrow_is_green() {
    check(&[
        (">a", r#"<span class="quote">&gt;a</span>"#),
        ("> a\nb", r#"<span class="quote">&gt; a</span><br>b"#),
        (
            ">a\n>b\n\n>c",
            concat!(
                r#"<span class="quote">&gt;a</span><br><span class="quote">&gt;b</span><br><br>"#,
                r#"<span class="quote">&gt;c</span>"#,
            ),
        ),
        (">", r#"<span class="quote">&gt;</span>"#),
        (">>a", r#"<span class="quote">&gt;&gt;a</span>"#),
        (" >a", " &gt;a"),
        ("a >b", "a &gt;b"),
        (r"\>a", "&gt;a"),
        (">*a*", r#"<span class="quote">&gt;<em>a</em></span>"#),
        (">*a\n>b*", r#"<span class="quote">&gt;*a</span><br><span class="quote">&gt;b*</span>"#),
        (">- a\n># b", r#"<span class="quote">&gt;- a</span><br><span class="quote">&gt;# b</span>"#),
        (">https://a.b", r#"<span class="quote">&gt;<a href="https://a.b" rel>https://a.b</a></span>"#),
        (">a >>12", r##"<span class="quote">&gt;a <a href="#p12" class="quotelink">&gt;&gt;12</a></span>"##),
    ]);
}

#[test]
fn quotes_lead_to_what_they_name() {
    let q12 = r##"<a href="#p12" class="quotelink">&gt;&gt;12</a>"##;
    let known = [
        (">>12", "{}"),
        (">>12\na", "{}<br>a"),
        (">>12 a >b", "{} a &gt;b"),
        (">>12>>12", "{}{}"),
        ("a >>12, b", "a {}, b"),
        ("(>>12)", "({})"),
        ("*>>12*", "<em>{}</em>"),
        ("||>>12||", "<s>{}</s>"),
        ("- >>12", "<ul><li>{}</li></ul>"),
        (">>12abc", "{}abc"),
        (">>>12", r#"<span class="quote">&gt;{}</span>"#),
        ("a >>>>12", "a &gt;&gt;{}"),
    ];
    for (typed, shown) in known {
        check(&[(typed, &shown.replace("{}", q12))]);
    }
    check(&[
        (">>100", r#"<span class="deadlink">&gt;&gt;100</span>"#),
        (">>>/tech/12", r##"<a href="/tech/thread/1.html#p12" class="quotelink">&gt;&gt;&gt;/tech/12</a>"##),
        (">>>/tech/", r#"<a href="/tech/" class="quotelink">&gt;&gt;&gt;/tech/</a>"#),
        (">>>/tech/ is it", r#"<a href="/tech/" class="quotelink">&gt;&gt;&gt;/tech/</a> is it"#),
        (
            ">>>/x/1 >>>/x/",
            concat!(
                r#"<span class="deadlink">&gt;&gt;&gt;/x/1</span> "#,
                r#"<span class="deadlink">&gt;&gt;&gt;/x/</span>"#,
            ),
        ),
        (">>99999999999999999999", r#"<span class="quote">&gt;&gt;99999999999999999999</span>"#),
        (">>0 >>01", r#"<span class="quote">&gt;&gt;0 &gt;&gt;01</span>"#),
    ]);
}

#[test]
fn what_only_looks_like_a_quote_is_text() {
    check(&[
        ("`>>12`", "<code>&gt;&gt;12</code>"),
        ("[code]>>12[/code] a", "<code>&gt;&gt;12</code> a"),
        ("[aa]>>12[/aa]", r#"<span class="sjis ascii">&gt;&gt;12</span>"#),
        ("```\n>>12\n```", r#"<pre class="prettyprint">&gt;&gt;12</pre>"#),
        ("&gt;&gt;12", "&amp;gt;&amp;gt;12"),
        (r"\>>12", "&gt;&gt;12"),
        (r"a \>>12", "a &gt;&gt;12"),
        (r">\>12", r#"<span class="quote">&gt;\&gt;12</span>"#),
        ("a >\0>12 >>\u{202E}12", "a &gt;&gt;12 &gt;&gt;12"),
        ("[a >>12](https://a.b)", r#"<a href="https://a.b" rel>a &gt;&gt;12</a>"#),
    ]);
}

#[test]
fn bullets_and_numbers_make_lists() {
    check(&[
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("* a\n* b", "<ul><li>a</li><li>b</li></ul>"),
        ("+ a", "<ul><li>a</li></ul>"),
        ("- a\n* b", "<ul><li>a</li></ul><ul><li>b</li></ul>"),
        ("1. a\n2. b", r#"<ol start="1"><li>a</li><li>b</li></ol>"#),
        ("1) a\n2) b", r#"<ol start="1"><li>a</li><li>b</li></ol>"#),
        ("7. a\n8. b", r#"<ol start="7"><li>a</li><li>b</li></ol>"#),
        ("1. a\n1. b\n1. c", r#"<ol start="1"><li>a</li><li>b</li><li>c</li></ol>"#),
        ("1. a\n5. b", r#"<ol start="1"><li>a</li></ol><ol start="5"><li>b</li></ol>"#),
        ("- a\n1. b", r#"<ul><li>a</li></ul><ol start="1"><li>b</li></ol>"#),
        ("a\n- b\nc", "a<ul><li>b</li></ul>c"),
        ("a\n\n- b\n\nc", "a<ul><li>b</li></ul>c"),
        ("- a\n\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("- a\n  b\nc", "<ul><li>a<br>  b</li></ul>c"),
        ("- a\n\n  b", "<ul><li>a<br><br>  b</li></ul>"),
        ("- a\n  - b\n    - c\n- d", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"),
        ("- a\n  1. b\n  2. c", r#"<ul><li>a<ol start="1"><li>b</li><li>c</li></ol></li></ul>"#),
        ("- *a* `b`\n- *c", "<ul><li><em>a</em> <code>b</code></li><li>*c</li></ul>"),
    ]);
}

#[test]
fn what_only_looks_like_a_list_is_text() {
    check(&[
        ("-", "-"),
        ("- ", "- "),
        ("-a\n*b\n+1", "-a<br>*b<br>+1"),
        ("1.a\n1.5 b", "1.a<br>1.5 b"),
        ("It was in\n1984. Or not", "It was in<br>1984. Or not"),
        ("007. Bond", "007. Bond"),
        ("1234567890. a", "1234567890. a"),
        ("     - a", "     - a"),
        (r"\- a", "- a"),
        ("a - b", "a - b"),
        ("1． a", "1． a"),
    ]);
}

#[test]
fn lists_end_where_others_begin() {
    check(&[
        ("- a\n>b\n- c", r#"<ul><li>a</li></ul><span class="quote">&gt;b</span><ul><li>c</li></ul>"#),
        (
            "- a\n>>12\n- c",
            concat!(r##"<ul><li>a</li></ul><a href="#p12" class="quotelink">&gt;&gt;12</a>"##, "<ul><li>c</li></ul>",),
        ),
        (
            "- a\n```\nb\n```\n- c",
            concat!(r#"<ul><li>a</li></ul><pre class="prettyprint">b</pre>"#, "<ul><li>c</li></ul>",),
        ),
        (
            "- a\n  ```\n  b\n  ```\n- c",
            concat!(r#"<ul><li>a<pre class="prettyprint">b</pre></li>"#, "<li>c</li></ul>",),
        ),
    ]);
}

#[test]
fn lists_nest_eight_deep_and_no_deeper() {
    let typed: String = (0..20).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect();
    let shown = super::html(&typed);
    assert_eq!(shown.matches("<ul>").count(), 8);
    assert_eq!(shown.matches("<li>").count(), 20);
    super::vocabulary::check(&shown);
}
