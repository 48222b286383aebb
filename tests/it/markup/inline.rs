//! What stands inside lines: emphasis, code, links, spoilers, and what stays as typed.

use super::check;

#[test]
fn stars_and_underscores_emphasize() {
    check(&[
        ("*a* _b_", "<em>a</em> <em>b</em>"),
        ("**a** __b__", "<strong>a</strong> <strong>b</strong>"),
        ("***a***", "<em><strong>a</strong></em>"),
        ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
        ("the *cat*s, **b**c", "the <em>cat</em>s, <strong>b</strong>c"),
        ("*oh* f*ck **no** sh**t", "<em>oh</em> f*ck <strong>no</strong> sh**t"),
        ("*a\nb*", "<em>a<br>b</em>"),
        ("*a\n\nb*", "*a<br><br>b*"),
        ("日本*語*です", "日本<em>語</em>です"),
        ("**\"a\"**, (*b*)", "<strong>&quot;a&quot;</strong>, (<em>b</em>)"),
        ("*a **b*", "*a *<em>b</em>"),
    ]);
}

#[test]
fn marks_that_nobody_meant_stay() {
    let kept = [
        "2 * 3 * 4",
        "2*3*4",
        "snake_case_name _",
        "f*ck this sh*t",
        "f**k it, s**t",
        "*a",
        "a* b*",
        "** a **",
        "\\o/ \\o/",
        "C:\\dir\\*.*",
        "\\\\server\\share",
        "¯\\_(ツ)_/¯",
        "________| _/_ |\\______)\\__)",
        "fill in: ____ and ____",
        "(*^_^*) (*´ω`*)",
        "-_- ^_^ ;_; T_T o_O",
        "*_* *.*",
        "( ´_ゝ`) (´・ω・`) (`･ω･´)",
        "('A`) ('A`) (;A`)",
        "a ` b",
        "a || b || c",
        "if a||b and c||d",
        "__init__.py x.__class__ __init__()",
        "|| a ||",
        "||| ||||",
        "||a",
        "[a] [b](c) [d](/e) [f](javascript:g) [h](mailto:i@j) []",
        "[a](ftp://b.c) [d](//e.f)",
        "http:// https://@ http://. xhttp",
        "a@b.c www.a.b",
        "[spoiler]a",
        "a[/spoiler]",
        "[code]a",
        "[aa]a",
        "[aa][/aa] [code][/code]",
        "~40%, ~~~",
        "50% & more",
        "🔥 👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ❤️",
    ];
    for typed in kept {
        check(&[(typed, &typed.replace('&', "&amp;"))]);
    }
    check(&[("(>_<) lol (>_<)", "(&gt;_&lt;) lol (&gt;_&lt;)")]);
}

#[test]
fn a_backslash_hides_where_it_does_something() {
    check(&[
        (r"\*a\* \_b\_ \`c\`", "*a* _b_ `c`"),
        (r"\[a](https://a.b)", r#"[a](<a href="https://a.b" rel>https://a.b</a>)"#),
        (r"\[spoiler]a[/spoiler]", "[spoiler]a[/spoiler]"),
        (r"\||a||", "||a||"),
        (r"\+ a", "+ a"),
        (r"a \+ b", r"a \+ b"),
        (r"`\*`", r"<code>\*</code>"),
    ]);
}

#[test]
fn backticks_show_code() {
    check(&[
        ("`a`", "<code>a</code>"),
        ("``a`b``", "<code>a`b</code>"),
        ("` a `", "<code>a</code>"),
        ("`*a* <b> || >>1 https://a.b`", "<code>*a* &lt;b&gt; || &gt;&gt;1 https://a.b</code>"),
        ("`a\nb`", "<code>a<br>b</code>"),
        ("*`a*`", "*<code>a*</code>"),
        ("**`a`**", "<strong><code>a</code></strong>"),
        (">`a`", r#"<span class="quote">&gt;<code>a</code></span>"#),
        ("`[spoiler]` and `[code]`x`[/code]`", "<code>[spoiler]</code> and <code>[code]</code>x<code>[/code]</code>"),
        ("```a```", "<code>a</code>"),
        ("||`a || b`||", "<s><code>a || b</code></s>"),
    ]);
}

#[test]
fn web_addresses_become_links() {
    let linked = |address: &str, before: &str, after: &str| {
        let escaped = address.replace('&', "&amp;");
        let shown = format!(r#"{before}<a href="{escaped}" rel>{escaped}</a>{after}"#);
        check(&[(&format!("{before}{address}{after}"), &shown)]);
    };
    let addresses = [
        "https://a.b",
        "http://a",
        "HTTPS://A.B/C",
        "https://a.b:8080/c?d=e&f=g#h",
        "https://a.b/c_d_e/*f*/~g/",
        "https://en.wikipedia.org/wiki/A_(b)_c",
        "https://a.b/[c]",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/ü",
        "https://日本語.jp/パス",
        "https://[::1]:80/",
        "https://a.b/c|d",
        "https://a.b/?q='c'd",
        "https://a.b/%20",
    ];
    for address in addresses {
        linked(address, "", "");
        linked(address, "see ", " now");
        linked(address, "(", ")");
        linked(address, "", ".");
        linked(address, "日本", "。");
        linked(address, "「", "」");
        linked(address, "", ", a");
    }
    for after in ["!", "?", "...", ":", ";", "*", "_", "'", "(", ")", "]", "\\", " "] {
        linked("https://a.b/c", "", after);
    }
    check(&[
        ("<https://a.b>", r#"&lt;<a href="https://a.b" rel>https://a.b</a>&gt;"#),
        ("\"https://a.b\"", r#"&quot;<a href="https://a.b" rel>https://a.b</a>&quot;"#),
        ("*https://a.b/*", r#"<em><a href="https://a.b/" rel>https://a.b/</a></em>"#),
        ("||https://a.b||", r#"<s><a href="https://a.b" rel>https://a.b</a></s>"#),
        ("xhttps://a.b", "xhttps://a.b"),
        ("javascript:alert(1) data:a,b ftp://a.b", "javascript:alert(1) data:a,b ftp://a.b"),
        ("https://bank.example@evil.example", "https://bank.example@evil.example"),
        (r"https://a.b\@c.d", r#"<a href="https://a.b" rel>https://a.b</a>\@c.d"#),
        ("https://a.b/\"onclick=\"x", r#"<a href="https://a.b/" rel>https://a.b/</a>&quot;onclick=&quot;x"#),
    ]);
}

#[test]
fn words_in_brackets_become_links() {
    check(&[
        ("[a](https://b.c)", r#"<a href="https://b.c" rel>a</a>"#),
        ("[a b](http://b.c/(d)?e=f&g)", r#"<a href="http://b.c/(d)?e=f&amp;g" rel>a b</a>"#),
        ("[*a* `b`](https://b.c)", r#"<a href="https://b.c" rel><em>a</em> <code>b</code></a>"#),
        ("*[a](https://b.c)*", r#"<em><a href="https://b.c" rel>a</a></em>"#),
        ("[a\nb](https://b.c)", r#"<a href="https://b.c" rel>a<br>b</a>"#),
        ("[https://a.b](https://c.d)", r#"<a href="https://c.d" rel>https://a.b</a>"#),
        ("[[a]](https://b.c)", r#"<a href="https://b.c" rel>[a]</a>"#),
        (
            "[](https://b.c) [ ](https://b.c)",
            concat!(
                r#"[](<a href="https://b.c" rel>https://b.c</a>) "#,
                r#"[ ](<a href="https://b.c" rel>https://b.c</a>)"#,
            ),
        ),
        ("[a](https://b.c \"d\")", r#"[a](<a href="https://b.c" rel>https://b.c</a> &quot;d&quot;)"#),
        ("[a] (https://b.c)", r#"[a] (<a href="https://b.c" rel>https://b.c</a>)"#),
        ("[a](<https://b.c>)", r#"[a](&lt;<a href="https://b.c" rel>https://b.c</a>&gt;)"#),
        ("[a][b](https://b.c)", r#"[a]<a href="https://b.c" rel>b</a>"#),
        ("[a](https://b.c", r#"[a](<a href="https://b.c" rel>https://b.c</a>"#),
    ]);
}

#[test]
fn spoilers_hide_what_stands_between_their_marks() {
    check(&[
        ("||a||", "<s>a</s>"),
        ("a ||b||c, 日本||語||", "a <s>b</s>c, 日本<s>語</s>"),
        ("[spoiler]a[/spoiler]", "<s>a</s>"),
        ("[SPOILER]a[/Spoiler]", "<s>a</s>"),
        ("||a|| ||b||", "<s>a</s> <s>b</s>"),
        ("||a\nb||", "<s>a<br>b</s>"),
        ("||a\n\nb||", "<s>a<br><br>b</s>"),
        ("||\na\n||", "<s>a</s>"),
        ("a\n||\nb\n||\nc", "a<br><s>b</s><br>c"),
        ("a\n\n[spoiler]\nb\n\nc\n[/spoiler]\n\nd", "a<br><br><s>b<br><br>c</s><br><br>d"),
        ("a [spoiler]\nb\n[/spoiler] c", "a <br><s>b<br></s> c"),
        (
            ">a\n[spoiler]\n>b\n[/spoiler]",
            r#"<span class="quote">&gt;a</span><br><s><span class="quote">&gt;b</span></s>"#,
        ),
        ("[spoiler]a[spoiler]b[/spoiler]c[/spoiler]", "<s>abc</s>"),
        ("[spoiler]a ||b[/spoiler] c|| d", "<s>a b c</s> d"),
        ("||*a*||", "<s><em>a</em></s>"),
        ("*||a||*", "<em><s>a</s></em>"),
        ("*a ||b* c||", "<em>a <s>b</s></em><s> c</s>"),
        ("||a *b|| c*", "<s>a <em>b</em></s><em> c</em>"),
        ("[||a||](https://b.c)", r#"<a href="https://b.c" rel><s>a</s></a>"#),
        ("||[a](https://b.c)||", r#"<s><a href="https://b.c" rel>a</a></s>"#),
        ("||[a||](https://b.c)", r#"<s><a href="https://b.c" rel>a</a></s>"#),
        ("[spoiler][/spoiler]", ""),
    ]);
}

#[test]
fn spoilers_cross_lines_of_every_kind() {
    check(&[
        (">a ||b\nc||", r#"<span class="quote">&gt;a <s>b</s></span><br><s>c</s>"#),
        ("||a\n>b\nc||", r#"<s>a<br><span class="quote">&gt;b</span><br>c</s>"#),
        (
            "||>>12||\n>>12",
            concat!(
                r##"<s><a href="#p12" class="quotelink">&gt;&gt;12</a></s><br>"##,
                r##"<a href="#p12" class="quotelink">&gt;&gt;12</a>"##,
            ),
        ),
        ("- a ||b\n- c\nd|| e", "<ul><li>a <s>b</s></li><li><s>c</s></li></ul><s>d</s> e"),
        ("||a\n- b|| c", "<s>a</s><ul><li><s>b</s> c</li></ul>"),
        ("[spoiler]\n```\na\n```\n[/spoiler]b", r#"<pre class="prettyprint"><s>a</s></pre>b"#),
        ("||a [code]b\nc[/code] d||", r#"<s>a </s><pre class="prettyprint"><s>b<br>c</s></pre><s> d</s>"#),
        ("[spoiler][aa]a[/aa][/spoiler]", r#"<s><span class="sjis ascii">a</span></s>"#),
        ("[aa]||a||[/aa]||b||", r#"<span class="sjis ascii">||a||</span><s>b</s>"#),
        ("```\n||a\n```\nb||", r#"<pre class="prettyprint">||a</pre>b||"#),
    ]);
}

#[test]
fn elements_nest_only_so_deep() {
    let typed = format!("{}x{}", "*a **b ".repeat(100), " b** a*".repeat(100));
    let shown = super::html(&typed);
    let text = super::vocabulary::check(&shown);
    assert_eq!(shown.matches("<em>").count() + shown.matches("<strong>").count(), 16);
    assert_eq!(text.matches('a').count(), 200);
}

#[test]
fn controls_and_piles_of_marks_are_taken_out() {
    check(&[
        ("a\0b\u{8}c\u{1b}[31md\u{7f}\u{85}", "abc[31md"),
        ("a\u{202e}b\u{2066}c\u{200f}d", "abcd"),
        ("```\na\u{202e}\0b\n```", r#"<pre class="prettyprint">ab</pre>"#),
        ("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}b", "a\u{301}\u{301}\u{301}\u{301}b"),
        ("a\u{301}\u{301}\u{301}\u{200d}\u{301}\u{301}\u{301}b", "a\u{301}\u{301}\u{301}\u{200d}\u{301}b"),
        ("\u{0}*a*\u{1}", "<em>a</em>"),
    ]);
}

#[test]
fn the_scripts_of_the_world_are_unharmed() {
    let texts = [
        "ภาษาไทยที่นี่ก็มีวรรณยุกต์ซ้อนสระ ปั๊ม น้ำ",
        "हिन्दी में क्ष्म्य, श्री और र्‍य",
        "العَرَبِيَّةُ بِالتَّشْكِيلِ",
        "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים שָּׁׁ֥",
        "tie\u{302}\u{301}ng Vie\u{323}\u{302}t",
        "བསྒྲུབས རྒྱུད ཧཱུྂ",
        "한국어 ᄒᆞᆫ글",
        "ខ្មែរ ស្ត្រី",
        "👩🏽‍🚀 🏳️‍🌈 🇯🇵 5️⃣ ☺︎",
        "が\u{3099} ハ\u{309A}",
    ];
    for text in texts {
        check(&[(text, text)]);
    }
}

#[test]
fn a_backslash_takes_the_meaning_of_one_sign() {
    check(&[
        (r"\*a\*", "*a*"),
        (r"\*\*a\*\*", "**a**"),
        (r"\_\_init\_\_", "__init__"),
        (r"\`a\`", "`a`"),
        (
            r"\[a\](https://example.org/)",
            r#"[a](<a href="https://example.org/" rel="nofollow ugc noopener noreferrer">https://example.org/</a>)"#,
        ),
        (r"**a\***", "<strong>a*</strong>"),
    ]);
}
