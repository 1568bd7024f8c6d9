//! What a ledger is told of before its time: at a start, and after a commit that failed.

use std::collections::VecDeque;

use wilco_dialect::LogPieces;
use wilco_ledger::{Command, Millis, State, Timestamp};

use super::{Controller, connection::NEEDS_YOU_FOR, ended_badly};
use crate::store::{ConnectionId, HistoryFilter, StoreError};

/// How far back an unconfirmed command is looked for. Hardly any has a timeout of more than an hour.
const UNCONFIRMED_SINCE: Millis = Millis::seconds(3_600);

/// What the store knows of a connection's commands.
struct Remembered {
    /// Those that are not at their end, and those at their end that an answer without an id may still mean: unconfirmed
    /// ones within their timeout, and a device's last if it has timed out.
    commands: Vec<Command>,
    kept: u32,
    bad_ends: VecDeque<Timestamp>,
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
            for command in remembered.commands {
                known.ledger.adopt(command);
            }
            known.kept = remembered.kept;
            known.bad_ends = remembered.bad_ends;
            known.counts = known.count();
        }
        self.resumed(connection);
    }

    async fn remembered(&self, connection: &ConnectionId) -> Result<Remembered, StoreError> {
        let now = self.clock.now();
        let mut commands = self.store.unsettled(connection).await?;
        let unconfirmed = self.recent(connection, &[State::Unconfirmed], UNCONFIRMED_SINCE).await?;
        commands.extend(unconfirmed.filter(|command| command.changed_at + command.asked.policy.timeout > now));
        let latest = self.store.latest_per_device(connection).await?;
        commands.extend(latest.into_iter().filter(|command| command.state == State::TimedOut));
        let bad_ends = self.bad_ends(connection).await?;
        let kept = self.store.command_count(Some(connection)).await?;
        Ok(Remembered { commands, kept, bad_ends })
    }

    /// When commands ended badly of late, oldest first.
    pub(super) async fn bad_ends(&self, connection: &ConnectionId) -> Result<VecDeque<Timestamp>, StoreError> {
        let bad = State::ALL.into_iter().filter(|state| ended_badly(*state)).collect::<Vec<_>>();
        let recent = self.recent(connection, &bad, NEEDS_YOU_FOR).await?;
        let mut ends: Vec<_> = recent.filter_map(|command| command.rungs.finished).collect();
        ends.sort_unstable();
        Ok(ends.into())
    }

    /// The commands in one of these states that were submitted not longer ago than that.
    async fn recent(
        &self,
        connection: &ConnectionId,
        states: &[State],
        ago: Millis,
    ) -> Result<impl Iterator<Item = Command> + use<>, StoreError> {
        let filter = HistoryFilter {
            connection: Some(connection.clone()),
            states: states.to_vec(),
            since: Some(Timestamp(self.clock.now().0.saturating_sub_unsigned(ago.0))),
            limit: 10_000,
            ..HistoryFilter::default()
        };
        Ok(self.store.history(filter).await?.rows.into_iter().map(|(_, command)| command))
    }
}
