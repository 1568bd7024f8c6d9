//! How much may be under way at once, and how fast it may go out.

use crate::Millis;

/// The flow windows of one connection, and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Publishes without a PUBACK, at the most (AWS: 100).
    pub send_window: usize,
    /// Commands whose answer is outstanding, at the most. Below the broker's queue (mosquitto: 1,000 messages).
    pub answer_window: usize,
    /// A device silent for this long no longer counts in the answer window.
    pub silent_after: Millis,
    /// Sends in any one second, at the most, first ones and repeats together: what goes beyond that a broker may discard
    /// without a word (AWS: 100). From ten on no more than a tenth of them in a tenth of a second. `None`: as many as the
    /// windows let through.
    pub sends_per_second: Option<u32>,
    /// Finished commands kept in memory so that a second answer is told from a stray one without a look-up. What has
    /// changed since [`crate::Ledger::take_changed`] is kept beyond that: the store does not know it yet.
    pub settled_kept: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            send_window: 500,
            answer_window: 500,
            silent_after: Millis::seconds(2),
            sends_per_second: None,
            settled_kept: 10_000,
        }
    }
}
