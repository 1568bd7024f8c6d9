//! Expands names in discovery messages: abbreviations and the base topic.

use crate::json::ExactValue;

/// The members of a JSON object.
type Members = Vec<(String, ExactValue)>;

/// The most members of one entity.
const MOST_MEMBERS: usize = 1_000;
/// The most topics of an entity's availability.
const MOST_AVAILABILITIES: usize = 16;

/// The abbreviated words of names.
const WORDS: [(&str, &str); 82] = [
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
    ("act", "action"),
    ("dir", "direction"),
    ("bat", "battery"),
    ("lev", "level"),
    ("k", "kelvin"),
    ("cod", "code"),
    ("req", "required"),
    ("def", "default"),
    ("err", "error"),
    ("img", "image"),
    ("inst", "install"),
    ("loc", "locate"),
    ("paus", "pause"),
    ("opnd", "opened"),
    ("jam", "jammed"),
    ("nite", "night"),
    ("fwd", "forward"),
    ("rev", "reverse"),
    ("dly", "delay"),
    ("typ", "types"),
    ("pic", "picture"),
    ("ver", "version"),
    ("trns", "transition"),
    ("ptrn", "pattern"),
    ("tit", "title"),
    ("flsh", "flash"),
    ("pos", "position"),
];

/// Names that are not abbreviated word by word.
const NAMES: [(&str, &str); 58] = [
    ("atype", "automation_type"),
    ("av_tones", "available_tones"),
    ("b_tpl", "blue_template"),
    ("chrg_t", "charging_topic"),
    ("chrg_tpl", "charging_template"),
    ("cln_t", "cleaning_topic"),
    ("cln_tpl", "cleaning_template"),
    ("cod_dis_req", "code_disarm_required"),
    ("cont_type", "content_type"),
    ("curr_temp_t", "current_temperature_topic"),
    ("curr_temp_tpl", "current_temperature_template"),
    ("dock_t", "docked_topic"),
    ("dock_tpl", "docked_template"),
    ("dsp_prc", "display_precision"),
    ("evt_typ", "event_types"),
    ("fanspd_lst", "fan_speed_list"),
    ("fanspd_t", "fan_speed_topic"),
    ("fanspd_tpl", "fan_speed_template"),
    ("flsh_tlng", "flash_time_long"),
    ("flsh_tsht", "flash_time_short"),
    ("g_tpl", "green_template"),
    ("hum_cmd_t", "target_humidity_command_topic"),
    ("hum_cmd_tpl", "target_humidity_command_template"),
    ("hum_stat_t", "target_humidity_state_topic"),
    ("hum_state_tpl", "target_humidity_state_template"),
    ("l_ver_t", "latest_version_topic"),
    ("l_ver_tpl", "latest_version_template"),
    ("migr_discvry", "migrate_discovery"),
    ("pl_arm_custom_b", "payload_arm_custom_bypass"),
    ("pl_cln_sp", "payload_clean_spot"),
    ("pl_ret", "payload_return_to_base"),
    ("pl_stpa", "payload_start_pause"),
    ("pl_toff", "payload_turn_off"),
    ("pl_ton", "payload_turn_on"),
    ("pos", "reports_position"),
    ("r_tpl", "red_template"),
    ("rel_s", "release_summary"),
    ("rel_u", "release_url"),
    ("spds", "speeds"),
    ("src_type", "source_type"),
    ("stype", "subtype"),
    ("sug_dsp_prc", "suggested_display_precision"),
    ("sup_clrm", "supported_color_modes"),
    ("sup_dur", "support_duration"),
    ("sup_vol", "support_volume_set"),
    ("temp_cmd_t", "temperature_command_topic"),
    ("temp_cmd_tpl", "temperature_command_template"),
    ("temp_hi_cmd_t", "temperature_high_command_topic"),
    ("temp_hi_cmd_tpl", "temperature_high_command_template"),
    ("temp_hi_stat_t", "temperature_high_state_topic"),
    ("temp_hi_stat_tpl", "temperature_high_state_template"),
    ("temp_lo_cmd_t", "temperature_low_command_topic"),
    ("temp_lo_cmd_tpl", "temperature_low_command_template"),
    ("temp_lo_stat_t", "temperature_low_state_topic"),
    ("temp_lo_stat_tpl", "temperature_low_state_template"),
    ("temp_stat_t", "temperature_state_topic"),
    ("temp_stat_tpl", "temperature_state_template"),
    ("temp_unit", "temperature_unit"),
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
        "mdl_id" => "model_id",
        _ => "",
    };
    let written = |key: String| if full(&key).is_empty() { key } else { full(&key).to_owned() };
    let members = device.into_iter().take(MOST_MEMBERS);
    ExactValue::object(members.map(|(key, value)| (written(key), value)).collect())
}

#[cfg(test)]
mod tests;
