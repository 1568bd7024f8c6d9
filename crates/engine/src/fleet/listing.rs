//! Cached lists of devices, kept until something that they depend on changes.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    Device, Fleet,
    order::{self, Ranks},
    search::{Facts, Search},
};
use crate::api::{DeviceGroup, DeviceOrder, DeviceQuery, GroupBy, GroupKey, SortBy};

/// The number of cached lists: that of a window, of its saved views, and of other clients.
const KEPT: usize = 4;

/// Kinds of things that are known of a device, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Aspects(u16);

impl Aspects {
    pub(super) const MEMBERS: Aspects = Aspects(1);
    pub(super) const PRESENCE: Aspects = Aspects(1 << 1);
    pub(super) const LED: Aspects = Aspects(1 << 2);
    pub(super) const COMMAND: Aspects = Aspects(1 << 3);
    pub(super) const SEEN: Aspects = Aspects(1 << 4);
    pub(super) const TRIP: Aspects = Aspects(1 << 5);
    /// Firmware, tags and the last restart.
    pub(super) const DESCRIPTION: Aspects = Aspects(1 << 6);
    /// The reported configuration of the device.
    pub(super) const REPORT: Aspects = Aspects(1 << 8);
    /// The name that it announces, or that a person has given it.
    pub(super) const NAME: Aspects = Aspects(1 << 9);
    /// Values that change by themselves: the time, and measurements, which are kept elsewhere.
    pub(super) const ELSEWHERE: Aspects = Aspects(1 << 7);

    pub(super) const fn and(self, others: Aspects) -> Aspects {
        Aspects(self.0 | others.0)
    }

    pub(super) const fn meets(self, others: Aspects) -> bool {
        self.0 & others.0 != 0
    }
}

/// A list as it was when it was last made.
#[derive(Debug)]
pub(super) struct Listing {
    query: DeviceQuery,
    /// Another number for each list with other devices or another order.
    pub(super) revision: u64,
    /// The devices' places in the fleet.
    pub(super) order: Vec<u32>,
    pub(super) groups: Vec<DeviceGroup>,
    depends_on: Aspects,
    stale: bool,
}

/// The cached lists, the most recently used at the end.
#[derive(Debug, Default)]
pub(super) struct Listings {
    kept: Vec<Listing>,
    revisions: u64,
}

impl Listings {
    /// Something of a device has changed.
    pub(super) fn changed(&mut self, aspects: Aspects) {
        for listing in &mut self.kept {
            listing.stale |= listing.depends_on.meets(aspects);
        }
    }

    /// A place in the fleet may be another device's from now on.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }

    fn take(&mut self, query: &DeviceQuery) -> Option<Listing> {
        let place = self.kept.iter().position(|listing| listing.query == *query)?;
        Some(self.kept.remove(place))
    }

    fn keep(&mut self, listing: Listing) -> &Listing {
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(listing);
        &self.kept[self.kept.len() - 1]
    }
}

impl Fleet {
    /// The list of a query.
    pub(super) fn listing(&mut self, query: &DeviceQuery, search: &Search, facts: &Facts) -> &Listing {
        self.place_new();
        let before = self.listings.take(query);
        let listing = match before {
            Some(listing) if !listing.stale && !listing.depends_on.meets(Aspects::ELSEWHERE) => listing,
            before => {
                let (order, groups) = self.sort(query, search, facts);
                match before {
                    Some(before) if before.order == order && before.groups == groups => {
                        Listing { stale: false, ..before }
                    }
                    _ => {
                        self.listings.revisions += 1;
                        Listing {
                            query: query.clone(),
                            revision: self.listings.revisions,
                            order,
                            groups,
                            depends_on: depends_on(query).and(search.depends_on()),
                            stale: false,
                        }
                    }
                }
            }
        };
        self.listings.keep(listing)
    }

    /// Inserts new devices at their positions.
    fn place_new(&mut self) {
        if self.unplaced.is_empty() {
            return;
        }
        let mut by_id = std::mem::take(&mut self.by_id);
        by_id.append(&mut self.unplaced);
        let id = |place: u32| self.at(place).map_or("", |device| device.id.as_str());
        // A sorted list is detected, and costs no time.
        by_id.sort_by(|a, b| order::natural(id(*a), id(*b)).then_with(|| id(*a).cmp(id(*b))));
        self.by_id = by_id;
    }

    fn sort(&self, query: &DeviceQuery, search: &Search, facts: &Facts) -> (Vec<u32>, Vec<DeviceGroup>) {
        let versions = || self.tally.firmware.keys().map(String::as_str);
        let ranks = match &query.sort {
            SortBy::Firmware => Ranks::of_versions(versions(), false),
            SortBy::Config(key) => Ranks::of_values(self.devices().filter_map(|device| device.running(key))),
            SortBy::Name => Ranks::of_names(self.devices().filter_map(Device::shown_name)),
            SortBy::Tags => Ranks::of_tag_lists(self.devices().filter_map(order::tag_list)),
            _ => Ranks::default(),
        };
        let texts = match query.group {
            Some(GroupBy::Firmware) => Ranks::of_versions(versions(), true),
            Some(GroupBy::Tag) => Ranks::of_tags(self.tally.tags.keys().map(String::as_str)),
            _ => Ranks::default(),
        };
        let mut matching = Vec::with_capacity(self.by_id.len());
        for place in &self.by_id {
            let Some(device) = self.at(*place).filter(|device| search.matches(device, facts)) else { continue };
            let group = query.group.map_or(0, |by| order::group_rank(device, by, &texts));
            matching.push((group, order::key(device, &query.sort, &ranks, facts), *place));
        }
        // Equal ones stay in the order of their ids, and those without a value come last.
        match (&query.sort, query.order) {
            (SortBy::Device, DeviceOrder::Descending) => {
                matching.reverse();
                matching.sort_by_key(|(group, ..)| *group);
            }
            (SortBy::Device, DeviceOrder::Ascending) => matching.sort_by_key(|(group, ..)| *group),
            (_, DeviceOrder::Ascending) => matching.sort_by_key(|(group, key, _)| (*group, key.is_none(), *key)),
            (_, DeviceOrder::Descending) => {
                matching.sort_by_key(|(group, key, _)| (*group, key.is_none(), Reverse(*key)));
            }
        }
        let mut groups: Vec<DeviceGroup> = Vec::new();
        if let Some(by) = query.group {
            let mut last = None;
            for (place, (rank, _, device)) in (0..).zip(&matching) {
                if last != Some(*rank) {
                    last = Some(*rank);
                    groups.extend(self.at(*device).map(|device| order::group(device, by, place)));
                }
                if let Some(group) = groups.last_mut() {
                    group.count += 1;
                }
            }
        }
        if query.group == Some(GroupBy::Tag) {
            self.count_elsewhere(&mut groups, matching.iter().map(|(.., place)| *place));
        }
        (matching.into_iter().map(|(.., place)| place).collect(), groups)
    }

    /// Counts the devices with a group's tag that are in another group.
    fn count_elsewhere(&self, groups: &mut [DeviceGroup], listed: impl Iterator<Item = u32>) {
        let mut tagged: HashMap<&str, u32> = HashMap::new();
        for tag in listed.filter_map(|place| self.at(place)).flat_map(Device::all_tags) {
            *tagged.entry(tag).or_default() += 1;
        }
        for group in groups {
            let GroupKey::Tag { tag: Some(tag) } = &group.key else { continue };
            group.elsewhere = tagged.get(tag.as_str()).map_or(0, |all| all - group.count);
        }
    }
}

fn depends_on(query: &DeviceQuery) -> Aspects {
    let sort = match &query.sort {
        SortBy::Device => Aspects::default(),
        SortBy::Name => Aspects::NAME,
        SortBy::Presence => Aspects::PRESENCE,
        SortBy::Led => Aspects::LED,
        SortBy::LastCommand | SortBy::State | SortBy::Took => Aspects::COMMAND,
        SortBy::Seen => Aspects::SEEN,
        SortBy::Firmware | SortBy::Tags => Aspects::DESCRIPTION,
        SortBy::Trip => Aspects::TRIP,
        SortBy::Config(_) => Aspects::REPORT,
        SortBy::Telemetry(_) | SortBy::Desired => Aspects::ELSEWHERE,
    };
    let group = match query.group {
        None => Aspects::default(),
        Some(GroupBy::Tag | GroupBy::Firmware) => Aspects::DESCRIPTION,
        Some(GroupBy::State) => Aspects::COMMAND,
        Some(GroupBy::Presence) => Aspects::PRESENCE,
    };
    Aspects::MEMBERS.and(sort).and(group)
}
