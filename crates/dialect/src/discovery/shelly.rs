//! Shelly devices: their messages show which exist, and two requests tell what they are (`Shelly.GetDeviceInfo`,
//! `Shelly.GetStatus`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, MOST_DEVICES, MOST_OF_A_DEVICE, ReaderSettings, named, text};
use crate::{
    ColourNotation, CommandRequest, Control, DeviceCommand, Inbound, KnownDevice, Role, Variable,
    set::{covers, device_id, usable},
};

/// The most levels of a topic prefix under which devices are found. Firmware permits any number of them.
const SEARCHED_LEVELS: usize = 3;
/// What the ID of a question begins with that names the topic prefix it was sent to.
const ASKED_AT: &str = "0:";

/// The filters of messages that show a device.
pub(super) fn filters() -> Vec<String> {
    let below = |levels: usize| {
        let prefix = vec!["+"; levels].join("/");
        ["online", "announce", "events/rpc"].map(|topic| format!("{prefix}/{topic}"))
    };
    (1..=SEARCHED_LEVELS).flat_map(below).collect()
}

/// The known facts of each device, by its topic prefix.
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
        let said: Value = serde_json::from_slice(inbound.payload).unwrap_or_default();
        if let Some(address) = inbound.topic.strip_suffix("/online") {
            if matches!(inbound.payload, b"true" | b"online") && !self.devices.contains_key(address) {
                findings.questions.push((format!("{address}/rpc"), self.who(address)));
                findings.questions.push((format!("{address}/rpc"), self.question("Shelly.GetStatus")));
                findings.questions.push((format!("{address}/rpc"), self.question("Shelly.GetConfig")));
            }
            return findings;
        }
        if let Some(address) = inbound.topic.strip_suffix("/announce").filter(|address| *address != "shellies") {
            self.info(address, &said, &mut findings);
            if !findings.devices.is_empty() {
                findings.questions.push((format!("{address}/rpc"), self.question("Shelly.GetStatus")));
                findings.questions.push((format!("{address}/rpc"), self.question("Shelly.GetConfig")));
            }
        } else if inbound.topic.ends_with("/events/rpc") || covers("+/rpc", inbound.topic) {
            self.answer(inbound.topic, &said, &mut findings);
        }
        findings
    }

    /// A query with an ID that no command has.
    fn question(&self, method: &str) -> String {
        format!(r#"{{"id":0,"src":{},"method":"{method}"}}"#, Value::from(&*self.settings.console))
    }

    /// A query to the device with this topic prefix. The answer contains only the device's ID, so the query ID
    /// identifies the prefix.
    fn who(&self, address: &str) -> String {
        let (id, console) = (Value::from(format!("{ASKED_AT}{address}")), Value::from(&*self.settings.console));
        format!(r#"{{"id":{id},"src":{console},"method":"Shelly.GetDeviceInfo"}}"#)
    }

    /// The answer to one of our queries, or an unsolicited message.
    fn answer(&mut self, topic: &str, said: &Value, findings: &mut Findings) {
        let Some(source) = text(said, "src").filter(|source| source.len() <= super::LONGEST_NAME) else { return };
        let result = said.get("result").unwrap_or(&Value::Null);
        if text(result, "id").is_some() && result.get("gen").is_some() {
            let asked_at = text(said, "id").and_then(|id| id.strip_prefix(ASKED_AT)).filter(|at| usable(at).is_ok());
            let address = asked_at.map_or_else(|| self.address_of(source), str::to_owned);
            self.info(&address, result, findings);
            return;
        }
        if text(said, "method") == Some("NotifyEvent") && said.to_string().contains("\"config_changed\"") {
            // The event does not contain the change.
            let address = topic.strip_suffix("/events/rpc").unwrap_or(source);
            findings.questions.push((format!("{address}/rpc"), self.question("Shelly.GetConfig")));
            return;
        }
        let full = matches!(text(said, "method"), Some("NotifyStatus" | "NotifyFullStatus"));
        let status = if full { said.get("params").unwrap_or(&Value::Null) } else { result };
        let Some(members) = status.as_object().filter(|members| members.keys().any(|key| is_component(key))) else {
            return;
        };
        let address = match topic.strip_suffix("/events/rpc") {
            Some(address) => address.to_owned(),
            None => self.address_of(source),
        };
        let Some(device) = self.device(&address, source) else { return };
        let before = (device.commands.len(), device.variables.len());
        let is_configuration = result.pointer("/sys/cfg_rev").is_some();
        for (component, state) in members.iter().filter(|(key, _)| is_component(key)) {
            if is_configuration {
                settings(device, component, state);
            } else {
                describe(device, component, state);
            }
        }
        if before != (device.commands.len(), device.variables.len()) {
            findings.devices.push(device.clone());
        }
    }

    fn info(&mut self, address: &str, info: &Value, findings: &mut Findings) {
        let Some(id) = text(info, "id").filter(|id| id.len() <= super::LONGEST_NAME) else { return };
        if info.get("gen").and_then(Value::as_u64).is_some_and(|generation| generation < 2) {
            findings.problems.push(format!(
                "'{id}' is a first-generation Shelly, which has no RPC. Enable the dialect shelly-gen1 for it."
            ));
            return;
        }
        let Some(device) = self.device(address, id) else { return };
        device.name = named(info, "name");
        device.model = named(info, "model").or_else(|| named(info, "app"));
        device.vendor = Some("Shelly".into());
        device.firmware = named(info, "ver");
        device.identifiers =
            [text(info, "mac"), Some(id)].into_iter().flatten().map(|one| one.to_lowercase().into()).collect();
        findings.devices.push(device.clone());
    }

    fn device(&mut self, address: &str, id: &str) -> Option<&mut KnownDevice> {
        if !self.devices.contains_key(address) && self.devices.len() >= MOST_DEVICES {
            return None;
        }
        let dialect = &self.settings.dialect;
        let device = self.devices.entry(address.to_owned());
        Some(device.or_insert_with(|| {
            let mut device = KnownDevice::new(device_id(id), dialect, address);
            device.commands = common();
            device
        }))
    }

    /// The topic prefix of a device: its ID, unless a message had another name.
    fn address_of(&self, id: &str) -> String {
        let known = self.devices.iter().find(|(_, device)| device.id.as_str() == id);
        known.map_or_else(|| id.to_owned(), |(address, _)| address.clone())
    }
}

fn is_component(key: &str) -> bool {
    key.split_once(':').is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

/// The commands of every device.
fn common() -> Vec<DeviceCommand> {
    let plain = |name: &str, title: &str| command(name, title, Control::Button, name, None, None);
    vec![
        plain("Shelly.Reboot", "Restart"),
        plain("Shelly.GetStatus", "Read status"),
        plain("Shelly.GetConfig", "Read configuration"),
    ]
}

fn command(
    name: &str,
    title: &str,
    control: Control,
    method: &str,
    argument: Option<&str>,
    component: Option<u32>,
) -> DeviceCommand {
    let ask = CommandRequest::Request {
        command: method.into(),
        argument: argument.map(Into::into),
        beside: component.map(|number| format!(r#"{{"id":{number}}}"#).into()),
    };
    DeviceCommand {
        reports: Some("answer".into()),
        role: match (name.split_once('/'), method) {
            (Some((component, "on")), _) if component.ends_with(":0") => Some(Role::Light),
            (_, "Shelly.Reboot") => Some(Role::Restart),
            (_, "Shelly.GetConfig") => Some(Role::ReadSettings),
            _ => None,
        },
        ..DeviceCommand::new(name, title, control, ask)
    }
}

/// The commands and values of a component.
fn describe(device: &mut KnownDevice, component: &str, state: &Value) {
    let Some((kind, number)) = component.split_once(':') else { return };
    let Ok(index) = number.parse::<u32>() else { return };
    let on = || Control::Switch { on: "true".into(), off: "false".into() };
    let percent = || Control::between("0", "100", Some("1"), Some("%"));
    let colour = || Control::Colour(ColourNotation::RgbList);
    let kelvin = || Control::between("2700", "6500", Some("1"), Some("K"));
    let known = [
        ("switch", "on", "Switch", on(), "Switch.Set", Some("on")),
        ("switch", "toggle", "Toggle", Control::Button, "Switch.Toggle", None),
        ("light", "on", "Light", on(), "Light.Set", Some("on")),
        ("light", "brightness", "Brightness", percent(), "Light.Set", Some("brightness")),
        ("rgb", "on", "Light", on(), "RGB.Set", Some("on")),
        ("rgb", "brightness", "Brightness", percent(), "RGB.Set", Some("brightness")),
        ("rgb", "colour", "Colour", colour(), "RGB.Set", Some("rgb")),
        ("rgbw", "on", "Light", on(), "RGBW.Set", Some("on")),
        ("rgbw", "brightness", "Brightness", percent(), "RGBW.Set", Some("brightness")),
        ("rgbw", "colour", "Colour", colour(), "RGBW.Set", Some("rgb")),
        ("rgbw", "white", "White", Control::between("0", "255", Some("1"), None), "RGBW.Set", Some("white")),
        ("cct", "on", "Light", on(), "CCT.Set", Some("on")),
        ("cct", "brightness", "Brightness", percent(), "CCT.Set", Some("brightness")),
        ("cct", "ct", "Colour temperature", kelvin(), "CCT.Set", Some("ct")),
        ("cover", "open", "Open", Control::Button, "Cover.Open", None),
        ("cover", "close", "Close", Control::Button, "Cover.Close", None),
        ("cover", "stop", "Stop", Control::Button, "Cover.Stop", None),
        ("cover", "position", "Position", percent(), "Cover.GoToPosition", Some("pos")),
    ];
    for (of, what, title, control, method, argument) in known.into_iter().filter(|(of, ..)| *of == kind) {
        let name = format!("{of}:{index}/{what}");
        if device.command(&name).is_none() && device.commands.len() < MOST_OF_A_DEVICE {
            device.commands.push(command(&name, &format!("{title} {index}"), control, method, argument, Some(index)));
        }
    }
    let units = [
        ("apower", "W"),
        ("voltage", "V"),
        ("current", "A"),
        ("freq", "Hz"),
        ("tC", "°C"),
        ("total", "Wh"),
        ("rh", "%"),
    ];
    let mut leaves = Vec::new();
    crate::file::flattened(component, &state.into(), &mut leaves);
    for (key, value) in leaves {
        let is_known = device.variables.iter().any(|variable| *variable.key == *key);
        if is_known || device.variables.len() >= MOST_OF_A_DEVICE {
            continue;
        }
        let last = key.rsplit('/').next().unwrap_or_default();
        device.variables.push(Variable {
            title: super::name(&key),
            unit: units.iter().find(|(name, _)| *name == last).map(|(_, unit)| (*unit).into()),
            is_number: value.parse::<f64>().is_ok(),
            topic: None,
            template: None,
            key: key.into(),
        });
    }
}

/// The settings of a component, from its current configuration.
fn settings(device: &mut KnownDevice, component: &str, configuration: &Value) {
    let Some((kind, number)) = component.split_once(':') else { return };
    let Ok(index) = number.parse::<u32>() else { return };
    let method = match kind {
        "switch" => "Switch.SetConfig",
        "light" => "Light.SetConfig",
        "rgb" => "RGB.SetConfig",
        "rgbw" => "RGBW.SetConfig",
        "cct" => "CCT.SetConfig",
        "cover" => "Cover.SetConfig",
        "input" => "Input.SetConfig",
        _ => return,
    };
    let on_off = || Control::Switch { on: "true".into(), off: "false".into() };
    let seconds = || Control::between("0", "86400", None, Some("s"));
    let words = |words: &[&str]| Control::Choice(words.iter().map(|word| (*word).into()).collect());
    let known = [
        ("initial_state", "Power-on state", words(&["off", "on", "restore_last", "match_input"])),
        ("auto_on", "Auto on", on_off()),
        ("auto_on_delay", "Auto-on delay", seconds()),
        ("auto_off", "Auto off", on_off()),
        ("auto_off_delay", "Auto-off delay", seconds()),
        ("invert", "Invert", on_off()),
        ("invert_directions", "Swap directions", on_off()),
    ];
    for (member, title, control) in known {
        let key = format!("{component}/{member}");
        let is_there = configuration.get(member).is_some_and(|value| !value.is_object());
        let is_known = device.variables.iter().any(|variable| *variable.key == *key);
        if !is_there || is_known || device.variables.len() >= MOST_OF_A_DEVICE {
            continue;
        }
        let title = format!("{title} {index}");
        device.variables.push(Variable {
            key: key.as_str().into(),
            title: super::name(&title),
            unit: None,
            is_number: matches!(control, Control::Number { .. }),
            topic: None,
            template: None,
        });
        let setting = command(&key, &title, control, method, Some(&format!("config/{member}")), Some(index));
        device.commands.push(DeviceCommand { reports: Some(key.into()), is_setting: true, role: None, ..setting });
    }
}
