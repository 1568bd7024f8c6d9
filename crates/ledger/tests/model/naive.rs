//! The rules in their simplest form: one list of commands, searched from the front each time.
//! It shares nothing with the ledger but the types of its inputs and events.

use std::collections::BTreeSet;

use wilco_ledger::{
    About, Answer, Claim, CommandId, Delivery, DeviceId, Effect, Event, Expectation, Fact, Input, Limits, Match,
    NotDelivered, Origin, Puback, Reading, Report, State, Submission, TimeOut, Timestamp, Unmatched,
};

use crate::model_command::{End, ModelCommand};

#[derive(Debug, Clone)]
pub(crate) struct Naive {
    limits: Limits,
    connected: bool,
    connected_at: i64,
    draining: bool,
    grace_until: i64,
    devices: Vec<Device>,
    /// When this process has published what is not known to be on the wire.
    publishes: Vec<i64>,
    /// When the others came onto the wire.
    writes: Vec<i64>,
    pub(crate) commands: Vec<ModelCommand>,
}

#[derive(Debug, Clone)]
struct Device {
    id: DeviceId,
    online: Option<bool>,
    was_online: bool,
    returns_by: i64,
    /// A command has timed out since its last answer, or may have.
    doubt: bool,
    active_until: i64,
}

impl Naive {
    pub(crate) fn new(limits: Limits) -> Naive {
        Naive {
            limits,
            connected: false,
            connected_at: i64::MIN,
            draining: false,
            grace_until: i64::MIN,
            devices: Vec::new(),
            publishes: Vec::new(),
            writes: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// The process is restarted with what the disk has; some of what had ended is taken in again.
    pub(crate) fn restart(&mut self, is_known: impl Fn(&DeviceId, &CommandId) -> bool) {
        self.connected = false;
        self.connected_at = i64::MIN;
        self.draining = false;
        self.grace_until = i64::MIN;
        self.devices.clear();
        self.publishes.clear();
        self.writes.clear();
        for index in 0..self.commands.len() {
            let command = &mut self.commands[index];
            command.not_before = i64::MIN;
            command.in_next_session = false;
            command.spent = false;
            command.held_by_broker = command.submission.policy.delivery == Delivery::BrokerHolds;
            command.forgotten = !is_known(&command.submission.device, &command.submission.id);
            command.sends.iter_mut().for_each(|send| send.under_way = false);
            let doubt = command.unanswered || (command.outstanding() && command.heard.is_none());
            let device = command.submission.device.clone();
            self.device(&device).doubt |= doubt;
        }
    }

    /// Settled commands may leave the memory at any time.
    pub(crate) fn forget(&mut self, now: i64, is_gone: impl Fn(&DeviceId, &CommandId) -> bool) {
        for index in 0..self.commands.len() {
            let command = &mut self.commands[index];
            let device = command.submission.device.clone();
            if !command.settled() || !is_gone(&device, &command.submission.id) {
                continue;
            }
            let doubt = command.unconfirmed_a_moment_ago(now);
            command.forgotten = true;
            command.spent = false;
            self.device(&device).doubt |= doubt;
        }
    }

    /// A device is forgotten with all of it. Says whether it has nothing to do, and is.
    pub(crate) fn forget_device(&mut self, device: &DeviceId) -> bool {
        let of_it = || self.commands.iter().filter(|command| command.submission.device == *device);
        if of_it().any(|command| !command.settled() || command.sends.iter().any(|send| send.under_way)) {
            return false;
        }
        self.commands.retain(|command| command.submission.device != *device);
        self.devices.retain(|known| known.id != *device);
        true
    }

    /// In memory or on the disk.
    pub(crate) fn has(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.place(device, id).is_some()
    }

    /// The store was asked for a settled command that an answer names.
    pub(crate) fn remember(&mut self, device: &DeviceId, id: &CommandId) {
        let Some(index) = self.place(device, id) else { return };
        self.commands[index].forgotten = false;
        let doubt = self.commands[index].state == State::TimedOut;
        self.device(device).doubt |= doubt;
    }

    pub(crate) fn handle(&mut self, input: &Input, now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Submit(submission) => self.submit(submission, now, &mut effects),
            Input::Cancel { device, id } => {
                if let Some(index) = self.find(device, id)
                    && !self.commands[index].settled()
                {
                    let never_sent = self.commands[index].never_sent();
                    let fact = if never_sent { Fact::Cancelled } else { Fact::TimedOut(TimeOut::Abandoned) };
                    self.note(index, fact, now, &mut effects);
                }
            }
            Input::Connected => {
                self.connected = true;
                self.connected_at = now;
                if self.draining {
                    self.grace_until = now + millis(self.limits.earlier_answers_within.0);
                }
                self.devices.iter_mut().for_each(|device| device.was_online = false);
                self.commands.iter_mut().for_each(|command| command.in_next_session = false);
            }
            Input::SessionLost => {
                let by = now + millis(self.limits.return_within.0);
                let mut expected = Vec::new();
                for device in self.devices.iter_mut().filter(|device| device.was_online) {
                    device.was_online = false;
                    device.returns_by = by;
                    expected.push(device.id.clone());
                }
                for index in 0..self.commands.len() {
                    if expected.contains(&self.commands[index].submission.device) {
                        self.await_return(index, now, &mut effects);
                    }
                }
            }
            Input::Disconnected => self.disconnect(now, &mut effects),
            Input::Sent { device, id, attempt } => {
                if let Some(oldest) = self.publishes.iter().position(|at| now - at <= 1_000) {
                    self.publishes.remove(oldest);
                }
                self.writes.push(now);
                if let Some(index) = self.find_send(device, id, *attempt) {
                    let send = self.commands[index].sends.last().expect("found");
                    if !send.on_wire && send.end != End::NotTaken && send.end != End::Refused {
                        self.note(index, Fact::Sent { attempt: *attempt }, now, &mut effects);
                    }
                }
            }
            Input::Delivered { device, id, attempt, puback } => {
                if let Some(index) = self.find_send(device, id, *attempt) {
                    self.deliver(index, *attempt, puback.clone(), now, &mut effects);
                }
            }
            // No device of this world has a password; `rules/challenge.rs` has those.
            Input::Answer(answer) | Input::Challenged { answer, .. } => self.answer(answer, now, &mut effects),
            Input::Report(report) => self.report(report, now, &mut effects),
            Input::Unreadable { device, raw, why, about, retained } => {
                let fact = Fact::Unreadable { raw: Box::new(raw.clone()), why: why.clone() };
                let concerned = match about {
                    _ if *retained => Vec::new(),
                    About::Named(id) => self.find(device, id).into_iter().collect(),
                    About::Unnamed => match &self.meant(device, now)[..] {
                        [only] => vec![*only],
                        _ => Vec::new(),
                    },
                    About::Report => self.waiting_for_reports(device),
                    About::Nothing => Vec::new(),
                };
                if concerned.is_empty() && (*retained || *about != About::Report) {
                    let (device, at, fact) = (device.clone(), Timestamp(now), fact.clone());
                    effects.push(Effect::Record(Event { device, command: None, at, fact }));
                }
                for index in concerned {
                    self.note(index, fact.clone(), now, &mut effects);
                }
            }
            Input::Observed(submission) => {
                if self.find(&submission.device, &submission.id).is_none() {
                    self.begin(submission, Origin::Observed, now, &mut effects);
                }
            }
            Input::Presence { device, online } => {
                self.device(device).online = Some(*online);
                for index in 0..self.commands.len() {
                    if self.commands[index].submission.device != *device {
                        continue;
                    }
                    if *online && self.commands[index].state == State::Held {
                        self.note(index, Fact::Released, now, &mut effects);
                    } else if !*online && self.commands[index].never_sent() {
                        self.device_is_offline(index, now, &mut effects);
                    }
                }
            }
            Input::DeviceSeen { device } => {
                self.device(device).was_online = false;
                self.device(device).returns_by = i64::MIN;
                if self.device(device).online != Some(true) {
                    self.device(device).online = None;
                    for index in 0..self.commands.len() {
                        if self.commands[index].submission.device == *device
                            && self.commands[index].state == State::Held
                        {
                            self.note(index, Fact::Released, now, &mut effects);
                        }
                    }
                }
            }
            Input::Resumed => self.draining = true,
            Input::Drained => self.draining = false,
            Input::Tick => {}
        }
        loop {
            self.run_out_of_time(now, &mut effects);
            if !self.send_what_is_due(now, &mut effects) {
                return effects;
            }
        }
    }

    fn submit(&mut self, submission: &Submission, now: i64, effects: &mut Vec<Effect>) {
        if self.find(&submission.device, &submission.id).is_some() {
            return;
        }
        let index = self.begin(submission, Origin::Here, now, effects);
        if submission.policy.delivery == Delivery::Now && !self.connected {
            self.note(index, Fact::Undeliverable(NotDelivered::NotConnected), now, effects);
        } else if self.device(&submission.device).online == Some(false) {
            self.device_is_offline(index, now, effects);
            if submission.policy.delivery == Delivery::BrokerHolds {
                self.await_return(index, now, effects);
            }
        } else {
            self.await_return(index, now, effects);
        }
    }

    fn await_return(&mut self, index: usize, now: i64, effects: &mut Vec<Effect>) {
        let device = self.commands[index].submission.device.clone();
        if self.commands[index].never_sent() && self.device(&device).returns_by > now {
            self.note(index, Fact::AwaitsReturn, now, effects);
        }
    }

    fn disconnect(&mut self, now: i64, effects: &mut Vec<Effect>) {
        if !self.connected {
            return;
        }
        self.connected = false;
        for device in &mut self.devices {
            device.was_online |= device.online.take() == Some(true);
        }
        for index in 0..self.commands.len() {
            let command = &mut self.commands[index];
            let Some(send) = command.sends.last_mut().filter(|send| send.under_way) else { continue };
            send.under_way = false;
            let attempt = send.number;
            if matches!(command.state, State::Queued | State::Sent | State::AtBroker) {
                self.note(index, Fact::DeliveryUnknown { attempt }, now, effects);
            }
        }
        for index in 0..self.commands.len() {
            self.fail_if_now_or_never(index, now, effects);
        }
    }

    fn fail_if_now_or_never(&mut self, index: usize, now: i64, effects: &mut Vec<Effect>) {
        let command = &self.commands[index];
        if command.never_sent() && command.submission.policy.delivery == Delivery::Now {
            self.note(index, Fact::Undeliverable(NotDelivered::NotConnected), now, effects);
        }
    }

    fn deliver(&mut self, index: usize, attempt: u32, puback: Puback, now: i64, effects: &mut Vec<Effect>) {
        let connected = self.connected;
        let command = &mut self.commands[index];
        let send = command.sends.last_mut().expect("found");
        send.under_way = false;
        let send = *send;
        if send.end != End::Open && send.end != End::Lost {
            return;
        }
        match puback {
            Puback::Accepted { nobody_listening } => {
                let done = !command.submission.policy.answer_expected && !command.settled();
                self.note(index, Fact::AtBroker { attempt, nobody_listening }, now, effects);
                if done {
                    self.note(index, Fact::Unconfirmed, now, effects);
                }
            }
            _ if command.settled() => {}
            Puback::Refused { code, said } => {
                self.note(index, Fact::Undeliverable(NotDelivered::Refused { code, said }), now, effects);
            }
            Puback::TooLarge { bytes } => {
                self.note(index, Fact::Undeliverable(NotDelivered::TooLarge { bytes }), now, effects);
            }
            Puback::NotTaken if !send.on_wire => {
                command.not_before = now + 1_000;
                self.note(index, Fact::NotSent { attempt }, now, effects);
                if !self.connected {
                    self.fail_if_now_or_never(index, now, effects);
                }
            }
            Puback::NotTaken | Puback::Unknown => {
                if send.end == End::Open && !command.heard_of_device() {
                    command.in_next_session |= connected;
                    self.note(index, Fact::DeliveryUnknown { attempt }, now, effects);
                }
            }
        }
    }

    fn answer(&mut self, answer: &Answer, now: i64, effects: &mut Vec<Effect>) {
        let home = self.home(answer, now);
        match home {
            Err(unmatched) => {
                let fact = Fact::Unsolicited { answer: Box::new(answer.clone()), unmatched };
                let device = answer.device.clone();
                effects.push(Effect::Record(Event { device, command: None, at: Timestamp(now), fact }));
            }
            Ok((index, how)) => {
                let model_command = &mut self.commands[index];
                model_command.spent |= how == Match::Ambiguous && answer.outcome.is_final() && model_command.settled();
                let reading = match (how, self.read(index, answer)) {
                    (Match::Ambiguous, _) => Reading::Ambiguous,
                    (Match::Inferred, Reading::Moved) => Reading::Inferred,
                    (_, Reading::Moved) if answer.outcome.is_final() && self.overdue(index, now) => Reading::Late,
                    (_, reading) => reading,
                };
                self.note(index, Fact::Answered { answer: Box::new(answer.clone()), reading }, now, effects);
            }
        }
        if !answer.retained {
            let until = now + millis(self.limits.silent_after.0);
            let of_it =
                self.commands.iter_mut().filter(|model_command| model_command.submission.device == answer.device);
            of_it.for_each(|model_command| model_command.unanswered = false);
            let device = self.device(&answer.device);
            device.doubt = false;
            device.active_until = until;
        }
    }

    /// The commands of a device that a report could settle.
    fn waiting_for_reports(&self, device: &DeviceId) -> Vec<usize> {
        let waits = |index: &usize| {
            let model_command = &self.commands[*index];
            let expects = model_command.submission.form.as_ref().and_then(|form| form.expects.as_deref());
            model_command.submission.device == *device
                && model_command.outstanding()
                && matches!(expects, Some(Expectation::State { .. }))
        };
        (0..self.commands.len()).filter(waits).collect()
    }

    /// Settles what it is what was asked for; says nothing of anything else.
    fn report(&mut self, report: &Report, now: i64, effects: &mut Vec<Effect>) {
        if report.retained {
            return;
        }
        let mut settled = false;
        for index in 0..self.commands.len() {
            let model_command = &self.commands[index];
            let form = model_command.submission.form.as_ref().and_then(|form| form.expects.as_deref());
            let Some(Expectation::State { terms, .. }) = form else { continue };
            let is_so = terms[0].value.as_ref().is_none_or(|wanted| *wanted == report.values[0].value);
            if model_command.submission.device != report.device || !model_command.outstanding() || !is_so {
                continue;
            }
            let answer = Answer {
                device: report.device.clone(),
                claim: Claim::State,
                correlation: None,
                outcome: report.met,
                progress: None,
                message: None,
                result: None,
                said_at: None,
                retained: false,
                raw: report.raw.clone(),
            };
            let fact = Fact::Answered { answer: Box::new(answer), reading: Reading::Inferred };
            self.note(index, fact, now, effects);
            settled = true;
        }
        if settled {
            let of_it =
                self.commands.iter_mut().filter(|model_command| model_command.submission.device == report.device);
            of_it.for_each(|model_command| model_command.unanswered = false);
            let until = now + millis(self.limits.silent_after.0);
            let device = self.device(&report.device);
            device.doubt = false;
            device.active_until = until;
        }
    }

    fn home(&mut self, answer: &Answer, now: i64) -> Result<(usize, Match), Unmatched> {
        if answer.retained {
            return Err(Unmatched::Retained);
        }
        let claimed = match &answer.claim {
            Claim::Id(id) => Some(id.clone()),
            Claim::Nothing | Claim::State => None,
            Claim::Within(text) => {
                let words: Vec<&str> = text.split(|character: char| !character.is_alphanumeric()).collect();
                let named: Vec<&ModelCommand> = self
                    .commands
                    .iter()
                    .filter(|model_command| {
                        model_command.is(&answer.device, &model_command.submission.id)
                            && words.contains(&model_command.submission.id.as_str())
                    })
                    .collect();
                let alive: Vec<&ModelCommand> =
                    named.iter().copied().filter(|model_command| model_command.outstanding()).collect();
                let meant = if alive.is_empty() { named } else { alive };
                if meant.len() == 1 { Some(meant[0].submission.id.clone()) } else { None }
            }
        };
        if let (Some(claimed), Some(correlation)) = (&claimed, &answer.correlation)
            && claimed != correlation
        {
            return Err(Unmatched::Disagreement);
        }
        if let Some(id) = claimed.or(answer.correlation.clone()) {
            return match self.find(&answer.device, &id) {
                Some(index) => Ok((index, Match::Exact)),
                None if self
                    .commands
                    .iter()
                    .any(|model_command| model_command.is(&model_command.submission.device, &id)) =>
                {
                    Err(Unmatched::OtherDevice)
                }
                None => Err(Unmatched::UnknownId),
            };
        }
        let candidates = self.meant(&answer.device, now);
        let doubt = self.device(&answer.device).doubt;
        match candidates.len() {
            0 => Err(Unmatched::NothingOutstanding),
            1 if !doubt => Ok((candidates[0], Match::Inferred)),
            _ => Ok((candidates[0], Match::Ambiguous)),
        }
    }

    /// Its time was up, though nobody has said so yet, and the answer cannot have waited at the broker.
    fn overdue(&self, index: usize, now: i64) -> bool {
        let model_command = &self.commands[index];
        let earlier = model_command.last_sent() < self.connected_at;
        let sent = if earlier { !self.draining } else { model_command.sends.last().is_some_and(|send| send.on_wire) };
        model_command.in_flight() && sent && model_command.deadline() <= now
    }

    /// The commands of a device that something without an id can mean.
    fn meant(&self, device: &DeviceId, now: i64) -> Vec<usize> {
        (0..self.commands.len())
            .filter(|index| {
                let model_command = &self.commands[*index];
                model_command.submission.device == *device
                    && (model_command.outstanding() || model_command.unconfirmed_a_moment_ago(now))
            })
            .collect()
    }

    fn read(&self, index: usize, answer: &Answer) -> Reading {
        let model_command = &self.commands[index];
        let said = answer.outcome.state();
        let repeats = |state: State| said == state && answer.result == model_command.result;
        if !model_command.settled() {
            if model_command.state < said {
                Reading::Moved
            } else if model_command.state == State::Accepted {
                Reading::Duplicate
            } else {
                Reading::Heartbeat
            }
        } else if !said.is_final() {
            Reading::AfterTheEnd
        } else if model_command.state == State::TimedOut {
            Reading::Late
        } else if model_command.state == State::Unconfirmed {
            Reading::Moved
        } else if model_command.state.is_from_device() {
            if repeats(model_command.state) { Reading::Duplicate } else { Reading::Conflict }
        } else {
            match model_command.contradicted {
                None => Reading::Contradiction,
                Some(outcome) if repeats(outcome.state()) => Reading::Duplicate,
                Some(_) => Reading::Conflict,
            }
        }
    }

    fn run_out_of_time(&mut self, now: i64, effects: &mut Vec<Effect>) {
        for index in 0..self.commands.len() {
            let model_command = &self.commands[index];
            let grace =
                !model_command.never_sent() && model_command.last_sent() < self.connected_at && now < self.grace_until;
            if model_command.settled()
                || now < model_command.deadline()
                || grace
                || (self.draining && !model_command.never_sent())
            {
                continue;
            }
            let fact = match model_command.state {
                _ if model_command.never_sent() => Fact::Expired,
                State::Running => Fact::TimedOut(TimeOut::HeartbeatsStopped),
                State::Accepted if !model_command.submission.policy.answer_expected => Fact::Unconfirmed,
                State::Accepted | State::AtBroker => Fact::TimedOut(TimeOut::Silence),
                _ => Fact::TimedOut(TimeOut::MayHaveRun),
            };
            self.note(index, fact, now, effects);
        }
    }

    fn send_what_is_due(&mut self, now: i64, effects: &mut Vec<Effect>) -> bool {
        let mut any = false;
        let mut waiting = BTreeSet::new();
        for index in 0..self.commands.len() {
            if !self.connected || !self.windows_are_open(now) || !self.rate_allows_one_more(now) {
                break;
            }
            let device = self.commands[index].submission.device.clone();
            let (online, returns_by) = (self.device(&device).online, self.device(&device).returns_by);
            let model_command = &self.commands[index];
            let never_sent = model_command.never_sent();
            let held_already = !never_sent
                && online == Some(false)
                && !(model_command.submission.policy.delivery == Delivery::BrokerHolds && model_command.lost());
            if !model_command.due(now) || now < returns_by || held_already || (self.draining && !never_sent) {
                continue;
            }
            let in_the_way = self.commands.iter().enumerate().any(|(other, one)| {
                let carry_ids =
                    one.submission.policy.answers_carry_ids && model_command.submission.policy.answers_carry_ids;
                other != index && one.submission.device == device && one.in_flight() && !carry_ids
            });
            if in_the_way || waiting.contains(&device) {
                waiting.insert(device);
                continue;
            }
            if never_sent && online == Some(false) && model_command.submission.policy.delivery != Delivery::BrokerHolds
            {
                self.device_is_offline(index, now, effects);
                continue;
            }
            let model_command = &mut self.commands[index];
            let number = model_command.sends.last().map_or(0, |send| send.number) + 1;
            model_command.held_by_broker =
                model_command.submission.policy.delivery == Delivery::BrokerHolds && online == Some(false);
            let id = model_command.submission.id.clone();
            self.note(index, Fact::Handed { attempt: number }, now, effects);
            self.device(&device).active_until = now + millis(self.limits.silent_after.0);
            effects.push(Effect::Publish { device, id, attempt: number });
            self.publishes.push(now);
            any = true;
        }
        any
    }

    fn windows_are_open(&self, now: i64) -> bool {
        let under_way =
            self.commands.iter().filter(|model_command| model_command.sends.iter().any(|send| send.under_way)).count();
        let awaited = self.commands.iter().filter(|model_command| {
            let active =
                self.devices.iter().any(|one| one.id == model_command.submission.device && one.active_until > now);
            model_command.in_flight() && model_command.submission.policy.answer_expected && active
        });
        under_way < self.limits.send_window && awaited.count() < self.limits.answer_window
    }

    fn rate_allows_one_more(&self, now: i64) -> bool {
        let latest = self.publishes.iter().chain(&self.writes).filter(|at| now - **at <= 1_000);
        self.limits.sends_per_second.is_none_or(|most| latest.count() < most as usize)
    }

    fn device_is_offline(&mut self, index: usize, now: i64, effects: &mut Vec<Effect>) {
        let model_command = &self.commands[index];
        match model_command.submission.policy.delivery {
            Delivery::Now => self.note(index, Fact::Undeliverable(NotDelivered::DeviceOffline), now, effects),
            Delivery::HoldHere if model_command.state == State::Queued => self.note(index, Fact::Held, now, effects),
            Delivery::HoldHere | Delivery::BrokerHolds | Delivery::Broadcast => {}
        }
    }

    fn device(&mut self, id: &DeviceId) -> &mut Device {
        let index = self.devices.iter().position(|device| device.id == *id).unwrap_or_else(|| {
            self.devices.push(Device {
                id: id.clone(),
                online: None,
                was_online: false,
                returns_by: i64::MIN,
                doubt: false,
                active_until: i64::MIN,
            });
            self.devices.len() - 1
        });
        &mut self.devices[index]
    }

    fn place(&self, device: &DeviceId, id: &CommandId) -> Option<usize> {
        self.commands
            .iter()
            .position(|model_command| model_command.submission.device == *device && model_command.submission.id == *id)
    }

    /// In memory.
    fn find(&self, device: &DeviceId, id: &CommandId) -> Option<usize> {
        self.commands.iter().position(|model_command| model_command.is(device, id))
    }

    /// The command whose last send it is.
    fn find_send(&self, device: &DeviceId, id: &CommandId, attempt: u32) -> Option<usize> {
        let index = self.find(device, id)?;
        let model_command = &self.commands[index];
        (model_command.ours() && model_command.sends.last()?.number == attempt).then_some(index)
    }

    fn begin(&mut self, submission: &Submission, origin: Origin, now: i64, effects: &mut Vec<Effect>) -> usize {
        let fact = Fact::Submitted { submission: std::sync::Arc::new(submission.clone()), origin };
        effects.push(event(submission, fact, now));
        self.commands.push(ModelCommand::new(submission, origin, now));
        self.commands.len() - 1
    }

    fn note(&mut self, index: usize, fact: Fact, now: i64, effects: &mut Vec<Effect>) {
        let model_command = &mut self.commands[index];
        let of_earlier = model_command.last_sent() < self.connected_at;
        model_command.note(&fact, now);
        if matches!(fact, Fact::Answered { .. }) && of_earlier && now < self.grace_until {
            let more = now + millis(self.limits.earlier_answers_within.0);
            let most = self.connected_at + millis(self.limits.earlier_answers_at_most.0);
            self.grace_until = self.grace_until.max(more.min(most));
        }
        let model_command = &self.commands[index];
        if matches!(fact, Fact::TimedOut(_)) {
            let device = model_command.submission.device.clone();
            self.device(&device).doubt = true;
        }
        effects.push(event(&self.commands[index].submission, fact, now));
    }
}

fn event(submission: &Submission, fact: Fact, now: i64) -> Effect {
    let (device, command) = (submission.device.clone(), Some(submission.id.clone()));
    Effect::Record(Event { device, command, at: Timestamp(now), fact })
}

pub(crate) fn millis(length: u64) -> i64 {
    i64::try_from(length).expect("a short time")
}
