//! The device itself: how it handles requests, and what it reports. This is the part to copy into firmware.
//!
//! It has no socket, file, clock or randomness: messages and the time are its input, and [`Action`]s its output. The
//! order of the actions matters.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use wilco_dialect::{
    LogReceipt,
    device_side::{self, Malformed, Online, ReceivedRequest, Response, State},
    json::approximate,
};
use wilco_ledger::{CommandId, Millis, Outcome, Timestamp};

use crate::{
    config::Config,
    memory::{Ending, Memory},
    payload_format::{self, PayloadFormat},
    work::{Apply, Work},
};

/// 2020-01-01. A clock that shows an earlier time was never set, and expiry cannot be checked with it.
const CLOCK_IS_SET: Timestamp = Timestamp(1_577_836_800_000);

/// An action of the device. Actions are executed in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Write [`Device::memory`] to flash, and continue only after it is stored.
    Remember,
    /// Publish an answer.
    Answer(Response),
    /// Publish an answer in plain text.
    Say(String),
    /// Publish the retained status.
    ReportStatus,
    /// Publish the retained state.
    ReportState,
    /// Do the work, which may take some time, then call [`Device::perform`].
    Perform(CommandId),
    /// Measure and send telemetry now, and then at [`Device::telemetry_interval`].
    Measure,
    /// Publish the log, or its last lines, then call [`Device::log_sent`].
    SendLog(CommandId, Option<usize>),
    /// Blink the LED for this long, reporting progress with [`Device::progress`], then call [`Device::blinked`].
    Blink(CommandId, Millis),
    /// Drop the connection after this long, and restart with [`Device::start`].
    Restart(Millis),
}

/// A device between two restarts.
#[derive(Debug)]
pub struct Device {
    boot: String,
    started_at: Timestamp,
    led: bool,
    /// The interval between telemetry messages; `None` if it sends none. Not part of the configuration: a restart
    /// resets it.
    telemetry: Option<Millis>,
    running: Config,
    payload_format: PayloadFormat,
    /// It also accepts unknown commands.
    accepts_any: bool,
    memory: Memory,
    /// Requests started since the device started.
    at_work: HashMap<CommandId, Work>,
    /// A running action that continues until it is stopped.
    going_on: HashMap<CommandId, Work>,
    /// Answers to requests that ended with the restart, to be sent as soon as there is a connection.
    unsaid: Vec<CommandId>,
}

impl Device {
    /// Switches the device on. Requests that were running when it was switched off end here: a restart is completed by
    /// this start, and the outcome of everything else is unknown.
    #[must_use]
    pub fn start(mut memory: Memory, boot: String, now: Timestamp) -> Device {
        let unended = memory.unended();
        for (id, command) in &unended {
            let ending = match command.as_str() {
                "restart" => done(json!({ "boot": boot }), now),
                _ => failed("The device restarted while it was running the command: the outcome is unknown.", now),
            };
            memory.end(id, ending);
        }
        Device {
            boot,
            started_at: now,
            led: false,
            telemetry: None,
            running: memory.saved.clone(),
            payload_format: PayloadFormat::Json,
            accepts_any: false,
            memory,
            at_work: HashMap::new(),
            going_on: HashMap::new(),
            unsaid: unended.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// The same device with its LED in this initial state.
    #[must_use]
    pub fn with_led(self, on: bool) -> Device {
        Device { led: on, ..self }
    }

    /// The same device, with this initial telemetry interval.
    #[must_use]
    pub fn measuring(self, interval: Option<Millis>) -> Device {
        Device { telemetry: interval, ..self }
    }

    /// The same device with this payload format.
    #[must_use]
    pub fn speaking(self, payload_format: PayloadFormat) -> Device {
        Device { payload_format, ..self }
    }

    /// The same device, but accepting any command, for a rehearsal. Real firmware does not.
    #[must_use]
    pub fn accepting_any(self, accepts_any: bool) -> Device {
        Device { accepts_any, ..self }
    }

    /// The connection is established and the subscription is requested.
    #[must_use]
    pub fn connected(&mut self) -> Vec<Action> {
        let unsaid = std::mem::take(&mut self.unsaid);
        let remember = (!unsaid.is_empty()).then_some(Action::Remember);
        let answers = unsaid.iter().filter_map(|id| {
            let record = self.memory.recall(id)?;
            self.said(record.ending.as_ref()?.response(id), record.request.as_deref())
        });
        remember.into_iter().chain([Action::ReportStatus, Action::ReportState]).chain(answers).collect()
    }

    /// A message arrived on the request topic.
    #[must_use]
    pub fn receive(&mut self, payload: &[u8], correlation: Option<&[u8]>, now: Timestamp) -> Vec<Action> {
        let request = (self.payload_format == PayloadFormat::Text).then(|| payload_format::echo_of(payload));
        let echo = request.as_deref();
        let refused = |id, why| answer(id, Outcome::Rejected, Some(why), now);
        let asked = match self.read(payload, correlation) {
            Ok(asked) => asked,
            Err(Malformed { id, why }) => return self.said(refused(id, why), echo).into_iter().collect(),
        };
        if let Some(again) = self.answer_again(&asked.id, now) {
            return self.said(again, echo).into_iter().collect();
        }
        let work = match self.check(&asked, now) {
            Ok(work) => work,
            Err(why) => return self.said(refused(Some(asked.id), why), echo).into_iter().collect(),
        };
        let accepted = self.said(answer(Some(asked.id.clone()), Outcome::Accepted, None, now), echo);
        self.memory.begin(&asked.id, &asked.command, request);
        self.at_work.insert(asked.id.clone(), work);
        [Some(Action::Remember), accepted, Some(Action::Perform(asked.id))].into_iter().flatten().collect()
    }

    /// Runs a started request. `broken` is the reason if it fails.
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
            Work::TelemetrySet { interval } => {
                self.telemetry = Some(interval);
                let ended = self.end(id, done(json!({ "interval_ms": interval.0 }), now), true);
                ended.into_iter().chain([Action::Measure]).collect()
            }
            Work::ConfigGet => self.end(id, done(self.config(), now), false),
            Work::ConfigSet { changes, apply } => match self.configure(&changes, apply) {
                Ok(()) => self.end(id, done(self.config(), now), true),
                Err(why) => self.end(id, failed(&why, now), false),
            },
            Work::LogGet { lines } => {
                self.going_on.insert(id.clone(), work);
                vec![Action::SendLog(id.clone(), lines)]
            }
            Work::Nothing => self.end(id, done(json!({}), now), false),
            Work::StateGet => self.end(id, done(self.state().to_value(), now), true),
            Work::Identify { length } => {
                self.going_on.insert(id.clone(), work);
                vec![Action::ReportState, Action::Blink(id.clone(), length)]
            }
        }
    }

    /// The LED has blinked for the requested time, and shows its state again.
    #[must_use]
    pub fn blinked(&mut self, id: &CommandId, now: Timestamp) -> Vec<Action> {
        let Some(Work::Identify { length }) = self.going_on.remove(id) else { return Vec::new() };
        self.end(id, done(json!({ "seconds": length.0 / 1_000 }), now), true)
    }

    /// The log was published, with this summary; or it could not be read, for this reason.
    #[must_use]
    pub fn log_sent(&mut self, id: &CommandId, sent: Result<&LogReceipt, &str>, now: Timestamp) -> Vec<Action> {
        let Some(Work::LogGet { .. }) = self.going_on.remove(id) else { return Vec::new() };
        let ending = match sent {
            Ok(receipt) => done(receipt.to_result(), now),
            Err(why) => failed(&format!("The device cannot read its log ({why})."), now),
        };
        self.end(id, ending, false)
    }

    /// Reports the progress of a long command.
    #[must_use]
    pub fn progress(&self, id: &CommandId, percent: u8, now: Timestamp) -> Option<Action> {
        self.at_work.get(id).or_else(|| self.going_on.get(id))?;
        let running = answer(Some(id.clone()), Outcome::Running, None, now);
        self.said(Response { progress: Some(percent), ..running }, None)
    }

    /// The memory could not be written, so the request is not started.
    #[must_use]
    pub fn withdraw(&mut self, id: &CommandId, why: &str, now: Timestamp) -> Option<Action> {
        let request = self.memory.recall(id).and_then(|record| record.request.clone());
        self.memory.withdraw(id);
        self.at_work.remove(id);
        let why = format!("The device cannot write to its memory ({why}), so it did not run the command.");
        self.said(answer(Some(id.clone()), Outcome::Rejected, Some(why), now), request.as_deref())
    }

    /// The state that must survive a restart.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Switches the device off, and returns its memory.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// The telemetry interval; `None` if it sends none.
    #[must_use]
    pub fn telemetry_interval(&self) -> Option<Millis> {
        self.telemetry
    }

    /// The payload of its status.
    #[must_use]
    pub fn status_payload(&self, firmware: &str, tags: &[String]) -> Vec<u8> {
        device_side::write_online(&Online { boot: &self.boot, firmware, tags, since: self.started_at })
    }

    /// The payload of its state report.
    #[must_use]
    pub fn state_payload(&self) -> Vec<u8> {
        device_side::write_state(&self.state())
    }

    /// Reads a request; `Err` is the reason why it is rejected.
    fn read(&mut self, payload: &[u8], correlation: Option<&[u8]>) -> Result<ReceivedRequest, Malformed> {
        let malformed = match device_side::read_request(payload, correlation) {
            Ok(asked) => return Ok(asked),
            Err(malformed) => malformed,
        };
        if self.payload_format == PayloadFormat::Json {
            let why = format!("This request is malformed: {}.", malformed.why);
            return Err(Malformed { why, ..malformed });
        }
        let refused = |why| Malformed { id: None, why };
        let (command, args) = payload_format::understand(&String::from_utf8_lossy(payload)).map_err(refused)?;
        // Over MQTT 5 the id travels beside the text; otherwise each text is a command of its own.
        let id = malformed.id.or_else(|| self.memory.name());
        let id = id.ok_or_else(|| refused("This request has no command name.".to_owned()))?;
        Ok(ReceivedRequest {
            id,
            command: command.to_owned(),
            args: args.to_string(),
            issued_at: None,
            expires_at: None,
            by: None,
        })
    }

    /// An answer in this device's payload format, if it can be expressed.
    fn said(&self, response: Response, request: Option<&str>) -> Option<Action> {
        match self.payload_format {
            PayloadFormat::Json => Some(Action::Answer(response)),
            PayloadFormat::Text => {
                let request = request.unwrap_or_default();
                payload_format::say(response.outcome, response.message.as_deref(), request).map(Action::Say)
            }
        }
    }

    fn answer_again(&self, id: &CommandId, now: Timestamp) -> Option<Response> {
        let record = self.memory.recall(id)?;
        Some(match &record.ending {
            Some(ending) => ending.response(id),
            None => answer(Some(id.clone()), Outcome::Accepted, None, now),
        })
    }

    fn check(&self, asked: &ReceivedRequest, now: Timestamp) -> Result<Work, String> {
        if let Some(expired) = asked.expires_at.filter(|expires| now >= CLOCK_IS_SET && *expires < now) {
            return Err(format!("The command expired {} ms before it arrived.", now.since(expired).0));
        }
        let work = Work::read(&asked.command, &approximate(&asked.args)).and_then(|work| {
            if let Work::ConfigSet { changes, .. } = &work {
                self.memory.saved.with(changes)?;
            }
            Ok(work)
        });
        if self.accepts_any { Ok(work.unwrap_or(Work::Nothing)) } else { work }
    }

    fn end(&mut self, id: &CommandId, ending: Ending, state_changed: bool) -> Vec<Action> {
        let request = self.memory.recall(id).and_then(|record| record.request.as_deref());
        let said = self.said(ending.response(id), request);
        self.memory.end(id, ending);
        let report = state_changed.then_some(Action::ReportState);
        [Some(Action::Remember), report, said].into_iter().flatten().collect()
    }

    fn config(&self) -> Value {
        json!({ "running": self.running.as_object(), "saved": self.memory.saved.as_object() })
    }

    /// Changes the saved configuration and, if requested, the running one; changes nothing if any change is invalid.
    fn configure(&mut self, changes: &Map<String, Value>, apply: Apply) -> Result<(), String> {
        let saved = self.memory.saved.with(changes)?;
        if apply == Apply::Now {
            self.running = self.running.with(changes)?;
        }
        self.memory.saved = saved;
        Ok(())
    }

    /// The LED is reported as it was switched. Blinking is reported separately, because the LED is then neither on nor
    /// off.
    fn state(&self) -> State<'_> {
        State {
            led: self.led,
            identifying: self.going_on.values().any(|work| matches!(work, Work::Identify { .. })),
            telemetry_interval: self.telemetry,
            running: self.running.as_object(),
            saved: self.memory.saved.as_object(),
        }
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
