//! The file format of exported connections: JSON, or with secrets an age file encrypted with a passphrase
//! (<https://age-encryption.org/v1>), which other programs can open too.
//!
//! It knows neither the store nor the vault.

use std::{
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use age::{
    DecryptError,
    scrypt::{Identity, Recipient},
    secrecy::SecretString,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wilco_ledger::grouped;
use zeroize::Zeroizing;

use crate::{
    api::{ConnectionEntry, ConnectionSettings, EnabledDialect, Failure, FailureCode, FileToWrite, Secrets, invalid},
    input_file, output_file, paths,
    profile::Bundle,
    store::Profile,
    vault::Secret,
};
use wilco_atomic_file::Readers;

/// The type of the file.
const FORMAT: &str = "wilco connections";
/// Which form of it. A newer one is refused. In version 1 some settings have other names: see [`rename`].
const VERSION: u64 = 2;
/// The largest file that is read, bytes.
const LIMIT: u64 = 16 * 1024 * 1024;
/// Connections of one file. Each has a session and a ledger of its own while Wilco runs.
const MOST_CONNECTIONS: usize = 1_000;
/// The shortest passphrase, characters.
const SHORTEST_PASSPHRASE: usize = 12;
/// scrypt's N as a power of two, at most: a gigabyte of memory, some seconds.
const MOST_WORK: u8 = 20;

/// The file.
#[derive(Serialize, Deserialize)]
struct Page {
    format: String,
    version: u64,
    connections: Vec<Line>,
}

/// One connection in it.
#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    url: String,
    #[serde(flatten)]
    settings: ConnectionSettings,
    /// Which secrets it has.
    has: Secrets,
    /// They themselves, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secrets: Option<String>,
}

/// A connection that was in a file.
pub(crate) struct Found {
    pub(crate) entry: ConnectionEntry,
    /// Which secrets it had where it came from.
    pub(crate) had: Secrets,
    /// Its secrets, where they came along.
    pub(crate) bundle: Option<Bundle>,
}

/// The kind of a file.
pub(crate) enum Opened {
    /// Encrypted, and not opened, because the passphrase is missing or wrong.
    Locked,
    Connections(Vec<Found>),
}

/// Writes connections to a file: with their secrets under a passphrase, or without. An earlier file is replaced as a
/// whole or not at all. Blocks.
pub(crate) fn write(
    to: &FileToWrite,
    connections: &[(Profile, Option<Bundle>)],
    passphrase: Option<&str>,
) -> Result<PathBuf, Failure> {
    let lines = connections.iter().map(|(profile, bundle)| Line::of(profile, bundle.as_ref())).collect();
    let page = Page { format: FORMAT.to_owned(), version: VERSION, connections: lines };
    let plain = serde_json::to_vec_pretty(&page).map(Zeroizing::new).map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Could not save the connections: {error}."),
        hint: None,
    })?;
    for mut line in page.connections {
        zeroize::Zeroize::zeroize(&mut line.secrets);
    }
    match passphrase {
        None => output_file::write(to, Readers::Owner, &plain),
        Some(passphrase) => {
            let length = passphrase.chars().count();
            if length < SHORTEST_PASSPHRASE {
                return Err(invalid(
                    format!("A passphrase of {length} characters is too short to protect private keys."),
                    "Use at least 12 characters, for example four or five unrelated words.",
                ));
            }
            let recipient = Recipient::new(SecretString::from(passphrase.to_owned()));
            let sealed = age::encrypt_and_armor(&recipient, &plain).map_err(|error| Failure {
                code: FailureCode::Internal,
                message: format!("The connections could not be encrypted: {error}."),
                hint: None,
            })?;
            output_file::write(to, Readers::Owner, sealed.as_bytes())
        }
    }
}

/// Reads a file that [`write`] has written. Blocks.
pub(crate) fn read(path: &Path, passphrase: Option<&str>) -> Result<Opened, Failure> {
    let content = content(path, LIMIT)?;
    let not_ours = || Failure {
        code: FailureCode::File,
        message: format!("{} is not a file that Wilco exported.", path.display()),
        hint: Some("Choose a file that was exported from Wilco. To use certificate files, add a connection.".into()),
    };
    let armored = content.trim_ascii_start().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----");
    let plain = if armored || content.starts_with(b"age-encryption.org/") {
        let Some(passphrase) = passphrase else { return Ok(Opened::Locked) };
        let mut identity = Identity::new(SecretString::from(passphrase.to_owned()));
        identity.set_max_work_factor(MOST_WORK);
        match age::decrypt(&identity, content.trim_ascii_start()) {
            Ok(plain) => Zeroizing::new(plain),
            Err(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed) => return Ok(Opened::Locked),
            Err(DecryptError::ExcessiveWork { .. }) => {
                return Err(Failure {
                    code: FailureCode::File,
                    message: format!(
                        "{} would take an unreasonable amount of work to decrypt, so it was not opened.",
                        path.display()
                    ),
                    hint: Some("Wilco does not write such files. Check the source of the file.".into()),
                });
            }
            Err(DecryptError::NoMatchingKeys) => {
                return Err(Failure {
                    code: FailureCode::File,
                    message: format!("{} is encrypted with a key, not with a passphrase.", path.display()),
                    hint: Some("Decrypt it with age, then import the result.".into()),
                });
            }
            Err(_) => return Err(damaged(path)),
        }
    } else {
        content
    };
    let mut page: Value = serde_json::from_slice(&plain).map_err(|_| not_ours())?;
    if page["format"] != FORMAT {
        return Err(not_ours());
    }
    match page["version"].as_u64() {
        Some(..VERSION) => {
            let lines = page["connections"].as_array_mut().ok_or_else(|| damaged(path))?;
            lines.iter_mut().try_for_each(rename).ok_or_else(|| damaged(path))?;
        }
        Some(VERSION) => {}
        _ => {
            return Err(Failure {
                code: FailureCode::File,
                message: format!("{} was exported by a newer version of Wilco.", path.display()),
                hint: Some("Install that version on this computer.".into()),
            });
        }
    }
    let page: Page = serde_json::from_value(page).map_err(|_| damaged(path))?;
    let count = page.connections.len();
    if count > MOST_CONNECTIONS {
        return Err(Failure {
            code: FailureCode::File,
            message: format!(
                "{} has {} connections; the limit is {}.",
                path.display(),
                grouped(count),
                grouped(MOST_CONNECTIONS)
            ),
            hint: Some("Nothing was imported. Export only the connections that you need.".into()),
        });
    }
    let found = page.connections.into_iter().map(|line| line.found().ok_or_else(|| damaged(path)));
    found.collect::<Result<_, _>>().map(Opened::Connections)
}

impl Line {
    fn of(profile: &Profile, bundle: Option<&Bundle>) -> Line {
        Line {
            name: profile.name.clone(),
            url: profile.url.clone(),
            settings: profile.settings.clone(),
            has: profile.has,
            secrets: bundle.map(|bundle| BASE64_STANDARD.encode(bundle.write().expose())),
        }
    }

    /// `None` if its secrets are invalid.
    fn found(self) -> Option<Found> {
        let bundle = match self.secrets.map(Zeroizing::new) {
            Some(secrets) => Some(Bundle::read(&Secret::new(BASE64_STANDARD.decode(secrets.as_bytes()).ok()?))?),
            None => None,
        };
        let Line { name, url, settings, has, .. } = self;
        let entry = ConnectionEntry { name, url, settings, ..ConnectionEntry::default() };
        Some(Found { entry, had: has, bundle })
    }
}

/// Gives the settings of a connection of version 1 their names of today. `None` where that makes no sense.
fn rename(line: &mut Value) -> Option<()> {
    let line = line.as_object_mut()?;
    if let Some(devices) = line.remove("devices") {
        line.insert("devices_named".into(), devices);
    }
    let (url, username) = (line.remove("proxy_url"), line.remove("proxy_username"));
    if let Some(url) = url.filter(|url| !url.is_null()) {
        line.insert("proxy".into(), json!({ "url": url, "username": username }));
    }
    for dialect in line.get_mut("dialects")?.as_array_mut()? {
        let read: EnabledDialect = dialect.as_str()?.parse().ok()?;
        *dialect = serde_json::to_value(read).ok()?;
    }
    Some(())
}

/// A file of at most so many bytes, wiped from memory afterwards. Blocks.
pub(crate) fn content(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable = |error: std::io::Error| Failure {
        code: FailureCode::File,
        message: match error.kind() {
            ErrorKind::NotFound => format!("The file {} does not exist.", path.display()),
            ErrorKind::PermissionDenied => format!("You have no permission to read {}.", path.display()),
            ErrorKind::IsADirectory => format!("{} is a folder.", path.display()),
            _ => format!("{} cannot be read: {error}.", path.display()),
        },
        hint: Some("Check the path and the permissions of the file.".into()),
    };
    let file = input_file::open(&paths::whole(path)?).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    // Large enough from the start: a vector that grows leaves copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0) + 1));
    file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > limit {
        return Err(Failure {
            code: FailureCode::File,
            message: format!("{} is too large to be a file exported by Wilco.", path.display()),
            hint: Some(
                "Choose a file that was exported from Wilco. Such files have only a few kilobytes per entry.".into(),
            ),
        });
    }
    Ok(content)
}

fn damaged(path: &Path) -> Failure {
    Failure {
        code: FailureCode::File,
        message: format!("{} is damaged.", path.display()),
        hint: Some("It may be truncated or altered. Export it again.".into()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::path::Path;

    use serde_json::json;
    use wilco_connection::{
        ConnectionMode, ConnectionSettings, MqttVersion, Preset, Profile, ProxySettings, Secrets, Trust,
    };

    use super::{Found, Opened, read, write};
    use crate::api::{Failure, FileToWrite};

    /// A profile without any default setting.
    fn settings() -> ConnectionSettings {
        ConnectionSettings {
            mode: ConnectionMode::Protected,
            send_operator: true,
            needs_approval: true,
            preset: Preset::Aws,
            mqtt: MqttVersion::V311,
            username: Some("ops".into()),
            dialects: vec!["wilco".into(), "zigbee2mqtt:base=house/z2m".parse().unwrap()],
            dialect_files: vec!["format = 1".into()],
            prefix: "cmd".into(),
            devices_named: vec!["pump-7".into()],
            keep_alive_s: 45,
            session_expiry_s: 7_200,
            trust: Trust::Pinned,
            server_name: Some("broker.example".into()),
            alpn: vec!["mqtt".into()],
            proxy: Some(ProxySettings { url: "http://proxy:3128".into(), username: Some("me".into()) }),
            denied: vec!["+/state".into()],
        }
    }

    fn found(path: &Path) -> Result<Vec<Found>, Failure> {
        match read(path, None)? {
            Opened::Connections(found) => Ok(found),
            Opened::Locked => panic!("it is not encrypted"),
        }
    }

    #[test]
    fn every_setting_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("connections.json");
        let profile = Profile {
            id: "1".into(),
            name: "plant".into(),
            url: "mqtts://broker.example:8883".into(),
            client_id: "wilco-1".into(),
            settings: settings(),
            declined: Vec::new(),
            demo: false,
            certificate_subject: None,
            certificate_expires_at: None,
            has: Secrets { server: true, ..Secrets::default() },
            in_memory_secrets: false,
            position: 0,
        };
        write(&FileToWrite::from(path.clone()), &[(profile, None)], None).unwrap();
        let found = found(&path).unwrap();
        assert_eq!((found[0].entry.name.as_str(), &found[0].entry.settings), ("plant", &settings()));
        assert!(found[0].had.server && found[0].bundle.is_none());
    }

    #[test]
    fn a_file_of_version_1_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("connections.json");
        let none = json!({ "password": false, "certificate": false, "authorities": false, "server": false, "proxy_password": false });
        let connections = json!([
            {
                "name": "plant", "url": "mqtts://broker.example:8883", "mode": "protected", "send_operator": true,
                "needs_approval": true, "preset": "aws", "mqtt": "3.1.1", "username": "ops",
                "dialects": ["wilco", "zigbee2mqtt:base=house/z2m"], "dialect_files": ["format = 1"], "prefix": "cmd",
                "devices": ["pump-7"], "keep_alive_s": 45, "session_expiry_s": 7200, "trust": "pinned",
                "server_name": "broker.example", "alpn": ["mqtt"], "proxy_url": "http://proxy:3128",
                "proxy_username": "me", "denied": ["+/state"], "has": none
            },
            {
                "name": "bare", "url": "mqtt://localhost", "username": null, "dialects": ["wilco"], "keep_alive_s": 30,
                "session_expiry_s": 3600, "server_name": null, "proxy_url": null, "proxy_username": null, "has": none
            }
        ]);
        let write = |version: u64| {
            let page = json!({ "format": "wilco connections", "version": version, "connections": connections });
            std::fs::write(&path, page.to_string()).unwrap();
        };
        write(1);
        let read: Vec<_> = found(&path).unwrap().into_iter().map(|found| found.entry.settings).collect();
        assert_eq!(read, [settings(), ConnectionSettings::default()]);
        // The same in a later version is damaged: it has the dialects in another form.
        write(2);
        assert!(found(&path).is_err_and(|failure| failure.message.contains("is damaged")));
        write(3);
        assert!(found(&path).is_err_and(|failure| failure.message.contains("by a newer version")));
    }
}
