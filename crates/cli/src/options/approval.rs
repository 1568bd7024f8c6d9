//! The options of `wilco approval`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Listing;

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalTask {
    /// Show the name, public key and fingerprint of this installation, or save them to a file for a colleague
    #[command(after_help = "\
The name consists of the operator name (wilco operator NAME), or else the account name, and the computer's name.")]
    Identity {
        /// Save them to this file
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// Replace an existing file
        #[arg(long, requires = "export")]
        force: bool,
        /// Output format: text, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Accept approvals from another installation
    Trust(TrustInstallationOptions),
    /// List the installations whose approvals are accepted
    List {
        /// Output format: a table, or one JSON object per line
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Stop accepting approvals from an installation
    Distrust {
        /// Its name in the list
        name: String,
    },
    /// Save the approval request of a waiting rollout, to send it to a colleague
    Request {
        /// Number of the rollout
        rollout: String,
        /// The file to write
        file: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
    /// Show what a colleague's request asks you to approve
    Show {
        /// The file
        file: PathBuf,
        /// Output format: text, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Approve a colleague's request, and save the signed approval
    Sign(AnswerOptions),
    /// Decline a colleague's request, and save the signed answer
    Decline(AnswerOptions),
    /// Import a colleague's answer, start the rollout if it was approved, and wait until it ends
    #[command(after_help = "\
Exit status: as for wilco rollout start; 1 if the rollout was declined and is stopped; 2 if the answer was refused.")]
    Import {
        /// The file
        file: PathBuf,
        /// Import it only if it is for this rollout
        #[arg(long, value_name = "NUMBER")]
        rollout: Option<String>,
        /// Output format: text, or one JSON object per line for each change
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

Compare the fingerprint with the one that your colleague sees (wilco approval identity), for example by telephone.")]
pub(crate) struct TrustInstallationOptions {
    /// File that your colleague exported
    pub(crate) file: Option<PathBuf>,
    /// Public key, instead of a file
    #[arg(long, value_name = "KEY", requires = "name")]
    pub(crate) key: Option<String>,
    /// Name of the installation here; the name in the file if not given
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
    /// Reason, for your colleague and both audits
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Skip the confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
