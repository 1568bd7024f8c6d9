//! A connection that becomes read-only: cancels its unsent commands and pauses its rollouts.
//!
//! Its ledger has no send window and its session publishes nothing; this module only reports that to callers who wait.

use wilco_ledger::{Input, Origin, rollout::Action};

use super::Controller;
use crate::{
    absent::not_found,
    api::{Failure, grouped},
    store::ConnectionId,
};

impl Controller {
    /// Whether commands may be sent over a connection.
    pub(super) fn permit(&self, connection: &ConnectionId) -> Result<(), Failure> {
        let known = self.connections.get(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        known.profile.settings.mode.permit(&known.profile.name)
    }

    /// Whether something may be done to a rollout of a connection: what makes it send needs leave, what stops it does not.
    pub(super) fn permit_action(&self, connection: &ConnectionId, action: Action) -> Result<(), Failure> {
        match action {
            Action::Pause | Action::Stop => Ok(()),
            Action::Resume | Action::StartNextStage | Action::CloseStage => self.permit(connection),
        }
    }

    /// Cancels what was never sent over a connection that is read-only, and pauses its rollouts. What may have been
    /// sent waits for its answer, and is not sent again.
    pub(super) fn withdraw_unsent(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection).filter(|known| !known.profile.settings.mode.publishes())
        else {
            return;
        };
        let paused = known.rollouts.pause(now);
        let unsent = known.ledger.outstanding().filter(|command| command.origin == Origin::Here && command.is_unsent());
        let unsent: Vec<_> = unsent.map(|command| (command.device().clone(), command.id().clone())).collect();
        let name = known.profile.name.clone();
        if unsent.is_empty() && paused == 0 {
            return;
        }
        let cancelled = u32::try_from(unsent.len()).unwrap_or(u32::MAX);
        for (device, id) in unsent {
            self.tell(connection, Input::Cancel { device, id });
        }
        self.pending_batch.urgent = true;
        self.feed.notice_of(
            connection,
            format!("{name} is read-only: {}.", withdrawn(cancelled, paused)),
            "Commands that were sent before still wait for their answers. They are not sent again.",
        );
    }
}

/// `3 commands that were not sent yet are cancelled, and 1 rollout is paused`.
fn withdrawn(cancelled: u32, paused: u32) -> String {
    let commands = match cancelled {
        1 => "1 command that was not sent yet is cancelled".to_owned(),
        cancelled => format!("{} commands that were not sent yet are cancelled", grouped(cancelled)),
    };
    let rollouts = match paused {
        1 => "1 rollout is paused".to_owned(),
        paused => format!("{} rollouts are paused", grouped(paused)),
    };
    match (cancelled, paused) {
        (_, 0) => commands,
        (0, _) => rollouts,
        _ => format!("{commands}, and {rollouts}"),
    }
}
