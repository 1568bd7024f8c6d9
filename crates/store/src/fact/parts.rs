//! The parts of a stored fact: requests, policies, forms, expectations, answers and descriptions of payloads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wilco_ledger::{
    Answer, Claim, CommandId, Cut, Delivery, DeviceId, Expectation, Millis, NotDelivered, Outcome, Policy, Raw, Retry,
    Term, Timestamp, WireForm, WrittenMessage,
};

use super::Unreadable;
use crate::sql_enum::Worded;

/// A request without its payload.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredRequest<'a> {
    pub(super) topic: Cow<'a, str>,
    pub(super) qos: u8,
}

impl StoredRequest<'_> {
    pub(super) fn of(raw: &Raw) -> StoredRequest<'_> {
        StoredRequest { topic: Cow::Borrowed(&raw.topic), qos: raw.qos }
    }
}

/// How a command is delivered, waited for and repeated.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPolicy {
    delivery: Worded<Delivery>,
    timeout_ms: u64,
    ttl_ms: u64,
    retry: bool,
    retries: u32,
    pause_ms: u64,
    answer_expected: bool,
    answers_carry_ids: bool,
}

/// How a request is written, where its dialect alone would write it otherwise.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredForm<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    plain: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expects: Option<StoredExpectation<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<StoredMessage<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unwritable: Option<Cow<'a, str>>,
}

/// An encoded request.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredMessage<'a> {
    dialect: Cow<'a, str>,
    topic: Cow<'a, str>,
    payload: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wire_id: Option<Cow<'a, str>>,
}

/// The expected report of a command that no answer names.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredExpectation<'a> {
    State {
        /// Each key, and its value where it must be one.
        terms: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words_under: Vec<Cow<'a, str>>,
    },
    Nothing(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(super) enum StoredNotDelivered {
    NotWritten {
        said: Box<str>,
    },
    Refused {
        code: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Box<str>>,
    },
    TooLarge {
        bytes: usize,
    },
    DeviceOffline,
    NotConnected,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAnswer<'a> {
    /// Only where it is not the event's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<Cow<'a, str>>,
    /// The claim: at most one of these two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<Cow<'a, str>>,
    /// It names none, and is a report of the device's state.
    #[serde(default, skip_serializing_if = "is_false")]
    state: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<Cow<'a, str>>,
    outcome: Worded<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said_at: Option<i64>,
    #[serde(default, skip_serializing_if = "is_false")]
    retained: bool,
    topic: Cow<'a, str>,
    qos: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<StoredCut>,
}

/// The description of a payload that is not stored whole.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCut {
    bytes: u64,
    first: u32,
    /// In hexadecimal digits.
    sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

impl<'a> StoredForm<'a> {
    pub(crate) fn of(form: &'a WireForm) -> StoredForm<'a> {
        let borrowed = |template: &'a Option<Box<str>>| template.as_deref().map(Cow::Borrowed);
        StoredForm {
            topic: borrowed(&form.topic),
            payload: borrowed(&form.payload),
            plain: form.plain,
            expects: form.expects.as_deref().map(StoredExpectation::of),
            written: form.written.as_deref().map(|written| StoredMessage {
                dialect: Cow::Borrowed(&written.dialect),
                topic: Cow::Borrowed(&written.topic),
                payload: Cow::Borrowed(&written.payload),
                wire_id: borrowed(&written.wire_id),
            }),
            unwritable: borrowed(&form.unwritable),
        }
    }

    pub(crate) fn form(self) -> WireForm {
        let StoredForm { topic, payload, plain, expects, written, unwritable } = self;
        WireForm {
            topic: topic.map(Into::into),
            payload: payload.map(Into::into),
            plain,
            expects: expects.map(|expects| Box::new(expects.expectation())),
            written: written.map(|written| {
                Box::new(WrittenMessage {
                    dialect: written.dialect.into(),
                    topic: written.topic.into(),
                    payload: written.payload.into(),
                    wire_id: written.wire_id.map(Into::into),
                })
            }),
            unwritable: unwritable.map(Into::into),
        }
    }
}

impl<'a> StoredExpectation<'a> {
    pub(super) fn of(expects: &'a Expectation) -> StoredExpectation<'a> {
        match expects {
            Expectation::State { terms, words_under } => StoredExpectation::State {
                terms: terms
                    .iter()
                    .map(|term| (Cow::Borrowed(&*term.key), term.value.as_deref().map(Cow::Borrowed)))
                    .collect(),
                words_under: words_under.iter().map(|key| Cow::Borrowed(&**key)).collect(),
            },
            Expectation::Nothing(why) => StoredExpectation::Nothing(Cow::Borrowed(why)),
        }
    }

    pub(super) fn expectation(self) -> Expectation {
        match self {
            StoredExpectation::State { terms, words_under } => Expectation::State {
                terms: terms
                    .into_iter()
                    .map(|(key, value)| Term { key: key.into(), value: value.map(Into::into) })
                    .collect(),
                words_under: words_under.into_iter().map(Into::into).collect(),
            },
            StoredExpectation::Nothing(why) => Expectation::Nothing(why.into()),
        }
    }
}

impl StoredPolicy {
    pub(crate) fn of(policy: Policy) -> StoredPolicy {
        StoredPolicy {
            delivery: Worded(policy.delivery),
            timeout_ms: policy.timeout.0,
            ttl_ms: policy.time_to_live.0,
            retry: policy.retry.permitted,
            retries: policy.retry.limit,
            pause_ms: policy.retry.pause.0,
            answer_expected: policy.answer_expected,
            answers_carry_ids: policy.answers_carry_ids,
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            delivery: self.delivery.0,
            timeout: Millis(self.timeout_ms),
            time_to_live: Millis(self.ttl_ms),
            retry: Retry { permitted: self.retry, limit: self.retries, pause: Millis(self.pause_ms) },
            answer_expected: self.answer_expected,
            answers_carry_ids: self.answers_carry_ids,
        }
    }
}

impl StoredNotDelivered {
    pub(super) fn of(why: &NotDelivered) -> StoredNotDelivered {
        match why {
            NotDelivered::NotWritten(why) => StoredNotDelivered::NotWritten { said: why.clone() },
            NotDelivered::Refused { code, said } => StoredNotDelivered::Refused { code: *code, said: said.clone() },
            NotDelivered::TooLarge { bytes } => StoredNotDelivered::TooLarge { bytes: *bytes },
            NotDelivered::DeviceOffline => StoredNotDelivered::DeviceOffline,
            NotDelivered::NotConnected => StoredNotDelivered::NotConnected,
        }
    }

    pub(super) fn not_delivered(&self) -> NotDelivered {
        match self {
            StoredNotDelivered::NotWritten { said } => NotDelivered::NotWritten(said.clone()),
            StoredNotDelivered::Refused { code, said } => NotDelivered::Refused { code: *code, said: said.clone() },
            StoredNotDelivered::TooLarge { bytes } => NotDelivered::TooLarge { bytes: *bytes },
            StoredNotDelivered::DeviceOffline => NotDelivered::DeviceOffline,
            StoredNotDelivered::NotConnected => NotDelivered::NotConnected,
        }
    }
}

impl StoredCut {
    pub(super) fn of(cut: &Cut) -> StoredCut {
        let sha256 = cut.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        StoredCut { bytes: cut.bytes, first: cut.first, sha256 }
    }

    pub(super) fn cut(self) -> Result<Box<Cut>, Unreadable> {
        let StoredCut { bytes, first, sha256: digits } = self;
        let mut sha256 = [0; 32];
        if digits.len() != 2 * sha256.len() || !digits.is_ascii() {
            return Err("a SHA-256 of another length".into());
        }
        for (place, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16)?;
        }
        Ok(Box::new(Cut { bytes, first, sha256 }))
    }
}

/// The description of a payload, as JSON text.
pub(crate) fn write_cut(cut: &Cut) -> Result<String, serde_json::Error> {
    serde_json::to_string(&StoredCut::of(cut))
}

/// Reads what [`write_cut`] has written.
pub(crate) fn read_cut(text: &str) -> Result<Box<Cut>, Unreadable> {
    serde_json::from_str::<StoredCut>(text)?.cut()
}

impl<'a> StoredAnswer<'a> {
    pub(super) fn of(answer: &'a Answer, device: &DeviceId) -> StoredAnswer<'a> {
        let (id, within) = match &answer.claim {
            Claim::Id(id) => (Some(Cow::Borrowed(id.as_str())), None),
            Claim::Within(text) => (None, Some(Cow::Borrowed(&**text))),
            Claim::Nothing | Claim::State => (None, None),
        };
        StoredAnswer {
            device: (answer.device != *device).then(|| Cow::Borrowed(answer.device.as_str())),
            id,
            within,
            state: answer.claim == Claim::State,
            correlation: answer.correlation.as_ref().map(|id| Cow::Borrowed(id.as_str())),
            outcome: Worded(answer.outcome),
            progress: answer.progress,
            message: answer.message.as_deref().map(Cow::Borrowed),
            result: answer.result.as_deref().map(Cow::Borrowed),
            said_at: answer.said_at.map(|at| at.0),
            retained: answer.retained,
            topic: Cow::Borrowed(&answer.raw.topic),
            qos: answer.raw.qos,
            cut: answer.raw.cut.as_deref().map(StoredCut::of),
        }
    }

    pub(super) fn answer(self, payload: Option<Vec<u8>>, device: &DeviceId) -> Result<Answer, Unreadable> {
        Ok(Answer {
            device: match self.device {
                Some(other) => DeviceId::new(other)?,
                None => device.clone(),
            },
            claim: match (self.id, self.within) {
                (Some(id), _) => Claim::Id(CommandId::new(id)?),
                (None, Some(text)) => Claim::Within(text.into()),
                (None, None) if self.state => Claim::State,
                (None, None) => Claim::Nothing,
            },
            correlation: self.correlation.map(CommandId::new).transpose()?,
            outcome: self.outcome.0,
            progress: self.progress,
            message: self.message.map(Into::into),
            result: self.result.map(Into::into),
            said_at: self.said_at.map(Timestamp),
            retained: self.retained,
            raw: Raw {
                topic: self.topic.into(),
                payload: payload.unwrap_or_default().into(),
                qos: self.qos,
                cut: self.cut.map(StoredCut::cut).transpose()?,
            },
        })
    }
}
