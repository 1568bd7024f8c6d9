//! A request to another installation to approve a rollout, with everything that was decided when the rollout was
//! created.
//!
//! The first line says who asks and on which broker, the second what is sent in which stages and how that looks on the wire,
//! and each line after them names a device. The first two are stored with the rollout as they are signed; those of the
//! devices are written from its members, so that what is approved cannot be other than what is sent.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wilco_connection::ConnectionSettings;
use wilco_credentials::signing::{PublicKey, SigningKey};
use wilco_dialect::{DialectFile, json as json_text};

use super::{Kind, altered, json};
use crate::{
    api::{Confirmed, Failure, NewRollout, PlannedRequest},
    audit::{Signer, hex},
    signed_lines::{Format, Hash},
    store::{NewMember, Profile, StoredApproval, StoredRollout},
};

const KIND: Kind = Kind {
    format: Format { name: "wilco approval request", version: 1 },
    name: "an approval request",
    made_by: "Choose the file that your colleague saved for a rollout that waits for approval.",
};
/// An answer is accepted for so long, milliseconds: 7 days.
const EXPIRES_AFTER: i64 = 7 * 86_400_000;
/// Requests for more dialects than this are not shown.
const MOST_SAMPLES: usize = 50;

/// The connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) prefix: String,
    /// The dialects in which the requests are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dialects: Vec<ConnectionDialect>,
}

/// A dialect of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectionDialect {
    /// Its name.
    pub(crate) name: String,
    /// Its name with its settings, as on the command line.
    enabled: String,
    /// The SHA-256 of its file, where it is one of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    format: String,
    version: u32,
    pub(crate) wilco: String,
    #[serde(flatten)]
    pub(crate) signer: Signer,
    /// The rollout's number.
    pub(crate) rollout: u32,
    /// Unix milliseconds.
    pub(crate) created_at: i64,
    /// Unix milliseconds.
    pub(crate) expires_at: i64,
    pub(crate) connection: Connection,
}

/// The second line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    record: String,
    /// What was asked for.
    pub(crate) spec: NewRollout,
    /// The number of members of each stage.
    pub(crate) stages: Vec<u32>,
    pub(crate) members: u32,
    /// The SHA-256 of the lines of the members, each with a line feed after it.
    pub(crate) members_sha256: String,
    /// The request of the first member in each dialect.
    pub(crate) samples: Vec<Sample>,
}

/// A request as it was going to be published when the rollout was created, with a placeholder for the command's ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The name of the dialect.
    pub(crate) dialect: String,
    pub(crate) device: String,
    pub(crate) topic: String,
    /// Bytes that are not UTF-8 stand as `\xNN`.
    pub(crate) payload: String,
}

/// Each line after that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    record: String,
    pub(crate) device: String,
    /// Its own arguments, where they are not everybody's: JSON.
    pub(crate) args: Option<String>,
}

/// A request as it was read from its file.
pub(crate) struct Request {
    pub(crate) header: Header,
    pub(crate) plan: Plan,
    pub(crate) members: Vec<Member>,
    /// What is signed, by its SHA-256.
    pub(crate) sha256: Hash,
    /// The key that signed it.
    pub(crate) key: PublicKey,
}

impl Connection {
    /// Of a profile.
    pub(crate) fn of(profile: &Profile) -> Connection {
        let Profile { name, url, settings, .. } = profile;
        let ConnectionSettings { prefix, dialects, dialect_files, .. } = settings;
        let file = |name: &str| {
            let is_it = |text: &&String| DialectFile::parse(text).is_ok_and(|file| file.name() == name);
            dialect_files.iter().find(is_it).map(|text| hex(&Sha256::digest(text)))
        };
        let dialects = dialects.iter().map(|enabled| ConnectionDialect {
            name: enabled.name.clone(),
            enabled: enabled.to_string(),
            sha256: file(&enabled.name),
        });
        Connection { name: name.clone(), url: url.clone(), prefix: prefix.clone(), dialects: dialects.collect() }
    }

    /// Whether it reaches the same devices, whatever it is called.
    pub(crate) fn is_same_place(&self, other: &Connection) -> bool {
        (&self.url, &self.prefix) == (&other.url, &other.prefix)
    }

    /// The dialect of its requests that the other one does not have as it was.
    pub(crate) fn changed_dialect(&self, other: &Connection) -> Option<&str> {
        let changed = self.dialects.iter().find(|dialect| !other.dialects.contains(dialect));
        changed.map(|dialect| dialect.name.as_str())
    }

    /// Whether requests are written to the same place and in the same dialects as there.
    pub(crate) fn sends_as(&self, other: &Connection) -> bool {
        self.is_same_place(other) && self.changed_dialect(other).is_none()
    }
}

impl Sample {
    fn of((dialect, PlannedRequest { device, request }): (String, PlannedRequest)) -> Sample {
        Sample { dialect, device, topic: request.topic, payload: request.payload }
    }
}

/// The request for a rollout that is about to be created.
///
/// # Errors
/// [`FailureCode::Internal`](crate::api::FailureCode) where it cannot be written as JSON.
pub(crate) fn stored(
    rollout: &StoredRollout,
    members: &[NewMember],
    samples: Vec<(String, PlannedRequest)>,
    profile: &Profile,
    (signer, now): (Signer, i64),
) -> Result<StoredApproval, Failure> {
    let expires_at = now.saturating_add(EXPIRES_AFTER);
    let mut connection = Connection::of(profile);
    connection.dialects.retain(|dialect| samples.iter().any(|(of, _)| *of == dialect.name));
    let header = Header {
        format: KIND.format.name.to_owned(),
        version: KIND.format.version,
        wilco: env!("CARGO_PKG_VERSION").to_owned(),
        signer,
        rollout: rollout.number,
        created_at: now,
        expires_at,
        connection,
    };
    let lines = lines(members.iter().map(|member| (member.device.as_str(), member.args.as_deref())))?;
    let plan = Plan {
        record: "rollout".to_owned(),
        spec: NewRollout { confirmed: Confirmed::No, ..rollout.spec.clone() },
        stages: rollout.stages.clone(),
        members: u32::try_from(members.len()).unwrap_or(u32::MAX),
        members_sha256: hash_of(&lines),
        samples: samples.into_iter().take(MOST_SAMPLES).map(Sample::of).collect(),
    };
    Ok(StoredApproval { request: vec![json(&header)?, json(&plan)?], expires_at, decision: None, answer: None })
}

/// The lines of members: of each its device and its own arguments.
fn lines<'a>(members: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Result<Vec<String>, Failure> {
    let line = |(device, args): (&str, Option<&str>)| {
        json(&Member { record: "member".to_owned(), device: device.to_owned(), args: args.map(str::to_owned) })
    };
    members.map(line).collect()
}

fn hash_of(lines: &[String]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

/// What is signed of a stored request for these members.
fn signed<'a>(
    approval: &StoredApproval,
    members: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<Vec<String>, Failure> {
    Ok([approval.request.clone(), lines(members)?].concat())
}

/// The SHA-256 of what is signed of a stored request for these members.
pub(crate) fn digest<'a>(
    approval: &StoredApproval,
    members: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<Hash, Failure> {
    Ok(KIND.format.digest(signed(approval, members)?))
}

/// The file of a stored request for these members.
pub(crate) fn text<'a>(
    approval: &StoredApproval,
    members: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    key: &SigningKey,
) -> Result<String, Failure> {
    Ok(KIND.format.signed(&signed(approval, members)?, key))
}

/// Whether a rollout is still the one that a stored request asks for. Its note may have changed.
pub(crate) fn asks_for(approval: &StoredApproval, rollout: &StoredRollout) -> bool {
    let StoredRollout { spec, template, stages, .. } = rollout;
    let plan = approval.request.get(1).and_then(|line| serde_json::from_str::<Plan>(line).ok());
    plan.is_some_and(|plan| {
        plan.spec == NewRollout { note: plan.spec.note.clone(), confirmed: Confirmed::No, ..spec.clone() }
            && plan.stages == *stages
            && *template.name == plan.spec.command.name
            && json_text::object(plan.spec.command.args.as_str()).as_deref() == Ok(&*template.args)
    })
}

/// The connection that a stored request was made for; `None` where it cannot be read.
pub(crate) fn connection_of(approval: &StoredApproval) -> Option<Connection> {
    let header: Header = serde_json::from_str(approval.request.first()?).ok()?;
    Some(header.connection)
}

impl Request {
    /// Reads such a file. Blocks.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode).
    pub(crate) fn read(path: &Path) -> Result<Request, Failure> {
        let opened = KIND.open(path)?;
        let sha256 = KIND.format.digest(&opened.lines);
        let parsed = || {
            let [header, plan, members @ ..] = opened.lines.as_slice() else { return None };
            let (header, plan): (Header, Plan) = (serde_json::from_str(header).ok()?, serde_json::from_str(plan).ok()?);
            let dialects: BTreeSet<_> = plan.samples.iter().map(|sample| &sample.dialect).collect();
            let is_whole = plan.members as usize == members.len()
                && plan.samples.len() <= MOST_SAMPLES
                && dialects.len() == plan.samples.len()
                && plan.members_sha256 == hash_of(members)
                && plan.stages.iter().try_fold(0_u32, |sum, stage| sum.checked_add(*stage)) == Some(plan.members);
            let members = members.iter().map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
            is_whole.then_some(Request { header, plan, members, sha256, key: opened.key })
        };
        parsed().ok_or_else(|| altered(path))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_credentials::vault::Vault;

    use super::*;

    #[test]
    fn a_file_with_many_requests_in_one_dialect_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let key = SigningKey::open_or_create(&Vault::in_memory()).unwrap();
        let member = Member { record: "device".into(), device: "pump-1".into(), args: None };
        let member = json(&member).unwrap();
        let signer = Signer {
            installation: "i".into(),
            name: "Ana".into(),
            operator: None,
            os_user: "ana".into(),
            machine: "desk".into(),
        };
        let header = Header {
            format: KIND.format.name.into(),
            version: KIND.format.version,
            wilco: "0.1.0".into(),
            signer,
            rollout: 1,
            created_at: 0,
            expires_at: EXPIRES_AFTER,
            connection: Connection {
                name: "plant".into(),
                url: "mqtt://h".into(),
                prefix: String::new(),
                dialects: Vec::new(),
            },
        };
        let is_read = |dialects: Vec<String>| {
            let sample = |dialect: &String| Sample {
                dialect: dialect.clone(),
                device: "pump-1".into(),
                topic: "pump-1/req".into(),
                payload: "{}".into(),
            };
            let plan = Plan {
                record: "plan".into(),
                spec: NewRollout::default(),
                stages: vec![1],
                members: 1,
                members_sha256: hash_of(std::slice::from_ref(&member)),
                samples: dialects.iter().map(sample).collect(),
            };
            let lines = [json(&header).unwrap(), json(&plan).unwrap(), member.clone()];
            let file = directory.path().join("1.wilco-request");
            std::fs::write(&file, KIND.format.signed(&lines, &key)).unwrap();
            Request::read(&file).is_ok()
        };
        let named = |count: usize| (0..count).map(|number| format!("dialect-{number}")).collect::<Vec<_>>();
        assert!(is_read(Vec::new()) && is_read(named(MOST_SAMPLES)));
        assert!(!is_read(named(MOST_SAMPLES + 1)), "too many");
        assert!(!is_read(vec!["wilco".into(), "wilco".into()]), "one twice");
    }
}
