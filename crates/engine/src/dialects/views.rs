//! Views of devices of other dialects.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wilco_dialect::{Control, DeviceCommand, Role, json::ExactValue, shipped};
use wilco_ledger::{Decimal, DeviceId};

use super::ConnectionDialects;
use crate::api::{DescribedDevice, DeviceCommandView, DeviceValue};

impl ConnectionDialects {
    /// The description of a device in its dialect.
    pub(crate) fn view(&self, id: &DeviceId) -> Option<DescribedDevice> {
        let device = self.devices.get(id)?;
        let (reported, _) = self.state(id);
        let current = |key: &str| self.set.value_of(device, key, reported).map(str::to_owned);
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let command = |command: &DeviceCommand| DeviceCommandView {
            name: command.name.to_string(),
            title: command.title.to_string(),
            schema: schema(&command.control).to_string().into(),
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
            can_switch: self.can_switch(id),
            can_restart: device.command_for(Role::Restart).is_some(),
            commands: device.commands.iter().map(command).collect(),
            values: shown.collect(),
            password: self.password_of(device),
        })
    }
}

impl ConnectionDialects {
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

/// The JSON Schema of what a command takes, for its form. Limits have the digits that the device announced.
fn schema(control: &Control) -> ExactValue {
    let exact = |value: Value| ExactValue::from(&value);
    let (name, property) = match control {
        Control::Button => return exact(json!({"type": "object", "properties": {}, "additionalProperties": false})),
        Control::Switch { .. } => ("on", exact(json!({"type": "boolean", "title": "On"}))),
        Control::Number { min, max, step, unit } => {
            let title = unit.as_deref().map_or_else(|| "Value".to_owned(), |unit| format!("Value ({unit})"));
            let mut property = vec![("type".to_owned(), "number".into()), ("title".to_owned(), (&*title).into())];
            let step = step.as_ref().filter(|step| is_positive(step));
            let limits = [("minimum", min.as_ref()), ("maximum", max.as_ref()), ("multipleOf", step)];
            let known = limits.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
            property.extend(known.map(|(name, limit)| (name.to_owned(), ExactValue::Number(limit.clone()))));
            ("value", ExactValue::Object(property))
        }
        Control::Choice(words) => ("value", exact(json!({"type": "string", "title": "Value", "enum": words}))),
        Control::Colour(notation) => ("value", exact(super::colour::schema(*notation))),
        Control::Text => ("value", exact(json!({"type": "string", "title": "Value"}))),
    };
    ExactValue::Object(vec![
        ("type".to_owned(), "object".into()),
        ("properties".to_owned(), ExactValue::Object(vec![(name.to_owned(), property)])),
        ("required".to_owned(), ExactValue::Array(vec![name.into()])),
        ("additionalProperties".to_owned(), false.into()),
    ])
}

/// Whether a number can be a step: it is above 0.
fn is_positive(number: &str) -> bool {
    let zero = Decimal::parse("0");
    Decimal::parse(number).is_some_and(|number| Some(number) > zero)
}

#[cfg(test)]
mod tests {
    use wilco_dialect::Control;

    use super::schema;

    #[test]
    fn a_number_has_the_limits_that_were_announced() {
        let check = |min: &str, max: &str, step: &str, expected: &str| {
            let of = |limit: &str| Some(limit).filter(|limit| !limit.is_empty()).map(Into::into);
            let control = Control::Number { min: of(min), max: of(max), step: of(step), unit: Some("V".into()) };
            let start = r#"{"type":"object","properties":{"value":{"type":"number","title":"Value (V)""#;
            let end = r#"}},"required":["value"],"additionalProperties":false}"#;
            assert_eq!(schema(&control).to_string(), format!("{start}{expected}{end}"));
        };
        check("0", "100", "1", r#","minimum":0,"maximum":100,"multipleOf":1"#);
        let beyond = "18446744073709551617";
        check("-1.50", beyond, "0.10", &format!(r#","minimum":-1.50,"maximum":{beyond},"multipleOf":0.10"#));
        check("1e-3", "", "0.0", r#","minimum":1e-3"#);
        check("", "", "-1", "");
    }
}
