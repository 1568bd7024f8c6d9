//! A dialect as data: a TOML file that describes the requests and the answers of a kind of firmware.
//!
//! Reading a file opens nothing else. The file is checked as a whole before any of it is used; its size and the work
//! that it can cause are bounded. docs/dialects/format.md describes the format.

mod compile;
mod form;
mod rules;
mod source;

use std::{collections::BTreeMap, fmt};

use wilco_ledger::Outcome;

pub use form::{DialectForm, OutcomeField};
pub use rules::STARTED;
pub(crate) use rules::{
    At, Compare, Field, MessageContext, OutcomeRule, SEPARATORS, Test, Word, flattened, listed, shown, unquoted,
};

use crate::{pattern::Pattern, payload::Payload};

/// The supported version of the format.
pub const FORMAT: u32 = 1;
/// The largest dialect file, bytes.
pub const LARGEST_FILE: usize = 128 * 1024;

/// A problem of a dialect file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The line, from 1.
    pub line: usize,
    /// The problem and how to fix it, as a sentence.
    pub what: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A kind of firmware, described in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DialectFile {
    pub(crate) name: Box<str>,
    pub(crate) title: Box<str>,
    pub(crate) about: Box<str>,
    pub(crate) code: Option<Code>,
    pub(crate) reader: Option<ReaderKind>,
    /// Its devices may have a password: see [`crate::Challenge`].
    pub(crate) signs_in: bool,
    pub(crate) on_request: bool,
    /// The variants of a request's topic, in order. The setting `variant` chooses one.
    pub(crate) variants: Vec<String>,
    pub(crate) vars: BTreeMap<String, String>,
    /// The words that a setting can have.
    pub(crate) choices: BTreeMap<String, Vec<String>>,
    /// What people read in place of a setting's name.
    pub(crate) titles: BTreeMap<String, Box<str>>,
    pub(crate) filters: Vec<Pattern>,
    pub(crate) announce: Option<Announce>,
    pub(crate) compare: Compare,
    pub(crate) words: Vec<Word>,
    pub(crate) groups: Vec<Group>,
    pub(crate) requests: Vec<RequestRule>,
    pub(crate) receive_rules: Vec<ReceiveRule>,
}

/// The setting that contains the name of this console. Wilco sets it, so that answers for one console do not reach
/// another one.
pub const CONSOLE: &str = "console";

/// A setting of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Its display name.
    pub title: &'a str,
    /// Its default value. Empty: none.
    pub default: &'a str,
    /// The words that it can have, the usual one first; empty if it can have any value.
    pub choices: Vec<&'a str>,
}

/// The setting that chooses one of the topics of a request.
pub(crate) const VARIANT: &str = "variant";

/// The reason why a dialect setting is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedSetting {
    /// The dialect has no such setting.
    Unknown {
        /// The names of its settings, separated by commas.
        known: String,
    },
    /// It allows only certain values.
    Word {
        /// These values, separated by commas.
        words: String,
    },
}

/// What is read in code behind the same interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Wilco,
    Text,
}

/// Code that finds devices, their commands and their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReaderKind {
    /// Home Assistant's MQTT discovery.
    HomeAssistant,
    /// The list of devices of a Zigbee2MQTT bridge.
    Zigbee2Mqtt,
    /// Tasmota's discovery messages.
    Tasmota,
    /// Announcements of Shelly devices.
    Shelly,
    /// Announcements of first-generation Shelly devices.
    ShellyGen1,
    /// The Homie convention, version 5.
    Homie5,
    /// The Homie convention, versions 3 and 4.
    Homie4,
    /// Devices behind a ThingsBoard gateway.
    ThingsBoardGateway,
}

impl ReaderKind {
    /// All readers.
    pub const ALL: [ReaderKind; 8] = [
        ReaderKind::HomeAssistant,
        ReaderKind::Zigbee2Mqtt,
        ReaderKind::Tasmota,
        ReaderKind::Shelly,
        ReaderKind::ShellyGen1,
        ReaderKind::Homie5,
        ReaderKind::Homie4,
        ReaderKind::ThingsBoardGateway,
    ];

    /// The dialect that comes with Wilco and has this reader.
    pub(crate) fn dialect(self) -> &'static str {
        match self {
            ReaderKind::HomeAssistant => "homeassistant",
            ReaderKind::Zigbee2Mqtt => "zigbee2mqtt",
            ReaderKind::Tasmota => "tasmota",
            ReaderKind::Shelly => "shelly",
            ReaderKind::ShellyGen1 => "shelly-gen1",
            ReaderKind::Homie5 => "homie5",
            ReaderKind::Homie4 => "homie4",
            ReaderKind::ThingsBoardGateway => "thingsboard",
        }
    }

    /// The setting of the announcements' base topic; none if it is fixed.
    pub(crate) fn base_setting(self) -> Option<&'static str> {
        match self {
            ReaderKind::HomeAssistant => Some("prefix"),
            ReaderKind::Zigbee2Mqtt => Some("base"),
            ReaderKind::Tasmota => Some("discovery"),
            ReaderKind::Homie5 | ReaderKind::Homie4 => Some("domain"),
            ReaderKind::Shelly | ReaderKind::ShellyGen1 | ReaderKind::ThingsBoardGateway => None,
        }
    }

    /// The setting that is `on` where Wilco stands in for the server of these devices.
    pub(crate) fn server_setting(self) -> Option<&'static str> {
        (self == ReaderKind::ThingsBoardGateway).then_some("session_limits")
    }

    /// The default base topic of announcements.
    pub(crate) fn usual_base(self) -> &'static str {
        match self {
            ReaderKind::HomeAssistant => "homeassistant",
            ReaderKind::Zigbee2Mqtt => "zigbee2mqtt",
            ReaderKind::Tasmota => "tasmota/discovery",
            ReaderKind::Homie5 | ReaderKind::Homie4 => "homie",
            ReaderKind::Shelly | ReaderKind::ShellyGen1 | ReaderKind::ThingsBoardGateway => "",
        }
    }
}

/// Requests that make devices announce themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announce {
    pub(crate) topic: Pattern,
    pub(crate) payload: Box<str>,
}

/// A group of devices that share a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The title.
    pub title: Box<str>,
    /// The name that addresses the group in a request.
    pub device: Box<str>,
}

/// How the command ID is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// As text.
    Text,
    /// As a number from 1 to 2,147,483,647, because the firmware accepts nothing else.
    Int31,
    /// Not at all.
    None,
}

/// One way in which commands are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RequestRule {
    /// The names of its commands; every command where it is empty.
    pub(crate) commands: Vec<Pattern>,
    pub(crate) device: Option<Box<str>>,
    pub(crate) needs: Vec<String>,
    /// These arguments and no others.
    pub(crate) only: Vec<String>,
    /// Arguments that must have one of these values.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    /// Settings that must have these values.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) topics: Vec<Pattern>,
    pub(crate) payload: Payload,
    pub(crate) id: IdKind,
    pub(crate) expect: Option<Expect>,
    /// Why no answer can come.
    pub(crate) silent: Option<Box<str>>,
}

/// The report that settles a command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expect {
    pub(crate) key: Pattern,
    pub(crate) value: Option<Pattern>,
    pub(crate) each: Option<Box<str>>,
    pub(crate) words_under: Vec<Pattern>,
}

/// How messages on a topic are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceiveRule {
    pub(crate) topics: Vec<Pattern>,
    pub(crate) what: What,
    pub(crate) when: Vec<Test>,
    pub(crate) like: Option<LikeRule>,
    pub(crate) device: Option<At>,
    pub(crate) device_like: Option<Pattern>,
    /// The rules below are tried too.
    pub(crate) also: bool,
    pub(crate) parts: Parts,
}

/// What a payload is divided into before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// It is read as a whole.
    Whole,
    /// It is an array, and each of its items is read.
    Items,
    /// It is an object. Each member is about the device that it names; where it is an array, each item is read.
    Devices,
}

/// The device of a rule whose payload has a member for each device.
pub(crate) const MEMBER: &str = "{member}";

/// The kind of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Answer(AnswerRule),
    State(StateRule),
    Presence(PresenceRule),
    Telemetry {
        at: Box<str>,
        time: Option<At>,
        /// The name of a payload that is a single number. Without it such a payload is ignored.
        key: Option<Pattern>,
    },
    /// The device has started.
    Started,
    /// Ignored.
    Nothing,
}

/// How an answer is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnswerRule {
    pub(crate) id: Option<At>,
    /// A text that may have the ID anywhere in it.
    pub(crate) id_in: Option<At>,
    pub(crate) outcome: Vec<OutcomeRule>,
    pub(crate) result: Option<At>,
    pub(crate) progress: Option<At>,
    /// When the device said it.
    pub(crate) time: Option<At>,
    pub(crate) lenient: bool,
}

/// How the presence of a device is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PresenceRule {
    pub(crate) at: Option<At>,
    pub(crate) online: Vec<String>,
    pub(crate) offline: Vec<String>,
    pub(crate) boot: Option<At>,
    pub(crate) firmware: Option<At>,
    pub(crate) tags: Option<At>,
    pub(crate) since: Option<At>,
}

/// How a report of state is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateRule {
    /// Where the values are in the payload.
    pub(crate) at: Box<str>,
    /// The key of a payload that is a single value. Without it such a payload is ignored.
    pub(crate) key: Option<Pattern>,
    pub(crate) met: Outcome,
    pub(crate) steps: bool,
}

/// A text of which only some are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LikeRule {
    pub(crate) at: At,
    pub(crate) strip: Vec<String>,
    pub(crate) any: Vec<Pattern>,
}

impl DialectFile {
    /// Parses a dialect file.
    ///
    /// # Errors
    /// All that is wrong with it, by line.
    pub fn parse(text: &str) -> Result<DialectFile, Vec<FileProblem>> {
        compile::file(text)
    }

    /// Its name: one word, for example `zigbee2mqtt`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its display name.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The purpose, in a sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The settings that a connection can change.
    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        let changeable = self.vars.iter().filter(|(name, _)| *name != CONSOLE);
        changeable.map(|(name, value)| {
            let title = self.titles.get(name).map_or(name.as_str(), |title| title);
            Setting { name, title, default: value, choices: self.words_of(name) }
        })
    }

    /// The reason why a setting cannot have this value; `None` if it can.
    #[must_use]
    pub fn refuses(&self, setting: &str, value: &str) -> Option<RefusedSetting> {
        if !self.vars.contains_key(setting) {
            let known: Vec<&str> = self.settings().map(|known| known.name).collect();
            return Some(RefusedSetting::Unknown { known: known.join(", ") });
        }
        let words = self.words_of(setting);
        let is_word = words.is_empty() || value.is_empty() || words.contains(&value);
        (!is_word).then(|| RefusedSetting::Word { words: words.join(", ") })
    }

    /// The allowed values of a setting; empty if it allows any.
    fn words_of(&self, setting: &str) -> Vec<&str> {
        match setting {
            VARIANT => self.variants.iter().map(String::as_str).collect(),
            setting if self.reader.and_then(ReaderKind::server_setting) == Some(setting) => vec!["off", "on"],
            setting => self.choices.get(setting).into_iter().flatten().map(String::as_str).collect(),
        }
    }

    /// The code that finds its devices, if there is any.
    #[must_use]
    pub fn reader(&self) -> Option<ReaderKind> {
        self.reader
    }

    /// A broker may close the connection because of its topics, so it can only be enabled by name.
    #[must_use]
    pub fn is_on_request(&self) -> bool {
        self.on_request
    }

    /// Its groups of devices that one request reaches.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The numbers of its request rules and its receive rules.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.requests.len(), self.receive_rules.len())
    }
}
