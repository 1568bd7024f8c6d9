//! Dialects of other firmware on a connection: which are enabled, which devices use them, what their messages mean, and
//! how to send them a request.
//!
//! It has no socket and no store. The controller passes it every message of a connection with such dialects;
//! connections with only Wilco's own dialect never use it.

mod availability;
mod colour;
mod early;
mod request;
mod sign_in;
mod views;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use wilco_dialect::{
    Changes, Context, DecodedMessage, Devices, DialectSet, Discovery, Filter, Inbound, KnownDevice, Meaning, Role,
    Subscriptions, WireIds,
};
use wilco_ledger::{CommandId, DeviceId, Report, Reported, Submission};

use availability::Availabilities;
use early::EarlyMessages;
pub(crate) use request::Prepared;
use sign_in::{Challenged, SignIn};
pub(crate) use views::{Titles, title};
pub(crate) use wilco_connection::EnabledDialects;

use crate::store::StoredDescription;

/// The most hubs that lie one behind the other.
const MOST_HUBS: usize = 8;
/// The most messages that are remembered because the broker may send them back.
const MOST_PUBLISHED: usize = 64;
/// The most values of a device that are remembered.
const MOST_VALUES: usize = 500;

/// The shared state of a connection's dialects, read by callers that send while the controller changes it.
pub(crate) type SharedDialects = Arc<RwLock<ConnectionDialects>>;

pub(crate) fn read(dialects: &SharedDialects) -> RwLockReadGuard<'_, ConnectionDialects> {
    dialects.read()
}

pub(crate) fn write(dialects: &SharedDialects) -> RwLockWriteGuard<'_, ConnectionDialects> {
    dialects.write()
}

/// The dialects of a connection that has others than Wilco's own.
#[derive(Debug)]
pub(crate) struct ConnectionDialects {
    set: DialectSet,
    /// Wilco's own dialect is one of them.
    speaks_own: bool,
    devices: Devices,
    readers: Vec<Discovery>,
    wire_ids: WireIds,
    /// The reported values of each device.
    reported: HashMap<DeviceId, Vec<Reported>>,
    availabilities: Availabilities,
    early: EarlyMessages,
    sign_in: SignIn,
    /// What Wilco has published beside its commands, which the broker may send back; the latest.
    published: VecDeque<(String, String)>,
}

/// The state of a forgotten device.
#[derive(Debug)]
pub(crate) struct Forgotten {
    device: KnownDevice,
    reported: Vec<Reported>,
}

/// The result of a message.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Its meaning in each dialect.
    pub(crate) meant: Vec<Interpretation>,
    /// Devices that it makes known, or known otherwise.
    pub(crate) changes: Changes,
    /// Requests that reveal more: a topic and a payload each.
    pub(crate) questions: Vec<(String, String)>,
    /// Unusable parts of a discovery message, as sentences.
    pub(crate) problems: Vec<String>,
}

/// The meaning of a message in one dialect.
#[derive(Debug)]
pub(crate) struct Interpretation {
    pub(crate) meaning: Meaning,
    /// It was decoded by Wilco's own dialect.
    pub(crate) own: bool,
    /// Its time is unknown.
    pub(crate) retained: bool,
    /// The device requires a signed request; `Some(true)`: it also refused the signed one.
    pub(crate) challenge: Option<bool>,
}

impl ConnectionDialects {
    /// The dialects of a profile, if there are others than Wilco's own. `last`: the last number given to a command, or the one to
    /// begin after.
    pub(crate) fn of(enabled: EnabledDialects, last: u32) -> Option<ConnectionDialects> {
        let EnabledDialects { set, readers, speaks_own, has_described, .. } = enabled;
        has_described.then(|| ConnectionDialects {
            set,
            speaks_own,
            devices: Devices::default(),
            readers,
            wire_ids: WireIds::after(last),
            reported: HashMap::new(),
            availabilities: Availabilities::default(),
            early: EarlyMessages::default(),
            sign_in: SignIn::default(),
            published: VecDeque::new(),
        })
    }

    /// Keeps the known devices of dialects that are still enabled, and the mapping of IDs.
    pub(crate) fn take_over(&mut self, before: &ConnectionDialects) {
        for device in before.devices.iter().filter(|device| self.set.names().any(|name| name == &*device.dialect)) {
            self.devices.insert(device.clone());
            if let Some(reported) = before.reported.get(&device.id) {
                self.reported.insert(device.id.clone(), reported.clone());
            }
        }
        self.wire_ids = before.wire_ids.clone();
    }

    /// A device as it was known when the program last ran: what it can do is not known before it announces itself again.
    pub(crate) fn restore(&mut self, id: &DeviceId, description: &StoredDescription) {
        if !self.set.names().any(|name| name == &*description.dialect) {
            return;
        }
        let mut device = KnownDevice::new(id.clone(), &description.dialect, &description.address);
        device.name = description.name.as_deref().map(Into::into);
        device.model = description.model.as_deref().map(Into::into);
        device.vendor = description.vendor.as_deref().map(Into::into);
        device.hub = description.hub.as_deref().and_then(|hub| DeviceId::new(hub).ok());
        device.identifiers = description.identifiers.iter().map(|one| one.as_str().into()).collect();
        self.devices.insert(device);
    }

    /// The stored part of a device.
    pub(crate) fn description(&self, id: &DeviceId) -> Option<StoredDescription> {
        let device = self.devices.get(id)?;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Some(StoredDescription {
            dialect: device.dialect.to_string(),
            address: device.address.to_string(),
            name: text(&device.name),
            model: text(&device.model),
            vendor: text(&device.vendor),
            hub: device.hub.as_ref().map(|hub| hub.as_str().to_owned()),
            identifiers: device.identifiers.iter().map(|one| one.to_string()).collect(),
        })
    }

    /// Whether a device has a relay or a light.
    pub(crate) fn can_switch(&self, id: &DeviceId) -> bool {
        self.devices.get(id).is_some_and(|device| device.command_for(Role::Light).is_some())
    }

    /// Wilco's own dialect is enabled too.
    pub(crate) fn speaks_own(&self) -> bool {
        self.speaks_own
    }

    /// Every device as far as it is known, to find others beside them.
    pub(crate) fn known(&self) -> Devices {
        let mut devices = Devices::default();
        self.devices.iter().for_each(|device| drop(devices.insert(device.clone())));
        devices
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Option<&KnownDevice> {
        self.devices.get(id)
    }

    /// The devices that are reached through a hub, and through those.
    pub(crate) fn behind(&self, hub: &DeviceId) -> Vec<DeviceId> {
        self.devices.iter().filter(|one| self.hubs(&one.id).contains(hub)).map(|one| one.id.clone()).collect()
    }

    /// The hub through which a device is reached, and those through which that one is, the nearest first.
    pub(crate) fn hubs(&self, device: &DeviceId) -> Vec<DeviceId> {
        let mut hubs: Vec<DeviceId> = Vec::new();
        let mut at = device;
        while let Some(hub) = self.devices.get(at).and_then(|device| device.hub.as_ref()) {
            // Devices may name each other.
            if hubs.len() >= MOST_HUBS || hub == device || hubs.contains(hub) {
                break;
            }
            hubs.push(hub.clone());
            at = hub;
        }
        hubs
    }

    /// A device is not known any more. Hands back what was known of it.
    pub(crate) fn forget(&mut self, id: &DeviceId) -> Option<Forgotten> {
        let reported = self.reported.remove(id).unwrap_or_default();
        self.availabilities.forget(id);
        self.devices.remove(id).map(|device| Forgotten { device, reported })
    }

    /// A forgotten device is known again, unless it has announced itself since.
    pub(crate) fn put_back(&mut self, Forgotten { device, reported }: Forgotten) {
        let speaks_one = self.set.names().any(|name| name == &*device.dialect);
        if speaks_one && self.devices.get(&device.id).is_none() {
            self.reported.insert(device.id.clone(), reported);
            self.devices.insert(device);
        }
    }

    /// The additional topic filters for the known devices. `named`: the only ones that the connection is for; empty: all.
    pub(crate) fn filters(&self, named: &[String]) -> Vec<Filter> {
        let named: Vec<DeviceId> = named.iter().filter_map(|name| DeviceId::new(name.as_str()).ok()).collect();
        let devices = (!named.is_empty()).then_some(&named[..]);
        self.set.filters(&self.devices, &Subscriptions { devices, ..Subscriptions::default() })
    }

    /// The topics that a device has named itself.
    pub(crate) fn topics_of(&self, id: &DeviceId) -> Vec<String> {
        let Some(device) = self.devices.get(id) else { return Vec::new() };
        let values = device.variables.iter().filter_map(|variable| variable.topic.as_deref());
        values.chain(device.availability.iter().map(|one| &*one.topic)).map(str::to_owned).collect()
    }

    /// Requests that make devices announce themselves.
    pub(crate) fn announcements(&self) -> Vec<(String, String)> {
        self.set.announcements()
    }

    /// Reads a message: first its announcements, then its meaning.
    pub(crate) fn interpret(&mut self, inbound: &Inbound<'_>) -> Reading {
        let mut reading = Reading::default();
        if self.is_our_own(inbound) {
            return reading;
        }
        for reader in &mut self.readers {
            let mut findings = reader.read(inbound);
            if findings.is_empty() {
                continue;
            }
            let Changes { listed, gone, replaced } = findings.apply(&mut self.devices);
            reading.changes.listed.extend(listed);
            reading.changes.gone.extend(gone);
            reading.changes.replaced.extend(replaced);
            reading.questions.append(&mut findings.questions);
            reading.problems.append(&mut findings.problems);
        }
        for id in reading.changes.gone.iter().chain(&reading.changes.replaced) {
            self.reported.remove(id);
            self.availabilities.forget(id);
        }
        // A question with the number of a command is that command itself, which its device answers.
        reading.questions.retain(|(topic, _)| {
            let number = topic.rsplit('/').next().unwrap_or_default();
            self.wire_ids.find(number).is_none()
        });
        // Where devices are announced, nothing is a report of a device of Wilco's own: `homeassistant/status` looks
        // like one.
        let is_announcement = self.readers.iter().any(|reader| reader.is_about(inbound.topic));
        if let Challenged::Questions(questions) = self.challenged_question(inbound) {
            reading.questions.extend(questions);
        }
        self.decode(inbound, None, &mut reading);
        reading.meant.retain(|meant| !(meant.own && is_announcement));
        self.published.extend(reading.questions.iter().cloned());
        self.published.drain(..self.published.len().saturating_sub(MOST_PUBLISHED));
        // Messages that arrived before the device was known are read now.
        for id in reading.changes.listed.clone() {
            let Some(device) = self.devices.get(&id) else { continue };
            for kept in self.early.take(&device.address) {
                let before = reading.meant.len();
                self.decode(&kept.inbound(), Some(&id), &mut reading);
                if reading.meant.len() == before {
                    self.early.put_back(kept);
                }
            }
        }
        reading
    }

    /// Whether this message was published by Wilco beside its commands. Each is received back once.
    fn is_our_own(&mut self, inbound: &Inbound<'_>) -> bool {
        let is_it =
            |(topic, payload): &(String, String)| topic == inbound.topic && payload.as_bytes() == inbound.payload;
        let place = self.published.iter().position(is_it);
        place.is_some_and(|place| self.published.remove(place).is_some())
    }

    /// `only`: an early message is processed again for a newly discovered device.
    fn decode(&mut self, inbound: &Inbound<'_>, only: Option<&DeviceId>, reading: &mut Reading) {
        let is_new = only.is_none();
        let context = Context { devices: &self.devices, wire_ids: &self.wire_ids };
        let decoded: Vec<(bool, String, Meaning)> = self
            .set
            .decode(inbound, &context)
            .into_iter()
            .map(|one| (self.set.is_wilco(one.dialect), one.dialect.to_owned(), one.meaning))
            .collect();
        for (own, dialect, meaning) in decoded {
            if only.is_some_and(|only| device_of(&meaning) != Some(only)) {
                continue;
            }
            if own {
                if is_new {
                    let retained = inbound.retained;
                    reading.meant.push(Interpretation { meaning, own, retained, challenge: None });
                }
                continue;
            }
            if let Some(device) = device_of(&meaning).filter(|id| self.devices.get(id).is_none()).cloned() {
                if !self.set.lists_unannounced(&dialect) {
                    if is_new {
                        self.early.keep(inbound);
                    }
                    continue;
                }
                let unannounced = KnownDevice::new(device.clone(), &dialect, device.as_str());
                if self.devices.insert(unannounced).is_none() {
                    continue;
                }
                reading.changes.listed.push(device);
            }
            if let Meaning::Report(report) = &meaning {
                self.note(report);
            }
            let mut meaning = meaning;
            let device = device_of(&meaning).and_then(|id| self.devices.get(id));
            if device.is_some_and(|device| !self.availabilities.combine(device, inbound.topic, &mut meaning)) {
                continue;
            }
            let challenge = match self.challenged(&dialect, inbound, &mut meaning) {
                Challenged::Command { again } => Some(again),
                Challenged::No | Challenged::Questions(_) => None,
            };
            reading.meant.push(Interpretation { meaning, own, retained: inbound.retained || !is_new, challenge });
        }
    }

    /// Stores the values that a device reports.
    fn note(&mut self, report: &Report) {
        let values = self.reported.entry(report.device.clone()).or_default();
        for value in &report.values {
            match values.iter().position(|one| one.key == value.key) {
                Some(place) => values[place].clone_from(value),
                None if values.len() < MOST_VALUES => values.push(value.clone()),
                None => {}
            }
        }
    }

    /// The reported values of a device, and whether its relay or light is on.
    pub(crate) fn state(&self, id: &DeviceId) -> (&[Reported], Option<bool>) {
        let reported = self.reported.get(id).map_or(&[][..], Vec::as_slice);
        (reported, self.devices.get(id).and_then(|device| self.set.is_on(device, reported)))
    }

    /// Restores the ID of an earlier command.
    pub(crate) fn adopt(&mut self, submission: &Submission) {
        let is_described = submission.form.as_deref().is_some_and(|form| form.written.is_some());
        if is_described && submission.policy.answers_carry_ids {
            let id = wire_id(submission).unwrap_or(submission.id.as_str());
            self.wire_ids.adopt(id, &submission.device, &submission.id);
        }
    }

    /// A command has finished.
    pub(crate) fn release(&mut self, device: &DeviceId, id: &CommandId) {
        self.wire_ids.release(device, id);
    }

    /// The last number given to a command.
    pub(crate) fn last_wire_id(&self) -> u32 {
        self.wire_ids.last()
    }
}

/// The ID of a command in messages, if it differs from its own.
pub(crate) fn wire_id(submission: &Submission) -> Option<&str> {
    submission.form.as_deref()?.written.as_deref()?.wire_id.as_deref()
}

/// The device that a message is about.
pub(crate) fn device_of(meaning: &Meaning) -> Option<&DeviceId> {
    match meaning {
        Meaning::Message(heard) => match heard {
            DecodedMessage::Answer(answer) => Some(&answer.device),
            DecodedMessage::Presence { device, .. }
            | DecodedMessage::Lifecycle { device, .. }
            | DecodedMessage::State { device, .. }
            | DecodedMessage::Telemetry { device, .. }
            | DecodedMessage::Log { device, .. } => Some(device),
            DecodedMessage::Request(asked) => Some(&asked.device),
            DecodedMessage::Broadcast(_) | DecodedMessage::Probe { .. } => None,
        },
        Meaning::Report(report) => Some(&report.device),
        Meaning::Unreadable(unreadable) | Meaning::UnreadableReport(unreadable) => unreadable.device.as_ref(),
    }
}

#[cfg(test)]
mod tests;
