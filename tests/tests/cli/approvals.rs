//! Dangerous rollouts that a second installation approves: two people with a data directory and a keyring each.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Device, Keyring};

use crate::bench::Bench;

/// Ana, whose rollouts need an approval, and Bo.
struct Desks {
    ana: Bench,
    bo: Bench,
    files: tempfile::TempDir,
}

impl Desks {
    fn new(broker: &Broker) -> Result<Desks> {
        let desks = Desks {
            ana: Bench::with_keyring(Keyring::Unlocked)?,
            bo: Bench::with_keyring(Keyring::Unlocked)?,
            files: tempfile::tempdir()?,
        };
        desks.ana.run(&["operator", "Ana"])?.ended(0)?;
        desks.bo.run(&["operator", "Bo"])?.ended(0)?;
        desks.ana.run(&["connections", "add", "plant", "--url", &broker.url(), "--approval", "on"])?.ended(0)?;
        Ok(desks)
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Ana accepts Bo's approvals, by the file that Bo has exported.
    fn trust(&self) -> Result<String> {
        let file = self.path("bo.wilco-identity");
        let said = self.bo.run(&["approval", "identity", "--export", &file])?.ended(0)?.out;
        let fingerprint = said.lines().find_map(|line| line.strip_prefix("Fingerprint: ")).context("no fingerprint")?;
        let trusted = self.ana.run(&["approval", "trust", &file, "--name", "Bo"])?.ended(0)?.out;
        ensure!(trusted.contains(fingerprint), "{trusted}");
        Ok(fingerprint.to_owned())
    }

    /// Saves the request of a rollout.
    fn request(&self, rollout: &str) -> Result<String> {
        let file = self.path(&format!("{rollout}.wilco-request"));
        self.ana.run(&["approval", "request", rollout, &file, "--force"])?.ended(0)?;
        Ok(file)
    }

    /// Has it answered by somebody.
    fn answer(&self, by: &Bench, verb: &str, request: &str, name: &str) -> Result<String> {
        let file = self.path(name);
        by.run(&["approval", verb, request, &file, "--note", "seen on the plan", "--yes"])?.ended(0)?;
        Ok(file)
    }
}

#[test]
fn an_approver_sees_what_would_be_published_in_each_dialect() -> Result<()> {
    let broker = Broker::plain()?;
    let attic = json!({"ip": "192.0.2.1", "dn": "Attic", "fn": ["Attic"], "mac": "A1B2C3D4E5F6", "md": "Sonoff", "ofln": "Offline",
        "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "9.1.0", "t": "attic", "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "ver": 1});
    broker.publish("tasmota/discovery/A1B2C3D4E5F6/config", attic.to_string().as_bytes(), true)?;
    let _devices = [Device::start(&broker, "lamp-1", None)?, Device::start(&broker, "lamp-2", None)?];
    let desks = Desks::new(&broker)?;
    let Desks { ana, bo, .. } = &desks;
    ana.run(&["connections", "edit", "plant", "--dialect", "wilco", "--dialect", "tasmota"])?.ended(0)?;
    let devices = ana.run(&["devices", "-c", "plant", "--output", "json"])?.ended(0)?.lines()?;
    let plug = devices.iter().find(|device| device["name"] == "Attic").with_context(|| format!("{devices:?}"))?;
    let plug = plug["device"].as_str().context("no ID")?;
    ana.run(&[&RESTART[..], &["-d", plug, "restart"]].concat())?.ended(4)?;
    let request = desks.request("1")?;
    let seen: Value =
        serde_json::from_str(&bo.run(&["approval", "show", &request, "--output", "json"])?.ended(0)?.out)?;
    let [own, tasmota] = &seen["samples"].as_array().context("no samples")?[..] else { bail!("{seen}") };
    ensure!(own["dialect"] == "Wilco" && own["device"] == "lamp-1" && own["request"]["topic"] == "lamp-1/req", "{own}");
    let payload: Value = serde_json::from_str(own["request"]["payload"].as_str().context("no payload")?)?;
    ensure!(payload["id"] == "{id}" && payload["command"] == "restart", "{payload}");
    ensure!(tasmota["dialect"] == "Tasmota" && tasmota["device"] == plug, "{tasmota}");
    let message = &tasmota["request"];
    ensure!(message["topic"] == "cmnd/attic/Restart" && message["payload"] == "1", "{message}");
    let text = bo.run(&["approval", "show", &request])?.ended(0)?.out;
    for part in
        ["Request to lamp-1 (Wilco, {id} is the command ID): lamp-1/req {\"id\":\"{id}\"", "cmnd/attic/Restart 1"]
    {
        ensure!(text.contains(part), "{part}: {text}");
    }
    let altered = altered(&request, ("cmnd/attic/Restart", "cmnd/attic/Reset"))?;
    bo.run(&["approval", "show", &altered])?.complained("was altered after it was signed")?;
    Ok(())
}

const RESTART: [&str; 8] = ["rollout", "start", "-c", "plant", "-d", "lamp-1", "-d", "lamp-2"];

/// The file with a text in it replaced.
fn altered(file: &str, (from, to): (&str, &str)) -> Result<String> {
    let text = fs::read_to_string(file)?;
    ensure!(text.contains(from), "{text}");
    let path = PathBuf::from(format!("{file}-altered"));
    fs::write(&path, text.replacen(from, to, 1))?;
    Ok(path.display().to_string())
}

#[test]
fn nothing_reaches_a_device_before_a_second_installation_has_approved_it() -> Result<()> {
    let broker = Broker::plain()?;
    let _devices = [Device::start(&broker, "lamp-1", None)?, Device::start(&broker, "lamp-2", None)?];
    let desks = Desks::new(&broker)?;
    let Desks { ana, bo, .. } = &desks;
    let listed = ana.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed[0]["needs_approval"] == true, "{listed:?}");
    let requests = broker.listen("+/req")?;
    let started = ana.run(&[&RESTART[..], &["restart", "--note", "new firmware"]].concat())?.ended(4)?;
    ensure!(started.out.contains("waiting for approval"), "{started:?}");
    ensure!(
        started.err.contains("Nothing was sent.") && started.hints()[0].contains("wilco approval request 1"),
        "{started:?}"
    );
    // Each run is a restart of the engine.
    let resumed =
        ana.run(&["rollout", "resume", "1"])?.complained("waits for the approval of a second installation")?;
    ensure!(resumed.hints()[0].contains("import the approval"), "{resumed:?}");
    let waiting = ana.run(&["rollout", "show", "1"])?.ended(0)?.out;
    ensure!(waiting.contains("Needs the approval of a second installation until"), "{waiting}");
    let several = ["send", "-c", "plant", "-d", "lamp-1", "-d", "lamp-2", "restart"];
    ana.run(&several)?.ended(4)?;
    ana.run(&["rollout", "stop", "2"])?.ended(0)?;
    ana.run(&["connections", "edit", "plant", "--approval", "off"])?.ended(0)?;
    ana.run(&["rollout", "resume", "1"])?.complained("waits for the approval")?;
    ana.run(&["connections", "edit", "plant", "--approval", "on"])?.ended(0)?;

    let request = desks.request("1")?;
    let seen = bo.run(&["approval", "show", &request])?.ended(0)?.out;
    for part in
        ["Wilco sends restart to 2 devices on plant.", "From: Ana on ", "not trusted here", "Note: new firmware"]
    {
        ensure!(seen.contains(part), "{part}: {seen}");
    }
    ensure!(seen.contains("2 devices: lamp-1, lamp-2") && seen.contains(&broker.url()), "{seen}");
    bo.run(&["approval", "sign", &request, &desks.path("x")])?.complained("no terminal to confirm on")?;
    let answer = desks.answer(bo, "sign", &request, "1.wilco-approval")?;
    ensure!(requests.log().is_empty(), "{}", requests.log());

    ana.run(&["approval", "import", &answer])?.complained("which is not trusted here")?;
    let fingerprint = desks.trust()?;
    ensure!(requests.log().is_empty(), "{}", requests.log());
    let run = ana.run(&["approval", "import", &answer])?.ended(0)?;
    ensure!(run.out.contains("2 succeeded"), "{run:?}");
    let log = requests.log();
    let sent = |device: &str| log.lines().filter(|line| line.contains(&format!("{device}/req"))).count();
    ensure!((sent("lamp-1"), sent("lamp-2")) == (1, 1), "{log}");

    // Whose approval it was is shown, reported, and in both audits.
    let shown = ana.run(&["rollout", "show", "1"])?.ended(0)?.out;
    ensure!(shown.contains("Approved by Bo at ") && shown.contains(&fingerprint), "{shown}");
    let json: Value = serde_json::from_str(&ana.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.out)?;
    let decision = &json["approval"]["decision"];
    ensure!(
        decision["by"] == "Bo" && decision["verdict"] == "approved" && decision["note"] == "seen on the plan",
        "{json}"
    );
    let report = desks.path("report.md");
    ana.run(&["rollout", "export", "1", "--to", &report])?.ended(0)?;
    let report = fs::read_to_string(report)?;
    ensure!(report.contains("| Approval | approved by Bo at "), "{report}");
    let evidence = desks.path("1.wilco-evidence");
    ana.run(&["evidence", "export", "--rollout", "1", "-o", &evidence])?.ended(0)?;
    bo.run(&["evidence", "verify", &evidence])?.ended(0)?;
    ensure!(fs::read_to_string(&evidence)?.contains("\"record\":\"approval\""), "no approval in the evidence");
    let ours = ana.run(&["audit", "list"])?.ended(0)?.out;
    for part in
        ["Requested approval of rollout 1: restart to 2 devices", "Added Bo to the trusted", "which Bo approved"]
    {
        ensure!(ours.contains(part), "{part}: {ours}");
    }
    ana.run(&["audit", "verify"])?.ended(0)?;
    let theirs = bo.run(&["audit", "list", "--kind", "approval"])?.ended(0)?.out;
    ensure!(theirs.contains("Approved rollout 1 of Ana on ") && theirs.contains("seen on the plan"), "{theirs}");

    // A replayed approval starts nothing, and what follows needs one of its own.
    ana.run(&["approval", "import", &answer])?.complained("no longer waits for an approval")?;
    ana.run(&["rollout", "again", "1"])?.ended(4)?;
    ana.run(&["approval", "import", &answer, "--rollout", "3"])?.complained("is for rollout 1, not for rollout 3")?;
    ensure!(requests.log() == log, "{}", requests.log());
    Ok(())
}

#[test]
fn answers_that_do_not_approve_this_rollout_are_refused_with_the_reason() -> Result<()> {
    let broker = Broker::plain()?;
    let _devices = [Device::start(&broker, "lamp-1", None)?, Device::start(&broker, "lamp-2", None)?];
    let desks = Desks::new(&broker)?;
    let Desks { ana, bo, .. } = &desks;
    desks.trust()?;
    let requests = broker.listen("+/req")?;
    ana.run(&[&RESTART[..], &["restart"]].concat())?.ended(4)?;
    ana.run(&[&RESTART[..], &["restart"]].concat())?.ended(4)?;
    let request = desks.request("1")?;
    let answer = desks.answer(bo, "sign", &request, "1.wilco-approval")?;
    let refused = |file: &str, words: &str| -> Result<()> {
        ana.run(&["approval", "import", file])?.complained(words)?;
        Ok(())
    };
    refused(&altered(&answer, ("\"rollout\":1", "\"rollout\":2"))?, "was altered after it was signed")?;
    refused(&altered(&answer, ("seen on the plan", "seen on the moon"))?, "was altered after it was signed")?;
    refused(&request, "is not an answer to an approval request")?;
    ana.run(&["approval", "import", &answer, "--rollout", "2"])?.complained("is for rollout 1, not for rollout 2")?;
    let meddled = altered(&request, ("lamp-2", "lamp-9"))?;
    bo.run(&["approval", "show", &meddled])?.complained("was altered after it was signed")?;
    bo.run(&["approval", "sign", &meddled, &desks.path("x"), "--yes"])?
        .complained("was altered after it was signed")?;
    ana.run(&["approval", "sign", &request, &desks.path("x"), "--yes"])?.complained("by this installation")?;
    let eve = Bench::with_keyring(Keyring::Unlocked)?;
    refused(&desks.answer(&eve, "sign", &request, "eve")?, "which is not trusted here")?;
    // Without a keyring nothing can be signed.
    Bench::new()?.run(&["approval", "sign", &request, &desks.path("x"), "--yes"])?.complained("no keyring")?;

    // Bo is no longer trusted, and trusted again by the key alone.
    ana.run(&["approval", "distrust", "Bo"])?.ended(0)?;
    refused(&answer, "which is not trusted here")?;
    let own: Value = serde_json::from_str(&bo.run(&["approval", "identity", "--output", "json"])?.ended(0)?.out)?;
    let key = own["public_key"].as_str().context("no key")?;
    ana.run(&["approval", "trust", "--key", key, "--name", "Bo"])?.ended(0)?;
    let list = ana.run(&["approval", "list"])?.ended(0)?.out;
    ensure!(list.contains("Bo") && list.contains(own["fingerprint"].as_str().context("no fingerprint")?), "{list}");

    // A connection that reaches another broker is not what was approved.
    let other = Broker::plain()?;
    ana.run(&["connections", "edit", "plant", "--url", &other.url()])?.ended(0)?;
    refused(&answer, "has changed since")?;
    ana.run(&["connections", "edit", "plant", "--url", &broker.url()])?.ended(0)?;

    // A declined one is stopped, with the reason.
    let no = desks.answer(bo, "decline", &desks.request("2")?, "2.wilco-approval")?;
    let declined = ana.run(&["approval", "import", &no])?.ended(1)?;
    ensure!(
        declined.out.contains("stopped") && declined.out.contains("Bo declined it: seen on the plan."),
        "{declined:?}"
    );
    ensure!(requests.log().is_empty(), "{}", requests.log());
    ana.run(&["approval", "import", &answer])?.ended(0)?;
    Ok(())
}
