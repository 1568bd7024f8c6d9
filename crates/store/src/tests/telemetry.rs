use wilco_ledger::Timestamp;

use super::{connection, device, store};
use crate::{ConnectionId, Measured, Sample, Store};

fn measured(device_name: &str, series: &[&str], samples: &[(i64, &[(u8, f64)])]) -> Measured {
    Measured {
        device: device(device_name),
        series: series.iter().map(|name| (*name).into()).collect(),
        samples: samples.iter().map(|(at, values)| Sample { at: Timestamp(*at), values: values.to_vec() }).collect(),
    }
}

async fn read(store: &Store, device_name: &str, from: i64, to: i64) -> Vec<(i64, String, f64)> {
    let span = (Timestamp(from), Timestamp(to));
    store
        .fold_telemetry(&connection(), &device(device_name), span, Vec::new(), |seen, at, name, value| {
            seen.push((at.0, name.to_owned(), value));
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn measurements_come_back_by_device_name_and_time() {
    let (_dir, store) = store();
    let keep = async |measured| store.keep_telemetry(&connection(), vec![measured]).await.unwrap();
    keep(measured("pump", &["t", "h"], &[(1_000, &[(0, 1.0), (1, 0.0)]), (2_000, &[(0, 2.0)])])).await;
    // After a restart the series may come in another order; and two blocks may begin at the same time.
    keep(measured("pump", &["x", "h", "t"], &[(1_000, &[(2, 3.0), (0, -1.0)])])).await;
    keep(measured("other", &["t"], &[(1_500, &[(0, 9.0)])])).await;
    let expected = [(1_000, "t", 1.0), (1_000, "h", 0.0), (2_000, "t", 2.0), (1_000, "t", 3.0), (1_000, "x", -1.0)];
    let expected: Vec<_> = expected.into_iter().map(|(at, name, value)| (at, name.to_owned(), value)).collect();
    assert_eq!(read(&store, "pump", 0, 10_000).await, expected);
    assert_eq!(read(&store, "pump", 1_001, 2_000).await, [(2_000, "t".to_owned(), 2.0)]);
    assert!(read(&store, "nobody", 0, 10_000).await.is_empty());
    let first = store.first_telemetry(&connection(), &device("pump")).await.unwrap();
    assert_eq!(first, Some(Timestamp(1_000)));
}

#[tokio::test]
async fn sixty_four_series_of_a_device_are_kept() {
    let (_dir, store) = store();
    for (run, unkept) in [(0, 0), (1, 36), (2, 50)] {
        let names: Vec<_> = (0..50).map(|number| format!("s{run}-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let values: Vec<_> = (0..50).map(|place| (place, 1.0)).collect();
        let measured = measured("pump", &names, &[(run, &values)]);
        assert_eq!(store.keep_telemetry(&connection(), vec![measured]).await.unwrap(), [unkept]);
    }
    assert_eq!(read(&store, "pump", 0, 10).await.len(), 64);
}

#[tokio::test]
async fn a_name_of_which_nothing_is_left_gives_its_place_to_another() {
    const DAY: i64 = 86_400_000;
    let (_dir, store) = store();
    let keep = async |names: &[&str], at: i64, values: &[(u8, f64)]| {
        store.keep_telemetry(&connection(), vec![measured("pump", names, &[(at, values)])]).await.unwrap()[0]
    };
    let names: Vec<_> = (0..64).map(|number| format!("s{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let values: Vec<_> = (0..64).map(|place| (place, f64::from(place))).collect();
    assert_eq!(keep(&names, DAY, &values).await, 0);
    // All but the first two come on.
    assert_eq!(keep(&names[2..], 10 * DAY, &values[..62]).await, 0);
    assert_eq!(keep(&["new"], 11 * DAY, &[(0, 1.0)]).await, 1, "there is something of all of them");

    store.prune_telemetry(None, Timestamp(5 * DAY)).await.unwrap();
    // With nothing to keep it takes no place, and who has one keeps it.
    assert_eq!(keep(&["s2", "idle", "new", "s0"], 12 * DAY, &[(0, 2.0), (2, 3.0)]).await, 1);
    assert_eq!(keep(&["newer", "s1"], 13 * DAY, &[(1, 4.0), (0, 5.0)]).await, 1, "one place was left");
    let seen = read(&store, "pump", 12 * DAY, 14 * DAY).await;
    let expected = [(12 * DAY, "s2", 2.0), (12 * DAY, "new", 3.0), (13 * DAY, "s1", 4.0)];
    assert_eq!(seen, expected.map(|(at, name, value)| (at, name.to_owned(), value)));
    // What is left of the others still has its name.
    let before = read(&store, "pump", 0, 11 * DAY).await;
    assert_eq!(before.iter().map(|(_, name, _)| name.as_str()).collect::<Vec<_>>(), names[2..]);
    // With everything gone, all places are free.
    store.prune_telemetry(None, Timestamp(i64::MAX)).await.unwrap();
    let others: Vec<_> = (0..64).map(|number| format!("t{number}")).collect();
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    assert_eq!(keep(&others, 20 * DAY, &values).await, 0);
    assert_eq!(read(&store, "pump", 0, i64::MAX).await.len(), 64);
}

#[tokio::test]
async fn old_data_and_data_of_removed_connections_is_deleted() {
    let (_dir, store) = store();
    const HOUR: i64 = 3_600_000;
    for name in ["pump", "dock"] {
        let samples: Vec<(i64, &[(u8, f64)])> = (0..100).map(|hour| (hour * HOUR, &[(0, 1.0)][..])).collect();
        store.keep_telemetry(&connection(), vec![measured(name, &["t"], &samples)]).await.unwrap();
    }
    let elsewhere = ConnectionId::from("elsewhere");
    store.prune_telemetry(Some(&elsewhere), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(read(&store, "pump", 0, i64::MAX).await.len(), 100);
    store.prune_telemetry(None, Timestamp(60 * HOUR + 600_000)).await.unwrap();
    for name in ["pump", "dock"] {
        assert_eq!(read(&store, name, 0, i64::MAX).await.first().map(|(at, ..)| *at), Some(60 * HOUR));
    }
    store.remove_connection(&connection()).await.unwrap();
    store.sweep().await.unwrap();
    assert!(read(&store, "pump", 0, i64::MAX).await.is_empty());
}
