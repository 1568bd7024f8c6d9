//! Rules for every new command: its ID, its delivery while the device is offline, and whether the connection receives the
//! device's answers.

use uuid::Uuid;
use wilco_dialect::CommandKind;
use wilco_ledger::{CommandId, Delivery};

use crate::api::{Failure, invalid, sentence};

/// Validates a command ID that a user entered.
pub(crate) fn command_id(text: &str) -> Result<CommandId, Failure> {
    CommandId::new(text).map_err(|error| invalid(sentence(&error.to_string()), "Copy it from the history."))
}

/// The ID of a new command.
pub(crate) fn fresh_id() -> Result<CommandId, Failure> {
    command_id(&Uuid::now_v7().to_string())
}

/// The default delivery of a command to a device that is known to be offline. A dangerous command is sent now or never:
/// nobody wants a device to restart long after it was requested. All others wait here, where they can still be
/// cancelled.
pub(crate) fn usual_delivery(kind: Option<&CommandKind>) -> Delivery {
    if kind.is_some_and(|kind| kind.dangerous) { Delivery::Now } else { Delivery::HoldHere }
}

/// Why a connection that names its devices commands no others: it does not listen to them.
pub(crate) fn beyond<'a>(named: &[String], mut asked: impl Iterator<Item = &'a str>) -> Option<Failure> {
    let other = asked.find(|device| !named.is_empty() && named.iter().all(|name| name != device))?;
    Some(invalid(
        format!(
            "This connection is limited to certain devices, and '{other}' is not one of them, so Wilco would not \
                 receive its answer."
        ),
        "Edit the connection and add it under Only these devices, if the broker's ACL allows it.",
    ))
}
