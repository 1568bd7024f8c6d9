//! The options of `wilco dialects`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Listing;

#[derive(Debug, Subcommand)]
pub(crate) enum DialectTask {
    /// List the dialects that come with Wilco
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Print the file of a dialect that comes with Wilco, for reading or copying
    Show {
        /// Name of the dialect
        name: String,
    },
    /// Check a dialect file and print each problem with its line
    #[command(after_help = "\
Examples:
  wilco dialects show atlas > my-firmware.toml
  wilco dialects check my-firmware.toml

Exit status: 0 if the file is valid, 1 if it is not, 2 if it cannot be read.")]
    Check {
        /// The file
        file: PathBuf,
    },
    /// Find devices whose dialect is not enabled on a connection
    Find {
        /// Name of the connection
        #[arg(long, short, value_name = "NAME")]
        connection: String,
    },
    /// Propose a dialect file from the messages that arrive while you use a device
    #[command(after_help = "\
Examples:
  wilco dialects learn -c plant --for 60s > mine.toml
  wilco dialects learn -c plant --filter 'factory/#' --for 2m --name press

Wilco subscribes to the filter for that time and sends nothing. Meanwhile, send a command with your present program, so that
Wilco receives a request and its answer. The file is written to standard output, and the messages that it was derived from
to standard error. Exit status: 0 if a dialect is proposed, 1 if the messages suggest none.")]
    Learn {
        /// Name of the connection
        #[arg(long, short, value_name = "NAME")]
        connection: String,
        /// Topic filter to subscribe to
        #[arg(long, value_name = "FILTER", default_value = "#")]
        filter: String,
        /// How long to listen
        #[arg(long = "for", value_name = "SPAN", default_value = "60s", value_parser = crate::input::span)]
        time: std::time::Duration,
        /// Name of the dialect
        #[arg(long, value_name = "NAME", default_value = "mine")]
        name: String,
    },
    /// Replay recorded exchanges and check how they are interpreted; needs no broker
    #[command(after_help = "\
Examples:
  wilco dialects test exchanges.jsonl
  wilco dialects test exchanges.jsonl --with my-firmware.toml

Each line is one exchange, a JSON object: dialect, name, device, command, args, id, wire_id, request {topic, payload},
answers [{topic, payload, retained}] and expect {state, id, message}. wilco encodes the request with the dialect and
compares it, then decodes the answers and compares the state of the command.
Exit status: 0 if all exchanges pass, 1 if any fails, 2 if a file cannot be read.")]
    Test {
        /// The exchanges, one JSON object per line
        file: PathBuf,
        /// Also use this dialect file, in preference to those that come with Wilco; repeatable
        #[arg(long, value_name = "FILE")]
        with: Vec<PathBuf>,
    },
}
