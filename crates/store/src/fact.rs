//! The stored form of a fact: JSON, and the raw payload of an answer or a request beside it, byte for byte.

mod parts;

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use wilco_ledger::{
    CommandId, DeviceId, Event, Fact, Membership, Origin, Raw, Reading, Submission, TimeOut, Unmatched,
};

use self::parts::{StoredAnswer, StoredCut, StoredNotDelivered, StoredRequest, is_false};
pub(super) use self::parts::{StoredForm, StoredPolicy, read_cut, write_cut};
use super::sql_enum::Worded;

/// A fact as JSON. Values of the event's own columns (device, command) are not repeated, nor is the payload.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredFact<'a> {
    Submitted {
        origin: Worded<Origin>,
        /// The topic of another console's request; its payload is stored separately.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard: Option<StoredRequest<'a>>,
        name: Cow<'a, str>,
        args: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<StoredForm<'a>>,
        policy: StoredPolicy,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_of: Option<Cow<'a, str>>,
        /// The rollout's number and the member's place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rollout: Option<(u32, u32)>,
        #[serde(default, skip_serializing_if = "is_false")]
        automatic: bool,
        /// The operator whom the request names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
    },
    Held,
    Released,
    AwaitsReturn,
    EventsMissing,
    Handed {
        attempt: u32,
        /// The topic; the payload is stored separately.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<StoredRequest<'a>>,
    },
    Sent {
        attempt: u32,
    },
    AtBroker {
        attempt: u32,
        #[serde(default, skip_serializing_if = "is_false")]
        nobody_listening: bool,
    },
    DeliveryUnknown {
        attempt: u32,
    },
    NotSent {
        attempt: u32,
    },
    Undeliverable(StoredNotDelivered),
    Unconfirmed,
    Answered {
        answer: StoredAnswer<'a>,
        reading: Worded<Reading>,
    },
    Unsolicited {
        answer: StoredAnswer<'a>,
        unmatched: Worded<Unmatched>,
    },
    Unreadable {
        topic: Cow<'a, str>,
        qos: u8,
        why: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<StoredCut>,
    },
    TimedOut {
        why: Worded<TimeOut>,
    },
    Expired,
    Cancelled,
}

/// An event's fact as JSON text, and the payload that goes beside it.
pub(super) fn write<'a>(
    event: &'a Event,
    request: Option<&'a Raw>,
) -> Result<(String, Option<&'a [u8]>), serde_json::Error> {
    let payload = request.map(|request| &*request.payload);
    let request = request.map(StoredRequest::of);
    let (stored, payload) = match &event.fact {
        Fact::Submitted { submission, origin } => (
            StoredFact::Submitted {
                origin: Worded(*origin),
                heard: request,
                name: Cow::Borrowed(&submission.name),
                args: Cow::Borrowed(&submission.args),
                form: submission.form.as_deref().map(StoredForm::of),
                policy: StoredPolicy::of(submission.policy),
                again_of: submission.again_of.as_ref().map(|id| Cow::Borrowed(id.as_str())),
                rollout: submission.rollout.map(|Membership { rollout, member }| (rollout, member)),
                automatic: submission.automatic,
                by: submission.by.as_deref().map(Cow::Borrowed),
            },
            payload,
        ),
        Fact::Held => (StoredFact::Held, None),
        Fact::Released => (StoredFact::Released, None),
        Fact::AwaitsReturn => (StoredFact::AwaitsReturn, None),
        Fact::EventsMissing => (StoredFact::EventsMissing, None),
        Fact::Handed { attempt } => (StoredFact::Handed { attempt: *attempt, request }, payload),
        Fact::Sent { attempt } => (StoredFact::Sent { attempt: *attempt }, None),
        Fact::AtBroker { attempt, nobody_listening } => {
            (StoredFact::AtBroker { attempt: *attempt, nobody_listening: *nobody_listening }, None)
        }
        Fact::DeliveryUnknown { attempt } => (StoredFact::DeliveryUnknown { attempt: *attempt }, None),
        Fact::NotSent { attempt } => (StoredFact::NotSent { attempt: *attempt }, None),
        Fact::Undeliverable(why) => (StoredFact::Undeliverable(StoredNotDelivered::of(why)), None),
        Fact::Unconfirmed => (StoredFact::Unconfirmed, None),
        Fact::Answered { answer, reading } => (
            StoredFact::Answered { answer: StoredAnswer::of(answer, &event.device), reading: Worded(*reading) },
            Some(&*answer.raw.payload),
        ),
        Fact::Unsolicited { answer, unmatched } => (
            StoredFact::Unsolicited { answer: StoredAnswer::of(answer, &event.device), unmatched: Worded(*unmatched) },
            Some(&*answer.raw.payload),
        ),
        Fact::Unreadable { raw, why } => {
            let Raw { topic, payload, qos, cut } = &**raw;
            let cut = cut.as_deref().map(StoredCut::of);
            let stored = StoredFact::Unreadable { topic: (&**topic).into(), qos: *qos, why: (&**why).into(), cut };
            (stored, Some(&**payload))
        }
        Fact::TimedOut(why) => (StoredFact::TimedOut { why: Worded(*why) }, None),
        Fact::Expired => (StoredFact::Expired, None),
        Fact::Cancelled => (StoredFact::Cancelled, None),
    };
    Ok((serde_json::to_string(&stored)?, payload))
}

/// A stored fact that cannot be read: a sentence.
pub(super) type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// The request of a fact, and whether it was received rather than sent.
pub(super) fn request(fact: &str, payload: Vec<u8>) -> Result<Option<(Raw, bool)>, Unreadable> {
    let (request, heard) = match serde_json::from_str::<StoredFact<'_>>(fact)? {
        StoredFact::Handed { request, .. } => (request, false),
        StoredFact::Submitted { heard, .. } => (heard, true),
        _ => (None, false),
    };
    let raw = request.map(|request| Raw {
        topic: request.topic.into(),
        payload: payload.into(),
        qos: request.qos,
        cut: None,
    });
    Ok(raw.map(|raw| (raw, heard)))
}

/// The fact that was written as this JSON text and payload, of an event of that device and command.
pub(super) fn read(
    fact: &str,
    payload: Option<Vec<u8>>,
    device: &DeviceId,
    command: Option<&CommandId>,
) -> Result<Fact, Unreadable> {
    Ok(match serde_json::from_str::<StoredFact<'_>>(fact)? {
        StoredFact::Submitted { origin, heard: _, name, args, form, policy, again_of, rollout, automatic, by } => {
            Fact::Submitted {
                submission: Arc::new(Submission {
                    device: device.clone(),
                    id: command.ok_or("a submission without a command ID")?.clone(),
                    name: name.into(),
                    args: args.into(),
                    form: form.map(|form| Arc::new(form.form())),
                    policy: policy.policy(),
                    again_of: again_of.map(CommandId::new).transpose()?,
                    rollout: rollout.map(|(rollout, member)| Membership { rollout, member }),
                    automatic,
                    by: by.map(Into::into),
                }),
                origin: origin.0,
            }
        }
        StoredFact::Held => Fact::Held,
        StoredFact::Released => Fact::Released,
        StoredFact::AwaitsReturn => Fact::AwaitsReturn,
        StoredFact::EventsMissing => Fact::EventsMissing,
        StoredFact::Handed { attempt, request: _ } => Fact::Handed { attempt },
        StoredFact::Sent { attempt } => Fact::Sent { attempt },
        StoredFact::AtBroker { attempt, nobody_listening } => Fact::AtBroker { attempt, nobody_listening },
        StoredFact::DeliveryUnknown { attempt } => Fact::DeliveryUnknown { attempt },
        StoredFact::NotSent { attempt } => Fact::NotSent { attempt },
        StoredFact::Undeliverable(why) => Fact::Undeliverable(why.not_delivered()),
        StoredFact::Unconfirmed => Fact::Unconfirmed,
        StoredFact::Answered { answer, reading } => {
            Fact::Answered { answer: Box::new(answer.answer(payload, device)?), reading: reading.0 }
        }
        StoredFact::Unsolicited { answer, unmatched } => {
            Fact::Unsolicited { answer: Box::new(answer.answer(payload, device)?), unmatched: unmatched.0 }
        }
        StoredFact::Unreadable { topic, qos, why, cut } => {
            let cut = cut.map(StoredCut::cut).transpose()?;
            let raw = Raw { topic: topic.into(), payload: payload.unwrap_or_default().into(), qos, cut };
            Fact::Unreadable { raw: Box::new(raw), why: why.into() }
        }
        StoredFact::TimedOut { why } => Fact::TimedOut(why.0),
        StoredFact::Expired => Fact::Expired,
        StoredFact::Cancelled => Fact::Cancelled,
    })
}
