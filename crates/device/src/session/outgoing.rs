//! The messages of a device: answers, its log and reports; and its log lines about them.

use rumqttc_v5::{PublishOptions, PublishProperties};
use tokio::time::Instant;
use tracing::{Level, error, info, warn};
use wilco_dialect::{
    Channel,
    device_side::{self, Response},
};
use wilco_ledger::{CommandId, Millis, Outcome};

use super::{Due, Session};
use crate::{clock, device::Action, faults::AnswerPlan};

/// How long an answer waits for others to overtake it.
const HELD_BACK: Millis = Millis(1_000);
/// The maximum length of a message in the log, in bytes.
const NOTED: usize = 300;

impl Session {
    pub(super) fn answer(&mut self, response: &Response) {
        let to = response.id.as_ref().map_or("a request without an ID", CommandId::as_str);
        let why = response.message.as_deref().map(|why| format!(": {}", beginning(why))).unwrap_or_default();
        self.note(Level::INFO, &format!("answers {to}: {}{why}", response.outcome.state().as_str()));
        let fate = self.device_settings.faults.plan_of(response, &mut self.accidents);
        let mut delay = Millis(self.random.within(&self.device_settings.pace.delay));
        if response.outcome == Outcome::Accepted {
            delay = delay + Millis(self.random.within(&self.device_settings.pace.accept));
        }
        self.send_after(delay, fate);
    }

    pub(super) fn say(&mut self, text: String) {
        self.note(Level::INFO, &format!("says {}", beginning(&text)));
        let fate = self.device_settings.faults.plan_of_text(text, &mut self.accidents);
        let delay = Millis(self.random.within(&self.device_settings.pace.delay));
        self.send_after(delay, fate);
    }

    /// Publishes the log in chunks. The network delays each chunk, and the answer, separately.
    pub(super) fn send_log(&mut self, id: &CommandId, lines: Option<usize>) -> Vec<Action> {
        let text = match self.logbook.read(lines) {
            Ok(text) => text,
            Err(error) => return self.device.log_sent(id, Err(&error.to_string()), clock::now()),
        };
        let (chunks, receipt) = device_side::cut_log(id, &text);
        self.note(Level::INFO, &format!("sends {} bytes of its log, chunks: {}", text.len(), chunks.len()));
        for chunk in &chunks {
            let fate = self.device_settings.faults.plan_of_chunk(chunk, &mut self.accidents);
            let delay = Millis(self.random.within(&self.device_settings.pace.delay));
            self.send_after(delay, fate);
        }
        self.device.log_sent(id, Ok(&receipt), clock::now())
    }

    fn send_after(&mut self, delay: Millis, fate: AnswerPlan) {
        let delay = if fate.held_back { delay + HELD_BACK } else { delay };
        if delay == Millis(0) {
            self.send(&fate);
        } else {
            self.later(delay, Due::Send(fate));
        }
    }

    pub(super) fn send(&self, fate: &AnswerPlan) {
        let properties = PublishProperties {
            correlation_data: fate.id.as_ref().map(|id| id.as_str().to_owned().into_bytes().into()),
            content_type: Some(fate.content_type.to_owned()),
            ..PublishProperties::default()
        };
        for _ in 0..fate.copies {
            let options = PublishOptions::at_least_once().properties(properties.clone());
            self.publish(fate.channel, fate.payload.clone(), options);
        }
    }

    pub(super) fn report_status(&self) {
        let payload = self.device.status_payload(&self.device_settings.firmware, &self.device_settings.tags);
        self.publish(Channel::Status, payload, PublishOptions::at_least_once().retained());
    }

    pub(super) fn report_state(&self) {
        self.publish(Channel::State, self.device.state_payload(), PublishOptions::at_least_once().retained());
    }

    /// Measures now, and schedules the next measurement.
    pub(super) fn measure(&mut self) {
        let payload = self.sensors.payload(clock::now());
        self.publish(Channel::Telemetry, payload, PublishOptions::at_most_once());
        if let Some(interval) = self.device.telemetry_interval() {
            self.later(interval, Due::Telemetry);
        }
    }

    pub(super) fn publish(&self, channel: Channel, payload: Vec<u8>, options: PublishOptions) {
        if let Err(error) = self.client.try_publish(self.topic(channel), payload, options) {
            warn!(device = %self.device_settings.id, "could not publish a message: {error}");
        }
    }

    pub(super) fn topic(&self, channel: Channel) -> String {
        self.around.endpoint.topics.of(&self.device_settings.id, channel)
    }

    pub(super) fn later(&mut self, delay: Millis, due: Due) {
        self.timer_queue.add(Instant::now() + std::time::Duration::from_millis(delay.0), due);
    }

    /// Logs an event in the device's log and in the program's.
    pub(super) fn note(&mut self, level: Level, what: &str) {
        match level {
            Level::ERROR => error!(device = %self.device_settings.id, "{what}"),
            Level::WARN => warn!(device = %self.device_settings.id, "{what}"),
            _ => info!(device = %self.device_settings.id, "{what}"),
        }
        if let Err(error) = self.logbook.note(clock::now(), level, what) {
            warn!(device = %self.device_settings.id, "could not write the log: {error}");
        }
    }
}

/// The part of a text that is logged.
pub(super) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(NOTED)]
}
