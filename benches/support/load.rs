//! Many readers on one thread: connections that are all open first, and then ask together or again and again.
//!
//! It shares the machine with the server that it measures, so it does as little as can be: one loop over epoll, one
//! buffer for all, and no more of HTTP than where an answer ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use socket2::{Domain, Socket, Type};

/// The longest that a crowd waits for what is still to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections to one server.
pub struct Readers {
    open: Vec<Reader>,
    epoll: std::os::fd::OwnedFd,
    buffer: Vec<u8>,
}

struct Reader {
    stream: TcpStream,
    /// Bytes of the answer that are still to come; `None` until its head is there.
    left: Option<usize>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Silent,
    Waiting,
    Failed,
}

/// What came of a crowd that asked together.
#[derive(Clone, Copy)]
pub struct Burst {
    /// Whole answers with status 200.
    pub answered: usize,
    /// Connections that broke, were refused, or waited in vain.
    pub failed: usize,
    /// From the first question to the last answer.
    pub took: Duration,
}

impl Readers {
    /// Opens so many connections, and waits until the server had time to take them in.
    pub fn connect(address: SocketAddr, count: usize) -> Readers {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll is there");
        let mut open = Vec::with_capacity(count);
        for number in 0..count {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("files enough");
            // Many addresses of this machine, so that ports last for several runs.
            let from = [127, 0, 1, 1 + (number / 4_000) as u8];
            socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of this machine");
            socket.connect(&address.into()).expect("it listens");
            // Closing then leaves nothing behind that would keep the port.
            socket.set_linger(Some(Duration::ZERO)).expect("a socket option");
            socket.set_tcp_nodelay(true).expect("a socket option");
            socket.set_nonblocking(true).expect("a socket option");
            let stream = TcpStream::from(socket);
            epoll::add(&epoll, &stream, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)
                .expect("room for one more");
            open.push(Reader { stream, left: None, state: State::Silent });
        }
        std::thread::sleep(Duration::from_secs(1));
        Readers { open, epoll, buffer: vec![0; 256 << 10] }
    }

    /// All ask, and each waits for its answer.
    pub fn ask_together(&mut self, request: &[u8]) -> Burst {
        let began = Instant::now();
        for reader in &mut self.open {
            reader.ask(request);
        }
        let answered = self.hear(began + PATIENCE, |_| {});
        Burst { answered, failed: self.open.len() - answered, took: began.elapsed() }
    }

    /// All ask, again and again, for so long. Tells the number of whole answers.
    pub fn ask_again(&mut self, request: &[u8], long: Duration) -> Burst {
        let began = Instant::now();
        let until = began + long;
        for reader in &mut self.open {
            reader.ask(request);
        }
        let answered = self.hear(until + PATIENCE, |reader| {
            if Instant::now() < until {
                reader.ask(request);
            }
        });
        let failed = self.open.iter().filter(|reader| reader.state != State::Silent).count();
        Burst { answered, failed, took: began.elapsed() }
    }

    /// Reads answers until nobody waits any more.
    fn hear(&mut self, until: Instant, mut then: impl FnMut(&mut Reader)) -> usize {
        let mut answered = 0;
        let mut events = Vec::with_capacity(1024);
        let mut waiting = self.open.iter().filter(|reader| reader.state == State::Waiting).count();
        while 0 < waiting && Instant::now() < until {
            events.clear();
            let pause = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&pause)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("epoll: {error}"),
            }
            for event in &events {
                let reader = &mut self.open[event.data.u64() as usize];
                match reader.hear(&mut self.buffer) {
                    Heard::Part => continue,
                    Heard::Whole => {
                        answered += 1;
                        then(reader);
                    }
                    Heard::Broken => {
                        let _ = epoll::delete(&self.epoll, &reader.stream);
                        if reader.state == State::Silent {
                            reader.state = State::Failed;
                            continue;
                        }
                        reader.state = State::Failed;
                    }
                }
                waiting -= usize::from(reader.state != State::Waiting);
            }
        }
        answered
    }
}

enum Heard {
    Part,
    Whole,
    Broken,
}

impl Reader {
    fn ask(&mut self, request: &[u8]) {
        // A request is small, and nothing else waits to be sent.
        self.state = match self.stream.write(request) {
            Ok(sent) if sent == request.len() => State::Waiting,
            _ => State::Failed,
        };
        self.left = None;
    }

    fn hear(&mut self, buffer: &mut [u8]) -> Heard {
        let got = match self.stream.read(buffer) {
            Ok(0) => return Heard::Broken,
            Ok(got) => got,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Heard::Part,
            Err(_) => return Heard::Broken,
        };
        let left = match self.left {
            Some(left) => left.checked_sub(got),
            None => whole_length(&buffer[..got]).and_then(|length| length.checked_sub(got)),
        };
        self.left = left;
        match left {
            Some(0) => {
                self.state = State::Silent;
                Heard::Whole
            }
            Some(_) => Heard::Part,
            None => Heard::Broken,
        }
    }
}

/// How many bytes an answer has, from its beginning; `None` if it is not the one that was asked for. Both servers send
/// the head at once.
fn whole_length(beginning: &[u8]) -> Option<usize> {
    let head = &beginning[..memchr::memmem::find(beginning, b"\r\n\r\n")?];
    if !head.starts_with(b"HTTP/1.1 200 ") {
        return None;
    }
    let length = std::str::from_utf8(head).ok()?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    Some(head.len() + 4 + length)
}
