//! Input made to be slow or large. Size and asking are bounded by count; time is only printed, since a clock fails on a
//! busy machine.

use super::{Known, vocabulary};
use nejiboard::model::quotes::{self, Quote};
use nejiboard::render::markup::{Links, render};
use std::cell::Cell;
use std::time::Instant;

/// Enough to tell linear from worse. Raise it to 64 KB and run a release build to see what the worst bodies cost.
const BYTES: usize = 8 * 1024;

const REPEATED: &[&str] = &[
    " *a_ ",
    "*",
    "_",
    "*a",
    "a*",
    "*a **b ",
    "**a *b ",
    "*_",
    "a**b",
    "[",
    "]",
    "[]",
    "[a]",
    "[[a]",
    "[](",
    "[a](",
    "[a](<",
    "![",
    "](",
    "`",
    "`a``b```c",
    "x`",
    "<",
    "<a ",
    "<!--",
    "<![CDATA[",
    "<?",
    "&",
    "\\",
    "\\*",
    "\\[",
    "\\\n",
    "\\_",
    "\\>>1",
    "||",
    "|",
    "||a",
    "||a||",
    "|| a",
    "a||\n",
    "||\n",
    "[spoiler]",
    "[/spoiler]",
    "[spoiler]a",
    "[spoiler]\n- a\n",
    "[aa]",
    "[/aa]",
    "[aa]x",
    "[aa]x[/aa]",
    "[aa]\n",
    "[code]",
    "[code]\n",
    "[code]x[/code]",
    "[code]\nx[/code]\n",
    "[aa][code]",
    "[/aa][code]",
    "```\n",
    "~~~\n",
    "~~~a\n",
    "```a\n",
    "```a b\n",
    "```a(\n`\n",
    "    ```\n",
    "~~~~\nx\n~~~\n",
    "- ",
    "- a\n",
    "  - a\n",
    "- a\n  - b\n    - c\n",
    "1. a\n",
    "1. a\n1) a\n",
    "- *\n",
    "- `a\n",
    "- - - ",
    ">",
    ">\n",
    ">a\n",
    ">*\n",
    ">`a`\n",
    ">>",
    ">>1",
    ">>1 ",
    ">>1\n",
    ">>>/a/1",
    ">>>/a/ ",
    ">>>/",
    "\n",
    "a\n",
    "a\n\n",
    " \n",
    "\t",
    "\u{301}",
    "a\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{202e}",
    "\0",
    "\u{200d}",
    "\r",
    "http://",
    "http://@",
    "http://a",
    "http://a:",
    "http://a ",
    "https://a/(",
    "https://a/)",
    "https://a/[",
    "https://a.b,",
    "[a](https://a.b)",
    "[a](https://a.b",
    "[||a](https://a.b)||",
    "||[a||](https://a.b)",
    "[*a](https://a.b)*",
    ":",
    "://",
    "/\\\n",
    "／￣＼\n",
    "_/\\_ /\n",
    "|   |\n",
    "（´∀｀）",
    "(`",
    "`)",
    "*_*",
    "`é)",
    "/ \\ _ |\n  | _ /\nhello there you\n",
    "/\\\n\n\n\n\n",
];

struct Counted(Cell<usize>);

impl Links for Counted {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        self.0.set(self.0.get() + 1);
        Known.href(quote, out)
    }
}

#[track_caller]
fn check(typed: &str) {
    let counted = Counted(Cell::new(0));
    let mut shown = String::new();
    let start = Instant::now();
    render(typed, &counted, &mut shown);
    let time = start.elapsed();
    let start: String = typed.chars().take(20).collect();
    println!("{:>10} us {:>8} bytes {start:?}", time.as_micros(), shown.len());
    vocabulary::check(&shown);
    assert!(shown.len() <= 24 * typed.len(), "{} bytes of {start:?}", shown.len());
    let mut scanned = 0;
    quotes::scan(typed, |_| scanned += 1);
    assert!(counted.0.get() <= scanned, "asked {} times for {scanned} quotes in {start:?}", counted.0.get());
}

#[test]
fn repeated_marks_cost_no_more_than_their_length() {
    for piece in REPEATED {
        check(&piece.repeat(BYTES / piece.len()));
    }
}

#[test]
fn marks_that_grow_or_nest_cost_no_more_than_their_length() {
    let growing = |mark: &str, end: &str| (1..100).map(|n| mark.repeat(n) + end).collect::<String>();
    let falling = |mark: &str, end: &str| (1..100).rev().map(|n| mark.repeat(n) + end).collect::<String>();
    for (mark, end) in [
        ("`", " "),
        ("~", "\n"),
        ("`", "\n"),
        (" ", "- a\n"),
        ("*", "a "),
        ("[", "a"),
        (">", "1 "),
        ("|", " "),
        ("\\", "*"),
    ] {
        check(&growing(mark, end));
        check(&falling(mark, end));
    }
    let nested = |open: &str, close: &str, times: usize| open.repeat(times) + "x" + &close.repeat(times);
    check(&nested("*a ", " a*", 1_500));
    check(&nested("*a **b ", " b** a*", 800));
    check(&nested("[", "](https://a.b)", 600));
    check(&nested("[spoiler]", "[/spoiler]", 400));
    check(&nested("||*", "||*", 1_000));
    check(&format!("||[{}](https://a/{})", "*b||c||*".repeat(400), "x".repeat(4_000)));
    check(&format!("[||a](https://a/{}) b|| ", "x".repeat(300)).repeat(20));
    check(&"x".repeat(BYTES));
    check(&format!("https://a/{}", "x".repeat(BYTES)));
}
