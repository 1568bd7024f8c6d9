//! A connection that becomes read-only: cancels its unsent commands and pauses its rollouts. One that becomes protected:
//! pauses the rollouts that nobody has confirmed by its name.
//!
//! The ledger of a read-only connection has no send window and its session publishes nothing; this module only reports that to
//! callers who wait.

use wilco_ledger::{Input, Origin, rollout::Action};

use super::Controller;
use crate::{
    absent::not_found,
    api::{Confirmation, Confirmed, ConnectionMode, Failure, FailureCode, grouped},
    store::{ConnectionId, StoredRollout},
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

    /// Whether a rollout may send over its connection: over a protected one only if its name was typed when the rollout was
    /// started, which may have been before it was protected.
    pub(super) fn permit_confirmed(&self, connection: &ConnectionId, rollout: &StoredRollout) -> Result<(), Failure> {
        let Some(known) = self.connections.get(connection) else { return Ok(()) };
        if is_confirmed(known.profile.settings.mode, rollout) {
            return Ok(());
        }
        Err(Failure {
            code: FailureCode::Unconfirmed,
            message: format!(
                "Rollout {} was started before the connection '{}' was protected, so it was never confirmed.",
                rollout.number, known.profile.name
            ),
            hint: Some(
                "Stop it, and start a new rollout for the devices that were not started. Wilco then asks for the \
                 connection's name."
                    .into(),
            ),
        })
    }

    /// Pauses the rollouts of a protected connection that nobody has confirmed.
    pub(super) fn pause_unconfirmed(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let mode = known.profile.settings.mode;
        let paused = known.rollouts.pause_some(now, |stored| !is_confirmed(mode, stored));
        if paused == 0 {
            return;
        }
        let name = known.profile.name.clone();
        self.pending_batch.urgent = true;
        self.feed.notice_of(
            connection,
            format!("{name} is protected: {}, because it was never confirmed.", paused_rollouts(paused)),
            "Stop it, and start a new rollout for the devices that were not started. Wilco then asks for the \
             connection's name.",
        );
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
            self.record(connection, Input::Cancel { device, id });
        }
        self.pending_batch.urgent = true;
        self.feed.notice_of(
            connection,
            format!("{name} is read-only: {}.", withdrawn(cancelled, paused)),
            "Commands that were already sent still wait for their answers, and are not resent.",
        );
    }
}

/// Whether a rollout may send over a connection with this mode.
fn is_confirmed(mode: ConnectionMode, rollout: &StoredRollout) -> bool {
    mode.needs(true) != Confirmation::TypeName || matches!(rollout.spec.confirmed, Confirmed::Name(_))
}

/// `1 rollout is paused`.
fn paused_rollouts(paused: u32) -> String {
    match paused {
        1 => "1 rollout is paused".to_owned(),
        paused => format!("{} rollouts are paused", grouped(paused)),
    }
}

/// `3 commands that were not sent yet are cancelled, and 1 rollout is paused`.
fn withdrawn(cancelled: u32, paused: u32) -> String {
    let commands = match cancelled {
        1 => "1 command that was not sent yet is cancelled".to_owned(),
        cancelled => format!("{} commands that were not sent yet are cancelled", grouped(cancelled)),
    };
    let rollouts = paused_rollouts(paused);
    match (cancelled, paused) {
        (_, 0) => commands,
        (0, _) => rollouts,
        _ => format!("{commands}, and {rollouts}"),
    }
}
