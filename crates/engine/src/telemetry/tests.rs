#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use wilco_dialect::TelemetryRest;
use wilco_ledger::{DeviceId, Timestamp};

use super::{Chart, MOST_WAITING, Message, Telemetry, Written};
use crate::store::ConnectionId;

const NOW: i64 = 1_795_438_800_000;
const DAY: i64 = 86_400_000;

fn key() -> (ConnectionId, DeviceId) {
    (ConnectionId::from("plant"), DeviceId::new("pump-7").unwrap())
}

fn message(at: Option<i64>, series: &[(&str, f64)]) -> Message {
    let series = series.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Message { at: at.map(Timestamp), series, rest: TelemetryRest::default() }
}

fn take(telemetry: &Telemetry, message: Message) {
    let (connection, device) = key();
    telemetry.take(&connection, &device, message, Timestamp(NOW));
}

/// Of all times: the times and what is remarked.
fn shown(telemetry: &Telemetry) -> (Vec<i64>, Vec<String>) {
    let (connection, device) = key();
    let mut chart = Chart::new(Timestamp(NOW - 2 * DAY), Timestamp(NOW + DAY), 2_000);
    telemetry.add_to(&mut chart, &connection, &device);
    let view = chart.view();
    (view.times, view.remarks)
}

#[test]
fn a_time_that_cannot_be_is_replaced_by_that_of_the_arrival_and_remarked() {
    let check = |at: Option<i64>, expected: i64, remark: Option<&str>| {
        let telemetry = Telemetry::default();
        take(&telemetry, message(at, &[("t", 1.0)]));
        let (times, remarks) = shown(&telemetry);
        assert_eq!((times, remarks.first().map(String::as_str)), (vec![expected], remark), "{at:?}");
    };
    check(None, NOW, None);
    check(Some(NOW - 60_000), NOW - 60_000, None);
    check(Some(NOW + 60_000), NOW + 60_000, None);
    check(Some(NOW - DAY + 1), NOW - DAY + 1, None);
    let ahead = "The device's clock is 2 hours ahead, so Wilco shows arrival times. Set the device's clock.";
    check(Some(NOW + 7_200_000), NOW, Some(ahead));
    let of_1970 = "The device's clock is 56 years behind, so Wilco shows arrival times. Set the device's clock.";
    check(Some(5_000), NOW, Some(of_1970));
    let of_never =
        "The device's clock is 292271023 years behind, so Wilco shows arrival times. Set the device's clock.";
    check(Some(i64::MIN), NOW, Some(of_never));
}

#[test]
fn the_last_measurement_may_be_a_little_ahead() {
    let telemetry = Telemetry::default();
    let (connection, device) = key();
    assert_eq!(telemetry.last(&connection, &device), None);
    for at in [NOW + 60_000, NOW - 60_000] {
        take(&telemetry, message(Some(at), &[(&format!("t{at}"), 1.0)]));
    }
    assert_eq!(telemetry.last(&connection, &device), Some(Timestamp(NOW + 60_000)));
}

#[test]
fn irregular_telemetry_is_reported_until_it_is_fixed() {
    let telemetry = Telemetry::default();
    let (connection, device) = key();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let rest = TelemetryRest { quoted: names(&["t"]), empty: names(&["h", "u"]), left_out: 9_936 };
    take(&telemetry, Message { rest, ..message(None, &[("x", 1.0)]) });
    assert_eq!(
        shown(&telemetry).1,
        [
            "The device sends more than 64 series; 9936 in its last message were ignored.",
            "“t” is text, not a number. Send numbers without quotes.",
            "“h”, “u” had no value in the last message: null, NaN and Infinity are not numbers.",
        ]
    );
    telemetry.unreadable(&connection, &device, "This telemetry is not a JSON object (expected value).");
    assert_eq!(shown(&telemetry).1[0], "This telemetry is not a JSON object (expected value).");
    take(&telemetry, message(None, &[("x", 1.0)]));
    assert!(shown(&telemetry).1.is_empty());
}

#[test]
fn ever_new_names_fill_no_memory() {
    let telemetry = Telemetry::default();
    for number in 0..1_000 {
        take(&telemetry, message(None, &[(&format!("s{number}"), 1.0)]));
    }
    let waiting = telemetry.waiting();
    assert_eq!((waiting[0].1[0].series.len(), waiting[0].1[0].samples.len()), (64, 64));
    assert_eq!(shown(&telemetry).1, ["The device sends more than 64 series; 1 in its last message were ignored."]);
}

#[test]
fn a_name_that_has_not_come_for_long_makes_room_unless_it_waits_for_the_disk() {
    let telemetry = Telemetry::default();
    let (connection, device) = key();
    for number in 0..64_i64 {
        take(&telemetry, message(Some(NOW - 63 + number), &[(&format!("s{number}"), 1.0)]));
    }
    // The first ten are on the disk.
    telemetry.done(&connection, &[Written { device: device.clone(), samples: 10, unkept: 0 }]);
    telemetry.forget_before(Some(&ConnectionId::from("another")), Timestamp(NOW));
    take(&telemetry, message(None, &[("new", 2.0)]));
    assert_eq!(shown(&telemetry).1, ["The device sends more than 64 series; 1 in its last message were ignored."]);
    telemetry.forget_before(None, Timestamp(NOW));
    take(&telemetry, message(None, &[("new", 2.0)]));
    assert!(shown(&telemetry).1.is_empty());
    let measured = &telemetry.waiting()[0].1[0];
    let named = measured.samples.iter().flat_map(|sample| &sample.values);
    let names: Vec<_> = named.map(|(place, _)| &*measured.series[usize::from(*place)]).collect();
    let waiting: Vec<_> = (10..64).map(|number| format!("s{number}")).chain(["new".to_owned()]).collect();
    assert_eq!(names, waiting);
    assert_eq!(measured.series.len(), 55);
}

#[test]
fn series_that_are_not_kept_are_remarked() {
    let telemetry = Telemetry::default();
    let (connection, device) = key();
    take(&telemetry, message(None, &[("t", 1.0)]));
    let check = |unkept: usize, expected: &[&str]| {
        telemetry.done(&connection, &[Written { device: device.clone(), samples: 1, unkept }]);
        assert_eq!(shown(&telemetry).1, expected);
    };
    check(2, &["The device has used more than 64 series names, so 2 of the newer ones are shown but not saved."]);
    check(0, &[]);
}

#[test]
fn measurements_that_the_disk_cannot_take_are_bounded_and_counted() {
    let telemetry = Telemetry::default();
    for _ in 0..MOST_WAITING + 7 {
        take(&telemetry, message(None, &[("t", 1.0)]));
    }
    assert_eq!((telemetry.take_dropped(), telemetry.take_dropped()), (7, 0));
    let (connection, device) = key();
    telemetry.done(&connection, &[Written { device, samples: 10, unkept: 0 }]);
    for _ in 0..12 {
        take(&telemetry, message(None, &[("t", 1.0)]));
    }
    assert_eq!(telemetry.take_dropped(), 2);
    telemetry.forget(&connection);
    assert!(telemetry.waiting().is_empty());
    take(&telemetry, message(None, &[("t", 1.0)]));
    assert_eq!((telemetry.take_dropped(), telemetry.waiting().len()), (0, 1));
    telemetry.forget_device(&connection, &DeviceId::new("another").unwrap());
    assert_eq!(telemetry.waiting().len(), 1);
    telemetry.forget_device(&connection, &key().1);
    assert!(telemetry.waiting().is_empty());
}

#[test]
fn a_measurement_that_was_delivered_late_is_not_the_last_one() {
    let check = |times: &[i64], expected: f64| {
        let telemetry = Telemetry::default();
        let (connection, device) = key();
        for (value, at) in (1..).zip(times) {
            take(&telemetry, message(Some(*at), &[("t", f64::from(value))]));
        }
        assert_eq!(telemetry.latest(&connection, "t").get(&device), Some(&expected), "{times:?}");
    };
    check(&[NOW - 1_000, NOW], 2.0);
    check(&[NOW, NOW - 1_000], 1.0);
    check(&[NOW, NOW], 2.0);
    // A clock that was ahead has been set.
    check(&[NOW + 60_000, NOW], 2.0);
}
