//! One command: what was asked, and what is known of it so far.

use std::sync::Arc;

use crate::{CommandId, DeviceId, Expectation, Millis, Outcome, State, Timestamp};

/// What somebody asks of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The device it is for.
    pub device: DeviceId,
    /// The new command's id. Later ids sort after earlier ones (as UUIDs of version 7 do), so that the order in which a
    /// device was asked is known from the commands alone.
    pub id: CommandId,
    /// The command's name, `led` for instance.
    pub name: Arc<str>,
    /// Its arguments as canonical JSON text.
    pub args: Arc<str>,
    /// How it is written for the wire, where its dialect alone would write it otherwise.
    pub form: Option<Arc<WireForm>>,
    /// How it is to be delivered and waited for.
    pub policy: Policy,
    /// The command that this one repeats under a new id (*send again*).
    pub again_of: Option<CommandId>,
    /// The rollout that it belongs to. Written down with the submission itself, so that no crash releases a member twice.
    pub rollout: Option<Membership>,
    /// Wilco sends it by itself, for example to follow a log.
    pub automatic: bool,
    /// The operator whom the request names, at most 64 characters.
    pub by: Option<Arc<str>>,
}

/// A member of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The rollout's number.
    pub rollout: u32,
    /// The member's place in the order of release.
    pub member: u32,
}

/// How a command is written for the wire, as templates that only a dialect reads, and what shows that it was done. The
/// ledger keeps it with the command, so that each attempt looks like the first, whatever has become since of the definition
/// that it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WireForm {
    /// Where it goes; where its dialect would send it if there is none.
    pub topic: Option<Box<str>>,
    /// What is sent; what its dialect would write if there is none.
    pub payload: Option<Box<str>>,
    /// The payload is plain text. Otherwise it is JSON.
    pub plain: bool,
    /// What the device must report, where its answers do not name the command.
    pub expects: Option<Box<Expectation>>,
    /// The message itself, where the device's dialect has written it already. Then there are no templates.
    pub written: Option<Box<WrittenMessage>>,
    /// Why no request can be written at all, as a sentence. The command is undeliverable from the start.
    pub unwritable: Option<Box<str>>,
}

/// A request as it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WrittenMessage {
    /// The dialect that has written it.
    pub dialect: Box<str>,
    /// Where it goes.
    pub topic: Box<str>,
    /// What is sent.
    pub payload: Box<str>,
    /// The command's id in it, where that is another one.
    pub wire_id: Option<Box<str>>,
}

/// How a command is delivered, waited for and repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What to do while the device is offline.
    pub delivery: Delivery,
    /// Longest silence after a send, before the command counts as timed out.
    pub timeout: Millis,
    /// Longest time from submission to the (last) send.
    pub time_to_live: Millis,
    /// Whether and how it is sent again on silence.
    pub retry: Retry,
    /// `false`: no answer is expected, and a delivered command ends as [`State::Unconfirmed`]. It holds up no other one;
    /// for as long as its timeout runs, an answer without an id can be meant for it all the same.
    pub answer_expected: bool,
    /// `false` for firmware that answers without an id: one command in flight a device, no automatic retry.
    pub answers_carry_ids: bool,
}

/// What to do with a command while its device is known to be offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Now or fail: ends as [`State::Undeliverable`].
    Now,
    /// Publish, and let the broker hold it in the device's session.
    BrokerHolds,
    /// Keep it here until the device is online.
    HoldHere,
    /// One publish for all commands that share the id: they are submitted together, go out with the first of them, and are
    /// never sent again. Whether a device is online makes no difference.
    Broadcast,
}

/// Whether a command may be sent again, under the same id, when nothing is heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Marked safe to repeat, or the device is known to deduplicate by id. Without it nothing is sent twice.
    pub permitted: bool,
    /// Sends after the first, at the most.
    pub limit: u32,
    /// The first pause; doubled for each further attempt, with a jitter of up to a quarter.
    pub pause: Millis,
}

/// Where a command came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Sent by this installation.
    Here,
    /// Another console's, seen on the request topic.
    Observed,
}

/// How an answer was matched to its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// By its id.
    Exact,
    /// Without an id, but only one command could be meant.
    Inferred,
    /// By no answer, but by a report of the device's state that meets what the command asked for.
    Reported,
    /// Without an id, and more than one could be meant: never shown as succeeded.
    Ambiguous,
}

/// When a command reached each rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rungs {
    /// On the wire, for the last attempt.
    pub sent: Option<Timestamp>,
    /// PUBACK, for the last attempt.
    pub at_broker: Option<Timestamp>,
    /// The first sign of the device.
    pub accepted: Option<Timestamp>,
    /// The final state.
    pub finished: Option<Timestamp>,
}

/// The last time a command was handed to MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSend {
    /// Its number, as in [`crate::Effect::Publish`]. Never used twice for a command, also where a send came to nothing.
    pub number: u32,
    /// When it was seen on the wire, or handed over as long as it was not. Where the MQTT client did not take it: when
    /// the send before it was.
    pub at: Timestamp,
    /// When the send before it was, or the submission for the first one.
    pub before: Timestamp,
    /// It was seen on the wire.
    pub on_wire: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a publish, as far as the history tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// No word of it yet.
    Open,
    /// PUBACK.
    Confirmed,
    /// The session was lost before a PUBACK.
    Unknown,
    /// Provably not on the wire.
    NotSent,
    /// Refused by the broker, or too large for it.
    Refused,
    /// The device said that it has not carried it out, and that it wants it to be signed.
    Declined,
}

/// Messages about a command that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableAnswers {
    /// How many.
    pub count: u32,
    /// When the last one came.
    pub last_at: Timestamp,
    /// What is wrong with the last one, as a sentence.
    pub why: Box<str>,
}

/// A command and all that its events say of it. Made from events alone: [`Command::begin`], then [`Command::apply`].
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What was asked.
    pub asked: Arc<Submission>,
    /// The console that sent it.
    pub origin: Origin,
    /// When it was written to the outbox, or first seen.
    pub submitted_at: Timestamp,
    /// How far it has come.
    pub state: State,
    /// When its last event happened.
    pub changed_at: Timestamp,
    /// The number of sends that may have happened. 0: provably never handed to MQTT.
    pub attempt: u32,
    /// What is known of the last send. `None` until there is one.
    pub last_send: Option<LastSend>,
    /// The rungs of the ladder.
    pub rungs: Rungs,
    /// When the device last spoke of it.
    pub heard_at: Option<Timestamp>,
    /// The last progress the device reported, 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's last sentence, or ours where it ended without the device.
    pub message: Option<Box<str>>,
    /// The final answer's result as canonical JSON text.
    pub result: Option<Box<str>>,
    /// How the answer that moved it was matched. `None` until there is one.
    pub matched: Option<Match>,
    /// The final answer came after we had given up.
    pub late: bool,
    /// How many answers only repeated an earlier one.
    pub duplicates: u32,
    /// What came about it and could not be read. It has settled nothing.
    pub unreadable: Option<UnreadableAnswers>,
    /// A second, different final answer was heard. The first stands.
    pub conflict: bool,
    /// What the device reports of a command that ended here as cancelled or expired.
    pub contradicted: Option<Outcome>,
    /// Answers attached to it that no one can be sure of.
    pub ambiguous: u32,
    /// The broker said that nobody at all listens on the topic (MQTT 5 reason 0x10). A hint.
    pub nobody_listening: bool,
    /// *Stop waiting* was asked: no more retries.
    pub abandoned: bool,
    /// The broker refused a repeat while an earlier send may have arrived: no more retries.
    pub repeat_refused: bool,
}
