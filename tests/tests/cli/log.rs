use anyhow::Result;
use wilco_tests::{Broker, Device};

use crate::bench::Bench;

#[test]
fn a_log_is_printed_or_written_and_its_end_is_judged_by_the_checksum() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    let whole = bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?.ended(0)?;
    assert!(whole.out.contains("led"), "{whole:?}");
    let last = bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-n", "1"])?.ended(0)?;
    assert_eq!(last.out.lines().count(), 1, "{last:?}");

    let file = bench.data.path().join("lamp-1.log");
    let path = file.display().to_string();
    let written = bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-o", &path])?.ended(0)?;
    assert_eq!(written.out, "");
    assert!(std::fs::read_to_string(&file)?.starts_with(&whole.out), "it is another log");
    bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-o", "/nowhere/at/all.log"])?.complained("no folder")?;
    Ok(())
}

#[test]
fn a_log_with_gaps_is_printed_and_ends_with_1() -> Result<()> {
    let broker = Broker::plain()?;
    // Only the one piece of the log is lost, or its answer: whichever comes first by this seed.
    let faults = ["--drop", "0.5", "--seed", "3"];
    let (bench, _device) = (Bench::on(&broker)?, Device::start_with(&broker, "lamp-1", None, &faults)?);
    let mut ends = Vec::new();
    for _ in 0..12 {
        let said = bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?;
        let lost =
            said.err.contains("did not come") || said.err.contains("None of its") || said.err.contains("Nothing");
        assert!(said.code != 1 || lost, "{said:?}");
        ends.push(said.code);
        if ends.contains(&1) {
            break;
        }
    }
    assert!(ends.contains(&1), "no piece was lost: {ends:?}");
    Ok(())
}
