//! The public interface of the engine: start it, call it, stop it.

mod approvals;
mod audit;
mod buttons;
mod catalogue;
mod commands;
mod connections;
mod desired;
mod device_files;
mod device_passwords;
mod devices;
mod dialects;
mod dispatch;
mod drafts;
mod engine;
mod evidence;
mod evidence_file;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod fleet;
pub(crate) mod history;
mod history_check;
mod import_export;
#[cfg(test)]
mod loading;
mod logs;
#[cfg(test)]
mod numbers;
mod offers;
#[cfg(test)]
mod recorded;
mod retention;
mod rollouts;
mod saved_views;
mod settings;
#[cfg(test)]
mod store_waits;
mod telemetry;
#[cfg(test)]
mod time;
mod times;
mod traffic;
mod trial;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU32},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};
use wilco_dialect::StateReport;
use wilco_ledger::{CommandId, DeviceId, Disagreement};

use crate::{
    api::{
        Batch, CommandDetail, ConnectionView, DeviceDetail, DisagreementView, EventView, Failure, JsonText,
        RequestOrigin,
    },
    audit::Audit,
    catalogue::Catalogue,
    clock::Clock,
    controller::{Event, Needs, Request, SerialChange, SharedConnection},
    evidence_quota::EvidenceQuota,
    loading::Loaded,
    profile::{self, Opening, device_id},
    rollouts::ShownRollouts,
    secret_changes::SecretChanges,
    settings::SharedSettings,
    shell_line::shell_line,
    staged_credentials::StagedCredentials,
    store::{ConnectionId, Evidence, Store, StoredRequest},
    telemetry::Telemetry,
    unanswered::{defect, stopping},
    vault::Vault,
    views,
};

use crate::{
    absent::{no_rollout, not_found},
    new_command::{beyond, command_id, fresh_id, usual_delivery},
    shared_connection::SharedConnections,
};

#[cfg(test)]
pub(crate) use engine::WithoutRoom;
pub use engine::{Engine, Options};
use export::Export;
use trial::Trial;

/// The ID of the connection to the demo fleet inside the app.
pub const DEMO: &str = "demo";

/// Calls a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    store: Store,
    vault: Arc<Vault>,
    secrets: SecretChanges,
    staged: Arc<StagedCredentials>,
    trial: Arc<Trial>,
    export: Arc<Export>,
    /// The import of devices that is in progress.
    device_import: Arc<Export>,
    settings: SharedSettings,
    catalogue: Arc<Catalogue>,
    shared_connections: SharedConnections,
    loaded: Loaded,
    telemetry: Arc<Telemetry>,
    /// Every rollout as it is on the disk.
    rollouts: ShownRollouts,
    /// The number that the last rollout has.
    last_rollout: Arc<AtomicU32>,
    /// The room that evidence has.
    quota: EvidenceQuota,
    audit: Audit,
    /// One at a time.
    sealing: Arc<tokio::sync::Mutex<()>>,
    /// The newest entry of the audit at the start, until it is known whether it was sealed then.
    unsealed_to: Arc<AtomicU32>,
    clock: Clock,
    installation: Arc<str>,
    data_dir: Arc<Path>,
}

impl Handle {
    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// All connections in the user's order, including those that are still being loaded.
    ///
    /// # Errors
    /// [`FailureCode::Internal`](crate::api::FailureCode) if the engine is stopping; the same applies to the methods
    /// below.
    pub async fn connections(&self) -> Result<Vec<ConnectionView>, Failure> {
        self.request(Request::Connections).await
    }

    /// Everything about one device.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for an unknown device.
    pub async fn device(&self, connection: &str, device: &str) -> Result<DeviceDetail, Failure> {
        let id = ConnectionId::from(connection);
        let device = device_id(device)?;
        let shared = self.shared(connection).await?;
        let described = shared.dialects.as_ref().and_then(|dialects| crate::dialects::read(dialects).view(&device));
        let (row, note, [reported_at, restarted_at], running_config, saved_config, telemetry_interval_ms) = {
            let fleet = shared.fleet;
            let fleet = fleet.read();
            let known = fleet.get(&device).ok_or_else(|| not_found("device", device.as_str()))?;
            let reported = known.state.as_deref().map(StateReport::of).unwrap_or_default();
            let [running, saved] =
                [reported.running, reported.saved].map(|config| config.map(|text| JsonText::of(&text)));
            let interval = reported.telemetry_interval_ms;
            let note = known.annotation.as_ref().and_then(|annotation| annotation.note.clone());
            let times = [known.reported_at, known.restart.map(|restart| restart.at)].map(|at| at.map(|at| at.0));
            (fleet.row(connection, known), note, times, running, saved, interval)
        };
        let (commands, command_count) = self.store.last_commands(&id, &device, 8).await?;
        let commands = commands.iter().map(|command| views::command(id.as_str(), command, None)).collect();
        let unmatched = views::unmatched(&self.store.unmatched(&id, &device, 5).await?);
        Ok(DeviceDetail {
            row,
            note,
            reported_at,
            restarted_at,
            running_config,
            saved_config,
            telemetry_interval_ms,
            commands,
            command_count,
            unmatched,
            evidence_bytes: self.quota.of_device(&id, &device),
            discarded: self.store.discarded(&id, &device).await?.as_ref().map(views::discarded),
            described,
        })
    }

    /// A command with all its evidence.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode).
    pub async fn command(&self, connection: &str, device: &str, id: &str) -> Result<CommandDetail, Failure> {
        let (connection, device, command_id) = (ConnectionId::from(connection), device_id(device)?, command_id(id)?);
        let evidence = self.store.evidence(&connection, &device, &command_id).await?;
        let Evidence { command, events, left_out, discarded } = evidence.ok_or_else(|| not_found("command", id))?;
        let profile = self.store.connection(&connection).await?;
        let shell_line = profile.as_ref().and_then(|profile| {
            let known = self.catalogue.find(&connection, &command.submission.name);
            shell_line(&profile.name, &command, known.kind(), &self.settings.get())
        });
        let stored = self.store.request(&connection, &device, &command_id).await?;
        let (request, request_is) = match stored {
            Some(StoredRequest { raw, heard }) => {
                let request_is = if heard { RequestOrigin::Observed } else { RequestOrigin::Sent };
                (Some(views::raw(&raw)), request_is)
            }
            None if command.submission.form.as_ref().is_some_and(|form| form.unwritable.is_some()) => {
                (None, RequestOrigin::Planned)
            }
            // Nothing has gone out, so this is what would.
            None => {
                let dialect = profile.and_then(|profile| profile::dialect(&profile).ok());
                let request = dialect.map(|dialect| {
                    let outbound = dialect.encode(&device, &views::encoding(&command, 1), command.submitted_at);
                    views::wire(&outbound.topic, &outbound.payload, 1)
                });
                (request, RequestOrigin::Planned)
            }
        };
        Ok(CommandDetail {
            request_is,
            command: views::command(connection.as_str(), &command, None),
            request,
            events: views::course(&events),
            left_out,
            discarded: discarded.as_ref().map(views::discarded),
            disagrees: self.disagreement(&connection, &device, &command_id).await?,
            shell_line,
        })
    }

    /// The difference between a device's report and its answer to this command, now or in the past.
    async fn disagreement(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<DisagreementView>, Failure> {
        if let Some(now) = self.disagrees_now(connection, device, command).await {
            return Ok(Some(views::disagreement(&now)));
        }
        let stored = self.store.disagreement(connection, device, command).await?;
        Ok(stored.map(|of| views::disagreed(&of, true)))
    }

    /// The current difference between a device's report and its answer to this command.
    async fn disagrees_now(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Option<Box<Disagreement>> {
        let shared = self.shared(connection.as_str()).await.ok()?;
        let fleet = shared.fleet.read();
        fleet.get(device)?.disagreement.clone().filter(|of| of.command == *command)
    }

    /// The latest answers of a device that belong to no command (unknown ID, retained, and so on), newest first.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn unmatched(&self, connection: &str, device: &str, limit: u32) -> Result<Vec<EventView>, Failure> {
        let (connection, device) = (ConnectionId::from(connection), device_id(device)?);
        let unmatched = self.store.unmatched(&connection, &device, limit.clamp(1, 1_000)).await?;
        Ok(views::unmatched(&unmatched))
    }

    /// Streams all changes from now on in batches; the first contains all connections.
    ///
    /// # Errors
    /// [`FailureCode::Internal`](crate::api::FailureCode) if the engine is stopping.
    pub async fn listen(&self) -> Result<mpsc::Receiver<Batch>, Failure> {
        self.request(Request::Listen).await
    }

    /// Stops the controller, and with it the sessions and the store.
    async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.events.send(Event::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn open(&self, opening: impl Into<Opening>) -> Result<ConnectionView, Failure> {
        let opening = Box::new(opening.into());
        self.request(|reply| Request::InTurn(SerialChange::Open(opening, reply))).await?
    }

    /// The shared view of a connection. Waits while the connection is being loaded.
    async fn shared(&self, connection: &str) -> Result<SharedConnection, Failure> {
        let id = ConnectionId::from(connection);
        self.loaded.one(&id).await?;
        let shared_connections = self.shared_connections.read();
        shared_connections.get(&id).cloned().ok_or_else(|| not_found("connection", connection))
    }

    /// Sends a request that has no reply.
    async fn post(&self, request: Request) {
        // The receiver is dropped only when the engine stops.
        if self.loaded_for(&request).await.is_ok() {
            let _ = self.events.send(Event::Request(request)).await;
        }
    }

    /// Waits until every connection is loaded, or could not be read; 60 seconds at most.
    pub(crate) async fn until_loaded(&self) -> Result<(), Failure> {
        self.loaded.all().await.map(drop)
    }

    /// Waits until everything that this call needs is loaded.
    async fn loaded_for(&self, request: &Request) -> Result<(), Failure> {
        match request.needs() {
            Needs::Nothing => Ok(()),
            Needs::Connection(id) => self.loaded.one(&id).await,
            Needs::Read(id) => self.loaded.read(&id).await.map(drop),
            Needs::All => self.loaded.all().await.map(drop),
        }
    }

    async fn request<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let request = request(reply);
        self.loaded_for(&request).await?;
        self.events.send(Event::Request(request)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }
}

/// Does what may wait for a disk on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(defect)?
}
