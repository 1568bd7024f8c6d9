//! The devices of one connection, as they have reported themselves.
//!
//! It requests nothing from devices and stores nothing: the controller passes it messages and stores the changes.
//! Measurements are in `telemetry`; a search for one is given the latest values.

pub(crate) mod annotations;
mod columns;
mod desired;
mod device;
mod listing;
mod order;
mod search;
mod summary;
mod tally;
mod version;

use std::{collections::HashMap, sync::Arc};

pub(crate) use annotations::{AnnotationChange, TagChange};
pub(crate) use desired::{Desired, OutOfLine, Wanted};
pub(crate) use device::Device;
use foldhash::fast::RandomState;
use listing::{Aspects, Listings};
pub use search::tag_search;
pub(crate) use search::{Facts, Search, read_search};
pub(crate) use summary::shown;
use tally::Tally;
use wilco_ledger::{Command, CommandId, DeviceId, Disagreement, Timestamp};

use crate::{
    api::{DeviceRow, FleetCounts, Presence},
    dialects::{self, Titles},
    store::{Annotation, StoredAnnotation, StoredDescription, StoredDevice},
    views::CommandSnapshot,
};

/// The devices of one connection.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Each at its place, which it keeps; nothing where one was forgotten.
    devices: Vec<Option<Device>>,
    places: HashMap<DeviceId, u32, RandomState>,
    /// Places that others can have.
    free: Vec<u32>,
    /// The places in the order of the ids, but for those that are new.
    by_id: Vec<u32>,
    unplaced: Vec<u32>,
    tally: Tally,
    /// The devices that have changed since the last call, each once: see [`Device::dirty`].
    changed: Vec<DeviceId>,
    unsaved: Vec<DeviceId>,
    listings: Listings,
    titles: Titles,
}

impl Fleet {
    /// The fleet as it was when the program last ran, with what people have set of its devices, and the last command of each.
    /// Devices that were online then may be offline now. Only what differs from what is stored is stored again.
    pub(crate) fn restore(
        mut devices: Vec<Device>,
        annotations: Vec<StoredAnnotation>,
        latest: &[Arc<Command>],
    ) -> Fleet {
        let mut fleet = Fleet::default();
        fleet.places.reserve(devices.len());
        fleet.places.extend((0..).zip(&devices).map(|(place, device)| (device.id.clone(), place)));
        for StoredAnnotation { device, annotation, .. } in annotations {
            let known = fleet.restored(&mut devices, &device);
            known.annotation = (annotation != Annotation::default()).then(|| Box::new(annotation));
        }
        for command in latest {
            let device = command.device();
            let is_new = !fleet.places.contains_key(device);
            let known = fleet.restored(&mut devices, device);
            let before = known.trip_ms;
            known.command(CommandSnapshot::new(Arc::clone(command), None));
            if is_new || known.trip_ms != before {
                known.dirty.unsaved = true;
                fleet.unsaved.push(device.clone());
            }
        }
        devices.iter().for_each(|device| fleet.tally.add(device));
        fleet.unplaced = (0..).take(devices.len()).collect();
        fleet.devices = devices.into_iter().map(Some).collect();
        fleet
    }

    /// A device to restore; a new one if it has no state.
    fn restored<'a>(&mut self, devices: &'a mut Vec<Device>, id: &DeviceId) -> &'a mut Device {
        let place = *self.places.entry(id.clone()).or_insert_with(|| {
            devices.push(Device::new(id.clone()));
            u32::try_from(devices.len() - 1).unwrap_or(u32::MAX)
        });
        &mut devices[place as usize]
    }

    /// The titles of the connection's own dialect files have become known.
    pub(crate) fn set_titles(&mut self, titles: Titles) {
        self.titles = titles;
    }

    pub(crate) fn titles(&self) -> &Titles {
        &self.titles
    }

    /// The name for people of a dialect.
    pub(crate) fn title(&self, dialect: &str) -> String {
        dialects::title(&self.titles, dialect)
    }

    /// A device as it is listed.
    pub(crate) fn row(&self, connection: &str, device: &Device) -> DeviceRow {
        let dialect = device.description.as_ref().map(|described| self.title(&described.dialect));
        device.row(connection, dialect)
    }

    pub(crate) fn get(&self, device: &DeviceId) -> Option<&Device> {
        self.at(*self.places.get(device)?)
    }

    /// Descriptions by dialects of other firmware.
    pub(crate) fn descriptions(&self) -> impl Iterator<Item = (&DeviceId, &StoredDescription)> {
        self.devices().filter_map(|device| Some((&device.id, device.description.as_deref()?)))
    }

    /// The devices that answered that they succeeded, but report other values.
    pub(crate) fn disagreeing(&self) -> impl Iterator<Item = (&DeviceId, &Disagreement)> {
        self.devices().filter_map(|device| Some((&device.id, device.disagreement.as_deref()?)))
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn online(&self) -> u32 {
        self.tally.online()
    }

    fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().flatten()
    }

    fn counts(&self) -> FleetCounts {
        self.tally.counts()
    }

    fn at(&self, place: u32) -> Option<&Device> {
        self.devices.get(place as usize)?.as_ref()
    }

    fn insert(&mut self, device: Device) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.devices.push(None);
            u32::try_from(self.devices.len() - 1).unwrap_or(u32::MAX)
        });
        self.tally.add(&device);
        self.places.insert(device.id.clone(), place);
        self.unplaced.push(place);
        self.devices[place as usize] = Some(device);
        self.listings.changed(Aspects::MEMBERS);
        place
    }

    /// Changes what is known of a device, which may be a new one.
    pub(crate) fn update(&mut self, device: &DeviceId, change: impl FnOnce(&mut Device)) {
        self.alter(device, true, change);
    }

    /// `description`: its firmware, tags, report or annotations may change too.
    fn alter(&mut self, id: &DeviceId, description: bool, change: impl FnOnce(&mut Device)) {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => self.insert(Device::new(id.clone())),
        };
        let Some(Some(device)) = self.devices.get_mut(place as usize) else { return };
        let before = Before::of(device);
        let mut described = None;
        if description {
            self.tally.remove(device);
            let (firmware, tags) = (device.firmware.clone(), device.tags.clone());
            described = Some((firmware, tags, device.annotation.clone(), device.restart, device.description.clone()));
        }
        change(device);
        let mut changes = before.changes(device);
        if let Some((firmware, tags, annotation, restart, description)) = described {
            self.tally.add(device);
            changes = changes.and(Aspects::REPORT);
            if firmware != device.firmware || tags != device.tags || restart != device.restart {
                changes = changes.and(Aspects::DESCRIPTION);
            }
            if annotation != device.annotation {
                changes = changes.and(Aspects::DESCRIPTION).and(Aspects::NAME);
            }
            if description != device.description {
                changes = changes.and(Aspects::NAME);
            }
        } else {
            self.tally.moved(before.tile, device);
        }
        self.listings.changed(changes);
        device.dirty.tile |= before.tile != (device.presence, device.state_code());
        if !std::mem::replace(&mut device.dirty.changed, true) {
            self.changed.push(id.clone());
        }
        if !std::mem::replace(&mut device.dirty.unsaved, true) {
            self.unsaved.push(id.clone());
        }
    }

    /// Records the time of a device's last message.
    pub(crate) fn note_message(&mut self, device: &DeviceId, now: Timestamp) {
        self.alter(device, false, |device| device.seen_at = Some(now));
    }

    /// Records that a device has just published: it is not offline, whatever was reported before. Returns whether that
    /// may release waiting commands, because it was not known to be online.
    pub(crate) fn spoke(&mut self, device: &DeviceId, now: Timestamp) -> bool {
        let mut dirty = false;
        self.alter(device, false, |device| {
            device.seen_at = Some(now);
            dirty = device.presence != Presence::Online;
            if device.presence == Presence::Offline {
                device.presence = Presence::Unknown;
                device.presence_since = None;
            }
        });
        dirty
    }

    /// The hub of a device is back; the presence of the device is unknown.
    pub(crate) fn hub_is_back(&mut self, device: &DeviceId) {
        if self.get(device).is_some_and(|device| device.presence == Presence::Offline) {
            self.alter(device, false, |device| {
                device.presence = Presence::Unknown;
                device.presence_since = None;
            });
        }
    }

    /// Records the state of a device's latest command.
    pub(crate) fn command(&mut self, snapshot: CommandSnapshot) {
        let id = snapshot.command.device().clone();
        self.alter(&id, false, |device| device.command(snapshot));
    }

    /// A command is no longer kept, so it is no device's latest either.
    pub(crate) fn forget_command(&mut self, device: &DeviceId, id: &CommandId) {
        let is_latest =
            |device: &Device| device.last_command.as_ref().is_some_and(|last| last.command.submission.id == *id);
        if self.get(device).is_some_and(is_latest) {
            self.alter(device, false, |device| device.last_command = None);
        }
    }

    /// Every presence is unknown from now on: the connection that reported it has ended.
    pub(crate) fn forget_presence(&mut self) {
        let known = self.devices.iter().flatten();
        let told: Vec<_> =
            known.filter(|device| device.presence != Presence::Unknown).map(|device| device.id.clone()).collect();
        for id in told {
            self.alter(&id, false, |device| device.presence = Presence::Unknown);
        }
    }

    /// The devices that have changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<DeviceId> {
        let changed = std::mem::take(&mut self.changed);
        for id in &changed {
            if let Some(device) = self.known(id) {
                device.dirty.changed = false;
            }
        }
        changed
    }

    /// The devices to be stored.
    pub(crate) fn take_unsaved(&mut self) -> Vec<StoredDevice> {
        let unsaved = std::mem::take(&mut self.unsaved);
        let mut stored = Vec::with_capacity(unsaved.len());
        for id in &unsaved {
            if let Some(device) = self.known(id) {
                device.dirty.unsaved = false;
                stored.push(device.stored());
            }
        }
        stored
    }

    fn known(&mut self, id: &DeviceId) -> Option<&mut Device> {
        self.devices.get_mut(*self.places.get(id)? as usize)?.as_mut()
    }
}

/// The properties of a device on which lists depend, before a change.
struct Before {
    tile: (Presence, u8),
    command: Option<Timestamp>,
    led: Option<bool>,
    seen_at: Option<Timestamp>,
    trip_ms: Option<f64>,
}

impl Before {
    fn of(device: &Device) -> Before {
        Before {
            tile: (device.presence, device.state_code()),
            command: device.last_command.as_ref().map(|last| last.command.submitted_at),
            led: device.led,
            seen_at: device.seen_at,
            trip_ms: device.trip_ms,
        }
    }

    fn changes(&self, device: &Device) -> Aspects {
        let now = Before::of(device);
        let changes = [
            (self.tile.0 != now.tile.0, Aspects::PRESENCE),
            (self.tile.1 != now.tile.1 || self.command != now.command, Aspects::COMMAND),
            (self.led != now.led, Aspects::LED),
            (self.seen_at != now.seen_at, Aspects::SEEN),
            (self.trip_ms != now.trip_ms, Aspects::TRIP),
        ];
        changes.into_iter().filter(|(changed, _)| *changed).fold(Aspects::default(), |all, (_, one)| all.and(one))
    }
}

#[cfg(test)]
pub(crate) mod tests;
