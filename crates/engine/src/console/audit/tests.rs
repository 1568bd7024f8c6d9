#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{fs, path::Path};

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    Engine, Handle, Options,
    api::{
        AuditKind, AuditProblemKind, AuditQuery, AuditRange, AuditSeal, AuditVerification, CommandButton,
        CommandDefinition, ConnectionEntry, ConnectionSettings, DesiredConfig, DesiredFor, JsonText, NewCommand,
        NewDevice, NewRollout, ProxySettings, RolloutAction, RolloutCommand, RolloutTarget, SavedView, Settings,
    },
    audit::{hex, unhex},
    console::fixture::plant,
    paths::DataDir,
    store::{FILE_NAME, Hash, NewAuditEntry},
    vault::Vault,
};

async fn start(dir: &Path, vault: &Vault) -> Engine {
    let data_dir = DataDir::open(Some(dir)).unwrap();
    Engine::start(Options { data_dir, vault: vault.clone(), passing: false }).await.unwrap()
}

fn led(connection: &str, note: Option<&str>) -> NewCommand {
    NewCommand {
        connection: connection.to_owned(),
        devices: vec!["pump-7".to_owned()],
        command: "led".to_owned(),
        args: json!({ "on": true }).into(),
        note: note.map(str::to_owned),
        ..NewCommand::default()
    }
}

/// Does something of every kind.
async fn do_everything(handle: &Handle) -> String {
    let settings = Settings { operator_name: Some("Ana".into()), ..handle.settings().await.unwrap() };
    handle.change_settings(settings).await.unwrap();
    let plant = plant(handle).await;
    let sent = handle.send(led(&plant, Some("the pump was dry"))).await.unwrap();
    handle.cancel(&plant, "pump-7", &sent.ids[0]).await.unwrap();
    let new = NewDevice { device: "pump-8".into(), tags: vec!["north".into()], ..NewDevice::default() };
    handle.add_devices(&plant, vec![new]).await.unwrap();
    let rollout = NewRollout {
        connection: plant.clone(),
        target: RolloutTarget::Search { search: String::new() },
        command: RolloutCommand { name: "identify".into(), args: "{}".to_owned().into(), ..RolloutCommand::default() },
        note: Some("find them".into()),
        ..NewRollout::default()
    };
    let rollout = handle.start_rollout(rollout).await.unwrap();
    handle.act_on_rollout(&rollout.id, RolloutAction::Stop).await.unwrap();
    let flush = CommandDefinition {
        name: "flush".into(),
        title: "Flush".into(),
        ..crate::catalogue::definition::described(wilco_dialect::command("led").unwrap())
    };
    handle.save_definition(None, flush).await.unwrap();
    let button = CommandButton {
        id: String::new(),
        connection: None,
        label: "Flush it".into(),
        icon: wilco_dialect::ICONS[0].into(),
        command: "flush".into(),
        args: JsonText::from("{}".to_owned()),
        no_answer: false,
    };
    handle.save_button(button).await.unwrap();
    let tag = DesiredFor::Tag { tag: "north".into() };
    let values = JsonText::from(r#"{"interval_ms":500}"#.to_owned());
    let desired = DesiredConfig { connection: plant.clone(), target: tag, values, place: None };
    handle.save_desired(desired).await.unwrap();
    let view = SavedView { connection: plant.clone(), name: "North".into(), ..SavedView::default() };
    handle.save_view(view).await.unwrap();
    handle.enable_dialects(&plant, vec!["tasmota".into()]).await.unwrap();
    handle.forget_older(1).await.unwrap();
    handle.note_audit_entry(3, "approved by Bo").await.unwrap();
    plant
}

async fn listed(handle: &Handle) -> Vec<(u32, AuditKind, String, Option<String>)> {
    let page = handle.audit(AuditQuery { limit: 1_000, ..AuditQuery::default() }).await.unwrap();
    let mut entries: Vec<_> =
        page.entries.into_iter().map(|entry| (entry.number, entry.kind, entry.what, entry.note)).collect();
    entries.reverse();
    entries
}

#[tokio::test]
async fn every_kind_of_change_is_written_down_with_who_and_why() {
    let (data, vault) = (tempfile::tempdir().unwrap(), Vault::in_memory());
    let engine = start(data.path(), &vault).await;
    let handle = engine.handle();
    let plant = do_everything(&handle).await;
    let entries = listed(&handle).await;
    let said: Vec<_> = entries.iter().map(|(_, kind, what, note)| (*kind, what.as_str(), note.as_deref())).collect();
    assert_eq!(
        said,
        [
            (AuditKind::Settings, "Changed settings: operator_name", None),
            (AuditKind::Connection, "Added connection plant", None),
            (AuditKind::Command, "Sent led to pump-7", Some("the pump was dry")),
            (AuditKind::Command, "Cancelled led on pump-7", None),
            (AuditKind::Device, "Changed the name, tags or note of pump-8", None),
            (AuditKind::Rollout, "Started rollout 1: identify to 2 devices", Some("find them")),
            (AuditKind::Rollout, "Stopped rollout 1", None),
            (AuditKind::Catalogue, "Saved command flush in the catalogue", None),
            (AuditKind::Button, "Saved button Flush it", None),
            (AuditKind::Desired, "Set the desired configuration of devices with the tag north", None),
            (AuditKind::View, "Saved view North", None),
            (AuditKind::Dialect, "Changed the dialects of plant", None),
            (AuditKind::History, "Deleted the history of more than 1 day ago", None),
            (AuditKind::Audit, "Wrote a note on entry 3", Some("approved by Bo")),
        ]
    );
    let kinds = vec![AuditKind::Command];
    let page = handle.audit(AuditQuery { limit: 1, kinds, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(page.next, Some(4));
    let cancelled = &page.entries[0];
    assert_eq!((cancelled.operator.as_deref(), cancelled.connection.as_deref()), (Some("Ana"), Some(&*plant)));
    assert_eq!(cancelled.os_user, whoami::username());
    assert!(!cancelled.machine.is_empty());

    // What changes nothing is not stored, nor what is refused.
    handle.change_settings(handle.settings().await.unwrap()).await.unwrap();
    let twice =
        ConnectionEntry { name: "plant".into(), url: "mqtt://127.0.0.1:9".into(), ..ConnectionEntry::default() };
    handle.save_connection(twice).await.unwrap_err();
    handle.remove_button("none").await.unwrap_err();
    assert_eq!(listed(&handle).await.len(), entries.len());
    handle.remove_connection(&plant).await.unwrap();
    assert_eq!(listed(&handle).await.last().unwrap().2, "Removed connection plant with its history");
    let found = handle.verify_audit().await.unwrap();
    assert!(found.holds(), "{found:?}");
    assert!(matches!(found.seal, AuditSeal::Sealed { number: 15, .. }), "{found:?}");
    engine.stop().await;
}

#[tokio::test]
async fn a_change_that_leaves_less_evidence_or_another_secret_is_written_down() {
    const CANARY: &str = "c4n4ry-of-a-device";
    let (data, vault) = (tempfile::tempdir().unwrap(), Vault::in_memory());
    let engine = start(data.path(), &vault).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    let device = Some("pump-7".to_owned());
    handle.set_device_password(&plant, device.clone(), Some(CANARY.into())).await.unwrap();
    handle.set_device_password(&plant, device, None).await.unwrap();
    handle.set_device_password(&plant, None, Some(CANARY.into())).await.unwrap();
    let view = SavedView { connection: plant.clone(), name: "North".into(), ..SavedView::default() };
    let view = handle.save_view(view).await.unwrap();
    handle.remove_view(&view.id).await.unwrap();
    handle.remove_view(&view.id).await.unwrap_err();
    handle.forget_log(&plant, "pump-7", "none").await.unwrap_err();
    handle.audit_demo_faults(&crate::api::FaultDials::default()).await.unwrap();
    handle.open_demo("mqtt://127.0.0.1:9").await.unwrap();
    handle.open_demo("mqtt://127.0.0.1:10").await.unwrap();
    let said: Vec<_> = listed(&handle).await.into_iter().map(|(_, _, what, _)| what).collect();
    let expected = [
        "Added connection plant",
        "Set the password of pump-7",
        "Removed the password of pump-7",
        "Set the password of all other devices",
        "Saved view North",
        "Removed view North",
        "Changed the faults of the demo fleet",
        "Added connection Demo fleet",
    ];
    assert_eq!(said, expected);
    engine.stop().await;
    let database = Connection::open(data.path().join(FILE_NAME)).unwrap();
    let sql = "SELECT count(*) FROM audit WHERE instr(details || what, ?1) > 0";
    assert_eq!(database.query_row(sql, [CANARY], |row| row.get::<_, u32>(0)).unwrap(), 0);
}

/// The output of `wilco` on a copy of the database after this change.
async fn find(data: &Path, vault: &Vault, meddle: impl FnOnce(&Connection)) -> AuditVerification {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(data.join(FILE_NAME), copy.path().join(FILE_NAME)).unwrap();
    let database = Connection::open(copy.path().join(FILE_NAME)).unwrap();
    meddle(&database);
    drop(database);
    let engine = start(copy.path(), vault).await;
    let found = engine.handle().verify_audit().await.unwrap();
    engine.stop().await;
    found
}

/// A database with eight entries, all sealed, and a copy of it as it was after five.
async fn eight(vault: &Vault) -> (TempDir, TempDir) {
    let (data, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = start(data.path(), vault).await;
    let plant = plant(&engine.handle()).await;
    for _ in 0..4 {
        engine.handle().send(led(&plant, Some("test"))).await.unwrap();
    }
    engine.stop().await;
    fs::copy(data.path().join(FILE_NAME), old.path().join(FILE_NAME)).unwrap();
    let engine = start(data.path(), vault).await;
    for _ in 0..3 {
        engine.handle().send(led(&plant, None)).await.unwrap();
    }
    engine.stop().await;
    (data, old)
}

fn told(found: &AuditVerification) -> Vec<(AuditProblemKind, Option<(u32, u32)>)> {
    let range = |range: AuditRange| (range.from, range.to);
    found.problems.iter().map(|problem| (problem.kind, problem.entries.map(range))).collect()
}

fn intact(found: &AuditVerification) -> Vec<(u32, u32)> {
    found.intact.iter().map(|range| (range.from, range.to)).collect()
}

#[tokio::test]
async fn an_entry_that_was_altered_is_found_whatever_was_altered() {
    let vault = Vault::in_memory();
    let (data, _old) = eight(&vault).await;
    let whole = find(data.path(), &vault, |_| {}).await;
    assert_eq!((told(&whole), intact(&whole)), (vec![], vec![(1, 8)]));
    for change in [
        "at = at + 1",
        "kind = 'settings'",
        "kind = 'nonsense'",
        "operator = 'Bo'",
        "os_user = 'somebody else'",
        "machine = 'elsewhere'",
        "connection = 'other'",
        "connection = NULL",
        "connection_name = 'other'",
        "what = 'Sent nothing'",
        "details = '{}'",
        "note = NULL",
        "note = 'other'",
        "previous = zeroblob(32)",
        "hash = zeroblob(32)",
        "hash = x'00'",
    ] {
        let alter = |database: &Connection| {
            let changed = database.execute(&format!("UPDATE audit SET {change} WHERE number = 4"), []).unwrap();
            assert_eq!(changed, 1);
        };
        let found = find(data.path(), &vault, alter).await;
        assert_eq!(told(&found), [(AuditProblemKind::Altered, Some((4, 4)))], "{change}");
        assert_eq!(intact(&found), [(1, 3), (5, 8)], "{change}");
    }
}

/// Computes hashes again as Wilco does, from an entry on.
fn compute_anew(database: &Connection, numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        let entry = database
            .query_row("SELECT * FROM audit WHERE number = ?1", [number], |row| {
                let connection: Option<String> = row.get("connection")?;
                Ok(NewAuditEntry {
                    at: wilco_ledger::Timestamp(row.get("at")?),
                    kind: if row.get::<_, String>("kind")? == "command" {
                        AuditKind::Command
                    } else {
                        AuditKind::Connection
                    },
                    operator: row.get("operator")?,
                    os_user: row.get("os_user")?,
                    machine: row.get("machine")?,
                    connection: connection.zip(row.get("connection_name")?).map(|(id, name)| (id.into(), name)),
                    what: row.get("what")?,
                    details: row.get("details")?,
                    note: row.get("note")?,
                })
            })
            .unwrap();
        let previous: Hash =
            database.query_row("SELECT hash FROM audit WHERE number = ?1 - 1", [number], |row| row.get(0)).unwrap();
        let hash = entry.hash(number, &previous);
        assert_eq!(unhex(&hex(&hash)).unwrap(), hash);
        let set = "UPDATE audit SET previous = ?2, hash = ?3 WHERE number = ?1";
        database.execute(set, rusqlite::params![number, previous, hash]).unwrap();
    }
}

#[tokio::test]
async fn removed_replaced_truncated_and_restored_audits_are_found() {
    let vault = Vault::in_memory();
    let (data, old) = eight(&vault).await;
    let check =
        async |what: &str, meddle: &dyn Fn(&Connection), expected: &[(AuditProblemKind, Option<(u32, u32)>)]| {
            let found = find(data.path(), &vault, meddle).await;
            assert_eq!(told(&found), expected, "{what}: {found:?}");
            assert!(!found.holds());
            intact(&found)
        };
    let run = |sql: &'static str| move |database: &Connection| database.execute_batch(sql).unwrap();
    use AuditProblemKind::{Altered, Checkpoint, CutOff, Removed, Replaced, Seal};

    let removed = "DELETE FROM audit WHERE number IN (4, 5); DELETE FROM audit_seals";
    assert_eq!(check("middle", &run(removed), &[(Removed, Some((4, 5)))]).await, [(1, 3), (6, 8)]);
    let first = "DELETE FROM audit WHERE number = 1";
    assert_eq!(check("first", &run(first), &[(Removed, Some((1, 1)))]).await, [(2, 8)]);
    let cut = "DELETE FROM audit WHERE number > 6; DELETE FROM audit_seals WHERE number > 6";
    // The seal of entry 5 still vouches for what came before it, and nothing for entry 6.
    assert_eq!(check("end", &run(cut), &[(CutOff, Some((7, 8)))]).await, [(1, 5)]);
    let empty = "DELETE FROM audit; DELETE FROM audit_seals";
    assert_eq!(check("all", &run(empty), &[(CutOff, Some((1, 8)))]).await, []);
    let swap = "UPDATE audit SET number = 99 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;
                UPDATE audit SET number = 4 WHERE number = 99";
    let both = [(Altered, Some((3, 3))), (Altered, Some((4, 4)))];
    assert_eq!(check("swapped", &run(swap), &both).await, [(1, 2), (5, 8)]);
    let forged = |database: &Connection| {
        run("UPDATE audit SET what = 'Sent nothing' WHERE number = 4")(database);
        compute_anew(database, 4..=4);
    };
    assert_eq!(check("hash", &forged, &[(Altered, Some((4, 4)))]).await, [(1, 3), (5, 8)]);
    let forged = |database: &Connection| {
        run("UPDATE audit SET what = 'Sent nothing' WHERE number = 7")(database);
        compute_anew(database, 7..=8);
    };
    assert_eq!(check("chain", &forged, &[(Replaced, Some((6, 8)))]).await, [(1, 5)]);
    let forged = |database: &Connection| {
        run("DELETE FROM audit WHERE number = 8; UPDATE audit SET what = 'Sent nothing' WHERE number = 7")(database);
        compute_anew(database, 7..=7);
    };
    assert_eq!(check("cut and forged", &forged, &[(CutOff, Some((8, 8)))]).await, [(1, 5)]);
    let sealed = "UPDATE audit_seals SET signature = zeroblob(64) WHERE number = 8";
    assert_eq!(check("seal", &run(sealed), &[(Seal, None)]).await, [(1, 8)]);
    let deleted = "INSERT INTO audit_checkpoint SELECT 1, number, hash FROM audit WHERE number = 3;
                   DELETE FROM audit WHERE number <= 3";
    assert_eq!(check("checkpoint", &run(deleted), &[(Checkpoint, None)]).await, [(4, 8)]);

    let found = find(old.path(), &vault, |_| {}).await;
    assert_eq!((told(&found), intact(&found)), (vec![(CutOff, Some((6, 8)))], vec![(1, 5)]));
    assert!(found.problems[0].text.contains("an old copy of the database"), "{found:?}");

    // What is done afterwards is not sealed, so the copy stays at odds with the seal.
    let engine = start(old.path(), &vault).await;
    let handle = engine.handle();
    let plant = handle.connections().await.unwrap().remove(0).id;
    for _ in 0..5 {
        handle.send(led(&plant, None)).await.unwrap();
    }
    let found = handle.verify_audit().await.unwrap();
    assert_eq!((told(&found), intact(&found)), (vec![(Replaced, Some((6, 8)))], vec![(1, 5)]));
    // Sealed again, it says why, and what was missing is missing in the entry that says so.
    handle.reseal_audit(" ").await.unwrap_err();
    let found = handle.reseal_audit("restored the backup of Monday").await.unwrap();
    assert_eq!((told(&found), intact(&found)), (vec![], vec![(1, 11)]));
    let page = handle.audit(AuditQuery { limit: 1, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(page.entries[0].note.as_deref(), Some("restored the backup of Monday"));
    assert!(page.entries[0].details.as_ref().unwrap().as_str().contains("Entries 6 to 8 are not the sealed ones"));
    engine.stop().await;

    // Another keyring knows nothing of it.
    let other = find(data.path(), &Vault::in_memory(), |_| {}).await;
    assert_eq!(told(&other), [(Seal, None)]);
}

/// A database with a rollout of `identify` to three devices, started by entry 3, and what may happen to one afterwards.
async fn rolled_out(vault: &Vault) -> (TempDir, String) {
    let data = tempfile::tempdir().unwrap();
    let engine = start(data.path(), vault).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    let devices = ["pump-7", "pump-8", "pump-9"];
    let new = devices.map(|device| NewDevice { device: device.into(), ..NewDevice::default() });
    handle.add_devices(&plant, new.to_vec()).await.unwrap();
    let new = NewRollout {
        connection: plant.clone(),
        target: RolloutTarget::Devices { devices: devices.map(str::to_owned).to_vec() },
        command: RolloutCommand {
            name: "identify".into(),
            args: r#"{ "seconds": 5 }"#.to_owned().into(),
            ..RolloutCommand::default()
        },
        note: Some("find them".into()),
        ..NewRollout::default()
    };
    let rollout = handle.start_rollout(new).await.unwrap();
    handle.note_rollout(&rollout.id, Some("the pumps of the north".into())).await.unwrap();
    handle.act_on_rollout(&rollout.id, RolloutAction::Stop).await.unwrap();
    handle.forget_devices(&plant, vec!["pump-8".into()]).await.unwrap();
    let renamed = ConnectionEntry {
        id: Some(plant.clone()),
        name: "plant north".into(),
        url: "mqtt://127.0.0.1:9".into(),
        ..ConnectionEntry::default()
    };
    handle.save_connection(renamed).await.unwrap();
    engine.stop().await;
    (data, plant)
}

#[tokio::test]
async fn a_rollout_that_is_not_as_it_was_started_is_found_whatever_was_altered() {
    let vault = Vault::in_memory();
    let (data, plant) = rolled_out(&vault).await;
    let whole = find(data.path(), &vault, |_| {}).await;
    assert_eq!(told(&whole), []);
    let altered = async |sql: &str| {
        let found = find(data.path(), &vault, |database| database.execute_batch(sql).unwrap()).await;
        assert_eq!(intact(&found).len(), 1, "the entries are as they were written: {sql}");
        found
    };
    let check = async |sql: &str, expected: &str| {
        let found = altered(sql).await;
        assert_eq!(told(&found), [(AuditProblemKind::Rollout, Some((3, 3)))], "{sql}: {found:?}");
        assert_eq!(found.problems[0].text, format!("Rollout 1 was altered after entry 3: {expected}."), "{sql}");
    };
    let others = "its devices, their order or their individual arguments are different";
    check("DELETE FROM rollout_members WHERE member = 2", "it has 2 devices instead of 3").await;
    check("DELETE FROM rollout_members WHERE member = 0", "it has 2 devices instead of 3").await;
    check("DELETE FROM rollout_members", "it has 0 devices instead of 3").await;
    let added = "INSERT INTO rollout_members (rollout, member, device) VALUES (1, 3, 'pump-10')";
    check(added, "it has 4 devices instead of 3").await;
    check("UPDATE rollout_members SET device = 'pump-10' WHERE member = 1", others).await;
    let swapped = "UPDATE rollout_members SET device = iif(member = 0, 'pump-8', 'pump-7') WHERE member < 2";
    check(swapped, others).await;
    check(r#"UPDATE rollout_members SET args = '{"seconds":60}' WHERE member = 1"#, others).await;
    let moved = "UPDATE rollout_members SET member = 7 WHERE member = 2";
    check(moved, "the positions of its devices are different").await;
    check("UPDATE rollout_members SET device = 'a+b' WHERE member = 1", "it cannot be read").await;
    let command = "its command is restart instead of identify";
    check("UPDATE rollouts SET spec = json_set(spec, '$.command.name', 'restart')", command).await;
    check("UPDATE rollouts SET template = json_set(template, '$.name', 'restart')", command).await;
    let args = "its arguments are different";
    check(r#"UPDATE rollouts SET spec = json_set(spec, '$.command.args', '{"seconds":6}')"#, args).await;
    check(r#"UPDATE rollouts SET template = json_set(template, '$.args', '{"seconds":6}')"#, args).await;
    check("UPDATE rollouts SET stages = '[1,2]'", "its stages are different").await;
    check("UPDATE rollouts SET spec = json_set(spec, '$.name', 'Other')", "its name is different").await;
    let terms = "its rate, halt rule, gate, hours or timeouts are different";
    check("UPDATE rollouts SET spec = json_set(spec, '$.rate', 500)", terms).await;
    check("UPDATE rollouts SET spec = json_set(spec, '$.command.retries', 9)", terms).await;
    let halt = r#"json('{"above":{"unit":"percent","percent":90.0},"after":1,"count_timeouts":true}')"#;
    check(&format!("UPDATE rollouts SET spec = json_set(spec, '$.halt', {halt})"), terms).await;
    let delivery = "its topic, payload, timeout or delivery is different";
    check("UPDATE rollouts SET template = json_set(template, '$.policy.retries', 9)", delivery).await;
    let form = r#"UPDATE rollouts SET template = json_set(template, '$.form', json('{"topic":"{device}/other"}'))"#;
    check(form, delivery).await;
    let target = r#"UPDATE rollouts SET spec = json_set(spec, '$.target', json('{"by":"search","search":""}'))"#;
    check(target, "its target is different").await;
    check("UPDATE rollouts SET connection = 'other'", "it is stored for another connection").await;
    check("UPDATE rollouts SET spec = 'none'", "it cannot be read").await;
    let both = "UPDATE rollouts SET stages = '[]', spec = json_set(spec, '$.command.name', 'led')";
    check(both, "its command is led instead of identify, its stages are different").await;

    // An entry that was altered too is not a witness against the rollout.
    let sql = "UPDATE audit SET details = json_set(details, '$.members', 2) WHERE number = 3;
               DELETE FROM rollout_members WHERE member = 2";
    let found = find(data.path(), &vault, |database| database.execute_batch(sql).unwrap()).await;
    assert_eq!(told(&found), [(AuditProblemKind::Altered, Some((3, 3)))]);

    // With its connection a rollout is deleted, a part at a time.
    let deleted = format!("INSERT INTO removed VALUES ('{plant}'); DELETE FROM rollout_members WHERE member > 0");
    for sql in ["DELETE FROM rollout_members; DELETE FROM rollouts", &*deleted] {
        assert_eq!(told(&altered(sql).await), [], "{sql}");
    }
}

#[tokio::test]
async fn the_retention_leaves_a_checkpoint() {
    let (data, vault) = (tempfile::tempdir().unwrap(), Vault::in_memory());
    let engine = start(data.path(), &vault).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    for _ in 0..4 {
        handle.send(led(&plant, None)).await.unwrap();
    }
    let now = handle.clock.now();
    let later = wilco_ledger::Timestamp(now.0 + 10 * 86_400_000);
    assert_eq!(handle.forget_audit(9, now).await.unwrap(), 0);
    assert_eq!(handle.forget_audit(9, later).await.unwrap(), 4, "the newest stays");
    let found = handle.verify_audit().await.unwrap();
    assert_eq!((told(&found), intact(&found), found.deleted), (vec![], vec![(5, 6)], 4));
    assert_eq!(listed(&handle).await[1].2, "The retention deleted 4 entries of more than 9 days ago");
    handle.send(led(&plant, None)).await.unwrap();
    assert_eq!(handle.forget_audit(9, later).await.unwrap(), 2);
    engine.stop().await;

    let whole = find(data.path(), &vault, |_| {}).await;
    assert_eq!((told(&whole), intact(&whole), whole.deleted), (vec![], vec![(7, 8)], 6));
    let more = |database: &Connection| {
        database
            .execute_batch(
                "UPDATE audit_checkpoint SET (number, hash) = (SELECT number, hash FROM audit WHERE number = 7);
                 DELETE FROM audit WHERE number = 7",
            )
            .unwrap();
    };
    assert_eq!(told(&find(data.path(), &vault, more).await), [(AuditProblemKind::Checkpoint, None)]);
}

/// Adds an entry as another program would: chained to the last one, and without a seal.
fn forge(database: &Connection, kind: AuditKind, what: &str, details: &str) {
    let last = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";
    let (number, previous): (u32, Hash) = database.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let (number, word) = (number + 1, if kind == AuditKind::Audit { "audit" } else { "command" });
    let entry = NewAuditEntry {
        at: wilco_ledger::Timestamp(1),
        kind,
        operator: None,
        os_user: "ana".into(),
        machine: "desk".into(),
        connection: None,
        what: what.into(),
        details: details.into(),
        note: None,
    };
    let add = "INSERT INTO audit (number, at, kind, os_user, machine, what, details, previous, hash)
               VALUES (?1, 1, ?2, 'ana', 'desk', ?3, ?4, ?5, ?6)";
    let values = rusqlite::params![number, word, what, details, previous, entry.hash(number, &previous)];
    database.execute(add, values).unwrap();
}

#[tokio::test]
async fn entries_without_a_seal_at_the_start_are_named_before_they_are_sealed() {
    let vault = Vault::in_memory();
    let (data, _old) = eight(&vault).await;
    let add = |database: &Connection| forge(database, AuditKind::Command, "Sent restart to pump-7", "{}");
    let found = find(data.path(), &vault, add).await;
    // Wilco itself may have written it just before it was killed.
    assert_eq!((told(&found), intact(&found)), (vec![], vec![(1, 10)]));
    assert_eq!(found.unsealed, [AuditRange { from: 9, to: 9 }]);

    // Another one, because the keyring has the seal of the copy now.
    let vault = Vault::in_memory();
    let (data, _old) = eight(&vault).await;
    Connection::open(data.path().join(FILE_NAME)).map(|database| add(&database)).unwrap();
    let engine = start(data.path(), &vault).await;
    assert!(engine.handle().verify_audit().await.unwrap().holds());
    let (number, kind, what, _) = listed(&engine.handle()).await.pop().unwrap();
    assert_eq!((number, kind, &*what), (10, AuditKind::Audit, "Found entry 9 without a seal when Wilco started"));
    engine.stop().await;
    // It is named once, and stays named.
    let engine = start(data.path(), &vault).await;
    let found = engine.handle().verify_audit().await.unwrap();
    assert_eq!((found.entries, found.unsealed.len()), (10, 1));
    engine.stop().await;
}

#[tokio::test]
async fn nobody_but_the_retention_deletes_the_oldest_entries_unnoticed() {
    let vault = Vault::in_memory();
    let (data, _old) = eight(&vault).await;
    let delete = |database: &Connection| {
        let hash: Hash = database.query_row("SELECT hash FROM audit WHERE number = 3", [], |row| row.get(0)).unwrap();
        let details = json!({ "deleted_to": 3, "hash": hex(&hash), "signature": "00".repeat(64) }).to_string();
        let what = "The retention deleted 3 entries of more than 9 days ago";
        forge(database, AuditKind::Audit, what, &details);
        let rest = "INSERT INTO audit_checkpoint SELECT 1, number, hash FROM audit WHERE number = 3;
                    DELETE FROM audit_seals WHERE number <= 3;
                    DELETE FROM audit WHERE number <= 3";
        database.execute_batch(rest).unwrap();
    };
    let found = find(data.path(), &vault, delete).await;
    assert_eq!(told(&found), [(AuditProblemKind::Checkpoint, None)], "{found:?}");
    // Sealed again for a reason, it is the person who says so.
    Connection::open(data.path().join(FILE_NAME)).map(|database| delete(&database)).unwrap();
    let engine = start(data.path(), &vault).await;
    let found = engine.handle().reseal_audit("deleted by hand, as agreed").await.unwrap();
    assert_eq!((told(&found), found.deleted), (vec![], 3));
    engine.stop().await;
}

#[tokio::test]
async fn no_secret_is_written_down() {
    const CANARY: &str = "c4n4ry-of-the-audit";
    let (data, vault) = (tempfile::tempdir().unwrap(), Vault::in_memory());
    let engine = start(data.path(), &vault).await;
    let handle = engine.handle();
    let entry = ConnectionEntry {
        name: "secret".into(),
        url: format!("wss://127.0.0.1:9/mqtt?token={CANARY}"),
        settings: ConnectionSettings {
            username: Some("me".into()),
            proxy: Some(ProxySettings { url: "http://127.0.0.1:9".into(), username: Some("p".into()) }),
            ..ConnectionSettings::default()
        },
        password: Some(CANARY.into()),
        proxy_password: Some(CANARY.into()),
        ..ConnectionEntry::default()
    };
    let id = handle.save_connection(entry.clone()).await.unwrap().id;
    handle.save_connection(ConnectionEntry { id: Some(id.clone()), ..entry }).await.unwrap();
    let send = NewCommand {
        command: "wifi".into(),
        args: json!({ "ssid": "hall", "password": CANARY }).into(),
        ..led(&id, None)
    };
    handle.send(send).await.unwrap();
    let page = handle.audit(AuditQuery { limit: 100, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(page.entries.len(), 3);
    let all = serde_json::to_string(&page).unwrap();
    assert!(!all.contains(CANARY), "{all}");
    assert!(all.contains("secrets_replaced") && all.contains("proxy password"), "{all}");
    handle.remove_connection(&id).await.unwrap();
    engine.stop().await;
    let database = Connection::open(data.path().join(FILE_NAME)).unwrap();
    let sql = "SELECT count(*) FROM audit WHERE instr(details || what || coalesce(note, ''), ?1) > 0";
    assert_eq!(database.query_row(sql, [CANARY], |row| row.get::<_, u32>(0)).unwrap(), 0);
}

#[tokio::test]
async fn changes_that_cannot_be_stored_do_not_happen() {
    let (data, vault) = (tempfile::tempdir().unwrap(), Vault::in_memory());
    let engine = start(data.path(), &vault).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    let database = Connection::open(data.path().join(FILE_NAME)).unwrap();
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END";
    database.execute_batch(refuse).unwrap();
    handle.send(led(&plant, None)).await.unwrap_err();
    let before = handle.settings().await.unwrap();
    handle.change_settings(Settings { timeout_s: 77, ..before.clone() }).await.unwrap_err();
    let tagged = handle.tag_devices(&plant, vec!["pump-7".into()], "north").await;
    tagged.unwrap_err();
    assert_eq!(handle.settings().await.unwrap(), before);
    assert_eq!(handle.store.command_count(None).await.unwrap(), 0);
    assert_eq!(listed(&handle).await.len(), 1);
    database.execute_batch("DROP TRIGGER full").unwrap();
    handle.send(led(&plant, None)).await.unwrap();
    assert_eq!(listed(&handle).await.len(), 2);
    engine.stop().await;
}
