//! The state machine itself.

use crate::{Command, CommandId, DeviceId, Effect, Input, Limits, Timestamp};

/// The commands of one connection.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
}

impl Ledger {
    /// A ledger without commands, not connected.
    #[must_use]
    pub fn new(limits: Limits) -> Ledger {
        Ledger { limits }
    }

    /// Takes in a command that the store knows and this ledger does not: unsettled ones at a start, settled ones
    /// when an answer names them. Does nothing for a command it already has.
    pub fn adopt(&mut self, _command: Command) {}

    /// Takes note of what happened and says what is to be done.
    pub fn handle(&mut self, _input: Input, _now: Timestamp) -> Vec<Effect> {
        let _ = self.limits;
        Vec::new()
    }

    /// When [`Input::Tick`] is due, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// A command in memory: every unsettled one, and the latest settled ones.
    #[must_use]
    pub fn command(&self, _device: &DeviceId, _id: &CommandId) -> Option<&Command> {
        None
    }
}
