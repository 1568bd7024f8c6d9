//! What the window and the command line say to the engine, and what it says back.
//!
//! These are wire types: plain, serialisable, without a secret in them, and separate from the domain's own.

mod command;
mod connection;
mod device;
mod failure;
mod feed;
mod files;
mod history;
mod preflight;

pub use command::{AnswerView, CommandDetail, CommandView, Delivery, EventView, NewCommand, Sent, WireView};
pub use connection::{
    ConnectionEntry, ConnectionView, Imported, LinkState, MqttVersion, NewConnection, Preset, PresetView, Probe,
    ProxyEntry, ProxyView, Secrets, TlsFiles, Trust, Way,
};
pub use device::{DeviceDetail, DeviceOrder, DevicePage, DeviceQuery, DeviceRow, Presence, SortBy};
pub(crate) use failure::sentence;
pub use failure::{Failure, FailureCode};
pub use feed::{Batch, Counts, Notice, NoticeLevel};
pub use files::{CertificateView, FileRole, FileToRead, FilesToRead, KitItem, KitItemKind, KitProblem, KitView};
pub use history::{HistoryPage, HistoryQuery};
pub use preflight::{PreflightStep, PreflightView, Remark, Step, StepState};
