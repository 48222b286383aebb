//! Faults that tests inject. There are none in a release build: every call below is empty there.
//!
//! `NEJIBOARD_FAULTS` names a folder. A file in it is a fault that happens once, when the program next comes to the
//! place of that name: `<place>-panic` or `<place>-stuck`. The file is removed when it does. A file that is called
//! `<place>-panics` makes it happen every time.

/// Something may go wrong here.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn strike(_place: &str) {}

/// Something may go wrong here.
#[cfg(debug_assertions)]
pub fn strike(place: &str) {
    use std::sync::LazyLock;
    static FOLDER: LazyLock<Option<std::path::PathBuf>> =
        LazyLock::new(|| std::env::var_os("NEJIBOARD_FAULTS").map(Into::into));
    let Some(folder) = &*FOLDER else { return };
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
