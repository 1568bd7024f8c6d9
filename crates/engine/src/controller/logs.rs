//! Chunks of devices' logs: committed before they are acknowledged to the broker, as answers are.

use wilco_dialect::{ChunkResult, LogChunk};
use wilco_ledger::{CommandId, DeviceId};

use super::Controller;
use crate::store::{Change, ConnectionId, StoredLog};

impl Controller {
    /// Records a chunk of a log. A chunk that no known command requested is dropped.
    pub(super) fn log_chunk(&mut self, connection: &ConnectionId, device: DeviceId, chunk: LogChunk) {
        let at = self.clock.now();
        let Some(known) =
            self.connections.get_mut(connection).filter(|known| known.ledger.is_known(&device, &chunk.id))
        else {
            return;
        };
        let connection = connection.clone();
        match known.logs.add(&device, &chunk) {
            ChunkResult::New => self.pending_batch.changes.push(Change::LogChunk { connection, device, at, chunk }),
            ChunkResult::Ruinous(why) => {
                self.pending_batch.changes.push(Change::LogRuined { connection, device, command: chunk.id, at, why });
            }
            ChunkResult::Doubled | ChunkResult::Useless => {}
        }
    }

    /// A chunk of a requested log is unreadable, so the log will never be complete. Its other chunks are kept anyway.
    pub(super) fn log_ruined(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId, why: &str) {
        let at = self.clock.now();
        if !self.connections.get(connection).is_some_and(|known| known.ledger.is_known(device, id)) {
            return;
        }
        let why = format!("{why} The command keeps its bytes. Fetch the log again.");
        self.pending_batch.changes.push(Change::LogRuined {
            connection: connection.clone(),
            device: device.clone(),
            command: id.clone(),
            at,
            why,
        });
    }

    /// Whether what came earlier of a log is not at hand.
    pub(super) fn needs_log(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        self.connections.get(connection).is_some_and(|known| !known.logs.knows(device, id))
    }

    /// Has at hand what came earlier of a log.
    pub(super) fn remember_log(
        &mut self,
        connection: &ConnectionId,
        device: &DeviceId,
        id: &CommandId,
        stored: Option<(StoredLog, Vec<LogChunk>)>,
    ) {
        let Some(known) = self.connections.get_mut(connection).filter(|known| !known.logs.knows(device, id)) else {
            return;
        };
        match stored {
            Some((StoredLog { wrong: Some(why), .. }, _)) => known.logs.give_up(device, id, why),
            Some((_, chunks)) => chunks.iter().for_each(|chunk| drop(known.logs.add(device, chunk))),
            None => {}
        }
    }
}
