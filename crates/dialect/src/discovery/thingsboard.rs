//! Devices behind a ThingsBoard gateway: `v1/gateway/connect` names them. A device that is alone on the broker is `me`,
//! found by the messages it sends. There are no descriptions of commands.

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{Findings, ReaderSettings, name, text};
use crate::{Inbound, KnownDevice, set::device_id};

#[derive(Debug)]
pub(super) struct Reader {
    settings: ReaderSettings,
    /// The device that has the broker to itself is known.
    knows_me: bool,
}

impl Reader {
    pub(super) fn new(settings: ReaderSettings) -> Reader {
        Reader { settings, knows_me: false }
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        if !self.knows_me && matches!(inbound.topic, "v1/devices/me/telemetry" | "v1/devices/me/attributes") {
            self.knows_me = true;
            let mut device = KnownDevice::new(device_id("me"), &self.settings.dialect, "me");
            device.name = Some("ThingsBoard device".into());
            return Findings { devices: vec![device], ..Findings::default() };
        }
        behind_gateway(&self.settings.dialect, inbound)
    }
}

fn behind_gateway(dialect: &str, inbound: &Inbound<'_>) -> Findings {
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
    let mut device = KnownDevice::new(device_id(address), dialect, address);
    device.name = Some(name(address));
    device.model = text(&said, "type").map(name);
    device.hub = DeviceId::new("me").ok();
    findings.devices.push(device);
    findings
}
