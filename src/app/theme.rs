//! `theme`: themes of one's own.

use serde_json::json;

use super::error::Error;
use super::{Console, DONE};
use crate::store::site_dir::SiteDir;
use crate::store::theme;

/// Writes the built-in theme to `themes/<name>/`.
pub fn eject(dir: &SiteDir, name: &str, console: &Console) -> Result<u8, Error> {
    let folder = theme::eject(&dir.themes(), name)?;
    let path = folder.display();
    let line = format!("wrote the built-in theme to {path}\nnext: `theme: {name}` in content/site.yaml");
    console.conclude(&line, &json!({ "command": "theme", "folder": folder.to_string_lossy() }))?;
    Ok(DONE)
}
