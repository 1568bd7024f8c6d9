//! Connections without certificates: testing, editing, ordering, exporting and importing.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Keyring, Settings};

use crate::bench::{Bench, ProgramOutput};

/// The members of the connections, in their order.
fn listed(bench: &Bench, member: &str) -> Result<Vec<Value>> {
    let lines = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?;
    Ok(lines.iter().map(|line| line[member].clone()).collect())
}

/// The one object that a test prints.
fn object(said: &ProgramOutput) -> Result<Value> {
    let [object] = said.lines()?.try_into().ok().context("not one object")?;
    Ok(object)
}

#[test]
fn a_test_is_told_step_by_step() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    for test in [&["connections", "test", "bench"][..], &["connections", "test", "--url", &broker.url()]] {
        let said = bench.run(test)?.ended(0)?;
        let names: Vec<_> = said.out.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        ensure!(names[..7] == ["Name", "TCP", "TLS", "Connect", "Subscribe", "Publish", "Round"], "{said:?}");
        ensure!(said.out.lines().filter(|line| line.starts_with('✓')).all(|line| line.ends_with(" ms")), "{said:?}");
        ensure!(said.out.ends_with("\n\nAll steps passed.\n"), "{said:?}");

        let view = object(&bench.run(&[test, &["--output", "json"]].concat())?.ended(0)?)?;
        ensure!(view["ok"] == true && view["done"] == true, "{view}");
        ensure!(view["steps"].as_array().is_some_and(|steps| steps.len() == 7), "{view}");
    }
    Ok(())
}

#[test]
fn a_refusal_is_explained_and_ends_with_1() -> Result<()> {
    // What a device says may not be read: mosquitto takes the subscription anyway, and drops the message.
    let rules = "topic read $SYS/#\ntopic write #\n";
    let broker = Broker::start(&Settings { access_list: Some(rules), ..Settings::default() })?;
    let bench = Bench::on(&broker)?;
    let said = bench.run(&["connections", "test", "bench"])?.ended(1)?;
    ensure!(said.out.lines().any(|line| line.starts_with("✗ Round trip")), "{said:?}");
    ensure!(said.out.contains("    Solution: ") && said.out.contains("ACL"), "{said:?}");
    ensure!(said.out.ends_with("\nStopped at Round trip.\n"), "{said:?}");

    drop(broker);
    let said = bench.run(&["connections", "test", "bench"])?.ended(1)?;
    ensure!(said.out.lines().filter(|line| line.ends_with("Not tested")).count() == 5, "{said:?}");
    let view = object(&bench.run(&["connections", "test", "bench", "--output", "json"])?.ended(1)?)?;
    let failed = |step: &&Value| step["state"] == "failed";
    let step = view["steps"].as_array().and_then(|steps| steps.iter().find(failed)).context("none failed")?;
    ensure!(step["step"] == "tcp" && step["finding"]["title"].is_string(), "{step}");
    // What does not come to a try is another matter.
    bench.run(&["connections", "test", "--url", "http://localhost"])?.complained("http://")?;
    bench.run(&["connections", "test", "other"])?.complained("no connection named 'other'")?;
    Ok(())
}

#[test]
fn a_test_over_the_session_of_another_run_is_told_at_its_end() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let mut watch = bench.start(&["watch", "-c", "bench"])?;
    let socket = bench.data.path().join("data/run/engine.sock");
    wilco_tests::soon("socket", std::time::Duration::from_secs(10), || socket.exists().then_some(()))?;
    let said = bench.run(&["connections", "test", "bench"])?.ended(0)?;
    ensure!(said.out.contains("✓ Round trip") && said.out.ends_with("All steps passed.\n"), "{said:?}");
    bench.run(&["connections", "duplicate", "bench"])?.ended(0)?;
    bench.run(&["connections", "move", "bench copy", "--to", "1"])?.ended(0)?;
    ensure!(listed(&bench, "name")? == ["bench copy", "bench"], "{:?}", listed(&bench, "name"));
    watch.stop()?;
    Ok(())
}

#[test]
fn only_what_is_given_is_changed() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let before = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    bench
        .run(&["connections", "edit", "bench", "--rename", "site", "--keep-alive", "1m", "--only-device", "lamp-1"])?
        .ended(0)?;
    let after = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let changed = |name: &&String| before[name.as_str()] != after[name.as_str()] && name.as_str() != "link";
    let mut changed: Vec<_> = after.as_object().context("no object")?.keys().filter(changed).collect();
    changed.sort();
    assert_eq!(changed, ["devices_named", "keep_alive_s", "name"]);
    assert_eq!((&after["name"], &after["keep_alive_s"]), (&Value::from("site"), &Value::from(60)));

    bench.run(&["connections", "edit", "site", "--only-device", ""])?.ended(0)?;
    assert_eq!(listed(&bench, "devices_named")?, [Value::Array(Vec::new())]);
    bench.run(&["connections", "edit", "site"])?.complained("Nothing to change: no options were given.")?;
    bench.run(&["connections", "edit", "site", "--preset", "aws", "--keep-alive", "10s"])?.complained("keep-alive")?;
    bench.run(&["connections", "edit", "site", "--proxy-username", "me"])?.complained("without a proxy")?;
    bench.run(&["connections", "add", "bench", "--url", &broker.url()])?.ended(0)?;
    bench.run(&["connections", "edit", "site", "--rename", "bench"])?.complained("already")?;
    assert_eq!(listed(&bench, "name")?, ["site", "bench"]);
    Ok(())
}

#[test]
fn connections_are_duplicated_and_ordered() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    bench.run(&["connections", "duplicate", "bench"])?.ended(0)?;
    bench.run(&["connections", "duplicate", "bench"])?.ended(0)?;
    assert_eq!(listed(&bench, "name")?, ["bench", "bench copy", "bench copy 2"]);
    let ids = listed(&bench, "client_id")?;
    ensure!(ids[0] != ids[1] && ids[1] != ids[2], "a client ID is never used twice: {ids:?}");
    bench.run(&["connections", "move", "bench", "--to", "2"])?.ended(0)?;
    assert_eq!(listed(&bench, "name")?, ["bench copy", "bench", "bench copy 2"]);
    let said = bench.run(&["connections", "move", "bench", "--to", "99"])?.ended(0)?;
    ensure!(said.out.contains("position 3 of 3"), "{said:?}");
    Ok(())
}

#[test]
fn connections_without_secrets_are_taken_to_another_computer() -> Result<()> {
    let broker = Broker::plain()?;
    let (here, there) = (Bench::on(&broker)?, Bench::new()?);
    let path = here.data.path().join("connections.json");
    let file = path.to_string_lossy();
    there.run(&["connections", "export", "--to", &file])?.complained("no connections to export")?;
    let said = here.run(&["connections", "export", "--to", &file])?.ended(0)?;
    ensure!(said.out.contains("bench") && said.out.contains("no certificates"), "{said:?}");
    here.run(&["connections", "export", "--to", &file])?.complained("already")?;
    here.run(&["connections", "export", "bench", "--to", &file, "--force"])?.ended(0)?;
    here.run(&["connections", "export", "other", "--to", &file, "--force"])?
        .complained("no connection named 'other'")?;

    for _ in 0..2 {
        there.run(&["connections", "import", &file])?.ended(0)?;
    }
    assert_eq!(listed(&there, "name")?, ["bench", "bench 2"]);
    assert_eq!(listed(&there, "url")?, [broker.url(), broker.url()]);
    std::fs::write(&path, "{}")?;
    there.run(&["connections", "import", &file])?.complained("is not a file that Wilco exported")?;
    there.run(&["connections", "import", "/nowhere"])?.complained("file /nowhere does not exist")?;
    Ok(())
}

#[test]
fn secrets_are_taken_along_under_a_passphrase_only() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::with_keyring(Keyring::Unlocked)?;
    let url = broker.url();
    let add = ["connections", "add", "site", "--url", &url, "--username", "ops", "--password-stdin"];
    bench.run_with_input(&add, "correct horse\n")?.ended(0)?;
    let (with, without) = (bench.data.path().join("with.age"), bench.data.path().join("without.json"));
    let (with, without) = (with.to_string_lossy(), without.to_string_lossy());

    let export = ["connections", "export", "--to", &with, "--with-secrets"];
    bench.run(&export)?.complained("requires a passphrase")?;
    let export = [&export[..], &["--passphrase-stdin"]].concat();
    bench.run_with_input(&export, "short\n")?.complained("too short")?;
    ensure!(!bench.data.path().join("with.age").exists(), "half a file was left");
    let said = bench.run_with_input(&export, "battery staple four\n")?.ended(0)?;
    ensure!(!format!("{said:?}").contains("battery"), "{said:?}");
    bench.run(&["connections", "export", "--to", &without])?.ended(0)?;
    for file in [&with, &without] {
        ensure!(!std::fs::read_to_string(file.as_ref())?.contains("correct horse"), "{file} has it");
    }
    bench.run(&["connections", "remove", "site", "--yes"])?.ended(0)?;

    let import = ["connections", "import", &with, "--passphrase-stdin"];
    bench.run(&["connections", "import", &with])?.complained("encrypted with a passphrase")?;
    bench.run_with_input(&import, "another one\n")?.complained("is wrong")?;
    bench.run_with_input(&import, "")?.complained("no passphrase")?;
    assert_eq!(listed(&bench, "name")?, Vec::<Value>::new());
    let said = bench.run_with_input(&import, "battery staple four\n")?.ended(0)?;
    ensure!(said.out.contains("Added site.") && !said.out.contains("without secrets"), "{said:?}");
    assert_eq!(listed(&bench, "has")?[0]["password"], true);
    bench.run(&["connections", "test", "site"])?.ended(0)?;

    let said = bench.run(&["connections", "import", &without])?.ended(0)?;
    ensure!(said.out.contains("Added site 2.") && said.out.contains("without secrets"), "{said:?}");
    bench.run(&["connections", "edit", "site", "--no-password"])?.ended(0)?;
    assert_eq!(listed(&bench, "has")?[0]["password"], false);
    Ok(())
}
