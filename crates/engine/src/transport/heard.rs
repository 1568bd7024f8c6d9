//! The first and the last bytes that come over a connection: whatever answers in place of a broker gives itself away by
//! the first, and a broker's last word may be all that tells why it hung up.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is kept of the beginning, bytes.
const KEPT: usize = 64;
/// How much of the beginning is looked at by itself, bytes.
const FIRST: usize = 4;
/// How much is kept of the end, bytes.
const LAST: usize = 4;

/// What was heard. Cheap to clone; all clones hear the same.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Bytes>>);

#[derive(Default)]
struct Bytes {
    first: Vec<u8>,
    last: [u8; LAST],
    count: u64,
}

impl Heard {
    /// Whether the other side speaks HTTP.
    pub(crate) fn is_http(&self) -> bool {
        self.with(|bytes| {
            bytes.first.starts_with(b"HTTP/") || bytes.first.starts_with(b"<!") || bytes.first.starts_with(b"<html")
        })
    }

    /// Whether the other side speaks TLS: an alert or a handshake record (RFC 8446 section 5.1).
    pub(crate) fn is_tls(&self) -> bool {
        self.with(|bytes| matches!(bytes.first[..], [0x15 | 0x16, 0x03, 0..=4, ..]))
    }

    /// What came, for people; `None` where nothing did, or only what TLS has made unreadable.
    pub(crate) fn trace(&self) -> Option<String> {
        if self.is_tls() {
            return None;
        }
        self.with(|bytes| {
            let line = bytes.first.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
            if bytes.count == 0 {
                return None;
            }
            let readable = line.len() > 3 && line.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            Some(if readable {
                format!("{} bytes came, beginning with “{}”.", bytes.count, String::from_utf8_lossy(line))
            } else {
                let hex: Vec<_> = bytes.first.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                format!("{} bytes came, beginning with {}.", bytes.count, hex.join(" "))
            })
        })
    }

    /// The first bytes that came; zeros where there were fewer.
    pub(crate) fn first(&self) -> [u8; FIRST] {
        self.with(|bytes| {
            let mut first = [0; FIRST];
            for (to, from) in first.iter_mut().zip(&bytes.first) {
                *to = *from;
            }
            first
        })
    }

    /// The last bytes that came; zeros where there were fewer.
    pub(crate) fn last(&self) -> [u8; LAST] {
        self.with(|bytes| bytes.last)
    }

    fn with<T>(&self, read: impl FnOnce(&mut Bytes) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, new: &[u8]) {
        self.with(|bytes| {
            bytes.count += new.len() as u64;
            let room = KEPT - bytes.first.len();
            bytes.first.extend_from_slice(&new[..new.len().min(room)]);
            let end = &new[new.len().saturating_sub(LAST)..];
            bytes.last.rotate_left(end.len());
            bytes.last[LAST - end.len()..].copy_from_slice(end);
        });
    }
}

/// A stream that is listened to.
pub(super) struct Ear<S> {
    stream: S,
    heard: Heard,
}

impl<S> Ear<S> {
    pub(super) fn new(stream: S, heard: Heard) -> Ear<S> {
        Ear { stream, heard }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ear<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.heard.hear(&buffer.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ear<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
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
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
