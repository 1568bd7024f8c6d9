//! Names, tags and notes of devices, set on the command line.

use anyhow::Result;
use serde_json::{Value, json};
use wilco_tests::Broker;

use crate::Bench;

fn told(rows: &[Value]) -> Vec<(Value, Value, Value)> {
    rows.iter().map(|row| (row["device"].clone(), row["name"].clone(), row["added_tags"].clone())).collect()
}

#[test]
fn devices_are_added_named_tagged_and_found_by_that() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let of = |task: &[&str]| {
        let [first, rest @ ..] = task else { anyhow::bail!("no task") };
        bench.run(&[&["devices", first, "-c", "bench"], rest].concat())
    };
    let listed = |search: &str| of(&["list", "--search", search, "--output", "json"])?.ended(0)?.lines();
    let added = of(&["add", "-d", "pump-7", "--name", "Boiler room", "--tag", "north", "--note", "By the door"])?;
    assert_eq!(added.ended(0)?.out, "Added or changed pump-7.\n");
    assert_eq!(of(&["add", "-d", "pump-8", "-d", "pump-9"])?.ended(0)?.out, "Added or changed 2 devices.\n");
    assert_eq!(of(&["tag", "spare", "--search", "pump"])?.ended(0)?.out, "Tagged 3 devices with spare.\n");
    let untagged = of(&["untag", "spare", "-d", "pump-8", "-d", "nobody"])?.ended(0)?;
    assert_eq!(untagged.out, "Removed spare from 1 device.\n");
    assert!(untagged.err.contains("A device is not known: nobody."), "{untagged:?}");
    assert_eq!(of(&["name", "-d", "pump-9", "Cellar"])?.ended(0)?.out, "Named pump-9 Cellar.\n");
    let expected = [
        (json!("pump-7"), json!("Boiler room"), json!(["north", "spare"])),
        (json!("pump-9"), json!("Cellar"), json!(["spare"])),
    ];
    assert_eq!(told(&listed("tag:spare")?), expected);
    assert_eq!(told(&listed("boiler")?), expected[..1]);
    assert!(bench.run(&["devices", "-c", "bench"])?.ended(0)?.out.contains("+north +spare"));
    assert_eq!(of(&["name", "-d", "pump-9", "--clear"])?.ended(0)?.out, "Removed the name of pump-9.\n");
    assert_eq!(told(&listed("name:*")?), expected[..1]);

    // On an engine that has heard nothing yet, what is named is added, and said to be new.
    let tagged = of(&["tag", "new", "-d", "pump-9", "-d", "valve-1", "-d", "valve-2"])?.ended(0)?;
    let expected = "Tagged 3 devices with new. 2 devices were unknown, and have been added: valve-1, valve-2.\n";
    assert_eq!(tagged.out, expected);
    assert_eq!(listed("tag:new")?.len(), 3);
    of(&["forget", "-d", "valve-1", "--yes"])?.ended(0)?;
    of(&["forget", "-d", "valve-2", "--yes"])?.ended(0)?;

    of(&["tag", &"x".repeat(10_000), "-d", "pump-7"])?
        .complained("The tag has 10,000 characters; the maximum is 64.")?;
    of(&["add", "-d", "a/b"])?.complained("'a/b' is not a valid device ID")?;
    of(&["name", "-d", "nobody", "x"])?.complained("There is no device 'nobody'.")?;
    let forgotten = of(&["forget", "--search", "tag:spare", "--yes"])?.ended(0)?;
    assert_eq!(forgotten.out, "Forgot 2 devices.\n");
    assert_eq!(listed("")?.len(), 1);
    Ok(())
}

#[test]
fn devices_are_imported_and_exported_as_csv() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let dir = tempfile::tempdir()?;
    let (file, exported) = (dir.path().join("pumps.csv"), dir.path().join("out.csv"));
    std::fs::write(&file, "device;name;tags;colour\npump-7;Boiler room;north,spare;red\na/b;;;\npump-7;;;\n")?;
    let (file, to) = (file.to_string_lossy().into_owned(), exported.to_string_lossy().into_owned());
    let import = ["devices", "import", "-c", "bench", &file];
    let tried = bench.run(&[&import[..], &["--dry-run"]].concat())?.ended(1)?;
    assert_eq!(tried.out, "Not used: colour.\nNew: 1 device. Changed: 0 devices. Unchanged: 0 devices.\n");
    assert!(tried.err.contains("Line 3: 'a/b' is not a valid device ID"), "{tried:?}");
    assert!(tried.err.contains("Line 4: 'pump-7' is already on line 2."), "{tried:?}");
    let done = bench.run(&import)?.ended(1)?;
    assert!(done.out.ends_with("Added 1 device, changed 0 devices; 0 devices unchanged.\n"), "{done:?}");
    assert!(bench.run(&["devices", "-c", "bench"])?.ended(0)?.out.contains("+north +spare"));
    let export = bench.run(&["devices", "export", "-c", "bench", "--to", &to])?.ended(0)?;
    assert!(export.out.starts_with("Wrote 1 device to "), "{export:?}");
    assert_eq!(std::fs::read_to_string(&exported)?, "device,name,tags,note\npump-7,Boiler room,north; spare,\n");
    let again = bench.run(&["devices", "import", "-c", "bench", &to])?.ended(0)?;
    assert_eq!(again.out, "Added 0 devices, changed 0 devices; 1 device unchanged.\n");
    std::fs::write(&exported, b"PK\x03\x04")?;
    bench.run(&["devices", "import", "-c", "bench", &to])?.complained("not a CSV file")?;
    Ok(())
}
