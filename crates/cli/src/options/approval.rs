//! What can be asked about approvals by a second installation.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Listing;

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalTask {
    /// Show the name, public key and fingerprint of this installation, or save them to a file for a colleague
    #[command(after_help = "The name is the operator's (wilco operator NAME) or the account's, and the computer's.")]
    Identity {
        /// Save them to this file
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// Replace the file if it exists
        #[arg(long, requires = "export")]
        force: bool,
        /// Text lines, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Accept approvals of another installation
    Trust(TrustInstallationOptions),
    /// List the installations whose approvals are accepted
    List {
        /// A table, or one JSON object per line
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Stop accepting approvals from an installation
    Distrust {
        /// Its name in the list
        name: String,
    },
    /// Save the approval request of a rollout that waits, to send it to a colleague
    Request {
        /// Number of the rollout
        rollout: String,
        /// The file to write
        file: PathBuf,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
    },
    /// Show what a colleague's request asks you to approve
    Show {
        /// The file
        file: PathBuf,
        /// Text lines, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Approve a colleague's request, and save the signed approval
    Sign(AnswerOptions),
    /// Decline a colleague's request, and save the signed answer
    Decline(AnswerOptions),
    /// Import a colleague's answer: an approved rollout starts, and is followed until it ends
    #[command(after_help = "\
Exit status: as wilco rollout start. A declined rollout is stopped, and ends with 1; an answer that is refused with 2.")]
    Import {
        /// The file
        file: PathBuf,
        /// Import it only if it is for this rollout
        #[arg(long, value_name = "NUMBER")]
        rollout: Option<String>,
        /// Text lines, or one JSON object per line for each change
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
}

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whose").required(true).args(["file", "key"]),
    after_help = "\
Examples:
  wilco approval trust bo.wilco-identity
  wilco approval trust --key 64HEXDIGITS --name 'Bo on desk-2'

Compare the fingerprint with the one that your colleague sees (wilco approval identity), by telephone for instance.")]
pub(crate) struct TrustInstallationOptions {
    /// The file that the colleague has exported
    pub(crate) file: Option<PathBuf>,
    /// The public key, instead of a file
    #[arg(long, value_name = "KEY", requires = "name")]
    pub(crate) key: Option<String>,
    /// What the installation is called here; the name in the file if not given
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AnswerOptions {
    /// The request
    pub(crate) file: PathBuf,
    /// The file to write, for your colleague to import
    #[arg(value_name = "OUT")]
    pub(crate) to: PathBuf,
    /// Why, for your colleague and both audits
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Skip the confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}
