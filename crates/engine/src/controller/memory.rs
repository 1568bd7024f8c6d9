//! Restores a ledger, at a start and after a failed commit.

use std::{collections::HashSet, sync::Arc};

use wilco_dialect::LogPieces;
use wilco_ledger::{Command, Millis, State, Timestamp};

use super::{
    Connection, Controller,
    attention::{Attention, NEEDS_ATTENTION_FOR},
    rollouts,
};
use crate::{
    api::RolloutView,
    dialects,
    store::{ConnectionId, HistoryFilter, Store, StoreError, StoredBroadcast},
};

/// How far back is looked for an unconfirmed command, and for a broadcast that devices may still be carrying out. Hardly any
/// command has a timeout of more than an hour.
const UNCONFIRMED_SINCE: Millis = Millis::seconds(3_600);

/// The stored commands of a connection.
pub(super) struct Remembered {
    /// Those that are not finished, and those finished that an answer without an id may still mean: unconfirmed
    /// ones within their timeout, and a device's last if it has timed out. And the last of devices that have answered a
    /// broadcast which others may still be carrying out.
    commands: Vec<Command>,
    broadcasts: Vec<StoredBroadcast>,
    kept: u32,
    attention: Attention,
    rollouts: rollouts::Remembered,
}

impl Remembered {
    /// Reads them. `now`: which of them matter depends on the time. `latest`: the last command of each device.
    pub(super) async fn read(
        store: &Store,
        connection: &ConnectionId,
        latest: &[Arc<Command>],
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
        commands.extend(unconfirmed.filter(|command| command.changed_at + command.submission.policy.timeout > now));
        commands.extend(
            latest.iter().filter(|command| command.state == State::TimedOut).map(|command| Command::clone(command)),
        );
        let broadcasts = store.broadcasts(connection).await?;
        let late: HashSet<_> =
            broadcasts.iter().filter(|of| of.at > ago(UNCONFIRMED_SINCE)).map(|of| of.id.clone()).collect();
        commands
            .extend(latest.iter().filter(|command| late.contains(command.id())).map(|command| Command::clone(command)));
        let ended = store.ended_badly_since(connection, ago(NEEDS_ATTENTION_FOR)).await?;
        let attention = Attention::restore(ended.into_iter(), now);
        let kept = store.command_count(Some(connection)).await?;
        let rollouts = rollouts::Remembered::read(store, connection).await?;
        Ok(Remembered { commands, broadcasts, kept, attention, rollouts })
    }
}

impl Connection {
    /// Sets the ledger, and what is counted, to what the store knows, and returns how the rollouts are shown. While that
    /// cannot be read the ledger knows nothing.
    pub(super) fn restore(
        &mut self,
        remembered: Result<Remembered, StoreError>,
        now: Timestamp,
    ) -> Result<Vec<RolloutView>, StoreError> {
        self.ledger = self.new_ledger();
        self.logs = LogPieces::default();
        let remembered = match remembered {
            Ok(remembered) => remembered,
            Err(error) => {
                self.unread = Some(error.clone().into());
                return Err(error);
            }
        };
        self.unread = None;
        let dialects = self.dialects.clone();
        let mut dialects = dialects.as_ref().map(dialects::write);
        for command in remembered.commands {
            if let Some(dialects) = &mut dialects {
                dialects.adopt(&command.submission);
            }
            self.ledger.adopt(command);
        }
        self.broadcasts.restore(remembered.broadcasts, &self.dialect);
        self.kept = remembered.kept;
        self.attention = remembered.attention;
        self.set_aside_again();
        self.counts = self.count();
        Ok(self.rollouts.restore(remembered.rollouts, now))
    }
}

impl Controller {
    /// Puts a ledger, and what is counted, back to what the store knows, after a failed commit.
    pub(super) async fn reload(&mut self, connection: &ConnectionId) {
        let remembered = match self.store.latest_per_device(connection).await {
            Ok(latest) => {
                let latest: Vec<_> = latest.into_iter().map(Arc::new).collect();
                Remembered::read(&self.store, connection, &latest, self.clock.now()).await
            }
            Err(error) => Err(error),
        };
        let now = self.clock.now();
        if let Some(known) = self.connections.get_mut(connection) {
            let views = known.restore(remembered, now);
            self.restored(connection, views);
        }
    }

    /// A ledger is what the store knows, and its rollouts are shown so. While that cannot be read no session begins.
    pub(super) fn restored(&mut self, connection: &ConnectionId, views: Result<Vec<RolloutView>, StoreError>) {
        match views {
            Ok(views) => self.show_rollouts(views),
            Err(error) => {
                self.feed.failure(error);
                return;
            }
        }
        self.resumed(connection);
        self.withdraw_unsent(connection);
        self.pause_where_not_approved(connection);
        self.pause_unconfirmed(connection);
    }
}
