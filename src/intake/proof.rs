//! Proof of work: what a sender's machine has to find before a post is taken, where the site asks for that.
//!
//! The door names a challenge, and the sender looks for [`NUMBERS`] numbers whose hashes with it begin with so many zero
//! bits. Several numbers that are easy to find take less luck than one that is hard: a post in twenty takes more than 1.6
//! times as long as others, and not three times.
//!
//! A challenge is made for one post: it is signed together with the post's id, which tells its text, board and thread,
//! and a post of one id is added once. So a proof serves once, though nothing is remembered of it, and neither a restart
//! nor a second door at the same site changes that. Nor can proofs be made beforehand.

use sha2::{Digest, Sha256};

use super::tripcode::Secret;
use crate::model::{PostId, Riddle};

/// How many numbers a proof has.
pub const NUMBERS: usize = 8;

/// How long a challenge can be answered, in seconds.
pub const SECONDS: i64 = 600;

/// Nothing longer is looked at.
const PROOF_BYTES_MAX: usize = 256;

/// Digits of a number. With them a hash takes one block.
const DIGITS_MAX: usize = 10;

/// Bytes of a signature, of which two digits each are told.
const SIGNATURE_BYTES: usize = 16;

const PURPOSE: &str = "proof of work";

/// Why a proof is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofFault {
    /// It is not there.
    Missing,
    /// It was one, but is too old or took less work than is asked for now.
    Stale,
    /// It is not one for this post.
    Wrong,
}

/// What is to be solved for a post, at `now` in seconds since the Unix epoch.
pub fn riddle(secret: &Secret, id: &PostId, bits: usize, now: i64) -> Riddle {
    let expires = now + SECONDS;
    let signature: String = signature(secret, id, expires, bits).iter().map(|byte| format!("{byte:02x}")).collect();
    Riddle { challenge: format!("{expires:x}-{bits}-{signature}"), bits, numbers: NUMBERS, is_fault: false }
}

/// Whether a proof is one for this post, of as many bits as are asked for or more.
pub fn check(secret: &Secret, id: &PostId, bits: usize, now: i64, proof: &str) -> Result<(), ProofFault> {
    if proof.is_empty() {
        return Err(ProofFault::Missing);
    }
    let Proof { challenge, expires, bits: made_with, signature, numbers } = parse(proof).ok_or(ProofFault::Wrong)?;
    // SECURITY: all bytes are compared, so that nobody can find a signature out byte by byte.
    let own = self::signature(secret, id, expires, made_with);
    if signature.iter().zip(own).fold(0, |other, (a, b)| other | (a ^ b)) != 0 {
        return Err(ProofFault::Wrong);
    }
    if !(now..=now.saturating_add(SECONDS)).contains(&expires) || made_with < bits {
        return Err(ProofFault::Stale);
    }
    let solves = |number: &&str| zero_bits(&format!("{challenge}-{number}")) >= made_with;
    if numbers.iter().all(solves) { Ok(()) } else { Err(ProofFault::Wrong) }
}

/// The zero bits with which the hash of a text begins.
fn zero_bits(text: &str) -> usize {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let zeros = digest.iter().take_while(|byte| **byte == 0).count();
    8 * zeros + digest.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize)
}

fn signature(secret: &Secret, id: &PostId, expires: i64, bits: usize) -> [u8; SIGNATURE_BYTES] {
    let keyed = secret.keyed(PURPOSE, format!("{expires:x}-{bits}-{}", id.as_str()).as_bytes());
    std::array::from_fn(|at| keyed[at])
}

/// A proof as it is written, its form checked.
struct Proof<'a> {
    challenge: &'a str,
    expires: i64,
    bits: usize,
    signature: [u8; SIGNATURE_BYTES],
    /// In rising order, so that none counts twice.
    numbers: [&'a str; NUMBERS],
}

fn parse(text: &str) -> Option<Proof<'_>> {
    if PROOF_BYTES_MAX < text.len() || !text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-')
    {
        return None;
    }
    let mut parts = text.split('-');
    let [expires, bits, digits] = [parts.next()?, parts.next()?, parts.next()?];
    let challenge = &text[..expires.len() + bits.len() + digits.len() + 2];
    let mut signature = [0; SIGNATURE_BYTES];
    if digits.len() != 2 * SIGNATURE_BYTES {
        return None;
    }
    for (at, byte) in signature.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    let mut numbers = [""; NUMBERS];
    let mut least = 0;
    for number in &mut numbers {
        *number = parts.next().filter(|number| number.len() <= DIGITS_MAX)?;
        let value: u64 = number.parse().ok()?;
        // One way to write it: `7` and `07` are one number, and their hashes are two.
        if value < least || *number != value.to_string() {
            return None;
        }
        least = value + 1;
    }
    let (expires, bits) = (i64::from_str_radix(expires, 16).ok()?, bits.parse().ok()?);
    parts.next().is_none().then_some(Proof { challenge, expires, bits, signature, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn secret() -> Secret {
        Secret::from_bytes([7; 32])
    }

    fn id(text: &str) -> PostId {
        PostId::parse(text).unwrap()
    }

    /// The numbers that solve it, the least first.
    fn solve(challenge: &str, bits: usize) -> Vec<u64> {
        (0..).filter(|n| zero_bits(&format!("{challenge}-{n}")) >= bits).take(NUMBERS).collect()
    }

    fn written(challenge: &str, numbers: &[u64]) -> String {
        numbers.iter().fold(challenge.to_owned(), |text, number| format!("{text}-{number}"))
    }

    #[test]
    fn a_proof_is_good_for_its_post_in_its_time() {
        let riddle = riddle(&secret(), &id("a"), 6, NOW);
        let proof = written(&riddle.challenge, &solve(&riddle.challenge, 6));
        let check = |post: &str, bits, now, proof: &str| check(&secret(), &id(post), bits, now, proof);
        assert_eq!(check("a", 6, NOW, &proof), Ok(()));
        assert_eq!(check("a", 6, NOW + SECONDS, &proof), Ok(()));
        assert_eq!(check("a", 5, NOW, &proof), Ok(()), "more than is asked for");
        assert_eq!(check("a", 7, NOW, &proof), Err(ProofFault::Stale), "less than is asked for now");
        assert_eq!(check("a", 6, NOW + SECONDS + 1, &proof), Err(ProofFault::Stale));
        assert_eq!(check("a", 6, NOW - 1, &proof), Err(ProofFault::Stale), "from the future");
        assert_eq!(check("a", 6, NOW, ""), Err(ProofFault::Missing));
        assert_eq!(check("b", 6, NOW, &proof), Err(ProofFault::Wrong), "for another post");
        let other = Secret::from_bytes([8; 32]);
        assert_eq!(super::check(&other, &id("a"), 6, NOW, &proof), Err(ProofFault::Wrong), "of another site");
    }

    #[test]
    fn what_only_looks_like_a_proof_is_none() {
        let challenge = riddle(&secret(), &id("a"), 6, NOW).challenge;
        let numbers = solve(&challenge, 6);
        let proof = written(&challenge, &numbers);
        let unsolved = (0..).find(|n| zero_bits(&format!("{challenge}-{n}")) < 6).unwrap();
        let mut with_unsolved: Vec<u64> = [&numbers[1..], &[unsolved]].concat();
        with_unsolved.sort_unstable();
        let (expires, rest) = challenge.split_once('-').unwrap();
        let fewer_bits = challenge.replace("-6-", "-0-");
        let bad = [
            written(&challenge, &[numbers[0]; NUMBERS]),
            written(&challenge, &numbers.iter().rev().copied().collect::<Vec<_>>()),
            written(&challenge, &numbers[1..]),
            written(&challenge, &[&numbers[..], &[u64::from(u32::MAX)]].concat()),
            written(&challenge, &with_unsolved),
            written(&fewer_bits, &numbers),
            written(&format!("{expires}0-{rest}"), &numbers),
            written(&format!("ffffffffffffffff-{rest}"), &numbers),
            written(&format!("-{challenge}"), &numbers),
            proof.to_uppercase(),
            format!("{proof} "),
            format!("{proof}-"),
            proof.replacen(&format!("-{}", numbers[0]), &format!("-0{}", numbers[0]), 1),
            proof.replacen(&format!("-{}", numbers[0]), "-99999999999999999999999", 1),
            proof.replace('-', "–"),
            "-".repeat(10),
            "0".repeat(1 << 20),
            format!("{proof}{}", "-1".repeat(200)),
            challenge.clone(),
            "x".to_owned(),
        ];
        for proof in bad {
            let told: String = proof.chars().take(200).collect();
            assert_eq!(check(&secret(), &id("a"), 6, NOW, &proof), Err(ProofFault::Wrong), "{told}");
        }
    }

    #[test]
    fn a_hash_takes_one_block() {
        let challenge = riddle(&secret(), &id("a"), 24, 0xffff_ffff - SECONDS).challenge;
        assert!(challenge.len() + 1 + DIGITS_MAX <= 55, "{challenge}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_proof_that_was_not_worked_for(text in "\\PC{0,300}", digits in "[0-9a-f-]{0,260}") {
            let challenge = riddle(&secret(), &id("a"), 24, NOW).challenge;
            for text in [&text, &digits, &format!("{challenge}{digits}"), &format!("{challenge}-{digits}")] {
                let checked = check(&secret(), &id("a"), 24, NOW, text);
                proptest::prop_assert!(checked == Err(ProofFault::Wrong) || text.is_empty());
            }
        }
    }
}
