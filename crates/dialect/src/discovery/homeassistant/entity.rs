//! Adds one entity to its device: its main commands with their forms, and its values.

use std::collections::HashSet;

use wilco_ledger::grouped;

use super::{
    super::{MOST_OF_A_DEVICE, name, named, number, text},
    Entity, actions,
    aspects::add_aspects,
    availability::add_availability,
    light,
};
use crate::{
    CommandRequest, Control, DeviceCommand, KnownDevice, RequestPayload, Role, Variable,
    jinja::Template,
    json::ExactValue,
    set::{device_id, usable},
};

/// The longest payload that discovery can fix, bytes.
const LONGEST_PAYLOAD: usize = 4 * 1024;

/// Adds an entity to its device.
pub(super) fn describe(
    device: &mut KnownDevice,
    object: &str,
    entity: &Entity,
    names: &mut HashSet<String>,
    problems: &mut Vec<String>,
) {
    describe_device(device, &entity.device);
    let config = &entity.config;
    let base = text(config, "name").or_else(|| text(config, "object_id")).unwrap_or(object);
    let mut key = name(base).to_string();
    if !names.insert(key.clone()) {
        key = format!("{key} ({object})");
        names.insert(key.clone());
    }
    add_availability(device, config, problems);
    let is_number = text(config, "unit_of_measurement").is_some() || matches!(entity.component.as_str(), "number");
    // A light without a schema and the like have other topics with templates beside it.
    let templates = ["state_value_template", "value_template", "state_template"];
    let template = templates.into_iter().find(|name| config.get(name).is_some()).unwrap_or("value_template");
    let usual = usual_template(&entity.component, config);
    let source = Source { topic: "state_topic", template, usual, is_number };
    let reports = add_variable(device, config, &key, &source, problems);
    let is_described = actions::describe(device, &entity.component, config, &key, reports.as_deref(), problems);
    let Some(topic) = text(config, "command_topic").filter(|_| !is_described) else {
        add_aspects(device, &entity.component, config, &key, problems);
        return;
    };
    let word = |member: &str, default: &str| config.get(member).map_or_else(|| default.into(), payload_of);
    let on_off = || Control::Switch { on: word("payload_on", "ON"), off: word("payload_off", "OFF") };
    let json = text(config, "schema") == Some("json");
    let list = |member: &str| {
        let items = config.get(member).and_then(ExactValue::as_array).unwrap_or_default();
        Control::Choice(items.iter().take(MOST_OF_A_DEVICE).map(payload_of).collect())
    };
    let category = text(config, "entity_category");
    let role = match (entity.component.as_str(), text(config, "device_class")) {
        ("switch" | "light", _) if category.is_none() => Some(Role::Light),
        ("button", Some("restart")) => Some(Role::Restart),
        _ => None,
    };
    let is_setting = category == Some("config");
    let (template, unusable) = match text(config, "command_template").map(Template::parse) {
        None => (None, None),
        Some(Ok(template)) => (Some(template), None),
        Some(Err(error)) => {
            problems.push(format!("{key}: {error}"));
            (None, Some(error.to_string().into()))
        }
    };
    let reported_as = reported_as(&entity.component, config);
    let mut add = |title: &str, control: Control, payload: RequestPayload, reports: Option<Box<str>>| {
        let payload = match (payload, &template) {
            (RequestPayload::Value, Some(template)) => RequestPayload::Template(template.clone()),
            (RequestPayload::Fixed(fixed), Some(template)) => {
                let made = template.command(&ExactValue::from(&*fixed));
                RequestPayload::Fixed(made.map_or(fixed, Into::into))
            }
            (payload, _) => payload,
        };
        let ask = CommandRequest::Topic { topic: topic.into(), payload };
        let is_setting = is_setting && reports.is_some();
        push(
            device,
            DeviceCommand {
                reports,
                refused: refused(config, topic).or_else(|| unusable.clone()),
                role,
                reported_as: reported_as.clone(),
                is_setting,
                ..DeviceCommand::new(title, title, control, ask)
            },
        );
    };
    match entity.component.as_str() {
        "light" if text(config, "schema") == Some("template") => {
            light::by_template(device, config, &key, topic, reports.is_some(), refused(config, topic), problems);
        }
        "light" if json => {
            let (reports_back, refused) = (reports.is_some(), refused(config, topic));
            add(&key, on_off(), RequestPayload::Json, reports);
            light::describe(device, config, &key, topic, reports_back, refused.as_deref());
        }
        "switch" | "light" | "fan" | "siren" | "humidifier" => add(&key, on_off(), RequestPayload::Value, reports),
        "lock" => {
            let control = Control::Switch { on: word("payload_lock", "LOCK"), off: word("payload_unlock", "UNLOCK") };
            add(&key, control, RequestPayload::Value, reports);
        }
        "button" | "scene" => {
            let default = if entity.component == "button" { "PRESS" } else { "ON" };
            let member = if entity.component == "button" { "payload_press" } else { "payload_on" };
            add(&key, Control::Button, RequestPayload::Fixed(word(member, default)), None);
        }
        "valve" if reports_position(config) => {
            let limit = |member: &str, default: &str| Some(number(config, member).unwrap_or_else(|| default.into()));
            let (min, max) = (limit("position_closed", "0"), limit("position_open", "100"));
            let control = Control::Number { min, max, step: None, unit: Some("%".into()) };
            add(&key, control, RequestPayload::Value, reports);
        }
        "cover" | "valve" => {
            // Where only the position is reported, that of an open or a closed one.
            let at_position = (reports.is_none() && text(config, "position_topic").is_some())
                .then(|| format!("{key}: Position").into());
            let reports = reports.or(at_position);
            for (member, default, title) in [
                ("payload_open", "OPEN", "Open"),
                ("payload_close", "CLOSE", "Close"),
                ("payload_stop", "STOP", "Stop"),
            ] {
                let is_missing =
                    entity.component == "valve" && member == "payload_stop" && config.get(member).is_none();
                if is_missing || config.get(member) == Some(&ExactValue::Null) {
                    continue;
                }
                let fixed = RequestPayload::Fixed(word(member, default));
                add(&format!("{key}: {title}"), Control::Button, fixed, reports.clone());
            }
        }
        "number" => {
            let bound = |member: &str, default: &str| Some(number(config, member).unwrap_or_else(|| default.into()));
            let control = Control::Number {
                min: bound("min", "1"),
                max: bound("max", "100"),
                step: bound("step", "1"),
                unit: named(config, "unit_of_measurement"),
            };
            add_templated(device, config, &key, control, topic, "command_template", reports, problems);
        }
        "select" => add_templated(device, config, &key, list("options"), topic, "command_template", reports, problems),
        "text" => add_templated(device, config, &key, Control::Text, topic, "command_template", reports, problems),
        "notify" => add(&key, Control::Text, RequestPayload::Value, None),
        _ => {}
    }
    add_aspects(device, &entity.component, config, &key, problems);
}

/// A valve that is set to a position on its command topic.
fn reports_position(config: &ExactValue) -> bool {
    config.get("reports_position").and_then(ExactValue::as_bool) == Some(true)
}

/// How the state of an entity is read if its discovery has no template for it.
fn usual_template(component: &str, config: &ExactValue) -> Option<&'static str> {
    match component {
        "light" if text(config, "schema") == Some("json") => Some("{{ value_json.state }}"),
        "vacuum" => Some("{{ value_json.state }}"),
        "event" => Some("{{ value_json.event_type }}"),
        "siren" => Some("{{ value_json.state if value_json.state is defined else value }}"),
        "valve" if reports_position(config) => {
            Some("{{ value_json.position if value_json.position is defined else value }}")
        }
        "valve" => Some("{{ value_json.state if value_json.state is defined else value }}"),
        "update" => Some("{{ value_json.installed_version if value_json.installed_version is defined else value }}"),
        _ => None,
    }
}

fn describe_device(device: &mut KnownDevice, described: &ExactValue) {
    if device.name.is_none() {
        device.name = named(described, "name");
    }
    device.model = device.model.take().or_else(|| named(described, "model"));
    device.vendor = device.vendor.take().or_else(|| named(described, "manufacturer"));
    device.firmware = device.firmware.take().or_else(|| named(described, "sw_version"));
    if device.identifiers.is_empty() {
        let identifiers = match described.get("identifiers") {
            Some(ExactValue::Array(items)) => {
                items.iter().take(16).map(|item| item.plain().to_lowercase().into()).collect()
            }
            Some(ExactValue::String(one)) => vec![one.to_lowercase().into()],
            _ => Vec::new(),
        };
        device.identifiers = identifiers;
        let connections = described.get("connections").and_then(ExactValue::as_array);
        for mac in connections.into_iter().flatten().take(16).filter_map(|pair| pair.pointer("/1")) {
            let mac = mac.plain();
            // Tasmota and Shelly write the same address without colons.
            device.identifiers.push(mac.to_lowercase().replace(':', "").into());
        }
    }
    if device.hub.is_none() {
        device.hub = text(described, "via_device").map(device_id);
    }
}

/// The words by which an entity reports what it is sent, if its kind has different ones for state and commands.
fn reported_as(component: &str, config: &ExactValue) -> Vec<(Box<str>, Box<str>)> {
    let pairs: &[(&str, &str, &str, &str)] = match component {
        "switch" | "siren" | "humidifier" | "fan" | "light" => {
            &[("payload_on", "ON", "state_on", ""), ("payload_off", "OFF", "state_off", "")]
        }
        "lock" => &[
            ("payload_lock", "LOCK", "state_locked", "LOCKED"),
            ("payload_unlock", "UNLOCK", "state_unlocked", "UNLOCKED"),
        ],
        "cover" if text(config, "state_topic").is_none() => &[
            ("payload_open", "OPEN", "position_open", "100"),
            ("payload_close", "CLOSE", "position_closed", "0"),
            ("payload_stop", "STOP", "", "stop"),
        ],
        "cover" | "valve" => &[
            ("payload_open", "OPEN", "state_open", "open"),
            ("payload_close", "CLOSE", "state_closed", "closed"),
            ("payload_stop", "STOP", "", "stop"),
        ],
        _ => &[],
    };
    let word = |member: &str, default: &str| config.get(member).map_or_else(|| default.into(), payload_of);
    let pair = |(sent, sent_default, state, state_default): &(&str, &str, &str, &str)| {
        let (sent, state) = (word(sent, sent_default), word(state, state_default));
        (!state.is_empty() && sent != state).then_some((sent, state))
    };
    pairs.iter().filter_map(pair).collect()
}

/// The states that an entity of a kind reports after commands that it has under fixed names.
pub(super) fn states_of(component: &str) -> &'static [(&'static str, &'static str)] {
    match component {
        "alarm_control_panel" => &[
            ("DISARM", "disarmed"),
            ("ARM_HOME", "armed_home"),
            ("ARM_AWAY", "armed_away"),
            ("ARM_NIGHT", "armed_night"),
            ("ARM_VACATION", "armed_vacation"),
            ("ARM_CUSTOM_BYPASS", "armed_custom_bypass"),
            ("TRIGGER", "triggered"),
        ],
        "vacuum" => &[
            ("start", "cleaning"),
            ("pause", "paused"),
            ("stop", "stop"),
            ("return_to_base", "docked"),
            ("clean_spot", "cleaning"),
        ],
        "lawn_mower" => &[("start_mowing", "mowing"), ("pause", "paused"), ("dock", "docked")],
        _ => &[],
    }
}

/// Why nothing is sent on a command topic.
pub(super) fn refused(config: &ExactValue, topic: &str) -> Option<Box<str>> {
    if config.get("retain").and_then(ExactValue::as_bool) == Some(true) {
        return Some(
            "Its discovery message requires retained commands, which the device would receive again at every \
             reconnect."
                .into(),
        );
    }
    let is_payload = |name: &str| name.starts_with("payload") || name == "options" || name == "modes";
    let items = |value: &ExactValue| match value.as_array() {
        Some(items) => items.iter().map(|item| item.plain().len()).max().unwrap_or_default(),
        None => value.plain().len(),
    };
    let payloads = config.members().iter().filter(|(name, _)| is_payload(name)).map(|(_, value)| items(value));
    if let Some(bytes) = payloads.max().filter(|bytes| *bytes > LONGEST_PAYLOAD) {
        let (bytes, limit) = (grouped(bytes), grouped(LONGEST_PAYLOAD));
        return Some(format!("Its discovery message has a payload of {bytes} bytes; the limit is {limit}.").into());
    }
    usable(topic).err().map(Into::into)
}

/// A payload of a discovery message as it is sent and compared.
pub(super) fn payload_of(value: &ExactValue) -> Box<str> {
    value.plain().into()
}

pub(super) fn push(device: &mut KnownDevice, command: DeviceCommand) {
    if device.commands.len() < MOST_OF_A_DEVICE && device.command(&command.name).is_none() {
        device.commands.push(command);
    }
}

#[expect(clippy::too_many_arguments, reason = "each is another part of one entity")]
pub(super) fn add_templated(
    device: &mut KnownDevice,
    config: &ExactValue,
    title: &str,
    control: Control,
    topic: &str,
    template: &str,
    reports: Option<Box<str>>,
    problems: &mut Vec<String>,
) {
    let mut refused = refused(config, topic);
    let payload = match text(config, template).map(Template::parse) {
        None => RequestPayload::Value,
        Some(Ok(template)) => RequestPayload::Template(template),
        Some(Err(error)) => {
            problems.push(format!("{title}: {error}"));
            refused = refused.or_else(|| Some(error.to_string().into()));
            RequestPayload::Value
        }
    };
    let ask = CommandRequest::Topic { topic: topic.into(), payload };
    let is_setting = reports.is_some() && text(config, "entity_category") == Some("config");
    push(device, DeviceCommand { reports, refused, is_setting, ..DeviceCommand::new(title, title, control, ask) });
}

/// Where a value is, by the members of a configuration.
pub(super) struct Source<'s> {
    pub(super) topic: &'s str,
    pub(super) template: &'s str,
    /// The template where the configuration has none.
    pub(super) usual: Option<&'s str>,
    pub(super) is_number: bool,
}

/// Takes in a state topic. Says under which name its value can be compared; none where its template cannot be used.
pub(super) fn add_variable(
    device: &mut KnownDevice,
    config: &ExactValue,
    key: &str,
    source: &Source<'_>,
    problems: &mut Vec<String>,
) -> Option<Box<str>> {
    let topic = text(config, source.topic).filter(|topic| topic.len() <= 1_024 && !topic.contains(['+', '#']))?;
    if device.variables.len() >= MOST_OF_A_DEVICE {
        return None;
    }
    let (template, usable) = match text(config, source.template).or(source.usual).map(Template::parse) {
        None => (None, true),
        Some(Ok(template)) => (Some(template), true),
        Some(Err(error)) => {
            // Shown as it comes, and compared with nothing.
            problems.push(format!("{key}: {error}"));
            (None, false)
        }
    };
    device.variables.push(Variable {
        key: key.into(),
        title: key.into(),
        unit: named(config, "unit_of_measurement"),
        is_number: source.is_number,
        topic: Some(topic.into()),
        template,
    });
    usable.then(|| key.into())
}
