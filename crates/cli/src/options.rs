//! The options of `wilco`, one module per subcommand.

mod approval;
mod audit;
mod broker;
mod commands;
mod confirm;
mod connections;
mod desired;
mod devices;
mod dialects;
mod evidence;
mod log;
mod rollouts;
mod sending;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wilco_engine::api::{CommandState, TimesBy};

pub(crate) use approval::{AnswerOptions, ApprovalTask, TrustInstallationOptions};
pub(crate) use audit::{AuditListOptions, AuditTask};
pub(crate) use broker::{BrokerOptions, IdentityOptions, ProxyOptions, SessionOptions, TrustOptions};
pub(crate) use commands::CommandTask;
pub(crate) use confirm::ConfirmOptions;
pub(crate) use connections::{AddOptions, ConnectionTask, EditOptions, ExportOptions, TestOptions};
pub(crate) use desired::{
    DesiredApplyOptions, DesiredClearOptions, DesiredScopeOptions, DesiredSetOptions, DesiredStatusOptions,
    DesiredTargetOptions, DesiredTask,
};
pub(crate) use devices::{
    DeviceAddOptions, DeviceExportOptions, DeviceImportOptions, DeviceListOptions, DeviceNameOptions,
    DeviceNoteOptions, DeviceOptions, DevicePasswordOptions, DeviceTask, DevicesOptions, ForgetOptions, NamedDevices,
    TagOptions,
};
pub(crate) use dialects::DialectTask;
pub(crate) use evidence::{EvidenceExportOptions, EvidenceTask};
pub(crate) use log::LogOptions;
pub(crate) use rollouts::{
    FollowOptions, PaceOptions, RolloutExportOptions, RolloutOptions, RolloutTask, SkippedDevices, StartOptions,
};
pub(crate) use sending::{SendingOptions, Timeout};
pub(crate) use words::{Format, Listing, Switch};

use crate::input;
use broker::SECRETS;

/// Send commands to MQTT devices and track every acknowledgement.
///
/// A command is done only when the device says so.
#[derive(Debug, Parser)]
#[command(
    name = "wilco",
    version,
    after_help = "\
Examples:
  wilco connections add plant --url mqtts://broker.example.net --ca ca.pem --cert me.pem --key me.key
  wilco send -c plant -d pump-7 led on=true
  wilco history -c plant --since 2h --state timed_out

While the Wilco app is running, wilco uses its sessions; otherwise it opens its own.

Exit status: 0 if every command succeeded, 1 if any did not, 2 if nothing was sent (incorrect usage, no connection), 3 if
commands were sent, or may have been, and Wilco lost track of them, 4 if a rollout waits for the approval of a second
installation, 130 for Ctrl-C."
)]
pub(crate) struct Options {
    /// Directory for connections, history and keyring entries, separate from your default one [env: WILCO_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Manage connections to brokers: add, list, edit, test, renew, export, import and remove them
    #[command(subcommand)]
    Connections(ConnectionTask),
    /// List, show, import and export the commands in the catalogue
    #[command(subcommand)]
    Commands(CommandTask),
    /// List, show, check and test dialects: files that describe a kind of firmware
    #[command(subcommand)]
    Dialects(DialectTask),
    /// Send a command and wait for each device's answer
    Send(Box<SendOptions>),
    /// Send a command to many devices in stages: start, watch, pause, resume, stop, retry and export rollouts
    #[command(subcommand)]
    Rollout(RolloutTask),
    /// Set the configuration that devices should have, list the devices that differ, and apply it
    #[command(subcommand)]
    Desired(Box<DesiredTask>),
    /// List commands, newest first
    History(HistoryOptions),
    /// List, add, import, export, name, tag, annotate and forget the devices of a connection
    Devices(DeviceOptions),
    /// Show how long devices take to answer, and suggest timeouts
    Times(TimesOptions),
    /// Show, set or clear the operator name that other consoles see beside your commands
    Operator(OperatorOptions),
    /// Approve another installation's dangerous rollouts, and get approval for your own
    #[command(subcommand)]
    Approval(ApprovalTask),
    /// List who did what, when and why, and verify that no entry was altered
    #[command(subcommand)]
    Audit(AuditTask),
    /// Show how much space evidence uses; save, show and verify evidence files
    Evidence(EvidenceOptions),
    /// Check that the stored history is complete and undamaged
    Check(CheckOptions),
    /// Fetch a device's log and verify it against the device's checksum
    Log(LogOptions),
    /// Print each change of a connection, its devices and its commands as it happens
    Watch(WatchOptions),
}

#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("where").required(true).args(["connection", "url"]),
    group = clap::ArgGroup::new("whom").required(true).multiple(true).args(["device", "devices_from"]),
    after_help = format!("\
Examples:
  wilco send -c plant -d pump-7 led on=true
  wilco send -c plant -d pump-7 config.set apply=restart 'changes={{\"interval_ms\":500}}'
  wilco send -c plant --devices-from pumps.txt restart --timeout 2m --output json
  wilco send --url mqtts://broker --ca ca.pem --cert me.pem --key me.key -d pump-7 state.get
  wilco send -c bench -d lamp-1 --text 'light: on' --no-answer

A command for more than one device is a rollout with one stage: use its number with wilco rollout show, watch or retry.

Exit status: 0 if every command succeeded, 1 if any did not, 2 if nothing was sent (incorrect usage, no connection), 3 if
commands were sent, or may have been, and Wilco lost track of them, 4 if they wait for the approval of a second
installation, 130 for Ctrl-C, which cancels commands that were not sent yet. Unconfirmed commands, such as those with
--no-answer, count as succeeded.

{SECRETS}")
)]
pub(crate) struct SendOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME", conflicts_with_all = broker::DESCRIBING)]
    pub(crate) connection: Option<String>,
    /// Connect to this broker without storing a connection; works without a keyring, and while the app is running
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
    #[command(flatten)]
    pub(crate) named: NamedDevices,
    /// The command: a built-in one (led, restart), one of your own (see wilco commands list), or any other that your
    /// firmware supports
    #[arg(required_unless_present = "text")]
    pub(crate) command: Option<String>,
    #[command(flatten)]
    pub(crate) sending: SendingOptions,
    /// Free text to send unchanged instead of a command, to devices that use the text dialect
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["command", "pairs", "args"])]
    pub(crate) text: Option<String>,
    /// Reason for the command, stored in the audit
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) confirm: ConfirmOptions,
    /// Output format: text, or one JSON object per line for each change of the command or, with several devices, of the
    /// rollout
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco history -c plant --since 2h --state timed_out --state failed
  wilco history -c plant --search voltage --state failed
  wilco history -c plant --by-cause --since 24h
  wilco history -c plant --device pump-7 --limit 1000 --format csv > pump-7.csv")]
pub(crate) struct HistoryOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Only commands of this device
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Only commands in this state; repeatable
    #[arg(long, value_name = "STATE", value_parser = words::command_state())]
    pub(crate) state: Vec<CommandState>,
    /// Only commands since this time: 2h (two hours ago), 2026-11-23, 2026-11-23T10:00, or RFC 3339 with an offset
    #[arg(long, value_name = "TIME", value_parser = input::since)]
    pub(crate) since: Option<i64>,
    /// Only automatic commands, which Wilco sends for example to follow a log; they are left out otherwise
    #[arg(long)]
    pub(crate) automatic: bool,
    /// Only commands whose device, name, arguments, message or result contains all of these words or beginnings of
    /// words
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Count the failed commands by message instead of listing commands
    #[arg(long)]
    pub(crate) by_cause: bool,
    /// Maximum number of commands, or of causes
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Output format: a table, one JSON object per line, or CSV
    #[arg(long, visible_alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco times -c plant
  wilco times -c plant --by firmware
  wilco times -c plant --device pump-7 --output json

Times are measured from sending a command to its final answer, over the latest 20,000 answers, or the latest 500 of one
device. A suggested timeout is at least three times what 99 % of the answers take, and needs 20 answers. To use it, pass
--timeout suggested to wilco send or wilco rollout start.")]
pub(crate) struct TimesOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Only answers of this device
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// One line for each command, each device (slowest first), or each firmware version in use
    #[arg(long, default_value = "command", value_parser = words::times_by())]
    pub(crate) by: TimesBy,
    /// Maximum number of lines
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Output format: a table, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Progress, duplicates, and unreadable or unmatched messages are kept up to a quota per device and an overall quota, which you
set in the app. Answers that settle a command are always kept.")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct EvidenceOptions {
    #[command(subcommand)]
    pub(crate) task: Option<EvidenceTask>,
    /// Only the evidence of this connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Output format: text, or one JSON object
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco operator Ana
  wilco operator
  wilco operator --clear

The name is sent on connections with --send-operator on (wilco connections edit). It is not verified.")]
pub(crate) struct OperatorOptions {
    /// New name, 1 to 64 characters; prints the current name if omitted
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Clear the name, so that requests no longer name an operator
    #[arg(long, conflicts_with = "name")]
    pub(crate) clear: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Wilco stores a checksum with each event and, beside the database, the number of events. This command checks the whole
database; wilco history checks only the newest 10,000 events.

Exit status: 0 if nothing is missing or damaged, 1 if something is.")]
pub(crate) struct CheckOptions {
    /// Copy everything readable to a new data directory, for use with --data-dir; the damaged one stays unchanged
    #[arg(long, value_name = "DIR")]
    pub(crate) recover: Option<PathBuf>,
    /// Output format: text, or one JSON object
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "Press Ctrl-C to stop.")]
pub(crate) struct WatchOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Output format: text, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}
