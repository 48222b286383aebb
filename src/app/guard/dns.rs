//! The little of DNS that it takes to ask whether a name has an address (RFC 1035, section 4).
//!
//! A question is asked by UDP and answered within 512 bytes. What comes is a stranger's: it counts only if it has the
//! question's number and the question itself, and no pointer in it is followed.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Bytes that an answer may have; whoever sends more has not read the question, which asks for no more.
const MESSAGE_BYTES_MAX: usize = 512;

/// Messages that are looked at; in a flood of wrong ones nobody looks for the right one.
const MESSAGES_MAX: usize = 64;

/// After so long without an answer the question is asked once more: packets get lost.
const AGAIN_AFTER: Duration = Duration::from_millis(400);

const HEAD_BYTES: usize = 12;
const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;
const NO_SUCH_NAME: u8 = 3;

/// What a name server says of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// It has these addresses, for so many seconds.
    Addresses(Vec<Ipv4Addr>, u32),
    /// It has none.
    Nothing,
    /// The server does not know, or has not said anything in time.
    Unknown,
}

/// Asks for the addresses of all names at once, and waits so long for all answers together.
pub fn ask(server: SocketAddr, names: &[String], within: Duration) -> Vec<Said> {
    let mut said = vec![Said::Unknown; names.len()];
    // Whatever the system refuses, nobody is the worse for it.
    let _ = ask_into(&mut said, server, names, within);
    said
}

fn ask_into(said: &mut [Said], server: SocketAddr, names: &[String], within: Duration) -> std::io::Result<()> {
    let deadline = Instant::now() + within;
    let own = if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind::<SocketAddr>(own)?;
    // SECURITY: what comes from elsewhere than from the server never reaches us, and the system chose our port.
    socket.connect(server)?;
    let questions: Vec<Option<Vec<u8>>> = names.iter().map(|name| question(name, random())).collect();
    let mut open: Vec<usize> = (0..names.len()).filter(|at| questions[*at].is_some()).collect();
    let mut again_at = None;
    for _ in 0..MESSAGES_MAX {
        let now = Instant::now();
        if open.is_empty() || deadline <= now {
            break;
        }
        if again_at.is_none_or(|at| at <= now) {
            for question in open.iter().filter_map(|at| questions[*at].as_ref()) {
                socket.send(question)?;
            }
            // Once more, and then not again.
            again_at = Some(if again_at.is_none() { now + AGAIN_AFTER } else { deadline });
        }
        let until = again_at.map_or(deadline, |at| at.min(deadline));
        socket.set_read_timeout(Some(until.saturating_duration_since(now).max(Duration::from_millis(1))))?;
        let mut buffer = [0; MESSAGE_BYTES_MAX + 1];
        let bytes = match socket.recv(&mut buffer) {
            Ok(bytes) => bytes,
            Err(error) if is_early(&error) => continue,
            Err(error) => return Err(error),
        };
        let read_one = |at: &usize| Some((*at, read(questions[*at].as_ref()?, &buffer[..bytes])?));
        if let Some((at, answer)) = open.iter().find_map(read_one) {
            said[at] = answer;
            open.retain(|open| *open != at);
        }
    }
    Ok(())
}

fn is_early(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// SECURITY: who guesses it, and the port, can answer for the server. The hasher's key is the system's randomness.
fn random() -> u16 {
    RandomState::new().hash_one(0) as u16
}

/// The question for a name's IPv4 addresses; `None` if it is no name.
fn question(name: &str, id: u16) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + name.len() + 6);
    bytes.extend(id.to_be_bytes());
    // A plain question, to be answered whole; one of them, and nothing else.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        if !(1..=63).contains(&label.len()) || 253 < name.len() {
            return None;
        }
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(TYPE_A.to_be_bytes());
    bytes.extend(CLASS_IN.to_be_bytes());
    Some(bytes)
}

/// What a message says to a question; `None` if it is no answer to it.
fn read(question: &[u8], message: &[u8]) -> Option<Said> {
    let (asked, told) = (question.split_at_checked(HEAD_BYTES)?, message.split_at_checked(HEAD_BYTES)?);
    let is_answer = asked.0[..2] == told.0[..2] && told.0[2] & 0b1111_1000 == 0b1000_0000 && told.0[4..6] == [0, 1];
    let (again, mut rest) = told.1.split_at_checked(asked.1.len())?;
    if MESSAGE_BYTES_MAX < message.len() || !is_answer || !again.eq_ignore_ascii_case(asked.1) {
        return None;
    }
    match told.0[3] & 0b1111 {
        0 => {}
        NO_SUCH_NAME => return Some(Said::Nothing),
        _ => return Some(Said::Unknown),
    }
    let (mut addresses, mut seconds) = (Vec::new(), u32::MAX);
    for _ in 0..u16::from_be_bytes([told.0[6], told.0[7]]) {
        let Some((record, behind)) = record(rest) else { return Some(Said::Unknown) };
        rest = behind;
        // Behind an alias stand the addresses of another name; that is all the same to who asked.
        if let Record { kind: TYPE_A, class: CLASS_IN, data: [a, b, c, d], .. } = record {
            addresses.push(Ipv4Addr::new(*a, *b, *c, *d));
            seconds = seconds.min(record.seconds);
        }
    }
    let is_cut = told.0[2] & 0b10 != 0;
    Some(match addresses.is_empty() {
        true if is_cut => Said::Unknown,
        true => Said::Nothing,
        false => Said::Addresses(addresses, seconds),
    })
}

struct Record<'a> {
    kind: u16,
    class: u16,
    seconds: u32,
    data: &'a [u8],
}

/// The record at the beginning of these bytes, and what is behind it.
fn record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let bytes = behind_name(bytes)?;
    let (head, rest) = bytes.split_at_checked(10)?;
    let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (data, rest) = rest.split_at_checked(number(8).into())?;
    let seconds = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    Some((Record { kind: number(0), class: number(2), seconds, data }, rest))
}

/// What is behind a name. A pointer ends it; where it leads nobody looks, so none can lead in a circle.
fn behind_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, rest) = bytes.split_first()?;
        match *length {
            0 => return Some(rest),
            1..=63 => bytes = rest.get(usize::from(*length)..)?,
            192.. => return rest.get(1..),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "9.113.0.203.list.example";

    /// An answer to the question for [`NAME`] with the number 7: flags, how many records, and the records.
    fn answer(flags: [u8; 2], records: u16, rest: &[u8]) -> Vec<u8> {
        let mut message = question(NAME, 7).unwrap();
        message[2..4].copy_from_slice(&flags);
        message[6..8].copy_from_slice(&records.to_be_bytes());
        message.extend(rest);
        message
    }

    const A: [u8; 16] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2];

    fn said(message: &[u8]) -> Option<Said> {
        read(&question(NAME, 7).unwrap(), message)
    }

    #[test]
    fn an_answer_tells_addresses_or_that_there_are_none() {
        let listed = Said::Addresses(vec![Ipv4Addr::new(127, 0, 0, 2)], 60);
        assert_eq!(said(&answer([0x81, 0x80], 1, &A)), Some(listed.clone()));
        let alias = [&[0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xC0, 12][..], &A].concat();
        assert_eq!(said(&answer([0x81, 0x80], 2, &alias)), Some(listed.clone()));
        let whole_name = [&b"\x03www\x04list\0"[..], &A[2..]].concat();
        assert_eq!(said(&answer([0x81, 0x80], 1, &whole_name)), Some(listed));
        assert_eq!(said(&answer([0x81, 0x83], 0, &[])), Some(Said::Nothing));
        assert_eq!(said(&answer([0x81, 0x80], 0, &[])), Some(Said::Nothing));
        for refused in [0x82, 0x85] {
            assert_eq!(said(&answer([0x81, refused], 0, &[])), Some(Said::Unknown));
        }
        assert_eq!(said(&answer([0x83, 0x80], 0, &[])), Some(Said::Unknown), "cut");
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_listened_to() {
        let good = answer([0x81, 0x80], 1, &A);
        let changed = |at: usize, to: u8| {
            let mut message = good.clone();
            message[at] = to;
            message
        };
        let other_name = changed(HEAD_BYTES + 1, b'8');
        let huge = [&good[..], &[0; MESSAGE_BYTES_MAX]].concat();
        for message in [changed(1, 8), changed(2, 0x01), changed(2, 0xA9), changed(5, 2), other_name, huge] {
            assert_eq!(said(&message), None, "{message:?}");
        }
        for short in 0..question(NAME, 7).unwrap().len() {
            assert_eq!(said(&good[..short]), None);
        }
    }

    #[test]
    fn broken_records_end_in_nothing() {
        for cut in 0..A.len() {
            assert_eq!(said(&answer([0x81, 0x80], 1, &A[..cut])), Some(Said::Unknown), "{cut}");
        }
        // A pointer to itself, one into nowhere, a label of a kind that there is not, a record that claims more than is there.
        let loops = [&[0xC0, 42][..], &A[2..]].concat();
        assert!(matches!(said(&answer([0x81, 0x80], 1, &loops)), Some(Said::Addresses(..))), "it is not followed");
        let long = [&A[..10], &[0xFF, 0xFF], &A[12..]].concat();
        let strange = [&[0x80, 1][..], &A].concat();
        let endless = [63; 400];
        for rest in [&long[..], &strange, &endless, &[0xC0]] {
            assert_eq!(said(&answer([0x81, 0x80], u16::MAX, rest)), Some(Said::Unknown));
        }
        let another_kind = [&[0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 9, 0, 4, 127, 0, 0, 2][..]].concat();
        assert_eq!(said(&answer([0x81, 0x80], 1, &another_kind)), Some(Said::Nothing));
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        assert!(question("a..b", 1).is_none() && question(&"a".repeat(64), 1).is_none());
        assert!(question(&"a.".repeat(150), 1).is_none() && question("", 1).is_none());
    }

    #[test]
    fn nobody_waits_longer_for_a_server_that_is_silent_or_gone() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let names = [NAME.to_owned(), "b.example".to_owned()];
        let began = Instant::now();
        let said = ask(silent.local_addr().unwrap(), &names, Duration::from_millis(600));
        assert_eq!(said, [Said::Unknown, Said::Unknown]);
        assert!((500..5_000).contains(&began.elapsed().as_millis()));
        // Both were asked twice.
        silent.set_nonblocking(true).unwrap();
        assert_eq!((0..9).filter(|_| silent.recv(&mut [0; 512]).is_ok()).count(), 4);
        let gone = silent.local_addr().unwrap();
        drop(silent);
        assert_eq!(ask(gone, &names, Duration::from_millis(200)), [Said::Unknown, Said::Unknown]);
    }

    #[test]
    fn among_wrong_messages_the_right_one_is_found() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let mut asked = [0; 512];
            let (bytes, from) = server.recv_from(&mut asked).unwrap();
            let mut good = asked[..bytes].to_vec();
            good[2] = 0x81;
            good[7] = 1;
            good.extend(A);
            let mut wrong = good.clone();
            wrong[0] ^= 1;
            for message in [&[][..], b"\0", &wrong, &[0; 2_000], &good] {
                server.send_to(message, from).unwrap();
            }
        });
        let said = ask(at, &[NAME.to_owned()], Duration::from_secs(5));
        assert_eq!(said, [Said::Addresses(vec![Ipv4Addr::new(127, 0, 0, 2)], 60)]);
        serving.join().unwrap();
    }

    proptest::proptest! {
        /// Whatever stands in a message, it is read to its end or not at all, and within its bytes.
        #[test]
        fn any_message_is_read(
            head: [u8; HEAD_BYTES],
            rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600),
            is_asked: bool,
        ) {
            let asked = question(NAME, 7).unwrap();
            let mut message = head.to_vec();
            if is_asked {
                message = asked.clone();
                message[2..4].copy_from_slice(&[0x81, 0x80]);
                message[6..8].copy_from_slice(&head[6..8]);
            }
            message.extend(rest);
            let said = read(&asked, &message);
            proptest::prop_assert!(!is_asked || said.is_some() || MESSAGE_BYTES_MAX < message.len());
        }
    }
}
