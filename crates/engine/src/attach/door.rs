//! The door to an engine: who comes in, and what they are answered.

#[cfg(unix)]
use std::path::PathBuf;
use std::{io, path::Path, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Lines, ReadHalf, WriteHalf},
    task::JoinHandle,
};

use super::{Call, Reply, garbled, unheard, write};
use crate::{
    Handle,
    api::{Failure, FailureCode},
    paths::DataDir,
};

/// Brings the window to the front, where the engine has one.
type Raise = Arc<dyn Fn() + Send + Sync>;

/// Lets other processes in. Closed when dropped.
pub struct Door {
    task: JoinHandle<()>,
    #[cfg(unix)]
    path: PathBuf,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        #[cfg(unix)]
        // What is left behind is replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Door {
    /// Opens the door to an engine. The data directory must be locked by that engine: a socket that is already there is
    /// then a dead one's, and replaced.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] when the socket cannot be made.
    pub fn open(data_dir: &DataDir, handle: Handle) -> Result<Door, Failure> {
        Door::make(data_dir, Host { handle, raise: None })
    }

    /// As [`Door::open`], for an engine with a window, which whoever starts the app once more wants to see.
    ///
    /// # Errors
    /// As [`Door::open`]'s.
    pub fn with_window(
        data_dir: &DataDir,
        handle: Handle,
        raise: impl Fn() + Send + Sync + 'static,
    ) -> Result<Door, Failure> {
        Door::make(data_dir, Host { handle, raise: Some(Arc::new(raise)) })
    }

    fn make(data_dir: &DataDir, host: Host) -> Result<Door, Failure> {
        let path = data_dir.socket();
        let listener = listen(&path).map_err(|error| Failure {
            code: FailureCode::Internal,
            message: format!("The socket {} could not be made: {error}.", path.display()),
            hint: None,
        })?;
        let task = tokio::spawn(serve(listener, host));
        Ok(Door {
            task,
            #[cfg(unix)]
            path,
        })
    }
}

/// Whom visitors find behind the door.
#[derive(Clone)]
struct Host {
    handle: Handle,
    raise: Option<Raise>,
}

async fn visitor(stream: impl AsyncRead + AsyncWrite, host: Host) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let call = match serde_json::from_str(&line) {
            Ok(call) => call,
            Err(error) => {
                write(&mut writer, &Reply::Failed(garbled(&error))).await?;
                continue;
            }
        };
        if matches!(call, Call::Listen) {
            return show(&mut lines, &mut writer, &host.handle).await;
        }
        let reply = answer(&host, call).await.map_or_else(Reply::Failed, Reply::Done);
        write(&mut writer, &reply).await?;
    }
    Ok(())
}

async fn show<R: AsyncRead, W: AsyncWrite>(
    lines: &mut Lines<BufReader<ReadHalf<R>>>,
    writer: &mut WriteHalf<W>,
    handle: &Handle,
) -> io::Result<()> {
    let mut batches = match handle.listen().await {
        Ok(batches) => batches,
        Err(failure) => return write(writer, &Reply::Failed(failure)).await,
    };
    write(writer, &Reply::Done(Value::Null)).await?;
    loop {
        tokio::select! {
            batch = batches.recv() => match batch {
                Some(batch) => write(writer, &Reply::Batch(Box::new(batch))).await?,
                None => return Ok(()),
            },
            line = lines.next_line() => if line?.is_none() { return Ok(()) },
        }
    }
}

async fn answer(Host { handle, raise }: &Host, call: Call) -> Result<Value, Failure> {
    fn done<T: Serialize>(result: Result<T, Failure>) -> Result<Value, Failure> {
        serde_json::to_value(result?).map_err(|error| garbled(&error))
    }
    match call {
        Call::Connections => done(handle.connections().await),
        Call::ReadFiles(files) => done(handle.read_files(files).await),
        Call::ForgetKit { kit } => {
            handle.forget_kit(&kit);
            Ok(Value::Null)
        }
        Call::SaveConnection(entry) => done(handle.save_connection(*entry).await),
        Call::Preflight(entry) => done(handle.preflight(*entry, None, unheard()).await),
        Call::RenewCertificate { id, kit } => done(handle.renew_certificate(&id, &kit).await),
        Call::DuplicateConnection { id } => done(handle.duplicate_connection(&id).await),
        Call::OrderConnections { ids } => done(handle.order_connections(&ids).await),
        Call::ExportConnections { ids, to, passphrase } => done(handle.export_connections(&ids, to, passphrase).await),
        Call::ImportConnections { path, passphrase, without_keyring } => {
            done(handle.import_connections(path, passphrase, without_keyring).await)
        }
        Call::RemoveConnection { id } => done(handle.remove_connection(&id).await),
        Call::Devices { query, from, count } => done(handle.devices(query, from, count).await),
        Call::Device { connection, device } => done(handle.device(&connection, &device).await),
        Call::ForgetDevice { connection, device } => done(handle.forget_device(&connection, &device).await),
        Call::Send(new) => done(handle.send(new).await),
        Call::Cancel { connection, device, id } => done(handle.cancel(&connection, &device, &id).await),
        Call::History(query) => done(handle.history(query).await),
        Call::Command { connection, device, id } => done(handle.command(&connection, &device, &id).await),
        Call::Strays { connection, device, limit } => done(handle.strays(&connection, &device, limit).await),
        Call::Telemetry(query) => done(handle.telemetry(query).await),
        Call::Logs { connection, device } => done(handle.logs(&connection, &device).await),
        Call::Log { connection, device, id, with_text } => done(handle.log(&connection, &device, &id, with_text).await),
        Call::SaveLog { connection, device, id, to } => done(handle.save_log(&connection, &device, &id, to).await),
        Call::ForgetLog { connection, device, id } => done(handle.forget_log(&connection, &device, &id).await),
        Call::Raise => {
            let raise = raise.as_ref().ok_or_else(no_window)?;
            raise();
            Ok(Value::Null)
        }
        Call::Catalogue => done(Ok(handle.catalogue())),
        Call::ReadCatalogue { path } => done(handle.read_catalogue(path).await),
        Call::ImportCatalogue { path, replace } => done(handle.import_catalogue(path, &replace).await),
        Call::ExportCatalogue { ids, to } => done(handle.export_catalogue(&ids, to).await),
        Call::Listen => Ok(Value::Null),
    }
}

fn no_window() -> Failure {
    Failure {
        code: FailureCode::NotFound,
        message: "The running Wilco has no window: it is the command line.".into(),
        hint: Some("Wait until it has ended.".into()),
    }
}

#[cfg(unix)]
fn listen(path: &Path) -> io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = tokio::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

#[cfg(unix)]
async fn serve(listener: tokio::net::UnixListener, host: Host) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let host = host.clone();
                tokio::spawn(async move {
                    if let Err(error) = visitor(stream, host).await {
                        tracing::debug!(%error, "a visitor went away");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a visitor could not be let in");
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    }
}

#[cfg(windows)]
fn listen(path: &Path) -> io::Result<(std::path::PathBuf, tokio::net::windows::named_pipe::NamedPipeServer)> {
    let server = tokio::net::windows::named_pipe::ServerOptions::new().first_pipe_instance(true).create(path)?;
    Ok((path.to_owned(), server))
}

#[cfg(windows)]
async fn serve((path, mut server): (std::path::PathBuf, tokio::net::windows::named_pipe::NamedPipeServer), host: Host) {
    while server.connect().await.is_ok() {
        let Ok(next) = tokio::net::windows::named_pipe::ServerOptions::new().create(&path) else { return };
        let stream = std::mem::replace(&mut server, next);
        let host = host.clone();
        tokio::spawn(async move {
            if let Err(error) = visitor(stream, host).await {
                tracing::debug!(%error, "a visitor went away");
            }
        });
    }
}
