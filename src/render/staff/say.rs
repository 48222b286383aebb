//! The form by which staff posts, below a post and on the first page.

use serde::Serialize;

use crate::model::capcode::Capcode;
use crate::model::role::{Right, Role};

/// A mark that somebody may sign with.
#[derive(Clone, Serialize)]
pub struct CapcodeLine {
    word: &'static str,
    label: &'static str,
    chosen: bool,
}

/// Those of a role: the highest is chosen.
pub fn capcodes(role: Option<Role>) -> Vec<CapcodeLine> {
    let may = |capcode: &Capcode| role.is_some_and(|role| role.may(Right::PostAs(*capcode)));
    let allowed: Vec<Capcode> = Capcode::ALL.into_iter().filter(may).collect();
    let line = |capcode: &Capcode| CapcodeLine {
        word: capcode.word(),
        label: capcode.label(),
        chosen: allowed.last() == Some(capcode),
    };
    allowed.iter().map(line).collect()
}
