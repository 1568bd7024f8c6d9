//! How fast measurements are written on this disk, and how long a command waits meanwhile:
//! `cargo run --release -p wilco-engine --example telemetry_rates [DEVICES] [DIR]`.
//!
//! It simulates ten minutes of a fleet that measures four series every second, written as the engine does: ten seconds at a
//! time, 50 devices per transaction. For manual use: the figures depend on the disk.

#![expect(clippy::print_stdout, reason = "it only prints figures")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::{path::PathBuf, time::Instant};

use wilco_engine::store::{ConnectionId, FILE_NAME, Measured, Sample, Store};
use wilco_ledger::{DeviceId, Timestamp};

const ROUNDS: usize = 60;
const SAMPLES: i64 = 10;
const TOGETHER: usize = 50;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let devices: usize = arguments.next().map_or(Ok(1_000), |count| count.parse())?;
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join("wilco-telemetry-rates"), PathBuf::from);
    std::fs::create_dir_all(&dir)?;
    let store = Store::open(&dir)?;
    let connection = ConnectionId::from("rates");
    let ids: Vec<_> =
        (0..devices).map(|number| DeviceId::new(format!("sensor-{number:05}"))).collect::<Result<_, _>>()?;
    let mut longest = 0.0_f64;
    let begun = Instant::now();
    for round in (0..).take(ROUNDS) {
        for some in ids.chunks(TOGETHER) {
            let begun = Instant::now();
            store.keep_telemetry(&connection, some.iter().map(|id| measured(id, round)).collect()).await?;
            longest = longest.max(begun.elapsed().as_secs_f64());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let values = devices as f64 * ROUNDS as f64 * SAMPLES as f64 * 4.0;
    println!(
        "{values:.0} values in {seconds:.2} s: {:.0} a second, of which 1 s of the fleet is {}",
        values / seconds,
        devices * 4
    );
    println!("a transaction took {:.1} ms at the most", longest * 1_000.0);
    let begun = Instant::now();
    let span = (Timestamp(0), Timestamp(i64::MAX));
    let seen = store.fold_telemetry(&connection, &ids[0], span, 0_u64, |seen, _, _, _| *seen += 1).await?;
    println!("{seen} values of one device were read in {:.1} ms", begun.elapsed().as_secs_f64() * 1_000.0);
    store.close().await?;
    let bytes = std::fs::metadata(dir.join(FILE_NAME))?.len();
    println!("{:.1} bytes a value", bytes as f64 / values);
    Ok(())
}

/// Ten seconds of a device.
fn measured(device: &DeviceId, round: i64) -> Measured {
    let sample = |second: i64| Sample {
        at: Timestamp(1_800_000_000_000 + (round * SAMPLES + second) * 1_000),
        values: [21.5, 45.0, 148_032.0, -61.0].into_iter().zip(0..).map(|(value, place)| (place, value)).collect(),
    };
    Measured {
        device: device.clone(),
        series: ["temperature", "humidity", "heap", "rssi"].map(Into::into).to_vec(),
        samples: (0..SAMPLES).map(sample).collect(),
    }
}
