//! Acts of staff on their way: inbox files of one JSON object a line, under a name that ends in `.json`.

use crate::model::{Act, PostId};

/// The end of the name of an inbox file of acts.
pub const ENDING: &str = ".json";

/// The most acts in one file.
const ACTS_MAX: usize = 1_000;

/// The bytes of an inbox file of acts.
pub fn write(acts: &[Act]) -> Vec<u8> {
    let mut out = Vec::new();
    for act in acts {
        serde_json::to_writer(&mut out, act).expect("memory takes all, and an act is always JSON");
        out.push(b'\n');
    }
    out
}

/// Reads the acts of the inbox file `name`. All can be carried out, or none is: who wrote a list meant the whole.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Act>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut acts = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = at + 1;
        let mut act: Act = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        act.check().map_err(|message| format!("line {number}: {message}"))?;
        if act.id.is_none() {
            act.id = Some(derived_id(name, number, line));
        }
        acts.push(act);
    }
    match acts.len() {
        0 => Err("it holds no act; an act is a line such as {\"act\": \"delete\", \"board\": \"tech\", \"posts\": \
                  [12], \"by\": \"neji\"}"
            .to_owned()),
        1..=ACTS_MAX => Ok(acts),
        _ => Err(format!("it holds more than {ACTS_MAX} acts")),
    }
}

/// The id of an act whose author gave none: the same file, met again after a crash, is the same act.
fn derived_id(name: &str, number: usize, line: &str) -> PostId {
    let hash = xxhash_rust::xxh3::xxh3_128([name, line].join("\n").as_bytes());
    PostId::parse(&format!("f-{hash:032x}-{number}")).expect("hexadecimal digits make an id")
}
