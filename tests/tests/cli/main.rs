//! `wilco` from the outside: the real program, against a real broker and real devices, checked by its output and its
//! exit code.

mod approvals;
mod audit;
mod bad_announcements;
mod bench;
mod check;
mod commands;
mod connections;
mod desired;
mod device_passwords;
mod devices;
mod dialects;
mod exit_codes;
mod files;
mod fleet;
mod full_disk;
mod local_safety;
mod log;
mod modes;
mod names;
mod numbers;
mod odd_firmware;
mod other_firmware;
mod progress;
mod rehearsal;
mod rollouts;
mod sharing;
mod times;
mod values;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Certificates, Device, Keyring, soon};

use bench::Bench;

#[test]
fn a_connection_is_added_listed_tested_and_removed() -> Result<()> {
    let (broker, bench) = (Broker::plain()?, Bench::new()?);
    bench.run(&["connections", "list"])?.ended(0)?;
    let added = bench.run(&["connections", "add", "bench", "--url", &broker.url(), "--mqtt", "3.1.1"])?.ended(0)?;
    assert!(added.out.contains(&broker.url()), "{added:?}");
    bench.run(&["connections", "add", "bench", "--url", &broker.url()])?.complained("already")?;

    let listed = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["name"], &listed[0]["mqtt"]), (&Value::from("bench"), &Value::from("3.1.1")));
    assert!(bench.run(&["connections", "list"])?.ended(0)?.out.contains("bench"));

    assert!(bench.run(&["connections", "test", "bench"])?.ended(0)?.out.contains("All steps passed."));
    drop(broker);
    assert!(bench.run(&["connections", "test", "bench"])?.ended(1)?.out.contains("listens"));

    bench.run(&["connections", "remove", "bench"])?.complained("no terminal")?;
    bench.run(&["connections", "remove", "bench", "--yes"])?.ended(0)?;
    assert!(bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.out.is_empty());
    bench.run(&["connections", "test", "bench"])?.complained("no connection named 'bench'")?;
    Ok(())
}

#[test]
fn every_state_of_a_command_is_a_line_with_its_evidence() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let said = bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true", "--output", "json"])?.ended(0)?;
    let lines = said.lines()?;
    let members = ["id", "device", "command", "state", "at", "late", "duplicates", "match", "message", "result"];
    for line in &lines {
        for member in members {
            assert!(line.get(member).is_some(), "{member} is missing: {line}");
        }
        assert_eq!((&line["device"], &line["command"]), (&Value::from("lamp-1"), &Value::from("led")));
    }
    let states = said.states()?;
    assert!(states.first().is_some_and(|state| state == "queued"), "{states:?}");
    assert!(states.last().is_some_and(|state| state == "succeeded"), "{states:?}");
    assert_eq!(states.len(), states.iter().collect::<BTreeSet<_>>().len(), "each state once: {states:?}");
    let last = &lines[lines.len() - 1];
    assert_eq!((&last["result"]["on"], &last["match"]), (&Value::from(true), &Value::from("exact")));

    let asked = broker.first("lamp-1/state", 5)?;
    assert!(asked.contains("\"on\":true") || asked.contains("true"), "{asked}");
    let read = bench.run(&["send", "-c", "bench", "-d", "lamp-1", "restart", "--output", "json"])?.ended(0)?;
    assert!(read.states()?.contains(&"accepted".to_owned()), "{read:?}");
    let rejected = bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=maybe"])?.ended(1)?;
    assert!(rejected.out.contains("rejected"), "{rejected:?}");
    Ok(())
}

#[test]
fn a_device_that_does_not_answer_times_out_and_ends_with_1() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let short = ["--timeout", "1s", "--ttl", "1s"];
    let send = ["send", "-c", "bench", "--devices-from", "-", "led", "on=true"];
    let devices = "# the kitchen\r\nlamp-1\r\n\r\nghost # long gone\r\n";
    let text = bench.run_with_input(&[&send[..], &short[..]].concat(), devices)?.ended(1)?;
    assert!(text.out.contains("rollout 1  finished  stage 1 of 1  1 succeeded, 1 timed out\n"), "{text:?}");
    assert!(text.out.lines().last().is_some_and(|line| line.starts_with("ghost timed out: ")), "{text:?}");
    assert!(!text.out.contains('\u{1b}'), "colours are for terminals: {text:?}");
    assert!(text.err.contains("ghost is not known to be online"), "{text:?}");
    let json = bench.run_with_input(&[&send[..], &short[..], &["--output", "json"]].concat(), "ghost")?.ended(1)?;
    assert_eq!(json.states()?.last().map(String::as_str), Some("timed_out"), "{json:?}");
    Ok(())
}

#[test]
fn without_its_broker_nothing_is_sent_now_or_later() -> Result<()> {
    let mut broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    broker.stop()?;
    let started = Instant::now();
    let send = ["send", "-c", "bench", "-d", "lamp-1", "led", "on=true", "--timeout", "1s"];
    bench.run(&send)?.complained("listens")?;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.out.is_empty());
    broker.resume()?;
    let heard = broker.listen("lamp-1/req")?;
    bench.run(&["devices", "-c", "bench"])?.ended(0)?;
    assert_eq!(heard.log(), "");
    Ok(())
}

#[test]
fn a_device_is_forgotten_with_its_history_and_comes_back_when_it_speaks() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    for device in ["lamp-1", "lapm-1"] {
        bench.run(&["send", "-c", "bench", "-d", device, "led", "on=true", "--timeout", "1s"])?.ended(1)?;
    }
    let listed = |search: &str| -> Result<Vec<Value>> {
        bench.run(&["devices", "-c", "bench", "--search", search, "--output", "json"])?.ended(0)?.lines()
    };
    assert_eq!(listed("")?.len(), 2);
    let forget = ["devices", "forget", "-c", "bench", "-d", "lapm-1"];
    bench.run(&forget)?.complained("also removes its history, and there is no terminal")?;
    let said = bench.run(&[&forget[..], &["--yes"]].concat())?.ended(0)?;
    assert_eq!(said.out, "Forgot lapm-1.\n");
    assert!(bench.run(&[&forget[..], &["--yes"]].concat())?.ended(2)?.err.contains("There is no device 'lapm-1'"));
    assert_eq!(listed("")?[0]["device"], "lamp-1");
    let history = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    assert_eq!(history.iter().map(|line| &line["device"]).collect::<Vec<_>>(), ["lamp-1"]);

    let _device = Device::start(&broker, "lapm-1", None)?;
    let again = soon("lapm-1 again", Duration::from_secs(40), || listed("lapm").ok().filter(|rows| !rows.is_empty()))?;
    assert_eq!(again[0]["last_command"], Value::Null);
    Ok(())
}

#[test]
fn invalid_input_exits_with_2_and_sends_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let check = |arguments: &[&str], part: &str| -> Result<()> {
        bench.run(arguments)?.complained(part).with_context(|| arguments.join(" ")).map(drop)
    };
    check(&["send", "-c", "bench", "-d", "a/b", "led", "on=true"], "'a/b' is not a valid device ID")?;
    check(&["send", "-c", "bench", "-d", "+", "led", "on=true"], "'+' is not a valid device ID")?;
    check(&["send", "-c", "bench", "-d", "lamp-1", "led", "on"], "'on' is not an argument")?;
    check(&["send", "-c", "bench", "-d", "lamp-1", "led", "--args", "[true]"], "not a JSON object")?;
    check(&["send", "-c", "bench", "--devices-from", "/nowhere", "led"], "/nowhere cannot be read")?;
    check(&["send", "-c", "bench", "--devices-from", "/dev/null", "led"], "No device")?;
    check(&["send", "-c", "other", "-d", "lamp-1", "led"], "no connection named 'other'")?;
    check(&["send", "--url", "http://localhost", "-d", "lamp-1", "led"], "http://")?;
    check(&["connections", "add", "new", "--url", "mqtts://localhost", "--ca", "/nowhere"], "nowhere cannot be read")?;
    check(&["connections", "add", "new", "--url", "mqtt://u:secret@localhost"], "user name or password")?;
    check(&["history", "-c", "bench", "--device", "a/b"], "'a/b' is not a valid device ID")?;
    let address = "mqtt://ops:secret@broker.example.net";
    for misplaced in [
        &["send", "-c", address, "-d", "lamp-1", "led"][..],
        &["history", "-c", address],
        &["connections", "remove", address, "--yes"],
        &["watch", "-c", "bench", address],
        &["rollout", "show", address],
    ] {
        let said = bench.run(misplaced)?.ended(2)?;
        ensure!(said.err.contains("mqtt://…") && !said.err.contains("secret"), "{said:?}");
    }
    let misspelt = bench.run(&["send", "-c", "bench", "-d", "lamp-1", "--ur", address, "led"])?.ended(2)?;
    ensure!(misspelt.err.contains("'--ur'") && !misspelt.err.contains("secret"), "{misspelt:?}");
    for usage in [
        &["send", "-c", "bench", "led"][..],
        &["history"],
        &["send", "-c", "bench", "-d", "a", "--timeout", "9", "led"],
    ] {
        bench.run(usage)?.ended(2)?;
    }
    assert!(bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.out.is_empty());
    Ok(())
}

#[test]
fn the_history_is_a_table_json_or_csv() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    for on in ["on=true", "on=false"] {
        bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", on])?.ended(0)?;
    }
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=\"a,\"\"b\""])?.ended(1)?;

    let all = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?;
    assert_eq!(all.states()?, ["rejected", "succeeded", "succeeded"]);
    let history =
        |more: &[&str]| bench.run(&[&["history", "-c", "bench", "--format", "json"], more].concat())?.ended(0);
    assert_eq!(history(&["--state", "succeeded", "--limit", "1"])?.lines()?[0]["args"]["on"], false);
    assert_eq!(history(&["--device", "other"])?.out, "");
    assert_eq!(history(&["--since", "1h"])?.lines()?.len(), 3);
    assert_eq!(history(&["--search", "LED fal", "--state", "succeeded"])?.lines()?[0]["args"]["on"], false);
    assert_eq!(history(&["--search", "led xyz"])?.out, "");
    let causes = history(&["--by-cause"])?.lines()?;
    assert_eq!((causes.len(), &causes[0]["count"], &causes[0]["state"]), (1, &1.into(), &"rejected".into()));
    assert_eq!(history(&["--by-cause", "--state", "timed_out"])?.out, "");
    bench.run(&["history", "-c", "bench", "--search", &"x".repeat(201)])?.complained("has 201 characters")?;
    assert_eq!(history(&["--since", "2999-01-01"])?.out, "");

    let table = bench.run(&["history", "-c", "bench"])?.ended(0)?;
    let starts: BTreeSet<_> =
        table.out.lines().filter_map(|line| line.find("lamp-1").or(line.find("DEVICE"))).collect();
    assert_eq!((table.out.lines().count(), starts.len()), (4, 1), "{}", table.out);

    let csv = bench.run(&["history", "-c", "bench", "--format", "csv"])?.ended(0)?;
    let lines: Vec<_> = csv.out.lines().collect();
    assert!(lines[0].starts_with("id,device,command,args,by,state,queued_at,"), "{csv:?}");
    assert!(lines[2].contains(",lamp-1,led,\"{\"\"on\"\":false}\",you,succeeded,"), "{csv:?}");
    Ok(())
}

#[test]
fn an_unstored_connection_needs_no_keyring_and_leaves_nothing() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let identity = certificates.issue("lamp-1")?;
    let (bench, _device) = (Bench::new()?, Device::start(&broker, "lamp-1", Some((&certificates, &identity)))?);
    let path = |path: &Path| path.display().to_string();
    let (ca, cert, key) =
        (path(&certificates.ca), path(&certificates.client.certificate), path(&certificates.client.key));
    let url = broker.url();
    let entry = ["send", "--url", &url, "--ca", &ca, "--cert", &cert, "--key", &key];
    let said = bench.run(&[&entry[..], &["-d", "lamp-1", "state.get", "--output", "json"]].concat())?.ended(0)?;
    assert_eq!(said.states()?.last().map(String::as_str), Some("succeeded"), "{said:?}");
    assert!(!bench.data.path().join("data").exists(), "the stored data were touched");
    // The key of another certificate.
    let other = path(&identity.key);
    let wrong = ["send", "--url", &url, "--ca", &ca, "--cert", &cert, "--key", &other, "-d", "lamp-1", "state.get"];
    bench.run(&wrong)?.complained("key")?;
    Ok(())
}

#[test]
fn a_free_text_is_sent_unchanged_and_needs_no_answer() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, heard) = (Bench::new()?, broker.listen("lamp-1/req")?);
    bench.run(&["connections", "add", "bench", "--url", &broker.url(), "--dialect", "text"])?.ended(0)?;
    let send = ["send", "-c", "bench", "-d", "lamp-1", "--text", "light: on", "--no-answer"];
    let said = bench.run(&[&send[..], &["--output", "json"]].concat())?.ended(0)?;
    assert_eq!(said.states()?.last().map(String::as_str), Some("unconfirmed"), "{said:?}");
    soon("text", Duration::from_secs(5), || (heard.log() == "lamp-1/req light: on\n").then_some(()))?;

    let said = bench.run(&send)?.ended(0)?;
    assert!(said.out.contains("The broker has it. No answer is expected."), "{said:?}");
    assert!(!said.err.contains("not known to be online"), "nobody waits for it: {said:?}");
    // An answer that is waited for and does not come is another matter.
    let waiting = ["--timeout", "1s", "--ttl", "1s"];
    bench.run(&[&send[..7], &waiting[..]].concat())?.ended(1)?;
    let unstored = ["send", "--url", &broker.url(), "-d", "lamp-1", "restart", "--no-answer"];
    bench.run(&unstored)?.ended(0)?;
    Ok(())
}

#[test]
fn a_password_goes_to_the_keyring_and_nowhere_else() -> Result<()> {
    let broker = Broker::plain()?;
    let url = broker.url();
    let add = ["connections", "add", "site", "--url", &url, "--username", "ops", "--password-stdin"];
    let bench = Bench::with_keyring(Keyring::Unlocked)?;
    let added = bench.run_with_input(&add, "correct horse\n")?.ended(0)?;
    let listed = bench.run(&["connections", "list", "--output", "json"])?.ended(0)?;
    bench.run(&["connections", "test", "site"])?.ended(0)?;
    assert!(!format!("{added:?}{listed:?}").contains("correct horse"));
    for entry in std::fs::read_dir(bench.data.path().join("data"))? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            assert!(!bytes.windows(13).any(|part| part == b"correct horse"), "{} has it", path.display());
        }
    }
    bench.run(&["connections", "remove", "site", "--yes"])?.ended(0)?;

    Bench::new()?.run_with_input(&add, "correct horse\n")?.complained("eyring")?;
    Bench::new()?.run_with_input(&add, "")?.complained("no password")?;
    Ok(())
}

#[test]
fn another_run_uses_the_sessions_of_the_first() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let mut watch = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    let mut lines = BufReader::new(watch.take_output().context("no output")?).lines();
    let mut next = |kind: &str, member: &str, value: &str| -> Result<()> {
        for line in &mut lines {
            let line: Value = serde_json::from_str(&line?)?;
            if line["kind"] == kind && line[member].to_string().contains(value) {
                return Ok(());
            }
        }
        anyhow::bail!("no {kind} line with {value}")
    };
    next("connection", "link", "online")?;
    next("device", "device", "lamp-1")?;
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    next("command", "state", "succeeded")?;
    let devices = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!((&devices[0]["presence"], &devices[0]["led"]), (&Value::from("online"), &Value::from(true)));
    assert!(watch.stop()?.success(), "a polite end is a good end");
    // The first has gone: the next one is the engine itself.
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=false"])?.ended(0)?;
    let devices = bench.run(&["devices", "-c", "bench", "--search", "is:online"])?.ended(0)?;
    assert!(devices.out.contains("lamp-1"), "{devices:?}");
    Ok(())
}

#[test]
fn the_end_of_the_first_run_does_not_end_the_second() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let mut watch = bench.start(&["watch", "-c", "bench"])?;
    soon("session", Duration::from_secs(10), || bench.data.path().join("data/run/engine.sock").exists().then_some(()))?;
    let mut send =
        bench.start(&["send", "-c", "bench", "-d", "ghost", "led", "on=true", "--timeout", "2s", "--ttl", "2s"])?;
    let mut lines = BufReader::new(send.take_output().context("no output")?).lines();
    lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.contains("at broker"))).context("never sent")??;
    watch.stop()?;
    let rest: Vec<String> = lines.collect::<Result<_, _>>()?;
    assert!(rest.iter().any(|line| line.contains("timed out")), "{rest:?} {}", send.log());
    Ok(())
}

#[test]
fn an_interrupt_says_what_is_still_out() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let mut send = bench.start(&["send", "-c", "bench", "-d", "ghost", "led", "on=true"])?;
    let mut lines = BufReader::new(send.take_output().context("no output")?).lines();
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("at broker"))).context("never sent")??;
    assert_eq!(send.stop()?.code(), Some(130));
    assert!(send.log().contains("1 command unfinished: ghost (at broker)"), "{}", send.log());
    Ok(())
}

#[test]
fn a_command_for_several_devices_is_a_rollout_that_an_interrupt_stops() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let _other = Device::start(&broker, "lamp-2", None)?;
    let both = ["-d", "lamp-1", "-d", "lamp-2", "led", "on=true"];
    let said = bench.run(&[&["send", "-c", "bench", "--output", "json"], &both[..]].concat())?.ended(0)?;
    let lines = said.lines()?;
    for line in &lines {
        for member in ["rollout", "state", "stage", "counts", "at"] {
            assert!(line.get(member).is_some(), "{member} is missing: {line}");
        }
    }
    let last = lines.last().context("nothing was told")?;
    assert_eq!((&last["rollout"], &last["counts"]["succeeded"]), (&Value::from("1"), &Value::from(2)));
    let listed = bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!((listed.len(), &listed[0]["state"]), (1, &Value::from("finished")));
    // To a broker that is not stored it is one anyway, of which nothing is kept.
    bench.run(&[&["send", "--url", &broker.url()], &both[..]].concat())?.ended(0)?;

    let ghosts = ["send", "-c", "bench", "-d", "ghost-1", "-d", "ghost-2", "led", "on=true"];
    let mut send = bench.start(&ghosts)?;
    let mut lines = BufReader::new(send.take_output().context("no output")?).lines();
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("2 at broker"))).context("never sent")??;
    assert_eq!(send.stop()?.code(), Some(130));
    let said = send.log();
    assert!(said.contains("rollout 2 is stopped, 2 unfinished: ghost-1 (at broker), ghost-2 (at broker)"), "{said}");
    Ok(())
}
