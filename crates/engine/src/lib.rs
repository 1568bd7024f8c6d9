//! MQTT sessions, the store, the vault and the feed: all of Wilco's I/O.
//!
//! The controller is the one task that changes anything; [`Handle`] asks things of it, and [`attach`] lets other
//! processes do so. Everything that decides about commands is the ledger's, everything about topics and payloads the
//! dialect's.

pub mod api;
pub mod attach;
mod catalogue;
mod clock;
mod console;
mod controller;
mod exchange;
mod feed;
mod fleet;
mod kits;
pub mod lock;
pub mod logs;
mod mqtt;
mod news;
pub mod paths;
mod preflight;
mod profile;
mod refusal;
mod replacement;
mod settings;
pub mod sheet;
mod shell_line;
pub mod store;
mod telemetry;
pub mod tls;
mod traffic;
mod transport;
pub mod vault;
mod views;

pub use console::{DEMO, Engine, Handle, Options};
pub use fleet::unknown_tokens;
pub use shell_line::shell_word;
