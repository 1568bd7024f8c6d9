//! Saves and opens evidence files.

use std::{collections::BTreeMap, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use wilco_credentials::signing::SigningKey;
use wilco_ledger::{Command, CommandId, DeviceId, Event, Fact, Raw, Timestamp};

use super::{Handle, blocking, command_id, device_id, not_found};
use crate::{
    api::{
        ApprovalDecision, AuditKind, CommandView, EvidenceExport, EvidenceFileView, EvidenceOf,
        EvidenceRecordKind as Kind, Failure, FileToWrite, MemberQuery, RolloutView, Verdict, grouped,
    },
    audit::{hex, of_profile},
    evidence_file::{self, Header, Writer},
    output_file::OutputFile,
    paths::whole,
    store::{AuditFilter, ConnectionId, HistoryFilter, Profile, StoredApproval, StoredAuditEntry},
    views,
};
use wilco_atomic_file::Readers;

/// Commands of one page.
const PAGE: u32 = 1_000;
/// Measurements this long before and after a command are saved with it, milliseconds.
const AROUND: i64 = 60_000;
/// Entries of the audit that are looked through for one command, device or rollout.
const ENTRIES: u32 = 100_000;
/// A command may wait for 7 days, and its device may then be silent for as long, milliseconds: with a day more for late answers.
const LONGEST_COURSE: i64 = 15 * 86_400_000;

impl Handle {
    /// Saves everything known about a command, a device, a rollout or the audit to a signed file.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `File` if it cannot be written, `Exists` if the file exists
    /// and must not be replaced; `Store`. Without a keyring it is saved without a signature.
    pub async fn save_evidence(&self, of: EvidenceOf, to: FileToWrite) -> Result<EvidenceExport, Failure> {
        let (title, profile) = self.title_of(&of).await?;
        let header = Header {
            title,
            of: serde_json::to_value(&of).unwrap_or_default(),
            written_at: self.clock.now().0,
            operator: self.settings.get().operator_name,
            os_user: self.audit.os_user().to_owned(),
            machine: self.audit.machine().to_owned(),
            connection: profile.as_ref().map(of_profile),
        };
        let writer = blocking(move || Writer::begin(OutputFile::begin(&to, Readers::Owner)?, &header)).await?;
        let writer = match of {
            EvidenceOf::Command { connection, device, id } => {
                let of = (ConnectionId::from(connection), device_id(&device)?, command_id(&id)?);
                let (command, records) = self.records_of(&of).await?.ok_or_else(|| not_found("command", &id))?;
                let writer = put(writer, records).await?;
                let writer = put(writer, self.measurements_around(&of, &command).await?).await?;
                let names = move |details: &str| details.contains(&id);
                let since = (Some(Timestamp(command.queued_at - AROUND)), None);
                let writer = put(writer, self.entries(&[AuditKind::Command], since, names).await?).await?;
                match self.store.command(&of.0, &of.1, &of.2).await?.and_then(|command| command.submission.rollout) {
                    // The rollout's entries say who sent it, and who approved it.
                    Some(membership) => self.put_entries_of_rollout(writer, membership.rollout).await?,
                    None => writer,
                }
            }
            EvidenceOf::Device { connection, device, since, until } => {
                let of = (ConnectionId::from(connection), device_id(&device)?);
                let span = (Timestamp(since.unwrap_or(0)), Timestamp(until.unwrap_or(self.clock.now().0)));
                self.put_device(writer, of, span).await?
            }
            EvidenceOf::Rollout { rollout } => self.put_rollout(writer, &rollout).await?,
            EvidenceOf::Audit { since } => self.put_audit(writer, since).await?,
        };
        let records = writer.records();
        let vault = self.vault.clone();
        let (path, signature) = blocking(move || {
            let key = SigningKey::open_or_create(&vault).map_err(|error| error.to_string());
            let (file, signature) = writer.end(key.as_ref().map_err(Clone::clone))?;
            Ok((file.finish()?, signature))
        })
        .await?;
        Ok(EvidenceExport { path, records, signature })
    }

    /// Reads an evidence file from anyone, and lists its problems.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for a file that cannot be read, or is no evidence file.
    pub async fn open_evidence(&self, path: PathBuf) -> Result<EvidenceFileView, Failure> {
        blocking(move || evidence_file::read(&whole(&path)?)).await
    }

    /// The subject of a file, and its connection.
    async fn title_of(&self, of: &EvidenceOf) -> Result<(String, Option<Profile>), Failure> {
        let on = async |connection: &str, what: String| {
            let profile = self.profile(connection).await?;
            Ok((format!("{what} on {}", profile.name), Some(profile)))
        };
        match of {
            EvidenceOf::Command { connection, device, id } => on(connection, format!("Command {id} of {device}")).await,
            EvidenceOf::Device { connection, device, .. } => on(connection, format!("Device {device}")).await,
            EvidenceOf::Rollout { rollout } => {
                let view = self.rollout(rollout).await?.rollout;
                on(&view.spec.connection, format!("Rollout {}", view.number)).await
            }
            EvidenceOf::Audit { .. } => Ok(("Audit".to_owned(), None)),
        }
    }

    /// A command with all its evidence.
    async fn records_of(
        &self,
        (connection, device, id): &(ConnectionId, DeviceId, CommandId),
    ) -> Result<Option<(CommandView, Vec<Value>)>, Failure> {
        let Some(command) = self.store.command(connection, device, id).await? else { return Ok(None) };
        let command = views::command(connection.as_str(), &command, None);
        let text = format!("{} {}: {}", command.command, command.args.as_str(), command.state);
        let device_name = device.as_str();
        let disagrees = self.disagreement(connection, device, id).await?;
        let mut records = vec![json!({
            "record": Kind::Command, "at": command.queued_at, "device": device_name, "text": text, "command": command,
            "disagrees": disagrees,
        })];
        let course = self.store.whole_course(connection, device, id).await?;
        let (events, requests): (Vec<_>, Vec<_>) = course.into_iter().unzip();
        let events: Vec<(u32, Event)> = (0..).zip(events).collect();
        let shown = views::course(&events).into_iter().zip(&events).zip(&requests);
        for ((view, (_, event)), request) in shown {
            let message = request.as_ref().or_else(|| message_of(&event.fact)).map(bytes_of);
            records.push(json!({
                "record": Kind::Event, "at": view.at, "device": device_name, "command": id.as_str(), "text": view.text,
                "event": view, "message": message,
            }));
        }
        if let Some(evidence) = self.store.evidence(connection, device, id).await?
            && let Some(discarded) = &evidence.discarded
        {
            let view = views::discarded(discarded);
            let text =
                format!("{} messages were not kept", grouped(usize::try_from(view.messages).unwrap_or(usize::MAX)));
            records.push(json!({
                "record": Kind::Discarded, "at": view.last_at, "device": device_name, "text": text, "discarded": view,
            }));
        }
        if self.store.log(connection, device, id).await?.is_some() {
            let log = self.log(connection.as_str(), device_name, id.as_str(), true).await?;
            records.push(json!({
                "record": Kind::Log, "at": log.asked_at, "device": device_name, "text": log.sentence, "log": log,
            }));
        }
        Ok(Some((command, records)))
    }

    async fn put_device(
        &self,
        mut writer: Writer,
        (connection, device): (ConnectionId, DeviceId),
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Writer, Failure> {
        let detail = self.device(connection.as_str(), device.as_str()).await?;
        let text = "As known when this file was saved";
        let known =
            json!({ "record": Kind::Device, "at": null, "device": device.as_str(), "text": text, "state": detail });
        writer = put(writer, vec![known]).await?;
        for automatic in [false, true] {
            let mut cursor = None;
            loop {
                let filter = HistoryFilter {
                    connection: Some(connection.clone()),
                    device: Some(device.clone()),
                    since: Some(Timestamp(from.0.saturating_sub(LONGEST_COURSE))),
                    automatic,
                    before: cursor,
                    limit: PAGE,
                    ..HistoryFilter::default()
                };
                let page = self.store.history(filter).await?;
                // Those that were sent before and ended within the span belong to it, too.
                let is_within = |command: &Command| {
                    command.submitted_at <= to && (!command.is_settled() || command.changed_at >= from)
                };
                for (_, command) in page.rows.iter().filter(|(_, command)| is_within(command)) {
                    let of = (connection.clone(), device.clone(), command.id().clone());
                    if let Some((_, records)) = self.records_of(&of).await? {
                        writer = put(writer, records).await?;
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        let unmatched = self.store.unmatched_between(&connection, &device, (from, to)).await?;
        let shown = views::unmatched(&unmatched).into_iter().zip(&unmatched);
        let unmatched = shown.map(|(view, event)| {
            json!({
                "record": Kind::Unmatched, "at": view.at, "device": device.as_str(), "text": view.text, "event": view,
                "message": message_of(&event.fact).map(bytes_of),
            })
        });
        writer = put(writer, unmatched.collect()).await?;
        writer = put(writer, self.measurements(&connection, &device, (from, to)).await?).await?;
        // As it stands in JSON, so that no longer name matches.
        let named = Value::from(device.as_str()).to_string();
        let names = move |details: &str| details.contains(&named);
        let span = (Some(from), Some(Timestamp(to.0.saturating_add(1))));
        put(writer, self.entries(&[AuditKind::Command, AuditKind::Device], span, names).await?).await
    }

    async fn put_rollout(&self, mut writer: Writer, id: &str) -> Result<Writer, Failure> {
        let detail = self.rollout(id).await?;
        let RolloutView { number, spec, started_at, .. } = &detail.rollout;
        let (number, connection) = (*number, ConnectionId::from(spec.connection.as_str()));
        let text = format!("Rollout {number}: {}", spec.command.name);
        let first = json!({ "record": Kind::Rollout, "at": started_at, "text": text, "rollout": detail });
        writer = put(writer, vec![first]).await?;
        let query = MemberQuery { rollout: id.to_owned(), ..MemberQuery::default() };
        let mut from = 0;
        loop {
            let page = self.rollout_members(query.clone(), from, PAGE).await?;
            for member in &page.rows {
                let text = format!("Member of stage {}", member.stage + 1);
                let mut records = vec![json!({
                    "record": Kind::Member, "at": member.released_at, "device": member.device, "text": text, "member": member,
                })];
                if let Some(command) = &member.command {
                    let of = (connection.clone(), device_id(&member.device)?, command_id(command)?);
                    if let Some((command, of_command)) = self.records_of(&of).await? {
                        records.extend(of_command);
                        records.extend(self.measurements_around(&of, &command).await?);
                    }
                }
                writer = put(writer, records).await?;
            }
            from += PAGE;
            if page.rows.is_empty() || from >= page.matching {
                break;
            }
        }
        self.put_entries_of_rollout(writer, number).await
    }

    /// The audit entries about a rollout, and its approval if it required one.
    async fn put_entries_of_rollout(&self, mut writer: Writer, number: u32) -> Result<Writer, Failure> {
        let Ok(RolloutView { started_at, .. }) = self.shown_rollout(number).await else { return Ok(writer) };
        if let Some(approval) = self.store.rollout_approval(number).await? {
            writer = put(writer, vec![approval_record(&approval)]).await?;
        }
        let is_it = move |details: &str| {
            let details: Value = serde_json::from_str(details).unwrap_or_default();
            details.get("rollout").and_then(Value::as_u64) == Some(number.into())
        };
        let since = (Some(Timestamp(started_at - AROUND)), None);
        put(writer, self.entries(&[AuditKind::Rollout], since, is_it).await?).await
    }

    async fn put_audit(&self, mut writer: Writer, since: Option<i64>) -> Result<Writer, Failure> {
        let found = self.verify_audit().await?;
        let text = if found.holds() { "All entries were unaltered" } else { "Problems were found" };
        let first = json!({
            "record": Kind::Verification, "at": self.clock.now().0, "text": text, "verification": found,
        });
        writer = put(writer, vec![first]).await?;
        let mut before = None;
        loop {
            let filter = AuditFilter { since: since.map(Timestamp), before, limit: PAGE, ..AuditFilter::default() };
            let page = self.store.audit_page(filter).await?;
            let Some(last) = page.last() else { return Ok(writer) };
            before = Some(last.number);
            writer = put(writer, page.iter().map(entry).collect()).await?;
        }
    }

    /// The audit entries about a subject.
    async fn entries(
        &self,
        kinds: &[AuditKind],
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        is_it: impl Fn(&str) -> bool,
    ) -> Result<Vec<Value>, Failure> {
        let filter = AuditFilter { since, until, kinds: kinds.to_vec(), limit: ENTRIES, ..AuditFilter::default() };
        let found = self.store.audit_page(filter).await?;
        Ok(found.iter().rev().filter(|stored| is_it(&stored.entry.details)).map(entry).collect())
    }

    /// The measurements of a device from one minute before a command was sent to one minute after it ended.
    async fn measurements_around(
        &self,
        (connection, device, _): &(ConnectionId, DeviceId, CommandId),
        command: &CommandView,
    ) -> Result<Vec<Value>, Failure> {
        let until = command.finished_at.unwrap_or(self.clock.now().0);
        let span = (Timestamp(command.queued_at - AROUND), Timestamp(until + AROUND));
        self.measurements(connection, device, span).await
    }

    /// The measurements of a device during a period.
    async fn measurements(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<Value>, Failure> {
        type Series = BTreeMap<String, Vec<(i64, f64)>>;
        let add = |series: &mut Series, at: Timestamp, name: &str, value: f64| {
            series.entry(name.to_owned()).or_default().push((at.0, value));
        };
        let series = self.store.fold_telemetry(connection, device, span, Series::new(), add).await?;
        let record = |(name, values): (String, Vec<(i64, f64)>)| {
            let text = format!("{name}: {} measurements", grouped(values.len()));
            let at = values.first().map(|(at, _)| *at);
            let device = device.as_str();
            json!({
                "record": Kind::Measurements, "at": at, "device": device, "text": text, "series": name, "values": values,
            })
        };
        Ok(series.into_iter().map(record).collect())
    }
}

/// Writes records where a disk may be slow.
async fn put(mut writer: Writer, records: Vec<Value>) -> Result<Writer, Failure> {
    blocking(move || {
        records.iter().try_for_each(|record| writer.line(record))?;
        Ok(writer)
    })
    .await
}

/// What a second installation was asked to approve, and its answer as it was signed.
fn approval_record(approval: &StoredApproval) -> Value {
    let StoredApproval { request, expires_at: _, decision, answer } = approval;
    let text = match decision {
        None => "Waits for approval".to_owned(),
        Some(ApprovalDecision { verdict: Verdict::Approved, by, .. }) => format!("Approved by {by}"),
        Some(ApprovalDecision { verdict: Verdict::Declined, by, .. }) => format!("Declined by {by}"),
    };
    let at = decision.as_ref().map(|decision| decision.imported_at);
    json!({ "record": Kind::Approval, "at": at, "text": text, "request": request, "answer": answer })
}

fn entry(stored: &StoredAuditEntry) -> Value {
    let StoredAuditEntry { number, entry, previous, hash } = stored;
    let details: Value = serde_json::from_str(&entry.details).unwrap_or_default();
    json!({
        "record": Kind::Audit,
        "at": entry.at.0,
        "text": entry.what,
        "number": number,
        "kind": entry.kind,
        "operator": entry.operator,
        "os_user": entry.os_user,
        "machine": entry.machine,
        "connection": entry.connection.as_ref().map(|(id, name)| json!({ "id": id.as_str(), "name": name })),
        "details": details,
        "note": entry.note,
        "previous": hex(previous),
        "hash": hex(hash),
    })
}

/// The message that a fact carries.
fn message_of(fact: &Fact) -> Option<&Raw> {
    match fact {
        Fact::Answered { answer, .. } | Fact::Unsolicited { answer, .. } => Some(&answer.raw),
        Fact::Unreadable { raw, .. } => Some(raw),
        _ => None,
    }
}

/// A message byte for byte.
fn bytes_of(raw: &Raw) -> Value {
    let Raw { topic, payload, qos, cut } = raw;
    let cut = cut.as_deref().map(|cut| json!({ "bytes": cut.bytes, "first": cut.first, "sha256": hex(&cut.sha256) }));
    json!({ "topic": topic, "qos": qos, "payload_base64": STANDARD.encode(payload), "cut": cut })
}

#[cfg(test)]
mod tests;
