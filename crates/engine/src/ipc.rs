//! A running engine, used from another process over a local socket.
//!
//! Each message is one line of JSON. The socket is in a directory of its own in the data directory, which only its
//! owner can enter, and each side refuses a process of another user (`private`); so every client could read the data
//! anyway. This file has the messages; `server` is the engine's side, `client` the other.

mod client;
mod lines;
#[cfg(unix)]
mod private;
mod server;
#[cfg(test)]
mod tests;

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt, WriteHalf};

use crate::api::{Call, Failure, Json};

pub use client::IpcClient;
pub use server::IpcServer;

/// A request.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Call(Box<Call>),
    /// Asks to bring the window to the front.
    ShowWindow,
}

/// A reply: items, and an answer before or after them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Json),
    Failed(Failure),
    Item(Json),
    /// No more requests are read: those after the last reply were not carried out.
    Ended,
}

async fn write<W: AsyncWrite>(writer: &mut WriteHalf<W>, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}

/// Reads a line as each side would.
#[cfg(fuzzing)]
pub(crate) fn read_line(line: &str) {
    let _ = serde_json::from_str::<Request>(line);
    let _ = serde_json::from_str::<Reply>(line);
}
