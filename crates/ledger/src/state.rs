//! The states of a command.

/// The state of a command. A state never goes back; the variants are in the order of the ladder, and every state from
/// [`State::Succeeded`] on is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Written to the outbox. Not passed to MQTT, or not known to be sent.
    Queued,
    /// Held until the device is online.
    Held,
    /// Written by the MQTT client.
    Sent,
    /// The broker has acknowledged the publish (PUBACK). This says nothing about the device.
    AtBroker,
    /// The device has accepted it.
    Accepted,
    /// The device is running it.
    Running,
    /// It succeeded. Only the device can report this.
    Succeeded,
    /// It failed. Only the device can report this.
    Failed,
    /// The device refused it. Only the device can report this.
    Rejected,
    /// It cannot be delivered: refused by the broker, too large, or the device is offline and the command is not held.
    Undeliverable,
    /// Delivered as far as MQTT can show; no answer is expected.
    Unconfirmed,
    /// No answer in time. This is only Wilco's judgement: it may have run, and a late answer still settles it.
    TimedOut,
    /// Its time to live passed before it was sent. It will never be sent.
    Expired,
    /// Cancelled before it was sent. It will never be sent.
    Cancelled,
}

impl State {
    /// Every state, in the order of the ladder.
    pub const ALL: [State; 14] = [
        State::Queued,
        State::Held,
        State::Sent,
        State::AtBroker,
        State::Accepted,
        State::Running,
        State::Succeeded,
        State::Failed,
        State::Rejected,
        State::Undeliverable,
        State::Unconfirmed,
        State::TimedOut,
        State::Expired,
        State::Cancelled,
    ];

    /// Whether the state is final.
    #[must_use]
    pub fn is_final(self) -> bool {
        self >= State::Succeeded
    }

    /// Whether the device itself has reported how it ended.
    #[must_use]
    pub fn is_from_device(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Rejected)
    }

    /// Whether it failed; not for a cancelled or expired command.
    #[must_use]
    pub fn ended_badly(self) -> bool {
        matches!(self, State::Failed | State::Rejected | State::TimedOut | State::Undeliverable)
    }

    /// The name in messages, in the store and in the command line's JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Held => "held",
            State::Sent => "sent",
            State::AtBroker => "at_broker",
            State::Accepted => "accepted",
            State::Running => "running",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Rejected => "rejected",
            State::Undeliverable => "undeliverable",
            State::Unconfirmed => "unconfirmed",
            State::TimedOut => "timed_out",
            State::Expired => "expired",
            State::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }
}
