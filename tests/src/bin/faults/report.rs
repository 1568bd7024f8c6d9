//! The results of a campaign: printed, and as `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use wilco_engine::api::CommandState;

use crate::campaign::{FinishedRun, Version};
use crate::oracle::Wrong;
use crate::plan::Scenario;
use crate::run::Outcome;

/// The figures of one scenario.
#[derive(Debug, Default)]
struct Figures {
    seeds: usize,
    states: BTreeMap<CommandState, usize>,
    delivered_again: usize,
    wrong: BTreeMap<Wrong, usize>,
    recoveries: Vec<Duration>,
    /// Commands that were outstanding when the broker was killed, and from its return until all had finished.
    finished: Vec<(usize, Duration)>,
}

impl Figures {
    fn commands(&self) -> usize {
        self.states.values().sum()
    }

    fn in_state(&self, state: CommandState) -> usize {
        self.states.get(&state).copied().unwrap_or(0)
    }

    fn wrong(&self, wrong: Wrong) -> usize {
        self.wrong.get(&wrong).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Figures) {
        self.seeds += other.seeds;
        self.delivered_again += other.delivered_again;
        self.recoveries.extend(&other.recoveries);
        self.finished.extend(&other.finished);
        for (state, count) in &other.states {
            *self.states.entry(*state).or_default() += count;
        }
        for (wrong, count) in &other.wrong {
            *self.wrong.entry(*wrong).or_default() += count;
        }
    }
}

impl From<&Outcome> for Figures {
    fn from(outcome: &Outcome) -> Figures {
        let Outcome { states, delivered_again, findings, recoveries, finished } = outcome.clone();
        let mut wrong = BTreeMap::new();
        for finding in findings {
            *wrong.entry(finding.wrong).or_default() += 1;
        }
        Figures { seeds: 1, states, delivered_again, wrong, recoveries, finished: finished.into_iter().collect() }
    }
}

/// The figures of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Report {
    scenarios: BTreeMap<Scenario, Figures>,
    /// How many runs each version has.
    versions: BTreeMap<Version, usize>,
}

impl Report {
    pub(crate) fn add(&mut self, run: &FinishedRun) {
        self.scenarios.entry(run.scenario).or_default().add(&(&run.outcome).into());
        *self.versions.entry(run.version.clone()).or_default() += 1;
    }

    /// The whole page, with the sections of the page before that are not the campaign's.
    /// `computer`: on which it was written, and when.
    pub(crate) fn page(&self, before: &str, computer: &str) -> String {
        let others = before.find(OTHERS).map_or("", |place| &before[place..]);
        let space = if others.is_empty() { "" } else { "\n" };
        let computer = if computer.is_empty() { String::new() } else { format!("Written on {computer}. ") };
        let (versions, table, recovery) = (self.versions(), self.table(), self.recovery());
        format!("{HEAD}\n{versions}{computer}{PROFILE}\n{table}\n{recovery}{TAIL}{space}{others}")
    }

    /// What has run: `2,008 runs of Wilco 0.1.0: 1,200 at commit 0123456789, 808 at commit abcdef0123.`
    fn versions(&self) -> String {
        let of = |(version, runs): (&Version, &usize)| {
            let commit = version.commit.as_ref().map_or_else(String::new, |commit| format!(" at commit {commit}"));
            let changes = if version.is_changed { " with changes that were not committed" } else { "" };
            format!("{} of version {}{commit}{changes}", grouped(*runs), version.number)
        };
        let versions: Vec<_> = self.versions.iter().map(of).collect();
        let runs = self.versions.values().sum();
        format!(
            "Runs: {} in all, {}.\n",
            grouped(runs),
            if runs == 0 { "none".to_owned() } else { versions.join(", ") }
        )
    }

    /// The figures of all scenarios together.
    fn all(&self) -> Figures {
        let mut all = Figures::default();
        self.scenarios.values().for_each(|figures| all.add(figures));
        all
    }

    /// Two tables as Markdown, with a row for each scenario: the mistakes, and how the commands ended.
    pub(crate) fn table(&self) -> String {
        let all = self.all();
        let rows = || {
            let scenarios = self.scenarios.iter();
            let scenarios = scenarios.map(|(scenario, figures)| (scenario.name(), scenario.description(), figures));
            scenarios.chain([("all", "", &all)])
        };
        let mut table =
            "| scenario | what happens | seeds | commands | lost | doubled | unsafe doubled | never final | false |\n\
                         | --- | --- | --: | --: | --: | --: | --: | --: | --: |\n"
                .to_owned();
        for (name, description, figures) in rows() {
            // Writing to a string does not fail.
            let _ = writeln!(
                table,
                "| {name} | {description} | {} | {} | {} | {} | {} | {} | {} |",
                grouped(figures.seeds),
                grouped(figures.commands()),
                figures.wrong(Wrong::Lost),
                figures.wrong(Wrong::Doubled),
                figures.wrong(Wrong::UnsafeDoubled),
                figures.wrong(Wrong::NeverFinal),
                figures.wrong(Wrong::False) + figures.wrong(Wrong::Broken),
            );
        }
        let states: Vec<_> = CommandState::ALL.into_iter().filter(|state| all.in_state(*state) > 0).collect();
        let words: Vec<_> = states.iter().map(|state| state.words()).collect();
        let _ = writeln!(table, "\n| scenario | {} | delivered again |", words.join(" | "));
        let _ = writeln!(table, "| --- |{} --: |", " --: |".repeat(states.len()));
        for (name, _, figures) in rows() {
            let counts: Vec<_> = states.iter().map(|state| grouped(figures.in_state(*state))).collect();
            let _ = writeln!(table, "| {name} | {} | {} |", counts.join(" | "), grouped(figures.delivered_again));
        }
        table
    }

    fn recovery(&self) -> String {
        let all = self.all();
        let mut times = all.recoveries;
        times.sort();
        let mut text = String::new();
        if let (Some(middle), Some(longest)) = (times.get(times.len() / 2), times.last()) {
            text = format!(
                "After the broker came back ({} times), the console had subscribed again within {} ms (median) and {} ms \
                 (longest).\n",
                grouped(times.len()),
                milliseconds(*middle),
                milliseconds(*longest),
            );
        }
        let large =
            self.scenarios.get(&Scenario::Recovery).and_then(|figures| figures.finished.iter().max_by_key(|of| of.1));
        if let Some((outstanding, took)) = large {
            let subscribed =
                self.scenarios.get(&Scenario::Recovery).and_then(|figures| figures.recoveries.iter().max());
            let subscribed = subscribed.map_or_else(String::new, |took| {
                format!("the console had subscribed again within {} ms, and ", milliseconds(*took))
            });
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "\nThe broker was killed with {} commands outstanding. After it came back, {subscribed}every command had \
                 finished within {} ms.",
                grouped(*outstanding),
                milliseconds(*took),
            );
        }
        text
    }
}

fn milliseconds(length: Duration) -> String {
    grouped(usize::try_from(length.as_millis()).unwrap_or(usize::MAX))
}

const HEAD: &str = "\
# Reliability

This page is written by `cargo xtask faults`. Each seed is one run: a real broker (mosquitto, or in one run of four the one
that is built into the app), the real engine in a process of its own, and devices in another process that write down every
execution before they answer. A proxy between them records what goes over the wire. Fan-outs go to 300 to 1,000 devices, with
and without deduplicating devices, with commands that may be repeated (`led`) and that may not (`restart`), with short and long
times to live, as single commands and as rollouts, over MQTT 5 and 3.1.1. A full or slow disk is one that SQLite sees through
a VFS of the test; clocks are moved where the engine reads them.

After each run the history is compared with the devices' own log and with the wire, and once more after the console was killed
and started again:

- *Lost*: a command that was accepted, published or received by a device is missing in the history; an answer that the console
  acknowledged to the broker does not count, or is not kept (one that belongs to no command included); the stored history has
  a gap or a damaged event; or it is different after the restart.
- *Doubled*: a command is in the history twice, or a device got two commands for one.
- *Unsafe doubled*: the console published a command twice that must not be repeated.
- *Never final*: a command or a rollout has not ended 3 minutes after everything works again.
- *False*: `succeeded` or `failed` without the device having said so; `expired`, `cancelled` or `undeliverable` although the
  device carried it out, without a mark that says so; `expired` or `timed out` before its time; `cancelled` although nobody
  cancelled it; `undeliverable` although the broker did not refuse it; a rollout that counts otherwise than the history; or a
  run in which nothing was sent, or that did not work.

Most commands that did not succeed ended because their time was short: the times to live are from 0.5 to 8 s, the timeouts from
0.8 to 5 s, and broker, devices or network are away for as long. In some runs one command in ten fails at its device. *Delivered
again*: the console had published a command once, and its device carried it out twice. MQTT allows the broker that at QoS 1
when a connection ends before the acknowledgement, and only a device that deduplicates by ID prevents it.
";

/// How the programs of the runs are built.
const PROFILE: &str = "The programs are built with optimisation and the checks of a debug build.\n";

const TAIL: &str = "
## How to repeat it

```sh
cargo xtask faults --seeds 300            # so many seeds of each scenario
cargo xtask faults --seeds 230 --report   # more than 2,000 runs, for this page; continues where it was interrupted
cargo xtask faults --scenario console --seed 17
```

As many runs are under way at the same time as the computer has room for, and the time in which everything must have ended
passes more slowly while it is overloaded. A seed decides what happens and when. The computer's own timing is not repeated, so
a seed that failed may need several attempts. Seeds that failed once are kept in `tests/fixtures/faults.txt` and run each time.
";

/// The text after the generated part is kept when the page is written again.
const OTHERS: &str =
    "<!-- `cargo xtask faults --report` writes what is above this line and keeps what is below it. -->";

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wilco_engine::api::CommandState;

    use super::{OTHERS, Report};
    use crate::campaign::{FinishedRun, Version};
    use crate::oracle::{Finding, Wrong};
    use crate::plan::Scenario;
    use crate::run::Outcome;

    fn run(scenario: Scenario, commit: &str, outcome: Outcome) -> FinishedRun {
        let version = Version { number: "0.1.0".to_owned(), commit: Some(commit.to_owned()), is_changed: false };
        FinishedRun { scenario, seed: 1, version, outcome }
    }

    #[test]
    fn every_command_is_counted_under_its_end_and_every_finding_under_its_kind() {
        let mut report = Report::default();
        let states = [(CommandState::Succeeded, 1_200), (CommandState::TimedOut, 34)];
        let finding = Finding { wrong: Wrong::Lost, what: "it is gone".to_owned() };
        let outcome =
            Outcome { states: states.into(), delivered_again: 2, findings: vec![finding], ..Outcome::default() };
        report.add(&run(Scenario::Disk, "abc", outcome));
        let recoveries = vec![Duration::from_millis(90)];
        let finished = Some((9_876, Duration::from_millis(12_345)));
        let outcome = Outcome { states: states.into(), recoveries, finished, ..Outcome::default() };
        report.add(&run(Scenario::Recovery, "def", outcome));
        let page = report.page("", "AMD EPYC 7763, 2 cores, 2026-11-30");
        for line in [
            "Written on AMD EPYC 7763, 2 cores, 2026-11-30. The programs are built with optimisation and the checks of a debug",
            "Runs: 2 in all, 1 of version 0.1.0 at commit abc, 1 of version 0.1.0 at commit def.",
            "| all |  | 2 | 2,468 | 1 | 0 | 0 | 0 | 0 |",
            "| scenario | succeeded | timed out | delivered again |",
            "| --- | --: | --: | --: |",
            "| disk | 1,200 | 34 | 2 |",
            "| all | 2,400 | 68 | 2 |",
            "The broker was killed with 9,876 commands outstanding. After it came back, the console had subscribed again \
             within 90 ms, and every command had finished within 12,345 ms.",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn a_page_that_is_written_again_keeps_the_sections_of_others() {
        let report = Report::default();
        let alone = report.page("", "");
        assert!(alone.starts_with("# Reliability") && !alone.contains(OTHERS));
        let others = format!("{OTHERS}\n\n## Floods\n\nFigures.\n");
        let page = report.page(&format!("Old figures.\n{others}"), "");
        assert_eq!(page, format!("{alone}\n{others}"));
        assert_eq!(report.page(&page, ""), page);
    }
}
