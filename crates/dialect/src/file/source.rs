//! The source of a dialect file, as serde reads it. docs/dialects/format.md describes each part.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use wilco_ledger::Outcome;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) format: Spanned<u32>,
    pub(super) name: Spanned<String>,
    pub(super) title: String,
    #[serde(default)]
    pub(super) about: String,
    pub(super) code: Option<Spanned<CodeSource>>,
    pub(super) reader: Option<ReaderSource>,
    /// How a device is signed in to that has a password.
    pub(super) sign_in: Option<SignInSource>,
    #[serde(default)]
    pub(super) subscribe: Subscribe,
    /// The topics of requests that name none.
    pub(super) topic: Option<Spanned<OneOrMany>>,
    /// What the several topics of a request are called, in their order.
    #[serde(default)]
    pub(super) variants: Vec<String>,
    #[serde(default)]
    pub(super) vars: BTreeMap<String, Spanned<String>>,
    /// The words that a setting can have, the usual one first.
    #[serde(default)]
    pub(super) choices: BTreeMap<String, Spanned<Vec<String>>>,
    /// What people read in place of a setting's name.
    #[serde(default)]
    pub(super) titles: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) filters: Vec<Spanned<String>>,
    pub(super) announce: Option<Spanned<AnnounceSource>>,
    #[serde(default)]
    pub(super) compare: CompareSource,
    #[serde(default)]
    pub(super) words: Vec<Spanned<WordSource>>,
    #[serde(default)]
    pub(super) groups: Vec<Spanned<GroupSource>>,
    #[serde(default, rename = "request")]
    pub(super) requests: Vec<Spanned<RequestSource>>,
    #[serde(default, rename = "receive")]
    pub(super) receive_rules: Vec<Spanned<ReceiveSource>>,
}

/// Formats that are decoded by code, because they exceed data or must be fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CodeSource {
    Wilco,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReaderSource {
    #[serde(rename = "homeassistant")]
    HomeAssistant,
    Zigbee2mqtt,
    Tasmota,
    Shelly,
    #[serde(rename = "shelly-gen1")]
    ShellyGen1,
    Homie5,
    Homie4,
    ThingsboardGateway,
}

/// How the sender of a request proves that it knows the device's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SignInSource {
    RpcDigest,
}

/// Whether a connection subscribes to a dialect's topics by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Subscribe {
    #[default]
    WhenEnabled,
    /// A broker may close the connection because of it, so a user must enable it by name.
    OnRequest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnnounceSource {
    pub(super) topic: String,
    #[serde(default)]
    pub(super) payload: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareSource {
    /// Asked values that any state meets.
    #[serde(default)]
    pub(super) any: Vec<String>,
    /// Sets of words for the same value.
    #[serde(default)]
    pub(super) same: Vec<Vec<String>>,
    /// Asked members that are never reported.
    #[serde(default)]
    pub(super) unreported: Vec<String>,
    /// Asked members that are reported in another form, so any value of theirs will do.
    #[serde(default)]
    pub(super) reshaped: Vec<String>,
    /// Only the part of a requested value before this character is reported: `on,10` is `on`, for ten seconds.
    pub(super) value_ends_at: Option<char>,
    /// Names are the same in capitals and small letters.
    #[serde(default)]
    pub(super) keys_ignore_case: bool,
    /// `POWER1` and `POWER` are the same.
    #[serde(default)]
    pub(super) first_index_optional: bool,
    /// A word such as `Done` may be reported under the command's name without its number.
    #[serde(default)]
    pub(super) words_without_index: bool,
    /// The items of an array have names too: `Channel2` is the second of `Channel`.
    #[serde(default)]
    pub(super) arrays_are_numbered: bool,
    /// An object in place of a value is only ever the answer to the command of that name.
    #[serde(default)]
    pub(super) objects_answer: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WordSource {
    pub(super) is: Option<String>,
    pub(super) begins: Option<String>,
    pub(super) means: OutcomeMeaning,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupSource {
    pub(super) title: String,
    pub(super) device: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestSource {
    pub(super) command: Option<OneOrMany>,
    pub(super) device: Option<String>,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) only: Vec<String>,
    #[serde(default)]
    pub(super) values: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    pub(super) topic: Option<OneOrMany>,
    pub(super) json: Option<String>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) empty: String,
    #[serde(default)]
    pub(super) id: IdSource,
    pub(super) expect: Option<ExpectSource>,
    pub(super) silent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdSource {
    /// The command ID as text.
    Text,
    /// A number of 31 bits.
    Int31,
    #[default]
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectSource {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    /// The members of this place, each one a value to be reported.
    pub(super) each: Option<String>,
    #[serde(default)]
    pub(super) words_under: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum As {
    Answer,
    State,
    Presence,
    Telemetry,
    Started,
    Ignore,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiveSource {
    pub(super) topic: OneOrMany,
    #[serde(rename = "as")]
    pub(super) kind: As,
    #[serde(default)]
    pub(super) when: Vec<TestSource>,
    pub(super) like: Option<LikeRuleSource>,
    pub(super) device: Option<String>,
    /// The device's name is a part of this value.
    pub(super) device_like: Option<String>,
    pub(super) id: Option<String>,
    /// The ID may be anywhere in this text.
    pub(super) id_in: Option<String>,
    #[serde(default)]
    pub(super) outcome: Vec<OutcomeSource>,
    pub(super) result: Option<String>,
    pub(super) progress: Option<String>,
    /// When, by the device's clock.
    pub(super) time: Option<String>,
    pub(super) at: Option<String>,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) online: Vec<String>,
    #[serde(default)]
    pub(super) offline: Vec<String>,
    /// Which start of the device this is.
    pub(super) boot: Option<String>,
    /// The version of its firmware.
    pub(super) firmware: Option<String>,
    /// An array of its labels.
    pub(super) tags: Option<String>,
    /// Since when it is online or offline, by the device's clock.
    pub(super) since: Option<String>,
    /// The outcome of a value that meets the request.
    pub(super) met: Option<OutcomeMeaning>,
    #[serde(default)]
    pub(super) steps: bool,
    /// The rules below are tried too.
    #[serde(default)]
    pub(super) also: bool,
    /// Each item of the payload is read.
    #[serde(default)]
    pub(super) items: bool,
    /// Payloads without a matching rule are ignored, not unreadable.
    #[serde(default)]
    pub(super) lenient: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LikeRuleSource {
    pub(super) at: String,
    #[serde(default)]
    pub(super) strip: Vec<String>,
    pub(super) any: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSource {
    pub(super) at: Option<String>,
    pub(super) is: Option<OneOrManyValues>,
    pub(super) begins: Option<OneOrMany>,
    /// The first word of a text.
    pub(super) word: Option<OneOrMany>,
    pub(super) from: Option<f64>,
    pub(super) to: Option<f64>,
    pub(super) exists: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeSource {
    pub(super) at: Option<String>,
    pub(super) is: Option<OneOrManyValues>,
    pub(super) begins: Option<OneOrMany>,
    pub(super) word: Option<OneOrMany>,
    pub(super) from: Option<f64>,
    pub(super) to: Option<f64>,
    pub(super) exists: Option<bool>,
    pub(super) means: OutcomeMeaning,
    pub(super) message: Option<OneOrMany>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutcomeMeaning {
    Accepted,
    Running,
    Succeeded,
    Failed,
    Rejected,
    /// It does not concern the command.
    Nothing,
}

impl OutcomeMeaning {
    pub(super) fn outcome(self) -> Option<Outcome> {
        match self {
            OutcomeMeaning::Accepted => Some(Outcome::Accepted),
            OutcomeMeaning::Running => Some(Outcome::Running),
            OutcomeMeaning::Succeeded => Some(Outcome::Succeeded),
            OutcomeMeaning::Failed => Some(Outcome::Failed),
            OutcomeMeaning::Rejected => Some(Outcome::Rejected),
            OutcomeMeaning::Nothing => None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn all(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrManyValues {
    Many(Vec<Scalar>),
    One(Scalar),
}

impl OneOrManyValues {
    pub(super) fn all(&self) -> Vec<String> {
        match self {
            OneOrManyValues::One(one) => vec![one.text()],
            OneOrManyValues::Many(many) => many.iter().map(Scalar::text).collect(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Whole(value) => value.to_string(),
            Scalar::Number(value) => value.to_string(),
            Scalar::Text(value) => value.clone(),
        }
    }
}
