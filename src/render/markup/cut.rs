//! Cuts the steps of a long body, for a page that shows only its beginning.
//!
//! The whole is read first, and the steps are cut: in the source a cut could part a spoiler from its end and so show
//! what it hides.

use super::{Op, Span};

/// How much of a body is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Length {
    /// Characters.
    pub chars: usize,
    /// Lines.
    pub lines: usize,
}

impl Length {
    /// Whether `text`, which has so many lines, may be longer than this. Markup counts too, so the steps tell for sure.
    pub(super) fn may_cut(self, text: &str, lines: usize) -> bool {
        self.chars < text.len() || self.lines < lines
    }
}

/// Cuts `ops` where they become longer than `length`; whether anything was cut.
pub(super) fn cut(text: &str, ops: &mut Vec<Op>, length: Length) -> bool {
    let mut cutter = Cutter { text, chars: length.chars, breaks: length.lines.saturating_sub(1), open: Vec::new() };
    for at in 0..ops.len() {
        if let Some(last) = cutter.last(ops[at]) {
            ops.truncate(at);
            ops.extend(last);
            cutter.close(ops);
            return true;
        }
    }
    false
}

struct Cutter<'a> {
    text: &'a str,
    /// Characters that may still be shown.
    chars: usize,
    /// Lines that may still follow.
    breaks: usize,
    /// The open lists and items, each by the step that ends it.
    open: Vec<Op>,
}

impl Cutter<'_> {
    /// `None` if there is room for `op`; or else what is left of it.
    fn last(&mut self, op: Op) -> Option<Option<Op>> {
        match op {
            Op::Text(span) | Op::Plain(span) | Op::Mark(_, span) => self.part(span, char::is_whitespace, Op::Text),
            Op::Quote(span) | Op::Url(span) => self.part(span, |_| false, Op::Text).map(|_| None),
            Op::Art(span) => self.part(span, |c| c == '\n', Op::Art),
            Op::Pre(span, indent) => self.part(span, |c| c == '\n', |span| Op::Pre(span, indent)),
            Op::Break | Op::Item => {
                let room = self.breaks.checked_sub(1);
                self.breaks = room.unwrap_or(0);
                if room.is_some() && op == Op::Item {
                    self.open.push(Op::ItemEnd);
                }
                room.is_none().then_some(None)
            }
            Op::List(start) => {
                self.open.push(Op::ListEnd { ordered: start.is_some() });
                None
            }
            Op::ItemEnd | Op::ListEnd { .. } => {
                self.open.pop();
                None
            }
            Op::Nothing | Op::Open(_) | Op::Close(_) => None,
        }
    }

    /// Takes room for `span`; if there is not enough, gives what there is room for, up to the last character `between`
    /// words or lines if there is one.
    fn part(&mut self, span: Span, between: fn(char) -> bool, op: impl Fn(Span) -> Op) -> Option<Option<Op>> {
        let typed = span.of(self.text);
        for (at, c) in typed.char_indices() {
            if self.chars == 0 || c == '\n' && self.breaks == 0 {
                let shown = &typed[..at];
                let whole = between(c).then_some(at);
                let end = whole.or_else(|| shown.rfind(between)).unwrap_or(at);
                return Some((0 < end).then(|| op(Span::new(span.from, span.from + end))));
            }
            self.chars -= 1;
            self.breaks -= usize::from(c == '\n');
        }
        None
    }

    /// Ends what is open, and takes back what came to nothing.
    fn close(&mut self, ops: &mut Vec<Op>) {
        while let Some(Op::Break | Op::Nothing | Op::Open(_) | Op::List(_) | Op::Item) = ops.last() {
            if let Some(Op::List(_) | Op::Item) = ops.pop() {
                self.open.pop();
            }
        }
        ops.extend(self.open.drain(..).rev());
    }
}
