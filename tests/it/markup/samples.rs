//! Other people's texts: attacks, the examples of CommonMark, art and an announcement.

use super::{html, vocabulary};
use std::fs;
use std::path::PathBuf;

/// The folder of sample data, which is read in place and never copied; None, and a word about it, if it is not there.
pub fn folder() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("NEJIBOARD_SAMPLES").map_or_else(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("sample data absent at {}: set NEJIBOARD_SAMPLES", folder.display());
    None
}

fn read(path: &str) -> Option<String> {
    let file = folder()?.join(path);
    Some(fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn json(path: &str) -> Option<Vec<serde_json::Value>> {
    Some(serde_json::from_str(&read(path)?).expect("the sample is a JSON array"))
}

/// Beside the vocabulary: read by html5ever's tokenizer, the output has no tag, attribute or comment but ours.
fn check(body: &str) {
    vocabulary::check(&html(body));
    let inside = format!("words\n\n> {body}\n- {body}\n||{body}||\n[spoiler]{body}[/spoiler]\n[x{body}](https://a.b)");
    vocabulary::check(&html(&inside));
}

#[test]
fn no_attack_leaves_the_vocabulary() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for list in ["xss/dompurify-expect.json", "xss/h5sc-vectors.json"] {
        for entry in json(list).into_iter().flatten() {
            check(entry["payload"].as_str().expect("a payload is text"));
            count += 1;
        }
    }
    let mut lists: Vec<_> =
        fs::read_dir(folder.join("xss")).expect("the folder is there").flatten().map(|e| e.path()).collect();
    lists.sort();
    for list in lists.iter().filter(|list| list.extension().is_some_and(|e| e == "txt")) {
        let text = fs::read_to_string(list).expect("the list is text");
        check(&text);
        for line in text.lines() {
            check(line);
            count += 1;
        }
    }
    assert!(count > 1200, "{count} attacks were tried");
}

#[test]
fn the_examples_of_commonmark_stay_in_the_vocabulary() {
    let Some(examples) = json("markdown/commonmark-0.31.2.json") else { return };
    assert_eq!(examples.len(), 652);
    for example in examples {
        check(example["markdown"].as_str().expect("an example is text"));
    }
}
