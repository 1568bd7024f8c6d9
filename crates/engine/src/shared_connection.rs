//! The shared view of a connection: its fleet, its dialects, and its mode.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use wilco_dialect::Dialect;
use wilco_ledger::{CommandId, DeviceId};

use crate::{
    api::{Confirmed, ConnectionMode, Failure, invalid},
    catalogue::Known,
    dialects::{self, Prepared, SharedDialects},
    fleet::Fleet,
    store::{ConnectionId, NewMember},
};

/// The fleets and dialects by connection, for readers.
pub(crate) type SharedConnections = Arc<RwLock<HashMap<ConnectionId, SharedConnection>>>;

/// The devices of a connection, read by queries while the controller changes them.
pub(crate) type SharedFleet = Arc<RwLock<Fleet>>;

/// The shared view of a connection.
#[derive(Clone)]
pub(crate) struct SharedConnection {
    pub(crate) fleet: SharedFleet,
    /// Wilco's own dialect here.
    pub(crate) dialect: Dialect,
    /// Where there are others than Wilco's own.
    pub(crate) dialects: Option<SharedDialects>,
    /// The only devices that are listened to; all where empty.
    pub(crate) named: Arc<[String]>,
    /// The name of the connection.
    pub(crate) name: Arc<str>,
    /// The mode.
    pub(crate) mode: ConnectionMode,
    /// Requests name the operator.
    pub(crate) send_operator: bool,
    /// Dangerous rollouts wait for the approval of a second installation.
    pub(crate) needs_approval: bool,
}

impl SharedConnection {
    /// Whether a command may be sent with what a person has confirmed. `grave`: it is dangerous, or for more than one
    /// device.
    ///
    /// # Errors
    /// As [`ConnectionMode::permit_confirmed`].
    pub(crate) fn permit(&self, grave: bool, confirmed: &Confirmed) -> Result<(), Failure> {
        self.mode.permit_confirmed(&self.name, grave, confirmed)
    }

    /// Whether a command for several devices waits for the approval of a second installation: the one place that decides.
    pub(crate) fn needs_approval(&self, command: &Known) -> bool {
        self.needs_approval && command.is_dangerous()
    }

    /// Whether a command may be sent to so many devices at once, and not as a rollout, which alone can be approved.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode).
    pub(crate) fn permit_unapproved(&self, command: &Known, devices: usize) -> Result<(), Failure> {
        if devices < 2 || !self.needs_approval(command) {
            return Ok(());
        }
        let name = command.kind().map_or("The command", |kind| &kind.name);
        Err(invalid(
            format!(
                "On the connection '{}', {name} to several devices needs the approval of a second installation.",
                self.name
            ),
            "Start it as a rollout, which can be approved.",
        ))
    }

    /// How a device is asked by its own dialect; nothing for one that speaks Wilco's own.
    ///
    /// # Errors
    /// A sentence: why it cannot be asked like this.
    pub(crate) fn prepare(
        &self,
        device: &DeviceId,
        command: &str,
        args: &str,
        id: &CommandId,
    ) -> Option<Result<Prepared, String>> {
        let prepared =
            self.dialects.as_ref().and_then(|dialects| dialects::write(dialects).prepare(device, command, args, id));
        prepared.or_else(|| self.not_enabled(device).map(Err))
    }

    /// The same for one that is only considered.
    pub(crate) fn consider(&self, device: &DeviceId, command: &str, args: &str) -> Option<Result<Prepared, String>> {
        let considered =
            self.dialects.as_ref().and_then(|dialects| dialects::read(dialects).consider(device, command, args));
        considered.or_else(|| self.not_enabled(device).map(Err))
    }

    /// The first of these members in each dialect, with the name of that.
    pub(crate) fn first_in_each_dialect<'m>(&self, members: &'m [NewMember]) -> Vec<(String, &'m NewMember)> {
        let Some(dialects) = &self.dialects else {
            return members.first().map(|member| (self.dialect.name().to_owned(), member)).into_iter().collect();
        };
        let dialects = dialects::read(dialects);
        let mut found: Vec<(String, &NewMember)> = Vec::new();
        for member in members {
            let dialect = dialects.dialect_of(&member.device).unwrap_or_else(|| self.dialect.name());
            if found.iter().all(|(known, _)| known != dialect) {
                found.push((dialect.to_owned(), member));
            }
        }
        found
    }

    /// The device that is meant by a name, which may be its id.
    pub(crate) fn resolve(&self, name: &str) -> Option<DeviceId> {
        self.dialects.as_ref().and_then(|dialects| dialects::read(dialects).named(name))
    }

    /// The device was found by a dialect that no longer knows it.
    fn not_enabled(&self, device: &DeviceId) -> Option<String> {
        let fleet = self.fleet.read();
        let description = fleet.get(device)?.description.as_ref()?;
        let dialect = fleet.title(&description.dialect);
        Some(format!("'{device}' uses {dialect}, but is not announced on this connection now."))
    }
}
