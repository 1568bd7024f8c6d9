//! Views of devices of other dialects.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wilco_dialect::{Control, DeviceCommand, Role, shipped};
use wilco_ledger::DeviceId;

use super::Described;
use crate::api::{DescribedDevice, DeviceCommandView, DeviceValue};

impl Described {
    /// The description of a device in its dialect.
    pub(crate) fn view(&self, id: &DeviceId) -> Option<DescribedDevice> {
        let device = self.devices.get(id)?;
        let (reported, _) = self.state(id);
        let current = |key: &str| self.set.value_of(device, key, reported).map(str::to_owned);
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let command = |command: &DeviceCommand| DeviceCommandView {
            name: command.name.to_string(),
            title: command.title.to_string(),
            schema: schema(&command.control).into(),
            value: command.reports.as_deref().and_then(current),
            reports_back: command.reports.is_some(),
            refused: text(&command.refused),
            is_setting: command.is_setting,
        };
        let shown = device.variables.iter().filter_map(|variable| {
            Some(DeviceValue {
                title: variable.title.to_string(),
                value: current(&variable.key)?,
                unit: text(&variable.unit),
            })
        });
        Some(DescribedDevice {
            dialect: self.set.title(&device.dialect).unwrap_or(&device.dialect).to_owned(),
            address: device.address.to_string(),
            vendor: text(&device.vendor),
            hub: device.hub.as_ref().map(|hub| hub.as_str().to_owned()),
            can_switch: device.command_for(Role::Light).is_some(),
            can_restart: device.command_for(Role::Restart).is_some(),
            commands: device.commands.iter().map(command).collect(),
            values: shown.collect(),
            password: self.password_of(device),
        })
    }
}

impl Described {
    /// The unit of a value of a device, as it was announced: by the value, or by the command that sets it.
    pub(crate) fn unit_of(&self, id: &DeviceId, key: &str) -> Option<String> {
        let device = self.devices.get(id)?;
        let of_command = |command: &DeviceCommand| match &command.control {
            Control::Number { unit, .. } if command.reports.as_deref() == Some(key) => unit.clone(),
            _ => None,
        };
        let variable = device.variables.iter().find(|variable| &*variable.key == key);
        let unit = variable.and_then(|variable| variable.unit.clone());
        let unit = unit.or_else(|| device.commands.iter().find_map(of_command));
        unit.map(String::from).filter(|unit| !unit.is_empty())
    }
}

/// What people call the dialects of a connection: the titles of its own files, by their names.
pub(crate) type Titles = BTreeMap<String, String>;

/// A dialect's display name, where `own` are the titles of the connection's own files.
pub(crate) fn title(own: &Titles, dialect: &str) -> String {
    let shipped = || shipped().iter().find(|file| file.name() == dialect).map(|file| file.title());
    own.get(dialect).map(String::as_str).or_else(shipped).unwrap_or(dialect).to_owned()
}

/// The JSON Schema of what a command takes, for its form.
fn schema(control: &Control) -> Value {
    let (name, property) = match control {
        Control::Button => return json!({"type": "object", "properties": {}, "additionalProperties": false}),
        Control::Switch { .. } => ("on", json!({"type": "boolean", "title": "On"})),
        Control::Number { min, max, step, unit } => {
            let title = unit.as_deref().map_or_else(|| "Value".to_owned(), |unit| format!("Value ({unit})"));
            let mut property =
                Map::from_iter([("type".to_owned(), json!("number")), ("title".to_owned(), json!(title))]);
            let bounds = [("minimum", min), ("maximum", max), ("multipleOf", step)];
            let known = bounds.into_iter().filter_map(|(name, bound)| Some((name, (*bound)?)));
            property.extend(
                known
                    .filter(|(name, bound)| *name != "multipleOf" || *bound > 0.0)
                    .map(|(name, bound)| (name.to_owned(), number(bound))),
            );
            ("value", Value::Object(property))
        }
        Control::Choice(words) => ("value", json!({"type": "string", "title": "Value", "enum": words})),
        Control::Colour(notation) => ("value", super::colour::schema(*notation)),
        Control::Text => ("value", json!({"type": "string", "title": "Value"})),
    };
    json!({"type": "object", "properties": {name: property}, "required": [name], "additionalProperties": false})
}

/// A whole number as one.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far from the bounds")]
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}
