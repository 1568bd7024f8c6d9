//! The history on a disk without room.

use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Device, soon};

use crate::bench::Bench;

#[test]
fn the_history_is_shown_without_room_on_the_disk_also_after_a_kill() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let send = |on| bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", on])?.ended(0);
    send("on=true")?;
    without_room(&bench, 1)?;

    // The engine of another run carries it out, and is killed: its log is left beside the database.
    let mut watch = bench.start(&["watch", "-c", "bench"])?;
    let socket = bench.data.path().join("data/run/engine.sock");
    soon("socket", Duration::from_secs(20), || socket.exists().then_some(()))?;
    send("on=false")?;
    watch.kill();
    without_room(&bench, 2)?;

    let said = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?;
    ensure!(said.lines()?.len() == 2 && said.err.is_empty(), "{said:?}");
    Ok(())
}

fn without_room(bench: &Bench, commands: usize) -> Result<()> {
    let said = bench.run_without_room(&["history", "-c", "bench", "--format", "json"])?.ended(0)?;
    let listed = said.lines()?;
    ensure!(listed.len() == commands, "{listed:?}");
    ensure!(listed.iter().all(|command| command["state"] == "succeeded"), "{listed:?}");
    ensure!(said.err.starts_with("warning: ") && said.err.contains("disk") && said.err.contains("hint: "), "{said:?}");
    let unknown = bench.run_without_room(&["history", "-c", "nowhere"])?;
    ensure!(unknown.code == 2 && unknown.err.contains("Available: bench."), "{unknown:?}");
    // Everything that would write says why it cannot.
    let refused = bench.run_without_room(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?;
    ensure!(refused.code == 2 && refused.err.contains("disk"), "{refused:?}");
    Ok(())
}
