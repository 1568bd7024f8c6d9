//! The presence of devices, as reported by devices and by the broker.

use wilco_dialect::LifecycleEvent;
use wilco_ledger::{DeviceId, Input, Timestamp};

use super::Controller;
use crate::{api::Presence, profile, store::ConnectionId};

impl Controller {
    /// A device has published, so it is online. A retained message only shows that it was.
    pub(super) fn spoke(&mut self, connection: &ConnectionId, device: &DeviceId, retained: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if retained {
            // The time of that report is unknown.
            known.fleet().update(device, |_| ());
        } else if known.draining.is_some() {
            known.fleet().note_message(device, now);
        } else if known.fleet().spoke(device, now) || known.ledger.awaits_return(device, now) {
            self.record(connection, Input::DeviceSeen { device: device.clone() });
        }
    }

    /// The broker's event about a client's connection. Consoles are clients too, but not devices.
    pub(super) fn lifecycle(&mut self, connection: &ConnectionId, device: DeviceId, event: LifecycleEvent) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if device.as_str() == known.profile.client_id || profile::is_made_client_id(device.as_str()) {
            return;
        }
        if !self.admits_device(connection, &device, false) {
            return;
        }
        let Some(known) = self.connections.get_mut(connection) else { return };
        if let Some(online) = known.lifecycle(&device, event, now) {
            self.present(connection, device, online);
        }
    }

    /// Devices whose end was doubted, and is no more.
    pub(super) fn believe_gone(&mut self, now: Timestamp) {
        let gone: Vec<_> = self
            .connections
            .values_mut()
            .flat_map(|known| {
                let id = known.id().clone();
                known.gone(now).into_iter().map(move |device| (id.clone(), device))
            })
            .collect();
        for (connection, device) in gone {
            self.present(&connection, device, false);
        }
    }

    pub(super) fn present(&mut self, connection: &ConnectionId, device: DeviceId, online: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.fleet().update(&device, |device| {
            let presence = if online { Presence::Online } else { Presence::Offline };
            if device.presence != presence {
                device.presence_since = Some(now);
            }
            device.presence = presence;
        });
        known.rollouts.presence_changed();
        // Time alone may have brought it, and then nothing else would have it handed out.
        self.feed.connections();
        self.record(connection, Input::Presence { device: device.clone(), online });
        if online {
            self.record(connection, Input::DeviceSeen { device });
        }
    }
}
