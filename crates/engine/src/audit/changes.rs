//! The differences between two states, for the audit.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
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
        mode,
        send_operator,
        needs_approval,
        preset,
        mqtt,
        client_id,
        username,
        dialects,
        dialect_files,
        declined,
        prefix,
        devices,
        keep_alive,
        session_expiry,
        trust,
        server_name,
        alpn,
        proxy_url,
        proxy_username,
        denied,
        demo: _,
        certificate_subject,
        certificate_expires_at,
        has,
        in_memory_secrets,
        position: _,
    } = profile;
    let files: Vec<_> = dialect_files.iter().map(|text| file(text)).collect();
    json!({
        "name": name,
        "url": url,
        "mode": mode,
        "send_operator": send_operator,
        "needs_approval": needs_approval,
        "preset": preset,
        "mqtt": mqtt,
        "client_id": client_id,
        "username": username,
        "dialects": dialects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "dialect_files": files,
        "declined": declined,
        "prefix": prefix,
        "devices": devices,
        "keep_alive_s": keep_alive,
        "session_expiry_s": session_expiry,
        "trust": trust,
        "server_name": server_name,
        "alpn": alpn,
        "proxy_url": proxy_url,
        "proxy_username": proxy_username,
        "denied": denied,
        "certificate_subject": certificate_subject,
        "certificate_expires_at": certificate_expires_at.map(|at| at.0),
        "has": has,
        "in_memory_secrets": in_memory_secrets,
    })
}

/// A dialect file by its name and its content's SHA-256.
fn file(text: &str) -> Value {
    let name = DialectFile::parse(text).map(|file| file.name().to_owned()).unwrap_or_default();
    json!({ "name": name, "sha256": hex(&Sha256::digest(text.as_bytes())) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::between;

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
}
