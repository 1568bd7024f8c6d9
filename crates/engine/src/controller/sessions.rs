//! Starts, restarts and ends the sessions of connections.

use std::time::Duration;

use wilco_ledger::{Input, Millis};

use super::{Controller, Event, connection::Draining};
use crate::{
    api::{Failure, FailureCode, LinkState},
    mqtt::Session,
    profile::{self, Ready},
    store::ConnectionId,
};

/// Longest wait for a connection after a start, before commands may time out without it.
pub(super) const LONGEST_DRAIN: Millis = Millis::seconds(30);

impl Controller {
    /// Timing out waits until what the broker kept has been read.
    pub(super) fn resumed(&mut self, connection: &ConnectionId) {
        let until = self.clock.now() + LONGEST_DRAIN;
        self.record(connection, Input::Resumed);
        if let Some(known) = self.connections.get_mut(connection) {
            known.draining = Some(Draining { until, quiet_at: None, marker: None });
        }
    }

    /// Ends a connection's session and begins another, at once or after a pause to let a failure pass.
    pub(super) fn restart(&mut self, connection: &ConnectionId, because: Option<Failure>) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        self.generations += 1;
        known.generation = self.generations;
        known.sender = None;
        drop(known.session.take());
        let pause = if because.is_some() { Duration::from_secs(5) } else { Duration::ZERO };
        known.link = match because {
            Some(failure) => LinkState::Waiting {
                message: failure.message,
                hint: failure.hint,
                retry_at: self.clock.now().0 + 5_000,
            },
            None => LinkState::Connecting,
        };
        self.feed.connections();
        let (profile, generation) = (known.profile.clone(), known.generation);
        self.record(connection, Input::Disconnected);
        self.background.prepare(&self.tell, profile.into(), generation, pause);
    }

    pub(super) async fn prepared(
        &mut self,
        connection: &ConnectionId,
        generation: u64,
        ready: Result<Box<Ready>, Failure>,
    ) {
        // The store could not be read before, or had no room, so the loop waits for it here (decision 27): until it can, this
        // connection can do nothing.
        let full = self.store.find_room().await.err();
        if full.is_none() && self.connections.get(connection).is_some_and(|known| known.unread.is_some()) {
            self.settle().await;
            self.reload(connection).await;
        }
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection).filter(|known| known.generation == generation) else {
            return;
        };
        // No session begins before what it brings can be stored.
        let refused = full.map(Failure::from).or_else(|| known.unread.clone());
        match refused.map_or(ready, Err) {
            Ok(ready) => {
                let Ready { settings, certificate, passwords } = *ready;
                known.set_passwords(passwords);
                // The keyring is changed first, so what was stored may be of the certificate before.
                profile::certify(&mut known.profile, certificate);
                let id = connection.clone();
                known.session = Some(Session::start(settings, self.tell.clone(), move |event| Event::Link {
                    connection: id.clone(),
                    generation,
                    event,
                }));
            }
            // A keyring may be unlocked and a disk have room again any moment, so they are asked again.
            Err(failure) if matches!(failure.code, FailureCode::Keyring | FailureCode::Store) => {
                known.link =
                    LinkState::Waiting { message: failure.message, hint: failure.hint, retry_at: now.0 + 15_000 };
                let profile = known.profile.clone();
                self.background.prepare(&self.tell, profile.into(), generation, Duration::from_secs(15));
            }
            Err(failure) => {
                known.link = LinkState::Stopped { code: failure.code, message: failure.message, hint: failure.hint };
            }
        }
        self.feed.connections();
    }

    pub(super) async fn close(mut self) {
        let sessions: Vec<_> = self.connections.values_mut().filter_map(|known| known.session.take()).collect();
        for session in sessions {
            session.close().await;
        }
        // The last events of the closing sessions are not waited for: it is as if the program had
        // been killed here, which is always safe.
        self.shared_connections.write().clear();
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the store could not be closed");
        }
    }
}
