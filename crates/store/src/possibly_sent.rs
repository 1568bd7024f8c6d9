//! What may have been sent although no event says so. Where the history has lost events, a command that seems to wait in
//! the outbox may be one whose later events are gone, and a member of a rollout that seems to wait may have a command
//! that is gone.
//!
//! So an event is added to each such command, by which it counts as possibly sent, and rollouts are halted. It is in the
//! transaction that remembers the loss.

use std::sync::Arc;

use rusqlite::Transaction;
use wilco_ledger::{Event, Fact, Origin};

use super::{
    Change, changes,
    table::{self, events, rollouts},
};

/// Marks every command that seems unsent, and halts every rollout that would release further members. The tables of
/// commands must show everything.
pub(super) fn mark(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let Some(at) = events::newest(transaction)? else { return Ok(()) };
    let mut marks = Vec::new();
    for connection in table::commands::connections_with_open(transaction)? {
        for mut command in events::unsettled(transaction, &connection)? {
            if command.origin != Origin::Here || !command.is_unsent() {
                continue;
            }
            let (device, id) = (command.device().clone(), command.id().clone());
            let event = Event { device, command: Some(id), at: at.max(command.changed_at), fact: Fact::EventsMissing };
            command.apply(&event);
            marks.push(Change::Event { connection: connection.clone(), event, command: Some(Arc::new(command)) });
        }
    }
    let (changed, _) = changes::write(transaction, marks.iter())?;
    let written = table::put_commands(transaction, changed.iter())?;
    table::index(transaction, written)?;
    rollouts::halt_where_events_are_missing(transaction)
}
