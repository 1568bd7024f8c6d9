//! The topic filters of a set.

use std::{borrow::Cow, collections::HashSet};

use super::{DialectSet, Member, usable};
use crate::{Discovery, Filter, Subscriptions, devices::Devices, file::What};

impl DialectSet {
    /// The topic filters: each once, required ones first, without those covered by another one.
    #[must_use]
    pub fn filters(&self, devices: &Devices, wishes: &Subscriptions<'_>) -> Vec<Filter> {
        let mut filters: Vec<Filter> = Vec::new();
        let mut of_devices: Vec<Filter> = Vec::new();
        let found_by: Vec<String> = self.readers("").iter().flat_map(Discovery::filters).collect();
        for member in &self.members {
            match &member.native {
                Some(native) => filters.extend(native.filters(wishes)),
                None => {
                    filters.extend(member.wished(devices, wishes));
                    of_devices
                        .extend(devices.deep_addresses(member.file.name()).flat_map(|one| member.filters_of(one)));
                }
            }
        }
        let named = devices.topics().chain(devices.root_filters()).map(|topic| wished(topic.to_owned(), 1));
        filters.extend(named);
        filters.sort_by_key(|filter| (!filter.required, !filter.filter.contains('#'), !filter.filter.contains('+')));
        let mut kept: Vec<Filter> = Vec::new();
        // Only those with wildcards can cover another one, and there are few of them.
        let mut wide: Vec<usize> = Vec::new();
        let mut plain = HashSet::new();
        of_devices.retain(|one| !found_by.iter().any(|filter| covers(filter, &one.filter)));
        let few = filters.len();
        for (number, filter) in filters.into_iter().chain(of_devices).enumerate() {
            if let Some(place) = wide.iter().find(|place| covers(&kept[**place].filter, &filter.filter)) {
                let qos = &mut kept[*place].qos;
                *qos = filter.qos.max(*qos);
                continue;
            }
            if plain.insert(filter.filter.clone()) {
                if number < few && filter.filter.contains(['+', '#']) {
                    wide.push(kept.len());
                }
                kept.push(filter);
            }
        }
        kept
    }
}

impl Member {
    /// The filters of a dialect on a connection: those of each device where only certain devices are wanted, and the broker may
    /// end the connection over a wildcard in place of a device.
    fn wished(&self, devices: &Devices, wishes: &Subscriptions<'_>) -> Vec<Filter> {
        let is_narrow = self.file.on_request && self.file.filters.is_empty();
        let Some(named) = wishes.devices.filter(|_| is_narrow) else { return self.filters() };
        let addresses = named.iter().map(|id| devices.get(id).map_or(id.as_str(), |device| &*device.address));
        addresses.flat_map(|address| self.filters_of(address)).collect()
    }

    /// The filters of a dialect without code: those that its file names, or those of its rules.
    fn filters(&self) -> Vec<Filter> {
        let value = |name: &str| self.setting(name);
        let all: Vec<Filter> = match &self.file.filters[..] {
            [] => self.heard_by(&value),
            own => own.iter().map(|filter| wished(filter.fill(&value).unwrap_or_default(), 0)).collect(),
        };
        all.into_iter().filter(|one| !one.filter.is_empty()).collect()
    }

    /// The filters of a device whose name in topics has several levels, which a `+` does not match.
    fn filters_of(&self, address: &str) -> Vec<Filter> {
        if !self.file.filters.is_empty() || usable(address).is_err() {
            return Vec::new();
        }
        self.heard_by(&|name| if name == "device" { Some(Cow::Borrowed(address)) } else { self.setting(name) })
    }

    fn heard_by<'v>(&self, value: &dyn Fn(&str) -> Option<Cow<'v, str>>) -> Vec<Filter> {
        let rules = self.file.receive_rules.iter().filter(|hear| !matches!(hear.what, What::Nothing));
        let heard = rules.flat_map(|hear| {
            let answers = matches!(hear.what, What::Answer(_) | What::State(_));
            let topics = hear.topics.iter().filter(|topic| self.is_set_for(topic));
            topics.map(move |topic| wished(topic.filter(value), u8::from(answers)))
        });
        heard.collect()
    }
}

fn wished(filter: String, qos: u8) -> Filter {
    Filter { filter, qos, required: false, others_only: false }
}

/// Whether a filter covers every topic of another one (MQTT 5 section 4.7.1).
pub(crate) fn covers(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), Some(first)) => return !first.starts_with('$'),
            (Some("#"), None) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::DeviceId;

    use super::covers;
    use crate::{Devices, DialectSet, KnownDevice, Subscriptions, Topics, shipped};

    #[test]
    fn a_filter_covers_another() {
        let check =
            |wide: &str, narrow: &str, expected: bool| assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        check("#", "a/b", true);
        check("#", "$aws/x", false);
        check("a/#", "a", true);
        check("a/#", "a/+/b", true);
        check("+/b", "a/b", true);
        check("+/b", "+/b", true);
        check("+/b", "#", false);
        check("a/b", "a/+", false);
        check("a", "a/b", false);
    }

    /// The filters of a connection with one dialect and one device.
    fn filters(dialect: &str, address: &str) -> Vec<String> {
        let file = shipped().iter().find(|file| file.name() == dialect).cloned();
        let set = DialectSet::new(file, &Topics::default());
        let mut devices = Devices::default();
        devices.insert(KnownDevice::new(DeviceId::new("d1").expect("an ID"), dialect, address));
        let own = set.readers("wilco").iter().flat_map(|reader| reader.filters()).collect::<Vec<_>>();
        let rules = set.filters(&devices, &Subscriptions::default());
        rules.into_iter().map(|filter| filter.filter).chain(own).collect()
    }

    #[test]
    fn messages_of_a_known_device_are_received_whatever_its_name_in_topics() {
        let check = |dialect: &str, address: &str, topics: &[&str]| {
            let filters = filters(dialect, address);
            for topic in topics.iter().map(|topic| format!("{address}/{topic}")) {
                assert!(filters.iter().any(|filter| covers(filter, &topic)), "{topic}: {filters:?}");
            }
        };
        let shelly = ["online", "events/rpc", "status/switch:0", "error/switch:0"];
        for address in ["shellyplus1-a8", "Shelly/SPR3EM_FVE", "a/b/c/d/e"] {
            check("shelly", address, &shelly);
        }
    }

    #[test]
    fn a_broker_that_permits_certain_devices_only_is_asked_for_their_topics() {
        let filters = |dialect: &str, named: Option<&[DeviceId]>| -> Vec<String> {
            let file = shipped().iter().find(|file| file.name() == dialect).cloned();
            let set = DialectSet::new(file, &Topics::default());
            let wishes = Subscriptions { devices: named, lifecycle: false };
            set.filters(&Devices::default(), &wishes).into_iter().map(|filter| filter.filter).collect()
        };
        let named = ["dock-1", "dock-2"].map(|name| DeviceId::new(name).expect("an ID"));
        for dialect in ["aws-shadow", "aws-jobs", "aws-commands"] {
            let all = filters(dialect, None);
            assert!(all.iter().any(|filter| filter.contains("things/+/")), "{all:?}");
            let narrow = filters(dialect, Some(&named));
            assert!(narrow.iter().any(|filter| filter.contains("things/dock-2/")), "{narrow:?}");
            assert!(!narrow.iter().any(|filter| filter.contains("things/+/")), "{narrow:?}");
        }
        let commands = filters("aws-commands", Some(&named[..1]));
        assert_eq!(
            commands,
            [
                "$aws/commands/things/dock-1/executions/+/response/json",
                "$aws/commands/things/dock-1/executions/+/response",
                "$aws/commands/things/dock-1/executions/+/response/cbor",
                "$aws/events/commandExecution/+/+",
            ]
        );
        // Elsewhere a wildcard hears devices that are not known yet.
        assert_eq!(filters("tasmota", Some(&named)), filters("tasmota", None));
    }

    #[test]
    fn only_names_of_several_levels_have_filters_of_their_own() {
        let count = |address: &str| filters("shelly", address).len();
        assert_eq!(count("shellyplus1-a8"), count("another"));
        // Status and errors; beyond the levels that are searched also presence and notifications.
        assert_eq!(count("Shelly/SPR3EM_FVE"), count("another") + 2);
        assert_eq!(count("a/b/c/d"), count("another") + 4);
        // A filter of the dialect's file is for all of its devices already.
        assert_eq!(filters("zigbee2mqtt", "kitchen/lamp"), filters("zigbee2mqtt", "lamp"));
        // An address with a wildcard adds no filter.
        assert_eq!(count("a/+/b"), count("another"));
    }
}
