//! `wilco connections test`: runs the preflight and prints each step as it ends.

use std::{path::Path, process::ExitCode};

use anstyle::{AnsiColor, Style};
use tokio::sync::mpsc::unbounded_channel;
use wilco_engine::api::{Client, ConnectionEntry, PreflightFinding, PreflightStep, PreflightView, StepState};

use super::{ConnectionInput, with_base, within};
use crate::{
    base::Base,
    options::{Listing, TestOptions},
    output::{Output, clean, folded, paint},
    problem::{NOT_DONE, Problem},
};

/// Letters in a line of explanation.
const WIDTH: usize = 96;

/// Tries it.
pub(super) async fn run(options: TestOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let TestOptions { name, url, broker, output } = options;
    let Some(url) = url else {
        let name = name.unwrap_or_default();
        return with_base(data_dir, async |base| {
            let entry = ConnectionEntry::from(&base.connection(&name).await?);
            attempt(base.console(), entry, output).await
        })
        .await;
    };
    let described = ConnectionInput::read(broker)?;
    within(Base::passing().await?, async |base| {
        let entry = ConnectionEntry { url, without_keyring: true, ..ConnectionEntry::default() };
        attempt(base.console(), described.over(base.console(), entry).await?, output).await
    })
    .await
}

async fn attempt(console: &Client, entry: ConnectionEntry, listing: Listing) -> Result<ExitCode, Problem> {
    let mut report = Report::new(listing);
    let (sender, mut received) = unbounded_channel();
    let listen = async {
        while let Some(view) = received.recv().await {
            report.so_far(&view)?;
        }
        Ok::<_, Problem>(())
    };
    let (view, printed) = tokio::join!(console.preflight(entry, None, sender), listen);
    printed?;
    let view = view?;
    report.end(&view)?;
    Ok(if view.ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

/// The part of it that is printed.
struct Report {
    listing: Listing,
    output: Output,
    /// The number of printed steps.
    printed: usize,
}

impl Report {
    fn new(listing: Listing) -> Report {
        let output = match listing {
            Listing::Text => Output::text(),
            Listing::Json => Output::data(),
        };
        Report { listing, output, printed: 0 }
    }

    /// Prints the steps that have ended, in order.
    fn so_far(&mut self, view: &PreflightView) -> Result<(), Problem> {
        if self.listing == Listing::Json {
            return Ok(());
        }
        let ended = |step: &&PreflightStep| !matches!(step.state, StepState::Waiting | StepState::Running);
        for step in view.steps.iter().skip(self.printed).take_while(ended) {
            self.printed += 1;
            lines(step).iter().try_for_each(|line| self.output.line(line))?;
        }
        self.output.flush()
    }

    fn end(&mut self, view: &PreflightView) -> Result<(), Problem> {
        if self.listing == Listing::Json {
            self.output.json(view)?;
            return self.output.flush();
        }
        for step in view.steps.iter().skip(self.printed) {
            lines(step).iter().try_for_each(|line| self.output.line(line))?;
        }
        self.output.line("")?;
        self.output.line(&clean(&view.verdict))?;
        for policy in view.steps.iter().filter_map(|step| step.finding.as_ref()?.policy.as_ref()) {
            self.output.line("")?;
            policy.lines().try_for_each(|line| self.output.line(&clean(line)))?;
        }
        self.output.flush()
    }
}

/// A step, with its details below.
fn lines(step: &PreflightStep) -> Vec<String> {
    let (mark, style) = mark(step.state);
    let took = step.took_ms.map(|took| format!("  {}", milliseconds(took))).unwrap_or_default();
    let said = format!("{:<10}  {}{took}", clean(&step.name), clean(&step.said));
    let mut lines = vec![match step.state {
        StepState::Waiting | StepState::Skipped => paint(&format!("{mark} {said}"), style),
        _ => format!("{} {said}", paint(mark, style)),
    }];
    lines.extend(step.finding.iter().flat_map(explained));
    lines
}

fn explained(finding: &PreflightFinding) -> Vec<String> {
    // The hint says in words what the window offers by `pin` and `version`.
    let PreflightFinding { title, why, hint, trace, policy, pin: _, version: _ } = finding;
    let mut parts = vec![format!("{}.", title.trim_end_matches('.')), why.clone()];
    if !hint.is_empty() {
        parts.push(format!("Solution: {hint}"));
    }
    if policy.is_some() {
        parts.push("The policy to paste is printed below.".to_owned());
    }
    parts.extend(trace.as_ref().map(|trace| format!("Last response: {trace}")));
    parts.iter().flat_map(|part| folded(&clean(part), WIDTH)).map(|line| format!("    {line}")).collect()
}

fn mark(state: StepState) -> (&'static str, Style) {
    match state {
        StepState::Passed => ("✓", AnsiColor::Green.on_default()),
        StepState::Warned => ("!", AnsiColor::Yellow.on_default()),
        StepState::Failed => ("✗", AnsiColor::Red.on_default()),
        StepState::Waiting | StepState::Running | StepState::Skipped => ("-", Style::new().dimmed()),
    }
}

/// Exact where it is short: a handshake of some tenths of a millisecond is no 0 ms.
fn milliseconds(took: f64) -> String {
    if took < 9.95 { format!("{took:.1} ms") } else { format!("{took:.0} ms") }
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::{PreflightFinding, PreflightStep, Step, StepState};

    use super::{lines, milliseconds};

    fn step(state: StepState, took_ms: Option<f64>, finding: Option<PreflightFinding>) -> PreflightStep {
        let said = "Refused:\u{1b}[2J closed".to_owned();
        PreflightStep { step: Step::Subscribe, name: "Subscribe".to_owned(), state, said, took_ms, finding }
    }

    fn plain(step: &PreflightStep) -> String {
        anstream::adapter::strip_str(&lines(step).join("\n")).to_string()
    }

    #[test]
    fn a_step_is_a_line() {
        let check = |state: StepState, took: Option<f64>, expected: &str| {
            assert_eq!(plain(&step(state, took, None)), expected);
        };
        check(StepState::Passed, Some(0.42), "✓ Subscribe   Refused:\\u{1b}[2J closed  0.4 ms");
        check(StepState::Failed, Some(31.4), "✗ Subscribe   Refused:\\u{1b}[2J closed  31 ms");
        check(StepState::Waiting, None, "- Subscribe   Refused:\\u{1b}[2J closed");
    }

    #[test]
    fn a_refusal_is_explained_below_its_step() {
        let finding = PreflightFinding {
            title: "The broker closed".to_owned(),
            why: "long ".repeat(30),
            hint: "Allow it.".to_owned(),
            trace: Some("SUBSCRIBE +/resp, then nothing.".to_owned()),
            policy: Some("{\n}".to_owned()),
            pin: None,
            version: None,
        };
        let said = plain(&step(StepState::Failed, None, Some(finding)));
        let lines: Vec<_> = said.lines().skip(1).collect();
        assert_eq!(lines[0], "    The broker closed.");
        assert!(lines[1].starts_with("    long long") && lines[2].starts_with("    long"), "{said}");
        assert_eq!(
            lines[3..],
            [
                "    Solution: Allow it.",
                "    The policy to paste is printed below.",
                "    Last response: SUBSCRIBE +/resp, then nothing."
            ]
        );
    }

    #[test]
    fn short_times_are_exact() {
        assert_eq!((milliseconds(0.14), milliseconds(9.96)), ("0.1 ms".to_owned(), "10 ms".to_owned()));
    }
}
