//! Calls an engine in another process.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncRead, ReadHalf, WriteHalf},
    sync::{
        Mutex,
        mpsc::{self, Sender},
    },
};

#[cfg(unix)]
use super::private::{PrivateDirectory, check_peer};
use super::{
    Reply, Request,
    lines::{LONGEST_REPLY, Lines},
    write,
};
use crate::{
    api::{Call, Dispatch, Failure, FailureCode, Json, garbled},
    paths::DataDir,
};

/// A connection to an engine in another process. It keeps a socket open, so that the engine does not stop between
/// calls; calls made while the socket is in use get their own sockets.
#[derive(Clone)]
pub struct IpcClient {
    address: PathBuf,
    kept: Arc<Mutex<Option<Line>>>,
}

/// A socket: its reading and its writing half.
type Line = (Lines<ReadHalf<Stream>>, WriteHalf<Stream>);

impl IpcClient {
    /// Connects to the engine that uses this data directory in another process; `None` if there is none.
    pub async fn find(data_dir: &DataDir) -> Option<IpcClient> {
        let address = data_dir.socket();
        let line = dial(&address).await.ok()?;
        Some(IpcClient { address, kept: Arc::new(Mutex::new(Some(line))) })
    }

    /// Asks the other process to bring its window to the front.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`] when it has none; [`FailureCode::Ended`] or [`FailureCode::Unanswered`] when it has gone.
    pub async fn raise(&self) -> Result<(), Failure> {
        let (items, _) = mpsc::channel(1);
        self.request(Request::ShowWindow, items).await.map(drop)
    }

    async fn request(&self, request: Request, items: Sender<Json>) -> Result<Json, Failure> {
        let mut kept = self.kept.try_lock().ok();
        // It is put back only after the reply: an abandoned call leaves no connection for the next one.
        let mut line = match kept.as_mut().and_then(|kept| kept.take()) {
            Some(line) => line,
            None => self.dial().await?,
        };
        let reply = converse(&mut line, &request, &items).await?;
        if let Some(mut kept) = kept {
            *kept = Some(line);
        }
        reply
    }

    async fn stream(&self, call: Call, items: Sender<Json>) -> Result<Json, Failure> {
        // Another engine may be there by now, which is then asked everything else, too.
        let mut line = self.dial().await?;
        self.let_go();
        let answer = converse(&mut line, &Request::Call(Box::new(call)), &items).await??;
        tokio::spawn(pass_on(line, items));
        Ok(answer)
    }

    async fn dial(&self) -> Result<Line, Failure> {
        dial(&self.address).await.map_err(|error| ended(Some(&error)))
    }
}

/// Sends a request, and passes on progress until the reply.
async fn converse(
    (lines, writer): &mut Line,
    request: &Request,
    items: &Sender<Json>,
) -> Result<Result<Json, Failure>, Failure> {
    // Where it cannot be written, what was said before may still be read.
    let written = write(writer, request).await;
    loop {
        let reply = read(lines).await?;
        match reply.ok_or_else(|| gone(written.as_ref().err()))? {
            Reply::Done(answer) => return Ok(Ok(answer)),
            Reply::Failed(failure) => return Ok(Err(failure)),
            Reply::Ended => return Err(ended(None)),
            // The caller may have dropped the receiver.
            Reply::Item(item) => drop(items.send(item).await),
        }
    }
}

impl Dispatch for IpcClient {
    fn dispatch(&self, call: Call, items: Sender<Json>) -> BoxFuture<'_, Result<Json, Failure>> {
        if call.is_stream() {
            Box::pin(self.stream(call, items))
        } else {
            Box::pin(self.request(Request::Call(Box::new(call)), items))
        }
    }

    fn let_go(&self) {
        // While a call is open there is an answer to come.
        if let Ok(mut kept) = self.kept.try_lock() {
            *kept = None;
        }
    }
}

/// Passes on streamed items until the receiver is dropped. The engine stops when the socket is closed.
async fn pass_on((mut lines, _open): Line, items: Sender<Json>) {
    while let Ok(Some(Reply::Item(item))) =
        tokio::select! { reply = read(&mut lines) => reply, () = items.closed() => Ok(None) }
    {
        if items.send(item).await.is_err() {
            break;
        }
    }
}

async fn dial(address: &Path) -> io::Result<Line> {
    let (reader, writer) = tokio::io::split(connect(address).await?);
    Ok((Lines::of(reader, LONGEST_REPLY), writer))
}

async fn read<R: AsyncRead>(lines: &mut Lines<ReadHalf<R>>) -> Result<Option<Reply>, Failure> {
    let line = lines.next_line().await.map_err(|error| gone(Some(&error)))?;
    line.map(|line| serde_json::from_str(&line).map_err(|error| garbled(&error))).transpose()
}

fn gone(error: Option<&io::Error>) -> Failure {
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    Failure {
        code: FailureCode::Unanswered,
        message: format!("The running Wilco closed before it replied{why}."),
        hint: Some("It may have carried out the request. Check the history before you repeat it.".into()),
    }
}

fn ended(error: Option<&io::Error>) -> Failure {
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    Failure {
        code: FailureCode::Ended,
        message: format!("The running Wilco has just closed{why}."),
        hint: Some("Nothing was done. Try again.".into()),
    }
}

#[cfg(unix)]
type Stream = tokio::net::UnixStream;

#[cfg(unix)]
async fn connect(address: &Path) -> io::Result<Stream> {
    let directory = PrivateDirectory::find(address)?;
    let stream = tokio::net::UnixStream::connect(directory.address()).await?;
    check_peer(&stream)?;
    Ok(stream)
}

#[cfg(windows)]
type Stream = tokio::net::windows::named_pipe::NamedPipeClient;

#[cfg(windows)]
async fn connect(address: &Path) -> io::Result<Stream> {
    tokio::net::windows::named_pipe::ClientOptions::new().open(address)
}
