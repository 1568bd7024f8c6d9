//! The rollouts of a connection, beside its ledger: they follow the commands of their members, and release members by
//! submitting commands to the ledger in the same batch.
//!
//! A member is released only while the ledger would hand its command over immediately, and one at a time: the effects
//! of one release are known before the next. After a failed commit they are restored from the store, as the ledger is.

mod earlier;
mod known;
mod run;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
};

use wilco_ledger::{
    Answer, Claim, Command, CommandId, DeviceId, Membership, State, Submission, Timestamp,
    rollout::{self, Action, Phase},
};

use super::{SharedFleet, operator::OverlappingRollout};
use crate::{
    api::{Failure, RolloutView},
    rollouts::{Awaited, view},
    store::{Change, ConnectionId, RolloutSnapshot, Store, StoreError, StoredMember, StoredRollout},
};
use known::Known;

/// Rollouts that are over are remembered for late answers: the latest of them, at most this number ...
const REMEMBERED: usize = 8;
/// ... with at most this number of members in all, because each takes memory. The latest is always remembered.
const REMEMBERED_MEMBERS: usize = 100_000;

/// At a start, those that are over are remembered if a member may still answer and they have at most this number of members
/// in all: reading more takes too long.
const REMEMBERED_AT_START: u32 = 20_000;

/// The rollouts of one connection.
#[derive(Default)]
pub(super) struct Rollouts {
    /// By number.
    known: BTreeMap<u32, Known>,
    /// Changes of members' commands that the rollouts have not received yet.
    news: Vec<(Membership, State, CommandId)>,
    /// The rollout that released last: the next one goes first.
    last_served: u32,
    connected: bool,
    /// Questions to devices for what they have before it is changed, with the rollout's number and the member's place.
    queries: HashMap<CommandId, (u32, u32)>,
    /// The rollouts that are broadcasts, by the id that all of their commands share.
    broadcasts: HashMap<CommandId, u32>,
}

/// The next submission.
enum Next {
    /// A member's command, or those of all members of a broadcast, and the known earlier values of their devices.
    Release(Vec<Submission>, Vec<Change>),
    /// The device must first report these values.
    Query(Submission, u32),
}

/// The stored rollouts of a connection, oldest first, with their members where something may still happen to them.
pub(super) struct Remembered(Vec<(StoredRollout, Option<Vec<StoredMember>>)>);

impl Remembered {
    pub(super) async fn read(store: &Store, connection: &ConnectionId) -> Result<Remembered, StoreError> {
        let mut all = Vec::new();
        let (mut rollouts, mut members) = (REMEMBERED, REMEMBERED_AT_START);
        for stored in store.rollouts(connection).await?.into_iter().rev() {
            let is_over = is_over(&stored);
            let size: u32 = stored.stages.iter().sum();
            let may_answer = rollouts > 0 && size <= members && may_be_answered_late(&stored);
            if is_over && may_answer {
                rollouts -= 1;
                members -= size;
            }
            let read = if !is_over || may_answer { Some(store.rollout_members(stored.number).await?) } else { None };
            all.push((stored, read));
        }
        all.reverse();
        Ok(Remembered(all))
    }
}

/// A member's device may still answer, after all that is known of it.
fn may_be_answered_late(stored: &StoredRollout) -> bool {
    stored.snapshot.counts.iter().any(|counts| counts.timed_out > 0)
}

/// Nothing will happen to it any more, but for late answers.
fn is_over(stored: &StoredRollout) -> bool {
    let RolloutSnapshot { progress, counts } = &stored.snapshot;
    let pending: u32 = counts.iter().map(|counts| counts.pending).sum();
    progress.ended_at.is_some() && (pending == 0 || progress.suspension == Some(rollout::Suspension::Stopped))
}

impl Rollouts {
    /// Whether a rollout's gate watches measurements.
    pub(super) fn watches_measurements(&self) -> bool {
        self.known.values().any(Known::is_watching)
    }

    /// Restores them from the store, and returns their views.
    pub(super) fn restore(&mut self, remembered: Remembered, now: Timestamp) -> Vec<RolloutView> {
        let mut views = Vec::new();
        *self = Rollouts::default();
        for (stored, members) in remembered.0 {
            let Some(members) = members else {
                let progress = &stored.snapshot.progress;
                let stopped = progress.suspension == Some(rollout::Suspension::Stopped);
                let phase = if stopped { Phase::Stopped } else { Phase::Finished };
                let at = progress.ended_at.unwrap_or(progress.started_at);
                views.push(view(&stored, &stored.snapshot, phase, &Awaited::default(), at));
                continue;
            };
            let mut known = Known::restore(stored, members, now);
            if let Some(ended_at) = known.stored.snapshot.progress.ended_at.filter(|_| known.machine.is_over()) {
                known.changed_at = ended_at;
                known.changed = known.is_unsaved(&known.snapshot());
            }
            views.push(known.view(&|_| false));
            self.broadcasts.extend(known.broadcast().map(|id| (id.clone(), known.stored.number)));
            self.known.insert(known.stored.number, known);
        }
        views
    }

    /// A command has changed.
    pub(super) fn note_state(&mut self, command: &Command) {
        if let Some(membership) = command.submission.rollout {
            self.news.push((membership, command.state, command.submission.id.clone()));
        } else if !self.queries.is_empty()
            && command.is_settled()
            && let Some((rollout, member)) = self.queries.remove(&command.submission.id)
            && let Some(known) = self.known.get_mut(&rollout)
        {
            known.learn(member, command);
        }
    }

    /// The rollout of that number.
    pub(super) fn get(&self, number: u32) -> Option<&Known> {
        self.known.get(&number)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Known> {
        self.known.get_mut(&number)
    }

    /// Pauses those that are running, and says how many.
    pub(super) fn pause(&mut self, now: Timestamp) -> u32 {
        self.pause_some(now, |_| true)
    }

    /// Pauses some of those that are running, and says how many.
    pub(super) fn pause_some(&mut self, now: Timestamp, is_one: impl Fn(&StoredRollout) -> bool) -> u32 {
        let mut paused = 0;
        let is_running = |known: &&mut Known| known.machine.refuses(Action::Pause).is_none() && is_one(&known.stored);
        for known in self.known.values_mut().filter(is_running) {
            known.handle(rollout::Input::Act(Action::Pause), now);
            paused += 1;
        }
        paused
    }

    /// A device's presence has changed.
    pub(super) fn presence_changed(&mut self) {
        self.known.values_mut().filter(|known| !known.unanswered.is_empty()).for_each(|known| known.changed = true);
    }

    /// The id that an answer names.
    pub(super) fn answered_id(answer: &Answer) -> Option<&CommandId> {
        match &answer.claim {
            Claim::Id(id) => Some(id),
            Claim::Within(_) | Claim::Nothing | Claim::State => answer.correlation.as_ref(),
        }
    }

    /// Whether commands of a rollout share this id.
    pub(super) fn is_broadcast(&self, id: &CommandId) -> bool {
        self.broadcasts.contains_key(id)
    }

    /// An answer that belongs to no command: one to a broadcast is stored with it.
    pub(super) fn unmatched(&mut self, answer: &Answer, now: Timestamp) -> Option<Change> {
        let id = Rollouts::answered_id(answer);
        let rollout = *self.broadcasts.get(id.filter(|_| !answer.retained)?)?;
        self.known.get_mut(&rollout)?.unexpected_device(answer, now)
    }

    /// A device has measured something; `at`: when, by the time that counts for it.
    pub(super) fn measured(&mut self, device: &DeviceId, series: &[(String, f64)], at: Timestamp, now: Timestamp) {
        self.known.values_mut().for_each(|known| known.measured(device, series, at, now));
    }

    /// A member is to be released, as soon as there is room.
    pub(super) fn want_room(&self, now: Timestamp) -> bool {
        self.known.values().any(|known| known.machine.wants_room(now))
    }

    /// When something is to be done, if nothing else happens before. `more_room_at`: when the ledger has more room.
    pub(super) fn next_deadline(&self, now: Timestamp, more_room_at: Option<Timestamp>) -> Option<Timestamp> {
        let machines = || self.known.values().map(|known| &known.machine);
        let room = more_room_at.filter(|_| self.want_room(now));
        let hours = machines().any(|machine| machine.hours_are_due(now)).then_some(now);
        let gates = self.known.values().filter_map(|known| known.watch_due_at(now));
        machines().filter_map(|machine| machine.next_deadline(now)).chain(room).chain(hours).chain(gates).min()
    }

    /// One of them counts a length of time, which a clock that is set would falsify.
    pub(super) fn count_time(&self, now: Timestamp) -> bool {
        self.known.values().any(|known| known.machine.counts_time(now))
    }

    /// The rollout that is still to release a device.
    pub(super) fn awaits(&self, device: &DeviceId) -> Option<u32> {
        let awaits = |known: &&Known| known.to_release(false).any(|one| one == device);
        self.known.values().find(awaits).map(|known| known.stored.number)
    }

    /// One of them has a device among its members that it may still release.
    pub(super) fn may_release(&self, device: &DeviceId) -> bool {
        self.known.values().any(|known| known.to_release(true).any(|one| one == device))
    }

    /// The rollout that is still to release the most of these devices, now or once a person lets it continue.
    pub(super) fn overlapping(&self, devices: &[DeviceId]) -> Option<OverlappingRollout> {
        if self.known.is_empty() {
            return None;
        }
        let devices: HashSet<&DeviceId> = devices.iter().collect();
        let overlapping = |known: &Known| OverlappingRollout {
            number: known.stored.number,
            command: known.stored.spec.command.name.clone(),
            devices: known.to_release(true).filter(|device| devices.contains(device)).count(),
        };
        let all = self.known.values().filter(|known| !known.machine.is_over()).map(overlapping);
        all.filter(|overlapping| overlapping.devices > 0).max_by_key(|overlapping| overlapping.devices)
    }

    /// All devices that are still to be released.
    pub(super) fn to_release(&self) -> HashSet<&DeviceId> {
        self.known.values().flat_map(|known| known.to_release(false)).collect()
    }

    fn handle_all(&mut self, input: &rollout::Input, now: Timestamp) {
        for known in self.known.values_mut() {
            known.handle(input.clone(), now);
        }
    }

    /// Passes an event to the rollouts.
    fn catch_up(&mut self, connected: bool, now: Timestamp) {
        for (Membership { rollout, member }, state, id) in std::mem::take(&mut self.news) {
            if let Some(known) = self.known.get_mut(&rollout) {
                known.note_state(member, state, id, now);
            }
        }
        if std::mem::replace(&mut self.connected, connected) != connected {
            let input = if connected { rollout::Input::Connected } else { rollout::Input::Disconnected };
            self.handle_all(&input, now);
        }
    }

    /// Passes the time to the rollouts. `wall`: the time of the computer's clock.
    fn tick(&mut self, fleet: &SharedFleet, now: Timestamp, wall: Timestamp) {
        for known in self.known.values_mut() {
            known.look_at_hours(now, wall);
            known.handle(rollout::Input::Tick, now);
            known.watch(fleet, now);
        }
    }

    /// The next submission, taken from each rollout in turn.
    fn next(&mut self, fleet: &SharedFleet, now: Timestamp) -> Option<Result<Next, Failure>> {
        let after = self.last_served.saturating_add(1);
        for range in [(Bound::Included(after), Bound::Unbounded), (Bound::Unbounded, Bound::Excluded(after))] {
            for (number, known) in self.known.range_mut(range).filter(|(_, known)| known.machine.wants_room(now)) {
                if let Some(next) = known.next(fleet, now) {
                    self.last_served = *number;
                    self.broadcasts.extend(known.broadcast().map(|id| (id.clone(), *number)));
                    return Some(next);
                }
            }
        }
        None
    }

    /// Rollouts that differ from what was last written or shown.
    fn changed(&mut self) -> impl Iterator<Item = &mut Known> {
        self.known.values_mut().filter(|known| known.changed)
    }

    /// Removes the oldest finished ones beyond a small number.
    fn forget_old(&mut self) {
        let over = self.known.iter().rev().filter(|(_, known)| known.machine.is_over() && !known.changed);
        let sizes = over.map(|(number, known)| (*number, known.members.len()));
        for old in beyond_a_few(sizes) {
            self.known.remove(&old);
            self.broadcasts.retain(|_, number| *number != old);
        }
    }
}

/// Which rollouts are not remembered, of those that are over, with the number of their members: the latest first.
fn beyond_a_few(over: impl Iterator<Item = (u32, usize)>) -> Vec<u32> {
    let mut members = 0;
    let is_old = |(place, (number, size)): (usize, (u32, usize))| {
        members += size;
        (place >= REMEMBERED || (place > 0 && members > REMEMBERED_MEMBERS)).then_some(number)
    };
    over.enumerate().filter_map(is_old).collect()
}

#[cfg(test)]
mod tests;
