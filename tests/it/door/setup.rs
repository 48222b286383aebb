//! A door with a backend that writes down what it is handed, and a client that writes bytes.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use nejiboard::intake::{self, Accepting, Backend, Door, DoorOptions, Limits, Patience, Purpose, ThreadState};
use nejiboard::metrics::Metrics;
use nejiboard::model::{
    BoardSettings, BoardSlug, ErrorView, PostId, PostNo, ReaderRequest, Receipt, Refusal, SiteSettings, Submission,
    Trouble, Verdict,
};

/// The address from which requests without a socket come.
pub const SOMEONE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// A site with one board, `tech`, and these threads: 1 is open, 2 closed, 3 full, and 4 is a reply in 1.
pub struct Fake {
    pub site: SiteSettings,
    pub board: BoardSettings,
    /// What becomes of a post that reached the backend.
    pub outcome: Outcome,
    /// What reached it.
    pub posts: Mutex<Vec<Submission>>,
    /// What readers asked for.
    pub requests: Mutex<Vec<(PostNo, ReaderRequest)>>,
    /// Seconds since the epoch.
    pub now: AtomicU64,
    pub ids: AtomicU64,
    pub metrics: Arc<Metrics>,
    pub troubles: Vec<Trouble>,
}

#[derive(Clone)]
pub enum Outcome {
    Visible,
    Safe,
    Refused(Refusal),
    Panic,
    Never,
    After(Duration),
}

/// 2026-01-01, a Thursday.
pub const NOW: u64 = 1_767_225_600;

impl Default for Fake {
    fn default() -> Fake {
        Fake {
            site: SiteSettings::default(),
            board: BoardSettings::default(),
            outcome: Outcome::Visible,
            posts: Mutex::default(),
            requests: Mutex::default(),
            now: AtomicU64::new(NOW),
            ids: AtomicU64::new(1),
            metrics: Arc::default(),
            troubles: Vec::new(),
        }
    }
}

impl Fake {
    pub fn taken(&self) -> Vec<Submission> {
        self.posts.lock().unwrap().clone()
    }
}

impl Backend for Fake {
    fn site(&self) -> Arc<SiteSettings> {
        Arc::new(self.site.clone())
    }

    fn board(&self, slug: &BoardSlug) -> Option<Arc<BoardSettings>> {
        (slug.as_str() == "tech").then(|| Arc::new(self.board.clone()))
    }

    fn thread(&self, _: &BoardSlug, no: PostNo) -> ThreadState {
        match no.get() {
            1 => ThreadState::Open,
            2 => ThreadState::Closed,
            3 => ThreadState::Full,
            4 => ThreadState::ReplyOf(number(1)),
            _ => ThreadState::Missing,
        }
    }

    fn lines(&self, _: &BoardSlug, no: PostNo) -> Vec<PostNo> {
        if no.get() == 1 { [1, 4, 9].map(number).to_vec() } else { Vec::new() }
    }

    fn start_thread(&self, _: &BoardSlug, _: &PostId) -> Result<(), Refusal> {
        Ok(())
    }

    fn admit(&self, _: &BoardSlug, _: IpAddr) -> Result<(), Refusal> {
        Ok(())
    }

    fn attend(&self, board: BoardSlug, no: PostNo, request: ReaderRequest, _: IpAddr) -> Accepting {
        self.requests.lock().unwrap().push((no, request));
        Box::pin(async move { Ok(Receipt::Done { board, thread: Some(number(1)) }) })
    }

    fn sign(&self, typed: &str) -> (String, String) {
        match typed.split_once('#') {
            Some((name, key)) => (name.to_owned(), format!("!{key}")),
            None => (typed.to_owned(), String::new()),
        }
    }

    fn new_id(&self) -> PostId {
        PostId::parse(&format!("fresh-{}", self.ids.fetch_add(1, Ordering::Relaxed))).unwrap()
    }

    fn accept(&self, post: Submission, patience: Patience) -> Accepting {
        let (board, thread) = (post.board.clone(), post.thread);
        self.posts.lock().unwrap().push(post);
        let visible =
            Ok(Receipt::Visible { board: board.clone(), thread: thread.unwrap_or(number(77)), no: number(77) });
        match self.outcome.clone() {
            Outcome::Visible if patience == Patience::UntilSafe => {
                Box::pin(async move { Ok(Receipt::Safe { board, thread }) })
            }
            Outcome::Visible => Box::pin(async { visible }),
            Outcome::Safe => Box::pin(async move { Ok(Receipt::Safe { board, thread }) }),
            Outcome::Refused(refusal) => Box::pin(async { Err(refusal) }),
            Outcome::Panic => Box::pin(async { panic!("the backend breaks, as it is told to") }),
            Outcome::Never => Box::pin(std::future::pending()),
            Outcome::After(time) => Box::pin(async move {
                tokio::time::sleep(time).await;
                visible
            }),
        }
    }

    fn hold(&self, post: Submission, _: Verdict, _: Patience) -> Accepting {
        Box::pin(async move { Ok(Receipt::Held { board: post.board, thread: post.thread }) })
    }

    fn page(&self, view: &ErrorView) -> String {
        match view {
            ErrorView::Refused { refusal, form } => {
                let typed = form.as_ref().map_or(String::new(), |form| form.body.clone());
                format!("<!DOCTYPE html><h1>{}</h1><textarea>{typed}</textarea>", refusal.code())
            }
            ErrorView::Safe { board, thread } => format!("<!DOCTYPE html><h1>safe</h1>{board} {thread:?}"),
            ErrorView::Held { board, thread } => format!("<!DOCTYPE html><h1>held</h1>{board} {thread:?}"),
        }
    }

    fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    fn troubles(&self) -> Vec<Trouble> {
        self.troubles.clone()
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now.load(Ordering::Relaxed))
    }
}

pub fn number(no: u64) -> PostNo {
    PostNo::new(no).unwrap()
}

/// Short times, so that tests of time-outs are quick.
pub fn quick() -> Limits {
    Limits {
        first_byte_time: Duration::from_millis(600),
        head_time: Duration::from_millis(600),
        body_time: Duration::from_millis(600),
        write_stall_time: Duration::from_millis(600),
        accept_time: Duration::from_secs(2),
        stop_time: Duration::from_millis(800),
        ..Limits::default()
    }
}

/// A door without a socket, and its `public/`.
pub struct Quiet {
    pub backend: Arc<Fake>,
    pub door: Door,
    pub public: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: hyper::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.head.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Quiet {
    pub fn new(backend: Fake) -> Quiet {
        Quiet::with_limits(backend, quick())
    }

    pub fn with_limits(backend: Fake, limits: Limits) -> Quiet {
        let backend = Arc::new(backend);
        let public = tempfile::tempdir().unwrap();
        let options = DoorOptions { public: public.path().join("public"), limits, purpose: Purpose::Site };
        fs::create_dir(public.path().join("public")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Quiet { door: Door::new(options, backend.clone()), backend, public, runtime }
    }

    /// Writes a file below `public/`.
    pub fn file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.public.path().join("public").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        self.ask_from(SOMEONE, request)
    }

    pub fn ask_from(&self, address: IpAddr, request: Request<Full<Bytes>>) -> Answer {
        self.runtime.block_on(async {
            let response: Response<intake::Body> = intake::answer(&self.door, request, address).await;
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            Answer { status: head.status.as_u16(), head: head.headers, body }
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(request("GET", path, headers, ""))
    }

    /// Sends a urlencoded form.
    pub fn post(&self, form: impl AsRef<[u8]>) -> Answer {
        self.post_as("application/x-www-form-urlencoded", form)
    }

    pub fn post_as(&self, media_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask(request("POST", "/post", &[("content-type", media_type)], body))
    }

    /// The one post that was taken, after a form that must be accepted.
    pub fn taken_from(&self, form: &str) -> Submission {
        let answer = self.post(form);
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.backend.taken().pop().unwrap()
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Request<Full<Bytes>> {
    let body = Bytes::copy_from_slice(body.as_ref());
    let mut builder = Request::builder().method(method).uri(path).header("host", "board.test");
    if !body.is_empty() {
        builder = builder.header("content-length", body.len());
    }
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body)).unwrap()
}

/// A door behind a socket of this machine.
pub struct Open {
    pub address: SocketAddr,
    pub backend: Arc<Fake>,
    pub public: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<std::io::Result<()>>>,
}

impl Open {
    pub fn new(backend: Fake, limits: Limits) -> Open {
        let backend = Arc::new(backend);
        let public = tempfile::tempdir().unwrap();
        fs::write(public.path().join("index.html"), "home").unwrap();
        let options = DoorOptions { public: public.path().to_owned(), limits, purpose: Purpose::Site };
        let listener = intake::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let serving = intake::serve(listener, options, backend.clone(), async { stopped.await.unwrap_or(()) });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let thread = std::thread::spawn(move || runtime.block_on(serving));
        Open { address, backend, public, stop: Some(stop), thread: Some(thread) }
    }

    /// Tells the door to close, without waiting.
    pub fn tell_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until the door is closed.
    pub fn wait(&mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// Sends `bytes` and returns all that comes until the door closes the connection.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // The door may have closed already; what it said before is still to be read.
        let _ = stream.write_all(bytes.as_ref());
        read_to_close(&mut stream)
    }

    /// What any browser does: the page, and then a post on the same connection.
    pub fn serves_a_normal_client(&self) {
        let before = self.backend.taken().len();
        let form = "board=tech&thread=1&body=hello";
        let answer = self.send(format!(
            "GET / HTTP/1.1\r\nHost: board.test\r\n\r\n\
             POST /post HTTP/1.1\r\nHost: board.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ));
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("HTTP/1.1 303 See Other\r\n"), "{answer}");
        assert_eq!(self.backend.taken().len(), before + 1);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All that comes until the other side closes or resets; what comes after five silent seconds is a failure.
pub fn read_to_close(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
            panic!("the door neither answered nor closed within five seconds")
        }
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Ends what this side has to say, for tests of half-closed connections.
pub fn end_of_writing(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}
