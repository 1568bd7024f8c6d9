//! Aspects of an entity besides its main command: brightness, position, mode and the like, each with its own topics.

use super::{
    super::{MOST_OF_A_DEVICE, number, text},
    entity::{Source, add_templated, add_variable, payload_of},
};
use crate::{ColourNotation, Control, KnownDevice, json::ExactValue};

/// Adds the aspects that an entity has a topic for.
pub(super) fn add_aspects(
    device: &mut KnownDevice,
    component: &str,
    config: &ExactValue,
    key: &str,
    problems: &mut Vec<String>,
) {
    let between = |min: &str, max: &str, default: (&str, &str), unit: Option<&str>| Control::Number {
        min: Some(number(config, min).unwrap_or_else(|| default.0.into())),
        max: Some(number(config, max).unwrap_or_else(|| default.1.into())),
        step: None,
        unit: unit.map(Into::into),
    };
    let is_fahrenheit = text(config, "temperature_unit") == Some("F");
    let temperature = || {
        let default = match (component, is_fahrenheit) {
            ("water_heater", true) => ("110", "140"),
            ("water_heater", false) => ("43.3", "60"),
            (_, true) => ("45", "95"),
            (_, false) => ("7", "35"),
        };
        let unit = if is_fahrenheit { "°F" } else { "°C" };
        match between("min_temp", "max_temp", default, Some(unit)) {
            Control::Number { min, max, unit, .. } => {
                Control::Number { min, max, step: number(config, "temp_step"), unit }
            }
            other => other,
        }
    };
    let modes: &[&str] = match component {
        "climate" => &["auto", "off", "cool", "heat", "dry", "fan_only"],
        "water_heater" => &["off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"],
        _ => &[],
    };
    // Words of which the discovery says nothing are a text.
    let choice = |member: &str, usual: &[&str]| {
        let items: Vec<Box<str>> = match config.get(member).and_then(ExactValue::as_array) {
            Some(items) => items.iter().take(MOST_OF_A_DEVICE).map(payload_of).collect(),
            None => usual.iter().map(|item| (*item).into()).collect(),
        };
        if items.is_empty() { Control::Text } else { Control::Choice(items) }
    };
    let word = |member: &str, default: &str| config.get(member).map_or_else(|| default.into(), payload_of);
    let switch = |on: (&str, &str), off: (&str, &str)| {
        let word = |(member, default): (&str, &str)| config.get(member).map_or_else(|| default.into(), payload_of);
        Control::Switch { on: word(on), off: word(off) }
    };
    let of =
        |what: &str| (format!("{what}_command_topic"), format!("{what}_state_topic"), format!("{what}_value_template"));
    let known: [(&str, &str, Control); 22] = [
        ("brightness", "Brightness", between("", "brightness_scale", ("0", "255"), None)),
        ("color_temp", "Colour temperature", colour_temperature(config)),
        ("rgb", "Colour", Control::Colour(ColourNotation::Rgb)),
        ("rgbw", "Colour and white (red,green,blue,white)", Control::Text),
        ("rgbww", "Colour and whites (red,green,blue,cold,warm)", Control::Text),
        ("hs", "Colour (hs)", Control::Colour(ColourNotation::Hs)),
        ("xy", "Colour (xy)", Control::Colour(ColourNotation::Xy)),
        ("white", "White", between("", "white_scale", ("1", "255"), None)),
        ("effect", "Effect", choice("effect_list", &[])),
        ("mode", "Mode", choice("modes", modes)),
        ("temperature", "Temperature", temperature()),
        ("temperature_high", "Highest temperature", temperature()),
        ("temperature_low", "Lowest temperature", temperature()),
        ("fan_mode", "Fan mode", choice("fan_modes", &["auto", "low", "medium", "high"])),
        ("preset_mode", "Preset", choice("preset_modes", &[])),
        ("percentage", "Speed", between("speed_range_min", "speed_range_max", ("1", "100"), None)),
        ("target_humidity", "Humidity", between("min_humidity", "max_humidity", ("0", "100"), Some("%"))),
        ("swing_mode", "Swing mode", choice("swing_modes", &["on", "off"])),
        ("swing_horizontal_mode", "Horizontal swing mode", choice("swing_horizontal_modes", &["on", "off"])),
        (
            "direction",
            "Direction",
            Control::Choice(vec![
                word("payload_direction_forward", "forward"),
                word("payload_direction_reverse", "reverse"),
            ]),
        ),
        (
            "oscillation",
            "Oscillation",
            switch(("payload_oscillation_on", "oscillate_on"), ("payload_oscillation_off", "oscillate_off")),
        ),
        ("power", "Power", switch(("payload_on", "ON"), ("payload_off", "OFF"))),
    ];
    for (what, title, control) in known {
        let (command, state, template) = of(what);
        let Some(topic) = text(config, &command).map(str::to_owned) else { continue };
        let title = format!("{key}: {title}");
        let template = if text(config, &template).is_some() { template } else { format!("{what}_state_template") };
        let is_number = matches!(control, Control::Number { .. });
        let source = Source { topic: &state, template: &template, usual: None, is_number };
        let reports = add_variable(device, config, &title, &source, problems);
        add_templated(device, config, &title, control, &topic, &format!("{what}_command_template"), reports, problems);
    }
    if let Some(topic) = text(config, "tilt_command_topic").map(str::to_owned) {
        let title = format!("{key}: Tilt");
        let source =
            Source { topic: "tilt_status_topic", template: "tilt_status_template", usual: None, is_number: true };
        let reports = add_variable(device, config, &title, &source, problems);
        let control = between("tilt_min", "tilt_max", ("0", "100"), Some("%"));
        let config = with_percent(config, "tilt_command_template", "tilt_position", &control);
        add_templated(device, &config, &title, control, &topic, "tilt_command_template", reports, problems);
    }
    let title = format!("{key}: Position");
    let position = Source { topic: "position_topic", template: "position_template", usual: None, is_number: true };
    let reports = add_variable(device, config, &title, &position, problems);
    if let Some(topic) = text(config, "set_position_topic").map(str::to_owned) {
        let control = between("position_closed", "position_open", ("0", "100"), Some("%"));
        let config = with_percent(config, "set_position_template", "position", &control);
        add_templated(device, &config, &title, control, &topic, "set_position_template", reports, problems);
    }
}

/// In mired, or in kelvin where the light wants that.
pub(super) fn colour_temperature(config: &ExactValue) -> Control {
    let limit = |member: &str, default: &str| Some(number(config, member).unwrap_or_else(|| default.into()));
    let is_kelvin = config.get("color_temp_kelvin").and_then(ExactValue::as_bool) == Some(true);
    let (min, max, unit) = match is_kelvin {
        true => (limit("min_kelvin", "2000"), limit("max_kelvin", "6535"), "K"),
        false => (limit("min_mireds", "153"), limit("max_mireds", "500"), "mired"),
    };
    Control::Number { min, max, step: Some("1".into()), unit: Some(unit.into()) }
}

/// A configuration in whose template a name stands for per cent, while the value is in the range of the device.
fn with_percent(config: &ExactValue, template: &str, name: &str, control: &Control) -> ExactValue {
    let mut config = config.clone();
    let Control::Number { min: Some(min), max: Some(max), .. } = control else { return config };
    let percent = match (&**min, &**max) {
        ("0", "100") => "value".to_owned(),
        (min, max) => format!("((value - {min}) * 100 / ({max} - {min}))"),
    };
    if let Some(text) = text(&config, template).map(|text| with_name(text, name, &percent)) {
        config.set(template, text.as_str().into());
    }
    config
}

/// A template with an expression in place of a name.
pub(super) fn with_name(template: &str, name: &str, expression: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '\'' | '"');
    let mut made = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(name) {
        made.push_str(before);
        made.push_str(if before.ends_with(is_part) || after.starts_with(is_part) { name } else { expression });
        rest = after;
    }
    made + rest
}
