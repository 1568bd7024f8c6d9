//! The states of a command.

/// The state of a command. States only climb; the order of the variants is the order of the ladder, and every
/// state from [`State::Succeeded`] on is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Written to the outbox. Not handed to MQTT, or not known to be sent.
    Queued,
    /// Kept here until the device is online.
    Held,
    /// Written by the MQTT client.
    Sent,
    /// The broker has acknowledged the publish (PUBACK). Says nothing of the device.
    AtBroker,
    /// The device has it.
    Accepted,
    /// The device is at it.
    Running,
    /// The device did it. Said by the device alone.
    Succeeded,
    /// The device could not do it. Said by the device alone.
    Failed,
    /// The device will not do it. Said by the device alone.
    Rejected,
    /// It cannot be delivered: refused by the broker, too large, or the device is offline and the command does not
    /// wait.
    Undeliverable,
    /// Delivered as far as MQTT can show, and no answer is expected.
    Unconfirmed,
    /// No answer in time. An opinion of ours: it may have run, and a late answer still settles it.
    TimedOut,
    /// Its time to live passed before it was ever sent. It will never be sent.
    Expired,
    /// Withdrawn before it was ever sent. It will never be sent.
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

    /// Nothing more is awaited.
    #[must_use]
    pub fn is_final(self) -> bool {
        self >= State::Succeeded
    }

    /// The device itself has reported how it ended.
    #[must_use]
    pub fn is_from_device(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Rejected)
    }

    /// It failed: not for a command that was cancelled or expired.
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

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }
}
