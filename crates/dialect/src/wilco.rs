//! Wilco's own JSON over MQTT.

use wilco_ledger::{DeviceId, Timestamp};

use crate::{Filter, Heard, Inbound, Outbound, Request, Topics, Unreadable};

pub(crate) fn encode(_topics: &Topics, _device: &DeviceId, _request: &Request<'_>, _now: Timestamp) -> Outbound {
    unimplemented!()
}

pub(crate) fn decode(_topics: &Topics, _inbound: &Inbound<'_>) -> Result<Option<Heard>, Unreadable> {
    Ok(None)
}

pub(crate) fn filters(_topics: &Topics, _devices: Option<&[DeviceId]>) -> Vec<Filter> {
    Vec::new()
}
