//! Devices behind a ThingsBoard gateway: `v1/gateway/connect` names them. Their commands are described nowhere.

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{Findings, name, text};
use crate::{Inbound, KnownDevice, set::device_id};

const DIALECT: &str = "thingsboard";

pub(super) fn read(inbound: &Inbound<'_>) -> Findings {
    let mut findings = Findings::default();
    let is_connect = inbound.topic == "v1/gateway/connect";
    if !is_connect && inbound.topic != "v1/gateway/disconnect" {
        return findings;
    }
    let said: Value = serde_json::from_slice(inbound.payload).unwrap_or_default();
    let Some(address) = text(&said, "device").filter(|address| address.len() <= super::LONGEST_NAME) else {
        findings.problems.push(format!("'{}' has no device.", inbound.topic));
        return findings;
    };
    if !is_connect {
        return findings;
    }
    let mut device = KnownDevice::new(device_id(address), DIALECT, address);
    device.name = Some(name(address));
    device.model = text(&said, "type").map(name);
    device.hub = DeviceId::new("me").ok();
    findings.devices.push(device);
    findings
}
