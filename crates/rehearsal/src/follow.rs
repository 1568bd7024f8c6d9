//! Follows the rehearsed rollout until it ends.

use tokio::{sync::mpsc::Receiver, time::Instant};
use wilco_engine::{
    Handle,
    api::{
        AnswerTimes, Batch, Failure, MemberCounts, NewRollout, RehearsalPlan, RehearsalView, RolloutAction,
        RolloutState, RolloutView,
    },
};

pub(crate) async fn run(
    engine: &Handle,
    connection: &str,
    plan: &RehearsalPlan,
    devices_return: bool,
    mut tell: impl FnMut(&RehearsalView),
) -> Result<RehearsalView, Failure> {
    let mut batches = engine.listen().await?;
    let rollout = NewRollout { connection: connection.to_owned(), ..plan.rollout.clone() };
    let started = Instant::now();
    let mut view = engine.start_rehearsed(rollout, &plan.devices).await?;
    loop {
        tell(&progress(&view, plan, started));
        if view.ended_at.is_some() || !devices_return && waits_for_offline_only(&view) {
            break;
        }
        if !devices_return && stage_waits_for_offline_only(&view) {
            // As a person would.
            view = engine.act_on_rollout(&view.id, RolloutAction::CloseStage).await?;
            continue;
        }
        view = next(&mut batches, engine, &view).await?;
    }
    let detail = engine.rollout(&view.id).await?;
    let ended = RehearsalView {
        ended: true,
        answer_times: detail.answer_times,
        causes: detail.causes,
        ..progress(&detail.rollout, plan, started)
    };
    tell(&ended);
    Ok(ended)
}

/// Its state after the next change.
async fn next(batches: &mut Receiver<Batch>, engine: &Handle, before: &RolloutView) -> Result<RolloutView, Failure> {
    loop {
        let Some(batch) = batches.recv().await else {
            // We were too slow for the feed.
            *batches = engine.listen().await?;
            return Ok(engine.rollout(&before.id).await?.rollout);
        };
        let changed = batch.rollouts.into_iter().find(|view| view.number == before.number);
        if let Some(view) = changed.filter(|view| view != before && view.changed_at >= before.changed_at) {
            return Ok(view);
        }
    }
}

fn progress(view: &RolloutView, plan: &RehearsalPlan, started: Instant) -> RehearsalView {
    RehearsalView {
        rollout: view.clone(),
        ended: false,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        left_out_ms: plan.pause_ms.saturating_mul(u64::from(view.stage)),
        waiting_for_offline: waiting_for_offline(view),
        answer_times: AnswerTimes::default(),
        causes: Vec::new(),
        remarks: plan.remarks.clone(),
    }
}

fn waiting_for_offline(view: &RolloutView) -> u32 {
    view.stages.iter().map(|stage| stage.waiting_for_offline).sum()
}

/// Everything has ended but commands that wait for offline devices, which do not come.
fn waits_for_offline_only(view: &RolloutView) -> bool {
    let waiting = waiting_for_offline(view);
    let open = view.members - ended(&view.counts);
    // A halted rollout releases no further members.
    let pending = if view.state == RolloutState::Halted { view.counts.pending } else { 0 };
    waiting > 0 && open - pending == waiting
}

/// The same of its current stage, while another follows.
fn stage_waits_for_offline_only(view: &RolloutView) -> bool {
    let Some(stage) = view.stages.get(view.stage as usize) else { return false };
    let open = stage.members - ended(&stage.counts);
    let follows = view.stage as usize + 1 < view.stages.len();
    let runs = matches!(view.state, RolloutState::Running | RolloutState::Waiting);
    follows && runs && !stage.closed && open > 0 && open == stage.waiting_for_offline
}

fn ended(counts: &MemberCounts) -> u32 {
    counts.failed() + counts.succeeded + counts.unconfirmed
}
