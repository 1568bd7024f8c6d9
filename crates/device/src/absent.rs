//! Known devices that are absent: their retained status is offline.

use std::time::Duration;

use rumqttc_v5::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::time::timeout;
use uuid::Uuid;
use wilco_dialect::{Channel, device_side};

use crate::{device_settings::DeviceSettings, endpoint::Endpoint};

/// How long the broker may take to acknowledge a message.
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The statuses could not be published.
#[derive(Debug, thiserror::Error)]
#[error("the status of an offline device could not be published: {0}")]
pub struct AbsentError(String);

/// Publishes for each device that it is offline, as its last will would. Returns when the broker has acknowledged
/// everything.
///
/// # Errors
/// [`AbsentError`] if the broker cannot be reached or does not acknowledge within 10 s.
pub async fn announce(
    endpoint: &Endpoint,
    devices: impl IntoIterator<Item = &DeviceSettings>,
) -> Result<(), AbsentError> {
    let failed = |error: &dyn std::fmt::Display| AbsentError(error.to_string());
    // A client ID that no device has.
    let client_id = format!("wilco-absent-{}", Uuid::new_v4().simple());
    let mut options = MqttOptions::new(client_id, (endpoint.host.clone(), endpoint.port));
    options.set_transport(endpoint.transport.clone());
    let (client, mut event_loop) = AsyncClient::builder(options).unbounded().build();
    let mut open = 0_usize;
    for device_settings in devices {
        let payload = device_side::write_offline(&device_settings.firmware, &device_settings.tags);
        let topic = endpoint.topics.of(&device_settings.id, Channel::Status);
        client
            .try_publish(topic, payload, PublishOptions::at_least_once().retained())
            .map_err(|error| failed(&error))?;
        open += 1;
    }
    while open > 0 {
        let event =
            timeout(ACKNOWLEDGEMENT_TIMEOUT, event_loop.poll()).await.map_err(|_| failed(&"no acknowledgement"))?;
        if let Event::Incoming(Packet::PubAck(_)) = event.map_err(|error| failed(&error))? {
            open -= 1;
        }
    }
    // Without a DISCONNECT: it has no will.
    Ok(())
}
