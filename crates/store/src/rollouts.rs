//! Stored rollouts: their parameters, progress and members.
//!
//! The release of a member is the submission of its command, one event, so a crash cannot separate them. The progress
//! of a member is that of its command.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};
use wilco_ledger::{CommandId, DeviceId, Policy, State, Timestamp, WireForm, rollout::Progress};

use super::{
    ConnectionId, Store, StoreError,
    table::{rollout_members, rollout_unexpected_devices, rollouts},
};
use wilco_definitions::{ApprovalDecision, MemberCounts, NewRollout};

/// A rollout as it is kept, without its members.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRollout {
    /// Its number, by which everything names it. Never given twice.
    pub number: u32,
    /// Its connection.
    pub connection: ConnectionId,
    /// The parameters, without the devices if it named them.
    pub spec: NewRollout,
    /// The command of each member.
    pub template: CommandTemplate,
    /// The number of members of each stage.
    pub stages: Vec<u32>,
    /// How far it is.
    pub snapshot: RolloutSnapshot,
    /// What a second installation is asked to approve, and has answered; `None` where it needs no approval.
    pub approval: Option<StoredApproval>,
}

/// The approval that a rollout needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredApproval {
    /// What is asked for, as it is signed: the lines of the request before those of the members.
    pub request: Vec<String>,
    /// Until when an answer is taken, Unix milliseconds.
    pub expires_at: i64,
    /// What the answer says that was imported.
    pub decision: Option<ApprovalDecision>,
    /// That answer as it was signed: the text of its file.
    pub answer: Option<String>,
}

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutSnapshot {
    /// The progress to store.
    pub progress: Progress,
    /// The members of each stage by state when this was written; right for a rollout that has ended.
    pub counts: Vec<MemberCounts>,
}

/// A command without a device.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandTemplate {
    /// The command's name.
    pub name: Arc<str>,
    /// Its arguments as canonical JSON text.
    pub args: Arc<str>,
    /// The form of its request, if it differs from the dialect's own.
    pub form: Option<Arc<WireForm>>,
    /// How it is to be delivered and waited for.
    pub policy: Policy,
}

impl CommandTemplate {
    /// How its requests are written, delivered and waited for, as JSON: the same for the same.
    #[must_use]
    pub fn form_and_policy(&self) -> String {
        rollouts::form_and_policy(self).unwrap_or_default()
    }
}

/// A member of a rollout that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Its device.
    pub device: DeviceId,
    /// Its own arguments as canonical JSON text, where they are not everybody's.
    pub args: Option<Arc<str>>,
}

/// A member of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMember {
    /// Its place in the order of release.
    pub member: u32,
    /// Its device.
    pub device: DeviceId,
    /// Its own arguments as canonical JSON text, where they are not everybody's.
    pub args: Option<Arc<str>>,
    /// The values that its device had before `config.set` changed them, as JSON text, where they are known.
    pub earlier: Option<String>,
    /// How far its command is; `None` before its release.
    pub state: Option<State>,
    /// Its command, until that is forgotten.
    pub command: Option<CommandId>,
    /// The device's sentence, or ours.
    pub message: Option<String>,
    /// The number of sends.
    pub attempts: u32,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// When the last attempt of its command was sent.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A device that answered a broadcast and is no member of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUnexpectedDevice {
    /// The device.
    pub device: DeviceId,
    /// The state that its last answer would have led to.
    pub state: State,
    /// Its sentence.
    pub message: Option<String>,
    /// When that answer came.
    pub at: Timestamp,
}

/// Which members of a rollout to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// The rollout's number.
    pub rollout: u32,
    /// Only members in one of these states, `None` before their release; all where empty.
    pub states: Vec<Option<State>>,
    /// Only members with this sentence.
    pub message: Option<String>,
    /// Only members at these places.
    pub members: Option<Range<u32>>,
    /// Slowest first, instead of in the order of release.
    pub slowest_first: bool,
}

impl Store {
    /// The highest number that a rollout ever had.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn last_rollout(&self) -> Result<u32, StoreError> {
        self.readers.read(rollouts::last_number).await
    }

    /// The rollouts of a connection, oldest first.
    pub async fn rollouts(&self, connection: &ConnectionId) -> Result<Vec<StoredRollout>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| rollouts::all(connection, &id)).await
    }

    /// The approval that a rollout needs, as far as it has got; `None` where it needs none.
    pub async fn rollout_approval(&self, number: u32) -> Result<Option<StoredApproval>, StoreError> {
        self.readers.read(move |connection| rollouts::approval_of(connection, number)).await
    }

    /// A rollout, and what `each` makes of its members as it was started with them, one after the other in the order of release.
    /// `None` where it is not stored, or its connection is removed.
    pub async fn rollout<T: Default + Send + 'static>(
        &self,
        number: u32,
        mut each: impl FnMut(&mut T, u32, NewMember) + Send + 'static,
    ) -> Result<Option<(StoredRollout, T)>, StoreError> {
        self.readers
            .read(move |connection| {
                let Some(rollout) = rollouts::find(connection, number)? else { return Ok(None) };
                let mut members = T::default();
                rollout_members::each(connection, number, |place, member| each(&mut members, place, member))?;
                Ok(Some((rollout, members)))
            })
            .await
    }

    /// All members of a rollout, in the order of release.
    pub async fn rollout_members(&self, rollout: u32) -> Result<Vec<StoredMember>, StoreError> {
        self.read(move |connection| rollout_members::all(connection, rollout)).await
    }

    /// The first devices by id that answered a rollout and are no members of it, and how many there are.
    pub async fn rollout_unexpected_devices(
        &self,
        rollout: u32,
        limit: u32,
    ) -> Result<(Vec<StoredUnexpectedDevice>, u32), StoreError> {
        self.readers.read(move |connection| rollout_unexpected_devices::some(connection, rollout, limit)).await
    }

    /// Some members of a rollout, and how many match.
    pub async fn members_page(
        &self,
        filter: MemberFilter,
        from: u32,
        count: u32,
    ) -> Result<(Vec<StoredMember>, u32), StoreError> {
        self.read(move |connection| rollout_members::page(connection, &filter, from, count)).await
    }
}
