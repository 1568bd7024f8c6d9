//! A ledger, its disk, its network and the model beside it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use wilco_ledger::{
    About, Answer, Changed, Claim, Command, CommandId, DeviceId, Effect, Event, Expectation, Fact, Input, Ledger,
    Limits, Outcome, Policy, Puback, Raw, Report, Reported, State, Submission, Term, Timestamp, WireForm,
};

use crate::{
    action::{Action, ModelAnswer, Naming, PubackKind, Unread},
    invariants::{Key, Watch},
    naive::Naive,
};

pub(crate) struct World {
    limits: Limits,
    now: i64,
    ledger: Ledger,
    model: Naive,
    watch: Watch,
    /// What a restart finds.
    disk: Vec<Event>,
    /// The model as it was when the last batch reached the disk.
    model_on_disk: Naive,
    stalled: bool,
    /// Not on disk yet; with the model as it was after each.
    pending: VecDeque<(Vec<Effect>, Naive)>,
    /// Publishes that left in this process.
    published: Vec<(Key, u32)>,
    /// Every command that was ever asked for, also if it never reached the disk.
    keys: Vec<Key>,
    answers: Vec<Answer>,
    ids: u32,
    /// What has changed since the ledger was last asked.
    changed: BTreeSet<Key>,
}

impl World {
    pub(crate) fn new(limits: Limits) -> World {
        World {
            limits,
            now: 1_000,
            ledger: Ledger::new(limits),
            model: Naive::new(limits),
            watch: Watch::default(),
            disk: Vec::new(),
            model_on_disk: Naive::new(limits),
            stalled: false,
            pending: VecDeque::new(),
            published: Vec::new(),
            keys: Vec::new(),
            answers: Vec::new(),
            ids: 0,
            changed: BTreeSet::new(),
        }
    }

    pub(crate) fn play(&mut self, action: &Action) -> Result<(), TestCaseError> {
        match action {
            Action::Submit { device, policy, shared_id, expects } => {
                let mut submission = self.submission(*device, *policy, *shared_id);
                submission.form = expects.map(|on| std::sync::Arc::new(lamp(on)));
                self.input(Input::Submit(submission))
            }
            Action::Observe { device, policy, own, pick } => {
                let submission = match self.key(*pick) {
                    // What never reached the disk has never left, so nobody sees it.
                    Some((device, id)) if *own && self.model.has(&device, &id) => submission(device, id, *policy),
                    _ => self.submission(*device, *policy, false),
                };
                self.input(Input::Observed(submission))
            }
            Action::Cancel { pick } => match self.key(*pick) {
                Some((device, id)) => self.input(Input::Cancel { device, id }),
                None => Ok(()),
            },
            Action::Wire { pick } => match self.publish(*pick) {
                Some(((device, id), attempt)) => self.input(Input::Sent { device, id, attempt }),
                None => Ok(()),
            },
            Action::Puback { pick, fate } => match self.publish(*pick) {
                Some(((device, id), attempt)) => {
                    self.input(Input::Delivered { device, id, attempt, puback: puback(*fate) })
                }
                None => Ok(()),
            },
            Action::Answer(said) => {
                let answer = self.answer(said);
                self.answers.push(answer.clone());
                self.input(Input::Answer(answer))
            }
            Action::Report { device, on, retained } => self.input(Input::Report(Report {
                device: device_id(*device),
                values: [Reported { key: "lamp".into(), value: word(*on).into(), own: None, word: None }].into(),
                met: Outcome::Succeeded,
                steps: false,
                retained: *retained,
                raw: Raw::default(),
            })),
            Action::Unreadable { pick, how, retained } => {
                let (device, id) = self.key(*pick).unwrap_or_else(|| (device_id(0), command_id("x")));
                let about = match how {
                    Unread::Id => About::Named(id),
                    Unread::UnknownId => About::Named(command_id("unknown")),
                    Unread::Nothing => About::Unnamed,
                    Unread::Report => About::Report,
                    Unread::NoAnswer => About::Nothing,
                };
                let (raw, why) = (Raw::default(), "It is damaged.".into());
                self.input(Input::Unreadable { device, raw, why, about, retained: *retained })
            }
            Action::Again { pick } => match self.answers.get(*pick % self.answers.len().max(1)) {
                Some(answer) => self.input(Input::Answer(answer.clone())),
                None => Ok(()),
            },
            Action::Presence { device, online } => {
                self.input(Input::Presence { device: device_id(*device), online: *online })
            }
            Action::DeviceSeen { device } => self.input(Input::DeviceSeen { device: device_id(*device) }),
            Action::Forget { device } => self.forget(&device_id(*device)),
            Action::Connect => self.input(Input::Connected),
            Action::SessionLost => self.input(Input::SessionLost),
            Action::Disconnect => self.input(Input::Disconnected),
            Action::Resumed => self.input(Input::Resumed),
            Action::Drained => self.input(Input::Drained),
            Action::Wait { milliseconds } => {
                self.now += milliseconds;
                self.input(Input::Tick)
            }
            Action::WaitUntilDue => {
                let due = self.ledger.next_deadline().map(|due| due.0);
                let mut asleep = self.model.clone();
                let missed = asleep.handle(&Input::Tick, due.map_or(i64::from(i32::MAX), |due| due - 1));
                prop_assert_eq!(missed, [], "slept through until {:?}", due);
                // After a crash something may have been due before now, and no clock goes back for that.
                self.now = due.map_or(self.now, |due| due.max(self.now));
                self.input(Input::Tick)
            }
            Action::Stall => {
                self.stalled = true;
                Ok(())
            }
            Action::Commit { batches } => {
                self.commit(*batches)?;
                self.stalled = !self.pending.is_empty();
                Ok(())
            }
            Action::Crash => {
                self.crash();
                Ok(())
            }
        }
    }

    /// Everything reaches the disk, and a new process reads it: all is as it was.
    pub(crate) fn finish(mut self) -> Result<(), TestCaseError> {
        self.commit(usize::MAX)?;
        let before = self.watch.told().clone();
        self.watch.restarted(&self.disk);
        prop_assert_eq!(&before, self.watch.told());
        Ok(())
    }

    fn input(&mut self, input: Input) -> Result<(), TestCaseError> {
        // As the engine does: sometimes after one input, sometimes after several.
        if self.now % 3 != 0 {
            self.seal()?;
        }
        self.look_up(&input)?;
        self.watch.input(&input);
        let expected = self.model.handle(&input, self.now);
        let effects = self.ledger.handle(input.clone(), Timestamp(self.now));
        self.model.forget(self.now, |device, id| !self.ledger.is_known(device, id));
        prop_assert_eq!(by_command(&effects), by_command(&expected), "at {} after {:?}", self.now, input);
        prop_assert_eq!(publishes(&effects), publishes(&expected), "at {} after {:?}", self.now, input);
        self.watch.effects(&input, &effects, &self.ledger, &self.limits, self.now)?;
        self.changed.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(event) => event.command.clone().map(|id| (event.device.clone(), id)),
            Effect::Publish { .. } => None,
        }));
        self.compare()?;
        self.pending.push_back((effects, self.model.clone()));
        if self.stalled { Ok(()) } else { self.commit(usize::MAX) }
    }

    /// As the engine does: all that has happened is kept before a device is forgotten, in the memory and on the disk.
    fn forget(&mut self, device: &DeviceId) -> Result<(), TestCaseError> {
        self.seal()?;
        self.commit(usize::MAX)?;
        self.stalled = false;
        let forgotten = self.ledger.forget_device(device);
        prop_assert_eq!(forgotten, self.model.forget_device(device), "forgetting {} at {}", device, self.now);
        if forgotten {
            self.watch.forgot(device);
            self.disk.retain(|event| event.device != *device);
            self.published.retain(|(key, _)| key.0 != *device);
            self.model_on_disk = self.model.clone();
        }
        self.compare()
    }

    /// What is about to be kept is what has changed, each command once and as it stands.
    fn seal(&mut self) -> Result<(), TestCaseError> {
        let mut expected = std::mem::take(&mut self.changed);
        for Changed { command, deadline } in self.ledger.take_changed() {
            let key = (command.device().clone(), command.id().clone());
            prop_assert!(expected.remove(&key), "{} has not changed, or not twice", command.id());
            prop_assert_eq!(Some(&command), self.watch.told().get(&key));
            prop_assert_eq!(deadline, self.ledger.deadline(&key.0, &key.1));
        }
        prop_assert_eq!(expected, BTreeSet::new(), "changed, and not said to be");
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        for told in self.model.commands.iter().filter(|told| !told.forgotten) {
            let Some(command) = self.ledger.command(&told.submission.device, &told.submission.id) else {
                return Err(TestCaseError::fail(format!("the ledger does not have {}", told.submission.id)));
            };
            prop_assert_eq!(
                (command.origin, command.state, command.attempt, command.late, command.duplicates, command.conflict),
                (told.origin, told.state, told.attempts(), told.late, told.duplicates, told.conflict)
            );
            prop_assert_eq!(
                (command.contradicted, command.ambiguous, command.matched, &command.result),
                (told.contradicted, told.ambiguous, told.matched, &told.result)
            );
            let unreadable = command.unreadable.as_ref().map(|answers| (answers.count, answers.last_at.0));
            prop_assert_eq!(unreadable, told.unreadable);
            let says_so = command.message.as_deref().is_some_and(|message| message.contains("It is damaged."));
            let open = !command.is_settled() || command.state == State::TimedOut && command.last_answer_at.is_none();
            let silent = open && told.unreadable.is_some() && !told.heard_of_device();
            prop_assert!(says_so || !silent, "nothing is said of what cannot be read: {:?}", command.message);
        }
        Ok(())
    }

    /// As the engine does: a command that is named and not in memory is fetched from the store.
    fn look_up(&mut self, input: &Input) -> Result<(), TestCaseError> {
        let named: Vec<Key> = match input {
            Input::Answer(answer) => {
                let claimed = if let Claim::Id(id) = &answer.claim { Some(id.clone()) } else { None };
                let ids = claimed.into_iter().chain(answer.correlation.clone());
                ids.map(|id| (answer.device.clone(), id)).collect()
            }
            Input::Observed(submission) | Input::Submit(submission) => {
                vec![(submission.device.clone(), submission.id.clone())]
            }
            Input::Cancel { device, id } | Input::Unreadable { device, about: About::Named(id), .. } => {
                vec![(device.clone(), id.clone())]
            }
            _ => Vec::new(),
        };
        for (device, id) in named {
            if self.ledger.is_known(&device, &id) {
                continue;
            }
            // Forgotten before its end is on disk: what the disk has is out of date.
            if self.pending.iter().any(|(effects, _)| effects.iter().any(|effect| is_about(effect, &device, &id))) {
                self.commit(usize::MAX)?;
            }
            if let Some(command) = replay(&self.disk, &device, &id) {
                self.ledger.adopt(command);
                self.model.remember(&device, &id);
            }
        }
        Ok(())
    }

    fn commit(&mut self, batches: usize) -> Result<(), TestCaseError> {
        for _ in 0..batches.min(self.pending.len()) {
            let Some((effects, model)) = self.pending.pop_front() else { break };
            self.disk.extend(effects.iter().filter_map(|effect| match effect {
                Effect::Record(event) => Some(event.clone()),
                Effect::Publish { .. } => None,
            }));
            for (key, attempt) in publishes(&effects) {
                self.watch.leaves(&key, attempt, &self.disk)?;
                self.published.push((key, attempt));
            }
            self.model_on_disk = model;
        }
        Ok(())
    }

    fn crash(&mut self) {
        self.pending.clear();
        self.changed.clear();
        self.stalled = false;
        self.published.clear();
        self.ledger = Ledger::new(self.limits);
        let submitted = self.disk.iter().filter(|event| matches!(event.fact, Fact::Submitted { .. }));
        let commands = submitted.filter_map(|event| replay(&self.disk, &event.device, event.command.as_ref()?));
        let (settled, unsettled): (Vec<Command>, Vec<Command>) = commands.partition(Command::is_settled);
        // The order of what has ended means nothing.
        let settled = settled.into_iter().rev().filter(|command| may_yet_be_answered(command, &self.disk, self.now));
        unsettled.into_iter().chain(settled).for_each(|command| self.ledger.adopt(command));
        self.model = self.model_on_disk.clone();
        self.model.restart(|device, id| self.ledger.is_known(device, id));
        self.model_on_disk = self.model.clone();
        self.watch.restarted(&self.disk);
    }

    fn submission(&mut self, device: usize, policy: Policy, shared_id: bool) -> Submission {
        let device = device_id(device);
        let shared = self.keys.last().filter(|(other, _)| shared_id && *other != device).map(|(_, id)| id.clone());
        let id = shared.unwrap_or_else(|| {
            self.ids += 1;
            command_id(&format!("c{:03}", self.ids))
        });
        let key = (device.clone(), id.clone());
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
        submission(device, id, policy)
    }

    fn answer(&self, said: &ModelAnswer) -> Answer {
        let (device, id) = self.key(said.pick).unwrap_or_else(|| (device_id(0), command_id("x")));
        let claim = match said.how {
            Naming::Id => Claim::Id(id),
            Naming::UnknownId => Claim::Id(command_id("unknown")),
            Naming::Within { beside: None } => Claim::Within(format!("SUCCESS: b'{{\"id\": \"{id}\"}}'").into()),
            Naming::Within { beside: Some(other) } => {
                let other = self.key(other).map_or_else(String::new, |(_, id)| id.to_string());
                Claim::Within(format!("{id}, {other}; not c{id} or {id}0").into())
            }
            Naming::Nothing => Claim::Nothing,
        };
        Answer {
            device: if said.elsewhere { device_id(3) } else { device },
            claim,
            correlation: said.correlation.and_then(|pick| self.key(pick)).map(|(_, id)| id),
            outcome: said.outcome,
            progress: None,
            message: None,
            result: said.result.then(|| "1".into()),
            said_at: None,
            retained: said.retained,
            raw: Raw::default(),
        }
    }

    /// One of the commands, the latest first.
    fn key(&self, pick: usize) -> Option<Key> {
        self.keys.iter().rev().nth(pick % self.keys.len().max(1)).cloned()
    }

    /// One of the publishes, the latest first.
    fn publish(&self, pick: usize) -> Option<(Key, u32)> {
        self.published.iter().rev().nth(pick % self.published.len().max(1)).cloned()
    }
}

/// The order in which different commands are recorded in one call means nothing; the order within a command does.
fn by_command(effects: &[Effect]) -> BTreeMap<Option<Key>, Vec<&Effect>> {
    let mut sorted: BTreeMap<Option<Key>, Vec<&Effect>> = BTreeMap::new();
    for effect in effects {
        let key = match effect {
            Effect::Record(event) => event.command.clone().map(|id| (event.device.clone(), id)),
            Effect::Publish { device, id, .. } => Some((device.clone(), id.clone())),
        };
        sorted.entry(key).or_default().push(effect);
    }
    sorted
}

fn publishes(effects: &[Effect]) -> Vec<(Key, u32)> {
    let publish = |effect: &Effect| match effect {
        Effect::Publish { device, id, attempt } => Some(((device.clone(), id.clone()), *attempt)),
        Effect::Record(_) => None,
    };
    effects.iter().filter_map(publish).collect()
}

fn is_about(effect: &Effect, device: &DeviceId, id: &CommandId) -> bool {
    matches!(effect, Effect::Record(event) if event.device == *device && event.command.as_ref() == Some(id))
}

fn replay(disk: &[Event], device: &DeviceId, id: &CommandId) -> Option<Command> {
    Command::replay(disk.iter().filter(|event| event.device == *device && event.command.as_ref() == Some(id)))
}

/// A settled command that an answer without an id may be meant for: what the store hands over at a start.
fn may_yet_be_answered(command: &Command, disk: &[Event], now: i64) -> bool {
    let of_its_device = disk.iter().rev().filter(|event| event.device == *command.device());
    let mut since_last_answer = of_its_device.take_while(|event| match &event.fact {
        Fact::Answered { answer, .. } | Fact::Unsolicited { answer, .. } => answer.retained,
        _ => true,
    });
    match command.state {
        State::Unconfirmed => Timestamp(now) < command.changed_at + command.submission.policy.timeout,
        State::TimedOut => since_last_answer
            .any(|event| matches!(event.fact, Fact::TimedOut(_)) && event.command.as_ref() == Some(command.id())),
        _ => false,
    }
}

fn submission(device: DeviceId, id: CommandId, policy: Policy) -> Submission {
    Submission {
        device,
        id,
        name: "led".into(),
        args: "{}".into(),
        form: None,
        policy,
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    }
}

/// A command whose device must report its lamp to be so, or whatever it is.
fn lamp(on: Option<bool>) -> WireForm {
    let terms = [Term { key: "lamp".into(), value: on.map(|on| word(on).into()) }].into();
    let expects = Some(Box::new(Expectation::State { terms, words_under: [].into() }));
    WireForm { expects, ..WireForm::default() }
}

fn word(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

fn device_id(number: usize) -> DeviceId {
    DeviceId::new(format!("d{number}")).expect("a valid device ID")
}

fn command_id(text: &str) -> CommandId {
    CommandId::new(text).expect("a valid command ID")
}

fn puback(kind: PubackKind) -> Puback {
    match kind {
        PubackKind::Accepted => Puback::Accepted { nobody_listening: false },
        PubackKind::NobodyListening => Puback::Accepted { nobody_listening: true },
        PubackKind::Refused => Puback::Refused { code: 0x97, said: None },
        PubackKind::TooLarge => Puback::TooLarge { bytes: 300_000 },
        PubackKind::Unknown => Puback::Unknown,
        PubackKind::NotTaken => Puback::NotTaken,
    }
}
