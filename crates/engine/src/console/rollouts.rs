//! Plans, starts and changes rollouts.

mod detail;
mod export;
mod plan;
mod rehearsal;

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::Ordering,
};

use wilco_dialect::{Dialect, Topics};
use wilco_ledger::{Delivery, DeviceId, Disagreement, Policy, Retry, WireForm, rollout::Progress};

use super::{Handle, beyond, blocking, commands, device_id, fleet, no_rollout, not_found};
use crate::{
    api::{
        CommandState, Confirmed, Failure, FollowReason, Follows, JsonText, MemberPage, MemberQuery, MemberState,
        MemberView, NewCommand, NewRollout, RolloutAction, RolloutState, RolloutTarget, RolloutView, WhichMembers,
        excerpt, grouped, invalid, sentence,
    },
    controller::{Busy, OverlappingRollout, Request, SharedConnection, SharedFleet},
    fleet::{OutOfLine, Search},
    rollouts::{self, Found, Survey},
    store::{CommandTemplate, ConnectionId, MemberFilter, NewMember, RolloutSnapshot, StoredMember, StoredRollout},
    views,
};

/// Members of one page, at most.
const PAGE: u32 = 1_000;

/// A rollout as it would start.
pub(super) struct Drafted {
    pub(super) spec: NewRollout,
    pub(super) template: CommandTemplate,
    /// Its members, and what is known of its target.
    pub(super) survey: Survey,
    pub(super) stages: Vec<u32>,
    pub(super) dangerous: bool,
    /// It waits for the approval of a second installation.
    pub(super) needs_approval: bool,
    /// A rollout here that is still to send to some of its devices.
    pub(super) overlapping: Option<OverlappingRollout>,
    /// What is known of devices of which not all is known.
    pub(super) unknown: Unknown,
    /// Why there is nothing to do, where that is as it should be: then it has no members.
    pub(super) nothing: Option<Failure>,
}

/// The devices of a rollout before it is looked who of them is left out.
#[derive(Default)]
struct Target {
    members: Vec<NewMember>,
    unknown: Unknown,
    /// Why there is nothing to do, where that is as it should be.
    nothing: Option<Failure>,
}

/// Devices of a rollout of which not all is known that it needs.
#[derive(Default)]
pub(super) struct Unknown {
    /// Devices whose earlier values are unknown.
    pub(super) before: Found,
    /// Devices whose values have been changed since the rollout that is put back.
    pub(super) changed_since: Found,
    /// Devices that have not reported their configuration, so that differences are unknown.
    pub(super) unreported: Found,
    /// Devices that cannot be sent their wanted values, with the reason of the first.
    pub(super) unfit: Option<(Found, String)>,
}

impl Handle {
    /// Starts a rollout. Returns once it is on the disk, before anything is sent.
    ///
    /// # Errors
    /// [`crate::api::FailureCode::Invalid`] if any of it is invalid; then nothing is started; `NotFound`; `Store`.
    pub async fn start_rollout(&self, new: NewRollout) -> Result<RolloutView, Failure> {
        self.start_members(new, None).await
    }

    /// Starts a rollout for these members, or for those that its target selects.
    async fn start_members(&self, new: NewRollout, given: Option<Vec<NewMember>>) -> Result<RolloutView, Failure> {
        let (confirmed, expected) = (new.confirmed.clone(), new.expected.clone());
        let Drafted { spec, template, survey: Survey { members, .. }, stages, nothing, .. } =
            self.draft_members(new, given).await?;
        if let Some(changed) = expected.and_then(|expected| rollouts::changed(&expected, &members)) {
            return Err(changed);
        }
        self.shared(&spec.connection).await?.permit(true, &confirmed)?;
        if members.is_empty() {
            let left_out = || {
                invalid("All devices of this rollout are left out.".into(), "Choose other devices, or leave out fewer.")
            };
            return Err(nothing.unwrap_or_else(left_out));
        }
        let number = self.last_rollout.fetch_add(1, Ordering::Relaxed) + 1;
        let snapshot = RolloutSnapshot { progress: Progress::new(stages.len(), self.clock.now()), counts: Vec::new() };
        let connection = ConnectionId::from(spec.connection.as_str());
        // With what allows it to go on over a connection that is protected while it runs.
        let spec = NewRollout { confirmed, ..spec };
        let stored = StoredRollout { number, connection, spec, template, stages, snapshot, approval: None };
        self.request(|reply| Request::StartRollout(Box::new(stored), members, reply)).await??;
        self.shown_rollout(number).await
    }

    /// All rollouts of the connections that could be read, newest first.
    ///
    /// # Errors
    /// [`FailureCode::Internal`](crate::api::FailureCode) if the engine is stopping.
    pub async fn rollouts(&self) -> Result<Vec<RolloutView>, Failure> {
        self.loaded.all().await?;
        let shown = self.rollouts.read();
        Ok(shown.values().rev().cloned().collect())
    }

    /// Pauses, resumes or stops a rollout, or advances its stages. Returns once that is on the disk.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when it cannot be done as the rollout stands; `Store`.
    pub async fn act_on_rollout(&self, id: &str, action: RolloutAction) -> Result<RolloutView, Failure> {
        let number = self.shown_rollout(number(id)?).await?.number;
        self.request(|reply| Request::ActOnRollout(number, rollouts::action(action), reply)).await??;
        self.shown_rollout(number).await
    }

    /// Some of a rollout's members.
    ///
    /// # Errors
    /// `NotFound`; `Store`.
    pub async fn rollout_members(&self, query: MemberQuery, from: u32, count: u32) -> Result<MemberPage, Failure> {
        self.members(query, from, count.min(PAGE)).await
    }

    async fn members(&self, query: MemberQuery, from: u32, count: u32) -> Result<MemberPage, Failure> {
        let view = self.shown_rollout(number(&query.rollout)?).await?;
        let filter = MemberFilter {
            rollout: view.number,
            states: query.states.into_iter().map(Option::from).collect(),
            message: query.message,
            members: query.stage.map(|stage| places(&view, stage)),
            slowest_first: query.slowest_first,
        };
        let (rows, matching) = self.store.members_page(filter, from, count).await?;
        let shared = self.shared(&view.spec.connection).await.ok();
        let disagreements = self.store.disagreements(&ConnectionId::from(view.spec.connection.as_str())).await?;
        let disagreed: HashMap<_, _> = disagreements.iter().map(|(device, of)| ((device, &of.command), of)).collect();
        let past = |member: &StoredMember| disagreed.get(&(&member.device, member.command.as_ref()?)).copied();
        let rows = rows.into_iter().map(|member| member_view(&view, shared.as_ref(), past(&member), member)).collect();
        Ok(MemberPage { rows, from, matching })
    }

    pub(super) async fn shown_rollout(&self, number: u32) -> Result<RolloutView, Failure> {
        // It may be one of a connection that could not be read.
        let unread = self.loaded.all().await?;
        let shown = self.rollouts.read();
        shown.get(&number).cloned().ok_or_else(|| unread.unwrap_or_else(|| no_rollout(&number.to_string())))
    }

    /// Checks the parameters, and finds the devices.
    pub(super) async fn draft_rollout(&self, spec: NewRollout) -> Result<Drafted, Failure> {
        self.draft_members(spec, None).await
    }

    /// The same for the given members.
    async fn draft_members(&self, mut spec: NewRollout, given: Option<Vec<NewMember>>) -> Result<Drafted, Failure> {
        // They were given for the one that starts, and not for its plan or those that follow.
        spec.confirmed = Confirmed::No;
        spec.expected = None;
        let connection = ConnectionId::from(spec.connection.as_str());
        let shared = self.shared(&spec.connection).await?;
        if let Some(Follows { rollout, reason: FollowReason::PutBack }) = spec.follows.clone() {
            self.put_back_what_another_changed(&mut spec, &rollout).await?;
        }
        if let RolloutTarget::Desired { .. } = spec.target {
            spec.command.name = rollouts::CHANGES.to_owned();
            spec.command.args = JsonText::from("{}".to_owned());
            spec.name.get_or_insert_with(|| "Apply desired configuration".to_owned());
        }
        if let Some(refusal) = rollouts::refuse(&spec) {
            return Err(refusal);
        }
        let command = NewCommand {
            connection: spec.connection.clone(),
            command: spec.command.name.clone(),
            args: spec.command.args.clone(),
            timeout_ms: spec.command.timeout_ms,
            ttl_ms: spec.command.ttl_ms,
            retries: spec.command.retries,
            delivery: spec.command.delivery,
            no_answer: spec.command.no_answer,
            ..NewCommand::default()
        };
        let known = self.catalogue.find(&connection, &command.command);
        let mut template = commands::template(&command, &shared.dialect, &known, &self.settings.get())?;
        if let RolloutTarget::Broadcast { group, .. } = &spec.target {
            template = broadcast(template, group.as_deref(), &shared.dialect)?;
        }
        let Target { members: target, unknown, nothing } = match given {
            Some(members) => Target { members, ..Target::default() },
            None => self.members_of(&spec).await?,
        };
        if let Some(refusal) = beyond(&shared.named, target.iter().map(|member| member.device.as_str())) {
            return Err(refusal);
        }
        if target.is_empty() && unknown.before.count > 0 {
            return Err(invalid(
                format!("The earlier values of these devices are unknown: {}.", named(&unknown.before)),
                "Set their configuration by hand.",
            ));
        }
        if target.is_empty() && nothing.is_none() {
            return Err(invalid("The rollout contains no devices.".into(), "No device matches. Choose others."));
        }
        if template.form.is_none()
            && let Some(refusal) = cannot_be_sent(&shared, &template, &target)
        {
            return Err(refusal);
        }
        let (asked, leave_out) = (template.clone(), spec.leave_out);
        let devices = target.iter().map(|member| member.device.clone()).collect();
        let Busy { commands: busy, rollout: overlapping } =
            self.request(|reply| Request::Busy(connection.clone(), devices, reply)).await?;
        let survey = move |fleet: SharedFleet| Survey::of(&fleet::read(&fleet), target, busy, &asked, leave_out);
        let survey = self.of_fleet(&spec.connection, survey).await?;
        let count = u32::try_from(survey.members.len()).map_err(|_| too_many())?;
        let stages = if count == 0 { Vec::new() } else { rollouts::stage_sizes(&spec.stages, count)? };
        if let RolloutTarget::Devices { devices } = &mut spec.target {
            devices.clear();
        }
        let (dangerous, needs_approval) = (known.is_dangerous(), shared.needs_approval(&known));
        Ok(Drafted { spec, template, survey, stages, dangerous, needs_approval, overlapping, unknown, nothing })
    }

    /// The devices of a rollout, each once, in the order in which they are released.
    async fn members_of(&self, spec: &NewRollout) -> Result<Target, Failure> {
        let devices = match &spec.target {
            RolloutTarget::Devices { devices } => {
                let mut seen = HashSet::new();
                let ids = devices.iter().map(|device| device_id(device));
                let ids: Vec<DeviceId> = ids.collect::<Result<_, _>>()?;
                ids.into_iter().filter(|device| seen.insert(device.clone())).collect()
            }
            RolloutTarget::Search { search } => self.matching(&spec.connection, search).await?,
            RolloutTarget::Desired { search, unknown } => {
                return self.members_out_of_line(&spec.connection, search, *unknown).await;
            }
            RolloutTarget::Members { rollout, which } => return self.earlier_members(rollout, *which, spec).await,
            RolloutTarget::Broadcast { group: Some(group), search } if search.trim().is_empty() => {
                self.matching(&spec.connection, &Search::of_tag(group)).await?
            }
            RolloutTarget::Broadcast { search, .. } => self.matching(&spec.connection, search).await?,
        };
        let members = devices.into_iter().map(|device| NewMember { device, args: None }).collect();
        Ok(Target { members, ..Target::default() })
    }

    /// The devices that differ from their desired configuration, each with its own arguments.
    async fn members_out_of_line(&self, connection: &str, search: &str, unknown: bool) -> Result<Target, Failure> {
        let OutOfLine { differ, unreported, as_wanted } = self.out_of_line(connection, search).await?;
        let shared = self.shared(connection).await?;
        let mut target = Target::default();
        unreported.iter().for_each(|(device, _)| target.unknown.unreported.add(device));
        for (device, args) in differ.into_iter().chain(unreported.into_iter().filter(|_| unknown)) {
            if let Some(Err(why)) = shared.consider(&device, rollouts::CHANGES, &args) {
                target.unknown.unfit.get_or_insert_with(|| (Found::default(), why)).0.add(&device);
                continue;
            }
            target.members.push(NewMember { device, args: Some(args.into()) });
        }
        if target.members.is_empty() {
            if as_wanted == 0 && target.unknown.unreported.count == 0 && target.unknown.unfit.is_none() {
                return Err(invalid(
                    "These devices have no desired configuration.".into(),
                    "Set the wanted values for a tag or a saved view first.",
                ));
            }
            target.nothing = Some(in_line(as_wanted, &target.unknown));
        }
        Ok(target)
    }

    /// The command and the members of a rollout that restores the values from before another one.
    async fn put_back_what_another_changed(&self, spec: &mut NewRollout, rollout: &str) -> Result<(), Failure> {
        let earlier = self.shown_rollout(number(rollout)?).await?;
        let command = &earlier.spec.command;
        if command.name != rollouts::CHANGES {
            return Err(invalid(
                format!("Rollout {rollout} sent {}, which cannot be undone.", command.name),
                "Wilco stores earlier values only for config.set.",
            ));
        }
        if matches!(earlier.state, RolloutState::Running | RolloutState::Waiting) {
            return Err(invalid(
                format!("Rollout {rollout} has not finished and may still change devices."),
                "Pause or stop it first.",
            ));
        }
        spec.target = RolloutTarget::Members { rollout: earlier.id, which: WhichMembers::Changed };
        spec.command.name = rollouts::CHANGES.to_owned();
        spec.command.args = JsonText::from("{}".to_owned());
        spec.name.get_or_insert_with(|| format!("Put back rollout {rollout}"));
        Ok(())
    }

    /// Members of an earlier rollout. If its command is sent again, each has the same arguments again.
    async fn earlier_members(&self, rollout: &str, which: WhichMembers, spec: &NewRollout) -> Result<Target, Failure> {
        let view = self.shown_rollout(number(rollout)?).await?;
        let puts_back = spec.follows.as_ref().is_some_and(|follows| follows.reason == FollowReason::PutBack);
        let same_command = view.spec.command.name == spec.command.name;
        let mut target = Target::default();
        let members = self.store.rollout_members(view.number).await?;
        let shared = self.shared(&view.spec.connection).await?;
        let known = fleet::read(&shared.fleet);
        for member in members {
            if !is_wanted(which, member.state.into()) {
                continue;
            }
            let args = if puts_back {
                let Some(values) = &member.earlier else {
                    target.unknown.before.add(&member.device);
                    continue;
                };
                let args = member.args.as_deref().unwrap_or(view.spec.command.args.as_str());
                let report = known.get(&member.device).and_then(|device| device.state.as_deref());
                if report.is_some_and(|report| rollouts::changed_since(args, values, report)) {
                    target.unknown.changed_since.add(&member.device);
                }
                Some(rollouts::put_back(args, values).into())
            } else {
                member.args.filter(|_| same_command)
            };
            target.members.push(NewMember { device: member.device, args });
        }
        Ok(target)
    }
}

fn is_wanted(which: WhichMembers, state: MemberState) -> bool {
    use CommandState::{Accepted, AtBroker, Running, Sent, Succeeded, TimedOut, Unconfirmed};
    let is_one_of = |states: &[CommandState]| states.iter().any(|one| state == MemberState::Released(*one));
    match which {
        WhichMembers::Failed => state.has_failed(),
        WhichMembers::FailedOrNotStarted => state.has_failed() || state == MemberState::Pending,
        WhichMembers::NotStarted => state == MemberState::Pending,
        WhichMembers::Succeeded => is_one_of(&[Succeeded, Unconfirmed]),
        WhichMembers::All => true,
        WhichMembers::Changed => is_one_of(&[Succeeded, Unconfirmed, TimedOut, Sent, AtBroker, Accepted, Running]),
    }
}

/// Why there is no device to configure.
fn in_line(as_wanted: u32, unknown: &Unknown) -> Failure {
    let devices = |count: u32, one: &str, many: &str| match count {
        1 => format!("1 device {one}"),
        count => format!("{} devices {many}", grouped(count)),
    };
    if let Some((unfit, why)) = &unknown.unfit {
        return invalid(
            format!("{} set: {}. {}", devices(unfit.count, "cannot be", "cannot be"), named(unfit), sentence(why)),
            "Choose devices whose firmware supports config.set.",
        );
    }
    let unreported = &unknown.unreported;
    if unreported.count > 0 {
        return invalid(
            format!(
                "No device is known to differ, and {} not reported a configuration: {}.",
                devices(unreported.count, "has", "have"),
                named(unreported)
            ),
            "Include the devices that have not reported one, or send config.get to them first.",
        );
    }
    invalid(
        format!("Nothing differs: {} configured as wanted.", devices(as_wanted, "is", "are")),
        "There is nothing to send.",
    )
}

/// `pump-1, pump-2 and 3 others`.
fn named(found: &Found) -> String {
    let shared = found.examples.join(", ");
    match found.count as usize - found.examples.len().min(found.count as usize) {
        0 => shared,
        1 => format!("{shared} and 1 other"),
        others => format!("{shared} and {} others", grouped(u64::try_from(others).unwrap_or(u64::MAX))),
    }
}

/// The command as one publish for all, or why there is none.
fn broadcast(template: CommandTemplate, group: Option<&str>, dialect: &Dialect) -> Result<CommandTemplate, Failure> {
    if template.form.is_some() || !template.policy.answers_carry_ids || !matches!(dialect, Dialect::Wilco(_)) {
        return Err(invalid(
            format!("{} cannot be broadcast, because Wilco could not match the answers to devices.", template.name),
            "Send it to each device separately.",
        ));
    }
    let topic = match group {
        None => Topics::EVERYONE.to_owned(),
        Some(group) => Topics::group(group).ok_or_else(|| {
            invalid(
                format!("'{}' cannot be a group: it is not a valid topic level.", excerpt(group)),
                "Enter the part of the topic between groups/ and /req, without / + # { }.",
            )
        })?,
    };
    let form = WireForm { topic: Some(topic.into()), ..WireForm::default() };
    let retry = Retry { permitted: false, ..template.policy.retry };
    let policy = Policy { delivery: Delivery::Broadcast, retry, ..template.policy };
    Ok(CommandTemplate { form: Some(form.into()), policy, ..template })
}

/// Why the dialects of some devices do not support the command.
fn cannot_be_sent(shared: &SharedConnection, template: &CommandTemplate, target: &[NewMember]) -> Option<Failure> {
    let refused = target.iter().filter_map(|member| {
        let args = member.args.as_ref().unwrap_or(&template.args);
        shared.consider(&member.device, &template.name, args)?.err()
    });
    let mut refused = refused.peekable();
    let first = refused.next()?;
    let others = refused.count();
    let others = match others {
        0 => String::new(),
        1 => " 1 other does not support it either.".to_owned(),
        _ => format!(" {others} others do not support it either."),
    };
    Some(invalid(format!("{first}{others}"), "Choose other devices, or a command that all of them support."))
}

/// The number that a rollout is named by.
fn number(id: &str) -> Result<u32, Failure> {
    id.trim().parse().map_err(|_| no_rollout(id))
}

/// The places of a stage's members.
fn places(view: &RolloutView, stage: u32) -> std::ops::Range<u32> {
    let before = view.stages.iter().take(stage as usize).map(|stage| stage.members).sum();
    before..before + view.stages.get(stage as usize).map_or(0, |stage| stage.members)
}

/// `past`: what its device once reported instead of what it answered.
fn member_view(
    view: &RolloutView,
    shared: Option<&SharedConnection>,
    past: Option<&Disagreement>,
    member: StoredMember,
) -> MemberView {
    let took_ms = rollouts::took(&member);
    let StoredMember { device, args, earlier, state, command, message, attempts, released_at, finished_at, .. } =
        member;
    let known = shared.and_then(|shared| {
        let fleet = shared.fleet.read();
        fleet.get(&device).map(|device| (device.firmware.clone(), device.disagreement.clone()))
    });
    let (firmware, disagreement) = known.unwrap_or_default();
    let disagrees = disagreement.filter(|of| Some(&of.command) == command.as_ref());
    MemberView {
        device: device.as_str().to_owned(),
        stage: stage_of(view, member.member),
        state: state.into(),
        command: command.map(|id| id.as_str().to_owned()),
        message,
        attempts,
        released_at: released_at.map(|at| at.0),
        finished_at: finished_at.map(|at| at.0),
        took_ms,
        firmware,
        args: args.map(|args| JsonText::from(args.as_ref().to_owned())),
        earlier: earlier.map(JsonText::from),
        disagrees: disagrees.as_deref().map(views::disagreement).or_else(|| past.map(|of| views::disagreed(of, true))),
    }
}

fn stage_of(view: &RolloutView, member: u32) -> u32 {
    let ends = view.stages.iter().scan(0, |end, stage| {
        *end += stage.members;
        Some(*end)
    });
    u32::try_from(ends.take_while(|end| *end <= member).count()).unwrap_or(u32::MAX)
}

fn too_many() -> Failure {
    invalid("A rollout cannot have this many devices.".into(), "Choose fewer devices.")
}

#[cfg(test)]
mod tests;
