//! What the audit costs a fan-out on this disk: `cargo run --release -p wilco-engine --example audit_rates [COMMANDS]`.
//!
//! Commands are submitted in one commit: without an entry, with one entry that names them all, and with an entry for each.
//! For looking at by hand: figures differ from disk to disk.

#![expect(clippy::print_stdout, reason = "telling figures is all that it does")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::time::Instant;

use serde_json::json;
use wilco_engine::{
    api::AuditKind,
    store::{Change, ConnectionId, NewAuditEntry, Store},
};
use wilco_ledger::{
    Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, Submission, Timestamp,
};

const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let commands: usize = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    for name in ["no entry", "one entry", "an entry each"] {
        let dir = tempfile::tempdir()?;
        let store = Store::open(dir.path())?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let submitted: Vec<_> = (0..commands).map(submitted).collect::<Result<_, _>>()?;
            let ids = submitted.iter().map(|(device, id, _)| json!([device, id])).collect::<Vec<_>>();
            let entries: Vec<_> = match name {
                "no entry" => Vec::new(),
                "one entry" => vec![entry(&json!({ "command": "led", "args": "{\"on\":true}", "sent": ids }))],
                _ => ids.iter().map(|one| entry(&json!({ "command": "led", "args": "{}", "sent": [one] }))).collect(),
            };
            let entries = entries.into_iter().map(|entry| Change::Audit(Box::new(entry)));
            let changes: Vec<_> = entries.chain(submitted.into_iter().map(|(.., change)| change)).collect();
            let begun = Instant::now();
            store.commit(changes).await?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            store.command_count(None).await?;
        }
        times.sort_by(f64::total_cmp);
        store.close().await?;
        let bytes = std::fs::metadata(dir.path().join(wilco_engine::store::FILE_NAME))?.len() / (ROUNDS as u64);
        println!("{commands} commands, {name}: median {:.0} ms, {} kB each time", times[ROUNDS / 2], bytes / 1_000);
    }
    Ok(())
}

fn entry(details: &serde_json::Value) -> NewAuditEntry {
    NewAuditEntry {
        at: Timestamp(1_800_000_000_000),
        kind: AuditKind::Command,
        operator: Some("Ana".into()),
        os_user: "ana".into(),
        machine: "desk-3".into(),
        connection: Some((ConnectionId::from("rates"), "plant".into())),
        what: "Sent led".into(),
        details: details.to_string(),
        note: None,
    }
}

fn submitted(number: usize) -> Result<(String, String, Change), Box<dyn std::error::Error>> {
    let (device, id) = (format!("sensor-{number:05}"), uuid::Uuid::now_v7().to_string());
    let asked = Submission {
        device: DeviceId::new(device.clone())?,
        id: CommandId::new(id.clone())?,
        name: "led".into(),
        args: r#"{"on":true}"#.into(),
        form: None,
        policy: Policy {
            delivery: Delivery::Now,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            retry: Retry { permitted: true, limit: 3, pause: Millis::seconds(1) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    };
    let (of, command) = (asked.device.clone(), Some(asked.id.clone()));
    let fact = Fact::Submitted { asked: asked.into(), origin: Origin::Here };
    let event = Event { device: of, command, at: Timestamp(1_800_000_000_000), fact };
    let command = Command::begin(&event).map(Into::into);
    Ok((device, id, Change::Event { connection: "rates".into(), event, command }))
}
