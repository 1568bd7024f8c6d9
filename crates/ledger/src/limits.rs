//! Limits on the number of unfinished commands and on the rate of sends.

use crate::Millis;

/// The flow windows of one connection, and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Publishes without a PUBACK, at most (AWS: 100). 0: nothing is sent, and nothing sent again.
    pub send_window: usize,
    /// Commands whose answer is outstanding, at most, unless probes show that the broker keeps no answers back: see
    /// [`crate::AnswerWindow`]. Below the broker's queue (mosquitto: 1,000 messages).
    pub answer_window: usize,
    /// A device silent for this long no longer counts in the answer window.
    pub silent_after: Millis,
    /// Sends in any one second, at most, first ones and resends together: a broker may silently discard more (AWS:
    /// 100). From ten on, at most a tenth of them in a tenth of a second. `None`: as many as the windows allow.
    pub sends_per_second: Option<u32>,
    /// After the broker may have been restarted, a device that was online before is given so long to come back, before
    /// anything is sent to it without a sign of it.
    pub return_within: Millis,
    /// After a session was resumed, what went out over an earlier connection times out only once no answer to any of it has
    /// come for so long: the broker may still be handing it to devices, and devices may still be at work on it.
    pub earlier_answers_within: Millis,
    /// But at most this long after the connection was established.
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
