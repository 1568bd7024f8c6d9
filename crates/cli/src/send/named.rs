//! Devices of other firmware: waits until they are found, and resolves the names that they announce.

use std::{collections::HashMap, time::Duration};

use wilco_engine::api::{ConnectionView, DeviceCheck};

use crate::{
    base::Base,
    devices, link,
    output::{clean, visible_name},
    problem::{self, Problem},
};

/// All retained messages of devices have arrived when their number has not changed for this long.
const FOUND_QUIET: Duration = Duration::from_millis(500);
const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// Whether other dialects than Wilco's own are enabled.
pub(crate) fn has_other_dialects(connection: &ConnectionView) -> bool {
    connection.settings.dialects.iter().any(|dialect| dialect.name != "wilco" && dialect.name != "text")
}

/// The IDs of these devices, each of which may be given by its ID or by a unique name. A newly started engine must
/// first find the devices.
pub(crate) async fn devices(
    base: &Base,
    connection: &ConnectionView,
    named: Vec<String>,
) -> Result<Vec<String>, Problem> {
    if !has_other_dialects(connection) {
        return Ok(named);
    }
    if base.is_own() {
        link::settled(base.console(), &connection.id, FOUND_QUIET, FOUND_WITHIN).await?;
    }
    let rows = devices::all(base.console(), &connection.id, "").await?;
    let mut ids: HashMap<&str, Option<&str>> = HashMap::new();
    for row in &rows {
        let name = row.name.as_deref().unwrap_or(&row.device);
        ids.entry(name).and_modify(|id| *id = None).or_insert(Some(&row.device));
    }
    for row in &rows {
        ids.insert(&row.device, Some(&row.device));
    }
    Ok(named.iter().map(|name| ids.get(name.as_str()).copied().flatten().unwrap_or(name).to_owned()).collect())
}

/// Says which devices another console's command has not finished on.
pub(crate) fn say_busy(checks: &[DeviceCheck]) {
    for check in checks {
        let name = visible_name(check.name.as_deref().unwrap_or(&check.device)).into_owned();
        if let Some(busy) = &check.busy {
            problem::warn(&format!("{name} is busy. {}", clean(busy)), Some("Wilco sends the command anyway."));
        }
    }
}

/// Says what is known before a command is sent.
pub(crate) fn say(checks: &[DeviceCheck]) {
    for check in checks {
        let name = visible_name(check.name.as_deref().unwrap_or(&check.device)).into_owned();
        if let Some(already) = &check.already {
            let hint = "Many devices report nothing if nothing changes, so the command may end as unconfirmed or time \
                        out.";
            problem::warn(
                &format!("{name} already reports {}.", clean(already)),
                Some(hint).filter(|_| check.may_stay_silent),
            );
        }
        if let Some(silent) = &check.silent {
            problem::warn(&format!("{name} will not confirm it. {}", clean(silent)), None);
        }
    }
}
