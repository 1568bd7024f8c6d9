//! Dialect files and recorded exchanges; no broker is needed.

use std::fs;

use anyhow::{Result, ensure};

use crate::bench::Bench;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dialect/tests/exchanges/recorded.jsonl");

/// A file in the bench's directory.
fn file(bench: &Bench, name: &str, content: &str) -> Result<String> {
    let path = bench.data.path().join(name);
    fs::write(&path, content)?;
    Ok(path.display().to_string())
}

#[test]
fn recorded_exchanges_are_tested_one_by_one() -> Result<()> {
    let bench = Bench::new()?;
    let said = bench.run(&["dialects", "test", RECORDED])?.ended(0)?;
    let lines: Vec<&str> = said.out.lines().collect();
    ensure!(lines.len() == 43 && lines[42] == "42 of 42 passed", "{said:?}");
    ensure!(lines.contains(&"passed  atlas: motor on: succeeded, exact"), "{said:?}");

    // One with another expectation, one that is not an exchange, and one of an unknown dialect.
    let recorded = fs::read_to_string(RECORDED)?;
    let first = recorded.lines().next().unwrap_or_default();
    let wrong = first.replace("\"succeeded\"", "\"failed\"");
    let unknown = first.replace("\"tasmota\"", "\"klingon\"");
    let path = file(&bench, "wrong.jsonl", &format!("{first}\n{wrong}\n\nnothing\n{unknown}\n"))?;
    let said = bench.run(&["dialects", "test", &path])?.ended(1)?;
    let lines: Vec<&str> = said.out.lines().collect();
    ensure!(lines[1].starts_with("failed  tasmota: query: It is succeeded, but should be failed."), "{said:?}");
    ensure!(lines[2].starts_with("failed  line 4: This is not a recorded exchange"), "{said:?}");
    ensure!(lines[3] == "failed  klingon: query: There is no dialect named 'klingon'.", "{said:?}");
    ensure!(lines[4] == "1 of 4 passed", "{said:?}");
    bench.run(&["dialects", "test", "/nowhere.jsonl"])?.complained("Could not read /nowhere.jsonl")?;
    Ok(())
}

#[test]
fn a_custom_dialect_is_checked_and_tested() -> Result<()> {
    let bench = Bench::new()?;
    let listed = bench.run(&["dialects", "list", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed.iter().any(|one| one["name"] == "zigbee2mqtt" && one["finds_devices"] == true), "{listed:?}");
    ensure!(bench.run(&["dialects", "list"])?.ended(0)?.out.contains("on request"));
    let atlas = bench.run(&["dialects", "show", "atlas"])?.ended(0)?.out;
    bench.run(&["dialects", "show", "klingon"])?.complained("no dialect named 'klingon'")?;

    let mine = atlas.replace("name = \"atlas\"", "name = \"mine\"").replace("commands/", "mine/");
    let path = file(&bench, "mine.toml", &mine)?;
    let said = bench.run(&["dialects", "check", &path])?.ended(0)?;
    ensure!(said.out.starts_with("mine (IoT Atlas) is valid: 1 request, 1 rule for received messages"), "{said:?}");
    let exchange = r#"{"dialect":"mine","name":"go","device":"d","command":"go","args":{"n":1.50},"id":"c1","request":{"topic":"mine/d","payload":"{\"cmd\":\"go\",\"tid\":\"c1\",\"status\":\"REQUEST\",\"n\":1.50}"},"answers":[{"topic":"mine/d/ack","payload":"{\"tid\":\"c1\",\"status\":\"RUNNING\"}"}],"expect":{"state":"running","id":"exact"}}"#;
    let exchanges = file(&bench, "mine.jsonl", exchange)?;
    let said = bench.run(&["dialects", "test", &exchanges, "--with", &path])?.ended(0)?;
    ensure!(said.out == "passed  mine: go: running, exact\n1 of 1 passed\n", "{said:?}");

    let broken = file(&bench, "broken.toml", &mine.replace("as = \"answer\"", "as = \"anser\""))?;
    let said = bench.run(&["dialects", "check", &broken])?.ended(1)?;
    ensure!(said.out.contains("broken.toml:14: ") && said.out.contains("unknown variant `anser`"), "{said:?}");
    bench.run(&["dialects", "test", &exchanges, "--with", &broken])?.complained("broken.toml:14")?;
    let grasping = file(&bench, "grasping.toml", &mine.replace("mine/{device}/ack", "commands/{device}/ack"))?;
    let said = bench.run(&["dialects", "check", &grasping])?.ended(0)?;
    ensure!(said.err.contains("both use 'commands/+/ack'"), "{said:?}");
    Ok(())
}
