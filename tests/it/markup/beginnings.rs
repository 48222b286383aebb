//! Long bodies on the index: their beginnings.

use nejiboard::render::markup::{Length, Renderer};

use super::{Known, vocabulary, whole};

#[track_caller]
fn check(chars: usize, lines: usize, pairs: &[(&str, Option<&str>)]) {
    for (typed, wanted) in pairs {
        let beginning =
            Renderer::default().render_with_beginning(typed, Length { chars, lines }, &Known, &mut String::new());
        assert_eq!(beginning, wanted.map(whole), "typed:\n{typed}");
        vocabulary::check(&beginning.unwrap_or_default());
    }
}

#[test]
fn a_body_is_cut_between_words() {
    check(
        12,
        9,
        &[
            ("12 chars are", None),
            ("13 chars are!", Some("13 chars")),
            ("a **bold wo**rd", None),
            ("a **bold words**", None),
            ("a very **bold words**", Some("a very <strong>bold</strong>")),
            ("0123456789abcdef", Some("0123456789ab")),
            ("漢字漢字漢字漢字漢字漢字", None),
            ("漢字漢字漢字漢字漢字漢字。", Some("漢字漢字漢字漢字漢字漢字")),
            ("a quote >>12", None),
            ("a quote: >>12", Some("a quote: ")),
            ("at https://a.example/", Some("at ")),
        ],
    );
}

#[test]
fn a_body_is_cut_between_lines() {
    check(
        99,
        2,
        &[
            ("one\ntwo", None),
            ("one\ntwo\nthree", Some("one<br>two")),
            ("one\n\n\nfour", Some("one")),
            (
                ">one\n>two\n>three",
                Some("<span class=\"quote\">&gt;one</span><br><span class=\"quote\">&gt;two</span>"),
            ),
            ("[code]\n1\n2\n3\n[/code]", Some("<pre class=\"prettyprint\">1<br>2</pre>")),
            ("[aa]\n /|\n/ |\n--+\n[/aa]", Some("<span class=\"sjis ascii\"> /|<br>/ |</span>")),
            ("- a\n- b", None),
            ("- a\n- b\n- c", Some("<ul><li>a</li></ul>")),
            ("one\ntwo\n- a", Some("one<br>two")),
        ],
    );
}

#[test]
fn what_is_hidden_stays_hidden() {
    check(
        5,
        9,
        &[
            ("[spoiler]the butler did it[/spoiler]", Some("<s>the</s>")),
            ("a ||the butler did it||", Some("a <s>the</s>")),
            ("- ||a\n- b c d e f||", Some("<ul><li><s>a</s></li><li><s>b c</s></li></ul>")),
        ],
    );
}
