//! The echo device: plays all devices of the benchmark and answers each request immediately with *succeeded*.
//!
//! It remembers nothing and refuses nothing. Real devices are slower; this benchmark measures everything but them.

use anyhow::{Context, Result, bail};
use rumqttc_v5::{AsyncClient, Event, Packet, PublishOptions, QoS};
use serde_json::{Value, json};

use crate::client::{self, Files};
use crate::wilco::SILENT_NAME;

/// The line that it prints when it is ready.
pub(crate) const READY: &str = "ready";

/// Answers until its broker is gone.
pub(crate) async fn echo(url: &str, files: Option<Files>) -> Result<()> {
    let (client, mut events) = client::open("bench-echo", url, files.as_ref())?;
    client.subscribe("+/+/req", QoS::AtLeastOnce).await?;
    loop {
        match events.poll().await.context("the connection of the echo device has ended")? {
            Event::Incoming(Packet::SubAck(_)) => println!("{READY}"),
            Event::Incoming(Packet::Publish(publish)) => {
                answer(&client, std::str::from_utf8(&publish.topic)?, &publish.payload)?;
            }
            _ => {}
        }
    }
}

fn answer(client: &AsyncClient, topic: &str, request: &[u8]) -> Result<()> {
    let Some(device) = topic.strip_suffix("/req") else { bail!("{topic} is not a request topic") };
    if device.rsplit('/').next().is_some_and(|name| name.starts_with(SILENT_NAME)) {
        return Ok(());
    }
    let request: Value = serde_json::from_slice(request).with_context(|| format!("a request on {topic}"))?;
    let answer = json!({ "id": request["id"], "status": "succeeded" }).to_string();
    client.try_publish(format!("{device}/resp"), answer, PublishOptions::at_least_once())?;
    Ok(())
}
