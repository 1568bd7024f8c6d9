//! What a command topic alone suggests about a device: where the usual firmware reports the state that follows.

use super::entity::states_of;
use crate::{
    CommandRequest, Control, DeviceCommand, KnownDevice, RequestPayload, Variable, devices::GENERAL, jinja::Template,
    json::ExactValue, set::device_id,
};

/// A plain value, or the member that has it by Home Assistant's convention or Z-Wave JS UI's.
const VALUE: &str = "{{ value_json.state if value_json.state is defined \
                     else (value_json.value if value_json.value is defined else value) }}";

/// A device as one request suggests it where nothing was discovered: `…/command` has `…/state` beside it (ESPHome and
/// others), `…/set` the state one level above, and so on.
pub(crate) fn by_convention(device: &str, command: &str, topic: &str, payload: &str) -> KnownDevice {
    let mut known = KnownDevice::new(device_id(device), GENERAL, device);
    let mut variable = |key: &str, topic: &str, template: &str| {
        known.variables.push(Variable {
            key: key.into(),
            title: key.into(),
            unit: None,
            is_number: false,
            topic: Some(topic.into()),
            template: Template::parse(template).ok(),
        });
    };
    let states = states(topic);
    for State { topic, member } in &states {
        let template =
            member.as_ref().map_or_else(|| VALUE.to_owned(), |member| format!("{{{{ value_json.{member} }}}}"));
        variable(command, topic, &template);
    }
    if let Ok(ExactValue::Object(members)) = ExactValue::parse(payload) {
        for member in members.iter().map(|(member, _)| member).filter(|member| **member != *"state" && is_name(member))
        {
            for State { topic, .. } in states.iter().filter(|state| state.member.is_none()) {
                variable(&format!("{command}/{member}"), topic, &format!("{{{{ value_json.{member} }}}}"));
            }
        }
    }
    let ask = CommandRequest::Topic { topic: topic.into(), payload: RequestPayload::Fixed(payload.into()) };
    let words = topic.split('/').flat_map(states_of);
    known.commands.push(DeviceCommand {
        reports: (!states.is_empty()).then(|| command.into()),
        reported_as: words.map(|(sent, state)| ((*sent).into(), (*state).into())).collect(),
        ..DeviceCommand::new(command, command, Control::Button, ask)
    });
    known
}

/// A topic on which a state may be reported.
struct State {
    topic: String,
    /// The member of its JSON that is the state; `None` for a plain value and the usual members.
    member: Option<String>,
}

fn states(topic: &str) -> Vec<State> {
    let plain = |topic: String| State { topic, member: None };
    let of = |topic: &str, member: &str| State { topic: topic.into(), member: Some(member.into()) };
    let levels: Vec<&str> = topic.split('/').collect();
    match levels.as_slice() {
        // Tasmota, also with the prefix behind the topic.
        ["cmnd", device @ .., command] if !device.is_empty() => {
            tasmota(&|prefix, last| [&[prefix], device, &[last]].concat().join("/"), command)
        }
        [device @ .., "cmnd", command] if !device.is_empty() => {
            tasmota(&|prefix, last| [device, &[prefix, last]].concat().join("/"), command)
        }
        // Z-Wave JS UI repeats what was asked for on the first topic at once.
        [value @ .., "targetValue", "set"] => vec![plain([value, &["currentValue"]].concat().join("/"))],
        [entity @ .., "set"] => {
            let state = entity.join("/");
            let mut states = vec![plain(format!("{state}/get")), plain(format!("{state}/state")), plain(state)];
            // Zigbee2MQTT: one end point of several.
            if let [device @ .., endpoint] = entity
                && !device.is_empty()
                && is_name(endpoint)
            {
                states.push(of(&device.join("/"), &format!("state_{endpoint}")));
            }
            states
        }
        // Zigbee2MQTT: one attribute.
        [entity @ .., "set", attribute] if is_name(attribute) => vec![of(&entity.join("/"), attribute)],
        [entity @ .., "command" | "cmd" | "action"] if !entity.is_empty() => {
            let state = entity.join("/");
            vec![plain(format!("{state}/state")), plain(state)]
        }
        _ => Vec::new(),
    }
}

/// On a topic of its own, and in the device's JSON.
fn tasmota(topic: &dyn Fn(&str, &str) -> String, command: &str) -> Vec<State> {
    let mut states = vec![State { topic: topic("stat", command), member: None }];
    if is_name(command) {
        let reports = [topic("stat", "RESULT"), topic("tele", "STATE")];
        states.extend(reports.into_iter().map(|topic| State { topic, member: Some(command.to_owned()) }));
    }
    states
}

/// Whether a template can name it as a member.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
