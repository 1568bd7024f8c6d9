//! Desired configurations: the real program, a real broker and a virtual fleet.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};
use wilco_tests::{Broker, Fleet};

use crate::{
    bench::{Bench, ProgramOutput},
    rollouts::last_arguments,
};

/// How each device stands.
fn states(said: &ProgramOutput) -> Result<BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(said.lines()?.iter().map(|line| (text(&line["device"]), text(&line["state"]))).collect())
}

#[test]
fn the_desired_configuration_is_applied_and_restored() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let heard = broker.listen("+/req")?;
    let changes = "changes={\"report_interval_s\":60}";
    bench.run(&["send", "-c", "bench", "-d", "pump-0003", "config.set", "apply=now", changes])?.ended(0)?;
    // Three of four, and one that has never said anything.
    bench.run(&["devices", "add", "-c", "bench", "-d", "ghost", "--tag", "wing"])?.ended(0)?;
    for pump in ["pump-0001", "pump-0002", "pump-0003"] {
        bench.run(&["devices", "add", "-c", "bench", "-d", pump, "--tag", "wing"])?.ended(0)?;
    }
    // What devices report is known to an engine that has heard them once.
    bench.run(&["devices", "-c", "bench"])?.ended(0)?;
    let status = ["desired", "status", "-c", "bench", "--output", "json"];
    assert!(bench.run(&status)?.ended(0)?.out.is_empty());

    let set = ["desired", "set", "-c", "bench", "--tag", "wing", "report_interval_s=60"];
    let said = bench.run(&set)?.ended(0)?.out;
    assert!(said.contains("report_interval_s=60 wanted for tag wing."), "{said}");
    assert!(said.contains("4 devices: 1 as wanted, 2 different, 1 unknown."), "{said}");
    bench.run(&["desired", "set", "-c", "bench", "--tag", "wing", "temp_high_c=4.50"])?.ended(0)?;
    let listed = bench.run(&["desired", "list", "-c", "bench", "--output", "json"])?.ended(0)?;
    assert!(listed.out.contains(r#""values":{"report_interval_s":60,"temp_high_c":4.50}"#), "{}", listed.out);
    assert_eq!(listed.lines()?[0]["for"], json!({"by": "tag", "tag": "wing"}));
    let differs = |device: &str| (device.to_owned(), "differs".to_owned());
    let before = bench.run(&status)?.ended(1)?;
    let expected =
        [("ghost".to_owned(), "unknown".to_owned()), differs("pump-0001"), differs("pump-0002"), differs("pump-0003")];
    assert_eq!(states(&before)?, BTreeMap::from(expected));
    let text = bench.run(&["desired", "status", "-c", "bench"])?.ended(1)?.out;
    assert!(text.contains("report_interval_s=30 (wanted 60), temp_high_c=8.0 (wanted 4.50)"), "{text}");

    let apply = ["desired", "apply", "-c", "bench", "--tag", "wing"];
    let plan = bench.run(&[&apply[..], &["--dry-run"]].concat())?.ended(0)?.out;
    assert!(plan.contains("Devices:   3\n") && plan.contains("1 has not reported a configuration: ghost."), "{plan}");
    assert!(last_arguments(&heard).keys().eq(["pump-0003"]), "a dry run sends nothing");
    let said = bench.run(&[&apply[..], &["--stages", "1,100%", "--output", "json"]].concat())?.ended(0)?;
    assert!(said.err.contains("1 has not reported a configuration: ghost."), "{said:?}");
    let both = r#"{"changes":{"report_interval_s":60,"temp_high_c":4.50},"apply":"now"}"#;
    let sent = last_arguments(&heard);
    assert_eq!(sent.get("pump-0001").map(String::as_str), Some(both), "{sent:?}");
    // Only what differs.
    assert_eq!(sent.get("pump-0003").map(String::as_str), Some(r#"{"changes":{"temp_high_c":4.50},"apply":"now"}"#));
    assert!(!sent.contains_key("ghost") && !sent.contains_key("pump-0004"), "{sent:?}");
    let found =
        bench.run(&["devices", "-c", "bench", "--search", "desired:as_wanted", "--output", "json"])?.ended(0)?;
    assert_eq!(found.lines()?.len(), 3, "{found:?}");
    // Nothing more to do, which is no error.
    let again = bench.run(&apply)?.ended(0)?.out;
    assert!(
        again.contains("No device is known to differ, and 1 device has not reported a configuration: ghost."),
        "{again}"
    );
    let all = bench.run(&[&apply[..], &["--include-unknown", "--dry-run"]].concat())?.ended(0)?.out;
    assert!(all.contains("Devices:   1\n") && all.contains(both), "{all}");

    // What was brought into line is put back, each device to its own values.
    bench.run(&["rollout", "put-back", "1", "--output", "json"])?.ended(0)?;
    let sent = last_arguments(&heard);
    assert_eq!(
        sent.get("pump-0003").map(String::as_str),
        Some(r#"{"changes":{"temp_high_c":8.0},"apply":"now"}"#),
        "{sent:?}"
    );
    assert_eq!(states(&bench.run(&status)?.ended(1)?)?, states(&before)?);

    bench
        .run(&["desired", "clear", "-c", "bench", "--tag", "wing", "buzzer"])?
        .complained("The key 'buzzer' has no wanted value")?;
    let said = bench.run(&["desired", "clear", "-c", "bench", "--tag", "wing", "temp_high_c"])?.ended(0)?.out;
    assert!(said.contains("Cleared temp_high_c=4.50."), "{said}");
    assert_eq!(states(&bench.run(&status)?.ended(1)?)?["pump-0003"], "as_wanted");
    bench.run(&["desired", "clear", "-c", "bench", "--tag", "wing"])?.ended(0)?;
    bench
        .run(&["desired", "clear", "-c", "bench", "--tag", "wing"])?
        .complained("Devices with the tag 'wing' have no desired configuration.")?;
    bench.run(&apply)?.complained("These devices have no desired configuration.")?;
    Ok(())
}

#[test]
fn the_first_wanted_value_of_a_key_applies_and_the_other_is_named() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    bench.run(&["devices", "add", "-c", "bench", "-d", "pump-1", "--tag", "wing", "--tag", "spare"])?.ended(0)?;
    bench.run(&["desired", "set", "-c", "bench", "--tag", "wing", "limit=4.5"])?.ended(0)?;
    let said = bench.run(&["desired", "set", "-c", "bench", "--tag", "spare", "limit=5", "name=\" 7\""])?.ended(0)?.out;
    assert!(
        said.contains("limit of tag spare does not apply to 1 device: wing comes first and sets limit=4.5 (pump-1)."),
        "{said}"
    );
    let said = bench.run(&["desired", "set", "-c", "bench", "--tag", "spare", "--first"])?.ended(0)?.out;
    assert!(!said.contains("does not apply"), "{said}");
    let names = bench.run(&["desired", "list", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    assert_eq!(names.iter().map(|line| line["name"].clone()).collect::<Vec<_>>(), ["spare", "wing"]);
    assert_eq!(names[1]["overruled"][0]["by"], "spare");

    bench
        .run(&["desired", "set", "-c", "bench", "--view", "Cold stores", "limit=4"])?
        .complained("no saved view 'Cold stores'")?;
    bench.run(&["desired", "set", "-c", "bench", "--tag", "wing"])?.ended(2)?;
    let long = "x".repeat(10_000);
    bench
        .run(&["desired", "set", "-c", "bench", "--tag", &long, "limit=4"])?
        .complained("The tag has 10,000 characters; the maximum is 64.")?;
    bench.run(&["devices", "-c", "bench", "--search", "desired:sideways"])?.complained("`desired:` has no value")?;
    Ok(())
}
