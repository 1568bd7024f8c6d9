//! Read-only and protected connections on the command line.

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Device};

use crate::bench::Bench;

#[test]
fn a_protected_connection_wants_a_yes_or_its_name() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::new()?, Device::start(&broker, "lamp-1", None)?);
    bench.run(&["connections", "add", "plant", "--url", &broker.url(), "--mode", "protected"])?.ended(0)?;
    let listed = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed[0]["mode"] == "protected", "{listed:?}");
    let requests = broker.listen("+/req")?;
    let led = ["send", "-c", "plant", "-d", "lamp-1", "led", "on=true"];
    let restart = ["send", "-c", "plant", "-d", "lamp-1", "restart"];
    let both = ["send", "-c", "plant", "-d", "lamp-1", "-d", "lamp-2", "led", "on=true", "--timeout", "1s"];
    let rollout = ["rollout", "start", "-c", "plant", "-d", "lamp-1", "led", "on=true"];
    let check = |order: &[&str], more: &[&str], part: &str, hint: &str| -> Result<()> {
        let said = bench.run(&[order, more].concat())?.complained(part)?;
        ensure!(said.hints().iter().any(|said| said.contains(hint)), "{said:?}");
        Ok(())
    };
    check(&led, &[], "no terminal", "--yes")?;
    check(&["log", "-c", "plant", "-d", "lamp-1"], &[], "no terminal", "--yes")?;
    check(&restart, &["--yes"], "no terminal", "--confirm plant")?;
    check(&both, &["--yes"], "no terminal", "--confirm plant")?;
    check(&rollout, &["--yes"], "no terminal", "--confirm plant")?;
    check(&restart, &["--confirm", "site"], "the connection's name is 'plant'", "Nothing was sent")?;
    check(&led, &["--confirm", "site"], "the connection's name is 'plant'", "Nothing was sent")?;
    ensure!(requests.log().is_empty(), "{}", requests.log());

    bench.run(&[&led[..], &["--yes"]].concat())?.ended(0)?;
    bench.run(&[&restart[..], &["--confirm", "plant"]].concat())?.ended(0)?;
    bench.run(&[&rollout[..], &["--confirm", "plant"]].concat())?.ended(0)?;
    // What the first was confirmed with does not confirm the one that follows it.
    check(&["rollout", "again", "1"], &[], "no terminal", "--confirm plant")?;
    Ok(())
}

#[test]
fn a_read_only_connection_sends_nothing_and_is_exported_so() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    bench.run(&["connections", "edit", "bench", "--mode", "read-only"])?.ended(0)?;
    let requests = broker.listen("+/req")?;
    let whom = ["-c", "bench", "-d", "lamp-1"];
    for order in [
        [&["send"], &whom[..], &["led", "on=true", "--yes", "--confirm", "bench"]].concat(),
        [&["log"], &whom[..]].concat(),
        [&["rollout", "start"], &whom[..], &["led", "on=true"]].concat(),
        ["rollout", "start", "-c", "bench", "--broadcast", "all", "led", "on=true"].to_vec(),
    ] {
        let said = bench.run(&order)?.complained("The connection 'bench' is read-only")?;
        ensure!(said.hints().iter().any(|hint| hint.contains("--mode normal")), "{said:?}");
    }
    bench.run(&["connections", "test", "bench"])?.ended(0)?;
    let devices = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(devices[0]["presence"] == "online", "{devices:?}");
    ensure!(requests.log().is_empty(), "{}", requests.log());

    let file = bench.data.path().join("connections.json");
    let file = file.display().to_string();
    bench.run(&["connections", "export", "--to", &file])?.ended(0)?;
    let other = Bench::new()?;
    other.run(&["connections", "import", &file])?.ended(0)?;
    let listed = other.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed[0]["mode"] == "read_only", "{listed:?}");
    ensure!(other.run(&["connections", "list"])?.ended(0)?.out.contains("read-only"));
    bench.run(&["connections", "edit", "bench", "--mode", "normal"])?.ended(0)?;
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=false"])?.ended(0)?;
    Ok(())
}
