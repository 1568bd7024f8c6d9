//! Reads lines of limited length, so that a peer cannot exhaust this process's memory.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest request, bytes. One for 100,000 devices has some 20 MB.
pub(super) const LONGEST_REQUEST: usize = 64 * 1024 * 1024;
/// The longest reply, bytes.
pub(super) const LONGEST_REPLY: usize = 256 * 1024 * 1024;
/// The buffer size that is kept after a long line, bytes.
const KEPT: usize = 64 * 1024;

/// The lines that come in.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    /// The received part of the next line.
    begun: Vec<u8>,
    longest: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// `longest`: bytes, without the end of the line.
    pub(super) fn of(reader: R, longest: usize) -> Lines<R> {
        Lines { reader: BufReader::new(reader), begun: Vec::new(), longest }
    }

    /// The next line, without its end; `None` at the end of all. Where this is dropped, nothing of the line is lost.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] for a line that is too long: then nothing more can be read. `InvalidData` for
    /// one that is not UTF-8.
    pub(super) async fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            let available = self.reader.fill_buf().await?;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            if self.begun.len() + part.len() > self.longest {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.begun.extend_from_slice(part);
            let is_last = available.is_empty();
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            if end.is_none() && !is_last {
                continue;
            }
            if end.is_none() && self.begun.is_empty() {
                return Ok(None);
            }
            let kept = Vec::with_capacity(self.begun.len().min(KEPT));
            let mut line = std::mem::replace(&mut self.begun, kept);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return String::from_utf8(line).map(Some).map_err(|_| io::ErrorKind::InvalidData.into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{io::ErrorKind, time::Duration};

    use tokio::{io::AsyncWriteExt, time::timeout};

    use super::Lines;

    #[tokio::test]
    async fn lines_are_read_up_to_the_longest_and_no_longer_one() {
        let check = async |text: &[u8], expected: &[Result<Option<&str>, ErrorKind>]| {
            let mut lines = Lines::of(text, 4);
            for one in expected {
                let read = lines.next_line().await.map_err(|error| error.kind());
                assert_eq!(read.as_ref().map(Option::as_deref), one.as_ref().copied(), "{text:?}");
            }
        };
        check(b"", &[Ok(None)]).await;
        check(b"ab\n\ncd", &[Ok(Some("ab")), Ok(Some("")), Ok(Some("cd")), Ok(None)]).await;
        check(b"abc\r\nabcd\nabcde\n", &[Ok(Some("abc")), Ok(Some("abcd")), Err(ErrorKind::FileTooLarge)]).await;
        check(b"\xff\nab\n", &[Err(ErrorKind::InvalidData), Ok(Some("ab"))]).await;
    }

    #[tokio::test]
    async fn a_line_that_was_awaited_in_vain_is_not_lost() {
        let (mut writer, reader) = tokio::io::duplex(16);
        let mut lines = Lines::of(reader, 100);
        writer.write_all(b"one l").await.unwrap();
        assert!(timeout(Duration::from_millis(20), lines.next_line()).await.is_err());
        writer.write_all(b"ine\n").await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("one line"));
    }
}
