//! The serialised state of a command.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_ledger::State;

/// The state of a command. The variants are in the order of the ladder.
///
/// What is true of a state is decided by the ledger's [`State`]; this is the same on a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum CommandState {
    /// In the outbox.
    Queued,
    /// Held by Wilco until its device is online.
    Held,
    /// Written to the network.
    Sent,
    /// Acknowledged by the broker.
    AtBroker,
    /// Accepted by the device.
    Accepted,
    /// The device is running it.
    Running,
    /// The device reported success.
    Succeeded,
    /// The device reported failure.
    Failed,
    /// The device refused it.
    Rejected,
    /// It cannot be delivered.
    Undeliverable,
    /// Delivered, and no answer is expected.
    Unconfirmed,
    /// No answer in time.
    TimedOut,
    /// Its time to live passed before it was sent.
    Expired,
    /// Cancelled before it was sent.
    Cancelled,
}

impl CommandState {
    /// Every state, in the order of the ladder.
    pub const ALL: [CommandState; 14] = [
        CommandState::Queued,
        CommandState::Held,
        CommandState::Sent,
        CommandState::AtBroker,
        CommandState::Accepted,
        CommandState::Running,
        CommandState::Succeeded,
        CommandState::Failed,
        CommandState::Rejected,
        CommandState::Undeliverable,
        CommandState::Unconfirmed,
        CommandState::TimedOut,
        CommandState::Expired,
        CommandState::Cancelled,
    ];

    /// Whether the state is final, see [`State::is_final`].
    #[must_use]
    pub fn is_final(self) -> bool {
        State::from(self).is_final()
    }

    /// Whether the device determined the state, see [`State::is_from_device`].
    #[must_use]
    pub fn is_from_device(self) -> bool {
        State::from(self).is_from_device()
    }

    /// Whether the command ended in an undesired state, see [`State::ended_badly`].
    #[must_use]
    pub fn ended_badly(self) -> bool {
        State::from(self).ended_badly()
    }

    /// The state in tables and JSON, for example `timed_out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        State::from(self).as_str()
    }

    /// The state in a sentence, for example `timed out`.
    #[must_use]
    pub fn words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

impl fmt::Display for CommandState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl From<State> for CommandState {
    fn from(state: State) -> CommandState {
        match state {
            State::Queued => CommandState::Queued,
            State::Held => CommandState::Held,
            State::Sent => CommandState::Sent,
            State::AtBroker => CommandState::AtBroker,
            State::Accepted => CommandState::Accepted,
            State::Running => CommandState::Running,
            State::Succeeded => CommandState::Succeeded,
            State::Failed => CommandState::Failed,
            State::Rejected => CommandState::Rejected,
            State::Undeliverable => CommandState::Undeliverable,
            State::Unconfirmed => CommandState::Unconfirmed,
            State::TimedOut => CommandState::TimedOut,
            State::Expired => CommandState::Expired,
            State::Cancelled => CommandState::Cancelled,
        }
    }
}

impl From<CommandState> for State {
    fn from(state: CommandState) -> State {
        match state {
            CommandState::Queued => State::Queued,
            CommandState::Held => State::Held,
            CommandState::Sent => State::Sent,
            CommandState::AtBroker => State::AtBroker,
            CommandState::Accepted => State::Accepted,
            CommandState::Running => State::Running,
            CommandState::Succeeded => State::Succeeded,
            CommandState::Failed => State::Failed,
            CommandState::Rejected => State::Rejected,
            CommandState::Undeliverable => State::Undeliverable,
            CommandState::Unconfirmed => State::Unconfirmed,
            CommandState::TimedOut => State::TimedOut,
            CommandState::Expired => State::Expired,
            CommandState::Cancelled => State::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::State;

    use super::CommandState;

    #[test]
    fn it_is_the_ledgers_state_with_its_word_and_its_order() {
        assert_eq!(CommandState::ALL.map(State::from), State::ALL);
        assert_eq!(State::ALL.map(CommandState::from), CommandState::ALL);
        assert!(CommandState::ALL.is_sorted());
        for state in CommandState::ALL {
            assert_eq!(serde_json::to_value(state).expect("JSON"), state.as_str());
        }
    }
}
