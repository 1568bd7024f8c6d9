#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::{Value, json};
use wilco_ledger::{DeviceId, Timestamp};

use super::shared_traits;
use crate::{
    api::{SharedTrait, TraitKind},
    fleet::{Device, Facts, Search},
    store::Restart,
};

const NOW: Timestamp = Timestamp(1_795_438_800_000);
const HOUR: i64 = 3_600_000;

/// A device with this firmware, these tags and this configuration.
fn device(number: usize, firmware: &str, tags: &[&str], running: Value) -> Device {
    let mut device = Device::new(DeviceId::new(format!("pump-{number}")).unwrap());
    device.firmware = Some(firmware.to_owned());
    device.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    device.report(json!({ "running": running }).to_string(), None);
    device
}

fn shared(failed: &[Device], succeeded: &[Device], args: &Value) -> Vec<SharedTrait> {
    let failed: Vec<_> = failed.iter().map(Some).collect();
    let succeeded: Vec<_> = succeeded.iter().map(Some).collect();
    shared_traits(&failed, &succeeded, ("led", args), NOW)
}

/// The same device, restarted that long ago, as it says itself or as it was seen.
fn restarted(mut device: Device, ago: i64, reported: bool) -> Device {
    device.restart = Some(Restart { at: Timestamp(NOW.0 - ago), reported });
    device
}

#[test]
fn a_restart_in_the_last_hour_is_found_among_decoys() {
    // Everybody has restarted at some time; a few of those that succeeded have done so lately, and three of the failed
    // have not. Half of both restarted in the last 30 days, and some are unknown.
    let plain = |number: usize| device(number, "2.3.0", &[], json!({}));
    let spread = |number: usize| i64::try_from(number % 50).unwrap() * 24 * HOUR + 2 * HOUR;
    let failed: Vec<_> = (0..41)
        .map(|number| match number {
            0..3 => plain(number),
            _ => restarted(plain(number), HOUR * 3 / 4, true),
        })
        .collect();
    let succeeded = |reported: bool| -> Vec<_> {
        let one = |number: usize| match number {
            0..12 => restarted(plain(100 + number), HOUR / 2, reported),
            12..200 => plain(100 + number),
            _ => restarted(plain(100 + number), spread(number), true),
        };
        (0..2_104).map(one).collect()
    };
    let found = shared(&failed, &succeeded(true), &json!({}));
    let expected = SharedTrait {
        kind: TraitKind::Restart,
        value: "in the last hour".into(),
        failed_with: 38,
        failed: 41,
        succeeded_with: 12,
        succeeded: 2_104,
        search: "restarted:<1h".into(),
    };
    assert_eq!(found.first(), Some(&expected), "{found:?}");
    // Longer times only follow from it.
    assert_eq!(found.len(), 1, "{found:?}");
    let search = Search::read(&found[0].search).unwrap();
    let facts = Facts { now: NOW, ..Facts::default() };
    assert_eq!(failed.iter().filter(|device| search.matches(device, &facts)).count(), 38);
    // If some have not reported it, restarts before Wilco was connected are unknown.
    let found = shared(&failed, &succeeded(false), &json!({}));
    assert_eq!(found[0].value, "in the last hour, as far as Wilco was connected");
}

#[test]
fn a_restart_by_the_command_itself_is_not_a_trait() {
    let failed: Vec<_> = (0..10).map(|number| restarted(device(number, "1", &[], json!({})), HOUR / 2, true)).collect();
    let succeeded: Vec<_> = (0..100).map(|number| device(100 + number, "1", &[], json!({}))).collect();
    let failed: Vec<_> = failed.iter().map(Some).collect();
    let succeeded: Vec<_> = succeeded.iter().map(Some).collect();
    let of = |command: &str| shared_traits(&failed, &succeeded, (command, &json!({})), NOW).len();
    assert_eq!((of("led"), of("restart")), (1, 0));
}

fn searches(found: &[SharedTrait]) -> Vec<&str> {
    found.iter().map(|found| found.search.as_str()).collect()
}

#[test]
fn the_firmware_of_the_failed_is_found_among_decoys() {
    // Everybody has the tag `site`; half of both are in hall 1; the failed have `interval` as the others do.
    let hall = |number: usize| if number.is_multiple_of(2) { "hall-1" } else { "hall-2" };
    let failed: Vec<_> =
        (0..41).map(|number| device(number, "2.3.0", &["site", hall(number)], json!({"interval": 30}))).collect();
    let succeeded: Vec<_> = (0..2_104)
        .map(|number| {
            let firmware = if number < 2 { "2.3.0" } else { "2.3.01" };
            device(100 + number, firmware, &["site", hall(number)], json!({"interval": 30}))
        })
        .collect();
    let found = shared(&failed, &succeeded, &json!({}));
    let expected = SharedTrait {
        kind: TraitKind::Firmware,
        value: "2.3.0".into(),
        failed_with: 41,
        failed: 41,
        succeeded_with: 2,
        succeeded: 2_104,
        search: "firmware:=2.3.0".into(),
    };
    assert_eq!(found, [expected]);
    // Its search finds exactly those that were counted.
    let search = Search::read(&found[0].search).unwrap();
    let finds = |devices: &[Device]| devices.iter().filter(|device| search.matches(device, &Facts::default())).count();
    assert_eq!((finds(&failed), finds(&succeeded)), (41, 2));
}

#[test]
fn a_trait_that_half_of_both_groups_have_is_not_listed() {
    let firmware = |number: usize| if number.is_multiple_of(2) { "2.3.0" } else { "2.2.9" };
    let fleet = |from: usize| -> Vec<_> {
        (from..from + 40).map(|number| device(number, firmware(number), &[], json!({}))).collect()
    };
    assert_eq!(shared(&fleet(0), &fleet(100), &json!({})), []);
}

#[test]
fn a_trait_counts_from_three_failed_on() {
    let check = |failed: usize, expected: &[&str]| {
        let failed: Vec<_> = (0..failed).map(|number| device(number, "1", &["bad"], json!({}))).collect();
        let succeeded: Vec<_> = (100..200).map(|number| device(number, "1", &[], json!({}))).collect();
        assert_eq!(searches(&shared(&failed, &succeeded, &json!({}))), expected);
    };
    check(2, &[]);
    check(3, &["tag:bad"]);
}

#[test]
fn a_trait_is_of_four_in_five_failed_and_three_times_as_frequent() {
    let check = |failed_with: usize, succeeded_with: usize, is_found: bool| {
        let tags = |number: usize, with: usize| if number < with { &["bad"][..] } else { &[] };
        // Those without it come first: order means nothing.
        let failed: Vec<_> =
            (0..100).map(|number| device(number, "1", tags(99 - number, failed_with), json!({}))).collect();
        let succeeded: Vec<_> =
            (0..100).map(|number| device(200 + number, "1", tags(number, succeeded_with), json!({}))).collect();
        let found = shared(&failed, &succeeded, &json!({}));
        assert_eq!(!found.is_empty(), is_found, "{failed_with} and {succeeded_with}: {found:?}");
    };
    check(79, 0, false);
    check(80, 0, true);
    check(90, 30, true);
    check(90, 31, false);
    check(100, 33, true);
    check(100, 34, false);
}

#[test]
fn a_trait_that_follows_from_a_clearer_one_is_left_out() {
    // Hall 3 has the bad firmware, and all of it is in the north; another trait is independent.
    let failed: Vec<_> =
        (0..10).map(|number| device(number, "2.3.0", &["north", "hall-3"], json!({"mode": "eco"}))).collect();
    let succeeded: Vec<_> = (0..100)
        .map(|number| {
            let tags = if number < 10 { &["north"][..] } else { &["south"] };
            let mode = if (10..15).contains(&number) { "eco" } else { "full" };
            device(100 + number, "2.4.0", tags, json!({ "mode": mode }))
        })
        .collect();
    assert_eq!(searches(&shared(&failed, &succeeded, &json!({}))), ["firmware:=2.3.0"]);
    // One that succeeded has the firmware and is in the south: north is a trait of its own then, and clearer ones first.
    let mut succeeded = succeeded;
    succeeded.push(device(900, "2.3.0", &["south", "hall-3"], json!({"mode": "full"})));
    assert_eq!(searches(&shared(&failed, &succeeded, &json!({}))), ["firmware:=2.3.0", "config.mode:eco", "tag:north"]);
}

#[test]
fn values_changed_by_the_command_itself_are_not_traits() {
    let failed: Vec<_> =
        (0..10).map(|number| device(number, "1", &[], json!({"interval": 30, "unit": "bar"}))).collect();
    let succeeded: Vec<_> =
        (0..100).map(|number| device(100 + number, "1", &[], json!({"interval": 60, "unit": "psi"}))).collect();
    let found = shared(&failed, &succeeded, &json!({"changes": {"interval": 60}}));
    assert_eq!(searches(&found), ["config.unit:bar"]);
    assert_eq!((found[0].kind, found[0].value.as_str()), (TraitKind::Configuration, "unit=bar"));
}

#[test]
fn without_anybody_to_compare_with_nothing_is_shared() {
    let failed: Vec<_> = (0..10).map(|number| device(number, "1", &["bad"], json!({}))).collect();
    assert_eq!(shared(&failed, &[], &json!({})), []);
    // Of members that are forgotten nothing is known: they are failed ones without the trait.
    let known: Vec<_> = failed.iter().map(Some).chain([None; 3]).collect();
    let fine = device(100, "2", &[], json!({}));
    assert_eq!(shared_traits(&known, &[Some(&fine)], ("led", &json!({})), NOW), []);
    assert_eq!(shared_traits(&known[..12], &[Some(&fine)], ("led", &json!({})), NOW).len(), 1);
}

#[test]
fn tags_are_compared_as_the_search_compares_them() {
    let failed: Vec<_> =
        (0..4).map(|number| device(number, "1", &[if number == 0 { "Hall 3" } else { "hall 3" }], json!({}))).collect();
    let succeeded = [device(100, "1", &[], json!({}))];
    let found = shared(&failed, &succeeded, &json!({}));
    assert_eq!((found.len(), found[0].failed_with, found[0].search.as_str()), (1, 4, "tag:\"Hall 3\""));
}
