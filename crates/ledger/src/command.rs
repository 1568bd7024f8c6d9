//! A command: what was requested, and what is known of it so far.

use std::sync::Arc;

use crate::{CommandId, DeviceId, Expectation, Millis, Outcome, State, Timestamp};

/// A request to one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The device it is for.
    pub device: DeviceId,
    /// The new command's ID. Later IDs sort after earlier ones (as UUIDs of version 7 do), so that the order of a
    /// device's commands follows from the commands alone.
    pub id: CommandId,
    /// The command's name, `led` for instance.
    pub name: Arc<str>,
    /// Its arguments as canonical JSON text.
    pub args: Arc<str>,
    /// The form of its request, if it differs from the dialect's own.
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

/// The form of a command's request, as templates that only a dialect reads, and its expectation. The ledger keeps it
/// with the command, so that each attempt is the same as the first, even if the definition has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WireForm {
    /// Where it goes; where its dialect would send it if there is none.
    pub topic: Option<Box<str>>,
    /// The form of the request; the dialect's own if there is none.
    pub payload: Option<Box<str>>,
    /// The payload is plain text. Otherwise it is JSON.
    pub plain: bool,
    /// The required report, if answers do not name the command.
    pub expects: Option<Box<Expectation>>,
    /// The message itself, where the device's dialect has written it already. Then there are no templates.
    pub written: Option<Box<WrittenMessage>>,
    /// Why no request can be written at all, as a sentence. The command is undeliverable from the start.
    pub unwritable: Option<Box<str>>,
}

/// An encoded request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WrittenMessage {
    /// The dialect that has written it.
    pub dialect: Box<str>,
    /// Where it goes.
    pub topic: Box<str>,
    /// The payload.
    pub payload: Box<str>,
    /// The command's id in it, where that is another one.
    pub wire_id: Option<Box<str>>,
}

/// How a command is delivered, waited for and repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The delivery while the device is offline.
    pub delivery: Delivery,
    /// Longest silence after a send, before the command counts as timed out.
    pub timeout: Millis,
    /// Longest time from submission to the (last) send.
    pub time_to_live: Millis,
    /// Whether and how it is sent again on silence.
    pub retry: Retry,
    /// `false`: no answer is expected, and a delivered command ends as [`State::Unconfirmed`]. It holds up no other one;
    /// for as long as its timeout runs, an answer without an id can be meant for it anyway.
    pub answer_expected: bool,
    /// `false` for firmware that answers without an id: one command in flight a device, no automatic retry.
    pub answers_carry_ids: bool,
}

/// The delivery of a command while its device is known to be offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Now or fail: ends as [`State::Undeliverable`].
    Now,
    /// Publish, and let the broker hold it in the device's session.
    BrokerHolds,
    /// Keep it here until the device is online.
    HoldHere,
    /// One publish for all commands with the same ID: they are submitted together, sent with the first of them, and
    /// never resent. The presence of a device does not matter.
    Broadcast,
}

/// Whether a command may be resent, under the same ID, if it is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Marked safe to repeat, or the device is known to deduplicate by id. Without it nothing is sent twice.
    pub permitted: bool,
    /// Sends after the first, at most.
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
    /// Not by an answer, but by a report of the device's state with the requested value.
    Reported,
    /// Without an id, and more than one could be meant: never shown as succeeded.
    Ambiguous,
}

/// When a command reached each rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rungs {
    /// When the last attempt was sent.
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
    /// When it was sent, or handed over if that is not known. If the MQTT client did not accept it: when the send
    /// before it was.
    pub at: Timestamp,
    /// When the send before it was, or the submission for the first one.
    pub before: Timestamp,
    /// The MQTT client has written it.
    pub on_wire: bool,
    /// The result.
    pub publish_result: PublishResult,
}

/// The result of a publish, as far as the history shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishResult {
    /// No result yet.
    Open,
    /// PUBACK.
    Confirmed,
    /// The session was lost before a PUBACK.
    Unknown,
    /// Certainly not sent.
    NotSent,
    /// Refused by the broker, or too large for it.
    Refused,
    /// The device did not carry it out, because it requires a signed request.
    Declined,
}

/// Messages about a command that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableAnswers {
    /// How many.
    pub count: u32,
    /// When the last one came.
    pub last_at: Timestamp,
    /// The problem of the last one, as a sentence.
    pub why: Box<str>,
}

/// A command with everything that its events show. Created only from events: [`Command::begin`], then
/// [`Command::apply`].
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The request.
    pub submission: Arc<Submission>,
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
    /// The last send. `None` before the first.
    pub last_send: Option<LastSend>,
    /// The rungs of the ladder.
    pub rungs: Rungs,
    /// When the device last spoke of it.
    pub last_answer_at: Option<Timestamp>,
    /// The last progress the device reported, 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's last sentence, or ours where it ended without the device.
    pub message: Option<Box<str>>,
    /// The final answer's result as canonical JSON text.
    pub result: Option<Box<str>>,
    /// How the answer that moved it was matched. `None` until there is one.
    pub matched: Option<Match>,
    /// The final answer arrived after the timeout.
    pub late: bool,
    /// How many answers only repeated an earlier one.
    pub duplicates: u32,
    /// Unreadable messages about it. They have settled nothing.
    pub unreadable: Option<UnreadableAnswers>,
    /// A second, different final answer arrived. The first one counts.
    pub conflict: bool,
    /// A report of the device about a command that was cancelled or expired here.
    pub contradicted: Option<Outcome>,
    /// Answers attached to it that no one can be sure of.
    pub ambiguous: u32,
    /// The broker reported that the topic has no subscribers (MQTT 5 reason 0x10). A hint.
    pub nobody_listening: bool,
    /// *Stop waiting* was requested: no more retries.
    pub abandoned: bool,
    /// The broker refused a repeat while an earlier send may have arrived: no more retries.
    pub repeat_refused: bool,
}
