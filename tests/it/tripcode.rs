//! Names with a key.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

use nejiboard::intake::tripcode::{Key, Keys, Secret, sign};

fn secret() -> Secret {
    Secret::from_bytes([7; 32])
}

fn keys() -> Keys {
    Keys::from(secret())
}

#[track_caller]
fn check(typed: &str, name: &str, trip: &str) {
    let signed = sign(typed, &keys());
    assert_eq!((signed.name.as_str(), signed.trip.as_str()), (name, trip), "typed: {typed:?}");
}

#[test]
fn a_key_gives_the_tripcode_that_other_boards_give() {
    // As `crypt` of another library has it for the password `tea` and the salt `ea`.
    check("Neji#tea", "Neji", "!WokonZwxw2");
    check("Neji#", "Neji", "");
    check("Neji", "Neji", "");
    check("#tea", "", "!WokonZwxw2");
    check("", "", "");
}

/// As `crypt` of another library has it with the salts `ab`, `cd`, `ef`, `AB`, `DF`, `Gz`, `/.`, `..`, `..`, `H.`, `yH`.
#[test]
fn every_sign_has_its_letter_in_the_salt() {
    for (key, trip) in [
        ("x[\\", "KLKyqeXrq2"),
        ("x]^", "CgJHpcvSzQ"),
        ("x_`", "kEIqzOWhB."),
        ("x:;", "7.pTYpFzDg"),
        ("x=?", "r1luy1.OAs"),
        ("x@z", "lr8IcJ9KYs"),
        ("x/.", "zBx9ZH2yFM"),
        ("x{~", "YDNjG2narU"),
        ("x-\t", "G8jPF0JIjI"),
        ("x", "sJh8mwqDUo"),
        ("xy", ".f0q05kpbQ"),
    ] {
        check(&format!("#{key}"), "", &format!("!{trip}"));
    }
}

#[test]
fn only_the_first_hash_ends_the_name() {
    let whole = sign("Neji#a#b", &keys());
    assert_eq!(whole.name, "Neji");
    assert_ne!(whole.trip, sign("Neji#a", &keys()).trip);
    assert_ne!(whole.trip, sign("Neji#b", &keys()).trip);
}

#[test]
fn spaces_are_no_part_of_a_name_but_part_of_a_key() {
    check("  Neji  #tea", "Neji", "!WokonZwxw2");
    assert_ne!(sign("#tea ", &keys()).trip, sign("#tea", &keys()).trip);
    assert_ne!(sign("# ", &keys()).trip, "");
}

/// Computed by another implementation of HMAC-SHA-256.
#[test]
fn a_secure_tripcode_depends_on_key_and_secret() {
    check("Neji##key", "Neji", "!!q/BrqE1rdJGl");
    check("##鍵🔑#", "", "!!TcYtHcETD1mk");
    check("Neji##", "Neji", "");
    let other = sign("Neji##key", &Keys::from(Secret::from_bytes([8; 32])));
    assert_eq!(other.trip, "!!PxBYLljIhsz3");
}

#[test]
fn a_later_key_gives_tripcodes_that_name_it_and_for_a_time_those_of_the_key_before() {
    let key = |id, byte| Key { id, secret: Secret::from_bytes([byte; 32]) };
    let by = |current, before| sign("Neji##key", &Keys { current, before }).trip;
    // The bytes are those of the test above.
    assert_eq!(by(key(1, 7), None), "!!q/BrqE1rdJGl");
    assert_eq!(by(key(2, 8), None), "!!PxBYLljIhsz3-2");
    assert_eq!(by(key(2, 8), Some(key(1, 7))), "!!q/BrqE1rdJGl !!PxBYLljIhsz3-2");
    assert_eq!(by(key(3, 7), Some(key(2, 8))), "!!PxBYLljIhsz3-2 !!q/BrqE1rdJGl-3");
    // Only secure ones depend on a key of the site.
    let classic = sign("Neji#tea", &Keys { current: key(3, 7), before: Some(key(2, 8)) });
    assert_eq!(classic.trip, "!WokonZwxw2");
}

#[test]
fn a_fullwidth_hash_hides_the_key_too() {
    check("Neji＃tea", "Neji", "!WokonZwxw2");
    check("Neji＃＃key", "Neji", "!!q/BrqE1rdJGl");
    check("Neji#＃key", "Neji", "!!q/BrqE1rdJGl");
    check("Neji＃", "Neji", "");
}

#[test]
fn a_typed_mark_is_not_a_tripcode() {
    check("Neji!WokonZwxw2", "Neji！WokonZwxw2", "");
    check("Neji!!WokonZwxw2", "Neji！！WokonZwxw2", "");
    check("Neji ◆WokonZwxw2", "Neji ◇WokonZwxw2", "");
    check("NejiǃX ﹗X ‼X", "Neji！X ！X ！！X", "");
    check("a!#tea", "a！", "!WokonZwxw2");
}

#[test]
fn a_secret_does_not_print_itself() {
    assert_eq!(format!("{:?}", Secret::from_bytes([7; 32])), "Secret(…)");
}

#[test]
fn a_key_is_nowhere_in_what_comes_out() {
    for key in ["correct horse", "正しい馬", "😀😀😀", "a\0b\0c", "!!!!", "＃#＃#x"] {
        for hash in ["#", "##", "＃", "#＃"] {
            let shown = format!("{:?}", sign(&format!("Neji{hash}{key}"), &keys()));
            assert!(!shown.contains(key), "{shown}");
            assert!(shown.starts_with(r#"Signed { name: "Neji", trip: "!"#), "{shown}");
        }
    }
}

#[test]
fn each_purpose_of_a_secret_is_a_function_of_its_own() {
    let secret = secret();
    assert_ne!(secret.keyed("a", b"x"), secret.keyed("b", b"x"));
    assert_ne!(secret.keyed("a", b"bx"), secret.keyed("ab", b"x"));
    assert_eq!(secret.keyed("a", b"x"), secret.keyed("a", b"x"));
}

/// A key ends where C would end it, and what has no code counts as a question mark.
#[test]
fn strange_keys_are_keys_like_any_other() {
    let trip = |key: &str| sign(&format!("#{key}"), &keys()).trip;
    assert_eq!(trip("😀"), trip("?"));
    assert_eq!(trip("😀ab😀"), trip("?ab?"));
    assert_eq!(trip("12345678"), trip("12345678 and more"));
    assert_eq!(trip("abc\0d"), trip("abc\0e"));
    for key in ["\0", "\0\0\0", "\n", "\u{7f}", "\u{202e}", "\u{fffd}", "é", "ｱ", "😀"] {
        assert_eq!(trip(key).len(), 11, "{key:?}");
        assert_eq!(trip(key).chars().filter(|c| *c == '!').count(), 1, "{key:?}");
    }
}

/// A classic key is not read beyond what counts, a secure one is hashed once.
#[test]
fn a_long_key_takes_no_longer_than_its_length() {
    let long = "🔑".repeat(1 << 18);
    let started = Instant::now();
    for typed in [format!("#{long}"), format!("##{long}"), "#".repeat(1 << 20), "!".repeat(1 << 20)] {
        sign(&typed, &keys());
    }
    // 4 MB in all: milliseconds where it is linear, minutes where it is not.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// The rows that this board answers otherwise, and why.
const CHOSEN: [(&str, &str, &str); 3] = [
    // A second `#` begins a secure key, and this one is empty.
    ("#", "u2YjtUz8MU", ""),
    // No code in Shift_JIS: these boards drop the key, others (and the row of `»` in the same table) take `?`.
    ("©", "(empty)", "!cPUZU5OGFs"),
    ("ññññ", "(empty)", "!Vyfxi/dpqw"),
];

#[test]
fn classic_samples_give_what_their_boards_gave() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = env::var_os("NEJIBOARD_SAMPLES").map_or_else(beside, PathBuf::from);
    if !root.is_dir() {
        println!("sample data absent at {}: set NEJIBOARD_SAMPLES", root.display());
        return;
    }
    let table = fs::read_to_string(root.join("tripcodes/classic.tsv")).expect("the samples have this table");
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (key, given) = (text_of_hex(cells[2]), cells[3]);
        let chosen = CHOSEN.iter().find(|(other, theirs, _)| *other == key && *theirs == given);
        let expected = chosen.map_or(format!("!{given}"), |(_, _, ours)| ours.to_string());
        check(&format!("Neji#{key}"), "Neji", &expected);
    }
}

fn text_of_hex(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits");
    let bytes = (0..hex.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes).expect("UTF-8")
}
