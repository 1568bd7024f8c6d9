//! Limits on the number of unfinished commands and on the rate of sends.

use crate::Millis;

/// The flow-control windows and the rate of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of publishes without a PUBACK (AWS: 100). 0: nothing is sent or resent.
    pub send_window: usize,
    /// The maximum number of commands that wait for answers, unless probes show that the broker queues no answers: see
    /// [`crate::AnswerWindow`]. Below the broker's queue (mosquitto: 1,000 messages).
    pub answer_window: usize,
    /// A device silent for this long no longer counts in the answer window.
    pub silent_after: Millis,
    /// The maximum number of sends in any one second, including resends: a broker may silently discard more (AWS: 100).
    /// From ten on, at most a tenth of them in a tenth of a second. `None`: as many as the windows allow.
    pub sends_per_second: Option<u32>,
    /// How long a device that was online may take to reconnect after a possible restart of the broker, before anything
    /// is sent to it without a sign of it.
    pub return_within: Millis,
    /// After a session was resumed, commands sent over an earlier connection time out only after this long without an
    /// answer to any of them: the broker may still be delivering them, and devices may still be working on them.
    pub earlier_answers_within: Millis,
    /// The maximum for this, counted from when the connection was established.
    pub earlier_answers_at_most: Millis,
    /// Finished commands kept in memory, so that a second answer is distinguished from an unmatched one without a look-up.
    /// Commands that have changed since [`crate::Ledger::take_changed`] are kept in addition: the store does not know
    /// them yet.
    pub settled_kept: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            send_window: 500,
            answer_window: 500,
            silent_after: Millis::seconds(2),
            sends_per_second: None,
            return_within: Millis::seconds(5),
            earlier_answers_within: Millis::seconds(5),
            earlier_answers_at_most: Millis::seconds(30),
            settled_kept: 10_000,
        }
    }
}
