//! The audit and evidence files, as an operator and an auditor use them.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use serde_json::Value;
use wilco_engine::store::FILE_NAME;
use wilco_tests::{Broker, Device, Keyring};

use crate::bench::Bench;

/// A bench with a connection on which one command was sent, with a note.
fn used(keyring: Option<Keyring>, broker: &Broker) -> Result<(Bench, String)> {
    let bench = match keyring {
        Some(keyring) => Bench::with_keyring(keyring)?,
        None => Bench::new()?,
    };
    bench.run(&["connections", "add", "bench", "--url", &broker.url()])?.ended(0)?;
    let arguments =
        ["send", "-c", "bench", "-d", "lamp-1", "--note", "night shift", "--output", "json", "led", "on=true"];
    let said = bench.run(&arguments)?.ended(0)?;
    let id = said.lines()?.last().and_then(|line| line["id"].as_str().map(str::to_owned)).context("no id")?;
    bench.run(&["devices", "tag", "-c", "bench", "-d", "lamp-1", "north"])?.ended(0)?;
    Ok((bench, id))
}

#[test]
fn the_audit_says_who_did_what_and_why_and_notices_what_somebody_changed() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let (bench, id) = used(Some(Keyring::Unlocked), &broker)?;
    let entries = bench.run(&["audit", "list", "--output", "json"])?.ended(0)?.lines()?;
    let said: Vec<_> = entries.iter().map(|entry| entry["what"].as_str().unwrap_or_default()).collect();
    assert_eq!(said, ["Changed the name, tags or note of lamp-1", "Sent led to lamp-1", "Added connection bench"]);
    assert_eq!(entries[1]["note"], "night shift");
    assert!(entries[1]["details"].as_str().is_some_and(|details| details.contains(&id)), "{}", entries[1]);
    assert_eq!(bench.run(&["audit", "list", "--kind", "connection", "--output", "json"])?.lines()?.len(), 1);
    let table = bench.run(&["audit", "list", "--since", "1h"])?.ended(0)?.out;
    assert!(table.contains("Sent led to lamp-1") && table.contains("night shift"), "{table}");
    let verified = bench.run(&["audit", "verify"])?.ended(0)?.out;
    assert!(
        verified.contains("Entries 1 to 3 are unaltered.") && verified.contains("Sealed up to entry 3"),
        "{verified}"
    );

    let file = bench.data.path().join("data").join(FILE_NAME);
    let copy = fs::read(&file)?;
    bench.run(&["audit", "note", "2", "checked by Bo"])?.ended(0)?;
    assert!(bench.run(&["audit", "verify"])?.ended(0)?.out.contains("Entries 1 to 4"));
    let after = fs::read(&file)?;

    // An old copy of the database agrees with itself, and not with the keyring.
    fs::write(&file, &copy)?;
    let restored = bench.run(&["audit", "verify"])?.ended(1)?.out;
    assert!(restored.contains("Entry 4 is missing at the end"), "{restored}");
    assert!(restored.contains("Entries 1 to 3 are unaltered."), "{restored}");

    fs::write(&file, &after)?;
    Connection::open(&file)?.execute("UPDATE audit SET note = 'day shift' WHERE number = 2", [])?;
    let altered = bench.run(&["audit", "verify"])?.ended(1)?.out;
    assert!(altered.contains("Problem: Entry 2 was altered."), "{altered}");
    assert!(altered.contains("Entries 1 and 3 to 4 are unaltered."), "{altered}");
    let found: Value = serde_json::from_str(&bench.run(&["audit", "verify", "--output", "json"])?.ended(1)?.out)?;
    assert_eq!(found["problems"][0]["kind"], "altered");
    Ok(())
}

#[test]
fn a_rollout_that_is_stored_with_other_devices_is_named_with_its_entry() -> Result<()> {
    let broker = Broker::plain()?;
    let _devices = [Device::start(&broker, "lamp-1", None)?, Device::start(&broker, "lamp-2", None)?];
    let bench = Bench::on(&broker)?;
    let led = ["rollout", "start", "-c", "bench", "-d", "lamp-1", "-d", "lamp-2", "--output", "json", "led", "on=true"];
    bench.run(&led)?.ended(0)?;
    let verified = bench.run(&["audit", "verify"])?.ended(0)?.out;
    assert!(verified.contains("Entries 1 to 2 are unaltered."), "{verified}");
    let file = bench.data.path().join("data").join(FILE_NAME);
    Connection::open(file)?.execute("DELETE FROM rollout_members WHERE device = 'lamp-2'", [])?;
    let altered = bench.run(&["audit", "verify"])?.ended(1)?.out;
    let expected = "Problem: Rollout 1 was altered after entry 2: it has 1 device instead of 2.";
    assert!(altered.contains(expected) && altered.contains("Entries 1 to 2 are unaltered."), "{altered}");
    let found: Value = serde_json::from_str(&bench.run(&["audit", "verify", "--output", "json"])?.ended(1)?.out)?;
    assert_eq!(
        (&found["problems"][0]["kind"], &found["problems"][0]["entries"]["from"]),
        (&"rollout".into(), &2.into())
    );
    Ok(())
}

#[test]
fn without_a_keyring_the_audit_says_that_it_is_not_sealed() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let (bench, _) = used(None, &broker)?;
    let verified = bench.run(&["audit", "verify"])?.ended(0)?.out;
    assert!(verified.contains("Entries 1 to 3 are unaltered."), "{verified}");
    assert!(verified.contains("Not sealed: this computer has no keyring"), "{verified}");
    let file = bench.data.path().join("data").join(FILE_NAME);
    Connection::open(file)?.execute("DELETE FROM audit WHERE number = 2", [])?;
    let removed = bench.run(&["audit", "verify"])?.ended(1)?.out;
    assert!(removed.contains("Problem: Entry 2 is missing."), "{removed}");
    Ok(())
}

#[test]
fn evidence_of_a_command_is_verified_by_somebody_who_has_only_the_file() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let (bench, id) = used(Some(Keyring::Unlocked), &broker)?;
    let path = bench.data.path().join("led.wilco-evidence");
    let file = path.to_str().context("no path")?;
    let said = bench.run(&["evidence", "export", "-c", "bench", "--command", &id, "-o", file])?.ended(0)?.out;
    let key = said.lines().find(|line| line.starts_with("Signed by the key ")).context("not signed")?.to_owned();
    bench.run(&["evidence", "export", "-c", "bench", "--command", &id, "-o", file])?.complained("already exists")?;

    // Somebody else, on a computer without a keyring.
    let colleague = Bench::new()?;
    let verified = colleague.run(&["evidence", "verify", file])?.ended(0)?.out;
    assert!(verified.contains(&key) && verified.contains(&format!("Command {id} of lamp-1 on bench")), "{verified}");
    let shown = colleague.run(&["evidence", "show", file, "--output", "json"])?.ended(0)?.lines()?;
    let kinds: Vec<_> = shown.iter().map(|record| record["kind"].as_str().unwrap_or_default()).collect();
    assert_eq!((kinds[0], kinds.last()), ("command", Some(&"audit")), "{kinds:?}");
    let content = fs::read_to_string(&path)?;
    let request = content.lines().find(|line| line.contains("\"handed\"")).context("no request")?;
    let request: Value = serde_json::from_str(request)?;
    assert_eq!(request["message"]["topic"], "lamp-1/req");
    assert!(content.contains("night shift") && content.contains("\"record\":\"event\""), "{content}");
    let text = colleague.run(&["evidence", "show", file])?.ended(0)?.out;
    assert!(text.contains("led {\"on\":true}: succeeded"), "{text}");

    let number = content.lines().position(|line| line.contains("\"handed\"")).context("no request")? + 1;
    fs::write(&path, content.replacen("lamp-1/req", "lamp-2/req", 1))?;
    let altered = colleague.run(&["evidence", "verify", file])?.ended(1)?.out;
    ensure!(altered.contains(&format!("Problem: Line {number} was altered.")), "{altered}");

    let path = bench.data.path().join("lamp.wilco-evidence");
    let file = path.to_str().context("no path")?;
    bench.run(&["evidence", "export", "-c", "bench", "-d", "lamp-1", "--since", "1h", "-o", file])?.ended(0)?;
    colleague.run(&["evidence", "verify", file])?.ended(0)?;
    let content = fs::read_to_string(&path)?;
    ensure!(content.contains(&id) && content.contains("\"record\":\"device\""), "{content}");
    let path = bench.data.path().join("audit.wilco-evidence");
    let file = path.to_str().context("no path")?;
    bench.run(&["evidence", "export", "--audit", "-o", file])?.ended(0)?;
    let text = colleague.run(&["evidence", "show", file])?.ended(0)?.out;
    ensure!(text.contains("Added connection bench"), "{text}");
    Ok(())
}

#[test]
fn evidence_of_a_rollout_and_of_its_commands_has_the_measurements_and_who_started_it() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let bench = Bench::on(&broker)?;
    let led = ["rollout", "start", "-c", "bench", "-d", "lamp-1", "--note", "as agreed", "led", "on=true"];
    // Measurements arrive while it runs.
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let measures = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                broker.publish("lamp-1/telemetry", br#"{"brightness":41.5}"#, false)?;
            }
            Ok::<_, anyhow::Error>(())
        });
        let ran = bench.run(&led).and_then(|said| said.ended(0));
        over.store(true, Ordering::Relaxed);
        measures.join().map_err(|_| anyhow::anyhow!("the measurements ended"))??;
        ran.map(drop)
    })?;
    let sent = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    let id = sent.first().and_then(|line| line["id"].as_str()).context("no command")?.to_owned();
    let saved = |of: &[&str]| -> Result<String> {
        let path = bench.data.path().join("saved.wilco-evidence");
        let file = path.to_str().context("no path")?;
        bench.run(&[&["evidence", "export", "--force", "-o", file], of].concat())?.ended(0)?;
        bench.run(&["evidence", "verify", file])?.ended(1)?;
        Ok(fs::read_to_string(&path)?)
    };
    for of in [&["--rollout", "1"][..], &["-c", "bench", "--command", &id]] {
        let content = saved(of)?;
        ensure!(content.contains("Started rollout 1: led to 1 device") && content.contains("as agreed"), "{content}");
        ensure!(content.contains("\"disagrees\":null"), "{content}");
        ensure!(content.contains("\"series\":\"brightness\"") && content.contains("41.5"), "{content}");
    }
    Ok(())
}
