//! What posters type, and what readers see.

mod beginnings;
mod blocks;
mod browser;
mod inline;
mod lines;
mod nasty;
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

/// Each pair is what was typed and the whole of what is shown, in which ` rel` is short for what every link out says,
/// and `sjis` for what every piece of art says.
#[track_caller]
fn check(pairs: &[(&str, &str)]) {
    for (typed, shown) in pairs {
        let shown = shown.replace("\" rel>", "\" rel=\"nofollow ugc noopener noreferrer\">");
        let shown = whole(&shown);
        assert_eq!(html(typed), shown, "typed:\n{typed}");
        vocabulary::check(&shown);
    }
}

/// What is shown, with all that art says of itself.
fn whole(shown: &str) -> String {
    ["sjis", "sjis ascii"].iter().fold(shown.to_owned(), |shown, class| {
        let short = format!("<span class=\"{class}\">");
        shown.replace(&short, &format!("<span class=\"{class}\"{}>", vocabulary::ART))
    })
}
