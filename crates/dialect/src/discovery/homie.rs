//! The Homie convention: version 5 describes a device in one message (`$description`), versions 3 and 4 in one per
//! attribute.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, MOST_DEVICES, MOST_OF_A_DEVICE, ReaderSettings, name, named, text};
use crate::{
    ColourNotation, CommandRequest, Control, DeviceCommand, Inbound, KnownDevice, Role, Root, Variable,
    json::ExactValue, set::device_id,
};

/// How much is remembered of one device of version 4, in attributes.
const MOST_ATTRIBUTES: usize = 4_000;
/// The longest attribute that is remembered, bytes.
const LONGEST: usize = 4_096;

#[derive(Debug)]
pub(super) struct Reader {
    is_five: bool,
    settings: ReaderSettings,
    /// Of version 4: the attributes of each device, by domain and device.
    attributes: BTreeMap<String, BTreeMap<String, String>>,
}

/// A property as both versions describe it.
struct Property<'a> {
    node: &'a str,
    property: &'a str,
    title: &'a str,
    datatype: &'a str,
    format: &'a str,
    unit: Option<&'a str>,
    settable: bool,
    retained: bool,
    is_five: bool,
}

impl Reader {
    pub(super) fn new(is_five: bool, settings: ReaderSettings) -> Reader {
        Reader { is_five, settings, attributes: BTreeMap::new() }
    }

    /// Of version 5 in whatever domain: eBus has its own.
    pub(super) fn filters(&self) -> Vec<String> {
        if self.is_five {
            vec!["+/5/+/$state".to_owned(), "+/5/+/$description".to_owned()]
        } else {
            vec![format!("{}/#", self.settings.base)]
        }
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        if self.is_five { five(&self.settings, inbound) } else { self.four(inbound) }
    }

    fn four(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let domain = &*self.settings.base;
        let below = inbound.topic.strip_prefix(domain).and_then(|rest| rest.strip_prefix('/'));
        let Some((address, rest)) = below.and_then(|below| below.split_once('/')) else { return findings };
        let last = rest.rsplit('/').next().unwrap_or_default();
        if !last.starts_with('$') || address == "5" || address.starts_with('$') || inbound.payload.len() > LONGEST {
            return findings;
        }
        let Ok(value) = std::str::from_utf8(inbound.payload) else { return findings };
        let key = format!("{domain}/{address}");
        if rest == "$homie" && value.is_empty() {
            self.attributes.remove(&key);
            findings.gone.push(device_id(address));
            return findings;
        }
        if !self.attributes.contains_key(&key) && self.attributes.len() >= MOST_DEVICES {
            return findings;
        }
        let attributes = self.attributes.entry(key).or_default();
        if attributes.len() >= MOST_ATTRIBUTES && !attributes.contains_key(rest) {
            return findings;
        }
        attributes.insert(rest.to_owned(), value.to_owned());
        // Told again only by what changes the description: a property's last attribute, or the device's state.
        let describes = matches!(
            last,
            "$state"
                | "$settable"
                | "$datatype"
                | "$format"
                | "$unit"
                | "$retained"
                | "$properties"
                | "$nodes"
                | "$array"
                | "$name"
        );
        if describes
            && attributes.contains_key("$homie")
            && attributes.contains_key("$nodes")
            && (rest == "$state" || attributes.contains_key("$state"))
        {
            findings.devices.push(of_attributes(&self.settings, address, attributes));
        }
        findings
    }
}

fn of_attributes(settings: &ReaderSettings, address: &str, attributes: &BTreeMap<String, String>) -> KnownDevice {
    let mut device = KnownDevice::new(device_id(address), &settings.dialect, address);
    let get = |key: &str| attributes.get(key).map(String::as_str);
    device.name = get("$name").map(name);
    device.firmware = get("$fw/version").map(name);
    device.model = get("$implementation").map(name);
    let named = get("$nodes").unwrap_or_default().split(',').take(MOST_OF_A_DEVICE).map(str::trim);
    let nodes = named.flat_map(|node| nodes_of(node, &get)).take(MOST_OF_A_DEVICE);
    for (described, node) in nodes {
        let properties = get(&format!("{described}/$properties")).unwrap_or_default();
        let node = node.as_str();
        for property in properties.split(',').take(MOST_OF_A_DEVICE).map(str::trim).filter(|one| !one.is_empty()) {
            let of = |attribute: &str| get(&format!("{described}/{property}/{attribute}"));
            describe(
                &mut device,
                &Property {
                    node,
                    property,
                    title: of("$name").unwrap_or(property),
                    datatype: of("$datatype").unwrap_or("string"),
                    format: of("$format").unwrap_or_default(),
                    unit: of("$unit"),
                    settable: of("$settable") == Some("true"),
                    retained: of("$retained") != Some("false"),
                    is_five: false,
                },
            );
        }
    }
    device
}

/// The nodes of an entry of `$nodes`, each with the one that describes it. Version 3 has arrays: `lights[]` with `0-2` in
/// `lights/$array` are `lights_0`, `lights_1` and `lights_2`.
fn nodes_of<'a>(entry: &'a str, get: &dyn Fn(&str) -> Option<&'a str>) -> Vec<(&'a str, String)> {
    let Some(array) = entry.strip_suffix("[]") else { return vec![(entry, entry.to_owned())] };
    let range = get(&format!("{array}/$array")).and_then(|range| range.split_once('-'));
    let range = range.and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    let Some((first, last)): Option<(usize, usize)> = range else { return vec![(array, array.to_owned())] };
    (first..=last).take(MOST_OF_A_DEVICE).map(|number| (array, format!("{array}_{number}"))).collect()
}

fn five(settings: &ReaderSettings, inbound: &Inbound<'_>) -> Findings {
    let mut findings = Findings::default();
    let levels: Vec<&str> = inbound.topic.split('/').collect();
    let [domain, "5", address, attribute] = levels.as_slice() else { return findings };
    if *attribute == "$state" && inbound.payload.is_empty() {
        findings.gone.push(device_id(address));
        return findings;
    }
    if *attribute != "$description" || inbound.payload.is_empty() {
        return findings;
    }
    let Ok(description) = serde_json::from_slice::<Value>(inbound.payload) else {
        findings.problems.push(format!("'{}' is not JSON.", inbound.topic));
        return findings;
    };
    let mut device = KnownDevice::new(device_id(address), &settings.dialect, address);
    if **domain != *settings.base {
        device.vars.insert("domain".into(), (*domain).into());
        device.roots = elsewhere(settings, domain, address);
    }
    device.name = named(&description, "name");
    device.model = named(&description, "type");
    device.hub = text(&description, "parent").or_else(|| text(&description, "root")).map(device_id);
    let nodes = description.get("nodes").and_then(Value::as_object);
    for (node, described) in nodes.into_iter().flatten().take(MOST_OF_A_DEVICE) {
        let properties = described.get("properties").and_then(Value::as_object);
        for (property, described) in properties.into_iter().flatten().take(MOST_OF_A_DEVICE) {
            let is = |member: &str| described.get(member).and_then(Value::as_bool);
            describe(
                &mut device,
                &Property {
                    node,
                    property,
                    title: text(described, "name").unwrap_or(property),
                    datatype: text(described, "datatype").unwrap_or("string"),
                    format: text(described, "format").unwrap_or_default(),
                    unit: text(described, "unit"),
                    settable: is("settable") == Some(true),
                    retained: is("retained") != Some(false),
                    is_five: true,
                },
            );
        }
    }
    findings.devices.push(device);
    findings
}

/// The topics of a device in another domain than the dialect's.
fn elsewhere(settings: &ReaderSettings, domain: &str, address: &str) -> Vec<Root> {
    let topic = format!("{domain}/5/{address}");
    let filter = Some(format!("{domain}/5/+/#").into());
    vec![Root { rule: format!("{}/5/{address}", settings.base).into(), topic: topic.into(), filter }]
}

/// The first notation that a property permits. Version 5 writes the name of the notation before the colour.
fn colour(format: &str, is_five: bool) -> Option<ColourNotation> {
    format.split(',').find_map(|one| match (one.trim(), is_five) {
        ("rgb", false) => Some(ColourNotation::Rgb),
        ("hsv", false) => Some(ColourNotation::Hsb),
        ("rgb", true) => Some(ColourNotation::NamedRgb),
        ("hsv", true) => Some(ColourNotation::NamedHsv),
        ("xyz", true) => Some(ColourNotation::NamedXyz),
        _ => None,
    })
}

/// A limit in a format, as a JSON number: to the last digit where it is one already, as `+5` and `.5` are not.
fn limit(text: &str) -> Option<Box<str>> {
    match ExactValue::parse(text) {
        Ok(ExactValue::Number(number)) => Some(number),
        _ => text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(|number| number.to_string().into()),
    }
}

fn describe(device: &mut KnownDevice, property: &Property<'_>) {
    let Property { node, property, title, datatype, format, unit, settable, retained, is_five } = *property;
    let is_level = |level: &str| {
        !level.is_empty()
            && !level.starts_with('$')
            && level.len() <= super::LONGEST_NAME
            && !level.contains(['/', '+', '#'])
    };
    if device.variables.len() >= MOST_OF_A_DEVICE || !is_level(node) || !is_level(property) {
        return;
    }
    let key = format!("{node}/{property}");
    let is_number = matches!(datatype, "integer" | "float");
    device.variables.push(Variable {
        key: key.as_str().into(),
        title: name(title),
        unit: unit.map(name),
        is_number,
        topic: None,
        template: None,
    });
    if !settable {
        return;
    }
    let control = match datatype {
        "boolean" => Control::Switch { on: "true".into(), off: "false".into() },
        "integer" | "float" => {
            let mut parts = format.split(':').map(limit);
            let mut next = || parts.next().flatten();
            Control::Number { min: next(), max: next(), step: next(), unit: unit.map(name) }
        }
        "enum" => Control::Choice(format.split(',').take(MOST_OF_A_DEVICE).map(name).collect()),
        "color" => colour(format, is_five).map_or(Control::Text, Control::Colour),
        _ => Control::Text,
    };
    let is_light = datatype == "boolean" && matches!(property, "on" | "state" | "power" | "switch" | "relay" | "light");
    let ask = CommandRequest::Request { command: key.as_str().into(), argument: Some("value".into()), beside: None };
    device.commands.push(DeviceCommand {
        // A property that is not retained is an event, not a state.
        reports: retained.then(|| key.as_str().into()),
        role: is_light.then_some(Role::Light),
        // A switch is not a setting.
        is_setting: retained && !is_light,
        ..DeviceCommand::new(&key, &name(title), control, ask)
    });
}
