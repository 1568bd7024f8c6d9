//! One command for many devices, in stages: the real program, a real broker, and a virtual fleet with injected faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    sync::mpsc::{Receiver, channel},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use serde_json::Value;
use wilco_tests::{Broker, Child, Fleet, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);

/// Lines that a program prints, as they come.
fn lines(child: &mut Child) -> Result<Receiver<Value>> {
    let reader = BufReader::new(child.take_output().context("no output")?);
    let (line, printed) = channel();
    std::thread::spawn(move || {
        let values = reader.lines().map_while(Result::ok).filter_map(|text| serde_json::from_str(&text).ok());
        values.map(|value: Value| line.send(value)).take_while(Result::is_ok).for_each(drop);
    });
    Ok(printed)
}

/// Waits for a line that is like that.
fn await_line(printed: &Receiver<Value>, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
    loop {
        let line = printed.recv_timeout(PATIENCE).with_context(|| format!("no line: {what}"))?;
        if is_it(&line) {
            return Ok(line);
        }
    }
}

pub(crate) fn count(line: &Value, state: &str) -> u64 {
    line["counts"][state].as_u64().unwrap_or_else(|| panic!("no count of {state}: {line}"))
}

/// How often each device was sent a command, by what was heard on its topic.
pub(crate) fn requests(heard: &Child) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for line in heard.log().lines().filter(|line| line.contains("/req {")) {
        let device = line.split('/').next().unwrap_or_default();
        *times.entry(device.to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn a_rollout_goes_stage_by_stage_and_sends_to_each_device_once() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 30, &[])?;
    let heard = broker.listen("+/req")?;
    let start =
        ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "3,50%,100%", "--name", "Lights on"];
    let said = bench.run(&[&start[..], &["--output", "json", "led", "on=true"]].concat())?.ended(0)?;
    let told = said.lines()?;
    for line in &told {
        for member in ["rollout", "state", "stage", "counts", "at"] {
            assert!(line.get(member).is_some(), "{member} is missing: {line}");
        }
        let pending = count(line, "pending");
        match line["stage"].as_u64() {
            Some(1) => assert!(pending >= 27, "stage 1 has 3 members: {line}"),
            Some(2) => assert!(pending >= 15, "stages 1 and 2 have 15 members: {line}"),
            _ => {}
        }
    }
    let stages: Vec<_> = told.iter().filter_map(|line| line["stage"].as_u64()).collect();
    assert!(stages.is_sorted() && stages.last() == Some(&3), "{stages:?}");
    let last = told.last().context("nothing was told")?;
    assert_eq!((last["state"].as_str(), count(last, "succeeded")), (Some("finished"), 30));
    let times = requests(&heard);
    assert!(times.len() == 30 && times.values().all(|times| *times == 1), "{times:?}");

    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let members = shown["members"].as_array().context("no members")?;
    assert!(members.len() == 30 && members.iter().all(|member| member["state"] == "succeeded"), "{shown}");
    assert_eq!(shown["disagree"], 0, "{shown}");
    let text = bench.run(&["rollout", "show", "1"])?.ended(0)?.out;
    assert!(text.contains("pump-0030") && text.contains("succeeded"), "{text}");
    let listed = bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &Value::from("Lights on")));
    // It is over, so there is nothing to do to it.
    bench.run(&["rollout", "pause", "1"])?.complained("ended")?;
    bench.run(&["rollout", "show", "2"])?.complained("no rollout '2'")?;
    Ok(())
}

#[test]
fn a_rollout_halts_automatically_and_the_failed_devices_are_retried() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let broken = Fleet::start(&broker, "pump", 20, &["--fail", "1"])?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "4,100%", "--in-flight", "1"];
    let halt = ["--halt-above", "5%", "--halt-after", "2", "--output", "json", "led", "on=true"];
    let said = bench.run(&[&start[..], &halt[..]].concat())?.ended(1)?;
    let told = said.lines()?;
    let last = told.last().context("nothing was told")?;
    assert_eq!((last["state"].as_str(), count(last, "failed"), count(last, "pending")), (Some("halted"), 2, 18));
    assert!(last["why"].as_str().is_some_and(|why| why.contains("2 of 2")), "{last}");
    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let by_state = |state: &str| -> BTreeSet<String> {
        let members = shown["members"].as_array().into_iter().flatten();
        let named = members.filter(|member| member["state"] == state).map(|member| member["device"].as_str());
        named.map(|device| device.unwrap_or_default().to_owned()).collect()
    };
    let failed = by_state("failed");
    assert_eq!((failed.len(), by_state("pending").len()), (2, 18), "{shown}");

    drop(broken);
    let _mended = Fleet::start(&broker, "pump", 20, &[])?;
    let heard = broker.listen("+/req")?;
    let again = bench.run(&["rollout", "retry", "1", "--output", "json"])?.ended(0)?.lines()?;
    let last = again.last().context("nothing was told")?;
    assert_eq!((&last["follows"], count(last, "succeeded")), (&Value::from("1"), 2));
    assert_eq!(requests(&heard).into_keys().collect::<BTreeSet<_>>(), failed);

    let rest = bench.run(&["rollout", "retry", "1", "--not-started", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(rest.last().map(|line| count(line, "succeeded")), Some(20));
    Ok(())
}

#[test]
fn a_rollout_is_paused_resumed_and_stopped() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 40, &[])?;
    let heard = broker.listen("+/req")?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--rate", "10", "--output", "json"];
    let mut first = bench.start(&[&start[..], &["led", "on=true"]].concat())?;
    let printed = lines(&mut first)?;
    await_line(&printed, "some succeeded", |line| count(line, "succeeded") >= 2)?;
    bench.run(&["rollout", "pause", "1"])?.ended(0)?;
    let paused = await_line(&printed, "paused", |line| line["state"] == "paused" && count(line, "at_broker") == 0)?;
    let pending = count(&paused, "pending");
    assert!(pending > 0, "{paused}");
    bench.run(&["rollout", "next", "1"])?.complained("next stage")?;
    // It finishes in the program that runs it, and so does the one that resumed it.
    let resumed = bench.run(&["rollout", "resume", "1", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(resumed.last().map(|line| count(line, "succeeded")), Some(40));
    assert_eq!(soon("exit", PATIENCE, || first.ended())?.code(), Some(0));

    let mut second = bench.start(&[&start[..], &["led", "on=false"]].concat())?;
    let printed = lines(&mut second)?;
    await_line(&printed, "some succeeded", |line| count(line, "succeeded") >= 2)?;
    bench.run(&["rollout", "stop", "2"])?.ended(0)?;
    let last = await_line(&printed, "stopped", |line| line["state"] == "stopped" && !line["ended_at"].is_null())?;
    assert!(count(&last, "pending") > 0, "{last}");
    assert_eq!(soon("exit", PATIENCE, || second.ended())?.code(), Some(1));
    bench.run(&["rollout", "resume", "2"])?.complained("ended")?;
    assert!(requests(&heard).values().all(|times| *times <= 2), "sent twice: {:?}", requests(&heard));
    Ok(())
}

#[test]
fn a_rollout_by_tag_asks_between_its_stages_and_one_by_list_has_the_listed_devices() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _north = Fleet::start(&broker, "pump", 4, &["--tag", "north"])?;
    let _south = Fleet::start(&broker, "valve", 2, &["--tag", "south"])?;
    let heard = broker.listen("+/req")?;
    // With both, both must match: the tag narrows each alternative of the search.
    let which = ["rollout", "start", "-c", "bench", "--tag", "north", "--search", "pump or valve"];
    let how = ["--stages", "1,100%", "--pause-between", "ask", "--output", "json", "led", "on=true"];
    let mut program = bench.start(&[&which[..], &how[..]].concat())?;
    let printed = lines(&mut program)?;
    // Without a terminal nobody is asked here: it waits for another call, however long that takes.
    let waiting = await_line(&printed, "a person", |line| line["waits_for"]["what"] == "person")?;
    assert_eq!(
        (waiting["state"].as_str(), &waiting["stage"], &waiting["total"]),
        (Some("waiting"), &1.into(), &4.into())
    );
    assert_eq!((count(&waiting, "succeeded"), count(&waiting, "pending")), (1, 3), "{waiting}");
    assert_eq!(requests(&heard).len(), 1, "{}", heard.log());
    bench.run(&["rollout", "next", "1"])?.ended(0)?;
    let last = await_line(&printed, "its end", |line| !line["ended_at"].is_null())?;
    assert_eq!((last["state"].as_str(), count(&last, "succeeded")), (Some("finished"), 4));
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(0));
    assert!(requests(&heard).keys().all(|device| device.starts_with("pump")), "{}", heard.log());

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("two.txt").display().to_string();
    std::fs::write(&file, "# the last ones\nvalve-0002\npump-0004 # by the door\n")?;
    let start = ["rollout", "start", "-c", "bench", "--devices-from", &file, "--name", "Two", "--output", "json"];
    let told = bench.run(&[&start[..], &["led", "on=false"]].concat())?.ended(0)?.lines()?;
    let last = told.last().context("nothing was told")?;
    assert_eq!((&last["name"], &last["total"], count(last, "succeeded")), (&"Two".into(), &2.into(), 2), "{last}");
    let shown = bench.run(&["rollout", "show", "2", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let devices: Vec<_> = shown["members"].as_array().into_iter().flatten().map(|one| one["device"].clone()).collect();
    assert_eq!(devices, ["valve-0002", "pump-0004"], "in the order of the list: {shown}");
    Ok(())
}

#[test]
fn a_rollout_that_is_killed_goes_on_where_it_was() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 60, &["--work-ms", "20..60"])?;
    let heard = broker.listen("+/req")?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "20,100%", "--rate", "20"];
    // Nobody knows of a command that was handed over just before whether it has left, and only a retry sends it again.
    let led = ["--retries", "2", "--output", "json", "led", "on=true"];
    let mut program = bench.start(&[&start[..], &led[..]].concat())?;
    for done in [3, 25, 45] {
        let printed = lines(&mut program)?;
        await_line(&printed, "some succeeded", |line| count(line, "succeeded") >= done)?;
        program.kill();
        program = bench.start(&["rollout", "watch", "1", "--output", "json"])?;
    }
    let printed = lines(&mut program)?;
    let last = await_line(&printed, "its end", |line| !line["ended_at"].is_null())?;
    assert_eq!((last["state"].as_str(), count(&last, "succeeded")), (Some("finished"), 60), "{last}");
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(0));
    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let ids: BTreeSet<_> =
        shown["members"].as_array().into_iter().flatten().map(|one| one["command"].to_string()).collect();
    assert_eq!(ids.len(), 60, "each has a command of its own");
    // A command that may have been sent when the program was killed is sent again under the same id; no member has two.
    let log = heard.log();
    let sent: BTreeSet<_> = log
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line.split_once(' ')?.1).ok()?["id"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(sent.len(), 60, "{log}");
    Ok(())
}

#[test]
fn common_traits_of_the_failed_devices_are_shown_and_exported() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _sound = Fleet::start(&broker, "pump", 12, &[])?;
    let _broken = Fleet::start(&broker, "valve", 4, &["--fail", "1", "--tag", "hall-3"])?;
    bench
        .run(&["rollout", "start", "-c", "bench", "--search", "pump or valve", "--output", "json", "led", "on=true"])?
        .ended(1)?;
    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let shared = &shown["shared"][0];
    assert_eq!((&shared["search"], &shared["failed_with"]), (&Value::from("tag:hall-3"), &Value::from(4)), "{shown}");
    assert_eq!((&shared["succeeded_with"], &shared["succeeded"]), (&Value::from(0), &Value::from(12)), "{shown}");
    // Each device of the reference fleet says by chance why it failed.
    let causes = shown["causes"].as_array().context("no causes")?;
    let counts: Vec<_> = causes.iter().filter_map(|cause| cause["count"].as_u64()).collect();
    assert_eq!((counts.iter().sum::<u64>(), &shown["answer_times"]["count"]), (4, &Value::from(16)), "{shown}");
    assert!(counts.is_sorted_by(|one, next| one >= next), "{counts:?}");
    let text = bench.run(&["rollout", "show", "1"])?.ended(0)?.out;
    assert!(text.contains("Tag hall-3: 4 of 4 failed devices, 0 of 12 that succeeded"), "{text}");

    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (csv, json, html) = (file("failed.csv"), file("all.jsonl"), file("report.html"));
    bench.run(&["rollout", "export", "1", "--to", &csv, "--state", "failed"])?.ended(0)?;
    let rows = std::fs::read_to_string(&csv)?;
    assert_eq!((rows.lines().count(), rows.matches("valve-").count()), (5, 4), "{rows}");
    // The export of those that failed names the devices of the next rollout.
    let next = ["rollout", "start", "-c", "bench", "--devices-from", &csv, "--dry-run", "led", "on=true"];
    let plan = bench.run(&next)?.ended(0)?.out;
    assert!(plan.contains("Devices:   4\n") && plan.contains("  valve-0001/req {"), "{plan}");
    bench.run(&["rollout", "export", "1", "--to", &csv])?.complained("already")?;
    bench.run(&["rollout", "export", "1", "--to", &json])?.ended(0)?;
    let rows: Vec<Value> =
        std::fs::read_to_string(&json)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert!(rows.len() == 16 && rows.iter().all(|row| row["evidence"]["events"].is_array()), "{rows:?}");
    bench.run(&["rollout", "export", "1", "--to", &html])?.ended(0)?;
    let page = std::fs::read_to_string(&html)?;
    assert!(page.contains("Tag hall-3") && page.contains("valve-"), "{page}");
    bench
        .run(&["rollout", "export", "1", "--to", &html, "--force", "--state", "failed"])?
        .complained("whole rollout")?;
    Ok(())
}

/// What devices were sent last, by device: the arguments as they were written.
pub(crate) fn last_arguments(heard: &Child) -> BTreeMap<String, String> {
    let mut last = BTreeMap::new();
    for line in heard.log().lines().filter(|line| line.contains("\"config.set\"")) {
        let (Some(device), Some((_, rest))) = (line.split('/').next(), line.split_once("\"args\":")) else { continue };
        let args = rest.split(",\"issued_at\"").next().unwrap_or_default();
        last.insert(device.to_owned(), args.to_owned());
    }
    last
}

#[test]
fn the_changes_of_a_rollout_are_restored_to_each_devices_own_values() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let heard = broker.listen("+/req")?;
    let set = |device: &str, value: &str| {
        let changes = format!("changes={{\"temp_high_c\":{value}}}");
        bench.run(&["send", "-c", "bench", "-d", device, "config.set", "apply=now", &changes])?.ended(0)
    };
    // Two have values of their own.
    set("pump-0001", "41.50")?;
    set("pump-0002", "42")?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--output", "json"];
    let change = ["config.set", "apply=now", "changes={\"temp_high_c\":7}"];
    bench.run(&[&start[..], &change[..]].concat())?.ended(0)?;
    let before = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let earlier = |shown: &Value, place: usize| shown["members"][place]["earlier"]["temp_high_c"].clone();
    assert_eq!((earlier(&before, 0), earlier(&before, 1)), (Value::from(41.5), Value::from(42)), "{before}");

    // Nothing is put back while it may still change devices, nor what only switched a light.
    let plan = bench.run(&["rollout", "put-back", "1", "--dry-run"])?.ended(0)?.out;
    assert!(plan.contains("Devices:   4") && plan.contains("Nothing was sent."), "{plan}");
    let said = bench.run(&["rollout", "put-back", "1", "--output", "json"])?.ended(0)?.lines()?;
    let last = said.last().context("nothing was told")?;
    assert_eq!(
        (&last["follows"], &last["name"], count(last, "succeeded")),
        (&"1".into(), &"Put back rollout 1".into(), 4)
    );
    let sent = last_arguments(&heard);
    let of = |device: &str| sent.get(device).map(String::as_str);
    // Digit for digit as the device had reported it.
    assert_eq!(of("pump-0001"), Some("{\"changes\":{\"temp_high_c\":41.5},\"apply\":\"now\"}"), "{sent:?}");
    assert_eq!(of("pump-0002"), Some("{\"changes\":{\"temp_high_c\":42},\"apply\":\"now\"}"), "{sent:?}");
    let shown = bench.run(&["rollout", "show", "2", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    assert_eq!(earlier(&shown, 0), Value::from(7), "what is put back can be put back: {shown}");

    // To all again, with the arguments of each.
    let again = bench.run(&["rollout", "again", "2", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(again.last().map(|line| (line["follows"].clone(), count(line, "succeeded"))), Some(("2".into(), 4)));
    assert_eq!(last_arguments(&heard), sent);
    // Somebody has changed one of them since.
    set("pump-0003", "33")?;
    let plan = bench.run(&["rollout", "put-back", "1", "--dry-run"])?.ended(0)?.out;
    assert!(plan.contains("1 has been changed since, and loses that value: pump-0003.\n"), "{plan}");
    bench.run(&[&start[..], &["led", "on=true"]].concat())?.ended(0)?;
    bench.run(&["rollout", "put-back", "4"])?.complained("cannot be undone")?;
    Ok(())
}

/// Answers the request of that name to `odd`, and says what it was.
fn answer(broker: &Broker, requests: &Child, command: &str, place: usize, result: &str) -> Result<String> {
    let request = soon(command, PATIENCE, || {
        let log = requests.log();
        let mut lines = log.lines().filter(|line| line.contains(&format!("\"command\":\"{command}\"")));
        lines.nth(place).map(str::to_owned)
    })?;
    let read: Value = serde_json::from_str(request.strip_prefix("odd/req ").context("another topic")?)?;
    let said = format!("{{\"id\":{},\"status\":\"succeeded\",\"result\":{result}}}", read["id"]);
    broker.publish("odd/resp", said.as_bytes(), false)?;
    Ok(request)
}

#[test]
fn a_device_that_reports_nothing_is_asked_what_it_has_before_it_is_changed() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let requests = broker.listen("odd/req")?;
    let mut start = vec!["rollout", "start", "-c", "bench", "-d", "odd", "-d", "mute", "--timeout", "2s"];
    start.extend(["config.set", "apply=now", "changes={\"temp_high_c\":7}"]);
    let mut program = bench.start(&start)?;
    answer(&broker, &requests, "config.get", 0, "{\"running\":{\"temp_high_c\":41.50}}")?;
    answer(&broker, &requests, "config.set", 0, "{}")?;
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(1));
    let mut program = bench.start(&["rollout", "put-back", "1"])?;
    answer(&broker, &requests, "config.get", 1, "{\"running\":{\"temp_high_c\":7}}")?;
    let request = answer(&broker, &requests, "config.set", 1, "{}")?;
    assert!(request.contains("{\"changes\":{\"temp_high_c\":41.50},\"apply\":\"now\"}"), "{request}");
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(0));
    let said = program.log();
    assert!(said.contains("1 is left out, because their earlier values are unknown: mute."), "{said}");
    Ok(())
}

#[test]
fn a_gate_waits_for_the_measurement_and_halts_outside_its_limits() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "2,100%", "--output", "json"];
    let gated = |limits: &str| -> Result<(Child, Receiver<Value>)> {
        let gate = format!("level {limits} for 1s");
        let mut program = bench.start(&[&start[..], &["--gate", &gate, "led", "on=true"]].concat())?;
        let printed = lines(&mut program)?;
        Ok((program, printed))
    };
    let measure = |device: &str, level: f64| {
        broker.publish(&format!("{device}/telemetry"), format!("{{\"level\":{level}}}").as_bytes(), false)
    };
    let is_waiting = |line: &Value, unmeasured: u64| line["waits_for"]["unmeasured"] == unmeasured;
    let (mut program, printed) = gated("2..8")?;
    let waiting = await_line(&printed, "both unmeasured", |line| is_waiting(line, 2))?;
    let gate = &waiting["waits_for"];
    assert_eq!(
        (&gate["what"], &gate["until"], &waiting["stage"]),
        (&"gate".into(), &Value::Null, &1.into()),
        "{waiting}"
    );
    assert_eq!(gate["unmeasured_examples"], serde_json::json!(["pump-0001", "pump-0002"]));
    measure("pump-0001", 2.0)?;
    await_line(&printed, "one unmeasured", |line| is_waiting(line, 1))?;
    measure("pump-0002", 8.0)?;
    let watched = await_line(&printed, "both measured", |line| is_waiting(line, 0))?;
    assert!(watched["waits_for"]["until"].is_i64(), "{watched}");
    let last = await_line(&printed, "its end", |line| !line["ended_at"].is_null())?;
    assert_eq!((last["state"].as_str(), count(&last, "succeeded")), (Some("finished"), 4));
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(0));

    let (mut program, printed) = gated("..8")?;
    await_line(&printed, "both unmeasured", |line| is_waiting(line, 2))?;
    measure("pump-0002", 8.25)?;
    let last = await_line(&printed, "halted", |line| line["state"] == "halted")?;
    assert_eq!(last["why"], "pump-0002 measured 8.25 for level, which is not at most 8.");
    assert_eq!((count(&last, "pending"), soon("exit", PATIENCE, || program.ended())?.code()), (2, Some(1)));
    Ok(())
}

/// Hours that begin and end so many minutes after now, as the command line takes them.
fn hours(from: u64, until: u64) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60;
    let time = |after: u64| format!("{:02}:{:02}", (now + after) % 1_440 / 60, (now + after) % 60);
    Ok(format!("{}-{} UTC", time(from), time(until)))
}

#[test]
fn a_rollout_waits_for_its_maintenance_hours() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 2, &[])?;
    let heard = broker.listen("+/req")?;
    let start = |hours: &str, more: &[&'static str]| {
        let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--hours", hours];
        [&start[..], more, &["led", "on=true"]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let later = hours(600, 660)?;
    let run = |line: Vec<String>| bench.run(&line.iter().map(String::as_str).collect::<Vec<_>>());
    let plan = run(start(&later, &["--dry-run"]))?.ended(0)?.out;
    assert!(plan.contains("It is now outside the maintenance hours."), "{plan}");
    let line = start(&later, &["--output", "json"]);
    let mut program = bench.start(&line.iter().map(String::as_str).collect::<Vec<_>>())?;
    let printed = lines(&mut program)?;
    let waiting = await_line(&printed, "its hours", |line| line["waits_for"]["what"] == "hours")?;
    assert_eq!((count(&waiting, "pending"), requests(&heard).len()), (2, 0), "{waiting}");
    bench.run(&["rollout", "stop", "1"])?.ended(0)?;
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(1));

    let now = hours(1_380, 60)?;
    let last = run(start(&now, &["--output", "json"]))?.ended(0)?.lines()?.pop().context("nothing was told")?;
    assert_eq!((last["state"].as_str(), count(&last, "succeeded")), (Some("finished"), 2), "{last}");
    assert!(run(start("22-06", &[]))?.ended(2)?.err.contains("such as 22:00-06:00"));
    run(start("22:00-06:00 Mars/Olympus", &[]))?.complained("There is no time zone 'Mars/Olympus'")?;
    Ok(())
}

#[test]
fn a_broadcast_is_published_once_and_each_member_is_told_by_its_own_answer() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 6, &["--tag", "hall-3"])?;
    let heard = broker.listen("+/req")?;
    let start = |broadcast: &str, more: &[&str]| {
        bench.run(&[&["rollout", "start", "-c", "bench", "--broadcast", broadcast], more, &["led", "on=true"]].concat())
    };
    let told = start("all", &["--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(told.last().map(|line| count(line, "succeeded")), Some(6));
    assert_eq!(requests(&heard).into_iter().collect::<Vec<_>>(), [("all".to_owned(), 1)], "{}", heard.log());
    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let members = shown["members"].as_array().context("no members")?;
    let ids: BTreeSet<_> = members.iter().map(|member| member["command"].to_string()).collect();
    assert_eq!((members.len(), ids.len(), &shown["unexpected_count"]), (6, 1, &0.into()), "they share an id: {shown}");

    // One that is known and silent times out by name.
    broker.publish("ghost/status", br#"{"online":true}"#, true)?;
    let said = start("all", &["--timeout", "2s", "--ttl", "2s"])?.ended(1)?;
    assert!(said.out.contains("6 succeeded, 1 timed out") && said.out.contains("ghost timed out: "), "{said:?}");

    // Members are those that are expected to answer; who else answers is named.
    let _slow = Fleet::start(&broker, "slow", 1, &["--tag", "hall-3", "--work-ms", "1500"])?;
    let group = broker.listen("groups/hall-3/req")?;
    let said = start("hall-3", &["--search", "slow"])?.ended(0)?;
    assert!(said.out.contains("6 devices outside the rollout answered: pump-0001 succeeded, "), "{said:?}");
    assert_eq!(group.log().lines().count(), 1, "{}", group.log());
    let shown = bench.run(&["rollout", "show", "3", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    assert_eq!(
        (&shown["unexpected_count"], &shown["unexpected_devices"][5]["device"]),
        (&6.into(), &"pump-0006".into()),
        "{shown}"
    );
    // Where nobody says who is expected, it is those with the group's name as a tag.
    let plan = start("hall-3", &["--dry-run"])?.ended(0)?.out;
    assert!(plan.contains("Devices:   7") && plan.contains("groups/hall-3/req {"), "{plan}");

    start("a/b", &["--search", "pump"])?.complained("cannot be a group")?;
    assert!(start("all", &["--rate", "5"])?.ended(2)?.err.contains("cannot be used with"));
    Ok(())
}

#[test]
fn a_rollout_whose_connection_is_removed_says_so() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 20, &[])?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--rate", "2", "--output", "json"];
    let mut program = bench.start(&[&start[..], &["led", "on=true"]].concat())?;
    let printed = lines(&mut program)?;
    await_line(&printed, "some succeeded", |line| count(line, "succeeded") >= 1)?;
    let removed = bench.run(&["connections", "remove", "bench", "--yes"])?.ended(0)?.out;
    assert!(removed.contains("Rollout 1 has not ended: the command is sent to no more devices"), "{removed}");
    // Something was sent, and nobody can say any more what became of it.
    assert_eq!(soon("exit", PATIENCE, || program.ended())?.code(), Some(3));
    assert!(program.log().contains("was removed"), "{}", program.log());
    assert_eq!(bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.out, "");
    bench.run(&["rollout", "resume", "1"])?.complained("no rollout")?;
    Ok(())
}

#[test]
fn a_dry_run_tells_everything_and_sends_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 12, &[])?;
    let heard = broker.listen("+/req")?;
    let lit = ["rollout", "start", "-c", "bench", "-d", "pump-0001", "-d", "pump-0002", "led", "on=true"];
    bench.run(&lit)?.ended(0)?;
    soon("the lights' requests", PATIENCE, || (requests(&heard).len() == 2).then_some(()))?;

    let dry = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "2,100%", "--dry-run"];
    let plan = bench.run(&[&dry[..], &["--output", "json", "led", "on=true"]].concat())?.ended(0)?.lines()?;
    let [plan, planned @ ..] = &plan[..] else { panic!("no plan") };
    assert_eq!((&plan["members"], &plan["stages"]), (&Value::from(12), &serde_json::json!([2, 10])), "{plan}");
    assert_eq!((&plan["already"], &plan["messages"], &plan["offline"]), (&2.into(), &36.into(), &0.into()), "{plan}");
    let samples = plan["samples"].as_array().context("no samples")?;
    assert_eq!((samples.len(), &samples[0]["request"]["topic"]), (5, &Value::from("pump-0001/req")));
    let payload: Value = serde_json::from_str(samples[0]["request"]["payload"].as_str().context("no payload")?)?;
    assert_eq!((&payload["command"], &payload["args"]["on"]), (&Value::from("led"), &Value::from(true)));
    let devices: Vec<_> = planned.iter().filter_map(|line| line["device"].as_str()).collect();
    assert_eq!((devices.len(), devices.first(), devices.last()), (12, Some(&"pump-0001"), Some(&"pump-0012")));

    let text = bench.run(&[&dry[..], &["--leave-out", "already,offline", "led", "on=true"]].concat())?.ended(0)?.out;
    for told in [
        "10 in 2 stages: 2, 8",
        "2 already in the requested state: pump-0001, pump-0002",
        "pump-0003/req {",
        "pump-0012/req {",
        "Nothing was sent.",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.lines()?.len(), 1);
    assert_eq!(requests(&heard).len(), 2, "{}", heard.log());

    // Those that are left out are sent nothing.
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--leave-out", "already", "--output", "json"];
    let told = bench.run(&[&start[..], &["led", "on=true"]].concat())?.ended(0)?.lines()?;
    assert_eq!(told.last().map(|line| count(line, "succeeded")), Some(10));
    soon("all requests", PATIENCE, || (requests(&heard).len() == 12).then_some(()))?;
    assert!(requests(&heard).values().all(|times| *times == 1), "{}", heard.log());
    bench.run(&[&start[..], &["led", "on=true"]].concat())?.complained("left out")?;

    // Only so many devices are wanted, and there are others.
    let exactly = |count: &str| {
        let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--expect", count, "led", "on=false"];
        bench.run(&start)
    };
    exactly("11")?.complained("11 devices were confirmed, but now there are 12, so nothing was sent.")?;
    assert_eq!(requests(&heard).len(), 12, "{}", heard.log());
    let suggested = ["send", "-c", "bench", "-d", "pump-0001", "--timeout", "suggested", "led", "on=true"];
    bench
        .run(&suggested)?
        .complained("There are too few answers to led to suggest a timeout: at least 20 are needed.")?;
    exactly("12")?.ended(0)?;
    bench.run(&suggested)?.ended(0)?;
    Ok(())
}

#[test]
fn invalid_parameters_start_no_rollout() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let start = |more: &[&str]| bench.run(&[&["rollout", "start", "-c", "bench"], more].concat());
    start(&["--search", "tag:none", "led", "on=true"])?.complained("no devices")?;
    for usage in [
        &["--stages", "0", "-d", "a", "led"][..],
        &["--halt-after", "3", "-d", "a", "led"],
        &["--pause-between", "later", "-d", "a", "led"],
        &["led", "on=true"],
    ] {
        assert!(!start(usage)?.ended(2)?.err.is_empty());
    }
    assert_eq!(bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.out, "");
    Ok(())
}
