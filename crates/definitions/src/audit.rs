//! The subjects of audit entries.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The subject of an audit entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AuditKind {
    /// Commands that were sent or cancelled.
    Command,
    /// A rollout: its start, and actions on it.
    Rollout,
    /// A connection that was added, changed or removed.
    Connection,
    /// The dialects of a connection.
    Dialect,
    /// User-defined commands in the catalogue.
    Catalogue,
    /// Buttons.
    Button,
    /// Names, tags and notes of devices; added and deleted devices.
    Device,
    /// Saved views.
    View,
    /// Desired configurations.
    Desired,
    /// Approvals of other installations' rollouts, and the installations whose approvals are accepted here.
    Approval,
    /// The settings of the app.
    Settings,
    /// Deletions from the history.
    History,
    /// The audit itself: notes on entries, and deletions.
    Audit,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [AuditKind; 13] = [
        AuditKind::Command,
        AuditKind::Rollout,
        AuditKind::Connection,
        AuditKind::Dialect,
        AuditKind::Catalogue,
        AuditKind::Button,
        AuditKind::Device,
        AuditKind::View,
        AuditKind::Desired,
        AuditKind::Approval,
        AuditKind::Settings,
        AuditKind::History,
        AuditKind::Audit,
    ];

    /// The kind in tables and JSON, for example `connection`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AuditKind::Command => "command",
            AuditKind::Rollout => "rollout",
            AuditKind::Connection => "connection",
            AuditKind::Dialect => "dialect",
            AuditKind::Catalogue => "catalogue",
            AuditKind::Button => "button",
            AuditKind::Device => "device",
            AuditKind::View => "view",
            AuditKind::Desired => "desired",
            AuditKind::Approval => "approval",
            AuditKind::Settings => "settings",
            AuditKind::History => "history",
            AuditKind::Audit => "audit",
        }
    }
}
