//! Warns about devices that are not known to be online before a command is sent to them.

use tokio::time::{Instant, sleep};
use wilco_engine::api::{Client, ConnectionView, FailureCode, Presence};

use crate::{
    base::Base,
    link,
    output::{count, visible_name},
    problem::{self, Problem},
};

/// Up to this number of devices are looked up one by one.
const ONE_BY_ONE: usize = 200;

/// Device IDs that are not known to be online. A newly started engine must first receive the presence: the delivery of
/// a command depends on it when it is sent.
pub(crate) async fn of(base: &Base, connection: &ConnectionView, devices: &[String]) -> Result<Vec<String>, Problem> {
    let console = base.console();
    if devices.len() > ONE_BY_ONE {
        if base.is_own() {
            link::settled(console, &connection.id, link::STATUS_QUIET, link::STATUS_WITHIN).await?;
        }
        return Ok(Vec::new());
    }
    let mut give_up = Instant::now();
    if base.is_own() {
        give_up += link::STATUS_QUIET;
    }
    let mut away = Vec::new();
    let mut unknown = devices.to_vec();
    loop {
        let mut still = Vec::new();
        for device in unknown {
            match presence(console, &connection.id, &device).await? {
                Presence::Online => {}
                Presence::Offline => away.push(device),
                Presence::Unknown => still.push(device),
            }
        }
        unknown = still;
        if unknown.is_empty() || Instant::now() >= give_up {
            away.extend(unknown);
            return Ok(away);
        }
        sleep(link::STATUS_QUIET / 20).await;
    }
}

async fn presence(console: &Client, connection: &str, device: &str) -> Result<Presence, Problem> {
    match console.device(connection, device).await {
        Ok(detail) => Ok(detail.row.presence),
        Err(failure) if failure.code == FailureCode::NotFound => Ok(Presence::Unknown),
        Err(failure) => Err(failure.into()),
    }
}

/// Waiting for such a device takes longer than the timeout, so `wilco` warns beforehand. `hint` says what to do.
pub(crate) fn say(away: &[String], hint: &str) {
    if let Some(message) = sentence(away) {
        problem::warn(&message, Some(hint));
    }
}

fn sentence(away: &[String]) -> Option<String> {
    let names = match away {
        [] => return None,
        [one] => format!("{} is", visible_name(one)),
        [one, other] => format!("{} and {} are", visible_name(one), visible_name(other)),
        [one, ..] => format!("{} and {} others are", visible_name(one), count(away.len() - 1)),
    };
    Some(format!("{names} not known to be online."))
}
