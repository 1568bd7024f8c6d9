//! What people and programs ask of the engine.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use wilco_ledger::{CommandId, DeviceId, Input, Submission, Timestamp};

use super::{Connection, Controller, Event};
use crate::{
    api::{Batch, ConnectionView, Failure, FailureCode, LinkState, Notice, invalid},
    console::not_found,
    news::Herald,
    profile,
    store::{ConnectionId, Profile},
    traffic::Tap,
    vault::Vault,
    views::Standing,
};

/// Commands forgotten in one commit: everybody else waits that long.
const FORGOTTEN_AT_ONCE: usize = 250;

/// Something asked of the controller, and where the answer goes.
pub(crate) enum Asked {
    Connections(oneshot::Sender<Vec<ConnectionView>>),
    /// A stored profile becomes a connection; one of the same id is replaced.
    Open(Box<Profile>, oneshot::Sender<Result<ConnectionView, Failure>>),
    /// A connection is ended and forgotten here. What is stored of it is not this task's.
    Forget(ConnectionId, oneshot::Sender<Result<(), Failure>>),
    /// The connections are put into this order.
    Order(Vec<ConnectionId>, oneshot::Sender<()>),
    /// The answer comes once the commands are on the disk.
    Send(ConnectionId, Vec<Submission>, oneshot::Sender<Result<(), Failure>>),
    Cancel(ConnectionId, DeviceId, CommandId, oneshot::Sender<Result<(), Failure>>),
    /// Some of the commands that ended before then are forgotten. The answer says how many, none when there are no more.
    ForgetEnded(Timestamp, oneshot::Sender<Result<usize, Failure>>),
    /// Some of a device is forgotten, it itself at last. The answer says whether there is more of it.
    ForgetDevice(ConnectionId, DeviceId, oneshot::Sender<Result<bool, Failure>>),
    /// A sentence for the person.
    Remark(Notice, oneshot::Sender<()>),
    Listen(oneshot::Sender<mpsc::Receiver<Batch>>),
    /// Messages are seen passing from now on.
    Tap(Tap, oneshot::Sender<()>),
    /// News are told from now on.
    Herald(Herald, oneshot::Sender<()>),
}

/// What is done beside the controller because it may take long.
pub(crate) struct Errands {
    pub(crate) vault: Arc<Vault>,
    /// Sessions end with the program: nothing is to be kept by the broker.
    pub(crate) passing: bool,
}

impl Errands {
    /// Fetches a connection's secrets and tells when that is done.
    pub(super) fn prepare(&self, tell: &mpsc::Sender<Event>, profile: Profile, generation: u64, pause: Duration) {
        let (vault, tell, passing) = (Arc::clone(&self.vault), tell.clone(), self.passing);
        tokio::spawn(async move {
            sleep(pause).await;
            let connection = profile.id.clone();
            let ready = profile::ready(profile, vault, passing).await.map(Box::new);
            let _ = tell.send(Event::Prepared { connection, generation, ready }).await;
        });
    }
}

impl Controller {
    pub(super) async fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Connections(reply) => {
                let _ = reply.send(super::views_of(&self.connections));
            }
            Asked::Open(profile, reply) => {
                let id = profile.id.clone();
                let opened = self.open(*profile).await;
                let view = opened.and_then(|()| {
                    self.connections.get(&id).map(Connection::view).ok_or_else(|| not_found("connection", id.as_str()))
                });
                let _ = reply.send(view);
            }
            Asked::Forget(id, reply) => {
                let forgotten = self.forget(&id).await;
                let _ = reply.send(forgotten);
            }
            Asked::Order(ids, reply) => {
                for (position, id) in (0..).zip(&ids) {
                    if let Some(known) = self.connections.get_mut(id) {
                        known.profile.position = position;
                    }
                }
                self.feed.connections();
                let _ = reply.send(());
            }
            Asked::Send(connection, submissions, reply) => {
                if !self.connections.contains_key(&connection) {
                    let _ = reply.send(Err(not_found("connection", connection.as_str())));
                    return;
                }
                for submission in submissions {
                    self.tell(&connection, Input::Submit(submission));
                }
                self.turn.replies.push(reply);
                self.turn.urgent = true;
            }
            Asked::Cancel(connection, device, id, reply) => {
                self.look_up(&connection, &device, &id).await;
                let known = self.connections.get(&connection).is_some_and(|known| known.ledger.is_known(&device, &id));
                if !known {
                    let _ = reply.send(Err(not_found("command", id.as_str())));
                    return;
                }
                self.tell(&connection, Input::Cancel { device, id });
                self.turn.replies.push(reply);
                self.turn.urgent = true;
            }
            Asked::ForgetEnded(before, reply) => {
                let _ = reply.send(self.forget_ended(before).await);
            }
            Asked::ForgetDevice(connection, device, reply) => {
                let _ = reply.send(self.forget_device(&connection, &device).await);
            }
            Asked::Remark(Notice { level, message, hint, .. }, reply) => {
                self.feed.notice(level, message, hint);
                let _ = reply.send(());
            }
            Asked::Listen(reply) => {
                let _ = reply.send(self.feed.listen());
            }
            Asked::Tap(tap, reply) => {
                self.taps.push(tap);
                let _ = reply.send(());
            }
            Asked::Herald(herald, reply) => {
                self.heralds.push(herald);
                let _ = reply.send(());
            }
        }
    }

    async fn open(&mut self, profile: Profile) -> Result<(), Failure> {
        let id = profile.id.clone();
        // What has gathered for the one that is replaced goes to the disk first, for the new one begins from there.
        self.note_devices(&id);
        self.settle().await;
        if let Some(mut before) = self.connections.remove(&id)
            && let Some(session) = before.session.take()
        {
            session.close().await;
        }
        let dialect = profile::dialect(&profile)?;
        // A demo fleet that is not running is nothing to be tried again and again.
        let asleep = profile.demo && profile.url.is_empty();
        let mut connection = Connection::new(profile, dialect);
        let devices = self.store.devices(&id).await?;
        let latest = self.store.latest_per_device(&id).await?;
        {
            let mut fleet = connection.fleet();
            *fleet = crate::fleet::Fleet::restore(devices);
            for command in latest {
                fleet.command(Standing { command: Arc::new(command), deadline: None });
            }
        }
        self.generations += 1;
        connection.generation = self.generations;
        self.directory
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(id.clone(), connection.listed());
        let (profile, generation) = (connection.profile.clone(), connection.generation);
        if asleep {
            connection.link = LinkState::Stopped {
                code: FailureCode::Connection,
                message: "The demo fleet is not running.".into(),
                hint: Some("It runs inside the app: start it there.".into()),
            };
        }
        self.connections.insert(id.clone(), connection);
        self.reload(&id).await;
        self.feed.connections();
        if !asleep {
            self.errands.prepare(&self.tell, profile, generation, Duration::ZERO);
        }
        Ok(())
    }

    async fn forget(&mut self, id: &ConnectionId) -> Result<(), Failure> {
        // What has gathered for it goes to the disk first: the store then forgets it with the rest.
        self.settle().await;
        let absent = || not_found("connection", id.as_str());
        self.connections.get(id).ok_or_else(absent)?;
        self.store.remove_connection(id).await?;
        let mut connection = self.connections.remove(id).ok_or_else(absent)?;
        self.telemetry.forget(id);
        self.directory.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
        if let Some(session) = connection.session.take() {
            session.close().await;
        }
        self.feed.connections();
        Ok(())
    }

    /// Forgets some of a device that has nothing to do, in the ledger and in the store.
    async fn forget_device(&mut self, connection: &ConnectionId, device: &DeviceId) -> Result<bool, Failure> {
        self.settle().await;
        let absent = || not_found("connection", connection.as_str());
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.unread.clone().map_or(Ok(()), Err)?;
        known.fleet().get(device).map(drop).ok_or_else(|| not_found("device", device.as_str()))?;
        if known.profile.devices.iter().any(|named| named == device.as_str()) {
            return Err(invalid(
                format!("'{device}' is one of the devices that this connection is for."),
                "Take it off the connection's list of devices first.",
            ));
        }
        if !known.ledger.forget_device(device) {
            return Err(invalid(
                format!("'{device}' still has a command under way."),
                "Stop waiting for it, or let it come to its end.",
            ));
        }
        let (commands, more) = self.store.forget_device(connection, device, FORGOTTEN_AT_ONCE).await?;
        let bad_ends = self.bad_ends(connection).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.kept = known.kept.saturating_sub(u32::try_from(commands).unwrap_or(u32::MAX));
        known.bad_ends = bad_ends;
        if !more {
            known.forget_device(device);
            self.telemetry.forget_device(connection, device);
        }
        self.feed.connections();
        Ok(more)
    }

    /// Forgets some of what ended long ago, in the ledgers and in the store. Nothing else happens in between, so what
    /// is forgotten here is not known there.
    async fn forget_ended(&mut self, before: Timestamp) -> Result<usize, Failure> {
        self.settle().await;
        let now = self.clock.now();
        for known in self.connections.values_mut() {
            known.ledger.forget(before, now);
        }
        let forgotten = self.store.forget_ended(before, FORGOTTEN_AT_ONCE).await?;
        for (connection, device, id) in &forgotten {
            if let Some(known) = self.connections.get_mut(connection) {
                known.kept = known.kept.saturating_sub(1);
                known.fleet().forget_command(device, id);
                self.feed.connections();
            }
        }
        Ok(forgotten.len())
    }
}
