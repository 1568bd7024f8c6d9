//! Devices that send too fast: only the newest of their reports is read, and messages of other devices do not wait.

use wilco_ledger::Timestamp;

use super::{Controller, connection::Connection};
use crate::mqtt::{Message, MqttSender};

impl Connection {
    /// Hands a message back that is to be read now. A report beyond the rate waits, in the place of an older one; it is no
    /// evidence, so it is acknowledged at once.
    pub(super) fn within_rate(&mut self, sender: &MqttSender, mut message: Message, now: Timestamp) -> Option<Message> {
        let device = self.dialect.device_of(&message.topic);
        if let Some(device) = &device {
            self.rates.arrived(device, now);
        }
        if message.retained || !self.may_wait(&message.topic, device.is_some()) {
            return Some(message);
        }
        let (topic, receipt) = (message.topic.clone(), message.receipt.take());
        let waiting = (sender.clone(), message);
        let passed = match &device {
            Some(device) if !self.can_settle() => self.rates.report(&topic, device, waiting, now),
            device => self.rates.other_report(&topic, device.as_ref(), waiting, now),
        };
        match passed {
            Some((_, message)) => Some(Message { receipt, ..message }),
            None => {
                if let Some(receipt) = receipt {
                    sender.acknowledge(receipt);
                }
                None
            }
        }
    }

    /// Whether messages on this topic replace each other. A gate checks every measurement. `own`: it looks like a topic of
    /// Wilco's own dialect.
    fn may_wait(&self, topic: &str, own: bool) -> bool {
        let is_watched = self.dialect.is_telemetry(topic) && self.rollouts.watches_measurements();
        if own { self.dialect.is_report(topic) && !is_watched } else { self.dialects.is_some() }
    }

    /// Whether reports of other firmware may settle commands in progress.
    fn can_settle(&self) -> bool {
        self.dialects.is_some() && self.ledger.counts().in_flight > 0
    }
}

impl Controller {
    /// Reads the reports that have waited for long enough.
    pub(super) fn read_due(&mut self, now: Timestamp) {
        let mut due = Vec::new();
        for known in self.connections.values_mut() {
            let id = known.id().clone();
            due.extend(known.rates.due(now).into_iter().map(|(sender, message)| (id.clone(), sender, message)));
        }
        for (connection, sender, message) in due {
            self.read_message(&connection, &sender, message);
        }
    }

    /// Shows which devices sent more in the last second than was read.
    pub(super) fn show_rates(&mut self, now: Timestamp) {
        for known in self.connections.values_mut() {
            for (device, per_second) in known.rates.close_second(now) {
                let mut fleet = known.fleet();
                if fleet.get(&device).is_some() {
                    fleet.update(&device, |device| device.over_rate = per_second);
                }
            }
        }
    }
}
