//! Zigbee2MQTT: the retained message `{base}/bridge/devices` lists every device with everything that it exposes;
//! `bridge/groups` lists the groups.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use wilco_ledger::{DeviceId, grouped};

use super::{Findings, MOST_DEVICES, MOST_OF_A_DEVICE, ReaderSettings, json, name, named, number, text};
use crate::{
    ColourNotation, CommandRequest, Control, DeviceCommand, Inbound, KnownDevice, Role, Variable, file::ReaderKind,
    json::ExactValue, set::device_id,
};

/// The bridge in topics.
const BRIDGE: &str = "bridge";
/// The access bits of an expose.
const PUBLISHED: u64 = 1;
const SETTABLE: u64 = 2;
const GETTABLE: u64 = 4;
/// How deep exposes are looked into: a light has features, a feature may be composed.
const DEEPEST: usize = 4;

#[derive(Debug)]
pub(super) struct Reader {
    settings: ReaderSettings,
    devices: BTreeSet<DeviceId>,
    groups: BTreeSet<DeviceId>,
}

impl Reader {
    pub(super) fn new(settings: ReaderSettings) -> Reader {
        Reader { settings, devices: BTreeSet::new(), groups: BTreeSet::new() }
    }

    pub(super) fn filters(&self) -> Vec<String> {
        ["devices", "groups", "info"].map(|what| format!("{}/bridge/{what}", self.settings.base)).to_vec()
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let base = &*self.settings.base;
        let what = inbound.topic.strip_prefix(base).and_then(|rest| rest.strip_prefix("/bridge/"));
        let is_groups = match what {
            Some("devices") => false,
            Some("groups") => true,
            _ => return findings,
        };
        let Some(ExactValue::Array(listed)) = json(inbound.payload) else {
            findings.problems.push(format!("'{}' is not a list.", inbound.topic));
            return findings;
        };
        if listed.len() > MOST_DEVICES {
            findings.problems.push(format!(
                "{base} lists {} devices; only the first {} are used.",
                grouped(listed.len()),
                grouped(MOST_DEVICES)
            ));
        }
        let mut now = BTreeSet::new();
        for one in listed.iter().take(MOST_DEVICES) {
            let device = if is_groups { group(one, &self.settings) } else { device(one, &self.settings) };
            match device {
                Some(device) => {
                    now.insert(device.id.clone());
                    findings.devices.push(device);
                }
                None => findings
                    .problems
                    .push(format!("A device in '{}' has no name that is valid in a topic.", inbound.topic)),
            }
        }
        let before = if is_groups { &mut self.groups } else { &mut self.devices };
        findings.gone.extend(before.difference(&now).cloned());
        *before = now;
        findings
    }
}

fn usable(address: &str) -> bool {
    address.len() <= 400 && crate::set::usable(address).is_ok()
}

fn group(listed: &ExactValue, settings: &ReaderSettings) -> Option<KnownDevice> {
    let address = text(listed, "friendly_name").filter(|address| usable(address))?;
    let mut device = KnownDevice::new(device_id(&format!("group {address}")), &settings.dialect, address);
    device.name = Some(name(address));
    device.model = Some("Group".into());
    device.hub = hub(settings);
    Some(device)
}

/// The bridge as a device: `bridge`, unless there are several dialect files for several bridges.
fn hub(settings: &ReaderSettings) -> Option<DeviceId> {
    let usual = ReaderKind::Zigbee2Mqtt.dialect();
    if *settings.dialect == *usual { DeviceId::new(BRIDGE).ok() } else { DeviceId::new(&*settings.dialect).ok() }
}

fn device(listed: &ExactValue, settings: &ReaderSettings) -> Option<KnownDevice> {
    if text(listed, "type") == Some("Coordinator") {
        let mut device = KnownDevice::new(hub(settings)?, &settings.dialect, BRIDGE);
        device.name = Some("Zigbee2MQTT bridge".into());
        // Zigbee2MQTT announces itself for Home Assistant too, under the second of these names.
        let ieee = text(listed, "ieee_address").map(str::to_lowercase);
        let names = ieee.map(|ieee| [ieee.as_str().into(), format!("zigbee2mqtt_bridge_{ieee}").into()]);
        device.identifiers = names.into_iter().flatten().collect();
        for (request, title) in [
            ("restart", "Restart"),
            ("health_check", "Check health"),
            ("coordinator_check", "Check coordinator"),
            ("backup", "Back up"),
        ] {
            let command = format!("bridge/{request}");
            let ask = CommandRequest::Request { command: command.as_str().into(), argument: None, beside: None };
            device.commands.push(DeviceCommand {
                reports: Some("answer".into()),
                role: (request == "restart").then_some(Role::Restart),
                ..DeviceCommand::new(&command, title, Control::Button, ask)
            });
        }
        return Some(device);
    }
    let ieee = text(listed, "ieee_address").filter(|ieee| ieee.len() <= 64)?;
    let address = text(listed, "friendly_name").unwrap_or(ieee);
    let address = Some(address).filter(|address| usable(address))?;
    let mut device = KnownDevice::new(device_id(ieee), &settings.dialect, address);
    device.name = Some(name(address));
    device.hub = hub(settings);
    device.firmware = named(listed, "software_build_id");
    // Zigbee2MQTT announces its devices for Home Assistant too, under this name.
    let lower = ieee.to_lowercase();
    device.identifiers = vec![format!("zigbee2mqtt_{lower}").into(), lower.into()];
    let definition = listed.get("definition").unwrap_or(&ExactValue::Null);
    device.model = named(definition, "model");
    device.vendor = named(definition, "vendor");
    if let Some(ExactValue::Array(exposes)) = definition.get("exposes") {
        let mut readable = Map::new();
        exposes.iter().for_each(|expose| describe(&mut device, expose, DEEPEST, &mut readable));
        if !readable.is_empty() {
            device.commands.push(read_settings(readable));
        }
    }
    Some(device)
}

/// Asks for the settings that a device can be asked for; it reports them with its state.
fn read_settings(readable: Map<String, Value>) -> DeviceCommand {
    let beside = Some(Value::Object(readable).to_string().into());
    let ask = CommandRequest::Request { command: "get".into(), argument: None, beside };
    let title = "Read settings";
    DeviceCommand {
        reports: Some("answer".into()),
        role: Some(Role::ReadSettings),
        ..DeviceCommand::new(title, title, Control::Button, ask)
    }
}

/// What an expose makes of commands and values. `readable` takes in the settings that the device can be asked for.
fn describe(device: &mut KnownDevice, expose: &ExactValue, deepest: usize, readable: &mut Map<String, Value>) {
    let kind = text(expose, "type").unwrap_or_default();
    if let (Some(ExactValue::Array(features)), false) = (expose.get("features"), kind == "composite") {
        if deepest > 0 {
            for feature in features.iter().take(MOST_OF_A_DEVICE) {
                describe(device, feature, deepest - 1, readable);
            }
        }
        return;
    }
    let Some(property) = text(expose, "property").filter(|property| property.len() <= super::LONGEST_NAME) else {
        return;
    };
    if device.variables.len() >= MOST_OF_A_DEVICE || device.variables.iter().any(|one| *one.key == *property) {
        return;
    }
    let access = number(expose, "access").and_then(|bits| bits.parse::<u64>().ok()).unwrap_or(PUBLISHED);
    let title = text(expose, "label").or_else(|| text(expose, "name")).map_or_else(|| name(property), name);
    device.variables.push(Variable {
        key: property.into(),
        title: title.clone(),
        unit: named(expose, "unit"),
        is_number: kind == "numeric",
        topic: None,
        template: None,
    });
    if access & SETTABLE == 0 {
        return;
    }
    let Some(control) = control(expose, kind) else { return };
    let reports = (access & PUBLISHED != 0).then(|| property.into());
    let ask = CommandRequest::Request { command: "set".into(), argument: Some(property.into()), beside: None };
    // Zigbee2MQTT says itself what is a setting and not a control.
    let is_setting = reports.is_some() && text(expose, "category") == Some("config");
    if is_setting && access & GETTABLE != 0 {
        readable.insert(property.to_owned(), Value::from(""));
    }
    device.commands.push(DeviceCommand {
        is_setting,
        reports,
        bare: bare(expose),
        role: (property == "state" && kind == "binary").then_some(Role::Light),
        ..DeviceCommand::new(&format!("set {property}"), &title, control, ask)
    });
}

/// The words that are no texts.
fn bare(expose: &ExactValue) -> Vec<Box<str>> {
    let listed = expose.get("values").and_then(ExactValue::as_array).unwrap_or_default();
    let words = ["value_on", "value_off"].into_iter().filter_map(|member| expose.get(member)).chain(listed);
    let words = words.take(MOST_OF_A_DEVICE).filter(|word| word.as_str().is_none());
    words.map(|word| word.plain().into()).collect()
}

fn control(expose: &ExactValue, kind: &str) -> Option<Control> {
    let word = |member: &str| expose.get(member).map(|value| value.plain().into());
    Some(match kind {
        "binary" => Control::Switch { on: word("value_on")?, off: word("value_off")? },
        "numeric" => Control::Number {
            min: number(expose, "value_min"),
            max: number(expose, "value_max"),
            step: number(expose, "value_step"),
            unit: named(expose, "unit"),
        },
        "enum" => {
            let Some(ExactValue::Array(values)) = expose.get("values") else { return None };
            Control::Choice(values.iter().take(MOST_OF_A_DEVICE).map(|value| name(&value.plain())).collect())
        }
        // Other composite values, such as `color_options`, are no colours.
        "composite" => match text(expose, "name") {
            Some("color_xy") => Control::Colour(ColourNotation::XyObject),
            Some("color_hs") => Control::Colour(ColourNotation::HsObject),
            _ => return None,
        },
        "text" => Control::Text,
        _ => return None,
    })
}
