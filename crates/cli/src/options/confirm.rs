//! The options that confirm a command on a protected connection.

use clap::Args;

#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Confirmation")]
pub(crate) struct ConfirmOptions {
    /// Confirm a command that is not dangerous on a protected connection, and a dangerous one to more than 20 devices on any
    /// other
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Confirm a dangerous command or a rollout on a protected connection by its name; another connection's name refuses it
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}
