//! Names with a key: `name#key` and `name##secret`.
//!
//! A tripcode lets a stranger be known again without an account. The classic one is the same on every board that
//! follows the old rule, so whoever guesses a key there has it here; the secure one depends on this site's secret too.
//!
//! The old rule has no standard. Where boards differ, this is what holds here:
//!
//! - What Shift_JIS has no code for is `?`. Some boards drop such a key as a whole, which shows no tripcode where one
//!   was asked for.
//! - `& < > "` become entities before hashing, `'` does not.
//! - A second `#` begins a secure key, so no classic key begins with `#`: neither as such nor as the `#` and 16 digits
//!   by which some boards take a raw key.
//! - Only 8 bytes count, however long the key is. (2ch.net changed to SHA-1 from 12 bytes on.)
//! - The fullwidth `＃` separates like `#`. Half of the boards do not know it; but whoever types it on a Japanese
//!   keyboard must not find the key in the name. Inside a key it stays what it is.

use std::fmt;
use std::net::IpAddr;

use encoding_rs::{EncoderResult, SHIFT_JIS};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::des;
use super::server::neighbourhood;

/// The key of secure tripcodes and whatever else is keyed.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Keeps `bytes`, which ought to come from a good source of randomness.
    pub fn from_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// HMAC-SHA-256 of `text`. Each `purpose` is a function of its own, so that no two uses can be played against
    /// each other. A purpose holds no zero byte.
    pub fn keyed(&self, purpose: &str, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

impl Secret {
    /// What stands for an address, or for the /64 network of an IPv6 one, where nobody is to read it.
    pub fn fingerprint(&self, address: IpAddr) -> String {
        let keyed = self.keyed("address", neighbourhood(address.to_canonical()).to_string().as_bytes());
        keyed[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What stands for whoever has this fingerprint where staff reads it: enough to know posts of one sender, and too
    /// little to be compared with anything else.
    pub fn label(&self, fingerprint: &str) -> String {
        let keyed = self.keyed("sender as staff sees it", fingerprint.as_bytes());
        keyed[..5].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What stands for whoever has an address among the posters of one thread: 48 bits in 8 letters.
    pub fn poster_id(&self, thread: &str, salt: &[u8; 32], address: IpAddr) -> String {
        let of_thread = Secret(self.keyed("poster ids of a thread", &[salt, thread.as_bytes()].concat()));
        let keyed = of_thread.keyed("poster", neighbourhood(address.to_canonical()).to_string().as_bytes());
        des::letters(keyed[..6].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte)), 8)
    }

    /// The hash of a post's password, with its salt before it. Empty for an empty one, which opens nothing.
    pub fn hash_password(&self, password: &str, salt: [u8; 16]) -> String {
        if password.is_empty() {
            return String::new();
        }
        let mac = self.keyed("post password", &[&salt, password.as_bytes()].concat());
        salt.iter().chain(&mac).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a password is the one that was hashed.
    pub fn is_password(&self, password: &str, hash: &str) -> bool {
        let byte = |at: usize| hash.get(2 * at..2 * at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(bytes) = (0..48).map(byte).collect::<Option<Vec<u8>>>() else { return false };
        let Ok(salt) = <[u8; 16]>::try_from(&bytes[..16]) else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"post password\0");
        mac.update(&salt);
        mac.update(password.as_bytes());
        // SECURITY: in constant time, so that nobody can find the hash out byte by byte.
        !password.is_empty() && hash.len() == 96 && mac.verify_slice(&bytes[16..]).is_ok()
    }
}

impl fmt::Debug for Secret {
    /// SECURITY: never the bytes, since values that hold a secret end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key of secure tripcodes, and its id.
#[derive(Clone, Debug)]
pub struct Key {
    /// The first key of a site has 1, each one that takes its place the next number.
    pub id: u32,
    /// The key.
    pub secret: Secret,
}

/// The keys that sign at a time.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The newest.
    pub current: Key,
    /// The one before, while names still show what it gives, too.
    pub before: Option<Key>,
}

impl From<Secret> for Keys {
    /// This key alone, the first of a site.
    fn from(secret: Secret) -> Keys {
        Keys { current: Key { id: 1, secret }, before: None }
    }
}

/// A name as it is shown, and what proves it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Signed {
    /// The name without its key; empty for anonymous.
    pub name: String,
    /// The tripcode with its leading `!` or `!!`; empty if there is none. Two with a space between, the older first, while
    /// a new key takes the place of an old one.
    pub trip: String,
}

/// `name#key` gives a tripcode `!…`, `name##secret` a secure one `!!…`; imitations in the name are defused.
///
/// The key goes nowhere but into the hash. An empty one gives no tripcode.
pub fn sign(typed: &str, keys: &Keys) -> Signed {
    let (name, rest) = typed.split_once(HASHES).unwrap_or((typed, ""));
    let trip = match rest.strip_prefix(HASHES) {
        _ if rest.is_empty() => String::new(),
        Some("") => String::new(),
        Some(key) => {
            let trips = keys.before.iter().chain([&keys.current]).map(|by| secure(key, by));
            trips.collect::<Vec<_>>().join(" ")
        }
        None => format!("!{}", classic(rest)),
    };
    Signed { name: defused(name.trim()), trip }
}

/// What separates a key from the name.
const HASHES: [char; 2] = ['#', '＃'];

/// Signs that look like `#`, one or two of them.
const HASH_LIKE: [char; 13] = [
    '♯',         // music sharp sign
    '﹟',        // small number sign
    '⋕',         // equal and parallel to
    '⌗',         // viewdata square
    '⧣',         // equals sign and slanted parallel
    '⧤',         // the same with a tilde above
    '⧥',         // identical to and slanted parallel
    '⩨',         // triple horizontal bar with double vertical stroke
    '⩩',         // the same with a triple stroke
    'ⵌ',         // tifinagh letter tuareg yazh
    '\u{1D12A}', // musical symbol double sharp
    '\u{1D130}', // musical symbol sharp up
    '\u{1D131}', // musical symbol sharp down
];

/// 72 bits in 12 letters, and the id of the key that made them unless that is the first. So nobody takes what an old key
/// made for what a new one did: the sign between is no letter of them.
fn secure(key: &str, by: &Key) -> String {
    let hash = by.secret.keyed("tripcode", key.as_bytes());
    let first_9 = hash[..9].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let letters = des::letters(first_9, 12);
    if by.id == 1 { format!("!!{letters}") } else { format!("!!{letters}-{}", by.id) }
}

/// The last ten letters of `crypt`, salted with the key's own second and third byte.
fn classic(key: &str) -> String {
    let bytes = shift_jis(key);
    let mut salts = bytes.iter().copied().skip(1).chain(*b"H.").map(salt_letter);
    // A key of one byte or none at all leaves both letters to what is put behind it.
    let salt = [salts.next().unwrap_or(b'.'), salts.next().unwrap_or(b'.')];
    des::crypt(&bytes, salt)[1..].to_owned()
}

/// Bytes of the key that `crypt` looks at.
const KEY_BYTES: usize = 8;

/// The key's first bytes as the old boards saw them: escaped as HTML, in Shift_JIS, `?` for what has no code there.
fn shift_jis(key: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * KEY_BYTES);
    // Each character gives at least one byte, so the rest of a long key is not even looked at.
    for c in key.chars().take(KEY_BYTES) {
        match c {
            '&' => bytes.extend(b"&amp;"),
            '<' => bytes.extend(b"&lt;"),
            '>' => bytes.extend(b"&gt;"),
            '"' => bytes.extend(b"&quot;"),
            _ => push_shift_jis(&mut bytes, c),
        }
    }
    bytes
}

fn push_shift_jis(bytes: &mut Vec<u8>, c: char) {
    let (mut utf8, mut code) = ([0; 4], [0; 4]);
    let mut encoder = SHIFT_JIS.new_encoder();
    match encoder.encode_from_utf8_without_replacement(c.encode_utf8(&mut utf8), &mut code, true) {
        (EncoderResult::InputEmpty, _, written) => bytes.extend(&code[..written]),
        _ => bytes.push(b'?'),
    }
}

/// A byte of the key as a letter of a salt.
fn salt_letter(byte: u8) -> u8 {
    match byte {
        b':'..=b'@' => byte - b':' + b'A',
        b'['..=b'`' => byte - b'[' + b'a',
        b'.'..=b'z' => byte,
        _ => b'.',
    }
}

/// `name` with everything replaced that would pass for the mark of a tripcode, or for that of staff, `## Mod`. A `#` itself
/// is never in a name: it begins a key.
fn defused(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            // With the look-alikes U+01C3 and U+FE57.
            '!' | 'ǃ' | '﹗' => out.push('！'),
            '‼' => out.push_str("！！"),
            '◆' => out.push('◇'),
            _ if HASH_LIKE.contains(&c) => out.push('＊'),
            _ => out.push(c),
        }
    }
    out
}
