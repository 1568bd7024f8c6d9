//! The progress of a rollout, as one line.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use wilco_engine::api::{
    AnswerTimes, Cause, JsonText, MemberCounts, MemberState, MemberView, RolloutApproval, RolloutState, RolloutView,
    SharedTrait, SlowAnswers, TimesView, UnexpectedDevice, WaitsFor, grouped,
};

use crate::output::{clean, count, local_time, paint, several, state_name, state_style, time_of_day, visible_name};

/// A rollout in its current state, for programs. Stages count from 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RolloutLine {
    rollout: String,
    name: Option<String>,
    command: String,
    state: RolloutState,
    waits_for: Option<WaitsFor>,
    why: Option<String>,
    /// The approval that it needs, and by whom it was given.
    approval: Option<RolloutApproval>,
    stage: u32,
    stages: usize,
    total: u32,
    counts: MemberCounts,
    waiting_for_offline: u32,
    started_at: i64,
    ended_at: Option<i64>,
    follows: Option<String>,
    /// When it reached this state, Unix milliseconds.
    at: i64,
}

/// A rollout with its members, for programs.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub(super) rollout: RolloutLine,
    pub(super) answer_times: AnswerTimes,
    pub(super) firmware_times: Vec<TimesView>,
    pub(super) causes: Vec<Cause>,
    pub(super) shared: Vec<SharedTrait>,
    pub(super) slow: Option<SlowAnswers>,
    /// Members that answered that they succeeded, but report other values.
    pub(super) disagree: u32,
    pub(super) followed_by: Vec<String>,
    pub(super) unexpected_devices: Vec<UnexpectedDevice>,
    pub(super) unexpected_count: u32,
    pub(super) members: Vec<MemberLine>,
}

/// A member in its current state, for programs. Stages count from 1.
#[derive(Serialize)]
pub(super) struct MemberLine {
    device: String,
    stage: u32,
    state: MemberState,
    command: Option<String>,
    message: Option<String>,
    attempts: u32,
    released_at: Option<i64>,
    finished_at: Option<i64>,
    took_ms: Option<f64>,
    firmware: Option<String>,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    args: Option<JsonText>,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    earlier: Option<JsonText>,
}

impl RolloutLine {
    pub(super) fn of(view: &RolloutView) -> RolloutLine {
        RolloutLine {
            rollout: view.id.clone(),
            name: view.spec.name.clone(),
            command: view.spec.command.name.clone(),
            state: view.state,
            waits_for: view.waits_for.clone(),
            why: view.why.clone(),
            approval: view.approval.clone(),
            stage: view.stage + 1,
            stages: view.stages.len(),
            total: view.members,
            counts: view.counts,
            waiting_for_offline: view.stages.iter().map(|stage| stage.waiting_for_offline).sum(),
            started_at: view.started_at,
            ended_at: view.ended_at,
            follows: view.spec.follows.as_ref().map(|follows| follows.rollout.clone()),
            at: view.changed_at,
        }
    }

    /// Only the time may be different.
    pub(super) fn says_the_same(&self, other: &RolloutLine) -> bool {
        RolloutLine { at: other.at, ..self.clone() } == *other
    }

    /// Why it halted, if it has.
    pub(super) fn why(&self) -> Option<&String> {
        self.why.as_ref()
    }
}

impl MemberLine {
    pub(super) fn of(view: &MemberView) -> MemberLine {
        MemberLine {
            device: view.device.clone(),
            stage: view.stage + 1,
            state: view.state,
            command: view.command.clone(),
            message: view.message.clone(),
            attempts: view.attempts,
            released_at: view.released_at,
            finished_at: view.finished_at,
            took_ms: view.took_ms,
            firmware: view.firmware.clone(),
            args: view.args.clone(),
            earlier: view.earlier.clone(),
        }
    }
}

/// `10:21:03  rollout 3  running  stage 2 of 3  28 succeeded, 2 failed, 170 pending`
pub(super) fn text(view: &RolloutView) -> String {
    let (state, style) = state(view);
    let stages = view.stages.len();
    format!(
        "{}  rollout {}  {}  stage {} of {}  {}",
        time_of_day(view.changed_at),
        view.id,
        paint(&state, style),
        count(view.stage as usize + 1),
        count(stages),
        counts(&view.counts)
    )
}

/// The name.
pub(super) fn name(view: &RolloutView) -> String {
    let spec = &view.spec;
    visible_name(spec.name.as_deref().unwrap_or(&spec.command.name)).into_owned()
}

/// The name of its state, and its style.
pub(super) fn state(view: &RolloutView) -> (String, Style) {
    let text = match view.state {
        RolloutState::Waiting => waiting(view),
        state => state.as_str().to_owned(),
    };
    let style = match view.state {
        RolloutState::Halted => AnsiColor::Red.on_default(),
        RolloutState::Waiting | RolloutState::Paused | RolloutState::Stopped => AnsiColor::Yellow.on_default(),
        RolloutState::Running => AnsiColor::Cyan.on_default(),
        RolloutState::Finished => Style::new(),
    };
    (text, style)
}

fn waiting(view: &RolloutView) -> String {
    match &view.waits_for {
        Some(WaitsFor::Approval) => "waiting for approval".to_owned(),
        Some(WaitsFor::Person) => format!("waiting for wilco rollout next {}", view.id),
        Some(WaitsFor::Pause { until }) => format!("waiting until {}", local_time(*until)),
        Some(WaitsFor::Gate { until: Some(until), .. }) => {
            format!("waiting until {} while {} is within its limits", local_time(*until), series(view))
        }
        Some(WaitsFor::Gate { unmeasured: 0, .. }) => {
            format!("waiting: no finished device reports {}", series(view))
        }
        Some(WaitsFor::Gate { until: None, unmeasured, unmeasured_examples }) => {
            let more = if unmeasured_examples.len() < *unmeasured as usize { ", …" } else { "" };
            let names: Vec<_> = unmeasured_examples.iter().map(|device| visible_name(device)).collect();
            let devices = several(*unmeasured as usize, "device");
            format!("waiting for {} from {devices}: {}{more}", series(view), names.join(", "))
        }
        Some(WaitsFor::Hours { until }) => format!("waiting for maintenance hours at {}", local_time(*until)),
        Some(WaitsFor::Connection) => "waiting for the connection".to_owned(),
        None => "waiting".to_owned(),
    }
}

/// The measurement that its gate watches.
fn series(view: &RolloutView) -> String {
    clean(view.spec.gate.as_ref().map_or("the measurement", |gate| gate.series.as_str())).into_owned()
}

/// `28 succeeded, 2 failed, 170 pending`: those finished first.
pub(super) fn counts(counts: &MemberCounts) -> String {
    let some = counts.by_state().into_iter().filter(|(_, number)| *number > 0);
    let part = |(state, number): (MemberState, u32)| {
        paint(&format!("{} {}", grouped(number), state_name(state)), state_style(state))
    };
    let parts: Vec<_> = some.map(part).collect();
    parts.join(", ")
}

/// All members succeeded, or are not expected to answer.
pub(super) fn all_done(view: &RolloutView) -> bool {
    view.counts.succeeded + view.counts.unconfirmed == view.members
}
