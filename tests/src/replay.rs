//! A device of other firmware that replays recorded answers.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::broker::Broker;
use crate::child::Child;

/// A counterpart that hears the requests of recorded exchanges and publishes what came back then, under the id that the
/// request has now.
#[derive(Debug)]
pub struct Replay {
    _listening: Child,
}

impl Replay {
    /// Starts one for this exchange: a line of a file of exchanges.
    ///
    /// # Errors
    /// When mosquitto's client cannot be started.
    pub fn start(broker: &Broker, exchange: &Value) -> Result<Self> {
        let topic = exchange["request"]["topic"].as_str().context("the exchange has no request")?;
        let mut listening = broker.listen_to(topic, &["-F", "%p"])?;
        let requests = listening.take_output().context("nothing to read")?;
        let client = broker.client("mosquitto_pub");
        let exchange = exchange.clone();
        thread::spawn(move || {
            for request in BufReader::new(requests).lines().map_while(Result::ok) {
                for (topic, payload, retained) in answers(&exchange, &request) {
                    let retain: &[&str] = if retained { &["-r"] } else { &[] };
                    let mut publish = Command::new(client.get_program());
                    publish.args(client.get_args()).args(["-q", "1", "-t", &topic, "-m", &payload]).args(retain);
                    if !publish.status().is_ok_and(|status| status.success()) {
                        return;
                    }
                }
            }
        });
        Ok(Self { _listening: listening })
    }
}

/// The recording, with the IDs and the console's name of this request.
fn answers(exchange: &Value, request: &str) -> Vec<(String, String, bool)> {
    let recorded = exchange["request"]["payload"].as_str().unwrap_or_default();
    let mut replacements: Vec<(String, String)> = Vec::new();
    if let (Ok(then), Ok(now)) = (serde_json::from_str::<Value>(recorded), serde_json::from_str::<Value>(request)) {
        for member in ["src", "transaction", "tid", "clientToken", "id"] {
            if let (Some(then), Some(now)) = (then.get(member), now.get(member)) {
                match (then.as_str(), now.as_str()) {
                    (Some(then), Some(now)) => replacements.push((then.to_owned(), now.to_owned())),
                    // A number stands for itself only as a member of that name.
                    _ => replacements.push((format!("\"{member}\":{then}"), format!("\"{member}\":{now}"))),
                }
            }
        }
    }
    let now = |text: &str| replacements.iter().fold(text.to_owned(), |text, (then, now)| text.replace(then, now));
    let answers = exchange["answers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let answer = |one: &Value| {
        let text = |member: &str| one[member].as_str().map(now).unwrap_or_default();
        (text("topic"), text("payload"), one["retained"] == true)
    };
    answers.iter().map(answer).collect()
}
