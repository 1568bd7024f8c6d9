//! Availability of an entity's device, on one topic or several.

use super::{super::text, entity::payload_of};
use crate::{Availability, AvailabilityMode, KnownDevice, jinja::Template, json::ExactValue};

/// Adds the topics that say whether the device is available.
pub(super) fn add_availability(device: &mut KnownDevice, config: &ExactValue, problems: &mut Vec<String>) {
    let mode = match text(config, "availability_mode") {
        Some("all") => AvailabilityMode::All,
        Some("any") => AvailabilityMode::Any,
        _ => AvailabilityMode::Latest,
    };
    if mode != AvailabilityMode::Latest {
        device.availability_mode = mode;
    }
    let mut all = Vec::new();
    if let Some(topic) = text(config, "availability_topic") {
        all.push((topic, config, "availability_template"));
    }
    for one in config.get("availability").and_then(ExactValue::as_array).into_iter().flatten() {
        if let Some(topic) = text(one, "topic") {
            all.push((topic, one, "value_template"));
        }
    }
    for (topic, of, template) in all {
        let known = device.availability.iter().any(|one| *one.topic == *topic);
        if known || topic.contains(['+', '#']) || device.availability.len() >= 16 {
            continue;
        }
        let template = match text(of, template).map(Template::parse) {
            None => None,
            Some(Ok(template)) => Some(template),
            Some(Err(error)) => {
                problems.push(format!("'{topic}': {error}"));
                continue;
            }
        };
        let word = |member: &str, default: &str| of.get(member).map_or_else(|| default.into(), payload_of);
        device.availability.push(Availability {
            topic: topic.into(),
            template,
            online: word("payload_available", "online"),
            offline: word("payload_not_available", "offline"),
        });
    }
}
