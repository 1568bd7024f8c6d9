//! Invariants that hold under any rules, checked from inputs, effects and the disk alone.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wilco_ledger::{
    Claim, Command, CommandId, DeviceId, Effect, Event, Expectation, Fact, Input, Ledger, Limits, Puback, Reading,
    State, Timestamp,
};

pub(crate) type Key = (DeviceId, CommandId);

/// Watches one ledger from its start to its end, and the wire beyond that.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    connected: bool,
    /// Publishes that the ledger of this process asked for, without an end.
    under_way: BTreeSet<(Key, u32)>,
    /// When it asked for them.
    publishes: Vec<i64>,
    /// Each command as its events tell it.
    told: BTreeMap<Key, Command>,
    /// What really left the machine.
    on_wire: BTreeSet<(Key, u32)>,
    /// Of it, what the MQTT client proves not to have left after all.
    proved_unsent: BTreeSet<(Key, u32)>,
}

impl Watch {
    /// The process was killed: only what is on disk is left.
    pub(crate) fn restarted(&mut self, disk: &[Event]) {
        self.connected = false;
        self.under_way.clear();
        self.publishes.clear();
        self.told.clear();
        for event in disk {
            self.apply(event);
        }
    }

    /// Nothing of a device is left, here and on the disk.
    pub(crate) fn forgot(&mut self, device: &DeviceId) {
        self.told.retain(|key, _| key.0 != *device);
        self.on_wire.retain(|(key, _)| key.0 != *device);
        self.proved_unsent.retain(|(key, _)| key.0 != *device);
    }

    pub(crate) fn told(&self) -> &BTreeMap<Key, Command> {
        &self.told
    }

    pub(crate) fn input(&mut self, input: &Input) {
        match input {
            Input::Connected => self.connected = true,
            Input::Disconnected => {
                self.connected = false;
                self.under_way.clear();
            }
            Input::Delivered { device, id, attempt, puback } => {
                let publish = ((device.clone(), id.clone()), *attempt);
                self.under_way.remove(&publish);
                if *puback == Puback::NotTaken {
                    self.proved_unsent.insert(publish);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn effects(
        &mut self,
        input: &Input,
        effects: &[Effect],
        ledger: &Ledger,
        limits: &Limits,
        now: i64,
    ) -> Result<(), TestCaseError> {
        let mut answers = 0;
        for effect in effects {
            match effect {
                Effect::Record(event) => {
                    answers += usize::from(matches!(event.fact, Fact::Answered { .. } | Fact::Unsolicited { .. }));
                    self.record(event)?;
                }
                Effect::Publish { device, id, attempt } => {
                    prop_assert!(self.connected, "published {id} while not connected");
                    self.under_way.insert(((device.clone(), id.clone()), *attempt));
                    self.publishes.push(now);
                }
            }
        }
        if let Some(most) = limits.sends_per_second {
            let of_a_second = self.publishes.iter().rev().take_while(|at| now - **at <= 1_000).count();
            prop_assert!(of_a_second <= most as usize, "{of_a_second} sends in a second");
        }
        match input {
            // A report of state is recorded with those whose expectation it meets, and otherwise not at all.
            Input::Report(report) => {
                for effect in effects {
                    let Effect::Record(Event { fact: Fact::Answered { answer, reading }, command, .. }) = effect else {
                        continue;
                    };
                    let command = command.as_ref().and_then(|id| ledger.command(&report.device, id));
                    let expects = command.and_then(Command::expects);
                    let Some(Expectation::State { terms, .. }) = expects else {
                        return Err(TestCaseError::fail("a report settled a command that expects none"));
                    };
                    let wanted = terms.first().and_then(|term| term.value.as_deref());
                    prop_assert!(!report.retained, "a retained report settles nothing");
                    prop_assert!(wanted.is_none_or(|wanted| wanted == &*report.values[0].value), "it says otherwise");
                    prop_assert_eq!((answer.claim.clone(), *reading), (Claim::State, Reading::Inferred));
                }
            }
            _ => prop_assert_eq!(answers, usize::from(matches!(input, Input::Answer(_))), "an answer is one event"),
        }
        prop_assert!(self.under_way.len() <= limits.send_window, "more under way than the send window");
        prop_assert!(ledger.next_deadline().is_none_or(|due| due > Timestamp(now)), "wants to be woken in the past");
        self.memory(ledger)
    }

    /// The ledger's memory is what its events say.
    fn memory(&self, ledger: &Ledger) -> Result<(), TestCaseError> {
        let (mut queued, mut held, mut in_flight) = (0, 0, 0);
        let mut unsettled = 0;
        for ((device, id), told) in &self.told {
            match ledger.command(device, id) {
                Some(command) => prop_assert_eq!(command, told),
                None => prop_assert!(told.is_settled(), "{} is forgotten", id),
            }
            if told.is_settled() {
                prop_assert!(ledger.deadline(device, id).is_none());
                continue;
            }
            prop_assert!(ledger.deadline(device, id).is_some());
            unsettled += 1;
            if told.origin == wilco_ledger::Origin::Here {
                match told.state {
                    State::Queued => queued += 1,
                    State::Held => held += 1,
                    _ => in_flight += 1,
                }
            }
        }
        let counts = ledger.counts();
        prop_assert_eq!((counts.queued, counts.held, counts.in_flight), (queued, held, in_flight));
        prop_assert_eq!(ledger.outstanding().count(), unsettled);
        Ok(())
    }

    fn record(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let Some(id) = &event.command else { return Ok(()) };
        let key = (event.device.clone(), id.clone());
        let before = self.told.get(&key).map(|command| command.state);
        self.apply(event);
        let after = self.told.get(&key).map(|command| command.state);
        let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
        let overruled = matches!(before, State::TimedOut | State::Unconfirmed) && after.is_from_device();
        prop_assert!(rung(after) >= rung(before) || overruled, "{} fell from {:?} to {:?}", id, before, after);
        prop_assert!(!before.is_final() || before == after || overruled, "{} went on from {:?}", id, before);
        if after.is_from_device() && before != after {
            let said = matches!(&event.fact, Fact::Answered { answer, reading }
                if answer.device == event.device && !answer.retained && answer.outcome.state() == after
                    && matches!(reading, Reading::Moved | Reading::Inferred | Reading::Late));
            prop_assert!(said, "{} is {:?}, and its device did not say so: {:?}", id, after, event);
        }
        Ok(())
    }

    fn apply(&mut self, event: &Event) {
        let Some(id) = &event.command else { return };
        let key = (event.device.clone(), id.clone());
        if let Some(command) = self.told.get_mut(&key) {
            command.apply(event);
        } else if let Some(command) = Command::begin(event) {
            self.told.insert(key, command);
        }
    }

    /// A publish leaves the machine, after its batch has reached the disk.
    pub(crate) fn leaves(&mut self, key: &Key, attempt: u32, disk: &[Event]) -> Result<(), TestCaseError> {
        let of_it: Vec<&Event> =
            disk.iter().filter(|event| event.device == key.0 && event.command.as_ref() == Some(&key.1)).collect();
        let command = Command::replay(of_it.iter().copied());
        let Some(command) = command else { return Err(TestCaseError::fail("published before it was on disk")) };
        prop_assert!(of_it.iter().any(|event| event.fact == Fact::Handed { attempt }), "not on disk as maybe sent");
        prop_assert!(
            !of_it.iter().any(|event| matches!(event.fact, Fact::Cancelled | Fact::Expired)),
            "{} was published after its end",
            key.1
        );
        prop_assert!(self.on_wire.insert((key.clone(), attempt)), "{} {attempt} was published twice", key.1);
        let sends = self.on_wire.iter().filter(|(one, _)| one == key);
        let really = sends.filter(|publish| !self.proved_unsent.contains(*publish)).count();
        let policy = command.submission.policy;
        let allowed = match policy.retry.permitted && policy.answers_carry_ids {
            true => 1 + policy.retry.limit as usize,
            false => 1,
        };
        prop_assert!(really <= allowed, "{} left {really} times and may leave {allowed} times", key.1);
        Ok(())
    }
}

/// Queued and held are the same rung: here, and never sent.
fn rung(state: State) -> State {
    if state == State::Held { State::Queued } else { state }
}
