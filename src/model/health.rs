//! What is not as it should be with a running program.

/// One thing that is not as it should be. A program without troubles is ready; with some it is degraded: it still
/// answers, and puts right by itself what it can, but somebody should look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// Which part it concerns, for programs and for everybody: `builder`, `hook`, `inbox`, `pages`, `queue` or
    /// `settings`.
    pub part: &'static str,
    /// What is wrong, for whoever runs the site. It may name files.
    pub text: String,
}
