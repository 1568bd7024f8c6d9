//! Asking an engine: this process's own, or through the door of another's.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines, ReadHalf, WriteHalf},
    sync::mpsc,
};

use super::{Call, Reply, garbled, gone, read, unheard, write};
use crate::{
    Handle,
    api::{
        Batch, CatalogueEntry, CommandDetail, ConnectionEntry, ConnectionView, DeviceDetail, DevicePage, DeviceQuery,
        EventView, Failure, FileToWrite, FilesToRead, HistoryPage, HistoryQuery, ImportLine, Imported, KeptLog,
        KitView, LogView, NewCommand, PreflightView, Sent, TelemetryQuery, TelemetryView,
    },
    paths::DataDir,
};

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
        export_connections(ids: &[String], to: FileToWrite, passphrase: Option<String>) -> PathBuf,
        async |handle: &Handle, ids: &[String], to, passphrase| handle.export_connections(ids, to, passphrase).await,
        |ids: &[String], to, passphrase| Call::ExportConnections { ids: ids.to_vec(), to, passphrase }
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
        /// Forgets a device with its history.
        forget_device(connection: &str, device: &str) -> (),
        async |handle: &Handle, connection: &str, device: &str| handle.forget_device(connection, device).await,
        |connection: &str, device: &str| Call::ForgetDevice {
            connection: connection.to_owned(), device: device.to_owned()
        }
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
        save_log(connection: &str, device: &str, id: &str, to: FileToWrite) -> PathBuf,
        async |handle: &Handle, connection: &str, device: &str, id: &str, to| {
            handle.save_log(connection, device, id, to).await
        },
        |connection: &str, device: &str, id: &str, to| Call::SaveLog {
            connection: connection.to_owned(), device: device.to_owned(), id: id.to_owned(), to
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
        export_catalogue(ids: &[String], to: FileToWrite) -> PathBuf,
        async |handle: &Handle, ids: &[String], to| handle.export_catalogue(ids, to).await,
        |ids: &[String], to| Call::ExportCatalogue { ids: ids.to_vec(), to }
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

#[cfg(unix)]
type Stream = tokio::net::UnixStream;

#[cfg(unix)]
async fn connect(address: &Path) -> io::Result<Stream> {
    tokio::net::UnixStream::connect(address).await
}

#[cfg(windows)]
type Stream = tokio::net::windows::named_pipe::NamedPipeClient;

#[cfg(windows)]
async fn connect(address: &Path) -> io::Result<Stream> {
    tokio::net::windows::named_pipe::ClientOptions::new().open(address)
}
