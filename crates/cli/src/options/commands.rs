//! The options of `wilco commands`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Listing;

#[derive(Debug, Subcommand)]
pub(crate) enum CommandTask {
    /// List the commands in the catalogue: the built-in ones and your own
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Show a command: its arguments, topic, payload and timeouts
    Show {
        /// Name of the command
        name: String,
        /// Output format: text, or one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Import new commands and buttons from a file; existing ones are replaced only with --replace
    #[command(after_help = "\
Examples:
  wilco commands import pumps.json --dry-run
  wilco commands import pumps.json --replace calibrate --replace flush

Exit status: 0 if everything was imported, 1 if some entries were refused, 2 if the file cannot be read. Refused entries
are listed on standard error; the others are imported.

You can also write a file by hand:
  {\"format\": \"wilco commands\", \"version\": 1, \"commands\": [
    {\"name\": \"calibrate\", \"title\": \"Calibrate\", \"timeout_ms\": 30000,
     \"schema\": {\"type\": \"object\", \"properties\": {\"level\": {\"type\": \"number\"}}, \"required\": [\"level\"]}}]}")]
    Import {
        /// File exported by Wilco, or one in the same format
        file: PathBuf,
        /// Replace the command with this name or the button with this label; repeatable
        #[arg(long, value_name = "NAME")]
        replace: Vec<String>,
        /// Print what would be imported, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Export your own commands, and the buttons that send them, to a file
    Export {
        /// Names of the commands; all commands and buttons if none is given
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
}
