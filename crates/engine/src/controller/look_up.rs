//! Looks up commands that no ledger has in memory, outside the controller's loop.
//!
//! Messages about such a command are handled in their order of arrival: while a look-up of a command is in progress,
//! all further messages that name it join its queue. Nothing else waits. The store is queried for many commands at
//! once, and only once for a device that sends very many unknown IDs (`known_ids`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot};
use wilco_dialect::LogChunk;
use wilco_ledger::{About, Answer, Command, CommandId, DeviceId, Input, Raw, Submission};

use super::{
    Controller,
    known_ids::{KnownIds, MOST_IDS, Next},
};
use crate::{
    absent::not_found,
    api::Failure,
    mqtt::{MqttSender, Receipt},
    store::{ConnectionId, Forgotten, FoundCommands, NamedCommands, Store, StoreError},
};

/// Beyond so many, or so many bytes of messages that wait for them, no more events are taken in before some have come back.
/// The store has then answered nothing for seconds, so nothing can be acknowledged to a broker either.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// So many are read at a time.
const AT_ONCE: usize = 500;

/// The pending PUBACK of a message, sent once its content is on the disk.
pub(super) type PendingPuback = Option<(MqttSender, Receipt)>;

type Key = (ConnectionId, DeviceId, CommandId);

/// The action to take when the ledger knows the command.
pub(super) enum Waiting {
    Answer(Answer),
    Unreadable {
        raw: Raw,
        why: String,
        about: About,
        retained: bool,
        log: bool,
    },
    Log(LogChunk),
    /// Another console's request, with its message.
    Observed(Submission, Raw),
    Cancel(CommandId, oneshot::Sender<Result<(), Failure>>),
}

/// A look-up, and the messages that wait for it.
pub(super) struct LookUp {
    pub(super) connection: ConnectionId,
    pub(super) device: DeviceId,
    ids: Vec<CommandId>,
    waiting: Waiting,
    owed: PendingPuback,
}

/// A query of the store.
enum Question {
    Commands(Box<LookUp>),
    /// The IDs of all commands of a device.
    Ids(ConnectionId, DeviceId),
}

/// The result of the store.
pub(super) enum LookedUp {
    Commands(Box<LookUp>, Result<FoundCommands, StoreError>),
    /// All IDs of a device; `None` if there are too many.
    Ids(ConnectionId, DeviceId, Result<Option<Vec<CommandId>>, StoreError>),
}

/// The look-ups that are in progress.
pub(super) struct LookUps {
    ask: mpsc::UnboundedSender<Question>,
    answers: mpsc::UnboundedReceiver<LookedUp>,
    count: usize,
    /// Of the messages that wait.
    bytes: usize,
    /// How many of them name a command, and its state from commits meanwhile: the store's reply may be older.
    keys: HashMap<Key, (usize, Option<Arc<Command>>)>,
    known_ids: KnownIds,
    /// Commands that are being deleted. The store has them until that is on the disk, and look-ups must not find them.
    deleted: HashSet<Key>,
}

impl LookUps {
    /// Starts the task that queries the store.
    pub(super) fn start(store: Store) -> LookUps {
        let (ask, mut asked) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut questions = Vec::with_capacity(AT_ONCE);
            while asked.recv_many(&mut questions, AT_ONCE).await > 0 {
                for looked_up in ask_store(&store, std::mem::take(&mut questions)).await {
                    if answer.send(looked_up).is_err() {
                        return;
                    }
                }
            }
        });
        LookUps {
            ask,
            answers,
            count: 0,
            bytes: 0,
            keys: HashMap::new(),
            known_ids: KnownIds::default(),
            deleted: HashSet::new(),
        }
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.count >= MOST || self.bytes >= MOST_BYTES
    }

    pub(super) async fn next(&mut self) -> Option<LookedUp> {
        self.answers.recv().await
    }

    pub(super) fn try_next(&mut self) -> Option<LookedUp> {
        self.answers.try_recv().ok()
    }

    /// These commands are about to be deleted.
    pub(super) fn forget(&mut self, commands: &[Forgotten]) {
        let key = |of: &Forgotten| (of.connection.clone(), of.device.clone(), of.id.clone());
        self.deleted.extend(commands.iter().map(key));
    }

    /// They are deleted, or are not after all.
    pub(super) fn forgotten(&mut self) {
        self.deleted.clear();
    }

    fn is_deleted(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        !self.deleted.is_empty() && self.deleted.contains(&(connection.clone(), device.clone(), id.clone()))
    }

    pub(super) fn is_under_way(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(&(connection.clone(), device.clone(), id.clone()))
    }

    /// Whether the store may contain a command that is not in memory.
    fn may_find(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        self.is_under_way(connection, device, id)
            || (!self.is_deleted(connection, device, id) && self.known_ids.may_have(connection, device, id))
    }

    fn begin(&mut self, look_up: LookUp) {
        for id in &look_up.ids {
            self.keys.entry(look_up.key(id)).or_default().0 += 1;
        }
        self.count += 1;
        self.bytes += look_up.waiting.bytes();
        let (connection, device) = (look_up.connection.clone(), look_up.device.clone());
        let question = match self.known_ids.begin(Box::new(look_up)) {
            Next::Ask(look_up) => Question::Commands(look_up),
            Next::ReadIds => Question::Ids(connection, device),
            Next::Waits => return,
        };
        // The task lives as long as this does.
        let _ = self.ask.send(question);
    }

    /// Handles the result of a look-up. Returns the state of each command from commits in the meantime.
    fn end(&mut self, look_up: &LookUp) -> Vec<Arc<Command>> {
        self.count -= 1;
        self.bytes -= look_up.waiting.bytes();
        let mut newer = Vec::new();
        for id in &look_up.ids {
            let key = look_up.key(id);
            if let Some((count, command)) = self.keys.get_mut(&key) {
                *count -= 1;
                newer.extend(command.clone());
                if *count == 0 {
                    self.keys.remove(&key);
                }
            }
        }
        newer
    }

    /// A state of a command was committed.
    pub(super) fn committed(&mut self, connection: &ConnectionId, command: &Arc<Command>) {
        self.known_ids.committed(connection, command.device(), command.id());
        if self.keys.is_empty() {
            return;
        }
        let key = (connection.clone(), command.device().clone(), command.id().clone());
        if let Some((_, newer)) = self.keys.get_mut(&key) {
            *newer = Some(Arc::clone(command));
        }
    }

    /// Forgets what was kept for devices that name no unknown commands any more.
    pub(super) fn tidy_up(&mut self) {
        self.known_ids.tidy_up();
    }
}

impl LookUp {
    /// A look-up for a command to cancel.
    #[cfg(test)]
    pub(super) fn cancel(connection: ConnectionId, device: DeviceId, id: CommandId) -> LookUp {
        let (reply, _) = oneshot::channel();
        LookUp { connection, device, ids: vec![id.clone()], waiting: Waiting::Cancel(id, reply), owed: None }
    }

    fn key(&self, id: &CommandId) -> Key {
        (self.connection.clone(), self.device.clone(), id.clone())
    }

    fn named(&self) -> NamedCommands {
        let log = match &self.waiting {
            Waiting::Log(chunk) => Some(chunk.id.clone()),
            _ => None,
        };
        let (connection, device) = (self.connection.clone(), self.device.clone());
        NamedCommands { connection, device, commands: self.ids.clone(), log }
    }
}

impl Waiting {
    /// Its approximate size in memory.
    fn bytes(&self) -> usize {
        match self {
            Waiting::Answer(answer) => answer.raw.payload.len(),
            Waiting::Unreadable { raw, .. } | Waiting::Observed(_, raw) => raw.payload.len(),
            Waiting::Log(chunk) => chunk.text.len(),
            Waiting::Cancel(..) => 0,
        }
    }
}

/// Asks all of it at once.
async fn ask_store(store: &Store, questions: Vec<Question>) -> Vec<LookedUp> {
    let (mut look_ups, mut of_devices) = (Vec::new(), Vec::new());
    for question in questions {
        match question {
            Question::Commands(look_up) => look_ups.push(*look_up),
            Question::Ids(connection, device) => of_devices.push((connection, device)),
        }
    }
    let mut answers = Vec::with_capacity(look_ups.len() + of_devices.len());
    if !look_ups.is_empty() {
        match store.look_up(look_ups.iter().map(LookUp::named).collect()).await {
            Ok(found) => answers.extend(
                look_ups
                    .into_iter()
                    .zip(found)
                    .map(|(look_up, found)| LookedUp::Commands(Box::new(look_up), Ok(found))),
            ),
            Err(error) => answers
                .extend(look_ups.into_iter().map(|look_up| LookedUp::Commands(Box::new(look_up), Err(error.clone())))),
        }
    }
    for (connection, device) in of_devices {
        let ids = store.command_ids(&connection, &device, MOST_IDS).await;
        answers.push(LookedUp::Ids(connection, device, ids));
    }
    answers
}

impl Controller {
    /// Does something with commands of a device: immediately if they are in memory, and otherwise after a look-up.
    pub(super) fn with_commands(
        &mut self,
        connection: &ConnectionId,
        device: DeviceId,
        mut ids: Vec<CommandId>,
        waiting: Waiting,
        owed: PendingPuback,
    ) {
        // Payload and Correlation Data mostly name the same one.
        ids.dedup();
        ids.retain(|id| !self.has_at_hand(connection, &device, id) && self.look_ups.may_find(connection, &device, id));
        let log = match &waiting {
            // A log that no command requested belongs to no command.
            Waiting::Log(chunk) => {
                (!ids.is_empty() || self.is_known(connection, &device, &chunk.id))
                    && self.needs_log(connection, &device, &chunk.id)
            }
            _ => false,
        };
        if ids.is_empty() && !log {
            self.go_on(connection, device, waiting, owed);
        } else {
            if let (true, Waiting::Log(chunk)) = (ids.is_empty(), &waiting) {
                // So that its later pieces wait for this one.
                ids.push(chunk.id.clone());
            }
            self.look_ups.begin(LookUp { connection: connection.clone(), device, ids, waiting, owed });
        }
    }

    /// A look-up has returned.
    pub(super) fn looked_up(&mut self, looked_up: LookedUp) {
        let (asked, found) = match looked_up {
            LookedUp::Commands(asked, found) => (*asked, found),
            LookedUp::Ids(connection, device, ids) => return self.ids_read(&connection, &device, ids),
        };
        let newer = self.look_ups.end(&asked);
        let found = found.unwrap_or_else(|error| {
            self.feed.failure(error);
            FoundCommands { commands: Vec::new(), log: None, has_none: false }
        });
        self.look_ups.known_ids.end(&asked.connection, &asked.device, found.has_none);
        self.adopt(&asked.connection, newer, found.commands);
        if let Waiting::Log(chunk) = &asked.waiting {
            self.remember_log(&asked.connection, &asked.device, &chunk.id, found.log);
        }
        self.go_on(&asked.connection, asked.device, asked.waiting, asked.owed);
    }

    /// Handles the result of reading all command IDs of a device: messages that waited for it continue as if they had
    /// just arrived.
    fn ids_read(
        &mut self,
        connection: &ConnectionId,
        device: &DeviceId,
        ids: Result<Option<Vec<CommandId>>, StoreError>,
    ) {
        let ids = ids.unwrap_or_else(|error| {
            self.feed.failure(error);
            None
        });
        let waiting = self.look_ups.known_ids.read(connection, device, ids);
        for look_up in &waiting {
            let newer = self.look_ups.end(look_up);
            self.adopt(connection, newer, Vec::new());
        }
        for LookUp { ids, waiting, owed, .. } in waiting {
            self.with_commands(connection, device.clone(), ids, waiting, owed);
        }
    }

    /// Adds commands to the ledger in their state from commits in the meantime, or else from the store.
    fn adopt(&mut self, connection: &ConnectionId, newer: Vec<Arc<Command>>, found: Vec<Command>) {
        if let Some(known) = self.connections.get_mut(connection) {
            // The ledger uses the first snapshot of a command.
            for command in newer.into_iter().map(|command| Command::clone(&command)).chain(found) {
                known.ledger.adopt(command);
            }
        }
    }

    fn is_known(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        self.connections.get(connection).is_some_and(|known| known.ledger.is_known(device, id))
    }

    fn go_on(&mut self, connection: &ConnectionId, device: DeviceId, waiting: Waiting, owed: PendingPuback) {
        self.pending_batch.urgent |= owed.is_some();
        self.pending_batch.receipts.extend(owed);
        match waiting {
            Waiting::Answer(mut answer) => {
                self.answers_broadcast(connection, &answer);
                if self.keeps_answer(connection, &mut answer) {
                    self.record(connection, Input::Answer(answer));
                }
                self.pending_batch.urgent = true;
            }
            Waiting::Unreadable { mut raw, why, about, retained, log } => {
                if let (true, About::Named(id)) = (log, &about) {
                    self.log_ruined(connection, &device, id, &why);
                }
                if self.keeps_unreadable(connection, &device, &mut raw, &about, retained) {
                    self.record(connection, Input::Unreadable { device, raw, why: why.into(), about, retained });
                }
                self.pending_batch.urgent = true;
            }
            Waiting::Log(chunk) => self.log_chunk(connection, device, chunk),
            Waiting::Observed(asked, raw) => {
                if !self.is_known(connection, &device, &asked.id) {
                    self.record_received(connection, Input::Observed(asked), Some(raw));
                }
            }
            Waiting::Cancel(id, reply) => {
                if !self.is_known(connection, &device, &id) {
                    let _ = reply.send(Err(not_found("command", id.as_str())));
                    return;
                }
                self.audit_cancelled(connection, &device, &id);
                self.record(connection, Input::Cancel { device, id });
                self.pending_batch.replies.push(reply);
                self.pending_batch.urgent = true;
            }
        }
    }

    /// Whether the ledger has the command, or gets it now from the commit in progress. Not while other messages already
    /// wait for it, which come first.
    fn has_at_hand(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        if self.look_ups.is_under_way(connection, device, id) || self.look_ups.is_deleted(connection, device, id) {
            return false;
        }
        let Some(known) = self.connections.get(connection) else { return true };
        if known.ledger.is_known(device, id) {
            return true;
        }
        // The ledger forgets what has ended, and that may be newer than what the store knows so far.
        let Some(command) = self.not_yet_stored(connection, device, id).cloned() else { return false };
        if let Some(known) = self.connections.get_mut(connection) {
            known.ledger.adopt(command);
        }
        true
    }

    /// The command as the commit in progress will store it. The ledger still has everything that changed since then.
    fn not_yet_stored(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> Option<&Command> {
        let snapshots = self.committing.iter().flat_map(|committing| &committing.snapshots);
        let mut commands = snapshots.filter(|(of, _)| of == connection).map(|(_, snapshot)| &*snapshot.command);
        commands.find(|command| command.id() == id && command.device() == device)
    }
}
