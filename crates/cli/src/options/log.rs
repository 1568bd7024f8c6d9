//! The options of `wilco log`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::ConfirmOptions;
use crate::input;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco log -c plant -d pump-7
  wilco log -c plant -d pump-7 --lines 200 --follow
  wilco log -c plant -d pump-7 --to pump-7.log

Exit status: 0 if the log is complete, that is, every chunk was received and the device's checksum matches; 1 if not, or if
the device did not send its log; 2 for incorrect usage or no connection; 3 if the log was requested, or may have been, and
Wilco lost track of it. An incomplete log is printed, and its missing parts are listed on standard error. With --follow,
wilco requests the log again every few seconds until Ctrl-C, and keeps only the latest one.")]
pub(crate) struct LogOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    /// Device ID
    #[arg(long, short, value_name = "DEVICE")]
    pub(crate) device: String,
    /// Only the last N lines
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) lines: Option<u32>,
    /// Write the log to this file instead of printing it
    #[arg(long, short = 'o', value_name = "FILE", conflicts_with = "follow")]
    pub(crate) to: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
    /// Keep requesting the log, and print new lines
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Time between two requests with --follow, such as 2s or 1m
    #[arg(long, value_name = "SPAN", value_parser = input::span, default_value = "3s", requires = "follow")]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) confirm: ConfirmOptions,
}
