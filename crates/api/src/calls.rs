//! The call table: every call to the engine, declared once.
//!
//! It generates [`Call`] (a request as it is sent to another process), the typed methods of [`Client`], the engine's
//! dispatch (shared by the shell and the local socket) and the page's `Calls.ts`. To add a call, add a row here and a
//! method of the same name and parameters to the engine's `Handle`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, UnboundedSender};

use super::{
    ApprovalAnswer, ApprovalRequestView, AuditEntry, AuditPage, AuditQuery, AuditVerification, Batch, CatalogueEntry,
    Client, CommandButton, CommandCheck, CommandDefinition, CommandDetail, CommandPreview, CommandRef,
    CommandToPreview, Confirmed, ConnectionEntry, ConnectionView, CountedView, DesiredConfig, DesiredFor, DesiredView,
    DeviceCells, DeviceColumns, DeviceDetail, DeviceExport, DeviceImport, DevicePage, DeviceQuery, DeviceRow,
    DeviceSummary, DialectDraft, DialectView, DraftSource, EventView, EvidenceExport, EvidenceFileView, EvidenceOf,
    EvidenceUse, ExportFormat, ExportView, Failure, FileToWrite, FilesToRead, ForgottenDevices, FoundDialect,
    HistoryCauses, HistoryCheck, HistoryPage, HistoryQuery, ImportLine, Imported, InstallationIdentity, KeptLog,
    KitView, LogView, MemberPage, MemberQuery, NewCommand, NewDevice, NewRollout, Older, OwnDialect, PlannedRequests,
    PreflightView, PresetView, RehearsalPlan, ReportFormat, ReportedKey, RolloutAction, RolloutDetail, RolloutPlan,
    RolloutView, SampleMessage, SavedView, SearchReading, Sent, Settings, Step, SuggestedTimeout, TelemetryQuery,
    TelemetryView, TimesQuery, TimesView, TrafficBatch, TrafficQuery, TrustedView, ViewColumn,
};

/// Passes the call table to a macro.
///
/// A row starts with who may make the call: `page` (the window), `cli` (other processes, over the local socket), or
/// `both`. `-> ANSWER` is the reply, before which the call may report progress (`reports ITEM`); a call that `streams
/// ITEM` sends items until the caller ends the stream.
#[macro_export]
macro_rules! calls {
    ($with:ident) => {
        $with! {
            /// Lists all connections, in the user's order.
            both connections() -> Vec<ConnectionView>;
            /// The presets for each kind of broker.
            page presets() -> Vec<PresetView>;
            /// The dialects that come with Wilco, Wilco's own first.
            both dialects() -> Vec<DialectView>;
            /// Searches for two seconds for devices of dialects that are not enabled on a connection.
            both find_dialects(connection: &str) -> Vec<FoundDialect>;
            /// Enables further dialects on a connection. Its session restarts.
            both enable_dialects(connection: &str, names: Vec<String>) -> ConnectionView;
            /// Stops offering these dialects on a connection.
            page decline_dialects(connection: &str, names: Vec<String>) -> ();
            /// Subscribes to a further topic filter of a connection, to learn a dialect. Returns after the SUBACK.
            both subscribe(connection: &str, filter: &str) -> ();
            /// Ends that subscription.
            both unsubscribe(connection: &str, filter: &str) -> ();
            /// Decodes messages with a dialect that is being described. Stores nothing.
            page draft_dialect(source: DraftSource, messages: Vec<SampleMessage>) -> DialectDraft;
            /// The dialect files of a connection, enabled or not.
            page own_dialects(connection: &str) -> Vec<OwnDialect>;
            /// Stores a dialect file with a connection, replacing the given one, and enables it if requested. The
            /// session restarts.
            page save_dialect(connection: &str, text: &str, replaces: Option<String>, enable: bool) -> ConnectionView;
            /// Removes a dialect file from a connection. The session restarts.
            page remove_dialect(connection: &str, name: &str) -> ConnectionView;
            /// Writes a dialect file of a connection to a file. Returns its path.
            page export_dialect(connection: &str, name: &str, to: FileToWrite) -> PathBuf;
            /// Reads a dialect file, for a preview before it is saved.
            page read_dialect(path: PathBuf) -> String;
            /// Adds a connection, or changes the one that the entry names.
            both save_connection(entry: ConnectionEntry) -> ConnectionView;
            /// Adds a copy of a connection.
            both duplicate_connection(id: &str) -> ConnectionView;
            /// Sets the order of the connections. Needs the ID of every connection.
            both order_connections(ids: &[String]) -> ();
            /// Replaces a connection's client certificate with the one in a kit.
            both renew_certificate(id: &str, kit: &str) -> ConnectionView;
            /// Removes a connection with its secrets and its history.
            both remove_connection(id: &str) -> ();
            /// Writes connections to a file: with their secrets under a passphrase, or without secrets if there is
            /// none. Returns the file's path.
            both export_connections(ids: &[String], to: FileToWrite, passphrase: Option<String>) -> PathBuf;
            /// Adds the connections of an exported file.
            both import_connections(path: PathBuf, passphrase: Option<String>, without_keyring: bool) -> Imported;

            /// Reads certificate files into memory and lists their content. They are not needed afterwards.
            both read_files(files: FilesToRead) -> KitView;
            /// Removes one item from a kit.
            page leave_out(kit: &str, item: u32) -> KitView;
            /// Discards a kit.
            both forget_kit(kit: &str) -> ();

            /// Tests a connection step by step, from the first step or a later one.
            both preflight(entry: ConnectionEntry, from: Option<Step>) -> PreflightView, reports PreflightView;
            /// Stops the preflight that is running.
            page stop_preflight() -> ();

            /// A range of a connection's devices.
            both devices(query: DeviceQuery, from: u32, count: u32) -> DevicePage;
            /// The whole list as columns; with IDs only if the list has another revision.
            page device_columns(query: DeviceQuery, known: Option<u64>, series: Option<String>) -> DeviceColumns;
            /// Rows of devices by their IDs, at most 1,000. Unknown devices are omitted.
            page device_rows(connection: &str, devices: &[String]) -> Vec<DeviceRow>;
            /// The common values and the differences of devices.
            page compare_devices(connection: &str, devices: Vec<String>) -> DeviceSummary;
            /// Values of devices, at most 200, for columns of the configuration and of measurements.
            both device_cells(connection: &str, devices: Vec<String>, columns: Vec<ViewColumn>) -> Vec<DeviceCells>;
            /// A connection's saved views, each with the number of devices that currently match.
            both views(connection: &str) -> Vec<CountedView>;
            /// Saves a view under its name, or changes the view with the given ID.
            page save_view(view: SavedView) -> SavedView;
            /// Removes a saved view.
            page remove_view(id: &str) -> ();
            /// The desired configurations of a connection's devices, in the order in which they apply.
            both desired(connection: &str) -> Vec<DesiredView>;
            /// Saves the desired configuration of devices with a tag or of a view, in place of an earlier one.
            both save_desired(desired: DesiredConfig) -> DesiredView;
            /// Clears the desired configuration of devices with a tag or of a view, and returns it.
            both clear_desired(connection: &str, target: DesiredFor) -> DesiredConfig;
            /// The configuration keys that matching devices report, the most frequent first, at most 200.
            page reported_keys(connection: &str, search: &str) -> Vec<ReportedKey>;
            /// How a search is parsed, and completions at the caret, whose position counts UTF-16 units.
            page read_search(connection: &str, text: &str, caret: u32) -> SearchReading;
            /// Everything about one device.
            both device(connection: &str, device: &str) -> DeviceDetail;
            /// Adds devices, or changes the given annotations of known ones. Returns the changed devices.
            both add_devices(connection: &str, devices: Vec<NewDevice>) -> Vec<String>;
            /// Sets the password of a device, or of all other devices of the connection. Without a
            /// password it is removed.
            both set_device_password(connection: &str, device: Option<String>, password: Option<String>) -> ();
            /// Sets the name of a device; removes it if none is given.
            both name_device(connection: &str, device: &str, name: Option<String>) -> ();
            /// Sets the note of a device; removes it if none is given.
            both note_device(connection: &str, device: &str, note: Option<String>) -> ();
            /// Adds a tag to devices, and adds unknown devices. Returns those that did not have the tag.
            both tag_devices(connection: &str, devices: Vec<String>, tag: &str) -> Vec<String>;
            /// Removes a tag from devices. Returns those that had it.
            both untag_devices(connection: &str, devices: Vec<String>, tag: &str) -> Vec<String>;
            /// Forgets devices without unfinished commands. They can be restored for 30 seconds.
            page forget_devices(connection: &str, devices: Vec<String>) -> ForgottenDevices;
            /// Restores forgotten devices. Returns those that could be restored.
            page restore_devices(connection: &str, devices: Vec<String>) -> Vec<String>;
            /// Reads a CSV file of devices and returns the changes that importing it would make.
            both read_device_file(connection: &str, path: PathBuf) -> DeviceImport, reports DeviceImport;
            /// Imports the lines of a CSV file of devices that can be imported.
            both import_devices(connection: &str, path: PathBuf) -> DeviceImport, reports DeviceImport;
            /// Stops the reading or importing that is in progress.
            page stop_device_import() -> ();
            /// Writes the devices that match to a CSV file, with their annotations.
            both export_devices(query: DeviceQuery, to: FileToWrite) -> DeviceExport;
            /// Deletes a device with its history, unless it has a command in progress.
            cli forget_device(connection: &str, device: &str) -> ();

            /// Sends a command to each of its devices.
            both send(command: NewCommand) -> Sent;
            /// Checks a command before it is sent, and the confirmation that it needs.
            both check_command(command: NewCommand) -> CommandCheck;
            /// Sends the same command again, with a new ID that refers to the old one.
            page send_again(connection: &str, device: &str, id: &str, confirmed: Confirmed, note: Option<String>) -> Sent;
            /// Cancels a command that was not sent yet; for a sent one, stops waiting for the answer.
            both cancel(connection: &str, device: &str, id: &str) -> ();
            /// Dismisses one failed command, or all of them, from those that need attention.
            both dismiss(connection: &str, command: Option<CommandRef>) -> ();
            /// The timeout that the latest answers to a command suggest: those of the given device if it has answered
            /// often enough, otherwise those of all devices.
            both suggested_timeout(connection: &str, device: Option<String>, command: &str) -> Option<SuggestedTimeout>;
            /// The usual answer times, from the latest commands.
            both answer_times(query: TimesQuery) -> Vec<TimesView>;
            /// A command with all its evidence.
            both command(connection: &str, device: &str, id: &str) -> CommandDetail;
            /// The latest answers of a device that belong to no command, newest first.
            cli unmatched(connection: &str, device: &str, limit: u32) -> Vec<EventView>;

            /// The plan of a rollout. Sends nothing.
            both plan_rollout(rollout: NewRollout) -> RolloutPlan;
            /// Some of the requests that a rollout would publish, at most 5,000. Sends nothing.
            both planned_requests(rollout: NewRollout, from: u32, count: u32) -> PlannedRequests;
            /// The input of a rollout's rehearsal on virtual devices. Sends nothing.
            cli plan_rehearsal(rollout: NewRollout) -> RehearsalPlan;
            /// Starts a rollout.
            both start_rollout(rollout: NewRollout) -> RolloutView;
            /// Every rollout of every connection, newest first.
            both rollouts() -> Vec<RolloutView>;
            /// Some of a rollout's members.
            both rollout_members(query: MemberQuery, from: u32, count: u32) -> MemberPage;
            /// Pauses, resumes or stops a rollout, or starts its next stage.
            both act_on_rollout(id: &str, action: RolloutAction) -> RolloutView;
            /// A rollout with an analysis of its members' answers.
            both rollout(id: &str) -> RolloutDetail;
            /// Replaces a rollout's note; removes it if none is given.
            both note_rollout(id: &str, note: Option<String>) -> RolloutView;
            /// Writes the members that match to a file, or a report of the whole rollout. Returns the file's path.
            both export_rollout(query: MemberQuery, to: FileToWrite, format: ReportFormat) -> PathBuf;

            /// This installation as seen by others: its name and its public key.
            both identity() -> InstallationIdentity;
            /// Writes this identity to a file, for another installation to trust. Returns the file's path.
            both export_identity(to: FileToWrite) -> PathBuf;
            /// Reads the identity of another installation from a file.
            both read_identity(path: PathBuf) -> InstallationIdentity;
            /// The installations whose approvals are accepted here, by name.
            both trusted_installations() -> Vec<TrustedView>;
            /// Accepts approvals of an installation, by its public key.
            both trust_installation(name: &str, public_key: &str) -> TrustedView;
            /// Stops accepting approvals from an installation.
            both distrust_installation(name: &str) -> ();
            /// Writes the request to approve a waiting rollout to a file. Returns the file's path.
            both save_approval_request(rollout: &str, to: FileToWrite) -> PathBuf;
            /// Reads a request of another installation.
            both read_approval_request(path: PathBuf) -> ApprovalRequestView;
            /// Signs the answer to a request, and writes it to a file. Returns the file's path.
            both answer_approval_request(answer: ApprovalAnswer, to: FileToWrite) -> PathBuf;
            /// Imports the answer to the request of the given rollout, or of any waiting one. An approved rollout
            /// starts; a declined one is stopped.
            both import_approval(path: PathBuf, rollout: Option<String>) -> RolloutView;

            /// A page of the history, newest first.
            both history(query: HistoryQuery) -> HistoryPage;
            /// The causes of failure of commands that match, the most frequent first.
            both history_causes(query: HistoryQuery) -> HistoryCauses;
            /// Writes all matching commands to a file, ignoring the query's page.
            page export_history(query: HistoryQuery, to: FileToWrite, format: ExportFormat) -> ExportView, reports ExportView;
            /// Stops the export that is running.
            page stop_export() -> ();
            /// The number of entries older than this many days.
            page count_older(days: u32) -> Older;
            /// Deletes these commands with all their evidence, and returns the deleted amount.
            page forget_older(days: u32) -> Older;
            /// The size of the data on the disk, in bytes.
            page data_size() -> u64;
            /// The use of the evidence quota, and the discarded messages, of one connection or of all.
            both evidence_use(connection: Option<String>) -> EvidenceUse;

            /// Checks whether the history is unchanged: the newest 10,000 events, or all events and the whole file.
            both check_history(all: bool) -> HistoryCheck;
            /// Saves everything that is known about a command, a device, a rollout or the audit to a signed file.
            both save_evidence(of: EvidenceOf, to: FileToWrite) -> EvidenceExport;
            /// Reads an evidence file of any installation, and lists its problems.
            page open_evidence(path: PathBuf) -> EvidenceFileView;

            /// The measurements of a device, reduced to the requested number of points.
            both telemetry(query: TelemetryQuery) -> TelemetryView;
            /// The stored logs of a device, newest first.
            both logs(connection: &str, device: &str) -> Vec<KeptLog>;
            /// The received part of the log that a command requested: with its text, or only its progress.
            both log(connection: &str, device: &str, id: &str, with_text: bool) -> LogView;
            /// Writes a log to a file. Returns the file's path.
            both save_log(connection: &str, device: &str, id: &str, to: FileToWrite) -> PathBuf;
            /// Deletes a stored log.
            both forget_log(connection: &str, device: &str, id: &str) -> ();

            /// All commands of the catalogue: the built-in ones, then the user's own.
            both catalogue() -> Vec<CatalogueEntry>;
            /// Adds a user-defined command, or changes it if an ID is given.
            page save_definition(id: Option<String>, definition: CommandDefinition) -> CatalogueEntry;
            /// Removes a user-defined command.
            page remove_definition(id: &str) -> ();
            /// The request of a command, and all problems of its definition.
            page preview_command(command: CommandToPreview) -> CommandPreview;
            /// The contents of a command file, and the changes that importing it would make.
            both read_catalogue(path: PathBuf) -> Vec<ImportLine>;
            /// Imports the new commands of a file, and the given changed ones.
            both import_catalogue(path: PathBuf, replace: &[String]) -> Vec<ImportLine>;
            /// Writes user-defined commands to a file, or all of them if no names are given. Returns the file's path.
            both export_catalogue(ids: &[String], to: FileToWrite) -> PathBuf;

            /// The buttons in the order in which they are shown.
            page buttons() -> Vec<CommandButton>;
            /// Adds a button, or changes the one with the given ID.
            page save_button(button: CommandButton) -> CommandButton;
            /// Sets the order of the buttons.
            page order_buttons(ids: Vec<String>) -> ();
            /// Removes a button.
            page remove_button(id: &str) -> ();

            /// Some entries of the audit, newest first.
            both audit(query: AuditQuery) -> AuditPage;
            /// Checks whether every entry of the audit is present and unaltered.
            both verify_audit() -> AuditVerification;
            /// Adds a note to an entry of the audit, as a separate entry, which it returns.
            both note_audit_entry(number: u32, note: &str) -> AuditEntry;
            /// Seals the audit again after a backup was restored or the keyring was lost, and adds an entry about it.
            both reseal_audit(note: &str) -> AuditVerification;

            /// The current settings.
            both settings() -> Settings;
            /// Replaces all settings.
            both change_settings(settings: Settings) -> ();

            /// Streams all changes from now on; the first batch contains all connections.
            both listen(), streams Batch;
            /// Streams the messages of a connection from now on.
            both traffic(query: TrafficQuery), streams TrafficBatch;
        }
    };
}

macro_rules! from_page {
    (cli) => {
        false
    };
    ($other:ident) => {
        true
    };
}

macro_rules! from_cli {
    (page) => {
        false
    };
    (both) => {
        true
    };
    (cli) => {
        true
    };
}

macro_rules! streams {
    () => {
        false
    };
    ($item:ty) => {
        true
    };
}

macro_rules! call {
    ($(
        $(#[doc = $doc:literal])+
        $callers:ident $name:ident($($parameter:ident: $(&$lent:tt)? $($owned:path)?),*)
        $(-> $answer:ty)? $(, reports $progress:ty)? $(, streams $item:ty)?;
    )*) => {
        /// A call with its arguments, as it is sent to another process.
        #[expect(non_camel_case_types, reason = "a call has one name everywhere: that of the method on the engine's handle")]
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(tag = "call", content = "with")]
        pub enum Call {
            $(
                $(#[doc = $doc])+
                $name {
                    $(
                        #[expect(missing_docs, reason = "the row of the table says it")]
                        $parameter: $(<$lent as ToOwned>::Owned)? $($owned)?
                    ),*
                }
            ),*
        }

        impl Call {
            /// Whether the page may make it.
            #[must_use]
            pub fn is_for_page(&self) -> bool {
                match self {
                    $(Call::$name { .. } => from_page!($callers)),*
                }
            }

            /// Whether other processes may make it over the local socket.
            #[must_use]
            pub fn is_for_cli(&self) -> bool {
                match self {
                    $(Call::$name { .. } => from_cli!($callers)),*
                }
            }

            /// Whether it continues to send items after its reply.
            #[must_use]
            pub fn is_stream(&self) -> bool {
                match self {
                    $(Call::$name { .. } => streams!($($item)?)),*
                }
            }
        }
    };
}
calls!(call);

macro_rules! handed_over {
    ($value:ident) => {
        $value
    };
    ($value:ident, $lent:tt) => {
        $value.to_owned()
    };
}

/// One method of the client: of a call with a reply, of one that reports progress, and of one that streams.
macro_rules! method {
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr) -> $answer:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters () $answer, |client| client.call($call));
    };
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr) -> $answer:ty, reports $progress:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters (progress: UnboundedSender<$progress>) $answer, |client| client.call_with_progress($call, progress));
    };
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr), streams $item:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters () Receiver<$item>, |client| client.stream($call));
    };
    (@ $(#[doc = $doc:literal])+ $name:ident ($($parameter:ident: $kind:ty),*) ($($progress:ident: $sender:ty)?) $answer:ty, |$client:ident| $reply:expr) => {
        $(#[doc = $doc])+
        ///
        /// # Errors
        /// Those of the engine; [`FailureCode::Ended`](super::FailureCode) and `Unanswered` if it runs in another
        /// process that has ended.
        pub async fn $name(&self, $($parameter: $kind,)* $($progress: $sender)?) -> Result<$answer, Failure> {
            let $client = self;
            $reply.await
        }
    };
}

macro_rules! client {
    ($(
        $(#[doc = $doc:literal])+
        $callers:ident $name:ident($($parameter:ident: $(&$lent:tt)? $($owned:path)?),*)
        $(-> $answer:ty)? $(, reports $progress:ty)? $(, streams $item:ty)?;
    )*) => {
        impl Client {
            $(
                method!(
                    $(#[doc = $doc])+
                    $name($($parameter: $(&$lent)? $($owned)?),*)
                    (Call::$name { $($parameter: handed_over!($parameter $(, $lent)?)),* })
                    $(-> $answer)? $(, reports $progress)? $(, streams $item)?
                );
            )*
        }
    };
}
calls!(client);

#[cfg(test)]
mod typescript;

#[cfg(test)]
macro_rules! typescript {
    ($(
        $(#[doc = $doc:literal])+
        $callers:ident $name:ident($($parameter:ident: $(&$lent:tt)? $($owned:path)?),*)
        $(-> $answer:ty)? $(, reports $progress:ty)? $(, streams $item:ty)?;
    )*) => {
        /// The table's rows, with their types in TypeScript.
        fn rows(config: &ts_rs::Config) -> Vec<typescript::Row> {
            use ts_rs::TS;
            let mut rows = Vec::new();
            $({
                let mut row = typescript::Row::new(stringify!($name), from_page!($callers), &[$($doc),+]);
                $(row.parameter(stringify!($parameter), <$(<$lent as ToOwned>::Owned)? $($owned)? as TS>::name(config));)*
                $(row.answer = Some(<$answer as TS>::name(config));)?
                $(row.progress = Some(<$progress as TS>::name(config));)?
                $(row.streamed = Some(<$item as TS>::name(config));)?
                rows.push(row);
            })*
            rows
        }
    };
}
#[cfg(test)]
calls!(typescript);
