#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::sync::Arc;

use serde_json::json;
use wilco_ledger::{Command, State, Timestamp};

use crate::{
    api::{DeviceOrder, DeviceQuery, SortBy},
    fleet::{
        Desired, Facts, Fleet, Search, Wanted,
        tests::{columns, fleet, id, query, snapshot},
    },
    store::{Annotation, StoredDescription},
    views::CommandSnapshot,
};

/// The devices in the order of a column, in both directions.
fn check(fleet: &mut Fleet, facts: &Facts, sort: &SortBy, ascending: &[&str], descending: &[&str]) {
    for (order, expected) in [(DeviceOrder::Ascending, ascending), (DeviceOrder::Descending, descending)] {
        let query = DeviceQuery { sort: sort.clone(), order, ..query("") };
        let found = fleet.matching(&query, &Search::default(), facts);
        let found: Vec<_> = found.iter().map(|device| device.as_str()).collect();
        assert_eq!(found, expected, "{sort:?} {order:?}");
    }
}

fn name(fleet: &mut Fleet, device: &str, name: &str) {
    fleet.annotate(&id(device), Annotation { name: Some(name.to_owned()), ..Annotation::default() });
}

/// A fleet of these devices, without anything else.
fn of(devices: &[&str]) -> Fleet {
    let mut fleet = Fleet::default();
    devices.iter().for_each(|device| fleet.update(&id(device), |_| ()));
    fleet
}

#[test]
fn names_are_sorted_in_upper_and_lower_case_and_announced_ones_too() {
    let mut fleet = of(&["a", "b", "c", "d", "e"]);
    name(&mut fleet, "a", "Pump 10");
    name(&mut fleet, "b", "pump 9");
    name(&mut fleet, "e", "PUMP 10");
    let described = StoredDescription {
        dialect: "homie".into(),
        address: "c".into(),
        name: Some("Attic".into()),
        model: None,
        vendor: None,
        hub: None,
        identifiers: Vec::new(),
    };
    let facts = Facts::default();
    check(&mut fleet, &facts, &SortBy::Name, &["b", "a", "e", "c", "d"], &["a", "e", "b", "c", "d"]);
    // The list is another one once the device has announced itself, though nothing else of it has changed.
    fleet.update(&id("c"), |device| device.description = Some(Arc::new(described)));
    check(&mut fleet, &facts, &SortBy::Name, &["c", "b", "a", "e", "d"], &["a", "e", "b", "c", "d"]);
    // It is found by the name that is shown.
    for (search, expected) in [("attic", &["c"][..]), ("name:ATTIC", &["c"]), ("name:*", &["a", "b", "c", "e"])] {
        let found = fleet.matching(&query(search), &Search::read(search).unwrap(), &facts);
        assert_eq!(found.iter().map(|device| device.as_str()).collect::<Vec<_>>(), expected, "{search}");
    }
}

#[test]
fn devices_of_the_same_name_keep_their_order_and_a_new_name_moves_one() {
    let mut fleet = fleet();
    ["kitchen-10", "kitchen-9", "dock-1"].iter().for_each(|device| name(&mut fleet, device, "Lamp"));
    let by_name = DeviceQuery { sort: SortBy::Name, ..query("") };
    let before = columns(&mut fleet, &by_name, None);
    assert_eq!(before.devices.unwrap(), ["dock-1", "kitchen-9", "kitchen-10"]);
    name(&mut fleet, "dock-1", "Post");
    let after = columns(&mut fleet, &by_name, Some(before.revision));
    assert_eq!(after.devices.unwrap(), ["kitchen-9", "kitchen-10", "dock-1"]);
}

#[test]
fn tags_are_sorted_by_the_first_one_and_then_by_the_next() {
    let mut fleet = of(&["a", "b", "c", "d", "e"]);
    for (device, tags) in [("a", "zone-10"), ("b", "zone-9 spare"), ("c", "zone-9"), ("d", "zone-1 attic")] {
        fleet.update(&id(device), |device| device.tags = tags.split(' ').map(str::to_owned).collect());
    }
    let tags = SortBy::Tags;
    let facts = Facts::default();
    check(&mut fleet, &facts, &tags, &["d", "c", "b", "a", "e"], &["a", "b", "c", "d", "e"]);
    // Those that are set here stand beside them.
    fleet.annotate(&id("c"), Annotation { tags: vec!["yard".into()], ..Annotation::default() });
    check(&mut fleet, &facts, &tags, &["d", "b", "c", "a", "e"], &["a", "c", "b", "d", "e"]);
}

#[test]
fn commands_that_took_long_are_found_and_unfinished_ones_come_last() {
    let mut fleet = of(&["a", "b", "c", "d", "e"]);
    let mut last = |device: &str, state: State, finished: Option<i64>| {
        let mut command = Command::clone(&snapshot(device, state, 1_000).command);
        command.rungs.finished = finished.map(Timestamp);
        fleet.command(CommandSnapshot::new(command.into(), None));
    };
    last("a", State::Succeeded, Some(1_900));
    last("b", State::TimedOut, Some(11_000));
    last("c", State::Accepted, None);
    last("d", State::Cancelled, Some(1_001));
    let facts = Facts::default();
    check(&mut fleet, &facts, &SortBy::Took, &["a", "b", "c", "d", "e"], &["b", "a", "c", "d", "e"]);
}

#[test]
fn devices_that_differ_from_their_desired_configuration_come_first() {
    let mut fleet = of(&["a", "b", "c", "d"]);
    for (device, interval) in [("a", 30), ("b", 60)] {
        let report = json!({"running": {"interval": interval}}).to_string();
        fleet.update(&id(device), |device| device.report(report, None));
    }
    for device in ["a", "b", "c"] {
        fleet.update(&id(device), |device| device.tags = vec!["north".into()]);
    }
    let values = vec![("interval".to_owned(), "30".to_owned())];
    let wanted = Wanted { name: "north".into(), search: Search::read("tag:north").unwrap(), values };
    let facts = Facts { desired: Arc::new(Desired::new(vec![wanted])), ..Facts::default() };
    check(&mut fleet, &facts, &SortBy::Desired, &["b", "c", "a", "d"], &["a", "c", "b", "d"]);
}
