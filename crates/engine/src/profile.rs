//! From what a person gives to a stored profile, and from a stored profile to a session's settings.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use url::Url;
use uuid::Uuid;
use wilco_dialect::{Dialect, Topics, Wishes};
use wilco_ledger::Timestamp;
use zeroize::Zeroizing;

use crate::{
    api::{Failure, FailureCode, MqttVersion, NewConnection, sentence},
    mqtt::Settings,
    store::{ConnectionId, Profile, StoredSecrets},
    tls::{self, Credentials},
    vault::{Secret, SecretKind, Vault},
};

/// Publishes without a PUBACK, at the most. mosquitto queues 1,000 messages a client and drops the rest silently.
const SEND_WINDOW: u16 = 500;

/// How long the broker keeps what devices answer while we are away, seconds. AWS keeps it for an hour by default.
const SESSION_EXPIRY: u32 = 3_600;

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Address {
    /// Reads `mqtt://host[:port]` or `mqtts://host[:port]`.
    pub(crate) fn parse(text: &str) -> Result<Address, Failure> {
        let say = |message: String| {
            invalid(message, "Write it like mqtts://broker.example.net:8883, or mqtt:// without TLS.")
        };
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("mqtts://{text}") };
        let url = Url::parse(&with_scheme).map_err(|error| say(format!("'{text}' is not an address: {error}.")))?;
        let (tls, default_port) = match url.scheme() {
            "mqtt" | "tcp" => (false, 1883),
            "mqtts" | "ssl" | "tls" => (true, 8883),
            other => return Err(say(format!("'{other}://' is not a way Wilco can connect."))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "The address has a user name or password in it.".into(),
                "Give them in their own fields: an address is kept and shown as it stands.",
            ));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| say(format!("'{text}' names no host.")))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Address { host, port: url.port().unwrap_or(default_port), tls })
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }
}

/// A connection as it was asked for, checked, and not yet kept.
pub(crate) struct Draft {
    pub(crate) profile: Profile,
    credentials: Option<Credentials>,
    password: Option<Secret>,
}

impl Draft {
    /// Checks what a person has given and reads the files. Blocks: not for a task of the runtime.
    pub(crate) fn read(new: NewConnection, installation: &str, now: Timestamp) -> Result<Draft, Failure> {
        let name = new.name.trim().to_owned();
        if name.is_empty() {
            return Err(invalid("The connection has no name.".into(), "Give it one that says which fleet it is."));
        }
        let address = Address::parse(new.url.trim())?;
        let files = given(&new.files);
        if files && !address.tls {
            return Err(invalid(
                "Certificates are given, but the address is mqtt://, which is without TLS.".into(),
                "Write mqtts:// for a connection with TLS.",
            ));
        }
        let credentials = files.then(|| tls::read(&new.files, now)).transpose()?;
        let id = Uuid::new_v4().simple().to_string();
        let client_id = match new.client_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => client_id(id)?,
            None => format!("wilco-{}-{}", &installation[..installation.len().min(8)], &id[..8]),
        };
        let password =
            new.password.filter(|password| !password.is_empty()).map(|password| Secret::new(password.into_bytes()));
        let facts = credentials.as_ref().and_then(Credentials::facts);
        let profile = Profile {
            id: ConnectionId::from(id),
            name,
            url: address.url(),
            mqtt: new.mqtt,
            client_id,
            username: new.username.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
            dialect: new.dialect.filter(|name| !name.is_empty()).unwrap_or_else(|| "wilco".into()),
            prefix: new.prefix.map(|prefix| prefix.trim().to_owned()).unwrap_or_default(),
            demo: false,
            certificate_subject: facts.as_ref().map(|facts| facts.subject.clone()),
            certificate_expires_at: facts.as_ref().map(|facts| facts.not_after),
            has: StoredSecrets {
                password: password.is_some(),
                private_key: credentials.as_ref().is_some_and(Credentials::is_mutual),
                certificate: credentials.as_ref().is_some_and(Credentials::is_mutual),
                authorities: credentials.as_ref().is_some_and(|credentials| !credentials.authorities.is_empty()),
            },
            in_memory_secrets: new.without_keyring,
            position: u32::MAX,
        };
        if profile.mqtt == MqttVersion::V311 && profile.username.is_none() && password.is_some() {
            return Err(invalid(
                "A password is given without a user name, which MQTT 3.1.1 does not allow.".into(),
                "Give the user name too, or use MQTT 5.",
            ));
        }
        dialect(&profile)?;
        Ok(Draft { profile, credentials, password })
    }

    /// What a session of it needs, straight from what was given.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let password = self.password.as_ref().map(|secret| Zeroizing::new(secret.expose().to_vec()));
        assemble(&self.profile, self.credentials.as_ref(), password, true)
    }

    /// Puts its secrets away. Blocks: not for a task of the runtime.
    pub(crate) fn keep_secrets(&self, vault: &Vault) -> Result<(), Failure> {
        let owner = self.profile.id.as_str();
        let mut secrets: Vec<(SecretKind, Secret)> = Vec::new();
        if let Some(password) = &self.password {
            secrets.push((SecretKind::Password, password.clone()));
        }
        if let Some(credentials) = &self.credentials {
            secrets.extend(credentials.to_secrets());
        }
        for (kind, secret) in secrets {
            if self.profile.in_memory_secrets {
                vault.hold_in_memory(owner, kind, secret);
            } else {
                vault.put(owner, kind, &secret)?;
            }
        }
        Ok(())
    }
}

/// The dialect that a profile names.
pub(crate) fn dialect(profile: &Profile) -> Result<Dialect, Failure> {
    let topics = Topics::new(&profile.prefix)
        .map_err(|error| invalid(sentence(&error.to_string()), "Leave it empty for topics such as device1/req."))?;
    Dialect::named(&profile.dialect, topics).ok_or_else(|| {
        invalid(
            format!("There is no dialect called '{}'.", profile.dialect),
            &format!("There are: {}.", Dialect::NAMES.join(", ")),
        )
    })
}

/// Fetches a stored connection's secrets and makes its session's settings of them.
pub(crate) async fn settings(profile: Profile, vault: Arc<Vault>, passing: bool) -> Result<Settings, Failure> {
    let fetched = spawn_blocking(move || {
        let fetch = |kind| match vault.get(profile.id.as_str(), kind) {
            // What was never in the keyring is not missed for want of one.
            Err(_) if profile.in_memory_secrets => Ok(None),
            fetched => fetched,
        };
        let password = if profile.has.password { fetch(SecretKind::Password)? } else { None };
        let wants_credentials = profile.has.certificate || profile.has.private_key || profile.has.authorities;
        let credentials = if wants_credentials { Some(Credentials::from_secrets(fetch)?) } else { None };
        let found = StoredSecrets {
            password: password.is_some(),
            private_key: credentials.as_ref().is_some_and(Credentials::is_mutual),
            certificate: credentials.as_ref().is_some_and(Credentials::is_mutual),
            authorities: credentials.as_ref().is_some_and(|credentials| !credentials.authorities.is_empty()),
        };
        if found != profile.has {
            return Err(missing(&profile));
        }
        let password = password.map(|secret| Zeroizing::new(secret.expose().to_vec()));
        assemble(&profile, credentials.as_ref(), password, passing)
    });
    fetched.await.map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Reading the secrets failed: {error}."),
        hint: None,
    })?
}

fn assemble(
    profile: &Profile,
    credentials: Option<&Credentials>,
    password: Option<Zeroizing<Vec<u8>>>,
    passing: bool,
) -> Result<Settings, Failure> {
    let address = Address::parse(&profile.url)?;
    let nothing = Credentials::default();
    let credentials = credentials.unwrap_or(&nothing);
    let tls = address.tls.then(|| tls::client_config(credentials, credentials.trust(), &[])).transpose()?;
    Ok(Settings {
        host: address.host,
        port: address.port,
        tls: tls.map(|(config, _)| config),
        version: profile.mqtt,
        client_id: profile.client_id.clone(),
        username: profile.username.clone(),
        password,
        filters: dialect(profile)?.filters(&Wishes::default()),
        send_window: SEND_WINDOW,
        session_expiry: if passing { 0 } else { SESSION_EXPIRY },
    })
}

/// MQTT section 3.1.3.1; AWS allows 128 bytes and no leading `$`.
fn client_id(id: &str) -> Result<String, Failure> {
    if id.len() > 128 || id.starts_with('$') || id.chars().any(char::is_control) {
        return Err(invalid(
            format!("'{id}' cannot be a client id."),
            "At most 128 bytes, not beginning with '$', and without control characters.",
        ));
    }
    Ok(id.to_owned())
}

fn given(files: &crate::api::TlsFiles) -> bool {
    files.ca.is_some() || files.certificate.is_some() || files.key.is_some()
}

fn missing(profile: &Profile) -> Failure {
    let (message, hint) = if profile.in_memory_secrets {
        ("were kept in memory for one run only", "Remove the connection and add it again from its files.")
    } else {
        (
            "are no longer in the keyring",
            "Somebody removed them there. Remove the connection and add it again from its files.",
        )
    };
    Failure {
        code: FailureCode::NotFound,
        message: format!("The secrets of '{}' {message}.", profile.name),
        hint: Some(hint.into()),
    }
}

pub(crate) fn invalid(message: String, hint: &str) -> Failure {
    Failure { code: FailureCode::Invalid, message, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let check = |text: &str, expected: Result<&str, &str>| match (Address::parse(text), expected) {
            (Ok(address), Ok(url)) => assert_eq!(address.url(), url, "{text}"),
            (Err(failure), Err(part)) => assert!(failure.message.contains(part), "{text}: {}", failure.message),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        };
        check("mqtts://broker.example.net", Ok("mqtts://broker.example.net:8883"));
        check("mqtt://10.0.0.7", Ok("mqtt://10.0.0.7:1883"));
        check("broker.example.net:8884", Ok("mqtts://broker.example.net:8884"));
        check("mqtt://[::1]:1884", Ok("mqtt://[::1]:1884"));
        check("http://broker", Err("not a way Wilco can connect"));
        check("mqtt://", Err("'mqtt://'"));
        check("mqtt://user:secret@broker", Err("user name or password"));
        check("mqtt://broker:99999", Err("not an address"));
    }
}
