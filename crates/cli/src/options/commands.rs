//! What can be asked of the catalogue of commands.

use std::path::PathBuf;

use clap::Subcommand;

use super::Listing;

#[derive(Debug, Subcommand)]
pub(crate) enum CommandTask {
    /// List the commands that are known by name: the built-in ones, and your own
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Show a command: what it takes, how it goes out, how long it is waited for
    Show {
        /// Its name on the wire
        name: String,
        /// Lines for people, or all of it as one JSON object
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Take the commands and buttons of a file that are new here; what is here already is replaced only on request
    #[command(after_help = "\
Examples:
  wilco commands import pumps.json --dry-run
  wilco commands import pumps.json --replace calibrate --replace flush

Ends with 0 if nothing in the file is refused. What is refused is said on standard error, the rest is taken all the same,
and it ends with 1; 2 for a file that cannot be read.

A file may be written by hand:
  {\"format\": \"wilco commands\", \"version\": 1, \"commands\": [
    {\"name\": \"calibrate\", \"title\": \"Calibrate\", \"timeout_ms\": 30000,
     \"schema\": {\"type\": \"object\", \"properties\": {\"level\": {\"type\": \"number\"}}, \"required\": [\"level\"]}}]}")]
    Import {
        /// A file that Wilco has exported, or one written like it
        file: PathBuf,
        /// Replace the command of that name, or the button of that label; may be given several times
        #[arg(long, value_name = "NAME")]
        replace: Vec<String>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Write your own commands to a file, with the buttons that send them
    Export {
        /// Their names; all of them and every button if none is given
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
}
