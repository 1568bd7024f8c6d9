//! Restores a ledger, at a start and after a failed commit.

use wilco_dialect::LogPieces;
use wilco_ledger::{Command, Millis, State, Timestamp};

use super::{
    Controller,
    attention::{Attention, NEEDS_ATTENTION_FOR},
    rollouts,
};
use crate::{
    dialects,
    store::{ConnectionId, HistoryFilter, Store, StoreError},
};

/// How far back an unconfirmed command is looked for. Hardly any has a timeout of more than an hour.
const UNCONFIRMED_SINCE: Millis = Millis::seconds(3_600);

/// The stored commands of a connection.
pub(super) struct Remembered {
    /// Those that are not finished, and those finished that an answer without an id may still mean: unconfirmed
    /// ones within their timeout, and a device's last if it has timed out.
    commands: Vec<Command>,
    kept: u32,
    attention: Attention,
    rollouts: rollouts::Remembered,
}

impl Remembered {
    /// Reads them. `now`: which of them matter depends on the time. `latest`: the last command of each device.
    pub(super) async fn read(
        store: &Store,
        connection: &ConnectionId,
        latest: &[Command],
        now: Timestamp,
    ) -> Result<Remembered, StoreError> {
        let ago = |length: Millis| Timestamp(now.0.saturating_sub_unsigned(length.0));
        let mut commands = store.unsettled(connection).await?;
        let unconfirmed = HistoryFilter {
            connection: Some(connection.clone()),
            states: vec![State::Unconfirmed],
            since: Some(ago(UNCONFIRMED_SINCE)),
            limit: 100_000,
            ..HistoryFilter::default()
        };
        let unconfirmed = store.history(unconfirmed).await?.rows.into_iter().map(|(_, command)| command);
        commands.extend(unconfirmed.filter(|command| command.changed_at + command.asked.policy.timeout > now));
        commands.extend(latest.iter().filter(|command| command.state == State::TimedOut).cloned());
        let ended = store.ended_badly_since(connection, ago(NEEDS_ATTENTION_FOR)).await?;
        let attention = Attention::restore(ended.into_iter(), now);
        let kept = store.command_count(Some(connection)).await?;
        let rollouts = rollouts::Remembered::read(store, connection).await?;
        Ok(Remembered { commands, kept, attention, rollouts })
    }
}

impl Controller {
    /// Puts a ledger, and what is counted, back to what the store knows, after a failed commit.
    pub(super) async fn reload(&mut self, connection: &ConnectionId) {
        let remembered = match self.store.latest_per_device(connection).await {
            Ok(latest) => Remembered::read(&self.store, connection, &latest, self.clock.now()).await,
            Err(error) => Err(error),
        };
        self.restore(connection, remembered);
    }

    /// Sets a ledger, and what is counted, to what the store knows. While that cannot be read the ledger knows nothing, and
    /// no session begins.
    pub(super) fn restore(&mut self, connection: &ConnectionId, remembered: Result<Remembered, StoreError>) {
        if let Some(known) = self.connections.get_mut(connection) {
            known.ledger = known.new_ledger();
            known.logs = LogPieces::default();
            let remembered = match remembered {
                Ok(remembered) => remembered,
                Err(error) => {
                    known.unread = Some(error.clone().into());
                    self.feed.failure(error);
                    return;
                }
            };
            known.unread = None;
            let dialects = known.dialects.clone();
            let mut dialects = dialects.as_ref().map(dialects::write);
            for command in remembered.commands {
                if let Some(dialects) = &mut dialects {
                    dialects.adopt(&command.asked);
                }
                known.ledger.adopt(command);
            }
            known.kept = remembered.kept;
            known.attention = remembered.attention;
            known.set_aside_again();
            known.counts = known.count();
            let views = known.rollouts.restore(remembered.rollouts, self.clock.now());
            self.show_rollouts(views);
        }
        self.resumed(connection);
        self.withdraw_unsent(connection);
        self.pause_where_not_approved(connection);
        self.pause_unconfirmed(connection);
    }
}
