//! Changes that the tables of commands do not contain yet.
//!
//! The events of a command are the truth, and are on the disk when a commit returns. Its row is derived from them,
//! possibly a little later: a command of a large fan-out has five states within a few milliseconds, and only the last
//! is worth writing. Until then it is kept here, and `meta` names the first event that the tables lack, so that a
//! program that was killed meanwhile notices at its next start. Nobody reads the tables before they are up to date.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use foldhash::fast::RandomState;
use wilco_ledger::{Command, CommandId, DeviceId};

use super::ConnectionId;

/// The state of a command after some of its events.
#[derive(Clone)]
pub(super) struct CommandSnapshot {
    pub(super) connection: ConnectionId,
    pub(super) command: Arc<Command>,
    /// The row of its submission, where the tables may not know the command yet.
    pub(super) begun_at: Option<i64>,
}

type Key = (ConnectionId, DeviceId, CommandId);

/// Commands whose rows are behind, the longest waiting first.
#[derive(Default)]
pub(super) struct ProjectionQueue {
    order: VecDeque<Key>,
    snapshots: HashMap<Key, CommandSnapshot, RandomState>,
}

impl ProjectionQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// So many of them.
    pub(super) fn oldest(&self, count: usize) -> impl Iterator<Item = &CommandSnapshot> {
        self.order.iter().take(count).filter_map(|key| self.snapshots.get(key))
    }

    /// The tables show these now.
    pub(super) fn forget_oldest(&mut self, count: usize) {
        for key in self.order.drain(..count.min(self.order.len())) {
            self.snapshots.remove(&key);
        }
    }

    /// Adds changed states of commands.
    pub(super) fn put(&mut self, changed: Vec<CommandSnapshot>) {
        for snapshot in changed {
            let submission = &snapshot.command.submission;
            let key = (snapshot.connection.clone(), submission.device.clone(), submission.id.clone());
            match self.snapshots.get_mut(&key) {
                Some(known) => known.command = snapshot.command,
                None => {
                    self.order.push_back(key.clone());
                    self.snapshots.insert(key, snapshot);
                }
            }
        }
    }
}

/// The last value for each key, in the order in which the keys first came.
pub(super) struct LastOf<K, V> {
    entries: Vec<(K, V)>,
    places: HashMap<K, usize, RandomState>,
}

impl<K, V> Default for LastOf<K, V> {
    fn default() -> Self {
        LastOf { entries: Vec::new(), places: HashMap::default() }
    }
}

impl<K: Hash + Eq + Clone, V> LastOf<K, V> {
    pub(super) fn put(&mut self, key: K, value: impl FnOnce(Option<&V>) -> V) {
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].1 = value(Some(&self.entries[place].1));
        } else {
            self.places.insert(key.clone(), self.entries.len());
            self.entries.push((key, value(None)));
        }
    }
}

impl<K, V> IntoIterator for LastOf<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
