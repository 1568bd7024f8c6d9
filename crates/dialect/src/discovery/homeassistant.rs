//! Home Assistant's MQTT discovery: one retained message per entity, or one per device.
//!
//! Entities are grouped by their device. Names are abbreviated word by word, `~` stands for the base topic, and each kind of
//! entity has default payloads.

mod actions;
mod aspects;
mod availability;
mod convention;
mod entity;
mod light;
mod names;

use std::collections::{BTreeMap, HashMap, HashSet};

use wilco_ledger::{DeviceId, grouped};

use super::{Findings, MOST_DEVICES, MOST_OF_A_DEVICE, ReaderSettings, json, name, text};
use crate::{Inbound, KnownDevice, json::ExactValue, set::device_id};
pub(crate) use convention::by_convention;
use entity::describe;
use names::{expanded, expanded_device};

const MOST_ENTITIES: usize = 50_000;

#[derive(Debug)]
pub(super) struct Reader {
    settings: ReaderSettings,
    /// The device of each discovery topic.
    topics: HashMap<String, DeviceId>,
    /// The entities of each device, by their topic and their name in it.
    devices: HashMap<DeviceId, Known>,
    entities: usize,
}

#[derive(Debug, Default)]
struct Known {
    entities: BTreeMap<(String, String), Entity>,
}

/// One entity with all properties of its message, with abbreviations and `~` expanded.
#[derive(Debug, Clone)]
struct Entity {
    component: String,
    config: ExactValue,
    device: ExactValue,
}

impl Reader {
    pub(super) fn new(settings: ReaderSettings) -> Reader {
        Reader { settings, topics: HashMap::new(), devices: HashMap::new(), entities: 0 }
    }

    pub(super) fn filters(&self) -> Vec<String> {
        vec![format!("{}/#", self.settings.base)]
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        let mut findings = Findings::default();
        let Some((component, object)) = discovery_topic(&self.settings.base, inbound.topic) else { return findings };
        let topic = inbound.topic;
        // Z-Wave JS UI removes an entity with an empty text in quotation marks.
        if inbound.payload.is_empty() || inbound.payload == br#""""# {
            self.forget(topic, &mut findings);
            return findings;
        }
        let Some(ExactValue::Object(config)) = json(inbound.payload) else {
            findings.problems.push(format!("'{topic}' is not a JSON object."));
            return findings;
        };
        let mut config = expanded(config);
        // The entity moves to its device's one message. An empty message here follows.
        if config.get("migrate_discovery").and_then(ExactValue::as_bool) == Some(true) {
            return findings;
        }
        let device = match config.remove("device") {
            Some(ExactValue::Object(device)) => expanded_device(device),
            _ => ExactValue::Null,
        };
        let unique = text(&config, "unique_id").map(str::to_owned);
        let key = device_key(&device).or(unique).unwrap_or_else(|| object.to_owned());
        let id = device_id(&name(&key));
        self.forget(topic, &mut Findings::default());
        if self.devices.len() >= MOST_DEVICES && !self.devices.contains_key(&id) {
            findings
                .problems
                .push(format!("There are more than {} devices, so '{topic}' is ignored.", grouped(MOST_DEVICES)));
            return findings;
        }
        let known = self.devices.entry(id.clone()).or_default();
        let mut add = |name: String, component: String, config: ExactValue| {
            let full = known.entities.len() >= MOST_OF_A_DEVICE || self.entities >= MOST_ENTITIES;
            if full {
                return false;
            }
            self.entities += 1;
            let entity = Entity { component, config, device: device.clone() };
            known.entities.insert((topic.to_owned(), name), entity);
            true
        };
        let mut all = true;
        if component == "device" {
            let components = config.remove("components");
            let shared = config;
            for (name, one) in components.as_ref().map(ExactValue::members).unwrap_or_default() {
                let ExactValue::Object(one) = one else { continue };
                let mut one = expanded(one.clone());
                let Some(component) = text(&one, "platform").map(str::to_owned) else { continue };
                // With nothing but its kind, an entity is removed.
                if one.members().iter().all(|(name, _)| matches!(name.as_str(), "platform" | "~")) {
                    continue;
                }
                let inherited = [
                    "availability",
                    "availability_topic",
                    "availability_mode",
                    "availability_template",
                    "payload_available",
                    "payload_not_available",
                    "state_topic",
                    "command_topic",
                    "qos",
                    "encoding",
                ];
                for name in inherited {
                    if let (Some(value), None) = (shared.get(name), one.get(name)) {
                        one.set(name, value.clone());
                    }
                }
                all &= add(name.clone(), component, one);
            }
        } else {
            all = add(object.to_owned(), component.to_owned(), config);
        }
        if !all {
            let problem = format!(
                "'{topic}' has more than {MOST_OF_A_DEVICE} entities for one device, or there are more than \
                 {MOST_ENTITIES} in total. The rest is ignored."
            );
            findings.problems.push(problem);
        }
        self.topics.insert(topic.to_owned(), id.clone());
        self.tell(&id, &mut findings);
        findings
    }

    fn forget(&mut self, topic: &str, findings: &mut Findings) {
        let Some(id) = self.topics.remove(topic) else { return };
        let Some(known) = self.devices.get_mut(&id) else { return };
        let before = known.entities.len();
        known.entities.retain(|(of, _), _| of != topic);
        self.entities -= before - known.entities.len();
        if known.entities.is_empty() {
            self.devices.remove(&id);
            findings.gone.push(id);
        } else {
            self.tell(&id, findings);
        }
    }

    fn tell(&self, id: &DeviceId, findings: &mut Findings) {
        let Some(known) = self.devices.get(id) else { return };
        let mut device = KnownDevice::new(id.clone(), &self.settings.dialect, id.as_str());
        let mut names = HashSet::new();
        for ((_, object), entity) in &known.entities {
            describe(&mut device, object, entity, &mut names, &mut findings.problems);
        }
        findings.devices.push(device);
    }
}

/// The kind of entity and its name, where a topic is a discovery topic.
fn discovery_topic<'t>(prefix: &str, topic: &'t str) -> Option<(&'t str, &'t str)> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?.strip_suffix("/config")?;
    let mut levels = rest.split('/');
    let (component, first, second) = (levels.next()?, levels.next()?, levels.next());
    if levels.next().is_some() || component.is_empty() {
        return None;
    }
    Some((component, second.unwrap_or(first)))
}

fn device_key(device: &ExactValue) -> Option<String> {
    let first = |value: &ExactValue| match value {
        ExactValue::String(text) => Some(text.clone()),
        ExactValue::Array(items) => items.first().map(ExactValue::plain),
        ExactValue::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let identified = device.get("identifiers").and_then(first).filter(|key| !key.is_empty());
    identified.or_else(|| device.pointer("/connections/0/1").map(ExactValue::plain).filter(|key| !key.is_empty()))
}
