//! The options of `wilco devices`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Listing;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  wilco devices -c plant
  wilco devices -c plant --search 'is:offline tag:dock' --output json
  wilco devices tag -c plant spare --search 'firmware:<2.1'

If the app is not running, this takes a moment, because presence is read from the broker.
In the table, + marks tags that were set here; all other tags are reported by the devices.

Versions are ordered as in Semantic Versioning: 2.1-rc1 comes before 2.1, and 2.1 equals 2.1.0. firmware:2.1 finds 2.1 and
2.1.x but not the pre-releases of 2.1; firmware:<2.1 finds those."
)]
pub(crate) struct DeviceOptions {
    #[command(subcommand)]
    pub(crate) task: Option<DeviceTask>,
    #[command(flatten)]
    pub(crate) list: Option<DeviceListOptions>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceTask {
    /// List devices; the same as without a subcommand
    List(DeviceListOptions),
    /// Add devices before their first message, or set names, tags and notes of known devices
    Add(DeviceAddOptions),
    /// Name a device
    Name(DeviceNameOptions),
    /// Tag devices; nothing is sent to them
    Tag(TagOptions),
    /// Remove a tag that was set here; tags that devices report stay
    Untag(TagOptions),
    /// Write a note about a device
    Note(DeviceNoteOptions),
    /// Set the password of a device, or of all devices of a connection
    Password(DevicePasswordOptions),
    /// Forget devices, with their history
    Forget(ForgetOptions),
    /// Import devices, or their names, tags and notes, from a CSV file
    Import(DeviceImportOptions),
    /// Export devices with their names, tags and notes to a CSV file
    Export(DeviceExportOptions),
}

/// Devices by their IDs.
#[derive(Debug, Args)]
pub(crate) struct NamedDevices {
    /// Device ID; repeatable
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Vec<String>,
    /// File with one device ID per line (# starts a comment), or a CSV file with a column device, such as an export of
    /// devices or of a rollout; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) devices_from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DeviceListOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Words in the device ID or the name, and is:online, is:offline, led:on, firmware:<2.3, tag:dock, name:bay, state:failed, desired:differs
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub(crate) search: String,
    /// Output format: a table, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

/// Some devices of a connection.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["device", "devices_from", "search"]))]
pub(crate) struct DevicesOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) named: NamedDevices,
    /// Every device that matches, as in wilco devices
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["device", "devices_from"])]
    pub(crate) search: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("which").required(true).multiple(true).args(["device", "devices_from"]),
    after_help = "\
Examples:
  wilco devices add -c plant -d pump-7 --name 'Boiler room' --tag north --tag spare
  wilco devices add -c plant --devices-from pumps.txt --tag delivery-12

Omitted options change nothing; --tag replaces all tags that were set here."
)]
pub(crate) struct DeviceAddOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) named: NamedDevices,
    /// Name, for one device only
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// Tag; repeatable
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Note
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wilco devices name -c plant -d pump-7 'Boiler room'")]
pub(crate) struct DeviceNameOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Device ID
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: String,
    /// Name
    #[arg(required_unless_present = "clear")]
    pub(crate) name: Option<String>,
    /// Remove the name
    #[arg(long, conflicts_with = "name")]
    pub(crate) clear: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wilco devices note -c plant -d pump-7 'Valve replaced in May'")]
pub(crate) struct DeviceNoteOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Device ID
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: String,
    /// Note; replaces the existing one
    #[arg(required_unless_present = "clear")]
    pub(crate) note: Option<String>,
    /// Remove the note
    #[arg(long, conflicts_with = "note")]
    pub(crate) clear: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco devices password -c home -d shellyplus1-a8032abe54dc
  printf '%s\\n' \"$PASSWORD\" | wilco devices password -c home --password-stdin
  wilco devices password -c home -d shellyplus1-a8032abe54dc --clear

For firmware that requires signed requests (Shelly). Without --device, the password applies to every device of the
connection that has none set. wilco prompts for it on a terminal and keeps it in the keyring; it is never sent.")]
pub(crate) struct DevicePasswordOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Device ID
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Read the password from a line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Remove the password
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) clear: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco devices tag -c plant spare -d pump-7 -d pump-8
  wilco devices untag -c plant spare --search tag:spare")]
pub(crate) struct TagOptions {
    /// Tag
    pub(crate) tag: String,
    #[command(flatten)]
    pub(crate) which: DevicesOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wilco devices forget -c plant -d pmup-7

Use this for devices that no longer exist or mistyped device IDs. Wilco deletes their state, measurements, logs and commands
here, and sends nothing to the devices. A device that publishes again, or whose status the broker retains, is listed again.
A device with an unfinished command cannot be forgotten.")]
pub(crate) struct ForgetOptions {
    #[command(flatten)]
    pub(crate) which: DevicesOptions,
    /// Skip the confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco devices import -c plant pumps.csv --dry-run
  wilco devices import -c plant pumps.csv

The first line names the columns: device, and any of name, tags and note. Commas, semicolons or tabs separate them;
commas or semicolons separate the tags in a cell. An empty cell changes nothing; the tags in a cell replace those that were
set here. Lines that cannot be imported are listed on standard error with their numbers; all others are imported.

Exit status: 0 if every line was imported, 1 if not, 2 if the file cannot be read.")]
pub(crate) struct DeviceImportOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// File to import
    pub(crate) file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wilco devices export -c plant --search tag:north --to north.csv

Tags that devices report are not exported, because an import would set them here.")]
pub(crate) struct DeviceExportOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Only matching devices, as in wilco devices
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub(crate) search: String,
    /// File to write
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
