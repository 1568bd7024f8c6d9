//! The interface between the engine and its clients, the window and the command line: the call table (`calls.rs`), and the
//! types of its parameters, replies and streams.
//!
//! These are wire types: plain, serialisable, without secrets, and separate from the domain types.

mod annotation;
mod approval;
mod audit;
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
mod event;
mod evidence;
mod evidence_file;
mod feed;
mod files;
mod fleet;
mod history;
mod history_check;
mod log;
mod notification;
mod rehearsal;
mod rollout;
mod telemetry;
mod times;
mod traffic;
mod view;

pub use annotation::{
    DeviceExport, DeviceImport, ForgottenDevices, ImportColumn, ImportColumnKind, ImportError, NewDevice,
};
pub use approval::{
    ApprovalAnswer, ApprovalDevice, ApprovalFact, ApprovalRequestView, ApprovalSample, ApprovalSender,
    InstallationIdentity, TrustedView,
};
pub use audit::{
    AuditEntry, AuditPage, AuditProblem, AuditProblemKind, AuditQuery, AuditRange, AuditSeal, AuditVerification,
};
pub use calls::Call;
pub use catalogue::{
    CatalogueEntry, CommandButton, CommandDefinition, CommandPreview, CommandToPreview, ImportChange, ImportKind,
    ImportLine,
};
pub use client::{Client, Dispatch, Json};
pub use client::{garbled, to_json};
pub use command::{
    AnswerMatch, CommandCheck, CommandDetail, CommandRef, CommandView, DeviceCheck, DisagreementView, NewCommand,
    RequestOrigin, Sent, SentBy, SettledBy, UnreadableView, WireView,
};
pub use connection::{ConnectionView, LinkState};
pub use desired::{
    ConfigDifference, DesiredConfig, DesiredFor, DesiredState, DesiredView, DeviceDesired, OverruledValue, ReportedKey,
    ReportedValue,
};
pub use device::{
    DescribedDevice, DeviceCommandView, DeviceDetail, DevicePage, DevicePassword, DeviceQuery, DeviceRow, DeviceValue,
    Presence,
};
pub use dialect::{DialectSetting, DialectView, FoundDialect};
pub use draft::{
    DialectDraft, DialectFields, DialectProblem, DraftSource, IdForm, MessageReading, OutcomeWord, OwnDialect,
    ReadingKind, SampleMessage,
};
pub use entry::{ConnectionEntry, Imported};
pub use event::{AnswerOutcome, AnswerReading, AnswerView, EventKind, EventView, Outcome};
pub use evidence::{CutView, DiscardedOfDevice, DiscardedView, EvidenceUse};
pub use evidence_file::{
    EvidenceExport, EvidenceFileView, EvidenceOf, EvidenceProblem, EvidenceRecord, EvidenceRecordKind,
    EvidenceSignature,
};
pub use feed::{Batch, Counts, Notice, NoticeLevel};
pub use files::{FileToRead, FileToWrite, FilesToRead};
pub use fleet::{
    ConfigSummary, Counted, DeviceColumns, DeviceGroup, DeviceStates, DeviceSummary, FleetCounts, GroupKey,
    SearchCompletion, SearchError, SearchPart, SearchPartKind, SearchReading,
};
pub use history::{ExportFormat, ExportView, HistoryCause, HistoryCauses, HistoryPage, HistoryQuery, Older};
pub use history_check::{DamagedEvent, HistoryCheck, HistoryGap};
pub use log::{KeptLog, LogPart, LogState, LogView};
pub use notification::{NotificationContent, NotificationSubject};
pub use rehearsal::{FaultDials, RehearsalPlan, RehearsalView, RehearsedDevice};
pub use rollout::{
    AnswerTimes, BetweenStages, Cause, ExpectedMembers, FollowReason, Follows, Gate, HaltLimit, HaltRule, LeaveOut,
    MaintenanceHours, MemberCounts, MemberPage, MemberQuery, MemberState, MemberView, NewRollout, PlannedRequest,
    PlannedRequests, ReportFormat, RolloutAction, RolloutApproval, RolloutCommand, RolloutDetail, RolloutPlan,
    RolloutState, RolloutTarget, RolloutView, SharedTrait, SlowAnswers, SlowTrait, StageSize, StageView, TraitKind,
    UnexpectedDevice, WaitsFor, WhichMembers,
};
pub use telemetry::{SeriesView, TelemetryQuery, TelemetryView};
pub use times::{SuggestedTimeout, TimesBy, TimesQuery, TimesView};
pub use traffic::{TrafficBatch, TrafficMessage, TrafficQuery};
pub use view::{CountedView, DeviceCells};
pub use wilco_connection::{
    Confirmation, Confirmed, ConnectionMode, ConnectionSettings, EnabledDialect, MqttVersion, PreflightFinding,
    PreflightStep, PreflightView, Preset, PresetView, ProxySettings, Secrets, Step, StepState, TransportOption, Trust,
};
pub use wilco_credentials::{CertificateView, FileRole, KitItem, KitItemKind, KitProblem, KitView};
pub use wilco_definitions::{
    ApprovalDecision, AuditKind, CommandState, Delivery, DeviceOrder, GroupBy, JsonText, SavedView, Settings, SortBy,
    TYPED_COUNT_ABOVE, Verdict, ViewColumn,
};
pub use wilco_failure::{Failure, FailureCode};
pub use wilco_failure::{exact, excerpt, invalid, is_unseen, legible, sentence};
pub use wilco_ledger::grouped;
