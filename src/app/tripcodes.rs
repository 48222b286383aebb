//! `tripcode`: what names with a key become.

use std::io::BufRead;

use super::error::Error;
use super::{DONE, print};
use crate::intake::tripcode::{self, Secret};
use crate::store::content;
use crate::store::site_dir::SiteDir;

/// Prints the tripcode of each line of standard input, an empty line where there is none.
pub fn print_all(dir: &SiteDir) -> Result<u8, Error> {
    let mut secret = None;
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Error::BadAct(format!("cannot read the names: {error}")))?;
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        let is_secure = line.replace('\u{ff03}', "#").contains("##");
        if is_secure && secret.is_none() {
            content::require_site(dir.root())?;
            secret = Some(Secret::from_bytes(dir.secret()?));
        }
        let typed = if line.contains(['#', '\u{ff03}']) { line.to_owned() } else { format!("#{line}") };
        // Classic ones do not look at the secret.
        let none = Secret::from_bytes([0; 32]);
        let signed = tripcode::sign(&typed, secret.as_ref().unwrap_or(&none));
        print(format!("{}\n", signed.trip).as_bytes())?;
    }
    Ok(DONE)
}
