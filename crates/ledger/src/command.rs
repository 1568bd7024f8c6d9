//! A command: the request and everything known about it.

use std::sync::Arc;

use crate::{CommandId, DeviceId, Expectation, Millis, Outcome, State, Timestamp};

/// A request to one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The device ID.
    pub device: DeviceId,
    /// The new command's ID. Later IDs sort after earlier ones (as UUIDs of version 7 do), so that the order of a
    /// device's commands follows from the commands alone.
    pub id: CommandId,
    /// The command name, for example `led`.
    pub name: Arc<str>,
    /// Its arguments as canonical JSON text.
    pub args: Arc<str>,
    /// Its own request template, if it has one.
    pub form: Option<Arc<WireForm>>,
    /// Delivery, timeout and retries.
    pub policy: Policy,
    /// The command that this one repeats with a new ID (*send again*).
    pub again_of: Option<CommandId>,
    /// The rollout that it belongs to. Recorded with the submission itself, so that a crash never releases a member
    /// twice.
    pub rollout: Option<Membership>,
    /// Wilco sends it automatically, for example to follow a log.
    pub automatic: bool,
    /// The operator named in the request, at most 64 characters.
    pub by: Option<Arc<str>>,
}

/// A member of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The rollout's number.
    pub rollout: u32,
    /// The member's position in the order of release.
    pub member: u32,
}

/// A command's own request, as templates that only a dialect interprets, and its expectation. It is stored with the
/// command, so that each attempt is the same as the first, even if the definition has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WireForm {
    /// The topic; `None` for the dialect's topic.
    pub topic: Option<Box<str>>,
    /// The payload template; `None` for the dialect's payload.
    pub payload: Option<Box<str>>,
    /// The payload is plain text. Otherwise it is JSON.
    pub plain: bool,
    /// The required report, if answers do not contain the command's ID.
    pub expects: Option<Box<Expectation>>,
    /// The encoded message, if the device's dialect has already written it. Then there are no templates.
    pub written: Option<Box<WrittenMessage>>,
    /// The reason why no request can be encoded, as a sentence. Such a command is undeliverable from the start.
    pub unwritable: Option<Box<str>>,
}

/// An encoded request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct WrittenMessage {
    /// The dialect that encoded it.
    pub dialect: Box<str>,
    /// The topic.
    pub topic: Box<str>,
    /// The payload.
    pub payload: Box<str>,
    /// The command's ID in the message, if it differs.
    pub wire_id: Option<Box<str>>,
}

/// How a command is delivered, waited for and repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The delivery while the device is offline.
    pub delivery: Delivery,
    /// The timeout: the longest silence after a send.
    pub timeout: Millis,
    /// The time to live: the longest time from submission to the (last) send.
    pub time_to_live: Millis,
    /// Whether and how it is resent if the device is silent.
    pub retry: Retry,
    /// `false`: no answer is expected, and a delivered command ends as [`State::Unconfirmed`]. It does not hold up
    /// other commands; until its timeout, an answer without an ID may still be matched to it.
    pub answer_expected: bool,
    /// `false` for firmware that answers without an ID: only one command per device in flight, and no automatic retry.
    pub answers_carry_ids: bool,
}

/// The delivery of a command while its device is known to be offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Send now, or fail with [`State::Undeliverable`].
    Now,
    /// Publish, and let the broker hold it in the device's session.
    BrokerHolds,
    /// Hold it here until the device is online.
    HoldHere,
    /// One publish for all commands with the same ID: they are submitted together, sent with the first of them, and
    /// never resent. The presence of a device does not matter.
    Broadcast,
}

/// Whether a command may be resent, under the same ID, if it is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Marked as safe to repeat, or the device is known to deduplicate by ID. Otherwise nothing is sent twice.
    pub permitted: bool,
    /// The maximum number of resends.
    pub limit: u32,
    /// The first pause; doubled for each further attempt, with up to a quarter of jitter.
    pub pause: Millis,
}

/// The origin of a command.
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
    /// By its ID.
    Exact,
    /// Without an ID, but only one command was possible.
    Inferred,
    /// By a report of the device's state with the requested value, not by an answer.
    Reported,
    /// Without an ID, and several commands were possible: never shown as succeeded.
    Ambiguous,
}

/// When a command reached each step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rungs {
    /// When the last attempt was sent.
    pub sent: Option<Timestamp>,
    /// PUBACK of the last attempt.
    pub at_broker: Option<Timestamp>,
    /// The device's first answer.
    pub accepted: Option<Timestamp>,
    /// The final state.
    pub finished: Option<Timestamp>,
}

/// The last send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSend {
    /// Its number, as in [`crate::Effect::Publish`]. Never reused for a command, even if the send failed.
    pub number: u32,
    /// When it was sent, or passed to MQTT if that is not known. If the MQTT client rejected it: the time of the
    /// previous send.
    pub at: Timestamp,
    /// The time of the previous send, or of the submission for the first one.
    pub before: Timestamp,
    /// Whether the MQTT client wrote it.
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
    /// The session was lost before the PUBACK.
    Unknown,
    /// Certainly not sent.
    NotSent,
    /// Refused by the broker, or too large for it.
    Refused,
    /// The device did not run it, because it requires a signed request.
    Declined,
}

/// Unreadable messages about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableAnswers {
    /// The number of messages.
    pub count: u32,
    /// When the last one arrived.
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
    /// Its current state.
    pub state: State,
    /// When its last event happened.
    pub changed_at: Timestamp,
    /// The number of sends that may have happened. 0: it was certainly never passed to MQTT.
    pub attempt: u32,
    /// The last send. `None` before the first.
    pub last_send: Option<LastSend>,
    /// The times of the steps of the ladder.
    pub rungs: Rungs,
    /// When the device last sent a message about it.
    pub last_answer_at: Option<Timestamp>,
    /// The last reported progress, 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's last message, or Wilco's if the command ended without the device.
    pub message: Option<Box<str>>,
    /// The final answer's result as canonical JSON text.
    pub result: Option<Box<str>>,
    /// How the answer that changed its state was matched. `None` without such an answer.
    pub matched: Option<Match>,
    /// The final answer arrived after the timeout.
    pub late: bool,
    /// The number of answers that only repeated an earlier one.
    pub duplicates: u32,
    /// Unreadable messages about it. They settled nothing.
    pub unreadable: Option<UnreadableAnswers>,
    /// A second, different final answer arrived. The first one counts.
    pub conflict: bool,
    /// The device's report about a command that was cancelled or expired here.
    pub contradicted: Option<Outcome>,
    /// Answers that may belong to it, but may also belong to another command.
    pub ambiguous: u32,
    /// The broker reported that the topic has no subscribers (MQTT 5 reason 0x10). A hint.
    pub nobody_listening: bool,
    /// *Stop waiting* was requested: no more retries.
    pub abandoned: bool,
    /// The broker refused a resend while an earlier send may have arrived: no more retries.
    pub repeat_refused: bool,
}
