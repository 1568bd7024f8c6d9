//! The options of `wilco evidence`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Listing;
use crate::input;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceTask {
    /// Save the evidence of a command, a device, a rollout or the audit to a signed file
    Export(EvidenceExportOptions),
    /// Verify that nothing in an evidence file was altered, and show who signed it
    #[command(after_help = "\
This needs neither a connection nor your data directory. Compare the fingerprint with the one that the sender sees.

Exit status: 0 if the file is signed and unaltered, 1 if there is any problem, 2 if it cannot be read.")]
    Verify {
        /// The file
        file: PathBuf,
        /// Output format: text, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Print an evidence file and its problems
    Show {
        /// The file
        file: PathBuf,
        /// Output format: text, or one JSON object per record
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
}

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["command", "device", "rollout", "audit"]),
    after_help = "\
Examples:
  wilco evidence export -c plant --command 0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a -o led.wilco-evidence
  wilco evidence export -c plant -d pump-7 --since 2h -o pump-7.wilco-evidence
  wilco evidence export --rollout 12 -o rollout-12.wilco-evidence

The file contains requests and answers byte for byte, states, events, logs, measurements and the connection without its
secrets. Arguments and answers are included unchanged.")]
pub(crate) struct EvidenceExportOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME", required_unless_present_any = ["rollout", "audit"])]
    pub(crate) connection: Option<String>,
    /// A command, by its ID
    #[arg(long, value_name = "ID")]
    pub(crate) command: Option<String>,
    /// A device
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// A rollout, by its number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rollout: Option<String>,
    /// The audit
    #[arg(long)]
    pub(crate) audit: bool,
    /// Only records since this time: 2h (two hours ago), 2026-11-23, 2026-11-23T10:00, or RFC 3339 with an offset
    #[arg(long, value_name = "TIME", value_parser = input::since, conflicts_with_all = ["command", "rollout"])]
    pub(crate) since: Option<i64>,
    /// Only records before this time
    #[arg(long, value_name = "TIME", value_parser = input::since, conflicts_with_all = ["command", "rollout", "audit"])]
    pub(crate) until: Option<i64>,
    /// The file to write
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
