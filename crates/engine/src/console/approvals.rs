//! Approvals by a second installation: requesting and giving them.

use std::path::PathBuf;

use serde_json::json;
use wilco_credentials::signing::{PublicKey, SigningKey};
use wilco_ledger::Timestamp;

use super::{Handle, blocking, no_rollout, not_found};
use crate::{
    api::{
        ApprovalAnswer, ApprovalDecision, ApprovalDevice, ApprovalFact, ApprovalRequestView, ApprovalSample,
        ApprovalSender, AuditKind, Failure, FileToWrite, InstallationIdentity, JsonText, RolloutView, TrustedView,
        Verdict, grouped, invalid, legible,
    },
    approval::{self, Answer, Identity, Request, Sample},
    audit::{devices, hex, plain, unhex},
    controller, dialects, output_file,
    paths::whole,
    rollouts::{target, terms},
    store::{NewAuditEntry, StoredApproval, TrustedInstallation},
    vault::VaultError,
    views,
};
use wilco_atomic_file::Readers;

/// The longest name of an installation, in characters.
const NAME: usize = 200;
/// The longest note on an answer, in characters.
const NOTE: usize = 10_000;
/// Devices of a request that are shown, at the most.
const SHOWN: usize = 5_000;

impl Handle {
    /// This installation as seen by others: its name and its public key. The key is generated on first use.
    ///
    /// # Errors
    /// [`FailureCode::Keyring`](crate::api::FailureCode).
    pub async fn identity(&self) -> Result<InstallationIdentity, Failure> {
        let key = self.signing_key().await?;
        Ok(identity(&self.audit.signer().name, &key.public()))
    }

    /// Writes this identity to a file, for another installation to trust. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::Keyring`](crate::api::FailureCode); `File`, and `Exists` if the file exists and must not be
    /// replaced.
    pub async fn export_identity(&self, to: FileToWrite) -> Result<PathBuf, Failure> {
        let key = self.signing_key().await?;
        let text = Identity::text(&self.audit.signer().name, &key)?;
        blocking(move || output_file::write(&to, Readers::Umask, text.as_bytes())).await
    }

    /// Reads the identity of another installation from a file.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode).
    pub async fn read_identity(&self, path: PathBuf) -> Result<InstallationIdentity, Failure> {
        let Identity { name, key } = blocking(move || Identity::read(&whole(&path)?)).await?;
        Ok(identity(&name, &key))
    }

    /// The installations whose approvals are accepted here, by name.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn trusted_installations(&self) -> Result<Vec<TrustedView>, Failure> {
        let trusted = self.store.trusted_installations().await?;
        Ok(trusted.into_iter().filter_map(trusted_view).collect())
    }

    /// Accepts approvals of an installation, by its public key.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a name or key that is invalid, already in use, or this
    /// installation's own; `Keyring`; `Store`.
    pub async fn trust_installation(&self, name: &str, public_key: &str) -> Result<TrustedView, Failure> {
        let name = legible(name, "name")?;
        if name.is_empty() || name.chars().count() > NAME {
            return Err(invalid(
                "The name of the installation is empty or too long.".into(),
                "Enter 1 to 200 characters.",
            ));
        }
        let key = unhex(public_key.trim()).as_deref().and_then(PublicKey::from_bytes).ok_or_else(|| {
            invalid(
                "This is not a public key.".into(),
                "A key has 64 hexadecimal digits, as printed by wilco approval identity.",
            )
        })?;
        if self.own_key().await? == Some(key) {
            return Err(invalid(
                "This is this installation's own key.".into(),
                "Enter the key of the second installation, which gives the approvals.",
            ));
        }
        let installation = TrustedInstallation {
            name: name.to_owned(),
            public_key: key.as_bytes().to_vec(),
            added_at: self.clock.now(),
        };
        let entry = self.audit.entry(AuditKind::Approval, format!("Added {name} to the trusted installations"));
        let entry =
            entry.with(&json!({ "name": name, "public_key": hex(key.as_bytes()), "fingerprint": key.fingerprint() }));
        if !self.store.audited(entry).trust_installation(installation.clone()).await? {
            return Err(invalid(
                format!("An installation named '{name}' or with this key is already trusted."),
                "Choose another name, or remove the other one first.",
            ));
        }
        trusted_view(installation).ok_or_else(|| not_found("installation", name))
    }

    /// Stops accepting approvals from an installation. Rollouts that it has approved continue.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Store`.
    pub async fn distrust_installation(&self, name: &str) -> Result<(), Failure> {
        let entry = self.audit.entry(AuditKind::Approval, format!("Removed {name} from the trusted installations"));
        let store = self.store.audited(entry.with(&json!({ "name": name })));
        if !store.distrust_installation(name).await? {
            return Err(not_found("trusted installation", name));
        }
        Ok(())
    }

    /// Writes the request to approve a waiting rollout to a file. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` for a rollout that does not wait for approval; `Keyring`;
    /// `File`; `Exists`.
    pub async fn save_approval_request(&self, rollout: &str, to: FileToWrite) -> Result<PathBuf, Failure> {
        let (number, approval) = self.approval_of(rollout).await?;
        if approval.decision.is_some() {
            return Err(invalid(
                format!("Rollout {number} no longer waits for an approval."),
                "To see the answer, open the rollout's page or run wilco rollout show.",
            ));
        }
        let key = self.signing_key().await?;
        let members = self.store.rollout_members(number).await?;
        let text = approval::text(
            &approval,
            members.iter().map(|member| (member.device.as_str(), member.args.as_deref())),
            &key,
        )?;
        blocking(move || output_file::write(&to, Readers::Umask, text.as_bytes())).await
    }

    /// Reads a request of another installation.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode), also for one that was altered.
    pub async fn read_approval_request(&self, path: PathBuf) -> Result<ApprovalRequestView, Failure> {
        let request = blocking(move || Request::read(&whole(&path)?)).await?;
        let refused = self.refuse_to_answer(&request).await?;
        let trusted = self.trusted_name(&request.key).await?;
        Ok(view(&request, trusted, refused.map(|failure| failure.message)))
    }

    /// Signs the answer to a request, and writes it to a file. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode); `Invalid` for a request of this installation, one that has expired, or
    /// one that is not the one that the person has seen; `Keyring`; `Exists`; `Store`.
    pub async fn answer_approval_request(&self, answer: ApprovalAnswer, to: FileToWrite) -> Result<PathBuf, Failure> {
        let ApprovalAnswer { request: path, sha256, verdict, note } = answer;
        let note = note.filter(|note| !note.trim().is_empty());
        if note.as_ref().is_some_and(|note| note.chars().count() > NOTE) {
            return Err(invalid("The note is too long.".into(), "Write at most 10,000 characters."));
        }
        let request = blocking(move || Request::read(&whole(&path)?)).await?;
        if hex(&request.sha256) != sha256 {
            return Err(invalid(
                "The file no longer contains the request that was shown.".into(),
                "Nothing was signed. Open the file again and review it.",
            ));
        }
        if let Some(refused) = self.refuse_to_answer(&request).await? {
            return Err(refused);
        }
        let key = self.signing_key().await?;
        let by = self.audit.signer();
        let answer = Answer::new(&request, by, (verdict, note.clone()), self.clock.now().0);
        let text = answer.text(&key)?;
        // A file that cannot be written is told before anything is in the audit.
        let file = blocking(move || output_file::OutputFile::begin(&to, Readers::Umask)).await?;
        self.store.append_audit(self.audit_answered(&request, verdict, note)).await?;
        blocking(move || {
            use std::io::Write;
            let mut file = file;
            file.write_all(text.as_bytes()).map_err(|error| output_file::refused(file.path(), &error))?;
            file.finish()
        })
        .await
    }

    /// Imports the answer to the request of the given rollout, or of any waiting one. An approved rollout starts; a
    /// declined one is stopped.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for an invalid or altered file; `Invalid` for an answer that is
    /// signed by a key that is not trusted or is this installation's own, is for another rollout, has expired, or was
    /// used before, also where that is not known because the database is an older copy; `ReadOnly`; `Keyring`; `Store`.
    pub async fn import_approval(&self, path: PathBuf, rollout: Option<String>) -> Result<RolloutView, Failure> {
        let read = blocking(move || Answer::read(&whole(&path)?)).await?;
        if self.own_key().await? == Some(read.key) {
            return Err(invalid(
                "This answer was signed by this installation.".into(),
                "A second installation must approve: send the request to a colleague.",
            ));
        }
        let Some(by) = self.trusted_name(&read.key).await? else {
            return Err(invalid(
                format!("The answer is signed by the key {}, which is not trusted here.", read.key.fingerprint()),
                "If it belongs to a colleague who may approve, compare the fingerprint, then add the key in Settings \
                 or with wilco approval trust FILE.",
            ));
        };
        let Answer { verdict, note, signed_at, .. } = read.answer.clone();
        // In an older copy of the database a rollout waits again that was approved already.
        if verdict == Verdict::Approved && !self.audit_continues().await? {
            return Err(invalid(
                "The audit does not continue from its last seal, so this approval may have been used before.".into(),
                "Verify the audit. If you restored a backup, seal it again (wilco audit reseal), and check whether \
                 the rollout already ran.",
            ));
        }
        let number = self.answered_rollout(&read.answer, rollout.as_deref()).await?;
        let decision = ApprovalDecision {
            verdict,
            by,
            fingerprint: read.key.fingerprint(),
            note,
            signed_at,
            imported_at: self.clock.now().0,
        };
        let answer = (read.text, read.answer.request_sha256);
        self.request(|reply| controller::Request::DecideRollout(number, Box::new(decision), answer, reply)).await??;
        self.shown_rollout(number).await
    }

    /// The rollout that an answer is for, if its request is that of exactly this rollout.
    async fn answered_rollout(&self, answer: &Answer, wanted: Option<&str>) -> Result<u32, Failure> {
        let hint = "Import the answer to this rollout's request. If the request is lost, save it again.";
        if answer.installation != *self.installation {
            return Err(invalid("The answer is for a rollout of another installation.".into(), hint));
        }
        let number = answer.rollout;
        if let Some(wanted) = wanted.filter(|wanted| wanted.trim() != number.to_string()) {
            return Err(invalid(format!("The answer is for rollout {number}, not for rollout {wanted}."), hint));
        }
        let (number, approval) = self.approval_of(&number.to_string()).await?;
        let members = self.store.rollout_members(number).await?;
        let members = members.iter().map(|member| (member.device.as_str(), member.args.as_deref()));
        if hex(&approval::digest(&approval, members)?) != answer.request_sha256 {
            return Err(invalid(format!("The answer is not for the request of rollout {number}."), hint));
        }
        Ok(number)
    }

    /// The number of a rollout that requires an approval, and its request.
    async fn approval_of(&self, id: &str) -> Result<(u32, StoredApproval), Failure> {
        let number = id.trim().parse().map_err(|_| no_rollout(id))?;
        self.shown_rollout(number).await?;
        let approval = self.store.rollout_approval(number).await?.ok_or_else(|| {
            invalid(
                format!("Rollout {number} needs no approval."),
                "Only a dangerous command on a connection that requires approval waits for one.",
            )
        })?;
        Ok((number, approval))
    }

    /// The reason why a request cannot be answered here.
    async fn refuse_to_answer(&self, request: &Request) -> Result<Option<Failure>, Failure> {
        if request.header.signer.installation == *self.installation || self.own_key().await? == Some(request.key) {
            return Ok(Some(invalid(
                "This request was made by this installation.".into(),
                "A second installation must answer it: send it to a colleague.",
            )));
        }
        if self.clock.now().0 >= request.header.expires_at {
            return Ok(Some(invalid(
                "This request has expired.".into(),
                "Ask your colleague to start the rollout again, which creates a new request.",
            )));
        }
        Ok(None)
    }

    /// The audit entry about an answered request.
    fn audit_answered(&self, request: &Request, verdict: Verdict, note: Option<String>) -> NewAuditEntry {
        let Request { header, plan, sha256, key, .. } = request;
        let did = match verdict {
            Verdict::Approved => "Approved",
            Verdict::Declined => "Declined",
        };
        let (command, to) = (&plan.spec.command, devices(plan.members as usize));
        let what = format!("{did} rollout {} of {}: {} to {to}", header.rollout, header.signer.name, command.name);
        let details = json!({
            "verdict": verdict,
            "rollout": header.rollout,
            "installation": header.signer.installation,
            "from": header.signer.name,
            "fingerprint": key.fingerprint(),
            "connection": header.connection.name,
            "url": header.connection.url,
            "command": command.name,
            "args": plain(command.args.as_str()),
            "members": plan.members,
            "members_sha256": plan.members_sha256,
            "stages": plan.stages,
            "expires_at": header.expires_at,
            "request_sha256": hex(sha256),
        });
        self.audit.entry(AuditKind::Approval, what).with(&details).because(note)
    }

    /// The name of a key's owner here, if it is trusted.
    async fn trusted_name(&self, key: &PublicKey) -> Result<Option<String>, Failure> {
        let trusted = self.store.trusted_installations().await?;
        Ok(trusted.into_iter().find(|one| one.public_key == key.as_bytes()).map(|one| one.name))
    }

    /// The installation's key; a new one where it has none.
    pub(super) async fn signing_key(&self) -> Result<SigningKey, Failure> {
        let vault = self.vault.clone();
        blocking(move || Ok(SigningKey::open_or_create(&vault)?)).await
    }

    /// The installation's public key, if it has one.
    async fn own_key(&self) -> Result<Option<PublicKey>, Failure> {
        let vault = self.vault.clone();
        blocking(move || match SigningKey::open(&vault) {
            Ok(key) => Ok(key.map(|key| key.public())),
            // Without a keyring it has none, and may still read what others have signed.
            Err(VaultError::NoKeyring(_)) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await
    }
}

fn identity(name: &str, key: &PublicKey) -> InstallationIdentity {
    InstallationIdentity { name: name.to_owned(), public_key: hex(key.as_bytes()), fingerprint: key.fingerprint() }
}

fn trusted_view(stored: TrustedInstallation) -> Option<TrustedView> {
    let TrustedInstallation { name, public_key, added_at: Timestamp(added_at) } = stored;
    let key = PublicKey::from_bytes(&public_key)?;
    Some(TrustedView { name, public_key: hex(key.as_bytes()), fingerprint: key.fingerprint(), added_at })
}

fn view(request: &Request, trusted_as: Option<String>, refused: Option<String>) -> ApprovalRequestView {
    let Request { header, plan, members, sha256, key } = request;
    let signer = &header.signer;
    let devices = members
        .iter()
        .take(SHOWN)
        .map(|member| ApprovalDevice { device: member.device.clone(), args: member.args.clone().map(JsonText::from) });
    ApprovalRequestView {
        sha256: hex(sha256),
        rollout: header.rollout,
        summary: summary(request),
        facts: facts(request),
        args: plan.spec.command.args.clone(),
        samples: plan.samples.iter().map(sample).collect(),
        devices: devices.collect(),
        members: plan.members,
        note: plan.spec.note.clone().filter(|note| !note.trim().is_empty()),
        from: ApprovalSender {
            name: signer.name.clone(),
            fingerprint: key.fingerprint(),
            trusted_as,
            operator: signer.operator.clone(),
            os_user: signer.os_user.clone(),
            machine: signer.machine.clone(),
            wilco: header.wilco.clone(),
        },
        created_at: header.created_at,
        expires_at: header.expires_at,
        refused,
    }
}

fn sample(sample: &Sample) -> ApprovalSample {
    let Sample { dialect, device, topic, payload } = sample;
    let request = views::wire(topic, payload.as_bytes(), 1);
    ApprovalSample { dialect: dialects::title(&dialects::Titles::new(), dialect), device: device.clone(), request }
}

/// `Wilco sends restart to 300 devices on plant.`
fn summary(request: &Request) -> String {
    let Request { header, plan, .. } = request;
    let (command, to, on) = (&plan.spec.command.name, devices(plan.members as usize), &header.connection.name);
    if plan.spec.is_broadcast() {
        return format!(
            "Wilco broadcasts {command} on {on} and expects {to} to answer. Other devices may receive it too."
        );
    }
    format!("Wilco sends {command} to {to} on {on}.")
}

fn facts(request: &Request) -> Vec<ApprovalFact> {
    let Request { header, plan, .. } = request;
    let stages: Vec<_> = plan.stages.iter().map(|stage| grouped(*stage)).collect();
    let first = [
        ("Name", plan.spec.name.clone()),
        ("Broker", Some(header.connection.url.clone())),
        ("Topic prefix", Some(header.connection.prefix.clone()).filter(|prefix| !prefix.is_empty())),
        ("Target", Some(target(&plan.spec.target))),
        ("Stages", Some(stages.join(", then ")).filter(|_| stages.len() > 1)),
    ];
    let first = first.into_iter().filter_map(|(label, value)| Some((label, value?)));
    let facts = first.chain(terms(&plan.spec)).chain([("SHA-256 of the devices", plan.members_sha256.clone())]);
    facts.map(|(label, value)| ApprovalFact { label: label.to_owned(), value }).collect()
}

#[cfg(test)]
mod tests;
