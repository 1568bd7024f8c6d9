use serde_json::Value;
use wilco_dialect::Reported;
use wilco_ledger::{DeviceId, Timestamp};

use crate::{
    api::{DeviceRow, Presence},
    store::StoredDevice,
    views::Standing,
};

/// What is known of one device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) presence: Presence,
    pub(crate) presence_since: Option<Timestamp>,
    pub(crate) led: Option<bool>,
    pub(crate) seen_at: Option<Timestamp>,
    pub(crate) firmware: Option<String>,
    pub(crate) boot: Option<String>,
    pub(crate) tags: Vec<String>,
    /// What it last reported of itself, as it came.
    pub(crate) state: Option<Value>,
    pub(crate) reported_at: Option<Timestamp>,
    pub(crate) trip_ms: Option<f64>,
    pub(crate) last_command: Option<Standing>,
    pub(super) news: News,
}

/// Whether a device is listed among those that are different since somebody last asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct News {
    pub(super) changed: bool,
    pub(super) unsaved: bool,
}

impl Device {
    pub(crate) fn new(id: DeviceId) -> Device {
        Device {
            id,
            presence: Presence::Unknown,
            presence_since: None,
            led: None,
            seen_at: None,
            firmware: None,
            boot: None,
            tags: Vec::new(),
            state: None,
            reported_at: None,
            trip_ms: None,
            last_command: None,
            news: News::default(),
        }
    }

    pub(crate) fn restore(stored: StoredDevice) -> Device {
        Device {
            // What was true when the program last ran is not known to be true now.
            presence: Presence::Unknown,
            presence_since: stored.presence_since,
            led: stored.led,
            seen_at: stored.seen_at,
            firmware: stored.firmware,
            boot: stored.boot,
            tags: stored.tags,
            state: stored.state,
            reported_at: stored.reported_at,
            trip_ms: stored.trip_ms,
            last_command: None,
            news: News::default(),
            id: stored.device,
        }
    }

    pub(crate) fn stored(&self) -> StoredDevice {
        StoredDevice {
            device: self.id.clone(),
            online: match self.presence {
                Presence::Online => Some(true),
                Presence::Offline => Some(false),
                Presence::Unknown => None,
            },
            presence_since: self.presence_since,
            led: self.led,
            seen_at: self.seen_at,
            firmware: self.firmware.clone(),
            boot: self.boot.clone(),
            tags: self.tags.clone(),
            state: self.state.clone(),
            reported_at: self.reported_at,
            trip_ms: self.trip_ms,
        }
    }

    pub(crate) fn row(&self, connection: &str) -> DeviceRow {
        DeviceRow {
            connection: connection.to_owned(),
            device: self.id.as_str().to_owned(),
            presence: self.presence,
            presence_since: self.presence_since.map(|at| at.0),
            led: self.led,
            last_command: self.last_command.as_ref().map(|last| last.view(connection)),
            seen_at: self.seen_at.map(|at| at.0),
            firmware: self.firmware.clone(),
            boot: self.boot.clone(),
            tags: self.tags.clone(),
            trip_ms: self.trip_ms,
        }
    }

    /// Notes what the device reports of itself, or has reported at some time: then the same report keeps its time.
    pub(crate) fn report(&mut self, state: Value, at: Option<Timestamp>) {
        self.led = Reported::of(&state).led.or(self.led);
        let is_same = self.state.as_ref() == Some(&state);
        self.reported_at = at.or(self.reported_at.filter(|_| is_same));
        self.state = Some(state);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use serde_json::json;
    use wilco_ledger::{DeviceId, Timestamp};

    use super::Device;

    #[test]
    fn what_a_broker_has_kept_was_not_reported_now() {
        let mut device = Device::new(DeviceId::new("pump-7").unwrap());
        let mut check = |led: bool, at: Option<i64>, expected: Option<i64>| {
            device.report(json!({"led": led}), at.map(Timestamp));
            assert_eq!((device.led, device.reported_at), (Some(led), expected.map(Timestamp)));
        };
        check(true, None, None);
        check(true, Some(7), Some(7));
        // After the next start it comes again.
        check(true, None, Some(7));
        check(false, None, None);
        check(false, Some(9), Some(9));
    }
}
