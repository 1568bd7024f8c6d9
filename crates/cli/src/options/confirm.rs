//! The options that confirm a command on a protected connection.

use clap::Args;

#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Protected connections")]
pub(crate) struct ConfirmOptions {
    /// Confirm a command that is not dangerous
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Confirm a dangerous command or a rollout by the name of its connection; another connection's name refuses it
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}
