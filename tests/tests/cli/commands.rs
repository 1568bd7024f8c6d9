//! The catalogue of commands: imported, sent by name, and exported.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Device, soon};

use crate::bench::Bench;

/// A file of commands in the bench's directory.
fn file(bench: &Bench, name: &str, content: &str) -> Result<String> {
    let path = bench.data.path().join(name);
    fs::write(&path, content)?;
    Ok(path.display().to_string())
}

fn page(commands: &Value) -> String {
    json!({"format": "wilco commands", "version": 1, "commands": commands}).to_string()
}

fn calibrate(title: &str) -> Value {
    let schema =
        json!({"type": "object", "properties": {"level": {"type": "number", "maximum": 10}}, "required": ["level"]});
    json!({"name": "calibrate", "title": title, "schema": schema})
}

#[test]
fn a_described_command_is_sent_where_its_arguments_fit() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let path = file(&bench, "pumps.json", &page(&json!([calibrate("Calibrate")])))?;
    bench.run(&["commands", "show", "calibrate"])?.complained("no command 'calibrate'")?;
    let said = bench.run(&["commands", "import", &path, "--dry-run"])?.ended(0)?;
    assert_eq!(said.out, "New: calibrate.\n");
    assert_eq!(bench.run(&["commands", "import", &path])?.ended(0)?.out, "Added calibrate.\n");
    let listed = bench.run(&["commands", "list", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed.len() == 9 && listed[8]["definition"]["name"] == "calibrate", "{listed:?}");
    let shown = bench.run(&["commands", "show", "calibrate"])?.ended(0)?.out;
    ensure!(shown.contains("timeout      10 s") && shown.contains("\"maximum\": 10"), "{shown}");

    let send = ["send", "-c", "bench", "-d", "lamp-1", "calibrate"];
    bench.run(&[&send[..], &["level=11"]].concat())?.complained("level: 11 is greater than the maximum of 10")?;
    bench.run(&send)?.complained("\"level\" is a required property")?;
    ensure!(bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.out.is_empty(), "nothing is stored");
    // The reference device does not know it, and says so: the device's own word.
    let said = bench.run(&[&send[..], &["level=3", "--output", "json"]].concat())?.ended(1)?;
    assert_eq!(said.states()?.last().map(String::as_str), Some("rejected"), "{said:?}");
    Ok(())
}

#[test]
fn the_numbers_of_a_schema_keep_their_digits() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let schema = concat!(
        r#"{"type":"object","properties":{"level":{"minimum":10000000000000000000001,"maximum":1e400,"default":1.0},"#,
        r#""gain":{"enum":[0.1000000000000000000001,1e10]}},"required":["level"]}"#
    );
    let page = |schema: &str| {
        format!(r#"{{"format":"wilco commands","version":1,"commands":[{{"name":"tune","schema":{schema}}}]}}"#)
    };
    let path = file(&bench, "tune.json", &page(schema))?;
    assert_eq!(bench.run(&["commands", "import", &path])?.ended(0)?.out, "Added tune.\n");
    let whole = format!("\"schema\":{schema}");
    for listing in [&["commands", "list"][..], &["commands", "show", "tune"]] {
        let said = bench.run(&[listing, &["--output", "json"]].concat())?.ended(0)?.out;
        ensure!(said.contains(&whole), "{said}");
    }
    let out = bench.data.path().join("out.json").display().to_string();
    bench.run(&["commands", "export", "--to", &out])?.ended(0)?;
    let exported = fs::read_to_string(&out)?;
    let shown = bench.run(&["commands", "show", "tune"])?.ended(0)?.out;
    for part in [
        "\"minimum\": 10000000000000000000001,",
        "\"maximum\": 1e400,",
        "\"default\": 1.0",
        "0.1000000000000000000001,",
    ] {
        ensure!(exported.contains(part) && shown.contains(part), "{part}: {exported} {shown}");
    }
    assert_eq!(bench.run(&["commands", "import", &out])?.ended(0)?.out, "Unchanged: tune.\n");

    let send = ["send", "-c", "bench", "-d", "lamp-1", "tune"];
    let below = bench.run(&[&send[..], &["level=10000000000000000000000"]].concat())?;
    below.complained("level: 10000000000000000000000 is less than the minimum of 10000000000000000000001")?;
    let other = bench.run(&[&send[..], &["level=10000000000000000000001", "gain=0.1"]].concat())?;
    other.complained("gain: 0.1 is not one of 0.1000000000000000000001 or 1e10")?;
    let twice = file(&bench, "twice.json", &page(r#"{"properties":{"level":{"minimum":1,"minimum":2}}}"#))?;
    let said = bench.run(&["commands", "import", &twice])?.ended(1)?;
    ensure!(said.err.contains("The key \"minimum\" occurs twice in 'properties.level'"), "{said:?}");
    Ok(())
}

#[test]
fn a_command_is_sent_in_its_own_form() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let commands = json!([
        {"name": "valve", "topic": "{device}/do/{args.what}", "payload": "{\"tid\":{id},\"to\":{args.to}}",
         "answer_expected": false},
        // What any firmware of ours understands, under another name.
        {"name": "lamp", "payload": "{\"id\":{id},\"command\":\"led\",\"args\":{\"on\":{args.on}}}"},
    ]);
    let path = file(&bench, "own.json", &page(&commands))?;
    bench.run(&["commands", "import", &path])?.ended(0)?;
    let heard = broker.listen("lamp-1/do/open")?;
    let valve = ["send", "-c", "bench", "-d", "lamp-1", "valve"];
    let said = bench.run(&[&valve[..], &["what=open", "to=50", "--output", "json"]].concat())?.ended(0)?;
    assert_eq!(said.states()?.last().map(String::as_str), Some("unconfirmed"), "{said:?}");
    let id = said.lines()?[0]["id"].as_str().unwrap_or_default().to_owned();
    let expected = format!(r#"{{"tid":"{id}","to":50}}"#);
    soon("request", Duration::from_secs(5), || heard.log().contains(&expected).then_some(()))?;
    bench.run(&[&valve[..], &["what=a/b"]].concat())?.complained("not allowed in a topic")?;
    bench.run(&valve)?.complained("needs the argument 'what'")?;

    let _device = Device::start(&broker, "lamp-1", None)?;
    let said = bench.run(&["send", "-c", "bench", "-d", "lamp-1", "lamp", "on=true", "--output", "json"])?.ended(0)?;
    let lines = said.lines()?;
    let last = &lines[lines.len() - 1];
    assert_eq!((&last["state"], &last["result"]["on"]), (&Value::from("succeeded"), &Value::from(true)), "{said:?}");
    Ok(())
}

#[test]
fn nothing_is_overwritten_unasked_and_rubbish_is_refused() -> Result<()> {
    let bench = Bench::new()?;
    let first = file(&bench, "first.json", &page(&json!([calibrate("Calibrate")])))?;
    bench.run(&["commands", "import", &first])?.ended(0)?;
    let other = page(&json!([calibrate("Level out"), {"name": "led"}, {"name": "flush", "payload": "{args.x"}]));
    let other = file(&bench, "other.json", &other)?;
    let said = bench.run(&["commands", "import", &other])?.ended(1)?;
    ensure!(said.out.starts_with("Kept: calibrate, which differs from the file."), "{said:?}");
    ensure!(said.err.starts_with("warning: Refused: led. 'led' is a built-in command."), "{said:?}");
    ensure!(said.err.contains("warning: Refused: flush. The payload does not produce JSON"), "{said:?}");
    ensure!(said.err.ends_with("warning: 2 of 3 refused.\n"), "{said:?}");
    let title = || -> Result<Value> {
        let shown = bench.run(&["commands", "show", "calibrate", "--output", "json"])?.ended(0)?.lines()?;
        Ok(shown[0]["definition"]["title"].clone())
    };
    assert_eq!(title()?, "Calibrate");
    bench.run(&["commands", "import", &other, "--replace", "nobody"])?.complained("no command or button 'nobody'")?;
    bench.run(&["commands", "import", &other, "--replace", "calibrate"])?.ended(1)?;
    assert_eq!(title()?, "Level out");

    let out = bench.data.path().join("out.json").display().to_string();
    bench.run(&["commands", "export", "--to", &out])?.ended(0)?;
    bench.run(&["commands", "export", "--to", &out])?.complained("already exists")?;
    bench.run(&["commands", "export", "led", "--to", &out, "--force"])?.complained("'led' is a built-in command")?;
    assert_eq!(bench.run(&["commands", "import", &out])?.ended(0)?.out, "Unchanged: calibrate.\n");

    let check = |name: &str, content: &str, part: &str| -> Result<()> {
        let path = file(&bench, name, content)?;
        bench.run(&["commands", "import", &path])?.complained(part).map(drop)
    };
    check("none.json", "rubbish", "is not a command catalogue")?;
    check("torn.json", "{\"format\": \"wilco commands\",\n  \"version\": 1,,}", "line 2 column 16")?;
    check("newer.json", r#"{"format":"wilco commands","version":9,"commands":[]}"#, "newer version")?;
    check("big.json", &" ".repeat(10 * 1024 * 1024), "too large")?;
    bench.run(&["commands", "import", "/nowhere.json"])?.complained("The file /nowhere.json does not exist")?;
    Ok(())
}
