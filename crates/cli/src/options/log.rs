//! `wilco log`, as it is written.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::input;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco log -c plant -d pump-7
  wilco log -c plant -d pump-7 --lines 200 --follow
  wilco log -c plant -d pump-7 --to pump-7.log

Ends with 0 if the log is whole: every chunk has come and the checksum that the device gave is right. Otherwise what
has come is printed all the same, what is missing is said on standard error, and it ends with 1, as it does when the
device does not send its log; 2 for a wrong use or no connection. While it follows, the log is asked for again every few seconds, until Ctrl-C, and only the last
of what it fetches is kept.")]
pub(crate) struct LogOptions {
    /// The connection, by its name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// The device
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: String,
    /// Only so many lines, the last ones
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) lines: Option<u32>,
    /// Write it to this file instead of printing it
    #[arg(long, short = 'o', value_name = "FILE", conflicts_with = "follow")]
    pub(crate) to: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
    /// Go on, and print what is new
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How long to wait before asking again while it follows, such as 2s or 1m
    #[arg(long, value_name = "SPAN", value_parser = input::span, default_value = "3s", requires = "follow")]
    pub(crate) every: Duration,
}
