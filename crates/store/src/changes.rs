//! Writes the changes of a batch to their tables.

use std::sync::Arc;

use rusqlite::Transaction;
use wilco_ledger::Fact;

use super::{
    Change, ConnectionId, StoredDevice, bounds,
    projection_queue::{CommandSnapshot, LastOf},
    table::{self, events, logs, meta, rollout_members, rollout_unexpected_devices, rollouts},
};

/// Writes everything except the rows of commands, which are returned: of each only the last state. Also returns the
/// number of written events.
pub(super) fn write<'a>(
    transaction: &Transaction<'_>,
    changes: impl Iterator<Item = &'a Change>,
) -> rusqlite::Result<(Vec<CommandSnapshot>, u64)> {
    let mut appended = 0;
    let mut append = events::Append::to(transaction)?;
    let mut commands = LastOf::default();
    // The final state of each device; none if it was deleted.
    let mut devices = LastOf::<(&ConnectionId, &_), Option<&StoredDevice>>::default();
    let mut evidence = LastOf::<(&ConnectionId, &_), u64>::default();
    for change in changes {
        match change {
            Change::Event { connection, event, command } => {
                let row = append.event(connection, event, None)?;
                appended += 1;
                if let Some(bytes) = bounds::counted(&event.fact) {
                    evidence.put((connection, &event.device), |before| before.map_or(bytes, |before| before + bytes));
                }
                let begun_at = matches!(event.fact, Fact::Submitted { .. }).then_some(row);
                if let (Some(id), true) = (&event.command, begun_at.is_some() || command.is_some()) {
                    commands.put((connection, &event.device, id), |before: Option<&(_, _)>| {
                        (command.as_ref(), before.and_then(|before| before.1).or(begun_at))
                    });
                }
            }
            Change::Request { connection, event, request } => {
                let row = append.event(connection, event, Some(request))?;
                appended += 1;
                if let Some(bytes) = bounds::counted_request(&event.fact, request) {
                    evidence.put((connection, &event.device), |before| before.map_or(bytes, |before| before + bytes));
                }
                if let (Some(id), Fact::Submitted { .. }) = (&event.command, &event.fact) {
                    commands.put((connection, &event.device, id), |before: Option<&(_, _)>| {
                        (before.and_then(|before| before.0), before.and_then(|before| before.1).or(Some(row)))
                    });
                }
            }
            Change::CommandSnapshot { connection, command } => {
                commands.put((connection, command.device(), command.id()), |before| {
                    (Some(command), before.and_then(|before| before.1))
                });
            }
            Change::Device { connection, device } => devices.put((connection, &device.device), |_| Some(device)),
            Change::NoDevice { connection, device } => devices.put((connection, device), |_| None),
            other => write_row(transaction, other)?,
        }
    }
    for ((connection, device), bytes) in evidence {
        table::evidence_use::add(transaction, connection, device, bytes)?;
    }
    for ((connection, device), known) in devices {
        match known {
            Some(known) => table::devices::put(transaction, connection, known)?,
            None => table::devices::remove(transaction, connection, device)?,
        }
    }
    let snapshot =
        |((connection, ..), (command, begun_at)): ((&ConnectionId, _, _), (Option<&Arc<_>>, Option<i64>))| {
            Some(CommandSnapshot { connection: connection.clone(), command: Arc::clone(command?), begun_at })
        };
    if appended > 0 {
        meta::count_events(transaction, appended)?;
    }
    Ok((commands.into_iter().filter_map(snapshot).collect(), appended))
}

/// Writes a change on which no other one of its transaction depends.
fn write_row(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Discarded { connection, device, command, discarded } => {
            table::discarded::add(transaction, connection, device, command.as_ref(), discarded)?;
        }
        Change::Disagreed { connection, device, disagreement, at } => {
            table::disagreements::put(transaction, connection, device, disagreement, *at)?;
        }
        Change::Annotation { connection, device, annotation } => {
            table::annotations::put(transaction, connection, device, annotation)?;
        }
        Change::ForgetLater { connection, device, at } => {
            table::annotations::forget(transaction, connection, device, *at)?;
        }
        Change::Dismissed { connection, device, command } => {
            table::dismissed::add(transaction, connection, device, command)?;
        }
        Change::Audit(entry) => {
            table::audit::append(transaction, entry)?;
        }
        Change::Broadcast { connection, broadcast } => table::broadcasts::add(transaction, connection, broadcast)?,
        Change::WireId { connection, last } => meta::keep_wire_id(transaction, connection, *last)?,
        Change::Rollout { rollout, members } => {
            rollouts::insert(transaction, rollout)?;
            rollout_members::insert(transaction, rollout.number, members)?;
        }
        Change::RolloutSnapshot { number, snapshot } => rollouts::update(transaction, *number, snapshot)?,
        Change::RolloutApproval { number, approval } => rollouts::approval(transaction, *number, approval)?,
        Change::RolloutNote { number, note } => rollouts::note(transaction, *number, note.as_deref())?,
        Change::MemberEarlier { rollout, member, values } => {
            rollout_members::note_earlier(transaction, *rollout, *member, values)?;
        }
        Change::UnexpectedDevice { rollout, unexpected_device } => {
            rollout_unexpected_devices::put(transaction, *rollout, unexpected_device)?
        }
        Change::LogChunk { connection, device, at, chunk } => {
            logs::add(transaction, connection, device, *at, chunk)?;
        }
        Change::LogRuined { connection, device, command, at, why } => {
            logs::ruin(transaction, connection, device, command, (*at, why))?;
        }
        Change::Event { .. }
        | Change::Request { .. }
        | Change::CommandSnapshot { .. }
        | Change::Device { .. }
        | Change::NoDevice { .. } => {}
    }
    Ok(())
}
