//! The faults of a virtual device, each with a probability. A device with all of them at zero has no faults.

use std::ops::RangeInclusive;

use wilco_dialect::{
    Channel, LogChunk,
    device_side::{self, Response},
};
use wilco_ledger::CommandId;

use crate::random::Random;

/// The faults of a device: probabilities from 0 to 1, for each answer unless stated otherwise. Chunks of a log are
/// lost, duplicated, reordered and truncated like answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// The answer is never sent.
    pub drop: f64,
    /// The answer is sent twice.
    pub duplicate: f64,
    /// The answer waits a second, so that later ones overtake it.
    pub reorder: f64,
    /// The answer has an unknown ID.
    pub wrong_id: f64,
    /// The answer's payload is truncated.
    pub malformed: f64,
    /// The command fails (for each command).
    pub fail: f64,
    /// The command takes twenty times as long (for each command).
    pub slow: f64,
    /// The device restarts in the middle of the command, so that its outcome is unknown (for each command).
    pub restart: f64,
}

/// The durations of a device, in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The delay before `accepted`.
    pub accept: RangeInclusive<u64>,
    /// The duration of the work.
    pub work: RangeInclusive<u64>,
    /// The duration of a restart.
    pub reboot: RangeInclusive<u64>,
    /// The delay of each answer by the network. Answers may overtake each other.
    pub delay: RangeInclusive<u64>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { accept: 0..=0, work: 0..=0, reboot: 500..=500, delay: 0..=0 }
    }
}

/// The fate of one answer.
#[derive(Debug, PartialEq)]
pub(crate) struct AnswerPlan {
    /// The topic.
    pub(crate) channel: Channel,
    /// The message to send.
    pub(crate) payload: Vec<u8>,
    /// The ID to send it with.
    pub(crate) id: Option<CommandId>,
    /// The content type, as in MQTT 5.
    pub(crate) content_type: &'static str,
    /// How many times it is sent.
    pub(crate) copies: u32,
    /// It waits until other answers have overtaken it.
    pub(crate) held_back: bool,
}

impl Faults {
    pub(crate) fn plan_of(&self, response: &Response, random: &mut Random) -> AnswerPlan {
        let copies = self.copies(random);
        let id = if random.happens(self.wrong_id) {
            CommandId::new(format!("00000000-0000-4000-8000-{:012x}", random.within(&(0..=0xffff_ffff_ffff)))).ok()
        } else {
            response.id.clone()
        };
        let payload = device_side::write_response(&Response { id: id.clone(), ..response.clone() });
        let (channel, content_type) = (Channel::Resp, "application/json");
        self.harm(AnswerPlan { channel, payload, id, content_type, copies, held_back: false }, random)
    }

    /// The same for an answer in plain text. It contains no ID that could be wrong.
    pub(crate) fn plan_of_text(&self, text: String, random: &mut Random) -> AnswerPlan {
        let copies = self.copies(random);
        let payload = text.into_bytes();
        let (channel, content_type) = (Channel::Resp, "text/plain");
        self.harm(AnswerPlan { channel, payload, id: None, content_type, copies, held_back: false }, random)
    }

    /// The same for a chunk of a log.
    pub(crate) fn plan_of_chunk(&self, chunk: &LogChunk, random: &mut Random) -> AnswerPlan {
        let copies = self.copies(random);
        let (payload, id) = (device_side::write_log_chunk(chunk), Some(chunk.id.clone()));
        let fate = AnswerPlan {
            channel: Channel::Log,
            payload,
            id,
            content_type: "application/json",
            copies,
            held_back: false,
        };
        self.harm(fate, random)
    }

    fn copies(&self, random: &mut Random) -> u32 {
        match random.happens(self.drop) {
            true => 0,
            false if random.happens(self.duplicate) => 2,
            false => 1,
        }
    }

    fn harm(&self, mut fate: AnswerPlan, random: &mut Random) -> AnswerPlan {
        if random.happens(self.malformed) {
            fate.payload.truncate(fate.payload.len() / 2);
        }
        AnswerPlan { held_back: random.happens(self.reorder), ..fate }
    }

    /// Why a command fails on this device, if it does.
    pub(crate) fn broken(&self, random: &mut Random) -> Option<&'static str> {
        const REASONS: &[&str] = &[
            "The I2C bus does not answer.",
            "Writing to flash failed: block 17 is worn out.",
            "The supply voltage is too low (2.81 V).",
        ];
        random.happens(self.fail).then(|| random.pick(REASONS).copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use wilco_dialect::{
        Channel,
        device_side::{Response, write_response},
    };
    use wilco_ledger::{CommandId, Outcome, Timestamp};

    use super::{AnswerPlan, Faults};
    use crate::random::Random;

    fn response() -> Response {
        Response {
            id: CommandId::new("a").ok(),
            outcome: Outcome::Succeeded,
            progress: None,
            message: None,
            result: None,
            at: Timestamp(1),
        }
    }

    #[test]
    fn each_fault_does_its_own_harm() {
        let right = write_response(&response());
        let fate = |faults: Faults| faults.plan_of(&response(), &mut Random::new(1, 1));
        let none = Faults::default();
        let unharmed = AnswerPlan {
            channel: Channel::Resp,
            payload: right.clone(),
            id: response().id,
            content_type: "application/json",
            copies: 1,
            held_back: false,
        };
        assert_eq!(fate(none.clone()), unharmed);
        assert_eq!(fate(Faults { drop: 1.0, ..none.clone() }).copies, 0);
        assert_eq!(fate(Faults { duplicate: 1.0, ..none.clone() }).copies, 2);
        assert!(fate(Faults { reorder: 1.0, ..none.clone() }).held_back);
        assert_eq!(fate(Faults { malformed: 1.0, ..none.clone() }).payload, right[..right.len() / 2]);
        let unmatched = fate(Faults { wrong_id: 1.0, ..none.clone() });
        assert!(String::from_utf8_lossy(&unmatched.payload).starts_with(r#"{"id":"00000000-"#));
        assert_ne!(unmatched.id, response().id);
        assert!(Faults { fail: 1.0, ..none.clone() }.broken(&mut Random::new(1, 1)).is_some());
        assert!(none.broken(&mut Random::new(1, 1)).is_none());
    }
}
