//! `tripcode`: what names with a key become, and the keys of the site by which they do.

use std::io::BufRead;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;

use super::error::Error;
use super::trip_keys::{key_of, keys_at};
use super::{Console, DONE, clock, print};
use crate::cli::Tripcode;
use crate::intake::tripcode::{self, Keys, Secret};
use crate::store::content;
use crate::store::site_dir::SiteDir;
use crate::store::trip_keys::{FIRST_ID, TripKey, TripKeys};

/// Does what the options ask for.
pub fn tripcodes(dir: &SiteDir, options: &Tripcode, console: &Console) -> Result<u8, Error> {
    match options {
        Tripcode { rotate: true, both, .. } => rotate(dir, *both, console),
        Tripcode { keys: true, .. } => list(dir, console),
        Tripcode { key, .. } => print_all(dir, *key),
    }
}

/// Prints the tripcode of each line of standard input, an empty line where there is none.
fn print_all(dir: &SiteDir, id: Option<u32>) -> Result<u8, Error> {
    let mut keys = None;
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Error::BadAct(format!("cannot read the names: {error}")))?;
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        let is_secure = line.replace('\u{ff03}', "#").contains("##");
        if is_secure && keys.is_none() {
            keys = Some(keys_of_site(dir, id)?);
        }
        let typed = if line.contains(['#', '\u{ff03}']) { line.to_owned() } else { format!("#{line}") };
        // Classic ones do not look at the keys.
        let none = Keys::from(Secret::from_bytes([0; 32]));
        let signed = tripcode::sign(&typed, keys.as_ref().unwrap_or(&none));
        print(format!("{}\n", signed.trip).as_bytes())?;
    }
    Ok(DONE)
}

fn keys_of_site(dir: &SiteDir, id: Option<u32>) -> Result<Keys, Error> {
    content::require_site(dir.root())?;
    let (secret, keys) = (Secret::from_bytes(dir.secret()?), TripKeys::new(dir.tripcodes()).read()?);
    let Some(id) = id else { return Ok(keys_at(&secret, &keys, clock::now())) };
    let key = key_of(&secret, &keys, id);
    let current = key.ok_or_else(|| Error::BadAct(format!("there is no key {id}; `tripcode --keys` lists them")))?;
    Ok(Keys { current, before: None })
}

/// Makes a key that takes the place of the newest.
fn rotate(dir: &SiteDir, both_days: u16, console: &Console) -> Result<u8, Error> {
    content::require_site(dir.root())?;
    // The first key must be there before it gets a successor.
    dir.secret()?;
    let now = clock::now();
    let key = TripKeys::new(dir.tripcodes()).rotate(now, now + TimeDelta::days(both_days.into()))?;
    let line = format!("key {} is used from now on{}", key.id, both(&key));
    console.conclude(&line, &told(&key))?;
    Ok(DONE)
}

fn list(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    content::require_site(dir.root())?;
    let keys = TripKeys::new(dir.tripcodes()).read()?;
    let line = |key: &TripKey| {
        let from = key.from.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("key {} since {from}{}\n", key.id, both(key))
    };
    let text = match console.common.json {
        true => {
            let keys: Vec<_> = [json!({ "id": FIRST_ID })].into_iter().chain(keys.iter().map(told)).collect();
            format!("{}\n", json!({ "command": "tripcode", "keys": keys }))
        }
        false => format!("key {FIRST_ID}, the site's secret\n{}", keys.iter().map(line).collect::<String>()),
    };
    print(text.as_bytes())?;
    Ok(DONE)
}

fn both(key: &TripKey) -> String {
    let until = key.both_until.to_rfc3339_opts(SecondsFormat::Secs, true);
    if key.from < key.both_until { format!(", together with key {} until {until}", key.id - 1) } else { String::new() }
}

fn told(key: &TripKey) -> serde_json::Value {
    json!({ "command": "tripcode", "id": key.id, "from": key.from, "both_until": key.both_until })
}
