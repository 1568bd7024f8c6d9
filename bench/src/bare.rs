//! A bare client of the MQTT library that Wilco uses: it keeps its requests in memory and stores nothing.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rumqttc_v5::{AsyncClient, Event, EventLoop, Packet, PublishOptions, PublishProperties, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::client::{self, Files};
use crate::course::{ANSWER_TIMEOUT, device};

const PREFIX: &str = "bare";

/// A connected client.
pub(crate) struct Bare {
    client: AsyncClient,
    /// The ids of the answers.
    answers: mpsc::UnboundedReceiver<String>,
}

impl Bare {
    /// Connects and subscribes.
    pub(crate) async fn connect(url: &str, files: Option<&Files>) -> Result<Self> {
        let (client, events) = client::open("bench-bare", url, files)?;
        let (tell, mut answers) = mpsc::unbounded_channel();
        client.subscribe(format!("{PREFIX}/+/resp"), QoS::AtLeastOnce).await?;
        tokio::spawn(hear(events, tell));
        // The SUBACK is told as an empty id.
        answers.recv().await.context("the bare client could not subscribe")?;
        Ok(Self { client, answers })
    }

    /// Sends a command to each of so many devices, and waits for all their answers.
    pub(crate) async fn command(&mut self, devices: usize) -> Result<Duration> {
        let begun = Instant::now();
        let mut pending = HashSet::with_capacity(devices);
        for number in 0..devices {
            let id = Uuid::now_v7().to_string();
            self.publish(number, &id).await?;
            pending.insert(id);
        }
        while !pending.is_empty() {
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.answers.recv()).await;
            let id = answer.context("the bare client received no answer")?;
            pending.remove(&id.context("the bare client's connection has ended")?);
        }
        Ok(begun.elapsed())
    }

    async fn publish(&self, number: usize, id: &str) -> Result<()> {
        let topic = format!("{PREFIX}/{}", device(number));
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let request = json!({
            "id": id, "command": "led", "args": { "on": true },
            "issued_at": now, "expires_at": now + 60_000, "attempt": 1,
        });
        let options = PublishOptions::at_least_once().properties(PublishProperties {
            payload_format_indicator: Some(1),
            message_expiry_interval: Some(60),
            response_topic: Some(format!("{topic}/resp")),
            correlation_data: Some(id.as_bytes().to_vec().into()),
            content_type: Some("application/json".to_owned()),
            ..PublishProperties::default()
        });
        Ok(self.client.publish(format!("{topic}/req"), request.to_string(), options).await?)
    }
}

async fn hear(mut events: EventLoop, tell: mpsc::UnboundedSender<String>) {
    while let Ok(event) = events.poll().await {
        let id = match event {
            Event::Incoming(Packet::SubAck(_)) => Some(String::new()),
            Event::Incoming(Packet::Publish(publish)) => serde_json::from_slice::<Value>(&publish.payload)
                .ok()
                .and_then(|answer| answer["id"].as_str().map(str::to_owned)),
            _ => None,
        };
        if id.is_some_and(|id| tell.send(id).is_err()) {
            return;
        }
    }
}
