//! Payloads that are divided before they are read: the items of an array, and a member for each device.

use wilco_ledger::DeviceId;

use super::{Context, Meaning, Member, decode::Found};
use crate::{
    Inbound,
    file::{MessageContext, Parts, ReceiveRule},
    json::ExactValue,
    pattern::Captures,
};

/// The most parts of one message.
const MOST_PARTS: usize = 1_000;

impl Member {
    /// Reads each part of a payload by itself.
    pub(super) fn hear_parts(
        &self,
        rule: &ReceiveRule,
        looked: &MessageContext<'_, '_>,
        inbound: &Inbound<'_>,
        context: &Context<'_>,
        add: &mut dyn FnMut(Meaning),
    ) {
        let whole = || self.device_of(rule, looked, &Captures::default(), context);
        let parts: Vec<(Option<DeviceId>, &ExactValue)> = match (rule.parts, looked.json) {
            (Parts::Devices, Some(ExactValue::Object(members))) => {
                members.iter().map(|(name, value)| (self.device(name, context), value)).collect()
            }
            (_, Some(value)) => vec![(whole(), value)],
            (_, None) => return,
        };
        let items = parts.into_iter().flat_map(|(device, value)| {
            let items = value.as_array().unwrap_or(std::slice::from_ref(value));
            items.iter().map(move |item| (device.clone(), item))
        });
        for (device, item) in items.take(MOST_PARTS) {
            let (Some(device), true) = (device, item.is_object()) else { continue };
            let looked = MessageContext { text: "", json: Some(item), ..*looked };
            Found { member: self, rule, looked: &looked, like: None, device, inbound, context }.read(add);
        }
    }
}
