//! The options of `cargo xtask faults`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::load::cores;
use crate::plan::Scenario;

const USAGE: &str = "\
cargo xtask faults [options]

  --seeds N        seeds of each scenario (default: 10)
  --from N         first seed (default: 1)
  --scenario NAME  only this scenario: pairs, console, broker, fleet, pause, network, disk, clock, everything, recovery
  --seed N         only this seed
  --seconds N      start no further run after so many seconds
  --jobs N         so many runs at most at the same time (default: 8 for each core; fewer while the computer is busy)
  --report FILE    write the page about reliability; continues the last such campaign of this commit or an earlier one
  --anew           with --report: do not continue the last one";

/// Runs at the same time for each core. A run waits most of its time: for timeouts, and for what is away to return.
const JOBS: usize = 8;

pub(crate) struct Options {
    scenarios: Vec<Scenario>,
    from: u64,
    seeds: u64,
    is_single: bool,
    pub(crate) jobs: usize,
    pub(crate) limit: Option<Duration>,
    pub(crate) report: Option<PathBuf>,
    /// A campaign for the report begins with its first seed.
    pub(crate) is_anew: bool,
}

impl Options {
    pub(crate) fn read(arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            scenarios: Scenario::of_each_seed().collect(),
            from: 1,
            seeds: 10,
            is_single: false,
            jobs: cores() * JOBS,
            limit: None,
            report: None,
            is_anew: false,
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--anew" {
                options.is_anew = true;
                continue;
            }
            let value = rest.next().with_context(|| USAGE.to_owned())?;
            let number = || value.parse::<u64>().with_context(|| USAGE.to_owned());
            match name.as_str() {
                "--seeds" => options.seeds = number()?,
                "--from" => options.from = number()?,
                "--seed" => {
                    (options.from, options.seeds, options.is_single) = (number()?, 1, true);
                }
                "--scenario" => options.scenarios = vec![Scenario::named(value).with_context(|| USAGE.to_owned())?],
                "--seconds" => options.limit = Some(Duration::from_secs(number()?)),
                "--jobs" => options.jobs = usize::try_from(number()?)?.max(1),
                "--report" => options.report = Some(value.into()),
                _ => bail!(USAGE),
            }
        }
        Ok(options)
    }

    /// The runs: first the seeds that failed before, then every scenario in turn, and for a report the one with 10,000
    /// commands outstanding.
    pub(crate) fn runs(&self, kept: &[(Scenario, u64)]) -> Vec<(Scenario, u64)> {
        let is_asked = |(scenario, _): &&(Scenario, u64)| !self.is_single && self.scenarios.contains(scenario);
        let mut runs: Vec<_> = kept.iter().filter(is_asked).copied().collect();
        for seed in self.from..self.from.saturating_add(self.seeds) {
            runs.extend(self.scenarios.iter().map(|scenario| (*scenario, seed)));
        }
        // The page says how long the console takes to recover.
        if self.report.is_some() && !self.scenarios.contains(&Scenario::Recovery) {
            runs.push((Scenario::Recovery, self.from));
        }
        runs
    }
}
