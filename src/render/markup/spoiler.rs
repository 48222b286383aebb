//! Pairs the spoiler marks of a whole body.

use super::{Element, Mark, Op};

/// Turns marks that belong together into the element's ends and the others into text.
///
/// Pipes and tags are paired apart from each other, so that crossed ones still hide all that stands between either.
pub(super) fn pair(ops: &mut [Op]) {
    let mut pipes = None;
    let mut tags = Vec::new();
    for at in 0..ops.len() {
        let Op::Mark(mark, span) = ops[at] else { continue };
        ops[at] = Op::Text(span);
        let opened = match mark {
            Mark::Pipes { closes: true, .. } if pipes.is_some() => pipes.take(),
            Mark::Pipes { opens, .. } => {
                pipes = pipes.or(opens.then_some(at));
                None
            }
            Mark::TagOpen => {
                tags.push(at);
                None
            }
            Mark::TagClose => tags.pop(),
        };
        if let Some(start) = opened {
            ops[start] = Op::Open(Element::Spoiler);
            ops[at] = Op::Close(Element::Spoiler);
            if start == 0 || ends_line(&ops[start - 1]) {
                take_back(&mut ops[start + 1]);
            }
            if ops.get(at + 1).is_none_or(ends_line) {
                take_back(&mut ops[at - 1]);
            }
        }
    }
}

fn ends_line(op: &Op) -> bool {
    matches!(op, Op::Break | Op::Pre(..) | Op::List(_) | Op::Item | Op::ItemEnd | Op::ListEnd { .. })
}

/// A mark that has a line for itself takes its line break along.
fn take_back(op: &mut Op) {
    if *op == Op::Break {
        *op = Op::Nothing;
    }
}
