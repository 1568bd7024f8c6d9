//! Devices behind a ThingsBoard gateway: `v1/gateway/connect` names them. A device that is alone on the broker is `me`,
//! found by the messages it sends. There are no descriptions of commands.
//!
//! Where that is switched on, a device's question for the limits of its session is answered, as ThingsBoard itself would.

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{Findings, ReaderSettings, name, text};
use crate::{Inbound, KnownDevice, set::device_id};

/// The topics of a device's question to its server and of the answer, up to the number of the question.
const ASKED: &str = "v1/devices/me/rpc/request/";
const ANSWERED: &str = "v1/devices/me/rpc/response/";
/// The limits of a session. The rates are not limited.
const LIMITS: &str = r#"{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{}}"#;

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

    pub(super) fn filters(&self) -> Vec<String> {
        let mut filters = vec!["v1/gateway/connect".to_owned(), "v1/gateway/disconnect".to_owned()];
        if self.settings.is_server {
            filters.push(format!("{ASKED}+"));
        }
        filters
    }

    pub(super) fn read(&mut self, inbound: &Inbound<'_>) -> Findings {
        if let Some(answer) = self.limits(inbound) {
            return Findings { questions: vec![answer], ..Findings::default() };
        }
        if !self.knows_me
            && matches!(inbound.topic, "v1/devices/me/telemetry" | "v1/devices/me/attributes" | "v2/t" | "v2/a")
        {
            self.knows_me = true;
            let mut device = KnownDevice::new(device_id("me"), &self.settings.dialect, "me");
            device.name = Some("ThingsBoard device".into());
            return Findings { devices: vec![device], ..Findings::default() };
        }
        behind_gateway(&self.settings.dialect, inbound)
    }

    /// The answer to a device that asks for the limits of its session now.
    fn limits(&self, inbound: &Inbound<'_>) -> Option<(String, String)> {
        let number = inbound.topic.strip_prefix(ASKED).filter(|_| self.settings.is_server && !inbound.retained)?;
        let is_number = (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let asked: Value = serde_json::from_slice(inbound.payload).ok()?;
        let is_asked = is_number && text(&asked, "method") == Some("getSessionLimits");
        is_asked.then(|| (format!("{ANSWERED}{number}"), LIMITS.to_owned()))
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
