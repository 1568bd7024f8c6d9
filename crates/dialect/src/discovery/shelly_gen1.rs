//! Shelly's first generation: `shellies/announce` names the model of a device, and its reports show its components.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, MOST_DEVICES, MOST_OF_A_DEVICE, ReaderSettings, name, named, text};
use crate::{
    ColourNotation, CommandRequest, Control, DeviceCommand, Inbound, KnownDevice, Role, Variable, set::device_id,
};

/// The known facts of each device, by its topic name.
#[derive(Debug)]
pub(super) struct Reader {
    settings: ReaderSettings,
    devices: BTreeMap<String, KnownDevice>,
}

impl Reader {
    pub(super) fn new(settings: ReaderSettings) -> Reader {
        Reader { settings, devices: BTreeMap::new() }
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let Some(rest) = inbound.topic.strip_prefix("shellies/") else { return findings };
        if rest == "announce" || rest.ends_with("/announce") {
            self.announced(inbound, &mut findings);
            return findings;
        }
        let Some((address, what)) = rest.split_once('/') else { return findings };
        if what == "online" {
            if !self.devices.contains_key(address) {
                findings.questions.push((format!("shellies/{address}/command"), "announce".to_owned()));
            }
            return findings;
        }
        let levels: Vec<&str> = what.split('/').collect();
        let is_news = match levels.as_slice() {
            [component, number] if number.parse::<u32>().is_ok() => self.component(address, component, number),
            ["relay" | "roller" | "light" | "emeter", number, measured] if number.parse::<u32>().is_ok() => {
                self.value(address, what, measured, inbound.topic)
            }
            ["sensor", measured] => self.value(address, what, measured, inbound.topic),
            ["temperature" | "humidity" | "voltage"] => self.value(address, what, what, inbound.topic),
            _ => false,
        };
        findings.devices.extend(self.devices.get(address).filter(|_| is_news).cloned());
        findings
    }

    fn announced(&mut self, inbound: &Inbound<'_>, findings: &mut Findings) {
        let said: Value = serde_json::from_slice(inbound.payload).unwrap_or_default();
        let Some(address) = text(&said, "id").filter(|id| id.len() <= super::LONGEST_NAME) else { return };
        // Later generations announce themselves on the same topic.
        if said.get("gen").is_some() || crate::set::usable(address).is_err() || address.contains('/') {
            return;
        }
        let Some(device) = self.device(address) else { return };
        device.model = named(&said, "model");
        device.firmware = named(&said, "fw_ver");
        device.identifiers =
            [text(&said, "mac"), Some(address)].into_iter().flatten().map(|one| one.to_lowercase().into()).collect();
        findings.devices.push(device.clone());
    }

    fn device(&mut self, address: &str) -> Option<&mut KnownDevice> {
        if !self.devices.contains_key(address) && self.devices.len() >= MOST_DEVICES {
            return None;
        }
        let dialect = &self.settings.dialect;
        Some(self.devices.entry(address.to_owned()).or_insert_with(|| {
            let mut device = KnownDevice::new(device_id(address), dialect, address);
            device.vendor = Some("Shelly".into());
            device
        }))
    }

    /// Handles a component that reported its state. Returns whether it is new.
    fn component(&mut self, address: &str, component: &str, number: &str) -> bool {
        let key = format!("{component}/{number}");
        let on_off = || Control::Switch { on: "on".into(), off: "off".into() };
        let commands = match component {
            "relay" => vec![("", "Switch", on_off(), None)],
            "light" | "white" | "color" => vec![("", "Light", on_off(), None)],
            "roller" => vec![
                (" open", "Open", Control::Button, Some("open")),
                (" close", "Close", Control::Button, Some("close")),
                (" stop", "Stop", Control::Button, Some("stop")),
            ],
            _ => return false,
        };
        let Some(device) = self.device(address) else { return false };
        if device.variables.iter().any(|known| *known.key == *key) || device.variables.len() >= MOST_OF_A_DEVICE {
            return false;
        }
        for (suffix, title, control, fixed) in commands {
            let ask = CommandRequest::Request {
                command: key.as_str().into(),
                argument: fixed.is_none().then(|| "value".into()),
                beside: fixed.map(|word| format!(r#"{{"value":"{word}"}}"#).into()),
            };
            device.commands.push(DeviceCommand {
                reports: Some(key.as_str().into()),
                role: (fixed.is_none() && number == "0").then_some(Role::Light),
                ..DeviceCommand::new(&format!("{key}{suffix}"), &format!("{title} {number}"), control, ask)
            });
        }
        for (member, title, control) in aspects(component) {
            let ask = CommandRequest::Request {
                command: format!("{key}/set").into(),
                argument: Some(member.into()),
                beside: None,
            };
            let reports = if member.is_empty() { "answer".to_owned() } else { format!("{key}/{member}") };
            device.commands.push(DeviceCommand {
                reports: Some(reports.into()),
                ..DeviceCommand::new(&format!("{key} {title}"), &format!("{title} {number}"), control, ask)
            });
        }
        device.variables.push(variable(&key, &key, None));
        true
    }

    /// Handles a measurement. Returns whether it is new.
    fn value(&mut self, address: &str, key: &str, measured: &str, topic: &str) -> bool {
        let units = [("power", "W"), ("energy", "Wmin"), ("voltage", "V"), ("current", "A"), ("temperature", "°C")];
        let Some(device) = self.device(address) else { return false };
        if device.variables.iter().any(|known| *known.key == *key) || device.variables.len() >= MOST_OF_A_DEVICE {
            return false;
        }
        let unit = units.iter().find(|(name, _)| *name == measured).map(|(_, unit)| (*unit).into());
        device.variables.push(Variable { unit, is_number: true, ..variable(key, key, Some(topic)) });
        true
    }
}

/// What a light has besides on and off: the member of its settings, and a form. A colour is three members.
fn aspects(component: &str) -> Vec<(&'static str, &'static str, Control)> {
    let percent = || Control::between("0", "100", Some("1"), Some("%"));
    match component {
        "color" => vec![
            ("", "Colour", Control::Colour(ColourNotation::LongRgbObject)),
            ("gain", "Brightness", percent()),
            ("white", "White", Control::between("0", "255", Some("1"), None)),
        ],
        "light" | "white" => vec![("brightness", "Brightness", percent())],
        _ => Vec::new(),
    }
}

fn variable(key: &str, title: &str, topic: Option<&str>) -> Variable {
    Variable {
        key: key.into(),
        title: name(title),
        unit: None,
        is_number: false,
        topic: topic.map(Into::into),
        template: None,
    }
}
