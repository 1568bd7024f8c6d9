//! The built-in commands, for devices with Wilco's own firmware.

use serde_json::{Value, json};
use wilco_ledger::Millis;

use super::CommandKind;

pub(super) fn all() -> Vec<CommandKind> {
    vec![
        kind("led", "LED", "bulb", &members(&json!({"on": {"type": "boolean", "title": "On"}}), &["on"])),
        CommandKind {
            // A device needs its time to come back before it can say so.
            timeout: Millis::seconds(60),
            safe_to_repeat: false,
            dangerous: true,
            ..kind("restart", "Restart", "restart", &restart())
        },
        kind("telemetry.set", "Telemetry interval", "gauge", &telemetry()),
        kind("config.get", "Read configuration", "wrench", &members(&json!({}), &[])),
        kind("config.set", "Change configuration", "wrench", &configuration()),
        CommandKind {
            // Reading a flash and sending it over a slow line takes its time, and the device sends nothing meanwhile.
            timeout: Millis::seconds(60),
            ..kind("log.get", "Read log", "log", &log())
        },
        kind("state.get", "Report state", "eye", &members(&json!({}), &[])),
        // It may last longer than its timeout, because a device reports its progress every second.
        kind("identify", "Identify", "identify", &identify()),
    ]
}

fn kind(name: &str, title: &str, icon: &str, schema: &Value) -> CommandKind {
    CommandKind {
        name: name.to_owned(),
        title: title.to_owned(),
        schema: schema.to_string(),
        form: None,
        timeout: Millis::seconds(10),
        time_to_live: Millis::seconds(60),
        safe_to_repeat: true,
        dangerous: false,
        answer_expected: true,
        icon: icon.to_owned(),
    }
}

/// The schema of an object with these members and no others.
fn members(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn restart() -> Value {
    let delay = json!({"type": "integer", "minimum": 0, "maximum": 60_000, "title": "Delay",
        "description": "Delay before the restart, in milliseconds."});
    members(&json!({"delay_ms": delay}), &[])
}

fn telemetry() -> Value {
    let interval = json!({"type": "integer", "minimum": 100, "maximum": 3_600_000, "title": "Interval",
        "description": "Time between two measurements, in milliseconds."});
    members(&json!({"interval_ms": interval}), &["interval_ms"])
}

fn configuration() -> Value {
    let changes = json!({"type": "object", "title": "Changes", "minProperties": 1,
        "description": "New values, by key.", "additionalProperties": true});
    let apply = json!({"type": "string", "enum": ["now", "restart"], "title": "Apply", "default": "now",
        "description": "Apply immediately, or at the next restart."});
    members(&json!({"changes": changes, "apply": apply}), &["changes", "apply"])
}

fn log() -> Value {
    let lines = json!({"type": "integer", "minimum": 1, "maximum": 100_000, "title": "Lines",
        "description": "Number of newest lines; the whole log if omitted."});
    members(&json!({"lines": lines}), &[])
}

fn identify() -> Value {
    let seconds = json!({"type": "integer", "minimum": 1, "maximum": 60, "title": "Seconds",
        "description": "How long the LED blinks."});
    members(&json!({"seconds": seconds}), &[])
}
