//! Faults that tests inject. There are none in a release build: every call below is empty there.
//!
//! `NEJIBOARD_FAULTS` names a folder. A file in it is a fault that happens once, when the program next comes to the
//! place of that name: `<place>-panic` or `<place>-stuck`. The file is removed when it does. A file that is called
//! `<place>-panics` makes it happen every time; one that is called `poison` makes each round panic whose posts hold its
//! text, and one that is called `indigestible` each look at a thread's file whose opening post does.

use crate::model::Arrival;
#[cfg(not(debug_assertions))]
pub use crate::render::excerpt;

/// Something may go wrong here.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn strike(_place: &str) {}

/// These posts may be too much for the builder.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn strike_posts(_posts: &[Arrival]) {}

/// What a reader sees of an opening post, unless that is too much for whoever sums up its thread.
#[cfg(debug_assertions)]
pub fn excerpt(body: &str) -> String {
    if text_of("indigestible").is_some_and(|text| body.contains(text.trim())) {
        std::panic::panic_any("a thread is indigestible".to_owned());
    }
    crate::render::excerpt(body)
}

/// These posts are too much for the builder if one holds the text of the file `poison`.
#[cfg(debug_assertions)]
pub fn strike_posts(posts: &[Arrival]) {
    let Some(poison) = text_of("poison") else { return };
    if posts.iter().any(|post| post.body.contains(poison.trim())) {
        std::panic::panic_any("a post is poison".to_owned());
    }
}

#[cfg(debug_assertions)]
fn folder() -> Option<&'static std::path::Path> {
    use std::sync::LazyLock;
    static FOLDER: LazyLock<Option<std::path::PathBuf>> =
        LazyLock::new(|| std::env::var_os("NEJIBOARD_FAULTS").map(Into::into));
    FOLDER.as_deref()
}

#[cfg(debug_assertions)]
fn text_of(name: &str) -> Option<String> {
    std::fs::read_to_string(folder()?.join(name)).ok()
}

/// Something may go wrong here.
#[cfg(debug_assertions)]
pub fn strike(place: &str) {
    let Some(folder) = folder() else { return };
    let once = |kind: &str| std::fs::remove_file(folder.join(format!("{place}-{kind}"))).is_ok();
    if once("panic") || folder.join(format!("{place}-panics")).exists() {
        std::panic::panic_any(format!("a fault was injected at `{place}`"));
    }
    if once("stuck") {
        // Until the process is ended.
        loop {
            std::thread::sleep(std::time::Duration::from_secs(3_600));
        }
    }
}
