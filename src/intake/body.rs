//! Bodies in both directions: a form read within its bounds, an answer from memory or from a file.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pace::out_of_patience;
use super::{Door, Limits};
use crate::model::{FormFault, Refusal};

/// The memory that all bodies may take together.
pub(super) struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A body's share of the room, given back when it is dropped.
pub(super) struct Share {
    small: OwnedSemaphorePermit,
    large: OwnedSemaphorePermit,
}

/// A request's body, whole, with its share of the room.
pub(super) struct Held {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they take.
    pub share: Share,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Room {
        let semaphore = |bytes: usize| Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Room { small: semaphore(limits.small_bodies_bytes_max), large: semaphore(limits.large_bodies_bytes_max) }
    }

    fn empty_share(&self) -> Result<Share, Refusal> {
        Ok(Share { small: take(&self.small, 0)?, large: take(&self.large, 0)? })
    }

    /// Lets `share` grow by `small` and `large` bytes.
    fn grow(&self, share: &mut Share, small: usize, large: usize) -> Result<(), Refusal> {
        share.small.merge(take(&self.small, small)?);
        share.large.merge(take(&self.large, large)?);
        Ok(())
    }
}

fn take(semaphore: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let bytes = u32::try_from(bytes).map_err(|_| FULL)?;
    Arc::clone(semaphore).try_acquire_many_owned(bytes).map_err(|_| FULL)
}

/// A full room empties as fast as posts are answered.
const FULL: Refusal = Refusal::Busy(2);

impl Held {
    fn append(&mut self, data: &[u8], limits: &Limits, room: &Room) -> Result<(), Refusal> {
        let small = data.len().min(limits.small_body_bytes.saturating_sub(self.bytes.len()));
        room.grow(&mut self.share, small, data.len() - small)?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

/// Reads the body, of which `declared` bytes were announced.
///
/// Memory is taken as bytes arrive and not as they are announced, so a client cannot reserve what it does not send.
pub(super) async fn read<B>(body: B, declared: usize, door: &Door) -> Result<Held, Refusal>
where
    B: HttpBody<Data = Bytes>,
{
    let (limits, room) = (&door.limits, &door.room);
    let whole = async {
        let mut body = pin!(body);
        let mut held = Held { bytes: Vec::new(), share: room.empty_share()? };
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(|_| Refusal::BadForm(FormFault::BrokeOff))?;
            let Ok(data) = frame.into_data() else { continue };
            if declared < held.bytes.len() + data.len() {
                return Err(Refusal::TooLarge(limits.body_bytes_max));
            }
            held.append(&data, limits, room)?;
        }
        Ok(held)
    };
    in_time(door, whole).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Reads a body that is refused and throws it away, as long as it stays within the bounds.
///
/// A connection that is closed with unread bytes is reset, and the client loses the answer that was already sent.
pub(super) async fn discard<B>(body: B, door: &Door)
where
    B: HttpBody<Data = Bytes>,
{
    let rest = async {
        let mut body = pin!(body);
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.as_mut().frame().await {
            bytes += frame.data_ref().map_or(0, |data| data.len());
            if door.limits.discard_bytes_max < bytes {
                return;
            }
        }
    };
    // What is left when the time is over is left: the answer goes out all the same.
    let _ = in_time(door, rest).await;
}

/// What comes of reading, unless it takes longer than a body may; less while places are needed.
async fn in_time<T>(door: &Door, reading: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        read = reading => Some(read),
        () = out_of_patience(door, door.limits.body_time) => None,
    }
}

/// The body of an answer.
pub struct Body(Source);

enum Source {
    Memory(Bytes),
    File(FileBody),
}

struct FileBody {
    file: tokio::fs::File,
    _place: OwnedSemaphorePermit,
    left: u64,
    chunk: Vec<u8>,
    chunk_bytes: usize,
}

impl Body {
    /// No bytes.
    pub fn empty() -> Body {
        Body(Source::Memory(Bytes::new()))
    }

    /// Bytes in memory.
    pub fn memory(bytes: impl Into<Bytes>) -> Body {
        Body(Source::Memory(bytes.into()))
    }

    /// The next `length` bytes of `file`, a chunk at a time, never the whole in memory.
    pub(super) fn file(file: tokio::fs::File, place: OwnedSemaphorePermit, length: u64, chunk_bytes: usize) -> Body {
        Body(Source::File(FileBody { file, _place: place, left: length, chunk: Vec::new(), chunk_bytes }))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.0 {
            Source::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            Source::Memory(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Source::File(file) => file.poll_chunk(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Memory(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::File(file) => SizeHint::with_exact(file.left),
        }
    }
}

impl FileBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.chunk.is_empty() {
            self.chunk = vec![0; self.left.min(self.chunk_bytes as u64) as usize];
        }
        let mut buffer = ReadBuf::new(&mut self.chunk);
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer))?;
        let got = buffer.filled().len();
        if got == 0 {
            // The file became shorter. An error closes the connection, so that the client does not take a part for all.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.truncate(got);
        self.left -= got as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }
}
