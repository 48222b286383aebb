//! The traditional `crypt(3)`: what classic tripcodes are made with, and nothing else here.
//!
//! Written from FIPS 46-3 (Data Encryption Standard), whose tables stand below under their names there, and from the
//! description of `crypt` by Morris and Thompson ("Password Security: A Case History", 1979): a block of zeros goes
//! through DES 25 times, keyed by the password, with some of E's wires crossed as the salt says. Bits are counted from
//! 1 at the left, as in the standard. A call takes about 10 microseconds, which is of no matter for one name a post.

/// The password's 64 bits of hash as the 11 characters that follow the salt in the output of `crypt`.
///
/// As in C, the password ends at a zero byte, only its first 8 bytes count, and of each byte only the lower 7 bits.
pub(super) fn crypt(password: &[u8], salt: [u8; 2]) -> String {
    let keys = schedule(key_of(password));
    let crossed = crossed_wires(salt);
    let (mut left, mut right) = (0u32, 0u32);
    for _ in 0..25 {
        for key in keys {
            (left, right) = (right, left ^ scramble(right, key, crossed));
        }
        // The last round of DES does not exchange the halves. The final permutation of one pass and the initial one of
        // the next undo each other, and the initial one of all zeros is all zeros.
        (left, right) = (right, left);
    }
    let hash = permute(u64::from(left) << 32 | u64::from(right), 64, &FINAL);
    // Two zero bits fill up the last letter.
    letters(u128::from(hash) << 2, 11)
}

/// The lowest `count * 6` bits of `bits` in the alphabet of `crypt`.
pub(super) fn letters(bits: u128, count: u32) -> String {
    let letter = |index: u32| ALPHABET[(bits >> (6 * index) & 63) as usize] as char;
    (0..count).rev().map(letter).collect()
}

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn key_of(password: &[u8]) -> u64 {
    let mut key = [0; 8];
    let typed = password.iter().take_while(|byte| **byte != 0);
    for (place, byte) in key.iter_mut().zip(typed) {
        // The lowest bit of each key byte is DES's parity, which PC-1 leaves out.
        *place = byte << 1;
    }
    u64::from_be_bytes(key)
}

/// The 48 bits of key for each of the 16 rounds.
fn schedule(key: u64) -> [u64; 16] {
    let halves = permute(key, 64, &PC_1);
    let (mut c, mut d) = (halves >> 28, halves & LOW_28);
    SHIFTS.map(|shift| {
        c = (c << shift | c >> (28 - shift)) & LOW_28;
        d = (d << shift | d >> (28 - shift)) & LOW_28;
        permute(c << 28 | d, 56, &PC_2)
    })
}

const LOW_28: u64 = (1 << 28) - 1;

/// Which of E's first 24 wires change places with those 24 later, leftmost first.
fn crossed_wires(salt: [u8; 2]) -> u64 {
    let value = |letter: u8| ALPHABET.iter().position(|known| *known == letter).unwrap_or(0) as u32;
    let bits = value(salt[0]) | value(salt[1]) << 6;
    // The salt's lowest bit is for the first wire.
    u64::from(bits.reverse_bits() >> 8)
}

/// The function f of the standard, with crossed wires between E and the key.
fn scramble(right: u32, key: u64, crossed: u64) -> u32 {
    let wide = expand(right);
    let exchanged = (wide >> 24 ^ wide) & crossed;
    let mixed = wide ^ (exchanged << 24 | exchanged) ^ key;
    let mut chosen = 0;
    for (index, rows) in S.iter().enumerate() {
        let six = mixed >> (42 - 6 * index) & 63;
        // The outer two bits choose the row, the inner four the number in it.
        let row = (six >> 4 & 2 | six & 1) as usize;
        let column = six >> 1 & 15;
        chosen = chosen << 4 | rows[row] >> (60 - 4 * column) & 15;
    }
    permute(chosen, 32, &P) as u32
}

/// The expansion E: each four bits with their neighbours, around the corner too.
fn expand(right: u32) -> u64 {
    let with_neighbours = |index: u32| u64::from(right.rotate_left((4 * index + 31) % 32) >> 26);
    (0..8).fold(0, |wide, index| wide << 6 | with_neighbours(index))
}

/// The bits of `block`, which has `width` of them, that `table` names, in its order.
fn permute(block: u64, width: u8, table: &[u8]) -> u64 {
    table.iter().fold(0, |out, bit| out << 1 | block >> (width - bit) & 1)
}

/// The final permutation, IP to the power of -1.
const FINAL: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21,
    61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9,
    49, 17, 57, 25,
];

const P: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4,
    25,
];

const PC_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 63, 55,
    47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];

const PC_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30,
    40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// How far the halves of the key turn before each round.
const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

/// S1 to S8, a row of 16 numbers in each 16 hexadecimal digits.
const S: [[u64; 4]; 8] = [
    [0xE4D12FB83A6C5907, 0x0F74E2D1A6CB9538, 0x41E8D62BFC973A50, 0xFC8249175B3EA06D],
    [0xF18E6B34972DC05A, 0x3D47F28EC01A69B5, 0x0E7BA4D158C6932F, 0xD8A13F42B67C05E9],
    [0xA09E63F51DC7B428, 0xD709346A285ECBF1, 0xD6498F30B12C5AE7, 0x1AD069874FE3B52C],
    [0x7DE3069A1285BC4F, 0xD8B56F03472C1AE9, 0xA690CB7DF13E5284, 0x3F06A1D8945BC72E],
    [0x2C417AB6853FD0E9, 0xEB2C47D150FA3986, 0x421BAD78F9C5630E, 0xB8C71E2D6F09A453],
    [0xC1AF92680D34E75B, 0xAF427C9561DE0B38, 0x9EF528C3704A1DB6, 0x432C95FABE17608D],
    [0x4B2EF08D3C975A61, 0xD0B7491AE35C2F86, 0x14BDC37EAF680592, 0x6BD814A7950FE23C],
    [0xD2846FB1A93E50C7, 0x1FD8A374C56B0E92, 0x7B419CE206ADF358, 0x21E74A8DFC90356B],
];
