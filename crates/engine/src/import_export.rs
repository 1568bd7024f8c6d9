//! The file format of exported connections: JSON, or with secrets an age file encrypted with a passphrase
//! (<https://age-encryption.org/v1>), which other programs can open too.
//!
//! It knows neither the store nor the vault.

use std::{
    fs::File,
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
use wilco_ledger::grouped;
use zeroize::Zeroizing;

use crate::{
    api::{
        ConnectionEntry, ConnectionMode, Failure, FailureCode, FileToWrite, MqttVersion, Preset, Secrets, Trust,
        invalid,
    },
    atomic_file::{self, Readers},
    paths,
    profile::Bundle,
    store::Profile,
    vault::Secret,
};

/// The type of the file.
const FORMAT: &str = "wilco connections";
/// Which form of it. A newer one is refused.
const VERSION: u32 = 1;
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
    version: u32,
    connections: Vec<Line>,
}

/// One connection in it.
#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    url: String,
    #[serde(default)]
    mode: ConnectionMode,
    #[serde(default)]
    send_operator: bool,
    #[serde(default)]
    needs_approval: bool,
    #[serde(default)]
    preset: Preset,
    #[serde(default)]
    mqtt: MqttVersion,
    username: Option<String>,
    dialects: Vec<String>,
    #[serde(default)]
    dialect_files: Vec<String>,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    devices: Vec<String>,
    keep_alive_s: u16,
    session_expiry_s: u32,
    #[serde(default)]
    trust: Trust,
    server_name: Option<String>,
    #[serde(default)]
    alpn: Vec<String>,
    proxy_url: Option<String>,
    proxy_username: Option<String>,
    #[serde(default)]
    denied: Vec<String>,
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
    /// Encrypted, and not opened: the passphrase is missing or wrong.
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
        None => atomic_file::write(to, Readers::Owner, &plain),
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
            atomic_file::write(to, Readers::Owner, sealed.as_bytes())
        }
    }
}

/// Reads a file that [`write`] has written. Blocks.
pub(crate) fn read(path: &Path, passphrase: Option<&str>) -> Result<Opened, Failure> {
    let content = content(path, LIMIT)?;
    let not_ours = || Failure {
        code: FailureCode::File,
        message: format!("{} was not exported by Wilco.", path.display()),
        hint: Some("Choose a file that was exported in Wilco. To use certificate files, add a connection.".into()),
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
                        "{} requires an unreasonable amount of work to decrypt, so it was not opened.",
                        path.display()
                    ),
                    hint: Some("Wilco does not write such files. Check where it comes from.".into()),
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
    let page: serde_json::Value = serde_json::from_slice(&plain).map_err(|_| not_ours())?;
    if page["format"] != FORMAT {
        return Err(not_ours());
    }
    if page["version"].as_u64().is_none_or(|version| version > u64::from(VERSION)) {
        return Err(Failure {
            code: FailureCode::File,
            message: format!("{} was exported by a newer version of Wilco.", path.display()),
            hint: Some("Install that version on this computer.".into()),
        });
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
            hint: Some("Nothing was imported. Export the connections that you need into a file of their own.".into()),
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
            mode: profile.mode,
            send_operator: profile.send_operator,
            needs_approval: profile.needs_approval,
            preset: profile.preset,
            mqtt: profile.mqtt,
            username: profile.username.clone(),
            dialects: profile.dialects.iter().map(ToString::to_string).collect(),
            dialect_files: profile.dialect_files.clone(),
            prefix: profile.prefix.clone(),
            devices: profile.devices.clone(),
            keep_alive_s: profile.keep_alive,
            session_expiry_s: profile.session_expiry,
            trust: profile.trust,
            server_name: profile.server_name.clone(),
            alpn: profile.alpn.clone(),
            proxy_url: profile.proxy_url.clone(),
            proxy_username: profile.proxy_username.clone(),
            denied: profile.denied.clone(),
            has: profile.has,
            secrets: bundle.map(|bundle| BASE64_STANDARD.encode(bundle.write().expose())),
        }
    }

    /// `None` where its secrets or its dialects make no sense.
    fn found(self) -> Option<Found> {
        let bundle = match self.secrets.map(Zeroizing::new) {
            Some(secrets) => Some(Bundle::read(&Secret::new(BASE64_STANDARD.decode(secrets.as_bytes()).ok()?))?),
            None => None,
        };
        let entry = ConnectionEntry {
            name: self.name,
            url: self.url,
            mode: self.mode,
            send_operator: self.send_operator,
            needs_approval: self.needs_approval,
            preset: self.preset,
            mqtt: self.mqtt,
            username: self.username,
            dialects: self.dialects.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?,
            dialect_files: self.dialect_files,
            prefix: Some(self.prefix),
            devices: self.devices,
            keep_alive_s: Some(self.keep_alive_s),
            session_expiry_s: Some(self.session_expiry_s),
            trust: self.trust,
            server_name: self.server_name,
            alpn: self.alpn,
            proxy: self.proxy_url.map(|url| crate::api::ProxyEntry {
                url,
                username: self.proxy_username,
                password: None,
            }),
            denied: self.denied,
            ..ConnectionEntry::default()
        };
        Some(Found { entry, had: self.has, bundle })
    }
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
    let file = File::open(paths::whole(path)?).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    // Large enough from the start: a vector that grows leaves copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0) + 1));
    file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > limit {
        return Err(Failure {
            code: FailureCode::File,
            message: format!("{} is too large to be a file exported by Wilco.", path.display()),
            hint: Some(
                "Choose a file that was exported in Wilco; such files have only a few kilobytes per entry.".into(),
            ),
        });
    }
    Ok(content)
}

fn damaged(path: &Path) -> Failure {
    Failure {
        code: FailureCode::File,
        message: format!("{} is damaged.", path.display()),
        hint: Some("It may have been cut off or changed. Export it again.".into()),
    }
}
