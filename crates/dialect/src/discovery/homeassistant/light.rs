//! Lights with `schema: json`: brightness, colour and the like are members of the one message that switches the light.
//! Each has a command with a form.

use super::super::{MOST_OF_A_DEVICE, name, number, text};
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
    for Aspect { member, title, control } in aspects(config) {
        if device.commands.len() >= MOST_OF_A_DEVICE {
            return;
        }
        if let (Control::Colour(notation), true) = (&control, reports) {
            parts(*notation).iter().for_each(|part| report(device, config, key, &format!("{member}.{part}")));
        } else if member == "white" && reports {
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

/// What a light has besides on and off.
struct Aspect {
    /// The member of its messages.
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
        let is_kelvin = config.get("color_temp_kelvin").and_then(ExactValue::as_bool) == Some(true);
        let control = match is_kelvin {
            true => between("min_kelvin", "max_kelvin", ("2000", "6535"), Some("K")),
            false => between("min_mireds", "max_mireds", ("153", "500"), Some("mired")),
        };
        add("color_temp", "Colour temperature", control);
    }
    // The white channels stay as they are.
    if has("rgb") || mode("rgbw") || mode("rgbww") {
        add("color", "Colour", Control::Colour(ColourNotation::RgbObject));
    }
    if has("hs") {
        add("color", "Colour (hs)", Control::Colour(ColourNotation::ShortHsObject));
    }
    if has("xy") {
        add("color", "Colour (xy)", Control::Colour(ColourNotation::XyObject));
    }
    if mode("white") {
        add("white", "White", Control::between("1", "255", Some("1"), None));
    }
    let effects = config.get("effect_list").and_then(ExactValue::as_array).unwrap_or_default();
    if !effects.is_empty() {
        let effects = effects.iter().take(MOST_OF_A_DEVICE).map(|effect| name(&effect.plain()));
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

/// Takes in a number that the light reports at a path such as `color.r`.
fn report(device: &mut KnownDevice, config: &ExactValue, key: &str, path: &str) {
    let Some(topic) = text(config, "state_topic") else { return };
    let Ok(template) = Template::parse(&format!("{{{{ value_json.{path} }}}}")) else { return };
    if device.variables.len() >= MOST_OF_A_DEVICE {
        return;
    }
    device.variables.push(Variable {
        key: format!("{key}/{}", path.replace('.', "/")).into(),
        title: format!("{key}: {}", path.replace('.', " ")).into(),
        unit: None,
        is_number: true,
        topic: Some(topic.into()),
        template: Some(template),
    });
}
