//! Signs requests to devices with a password.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use wilco_dialect::{CONSOLE, Challenge, DecodedMessage, Inbound, KnownDevice, Meaning, Outbound};
use wilco_ledger::{DeviceId, WrittenMessage};

use super::ConnectionDialects;
use crate::{api::DevicePassword, profile::DevicePasswords};

/// The IDs of the requests that identify devices, also repeated with the password.
const QUESTION: u32 = 0;
const REPEATED_QUESTION: u32 = 2;
/// The requests that reveal a device's components and settings.
const QUESTIONS: [&str; 2] = ["Shelly.GetStatus", "Shelly.GetConfig"];

/// The known passwords, and the challenges of devices.
#[derive(Debug, Default)]
pub(super) struct SignIn {
    passwords: DevicePasswords,
    /// The last challenge of each device. Its nonce is used until the device names another one.
    challenges: HashMap<DeviceId, Challenge>,
    /// Devices that required a password when none was set.
    wanted: HashSet<DeviceId>,
}

/// The action after a device required a signed request.
pub(super) enum Challenged {
    /// Not a challenge, but an ordinary answer.
    No,
    /// The command must be sent again; `again`: it already was.
    Command { again: bool },
    /// One of this console's requests, with its replacement: a topic and a payload each.
    Questions(Vec<(String, String)>),
}

impl ConnectionDialects {
    /// Sets the passwords of devices. Returns requests that had to wait for them.
    pub(crate) fn set_passwords(&mut self, passwords: DevicePasswords) -> Vec<(String, String)> {
        self.sign_in.passwords = passwords;
        let signs_in = |device: &&KnownDevice| {
            self.set.signs_in(&device.dialect) && self.sign_in.passwords.get(&device.id).is_some()
        };
        let ask =
            |device: &KnownDevice| (format!("{}/rpc", device.address), self.question(&device.dialect, QUESTIONS[0]));
        self.devices.iter().filter(signs_in).map(ask).collect()
    }

    fn question(&self, dialect: &str, method: &str) -> String {
        let console = self.set.setting(dialect, CONSOLE).unwrap_or_default();
        json!({"id": QUESTION, "src": console, "method": method}).to_string()
    }

    /// Which password a device has; nothing where its firmware knows no such thing.
    pub(super) fn password_of(&self, device: &KnownDevice) -> Option<DevicePassword> {
        let SignIn { passwords, wanted, .. } = &self.sign_in;
        let standing = || match (passwords.own(&device.id), passwords.get(&device.id)) {
            (Some(_), _) => DevicePassword::OfDevice,
            (None, Some(_)) => DevicePassword::OfConnection,
            (None, None) if wanted.contains(&device.id) => DevicePassword::Wanted,
            (None, None) => DevicePassword::NotSet,
        };
        self.set.signs_in(&device.dialect).then(standing)
    }

    /// Signs a request for a device that has sent a challenge before. `attempt`: the number of the send.
    pub(crate) fn sign(
        &mut self,
        device: &DeviceId,
        written: &WrittenMessage,
        mut outbound: Outbound,
        attempt: u32,
    ) -> Outbound {
        if !self.set.signs_in(&written.dialect) {
            return outbound;
        }
        let SignIn { passwords, challenges, .. } = &self.sign_in;
        let (Some(challenge), Some(password)) = (challenges.get(device), passwords.get(device)) else {
            return outbound;
        };
        let again = (attempt > 1).then_some(attempt);
        let signed = std::str::from_utf8(&outbound.payload)
            .ok()
            .and_then(|request| challenge.sign(request, password, any_number(), again));
        if let Some((signed, kept)) = signed {
            outbound.payload = signed.into_bytes();
            outbound.kept = Some(kept.into_bytes());
        }
        outbound
    }

    /// Reads a challenge, and the sentence in place of the device's JSON if it cannot be met.
    pub(super) fn challenged(&mut self, dialect: &str, inbound: &Inbound<'_>, meaning: &mut Meaning) -> Challenged {
        if !self.set.signs_in(dialect) {
            return Challenged::No;
        }
        let Meaning::Message(DecodedMessage::Answer(answer)) = meaning else { return Challenged::No };
        let Some(challenge) = Challenge::read(inbound.payload).filter(|_| !inbound.retained) else {
            return Challenged::No;
        };
        if self.sign_in.passwords.get(&answer.device).is_none() {
            // The device's own words stay; that it wants a password is shown beside them.
            self.sign_in.wanted.insert(answer.device.clone());
            return Challenged::No;
        }
        let again = challenge.is_repeated();
        if again {
            answer.message = Some("The device did not accept the password.".into());
        }
        self.sign_in.challenges.insert(answer.device.clone(), challenge);
        Challenged::Command { again }
    }

    /// The same for an answer to one of Wilco's own requests, which belong to no command.
    pub(super) fn challenged_question(&mut self, inbound: &Inbound<'_>) -> Challenged {
        let Some(challenge) = Challenge::read(inbound.payload).filter(|one| !one.is_repeated()) else {
            return Challenged::No;
        };
        let answer: serde_json::Value = serde_json::from_slice(inbound.payload).unwrap_or_default();
        let source = answer.get("src").and_then(serde_json::Value::as_str).and_then(|id| DeviceId::new(id).ok());
        let Some(source) = source.filter(|_| answer.get("id") == Some(&json!(QUESTION))) else { return Challenged::No };
        let Some(device) = self.devices.get(&source).filter(|device| self.set.signs_in(&device.dialect)) else {
            return Challenged::No;
        };
        let Some(password) = self.sign_in.passwords.get(&source) else { return Challenged::No };
        // The answer does not say which of them it was.
        let ask = |method: &&str| {
            let question = self.question(&device.dialect, method);
            let (signed, _) = challenge.sign(&question, password, any_number(), Some(REPEATED_QUESTION))?;
            Some((format!("{}/rpc", device.address), signed))
        };
        let questions = QUESTIONS.iter().filter_map(ask).collect();
        self.sign_in.challenges.insert(source, challenge);
        Challenged::Questions(questions)
    }
}

/// A number that was not used before, as far as that matters.
fn any_number() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}
