//! Expands names in discovery messages: abbreviations and the base topic.

use crate::json::ExactValue;

/// The members of a JSON object.
type Members = Vec<(String, ExactValue)>;

/// The most members of one entity.
const MOST_MEMBERS: usize = 1_000;
/// The most topics of an entity's availability.
const MOST_AVAILABILITIES: usize = 16;

/// The abbreviated words of names.
const WORDS: [(&str, &str); 56] = [
    ("cmd", "command"),
    ("t", "topic"),
    ("stat", "state"),
    ("tpl", "template"),
    ("val", "value"),
    ("pl", "payload"),
    ("avty", "availability"),
    ("bri", "brightness"),
    ("scl", "scale"),
    ("clr", "color"),
    ("clrm", "color_mode"),
    ("dev", "device"),
    ("cla", "class"),
    ("uniq", "unique"),
    ("meas", "measurement"),
    ("exp", "expire"),
    ("aft", "after"),
    ("fx", "effect"),
    ("pos", "position"),
    ("pct", "percentage"),
    ("osc", "oscillation"),
    ("pr", "preset"),
    ("avail", "available"),
    ("cls", "close"),
    ("unlk", "unlock"),
    ("prs", "press"),
    ("rst", "reset"),
    ("trig", "trigger"),
    ("opt", "optimistic"),
    ("ret", "retain"),
    ("ops", "options"),
    ("obj", "object"),
    ("curr", "current"),
    ("cat", "category"),
    ("ent", "entity"),
    ("ic", "icon"),
    ("e", "encoding"),
    ("o", "origin"),
    ("p", "platform"),
    ("cmps", "components"),
    ("init", "initial"),
    ("mirs", "mireds"),
    ("hum", "humidity"),
    ("clsd", "closed"),
    ("sup", "supported"),
    ("feat", "features"),
    ("pow", "power"),
    ("attr", "attributes"),
    ("whit", "white"),
    ("spd", "speed"),
    ("rng", "range"),
    ("frc", "force"),
    ("upd", "update"),
    ("en", "enabled_by_default"),
    ("strt", "start"),
    ("lrst", "last_reset"),
];

/// Names that are not abbreviated word by word.
const NAMES: [(&str, &str); 24] = [
    ("fx_list", "effect_list"),
    ("hum_cmd_t", "target_humidity_command_topic"),
    ("hum_stat_t", "target_humidity_state_topic"),
    ("hum_cmd_tpl", "target_humidity_command_template"),
    ("hum_state_tpl", "target_humidity_state_template"),
    ("temp_cmd_t", "temperature_command_topic"),
    ("temp_cmd_tpl", "temperature_command_template"),
    ("temp_stat_t", "temperature_state_topic"),
    ("temp_stat_tpl", "temperature_state_template"),
    ("temp_unit", "temperature_unit"),
    ("curr_temp_t", "current_temperature_topic"),
    ("curr_temp_tpl", "current_temperature_template"),
    ("pr_modes", "preset_modes"),
    ("modes", "modes"),
    ("stat_cla", "state_class"),
    ("unit_of_meas", "unit_of_measurement"),
    ("sup_clrm", "supported_color_modes"),
    ("pl_not_avail", "payload_not_available"),
    ("set_pos_t", "set_position_topic"),
    ("set_pos_tpl", "set_position_template"),
    ("json_attr_t", "json_attributes_topic"),
    ("min_temp", "min_temp"),
    ("max_temp", "max_temp"),
    ("pl_stpa", "payload_start_pause"),
];

fn written_out(key: &str) -> String {
    if let Some((_, full)) = NAMES.iter().find(|(short, _)| *short == key) {
        return (*full).to_owned();
    }
    let word = |word: &str| {
        WORDS.iter().find(|(short, _)| *short == word).map_or_else(|| word.to_owned(), |(_, full)| (*full).to_owned())
    };
    key.split('_').map(word).collect::<Vec<String>>().join("_")
}

/// A configuration with its names and its base topic written out. An entity with more members than anybody's is cut.
pub(super) fn expanded(config: Members) -> ExactValue {
    let base = config.iter().find(|(key, _)| key == "~").and_then(|(_, value)| value.as_str());
    let base = base.unwrap_or_default().to_owned();
    let member = |(key, mut value): (String, ExactValue)| {
        let key = written_out(&key);
        if key.ends_with("topic") {
            with_base(&mut value, &base);
        }
        if key == "availability" {
            let items = if let ExactValue::Array(items) = value { items } else { vec![value] };
            let item = |item: ExactValue| availability(item, &base);
            value = ExactValue::Array(items.into_iter().take(MOST_AVAILABILITIES).map(item).collect());
        }
        if key == "components"
            && let ExactValue::Object(components) = &mut value
            && !base.is_empty()
        {
            for (_, one) in components.iter_mut().filter(|(_, one)| one.get("~").is_none()) {
                one.set("~", base.as_str().into());
            }
        }
        (key, value)
    };
    ExactValue::object(config.into_iter().take(MOST_MEMBERS).map(member).collect())
}

fn availability(item: ExactValue, base: &str) -> ExactValue {
    let ExactValue::Object(members) = item else { return item };
    let member = |(key, mut value): (String, ExactValue)| {
        let key = written_out(&key);
        if key == "topic" {
            with_base(&mut value, base);
        }
        (key, value)
    };
    ExactValue::object(members.into_iter().take(MOST_MEMBERS).map(member).collect())
}

fn with_base(value: &mut ExactValue, base: &str) {
    if let ExactValue::String(topic) = value
        && !base.is_empty()
    {
        if let Some(rest) = topic.strip_prefix('~') {
            *topic = format!("{base}{rest}");
        } else if let Some(rest) = topic.strip_suffix('~') {
            *topic = format!("{rest}{base}");
        }
    }
}

pub(super) fn expanded_device(device: Members) -> ExactValue {
    let full = |key: &str| match key {
        "ids" => "identifiers",
        "cns" => "connections",
        "mf" => "manufacturer",
        "mdl" => "model",
        "sw" => "sw_version",
        "hw" => "hw_version",
        "sn" => "serial_number",
        "cu" => "configuration_url",
        "sa" => "suggested_area",
        _ => "",
    };
    let written = |key: String| if full(&key).is_empty() { key } else { full(&key).to_owned() };
    let members = device.into_iter().take(MOST_MEMBERS);
    ExactValue::object(members.map(|(key, value)| (written(key), value)).collect())
}
