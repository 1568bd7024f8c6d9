//! The options of `wilco desired`.

use clap::{Args, Subcommand};

use super::{ConfirmOptions, Listing, PaceOptions};

#[derive(Debug, Subcommand)]
pub(crate) enum DesiredTask {
    /// List desired configurations in the order in which they apply
    List {
        /// Name of the connection
        #[arg(long, short, value_name = "NAME")]
        connection: String,
        /// Output format: a table, or one JSON object per line
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Set wanted values for a tag or a saved view; nothing is sent to devices
    Set(DesiredSetOptions),
    /// Clear wanted values; devices keep their current values
    Clear(DesiredClearOptions),
    /// List devices with wanted values, and their differences
    Status(DesiredStatusOptions),
    /// Send config.set to the devices that differ, as a rollout, and wait until it ends
    Apply(Box<DesiredApplyOptions>),
}

/// The devices of a desired configuration.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).args(["tag", "view"]))]
pub(crate) struct DesiredTargetOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Devices with this tag
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,
    /// Devices of this saved view
    #[arg(long, value_name = "VIEW")]
    pub(crate) view: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco desired set -c plant --tag north report_interval_s=30 buzzer=false
  wilco desired set -c plant --view 'Cold stores' --first temp_high_c=4.5

Other keys keep their wanted values. If several configurations set a key for the same device, the first in the list applies;
--first moves a configuration to the top.")]
pub(crate) struct DesiredSetOptions {
    #[command(flatten)]
    pub(crate) target: DesiredTargetOptions,
    /// Wanted values; VALUE is read as JSON if it is valid JSON, otherwise as text (version='"2.10"' is text)
    #[arg(value_name = "KEY=VALUE", required_unless_present_any = ["values", "first"])]
    pub(crate) pairs: Vec<String>,
    /// Wanted values as a JSON object; KEY=VALUE arguments override it
    #[arg(long, value_name = "JSON")]
    pub(crate) values: Option<String>,
    /// Move it to the top of the list, so that it applies before all others
    #[arg(long)]
    pub(crate) first: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco desired clear -c plant --tag north
  wilco desired clear -c plant --tag north buzzer")]
pub(crate) struct DesiredClearOptions {
    #[command(flatten)]
    pub(crate) target: DesiredTargetOptions,
    /// Keys to clear; all if none is given
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
}

/// Devices with wanted values.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("scope").args(["tag", "view", "search"]))]
pub(crate) struct DesiredScopeOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Only devices with this tag
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,
    /// Only devices of this saved view
    #[arg(long, value_name = "VIEW")]
    pub(crate) view: Option<String>,
    /// Only devices that match, as in wilco devices
    #[arg(long, value_name = "QUERY")]
    pub(crate) search: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco desired status -c plant
  wilco desired status -c plant --tag north --output json

Exit status: 0 if every device is configured as wanted, 1 if any differs or has not reported its configuration.
wilco devices --search desired:differs finds the same devices.")]
pub(crate) struct DesiredStatusOptions {
    #[command(flatten)]
    pub(crate) scope: DesiredScopeOptions,
    /// Output format: a table, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco desired apply -c plant --dry-run
  wilco desired apply -c plant --tag north --stages 10,100% --halt-above 5%

Each device receives only the values that differ. Exit status: as for wilco rollout start, and 0 if nothing differs.")]
pub(crate) struct DesiredApplyOptions {
    #[command(flatten)]
    pub(crate) scope: DesiredScopeOptions,
    /// Also send all wanted values to devices that have not reported their configuration
    #[arg(long)]
    pub(crate) include_unknown: bool,
    #[command(flatten)]
    pub(crate) pace: PaceOptions,
    /// Print what the rollout would do, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) confirm: ConfirmOptions,
    /// Output format: text, or one JSON object per line for each change
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}
