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
    store::{ConnectionId, HistoryFilter, StoreError},
};

/// How far back an unconfirmed command is looked for. Hardly any has a timeout of more than an hour.
const UNCONFIRMED_SINCE: Millis = Millis::seconds(3_600);

/// The stored commands of a connection.
struct Remembered {
    /// Those that are not finished, and those finished that an answer without an id may still mean: unconfirmed
    /// ones within their timeout, and a device's last if it has timed out.
    commands: Vec<Command>,
    kept: u32,
    attention: Attention,
    rollouts: rollouts::Remembered,
}

impl Controller {
    /// Puts a ledger, and what is counted, back to what the store knows. While that cannot be read the ledger knows nothing,
    /// and no session begins.
    pub(super) async fn reload(&mut self, connection: &ConnectionId) {
        let remembered = self.remembered(connection).await;
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
    }

    async fn remembered(&self, connection: &ConnectionId) -> Result<Remembered, StoreError> {
        let now = self.clock.now();
        let mut commands = self.store.unsettled(connection).await?;
        let unconfirmed = self.recent(connection, State::Unconfirmed, UNCONFIRMED_SINCE).await?;
        commands.extend(unconfirmed.filter(|command| command.changed_at + command.asked.policy.timeout > now));
        let latest = self.store.latest_per_device(connection).await?;
        commands.extend(latest.into_iter().filter(|command| command.state == State::TimedOut));
        let attention = self.attention(connection).await?;
        let kept = self.store.command_count(Some(connection)).await?;
        let rollouts = rollouts::Remembered::read(&self.store, connection).await?;
        Ok(Remembered { commands, kept, attention, rollouts })
    }

    /// The commands that need attention, and the dismissed ones.
    async fn attention(&self, connection: &ConnectionId) -> Result<Attention, StoreError> {
        let now = self.clock.now();
        let since = Timestamp(now.0.saturating_sub_unsigned(NEEDS_ATTENTION_FOR.0));
        let ended = self.store.ended_badly_since(connection, since).await?;
        Ok(Attention::restore(ended.into_iter(), now))
    }

    /// The commands in that state that were submitted not longer ago than that.
    async fn recent(
        &self,
        connection: &ConnectionId,
        state: State,
        ago: Millis,
    ) -> Result<impl Iterator<Item = Command> + use<>, StoreError> {
        let filter = HistoryFilter {
            connection: Some(connection.clone()),
            states: vec![state],
            since: Some(Timestamp(self.clock.now().0.saturating_sub_unsigned(ago.0))),
            limit: 100_000,
            ..HistoryFilter::default()
        };
        Ok(self.store.history(filter).await?.rows.into_iter().map(|(_, command)| command))
    }
}
