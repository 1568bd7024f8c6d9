//! The engine: it combines sessions, store, keyring, ledgers and dialects, and answers every call of the window and the
//! command line.
//!
//! The controller is the only task that changes state; [`Handle`] sends requests to it, and [`ipc`] lets other
//! processes do so. The ledger makes every decision about commands, the dialect every decision about topics and
//! payloads.

mod absent;
mod answer_times;
mod approval;
mod audit;
mod catalogue;
mod chance;
mod clock;
mod console;
mod controller;
mod core_files;
mod device_file;
mod dialects;
pub mod evidence_file;
mod evidence_quota;
mod feed;
mod fleet;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod history_writer;
mod import_export;
mod input_file;
pub mod ipc;
mod loading;
pub mod lock;
pub mod logs;
mod message_rates;
mod new_command;
mod new_devices;
mod notifications;
mod output_file;
pub mod paths;
mod profile;
mod rollouts;
mod sample;
mod secret_changes;
mod settings;
mod shared_connection;
mod shell_line;
mod signed_lines;
mod staged_credentials;
mod stored_history;
mod telemetry;
mod traffic;
mod unanswered;
mod views;

pub use clock::ClockShift;
pub use console::{DEMO, Engine, Handle, Options};
pub use core_files::disable_core_files;
pub use device_file::device_column;
pub use fleet::tag_search;
pub use shell_line::shell_word;
pub use stored_history::StoredHistory;
pub use wilco_api as api;
pub use wilco_credentials::{tls, vault};
pub use wilco_store as store;

use wilco_mqtt as mqtt;
