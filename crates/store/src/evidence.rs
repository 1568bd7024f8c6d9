//! A command with its evidence, limited to a readable amount.
//!
//! A device may report progress thousands of times. All of it is stored as far as the quota allows; of answers with
//! only progress, only the first and the last are read here.

use std::collections::VecDeque;

use rusqlite::Connection;
use wilco_ledger::{Command, CommandId, DeviceId, Disagreement, Event, Raw, Reading};

use super::{
    ConnectionId, Discarded, DiscardedOf, Store, StoreError,
    table::{commands, disagreements, discarded, events, evidence_use},
};

/// Of a command with no more events than this, all are read.
const ALL: u32 = 500;
/// How many of the first and of the last answers with only progress are read; and as many again of those after the
/// command's end.
const FIRST: usize = 10;
const LAST: usize = 240;

/// A command and the events to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The command as all of its events make it.
    pub command: Command,
    /// Events, oldest first, each with its position among all of them, from 0.
    pub events: Vec<(u32, Event)>,
    /// The number of omitted events.
    pub left_out: u32,
    /// Messages about it that were not kept.
    pub discarded: Option<Discarded>,
}

/// A request as sent or received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// The message.
    pub raw: Raw,
    /// It was received from another console.
    pub heard: bool,
}

type Key = (ConnectionId, DeviceId, CommandId);

impl Store {
    /// A command with its evidence.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn evidence(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<Evidence>, StoreError> {
        let key = (connection.clone(), device.clone(), command.clone());
        let of = key.clone();
        let count = self.readers.read(move |connection| events::count(connection, &of.0, &of.1, &of.2)).await?;
        if count <= ALL {
            self.readers.read(move |connection| whole(connection, &key)).await
        } else {
            // How it stands would take all events to say, so the tables must.
            self.read(move |connection| abridged(connection, &key)).await
        }
    }
}

impl Store {
    /// The last request of a command as sent or received; `None` if nothing was sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn request(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        let found = self.readers.read(move |connection| events::request(connection, &id, &device, &command)).await?;
        Ok(found.map(|(raw, heard)| StoredRequest { raw, heard }))
    }
}

impl Store {
    /// The bytes of each device's evidence that count for the quota.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn evidence_use(&self) -> Result<Vec<(ConnectionId, DeviceId, u64)>, StoreError> {
        self.readers.read(evidence_use::all).await
    }

    /// The contradicting report of a device after its answer to a command, if there was one.
    pub async fn disagreement(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<Disagreement>, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        self.readers.read(move |connection| disagreements::of_command(connection, &id, &device, &command)).await
    }

    /// The same of all commands of a connection, each with its device.
    pub async fn disagreements(&self, connection: &ConnectionId) -> Result<Vec<(DeviceId, Disagreement)>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| disagreements::all(connection, &id)).await
    }

    /// The messages of a device that were not kept.
    pub async fn discarded(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
    ) -> Result<Option<Discarded>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers.read(move |connection| discarded::of_device(connection, &id, &device)).await
    }

    /// The number of messages that were not kept, of one connection or of all, and the devices with most of them.
    pub async fn most_discarded(
        &self,
        connection: Option<&ConnectionId>,
        limit: u32,
    ) -> Result<(u64, Vec<DiscardedOf>), StoreError> {
        let of = connection.cloned();
        self.readers.read(move |connection| discarded::most(connection, of.as_ref(), limit)).await
    }
}

fn whole(connection: &Connection, (id, device, command_id): &Key) -> rusqlite::Result<Option<Evidence>> {
    let events = events::of_command(connection, id, device, command_id)?;
    let command = match events::replay_events(&events) {
        None => commands::by_id(connection, id, device, command_id)?,
        replayed => replayed,
    };
    let discarded = discarded::of_command(connection, id, device, Some(command_id))?;
    Ok(command.map(|command| Evidence { command, events: (0..).zip(events).collect(), left_out: 0, discarded }))
}

fn abridged(connection: &Connection, (id, device, command): &Key) -> rusqlite::Result<Option<Evidence>> {
    let Some(snapshot) = commands::by_id(connection, id, device, command)? else { return Ok(None) };
    let rows = events::running(connection, id, device, command)?;
    let shown = shown(rows.iter().map(|(_, reading)| *reading));
    let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let events = shown
        .iter()
        .map(|&index| Ok((place(index), events::at(connection, rows[index].0)?)))
        .collect::<rusqlite::Result<_>>()?;
    let discarded = discarded::of_command(connection, id, device, Some(command))?;
    Ok(Some(Evidence { command: snapshot, events, left_out: place(rows.len() - shown.len()), discarded }))
}

/// The places of the events that are shown, of which those that are `running` answers come with their reading.
fn shown(readings: impl Iterator<Item = Option<Reading>>) -> Vec<usize> {
    let (mut still, mut after) = (FirstAndLast::default(), FirstAndLast::default());
    let mut places = Vec::new();
    for (place, reading) in readings.enumerate() {
        match reading {
            Some(Reading::Heartbeat) => still.put(place),
            Some(Reading::AfterTheEnd) => after.put(place),
            _ => places.push(place),
        }
    }
    places.extend([still, after].into_iter().flat_map(|ends| ends.first.into_iter().chain(ends.last)));
    places.sort_unstable();
    places
}

/// The first and the last of something.
#[derive(Default)]
struct FirstAndLast {
    first: Vec<usize>,
    last: VecDeque<usize>,
}

impl FirstAndLast {
    fn put(&mut self, place: usize) {
        if self.first.len() < FIRST {
            self.first.push(place);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(place);
    }
}
