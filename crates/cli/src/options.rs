//! What can be written on the command line.

mod broker;
mod commands;
mod connections;
mod log;
#[cfg(test)]
mod tests;
mod words;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use wilco_ledger::State;

pub(crate) use broker::{BrokerOptions, IdentityOptions, ProxyOptions, SessionOptions, TrustOptions};
pub(crate) use commands::CommandTask;
pub(crate) use connections::{AddOptions, ConnectionTask, EditOptions, ExportOptions, TestOptions};
pub(crate) use log::LogOptions;
pub(crate) use words::{Format, Kind, Listing, Version};

use crate::input;
use broker::SECRETS;

/// Command MQTT devices, and see each acknowledgement reconciled.
///
/// Nothing is called done until the device said so.
#[derive(Debug, Parser)]
#[command(
    name = "wilco",
    version,
    after_help = "\
Examples:
  wilco connections add plant --url mqtts://broker.example.net --ca ca.pem --cert me.pem --key me.key
  wilco send -c plant -d pump-7 led on=true
  wilco history -c plant --since 2h --state timed_out

While the Wilco app runs, its sessions are used; otherwise this program makes its own.
It ends with 0 if all was done, 1 if a device did not do it or did not say so, 2 for a wrong use or no connection."
)]
pub(crate) struct Options {
    /// Keep connections, history and keyring entries in this directory, apart from your own [env: WILCO_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Add, list, change, test, renew, export, import and remove connections to brokers
    #[command(subcommand)]
    Connections(ConnectionTask),
    /// List, show, import and export the commands that are known by name
    #[command(subcommand)]
    Commands(CommandTask),
    /// Send a command and wait for what each device says
    Send(Box<SendOptions>),
    /// List commands, newest first
    History(HistoryOptions),
    /// List the devices of a connection
    Devices(DeviceOptions),
    /// Forget a device, with its history
    Forget(ForgetOptions),
    /// Fetch a device's log, checked by the checksum that the device gives
    Log(LogOptions),
    /// Print every change of a connection, its devices and its commands as it happens
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

Ends with 0 if all succeeded, 1 if any did not, 2 for a wrong use or no connection, 130 for Ctrl-C, which withdraws
what was not sent yet. With --no-answer a command has succeeded when the broker has it.
With more than 200 devices, states that last less than a tenth of a second may be left out.

{SECRETS}")
)]
pub(crate) struct SendOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME", conflicts_with_all = broker::DESCRIBING)]
    pub(crate) connection: Option<String>,
    /// A broker that is not stored: nothing is kept of it, no keyring is needed, and the app may run beside it
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) broker: BrokerOptions,
    /// A device; may be given several times
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Vec<String>,
    /// A file with one device a line, or - for standard input; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub(crate) devices_from: Option<PathBuf>,
    /// The command: led, restart, one of your own (wilco commands list), or what else your firmware knows
    #[arg(required_unless_present = "text")]
    pub(crate) command: Option<String>,
    /// Its arguments: VALUE is taken as JSON if it is JSON, and as text if not; version='"2.10"' is text
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// Its arguments as a JSON object; KEY=VALUE comes on top
    #[arg(long, value_name = "JSON")]
    pub(crate) args: Option<String>,
    /// A free text in the place of a command; sent as it stands to devices of the text dialect
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["command", "pairs", "args"])]
    pub(crate) text: Option<String>,
    /// The longest silence after it was sent, such as 10s, 500ms or 2m
    #[arg(long, value_name = "SPAN", value_parser = input::span)]
    pub(crate) timeout: Option<Duration>,
    /// The longest time until it is sent, such as 60s; afterwards it is never sent
    #[arg(long, value_name = "SPAN", value_parser = input::span)]
    pub(crate) ttl: Option<Duration>,
    /// How often it may be sent again, under the same id, when nothing is heard
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
    /// Expect no answer: it ends well, as unconfirmed, when the broker has it
    #[arg(long)]
    pub(crate) no_answer: bool,
    /// Lines for people, or one JSON object a line per change of state
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco history -c plant --since 2h --state timed_out --state failed
  wilco history -c plant --device pump-7 --limit 1000 --format csv > pump-7.csv")]
pub(crate) struct HistoryOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Only this device's
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Only commands in this state; may be given several times
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(State::ALL.map(State::as_str)))]
    pub(crate) state: Vec<String>,
    /// Only commands since then: 2h back, 2026-11-23, 2026-11-23T10:00, or with an offset as in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = input::since)]
    pub(crate) since: Option<i64>,
    /// How many at the most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// A table, one JSON object a line, or CSV
    #[arg(long, visible_alias = "output", value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco devices -c plant
  wilco devices -c plant --search 'is:offline tag:dock' --output json

Without the app running it takes a moment: who is online is what the broker tells just now.")]
pub(crate) struct DeviceOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Words in the id, and is:online, is:offline, led:on, led:off, firmware:2.3, tag:dock, state:failed
    #[arg(long, value_name = "TOKENS", default_value = "", hide_default_value = true)]
    pub(crate) search: String,
    /// A table, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wilco forget -c plant -d pmup-7

For a device that is gone, or an id that was mistyped. Its state, measurements, logs and commands are removed here; it
itself is not told. One that speaks again, or whose status the broker has kept, is listed again. While a command of it
is under way it is not forgotten.")]
pub(crate) struct ForgetOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// The device
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: String,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C ends it.")]
pub(crate) struct WatchOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Lines for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}
