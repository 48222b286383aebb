//! One connection, from its first byte to its end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep, timeout};

use super::server::{Closing, Slot};
use super::{Door, answer};

/// Answers all requests that come on `stream`, until it ends, breaks a rule or the door closes.
pub(super) async fn talk(stream: TcpStream, slot: Slot, door: Arc<Door>, mut stopping: watch::Receiver<Closing>) {
    // Only speed is lost where this fails.
    let _ = stream.set_nodelay(true);
    if !first_byte_is_there(&stream, &door, &mut stopping).await {
        return;
    }
    let guarded = Guarded::new(stream, door.limits.write_stall_time);
    let limits = &door.limits;
    let closing = stopping.clone();
    let service = service_fn(|request| async {
        let mut response = answer(&door, request, slot.address).await;
        if slot.are_scarce() || *closing.borrow() != Closing::NotYet {
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
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is the client's business: there is nothing to tell and nobody to tell it to.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = told_to_stop(&mut stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Resolves when the door closes.
async fn told_to_stop(stopping: &mut watch::Receiver<Closing>) {
    // An error means that whoever could tell is gone, which comes to the same.
    let _ = stopping.wait_for(|closing| *closing == Closing::Now).await;
}

/// Waits for the client to say something. Until then a connection costs no buffers.
async fn first_byte_is_there(stream: &TcpStream, door: &Door, stopping: &mut watch::Receiver<Closing>) -> bool {
    let mut first = [0];
    tokio::select! {
        peeked = timeout(door.limits.first_byte_time, stream.peek(&mut first)) => matches!(peeked, Ok(Ok(1))),
        () = told_to_stop(stopping) => false,
    }
}

/// A stream that fails once its reader has read nothing for too long, for which hyper has no time-out.
struct Guarded {
    stream: TcpStream,
    stall_time: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    fn new(stream: TcpStream, stall_time: Duration) -> Guarded {
        Guarded { stream, stall_time, stalled: None }
    }

    /// Passes on what came of writing, and measures how long nothing came of it.
    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.stall_time)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
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
