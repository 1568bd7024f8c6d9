//! The results of a campaign: printed, and as `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::oracle::Wrong;
use crate::plan::Scenario;
use crate::run::Outcome;

/// The figures of one scenario.
#[derive(Debug, Default)]
struct Figures {
    seeds: usize,
    commands: usize,
    succeeded: usize,
    wrong: BTreeMap<Wrong, usize>,
    recoveries: Vec<Duration>,
}

/// The figures of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Report {
    scenarios: BTreeMap<Scenario, Figures>,
}

impl Report {
    pub(crate) fn add(&mut self, scenario: Scenario, outcome: Outcome) {
        let figures = self.scenarios.entry(scenario).or_default();
        figures.seeds += 1;
        figures.commands += outcome.commands;
        figures.succeeded += outcome.succeeded;
        figures.recoveries.extend(outcome.recoveries);
        for finding in outcome.findings {
            *figures.wrong.entry(finding.wrong).or_default() += 1;
        }
    }

    /// The whole page, with the sections of the page before that are not the campaign's.
    pub(crate) fn page(&self, before: &str) -> String {
        let others = before.find(OTHERS).map_or("", |place| &before[place..]);
        let space = if others.is_empty() { "" } else { "\n" };
        format!("{HEAD}\n{}\n{}{TAIL}{space}{others}", self.table(), self.recovery())
    }

    /// A row for each scenario, as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut table = "| scenario | what happens | seeds | commands | succeeded | lost | doubled | unsafe doubled | never final | false |\n\
                         | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |\n"
            .to_owned();
        let mut all = Figures::default();
        for (scenario, figures) in &self.scenarios {
            row(&mut table, scenario.name(), scenario.description(), figures);
            all.seeds += figures.seeds;
            all.commands += figures.commands;
            all.succeeded += figures.succeeded;
            for (wrong, count) in &figures.wrong {
                *all.wrong.entry(*wrong).or_default() += count;
            }
        }
        row(&mut table, "all", "", &all);
        table
    }

    fn recovery(&self) -> String {
        let mut all: Vec<_> = self.scenarios.values().flat_map(|figures| &figures.recoveries).collect();
        all.sort();
        let (Some(middle), Some(longest)) = (all.get(all.len() / 2), all.last()) else { return String::new() };
        format!(
            "After the broker came back ({} times), the console had subscribed again within {} ms (median) and {} ms (longest).\n",
            grouped(all.len()),
            grouped(usize::try_from(middle.as_millis()).unwrap_or(0)),
            grouped(usize::try_from(longest.as_millis()).unwrap_or(0)),
        )
    }
}

const HEAD: &str = "\
# Reliability

This page is written by `cargo xtask faults`. Each seed is one run: a real mosquitto, the real engine in a process of its
own, and devices in another process that write down every execution before they answer. A proxy between them records what
goes over the wire. Fan-outs go to 100 to 1,000 devices, with and without deduplicating devices, with commands that may be
repeated (`led`) and that may not (`restart`), with short and long times to live, as single commands and as rollouts, over
MQTT 5 and 3.1.1.

After each run the history is compared with the devices' own log and with the wire:

- *Lost*: a command that was accepted, published or received by a device is missing in the history, or an answer that the
  console acknowledged to the broker does not count.
- *Doubled*: a command is in the history twice, or a device got two commands for one.
- *Unsafe doubled*: the console published a command twice that must not be repeated.
- *Never final*: a command has no final state 3 minutes after everything works again.
- *False*: `succeeded` or `failed` without the device having said so; or `expired`, `cancelled` or `undeliverable` although
  the device carried it out, without a mark that says so.
";

const TAIL: &str = "
## How to repeat it

```sh
cargo xtask faults --seeds 300            # so many seeds of each scenario
cargo xtask faults --scenario console --seed 17
```

A seed decides what happens and when. The computer's own timing is not repeated, so a seed that failed may need several
attempts. Seeds that failed once are kept in `tests/fixtures/faults.txt` and run each time.
";

/// The text after the generated part is kept when the page is written again.
const OTHERS: &str =
    "<!-- `cargo xtask faults --report` writes what is above this line and keeps what is below it. -->";

fn row(table: &mut String, name: &str, description: &str, figures: &Figures) {
    let wrong = |wrong| figures.wrong.get(&wrong).copied().unwrap_or(0);
    // Writing to a string does not fail.
    let _ = writeln!(
        table,
        "| {name} | {description} | {} | {} | {} | {} | {} | {} | {} | {} |",
        grouped(figures.seeds),
        grouped(figures.commands),
        grouped(figures.succeeded),
        wrong(Wrong::Lost),
        wrong(Wrong::Doubled),
        wrong(Wrong::UnsafeDoubled),
        wrong(Wrong::NeverFinal),
        wrong(Wrong::False) + wrong(Wrong::Broken),
    );
}

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
    use super::{OTHERS, Report};

    #[test]
    fn a_page_that_is_written_again_keeps_the_sections_of_others() {
        let report = Report::default();
        let alone = report.page("");
        assert!(alone.starts_with("# Reliability") && !alone.contains(OTHERS));
        let others = format!("{OTHERS}\n\n## Floods\n\nFigures.\n");
        let page = report.page(&format!("Old figures.\n{others}"));
        assert_eq!(page, format!("{alone}\n{others}"));
        assert_eq!(report.page(&page), page);
    }
}
