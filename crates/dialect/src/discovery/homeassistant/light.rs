//! Lights with `schema: json`, where brightness, colour and the like are members of the one message that switches the
//! light, and with `schema: template`, where two templates write that message. Each aspect has a command with a form.

use super::{
    super::{MOST_OF_A_DEVICE, number, text},
    aspects::{colour_temperature, with_name},
    entity::{Source, add_variable, payload_of, push},
};
use crate::{
    ColourNotation, CommandRequest, Control, DeviceCommand, KnownDevice, RequestPayload, Variable, jinja::Template,
    json::ExactValue,
};

/// A light whose on and off is described already. `reports`: it has a state topic. `refused`: why nothing is sent.
pub(super) fn describe(
    device: &mut KnownDevice,
    config: &ExactValue,
    key: &str,
    topic: &str,
    reports: bool,
    refused: Option<&str>,
) {
    if reports {
        ["brightness", "color_temp", "effect", "color_mode"]
            .iter()
            .for_each(|member| report(device, config, key, member));
    }
    for Aspect { member, title, control } in aspects(config) {
        if device.commands.len() >= MOST_OF_A_DEVICE {
            return;
        }
        if let (Control::Colour(notation), true) = (&control, reports) {
            parts(*notation).iter().for_each(|part| report(device, config, key, &format!("{member}/{part}")));
        } else if reports && !device.variables.iter().any(|known| *known.key == *format!("{key}/{member}")) {
            report(device, config, key, member);
        }
        let title = format!("{key}: {title}");
        let ask = CommandRequest::Topic { topic: topic.into(), payload: RequestPayload::Member(member.into()) };
        device.commands.push(DeviceCommand {
            reports: reports.then(|| format!("{key}/{member}").into()),
            refused: refused.map(Into::into),
            ..DeviceCommand::new(&title, &title, control, ask)
        });
    }
}

/// A light whose messages are made of templates: `command_on_template` and `command_off_template`, in which the values
/// that are not set are undefined.
pub(super) fn by_template(
    device: &mut KnownDevice,
    config: &ExactValue,
    key: &str,
    topic: &str,
    reports: bool,
    refused: Option<Box<str>>,
    problems: &mut Vec<String>,
) {
    let template = |member: &str| text(config, member).unwrap_or_default();
    let (on, off) = (template("command_on_template"), template("command_off_template"));
    let mut add = |title: &str, control: Control, template: &str, reports: Option<Box<str>>| {
        let mut refused = refused.clone();
        let payload = match Template::parse(template) {
            Ok(template) => RequestPayload::Template(template),
            Err(error) => {
                problems.push(format!("{title}: {error}"));
                refused = refused.or_else(|| Some(error.to_string().into()));
                RequestPayload::Value
            }
        };
        let ask = CommandRequest::Topic { topic: topic.into(), payload };
        push(device, DeviceCommand { reports, refused, ..DeviceCommand::new(title, title, control, ask) });
    };
    // Its state is on or off, in these words.
    let switch = format!("{{% if value == 'on' %}}{on}{{% else %}}{off}{{% endif %}}");
    let is_reported = |member: &str| reports && text(config, member).is_some();
    let words = Control::Switch { on: "on".into(), off: "off".into() };
    add(key, words, &switch, is_reported("state_template").then(|| key.into()));
    let effects = config.get("effect_list").and_then(ExactValue::as_array).unwrap_or_default();
    let effects: Vec<Box<str>> = effects.iter().take(MOST_OF_A_DEVICE).map(payload_of).collect();
    let effects = if effects.is_empty() { Control::Text } else { Control::Choice(effects) };
    let aspects = [
        ("brightness", "Brightness", Control::between("1", "255", Some("1"), None)),
        ("color_temp", "Colour temperature", colour_temperature(config)),
        ("effect", "Effect", effects),
    ];
    let mut described = Vec::new();
    for (member, title, control) in aspects {
        // Of a value that the template does not name, nothing would be sent.
        let named = with_name(on, member, "value");
        if named != on {
            let title = format!("{key}: {title}");
            let is_reported = is_reported(&format!("{member}_template"));
            let is_number = matches!(control, Control::Number { .. });
            add(&title, control, &named, is_reported.then(|| title.as_str().into()));
            described.push((member, title, is_number));
        }
    }
    for (member, title, is_number) in described {
        let template = format!("{member}_template");
        if text(config, &template).is_some() {
            add_variable(
                device,
                config,
                &title,
                &Source { topic: "state_topic", template: &template, usual: None, is_number },
                problems,
            );
        }
    }
}

/// What a light has besides on and off.
struct Aspect {
    /// The member of its messages, or the path to it.
    member: &'static str,
    title: &'static str,
    control: Control,
}

fn aspects(config: &ExactValue) -> Vec<Aspect> {
    let modes = config.get("supported_color_modes").and_then(ExactValue::as_array).unwrap_or_default();
    let mode = |mode: &str| modes.iter().any(|one| one.as_str() == Some(mode));
    // Older announcements have a member for each mode.
    let has = |member: &str| mode(member) || config.get(member).and_then(ExactValue::as_bool) == Some(true);
    let is_dimmed = |one: &ExactValue| one.as_str().is_some_and(|mode| !matches!(mode, "onoff" | "unknown"));
    let between = |min: &str, max: &str, default: (&str, &str), unit: Option<&str>| Control::Number {
        min: Some(number(config, min).unwrap_or_else(|| default.0.into())),
        max: Some(number(config, max).unwrap_or_else(|| default.1.into())),
        step: Some("1".into()),
        unit: unit.map(Into::into),
    };
    let mut found = Vec::new();
    let mut add = |member, title, control| found.push(Aspect { member, title, control });
    if has("brightness") || modes.iter().any(is_dimmed) {
        add("brightness", "Brightness", between("", "brightness_scale", ("1", "255"), None));
    }
    if has("color_temp") {
        add("color_temp", "Colour temperature", colour_temperature(config));
    }
    // The white channels stay as they are, and have commands of their own.
    if has("rgb") || mode("rgbw") || mode("rgbww") {
        add("color", "Colour", Control::Colour(ColourNotation::RgbObject));
    }
    if has("hs") {
        add("color", "Colour (hs)", Control::Colour(ColourNotation::ShortHsObject));
    }
    if has("xy") {
        add("color", "Colour (xy)", Control::Colour(ColourNotation::XyObject));
    }
    let channel = || Control::between("0", "255", Some("1"), None);
    if mode("rgbww") {
        add("color/c", "Cold white", channel());
        add("color/w", "Warm white", channel());
    } else if mode("rgbw") {
        add("color/w", "White channel", channel());
    }
    if mode("white") {
        add("white", "White", Control::between("1", "255", Some("1"), None));
    }
    let effects = config.get("effect_list").and_then(ExactValue::as_array).unwrap_or_default();
    if !effects.is_empty() {
        let effects = effects.iter().take(MOST_OF_A_DEVICE).map(payload_of);
        add("effect", "Effect", Control::Choice(effects.collect()));
    }
    found
}

/// The members of a colour.
fn parts(notation: ColourNotation) -> &'static [&'static str] {
    match notation {
        ColourNotation::RgbObject => &["r", "g", "b"],
        ColourNotation::ShortHsObject => &["h", "s"],
        ColourNotation::XyObject => &["x", "y"],
        _ => &[],
    }
}

/// Takes in a value that the light reports at a path such as `color/r`.
fn report(device: &mut KnownDevice, config: &ExactValue, key: &str, path: &str) {
    let Some(topic) = text(config, "state_topic") else { return };
    let Ok(template) = Template::parse(&format!("{{{{ value_json.{} }}}}", path.replace('/', "."))) else { return };
    if device.variables.len() >= MOST_OF_A_DEVICE {
        return;
    }
    device.variables.push(Variable {
        key: format!("{key}/{path}").into(),
        title: format!("{key}: {}", path.replace(['/', '_'], " ")).into(),
        unit: None,
        is_number: !matches!(path, "effect" | "color_mode"),
        topic: Some(topic.into()),
        template: Some(template),
    });
}
