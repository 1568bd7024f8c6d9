//! What a ledger is told of before its time: at a start, and after a commit that failed.

use std::collections::HashSet;

use wilco_dialect::LogPieces;
use wilco_ledger::{Command, Millis, State, Timestamp};

use super::{
    Controller,
    attention::{Attention, NEEDS_YOU_FOR, ended_badly},
    rollouts,
};
use crate::{
    dialects,
    store::{ConnectionId, HistoryFilter, StoreError},
};

/// How far back an unconfirmed command is looked for. Hardly any has a timeout of more than an hour.
const UNCONFIRMED_SINCE: Millis = Millis::seconds(3_600);

/// What the store knows of a connection's commands.
struct Remembered {
    /// Those that are not at their end, and those at their end that an answer without an id may still mean: unconfirmed
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
            known.counts = known.count();
            let views = known.rollouts.restore(remembered.rollouts, self.clock.now());
            self.show_rollouts(views);
        }
        self.resumed(connection);
    }

    async fn remembered(&self, connection: &ConnectionId) -> Result<Remembered, StoreError> {
        let now = self.clock.now();
        let mut commands = self.store.unsettled(connection).await?;
        let unconfirmed = self.recent(connection, &[State::Unconfirmed], UNCONFIRMED_SINCE, false).await?;
        commands.extend(unconfirmed.filter(|command| command.changed_at + command.asked.policy.timeout > now));
        let latest = self.store.latest_per_device(connection).await?;
        commands.extend(latest.into_iter().filter(|command| command.state == State::TimedOut));
        let attention = self.attention(connection).await?;
        let kept = self.store.command_count(Some(connection)).await?;
        let rollouts = rollouts::Remembered::read(&self.store, connection).await?;
        Ok(Remembered { commands, kept, attention, rollouts })
    }

    /// What needs somebody, and what somebody has dismissed.
    pub(super) async fn attention(&self, connection: &ConnectionId) -> Result<Attention, StoreError> {
        let bad = State::ALL.into_iter().filter(|state| ended_badly(*state)).collect::<Vec<_>>();
        let all = self.recent(connection, &bad, NEEDS_YOU_FOR, false).await?;
        let needed: Vec<_> = self.recent(connection, &bad, NEEDS_YOU_FOR, true).await?.collect();
        let is_needed: HashSet<_> =
            needed.iter().map(|command| (command.device().clone(), command.id().clone())).collect();
        let dismissed = all.filter(|command| !is_needed.contains(&(command.device().clone(), command.id().clone())));
        Ok(Attention::restore(needed.into_iter(), dismissed))
    }

    /// The commands in one of these states that were submitted not longer ago than that.
    async fn recent(
        &self,
        connection: &ConnectionId,
        states: &[State],
        ago: Millis,
        undismissed: bool,
    ) -> Result<impl Iterator<Item = Command> + use<>, StoreError> {
        let filter = HistoryFilter {
            connection: Some(connection.clone()),
            states: states.to_vec(),
            since: Some(Timestamp(self.clock.now().0.saturating_sub_unsigned(ago.0))),
            undismissed,
            limit: 100_000,
            ..HistoryFilter::default()
        };
        Ok(self.store.history(filter).await?.rows.into_iter().map(|(_, command)| command))
    }
}
