//! What posters type, and what readers see.

mod properties;
mod samples;
mod vocabulary;

use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::{Links, render};

/// Posts up to 99 exist, on this board and on `tech`; so does the board `tech`.
struct Known;

impl Links for Known {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        let (prefix, no) = match quote {
            Quote::Post(no) => ("", no.get()),
            Quote::Cross(board, no) if board.as_str() == "tech" => ("/tech/thread/1.html", no.get()),
            Quote::Board(board) if board.as_str() == "tech" => {
                out.push_str("/tech/");
                return true;
            }
            _ => return false,
        };
        if no > 99 {
            return false;
        }
        out.push_str(&format!("{prefix}#p{no}"));
        true
    }
}

fn html(body: &str) -> String {
    let mut out = String::new();
    render(body, &Known, &mut out);
    out
}

/// Each pair is what was typed and the whole of what is shown.
#[track_caller]
fn check(pairs: &[(&str, &str)]) {
    for (typed, shown) in pairs {
        assert_eq!(html(typed), *shown, "typed:\n{typed}");
        vocabulary::check(shown);
    }
}

#[test]
fn lines_and_quotes_look_as_on_other_boards() {
    check(&[
        ("hello", "hello"),
        ("a\nb\n\nc", "a<br>b<br><br>c"),
        (">green\nnot", r#"<span class="quote">&gt;green</span><br>not"#),
        (">>12 yes", r##"<a href="#p12" class="quotelink">&gt;&gt;12</a> yes"##),
        (">>100", r#"<span class="deadlink">&gt;&gt;100</span>"#),
    ]);
}
