//! The options that confirm a command on a protected connection.

use clap::Args;

#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Confirmation")]
pub(crate) struct ConfirmOptions {
    /// Confirm a harmless command on a protected connection, or a dangerous one for more than 20 devices on any other
    /// connection
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Confirm a dangerous command or a rollout on a protected connection by giving the connection's name
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}
