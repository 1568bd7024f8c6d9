//! Entities whose commands are buttons: alarm panels, vacuums, lawn mowers and updates. Each button has a state that follows.

use super::{
    super::{MOST_OF_A_DEVICE, text},
    aspects::with_name,
    entity::{Source, add_variable, payload_of, push, refused, states_of},
};
use crate::{CommandRequest, Control, DeviceCommand, KnownDevice, RequestPayload, jinja::Template, json::ExactValue};

/// A button of an entity.
struct Action {
    title: &'static str,
    /// The member with its topic.
    topic: &'static str,
    /// The member with its template.
    template: &'static str,
    /// The member with its payload; none if discovery cannot change it.
    payload: &'static str,
    /// The payload unless discovery has another one.
    usual: &'static str,
    /// The feature without which the entity does not have it.
    feature: &'static str,
}

const fn action(title: &'static str, payload: &'static str, usual: &'static str, feature: &'static str) -> Action {
    Action { title, topic: "command_topic", template: "command_template", payload, usual, feature }
}

const ALARM: [Action; 7] = [
    action("Disarm", "payload_disarm", "DISARM", ""),
    action("Arm home", "payload_arm_home", "ARM_HOME", "arm_home"),
    action("Arm away", "payload_arm_away", "ARM_AWAY", "arm_away"),
    action("Arm night", "payload_arm_night", "ARM_NIGHT", "arm_night"),
    action("Arm vacation", "payload_arm_vacation", "ARM_VACATION", "arm_vacation"),
    action("Arm custom bypass", "payload_arm_custom_bypass", "ARM_CUSTOM_BYPASS", "arm_custom_bypass"),
    action("Trigger", "payload_trigger", "TRIGGER", "trigger"),
];

const VACUUM: [Action; 6] = [
    action("Start", "payload_start", "start", "start"),
    action("Pause", "payload_pause", "pause", "pause"),
    action("Stop", "payload_stop", "stop", "stop"),
    action("Return to base", "payload_return_to_base", "return_to_base", "return_home"),
    action("Clean spot", "payload_clean_spot", "clean_spot", "clean_spot"),
    action("Locate", "payload_locate", "locate", "locate"),
];

const MOWER: [Action; 3] = [
    Action {
        title: "Start mowing",
        topic: "start_mowing_command_topic",
        template: "start_mowing_command_template",
        payload: "",
        usual: "start_mowing",
        feature: "",
    },
    Action {
        title: "Pause",
        topic: "pause_command_topic",
        template: "pause_command_template",
        payload: "",
        usual: "pause",
        feature: "",
    },
    Action {
        title: "Dock",
        topic: "dock_command_topic",
        template: "dock_command_template",
        payload: "",
        usual: "dock",
        feature: "",
    },
];

/// Adds the commands of such an entity. Returns whether it is one. `reports`: the name of its state.
pub(super) fn describe(
    device: &mut KnownDevice,
    component: &str,
    config: &ExactValue,
    key: &str,
    reports: Option<&str>,
    problems: &mut Vec<String>,
) -> bool {
    match component {
        "alarm_control_panel" => ALARM
            .iter()
            .filter(|action| has(config, action.feature, &ALARM.map(|action| action.feature)))
            .for_each(|action| add(device, component, config, key, reports, action, problems)),
        "vacuum" => {
            let usual = ["start", "stop", "return_home", "clean_spot"];
            VACUUM
                .iter()
                .filter(|action| has(config, action.feature, &usual))
                .for_each(|action| add(device, component, config, key, reports, action, problems));
            fan_speed(device, config, key, problems);
        }
        "lawn_mower" => {
            let activity = Source {
                topic: "activity_state_topic",
                template: "activity_value_template",
                usual: None,
                is_number: false,
            };
            let reports = add_variable(device, config, key, &activity, problems);
            MOWER.iter().for_each(|action| add(device, component, config, key, reports.as_deref(), action, problems));
        }
        "update" => {
            let latest = Source {
                topic: "latest_version_topic",
                template: "latest_version_template",
                usual: None,
                is_number: false,
            };
            add_variable(device, config, &format!("{key}: Latest version"), &latest, problems);
            // The new version is reported when it is installed, but discovery does not say which it is.
            if text(config, "payload_install").is_some() {
                let install = action("Install", "payload_install", "", "");
                add(device, component, config, key, None, &install, problems);
            }
        }
        _ => return false,
    }
    true
}

/// Whether an entity has a feature. Without a list of them it has the usual ones.
fn has(config: &ExactValue, feature: &str, usual: &[&str]) -> bool {
    match config.get("supported_features").and_then(ExactValue::as_array) {
        _ if feature.is_empty() => true,
        Some(features) => features.iter().any(|one| one.as_str() == Some(feature)),
        None => usual.contains(&feature),
    }
}

fn add(
    device: &mut KnownDevice,
    component: &str,
    config: &ExactValue,
    key: &str,
    reports: Option<&str>,
    action: &Action,
    problems: &mut Vec<String>,
) {
    let Some(topic) = text(config, action.topic) else { return };
    let title = format!("{key}: {}", action.title);
    let word = config.get(action.payload).map_or_else(|| action.usual.into(), payload_of);
    let state = states_of(component).iter().find(|(sent, _)| *sent == action.usual).map(|(_, state)| *state);
    let mut refused = refused(config, topic);
    let mut payload = word.to_string();
    if let Some(template) = text(config, action.template) {
        // An alarm panel's template names the action, and the code that permits it.
        let template = with_name(template, "action", "value");
        if component == "alarm_control_panel" && with_name(&template, "code", "") != template {
            refused = refused.or_else(|| Some("It requires a code, and Wilco cannot send alarm codes.".into()));
        } else {
            match Template::parse(&template).map(|template| template.command(&ExactValue::from(&*word))) {
                Ok(Some(made)) => payload = made,
                Ok(None) => {
                    refused = refused.or_else(|| Some(format!("The template of '{title}' produces nothing.").into()));
                }
                Err(error) => {
                    problems.push(format!("{title}: {error}"));
                    refused = refused.or_else(|| Some(error.to_string().into()));
                }
            }
        }
    }
    let ask = CommandRequest::Topic { topic: topic.into(), payload: RequestPayload::Fixed(payload.as_str().into()) };
    push(
        device,
        DeviceCommand {
            reports: reports.filter(|_| state.is_some()).map(Into::into),
            refused,
            reported_as: state.map(|state| (payload.into(), state.into())).into_iter().collect(),
            ..DeviceCommand::new(&title, &title, Control::Button, ask)
        },
    );
}

/// A vacuum's speed, which its state has as `fan_speed`.
fn fan_speed(device: &mut KnownDevice, config: &ExactValue, key: &str, problems: &mut Vec<String>) {
    let Some(topic) = text(config, "set_fan_speed_topic") else { return };
    let speeds = config.get("fan_speed_list").and_then(ExactValue::as_array).unwrap_or_default();
    let speeds: Vec<Box<str>> = speeds.iter().take(MOST_OF_A_DEVICE).map(payload_of).collect();
    let control = if speeds.is_empty() { Control::Text } else { Control::Choice(speeds) };
    let title = format!("{key}: Fan speed");
    let usual = Some("{{ value_json.fan_speed }}");
    let source = Source { topic: "state_topic", template: "", usual, is_number: false };
    let reports = add_variable(device, config, &title, &source, problems);
    let ask = CommandRequest::Topic { topic: topic.into(), payload: RequestPayload::Value };
    let refused = refused(config, topic);
    push(device, DeviceCommand { reports, refused, ..DeviceCommand::new(&title, &title, control, ask) });
}
