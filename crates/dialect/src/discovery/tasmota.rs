//! Tasmota: `tasmota/discovery/{MAC}/config`, retained, says what a device has and how its topics are made.

use std::collections::BTreeMap;

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{Findings, MOST_DEVICES, name, named, text};
use crate::{Ask, Control, DeviceCommand, Inbound, KnownDevice, Role, Variable};

const DIALECT: &str = "tasmota";
/// The order of prefix and topic in a device's topics, where it is not the usual one.
const TURNED: &str = "turned";
const MOST_RELAYS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Reader {
    devices: BTreeMap<String, DeviceId>,
}

impl Reader {
    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let mac = inbound.topic.strip_prefix("tasmota/discovery/").and_then(|rest| rest.strip_suffix("/config"));
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
        findings.devices.push(device(id, &topic, &config, &mut findings.problems));
        findings
    }
}

fn device(id: DeviceId, topic: &str, config: &Value, problems: &mut Vec<String>) -> KnownDevice {
    let mut device = KnownDevice::new(id, DIALECT, topic);
    device.name = named(config, "dn").or_else(|| config.pointer("/fn/0").and_then(Value::as_str).map(name));
    device.model = named(config, "md");
    device.vendor = Some("Tasmota".into());
    device.firmware = named(config, "sw");
    device.identifiers = vec![device.id.as_str().to_lowercase().into()];
    for (place, var) in ["cmnd", "stat", "tele"].into_iter().enumerate() {
        if let Some(prefix) = config.pointer(&format!("/tp/{place}")).and_then(Value::as_str).filter(|one| *one != var)
        {
            device.vars.insert(var.into(), name(prefix));
        }
    }
    match text(config, "ft").map(|full| full.trim_end_matches('/')) {
        None | Some("%prefix%/%topic%") => {}
        Some("%topic%/%prefix%") => device.variant = Some(TURNED.into()),
        Some(other) => {
            device.vars.insert("full".into(), name(other));
            if other.contains("%hostname%") || other.contains("%id%") {
                problems.push(format!(
                    "Tasmota {topic} uses the topic pattern '{other}', which Wilco does not support yet."
                ));
            }
        }
    }
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
        let percent = Control::Number { min: Some(0.0), max: Some(100.0), step: Some(1.0), unit: Some("%".into()) };
        push(&mut device, "Dimmer", "Brightness", percent);
        let subtype = config.get("lt_st").and_then(Value::as_u64).unwrap_or(0);
        if matches!(subtype, 2 | 5) {
            push(
                &mut device,
                "CT",
                "Colour temperature",
                Control::Number { min: Some(153.0), max: Some(500.0), step: Some(1.0), unit: Some("mired".into()) },
            );
        }
        if matches!(subtype, 3..=5) {
            push(&mut device, "Color", "Colour", Control::Colour);
        }
    }
    let shutters = relays.iter().filter(|kind| **kind == 3).count().div_ceil(2);
    for number in 1..=shutters {
        for (command, title) in [("ShutterOpen", "Open"), ("ShutterClose", "Close"), ("ShutterStop", "Stop")] {
            button(&mut device, &format!("{command}{number}"), &format!("{title} {number}"));
        }
        let percent = Control::Number { min: Some(0.0), max: Some(100.0), step: Some(1.0), unit: Some("%".into()) };
        push(&mut device, &format!("ShutterPosition{number}"), &format!("Position {number}"), percent);
    }
    for (command, title) in [("Restart", "Restart"), ("Status", "Read status"), ("State", "Read state")] {
        button(&mut device, command, title);
    }
    if let Some(restart) = device.commands.iter_mut().find(|command| *command.name == *"Restart")
        && let Ask::Request { beside, .. } = &mut restart.ask
    {
        *beside = Some(r#"{"value":"1"}"#.into());
    }
    device
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
    device.commands.push(DeviceCommand {
        name: command.into(),
        title: name(title),
        control,
        ask: Ask::Request { command: command.into(), argument: Some("value".into()), beside: None },
        reports: Some(key.into()),
        refused: None,
        role: matches!(command, "Power" | "Power1").then_some(Role::Light),
    });
}

fn button(device: &mut KnownDevice, command: &str, title: &str) {
    device.commands.push(DeviceCommand {
        name: command.into(),
        title: name(title),
        control: Control::Button,
        ask: Ask::Request { command: command.into(), argument: None, beside: None },
        reports: Some(command.to_uppercase().into()),
        refused: None,
        role: (command == "Restart").then_some(Role::Restart),
    });
}
