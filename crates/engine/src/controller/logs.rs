//! Pieces of devices' logs: written down before the broker is told that they came, as answers are.

use wilco_dialect::{LogChunk, LogNews};
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
        match known.logs.add(&device, &chunk) {
            LogNews::New => self.turn.changes.push(Change::LogChunk { connection, device, at, chunk }),
            LogNews::Ruinous(why) => {
                self.turn.changes.push(Change::LogRuined { connection, device, command: chunk.id, at, why });
            }
            LogNews::Doubled | LogNews::Useless => {}
        }
    }

    /// Has at hand what came earlier of a log. Says whether a known command has asked for it, and that could be done.
    async fn remember_log(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        let Some(known) = self.connections.get(connection) else { return false };
        if !known.ledger.is_known(device, id) {
            return false;
        }
        if known.logs.knows(device, id) {
            return true;
        }
        let stored = match self.store.log(connection, device, id).await {
            Ok(stored) => stored,
            Err(error) => {
                self.feed.failure(error);
                return false;
            }
        };
        if let (Some((log, chunks)), Some(known)) = (stored, self.connections.get_mut(connection)) {
            match log.wrong {
                Some(why) => known.logs.give_up(device, id, why),
                None => chunks.iter().for_each(|chunk| drop(known.logs.add(device, chunk))),
            }
        }
        true
    }
}
