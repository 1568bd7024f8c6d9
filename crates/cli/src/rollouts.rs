//! `wilco rollout`: one command for many devices, in stages.

mod detail;
mod export;
mod follow;
mod line;
mod plan;
mod rehearse;
mod start;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use wilco_engine::api::{
    FollowReason, Follows, MemberQuery, MemberView, RolloutAction, RolloutDetail, RolloutTarget, RolloutView,
    WhichMembers,
};

use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    options::{FollowOptions, Listing, RolloutOptions, RolloutTask},
    output::{Cell, Output, Table, clean, count, entered, local_time, state_name, state_style, visible_name},
    problem::Problem,
};
use follow::Follow;
use line::{MemberLine, RolloutLine, Shown};
pub(crate) use start::{go, send};

/// Members of one page.
const PAGE: u32 = 1_000;
/// Retained reports have come when nothing has changed for this long.
const REPORT_QUIET: Duration = Duration::from_millis(300);
const REPORTED_WITHIN: Duration = Duration::from_secs(3);

/// Does it.
pub(crate) async fn run(task: RolloutTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let task = match task {
        RolloutTask::Start(options) => Task::Start(Box::new(start::Order::read(*options)?)),
        RolloutTask::List { connection, output } => Task::List { connection, output },
        RolloutTask::Show { rollout } => Task::Show(rollout),
        RolloutTask::Watch { rollout } => Task::Watch(rollout),
        RolloutTask::Resume { rollout } => Task::Resume(rollout),
        RolloutTask::Pause { rollout } => Task::Act(rollout, RolloutAction::Pause),
        RolloutTask::Stop { rollout } => Task::Act(rollout, RolloutAction::Stop),
        RolloutTask::Next { rollout } => Task::Act(rollout, RolloutAction::StartNextStage),
        RolloutTask::CloseStage { rollout } => Task::Act(rollout, RolloutAction::CloseStage),
        RolloutTask::Export(options) => Task::Export(export::Export::read(options)?),
        RolloutTask::Retry { rollout, not_started: false } => Task::FollowUp(rollout, FollowReason::RetryFailed),
        RolloutTask::Retry { rollout, not_started: true } => {
            Task::FollowUp(rollout, FollowReason::RetryFailedAndNotStarted)
        }
        RolloutTask::Again { rollout } => Task::FollowUp(rollout, FollowReason::SendAgain),
        RolloutTask::PutBack { rollout } => Task::FollowUp(rollout, FollowReason::PutBack),
    };
    let mut interrupt = Interrupt::listen()?;
    let mut base = Base::open(data_dir).await?;
    let outcome = task.carry_out(&mut base, &mut interrupt).await;
    base.close().await;
    outcome
}

enum Task {
    Start(Box<start::Order>),
    List { connection: Option<String>, output: Listing },
    Show(RolloutOptions),
    Watch(RolloutOptions),
    Resume(RolloutOptions),
    Act(RolloutOptions, RolloutAction),
    Export(export::Export),
    FollowUp(FollowOptions, FollowReason),
}

impl Task {
    async fn carry_out(self, base: &mut Base, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        match self {
            Task::Start(order) => order.carry_out(base, interrupt).await,
            Task::List { connection, output } => list(base, connection.as_deref(), output).await,
            Task::Show(RolloutOptions { id, output }) => show(base, &id, output).await,
            Task::Watch(RolloutOptions { id, output }) => {
                let batches = base.console().listen().await?;
                let view = find(base, &id).await?;
                Follow::new(base, view, batches, output).run(interrupt).await
            }
            Task::Resume(RolloutOptions { id, output }) => {
                let batches = base.console().listen().await?;
                let view = base.console().act_on_rollout(&id, RolloutAction::Resume).await?;
                Follow::new(base, view, batches, output).run(interrupt).await
            }
            Task::Act(RolloutOptions { id, output }, action) => {
                let view = base.console().act_on_rollout(&id, action).await?;
                print(&[view], output).map_err(|problem| match (action, problem) {
                    (RolloutAction::StartNextStage | RolloutAction::CloseStage, Problem::Message { message, hint }) => {
                        // Its commands may be on their way.
                        Problem::Unclear { message: format!("{message} Rollout {id} continues."), hint }
                    }
                    (_, problem) => problem,
                })
            }
            Task::Export(export) => export.make(base).await,
            Task::FollowUp(options, reason) => follow_up(options, reason, base, interrupt).await,
        }
    }
}

/// Imports the answer of a second installation, and follows the rollout that it lets start.
pub(crate) async fn import_approval(
    file: PathBuf,
    rollout: Option<String>,
    base: &mut Base,
    interrupt: &mut Interrupt,
    listing: Listing,
) -> Result<ExitCode, Problem> {
    let batches = base.console().listen().await?;
    let view = base.console().import_approval(file, rollout).await?;
    Follow::new(base, view, batches, listing).run(interrupt).await
}

/// Starts a rollout that follows an earlier one.
async fn follow_up(
    FollowOptions { id, dry_run, confirm, output }: FollowOptions,
    reason: FollowReason,
    base: &mut Base,
    interrupt: &mut Interrupt,
) -> Result<ExitCode, Problem> {
    let earlier = find(base, &id).await?;
    let which = match reason {
        FollowReason::RetryFailed => WhichMembers::Failed,
        FollowReason::RetryFailedAndNotStarted => WhichMembers::FailedOrNotStarted,
        FollowReason::SendAgain => WhichMembers::All,
        FollowReason::PutBack => WhichMembers::Changed,
    };
    let mut spec = earlier.spec;
    spec.target = RolloutTarget::Members { rollout: earlier.id.clone(), which };
    spec.follows = Some(Follows { rollout: earlier.id, reason });
    if reason == FollowReason::PutBack {
        // They say what the earlier one was for.
        (spec.name, spec.note) = (None, None);
    }
    go(spec, dry_run, &confirm, base, interrupt, output).await
}

/// The rollout of that number.
async fn find(base: &Base, id: &str) -> Result<RolloutView, Problem> {
    let mut all = base.console().rollouts().await?;
    let place = all.iter().position(|view| view.id == id.trim());
    place.map(|place| all.swap_remove(place)).ok_or_else(|| {
        Problem::new(format!("There is no rollout '{}'.", entered(id)), "List rollouts with wilco rollout list.")
    })
}

async fn list(base: &Base, connection: Option<&str>, output: Listing) -> Result<ExitCode, Problem> {
    let mut all = base.console().rollouts().await?;
    if let Some(name) = connection {
        let connection = base.connection(name).await?;
        all.retain(|view| view.spec.connection == connection.id);
    }
    print(&all, output)
}

fn print(views: &[RolloutView], listing: Listing) -> Result<ExitCode, Problem> {
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            views.iter().try_for_each(|view| output.json(&RolloutLine::of(view)))?;
            output.flush()?;
        }
        Listing::Text if views.is_empty() => {
            let mut output = Output::text();
            output.line("No rollouts yet.")?;
            output.flush()?;
        }
        Listing::Text => {
            let mut table = Table::new(["ROLLOUT", "NAME", "STATE", "STAGE", "MEMBERS", "STARTED"]);
            for view in views {
                table.row([
                    view.id.clone().into(),
                    line::name(view).into(),
                    line::state(view).into(),
                    format!("{} of {}", view.stage + 1, view.stages.len()).into(),
                    line::counts(&view.counts).into(),
                    local_time(view.started_at).into(),
                ]);
            }
            table.print(&mut Output::text())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(base: &Base, id: &str, listing: Listing) -> Result<ExitCode, Problem> {
    let view = find(base, id).await?;
    learn_devices(base, &view).await?;
    let detail = base.console().rollout(&view.id).await?;
    let view = &detail.rollout;
    let members = members(base, MemberQuery { rollout: view.id.clone(), ..MemberQuery::default() }).await?;
    match listing {
        Listing::Json => {
            let members = members.iter().map(MemberLine::of).collect();
            let mut output = Output::data();
            let rollout = RolloutLine::of(view);
            let RolloutDetail {
                answer_times,
                firmware_times,
                causes,
                shared,
                slow,
                disagree,
                followed_by,
                unexpected_devices,
                unexpected_count,
                ..
            } = detail;
            let shown = Shown {
                rollout,
                answer_times,
                firmware_times,
                causes,
                shared,
                slow,
                disagree,
                followed_by,
                unexpected_devices,
                unexpected_count,
                members,
            };
            output.json(&shown)?;
            output.flush()?;
        }
        Listing::Text => {
            let mut output = Output::text();
            output.line(&line::text(view))?;
            if let Some(why) = &view.why {
                output.line(&clean(why))?;
            }
            detail::lines(&detail).iter().try_for_each(|line| output.line(line))?;
            let mut table = Table::new(["DEVICE", "STAGE", "STATE", "TOOK", "MESSAGE"]);
            for member in &members {
                table.row(row(member));
            }
            table.print(&mut output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A newly started engine must first receive the devices' reports, for example their firmware. Without a connection the
/// stored values are shown.
async fn learn_devices(base: &Base, view: &RolloutView) -> Result<(), Problem> {
    if !base.is_own() {
        return Ok(());
    }
    let connection = base.connection(&view.spec.connection).await?;
    let mut batches = base.console().listen().await?;
    if link::online(base.console(), &mut batches, &connection, REPORTED_WITHIN).await.is_ok() {
        link::settled(base.console(), &connection.id, REPORT_QUIET, REPORTED_WITHIN).await?;
    }
    Ok(())
}

/// A member as a row of a table.
fn row(member: &MemberView) -> [Cell; 5] {
    [
        visible_name(&member.device).into_owned().into(),
        count(member.stage as usize + 1).into(),
        (state_name(member.state), state_style(member.state)).into(),
        member.took_ms.map(|took| format!("{took:.0} ms")).unwrap_or_default().into(),
        member.message.as_deref().map(clean).unwrap_or_default().into_owned().into(),
    ]
}

/// Every member that matches.
async fn members(base: &Base, query: MemberQuery) -> Result<Vec<MemberView>, Problem> {
    let mut rows = Vec::new();
    loop {
        let from = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let page = base.console().rollout_members(query.clone(), from, PAGE).await?;
        let last = page.rows.is_empty();
        rows.extend(page.rows);
        if last || rows.len() >= page.matching as usize {
            return Ok(rows);
        }
    }
}
