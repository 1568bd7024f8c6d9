//! Several operators: adds the operator name to requests if the connection sends it, and finds other consoles'
//! unfinished commands by device.

use std::sync::Arc;

use wilco_dialect::Dialect;
use wilco_ledger::{Command, DeviceId, Input, Origin, Submission, WireForm};

use super::{Controller, SharedConnection};
use crate::store::ConnectionId;

impl Controller {
    /// Submits a command. Whatever name it comes with is replaced: sent again, it is another operator's.
    pub(super) fn submit(&mut self, connection: &ConnectionId, submission: Submission) {
        let known = self.connections.get(connection).filter(|known| known.profile.settings.send_operator);
        let names = known.is_some_and(|known| carries_name(&known.dialect, submission.form.as_deref()));
        let by: Option<Arc<str>> = if names { self.settings.get().operator_name.map(Into::into) } else { None };
        self.record(connection, Input::Submit(Submission { by, ..submission }));
    }
}

/// What keeps the devices of a planned rollout busy.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    /// Of each device a command that has not finished.
    pub(crate) commands: Vec<Option<Command>>,
    /// The rollout here that is still to send to the most of them.
    pub(crate) rollout: Option<OverlappingRollout>,
}

/// A rollout that is still to send to some devices of another one.
#[derive(Debug)]
pub(crate) struct OverlappingRollout {
    pub(crate) number: u32,
    pub(crate) command: String,
    pub(crate) devices: usize,
}

impl Controller {
    /// Of each device the oldest command of another console that has not finished.
    pub(super) fn busy_elsewhere(&self, connection: &ConnectionId, devices: &[DeviceId]) -> Vec<Option<Command>> {
        let (known, now) = (self.connections.get(connection), self.clock.now());
        let oldest = |device: &DeviceId| {
            let mut commands = known?.ledger.outstanding_of(device);
            let observed = commands.find(|command| command.origin == Origin::Observed).cloned();
            observed.or_else(|| known?.unanswered_broadcast(device, now))
        };
        devices.iter().map(oldest).collect()
    }

    /// What keeps these devices busy.
    pub(super) fn busy(&self, connection: &ConnectionId, devices: &[DeviceId]) -> Busy {
        let rollout = self.connections.get(connection).and_then(|known| known.rollouts.overlapping(devices));
        Busy { commands: self.busy_commands(connection, devices), rollout }
    }

    /// For each device an unfinished command: the oldest of another console, or else of this one. Automatic commands do
    /// not keep a device busy.
    fn busy_commands(&self, connection: &ConnectionId, devices: &[DeviceId]) -> Vec<Option<Command>> {
        let (known, now) = (self.connections.get(connection), self.clock.now());
        let first = |device: &DeviceId| {
            let ledger = &known?.ledger;
            let asked = || ledger.outstanding_of(device).filter(|command| !command.submission.automatic);
            let observed = asked().find(|command| command.origin == Origin::Observed).cloned();
            observed.or_else(|| known?.unanswered_broadcast(device, now)).or_else(|| asked().next().cloned())
        };
        devices.iter().map(first).collect()
    }
}

impl SharedConnection {
    /// Whether the request of a command in this form names its operator.
    pub(crate) fn names_operator(&self, form: Option<&WireForm>) -> bool {
        self.send_operator && carries_name(&self.dialect, form)
    }
}

/// Whether the payload is Wilco's own JSON, which alone has a place for the name.
fn carries_name(dialect: &Dialect, form: Option<&WireForm>) -> bool {
    let is_own = form.is_none_or(|form| !form.plain && form.payload.is_none() && form.written.is_none());
    matches!(dialect, Dialect::Wilco(_)) && is_own
}
