//! Virtual devices that imitate the chosen ones: their IDs, firmware, tags and usual answer times.

use std::ops::RangeInclusive;

use wilco_device::{device_settings::DeviceSettings, faults::Pace};
use wilco_engine::api::{Failure, FailureCode, FaultDials, Presence, RehearsalPlan, RehearsedDevice, RolloutTarget};
use wilco_ledger::DeviceId;

use crate::device_dials;

/// The devices of a rehearsal.
pub(crate) struct VirtualDevices {
    pub(crate) online: Vec<DeviceSettings>,
    /// Known, and not there.
    pub(crate) offline: Vec<DeviceSettings>,
}

pub(crate) fn virtual_devices(plan: &RehearsalPlan, dials: &FaultDials) -> Result<VirtualDevices, Failure> {
    let broadcasts = matches!(plan.rollout.target, RolloutTarget::Broadcast { .. });
    let command = plan.rollout.command.name.as_str();
    let mut personas = Vec::with_capacity(plan.devices.len());
    for device in &plan.devices {
        personas.push(device_settings(device, command, broadcasts)?);
    }
    let personas = device_dials(dials).turn(personas);
    let (offline, online): (Vec<_>, Vec<_>) =
        personas.into_iter().zip(&plan.devices).partition(|(_, device)| device.presence == Presence::Offline);
    let without =
        |pairs: Vec<(DeviceSettings, _)>| pairs.into_iter().map(|(device_settings, _)| device_settings).collect();
    Ok(VirtualDevices { online: without(online), offline: without(offline) })
}

fn device_settings(device: &RehearsedDevice, command: &str, broadcasts: bool) -> Result<DeviceSettings, Failure> {
    let id = DeviceId::new(&device.device).map_err(|error| Failure {
        code: FailureCode::Invalid,
        message: format!("The device ID cannot be used in a rehearsal: {error}."),
        hint: None,
    })?;
    let usual = spread(device.p50_ms, device.p95_ms);
    let pace = match command {
        // The answer comes after the restart, so that is what takes the time.
        "restart" => Pace { reboot: usual, ..Pace::default() },
        // It takes as long as it blinks.
        "identify" => Pace::default(),
        _ => Pace { work: usual.clone(), reboot: usual, ..Pace::default() },
    };
    Ok(DeviceSettings {
        firmware: device.firmware.clone().unwrap_or_default(),
        tags: device.tags.clone(),
        broadcasts,
        led: device.led,
        telemetry: None,
        pace,
        accepts_any: true,
        ..DeviceSettings::new(id)
    })
}

/// Times around the median, up to the slowest that are usual, in milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither negative nor NaN; it saturates")]
fn spread(p50_ms: f64, p95_ms: f64) -> RangeInclusive<u64> {
    let slowest = p95_ms.max(p50_ms).max(0.0);
    let fastest = (p50_ms - (slowest - p50_ms)).max(0.0);
    fastest.round() as u64..=slowest.round() as u64
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn answer_times_spread_around_their_median() {
        assert_eq!(spread(100.0, 150.0), 50..=150);
        assert_eq!(spread(100.0, 1_000.0), 0..=1_000);
        assert_eq!(spread(200.0, 200.0), 200..=200);
        assert_eq!(spread(0.0, 0.0), 0..=0);
    }
}
