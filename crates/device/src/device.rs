//! The device itself: what it does with a request, and what it says about it. This is the part to copy into firmware.
//!
//! It deliberately has no socket, no file, no clock and no randomness: it is told what came and what time it is, and
//! says what is to be done. The order of its [`Action`]s matters.

use serde_json::{Value, json};
use std::collections::HashMap;
use wilco_dialect::device_side::{self, Asked, Online, Response};
use wilco_ledger::{CommandId, Millis, Outcome, Timestamp};

use crate::{
    config::Config,
    memory::{Ending, Memory},
    work::{Apply, Work},
};

/// 2020-01-01. A clock that shows an earlier time was never set, and cannot tell what is expired.
const CLOCK_IS_SET: Timestamp = Timestamp(1_577_836_800_000);

/// Something the device wants done. Actions are carried out in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Write [`Device::memory`] to flash, and go on only when it is there.
    Remember,
    /// Publish an answer.
    Answer(Response),
    /// Publish the retained status.
    ReportStatus,
    /// Publish the retained state.
    ReportState,
    /// Do the work, which may take its time, then call [`Device::perform`].
    Perform(CommandId),
    /// Drop the connection after this long, and start anew with [`Device::start`].
    Restart(Millis),
}

/// A device between two restarts.
#[derive(Debug)]
pub struct Device {
    boot: String,
    started_at: Timestamp,
    led: bool,
    running: Config,
    memory: Memory,
    /// What was begun since the start.
    at_work: HashMap<CommandId, Work>,
    /// What ended with the restart and is to be said as soon as there is a connection.
    unsaid: Vec<CommandId>,
}

impl Device {
    /// Switches the device on. What was being carried out when it went off ends here: a restart is done by this very
    /// start, and of everything else nobody can say what came of it.
    #[must_use]
    pub fn start(mut memory: Memory, boot: String, now: Timestamp) -> Device {
        let unended = memory.unended();
        for (id, command) in &unended {
            let ending = match command.as_str() {
                "restart" => done(json!({ "boot": boot }), now),
                _ => failed("The device restarted while it was at it: the outcome is unknown.", now),
            };
            memory.end(id, ending);
        }
        Device {
            boot,
            started_at: now,
            led: false,
            running: memory.saved.clone(),
            memory,
            at_work: HashMap::new(),
            unsaid: unended.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// The same device with its LED switched beforehand.
    #[must_use]
    pub fn with_led(self, on: bool) -> Device {
        Device { led: on, ..self }
    }

    /// The connection stands and the subscription is asked for.
    #[must_use]
    pub fn connected(&mut self) -> Vec<Action> {
        let unsaid = std::mem::take(&mut self.unsaid);
        let remember = (!unsaid.is_empty()).then_some(Action::Remember);
        let answers = unsaid.iter().filter_map(|id| {
            let ending = self.memory.recall(id)?.ending.as_ref()?;
            Some(Action::Answer(ending.response(id)))
        });
        remember.into_iter().chain([Action::ReportStatus, Action::ReportState]).chain(answers).collect()
    }

    /// A message came on the request topic.
    #[must_use]
    pub fn receive(&mut self, payload: &[u8], correlation: Option<&[u8]>, now: Timestamp) -> Vec<Action> {
        let asked = match device_side::read_request(payload, correlation) {
            Ok(asked) => asked,
            Err(malformed) => {
                let why = format!("This request is malformed: {}.", malformed.why);
                return vec![Action::Answer(answer(malformed.id, Outcome::Rejected, Some(why), now))];
            }
        };
        if let Some(again) = self.answer_again(&asked.id, now) {
            return vec![Action::Answer(again)];
        }
        let work = match self.check(&asked, now) {
            Ok(work) => work,
            Err(why) => return vec![Action::Answer(answer(Some(asked.id), Outcome::Rejected, Some(why), now))],
        };
        self.memory.begin(&asked.id, &asked.command);
        self.at_work.insert(asked.id.clone(), work);
        vec![
            Action::Remember,
            Action::Answer(answer(Some(asked.id.clone()), Outcome::Accepted, None, now)),
            Action::Perform(asked.id),
        ]
    }

    /// Carries out what was begun. `broken` says why it cannot be done.
    #[must_use]
    pub fn perform(&mut self, id: &CommandId, broken: Option<&str>, now: Timestamp) -> Vec<Action> {
        let Some(work) = self.at_work.remove(id) else { return Vec::new() };
        if let Some(why) = broken {
            return self.end(id, failed(why, now), false);
        }
        match work {
            Work::Led { on } => {
                self.led = on;
                self.end(id, done(json!({ "on": on }), now), true)
            }
            // It stays begun: the next start ends it.
            Work::Restart { delay } => vec![Action::Restart(delay)],
            Work::ConfigGet => self.end(id, done(self.config(), now), false),
            Work::ConfigSet { changes, apply } => {
                let changed = self.memory.saved.with(&changes).and_then(|saved| match apply {
                    Apply::Now => Ok((saved, Some(self.running.with(&changes)?))),
                    Apply::Restart => Ok((saved, None)),
                });
                match changed {
                    Ok((saved, running)) => {
                        self.memory.saved = saved;
                        self.running = running.unwrap_or(self.running.clone());
                        self.end(id, done(self.config(), now), true)
                    }
                    Err(why) => self.end(id, failed(&why, now), false),
                }
            }
            Work::StateGet => self.end(id, done(self.state(), now), true),
        }
    }

    /// Says how far it has come with what takes long.
    #[must_use]
    pub fn progress(&self, id: &CommandId, percent: u8, now: Timestamp) -> Option<Action> {
        self.at_work.contains_key(id).then(|| {
            let running = answer(Some(id.clone()), Outcome::Running, None, now);
            Action::Answer(Response { progress: Some(percent), ..running })
        })
    }

    /// The memory cannot be written, so what was asked is not begun after all.
    #[must_use]
    pub fn withdraw(&mut self, id: &CommandId, why: &str, now: Timestamp) -> Action {
        self.memory.withdraw(id);
        self.at_work.remove(id);
        let why = format!("The device cannot write its memory ({why}), so it begins nothing.");
        Action::Answer(answer(Some(id.clone()), Outcome::Rejected, Some(why), now))
    }

    /// What has to survive a restart.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Switches the device off; what is left is its memory.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// The payload of its status.
    #[must_use]
    pub fn status_payload(&self, firmware: &str, tags: &[String]) -> Vec<u8> {
        device_side::write_online(&Online { boot: &self.boot, firmware, tags, since: self.started_at })
    }

    /// The payload of its state report.
    #[must_use]
    pub fn state_payload(&self) -> Vec<u8> {
        device_side::write_state(self.led, self.running.as_object(), self.memory.saved.as_object())
    }

    fn answer_again(&self, id: &CommandId, now: Timestamp) -> Option<Response> {
        let record = self.memory.recall(id)?;
        Some(match &record.ending {
            Some(ending) => ending.response(id),
            None => answer(Some(id.clone()), Outcome::Accepted, None, now),
        })
    }

    fn check(&self, asked: &Asked, now: Timestamp) -> Result<Work, String> {
        if let Some(expired) = asked.expires_at.filter(|expires| now >= CLOCK_IS_SET && *expires < now) {
            return Err(format!("The command expired {} ms before it came.", now.since(expired).0));
        }
        let work = Work::read(&asked.command, &asked.args)?;
        if let Work::ConfigSet { changes, .. } = &work {
            self.memory.saved.with(changes)?;
        }
        Ok(work)
    }

    fn end(&mut self, id: &CommandId, ending: Ending, state_changed: bool) -> Vec<Action> {
        let response = ending.response(id);
        self.memory.end(id, ending);
        let report = state_changed.then_some(Action::ReportState);
        [Some(Action::Remember), report, Some(Action::Answer(response))].into_iter().flatten().collect()
    }

    fn config(&self) -> Value {
        json!({ "running": self.running.as_object(), "saved": self.memory.saved.as_object() })
    }

    fn state(&self) -> Value {
        json!({ "led": self.led, "running": self.running.as_object(), "saved": self.memory.saved.as_object() })
    }
}

fn answer(id: Option<CommandId>, outcome: Outcome, message: Option<String>, at: Timestamp) -> Response {
    Response { id, outcome, progress: None, message, result: None, at }
}

fn done(result: Value, at: Timestamp) -> Ending {
    Ending { done: true, message: None, result: Some(result), at: at.0 }
}

fn failed(why: &str, at: Timestamp) -> Ending {
    Ending { done: false, message: Some(why.to_owned()), result: None, at: at.0 }
}
