//! The call table: everything that the engine can be asked, declared once.
//!
//! From it come [`Call`] (a request as it goes over a wire), the typed methods of [`Client`], the engine's dispatch (which
//! the shell and the local socket share) and the page's `Calls.ts`. To add a call, add a row here and a method of the
//! same name and parameters to the engine's `Handle`.

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
    KitView, LogView, MemberPage, MemberQuery, NewCommand, NewDevice, NewRollout, Older, OwnDialect, PreflightView,
    PresetView, RehearsalPlan, ReportFormat, ReportedKey, RolloutAction, RolloutDetail, RolloutPlan, RolloutView,
    SampleMessage, SavedView, SearchReading, Sent, Settings, Step, TelemetryQuery, TelemetryView, TimesQuery,
    TimesView, TrafficBatch, TrafficQuery, TrustedView, ViewColumn,
};

/// Hands the call table to the macro that is named.
///
/// A row begins with who may make the call: `page` (the window), `cli` (other processes, over the local socket), or
/// `both`. `-> ANSWER` is what it answers with, on the way to which it may tell of its progress (`tells ITEM`); a call
/// that `streams ITEM` sends these until the caller ends the stream.
#[macro_export]
macro_rules! calls {
    ($with:ident) => {
        $with! {
            /// Every connection, in the order that the person has given them.
            both connections() -> Vec<ConnectionView>;
            /// What is known of each kind of broker beforehand.
            page presets() -> Vec<PresetView>;
            /// The dialects that come with Wilco, Wilco's own first.
            both dialects() -> Vec<DialectView>;
            /// Looks for two seconds for devices that speak dialects which are not enabled on a connection.
            both find_dialects(connection: &str) -> Vec<FoundDialect>;
            /// Enables dialects on a connection, beside those that are. Its session begins anew.
            both enable_dialects(connection: &str, names: Vec<String>) -> ConnectionView;
            /// Does not offer dialects on a connection any more.
            page decline_dialects(connection: &str, names: Vec<String>) -> ();
            /// Hears a topic filter beside those of a connection, for a dialect to be learned from. Answers with the SUBACK.
            both subscribe(connection: &str, filter: &str) -> ();
            /// Ends that.
            both unsubscribe(connection: &str, filter: &str) -> ();
            /// A dialect that is being described, tried on messages. Nothing is stored.
            page draft_dialect(source: DraftSource, messages: Vec<SampleMessage>) -> DialectDraft;
            /// The dialect files of a connection, enabled or not.
            page own_dialects(connection: &str) -> Vec<OwnDialect>;
            /// Stores a dialect file with a connection, in place of the one that it replaces, and enables it if that is
            /// wanted. The session begins anew.
            page save_dialect(connection: &str, text: &str, replaces: Option<String>, enable: bool) -> ConnectionView;
            /// Removes a dialect file from a connection. The session begins anew.
            page remove_dialect(connection: &str, name: &str) -> ConnectionView;
            /// Writes a dialect file of a connection to a file. Answers with its path.
            page export_dialect(connection: &str, name: &str, to: FileToWrite) -> PathBuf;
            /// Reads a dialect file, to be looked at before it is saved.
            page read_dialect(path: PathBuf) -> String;
            /// Adds a connection, or changes it where the entry names one.
            both save_connection(entry: ConnectionEntry) -> ConnectionView;
            /// Adds a second connection like one that is there.
            both duplicate_connection(id: &str) -> ConnectionView;
            /// Puts the connections into this order. Every connection's id.
            both order_connections(ids: &[String]) -> ();
            /// Replaces a connection's client certificate with the one in a kit.
            both renew_certificate(id: &str, kit: &str) -> ConnectionView;
            /// Removes a connection with its secrets and its history.
            both remove_connection(id: &str) -> ();
            /// Writes connections to a file: with their secrets under a passphrase, or without secrets where there is
            /// none. Answers with the file's path.
            both export_connections(ids: &[String], to: FileToWrite, passphrase: Option<String>) -> PathBuf;
            /// Adds the connections of an exported file.
            both import_connections(path: PathBuf, passphrase: Option<String>, without_keyring: bool) -> Imported;

            /// Reads certificate files into memory and says what is in them. They are not needed afterwards.
            both read_files(files: FilesToRead) -> KitView;
            /// Leaves one item out of a kit.
            page leave_out(kit: &str, item: u32) -> KitView;
            /// Forgets a kit.
            both forget_kit(kit: &str) -> ();

            /// Tries a connection step by step, from the first step or a later one.
            both preflight(entry: ConnectionEntry, from: Option<Step>) -> PreflightView, tells PreflightView;
            /// Stops the preflight that is running.
            page stop_preflight() -> ();

            /// A window of a connection's devices.
            both devices(query: DeviceQuery, from: u32, count: u32) -> DevicePage;
            /// The whole list as columns: ids only where it is not the one of that revision.
            page device_columns(query: DeviceQuery, known: Option<u64>, series: Option<String>) -> DeviceColumns;
            /// Rows of devices by their ids, 1,000 at the most. Those that are not known are left out.
            page device_rows(connection: &str, devices: &[String]) -> Vec<DeviceRow>;
            /// What devices have in common and where they differ.
            page compare_devices(connection: &str, devices: Vec<String>) -> DeviceSummary;
            /// Values of devices, 200 at the most, for columns of the configuration and of measurements.
            both device_cells(connection: &str, devices: Vec<String>, columns: Vec<ViewColumn>) -> Vec<DeviceCells>;
            /// A connection's saved views, each with how many devices match it now.
            both views(connection: &str) -> Vec<CountedView>;
            /// Saves a view under its name, or changes the one of that id.
            page save_view(view: SavedView) -> SavedView;
            /// Removes a saved view.
            page remove_view(id: &str) -> ();
            /// The configurations that are wanted of a connection's devices, in the order in which they apply.
            both desired(connection: &str) -> Vec<DesiredView>;
            /// Saves the configuration that is wanted of devices with a tag or of a view, in place of an earlier one.
            both save_desired(desired: DesiredConfig) -> DesiredView;
            /// Clears what is wanted of devices with a tag or of a view. Answers with what that was.
            both clear_desired(connection: &str, target: DesiredFor) -> DesiredConfig;
            /// The keys of the configuration that devices that match report, the most frequent first, 200 at the most.
            page reported_keys(connection: &str, search: &str) -> Vec<ReportedKey>;
            /// What a search says, and what could stand where the caret is, which counts UTF-16 units.
            page read_search(connection: &str, text: &str, caret: u32) -> SearchReading;
            /// Everything about one device.
            both device(connection: &str, device: &str) -> DeviceDetail;
            /// Adds devices, or sets what is given of those that are known. Answers with those that are different now.
            both add_devices(connection: &str, devices: Vec<NewDevice>) -> Vec<String>;
            /// Sets the password of a device, or of all devices of the connection that have none of their own. Without a
            /// password it is removed.
            both set_device_password(connection: &str, device: Option<String>, password: Option<String>) -> ();
            /// Names a device here; takes its name away where there is none.
            both name_device(connection: &str, device: &str, name: Option<String>) -> ();
            /// Writes a note of a device; takes it away where there is none.
            both note_device(connection: &str, device: &str, note: Option<String>) -> ();
            /// Sets a tag of devices here; adds those that are not known. Answers with those that did not have it.
            both tag_devices(connection: &str, devices: Vec<String>, tag: &str) -> Vec<String>;
            /// Removes a tag that was set of devices here. Answers with those that had it.
            both untag_devices(connection: &str, devices: Vec<String>, tag: &str) -> Vec<String>;
            /// Forgets devices that have no command under way. They can be restored for half a minute.
            page forget_devices(connection: &str, devices: Vec<String>) -> ForgottenDevices;
            /// Lists forgotten devices again, as they were. Answers with those that could be restored.
            page restore_devices(connection: &str, devices: Vec<String>) -> Vec<String>;
            /// Reads a CSV file of devices, and says what importing it would do.
            both read_device_file(connection: &str, path: PathBuf) -> DeviceImport, tells DeviceImport;
            /// Imports the lines of a CSV file of devices that can be imported.
            both import_devices(connection: &str, path: PathBuf) -> DeviceImport, tells DeviceImport;
            /// Stops the reading or importing that is under way.
            page stop_device_import() -> ();
            /// Writes the devices that match to a CSV file, with what is set of them here.
            both export_devices(query: DeviceQuery, to: FileToWrite) -> DeviceExport;
            /// Deletes a device with its history, unless it has a command under way.
            cli forget_device(connection: &str, device: &str) -> ();

            /// Sends a command to each of its devices.
            both send(command: NewCommand) -> Sent;
            /// What is known of a command before it is sent, and what has to be confirmed first.
            both check_command(command: NewCommand) -> CommandCheck;
            /// Sends the same command once more, under a new id that names the old one.
            page send_again(connection: &str, device: &str, id: &str, confirmed: Confirmed, note: Option<String>) -> Sent;
            /// Withdraws a command that was never sent; later it stops the waiting.
            both cancel(connection: &str, device: &str, id: &str) -> ();
            /// Dismisses a command that ended badly, or all of them: it no longer needs attention.
            both dismiss(connection: &str, command: Option<CommandRef>) -> ();
            /// How long answers usually take, from the latest commands.
            both answer_times(query: TimesQuery) -> Vec<TimesView>;
            /// A command with all its evidence.
            both command(connection: &str, device: &str, id: &str) -> CommandDetail;
            /// The latest answers of a device that settled no command, newest first.
            cli strays(connection: &str, device: &str, limit: u32) -> Vec<EventView>;

            /// What a rollout would do. Nothing is sent for it.
            both plan_rollout(rollout: NewRollout) -> RolloutPlan;
            /// What the rehearsal of a rollout on virtual devices needs to know. Nothing is sent for it.
            cli plan_rehearsal(rollout: NewRollout) -> RehearsalPlan;
            /// Starts a rollout.
            both start_rollout(rollout: NewRollout) -> RolloutView;
            /// Every rollout of every connection, newest first.
            both rollouts() -> Vec<RolloutView>;
            /// Some of a rollout's members.
            both rollout_members(query: MemberQuery, from: u32, count: u32) -> MemberPage;
            /// Pauses, resumes or stops a rollout, or moves its stages on.
            both act_on_rollout(id: &str, action: RolloutAction) -> RolloutView;
            /// A rollout with what its members' answers say.
            both rollout(id: &str) -> RolloutDetail;
            /// Replaces a rollout's note; removes it where there is none.
            both note_rollout(id: &str, note: Option<String>) -> RolloutView;
            /// Writes the members that match to a file, or a report of the whole rollout. Answers with the file's path.
            both export_rollout(query: MemberQuery, to: FileToWrite, format: ReportFormat) -> PathBuf;

            /// This installation as others know it: its name and the key with which it signs.
            both identity() -> InstallationIdentity;
            /// Writes that to a file, for another installation to trust. Answers with the file's path.
            both export_identity(to: FileToWrite) -> PathBuf;
            /// Reads such a file of another installation.
            both read_identity(path: PathBuf) -> InstallationIdentity;
            /// The installations whose approvals count here, by name.
            both trusted_installations() -> Vec<TrustedView>;
            /// Lets the approvals of an installation count here, by its public key.
            both trust_installation(name: &str, public_key: &str) -> TrustedView;
            /// Lets the approvals of an installation count no more.
            both distrust_installation(name: &str) -> ();
            /// Writes the request to approve a waiting rollout to a file. Answers with the file's path.
            both save_approval_request(rollout: &str, to: FileToWrite) -> PathBuf;
            /// Reads a request of another installation, and says what it asks.
            both read_approval_request(path: PathBuf) -> ApprovalRequestView;
            /// Signs the answer to a request, and writes it to a file. Answers with the file's path.
            both answer_approval_request(answer: ApprovalAnswer, to: FileToWrite) -> PathBuf;
            /// Imports the answer to the request of a rollout, of any that waits where none is named. An approved rollout
            /// starts, a declined one is stopped.
            both import_approval(path: PathBuf, rollout: Option<String>) -> RolloutView;

            /// A page of the history, newest first.
            both history(query: HistoryQuery) -> HistoryPage;
            /// Why commands that match failed, the most frequent cause first.
            both history_causes(query: HistoryQuery) -> HistoryCauses;
            /// Writes all that matches to a file, whatever page is asked for.
            page export_history(query: HistoryQuery, to: FileToWrite, format: ExportFormat) -> ExportView, tells ExportView;
            /// Stops the export that is running.
            page stop_export() -> ();
            /// How much is from more than so many days ago.
            page count_older(days: u32) -> Older;
            /// Forgets that, commands with all their evidence, and says how much it was.
            page forget_older(days: u32) -> Older;
            /// The size of the data on the disk, in bytes.
            page data_size() -> u64;
            /// How much of its quota evidence takes, and what was not kept.
            both evidence_use() -> EvidenceUse;

            /// Looks whether the history is as it was written: the newest 10,000 events, or all events and the whole file.
            both check_history(all: bool) -> HistoryCheck;
            /// Saves what is known of a command, a device, a rollout or the audit to a signed file.
            both save_evidence(of: EvidenceOf, to: FileToWrite) -> EvidenceExport;
            /// Reads an evidence file, whoever wrote it, and says what is wrong with it.
            page open_evidence(path: PathBuf) -> EvidenceFileView;

            /// What a device has measured, in as many points as are asked for.
            both telemetry(query: TelemetryQuery) -> TelemetryView;
            /// The logs that are kept of a device, newest first.
            both logs(connection: &str, device: &str) -> Vec<KeptLog>;
            /// The log that a command asked for, as far as it has come: with its text, or only how it stands.
            both log(connection: &str, device: &str, id: &str, with_text: bool) -> LogView;
            /// Writes a log to a file. Answers with the file's path.
            both save_log(connection: &str, device: &str, id: &str, to: FileToWrite) -> PathBuf;
            /// Deletes a log that is kept here.
            both forget_log(connection: &str, device: &str, id: &str) -> ();

            /// The commands that are known by name: the built-in ones, then the person's own.
            both catalogue() -> Vec<CatalogueEntry>;
            /// Adds a command of the person's own, or changes it where an id is given.
            page save_definition(id: Option<String>, definition: CommandDefinition) -> CatalogueEntry;
            /// Removes a command of the person's own.
            page remove_definition(id: &str) -> ();
            /// How a command would go out, and all that is wrong with it.
            page preview_command(command: CommandToPreview) -> CommandPreview;
            /// What is in a file of commands, and what importing it would do.
            both read_catalogue(path: PathBuf) -> Vec<ImportLine>;
            /// Imports the new commands of a file, and those changed ones that are named.
            both import_catalogue(path: PathBuf, replace: &[String]) -> Vec<ImportLine>;
            /// Writes commands of the person's own to a file, all where none is named. Answers with the file's path.
            both export_catalogue(ids: &[String], to: FileToWrite) -> PathBuf;

            /// The buttons in the order in which they are shown.
            page buttons() -> Vec<CommandButton>;
            /// Adds a button, or changes it where it has an id.
            page save_button(button: CommandButton) -> CommandButton;
            /// Puts the buttons into this order.
            page order_buttons(ids: Vec<String>) -> ();
            /// Removes a button.
            page remove_button(id: &str) -> ();

            /// Some entries of the audit, newest first.
            both audit(query: AuditQuery) -> AuditPage;
            /// Looks whether every entry of the audit is as it was written, and whether any is missing.
            both verify_audit() -> AuditVerification;
            /// Writes a note on an entry of the audit, as an entry of its own. Answers with that one.
            both note_audit_entry(number: u32, note: &str) -> AuditEntry;
            /// Seals the audit anew after a backup was restored or the keyring was lost, and says so in it.
            both reseal_audit(note: &str) -> AuditVerification;

            /// The settings in force.
            both settings() -> Settings;
            /// Replaces the settings, all of them.
            both change_settings(settings: Settings) -> ();

            /// Everything that changes from now on; the first batch has all connections in it.
            both listen(), streams Batch;
            /// The messages of a connection from now on.
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
        $(-> $answer:ty)? $(, tells $told:ty)? $(, streams $item:ty)?;
    )*) => {
        /// A call with its arguments, as it goes over a wire.
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
            /// Whether the window's page may make it.
            #[must_use]
            pub fn is_for_page(&self) -> bool {
                match self {
                    $(Call::$name { .. } => from_page!($callers)),*
                }
            }

            /// Whether other processes may make it, over the local socket.
            #[must_use]
            pub fn is_for_cli(&self) -> bool {
                match self {
                    $(Call::$name { .. } => from_cli!($callers)),*
                }
            }

            /// Whether it goes on sending items after its answer.
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

/// One method of the client: of a call that answers, of one that tells on the way, and of one that streams.
macro_rules! method {
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr) -> $answer:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters () $answer, |client| client.ask($call));
    };
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr) -> $answer:ty, tells $told:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters (tell: UnboundedSender<$told>) $answer, |client| client.ask_told($call, tell));
    };
    ($(#[doc = $doc:literal])+ $name:ident $parameters:tt ($call:expr), streams $item:ty) => {
        method!(@ $(#[doc = $doc])+ $name $parameters () Receiver<$item>, |client| client.stream($call));
    };
    (@ $(#[doc = $doc:literal])+ $name:ident ($($parameter:ident: $kind:ty),*) ($($told:ident: $tells:ty)?) $answer:ty, |$client:ident| $ask:expr) => {
        $(#[doc = $doc])+
        ///
        /// # Errors
        /// Those of the engine's own; [`FailureCode::Ended`](super::FailureCode) and `Unanswered` when it runs in another process
        /// and has gone.
        pub async fn $name(&self, $($parameter: $kind,)* $($told: $tells)?) -> Result<$answer, Failure> {
            let $client = self;
            $ask.await
        }
    };
}

macro_rules! client {
    ($(
        $(#[doc = $doc:literal])+
        $callers:ident $name:ident($($parameter:ident: $(&$lent:tt)? $($owned:path)?),*)
        $(-> $answer:ty)? $(, tells $told:ty)? $(, streams $item:ty)?;
    )*) => {
        impl Client {
            $(
                method!(
                    $(#[doc = $doc])+
                    $name($($parameter: $(&$lent)? $($owned)?),*)
                    (Call::$name { $($parameter: handed_over!($parameter $(, $lent)?)),* })
                    $(-> $answer)? $(, tells $told)? $(, streams $item)?
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
        $(-> $answer:ty)? $(, tells $told:ty)? $(, streams $item:ty)?;
    )*) => {
        /// The table's rows, with their types as TypeScript says them.
        fn rows(config: &ts_rs::Config) -> Vec<typescript::Row> {
            use ts_rs::TS;
            let mut rows = Vec::new();
            $({
                let mut row = typescript::Row::new(stringify!($name), from_page!($callers), &[$($doc),+]);
                $(row.parameter(stringify!($parameter), <$(<$lent as ToOwned>::Owned)? $($owned)? as TS>::name(config));)*
                $(row.answer = Some(<$answer as TS>::name(config));)?
                $(row.told = Some(<$told as TS>::name(config));)?
                $(row.streamed = Some(<$item as TS>::name(config));)?
                rows.push(row);
            })*
            rows
        }
    };
}
#[cfg(test)]
calls!(typescript);
