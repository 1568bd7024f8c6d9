//! Tracks whether devices report what they answered.

use std::sync::Arc;

use wilco_dialect::implied_state;
use wilco_ledger::{
    Command, DeviceId, Event, Expectation, Fact, Input, Match, Millis, Origin, Reading, State, Term, Timestamp,
};

use super::{Controller, connection::Connection};
use crate::store::Change;

/// After a restart, what was answered longer ago is no longer looked at.
const ANSWERED_WITHIN: Millis = Millis::seconds(60);

impl Connection {
    /// Something that may end or begin the time that devices have to report.
    pub(super) fn note_presence(&mut self, input: &Input, now: Timestamp) {
        match input {
            Input::Presence { device, online } => self.agreements.presence(device, *online, now),
            Input::DeviceSeen { device } => self.agreements.presence(device, true, now),
            Input::Disconnected => self.agreements.disconnected(),
            _ => {}
        }
    }

    /// Something has happened to a command.
    pub(super) fn note_answered(&mut self, event: &Event, now: Timestamp) {
        let asks = match &event.fact {
            Fact::Handed { .. } | Fact::Submitted { origin: Origin::Observed, .. } => true,
            Fact::Answered { reading: Reading::Moved | Reading::Inferred | Reading::Late, .. } => false,
            _ => return,
        };
        let command = event.command.as_ref().and_then(|id| self.ledger.command(&event.device, id));
        let Some(command) = command else { return };
        let terms = implied(command);
        if terms.is_empty() {
            return;
        }
        if asks {
            if self.agreements.requested(&event.device, &terms) {
                self.show_agreement(&event.device);
            }
        } else if has_agreed(command) {
            let id = command.id().clone();
            let is_offline = self.fleet().get(&event.device).is_some_and(|device| device.is_offline());
            self.agreements.record_success(&event.device, &id, &terms, is_offline, now);
        }
    }

    /// A device has reported something. Says whether it is marked as disagreeing since, or no longer.
    pub(super) fn note_report(&mut self, device: &DeviceId) -> bool {
        let fleet = self.fleet.clone();
        let fleet = fleet.read();
        let reports = |key: &str| fleet.get(device).and_then(|device| device.reports(key));
        let changed = self.agreements.reported(device, reports);
        drop(fleet);
        if changed {
            self.show_agreement(device);
        }
        changed
    }

    /// The state of its LED, as it was last reported.
    pub(super) fn reported_led(&self, device: &DeviceId) -> Option<bool> {
        self.fleet.read().get(device).and_then(|device| device.led)
    }

    /// Restores the state of the last run, and checks answers that were not compared yet.
    pub(super) fn restore_agreements(&mut self, latest: &[Arc<Command>], now: Timestamp) {
        let known: Vec<_> = {
            let fleet = self.fleet();
            let disagree = fleet.disagreeing().map(|(device, disagreement)| (device.clone(), disagreement.clone()));
            disagree.collect()
        };
        for (device, disagreement) in known {
            self.agreements.restore(&device, disagreement);
        }
        for command in latest.iter().filter(|command| has_agreed(command)) {
            let ended_at = command.rungs.finished.unwrap_or(command.changed_at);
            if now.since(ended_at) <= ANSWERED_WITHIN && self.agreements.of(command.device()).is_none() {
                self.agreements.record_success(command.device(), command.id(), &implied(command), true, now);
            }
        }
    }

    fn show_agreement(&mut self, device: &DeviceId) {
        let disagreement = self.agreements.of(device).map(Box::new);
        let mut fleet = self.fleet();
        if fleet.get(device).is_some() {
            fleet.update(device, |device| device.disagreement = disagreement);
        }
    }
}

impl Controller {
    /// Looks at what devices report whose time is over. That one reported something else is stored with its command, too,
    /// where it stays.
    pub(super) fn look_at_reports(&mut self, now: Timestamp) {
        for known in
            self.connections.values_mut().filter(|known| known.agreements.next_due().is_some_and(|due| due <= now))
        {
            let fleet = known.fleet.clone();
            let fleet = fleet.read();
            let reports = |device: &DeviceId, key: &str| fleet.get(device).and_then(|device| device.reports(key));
            let disagree = known.agreements.look(now, reports);
            drop(fleet);
            for device in disagree {
                known.show_agreement(&device);
                let Some(disagreement) = known.agreements.of(&device).map(Box::new) else { continue };
                let connection = known.profile.id.clone();
                self.pending_batch.changes.push(Change::Disagreed { connection, device, disagreement, at: now });
            }
        }
    }
}

/// The device itself answered that it succeeded. A device that only reports the requested value has nothing to agree
/// with.
fn has_agreed(command: &Command) -> bool {
    command.state == State::Succeeded && command.matched != Some(Match::Reported)
}

/// The report that a command implies.
fn implied(command: &Command) -> Vec<Term> {
    match command.expects() {
        Some(Expectation::State { terms, .. }) => {
            terms.iter().filter(|term| term.value.is_some() && !term.key.starts_with('$')).cloned().collect()
        }
        Some(Expectation::Nothing(_)) => Vec::new(),
        None if command.submission.form.is_some() => Vec::new(),
        None => implied_state(&command.submission.name, &command.submission.args),
    }
}
