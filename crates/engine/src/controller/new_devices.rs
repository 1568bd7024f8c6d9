//! Decides whether unknown device IDs are listed when very many arrive at once.

use wilco_dialect::{Changes, DecodedMessage, Meaning};
use wilco_ledger::{Answer, Claim, DeviceId, Timestamp};

use super::{Controller, connection::Connection};
use crate::{
    dialects::{self, Interpretation, Reading, SharedDialects},
    store::ConnectionId,
};

impl Connection {
    /// Whether a device's message is processed: the device is listed, or may be.
    fn admits(&mut self, device: &DeviceId, retained: bool, now: Timestamp) -> bool {
        // Where devices are named, nothing else is subscribed.
        !self.profile.settings.devices_named.is_empty()
            || self.fleet().get(device).is_some()
            || self.new_devices.admits(device, retained, now)
    }

    /// Whether an answer refers to a command in memory, whichever device sent it.
    fn knows_command_of(&self, answer: &Answer) -> bool {
        let claimed = match &answer.claim {
            Claim::Id(id) => Some(id),
            Claim::Within(_) | Claim::Nothing | Claim::State => None,
        };
        claimed.into_iter().chain(&answer.correlation).any(|id| self.ledger.is_known(&answer.device, id))
    }
}

impl Controller {
    /// Whether what a message means is acted on. Otherwise it is a device's that is not listed, because too many new ones
    /// came at once.
    pub(super) fn admits(&mut self, connection: &ConnectionId, meant: &Interpretation) -> bool {
        let Some(known) = self.connections.get(connection) else { return true };
        match &meant.meaning {
            // Other clients connect to the broker too: see [`Controller::lifecycle`].
            Meaning::Message(DecodedMessage::Lifecycle { .. }) => return true,
            Meaning::Message(DecodedMessage::Answer(answer)) if known.knows_command_of(answer) => return true,
            _ => {}
        }
        let device = dialects::device_of(&meant.meaning);
        device.is_none_or(|device| self.admits_device(connection, device, meant.retained))
    }

    /// Whether a device is listed, or may be.
    pub(super) fn admits_device(&mut self, connection: &ConnectionId, device: &DeviceId, retained: bool) -> bool {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return true };
        let before = known.new_devices.left_out();
        let admits = known.admits(device, retained, now);
        if !admits && before == 0 {
            let name = &known.profile.name;
            self.feed.notice_of(
                connection,
                format!("Too many new device IDs arrived at once on {name}, so Wilco does not list all of them."),
                format!(
                    "The first is {device}. Check which program publishes under these IDs. Listed devices are not \
                     affected. Other devices appear when they publish again after 10 seconds."
                ),
            );
        }
        admits
    }

    /// Of the devices that a message makes known, those that may be listed.
    pub(super) fn admit_found(
        &mut self,
        connection: &ConnectionId,
        dialects: &SharedDialects,
        mut reading: Reading,
        retained: bool,
    ) -> Reading {
        if reading.changes == Changes::default() {
            return reading;
        }
        let mut left_out = Vec::new();
        reading.changes.listed.retain(|device| {
            let admits = self.admits_device(connection, device, retained);
            if !admits {
                left_out.push(device.clone());
            }
            admits
        });
        if !left_out.is_empty() {
            let is_left_out =
                |meant: &Interpretation| dialects::device_of(&meant.meaning).is_some_and(|id| left_out.contains(id));
            reading.meant.retain(|meant| !is_left_out(meant));
            let mut dialects = dialects::write(dialects);
            for device in &left_out {
                dialects.forget(device);
            }
        }
        reading
    }
}
