//! The list as the window needs it: some rows in full, and the whole list as columns of small numbers.

use std::collections::HashMap;

use wilco_ledger::DeviceId;

use super::{Device, Fleet, Search, search::Facts};
use crate::api::{DeviceColumns, DevicePage, DeviceQuery, DeviceRow, DeviceStates};

/// Rows of one page or one question, at most.
const ROWS: usize = 1_000;
/// So many devices are named in one batch of the feed.
const NAMED_AT_MOST: usize = 5_000;

impl Fleet {
    /// A page of the matching devices, in the requested order.
    pub(crate) fn page(
        &mut self,
        query: &DeviceQuery,
        search: &Search,
        facts: &Facts,
        from: u32,
        count: u32,
    ) -> DevicePage {
        let total = self.len();
        if count == 0 {
            let matching = self.devices.iter().flatten().filter(|device| search.matches(device, facts)).count();
            return DevicePage { rows: Vec::new(), from: 0, matching: number(matching), total };
        }
        let order = self.listing(query, search, facts).order.as_slice();
        let matching = number(order.len());
        let from = from.min(matching);
        let places = order.iter().skip(from as usize).take((count as usize).min(ROWS)).copied().collect::<Vec<_>>();
        let rows =
            places.into_iter().filter_map(|place| self.at(place)).map(|device| self.row(&query.connection, device));
        DevicePage { rows: rows.collect(), from, matching, total }
    }

    /// All matching devices, in the requested order.
    pub(crate) fn matching(&mut self, query: &DeviceQuery, search: &Search, facts: &Facts) -> Vec<DeviceId> {
        let order = self.listing(query, search, facts).order.clone();
        order.into_iter().filter_map(|place| self.at(place)).map(|device| device.id.clone()).collect()
    }

    /// Rows of devices by their ids. Those that are not known are left out.
    pub(crate) fn rows(&self, connection: &str, devices: &[DeviceId]) -> Vec<DeviceRow> {
        let known = devices.iter().take(ROWS).filter_map(|id| self.get(id));
        known.map(|device| self.row(connection, device)).collect()
    }

    /// The whole list as columns; without the ids where it is still the one of that revision. `values` are what a series
    /// has measured last.
    pub(crate) fn columns(
        &mut self,
        query: &DeviceQuery,
        search: &Search,
        facts: &Facts,
        known: Option<u64>,
        values: Option<&HashMap<DeviceId, f64>>,
    ) -> DeviceColumns {
        let listing = self.listing(query, search, facts);
        let (revision, order, groups) = (listing.revision, listing.order.clone(), listing.groups.clone());
        let listed = || order.iter().filter_map(|place| self.at(*place));
        let ids = || listed().map(|device| device.id.as_str().to_owned()).collect();
        DeviceColumns {
            revision,
            devices: (known != Some(revision)).then(ids),
            groups,
            presence: listed().map(|device| device.presence as u8).collect(),
            states: listed().map(Device::state_code).collect(),
            values: values.map(|values| listed().map(|device| values.get(&device.id).copied()).collect()),
            total: self.len(),
            counts: self.tally.counts(),
        }
    }

    /// The devices of some connections whose presence or last state has changed since the last call.
    pub(crate) fn take_states(&mut self, connection: &str, changed: &[DeviceId]) -> Option<DeviceStates> {
        let mut states = DeviceStates {
            connection: connection.to_owned(),
            devices: Vec::new(),
            presence: Vec::new(),
            states: Vec::new(),
            more: false,
        };
        for id in changed {
            let Some(device) = self.known(id).filter(|device| device.dirty.tile) else { continue };
            device.dirty.tile = false;
            if states.devices.len() >= NAMED_AT_MOST {
                states.more = true;
                continue;
            }
            states.devices.push(id.as_str().to_owned());
            states.presence.push(device.presence as u8);
            states.states.push(device.state_code());
        }
        (!states.devices.is_empty()).then_some(states)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
