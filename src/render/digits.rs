//! Numbers, written without the machinery of formatting: a page holds hundreds of them.

/// The digits of the largest number.
const DIGITS_MAX: usize = 20;

/// A number in digits, to be written at several places.
pub struct Digits {
    digits: [u8; DIGITS_MAX],
    begin: usize,
}

impl Digits {
    /// The digits of a number.
    pub fn of(number: u64) -> Digits {
        let mut digits = [b'0'; DIGITS_MAX];
        let mut begin = DIGITS_MAX;
        let mut rest = number;
        loop {
            begin -= 1;
            digits[begin] = digit(rest % 10);
            rest /= 10;
            if rest == 0 {
                break Digits { digits, begin };
            }
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        as_text(&self.digits[self.begin..])
    }
}

/// Adds a number.
pub fn push_number(out: &mut String, number: u64) {
    out.push_str(Digits::of(number).as_str());
}

/// Puts the last two digits of a number at a place of a line.
pub fn put_two(line: &mut [u8], at: usize, number: u32) {
    line[at] = digit(u64::from(number / 10 % 10));
    line[at + 1] = digit(u64::from(number % 10));
}

/// Adds bytes that are known to be ASCII.
pub fn push_ascii(out: &mut String, bytes: &[u8]) {
    out.push_str(as_text(bytes));
}

fn as_text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).expect("ASCII is UTF-8")
}

fn digit(value: u64) -> u8 {
    b'0' + value as u8
}
