//! Asking the store for commands that no ledger has in memory, beside the loop.
//!
//! What waits for such a command waits in the order in which it came: as long as one look-up of a command is under way,
//! everything else that names it joins the queue. Nothing else waits for it.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{mpsc, oneshot};
use wilco_dialect::LogChunk;
use wilco_ledger::{About, Answer, Command, CommandId, DeviceId, Input, Raw, Submission};

use super::Controller;
use crate::{
    api::Failure,
    console::not_found,
    mqtt::{MqttSender, Receipt},
    store::{ConnectionId, Store, StoreError, StoredLog},
};

/// Beyond so many, no more events are taken in before some have come back.
pub(super) const MOST: usize = 2_000;

/// The PUBACK that is owed for a message once what it says is on the disk.
pub(super) type Owed = Option<(MqttSender, Receipt)>;

type Key = (ConnectionId, DeviceId, CommandId);

/// What is to be done once the ledger knows the command, if anybody does.
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
    /// Another console's request, and the message it was.
    Observed(Submission, Raw),
    Cancel(CommandId, oneshot::Sender<Result<(), Failure>>),
}

/// What is asked of the store, and what waits for it.
pub(super) struct LookUp {
    connection: ConnectionId,
    device: DeviceId,
    ids: Vec<CommandId>,
    waiting: Waiting,
    owed: Owed,
}

/// What the store had.
pub(super) struct LookedUp {
    asked: LookUp,
    commands: Vec<Command>,
    log: Option<(StoredLog, Vec<LogChunk>)>,
    failure: Option<StoreError>,
}

/// The look-ups that are under way.
pub(super) struct LookUps {
    ask: mpsc::UnboundedSender<LookUp>,
    answers: mpsc::UnboundedReceiver<LookedUp>,
    count: usize,
    /// How many of them name a command, and how it stands by what was committed meanwhile: what the store said may be older.
    keys: HashMap<Key, (usize, Option<Arc<Command>>)>,
}

impl LookUps {
    /// Begins the task that asks the store.
    pub(super) fn start(store: Store) -> LookUps {
        let (ask, mut asked) = mpsc::unbounded_channel::<LookUp>();
        let (answer, answers) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(look_up) = asked.recv().await {
                if answer.send(LookedUp::read(&store, look_up).await).is_err() {
                    return;
                }
            }
        });
        LookUps { ask, answers, count: 0, keys: HashMap::new() }
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.count >= MOST
    }

    pub(super) async fn next(&mut self) -> Option<LookedUp> {
        self.answers.recv().await
    }

    pub(super) fn try_next(&mut self) -> Option<LookedUp> {
        self.answers.try_recv().ok()
    }

    fn is_under_way(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(&(connection.clone(), device.clone(), id.clone()))
    }

    fn begin(&mut self, look_up: LookUp) {
        for id in &look_up.ids {
            self.keys.entry(look_up.key(id)).or_default().0 += 1;
        }
        self.count += 1;
        // The task lives as long as this does.
        let _ = self.ask.send(look_up);
    }

    /// One has come back. Of each command, how it stands by what was committed meanwhile.
    fn end(&mut self, look_up: &LookUp) -> Vec<Arc<Command>> {
        self.count -= 1;
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

    /// A command was committed as it stands.
    pub(super) fn committed(&mut self, connection: &ConnectionId, command: &Arc<Command>) {
        if self.keys.is_empty() {
            return;
        }
        let key = (connection.clone(), command.device().clone(), command.id().clone());
        if let Some((_, newer)) = self.keys.get_mut(&key) {
            *newer = Some(Arc::clone(command));
        }
    }
}

impl LookUp {
    fn key(&self, id: &CommandId) -> Key {
        (self.connection.clone(), self.device.clone(), id.clone())
    }
}

impl LookedUp {
    async fn read(store: &Store, asked: LookUp) -> LookedUp {
        let (mut commands, mut log, mut failure) = (Vec::new(), None, None);
        for id in &asked.ids {
            match store.command(&asked.connection, &asked.device, id).await {
                Ok(command) => commands.extend(command),
                Err(error) => failure = Some(error),
            }
        }
        if let Waiting::Log(chunk) = &asked.waiting {
            match store.log(&asked.connection, &asked.device, &chunk.id).await {
                Ok(stored) => log = stored,
                Err(error) => failure = Some(error),
            }
        }
        LookedUp { asked, commands, log, failure }
    }
}

impl Controller {
    /// Does something about commands of a device: at once if they are in memory, and otherwise when the store was asked.
    pub(super) fn with_commands(
        &mut self,
        connection: &ConnectionId,
        device: DeviceId,
        mut ids: Vec<CommandId>,
        waiting: Waiting,
        owed: Owed,
    ) {
        // Payload and Correlation Data mostly name the same one.
        ids.dedup();
        ids.retain(|id| !self.has_at_hand(connection, &device, id));
        let log = match &waiting {
            Waiting::Log(chunk) => self.needs_log(connection, &device, &chunk.id),
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

    /// The store was asked.
    pub(super) fn looked_up(&mut self, looked_up: LookedUp) {
        let LookedUp { asked, commands, log, failure } = looked_up;
        let newer = self.look_ups.end(&asked);
        if let Some(error) = failure {
            self.feed.failure(error);
        }
        if let Some(known) = self.connections.get_mut(&asked.connection) {
            // The ledger takes the first that it is told of a command.
            for command in newer.into_iter().map(|command| Command::clone(&command)).chain(commands) {
                known.ledger.adopt(command);
            }
        }
        if let Waiting::Log(chunk) = &asked.waiting {
            self.remember_log(&asked.connection, &asked.device, &chunk.id, log);
        }
        self.go_on(&asked.connection, asked.device, asked.waiting, asked.owed);
    }

    fn go_on(&mut self, connection: &ConnectionId, device: DeviceId, waiting: Waiting, owed: Owed) {
        self.pending_batch.urgent |= owed.is_some();
        self.pending_batch.receipts.extend(owed);
        let is_known = |controller: &Controller, id: &CommandId| {
            controller.connections.get(connection).is_some_and(|known| known.ledger.is_known(&device, id))
        };
        match waiting {
            Waiting::Answer(mut answer) => {
                if self.keeps_answer(connection, &mut answer) {
                    self.tell(connection, Input::Answer(answer));
                }
                self.pending_batch.urgent = true;
            }
            Waiting::Unreadable { mut raw, why, about, retained, log } => {
                if let (true, About::Named(id)) = (log, &about) {
                    self.log_ruined(connection, &device, id, &why);
                }
                if self.keeps_unreadable(connection, &device, &mut raw, &about, retained) {
                    self.tell(connection, Input::Unreadable { device, raw, why: why.into(), about, retained });
                }
                self.pending_batch.urgent = true;
            }
            Waiting::Log(chunk) => self.log_chunk(connection, device, chunk),
            Waiting::Observed(asked, raw) => {
                if !is_known(self, &asked.id) {
                    self.tell_heard(connection, Input::Observed(asked), Some(raw));
                }
            }
            Waiting::Cancel(id, reply) => {
                if !is_known(self, &id) {
                    let _ = reply.send(Err(not_found("command", id.as_str())));
                    return;
                }
                self.tell(connection, Input::Cancel { device, id });
                self.pending_batch.replies.push(reply);
                self.pending_batch.urgent = true;
            }
        }
    }

    /// Whether the ledger knows the command, or does so now because the commit under way has it. Not while somebody
    /// waits for it already, who comes first.
    fn has_at_hand(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        if self.look_ups.is_under_way(connection, device, id) {
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

    /// A command as it will be stored by the commit that is under way. What has changed since then, the ledger has not
    /// forgotten.
    fn not_yet_stored(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> Option<&Command> {
        let snapshots = self.committing.iter().flat_map(|committing| &committing.snapshots);
        let mut commands = snapshots.filter(|(of, _)| of == connection).map(|(_, snapshot)| &*snapshot.command);
        commands.find(|command| command.id() == id && command.device() == device)
    }
}
