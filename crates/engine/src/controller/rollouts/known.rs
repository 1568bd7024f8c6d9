//! One rollout in memory: its state machine, and the devices of its members.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use wilco_dialect::StateReport;
use wilco_ledger::{
    Answer, Command, CommandId, DeviceId, Membership, Millis, State, Submission, Timestamp,
    rollout::{self, Effect, Phase, Rollout, Suspension},
};

use super::{
    super::SharedFleet,
    Next,
    earlier::{Before, Earlier, question},
};
use crate::{
    api::{Failure, MemberCounts, RolloutView},
    fleet::{Device, Fleet},
    new_command::fresh_id,
    rollouts::{Awaited, Watch, hours_at, plan, view},
    store::{Change, NewMember, RolloutSnapshot, StoredMember, StoredRollout, StoredUnexpectedDevice},
};

/// Devices that answer and are no members are stored, so many of them.
const UNEXPECTED_DEVICES: usize = 10_000;
/// The computer's clock has been set when it and ours have come apart by as much, milliseconds.
const CLOCK_IS_SET: i64 = 2_000;

/// A rollout in memory.
pub(in crate::controller) struct Known {
    pub(in crate::controller) stored: StoredRollout,
    pub(in crate::controller) machine: Rollout,
    pub(super) members: Vec<Member>,
    /// Released members without any answer.
    pub(super) unanswered: BTreeSet<u32>,
    /// Something is different from what was last shown.
    pub(super) changed: bool,
    pub(super) changed_at: Timestamp,
    /// As it was last shown.
    phase: Phase,
    /// The known earlier values of its members' devices, if it changes them.
    earlier: Option<Earlier>,
    /// Its gate's measurement, while that is watched.
    watch: Option<Watch>,
    /// Devices that have answered it since Wilco started and are no members.
    unexpected_devices: HashSet<DeviceId>,
    /// How far the computer's clock was ahead when its maintenance hours were last looked at, milliseconds.
    ahead: i64,
}

pub(super) struct Member {
    pub(super) device: DeviceId,
    pub(super) args: Option<Arc<str>>,
    pub(super) command: Option<CommandId>,
}

impl Known {
    /// Whether its gate watches a measurement.
    pub(super) fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    pub(super) fn new(stored: StoredRollout, members: &[NewMember], now: Timestamp) -> Known {
        let member =
            |member: &NewMember| Member { device: member.device.clone(), args: member.args.clone(), command: None };
        let plan = plan(&stored.spec, &stored.stages);
        let begin = if stored.approval.is_some() { Rollout::unapproved } else { Rollout::new };
        let machine = begin(plan, now);
        let members = members.iter().map(member).collect();
        Known::of(stored, machine, members, BTreeSet::new(), now)
    }

    pub(super) fn restore(stored: StoredRollout, members: Vec<StoredMember>, now: Timestamp) -> Known {
        let states: Vec<_> = members.iter().map(|member| member.state).collect();
        let last_release = members.iter().filter_map(|member| member.released_at).max();
        let is_unanswered = |state: &Option<State>| state.is_some_and(|state| state < State::Accepted);
        let unanswered =
            (0..).zip(&states).filter(|(_, state)| is_unanswered(state)).map(|(member, _)| member).collect();
        let plan = plan(&stored.spec, &stored.stages);
        let machine = Rollout::restore(plan, stored.snapshot.progress.clone(), states, last_release, now);
        let member =
            |member: StoredMember| Member { device: member.device, args: member.args, command: member.command };
        Known::of(stored, machine, members.into_iter().map(member).collect(), unanswered, now)
    }

    fn of(
        stored: StoredRollout,
        machine: Rollout,
        members: Vec<Member>,
        unanswered: BTreeSet<u32>,
        now: Timestamp,
    ) -> Known {
        let phase = machine.phase(now);
        let earlier = Earlier::of(&stored.template);
        Known {
            stored,
            machine,
            members,
            unanswered,
            changed: true,
            changed_at: now,
            phase,
            earlier,
            watch: None,
            unexpected_devices: HashSet::new(),
            ahead: 0,
        }
    }

    pub(in crate::controller) fn handle(&mut self, input: rollout::Input, now: Timestamp) -> Vec<Effect> {
        let effects = self.machine.handle(input, now);
        let phase = self.machine.phase(now);
        if !effects.is_empty() || phase != self.phase || *self.machine.progress() != self.stored.snapshot.progress {
            self.phase = phase;
            self.changed = true;
            self.changed_at = now;
        }
        effects
    }

    /// Evaluates its maintenance hours, when due or when the computer's clock has been set, because they follow that
    /// clock.
    pub(super) fn look_at_hours(&mut self, now: Timestamp, wall: Timestamp) {
        let Some(hours) = &self.stored.spec.hours else { return };
        let ahead = wall.0.saturating_sub(now.0);
        let is_set = ahead.saturating_sub(self.ahead).abs() >= CLOCK_IS_SET;
        if self.machine.is_over() || !(is_set || self.machine.hours_are_due(now)) {
            return;
        }
        self.ahead = ahead;
        let (open, until) = hours_at(hours, wall);
        self.handle(rollout::Input::Hours { open, until: now + until.since(wall) }, now);
    }

    /// The devices that it is still to release. `also_later`: or may, once a person lets it continue.
    pub(super) fn to_release(&self, also_later: bool) -> impl Iterator<Item = &DeviceId> {
        let is_active = match self.machine.progress().suspension {
            None => true,
            Some(Suspension::Stopped) => false,
            Some(Suspension::Unapproved | Suspension::Paused | Suspension::Halted(_)) => also_later,
        };
        let is_pending = move |(member, _): &(u32, &Member)| is_active && self.machine.member(*member).is_none();
        (0..).zip(&self.members).filter(is_pending).map(|(_, member)| &member.device)
    }

    pub(super) fn note_state(&mut self, member: u32, state: State, id: CommandId, now: Timestamp) {
        let Some(known) = self.members.get_mut(member as usize) else { return };
        known.command.get_or_insert(id);
        if self.machine.member(member) == Some(state) {
            return;
        }
        if state < State::Accepted {
            self.unanswered.insert(member);
        } else {
            self.unanswered.remove(&member);
        }
        self.changed = true;
        self.changed_at = now;
        self.handle(rollout::Input::Member { member, state }, now);
    }

    /// The next submission, if any: the next member's command, or a request before it.
    pub(super) fn next(&mut self, fleet: &SharedFleet, now: Timestamp) -> Option<Result<Next, Failure>> {
        let first = self.machine.next_member()?;
        let Some(earlier) = &self.earlier else { return self.release(Vec::new(), now) };
        let fleet = fleet.read();
        let number = self.stored.number;
        let note = |member, values| Change::MemberEarlier { rollout: number, member, values };
        if self.machine.plan().broadcast {
            // No gate waits for one of them.
            let known = (first..self.machine.end_of_stage()).filter_map(|member| {
                match self.values_before(earlier, member, &fleet)? {
                    Before::Known(values) => Some(note(member, values)),
                    Before::Unknown | Before::NotQueried | Before::Queried => None,
                }
            });
            let known = known.collect();
            drop(fleet);
            return self.release(known, now);
        }
        let known = match self.values_before(earlier, first, &fleet)? {
            Before::Known(values) => vec![note(first, values)],
            Before::Unknown => Vec::new(),
            Before::NotQueried | Before::Queried => return self.query(&fleet),
        };
        drop(fleet);
        self.release(known, now)
    }

    /// Queries the first member that is released soon and whose earlier values are needed.
    fn query(&mut self, fleet: &Fleet) -> Option<Result<Next, Failure>> {
        let earlier = self.earlier.as_ref()?;
        let first = self.machine.next_member()?;
        let last = first.saturating_add(earlier.room(self.machine.plan())).min(self.machine.end_of_stage());
        let is_to_query =
            |member: &u32| matches!(self.values_before(earlier, *member, fleet), Some(Before::NotQueried));
        let member = (first..last).find(is_to_query)?;
        let id = match fresh_id() {
            Ok(id) => id,
            Err(failure) => return Some(Err(failure)),
        };
        let device = self.members.get(member as usize)?.device.clone();
        let question = question(device, id, self.stored.template.policy);
        self.earlier.as_mut()?.queried(member);
        Some(Ok(Next::Query(question, member)))
    }

    fn values_before(&self, earlier: &Earlier, member: u32, fleet: &Fleet) -> Option<Before> {
        let Member { device, args, .. } = self.members.get(member as usize)?;
        let args = args.as_deref().unwrap_or(&self.stored.template.args);
        Some(earlier.before(member, args, fleet.get(device)))
    }

    /// A requested value has arrived, or will not arrive.
    pub(super) fn learn(&mut self, member: u32, answer: &Command) {
        if let Some(earlier) = &mut self.earlier {
            let result = answer.result.as_deref().filter(|_| answer.state == State::Succeeded);
            earlier.learn(member, result);
        }
    }

    fn release(&mut self, earlier: Vec<Change>, now: Timestamp) -> Option<Result<Next, Failure>> {
        // Those of a broadcast share it.
        let id = match fresh_id() {
            Ok(id) => id,
            Err(failure) => return Some(Err(failure)),
        };
        let effects = self.handle(rollout::Input::Room(1), now);
        let released = effects.iter().filter_map(|effect| match effect {
            Effect::Release { member } => Some(*member),
            Effect::Cancel { .. } => None,
        });
        let submissions: Vec<_> = released.filter_map(|member| self.submission(member, id.clone())).collect();
        (!submissions.is_empty()).then_some(Ok(Next::Release(submissions, earlier)))
    }

    fn submission(&mut self, place: u32, id: CommandId) -> Option<Submission> {
        if let Some(earlier) = &mut self.earlier {
            earlier.forget(place);
        }
        let member = self.members.get_mut(place as usize)?;
        member.command = Some(id.clone());
        self.unanswered.insert(place);
        let template = &self.stored.template;
        Some(Submission {
            device: member.device.clone(),
            id,
            name: Arc::clone(&template.name),
            args: Arc::clone(member.args.as_ref().unwrap_or(&template.args)),
            form: template.form.clone(),
            policy: template.policy,
            again_of: None,
            rollout: Some(Membership { rollout: self.stored.number, member: place }),
            automatic: false,
            by: None,
        })
    }

    /// The id that all of its commands share, once it is out, where it is a broadcast.
    pub(super) fn broadcast(&self) -> Option<&CommandId> {
        let first = self.members.first().filter(|_| self.machine.plan().broadcast)?;
        first.command.as_ref()
    }

    /// A device has answered that is no member. The first 10,000 are stored.
    pub(super) fn unexpected_device(&mut self, answer: &Answer, now: Timestamp) -> Option<Change> {
        if self.unexpected_devices.len() >= UNEXPECTED_DEVICES && !self.unexpected_devices.contains(&answer.device) {
            return None;
        }
        self.unexpected_devices.insert(answer.device.clone());
        self.changed = true;
        self.changed_at = now;
        let state = answer.outcome.state();
        let message = answer.message.as_deref().map(str::to_owned);
        let unexpected_device = StoredUnexpectedDevice { device: answer.device.clone(), state, message, at: now };
        Some(Change::UnexpectedDevice { rollout: self.stored.number, unexpected_device })
    }

    /// A device has measured something; `at`: when, by the time that counts for it.
    pub(super) fn measured(&mut self, device: &DeviceId, series: &[(String, f64)], at: Timestamp, now: Timestamp) {
        let (Some(gate), Some(watch)) = (&self.stored.spec.gate, &mut self.watch) else { return };
        let values = series.iter().filter(|(name, _)| *name == gate.series).map(|(_, value)| *value);
        let outside = values.filter_map(|value| watch.measured(device, value, gate, at.min(now))).last();
        if let Some(reading) = outside {
            self.handle(rollout::Input::Gate(reading), now);
        }
    }

    /// Looks at the gate's measurement, where that is due.
    pub(super) fn watch(&mut self, fleet: &SharedFleet, now: Timestamp) {
        if self.stored.spec.gate.is_none() || !self.machine.watches_gate() {
            self.watch = None;
            return;
        }
        if self.watch.is_none() {
            let fleet = fleet.read();
            let is_done =
                |member: &u32| matches!(self.machine.member(*member), Some(State::Succeeded | State::Unconfirmed));
            let done =
                (0..self.machine.end_of_stage()).filter(is_done).filter_map(|member| self.members.get(member as usize));
            let interval =
                |device: &Device| StateReport::of(device.state.as_deref()?).telemetry_interval_ms.map(Millis);
            let devices = done.map(|member| (member.device.clone(), fleet.get(&member.device).and_then(interval)));
            self.watch = Some(Watch::new(devices, now));
        }
        let Some(watch) = self.watch.as_mut().filter(|watch| watch.due_at(now) <= now) else { return };
        let before = watch.unmeasured().clone();
        let reading = watch.look(now);
        if *watch.unmeasured() != before {
            self.changed = true;
            self.changed_at = now;
        }
        self.handle(rollout::Input::Gate(reading), now);
    }

    /// When the gate's measurement is looked at again.
    pub(super) fn watch_due_at(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.machine.watches_gate() {
            return None;
        }
        Some(self.watch.as_ref().map_or(now, |watch| watch.due_at(now)))
    }

    /// How far it is, to be stored.
    pub(super) fn snapshot(&self) -> RolloutSnapshot {
        RolloutSnapshot {
            progress: self.machine.progress().clone(),
            counts: self.machine.stages().iter().map(MemberCounts::from).collect(),
        }
    }

    /// Its progress must be stored. Meanwhile, the progress of members follows from their commands.
    pub(super) fn is_unsaved(&self, snapshot: &RolloutSnapshot) -> bool {
        let written = &self.stored.snapshot;
        written.progress != snapshot.progress
            || (snapshot.progress.ended_at.is_some() && written.counts != snapshot.counts)
    }

    pub(super) fn view(&self, is_offline: &dyn Fn(&DeviceId) -> bool) -> RolloutView {
        let mut offline: Vec<u32> = vec![0; self.stored.stages.len()];
        for member in &self.unanswered {
            let Some(known) = self.members.get(*member as usize) else { continue };
            let waits = self.machine.member(*member) == Some(State::Held) || is_offline(&known.device);
            if let Some(count) = offline.get_mut(self.machine.stage_of(*member)).filter(|_| waits) {
                *count += 1;
            }
        }
        let unmeasured = self.watch.as_ref().map(|watch| watch.unmeasured().clone()).unwrap_or_default();
        view(&self.stored, &self.snapshot(), self.phase, &Awaited { offline, unmeasured }, self.changed_at)
    }
}
