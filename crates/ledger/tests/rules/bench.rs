//! A test bench for the ledger: each step is a time, an input and its expected effects, as text.

use wilco_ledger::{
    Answer, Claim, Command, CommandId, Delivery, DeviceId, Effect, Event, Fact, Input, Ledger, Limits, Millis, Outcome,
    Policy, Puback, Raw, Retry, Submission, Timestamp,
};

/// Ten seconds for an answer, a minute to live, no retries.
pub(crate) const PLAIN: Policy = Policy {
    delivery: Delivery::HoldHere,
    timeout: Millis::seconds(10),
    time_to_live: Millis::seconds(60),
    retry: Retry { permitted: false, limit: 0, pause: Millis::seconds(2) },
    answer_expected: true,
    answers_carry_ids: true,
};

/// As [`PLAIN`], but safe to repeat twice.
pub(crate) const REPEATABLE: Policy =
    Policy { retry: Retry { permitted: true, limit: 2, pause: Millis::seconds(2) }, ..PLAIN };

/// As [`PLAIN`], for firmware that answers without an id.
pub(crate) const WITHOUT_ID: Policy = Policy { answers_carry_ids: false, ..REPEATABLE };

/// What a submission over a standing connection does.
pub(crate) const OUT: &str = "a submitted; a handed 1; publish a 1";

pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) limits: Limits,
    pub(crate) events: Vec<Event>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Bench {
        Bench { ledger: Ledger::new(limits), limits, events: Vec::new() }
    }

    pub(crate) fn connected() -> Bench {
        Bench::new().at(0, Input::Connected, "")
    }

    /// Feeds one input and compares the effects. Whatever the ledger holds must be what its events say.
    #[track_caller]
    pub(crate) fn at(mut self, now: i64, input: Input, expected: &str) -> Bench {
        let shown = format!("{input:?}");
        // As if what happened before had been kept by now.
        self.ledger.take_changed();
        let effects = self.ledger.handle(input, Timestamp(now));
        let text = effects.iter().map(show).collect::<Vec<String>>().join("; ");
        assert_eq!(text, expected, "at {now}: {shown}");
        self.events.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Record(event) => Some(event),
            Effect::Publish { .. } => None,
        }));
        for event in &self.events {
            let Some(id) = &event.command else { continue };
            if let Some(command) = self.ledger.command(&event.device, id) {
                assert_eq!(self.replayed(&event.device, id).as_ref(), Some(command), "at {now}: {shown}");
            }
        }
        self
    }

    /// The program is killed and started again.
    #[track_caller]
    pub(crate) fn restarted(mut self) -> Bench {
        self.ledger = Ledger::new(self.limits);
        for event in &self.events {
            if let (Fact::Submitted { .. }, Some(id)) = (&event.fact, &event.command) {
                let command = self.replayed(&event.device, id).expect("it begins with its submission");
                if !command.is_settled() {
                    self.ledger.adopt(command);
                }
            }
        }
        self
    }

    /// The program is started again with a history that has lost events, as the store notes of a command that seems unsent.
    #[track_caller]
    pub(crate) fn restarted_with_events_missing(mut self, now: i64, name: &str) -> Bench {
        let (device, command) = (device("d"), Some(id(name)));
        self.events.push(Event { device, command, at: Timestamp(now), fact: Fact::EventsMissing });
        self.restarted()
    }

    /// The store hands over a settled command of the device `d`.
    #[track_caller]
    pub(crate) fn adopts(mut self, name: &str) -> Bench {
        let command = self.replayed(&device("d"), &id(name)).expect("it begins with its submission");
        assert!(command.is_settled());
        self.ledger.adopt(command);
        self
    }

    /// Looks at a command of the device `d`.
    #[track_caller]
    pub(crate) fn look(self, name: &str, look: impl FnOnce(&Command)) -> Bench {
        look(self.ledger.command(&device("d"), &id(name)).expect("a known command"));
        self
    }

    /// Compares what is shown of a command of the device `d`: its state and its sentence.
    #[track_caller]
    pub(crate) fn shows(self, name: &str, state: &str, message: &str) -> Bench {
        self.look(name, |command| {
            assert_eq!((command.state.as_str(), command.message.as_deref().unwrap_or("")), (state, message));
        })
    }

    #[track_caller]
    pub(crate) fn wakes(self, expected: Option<i64>) -> Bench {
        assert_eq!(self.ledger.next_deadline(), expected.map(Timestamp));
        self
    }

    fn replayed(&self, device: &DeviceId, id: &CommandId) -> Option<Command> {
        Command::replay(
            self.events.iter().filter(|event| event.device == *device && event.command.as_ref() == Some(id)),
        )
    }
}

/// The command `a`, handed over.
pub(crate) fn out(policy: Policy) -> Bench {
    Bench::connected().at(0, submit("a", policy), OUT)
}

/// The command `a`, on the wire and at the broker.
pub(crate) fn at_broker(policy: Policy) -> Bench {
    out(policy).at(10, sent("a", 1), "a sent 1").at(20, puback("a", 1), "a at broker 1")
}

pub(crate) fn device(name: &str) -> DeviceId {
    DeviceId::new(name).expect("a valid device ID")
}

pub(crate) fn id(name: &str) -> CommandId {
    CommandId::new(name).expect("a valid command ID")
}

pub(crate) fn submission(device_id: &str, name: &str, policy: Policy) -> Submission {
    Submission {
        device: device(device_id),
        id: id(name),
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

pub(crate) fn submit(name: &str, policy: Policy) -> Input {
    Input::Submit(submission("d", name, policy))
}

pub(crate) fn cancel(name: &str) -> Input {
    Input::Cancel { device: device("d"), id: id(name) }
}

pub(crate) fn sent(name: &str, attempt: u32) -> Input {
    Input::Sent { device: device("d"), id: id(name), attempt }
}

pub(crate) fn puback(name: &str, attempt: u32) -> Input {
    delivered(name, attempt, Puback::Accepted { nobody_listening: false })
}

pub(crate) fn delivered(name: &str, attempt: u32, puback: Puback) -> Input {
    Input::Delivered { device: device("d"), id: id(name), attempt, puback }
}

pub(crate) fn presence(online: bool) -> Input {
    Input::Presence { device: device("d"), online }
}

/// What the device `d` says of a command.
pub(crate) fn says(name: &str, outcome: Outcome) -> Input {
    Input::Answer(answer(Claim::Id(id(name)), outcome))
}

/// What the device `d` says without an id.
pub(crate) fn murmurs(outcome: Outcome) -> Input {
    Input::Answer(answer(Claim::Nothing, outcome))
}

pub(crate) fn answer(claim: Claim, outcome: Outcome) -> Answer {
    Answer {
        device: device("d"),
        claim,
        correlation: None,
        outcome,
        progress: None,
        message: None,
        result: None,
        said_at: None,
        retained: false,
        raw: Raw::default(),
    }
}

/// One effect as text. Commands of the device `d` go by their id alone.
pub(crate) fn show(effect: &Effect) -> String {
    let name = |device: &DeviceId, id: &CommandId| match device.as_str() {
        "d" => id.to_string(),
        other => format!("{other}/{id}"),
    };
    match effect {
        Effect::Publish { device, id, attempt } => format!("publish {} {attempt}", name(device, id)),
        Effect::Record(event) => match &event.command {
            Some(id) => format!("{} {}", name(&event.device, id), fact(&event.fact)),
            None => fact(&event.fact),
        },
    }
}

fn fact(fact: &Fact) -> String {
    match fact {
        Fact::Submitted { origin, .. } => match origin {
            wilco_ledger::Origin::Here => "submitted".into(),
            wilco_ledger::Origin::Observed => "observed".into(),
        },
        Fact::Handed { attempt } => format!("handed {attempt}"),
        Fact::Sent { attempt } => format!("sent {attempt}"),
        Fact::AtBroker { attempt, nobody_listening: false } => format!("at broker {attempt}"),
        Fact::AtBroker { attempt, nobody_listening: true } => format!("at broker {attempt}, nobody listening"),
        Fact::DeliveryUnknown { attempt } => format!("delivery unknown {attempt}"),
        Fact::NotSent { attempt } => format!("not sent {attempt}"),
        Fact::Answered { answer, reading } => format!("{:?} {reading:?}", answer.outcome).to_lowercase(),
        Fact::Unsolicited { unmatched, .. } => format!("unsolicited {unmatched:?}"),
        Fact::Unreadable { why, .. } => format!("unreadable: {why}"),
        other => format!("{other:?}"),
    }
}
