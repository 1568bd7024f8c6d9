//! What the window and the command line say to the engine, and what it says back: the call table (`api/calls.rs`), and the types
//! that are named in it.
//!
//! These are wire types: plain, serialisable, without a secret in them, and separate from the domain's own.

mod annotation;
mod calls;
mod catalogue;
mod client;
mod command;
mod connection;
mod desired;
mod device;
mod dialect;
mod draft;
mod entry;
mod evidence;
mod feed;
mod files;
mod fleet;
mod history;
mod json;
mod log;
mod mode;
mod news;
mod preflight;
mod rollout;
mod settings;
mod telemetry;
mod times;
mod traffic;
mod view;

pub use annotation::{
    DeviceExport, DeviceImport, ForgottenDevices, ImportColumn, ImportColumnKind, ImportError, NewDevice,
};
pub use calls::Call;
pub(crate) use calls::calls;
pub use catalogue::{
    CatalogueEntry, CommandButton, CommandDefinition, CommandPreview, CommandToPreview, ImportChange, ImportKind,
    ImportLine,
};
pub use client::{Client, Dispatch, Json};
pub(crate) use client::{garbled, to_json};
pub use command::{
    AnswerView, CommandCheck, CommandDetail, CommandRef, CommandView, Delivery, DeviceCheck, DisagreementView,
    EventView, NewCommand, RequestOrigin, Sent, SettledBy, UnreadableView, WireView,
};
pub use connection::{ConnectionView, LinkState, MqttVersion};
pub use desired::{
    ConfigDifference, DesiredConfig, DesiredFor, DesiredState, DesiredView, DeviceDesired, OverruledValue, ReportedKey,
    ReportedValue,
};
pub use device::{
    DescribedDevice, DeviceCommandView, DeviceDetail, DeviceOrder, DevicePage, DeviceQuery, DeviceRow, DeviceValue,
    Presence, SortBy,
};
pub use dialect::{DialectView, FoundDialect};
pub use draft::{
    DialectDraft, DialectFields, DialectProblem, DraftSource, IdForm, MessageReading, OutcomeMeaning, OutcomeWord,
    OwnDialect, ReadingKind, SampleMessage,
};
pub use entry::{ConnectionEntry, Imported, Preset, PresetView, ProxyEntry, ProxyView, Secrets, Way};
pub use evidence::{CutView, DiscardedOfDevice, DiscardedView, EvidenceUse};
pub use feed::{Batch, Counts, Notice, NoticeLevel};
pub use files::{FileToRead, FileToWrite, FilesToRead};
pub use fleet::{
    ConfigSummary, Counted, DeviceColumns, DeviceGroup, DeviceStates, DeviceSummary, FleetCounts, GroupBy, GroupKey,
    SearchCompletion, SearchError, SearchPart, SearchPartKind, SearchReading,
};
pub use history::{ExportFormat, ExportView, HistoryCause, HistoryCauses, HistoryPage, HistoryQuery, Older};
pub use json::JsonText;
pub use log::{KeptLog, LogPart, LogStand, LogView};
pub use mode::{Confirmation, Confirmed, ConnectionMode};
pub use news::{News, NewsSubject};
pub use preflight::{PreflightStep, PreflightView, Remark, Step, StepState};
pub use rollout::{
    AnswerTimes, BetweenStages, Cause, FollowReason, Follows, Gate, HaltLimit, HaltRule, LeaveOut, MaintenanceHours,
    MemberCounts, MemberPage, MemberQuery, MemberState, MemberView, NewRollout, PlannedRequest, ReportFormat,
    RolloutAction, RolloutCommand, RolloutDetail, RolloutPlan, RolloutState, RolloutTarget, RolloutView, SharedTrait,
    StageSize, StageView, Stranger, TraitKind, WaitsFor, WhichMembers,
};
pub use settings::Settings;
pub use telemetry::{SeriesView, TelemetryQuery, TelemetryView};
pub use times::{TimesBy, TimesQuery, TimesView};
pub use traffic::{TrafficBatch, TrafficMessage, TrafficQuery};
pub use view::{CountedView, DeviceCells, SavedView, ViewColumn};
pub use wilco_credentials::{CertificateView, FileRole, KitItem, KitItemKind, KitProblem, KitView, Trust};
pub use wilco_failure::{Failure, FailureCode};
pub(crate) use wilco_failure::{exact, excerpt, invalid, sentence};
pub use wilco_ledger::grouped;
