//! One connection, from its first byte to its end.
//!
//! It begins with what costs least: the connection reads heads by itself, holds no more than what came of them, and
//! answers plain requests (`head`). With the first other one it goes to hyper for the rest of its life.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body as _, Bytes};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep};

use super::pace::{Pace, out_of_patience};
use super::server::Slot;
use super::{Body, Door, answer, head};

/// What is read at once of a head; most are smaller.
const READ_BYTES: usize = 4096;

/// Steps in which the time of a connection is measured, so that its timer is not set anew for each request.
const STEPS: u32 = 2;

/// Answers all requests that come on `stream`, until it ends, breaks a rule or the door closes.
pub(super) async fn talk(stream: TcpStream, slot: Slot, door: Arc<Door>) {
    // Only speed is lost where this fails.
    let _ = stream.set_nodelay(true);
    let mut pace = Pace::heard(&door.pace);
    let Some((stream, begun)) = answer_plain(stream, &slot, &door, &mut pace).await else { return };
    // In a box, so that connections which never come here do not have room for it.
    Box::pin(answer_all(stream, begun, &slot, &door, pace)).await;
}

/// What was read of a connection before it goes to hyper.
struct Begun {
    bytes: Bytes,
    /// Whether a whole head is there.
    asks: bool,
}

/// Answers plain requests. With another one it gives the connection back, and the bytes that came of it.
async fn answer_plain(
    mut stream: TcpStream,
    slot: &Slot,
    door: &Door,
    pace: &mut watch::Receiver<Pace>,
) -> Option<(TcpStream, Begun)> {
    let mut waiting = Waiting::new(door);
    let mut held = Vec::new();
    loop {
        let Some(end) = waiting.whole_head(&mut stream, &mut held, door, pace).await else {
            // What is too long or no request is hyper's to refuse.
            return (!held.is_empty()).then(|| (stream, Begun { bytes: held.into(), asks: false }));
        };
        let rest = if end < held.len() { held.split_off(end) } else { Vec::new() };
        let begun = Bytes::from(std::mem::replace(&mut held, rest));
        let plain = if end <= door.limits.head_bytes_max { head::plain(&begun, door.limits.headers_max) } else { None };
        let Some(request) = plain else {
            let rest = Bytes::from(held);
            let bytes = if rest.is_empty() { begun } else { [begun, rest].concat().into() };
            return Some((stream, Begun { bytes, asks: true }));
        };
        // In a box, so that a connection which only waits does not have room for it.
        let mut response = Box::pin(answer(door, request, slot.address)).await;
        let last = pace.borrow().is_hurried() || response.headers().contains_key(CONNECTION);
        if last {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // Who reads nothing should hold no more than what is on its way.
        drop(begun);
        let sent = Box::pin(send(&mut stream, response, door)).await;
        if sent.is_err() {
            return None;
        }
        if last {
            let _ = stream.shutdown().await;
            return None;
        }
        if !held.is_empty() {
            // SECURITY: whoever asks for much at once gets one answer at a time, in turns with all others.
            yield_now().await;
        }
        waiting.steps = STEPS;
        waiting.hurried = None;
    }
}

/// How long a connection may still wait for the next whole head.
struct Waiting {
    timer: Pin<Box<Sleep>>,
    /// Steps of the timer that may still pass.
    steps: u32,
    begun: bool,
    hurried: Option<Duration>,
}

impl Waiting {
    fn new(door: &Door) -> Waiting {
        Waiting { timer: Box::pin(sleep(door.limits.first_byte_time)), steps: 0, begun: false, hurried: None }
    }

    /// Reads until a whole head is there, and tells where it ends. `None` if none will come: because of what is held,
    /// or, if nothing is, because the connection has ended or waited too long.
    async fn whole_head(
        &mut self,
        stream: &mut TcpStream,
        held: &mut Vec<u8>,
        door: &Door,
        pace: &mut watch::Receiver<Pace>,
    ) -> Option<usize> {
        let mut searched = 0;
        loop {
            if let Some(end) = head::end(held, searched) {
                return Some(end);
            }
            searched = held.len();
            if door.limits.head_bytes_max <= searched || !head::may_begin(held) {
                return None;
            }
            tokio::select! {
                biased;
                read = read_some(stream, held) => match read {
                    Ok(true) => self.heard(door),
                    Ok(false) | Err(_) => {
                        held.clear();
                        return None;
                    }
                },
                () = self.timer.as_mut() => {
                    let Some(steps) = self.steps.checked_sub(1) else {
                        held.clear();
                        return None;
                    };
                    self.steps = steps;
                    self.timer.set(sleep(door.limits.head_time / STEPS));
                }
                pace = Pace::faster(pace) => match pace {
                    Pace::Easy | Pace::Leaving => {}
                    Pace::Hurried(time) => self.hurry(time),
                    Pace::Over => {
                        held.clear();
                        return None;
                    }
                },
            }
        }
    }

    /// The first byte is there: from now on the time for heads counts.
    fn heard(&mut self, door: &Door) {
        if !self.begun {
            self.begun = true;
            if self.hurried.is_none() {
                self.steps = STEPS - 1;
                self.timer.set(sleep(door.limits.head_time / STEPS));
            }
        }
    }

    /// Shortens the time that is left. What is told later and is no shorter must not make it longer.
    fn hurry(&mut self, time: Duration) {
        if self.hurried.is_none_or(|before| time < before) {
            self.hurried = Some(time);
            self.steps = 0;
            self.timer.set(sleep(time));
        }
    }
}

/// Adds what can be read to `held`; `false` at the end.
async fn read_some(stream: &mut TcpStream, held: &mut Vec<u8>) -> io::Result<bool> {
    std::future::poll_fn(|cx| {
        // On the stack of the thread, so that who waits holds no buffer.
        let mut bytes = [MaybeUninit::uninit(); READ_BYTES];
        let mut bytes = ReadBuf::uninit(&mut bytes);
        Pin::new(&mut *stream).poll_read(cx, &mut bytes).map_ok(|()| {
            held.extend_from_slice(bytes.filled());
            !bytes.filled().is_empty()
        })
    })
    .await
}

/// Sends an answer to the end of its body.
async fn send(stream: &mut TcpStream, response: Response<Body>, door: &Door) -> io::Result<()> {
    let head = head::written(&response, door.backend.now());
    let mut body = response.into_body();
    let mut first = Bytes::new();
    if !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        first = frame?.into_data().unwrap_or_default();
    }
    write_both(stream, &head, &first, door).await?;
    drop((head, first));
    while let Some(frame) = body.frame().await {
        write_both(stream, &[], &frame?.into_data().unwrap_or_default(), door).await?;
    }
    Ok(())
}

/// Writes all of two pieces. Fails once the client has read nothing of it for too long.
async fn write_both(stream: &mut TcpStream, mut first: &[u8], mut second: &[u8], door: &Door) -> io::Result<()> {
    while !first.is_empty() || !second.is_empty() {
        let pieces = [IoSlice::new(first), IoSlice::new(second)];
        let mut writing = pin!(stream.write_vectored(&pieces));
        let written = match at_once(writing.as_mut()).await {
            Some(written) => written?,
            None => tokio::select! {
                biased;
                written = writing => written?,
                () = out_of_patience(door, door.limits.write_stall_time) => return Err(io::ErrorKind::TimedOut.into()),
            },
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_first = written.min(first.len());
        first = &first[of_first..];
        second = &second[written - of_first..];
    }
    Ok(())
}

/// What a future gives if it need not wait: most answers fit into the system's buffer, and then no timer is made.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Answers all that comes, through hyper; `begun` was read already.
async fn answer_all(stream: TcpStream, begun: Begun, slot: &Slot, door: &Door, mut pace: watch::Receiver<Pace>) {
    let guarded = Guarded::new(stream, begun.bytes, door);
    let limits = &door.limits;
    let has_asked = AtomicBool::new(begun.asks);
    let service = service_fn(|request| async {
        has_asked.store(true, Ordering::Relaxed);
        let mut response = answer(door, request, slot.address).await;
        if door.pace.borrow().is_hurried() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok::<_, io::Error>(response)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes_max)
        .max_headers(limits.headers_max)
        .keep_alive(true)
        .half_close(false)
        .serve_connection(TokioIo::new(guarded), service);
    let mut connection = pin!(connection);
    // How a connection ends is the client's business: there is nothing to tell and nobody to tell it to.
    tokio::select! {
        // It first, or hyper would take the connection for one on which nothing has come.
        biased;
        _ = connection.as_mut() => return,
        _ = Pace::faster(&mut pace) => {}
    }
    // Who has not come to ask goes, also who is between two requests, and who is in one has it answered.
    if !has_asked.load(Ordering::Relaxed) {
        return;
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// A stream that fails once its reader has read nothing for too long, for which hyper has no time-out.
struct Guarded<'a> {
    stream: TcpStream,
    begun: Bytes,
    door: &'a Door,
    stalled: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

impl<'a> Guarded<'a> {
    fn new(stream: TcpStream, begun: Bytes, door: &'a Door) -> Guarded<'a> {
        Guarded { stream, begun, door, stalled: None }
    }

    /// Passes on what came of writing, and measures how long nothing came of it.
    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let door = self.door;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(out_of_patience(door, door.limits.write_stall_time)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guarded<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.begun.len().min(buf.remaining());
        let begun = self.begun.split_to(length);
        buf.put_slice(&begun);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, shut)
    }
}
