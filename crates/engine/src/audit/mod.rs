//! The audit: a log of all actions, with user, time and reason.
//!
//! [`Audit`] creates the entries, which are written in the transaction of the change that they describe. [`seal`] keeps
//! the newest entry in the keyring, where a restored copy of the database does not replace it, and [`verify`] finds
//! tampering. [`rollout`] is what the entry about the start of a rollout says of it.
//!
//! Entries contain no secrets: [`plain`] omits members with the name of a secret, and of a connection only the fields
//! that are not secret are known here.

mod changes;
pub(crate) mod rollout;
pub(crate) mod seal;
pub(crate) mod verify;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wilco_dialect::json::ExactValue;
use wilco_ledger::{Submission, grouped};

pub(crate) use changes::{between, of_profile};

use crate::{
    api::AuditKind,
    clock::Clock,
    settings::SharedSettings,
    store::{ConnectionId, NewAuditEntry},
};

/// Texts longer than this are not stored whole, bytes.
const LONGEST: usize = 4_000;

/// The person at a computer, and the installation, as others are told of them in what it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signer {
    /// The installation's id.
    pub(crate) installation: String,
    /// What it calls itself.
    pub(crate) name: String,
    pub(crate) operator: Option<String>,
    pub(crate) os_user: String,
    pub(crate) machine: String,
}

/// Makes entries in the name of the person at this computer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit {
    settings: SharedSettings,
    clock: Clock,
    /// This installation's id.
    installation: Arc<str>,
    os_user: Arc<str>,
    machine: Arc<str>,
}

impl Audit {
    pub(crate) fn new(settings: SharedSettings, clock: Clock, installation: Arc<str>) -> Audit {
        let unknown = || "unknown".to_owned();
        let os_user = whoami::fallible::username().unwrap_or_else(|_| unknown());
        let machine = whoami::fallible::hostname().unwrap_or_else(|_| unknown());
        Audit { settings, clock, installation, os_user: os_user.into(), machine: machine.into() }
    }

    /// An entry: this was done, now, by whoever the settings name.
    pub(crate) fn entry(&self, kind: AuditKind, what: impl Into<String>) -> NewAuditEntry {
        NewAuditEntry {
            at: self.clock.now(),
            kind,
            operator: self.settings.get().operator_name,
            os_user: self.os_user.to_string(),
            machine: self.machine.to_string(),
            connection: None,
            what: what.into(),
            details: "{}".to_owned(),
            note: None,
        }
    }

    /// The person at this computer, and this installation, as others are told of them.
    pub(crate) fn signer(&self) -> Signer {
        let operator = self.settings.get().operator_name;
        let person = operator.as_deref().unwrap_or(&self.os_user);
        Signer {
            installation: self.installation.to_string(),
            name: format!("{person} on {}", self.machine),
            os_user: self.os_user.to_string(),
            machine: self.machine.to_string(),
            operator,
        }
    }

    /// The account of the operating system.
    pub(crate) fn os_user(&self) -> &str {
        &self.os_user
    }

    /// The name of the computer.
    pub(crate) fn machine(&self) -> &str {
        &self.machine
    }

    /// Commands are sent: all at once, the same one to each of their devices.
    pub(crate) fn sent(
        &self,
        (connection, name): (&ConnectionId, &str),
        submissions: &[Submission],
        note: Option<String>,
    ) -> Option<NewAuditEntry> {
        let first = submissions.first()?;
        let to = match submissions {
            [one] => one.device.as_str().to_owned(),
            many => devices(many.len()),
        };
        let who = if first.automatic { "Wilco itself sent" } else { "Sent" };
        let again = if first.again_of.is_some() { " again" } else { "" };
        let commands: Vec<_> = submissions.iter().map(|one| json!([one.device.as_str(), one.id.as_str()])).collect();
        let mut details = json!({ "command": &*first.name, "args": plain(&first.args), "sent": commands });
        if let Some(of) = &first.again_of {
            details["again_of"] = of.as_str().into();
        }
        let entry = self.entry(AuditKind::Command, format!("{who} {}{again} to {to}", first.name));
        Some(entry.on(connection, name).with(&details).because(note))
    }
}

/// `1 device`, `12,000 devices`.
pub(crate) fn devices(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} device{plural}", grouped(count))
}

/// `1 day`, `30 days`.
pub(crate) fn days(count: u32) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{} days", grouped(count)) }
}

/// JSON text as it may be stored: members that are named like a secret without their values, and of a long text only
/// its length and its SHA-256. Numbers keep their digits.
pub(crate) fn plain(text: &str) -> Value {
    let Ok(mut value) = ExactValue::parse(text) else { return shortened(text) };
    // The text itself where nothing is left out.
    if hide_secrets(&mut value) { shortened(&value.to_string()) } else { shortened(text) }
}

fn shortened(text: &str) -> Value {
    if text.len() <= LONGEST {
        return text.into();
    }
    json!({ "bytes": text.len(), "sha256": hex(&Sha256::digest(text.as_bytes())) })
}

/// Hides the values of members with the name of a secret, and returns whether there are any.
fn hide_secrets(value: &mut ExactValue) -> bool {
    match value {
        ExactValue::Object(members) => {
            let mut found = false;
            for (name, value) in members {
                if is_secret(name) {
                    *value = ExactValue::String("(not recorded)".to_owned());
                    found = true;
                } else {
                    found |= hide_secrets(value);
                }
            }
            found
        }
        // Every one, so none of them short-circuits.
        ExactValue::Array(items) => items.iter_mut().fold(false, |found, item| hide_secrets(item) | found),
        _ => false,
    }
}

/// Whether a member's value is a secret, by its name.
fn is_secret(name: &str) -> bool {
    const NAMES: [&str; 9] =
        ["password", "passwd", "passphrase", "secret", "token", "psk", "api_key", "apikey", "private_key"];
    let name = name.to_lowercase().replace('-', "_");
    NAMES.iter().any(|secret| name.contains(secret)) || matches!(name.as_str(), "pass" | "pw" | "pwd" | "key" | "pin")
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn members_named_like_a_secret_are_not_recorded() {
        let check = |args: &str, expected: &str| assert_eq!(plain(args), expected, "{args}");
        check(r#"{"on":true,"serial":9007199254740993}"#, r#"{"on":true,"serial":9007199254740993}"#);
        check(
            r#"{"changes":{"wifi":[{"ssid":"a","WiFi-Password":"canary"}]}}"#,
            r#"{"changes":{"wifi":[{"ssid":"a","WiFi-Password":"(not recorded)"}]}}"#,
        );
        check(r#"{"key":"canary","keyboard":"de"}"#, r#"{"key":"(not recorded)","keyboard":"de"}"#);
        check(
            r#"{"at":1e10,"password":"canary","steps":[1.50,-0.0,{"n":123456789012345678901234567890,"pin":1234}]}"#,
            r#"{"at":1e10,"password":"(not recorded)","steps":[1.50,-0.0,{"n":123456789012345678901234567890,"pin":"(not recorded)"}]}"#,
        );
        // Not even of a text that no double can hold.
        check(r#"{"token":"canary","n":1e400}"#, r#"{"token":"(not recorded)","n":1e400}"#);
        check(r#"{"pin":1.0,"limit":[1e999,1.50]}"#, r#"{"pin":"(not recorded)","limit":[1e999,1.50]}"#);
        check("light: on", "light: on");
        let long = plain(&format!(r#"{{"text":"{}"}}"#, "a".repeat(5_000)));
        assert_eq!(long["bytes"], 5_011);
        assert_eq!(long["sha256"].as_str().map(str::len), Some(64));
    }
}
