#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::sync::Arc;

use wilco_dialect::json;
use wilco_ledger::DeviceId;

use super::{Desired, Wanted};
use crate::{
    api::{DesiredState, DeviceQuery, Presence},
    fleet::{Facts, Fleet, Search},
};

fn id(text: &str) -> DeviceId {
    DeviceId::new(text).unwrap()
}

/// Devices with a tag and a report each.
fn fleet(devices: &[(&str, &str, &str)]) -> Fleet {
    let mut fleet = Fleet::default();
    for (name, tag, report) in devices {
        fleet.update(&id(name), |device| {
            device.presence = Presence::Online;
            device.tags = vec![(*tag).into()];
            if !report.is_empty() {
                device.report((*report).into(), None);
            }
        });
    }
    fleet
}

fn wanted(name: &str, search: &str, values: &str) -> Wanted {
    let values = json::members(values).unwrap();
    Wanted { name: name.into(), search: Search::read(search).unwrap(), values }
}

fn facts(all: Vec<Wanted>) -> Facts {
    Facts { desired: Arc::new(Desired::new(all)), ..Facts::default() }
}

fn found(fleet: &mut Fleet, search: &str, facts: &Facts) -> Vec<String> {
    let query = DeviceQuery { search: search.into(), ..DeviceQuery::default() };
    let found = fleet.matching(&query, &Search::read(search).unwrap(), facts);
    found.iter().map(|device| device.as_str().to_owned()).collect()
}

#[test]
fn a_device_is_as_wanted_when_it_runs_and_has_saved_every_value() {
    let check = |report: &str, expected: DesiredState| {
        let fleet = fleet(&[("a", "north", report)]);
        let facts = facts(vec![wanted("north", "tag:north", r#"{"interval":30,"limit":4.50}"#)]);
        let device = fleet.get(&id("a")).unwrap();
        assert_eq!(facts.desired.state(device, &facts), Some(expected), "{report}");
    };
    check(r#"{"running":{"interval":30,"limit":4.5,"other":1}}"#, DesiredState::AsWanted);
    check(r#"{"running":{"interval":3e1,"limit":4.500}}"#, DesiredState::AsWanted);
    check(r#"{"running":{"interval":30,"limit":4.51}}"#, DesiredState::Differs);
    check(r#"{"running":{"interval":"30","limit":4.5}}"#, DesiredState::Differs);
    check(r#"{"running":{"interval":30}}"#, DesiredState::Differs);
    check(r#"{"running":{"interval":30,"limit":4.5},"saved":{"interval":30,"limit":4.5}}"#, DesiredState::AsWanted);
    // After its next restart it would be another one.
    check(r#"{"running":{"interval":30,"limit":4.5},"saved":{"interval":60,"limit":4.5}}"#, DesiredState::Differs);
    check(r#"{"led":true}"#, DesiredState::Unknown);
    check("", DesiredState::Unknown);
}

#[test]
fn the_first_configuration_that_names_a_key_decides_its_value() {
    let fleet = fleet(&[
        ("both", "north", r#"{"running":{"interval":30,"buzzer":true}}"#),
        ("north", "north", r#"{"running":{"interval":60,"buzzer":false}}"#),
        ("south", "south", r#"{"running":{"interval":60,"buzzer":true}}"#),
    ]);
    let first = || wanted("both", "both", r#"{"interval":30}"#);
    let second = || wanted("north", "tag:north", r#"{"interval":60,"buzzer":true}"#);
    let state = |facts: &Facts, device: &str| facts.desired.state(fleet.get(&id(device)).unwrap(), facts);
    let facts_of = facts(vec![first(), second()]);
    assert_eq!(state(&facts_of, "both"), Some(DesiredState::AsWanted));
    assert_eq!(state(&facts_of, "north"), Some(DesiredState::Differs));
    assert_eq!(state(&facts_of, "south"), None);
    let counts = fleet.desired_counts(&facts_of);
    assert!(counts[0].overruled.is_empty(), "{counts:?}");
    let [overruled] = &counts[1].overruled[..] else { panic!("{counts:?}") };
    assert_eq!((&*overruled.key, overruled.value.as_str(), &*overruled.by), ("interval", "30", "both"));
    assert_eq!((overruled.devices, &overruled.examples[..]), (1, &["both".to_owned()][..]));
    assert_eq!((counts[1].as_wanted, counts[1].differs, counts[1].unknown), (1, 1, 0));

    let other_way = facts(vec![second(), first()]);
    assert_eq!(state(&other_way, "both"), Some(DesiredState::Differs));
    assert_eq!(fleet.desired_counts(&other_way)[1].overruled[0].by, "north");
    // The same value is no conflict.
    let agree = facts(vec![first(), wanted("north", "tag:north", r#"{"interval":30.0}"#)]);
    assert!(fleet.desired_counts(&agree).iter().all(|counts| counts.overruled.is_empty()));
}

#[test]
fn devices_that_differ_are_found_and_only_the_differences_are_applied() {
    let mut fleet = fleet(&[
        ("a", "north", r#"{"running":{"interval":30,"limit":4.5}}"#),
        ("b", "north", r#"{"running":{"interval":60,"limit":4.5}}"#),
        ("c", "north", ""),
        ("d", "south", r#"{"running":{"interval":60}}"#),
    ]);
    let facts = facts(vec![wanted("north", "tag:north", r#"{"interval":30,"limit":4.50}"#)]);
    let check = |fleet: &mut Fleet, search: &str, expected: &[&str]| {
        assert_eq!(found(fleet, search, &facts), expected, "{search}");
    };
    check(&mut fleet, "desired:as_wanted", &["a"]);
    check(&mut fleet, "desired:as-wanted", &["a"]);
    check(&mut fleet, "desired:differs", &["b"]);
    check(&mut fleet, "desired:unknown", &["c"]);
    check(&mut fleet, "desired:*", &["a", "b", "c"]);
    check(&mut fleet, "-desired:*", &["d"]);

    let out = |fleet: &mut Fleet, search: &str| {
        let query = DeviceQuery { search: search.into(), ..DeviceQuery::default() };
        fleet.out_of_line(&query, &Search::read(search).unwrap(), &facts)
    };
    let all = out(&mut fleet, "");
    assert_eq!(all.as_wanted, 1);
    assert_eq!(all.differ, [(id("b"), r#"{"changes":{"interval":30},"apply":"now"}"#.to_owned())]);
    assert_eq!(all.unreported, [(id("c"), r#"{"changes":{"interval":30,"limit":4.50},"apply":"now"}"#.to_owned())]);
    assert!(out(&mut fleet, "tag:south").differ.is_empty());

    // What a device reports is seen at once, though nobody said that the list has changed.
    fleet.update(&id("b"), |device| device.report(r#"{"running":{"interval":30,"limit":4.5}}"#.into(), None));
    check(&mut fleet, "desired:differs", &[]);
}

#[test]
fn the_keys_that_devices_report_are_listed_with_their_values() {
    let fleet = fleet(&[
        ("a", "north", r#"{"running":{"interval":30,"host":"x"}}"#),
        ("b", "north", r#"{"running":{"interval":30}}"#),
        ("c", "south", r#"{"running":{"interval":60.0}}"#),
    ]);
    let keys = fleet.reported_keys(&Search::default(), &Facts::default());
    let shown: Vec<_> = keys
        .iter()
        .map(|key| {
            let values: Vec<_> = key.values.iter().map(|value| (value.value.as_str(), value.devices)).collect();
            (&*key.key, key.devices, values)
        })
        .collect();
    assert_eq!(shown, [("interval", 3, vec![("30", 2), ("60.0", 1)]), ("host", 1, vec![("\"x\"", 1)])]);
    assert_eq!(fleet.reported_keys(&Search::read("tag:south").unwrap(), &Facts::default()).len(), 1);
}
