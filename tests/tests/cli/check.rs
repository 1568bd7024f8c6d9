//! `wilco check` on a history that lost something.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use wilco_engine::store::FILE_NAME;
use wilco_tests::{Broker, Device};

use crate::bench::Bench;

fn database(bench: &Bench) -> PathBuf {
    bench.data.path().join("data").join(FILE_NAME)
}

fn send(bench: &Bench, on: &str) -> Result<()> {
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", on])?.ended(0)?;
    Ok(())
}

fn listed(bench: &Bench) -> Result<(usize, String)> {
    let said = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?;
    Ok((said.lines()?.len(), said.err))
}

#[test]
fn an_older_copy_that_was_put_back_is_noticed_and_the_rest_is_shown() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    send(&bench, "on=true")?;
    assert_eq!(listed(&bench)?, (1, String::new()));
    let sound = bench.run(&["check"])?.ended(0)?.out;
    assert!(sound.starts_with("The history is complete and undamaged: "), "{sound}");
    let older = fs::read(database(&bench))?;
    send(&bench, "on=false")?;
    fs::write(database(&bench), older)?;

    for _ in 0..2 {
        let (commands, warned) = listed(&bench)?;
        assert_eq!(commands, 1);
        assert!(warned.starts_with("warning: The history lacks at least ") && warned.contains("hint: "), "{warned}");
    }
    let found = bench.run(&["check", "--output", "json"])?.ended(1)?.lines()?.remove(0);
    let gap = &found["gaps"][0];
    assert!(gap["events"].as_u64().is_some_and(|events| events >= 5), "{found}");
    assert!(gap["after"].as_i64() < gap["until"].as_i64() && gap["replaced"] == false, "{found}");
    Ok(())
}

#[test]
fn a_flipped_bit_is_named_with_its_device_and_command() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    send(&bench, "on=true")?;
    send(&bench, "on=false")?;
    let mut bytes = fs::read(database(&bench))?;
    let text = b"lamp-1/resp";
    let place = bytes.windows(text.len()).position(|part| part == text).context("no answer in the file")?;
    bytes[place + text.len() - 1] ^= 1;
    fs::write(database(&bench), bytes)?;

    let (commands, warned) = listed(&bench)?;
    assert_eq!(commands, 2, "the rest is shown");
    assert!(warned.contains("1 event in the history is not as Wilco stored it: lamp-1, command "), "{warned}");
    let found = bench.run(&["check"])?.ended(1)?.out;
    assert!(found.contains("is not as Wilco stored it"), "{found}");
    Ok(())
}
