//! What can be written on the command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use wilco_engine::api::MqttVersion;
use wilco_ledger::State;

use crate::input;

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
    /// Add, list, test and remove connections to brokers
    #[command(subcommand)]
    Connections(ConnectionTask),
    /// Send a command and wait for what each device says
    Send(Box<SendOptions>),
    /// List commands, newest first
    History(HistoryOptions),
    /// List the devices of a connection
    Devices(DeviceOptions),
    /// Print every change of a connection, its devices and its commands as it happens
    Watch(WatchOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionTask {
    /// Add a connection; its files are read once, and secrets go to the keyring
    #[command(after_help = "\
Examples:
  wilco connections add bench --url mqtt://localhost
  wilco connections add plant --url mqtts://broker.example.net:8883 --ca ca.pem --cert me.pem --key me.key
  printf '%s\\n' \"$PASSWORD\" | wilco connections add site --url mqtts://broker --username ops --password-stdin")]
    Add {
        /// What it is to be called
        name: String,
        #[command(flatten)]
        broker: BrokerOptions,
    },
    /// List the connections
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Connect and subscribe once, and say how it went
    Test {
        /// Its name
        name: String,
    },
    /// Remove a connection with its secrets, its devices and its history
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A broker and how to be let in there.
#[derive(Debug, Args)]
pub(crate) struct BrokerOptions {
    /// The broker: mqtts://HOST[:PORT], or mqtt://HOST[:PORT] without TLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
}

/// How to be let in at a broker.
#[derive(Debug, Args)]
pub(crate) struct EntryOptions {
    /// Whom to trust, PEM; the platform's roots if it is not given
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The client certificate with its chain, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The client certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// The version of MQTT
    #[arg(long, value_name = "VERSION", value_enum, default_value_t)]
    pub(crate) mqtt: Version,
    /// The client id; one is made if it is not given
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The user name; on a terminal its password is asked for
    #[arg(long, value_name = "USER")]
    pub(crate) username: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// How this kind of device is spoken to
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<String>,
    /// Levels before the device's id in each topic, for instance cmd/fleet-1
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("where").required(true).args(["connection", "url"]),
    group = clap::ArgGroup::new("whom").required(true).multiple(true).args(["device", "devices_from"]),
    after_help = "\
Examples:
  wilco send -c plant -d pump-7 led on=true
  wilco send -c plant -d pump-7 config.set apply=restart 'changes={\"interval_ms\":500}'
  wilco send -c plant --devices-from pumps.txt restart --timeout 2m --output json
  wilco send --url mqtts://broker --ca ca.pem --cert me.pem --key me.key -d pump-7 state.get

Ends with 0 if all succeeded, 1 if any did not, 2 for a wrong use or no connection, 130 for Ctrl-C, which withdraws
what was not sent yet. With more than 200 devices, states that last less than a tenth of a second may be left out."
)]
pub(crate) struct SendOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME", conflicts_with = "EntryOptions")]
    pub(crate) connection: Option<String>,
    /// A broker that is not stored: nothing is kept of it, no keyring is needed, and the app may run beside it
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    /// A device; may be given several times
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Vec<String>,
    /// A file with one device a line, or - for standard input; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub(crate) devices_from: Option<PathBuf>,
    /// The command: led, restart, config.get, config.set, state.get, or what your firmware knows
    pub(crate) command: String,
    /// Its arguments: VALUE is taken as JSON if it is JSON, and as text if not; version='"2.10"' is text
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// Its arguments as a JSON object; KEY=VALUE comes on top
    #[arg(long, value_name = "JSON")]
    pub(crate) args: Option<String>,
    /// The longest silence after it was sent, such as 10s, 500ms or 2m
    #[arg(long, value_name = "SPAN", value_parser = input::span)]
    pub(crate) timeout: Option<Duration>,
    /// The longest time until it is sent, such as 60s; afterwards it is never sent
    #[arg(long, value_name = "SPAN", value_parser = input::span)]
    pub(crate) ttl: Option<Duration>,
    /// How often it may be sent again, under the same id, when nothing is heard
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
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
    #[arg(long, value_enum, default_value_t)]
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
#[command(after_help = "Ctrl-C ends it.")]
pub(crate) struct WatchOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Lines for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Listing {
    #[default]
    Text,
    Json,
}

/// How the history is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Csv,
}

/// The versions of MQTT by the names they go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Version {
    #[default]
    #[value(name = "5")]
    V5,
    #[value(name = "3.1.1")]
    V311,
}

impl From<Version> for MqttVersion {
    fn from(version: Version) -> MqttVersion {
        match version {
            Version::V5 => MqttVersion::V5,
            Version::V311 => MqttVersion::V311,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Options;

    #[test]
    fn the_definition_holds_together() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let check = |line: &str, accepted: bool| {
            let outcome = Options::try_parse_from(line.split_whitespace());
            assert_eq!(outcome.is_ok(), accepted, "{line}: {outcome:?}");
        };
        check("wilco send -c plant -d a led on=true", true);
        check("wilco send -c plant -d a -d b --timeout 10s --ttl 60s --retries 2 --output json led", true);
        check("wilco send -c plant --devices-from ids led", true);
        check("wilco send --url mqtt://h -d a led", true);
        check("wilco send --url mqtts://h --ca ca --cert c --key k --username u -d a led", true);
        check("wilco --data-dir d history -c plant --state timed_out --format csv", true);
        check("wilco history --data-dir d -c plant", true);
        check("wilco send -d a led", false);
        check("wilco send -c plant led", false);
        check("wilco send -c plant --url mqtt://h -d a led", false);
        check("wilco send -c plant --ca ca -d a led", false);
        check("wilco send -c plant --username u -d a led", false);
        check("wilco send --url mqtts://h --cert c -d a led", false);
        check("wilco send -c plant -d a", false);
        check("wilco send -c plant -d a --timeout 10 led", false);
        check("wilco connections add plant", false);
        check("wilco connections add plant --url mqtt://h --mqtt 4", false);
        check("wilco history -c plant --state done", false);
        check("wilco history", false);
    }
}
