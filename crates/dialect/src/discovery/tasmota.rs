//! Tasmota: the retained message `tasmota/discovery/{MAC}/config` describes a device and its topics.

use std::collections::BTreeMap;

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{Findings, MOST_DEVICES, ReaderSettings, name, named, text};
use crate::{ColourNotation, CommandRequest, Control, DeviceCommand, Inbound, KnownDevice, Role, Root, Variable};

/// The names of the topic prefixes in the dialect's rules.
const PREFIXES: [&str; 3] = ["cmnd", "stat", "tele"];
const MOST_RELAYS: usize = 64;

#[derive(Debug)]
pub(super) struct Reader {
    settings: ReaderSettings,
    devices: BTreeMap<String, DeviceId>,
}

impl Reader {
    pub(super) fn new(settings: ReaderSettings) -> Reader {
        Reader { settings, devices: BTreeMap::new() }
    }

    pub(super) fn filters(&self) -> Vec<String> {
        vec![format!("{}/#", self.settings.base)]
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let mac = inbound.topic.strip_prefix(&*self.settings.base).and_then(|rest| rest.strip_prefix('/'));
        let mac = mac.and_then(|rest| rest.strip_suffix("/config"));
        let Some(mac) = mac.filter(|mac| !mac.contains('/') && mac.len() <= 32) else { return findings };
        if inbound.payload.is_empty() {
            findings.gone.extend(self.devices.remove(mac));
            return findings;
        }
        let Ok(config) = serde_json::from_slice::<Value>(inbound.payload) else {
            findings.problems.push(format!("'{}' is not JSON.", inbound.topic));
            return findings;
        };
        let (Ok(id), Some(topic)) = (DeviceId::new(mac), text(&config, "t")) else {
            findings.problems.push(format!("'{}' has no topic.", inbound.topic));
            return findings;
        };
        if self.devices.len() >= MOST_DEVICES && !self.devices.contains_key(mac) {
            return findings;
        }
        let topic: String = topic.chars().take(super::LONGEST_NAME).collect();
        if crate::set::usable(&topic).is_err() {
            findings.problems.push(format!("The topic of Tasmota {mac} cannot be used."));
            return findings;
        }
        self.devices.insert(mac.to_owned(), id.clone());
        let device = device(&self.settings.dialect, id, &topic, &config, &mut findings.problems);
        findings.devices.extend(device);
        findings
    }
}

fn device(dialect: &str, id: DeviceId, topic: &str, config: &Value, problems: &mut Vec<String>) -> Option<KnownDevice> {
    let Some(place) = Place::of(topic, id.as_str(), config) else {
        problems.push(format!("Tasmota {topic} uses the topic pattern {}, which cannot be used.", &config["ft"]));
        return None;
    };
    let mut device = KnownDevice::new(id, dialect, &place.address);
    device.roots = place.roots();
    // Its roots say where its topics are.
    device.vars.insert("variant".into(), "usual".into());
    device.words = words(config);
    device.name = named(config, "dn").or_else(|| config.pointer("/fn/0").and_then(Value::as_str).map(name));
    device.model = named(config, "md");
    device.vendor = Some("Tasmota".into());
    device.firmware = named(config, "sw");
    device.identifiers = vec![device.id.as_str().to_lowercase().into()];
    let relays: Vec<u64> = config.get("rl").and_then(Value::as_array).map_or_else(Vec::new, |relays| {
        relays.iter().take(MOST_RELAYS).map(|relay| relay.as_u64().unwrap_or(0)).collect()
    });
    let several = relays.iter().filter(|kind| **kind != 0).count() > 1;
    let [off, on] = [0, 1].map(|at| config.pointer(&format!("/state/{at}")).and_then(Value::as_str).map(name));
    for (index, _) in relays.iter().enumerate().filter(|(_, kind)| matches!(kind, 1 | 2)) {
        let number = if several { format!("{}", index + 1) } else { String::new() };
        let friendly = config.pointer(&format!("/fn/{index}")).and_then(Value::as_str);
        let control = Control::Switch {
            on: on.clone().unwrap_or_else(|| "ON".into()),
            off: off.clone().unwrap_or_else(|| "OFF".into()),
        };
        let title = friendly.map_or_else(|| format!("Power {}", index + 1), str::to_owned);
        push(&mut device, &format!("Power{number}"), &title, control);
    }
    if relays.contains(&2) {
        let percent = Control::between("0", "100", Some("1"), Some("%"));
        push(&mut device, "Dimmer", "Brightness", percent);
        let subtype = config.get("lt_st").and_then(Value::as_u64).unwrap_or(0);
        if matches!(subtype, 2 | 5) {
            push(&mut device, "CT", "Colour temperature", Control::between("153", "500", Some("1"), Some("mired")));
        }
        if matches!(subtype, 3..=5) {
            push(&mut device, "Color", "Colour", Control::Colour(ColourNotation::Hex));
            push(&mut device, "HSBColor", "Colour (HSB)", Control::Colour(ColourNotation::Hsb));
        }
    }
    let shutters = relays.iter().filter(|kind| **kind == 3).count().div_ceil(2);
    for number in 1..=shutters {
        for (command, title) in [("ShutterOpen", "Open"), ("ShutterClose", "Close"), ("ShutterStop", "Stop")] {
            button(&mut device, &format!("{command}{number}"), &format!("{title} {number}"));
        }
        let percent = Control::between("0", "100", Some("1"), Some("%"));
        push(&mut device, &format!("ShutterPosition{number}"), &format!("Position {number}"), percent);
        // A shutter reports where it is beside where it goes.
        let key: Box<str> = format!("SHUTTER{number}/POSITION").into();
        if let (Some(variable), Some(command)) = (device.variables.last_mut(), device.commands.last_mut()) {
            variable.key = key.clone();
            command.reports = Some(key);
        }
    }
    settings(&mut device, relays.iter().any(|kind| *kind != 0));
    for (command, title) in [("Restart", "Restart"), ("Status", "Read status"), ("State", "Read state")] {
        button(&mut device, command, title);
    }
    if let Some(restart) = device.commands.iter_mut().find(|command| *command.name == *"Restart")
        && let CommandRequest::Request { beside, .. } = &mut restart.ask
    {
        *beside = Some(r#"{"value":"1"}"#.into());
    }
    Some(device)
}

/// The settings that every device has, and those of relays. A Backlog of their names makes the device report them all.
fn settings(device: &mut KnownDevice, has_relay: bool) {
    let number = |min: &str, max: &str, unit: &str| Control::between(min, max, Some("1"), Some(unit));
    let choice = |words: &[&str]| Control::Choice(words.iter().map(|word| (*word).into()).collect());
    let mut all = vec![
        ("TelePeriod", "Telemetry interval", number("10", "3600", "s")),
        ("Sleep", "Sleep", number("0", "250", "ms")),
        ("LedState", "LED follows", number("0", "8", "")),
    ];
    if has_relay {
        all.push(("PowerOnState", "Power after a restart", choice(&["0", "1", "2", "3", "4", "5"])));
    }
    let names: Vec<&str> = all.iter().map(|(name, ..)| *name).collect();
    let ask = CommandRequest::Request {
        command: "Backlog".into(),
        argument: None,
        beside: Some(serde_json::json!({"value": names.join("; ")}).to_string().into()),
    };
    for (name, title, control) in all.into_iter() {
        push(device, name, title, control);
        if let Some(command) = device.commands.last_mut() {
            command.is_setting = true;
        }
    }
    device.commands.push(DeviceCommand {
        role: Some(Role::ReadSettings),
        ..DeviceCommand::new("Read settings", "Read settings", Control::Button, ask)
    });
}

/// Where a device's topics are: its FullTopic, filled in.
struct Place {
    /// The FullTopic with everything but the prefix.
    full: String,
    /// The same without the prefix and its level: the device's name in topics.
    address: String,
    /// The FullTopic as a filter: any device, and `%prefix%`.
    filter: String,
    /// The device's names of the prefixes.
    prefixes: [String; 3],
}

impl Place {
    /// `None` for a FullTopic that cannot be used.
    fn of(topic: &str, mac: &str, config: &Value) -> Option<Place> {
        let full = text(config, "ft").unwrap_or("%prefix%/%topic%/").trim_end_matches('/');
        let places = full.split('/').filter(|level| level.contains("%prefix%")).count();
        if full.len() > super::LONGEST_NAME || places != 1 || !full.split('/').any(|level| level == "%prefix%") {
            return None;
        }
        let id = mac.get(mac.len().saturating_sub(6)..).unwrap_or(mac);
        let host = text(config, "hn").unwrap_or_default();
        let filled = full.replace("%topic%", topic).replace("%hostname%", host).replace("%id%", id);
        let address: Vec<&str> = filled.split('/').filter(|level| *level != "%prefix%").collect();
        let address = address.join("/");
        let any = |level: &str| ["%topic%", "%hostname%", "%id%"].iter().any(|place| level.contains(place));
        let filter: Vec<&str> = full.split('/').map(|level| if any(level) { "+" } else { level }).collect();
        let prefix = |place: usize| {
            let own = config.pointer(&format!("/tp/{place}")).and_then(Value::as_str).filter(|own| !own.is_empty());
            own.unwrap_or(PREFIXES[place]).to_owned()
        };
        let place =
            Place { full: filled, address, filter: filter.join("/"), prefixes: [prefix(0), prefix(1), prefix(2)] };
        let usable = crate::set::usable(&place.address).is_ok()
            && place.prefixes.iter().all(|prefix| crate::set::usable(prefix).is_ok() && !prefix.contains('/'));
        usable.then_some(place)
    }

    /// `None` for a device whose topics follow the dialect's rules.
    fn roots(&self) -> Vec<Root> {
        let root = |place: usize| {
            let (rule, own) = (PREFIXES[place], &self.prefixes[place]);
            let filter = format!("{}/+", self.filter.replace("%prefix%", own));
            Root {
                rule: format!("{rule}/{}", self.address).into(),
                topic: self.full.replace("%prefix%", own).into(),
                filter: (place > 0).then(|| filter.into()),
            }
        };
        [0, 1, 2].map(root).into_iter().filter(|root| root.rule != root.topic).collect()
    }
}

/// The device's own words for on, off and its presence.
fn words(config: &Value) -> BTreeMap<Box<str>, Box<str>> {
    let own = |path: &str, word: &str| {
        let own = config.pointer(path).and_then(Value::as_str).filter(|own| !own.is_empty() && *own != word)?;
        Some((name(own), word.into()))
    };
    let all = [("/state/0", "OFF"), ("/state/1", "ON"), ("/onln", "Online"), ("/ofln", "Offline")];
    all.into_iter().filter_map(|(path, word)| own(path, word)).collect()
}

fn push(device: &mut KnownDevice, command: &str, title: &str, control: Control) {
    let key = command.to_uppercase();
    device.variables.push(Variable {
        key: key.as_str().into(),
        title: name(title),
        unit: None,
        is_number: matches!(control, Control::Number { .. }),
        topic: None,
        template: None,
    });
    let ask = CommandRequest::Request { command: command.into(), argument: Some("value".into()), beside: None };
    device.commands.push(DeviceCommand {
        reports: Some(key.into()),
        role: matches!(command, "Power" | "Power1").then_some(Role::Light),
        ..DeviceCommand::new(command, &name(title), control, ask)
    });
}

fn button(device: &mut KnownDevice, command: &str, title: &str) {
    let ask = CommandRequest::Request { command: command.into(), argument: None, beside: None };
    device.commands.push(DeviceCommand {
        reports: Some(command.to_uppercase().into()),
        role: (command == "Restart").then_some(Role::Restart),
        ..DeviceCommand::new(command, &name(title), Control::Button, ask)
    });
}
