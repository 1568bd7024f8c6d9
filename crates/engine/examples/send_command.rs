//! The engine as a library: connects to a broker, sends one command, and prints its states until the device has answered.
//!
//! `cargo run -p wilco-engine --example send_command -- mqtt://localhost:1883 pump-7 led '{"on":true}'`
//!
//! A device that answers: `cargo run -p wilco-device -- --url mqtt://localhost:1883 --id pump-7`.

#![expect(clippy::print_stdout, reason = "printing is all that an example does")]

use std::error::Error;

use wilco_engine::{
    Engine, Options,
    api::{ConnectionEntry, NewCommand},
    paths::DataDir,
    vault::Vault,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, device, command, args] = &arguments[..] else {
        return Err("Usage: send_command URL DEVICE COMMAND ARGS".into());
    };

    // The store of this run, beside the one of the app. Secrets stay in memory.
    let data_dir = DataDir::open(Some(&std::env::temp_dir().join("wilco-example")))?;
    let engine = Engine::start(Options { data_dir, vault: Vault::in_memory(), passing: true }).await?;
    let handle = engine.handle();

    let known = handle.connections().await?.into_iter().find(|known| known.url == *url);
    let connection = match known {
        Some(known) => known.id,
        None => {
            let entry = ConnectionEntry { name: "Example".into(), url: url.clone(), ..ConnectionEntry::default() };
            handle.save_connection(entry).await?.id
        }
    };

    // Listening begins before sending, so that no change is missed.
    let mut changes = handle.listen().await?;
    let new = NewCommand {
        connection,
        devices: vec![device.clone()],
        command: command.clone(),
        args: serde_json::from_str::<serde_json::Value>(args)?.into(),
        ..NewCommand::default()
    };
    let sent = handle.send(new).await?;

    'states: while let Some(batch) = changes.recv().await {
        for view in batch.commands.iter().filter(|view| sent.ids.contains(&view.id)) {
            println!("{} {}", view.state, view.message.as_deref().unwrap_or_default());
            if view.is_final {
                break 'states;
            }
        }
    }
    engine.stop().await;
    Ok(())
}
