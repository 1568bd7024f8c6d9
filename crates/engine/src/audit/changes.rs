//! The differences between two states, for the audit.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use wilco_connection::ConnectionSettings;
use wilco_dialect::DialectFile;

use super::hex;
use crate::store::Profile;

/// The members that are different, each with both values; all of `after` where there was nothing before.
pub(crate) fn between(before: Option<&Value>, after: &Value) -> Value {
    let Some(before) = before else { return after.clone() };
    let none = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut changes = Map::new();
    for (name, value) in new {
        let was = old.get(name).unwrap_or(&Value::Null);
        if was != value {
            changes.insert(name.clone(), json!({ "from": was, "to": value }));
        }
    }
    for (name, was) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        changes.insert(name.clone(), json!({ "from": was, "to": null }));
    }
    Value::Object(changes)
}

/// A connection as it is stored. A profile contains no secrets, only which ones exist.
pub(crate) fn of_profile(profile: &Profile) -> Value {
    let Profile {
        id: _,
        name,
        url,
        client_id,
        settings,
        declined,
        demo: _,
        certificate_subject,
        certificate_expires_at,
        has,
        in_memory_secrets,
        position: _,
    } = profile;
    // Each setting under its own name. Serialising them cannot fail: no map in them has keys that are not text.
    let mut members = match serde_json::to_value(settings) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    // A dialect is shorter as text, and its file too long. Entries have called these three so from the first one on.
    let ConnectionSettings { dialects, dialect_files, devices_named, proxy, .. } = settings;
    members.retain(|name, _| name != "devices_named" && name != "proxy");
    let others = [
        ("name", json!(name)),
        ("url", json!(url)),
        ("client_id", json!(client_id)),
        ("dialects", dialects.iter().map(ToString::to_string).collect()),
        ("dialect_files", dialect_files.iter().map(|text| file(text)).collect()),
        ("declined", json!(declined)),
        ("devices", json!(devices_named)),
        ("proxy_url", json!(proxy.as_ref().map(|proxy| &proxy.url))),
        ("proxy_username", json!(proxy.as_ref().and_then(|proxy| proxy.username.as_ref()))),
        ("certificate_subject", json!(certificate_subject)),
        ("certificate_expires_at", json!(certificate_expires_at.map(|at| at.0))),
        ("has", json!(has)),
        ("in_memory_secrets", json!(in_memory_secrets)),
    ];
    members.extend(others.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(members)
}

/// A dialect file by its name and its content's SHA-256.
fn file(text: &str) -> Value {
    let name = DialectFile::parse(text).map(|file| file.name().to_owned()).unwrap_or_default();
    json!({ "name": name, "sha256": hex(&Sha256::digest(text.as_bytes())) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wilco_connection::{ConnectionSettings, Profile, ProxySettings, Secrets};

    use super::{between, of_profile};

    #[test]
    fn only_what_is_different_is_written_down() {
        let before = json!({ "name": "plant", "url": "mqtt://a", "old": 1 });
        let after = json!({ "name": "plant", "url": "mqtts://a", "new": [2] });
        let expected = json!({
            "url": { "from": "mqtt://a", "to": "mqtts://a" },
            "new": { "from": null, "to": [2] },
            "old": { "from": 1, "to": null },
        });
        assert_eq!(between(Some(&before), &after), expected);
        assert_eq!(between(None, &after), after);
        assert_eq!(between(Some(&after), &after), json!({}));
    }

    #[test]
    fn a_changed_setting_is_written_down_under_its_name() {
        let profile = |settings: ConnectionSettings| Profile {
            id: "1".into(),
            name: "plant".into(),
            url: "mqtt://a".into(),
            client_id: "wilco-1".into(),
            settings,
            declined: Vec::new(),
            demo: false,
            certificate_subject: None,
            certificate_expires_at: None,
            has: Secrets::default(),
            in_memory_secrets: false,
            position: 0,
        };
        let before = of_profile(&profile(ConnectionSettings::default()));
        let check = |change: fn(&mut ConnectionSettings), expected: Value| {
            let mut settings = ConnectionSettings::default();
            change(&mut settings);
            assert_eq!(between(Some(&before), &of_profile(&profile(settings))), expected);
        };
        check(|_| (), json!({}));
        check(|settings| settings.keep_alive_s = 60, json!({ "keep_alive_s": { "from": 30, "to": 60 } }));
        check(
            |settings| settings.server_name = Some("n".into()),
            json!({ "server_name": { "from": null, "to": "n" } }),
        );
        check(|settings| settings.devices_named = vec!["a".into()], json!({ "devices": { "from": [], "to": ["a"] } }));
        check(
            |settings| settings.proxy = Some(ProxySettings { url: "http://p:1".into(), username: None }),
            json!({ "proxy_url": { "from": null, "to": "http://p:1" } }),
        );
        check(|settings| settings.dialects.clear(), json!({ "dialects": { "from": ["wilco"], "to": [] } }));
    }
}
