//! A running engine, asked from another process over a local socket.
//!
//! One JSON object a line each way. The socket lies in the data directory, or in the runtime directory under a name
//! made of it, and only its owner may open it; so whoever can ask here can read the data as well. Here is what both sides
//! say; who lets others in is in `door`, who asks in `visit`.

mod door;
#[cfg(test)]
mod tests;
mod visit;

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines, ReadHalf, WriteHalf},
    sync::mpsc,
};

use crate::api::{
    Batch, ConnectionEntry, DeviceQuery, Failure, FailureCode, FileToWrite, FilesToRead, HistoryQuery, NewCommand,
    PreflightView, TelemetryQuery,
};

pub use door::Door;
pub use visit::{Attached, Console};

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
    ExportConnections { ids: Vec<String>, to: FileToWrite, passphrase: Option<String> },
    ImportConnections { path: PathBuf, passphrase: Option<String>, without_keyring: bool },
    RemoveConnection { id: String },
    Devices { query: DeviceQuery, from: u32, count: u32 },
    Device { connection: String, device: String },
    ForgetDevice { connection: String, device: String },
    Send(NewCommand),
    Cancel { connection: String, device: String, id: String },
    History(HistoryQuery),
    Command { connection: String, device: String, id: String },
    Strays { connection: String, device: String, limit: u32 },
    Telemetry(TelemetryQuery),
    Logs { connection: String, device: String },
    Log { connection: String, device: String, id: String, with_text: bool },
    SaveLog { connection: String, device: String, id: String, to: FileToWrite },
    ForgetLog { connection: String, device: String, id: String },
    Raise,
    Catalogue,
    ReadCatalogue { path: PathBuf },
    ImportCatalogue { path: PathBuf, replace: Vec<String> },
    ExportCatalogue { ids: Vec<String>, to: FileToWrite },
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

fn garbled(error: &serde_json::Error) -> Failure {
    Failure {
        code: FailureCode::Internal,
        message: format!("The running Wilco and this one do not understand each other: {error}."),
        hint: Some("Are they of the same version?".into()),
    }
}
