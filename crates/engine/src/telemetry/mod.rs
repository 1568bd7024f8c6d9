//! Measurements of devices, between their arrival and the disk.
//!
//! Nothing waits for them: they are written a few seconds later, many at a time, and measurements that arrive faster
//! than the disk can write are dropped and counted. They never delay a command.

mod chart;
mod remarks;

use std::collections::{BTreeSet, HashMap};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use wilco_dialect::TelemetryRest;
use wilco_ledger::{DeviceId, Timestamp};

use crate::store::{ConnectionId, Measured, Sample};

pub(crate) use chart::Chart;
use remarks::TelemetryRemarks;

/// Series of a device that are read; another name is left out.
const MOST_SERIES: usize = 64;
/// Messages that may wait for the disk, of all devices together: a thousand devices for three minutes, at one a second.
const MOST_WAITING: usize = 200_000;
/// How far a device's clock may be ahead before it is ignored, milliseconds.
pub(crate) const AHEAD: i64 = 5 * 60_000;
/// So long ago may be what a device sends now, having been away: milliseconds.
const BEHIND: i64 = 24 * 3_600_000;

/// When a message was sent: by its device, if that is plausible; otherwise now.
pub(crate) fn sent_at(said: Option<Timestamp>, now: Timestamp) -> Timestamp {
    said.filter(|said| is_plausible(*said, now)).unwrap_or(now)
}

fn is_plausible(said: Timestamp, now: Timestamp) -> bool {
    (-BEHIND..=AHEAD).contains(&said.0.saturating_sub(now.0))
}

/// The measurements that are not yet on the disk, and the last of each series.
#[derive(Default)]
pub(crate) struct Telemetry {
    tail: Mutex<Tail>,
    closing: Notify,
}

#[derive(Default)]
struct Tail {
    devices: HashMap<ConnectionId, HashMap<DeviceId, Live>>,
    waiting: usize,
    dropped: u64,
}

/// The recent measurements of one device.
#[derive(Default)]
struct Live {
    /// By their places a sample names its series.
    series: Vec<(Box<str>, f64, Timestamp)>,
    waiting: Vec<Sample>,
    odd: TelemetryRemarks,
}

/// A telemetry message.
pub(crate) struct Message {
    pub(crate) at: Option<Timestamp>,
    pub(crate) series: Vec<(String, f64)>,
    pub(crate) rest: TelemetryRest,
}

/// The stored measurements of a device.
pub(crate) struct Written {
    pub(crate) device: DeviceId,
    /// How many of its samples.
    pub(crate) samples: usize,
    /// Of how many series nothing is kept.
    pub(crate) unkept: usize,
}

impl Telemetry {
    /// Takes in a message that came just now.
    pub(crate) fn take(&self, connection: &ConnectionId, device: &DeviceId, message: Message, now: Timestamp) {
        let mut tail = self.lock();
        let is_full = tail.waiting >= MOST_WAITING;
        let live = tail.of(connection, device);
        let at = live.odd.time(message.at, now);
        let mut left_out = message.rest.left_out;
        let mut values = Vec::with_capacity(message.series.len());
        for (name, value) in message.series {
            let known = live.series.iter().position(|(known, ..)| **known == *name);
            let Some(place) = known.or_else(|| live.begin(name)) else {
                left_out = left_out.saturating_add(1);
                continue;
            };
            // One that was delivered late is not the last, unless that one is from the future.
            if at >= live.series[place].2.min(now) {
                (live.series[place].1, live.series[place].2) = (value, at);
            }
            values.push((u8::try_from(place).unwrap_or(u8::MAX), value));
        }
        live.odd.note(TelemetryRest { left_out, ..message.rest });
        if values.is_empty() {
            return;
        }
        if is_full {
            tail.dropped += 1;
        } else {
            live.waiting.push(Sample { at, values });
            tail.waiting += 1;
        }
    }

    /// Notes that a message could not be read at all, and why.
    pub(crate) fn unreadable(&self, connection: &ConnectionId, device: &DeviceId, why: &str) {
        self.lock().of(connection, device).odd.unreadable(why);
    }

    /// Measurements that are not stored yet, by connection.
    pub(crate) fn waiting(&self) -> Vec<(ConnectionId, Vec<Measured>)> {
        let tail = self.lock();
        let of_connection = |devices: &HashMap<DeviceId, Live>| {
            let some = devices.iter().filter(|(_, live)| !live.waiting.is_empty());
            some.map(|(device, live)| Measured {
                device: device.clone(),
                series: live.series.iter().map(|(name, ..)| name.clone()).collect(),
                samples: live.waiting.clone(),
            })
            .collect::<Vec<_>>()
        };
        let all = tail.devices.iter().map(|(connection, devices)| (connection.clone(), of_connection(devices)));
        all.filter(|(_, measured)| !measured.is_empty()).collect()
    }

    /// Notes what is on the disk, or never will be.
    pub(crate) fn done(&self, connection: &ConnectionId, written: &[Written]) {
        let mut tail = self.lock();
        let mut fewer = 0;
        if let Some(devices) = tail.devices.get_mut(connection) {
            for Written { device, samples, unkept } in written {
                if let Some(live) = devices.get_mut(device) {
                    fewer += live.waiting.drain(..(*samples).min(live.waiting.len())).len();
                    live.odd.unkept(*unkept);
                }
            }
        }
        tail.waiting = tail.waiting.saturating_sub(fewer);
    }

    /// Makes the writer write again, and end.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
    }

    /// Returns once it is to be closed.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// The number of dropped messages since the last call.
    pub(crate) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Forgets a connection's.
    pub(crate) fn forget(&self, connection: &ConnectionId) {
        let mut tail = self.lock();
        let gone = tail.devices.remove(connection).unwrap_or_default();
        tail.waiting = tail.waiting.saturating_sub(gone.values().map(|live| live.waiting.len()).sum());
    }

    /// Forgets a device's.
    pub(crate) fn forget_device(&self, connection: &ConnectionId, device: &DeviceId) {
        let mut tail = self.lock();
        let gone = tail.devices.get_mut(connection).and_then(|devices| devices.remove(device));
        tail.waiting = tail.waiting.saturating_sub(gone.map_or(0, |live| live.waiting.len()));
    }

    /// Forgets the series, of one connection or of all, of which nothing has come since then: others can have their places.
    pub(crate) fn forget_before(&self, connection: Option<&ConnectionId>, before: Timestamp) {
        let mut tail = self.lock();
        let some = tail.devices.iter_mut().filter(|(id, _)| connection.is_none_or(|connection| *id == connection));
        some.flat_map(|(_, devices)| devices.values_mut()).for_each(|live| live.forget_before(before));
    }

    /// When the last of a device's measurements was made, by the time that counts for it.
    pub(crate) fn last(&self, connection: &ConnectionId, device: &DeviceId) -> Option<Timestamp> {
        let tail = self.lock();
        tail.devices.get(connection)?.get(device)?.series.iter().map(|(.., at)| *at).max()
    }

    /// The last value of a series of each device that measures it.
    pub(crate) fn latest(&self, connection: &ConnectionId, series: &str) -> HashMap<DeviceId, f64> {
        let tail = self.lock();
        let devices = tail.devices.get(connection).into_iter().flatten();
        let last = |live: &Live| live.series.iter().find(|(name, ..)| **name == *series).map(|(_, value, _)| *value);
        devices.filter_map(|(device, live)| Some((device.clone(), last(live)?))).collect()
    }

    /// The names of all series that devices of a connection measure.
    pub(crate) fn series(&self, connection: &ConnectionId) -> BTreeSet<String> {
        let tail = self.lock();
        let devices = tail.devices.get(connection).into_iter().flat_map(HashMap::values);
        devices.flat_map(|live| live.series.iter().map(|(name, ..)| name.to_string())).collect()
    }

    /// Adds to a chart what is not yet on the disk, the last of each series, and what is odd.
    pub(crate) fn add_to(&self, chart: &mut Chart, connection: &ConnectionId, device: &DeviceId) {
        let tail = self.lock();
        let Some(live) = tail.devices.get(connection).and_then(|devices| devices.get(device)) else { return };
        for sample in &live.waiting {
            for (place, value) in &sample.values {
                if let Some((name, ..)) = live.series.get(usize::from(*place)) {
                    chart.add(sample.at, name, *value);
                }
            }
        }
        for (name, value, at) in &live.series {
            chart.latest(name, *value, *at);
        }
        chart.remarks = live.odd.sentences();
    }

    fn lock(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock()
    }
}

impl Tail {
    fn of(&mut self, connection: &ConnectionId, device: &DeviceId) -> &mut Live {
        self.devices.entry(connection.clone()).or_default().entry(device.clone()).or_default()
    }
}

impl Live {
    /// The index for a new series, if there is space for it.
    fn begin(&mut self, name: String) -> Option<usize> {
        if self.series.len() >= MOST_SERIES {
            return None;
        }
        self.series.push((name.into(), 0.0, Timestamp(0)));
        Some(self.series.len() - 1)
    }

    /// Measurements that are not stored yet keep their series.
    fn forget_before(&mut self, before: Timestamp) {
        let waits = |place: usize| {
            self.waiting.iter().flat_map(|sample| &sample.values).any(|(other, _)| usize::from(*other) == place)
        };
        let stays: Vec<bool> =
            self.series.iter().enumerate().map(|(place, (.., at))| *at >= before || waits(place)).collect();
        let moved = |place: u8| stays[..usize::from(place)].iter().map(|stays| u8::from(*stays)).sum();
        for (place, _) in self.waiting.iter_mut().flat_map(|sample| &mut sample.values) {
            *place = moved(*place);
        }
        let mut stays = stays.iter();
        self.series.retain(|_| stays.next().is_none_or(|stays| *stays));
    }
}

#[cfg(test)]
mod tests;
