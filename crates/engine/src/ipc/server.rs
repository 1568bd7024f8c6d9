//! Answers calls of other processes.

#[cfg(unix)]
use std::path::PathBuf;
use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf},
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use wilco_ledger::grouped;

#[cfg(unix)]
use super::private::{PrivateDirectory, check_peer};
use super::{
    Reply, Request,
    lines::{LONGEST_REQUEST, Lines},
    write,
};
use crate::{
    Handle,
    api::{Call, Dispatch, Failure, FailureCode, garbled, to_json},
    paths::DataDir,
};

/// Items that may wait to be written.
const UNREAD: usize = 64;

/// Brings the window to the front, where the engine has one.
type ShowWindow = Arc<dyn Fn() + Send + Sync>;

/// How long an open call may still take once the server closes.
const OPEN_CALLS: Duration = Duration::from_secs(10);
/// How long an idle client may stay at shutdown: it may have more requests.
const IDLE: Duration = Duration::from_secs(2);
/// How long a listening client may stay at shutdown: it may be about to leave, and would otherwise have to find the
/// next engine.
const LISTENING: Duration = Duration::from_secs(1);

/// Lets other processes call an engine. If it is dropped, clients are disconnected; [`IpcServer::close`] lets them
/// finish.
pub struct IpcServer {
    task: JoinHandle<()>,
    closing: watch::Sender<bool>,
    #[cfg(unix)]
    path: PathBuf,
}

impl Drop for IpcServer {
    fn drop(&mut self) {
        self.task.abort();
        #[cfg(unix)]
        // A remaining file is replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl IpcServer {
    /// Serves an engine. The engine must have locked the data directory, so that an existing socket is stale and can be
    /// replaced.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] when the socket cannot be made.
    pub fn open(data_dir: &DataDir, handle: Handle) -> Result<IpcServer, Failure> {
        IpcServer::make(data_dir, Host { handle, raise: None })
    }

    /// As [`IpcServer::open`], for an engine with a window, which a second start of the app shows.
    ///
    /// # Errors
    /// As [`IpcServer::open`]'s.
    pub fn with_window(
        data_dir: &DataDir,
        handle: Handle,
        raise: impl Fn() + Send + Sync + 'static,
    ) -> Result<IpcServer, Failure> {
        IpcServer::make(data_dir, Host { handle, raise: Some(Arc::new(raise)) })
    }

    /// Accepts no more clients, and answers pending requests. Await it before stopping the engine. Listeners are
    /// notified of the end after a moment; other clients may stay until they leave, or have been idle for a while. Each
    /// is told which of its calls was not accepted, so that it can repeat it on the next engine.
    pub async fn close(mut self) {
        #[cfg(unix)]
        // A remaining file is replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
        self.closing.send_replace(true);
        if timeout(OPEN_CALLS, &mut self.task).await.is_err() {
            tracing::warn!("a client was disconnected: its call took too long");
        }
    }

    fn make(data_dir: &DataDir, host: Host) -> Result<IpcServer, Failure> {
        let path = data_dir.socket();
        let listener = listen(&path).map_err(|error| Failure {
            code: FailureCode::Internal,
            message: format!("Could not create the socket {}: {error}.", path.display()),
            hint: None,
        })?;
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn(serve(listener, host, closed));
        Ok(IpcServer {
            task,
            closing,
            #[cfg(unix)]
            path,
        })
    }
}

/// The engine that answers.
#[derive(Clone)]
struct Host {
    handle: Handle,
    raise: Option<ShowWindow>,
}

async fn serve_client(
    stream: impl AsyncRead + AsyncWrite,
    host: Host,
    closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = Lines::of(reader, LONGEST_REQUEST);
    loop {
        let line = tokio::select! {
            biased;
            line = lines.next_line() => match line {
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    return write(&mut writer, &Reply::Failed(too_long())).await;
                }
                line => line?,
            },
            () = at_the_end(closing.clone(), IDLE) => return write(&mut writer, &Reply::Ended).await,
        };
        let Some(line) = line else { return Ok(()) };
        let refused = match serde_json::from_str(&line) {
            Ok(Request::Call(call)) if call.is_for_cli() => {
                make(*call, &mut lines, &mut writer, &host.handle, closing.clone()).await?;
                continue;
            }
            Ok(Request::Call(_)) => not_from_outside(),
            Ok(Request::ShowWindow) => match &host.raise {
                Some(raise) => {
                    raise();
                    write(&mut writer, &to_json(&()).map_or_else(Reply::Failed, Reply::Done)).await?;
                    continue;
                }
                None => no_window(),
            },
            Err(error) => garbled(&error),
        };
        write(&mut writer, &Reply::Failed(refused)).await?;
    }
}

/// The server closes.
async fn closes(mut closing: watch::Receiver<bool>) {
    // Without its sender the server has gone.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// The server closes, and has done so for that long.
async fn at_the_end(closing: watch::Receiver<bool>, span: Duration) {
    closes(closing).await;
    sleep(span).await;
}

/// Makes a call and sends back its progress, its reply, and its stream as long as somebody reads it.
async fn make<R: AsyncRead, W: AsyncWrite>(
    call: Call,
    lines: &mut Lines<ReadHalf<R>>,
    writer: &mut WriteHalf<W>,
    handle: &Handle,
    closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let (to, mut items) = mpsc::channel(UNREAD);
    let streams = call.is_stream();
    let answer = async {
        // Other programs see the connections as they are, and not while they are being loaded.
        handle.until_loaded().await?;
        handle.dispatch(call, to).await
    };
    tokio::pin!(answer);
    let reply = loop {
        tokio::select! {
            biased;
            Some(item) = items.recv() => write(writer, &Reply::Item(item)).await?,
            answer = &mut answer => break answer.map_or_else(Reply::Failed, Reply::Done),
        }
    };
    write(writer, &reply).await?;
    // The client's next call may be there already. Only the socket of a stream is never used for another one.
    if !streams {
        return Ok(());
    }
    let ends = at_the_end(closing, LISTENING);
    tokio::pin!(ends);
    loop {
        tokio::select! {
            item = items.recv() => match item {
                Some(item) => write(writer, &Reply::Item(item)).await?,
                None => return Ok(()),
            },
            () = &mut ends => return write(writer, &Reply::Ended).await,
            line = lines.next_line() => if line?.is_none() { return Ok(()) },
        }
    }
}

fn too_long() -> Failure {
    Failure {
        code: FailureCode::Invalid,
        message: format!("The request has more than {} bytes.", grouped(LONGEST_REQUEST)),
        hint: Some("Split it into several requests, for example commands for fewer devices.".into()),
    }
}

fn not_from_outside() -> Failure {
    Failure {
        code: FailureCode::Invalid,
        message: "Only the app window can do that.".into(),
        hint: Some("Use the window of the running Wilco.".into()),
    }
}

fn no_window() -> Failure {
    Failure {
        code: FailureCode::NotFound,
        message: "The running Wilco is a command line, which has no window.".into(),
        hint: Some("Wait until it has finished.".into()),
    }
}

#[cfg(unix)]
fn listen(path: &Path) -> io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let directory = PrivateDirectory::make(path)?;
    if path.symlink_metadata().is_ok() {
        std::fs::remove_file(path)?;
    }
    let listener = tokio::net::UnixListener::bind(directory.address())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

#[cfg(unix)]
async fn serve(listener: tokio::net::UnixListener, host: Host, closing: watch::Receiver<bool>) {
    /// Clients that connected before the server closed are served.
    const LAST: Duration = Duration::from_millis(1);
    let mut clients = JoinSet::new();
    let closes = closes(closing.clone());
    tokio::pin!(closes);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match check_peer(&stream) {
                    Ok(()) => let_in(&mut clients, stream, &host, &closing),
                    Err(error) => tracing::warn!(%error, "a client was refused"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a client could not connect");
                    sleep(Duration::from_millis(200)).await;
                }
            },
            Some(_) = clients.join_next() => {}
            () = &mut closes => break,
        }
    }
    while let Ok(Ok((stream, _))) = timeout(LAST, listener.accept()).await {
        if check_peer(&stream).is_err() {
            continue;
        }
        let_in(&mut clients, stream, &host, &closing);
    }
    drop(listener);
    while clients.join_next().await.is_some() {}
}

fn let_in(
    clients: &mut JoinSet<()>,
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    host: &Host,
    closing: &watch::Receiver<bool>,
) {
    let serving = serve_client(stream, host.clone(), closing.clone());
    clients.spawn(async move {
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a client disconnected");
        }
    });
}

#[cfg(windows)]
fn listen(path: &Path) -> io::Result<(std::path::PathBuf, tokio::net::windows::named_pipe::NamedPipeServer)> {
    let server = tokio::net::windows::named_pipe::ServerOptions::new().first_pipe_instance(true).create(path)?;
    Ok((path.to_owned(), server))
}

#[cfg(windows)]
async fn serve(
    (path, mut server): (std::path::PathBuf, tokio::net::windows::named_pipe::NamedPipeServer),
    host: Host,
    closing: watch::Receiver<bool>,
) {
    let mut clients = JoinSet::new();
    let closes = closes(closing.clone());
    tokio::pin!(closes);
    loop {
        tokio::select! {
            connected = server.connect() => {
                if connected.is_err() {
                    break;
                }
                let Ok(next) = tokio::net::windows::named_pipe::ServerOptions::new().create(&path) else { break };
                let stream = std::mem::replace(&mut server, next);
                let_in(&mut clients, stream, &host, &closing);
            }
            Some(_) = clients.join_next() => {}
            () = &mut closes => break,
        }
    }
    drop(server);
    while clients.join_next().await.is_some() {}
}
