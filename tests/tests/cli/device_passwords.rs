//! Devices that carry out only signed requests.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Keyring, Shelly};

use crate::bench::Bench;

const PLUG: &str = "shellyplus1-a8032abe54dc";
const PASSWORD: &str = "correct-horse-7";

fn switch(bench: &Bench, on: &str) -> Result<(i32, Value, String)> {
    let words = ["send", "-c", "home", "-d", PLUG, "Switch.Set", "id=0", on, "--timeout", "5s", "--output", "json"];
    let said = bench.run(&words)?;
    let last = said.lines()?.pop().unwrap_or_default();
    Ok((said.code, last, said.err))
}

/// Whether the password stands in any file of the data directory.
fn is_kept_in_files(bench: &Bench) -> Result<bool> {
    let mut found = false;
    for entry in fs::read_dir(bench.data.path().join("data"))? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = fs::read(&path)?;
            found |= bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        }
    }
    Ok(found)
}

#[test]
fn a_shelly_with_a_password_is_signed_in_to_and_runs_each_command_once() -> Result<()> {
    let broker = Broker::plain()?;
    let plug = Shelly::start(&broker, PLUG, PASSWORD)?;
    let bench = Bench::with_keyring(Keyring::Unlocked)?;
    let url = broker.url();
    bench.run(&["connections", "add", "home", "--url", &url, "--dialect", "shelly"])?.ended(0)?;

    // Without a password the device refuses, and what to do is said.
    let (code, last, err) = switch(&bench, "on=true")?;
    ensure!(code == 1 && last["state"] == "rejected", "{last} {err}");
    ensure!(last["message"].as_str().is_some_and(|said| said.contains("digest")), "{last}");
    ensure!(err.contains("requires a password") && err.contains("wilco devices password"), "{err}");
    ensure!(plug.executed().is_empty(), "{:?}", plug.executed());

    // With a wrong one too.
    let set = ["devices", "password", "-c", "home", "-d", PLUG, "--password-stdin"];
    bench.run_with_input(&set, "wrong-1\n")?.ended(0)?;
    let (code, last, err) = switch(&bench, "on=true")?;
    ensure!(code == 1 && last["state"] == "rejected", "{last} {err}");
    ensure!(last["message"].as_str().is_some_and(|said| said.contains("did not accept the password")), "{last}");
    ensure!(plug.executed().is_empty(), "{:?}", plug.executed());

    // With the right one of the connection, the command is sent again and carried out once.
    bench.run(&["devices", "password", "-c", "home", "-d", PLUG, "--clear"])?.ended(0)?;
    bench
        .run_with_input(&["devices", "password", "-c", "home", "--password-stdin"], &format!("{PASSWORD}\n"))?
        .ended(0)?;
    let (code, last, err) = switch(&bench, "on=true")?;
    ensure!(code == 0 && last["state"] == "succeeded" && last["match"] == "exact", "{last} {err}");
    ensure!(plug.executed() == ["Switch.Set"], "{:?}", plug.executed());
    ensure!(plug.refused() > 0);

    // The password stands in no file.
    ensure!(!is_kept_in_files(&bench)?);

    // Its switch is found, because it could be asked what it has.
    let listed = bench.run(&["devices", "-c", "home", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed.len() == 1 && listed[0]["firmware"] == "1.4.4", "{listed:?}");
    // A nonce that has expired costs one more request, and not one more run.
    plug.take_each_nonce_once();
    let (code, last, err) = switch(&bench, "on=false")?;
    ensure!(code == 0 && last["state"] == "succeeded" && last["attempts"] == 2, "{last} {err}");
    ensure!(plug.executed().len() == 2, "{last} {:?}", plug.executed());
    Ok(())
}
