//! Handles the requests of the engine's callers.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use wilco_ledger::{Command, CommandId, DeviceId, Input, Submission, Timestamp, rollout::Action};

use super::{
    Connection, Controller, Event,
    devices::{DeviceRequest, FORGOTTEN_AT_ONCE},
    event_loop::views_of,
    look_up::Waiting,
};
use crate::{
    absent::not_found,
    api::{
        ApprovalDecision, AuditKind, Batch, ConnectionView, Failure, FailureCode, FoundDialect, LinkState, Notice,
        RolloutView, Secrets,
    },
    dialects::Enabled,
    mqtt::Session,
    notifications::Notifications,
    profile::{self, DevicePasswords},
    secret_changes::SecretChanges,
    store::{ConnectionId, Forgotten, NewMember, Profile, StoredRollout},
    traffic::Tap,
    vault::Vault,
    views::CommandSnapshot,
};

/// A request to the controller, with its reply channel.
pub(crate) enum Request {
    Connections(oneshot::Sender<Vec<ConnectionView>>),
    /// A stored profile becomes a connection; one of the same id is replaced.
    Open(Box<Profile>, oneshot::Sender<Result<ConnectionView, Failure>>),
    /// A connection is ended and forgotten here. What is stored of it is not this task's.
    Forget(ConnectionId, oneshot::Sender<Result<(), Failure>>),
    /// The connections are put into this order.
    Order(Vec<ConnectionId>, oneshot::Sender<()>),
    /// With a note for the audit. The answer comes once the commands are on the disk.
    Send(ConnectionId, Vec<Submission>, Option<String>, oneshot::Sender<Result<(), Failure>>),
    Cancel(ConnectionId, DeviceId, CommandId, oneshot::Sender<Result<(), Failure>>),
    /// A failed command no longer needs attention, or none does.
    Dismiss(ConnectionId, Option<(DeviceId, CommandId)>, oneshot::Sender<Result<(), Failure>>),
    /// A rollout begins. The answer comes once it is on the disk.
    StartRollout(Box<StoredRollout>, Vec<NewMember>, oneshot::Sender<Result<(), Failure>>),
    /// Something is done to the rollout of that number. The answer comes once that is on the disk.
    ActOnRollout(u32, Action, oneshot::Sender<Result<(), Failure>>),
    /// A second installation has answered whether the rollout of that number may start: with its answer as it was signed, and
    /// the SHA-256 of the request. The reply comes once that is on the disk.
    DecideRollout(u32, Box<ApprovalDecision>, (String, String), oneshot::Sender<Result<(), Failure>>),
    /// The rollout of that number is given another note. The answer comes once that is on the disk.
    NoteRollout(u32, Option<String>, oneshot::Sender<Result<(), Failure>>),
    /// Some of the commands that finished before that time are deleted. The reply is their number, zero when there are
    /// no more.
    ForgetEnded(Timestamp, oneshot::Sender<Result<usize, Failure>>),
    /// Of each of these devices the oldest command of another console that has not finished.
    BusyElsewhere(ConnectionId, Vec<DeviceId>, oneshot::Sender<Vec<Option<Command>>>),
    Busy(ConnectionId, Vec<DeviceId>, oneshot::Sender<Vec<Option<Command>>>),
    Devices(DeviceRequest),
    /// A sentence for the person.
    Remark(Notice, oneshot::Sender<()>),
    Listen(oneshot::Sender<mpsc::Receiver<Batch>>),
    /// Additional filters are subscribed to, for a watcher. The reply follows the SUBACK, with the result of each.
    Subscribe(ConnectionId, Vec<String>, oneshot::Sender<Result<AlsoSubscribed, Failure>>),
    /// They are not needed any more.
    Unsubscribe(ConnectionId, Vec<String>),
    /// Dialects of which devices have announced themselves.
    Found(ConnectionId, Vec<FoundDialect>),
    /// The passwords of a connection's devices are these from now on, and whether there are any.
    DevicePasswords(ConnectionId, DevicePasswords, Secrets, oneshot::Sender<()>),
    /// These dialects are not to be offered. The connection continues as it is.
    Declined(ConnectionId, Vec<String>),
    /// Messages are seen passing from now on.
    Tap(Tap, oneshot::Sender<()>),
    /// Notifications are sent from now on.
    Notifications(Notifications, oneshot::Sender<()>),
}

/// The result of additional subscriptions. Filters that the connection has already are in neither list.
#[derive(Debug, Default)]
pub(crate) struct AlsoSubscribed {
    pub(crate) new: Vec<String>,
    pub(crate) denied: Vec<String>,
}

/// Requests that are handled outside the controller because they may take long.
pub(crate) struct BackgroundTasks {
    pub(crate) vault: Arc<Vault>,
    /// The connections whose secrets are being replaced.
    pub(crate) secrets: SecretChanges,
    /// Sessions end with the program: nothing is to be kept by the broker.
    pub(crate) passing: bool,
}

impl BackgroundTasks {
    /// Fetches a connection's secrets and reports when that is done.
    pub(super) fn prepare(&self, tell: &mpsc::Sender<Event>, profile: Profile, generation: u64, pause: Duration) {
        self.prepare_after(None, tell, profile, generation, pause);
    }

    /// The same, after the previous session has disconnected: both may have the same client ID.
    pub(super) fn prepare_after(
        &self,
        ending: Option<Session>,
        tell: &mpsc::Sender<Event>,
        profile: Profile,
        generation: u64,
        pause: Duration,
    ) {
        let (vault, tell, passing) = (Arc::clone(&self.vault), tell.clone(), self.passing);
        let secrets = self.secrets.clone();
        tokio::spawn(async move {
            if let Some(session) = ending {
                session.close().await;
            }
            sleep(pause).await;
            let connection = profile.id.clone();
            let fetching = secrets.fetching(&connection).await;
            let ready = profile::ready(profile, vault, passing).await.map(Box::new);
            drop(fetching);
            let _ = tell.send(Event::Prepared { connection, generation, ready }).await;
        });
    }
}

impl Controller {
    pub(super) async fn asked(&mut self, asked: Request) {
        match asked {
            Request::Connections(reply) => {
                let _ = reply.send(views_of(&self.connections));
            }
            Request::Open(profile, reply) => {
                let id = profile.id.clone();
                let opened = self.open(*profile).await;
                let view = opened.and_then(|()| {
                    self.connections.get(&id).map(Connection::view).ok_or_else(|| not_found("connection", id.as_str()))
                });
                let _ = reply.send(view);
            }
            Request::Forget(id, reply) => {
                let forgotten = self.forget(&id).await;
                let _ = reply.send(forgotten);
            }
            Request::Order(ids, reply) => {
                for (position, id) in (0..).zip(&ids) {
                    if let Some(known) = self.connections.get_mut(id) {
                        known.profile.position = position;
                    }
                }
                self.feed.connections();
                let _ = reply.send(());
            }
            Request::Send(connection, submissions, note, reply) => {
                let permitted = self.permit(&connection);
                if let Err(refused) = permitted.and_then(|()| self.permit_unapproved(&connection, &submissions)) {
                    let _ = reply.send(Err(refused));
                    return;
                }
                self.audit_sent(&connection, &submissions, note);
                for submission in submissions {
                    self.submit(&connection, submission);
                }
                self.pending_batch.replies.push(reply);
                self.pending_batch.urgent = true;
            }
            Request::Cancel(connection, device, id, reply) => {
                self.with_commands(&connection, device, vec![id.clone()], Waiting::Cancel(id, reply), None);
            }
            Request::Dismiss(connection, one, reply) => {
                let _ = reply.send(self.dismiss(&connection, one.as_ref()).await);
            }
            Request::StartRollout(rollout, members, reply) => {
                let started = self.start_rollout(*rollout, members);
                self.reply_once_stored(started, reply);
            }
            Request::ActOnRollout(number, action, reply) => {
                let entry = self.audit_action(number, action);
                let done = self.act_on_rollout(number, action).map(|()| self.write_down(entry));
                self.reply_once_stored(done, reply);
            }
            Request::DecideRollout(number, decision, answer, reply) => {
                let decided = self.decide_rollout(number, *decision, answer);
                self.reply_once_stored(decided, reply);
            }
            Request::NoteRollout(number, note, reply) => {
                let entry = self.audit_note(number, note.as_deref());
                let done = self.note_rollout(number, note).map(|()| self.write_down(entry));
                self.reply_once_stored(done, reply);
            }
            Request::ForgetEnded(before, reply) => {
                let _ = reply.send(self.forget_ended(before).await);
            }
            Request::BusyElsewhere(connection, devices, reply) => {
                let _ = reply.send(self.busy_elsewhere(&connection, &devices));
            }
            Request::Busy(connection, devices, reply) => {
                let _ = reply.send(self.busy(&connection, &devices));
            }
            Request::Devices(asked) => self.device_request(asked).await,
            Request::Remark(Notice { level, message, hint, .. }, reply) => {
                self.feed.notice(level, message, hint);
                let _ = reply.send(());
            }
            Request::Listen(reply) => {
                let _ = reply.send(self.feed.listen());
            }
            Request::Subscribe(connection, filters, reply) => self.subscribe_too(&connection, filters, reply),
            Request::Unsubscribe(connection, filters) => self.unsubscribe(&connection, filters),
            Request::Found(connection, found) => {
                if let Some(known) = self.connections.get_mut(&connection).filter(|known| known.found != found) {
                    known.found = found;
                    self.feed.connections();
                }
            }
            Request::DevicePasswords(connection, passwords, has, reply) => {
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.profile.has = has;
                    known.set_passwords(passwords);
                    self.feed.connections();
                }
                let _ = reply.send(());
            }
            Request::Declined(connection, declined) => {
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.profile.declined = declined;
                    self.feed.connections();
                }
            }
            Request::Tap(tap, reply) => {
                self.taps.push(tap);
                let _ = reply.send(());
            }
            Request::Notifications(notifications, reply) => {
                self.notifications.push(notifications);
                let _ = reply.send(());
            }
        }
    }

    /// A refusal is returned immediately, anything else when it is on the disk.
    fn reply_once_stored(&mut self, done: Result<(), Failure>, reply: oneshot::Sender<Result<(), Failure>>) {
        match done {
            Ok(()) => {
                self.pending_batch.replies.push(reply);
                self.pending_batch.urgent = true;
            }
            refused => {
                let _ = reply.send(refused);
            }
        }
    }

    async fn open(&mut self, profile: Profile) -> Result<(), Failure> {
        let id = profile.id.clone();
        let enabled = Enabled::of(&profile)?;
        if self.connections.contains_key(&id) {
            self.replace(profile, enabled);
            return Ok(());
        }
        // A demo fleet that is not running is nothing to be tried again and again.
        let asleep = profile.demo && profile.url.is_empty();
        self.settle().await;
        let mut connection = Connection::new(profile, enabled, self.store.last_wire_id(&id).await?);
        let devices = self.store.devices(&id).await?;
        let annotations = self.store.annotations(&id).await?;
        let latest = self.store.latest_per_device(&id).await?;
        {
            let mut fleet = connection.fleet();
            *fleet = crate::fleet::Fleet::restore(devices);
            for command in latest.iter().cloned() {
                fleet.command(CommandSnapshot { command: Arc::new(command), deadline: None });
            }
        }
        connection.restore_agreements(&latest, self.clock.now());
        connection.restore_devices();
        connection.take_annotations(annotations);
        self.generations += 1;
        connection.generation = self.generations;
        self.directory.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), connection.listed());
        let (profile, generation) = (connection.profile.clone(), connection.generation);
        if asleep {
            connection.link = asleep_link();
        }
        self.connections.insert(id.clone(), connection);
        self.reload(&id).await;
        self.feed.connections();
        if !asleep {
            self.background.prepare(&self.tell, profile, generation, Duration::ZERO);
        }
        Ok(())
    }

    /// A connection's profile has changed. Its commands and devices are the same ones; its session is another, which
    /// begins when the one before has ended.
    fn replace(&mut self, profile: Profile, enabled: Enabled) {
        let id = profile.id.clone();
        self.generations += 1;
        let generation = self.generations;
        let Some(known) = self.connections.get_mut(&id) else { return };
        let asleep = profile.demo && profile.url.is_empty();
        let ending = known.replace(profile, enabled, generation);
        known.link = if asleep { asleep_link() } else { LinkState::Connecting };
        let (profile, listed) = (known.profile.clone(), known.listed());
        self.directory.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), listed);
        self.feed.connections();
        self.tell(&id, Input::Disconnected);
        self.resumed(&id);
        self.withdraw_unsent(&id);
        self.pause_where_not_approved(&id);
        self.pending_batch.urgent = true;
        if asleep {
            close_beside(ending);
        } else {
            self.background.prepare_after(ending, &self.tell, profile, generation, Duration::ZERO);
        }
    }

    async fn forget(&mut self, id: &ConnectionId) -> Result<(), Failure> {
        // Its collected changes are written first, so that the store deletes them with the rest.
        self.settle().await;
        let absent = || not_found("connection", id.as_str());
        let name = self.connections.get(id).ok_or_else(absent)?.profile.name.clone();
        let entry = self.audit.entry(AuditKind::Connection, format!("Removed connection {name} with its history"));
        self.store.audited(entry.on(id, &name)).remove_connection(id).await?;
        let mut connection = self.connections.remove(id).ok_or_else(absent)?;
        self.telemetry.forget(id);
        self.quota.forget_connection(id);
        let of_it = |view: &mut RolloutView| view.spec.connection != id.as_str();
        self.shown.write().unwrap_or_else(PoisonError::into_inner).retain(|_, view| of_it(view));
        self.directory.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        close_beside(connection.session.take());
        self.feed.connections();
        Ok(())
    }

    /// Dismisses a failed command, or all of them.
    async fn dismiss(&mut self, connection: &ConnectionId, one: Option<&(DeviceId, CommandId)>) -> Result<(), Failure> {
        // It is not on the disk, so it was never shown.
        self.settle().await;
        let absent = || not_found("connection", connection.as_str());
        let known = self.connections.get(connection).ok_or_else(absent)?;
        let seen = known.attention.to_dismiss(one);
        self.store.dismiss(connection, seen.clone()).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.attention.dismiss(&seen);
        known.counts = known.count();
        self.feed.connections();
        Ok(())
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
        for Forgotten { connection, device, id, automatic } in &forgotten {
            if let Some(known) = self.connections.get_mut(connection) {
                known.kept = known.kept.saturating_sub(u32::from(!automatic));
                known.attention.forget(device, id);
                known.fleet().forget_command(device, id);
                self.feed.connections();
            }
        }
        if !forgotten.is_empty() {
            self.load_quota().await;
        }
        Ok(forgotten.len())
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
