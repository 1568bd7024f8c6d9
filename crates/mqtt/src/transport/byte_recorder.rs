//! Records the first and the last bytes of a connection: the first identify a server that is not a broker, and the last may
//! contain the only reason why a broker disconnected.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::written_publishes::{Packets, WrittenPublishes};

/// How much is kept of the beginning, bytes.
const KEPT: usize = 1_024;
/// How much of the beginning is shown, bytes.
const SHOWN: usize = 64;
/// How much is kept of the end, bytes.
const LAST: usize = 512;

/// The recorded bytes. Cheap to clone; all clones share them.
#[derive(Clone, Default)]
pub(crate) struct ByteRecorder(Arc<Mutex<Bytes>>);

#[derive(Default)]
struct Bytes {
    first: Vec<u8>,
    last: Vec<u8>,
    count: u64,
    ended: bool,
}

impl ByteRecorder {
    /// Whether the other side responds with HTTP.
    pub(crate) fn is_http(&self) -> bool {
        self.with(|bytes| {
            bytes.first.starts_with(b"HTTP/") || bytes.first.starts_with(b"<!") || bytes.first.starts_with(b"<html")
        })
    }

    /// Whether the other side responds with TLS: an alert or a handshake record (RFC 8446 section 5.1).
    pub(crate) fn is_tls(&self) -> bool {
        self.with(|bytes| matches!(bytes.first[..], [0x15 | 0x16, 0x03, 0..=4, ..]))
    }

    /// The received bytes, as text; `None` if there were none, or only encrypted ones.
    pub(crate) fn trace(&self) -> Option<String> {
        if self.is_tls() {
            return None;
        }
        self.with(|bytes| {
            let first = &bytes.first[..bytes.first.len().min(SHOWN)];
            let line = first.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
            if bytes.count == 0 {
                return None;
            }
            let readable = line.len() > 3 && line.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            Some(if readable {
                format!("Received {} bytes, beginning with “{}”.", bytes.count, String::from_utf8_lossy(line))
            } else {
                let hex: Vec<_> = bytes.first.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                format!("Received {} bytes, beginning with {}.", bytes.count, hex.join(" "))
            })
        })
    }

    /// The first bytes that came.
    pub(crate) fn first(&self) -> Vec<u8> {
        self.with(|bytes| bytes.first.clone())
    }

    /// The last bytes that came.
    pub(crate) fn last(&self) -> Vec<u8> {
        self.with(|bytes| bytes.last.clone())
    }

    /// Whether the other side has ended the stream: not the network, whose failure is an error.
    pub(crate) fn has_ended(&self) -> bool {
        self.with(|bytes| bytes.ended)
    }

    fn with<T>(&self, read: impl FnOnce(&mut Bytes) -> T) -> T {
        read(&mut self.0.lock())
    }

    fn record(&self, new: &[u8]) {
        self.with(|bytes| {
            bytes.count += new.len() as u64;
            let room = KEPT - bytes.first.len();
            bytes.first.extend_from_slice(&new[..new.len().min(room)]);
            let end = &new[new.len().saturating_sub(LAST)..];
            let surplus = (bytes.last.len() + end.len()).saturating_sub(LAST);
            bytes.last.drain(..surplus);
            bytes.last.extend_from_slice(end);
        });
    }
}

/// A stream that is listened to, both ways.
pub(super) struct RecordedStream<S> {
    stream: S,
    received: ByteRecorder,
    packets: Packets,
}

impl<S> RecordedStream<S> {
    pub(super) fn new(stream: S, received: ByteRecorder, written_publishes: WrittenPublishes) -> RecordedStream<S> {
        RecordedStream { stream, received, packets: Packets::new(written_publishes) }
    }

    /// Counts written bytes, and records the result. After an error, it is unknown how many of them were sent.
    fn wrote(&mut self, offered: &[u8], written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(count)) => self.packets.see(&offered[..*count]),
            Poll::Ready(Err(_)) => self.packets.see(offered),
            Poll::Pending => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RecordedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.received.record(&buffer.filled()[before..]);
        let has_ended = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.remaining() > 0,
            // TLS whose end was not announced (RFC 8446 section 6.1), as that of a program that is killed.
            Poll::Ready(Err(error)) => error.kind() == io::ErrorKind::UnexpectedEof,
            Poll::Pending => false,
        };
        if has_ended {
            self.received.with(|bytes| bytes.ended = true);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RecordedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(bytes, &written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        match &written {
            Poll::Ready(Ok(count)) => {
                let mut left = *count;
                for slice in slices {
                    let taken = left.min(slice.len());
                    self.packets.see(&slice[..taken]);
                    left -= taken;
                }
            }
            Poll::Ready(Err(_)) => slices.iter().for_each(|slice| self.packets.see(slice)),
            Poll::Pending => {}
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
