//! Starts a rollout.

use std::process::ExitCode;

use tokio::sync::mpsc::Receiver;
use wilco_engine::{
    api::{
        Batch, BetweenStages, Confirmation, ExpectedMembers, Failure, FailureCode, FaultDials, FollowReason, HaltRule,
        LeaveOut, NewRollout, RolloutTarget, RolloutView, TYPED_COUNT_ABOVE,
    },
    tag_search,
};

use super::{follow::Follow, plan, rehearse};
use crate::{
    base::Base,
    input,
    interrupt::Interrupt,
    link,
    options::{ConfirmOptions, Listing, NamedDevices, PaceOptions, SkippedDevices, StartOptions},
    output::{clean, several},
    problem::{self, Problem},
    times,
};

/// In the place of a group.
const EVERYONE: &str = "all";

/// The task, checked as far as possible without an engine.
pub(super) struct Order {
    connection: String,
    spec: NewRollout,
    /// Its timeout is the suggested one.
    suggests: bool,
    listing: Listing,
    /// Only print the plan.
    dry_run: bool,
    /// Rehearse it first, with these faults.
    rehearse: Option<FaultDials>,
    confirm: ConfirmOptions,
}

impl Order {
    pub(super) fn read(options: StartOptions) -> Result<Order, Problem> {
        let StartOptions {
            connection,
            named,
            search,
            tag,
            broadcast,
            leave_out,
            pace,
            expect,
            dry_run,
            rehearse,
            command,
            sending,
            confirm,
            output,
        } = options;
        let suggests = sending.suggests();
        let command = sending.command(command)?;
        let spec = NewRollout {
            target: target(&named, search, tag, broadcast)?,
            leave_out: LeaveOut {
                offline: leave_out.contains(&SkippedDevices::Offline),
                already: leave_out.contains(&SkippedDevices::Already),
                busy: leave_out.contains(&SkippedDevices::Busy),
            },
            command,
            expected: expect.map(|count| ExpectedMembers { count, fingerprint: None }),
            ..NewRollout::from(pace)
        };
        let rehearse = rehearse.rehearse.then(|| rehearse.dials());
        Ok(Order { connection, spec, suggests, listing: output, dry_run, rehearse, confirm })
    }

    pub(super) async fn carry_out(self, base: &mut Base, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        let connection = base.connection(&self.connection).await?;
        let mut spec = self.spec;
        if self.suggests {
            let suggested = times::suggested(base, &connection, None, &spec.command.name).await?;
            spec.command.timeout_ms = Some(suggested);
        }
        spec.connection = connection.id;
        if let Some(dials) = &self.rehearse {
            let rehearsed = rehearse::run(&spec, dials, base, interrupt, self.listing).await?;
            if !rehearse::start_now(&spec, &rehearsed, base, interrupt).await? {
                return Ok(rehearse::exit_code(&rehearsed));
            }
        }
        go(spec, self.dry_run, &self.confirm, base, interrupt, self.listing).await
    }
}

impl From<PaceOptions> for NewRollout {
    fn from(pace: PaceOptions) -> NewRollout {
        let PaceOptions {
            stages,
            rate,
            in_flight,
            halt_above,
            halt_after,
            ignore_timeouts,
            pause_between,
            gate,
            hours,
            name,
            note,
        } = pace;
        NewRollout {
            name,
            note,
            stages,
            between: pause_between.unwrap_or(BetweenStages::Continue),
            rate,
            in_flight,
            gate,
            hours,
            halt: halt_above.map(|above| HaltRule { above, after: halt_after, count_timeouts: !ignore_timeouts }),
            ..NewRollout::default()
        }
    }
}

/// Starts it when the connection is online, and follows it; or only prints the plan.
pub(crate) async fn go(
    spec: NewRollout,
    dry_run: bool,
    confirm: &ConfirmOptions,
    base: &mut Base,
    interrupt: &mut Interrupt,
    listing: Listing,
) -> Result<ExitCode, Problem> {
    let batches = link::ready(&spec.connection, base, interrupt).await?;
    if dry_run {
        let plan = base.console().plan_rollout(spec.clone()).await?;
        return plan::print(&plan, spec, base, listing).await;
    }
    if spec.follows.as_ref().is_some_and(|follows| follows.reason == FollowReason::PutBack) {
        let plan = base.console().plan_rollout(spec.clone()).await?;
        if let Some(left_out) = plan::unknown_before(&plan) {
            problem::warn(&left_out, Some("Set their configuration by hand."));
        }
        if let Some(changed) = plan::changed_since(&plan) {
            problem::warn(&changed, None);
        }
    }
    if let RolloutTarget::Desired { unknown, .. } = spec.target {
        let plan = base.console().plan_rollout(spec.clone()).await?;
        if let Some(left_out) = plan::unreported(&plan).filter(|_| !unknown) {
            problem::warn(&left_out, Some("Include them with --include-unknown."));
        }
        if plan.members == 0 {
            return plan::print_remarks(&plan, listing);
        }
    }
    let view = start(spec, confirm, base, interrupt).await?;
    Follow::new(base, view, batches, listing).unless_unapproved().run(interrupt).await
}

/// Starts it with exactly the devices that the person has confirmed, and asks again where they have changed meanwhile.
async fn start(
    spec: NewRollout,
    confirm: &ConfirmOptions,
    base: &Base,
    interrupt: &mut Interrupt,
) -> Result<RolloutView, Problem> {
    loop {
        let confirmed = confirmed(spec.clone(), confirm, base, interrupt).await?;
        let was_asked = confirmed.expected != spec.expected;
        match base.console().start_rollout(confirmed).await {
            Err(Failure { code: FailureCode::Changed, message, .. }) if was_asked => problem::warn(&message, None),
            started => return Ok(started?),
        }
    }
}

/// The rollout with what the person has confirmed of it.
async fn confirmed(
    spec: NewRollout,
    confirm: &ConfirmOptions,
    base: &Base,
    interrupt: &mut Interrupt,
) -> Result<NewRollout, Problem> {
    let connection = base.connection(&spec.connection).await?;
    let plan = base.console().plan_rollout(spec.clone()).await?;
    if let Some(busy) = plan::busy_elsewhere(&plan) {
        problem::warn(&busy, Some("Leave such devices out with --leave-out busy."));
    }
    if let Some(overlap) = &plan.overlap_here {
        problem::warn(&clean(overlap), Some("Wait until it has finished, or stop it: wilco rollout stop."));
    }
    // It is refused below, and nobody is asked for a number of devices that is not the wanted one.
    if spec.expected.as_ref().is_some_and(|expected| expected.count != plan.members) {
        return Ok(spec);
    }
    let what = format!("{} to {}", spec.command.name, several(plan.members as usize, "device"));
    let asks = input::asks(plan.confirmation, confirm);
    let counts = plan.dangerous && plan.confirmation == Confirmation::None && plan.members > TYPED_COUNT_ABOVE;
    let confirming = async {
        let confirmed = input::confirmation(plan.confirmation, &connection.name, &what, confirm).await?;
        let counted = counts && input::counted(plan.members, &what, confirm).await?;
        Ok::<_, Problem>((confirmed, counted))
    };
    let (confirmed, counted) = tokio::select! {
        confirmed = confirming => confirmed?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    };
    let exactly = ExpectedMembers { count: plan.members, fingerprint: Some(plan.fingerprint) };
    let expected = if asks || counted { Some(exactly) } else { spec.expected };
    Ok(NewRollout { confirmed, expected, ..spec })
}

/// Starts it over an online connection, and follows it; an interrupt cancels what was not sent yet. `batches` are
/// subscribed to already.
pub(crate) async fn send(
    spec: NewRollout,
    confirm: &ConfirmOptions,
    batches: Receiver<Batch>,
    base: &mut Base,
    interrupt: &mut Interrupt,
    listing: Listing,
) -> Result<ExitCode, Problem> {
    let view = start(spec, confirm, base, interrupt).await?;
    Follow::new(base, view, batches, listing).stopped_by_interrupt().unless_unapproved().run(interrupt).await
}

fn target(
    named: &NamedDevices,
    search: Option<String>,
    tag: Option<String>,
    broadcast: Option<String>,
) -> Result<RolloutTarget, Problem> {
    if broadcast.is_none() && search.is_none() && tag.is_none() {
        let devices = input::devices(named)?;
        return Ok(RolloutTarget::Devices { devices });
    }
    let tag = tag.map(|tag| tag_search(&tag));
    // In parentheses: with `a or b` before it the tag would narrow b alone.
    let search = search.map(|search| if tag.is_some() { format!("({search})") } else { search });
    let search = search.into_iter().chain(tag).collect::<Vec<_>>().join(" ");
    Ok(match broadcast {
        Some(group) => RolloutTarget::Broadcast { group: (group != EVERYONE).then_some(group), search },
        None => RolloutTarget::Search { search },
    })
}
