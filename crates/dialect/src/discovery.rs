//! Discovery of devices: from the messages in which firmware announces itself, to devices, their commands and their
//! values.
//!
//! A reader is a pure function of messages, with as much memory as its protocol needs to combine several messages.
//! Anybody may publish these messages, so sizes and counts are bounded, and a command is accepted only if its topic may
//! be published to.

mod homeassistant;
mod homie;
mod shelly;
mod shelly_gen1;
mod tasmota;
mod thingsboard;
mod zigbee2mqtt;

use wilco_ledger::{DeviceId, grouped};

pub(crate) use homeassistant::by_convention;

use crate::{
    Inbound,
    devices::{Devices, Inserted, KnownDevice},
    file::ReaderKind,
    json::ExactValue,
};

/// The largest discovery message that is read, bytes.
const LARGEST: usize = 8 * 1024 * 1024;
/// The most devices of one message, and the most that one reader remembers parts of.
const MOST_DEVICES: usize = 20_000;
/// The most commands, and the most values, of one device.
const MOST_OF_A_DEVICE: usize = 500;
/// How much of a name is kept, bytes.
const LONGEST_NAME: usize = 200;

/// Combines the announcements of devices.
#[derive(Debug)]
pub struct Discovery {
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    HomeAssistant(homeassistant::Reader),
    Zigbee2Mqtt(zigbee2mqtt::Reader),
    Tasmota(tasmota::Reader),
    Shelly(shelly::Reader),
    ShellyGen1(shelly_gen1::Reader),
    Homie(homie::Reader),
    ThingsBoard(thingsboard::Reader),
}

/// The facts about the dialect that a reader needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReaderSettings {
    /// The dialect of its devices.
    pub(crate) dialect: Box<str>,
    /// The name of this console for devices that answer by name.
    pub(crate) console: Box<str>,
    /// Where announcements are: the base topic, the discovery prefix or the domain.
    pub(crate) base: Box<str>,
    /// Wilco answers the questions that these devices send to their server.
    pub(crate) is_server: bool,
}

/// The findings of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// New or changed devices.
    pub devices: Vec<KnownDevice>,
    /// Devices that were removed by their own message or that of their hub.
    pub gone: Vec<DeviceId>,
    /// Further queries, and replies that a device waits for: a topic and a payload each.
    pub questions: Vec<(String, String)>,
    /// Unusable parts, as sentences.
    pub problems: Vec<String>,
}

/// The changes caused by findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Devices that are new or listed differently.
    pub listed: Vec<DeviceId>,
    /// Removed devices.
    pub gone: Vec<DeviceId>,
    /// IDs of entries that turned out to be one of these devices.
    pub replaced: Vec<DeviceId>,
}

impl Discovery {
    /// A new reader, for a console with this name. Announcements use the default topics unless these are changed.
    #[must_use]
    pub fn new(kind: ReaderKind, console: &str) -> Discovery {
        let (dialect, console) = (kind.dialect().into(), console.into());
        Discovery::of(kind, ReaderSettings { dialect, console, base: "".into(), is_server: false })
    }

    /// The same with other settings. An empty base is the usual one.
    pub(crate) fn of(kind: ReaderKind, settings: ReaderSettings) -> Discovery {
        let mut settings = settings;
        if settings.base.is_empty() {
            settings.base = kind.usual_base().into();
        }
        let reader = match kind {
            ReaderKind::HomeAssistant => Reader::HomeAssistant(homeassistant::Reader::new(settings)),
            ReaderKind::Zigbee2Mqtt => Reader::Zigbee2Mqtt(zigbee2mqtt::Reader::new(settings)),
            ReaderKind::Tasmota => Reader::Tasmota(tasmota::Reader::new(settings)),
            ReaderKind::Shelly => Reader::Shelly(shelly::Reader::new(settings)),
            ReaderKind::ShellyGen1 => Reader::ShellyGen1(shelly_gen1::Reader::new(settings)),
            ReaderKind::Homie5 => Reader::Homie(homie::Reader::new(true, settings)),
            ReaderKind::Homie4 => Reader::Homie(homie::Reader::new(false, settings)),
            ReaderKind::ThingsBoardGateway => Reader::ThingsBoard(thingsboard::Reader::new(settings)),
        };
        Discovery { reader }
    }

    /// The findings of a message. Empty for a message that is not a discovery message of this kind.
    pub fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        if inbound.payload.len() > LARGEST {
            if self.is_about(inbound.topic) {
                let bytes = inbound.payload.len();
                let problem =
                    format!("'{}' has {} bytes; the limit is {}.", inbound.topic, grouped(bytes), grouped(LARGEST));
                return Findings { problems: vec![problem], ..Findings::default() };
            }
            return Findings::default();
        }
        match &mut self.reader {
            Reader::HomeAssistant(reader) => reader.read(inbound),
            Reader::Zigbee2Mqtt(reader) => reader.read(inbound),
            Reader::Tasmota(reader) => reader.read(inbound),
            Reader::Shelly(reader) => reader.read(inbound),
            Reader::ShellyGen1(reader) => reader.read(inbound),
            Reader::Homie(reader) => reader.read(inbound),
            Reader::ThingsBoard(reader) => reader.read(inbound),
        }
    }

    /// The filters of discovery messages, in addition to the dialect's own.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let all = |filters: &[&str]| filters.iter().map(|filter| (*filter).to_owned()).collect();
        match &self.reader {
            Reader::HomeAssistant(reader) => reader.filters(),
            Reader::Zigbee2Mqtt(reader) => reader.filters(),
            Reader::Tasmota(reader) => reader.filters(),
            Reader::Shelly(_) => shelly::filters(),
            Reader::ShellyGen1(_) => all(&["shellies/announce", "shellies/+/online"]),
            Reader::Homie(reader) => reader.filters(),
            Reader::ThingsBoard(reader) => reader.filters(),
        }
    }

    /// Whether devices are found by messages that are not retained, and therefore only while Wilco is subscribed.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.reader, Reader::Shelly(_) | Reader::ShellyGen1(_) | Reader::ThingsBoard(_))
    }

    /// Whether a topic has announcements.
    #[must_use]
    pub fn is_about(&self, topic: &str) -> bool {
        self.filters().iter().any(|filter| crate::set::covers(filter, topic))
    }
}

impl Findings {
    /// Whether there are no findings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Findings { devices, gone, questions, problems } = self;
        devices.is_empty() && gone.is_empty() && questions.is_empty() && problems.is_empty()
    }

    /// Applies the findings to the known devices, and returns the changes.
    pub fn apply(&mut self, devices: &mut Devices) -> Changes {
        let mut changes = Changes::default();
        for id in self.gone.drain(..) {
            if devices.remove(&id).is_some() {
                changes.gone.push(id);
            }
        }
        for Inserted { id, replaced } in self.devices.drain(..).filter_map(|device| devices.insert(device)) {
            changes.listed.push(id);
            changes.replaced.extend(replaced);
        }
        changes
    }
}

/// A name as it is kept: not longer than is read at a glance, without control characters.
fn name(text: &str) -> Box<str> {
    let cut = &text[..text.floor_char_boundary(LONGEST_NAME)];
    cut.chars().filter(|c| !c.is_control()).collect::<String>().into()
}

/// A JSON value of an announcement. One whose numbers are sent or shown is an [`ExactValue`].
trait Announced {
    fn text_of(&self, member: &str) -> Option<&str>;
}

impl Announced for serde_json::Value {
    fn text_of(&self, member: &str) -> Option<&str> {
        self.get(member)?.as_str()
    }
}

impl Announced for ExactValue {
    fn text_of(&self, member: &str) -> Option<&str> {
        self.get(member)?.as_str()
    }
}

/// A member that is a text.
fn text<'v>(value: &'v impl Announced, member: &str) -> Option<&'v str> {
    value.text_of(member).filter(|text| !text.is_empty())
}

/// A member that is a text, as a name.
fn named(value: &impl Announced, member: &str) -> Option<Box<str>> {
    text(value, member).map(name)
}

/// A member that is a number, to the last digit.
fn number(value: &ExactValue, member: &str) -> Option<Box<str>> {
    value.get(member).and_then(ExactValue::as_number).map(Into::into)
}

/// A payload that is JSON.
fn json(payload: &[u8]) -> Option<ExactValue> {
    ExactValue::parse(std::str::from_utf8(payload).ok()?).ok()
}
