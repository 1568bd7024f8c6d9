//! A minimal console: it publishes requests and returns received messages one by one.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rumqttc_v5::{AsyncClient, Event, MqttOptions, NetworkOptions, Packet, PublishOptions, QoS};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// Nothing here takes a second; on a busy machine it may.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Console {
    client: AsyncClient,
    prefix: String,
    heard: mpsc::UnboundedReceiver<(String, Value, Option<String>)>,
    /// Messages that arrived while others were expected.
    skipped: VecDeque<(String, Value, Option<String>)>,
    /// The Correlation Data of the last message handed out.
    pub(crate) correlation: Option<String>,
    polling: JoinHandle<()>,
}

impl Console {
    pub(crate) async fn connect(url: &str, prefix: &str) -> Console {
        let (host, port) = url.trim_start_matches("mqtt://").split_once(':').expect("host and port");
        let mut options = MqttOptions::new("console", (host.to_owned(), port.parse::<u16>().expect("a port")));
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network).set_max_packet_size(Some(1 << 20));
        let (client, mut event_loop) = AsyncClient::builder(options).capacity(100).build();
        let (sender, heard) = mpsc::unbounded_channel();
        let (ready_sender, mut ready) = mpsc::unbounded_channel();
        let cut = prefix.to_owned();
        let polling = tokio::spawn(async move {
            while let Ok(event) = event_loop.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => drop(ready_sender.send(())),
                    Event::Incoming(Packet::Publish(publish)) => {
                        let topic = String::from_utf8_lossy(&publish.topic);
                        let topic = topic.strip_prefix(&cut).unwrap_or(&topic).to_owned();
                        let payload = serde_json::from_slice(&publish.payload)
                            .unwrap_or_else(|_| String::from_utf8_lossy(&publish.payload).into());
                        let correlation = publish.properties.and_then(|properties| properties.correlation_data);
                        let correlation = correlation.map(|id| String::from_utf8_lossy(&id).into_owned());
                        drop(sender.send((topic, payload, correlation)));
                    }
                    _ => {}
                }
            }
        });
        for channel in ["resp", "status", "state", "telemetry", "log"] {
            client.subscribe(format!("{prefix}+/{channel}"), QoS::AtLeastOnce).await.expect("subscribed");
            timeout(PATIENCE, ready.recv()).await.expect("in time").expect("a SUBACK");
        }
        Console { client, prefix: prefix.to_owned(), heard, skipped: VecDeque::new(), correlation: None, polling }
    }

    pub(crate) async fn ask(&self, device: &str, id: &str, command: &str, args: Value) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
        let now = i64::try_from(now).expect("a time");
        let request = json!({
            "id": id, "command": command, "args": args, "issued_at": now, "expires_at": now + 60_000, "attempt": 1,
        });
        self.publish(&format!("{device}/req"), request.to_string().as_bytes(), false).await;
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &[u8], retain: bool) {
        let options = PublishOptions::at_least_once().retain(retain);
        let notice = self
            .client
            .publish_tracked(format!("{}{topic}", self.prefix), payload.to_vec(), options)
            .await
            .expect("published");
        timeout(PATIENCE, notice.wait_async()).await.expect("in time").expect("a PUBACK");
    }

    /// The next message, whatever it is.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let (topic, payload, correlation) = match self.skipped.pop_front() {
            Some(message) => message,
            None => timeout(PATIENCE, self.heard.recv()).await.expect("a message in time").expect("a connection"),
        };
        self.correlation = correlation;
        (topic, payload)
    }

    /// Everything that comes until nothing has come for so long.
    pub(crate) async fn rest(&mut self, quiet: Duration) -> Vec<(String, Value)> {
        let mut all: Vec<_> = self.skipped.drain(..).map(|(topic, payload, _)| (topic, payload)).collect();
        while let Ok(Some((topic, payload, _))) = timeout(quiet, self.heard.recv()).await {
            all.push((topic, payload));
        }
        all
    }

    /// The next message on this topic that is as expected. Those on the same topic that are not are left out; those
    /// on other topics are kept for later.
    pub(crate) async fn expect(&mut self, topic: &str, expected: impl Fn(&Value) -> bool) -> Value {
        let mut kept = VecDeque::new();
        loop {
            let (heard_on, payload) = self.next().await;
            if heard_on != topic {
                kept.push_back((heard_on, payload, self.correlation.clone()));
            } else if expected(&payload) {
                kept.append(&mut self.skipped);
                self.skipped = kept;
                return payload;
            }
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.polling.abort();
    }
}
