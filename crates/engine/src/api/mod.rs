//! What the window and the command line say to the engine, and what it says back.
//!
//! These are wire types: plain, serialisable, without a secret in them, and separate from the domain's own.

mod catalogue;
mod command;
mod connection;
mod device;
mod entry;
mod failure;
mod feed;
mod files;
mod history;
mod log;
mod news;
mod preflight;
mod settings;
mod telemetry;
mod traffic;

pub use catalogue::{
    CatalogueEntry, CommandButton, CommandDefinition, CommandPreview, CommandToPreview, ImportChange, ImportKind,
    ImportLine,
};
pub use command::{AnswerView, CommandDetail, CommandView, Delivery, EventView, NewCommand, Sent, WireView};
pub use connection::{ConnectionView, LinkState, MqttVersion};
pub use device::{DeviceDetail, DeviceOrder, DevicePage, DeviceQuery, DeviceRow, Presence, SortBy};
pub use entry::{ConnectionEntry, Imported, Preset, PresetView, ProxyEntry, ProxyView, Secrets, Trust, Way};
pub use failure::{Failure, FailureCode};
pub(crate) use failure::{invalid, sentence};
pub use feed::{Batch, Counts, Notice, NoticeLevel};
pub use files::{
    CertificateView, FileRole, FileToRead, FileToWrite, FilesToRead, KitItem, KitItemKind, KitProblem, KitView,
};
pub use history::{ExportFormat, ExportView, HistoryPage, HistoryQuery, Older};
pub use log::{KeptLog, LogPart, LogStand, LogView};
pub use news::{News, NewsSubject};
pub use preflight::{PreflightStep, PreflightView, Remark, Step, StepState};
pub use settings::Settings;
pub use telemetry::{SeriesView, TelemetryQuery, TelemetryView};
pub use traffic::{TrafficBatch, TrafficMessage, TrafficQuery};
