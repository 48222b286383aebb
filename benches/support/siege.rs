//! Clients that mean no good, as many as are wanted, and beside them a reader and a poster who want to be served.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// What a hostile client does. Whatever is done to its connection, it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Says nothing.
    Silent,
    /// Says a byte of its head now and then.
    SlowHead,
    /// The same with the body of a post.
    SlowBody,
    /// Asks for much and reads nothing.
    SlowReader,
    /// Asks once, and then says nothing.
    Idle,
    /// Says half of a post, and that it will say no more.
    HalfClosed,
    /// Says half of a post, and resets the connection.
    Reset,
}

/// All of them.
pub const MANNERS: [Manner; 7] = [
    Manner::Silent,
    Manner::SlowHead,
    Manner::SlowBody,
    Manner::SlowReader,
    Manner::Idle,
    Manner::HalfClosed,
    Manner::Reset,
];

const HALF_POST: &[u8] = b"POST /post HTTP/1.1\r\nHost: siege\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                           Content-Length: 900\r\n\r\nboard=busy&thread=1&body=";

impl Manner {
    /// What it says at once, of `page`, which should be large.
    fn says(self, page: &str) -> Vec<u8> {
        let get = format!("GET {page} HTTP/1.1\r\nHost: siege\r\n\r\n").into_bytes();
        match self {
            Manner::Silent => Vec::new(),
            Manner::SlowHead => get[..20].to_vec(),
            Manner::Idle => get,
            // As many as go into the system's buffers.
            Manner::SlowReader => get.repeat(200),
            Manner::SlowBody | Manner::HalfClosed | Manner::Reset => HALF_POST.to_vec(),
        }
    }

    fn drips(self) -> bool {
        matches!(self, Manner::SlowHead | Manner::SlowBody)
    }
}

/// Hostile clients, until this is dropped.
pub struct Siege {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Siege {
    /// Begins with so many of them.
    pub fn begin(address: SocketAddr, manner: Manner, count: usize, page: &str) -> Siege {
        let (ended, says) = (Arc::new(AtomicBool::new(false)), manner.says(page));
        let heard = Arc::clone(&ended);
        let thread = std::thread::spawn(move || besiege(address, manner, count, &says, &heard));
        Siege { ended, thread: Some(thread) }
    }

    /// Ends it, and tells how many connections it took.
    pub fn end(mut self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |thread| thread.join().unwrap_or(0))
    }
}

impl Drop for Siege {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn besiege(address: SocketAddr, manner: Manner, count: usize, says: &[u8], ended: &AtomicBool) -> usize {
    let mut places: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
    let (mut opened, mut round) = (0, 0);
    while !ended.load(Ordering::Relaxed) {
        round += 1;
        for (number, place) in places.iter_mut().enumerate() {
            if ended.load(Ordering::Relaxed) {
                break;
            }
            if place.as_ref().is_some_and(is_over) {
                *place = None;
            }
            match place {
                Some(stream) if manner.drips() && round % 10 == 0 => drop(stream.write(b"x")),
                Some(_) if manner == Manner::Reset => *place = None,
                Some(_) => {}
                None => {
                    *place = connect(address, number, says);
                    opened += 1;
                    if let (Manner::HalfClosed, Some(stream)) = (manner, &place) {
                        let _ = stream.shutdown(std::net::Shutdown::Write);
                    }
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    opened
}

/// Whether the other side has ended the connection. What it says is not read.
fn is_over(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// A connection from one of several addresses of this machine, which is reset when it is dropped.
fn connect(address: SocketAddr, number: usize, says: &[u8]) -> Option<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).ok()?;
    let from = SocketAddr::from(([127, 0, 2, 1 + (number / 3_000) as u8], 0));
    socket.bind(&from.into()).ok()?;
    socket.set_linger(Some(Duration::ZERO)).ok()?;
    // A small one, so that who reads nothing takes little.
    socket.set_recv_buffer_size(4096).ok()?;
    socket.connect_timeout(&address.into(), Duration::from_millis(200)).ok()?;
    socket.set_nonblocking(true).ok()?;
    let mut stream = TcpStream::from(socket);
    let _ = stream.write(says);
    Some(stream)
}

/// What a reader and a poster got.
#[derive(Clone, Copy, Default, Debug)]
pub struct Service {
    /// Requests that were answered as they should be.
    pub served: usize,
    /// All others.
    pub failed: usize,
    /// The longest that one took, with its connection.
    pub slowest: Duration,
}

static UNLIKE: AtomicUsize = AtomicUsize::new(0);

/// Reads `page` and posts a reply, each on a new connection, so many times.
pub fn serve_me(address: SocketAddr, times: usize, page: &str) -> [Service; 2] {
    let mut services = [Service::default(); 2];
    let get = format!("GET {page} HTTP/1.1\r\nHost: siege\r\nConnection: close\r\n\r\n");
    for _ in 0..times {
        // No two are the same, or the second would be taken for the first one sent again.
        let unlike = UNLIKE.fetch_add(1, Ordering::Relaxed);
        let body = format!("board=busy&thread=1&body=a+normal+post+{unlike}");
        let post = format!(
            "POST /post HTTP/1.1\r\nHost: siege\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        for (service, (request, status)) in services.iter_mut().zip([(&get, "200"), (&post, "303")]) {
            let began = Instant::now();
            let served =
                exchange(address, request).is_some_and(|answer| answer.starts_with(&format!("HTTP/1.1 {status} ")));
            *if served { &mut service.served } else { &mut service.failed } += 1;
            service.slowest = service.slowest.max(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    services
}

fn exchange(address: SocketAddr, request: &str) -> Option<String> {
    let long = Duration::from_secs(20);
    let mut stream = TcpStream::connect_timeout(&address, long).ok()?;
    stream.set_read_timeout(Some(long)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
