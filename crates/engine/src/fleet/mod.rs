//! The devices of one connection, as they are known from what they said.
//!
//! Nothing here is asked of a device and nothing is stored: the controller tells what was heard and keeps it.

mod device;
mod order;
mod search;

use std::{collections::HashMap, sync::Arc};

pub(crate) use device::Device;
use foldhash::fast::RandomState;
pub use search::unknown_tokens;
use wilco_ledger::{Command, CommandId, DeviceId, Timestamp};

use crate::{
    api::{DevicePage, DeviceQuery, Presence},
    store::StoredDevice,
    views::Standing,
};

/// The devices of one connection.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    devices: HashMap<DeviceId, Device, RandomState>,
    online: u32,
    /// The devices that are different since this was last asked, each once: see [`Device::news`].
    changed: Vec<DeviceId>,
    unsaved: Vec<DeviceId>,
    /// The order last asked for, good for as long as nothing has changed.
    sorted: Option<(DeviceQuery, Vec<DeviceId>)>,
}

impl Fleet {
    /// The fleet as it was when the program last ran. Who was online then may not be now.
    pub(crate) fn restore(stored: Vec<StoredDevice>) -> Fleet {
        let mut fleet = Fleet::default();
        for stored in stored {
            let device = Device::restore(stored);
            fleet.devices.insert(device.id.clone(), device);
        }
        fleet
    }

    pub(crate) fn get(&self, device: &DeviceId) -> Option<&Device> {
        self.devices.get(device)
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.devices.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn online(&self) -> u32 {
        self.online
    }

    /// Changes what is known of a device, which may be a new one.
    pub(crate) fn update(&mut self, device: &DeviceId, change: impl FnOnce(&mut Device)) {
        let known = self.devices.entry(device.clone()).or_insert_with(|| Device::new(device.clone()));
        let was_online = known.presence == Presence::Online;
        change(known);
        match (was_online, known.presence == Presence::Online) {
            (false, true) => self.online += 1,
            (true, false) => self.online -= 1,
            _ => {}
        }
        self.sorted = None;
        if !std::mem::replace(&mut known.news.changed, true) {
            self.changed.push(device.clone());
        }
        if !std::mem::replace(&mut known.news.unsaved, true) {
            self.unsaved.push(device.clone());
        }
    }

    /// Notes that a device was heard.
    pub(crate) fn heard(&mut self, device: &DeviceId, now: Timestamp) {
        self.update(device, |device| device.seen_at = Some(now));
    }

    /// Notes that a device has just spoken for itself: it is not offline, whatever was said of it before. Whether that is
    /// news to somebody who waits for it, because it was not known to be online.
    pub(crate) fn spoke(&mut self, device: &DeviceId, now: Timestamp) -> bool {
        let mut news = false;
        self.update(device, |device| {
            device.seen_at = Some(now);
            news = device.presence != Presence::Online;
            if device.presence == Presence::Offline {
                device.presence = Presence::Unknown;
                device.presence_since = None;
            }
        });
        news
    }

    /// Notes how a device's command stands, if it is its latest.
    pub(crate) fn command(&mut self, standing: Standing) {
        let command = Arc::clone(&standing.command);
        self.update(&command.asked.device, |device| {
            if let (Some(sent), Some(accepted)) = (command.rungs.sent, command.rungs.accepted) {
                device.trip_ms = Some((accepted.0 - sent.0).max(0) as f64);
            }
            fn turn(command: &Command) -> (Timestamp, &CommandId) {
                (command.submitted_at, command.id())
            }
            if device.last_command.as_ref().is_none_or(|last| turn(&last.command) <= turn(&command)) {
                device.last_command = Some(standing);
            }
        });
    }

    /// A command is no longer kept, so it is no device's latest either.
    pub(crate) fn forget_command(&mut self, device: &DeviceId, id: &CommandId) {
        let is_latest = |device: &Device| device.last_command.as_ref().is_some_and(|last| last.command.asked.id == *id);
        if self.devices.get(device).is_some_and(is_latest) {
            self.update(device, |device| device.last_command = None);
        }
    }

    /// A device is no longer known.
    pub(crate) fn forget(&mut self, device: &DeviceId) {
        let Some(known) = self.devices.remove(device) else { return };
        self.online -= u32::from(known.presence == Presence::Online);
        self.sorted = None;
        if !known.news.changed {
            self.changed.push(device.clone());
        }
    }

    /// Nobody's presence is known any more: the connection that told of it is gone.
    pub(crate) fn forget_presence(&mut self) {
        let told: Vec<_> = self
            .devices
            .values()
            .filter(|device| device.presence != Presence::Unknown)
            .map(|device| device.id.clone())
            .collect();
        for id in told {
            self.update(&id, |device| device.presence = Presence::Unknown);
        }
    }

    /// The devices that have changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<DeviceId> {
        let changed = std::mem::take(&mut self.changed);
        for id in &changed {
            if let Some(device) = self.devices.get_mut(id) {
                device.news.changed = false;
            }
        }
        changed
    }

    /// The devices to be stored.
    pub(crate) fn take_unsaved(&mut self) -> Vec<StoredDevice> {
        let unsaved = std::mem::take(&mut self.unsaved);
        let mut stored = Vec::with_capacity(unsaved.len());
        for id in &unsaved {
            if let Some(device) = self.devices.get_mut(id) {
                device.news.unsaved = false;
                stored.push(device.stored());
            }
        }
        stored
    }

    /// A window of the devices that match, in the order asked for.
    pub(crate) fn page(&mut self, query: &DeviceQuery, from: u32, count: u32) -> DevicePage {
        let sorted = match self.sorted.take() {
            Some((last, sorted)) if last == *query => sorted,
            _ => self.sort(query),
        };
        let matching = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        let from = from.min(matching);
        let rows = sorted
            .iter()
            .skip(from as usize)
            .take(count.min(1_000) as usize)
            .filter_map(|id| self.devices.get(id))
            .map(|device| device.row(&query.connection))
            .collect();
        self.sorted = Some((query.clone(), sorted));
        DevicePage { rows, from, matching, total: self.len() }
    }

    fn sort(&self, query: &DeviceQuery) -> Vec<DeviceId> {
        let search = search::Search::parse(&query.search);
        let mut matching: Vec<&Device> = self.devices.values().filter(|device| search.matches(device)).collect();
        matching.sort_unstable_by(|a, b| order::compare(a, b, query.sort, query.order));
        matching.into_iter().map(|device| device.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{DeviceId, Timestamp};

    use super::Fleet;
    use crate::api::{DeviceOrder, DeviceQuery, Presence, SortBy};

    fn fleet() -> Fleet {
        let mut fleet = Fleet::default();
        for (id, presence, led, firmware, tag) in [
            ("kitchen-10", Presence::Online, Some(true), "2.3.1", "kitchen"),
            ("kitchen-9", Presence::Offline, None, "2.3.1", "kitchen"),
            ("dock-1", Presence::Online, Some(false), "2.10.0", "dock"),
        ] {
            let device = DeviceId::new(id).expect("a device id");
            fleet.update(&device, |device| {
                device.presence = presence;
                device.led = led;
                device.firmware = Some(firmware.into());
                device.tags = vec![tag.into()];
                device.seen_at = Some(Timestamp(1));
            });
        }
        fleet
    }

    fn check(search: &str, sort: SortBy, order: DeviceOrder, expected: &[&str]) {
        let query = DeviceQuery { connection: "c".into(), search: search.into(), sort, order };
        let page = fleet().page(&query, 0, 100);
        let ids: Vec<_> = page.rows.iter().map(|row| row.device.as_str()).collect();
        assert_eq!(ids, expected, "{search:?} by {sort:?}");
        assert_eq!((page.matching as usize, page.total), (expected.len(), 3));
    }

    #[test]
    fn devices_are_sorted_as_people_count() {
        check("", SortBy::Device, DeviceOrder::Ascending, &["dock-1", "kitchen-9", "kitchen-10"]);
        check("", SortBy::Device, DeviceOrder::Descending, &["kitchen-10", "kitchen-9", "dock-1"]);
        check("", SortBy::Firmware, DeviceOrder::Ascending, &["kitchen-9", "kitchen-10", "dock-1"]);
        check("", SortBy::Presence, DeviceOrder::Ascending, &["dock-1", "kitchen-10", "kitchen-9"]);
    }

    #[test]
    fn words_and_tokens_narrow_the_list() {
        check("kit", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9", "kitchen-10"]);
        check("is:offline", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9"]);
        check("led:on tag:kitchen", SortBy::Device, DeviceOrder::Ascending, &["kitchen-10"]);
        check("firmware:<2.5", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9", "kitchen-10"]);
        check("firmware:>=2.10", SortBy::Device, DeviceOrder::Ascending, &["dock-1"]);
        check("KITCHEN -10", SortBy::Device, DeviceOrder::Ascending, &["kitchen-10"]);
        check("nothing:such", SortBy::Device, DeviceOrder::Ascending, &[]);
    }

    fn presences(fleet: &mut Fleet) -> Vec<Presence> {
        let query = DeviceQuery { connection: "c".into(), ..DeviceQuery::default() };
        fleet.page(&query, 0, 100).rows.iter().map(|row| row.presence).collect()
    }

    #[test]
    fn a_lost_connection_takes_presence_with_it() {
        let mut fleet = fleet();
        assert_eq!(fleet.online(), 2);
        fleet.forget_presence();
        assert_eq!(fleet.online(), 0);
        assert_eq!(presences(&mut fleet), [Presence::Unknown; 3]);
    }

    #[test]
    fn who_is_forgotten_is_gone_and_that_is_told() {
        let mut fleet = fleet();
        let dock = DeviceId::new("dock-1").expect("a device id");
        fleet.take_changed();
        fleet.forget(&dock);
        assert_eq!((fleet.len(), fleet.online(), presences(&mut fleet).len()), (2, 1, 2));
        assert_eq!(fleet.take_changed(), std::slice::from_ref(&dock));
        assert!(fleet.take_unsaved().iter().all(|stored| stored.device != dock));
        // It is told once, also when it is heard again at once.
        fleet.heard(&dock, Timestamp(9));
        fleet.forget(&dock);
        assert_eq!(fleet.take_changed(), [dock]);
    }

    #[test]
    fn who_speaks_is_not_offline() {
        let mut fleet = fleet();
        let mut check = |device: &str, news: bool, expected: Presence| {
            assert_eq!(fleet.spoke(&DeviceId::new(device).expect("a device id"), Timestamp(7)), news, "{device}");
            let query = DeviceQuery { connection: "c".into(), search: device.into(), ..DeviceQuery::default() };
            let row = fleet.page(&query, 0, 1).rows.remove(0);
            assert_eq!((row.presence, row.seen_at), (expected, Some(7)), "{device}");
        };
        check("kitchen-9", true, Presence::Unknown);
        check("dock-1", false, Presence::Online);
        check("never-heard-before", true, Presence::Unknown);
    }
}
