//! Messages on topics that devices have named themselves, when they were discovered.

use wilco_ledger::DeviceId;

use super::{
    Context, Meaning, Member,
    body::Body,
    decode::{MOST_SERIES, presence, report},
};
use crate::{
    DecodedMessage, Inbound, TelemetryRest, Unreadable,
    devices::{KnownDevice, Use},
    jinja::Template,
};

impl Member {
    /// By the topics that devices have named themselves. `tells`: also that the message cannot be read.
    pub(super) fn hear_named(
        &self,
        inbound: &Inbound<'_>,
        body: &Body<'_>,
        context: &Context<'_>,
        tells: bool,
        add: &mut dyn FnMut(Meaning),
    ) {
        let uses = context.devices.uses(inbound.topic);
        let mut start = 0;
        while let Some((id, _)) = uses.get(start) {
            let end = start + uses[start..].iter().take_while(|(of, _)| of == id).count();
            if let Some(device) = context.devices.get(id).filter(|device| device.dialect == self.file.name) {
                let uses = &uses[start..end];
                if let Ok(text) = body.text() {
                    self.hear_device(device, uses, (text, body), inbound, add);
                }
                if tells && let Some(why) = body.damage_to(device, uses) {
                    add(Meaning::UnreadableReport(Unreadable::of(id.clone(), why)));
                }
            }
            start = end;
        }
    }

    fn hear_device(
        &self,
        device: &KnownDevice,
        uses: &[(DeviceId, Use)],
        (text, body): (&str, &Body<'_>),
        inbound: &Inbound<'_>,
        add: &mut dyn FnMut(Meaning),
    ) {
        let mut values = Vec::new();
        let mut series = Vec::new();
        let by_template = |template: &Template| {
            let json = if template.reads_json() { body.json() } else { None };
            template.value_in(text, json)
        };
        for (_, topic_use) in uses {
            match topic_use {
                Use::Variable(index) => {
                    let Some(variable) = device.variables.get(*index) else { continue };
                    let value = match &variable.template {
                        Some(template) => by_template(template),
                        None => Some(text.to_owned()),
                    };
                    let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
                    if variable.is_number
                        && let Ok(number) = value.parse::<f64>()
                        && number.is_finite()
                        && series.len() < MOST_SERIES
                    {
                        series.push((variable.key.to_string(), number));
                    }
                    values.push(self.reported(Some(device), &variable.key, &value));
                }
                Use::Availability(index) => {
                    let Some(availability) = device.availability.get(*index) else { continue };
                    let word = availability.template.as_ref().map_or_else(|| Some(text.to_owned()), by_template);
                    let online = match word.as_deref() {
                        Some(word) if *word == *availability.online => true,
                        Some(word) if *word == *availability.offline => false,
                        _ => continue,
                    };
                    add(Meaning::Message(presence(device.id.clone(), online)));
                }
            }
        }
        if !series.is_empty() {
            let (device, rest) = (device.id.clone(), TelemetryRest::default());
            add(Meaning::Message(DecodedMessage::Telemetry { device, at: None, series, rest }));
        }
        if !values.is_empty() {
            add(Meaning::Report(report(device.id.clone(), values, inbound)));
        }
    }
}
