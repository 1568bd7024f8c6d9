#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use wilco_ledger::{
    Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, State, Submission, Timestamp,
};

use super::{Device, Facts, Fleet, Search};
use crate::{
    api::{
        CommandState, DeviceColumns, DeviceOrder, DevicePage, DeviceQuery, GroupBy, GroupKey, MemberState, Presence,
        SortBy,
    },
    store::{Annotation, StoredAnnotation, StoredDescription, StoredDevice},
    views::CommandSnapshot,
};

pub(super) fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    for (id, presence, led, firmware, tag) in [
        ("kitchen-10", Presence::Online, Some(true), "2.3.1", "kitchen"),
        ("kitchen-9", Presence::Offline, None, "2.3.1", "kitchen"),
        ("dock-1", Presence::Online, Some(false), "2.10.0", "dock"),
    ] {
        let device = DeviceId::new(id).expect("a device ID");
        fleet.update(&device, |device| {
            device.presence = presence;
            device.led = led;
            device.firmware = Some(firmware.into());
            device.tags = vec![tag.into()];
            device.seen_at = Some(Timestamp(1));
            let interval = if tag == "dock" { 60 } else { 30 };
            device.report(json!({"led": led, "running": {"report_interval_s": interval}}).to_string(), None);
        });
    }
    fleet
}

pub(super) fn query(search: &str) -> DeviceQuery {
    DeviceQuery { connection: "c".into(), search: search.into(), ..DeviceQuery::default() }
}

pub(super) fn page(fleet: &mut Fleet, query: &DeviceQuery, from: u32, count: u32) -> DevicePage {
    fleet.page(query, &Search::read(&query.search).unwrap(), &facts(), from, count)
}

pub(super) fn columns(fleet: &mut Fleet, query: &DeviceQuery, known: Option<u64>) -> DeviceColumns {
    fleet.columns(query, &Search::read(&query.search).unwrap(), &facts(), known, None)
}

/// A minute after everything was heard; the docks are warm.
fn facts() -> Facts {
    let warm = HashMap::from([(id("dock-1"), 21.5), (id("kitchen-9"), 4.0)]);
    Facts { now: Timestamp(60_001), measured: HashMap::from([("temperature".to_owned(), warm)]), ..Facts::default() }
}

pub(super) fn id(text: &str) -> DeviceId {
    DeviceId::new(text).unwrap()
}

fn check(search: &str, sort: SortBy, order: DeviceOrder, expected: &[&str]) {
    let query = DeviceQuery { sort: sort.clone(), order, ..query(search) };
    let page = page(&mut fleet(), &query, 0, 100);
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
fn devices_are_sorted_by_their_configuration_and_their_measurements_and_those_without_one_come_last() {
    let mut fleet = fleet();
    for (device, running) in [("a", "100"), ("b", "9"), ("c", "1e1"), ("d", "\"off\""), ("e", "10.0"), ("f", "null")] {
        let state = format!("{{\"running\":{{\"interval\":{running}}}}}");
        fleet.update(&id(device), |device| device.report(state, None));
    }
    let mut sorted = |sort: SortBy, order: DeviceOrder| -> Vec<String> {
        let query = DeviceQuery { sort, order, ..query("-tag:*") };
        page(&mut fleet, &query, 0, 9).rows.into_iter().map(|row| row.device).collect()
    };
    let by_key = || SortBy::Config("interval".to_owned());
    assert_eq!(sorted(by_key(), DeviceOrder::Ascending), ["b", "c", "e", "a", "d", "f"]);
    assert_eq!(sorted(by_key(), DeviceOrder::Descending), ["d", "a", "c", "e", "b", "f"]);
    let warm = || SortBy::Telemetry("temperature".to_owned());
    check("", warm(), DeviceOrder::Ascending, &["kitchen-9", "dock-1", "kitchen-10"]);
    check("", warm(), DeviceOrder::Descending, &["dock-1", "kitchen-9", "kitchen-10"]);
    check("", SortBy::Led, DeviceOrder::Descending, &["dock-1", "kitchen-10", "kitchen-9"]);
    check("", SortBy::Telemetry("no such".to_owned()), DeviceOrder::Descending, &["dock-1", "kitchen-9", "kitchen-10"]);
}

#[test]
fn a_row_says_whether_its_device_has_something_to_switch() {
    let mut fleet = fleet();
    let described = StoredDescription {
        dialect: "zigbee2mqtt".into(),
        address: "hall/sensor".into(),
        name: None,
        model: None,
        vendor: None,
        hub: None,
        identifiers: Vec::new(),
    };
    let mut check = |described: Option<&StoredDescription>, can_switch: bool, expected: bool| {
        fleet.update(&id("dock-1"), |device| {
            device.description = described.cloned().map(Arc::new);
            device.can_switch = can_switch;
        });
        let row = fleet.row("c", fleet.get(&id("dock-1")).unwrap());
        assert_eq!(row.can_switch, expected, "{described:?}");
    };
    // Each device of Wilco's own dialect has an LED.
    check(None, false, true);
    check(Some(&described), false, false);
    check(Some(&described), true, true);
}

#[test]
fn a_list_by_a_value_has_another_order_once_that_is_reported() {
    let mut fleet = fleet();
    let by_key = DeviceQuery { sort: SortBy::Config("report_interval_s".to_owned()), ..query("") };
    let sorted = columns(&mut fleet, &by_key, None);
    assert_eq!(sorted.devices.unwrap(), ["kitchen-9", "kitchen-10", "dock-1"]);
    let state = json!({"running": {"report_interval_s": 5}}).to_string();
    fleet.update(&id("dock-1"), |device| device.report(state, None));
    let again = columns(&mut fleet, &by_key, Some(sorted.revision));
    assert_eq!(again.devices.unwrap(), ["dock-1", "kitchen-9", "kitchen-10"]);
}

#[test]
fn an_object_is_not_listed_beside_its_members() {
    let mut fleet = fleet();
    let running = json!({"limits": {"high": 4}, "switch:0": {"output": true}, "switch:0/output": true});
    fleet.update(&id("dock-1"), |device| device.report(json!({"running": running}).to_string(), None));
    let summary = fleet.summary(&[id("dock-1")]).configuration;
    let keys: Vec<_> = summary.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(keys, ["limits", "switch:0/output"]);
    let reported = fleet.reported_keys(&Search::read("dock").unwrap(), &facts());
    let keys: Vec<_> = reported.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(keys, ["limits", "switch:0/output"]);
}

#[test]
fn words_and_tokens_narrow_the_list() {
    check("kit", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9", "kitchen-10"]);
    check("is:offline", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9"]);
    check("led:on tag:kitchen", SortBy::Device, DeviceOrder::Ascending, &["kitchen-10"]);
    check("firmware:<2.5", SortBy::Device, DeviceOrder::Ascending, &["kitchen-9", "kitchen-10"]);
    check("firmware:>=2.10", SortBy::Device, DeviceOrder::Ascending, &["dock-1"]);
    check("KITCHEN -10", SortBy::Device, DeviceOrder::Ascending, &["kitchen-10"]);
    check("a:b", SortBy::Device, DeviceOrder::Ascending, &[]);
    let found = |search: &str, expected: &[&str]| check(search, SortBy::Device, DeviceOrder::Ascending, expected);
    found("-tag:kitchen", &["dock-1"]);
    found("tag:dock or is:offline", &["dock-1", "kitchen-9"]);
    found("(tag:dock or is:offline) -led:off", &["kitchen-9"]);
    found("led:unknown", &["kitchen-9"]);
    found("firmware:2.3", &["kitchen-9", "kitchen-10"]);
    found("firmware:2.1", &[]);
    found("firmware:=2.10.0", &["dock-1"]);
    found("seen:<10m", &["dock-1", "kitchen-9", "kitchen-10"]);
    found("seen:>1m", &[]);
    found("config.report_interval_s:>30", &["dock-1"]);
    found("config.report_interval_s:30 led:on", &["kitchen-10"]);
    found("telemetry.temperature:>8", &["dock-1"]);
    found("-telemetry.temperature:*", &["kitchen-10"]);
    found("state:*", &[]);
    found("\"kitchen-1\"", &["kitchen-10"]);
    // `or` binds less than what stands beside each other.
    found("tag:dock led:on or is:offline", &["kitchen-9"]);
    found("tag:dock (led:on or led:off)", &["dock-1"]);
    found("-(tag:dock or is:offline)", &["kitchen-10"]);
    found("IS:Offline or TAG:Dock", &["dock-1", "kitchen-9"]);
    found("config.report_interval_s:3e1 -led:unknown", &["kitchen-10"]);
    found("config.report_interval_s:>=30 config.report_interval_s:<60", &["kitchen-9", "kitchen-10"]);
    found("seen:1M", &[]);
    found("seen:<=60S", &["dock-1", "kitchen-9", "kitchen-10"]);
}

#[test]
fn a_device_with_several_tags_is_found_by_each_and_left_out_by_each() {
    let mut fleet = fleet();
    fleet.update(&id("dock-1"), |device| device.tags = vec!["dock".into(), "say \"hi\" \\ bye".into()]);
    let mut found = |search: &str| -> Vec<_> {
        page(&mut fleet, &query(search), 0, 9).rows.into_iter().map(|row| row.device).collect()
    };
    assert_eq!(found("tag:dock"), ["dock-1"]);
    assert_eq!(found(r#"tag:"SAY \"hi\" \\ bye""#), ["dock-1"]);
    assert_eq!(found(&Search::of_tag("say \"hi\" \\ bye")), ["dock-1"]);
    assert_eq!(found(r#"-tag:"say \"hi\" \\ bye""#), ["kitchen-9", "kitchen-10"]);
    assert_eq!(found("-tag:dock -tag:kitchen"), Vec::<String>::new());
    assert_eq!(found("tag:dock tag:kitchen"), Vec::<String>::new());
}

#[test]
fn a_number_is_found_by_its_value_and_to_its_last_digit() {
    let mut fleet = fleet();
    let report = r#"{"running":{"serial":9007199254740993,"limit":1.0,"huge":1e401,"mode":"1"}}"#;
    fleet.update(&id("dock-1"), |device| device.report(report.to_owned(), None));
    let mut check = |search: &str, expected: u32| {
        assert_eq!(page(&mut fleet, &query(search), 0, 9).matching, expected, "{search}");
    };
    check("config.serial:9007199254740993", 1);
    check("config.serial:9007199254740992", 0);
    check("config.serial:>9007199254740992", 1);
    check("config.serial:>=9007199254740994", 0);
    check("config.serial:<9007199254740994", 1);
    check("config.serial:<=9007199254740992", 0);
    check("config.limit:1", 1);
    check("config.limit:=1.00", 1);
    check("config.huge:1e400", 0);
    check("config.huge:>1e400", 1);
    check("config.limit:<1", 0);
    check("config.mode:1", 1);
    check("config.mode:\"\"", 0);
}

#[test]
fn a_count_of_a_version_is_that_of_its_search() {
    let mut fleet = fleet();
    for (device, version) in [("a", "2.3"), ("b", "2.30"), ("c", "v2.1"), ("d", "V2.1-rc1")] {
        fleet.update(&id(device), |device| device.firmware = Some(version.into()));
    }
    let counts = fleet.counts().firmware;
    let searches: Vec<_> = counts.iter().map(|one| one.search.clone()).collect();
    // Another begins with 2.3. That with v2.1 is a pre-release, which is none of it.
    assert!(searches.contains(&"firmware:=2.3".to_owned()) && searches.contains(&"firmware:2.3.1".to_owned()));
    assert!(searches.contains(&"firmware:v2.1".to_owned()), "{searches:?}");
    for one in counts {
        assert_eq!(page(&mut fleet, &query(&one.search), 0, 9).matching, one.count, "{}", one.search);
    }
    let mut found = |search: &str| -> Vec<_> {
        page(&mut fleet, &query(search), 0, 9).rows.into_iter().map(|row| row.device).collect()
    };
    assert_eq!(found("firmware:2.1"), ["c"]);
    assert_eq!(found("firmware:<2.1"), ["d"]);
    assert_eq!(found("firmware:>=2.1-rc1 firmware:<2.2"), ["c", "d"]);
    assert_eq!(found("firmware:v2.1-RC"), ["d"]);
    assert_eq!(found("firmware:<2.3"), ["c", "d"]);
    let all = DeviceQuery { group: Some(GroupBy::Firmware), ..query("") };
    for group in columns(&mut fleet, &all, None).groups {
        assert_eq!(page(&mut fleet, &query(&group.search), 0, 9).matching, group.count, "{}", group.search);
    }
}

fn presences(fleet: &mut Fleet) -> Vec<Presence> {
    page(fleet, &query(""), 0, 100).rows.iter().map(|row| row.presence).collect()
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
fn a_forgotten_device_is_gone_and_this_is_reported() {
    let mut fleet = fleet();
    let dock = DeviceId::new("dock-1").expect("a device ID");
    fleet.take_changed();
    fleet.take_out([&dock]);
    assert_eq!((fleet.len(), fleet.online(), presences(&mut fleet).len()), (2, 1, 2));
    assert_eq!(fleet.take_changed(), std::slice::from_ref(&dock));
    assert!(fleet.take_unsaved().iter().all(|stored| stored.device != dock));
    // It is told once, also when it is heard again at once.
    fleet.note_message(&dock, Timestamp(9));
    fleet.take_out([&dock]);
    assert_eq!(fleet.take_changed(), [dock]);
}

#[test]
fn a_device_that_publishes_is_not_offline() {
    let mut fleet = fleet();
    let mut check = |device: &str, dirty: bool, expected: Presence| {
        assert_eq!(fleet.spoke(&DeviceId::new(device).expect("a device ID"), Timestamp(7)), dirty, "{device}");
        let row = page(&mut fleet, &query(device), 0, 1).rows.remove(0);
        assert_eq!((row.presence, row.seen_at), (expected, Some(7)), "{device}");
    };
    check("kitchen-9", true, Presence::Unknown);
    check("dock-1", false, Presence::Online);
    check("never-heard-before", true, Presence::Unknown);
}

/// The last command of a device, in a state.
pub(crate) fn snapshot(device: &str, state: State, at: i64) -> CommandSnapshot {
    let submission = Submission {
        device: id(device),
        id: CommandId::new(format!("0198f3c2-7d1e-7c2a-9c55-{at:012x}")).unwrap(),
        name: "led".into(),
        args: "{}".into(),
        policy: Policy {
            delivery: Delivery::Now,
            timeout: Millis(10_000),
            time_to_live: Millis(60_000),
            retry: Retry { permitted: false, limit: 0, pause: Millis(500) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
        form: None,
    };
    let fact = Fact::Submitted { submission: submission.into(), origin: Origin::Here };
    let submitted = Event { device: id(device), command: None, at: Timestamp(at), fact };
    let mut command = Command::begin(&submitted).unwrap();
    command.state = state;
    CommandSnapshot::new(Arc::new(command), None)
}

#[test]
fn failures_are_sorted_before_commands_in_progress_and_finished_ones() {
    let mut fleet = fleet();
    fleet.command(snapshot("dock-1", State::Succeeded, 1));
    fleet.command(snapshot("kitchen-9", State::Accepted, 2));
    fleet.command(snapshot("kitchen-10", State::TimedOut, 3));
    let query = DeviceQuery { sort: SortBy::State, ..query("") };
    assert_eq!(columns(&mut fleet, &query, None).devices.unwrap(), ["kitchen-10", "kitchen-9", "dock-1"]);
}

#[test]
fn a_list_keeps_its_revision_until_its_devices_or_their_order_change() {
    let mut fleet = fleet();
    let by_state = DeviceQuery { sort: SortBy::State, ..query("") };
    let first = columns(&mut fleet, &query(""), None);
    assert_eq!(first.devices.as_deref().unwrap(), ["dock-1", "kitchen-9", "kitchen-10"]);
    assert_eq!((first.presence.as_slice(), first.states.as_slice()), (&[0, 1, 0][..], &[0, 0, 0][..]));
    let sorted = columns(&mut fleet, &by_state, None);
    fleet.note_message(&id("dock-1"), Timestamp(5));
    fleet.command(snapshot("kitchen-10", State::Failed, 3));
    let again = columns(&mut fleet, &query(""), Some(first.revision));
    assert_eq!((again.devices, again.revision, again.states.as_slice()), (None, first.revision, &[0, 0, 8][..]));
    let resorted = columns(&mut fleet, &by_state, Some(sorted.revision));
    assert_ne!(resorted.revision, sorted.revision);
    assert_eq!(resorted.devices.unwrap(), ["kitchen-10", "dock-1", "kitchen-9"]);
    fleet.take_out([&id("dock-1")]);
    fleet.note_message(&id("attic-1"), Timestamp(6));
    let other = columns(&mut fleet, &query(""), Some(first.revision));
    assert_eq!(other.devices.unwrap(), ["attic-1", "kitchen-9", "kitchen-10"]);
}

#[test]
fn groups_lie_one_after_the_other_and_are_counted() {
    let mut fleet = fleet();
    fleet.note_message(&id("lamp-1"), Timestamp(5));
    let query = DeviceQuery { group: Some(GroupBy::Tag), order: DeviceOrder::Descending, ..query("") };
    let grouped = columns(&mut fleet, &query, None);
    assert_eq!(grouped.devices.unwrap(), ["dock-1", "kitchen-10", "kitchen-9", "lamp-1"]);
    let groups: Vec<_> = grouped.groups.iter().map(|group| (group.search.as_str(), group.from, group.count)).collect();
    assert_eq!(groups, [("tag:dock", 0, 1), ("tag:kitchen", 1, 2), ("-tag:*", 3, 1)]);
    fleet.command(snapshot("lamp-1", State::Failed, 3));
    let by_state = DeviceQuery { group: Some(GroupBy::State), ..query };
    let keys: Vec<_> = columns(&mut fleet, &by_state, None).groups.into_iter().map(|group| group.key).collect();
    assert_eq!(keys, [CommandState::Failed.into(), MemberState::Pending].map(|state| GroupKey::State { state }));
}

#[test]
fn a_group_of_a_tag_counts_those_that_are_listed_under_another_one() {
    let mut fleet = fleet();
    fleet.update(&id("dock-1"), |device| device.tags = vec!["dock".into(), "west".into(), "kitchen".into()]);
    fleet.update(&id("lamp-1"), |device| device.tags = vec!["west".into()]);
    let mut grouped = |search: &str| -> Vec<_> {
        let query = DeviceQuery { group: Some(GroupBy::Tag), ..query(search) };
        let groups = columns(&mut fleet, &query, None).groups;
        groups.into_iter().map(|group| (group.search, group.count, group.elsewhere)).collect()
    };
    let group = |tag: &str, count: u32, elsewhere: u32| (format!("tag:{tag}"), count, elsewhere);
    assert_eq!(grouped(""), [group("dock", 1, 0), group("kitchen", 2, 1), group("west", 1, 1)]);
    assert_eq!(grouped("-\"dock\""), [group("kitchen", 2, 0), group("west", 1, 0)]);
}

#[test]
fn devices_are_counted_as_they_change() {
    let mut fleet = fleet();
    fleet.command(snapshot("kitchen-10", State::Accepted, 3));
    fleet.command(snapshot("kitchen-10", State::Failed, 3));
    fleet.update(&id("dock-1"), |device| device.firmware = Some("2.3.1".into()));
    fleet.take_out([&id("kitchen-9")]);
    let counts = fleet.counts();
    assert_eq!((counts.online, counts.offline, counts.unknown), (2, 0, 0));
    assert_eq!((counts.states.failed, counts.states.accepted, counts.states.pending), (1, 0, 1));
    let firmware: Vec<_> = counts.firmware.iter().map(|one| (one.search.as_str(), one.count)).collect();
    assert_eq!(firmware, [("firmware:2.3.1", 2)]);
    let tags: Vec<_> = counts.tags.iter().map(|one| (one.value.as_str(), one.count)).collect();
    assert_eq!(tags, [("dock", 1), ("kitchen", 1)]);
}

#[test]
fn the_feed_is_told_of_each_tile_that_looks_different_once() {
    let mut fleet = fleet();
    let changed = fleet.take_changed();
    fleet.take_states("c", &changed);
    fleet.note_message(&id("dock-1"), Timestamp(9));
    fleet.command(snapshot("kitchen-10", State::Failed, 3));
    let changed = fleet.take_changed();
    assert_eq!(changed.len(), 2);
    let states = fleet.take_states("c", &changed).unwrap();
    assert_eq!(states.devices, ["kitchen-10"]);
    assert_eq!((states.presence, states.states, states.more), (vec![0], vec![8], false));
    assert_eq!(fleet.take_states("c", &changed), None);
}

#[test]
fn devices_are_compared() {
    let fleet = fleet();
    let all = ["dock-1", "kitchen-9", "kitchen-10", "who-1"].map(id);
    let summary = fleet.summary(&all);
    assert_eq!((summary.devices, summary.online, summary.offline), (3, 2, 1));
    assert_eq!((summary.led_on, summary.led_off), (1, 1));
    assert_eq!((summary.tags[0].value.as_str(), summary.tags[0].count), ("kitchen", 2));
    let interval = &summary.configuration[0];
    assert_eq!((interval.key.as_str(), interval.devices, interval.different), ("report_interval_s", 3, 2));
    assert_eq!((interval.values[0].search.as_str(), interval.values[0].count), ("config.report_interval_s:30", 2));
}

#[test]
fn a_restored_fleet_is_as_it_was_and_nothing_of_it_is_to_be_stored_or_told_again() {
    let mut before = fleet();
    let dock = id("dock-1");
    let commands = [snapshot("dock-1", State::Succeeded, 7), snapshot("kitchen-9", State::Failed, 9)];
    commands.iter().for_each(|command| before.command(command.clone()));
    let commands = commands.map(|snapshot| snapshot.command);
    let bay = Annotation { name: Some("Loading bay".into()), tags: vec!["spare".into()], note: None };
    before.annotate(&dock, bay.clone());
    let stored = before.take_unsaved();
    assert_eq!(stored.len(), 3);
    let restored = |stored: &[StoredDevice]| stored.iter().cloned().map(Device::restore).collect();
    before.forget_presence();

    let annotation = |device: DeviceId, annotation| StoredAnnotation { device, annotation, forgotten_at: None };
    let annotations = vec![annotation(dock.clone(), bay.clone()), annotation(id("new-1"), bay)];
    let mut after = Fleet::restore(restored(&stored), annotations, &commands);
    assert_eq!((after.take_changed(), after.take_unsaved()), (Vec::new(), Vec::new()));
    before.annotate(&id("new-1"), after.annotation(&id("new-1")).unwrap());
    let listed = |fleet: &mut Fleet, search: &str| serde_json::to_value(page(fleet, &query(search), 0, 10)).unwrap();
    for search in ["", "tag:spare", "state:failed", "name:loading", "tag:kitchen", "config.report_interval_s:60"] {
        assert_eq!(listed(&mut after, search), listed(&mut before, search), "{search}");
    }
    let counts = |fleet: &Fleet| serde_json::to_value(fleet.counts()).unwrap();
    assert_eq!(counts(&after), counts(&before));

    // The program was killed before the device's values from a command's answer were stored.
    let known: Vec<_> = stored.into_iter().filter(|stored| stored.device != dock).collect();
    let mut after = Fleet::restore(restored(&known), Vec::new(), &commands);
    let unsaved: Vec<_> = after.take_unsaved().into_iter().map(|device| device.device).collect();
    assert_eq!(unsaved, [dock]);
}
