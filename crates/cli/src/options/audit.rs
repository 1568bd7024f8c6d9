//! The options of `wilco audit`.

use clap::{Args, Subcommand};
use wilco_engine::api::AuditKind;

use super::{Listing, words};
use crate::input;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditTask {
    /// List entries, newest first
    List(AuditListOptions),
    /// Verify that no entry was altered, removed or cut off
    #[command(after_help = "\
Each entry contains the hash of the previous one, and the newest entry is sealed in the keyring. Anyone who can read your
keyring can forge both.

Exit status: 0 if every entry is unaltered, 1 if there is any problem, 2 if the audit cannot be read.")]
    Verify {
        /// Output format: text, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Seal the audit again after restoring a backup or losing the keyring; this adds an entry
    Reseal {
        /// Reason
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Add a note about an entry, as a new entry
    Note {
        /// Number of the entry
        #[arg(value_name = "NUMBER")]
        number: u32,
        /// The note
        note: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco audit list --since 2h
  wilco audit list --kind connection --kind settings --output json")]
pub(crate) struct AuditListOptions {
    /// Only entries since this time: 2h (two hours ago), 2026-11-23, 2026-11-23T10:00, or RFC 3339 with an offset
    #[arg(long, value_name = "TIME", value_parser = input::since)]
    pub(crate) since: Option<i64>,
    /// Only entries before this time
    #[arg(long, value_name = "TIME", value_parser = input::since)]
    pub(crate) until: Option<i64>,
    /// Only entries of this kind; repeatable
    #[arg(long, value_name = "KIND", value_parser = words::audit_kind())]
    pub(crate) kind: Vec<AuditKind>,
    /// Maximum number of entries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Output format: a table, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}
