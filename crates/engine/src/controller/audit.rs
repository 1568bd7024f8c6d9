//! Audit entries for the actions that pass through the controller: commands, rollouts, and names, tags and notes of devices.

use serde_json::{Value, json};
use wilco_ledger::{CommandId, DeviceId, Submission, rollout::Action};

use super::Controller;
use crate::{
    api::AuditKind,
    audit::{
        devices, plain,
        rollout::{Members, Started},
    },
    store::{Annotation, Change, ConnectionId, NewAuditEntry, NewMember, StoredRollout},
};

impl Controller {
    /// Has an entry committed with what has gathered.
    pub(super) fn write_down(&mut self, entry: Option<NewAuditEntry>) {
        self.pending_batch.changes.extend(entry.map(|entry| Change::Audit(Box::new(entry))));
    }

    /// Commands are sent.
    pub(super) fn audit_sent(&mut self, connection: &ConnectionId, submissions: &[Submission], note: Option<String>) {
        let entry = self.audit.sent((connection, &self.name_of(connection)), submissions, note);
        self.write_down(entry);
    }

    /// A command is cancelled, or no longer waited for.
    pub(super) fn audit_cancelled(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) {
        let known = self.connections.get(connection).and_then(|known| known.ledger.command(device, id));
        let command = known.map_or("a command", |command| &*command.submission.name);
        let entry = self.audit.entry(AuditKind::Command, format!("Cancelled {command} on {device}"));
        let entry = entry.on(connection, &self.name_of(connection));
        self.write_down(Some(entry.with(&json!({ "device": device.as_str(), "id": id.as_str() }))));
    }

    /// A rollout starts. Its members are named by a hash of all of them, in the order of release.
    pub(super) fn audit_started(&self, rollout: &StoredRollout, members: &[NewMember]) -> Option<NewAuditEntry> {
        let StoredRollout { number, connection, spec, approval, .. } = rollout;
        let details = serde_json::to_value(Started::of(rollout, Members::of(members))).unwrap_or_default();
        let command = &spec.command;
        let to = devices(members.len());
        let what = match approval {
            None => format!("Started rollout {number}: {} to {to}", command.name),
            Some(_) => format!("Requested approval of rollout {number}: {} to {to}", command.name),
        };
        let entry = self.audit.entry(AuditKind::Rollout, what).on(connection, &self.name_of(connection));
        Some(entry.with(&details).because(spec.note.clone()))
    }

    /// Somebody does something to a rollout.
    pub(super) fn audit_action(&self, number: u32, action: Action) -> Option<NewAuditEntry> {
        let (did, word) = match action {
            Action::Pause => ("Paused rollout", "pause"),
            Action::Resume => ("Resumed rollout", "resume"),
            Action::Stop => ("Stopped rollout", "stop"),
            Action::StartNextStage => ("Started the next stage of rollout", "start_next_stage"),
            Action::CloseStage => ("Closed the current stage of rollout", "close_stage"),
        };
        Some(self.of_rollout(number, format!("{did} {number}"), &json!({ "rollout": number, "action": word })))
    }

    /// Somebody writes another note of a rollout.
    pub(super) fn audit_note(&self, number: u32, note: Option<&str>) -> Option<NewAuditEntry> {
        let what = if note.is_some() { "Changed the note of rollout" } else { "Removed the note of rollout" };
        let details = json!({ "rollout": number, "note": note.map(plain) });
        Some(self.of_rollout(number, format!("{what} {number}"), &details))
    }

    /// Something is set of devices.
    pub(super) fn audit_annotated(
        &self,
        connection: &ConnectionId,
        changes: &[(DeviceId, Annotation, Annotation)],
    ) -> NewAuditEntry {
        let what = match changes {
            [(device, ..)] => format!("Changed the name, tags or note of {device}"),
            many => format!("Changed the names, tags or notes of {}", devices(many.len())),
        };
        let changes: Vec<_> = changes.iter().map(|(device, before, after)| annotated(device, before, after)).collect();
        let entry = self.audit.entry(AuditKind::Device, what).on(connection, &self.name_of(connection));
        entry.with(&json!({ "devices": changes }))
    }

    /// Something is done with devices.
    pub(super) fn audit_devices(&self, connection: &ConnectionId, did: &str, ids: &[DeviceId]) -> NewAuditEntry {
        let what = match ids {
            [device] => format!("{did} {device}"),
            many => format!("{did} {}", devices(many.len())),
        };
        let ids: Vec<_> = ids.iter().map(DeviceId::as_str).collect();
        let entry = self.audit.entry(AuditKind::Device, what).on(connection, &self.name_of(connection));
        entry.with(&json!({ "devices": ids }))
    }

    pub(super) fn of_rollout(&self, number: u32, what: String, details: &Value) -> NewAuditEntry {
        let shown = self.shown.read();
        let connection = shown.get(&number).map(|view| ConnectionId::from(view.spec.connection.as_str()));
        let entry = self.audit.entry(AuditKind::Rollout, what).with(details);
        match connection {
            Some(connection) => entry.on(&connection, &self.name_of(&connection)),
            None => entry,
        }
    }

    fn name_of(&self, connection: &ConnectionId) -> String {
        self.connections.get(connection).map(|known| known.profile.name.clone()).unwrap_or_default()
    }
}

/// The changes of a device.
fn annotated(device: &DeviceId, before: &Annotation, after: &Annotation) -> Value {
    let mut change = json!({ "device": device.as_str() });
    if before.name != after.name {
        change["name"] = json!({ "from": before.name, "to": after.name });
    }
    if before.tags != after.tags {
        change["tags"] = json!({ "from": before.tags, "to": after.tags });
    }
    if before.note != after.note {
        change["note"] = after.note.as_deref().map_or(Value::Null, plain);
    }
    change
}
