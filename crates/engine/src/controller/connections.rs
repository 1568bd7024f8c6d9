//! Adds, changes and removes connections.
//!
//! What is stored of one that is added is read in a task, and nothing of it can change meanwhile: it has no ledger yet.

use std::time::Duration;

use tokio::sync::oneshot;
use wilco_dialect::WireIds;
use wilco_ledger::Input;

use super::{Connection, Controller, loading::restored};
use crate::{
    absent::not_found,
    api::{AuditKind, ConnectionView, Failure, FailureCode, LinkState, RolloutView},
    dialects::EnabledDialects,
    mqtt::Session,
    profile::Opening,
    store::{ConnectionId, StoreError},
};

impl Controller {
    /// A stored profile becomes a connection; one of the same ID is replaced.
    pub(super) fn open(&mut self, opening: Opening, reply: oneshot::Sender<Result<ConnectionView, Failure>>) {
        let id = opening.profile.id.clone();
        let enabled = match EnabledDialects::of(&opening.profile) {
            Ok(enabled) => enabled,
            Err(failure) => {
                let _ = reply.send(Err(failure));
                return;
            }
        };
        if self.connections.contains_key(&id) {
            self.replace(opening, enabled);
            let _ = reply.send(self.view_of(&id));
            return;
        }
        let (loader, now) = (self.loader.clone(), self.clock.now());
        let of = id.clone();
        self.after_task(async move { loader.read(&of, now).await }, move |controller, stored| {
            let view = match stored {
                // One that could not be read at the start may have been read meanwhile.
                Ok(_) if controller.connections.contains_key(&id) => {
                    controller.replace(opening, enabled);
                    controller.view_of(&id)
                }
                Ok(stored) => {
                    let beginning = WireIds::beginning(controller.chance.number());
                    let now = controller.clock.now();
                    let (connection, remembered) = restored(opening.profile.clone(), enabled, stored, beginning, now);
                    controller.begin(opening, connection, remembered);
                    controller.view_of(&id)
                }
                Err(failure) => Err(failure),
            };
            let _ = reply.send(view);
        });
    }

    fn view_of(&self, id: &ConnectionId) -> Result<ConnectionView, Failure> {
        self.connections.get(id).map(Connection::view).ok_or_else(|| not_found("connection", id.as_str()))
    }

    /// A connection is there, with what is stored of it: its session begins.
    pub(super) fn begin(
        &mut self,
        opening: Opening,
        mut connection: Connection,
        remembered: Result<Vec<RolloutView>, StoreError>,
    ) {
        let id = connection.id().clone();
        self.unloaded.remove(&id);
        // A demo fleet that is not running is nothing to be tried again and again.
        let asleep = connection.profile.demo && connection.profile.url.is_empty();
        self.generations += 1;
        connection.generation = self.generations;
        self.shared_connections.write().insert(id.clone(), connection.shared());
        let generation = connection.generation;
        if asleep {
            connection.link = asleep_link();
        }
        self.connections.insert(id.clone(), connection);
        self.restored(&id, remembered);
        self.feed.connections();
        if !asleep {
            self.background.prepare(&self.tell, opening, generation, Duration::ZERO);
        }
        self.loading.end(&id);
    }

    /// Handles a changed profile. The connection's commands and devices stay; its session is replaced when the previous
    /// one has ended.
    fn replace(&mut self, opening: Opening, enabled: EnabledDialects) {
        let Opening { profile, certificates } = opening;
        let id = profile.id.clone();
        self.generations += 1;
        let generation = self.generations;
        let Some(known) = self.connections.get_mut(&id) else { return };
        let asleep = profile.demo && profile.url.is_empty();
        let ending = known.replace(profile, enabled, generation);
        known.link = if asleep { asleep_link() } else { LinkState::Connecting };
        let (profile, shared) = (known.profile.clone(), known.shared());
        self.shared_connections.write().insert(id.clone(), shared);
        self.feed.connections();
        self.record(&id, Input::Disconnected);
        self.resumed(&id);
        self.withdraw_unsent(&id);
        self.pause_where_not_approved(&id);
        self.pause_unconfirmed(&id);
        self.pending_batch.urgent = true;
        if asleep {
            close_beside(ending);
        } else {
            let opening = Opening { profile, certificates };
            self.background.prepare_after(ending, &self.tell, opening, generation, Duration::ZERO);
        }
    }

    /// A connection ends, and is forgotten once that is on the disk. From now on nothing happens to it, so nothing of it is
    /// written after its removal.
    pub(super) fn remove(&mut self, id: ConnectionId, reply: oneshot::Sender<Result<(), Failure>>) {
        let Some(connection) = self.connections.remove(&id) else {
            let _ = reply.send(Err(not_found("connection", id.as_str())));
            return;
        };
        let name = connection.profile.name.clone();
        let entry = self.audit.entry(AuditKind::Connection, format!("Removed connection {name} with its history"));
        let store = self.store.audited(entry.on(&id, &name));
        self.leaving = Some(connection);
        // What has gathered of it is written first, so that the store deletes it with the rest.
        self.after_commit(move |controller, stored| match stored {
            Ok(()) => {
                let of = id.clone();
                let removal = async move { store.remove_connection(&of).await };
                controller.after_task(removal, move |controller, removed| {
                    let removed = removed.map_err(Failure::from);
                    controller.removed(&id, &removed);
                    let _ = reply.send(removed);
                });
            }
            Err(failure) => {
                // It is read again with the others.
                controller.connections.extend(controller.leaving.take().map(|connection| (id, connection)));
                let _ = reply.send(Err(failure));
            }
        });
    }

    /// Handles the result of removing a connection from the store.
    fn removed(&mut self, id: &ConnectionId, removed: &Result<(), Failure>) {
        let Some(mut connection) = self.leaving.take() else { return };
        let Err(failure) = removed else {
            self.forget(id, connection.session);
            return;
        };
        // It has missed what has happened since, so its next session begins with what is stored.
        connection.unread = Some(failure.clone());
        self.connections.insert(id.clone(), connection);
        self.restart(id, Some(failure.clone()));
    }

    /// Handles a removed connection.
    fn forget(&mut self, id: &ConnectionId, session: Option<Session>) {
        self.telemetry.forget(id);
        self.quota.forget_connection(id);
        let of_it = |view: &mut RolloutView| view.spec.connection != id.as_str();
        self.shown.write().retain(|_, view| of_it(view));
        self.shared_connections.write().remove(id);
        close_beside(session);
        self.feed.connections();
    }
}

/// Disconnects a session in the background, because a hanging broker may take long.
fn close_beside(session: Option<Session>) {
    if let Some(session) = session {
        tokio::spawn(session.close());
    }
}

/// A demo fleet that is not running.
fn asleep_link() -> LinkState {
    LinkState::Stopped {
        code: FailureCode::Connection,
        message: "The demo fleet is not running.".into(),
        hint: Some("Start it in the app.".into()),
    }
}
