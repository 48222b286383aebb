//! What settings of defences take: when there is work to do for a post.

use crate::model::settings::ProofOfWork;

pub(super) fn proof_of_work(text: &str) -> Result<ProofOfWork, String> {
    let named = ProofOfWork::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, when)| *when).ok_or_else(|| "`guarded`, `always` or `never`".to_owned())
}
