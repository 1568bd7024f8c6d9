//! Pieces of devices' logs: written down before the broker is told that they came, as answers are.

use wilco_dialect::{LogChunk, LogNews, LogStanding};
use wilco_ledger::{CommandId, DeviceId};

use super::Controller;
use crate::store::{Change, ConnectionId};

impl Controller {
    /// Takes down a piece of a log. One that no known command asked for is nobody's.
    pub(super) async fn log_chunk(&mut self, connection: &ConnectionId, device: DeviceId, chunk: LogChunk) {
        self.look_up(connection, &device, &chunk.id).await;
        if !self.remember_log(connection, &device, &chunk.id).await {
            return;
        }
        let at = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let connection = connection.clone();
        match known.logs.add(&device, chunk.clone()) {
            LogNews::New => self.turn.changes.push(Change::LogChunk { connection, device, at, chunk }),
            LogNews::Ruinous => {
                let command = chunk.id;
                if let Some(LogStanding::Wrong { why }) = known.logs.standing(&device, &command) {
                    self.turn.changes.push(Change::LogRuined { connection, device, command, at, why });
                }
            }
            LogNews::Doubled | LogNews::Useless => {}
        }
    }

    /// Has what came earlier of a log at hand, and says whether more of it is wanted.
    async fn remember_log(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        let Some(known) = self.connections.get(connection) else { return false };
        if !known.ledger.is_known(device, id) {
            return false;
        }
        if known.logs.holds(device, id) {
            return true;
        }
        let stored = match self.store.log(connection, device, id).await {
            Ok(stored) => stored,
            Err(error) => {
                self.feed.failure(error);
                return false;
            }
        };
        let Some((log, chunks)) = stored else { return true };
        if log.wrong.is_some() {
            return false;
        }
        if let Some(known) = self.connections.get_mut(connection) {
            for chunk in chunks {
                known.logs.add(device, chunk);
            }
        }
        true
    }
}
