//! Handles the requests of the engine's callers.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use wilco_ledger::{Command, CommandId, DeviceId, Submission, rollout::Action};

use super::{Controller, Event, look_up::Waiting, operator::Busy, serial_changes::SerialChange};
use crate::{
    absent::not_found,
    api::{ApprovalDecision, Batch, ConnectionView, Failure, FoundDialect, Notice, Secrets},
    mqtt::Session,
    notifications::Notifications,
    profile::{self, DevicePasswords, Opening},
    secret_changes::SecretChanges,
    store::{ConnectionId, NewMember, Profile, StoredRollout},
    traffic::Tap,
    vault::Vault,
};

/// A request to the controller, with its reply channel.
pub(crate) enum Request {
    Connections(oneshot::Sender<Vec<ConnectionView>>),
    /// Lists and loads the stored connections at startup. Replies once they are listed.
    List(Vec<Profile>, oneshot::Sender<Result<(), Failure>>),
    /// A change that waits for its turn.
    InTurn(SerialChange),
    /// Sets the order of the connections.
    Order(Vec<ConnectionId>, oneshot::Sender<()>),
    /// Submits commands, with a note for the audit. Replies once they are on the disk.
    Send(ConnectionId, Vec<Submission>, Option<String>, oneshot::Sender<Result<(), Failure>>),
    Cancel(ConnectionId, DeviceId, CommandId, oneshot::Sender<Result<(), Failure>>),
    /// Dismisses a failed command, or all of them. Replies once this is on the disk.
    Dismiss(ConnectionId, Option<(DeviceId, CommandId)>, oneshot::Sender<Result<(), Failure>>),
    /// Starts a rollout. Replies once it is on the disk.
    StartRollout(Box<StoredRollout>, Vec<NewMember>, oneshot::Sender<Result<(), Failure>>),
    /// Acts on the rollout with this number. Replies once this is on the disk.
    ActOnRollout(u32, Action, oneshot::Sender<Result<(), Failure>>),
    /// Applies a second installation's answer to the rollout with this number: the signed answer, and the SHA-256 of
    /// the request. Replies once this is on the disk.
    DecideRollout(u32, Box<ApprovalDecision>, (String, String), oneshot::Sender<Result<(), Failure>>),
    /// Replaces the note of the rollout with this number. Replies once this is on the disk.
    NoteRollout(u32, Option<String>, oneshot::Sender<Result<(), Failure>>),
    /// For each of these devices, the oldest unfinished command of another console.
    BusyElsewhere(ConnectionId, Vec<DeviceId>, oneshot::Sender<Vec<Option<Command>>>),
    /// The commands that keep these devices busy.
    Busy(ConnectionId, Vec<DeviceId>, oneshot::Sender<Busy>),
    /// A notice for the user.
    Notice(Notice, oneshot::Sender<()>),
    Listen(oneshot::Sender<mpsc::Receiver<Batch>>),
    /// Subscribes to additional filters for a watcher. Replies after the SUBACK, with the result of each.
    Subscribe(ConnectionId, Vec<String>, oneshot::Sender<Result<AlsoSubscribed, Failure>>),
    /// Ends these subscriptions.
    Unsubscribe(ConnectionId, Vec<String>),
    /// Dialects whose devices have announced themselves.
    Found(ConnectionId, Vec<FoundDialect>),
    /// Replaces the passwords of a connection's devices, and states whether there are any.
    DevicePasswords(ConnectionId, DevicePasswords, Secrets, oneshot::Sender<()>),
    /// Stops offering these dialects. The connection continues unchanged.
    Declined(ConnectionId, Vec<String>),
    /// Starts live traffic.
    Tap(Tap, oneshot::Sender<()>),
    /// Sets the receiver of notifications.
    Notifications(Notifications, oneshot::Sender<()>),
}

/// What has to be loaded before something can be done.
pub(crate) enum Needs {
    Nothing,
    /// A connection that must exist.
    Connection(ConnectionId),
    /// A connection, unless it could not be read.
    Read(ConnectionId),
    /// All connections, except those that could not be read.
    All,
}

impl Request {
    /// What has to be loaded before this can be done.
    pub(crate) fn needs(&self) -> Needs {
        match self {
            Request::Connections(_)
            | Request::List(..)
            | Request::Notice(..)
            | Request::Listen(_)
            | Request::Tap(..)
            | Request::Notifications(..) => Needs::Nothing,
            Request::InTurn(SerialChange::Devices(asked)) => asked.connection().map_or(Needs::All, Needs::of),
            Request::InTurn(SerialChange::Remove(connection, _)) => Needs::of(connection),
            // One that could not be read is read again when it is saved.
            Request::InTurn(SerialChange::Open(opening, _)) => Needs::Read(opening.profile.id.clone()),
            // It is not known which connections these are about.
            Request::InTurn(SerialChange::ForgetEnded(..))
            | Request::Order(..)
            | Request::ActOnRollout(..)
            | Request::DecideRollout(..)
            | Request::NoteRollout(..) => Needs::All,
            Request::StartRollout(rollout, ..) => Needs::of(&rollout.connection),
            Request::Send(connection, ..)
            | Request::Cancel(connection, ..)
            | Request::Dismiss(connection, ..)
            | Request::BusyElsewhere(connection, ..)
            | Request::Busy(connection, ..)
            | Request::Subscribe(connection, ..)
            | Request::Unsubscribe(connection, ..)
            | Request::Found(connection, ..)
            | Request::DevicePasswords(connection, ..)
            | Request::Declined(connection, ..) => Needs::of(connection),
        }
    }
}

impl Needs {
    fn of(connection: &ConnectionId) -> Needs {
        Needs::Connection(connection.clone())
    }
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
    pub(super) fn prepare(&self, tell: &mpsc::Sender<Event>, opening: Opening, generation: u64, pause: Duration) {
        self.prepare_after(None, tell, opening, generation, pause);
    }

    /// The same, after the previous session has disconnected: both may have the same client ID.
    pub(super) fn prepare_after(
        &self,
        ending: Option<Session>,
        tell: &mpsc::Sender<Event>,
        opening: Opening,
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
            let connection = opening.profile.id.clone();
            let fetching = secrets.fetching(&connection).await;
            let ready = profile::ready(opening, vault, passing).await.map(Box::new);
            drop(fetching);
            let _ = tell.send(Event::Prepared { connection, generation, ready }).await;
        });
    }
}

impl Controller {
    pub(super) fn on_request(&mut self, request: Request) {
        match request {
            Request::InTurn(turn) => self.in_series(turn),
            Request::Connections(reply) => {
                let _ = reply.send(self.connection_views());
            }
            Request::List(profiles, reply) => self.list(profiles, reply),
            Request::Order(ids, reply) => {
                for (position, id) in (0..).zip(&ids) {
                    if let Some(known) = self.connections.get_mut(id).or(self.unloaded.get_mut(id)) {
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
                let dismissed = self.dismiss(&connection, one.as_ref());
                self.reply_once_stored(dismissed, reply);
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
            Request::BusyElsewhere(connection, devices, reply) => {
                let _ = reply.send(self.busy_elsewhere(&connection, &devices));
            }
            Request::Busy(connection, devices, reply) => {
                let _ = reply.send(self.busy(&connection, &devices));
            }
            Request::Notice(Notice { level, message, hint, .. }, reply) => {
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

    /// Refusals are returned immediately, all other replies once they are on the disk.
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

    /// Dismisses a failed command, or all of them. Memory is updated before the commit; if the commit fails, the
    /// ledgers and this list are restored.
    fn dismiss(&mut self, connection: &ConnectionId, one: Option<&(DeviceId, CommandId)>) -> Result<(), Failure> {
        let known = self.connections.get_mut(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        let seen = known.attention.to_dismiss(one);
        known.attention.dismiss(&seen);
        self.pending_batch.dismiss(connection, seen);
        Ok(())
    }
}
