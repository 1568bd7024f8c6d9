//! The options of `wilco rollout`.

mod values;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use wilco_engine::api::{
    BetweenStages, FaultDials, Gate, HaltLimit, MaintenanceHours, MemberState, ReportFormat, StageSize,
};

use super::{ConfirmOptions, Listing, NamedDevices, SendingOptions, words};
use crate::input;

#[derive(Debug, Subcommand)]
pub(crate) enum RolloutTask {
    /// Send a command to many devices in stages, and wait until the rollout ends
    Start(Box<StartOptions>),
    /// List rollouts, newest first
    List {
        /// Only rollouts of this connection
        #[arg(long, short, value_name = "NAME")]
        connection: Option<String>,
        /// Output format: a table, or one JSON object per line
        #[arg(long, value_enum, default_value_t)]
        output: Listing,
    },
    /// Show a rollout and its members
    Show {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Print the progress of a rollout until it ends
    Watch {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Pause a rollout: send to no more devices until it is resumed; answers still count
    Pause {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Resume a paused or halted rollout, and wait until it ends
    Resume {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Stop a rollout: send to no more devices, and cancel commands that were not sent yet
    Stop {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Start the next stage of a waiting rollout
    Next {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Stop waiting for devices of the current stage that have not answered
    CloseStage {
        #[command(flatten)]
        rollout: RolloutOptions,
    },
    /// Export a report of a rollout, or its devices, to a file
    Export(RolloutExportOptions),
    /// Retry the failed devices in a new rollout, and wait until it ends
    Retry {
        #[command(flatten)]
        rollout: FollowOptions,
        /// Also send to the devices that were not started
        #[arg(long)]
        not_started: bool,
    },
    /// Send to all devices again in a new rollout, and wait until it ends
    Again {
        #[command(flatten)]
        rollout: FollowOptions,
    },
    /// Restore the values that each device had before a config.set, in a new rollout, and wait until it ends
    PutBack {
        #[command(flatten)]
        rollout: FollowOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FollowOptions {
    /// Number of the earlier rollout
    #[arg(value_name = "ROLLOUT")]
    pub(crate) id: String,
    /// Print what the rollout would do, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) confirm: ConfirmOptions,
    /// Output format: text, or one JSON object per line for each change
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct RolloutOptions {
    /// Number of the rollout
    #[arg(value_name = "ROLLOUT")]
    pub(crate) id: String,
    /// Output format: text, or one JSON object per line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wilco rollout export 3 --to rollout-3.html
  wilco rollout export 3 --to failed.csv --state failed --state timed_out
")]
pub(crate) struct RolloutExportOptions {
    /// Number of the rollout
    #[arg(value_name = "ROLLOUT")]
    pub(crate) id: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// One row per device (csv, or json with evidence, one object per line), or a report (markdown, html); taken from
    /// the file extension if not given
    #[arg(long, value_parser = words::report_format())]
    pub(crate) format: Option<ReportFormat>,
    /// Only devices in this state, with csv and json; repeatable
    #[arg(long, value_name = "STATE", value_parser = words::member_state())]
    pub(crate) state: Vec<MemberState>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("target").required(true).args(["device", "devices_from", "search", "tag", "broadcast"]).multiple(true),
    after_help = "\
Examples:
  wilco rollout start -c plant --search 'firmware:2.3' --stages 10,10%,100% --halt-above 5% --halt-after 20 restart
  wilco rollout start -c plant --devices-from pumps.txt --rate 50 --pause-between 10m config.set 'changes={\"interval_ms\":500}'
  wilco rollout start -c plant --broadcast all led on=true
  wilco rollout start -c plant --tag dock --dry-run --output json led on=true
  wilco rollout start -c plant --tag dock --stages 10,100% --halt-above 5% --rehearse --faults fail=0.02,drop=0.01 restart

Exit status: 0 if every device succeeded, 1 if any did not or the rollout halted or was stopped, 2 for incorrect usage or no
connection, 3 if the rollout started and Wilco lost track of it, 130 for Ctrl-C. Ctrl-C pauses the rollout (wilco rollout
resume continues it), except in the app, where it continues.")]
pub(crate) struct StartOptions {
    /// Name of the connection
    #[arg(long, short, value_name = "NAME")]
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) named: NamedDevices,
    /// Every device that matches, as in wilco devices
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["device", "devices_from"])]
    pub(crate) search: Option<String>,
    /// Every device with this tag; with --search both must match
    #[arg(long, value_name = "TAG", conflicts_with_all = ["device", "devices_from"])]
    pub(crate) tag: Option<String>,
    /// Publish once for all devices on all/req, or for a group on groups/GROUP/req; Wilco expects answers from the
    /// devices that --search and --tag select, or else from every known device or those tagged with the group's name
    #[arg(long, value_name = "all|GROUP", conflicts_with_all = [
        "device", "devices_from", "leave_out", "stages", "rate", "in_flight", "halt_above", "pause_between", "gate",
    ])]
    pub(crate) broadcast: Option<String>,
    /// Leave out devices that are offline, already in the requested state, or busy with another command
    #[arg(long, value_name = "WHICH", value_enum, value_delimiter = ',')]
    pub(crate) leave_out: Vec<SkippedDevices>,
    #[command(flatten)]
    pub(crate) pace: PaceOptions,
    /// Start only if the rollout has exactly this many devices
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) expect: Option<u32>,
    /// Print what the rollout would do, with every request, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) rehearse: RehearseOptions,
    /// The command: a built-in one (led, restart), one of your own (see wilco commands list), or any other that your
    /// firmware supports
    pub(crate) command: String,
    #[command(flatten)]
    pub(crate) sending: SendingOptions,
    #[command(flatten)]
    pub(crate) confirm: ConfirmOptions,
    /// Output format: text, or one JSON object per line for each change
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Listing,
}

/// The rehearsal of a rollout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rehearsal")]
pub(crate) struct RehearseOptions {
    /// First run the rollout on virtual devices with the IDs, firmware and usual answer times of the real ones; nothing
    /// is sent to real devices. On a terminal, Wilco then offers to start the real rollout
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) rehearse: bool,
    /// Faults in the rehearsal, each with a probability from 0 to 1: drop, duplicate, reorder, wrong_id, malformed,
    /// fail, slow, restart, and offline (share of the devices), such as fail=0.05,drop=0.01; delay_ms=400 delays answers
    #[arg(long, value_name = "FAULT=P", value_delimiter = ',', requires = "rehearse", value_parser = fault)]
    pub(crate) faults: Vec<(String, f64)>,
    /// Random seed of the rehearsal: the same seed causes the same faults
    #[arg(long, value_name = "N", requires = "rehearse", default_value_t = 1, hide_default_value = true)]
    pub(crate) seed: u32,
}

impl RehearseOptions {
    /// The faults as settings of the virtual devices.
    pub(crate) fn dials(&self) -> FaultDials {
        let mut dials = FaultDials { seed: self.seed, ..FaultDials::default() };
        for (name, value) in &self.faults {
            if let Some(set) = setter(name) {
                set(&mut dials, *value);
            }
        }
        dials
    }
}

/// The setter of a fault.
fn setter(name: &str) -> Option<fn(&mut FaultDials, f64)> {
    Some(match name {
        "drop" => |dials, p| dials.drop = p,
        "duplicate" => |dials, p| dials.duplicate = p,
        "reorder" => |dials, p| dials.reorder = p,
        "wrong_id" => |dials, p| dials.wrong_id = p,
        "malformed" => |dials, p| dials.malformed = p,
        "fail" => |dials, p| dials.fail = p,
        "slow" => |dials, p| dials.slow = p,
        "restart" => |dials, p| dials.restart = p,
        "offline" => |dials, p| dials.offline = p,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0 or more")]
        DELAY => |dials, ms| dials.delay_ms = ms as u64,
        _ => return None,
    })
}

/// The only fault that is not a probability.
const DELAY: &str = "delay_ms";

/// `fail=0.05`.
fn fault(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("give a fault and its probability, such as fail=0.05")?;
    let name = name.trim();
    if setter(name).is_none() {
        return Err(format!(
            "there is no fault '{name}': use drop, duplicate, reorder, wrong_id, malformed, fail, slow, restart, offline or \
             delay_ms"
        ));
    }
    let most = if name == DELAY { 60_000.0 } else { 1.0 };
    let value = value.trim().parse::<f64>().ok().filter(|value| (0.0..=most).contains(value));
    Ok((name.to_owned(), value.ok_or_else(|| format!("{name} must be a number from 0 to {most}"))?))
}

/// The stages, limits and name of a rollout.
#[derive(Debug, Args)]
pub(crate) struct PaceOptions {
    /// Sizes of the stages: cumulative numbers or percentages of devices, such as 10,10%,100%
    #[arg(long, value_name = "SIZES", value_delimiter = ',', value_parser = values::stage_size)]
    pub(crate) stages: Vec<StageSize>,
    /// Maximum number of devices to send to per second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Maximum number of unfinished commands at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) in_flight: Option<u32>,
    /// Halt when more than this many devices fail: a number, or a percentage of the devices that have finished
    #[arg(long, value_name = "LIMIT", value_parser = values::halt_limit)]
    pub(crate) halt_above: Option<HaltLimit>,
    /// Do not halt before this many devices have finished
    #[arg(long, value_name = "N", default_value_t = 1, requires = "halt_above", hide_default_value = true)]
    pub(crate) halt_after: u32,
    /// Do not count timeouts as failures
    #[arg(long, requires = "halt_above")]
    pub(crate) ignore_timeouts: bool,
    /// Between stages: a pause such as 10m, or ask to wait for wilco rollout next
    #[arg(long, value_name = "SPAN|ask", value_parser = values::between)]
    pub(crate) pause_between: Option<BetweenStages>,
    /// Start the next stage only after a measurement has stayed within limits on all finished devices, such as
    /// 'temperature 2..8 for 10m' or, with one limit, 'battery 20.. for 1h'; the rollout halts if it leaves them
    #[arg(long, value_name = "SERIES LIMITS for SPAN", value_parser = values::gate)]
    pub(crate) gate: Option<Gate>,
    /// Send only in these hours of the day, in this computer's time zone or in the named one: 22:00-06:00, or '22:00-06:00
    /// Europe/Amsterdam'
    #[arg(long, value_name = "FROM-UNTIL [ZONE]", value_parser = input::hours)]
    pub(crate) hours: Option<MaintenanceHours>,
    /// Name of the rollout
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// Note, such as the reason for the rollout
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// Devices that a rollout leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SkippedDevices {
    /// Offline devices
    Offline,
    /// Devices already in the requested state
    Already,
    /// Devices busy with another command, yours or another console's
    Busy,
}

#[cfg(test)]
mod tests {
    use super::{FaultDials, RehearseOptions, fault};

    #[test]
    fn faults_are_read_by_name() {
        let read = |texts: &[&str]| texts.iter().map(|text| fault(text)).collect::<Result<Vec<_>, _>>();
        let faults = read(&["fail=0.05", "drop = 1", "delay_ms=400", "offline=.2"]).expect("faults");
        let dials = RehearseOptions { rehearse: true, faults, seed: 7 }.dials();
        let expected =
            FaultDials { fail: 0.05, drop: 1.0, delay_ms: 400, offline: 0.2, seed: 7, ..FaultDials::default() };
        assert_eq!(dials, expected);
        for wrong in ["fail", "fail=2", "fail=-0.1", "fail=often", "fire=0.1", "delay_ms=60001", "fail=NaN"] {
            assert!(fault(wrong).is_err(), "{wrong}");
        }
    }
}
