//! The report of a preflight, sent after each change.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::{Stop, milliseconds};
use crate::transport::Progress;
use wilco_connection::{PreflightFinding, PreflightStep, PreflightView, Step, StepState};

/// The steps in their order, with their names for people.
const STEPS: [(Step, &str); 8] = [
    (Step::Name, "Name"),
    (Step::Tcp, "TCP"),
    (Step::Tls, "TLS"),
    (Step::WebSocket, "WebSocket"),
    (Step::Connect, "Connect"),
    (Step::Subscribe, "Subscribe"),
    (Step::Publish, "Publish"),
    (Step::RoundTrip, "Round trip"),
];

/// The progress of a preflight. It reports each change.
pub struct Report {
    view: PreflightView,
    tell: UnboundedSender<PreflightView>,
    /// The steps before this one keep their last result, unless it changes now.
    from: Step,
}

impl Report {
    /// Nothing tested yet; or, if it starts at a later step, with the results of the earlier steps from `last`.
    pub fn new(
        websocket: bool,
        from: Option<Step>,
        last: Option<PreflightView>,
        tell: UnboundedSender<PreflightView>,
    ) -> Report {
        let steps = STEPS.into_iter().filter(|(step, _)| websocket || *step != Step::WebSocket);
        let from = from.unwrap_or(Step::Name);
        let steps = steps.map(|(step, name)| {
            let seen = last.iter().flat_map(|last| &last.steps).find(|seen| seen.step == step && step < from);
            seen.cloned().unwrap_or_else(|| PreflightStep {
                step,
                name: name.to_owned(),
                state: StepState::Waiting,
                said: "Not tested".to_owned(),
                took_ms: None,
                finding: None,
            })
        });
        let view = PreflightView {
            steps: steps.collect(),
            done: false,
            ok: false,
            verdict: String::new(),
            denied: Vec::new(),
        };
        let report = Report { view, tell, from };
        report.publish();
        report
    }

    /// Its current state.
    #[must_use]
    pub fn view(&self) -> &PreflightView {
        &self.view
    }

    pub(super) fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Trying(step) => self.begin(step),
            Progress::Passed { step, said, took } => self.passed(step, said, took),
            Progress::Skipped { step, said } => self.set(step, StepState::Skipped, &said, None, None),
        }
    }

    pub(super) fn begin(&mut self, step: Step) {
        // Done again only to get there.
        if step >= self.from {
            self.set(step, StepState::Running, "Trying", None, None);
        }
    }

    /// The current action of a running step.
    pub(super) fn say(&mut self, step: Step, said: &str) {
        if step >= self.from {
            self.set(step, StepState::Running, said, None, None);
        }
    }

    pub(super) fn passed(&mut self, step: Step, said: impl Into<String>, took: Duration) {
        self.set(step, StepState::Passed, &said.into(), Some(took), None);
    }

    pub(super) fn warned(&mut self, step: Step, said: &str, took: Duration, finding: PreflightFinding) {
        self.set(step, StepState::Warned, said, Some(took), Some(finding));
    }

    pub(super) fn failed(&mut self, step: Step, stop: &Stop, finding: PreflightFinding) {
        self.set(step, StepState::Failed, &stop.said, Some(stop.took), Some(finding));
    }

    pub(super) fn denied(&mut self, filters: Vec<String>) {
        self.view.denied = filters;
    }

    /// Nothing more is tried.
    pub(super) fn done(&mut self) {
        self.view.done = true;
        let failed = self.view.steps.iter().find(|step| step.state == StepState::Failed);
        self.view.ok = failed.is_none();
        let warned = self.view.steps.iter().any(|step| step.state == StepState::Warned);
        self.view.verdict = match failed {
            Some(step) => format!("Stopped at {}.", step.name),
            None if warned => "All steps passed with warnings.".to_owned(),
            None => "All steps passed.".to_owned(),
        };
        self.publish();
    }

    /// The user stopped it.
    pub fn stopped(&mut self) {
        let running = self.view.steps.iter_mut().find(|step| step.state == StepState::Running);
        let at = running.map(|step| {
            step.state = StepState::Waiting;
            step.said = "Stopped".to_owned();
            step.name.clone()
        });
        self.view.done = true;
        self.view.verdict =
            at.map_or_else(|| "You stopped the test.".to_owned(), |at| format!("You stopped the test at {at}."));
        self.publish();
    }

    pub(super) fn set(
        &mut self,
        step: Step,
        state: StepState,
        said: &str,
        took: Option<Duration>,
        finding: Option<PreflightFinding>,
    ) {
        if let Some(line) = self.view.steps.iter_mut().find(|line| line.step == step) {
            line.state = state;
            line.said = said.to_owned();
            line.took_ms = took.map(milliseconds);
            line.finding = finding;
        }
        self.publish();
    }

    fn publish(&self) {
        // A listener that has gone gets the whole at the end, or nothing.
        let _ = self.tell.send(self.view.clone());
    }
}
