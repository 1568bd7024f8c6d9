//! The known devices of described dialects: their topic names, commands, and the topics of their values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wilco_ledger::DeviceId;

use crate::{colour::ColourNotation, jinja::Template, json::ExactValue};

/// The most devices of one connection.
const MOST_DEVICES: usize = 100_000;
/// The most uses of one topic: several entities share a state topic.
const MOST_OF_A_TOPIC: usize = 1_000;
/// The most levels of the beginning of a device's topics.
const MOST_LEVELS: usize = 16;

/// A device of a dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownDevice {
    /// Its ID: that of the hardware if there is one, so that renaming it changes nothing.
    pub id: DeviceId,
    /// The name of its dialect.
    pub dialect: Box<str>,
    /// Its name in topics, which may have several levels.
    pub address: Box<str>,
    /// Its display name.
    pub name: Option<Box<str>>,
    /// The model.
    pub model: Option<Box<str>>,
    /// The manufacturer.
    pub vendor: Option<Box<str>>,
    /// Its firmware's version.
    pub firmware: Option<Box<str>>,
    /// The device through which it is reached.
    pub hub: Option<DeviceId>,
    /// All identifiers of the hardware, so that it is listed once.
    pub identifiers: Vec<Box<str>>,
    /// Individual settings of the dialect.
    pub vars: BTreeMap<Box<str>, Box<str>>,
    /// Topic prefixes that differ from those of the dialect's rules.
    pub roots: Vec<Root>,
    /// The device's values, each with the equivalent value of its dialect.
    pub words: BTreeMap<Box<str>, Box<str>>,
    /// Its commands.
    pub commands: Vec<DeviceCommand>,
    /// Its reported values.
    pub variables: Vec<Variable>,
    /// The topics of its availability, if its dialect alone does not define them.
    pub availability: Vec<Availability>,
    /// How several such topics are combined.
    pub availability_mode: AvailabilityMode,
}

/// The beginning of a device's topics, if it differs from that of its dialect's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The part from the rules, for example `stat/lamp`.
    pub rule: Box<str>,
    /// The full prefix: `lamp-1234/stat/lamp`.
    pub topic: Box<str>,
    /// A topic filter for everything below it; none if the device is only sent requests there.
    pub filter: Option<Box<str>>,
}

/// A discovered command of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceCommand {
    /// Its name, unique for its device.
    pub name: Box<str>,
    /// Its display name.
    pub title: Box<str>,
    /// The form for its value.
    pub control: Control,
    /// Its request.
    pub ask: CommandRequest,
    /// The variable that shows its effect. `None`: the device cannot report back.
    pub reports: Option<Box<str>>,
    /// The reason why it cannot be sent, as a sentence.
    pub refused: Option<Box<str>>,
    /// The corresponding built-in command.
    pub role: Option<Role>,
    /// Sent values, each with the value that the device reports for it, if they differ.
    pub reported_as: Vec<(Box<str>, Box<str>)>,
    /// Values of its form that are sent as JSON values, not as text: `1`.
    pub bare: Vec<Box<str>>,
    /// A setting: it changes the configuration of the device, which keeps the value.
    pub is_setting: bool,
}

impl DeviceCommand {
    /// A command with only these properties: it is not reported, and corresponds to no built-in command.
    #[must_use]
    pub fn new(name: &str, title: &str, control: Control, ask: CommandRequest) -> DeviceCommand {
        DeviceCommand {
            name: name.into(),
            title: title.into(),
            control,
            ask,
            reports: None,
            refused: None,
            role: None,
            reported_as: Vec::new(),
            bare: Vec::new(),
            is_setting: false,
        }
    }

    /// A word of its form as it is sent in JSON.
    pub(crate) fn sent(&self, word: &str) -> ExactValue {
        let bare = self.bare.iter().find(|bare| ***bare == *word).and_then(|bare| ExactValue::parse(bare).ok());
        bare.unwrap_or_else(|| word.into())
    }

    /// The word by which the device reports a sent word.
    pub(crate) fn reported<'a>(&'a self, sent: &'a str) -> &'a str {
        let found = self.reported_as.iter().find(|(word, _)| **word == *sent);
        found.map_or(sent, |(_, reported)| reported)
    }
}

/// A built-in command that devices of other dialects can also have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `led`: the device's relay or light.
    Light,
    /// `restart`.
    Restart,
    /// `config.get`: the device reports its settings.
    ReadSettings,
}

/// A form for the value of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// On or off, with the values for both.
    Switch {
        /// The word for on.
        on: Box<str>,
        /// The word for off.
        off: Box<str>,
    },
    /// A number. Its limits are JSON numbers with all announced digits.
    Number {
        /// The smallest.
        min: Option<Box<str>>,
        /// The largest.
        max: Option<Box<str>>,
        /// From one to the next.
        step: Option<Box<str>>,
        /// Its unit.
        unit: Option<Box<str>>,
    },
    /// One of several values.
    Choice(Vec<Box<str>>),
    /// A colour, in the device's format.
    Colour(ColourNotation),
    /// No value.
    Button,
    /// Text.
    Text,
}

impl Control {
    /// A number between two others.
    pub(crate) fn between(min: &str, max: &str, step: Option<&str>, unit: Option<&str>) -> Control {
        Control::Number {
            min: Some(min.into()),
            max: Some(max.into()),
            step: step.map(Into::into),
            unit: unit.map(Into::into),
        }
    }
}

/// The request of a discovered command.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandRequest {
    /// The dialect's request with that name, with the value as this argument, and these further arguments.
    Request {
        /// The command's name there.
        command: Box<str>,
        /// The argument that takes the value; `None` for a command that takes none. Empty: the members of the value, an
        /// object, are arguments.
        argument: Option<Box<str>>,
        /// Further arguments: a JSON object.
        beside: Option<Box<str>>,
    },
    /// On a topic from its discovery message.
    Topic {
        /// The topic.
        topic: Box<str>,
        /// The payload.
        payload: RequestPayload,
    },
}

/// The payload for a topic from discovery.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestPayload {
    /// The entered value.
    Value,
    /// A constant.
    Fixed(Box<str>),
    /// The arguments as a JSON object.
    Json,
    /// A JSON object that switches a light on, with the value as this member, or at the end of this path: `color/w`.
    Member(Box<str>),
    /// The result of a template with the value.
    Template(Template),
}

/// A value that a device reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name, unique for its device.
    pub key: Box<str>,
    /// Its display name.
    pub title: Box<str>,
    /// Its unit.
    pub unit: Option<Box<str>>,
    /// It is a number.
    pub is_number: bool,
    /// Its topic, if its dialect alone does not define it.
    pub topic: Option<Box<str>>,
    /// The source of the value in the payload.
    pub template: Option<Template>,
}

/// A topic of a device's availability.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// The topic.
    pub topic: Box<str>,
    /// The place of the value in the payload.
    pub template: Option<Template>,
    /// The value for online.
    pub online: Box<str>,
    /// The value for offline.
    pub offline: Box<str>,
}

/// How several topics determine the presence of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AvailabilityMode {
    /// The last one that reported counts.
    #[default]
    Latest,
    /// It is online only if all of them report it.
    All,
    /// It is online if one of them reports it.
    Any,
}

/// What a topic is to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Variable(usize),
    Availability(usize),
}

/// The identity under which a device is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// Its ID.
    pub id: DeviceId,
    /// IDs of other entries that turned out to be this device.
    pub replaced: Vec<DeviceId>,
}

/// The devices of described dialects on a connection.
#[derive(Debug, Default)]
pub struct Devices {
    devices: HashMap<DeviceId, KnownDevice>,
    addresses: HashMap<Box<str>, HashMap<Box<str>, DeviceId>>,
    identifiers: HashMap<Box<str>, DeviceId>,
    topics: HashMap<Box<str>, Vec<(DeviceId, Use)>>,
    /// Which device's topics begin so.
    roots: HashMap<Box<str>, DeviceId>,
    /// The devices that name a topic for commands in their discovery. Which of them came first says nothing.
    asked: HashMap<Box<str>, BTreeSet<DeviceId>>,
}

impl Devices {
    /// Adds a discovered device, or replaces its description. If another dialect has already found the device by a
    /// common identifier, it stays unchanged, because a device is listed once. Returns its listed ID; `None` beyond
    /// 100,000 devices.
    pub fn insert(&mut self, device: KnownDevice) -> Option<Inserted> {
        let mut replaced = Vec::new();
        let same = device.identifiers.iter().find_map(|identifier| self.identifiers.get(identifier)).cloned();
        if let Some(known) = same.as_ref().and_then(|id| self.devices.get(id))
            && known.dialect != device.dialect
        {
            // A device's own dialect knows more about it than a general discovery.
            if &*known.dialect != GENERAL {
                return same.map(|id| Inserted { id, replaced });
            }
            replaced.push(known.id.clone());
        }
        // A device that was known only by its name in topics has reported its ID.
        let namesake = self.addresses.get(&device.dialect).and_then(|addresses| addresses.get(&device.address));
        replaced.extend(namesake.filter(|id| **id != device.id).cloned());
        replaced.iter().for_each(|id| drop(self.remove(id)));
        if !self.devices.contains_key(&device.id) && self.devices.len() >= MOST_DEVICES {
            return None;
        }
        self.remove(&device.id);
        let id = device.id.clone();
        self.addresses.entry(device.dialect.clone()).or_default().insert(device.address.clone(), id.clone());
        for identifier in &device.identifiers {
            self.identifiers.insert(identifier.clone(), id.clone());
        }
        let variables =
            device.variables.iter().enumerate().filter_map(|(index, variable)| {
                variable.topic.as_ref().map(|topic| (topic.clone(), Use::Variable(index)))
            });
        let availability = device.availability.iter().enumerate();
        let uses = variables.chain(availability.map(|(index, one)| (one.topic.clone(), Use::Availability(index))));
        for (topic, topic_use) in uses {
            let uses = self.topics.entry(topic).or_default();
            if uses.len() < MOST_OF_A_TOPIC {
                uses.push((id.clone(), topic_use));
            }
        }
        for root in &device.roots {
            self.roots.entry(root.topic.clone()).or_insert_with(|| id.clone());
        }
        for command in &device.commands {
            if let CommandRequest::Topic { topic, .. } = &command.ask {
                self.asked.entry(topic.clone()).or_default().insert(id.clone());
            }
        }
        self.devices.insert(id.clone(), device);
        Some(Inserted { id, replaced })
    }

    /// Removes a device.
    pub fn remove(&mut self, id: &DeviceId) -> Option<KnownDevice> {
        let device = self.devices.remove(id)?;
        if let Some(addresses) = self.addresses.get_mut(&device.dialect)
            && addresses.get(&device.address) == Some(id)
        {
            addresses.remove(&device.address);
        }
        for identifier in &device.identifiers {
            if self.identifiers.get(identifier) == Some(id) {
                self.identifiers.remove(identifier);
            }
        }
        for command in &device.commands {
            if let CommandRequest::Topic { topic, .. } = &command.ask
                && let Some(asked) = self.asked.get_mut(topic)
            {
                asked.remove(id);
                if asked.is_empty() {
                    self.asked.remove(topic);
                }
            }
        }
        for root in &device.roots {
            if self.roots.get(&root.topic) == Some(id) {
                self.roots.remove(&root.topic);
            }
        }
        let topics = device.variables.iter().filter_map(|one| one.topic.as_ref());
        for topic in topics.chain(device.availability.iter().map(|one| &one.topic)) {
            if let Some(uses) = self.topics.get_mut(topic) {
                uses.retain(|(of, _)| of != id);
                if uses.is_empty() {
                    self.topics.remove(topic);
                }
            }
        }
        Some(device)
    }

    /// A device by its ID.
    #[must_use]
    pub fn get(&self, id: &DeviceId) -> Option<&KnownDevice> {
        self.devices.get(id)
    }

    /// A device of a dialect by its name in topics or its ID.
    #[must_use]
    pub fn named(&self, dialect: &str, name: &str) -> Option<&KnownDevice> {
        let by_address = self.addresses.get(dialect).and_then(|addresses| addresses.get(name));
        let by_id =
            || DeviceId::new(name).ok().and_then(|id| self.devices.get(&id)).filter(|one| *one.dialect == *dialect);
        by_address.and_then(|id| self.devices.get(id)).or_else(by_id)
    }

    /// All devices, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &KnownDevice> {
        self.devices.values()
    }

    /// The topics announced by devices, to subscribe to in addition to the dialects' topics.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(|topic| &**topic)
    }

    /// The topics below which devices publish, in addition to the dialects' own.
    pub(crate) fn root_filters(&self) -> impl Iterator<Item = &str> {
        let roots = self.roots.values().filter_map(|id| self.devices.get(id)).flat_map(|device| &device.roots);
        roots.filter_map(|root| root.filter.as_deref())
    }

    /// The device whose topics begin as this one does, and the topic as its dialect's rules would make it.
    pub(crate) fn below_root(&self, topic: &str) -> Option<(&KnownDevice, String)> {
        if self.roots.is_empty() {
            return None;
        }
        let ends = topic.match_indices('/').map(|(at, _)| at).take(MOST_LEVELS);
        ends.collect::<Vec<usize>>().into_iter().rev().find_map(|end| {
            let device = self.devices.get(self.roots.get(&topic[..end])?)?;
            let root = device.roots.iter().find(|root| *root.topic == topic[..end])?;
            Some((device, format!("{}{}", root.rule, &topic[end..])))
        })
    }

    /// Another device that names this topic for commands in its discovery.
    pub(crate) fn asked_on(&self, topic: &str, than: &DeviceId) -> Option<&DeviceId> {
        self.asked.get(topic)?.iter().find(|device| *device != than)
    }

    /// The names in topics of a dialect's devices that have several levels.
    pub(crate) fn deep_addresses(&self, dialect: &str) -> impl Iterator<Item = &str> {
        let addresses = self.addresses.get(dialect).into_iter().flat_map(HashMap::keys);
        addresses.map(|address| &**address).filter(|address| address.contains('/'))
    }

    pub(crate) fn has_address(&self, dialect: &str, address: &str) -> bool {
        self.addresses.get(dialect).is_some_and(|addresses| addresses.contains_key(address))
    }

    pub(crate) fn uses(&self, topic: &str) -> &[(DeviceId, Use)] {
        self.topics.get(topic).map_or(&[], Vec::as_slice)
    }
}

/// The dialect that only describes devices which may have one of their own.
pub(crate) const GENERAL: &str = "homeassistant";

impl KnownDevice {
    /// A device whose only known property is its name in topics.
    #[must_use]
    pub fn new(id: DeviceId, dialect: &str, address: &str) -> KnownDevice {
        KnownDevice {
            id,
            dialect: dialect.into(),
            address: address.into(),
            name: None,
            model: None,
            vendor: None,
            firmware: None,
            hub: None,
            identifiers: Vec::new(),
            vars: BTreeMap::new(),
            roots: Vec::new(),
            words: BTreeMap::new(),
            commands: Vec::new(),
            variables: Vec::new(),
            availability: Vec::new(),
            availability_mode: AvailabilityMode::Latest,
        }
    }

    /// The command that corresponds to a built-in one.
    #[must_use]
    pub fn command_for(&self, role: Role) -> Option<&DeviceCommand> {
        self.commands.iter().find(|command| command.role == Some(role) && command.refused.is_none())
    }

    /// The dialect's word for a word of the device's own.
    pub(crate) fn word<'a>(&'a self, word: &'a str) -> &'a str {
        if self.words.is_empty() {
            return word;
        }
        let found = self.words.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
        found.map_or(word, |(_, word)| word)
    }

    /// A topic that a rule has made, as it is for this device.
    pub(crate) fn rooted(&self, topic: String) -> String {
        let root = self.roots.iter().find_map(|root| {
            let rest = topic.strip_prefix(&*root.rule)?;
            rest.starts_with('/').then(|| format!("{}{rest}", root.topic))
        });
        root.unwrap_or(topic)
    }

    /// A discovered command.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&DeviceCommand> {
        self.commands.iter().find(|command| *command.name == *name)
    }
}
