//! A running engine, asked from another process over a local socket.
//!
//! One JSON object a line each way. The socket lies in the data directory, or in the runtime directory under a name
//! made of it, and only its owner may open it; so whoever can ask here can read the data as well.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines, ReadHalf, WriteHalf},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{
    Handle,
    api::{
        Batch, CatalogueEntry, CommandDetail, ConnectionEntry, ConnectionView, DeviceDetail, DevicePage, DeviceQuery,
        EventView, Failure, FailureCode, FilesToRead, HistoryPage, HistoryQuery, ImportLine, Imported, KeptLog,
        KitView, LogView, NewCommand, PreflightView, Sent, TelemetryQuery, TelemetryView,
    },
    paths::DataDir,
};

/// What can be asked over the socket.
#[derive(Serialize, Deserialize)]
#[serde(tag = "call", content = "with", rename_all = "snake_case")]
enum Call {
    Connections,
    ReadFiles(FilesToRead),
    ForgetKit { kit: String },
    SaveConnection(Box<ConnectionEntry>),
    Preflight(Box<ConnectionEntry>),
    RenewCertificate { id: String, kit: String },
    DuplicateConnection { id: String },
    OrderConnections { ids: Vec<String> },
    ExportConnections { ids: Vec<String>, path: PathBuf, passphrase: Option<String> },
    ImportConnections { path: PathBuf, passphrase: Option<String>, without_keyring: bool },
    RemoveConnection { id: String },
    Devices { query: DeviceQuery, from: u32, count: u32 },
    Device { connection: String, device: String },
    Send(NewCommand),
    Cancel { connection: String, device: String, id: String },
    History(HistoryQuery),
    Command { connection: String, device: String, id: String },
    Strays { connection: String, device: String, limit: u32 },
    Telemetry(TelemetryQuery),
    Logs { connection: String, device: String },
    Log { connection: String, device: String, id: String, with_text: bool },
    SaveLog { connection: String, device: String, id: String, path: PathBuf },
    ForgetLog { connection: String, device: String, id: String },
    Raise,
    Catalogue,
    ReadCatalogue { path: PathBuf },
    ImportCatalogue { path: PathBuf, replace: Vec<String> },
    ExportCatalogue { ids: Vec<String>, path: PathBuf },
    Listen,
}

/// What comes back.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Value),
    Failed(Failure),
    Batch(Box<Batch>),
}

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

/// The engine: this process's own, or that of a running app.
#[derive(Clone)]
pub enum Console {
    /// In this process.
    Own(Handle),
    /// In another.
    Attached(Attached),
}

/// A way to an engine in another process. Each question goes over a socket of its own.
#[derive(Clone)]
pub struct Attached {
    address: PathBuf,
}

macro_rules! forward {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $result:ty, $own:expr, $call:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// As [`Handle`]'s; [`FailureCode::Connection`] when the running app has gone.
        pub async fn $name(&self, $($argument: $kind),*) -> Result<$result, Failure> {
            match self {
                Console::Own(handle) => ($own)(handle, $($argument),*).await,
                Console::Attached(attached) => attached.ask(($call)($($argument),*)).await,
            }
        }
    };
}

impl Console {
    forward!(
        /// Every connection.
        connections() -> Vec<ConnectionView>,
        async |handle: &Handle| handle.connections().await,
        || Call::Connections
    );
    forward!(
        /// Reads certificate files into memory.
        read_files(files: FilesToRead) -> KitView,
        async |handle: &Handle, files| handle.read_files(files).await,
        Call::ReadFiles
    );
    forward!(
        /// Forgets what files brought.
        forget_kit(kit: &str) -> (),
        async |handle: &Handle, kit: &str| { handle.forget_kit(kit); Ok(()) },
        |kit: &str| Call::ForgetKit { kit: kit.to_owned() }
    );
    forward!(
        /// Adds or changes a connection.
        save_connection(entry: ConnectionEntry) -> ConnectionView,
        async |handle: &Handle, entry| handle.save_connection(entry).await,
        |entry| Call::SaveConnection(Box::new(entry))
    );
    forward!(
        /// Tries a connection step by step.
        preflight(entry: ConnectionEntry) -> PreflightView,
        async |handle: &Handle, entry| handle.preflight(entry, None, unheard()).await,
        |entry| Call::Preflight(Box::new(entry))
    );
    forward!(
        /// Gives a connection another client certificate.
        renew_certificate(id: &str, kit: &str) -> ConnectionView,
        async |handle: &Handle, id: &str, kit: &str| handle.renew_certificate(id, kit).await,
        |id: &str, kit: &str| Call::RenewCertificate { id: id.to_owned(), kit: kit.to_owned() }
    );
    forward!(
        /// A second connection like one that is there.
        duplicate_connection(id: &str) -> ConnectionView,
        async |handle: &Handle, id: &str| handle.duplicate_connection(id).await,
        |id: &str| Call::DuplicateConnection { id: id.to_owned() }
    );
    forward!(
        /// Puts the connections into this order.
        order_connections(ids: &[String]) -> (),
        async |handle: &Handle, ids: &[String]| handle.order_connections(ids).await,
        |ids: &[String]| Call::OrderConnections { ids: ids.to_vec() }
    );
    forward!(
        /// Writes connections to a file.
        export_connections(ids: &[String], path: PathBuf, passphrase: Option<String>) -> (),
        async |handle: &Handle, ids: &[String], path, passphrase| handle.export_connections(ids, path, passphrase).await,
        |ids: &[String], path, passphrase| Call::ExportConnections { ids: ids.to_vec(), path, passphrase }
    );
    forward!(
        /// Adds the connections of an exported file.
        import_connections(path: PathBuf, passphrase: Option<String>, without_keyring: bool) -> Imported,
        async |handle: &Handle, path, passphrase, without_keyring| {
            handle.import_connections(path, passphrase, without_keyring).await
        },
        |path, passphrase, without_keyring| Call::ImportConnections { path, passphrase, without_keyring }
    );
    forward!(
        /// Removes a connection with its secrets and its history.
        remove_connection(id: &str) -> (),
        async |handle: &Handle, id: &str| handle.remove_connection(id).await,
        |id: &str| Call::RemoveConnection { id: id.to_owned() }
    );
    forward!(
        /// A window of a connection's devices.
        devices(query: DeviceQuery, from: u32, count: u32) -> DevicePage,
        async |handle: &Handle, query, from, count| handle.devices(query, from, count).await,
        |query, from, count| Call::Devices { query, from, count }
    );
    forward!(
        /// Everything about one device.
        device(connection: &str, device: &str) -> DeviceDetail,
        async |handle: &Handle, connection: &str, device: &str| handle.device(connection, device).await,
        |connection: &str, device: &str| Call::Device { connection: connection.to_owned(), device: device.to_owned() }
    );
    forward!(
        /// Sends a command to each of its devices.
        send(new: NewCommand) -> Sent,
        async |handle: &Handle, new| handle.send(new).await,
        Call::Send
    );
    forward!(
        /// Withdraws a command, or stops waiting for it.
        cancel(connection: &str, device: &str, id: &str) -> (),
        async |handle: &Handle, connection: &str, device: &str, id: &str| handle.cancel(connection, device, id).await,
        |connection: &str, device: &str, id: &str| Call::Cancel {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned()
        }
    );
    forward!(
        /// A page of the history.
        history(query: HistoryQuery) -> HistoryPage,
        async |handle: &Handle, query| handle.history(query).await,
        Call::History
    );
    forward!(
        /// A command with all its evidence.
        command(connection: &str, device: &str, id: &str) -> CommandDetail,
        async |handle: &Handle, connection: &str, device: &str, id: &str| handle.command(connection, device, id).await,
        |connection: &str, device: &str, id: &str| Call::Command {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned()
        }
    );
    forward!(
        /// The latest answers of a device that settled no command.
        strays(connection: &str, device: &str, limit: u32) -> Vec<EventView>,
        async |handle: &Handle, connection: &str, device: &str, limit| handle.strays(connection, device, limit).await,
        |connection: &str, device: &str, limit| Call::Strays {
            connection: connection.to_owned(), device: device.to_owned(), limit
        }
    );
    forward!(
        /// What a device has measured.
        telemetry(query: TelemetryQuery) -> TelemetryView,
        async |handle: &Handle, query| handle.telemetry(query).await,
        Call::Telemetry
    );
    forward!(
        /// The logs that are kept of a device.
        logs(connection: &str, device: &str) -> Vec<KeptLog>,
        async |handle: &Handle, connection: &str, device: &str| handle.logs(connection, device).await,
        |connection: &str, device: &str| Call::Logs { connection: connection.to_owned(), device: device.to_owned() }
    );
    forward!(
        /// The log that a command asked for, as far as it has come.
        log(connection: &str, device: &str, id: &str, with_text: bool) -> LogView,
        async |handle: &Handle, connection: &str, device: &str, id: &str, with_text| {
            handle.log(connection, device, id, with_text).await
        },
        |connection: &str, device: &str, id: &str, with_text| Call::Log {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned(), with_text
        }
    );
    forward!(
        /// Writes a log to a file.
        save_log(connection: &str, device: &str, id: &str, path: PathBuf) -> (),
        async |handle: &Handle, connection: &str, device: &str, id: &str, path| {
            handle.save_log(connection, device, id, path).await
        },
        |connection: &str, device: &str, id: &str, path| Call::SaveLog {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned(), path
        }
    );
    forward!(
        /// Deletes a log that is kept here.
        forget_log(connection: &str, device: &str, id: &str) -> (),
        async |handle: &Handle, connection: &str, device: &str, id: &str| handle.forget_log(connection, device, id).await,
        |connection: &str, device: &str, id: &str| Call::ForgetLog {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned()
        }
    );

    forward!(
        /// Every command that is known by name.
        catalogue() -> Vec<CatalogueEntry>,
        async |handle: &Handle| Ok(handle.catalogue()),
        || Call::Catalogue
    );
    forward!(
        /// What is in a file of commands, and what taking it would do.
        read_catalogue(path: PathBuf) -> Vec<ImportLine>,
        async |handle: &Handle, path| handle.read_catalogue(path).await,
        |path| Call::ReadCatalogue { path }
    );
    forward!(
        /// Takes the new commands of a file, and those changed ones that are named.
        import_catalogue(path: PathBuf, replace: &[String]) -> Vec<ImportLine>,
        async |handle: &Handle, path, replace: &[String]| handle.import_catalogue(path, replace).await,
        |path, replace: &[String]| Call::ImportCatalogue { path, replace: replace.to_vec() }
    );
    forward!(
        /// Writes commands of one's own to a file.
        export_catalogue(ids: &[String], path: PathBuf) -> (),
        async |handle: &Handle, ids: &[String], path| handle.export_catalogue(ids, path).await,
        |ids: &[String], path| Call::ExportCatalogue { ids: ids.to_vec(), path }
    );

    /// Everything that changes from now on, in batches; the first has all connections in it. Ends with the engine.
    ///
    /// # Errors
    /// As [`Handle::listen`].
    pub async fn listen(&self) -> Result<mpsc::Receiver<Batch>, Failure> {
        match self {
            Console::Own(handle) => handle.listen().await,
            Console::Attached(attached) => attached.listen().await,
        }
    }
}

impl Attached {
    /// The engine that has this data directory in another process; `None` when there is none to be reached.
    pub async fn find(data_dir: &DataDir) -> Option<Attached> {
        let address = data_dir.socket();
        connect(&address).await.ok().map(|_| Attached { address })
    }

    /// Has the other process bring its window to the front.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`] when it has none; [`FailureCode::Connection`] when it has gone.
    pub async fn raise(&self) -> Result<(), Failure> {
        self.ask(Call::Raise).await
    }

    async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let (mut lines, _writer) = self.call(&call).await?;
        match read(&mut lines).await? {
            Some(Reply::Done(value)) => serde_json::from_value(value).map_err(|error| garbled(&error)),
            Some(Reply::Failed(failure)) => Err(failure),
            Some(Reply::Batch(_)) | None => Err(gone(None)),
        }
    }

    async fn listen(&self) -> Result<mpsc::Receiver<Batch>, Failure> {
        let (mut lines, writer) = self.call(&Call::Listen).await?;
        match read(&mut lines).await? {
            Some(Reply::Done(_)) => {}
            Some(Reply::Failed(failure)) => return Err(failure),
            Some(Reply::Batch(_)) | None => return Err(gone(None)),
        }
        let (listener, batches) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Ok(Some(Reply::Batch(batch))) = read(&mut lines).await {
                if listener.send(*batch).await.is_err() {
                    break;
                }
            }
            drop(writer);
        });
        Ok(batches)
    }

    async fn call(&self, call: &Call) -> Result<(Lines<BufReader<ReadHalf<Stream>>>, WriteHalf<Stream>), Failure> {
        let stream = connect(&self.address).await.map_err(|error| gone(Some(&error)))?;
        let (reader, mut writer) = tokio::io::split(stream);
        write(&mut writer, call).await.map_err(|error| gone(Some(&error)))?;
        Ok((BufReader::new(reader).lines(), writer))
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
        Call::ExportConnections { ids, path, passphrase } => {
            done(handle.export_connections(&ids, path, passphrase).await)
        }
        Call::ImportConnections { path, passphrase, without_keyring } => {
            done(handle.import_connections(path, passphrase, without_keyring).await)
        }
        Call::RemoveConnection { id } => done(handle.remove_connection(&id).await),
        Call::Devices { query, from, count } => done(handle.devices(query, from, count).await),
        Call::Device { connection, device } => done(handle.device(&connection, &device).await),
        Call::Send(new) => done(handle.send(new).await),
        Call::Cancel { connection, device, id } => done(handle.cancel(&connection, &device, &id).await),
        Call::History(query) => done(handle.history(query).await),
        Call::Command { connection, device, id } => done(handle.command(&connection, &device, &id).await),
        Call::Strays { connection, device, limit } => done(handle.strays(&connection, &device, limit).await),
        Call::Telemetry(query) => done(handle.telemetry(query).await),
        Call::Logs { connection, device } => done(handle.logs(&connection, &device).await),
        Call::Log { connection, device, id, with_text } => done(handle.log(&connection, &device, &id, with_text).await),
        Call::SaveLog { connection, device, id, path } => done(handle.save_log(&connection, &device, &id, path).await),
        Call::ForgetLog { connection, device, id } => done(handle.forget_log(&connection, &device, &id).await),
        Call::Raise => {
            let raise = raise.as_ref().ok_or_else(no_window)?;
            raise();
            Ok(Value::Null)
        }
        Call::Catalogue => done(Ok(handle.catalogue())),
        Call::ReadCatalogue { path } => done(handle.read_catalogue(path).await),
        Call::ImportCatalogue { path, replace } => done(handle.import_catalogue(path, &replace).await),
        Call::ExportCatalogue { ids, path } => done(handle.export_catalogue(&ids, path).await),
        Call::Listen => Ok(Value::Null),
    }
}

/// For a preflight of which only the end is wanted.
fn unheard() -> mpsc::UnboundedSender<PreflightView> {
    mpsc::unbounded_channel().0
}

async fn read<R: AsyncRead>(lines: &mut Lines<BufReader<ReadHalf<R>>>) -> Result<Option<Reply>, Failure> {
    let line = lines.next_line().await.map_err(|error| gone(Some(&error)))?;
    line.map(|line| serde_json::from_str(&line).map_err(|error| garbled(&error))).transpose()
}

async fn write<W: AsyncWrite>(writer: &mut WriteHalf<W>, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}

fn gone(error: Option<&io::Error>) -> Failure {
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    Failure {
        code: FailureCode::Connection,
        message: format!("The running Wilco no longer answers{why}."),
        hint: Some("Has it just been closed? Try again.".into()),
    }
}

fn no_window() -> Failure {
    Failure {
        code: FailureCode::NotFound,
        message: "The running Wilco has no window: it is the command line.".into(),
        hint: Some("Wait until it has ended.".into()),
    }
}

fn garbled(error: &serde_json::Error) -> Failure {
    Failure {
        code: FailureCode::Internal,
        message: format!("The running Wilco and this one do not understand each other: {error}."),
        hint: Some("Are they of the same version?".into()),
    }
}

#[cfg(unix)]
type Stream = tokio::net::UnixStream;

#[cfg(unix)]
async fn connect(address: &Path) -> io::Result<Stream> {
    tokio::net::UnixStream::connect(address).await
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
type Stream = tokio::net::windows::named_pipe::NamedPipeClient;

#[cfg(windows)]
async fn connect(address: &Path) -> io::Result<Stream> {
    tokio::net::windows::named_pipe::ClientOptions::new().open(address)
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

#[cfg(test)]
mod tests;
