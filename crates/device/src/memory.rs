//! The persistent state of a device: its saved configuration, and the requests it received with their results.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wilco_dialect::device_side::Response;
use wilco_ledger::{CommandId, Outcome, Timestamp};

use crate::config::Config;

/// How many commands are remembered. A repeated ID that is older is run again.
const REMEMBERED: usize = 1_000;

/// Everything that survives a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The configuration for the next start.
    pub saved: Config,
    /// The received requests, oldest first.
    commands: VecDeque<Record>,
    /// The number of requests without an ID, each of which got one.
    #[serde(default, skip_serializing_if = "is_zero")]
    nameless: u64,
}

/// A started command and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    id: String,
    /// The command name.
    pub command: String,
    /// The request, if its answer must echo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// `None` while it is running.
    pub ending: Option<Ending>,
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Whether it succeeded; otherwise it failed.
    pub done: bool,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The result of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// When it ended, as Unix milliseconds.
    pub at: i64,
}

impl Memory {
    /// The stored facts about a command.
    #[must_use]
    pub fn recall(&self, id: &CommandId) -> Option<&Record> {
        self.commands.iter().rev().find(|record| record.id == id.as_str())
    }

    /// Remembers that a command is about to run.
    pub fn begin(&mut self, id: &CommandId, command: &str, request: Option<String>) {
        if self.commands.len() >= REMEMBERED {
            // Commands in progress are kept.
            let oldest = self.commands.iter().position(|record| record.ending.is_some()).unwrap_or(0);
            self.commands.remove(oldest);
        }
        let (id, command) = (id.as_str().to_owned(), command.to_owned());
        self.commands.push_back(Record { id, command, request, ending: None });
    }

    /// An ID for a request without one. IDs are unique, even across restarts.
    #[must_use]
    pub fn name(&mut self) -> Option<CommandId> {
        self.nameless += 1;
        CommandId::new(format!("nameless-{}", self.nameless)).ok()
    }

    /// Remembers the outcome of a command.
    pub fn end(&mut self, id: &CommandId, ending: Ending) {
        if let Some(record) = self.commands.iter_mut().rev().find(|record| record.id == id.as_str()) {
            record.ending = Some(ending);
        }
    }

    /// Undoes [`Memory::begin`].
    pub fn withdraw(&mut self, id: &CommandId) {
        self.commands.retain(|record| record.id != id.as_str() || record.ending.is_some());
    }

    /// The commands that were started and have no outcome, oldest first.
    #[must_use]
    pub fn unended(&self) -> Vec<(CommandId, String)> {
        let unended = self.commands.iter().filter(|record| record.ending.is_none());
        unended.filter_map(|record| Some((CommandId::new(&record.id).ok()?, record.command.clone()))).collect()
    }
}

impl Ending {
    /// The answer for this state.
    #[must_use]
    pub fn response(&self, id: &CommandId) -> Response {
        Response {
            id: Some(id.clone()),
            outcome: if self.done { Outcome::Succeeded } else { Outcome::Failed },
            progress: None,
            message: self.message.clone(),
            result: self.result.clone(),
            at: Timestamp(self.at),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use wilco_ledger::CommandId;

    use super::{Ending, Memory};

    fn id(n: usize) -> CommandId {
        CommandId::new(format!("c{n}")).expect("an id")
    }

    #[test]
    fn the_oldest_that_ended_is_forgotten_first() {
        let mut memory = Memory::default();
        memory.begin(&id(0), "led", None);
        for n in 1..=1_100 {
            memory.begin(&id(n), "led", None);
            memory.end(&id(n), Ending { done: true, message: None, result: None, at: 0 });
        }
        assert!(memory.recall(&id(0)).is_some_and(|record| record.ending.is_none()));
        assert!(memory.recall(&id(1)).is_none());
        assert!(memory.recall(&id(1_100)).is_some());
        assert_eq!(memory.commands.len(), 1_000);
        assert_eq!(memory.unended(), [(id(0), "led".to_owned())]);
    }

    #[test]
    fn an_addition_can_be_undone() {
        let mut memory = Memory::default();
        memory.begin(&id(1), "led", None);
        memory.withdraw(&id(1));
        assert_eq!(memory, Memory::default());
    }
}
