//! Rehearses a rollout, marks every line of the output as a rehearsal, and then offers to start the real rollout.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anstyle::AnsiColor;
use serde::Serialize;
use wilco_engine::api::{
    AnswerTimes, Cause, FaultDials, MemberCounts, NewRollout, RehearsalView, RolloutState, RolloutView,
};
use wilco_rehearsal::Rehearsal;

use super::{line, plan};
use crate::{
    base::Base,
    input,
    interrupt::Interrupt,
    link,
    options::Listing,
    output::{Output, clean, count, paint, several, time_of_day, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// The progress of a rehearsal, for programs. Stages count from 1.
#[derive(Debug, PartialEq, Serialize)]
struct RehearsalLine {
    /// Always: nothing was sent to a real device.
    rehearsal: bool,
    state: RolloutState,
    ended: bool,
    why: Option<String>,
    stage: u32,
    stages: usize,
    total: u32,
    counts: MemberCounts,
    waiting_for_offline: u32,
    took_ms: u64,
    left_out_ms: u64,
    answer_times: Option<AnswerTimes>,
    causes: Vec<Cause>,
    remarks: Vec<String>,
}

impl RehearsalLine {
    fn of(view: &RehearsalView) -> RehearsalLine {
        let RehearsalView { rollout, ended, took_ms, left_out_ms, waiting_for_offline, answer_times, causes, remarks } =
            view.clone();
        RehearsalLine {
            rehearsal: true,
            state: rollout.state,
            ended,
            why: rollout.why,
            stage: rollout.stage + 1,
            stages: rollout.stages.len(),
            total: rollout.members,
            counts: rollout.counts,
            waiting_for_offline,
            took_ms,
            left_out_ms,
            answer_times: ended.then_some(answer_times),
            causes,
            remarks,
        }
    }
}

/// Rehearses it, and prints how that progresses.
pub(super) async fn run(
    spec: &NewRollout,
    dials: &FaultDials,
    base: &Base,
    interrupt: &mut Interrupt,
    listing: Listing,
) -> Result<RehearsalView, Problem> {
    match link::ready(&spec.connection, base, interrupt).await {
        Err(Problem::Message { message, .. }) => {
            let hint = "The rehearsal uses what Wilco already knows about the devices.";
            problem::warn(&message, Some(hint));
        }
        Err(problem) => return Err(problem),
        Ok(_) => {}
    }
    let plan = base.console().plan_rehearsal(spec.clone()).await?;
    let mut printer = RehearsalPrinter { output: output(listing), listing, last: None };
    let rehearsal = tokio::select! {
        rehearsal = Rehearsal::prepare(plan, dials) => rehearsal?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    };
    printer.devices(rehearsal.devices())?;
    let mut printed = Ok(());
    let ended = tokio::select! {
        ended = rehearsal.run(|view| {
            if printed.is_ok() {
                printed = printer.progress(view);
            }
        }) => ended,
        () = interrupt.received() => {
            rehearsal.stop().await;
            return Err(Problem::Interrupted);
        }
    };
    rehearsal.stop().await;
    printed?;
    Ok(ended?)
}

/// Asks on the terminal whether the real rollout is to start now. Without a terminal it does not.
pub(super) async fn start_now(
    spec: &NewRollout,
    rehearsed: &RehearsalView,
    base: &Base,
    interrupt: &mut Interrupt,
) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let connections = base.console().connections().await?;
    let name = connections.into_iter().find(|one| one.id == spec.connection).map(|one| one.name).unwrap_or_default();
    let devices = several(rehearsed.rollout.members as usize, "device");
    let question = format!("Start the real rollout now, on {devices} of {}? [y/N] ", visible_name(&name));
    tokio::select! {
        answer = input::yes(&question) => answer,
        () = interrupt.received() => Err(Problem::Interrupted),
    }
}

/// That of a rehearsal after which nothing else was started.
pub(super) fn exit_code(rehearsed: &RehearsalView) -> ExitCode {
    if line::all_done(&rehearsed.rollout) { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) }
}

fn output(listing: Listing) -> Output {
    match listing {
        Listing::Text => Output::text(),
        Listing::Json => Output::data(),
    }
}

/// The printed part of a rehearsal.
struct RehearsalPrinter {
    output: Output,
    listing: Listing,
    last: Option<RolloutView>,
}

impl RehearsalPrinter {
    fn devices(&mut self, count: usize) -> Result<(), Problem> {
        if self.listing == Listing::Json {
            return Ok(());
        }
        let devices = several(count, "virtual device");
        self.output.line(&format!("Rehearsal on {devices}. Nothing is sent to real devices."))?;
        self.output.flush()
    }

    fn progress(&mut self, view: &RehearsalView) -> Result<(), Problem> {
        let same = |last: &RolloutView| {
            (last.state, last.stage, last.counts) == (view.rollout.state, view.rollout.stage, view.rollout.counts)
        };
        if !view.ended && self.last.as_ref().is_some_and(same) {
            return Ok(());
        }
        match self.listing {
            Listing::Json => self.output.json(&RehearsalLine::of(view))?,
            Listing::Text if view.ended => {
                for line in result(view) {
                    self.output.line(&line)?;
                }
            }
            Listing::Text => {
                let RolloutView { stage, stages, counts, changed_at, .. } = &view.rollout;
                let (state, style) = line::state(&view.rollout);
                self.output.line(&format!(
                    "{}  {}  {}  stage {} of {}  {}",
                    time_of_day(*changed_at),
                    paint("rehearsal", AnsiColor::Magenta.on_default()),
                    paint(&state, style),
                    count(*stage as usize + 1),
                    count(stages.len()),
                    line::counts(counts)
                ))?;
            }
        }
        self.last = Some(view.rollout.clone());
        self.output.flush()
    }
}

/// The result in lines for people.
fn result(view: &RehearsalView) -> Vec<String> {
    let RehearsalView { rollout, took_ms, left_out_ms, waiting_for_offline, answer_times, causes, remarks, .. } = view;
    let how = match rollout.state {
        RolloutState::Halted => "The rehearsal halted",
        _ => "The rehearsal finished",
    };
    let mut lines = vec![format!("{how} after {}: {}.", seconds(*took_ms), line::counts(&rollout.counts))];
    lines.extend(rollout.why.as_deref().map(|why| clean(why).into_owned()));
    if let (Some(p50), Some(p95)) = (answer_times.p50_ms, answer_times.p95_ms) {
        lines.push(format!("Half of the answers took up to {p50:.0} ms, 95 % up to {p95:.0} ms."));
    }
    for Cause { message, count: number, .. } in causes {
        lines.push(format!("{}: {}", several(*number as usize, "device"), clean(message)));
    }
    if *waiting_for_offline > 0 {
        let devices = several(*waiting_for_offline as usize, "command");
        let wait = if *waiting_for_offline == 1 { "waits" } else { "wait" };
        lines.push(format!("{devices} {wait} for an offline device. The rehearsal skips them."));
    }
    if *left_out_ms > 0 {
        lines.push(format!("The real rollout also pauses between stages: {} in total.", plan::duration(*left_out_ms)));
    }
    lines.extend(remarks.iter().map(|remark| clean(remark).into_owned()));
    lines.push("Nothing was sent to real devices.".to_owned());
    lines
}

#[expect(clippy::cast_precision_loss, reason = "to a tenth of a second")]
fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", milliseconds as f64 / 1_000.0)
}
