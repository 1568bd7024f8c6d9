//! Projects the events of a command to its state. The only place where a state is derived from facts.

use std::sync::Arc;

use crate::{
    Claim, Command, CommandId, Delivery, Event, Expectation, Fact, LastSend, Match, NotDelivered, Origin, Outcome,
    PublishResult, Reading, Rungs, State, TimeOut, Timestamp, UnreadableAnswers, sentences,
};

impl Command {
    /// The command that an event starts; `None` if the event is not a [`Fact::Submitted`].
    #[must_use]
    pub fn begin(event: &Event) -> Option<Command> {
        let Fact::Submitted { submission, origin } = &event.fact else { return None };
        let mut command = Command {
            submission: Arc::clone(submission),
            origin: *origin,
            submitted_at: event.at,
            state: State::Queued,
            changed_at: event.at,
            attempt: 0,
            last_send: None,
            rungs: Rungs::default(),
            last_answer_at: None,
            progress: None,
            message: None,
            result: None,
            matched: None,
            late: false,
            duplicates: 0,
            unreadable: None,
            conflict: false,
            contradicted: None,
            ambiguous: 0,
            nobody_listening: false,
            abandoned: false,
            repeat_refused: false,
        };
        if *origin == Origin::Observed {
            // The broker has passed it on to us, so the broker has it.
            command.state = State::AtBroker;
            command.attempt = 1;
            command.rungs.at_broker = Some(event.at);
            command.last_send = Some(LastSend {
                number: 1,
                at: event.at,
                before: event.at,
                on_wire: true,
                publish_result: PublishResult::Confirmed,
            });
        }
        Some(command)
    }

    /// The command with these events, oldest first; `None` if they do not begin with its submission.
    #[must_use]
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Command> {
        let mut events = events.into_iter();
        let mut command = Command::begin(events.next()?)?;
        events.for_each(|event| command.apply(event));
        Some(command)
    }

    /// Applies an event. An event that cannot follow the current state changes nothing but the time of change.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        match &event.fact {
            Fact::Submitted { .. } | Fact::Unsolicited { .. } => return,
            Fact::Unreadable { why, .. } => self.unreadable(why, at),
            Fact::Held if self.state == State::Queued => self.state = State::Held,
            Fact::Released if self.state == State::Held => self.state = State::Queued,
            Fact::Held | Fact::Released => {}
            Fact::AwaitsReturn if self.is_unsent() && self.unreadable.is_none() => {
                self.message = Some(sentences::awaits_return());
            }
            Fact::AwaitsReturn => {}
            Fact::Handed { attempt } => self.handed(*attempt, at),
            Fact::EventsMissing if self.is_unsent() => self.events_missing(at),
            Fact::EventsMissing => {}
            Fact::Sent { attempt } => self.sent(*attempt, at),
            Fact::AtBroker { attempt, nobody_listening } => self.at_broker(*attempt, *nobody_listening, at),
            Fact::DeliveryUnknown { attempt } => {
                if let Some(send) = self.send(*attempt)
                    && send.publish_result == PublishResult::Open
                {
                    send.publish_result = PublishResult::Unknown;
                }
            }
            Fact::NotSent { attempt } => self.not_sent(*attempt),
            Fact::Undeliverable(why) => self.undeliverable(why, at),
            Fact::Unconfirmed => self.end(State::Unconfirmed, sentences::unconfirmed(self), at),
            Fact::TimedOut(why) => {
                self.abandoned |= *why == TimeOut::Abandoned && !self.is_settled();
                self.end(State::TimedOut, sentences::timed_out(self, *why, at), at);
            }
            Fact::Expired => self.end(State::Expired, sentences::expired(self), at),
            Fact::Cancelled => self.end(State::Cancelled, sentences::cancelled(), at),
            Fact::Answered { answer, reading } => self.answered(answer, *reading, at),
        }
        self.changed_at = at;
    }

    /// Whether the state is final.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.is_final()
    }

    /// Whether it waits here, and was certainly never passed to MQTT.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.attempt == 0 && matches!(self.state, State::Queued | State::Held)
    }

    /// Whether it may have been sent, with an unknown result.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        !self.is_settled() && !self.is_unsent()
    }

    /// Whether it may be resent with the same ID, if necessary.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        let policy = &self.submission.policy;
        self.origin == Origin::Here
            && self.is_outstanding()
            && policy.delivery != Delivery::Broadcast
            && policy.retry.permitted
            && policy.answers_carry_ids
            && !self.abandoned
            && !self.repeat_refused
            && self.attempt <= policy.retry.limit
    }

    /// Its device required a signed request: its last send is declined, or is the one that followed.
    pub(crate) fn was_declined(&self) -> bool {
        let says_so = self.message.as_deref() == Some(&*sentences::challenged());
        self.last_send.is_some_and(|send| send.publish_result == PublishResult::Declined) || says_so
    }

    /// When it expires.
    #[must_use]
    pub fn end_of_life(&self) -> Timestamp {
        self.submitted_at + self.submission.policy.time_to_live
    }

    /// The start of the silence: the device's last answer, or the last send.
    #[must_use]
    pub fn silent_since(&self) -> Timestamp {
        let sent = self.last_send.map_or(self.submitted_at, |send| send.at);
        self.last_answer_at.map_or(sent, |heard| heard.max(sent))
    }

    /// Its order among the commands of its device: earlier requests first. Those of one millisecond are ordered by
    /// their IDs, see [`crate::Submission::id`].
    pub(crate) fn turn(&self) -> (Timestamp, &CommandId) {
        (self.submitted_at, self.id())
    }

    /// The device ID.
    #[must_use]
    pub fn device(&self) -> &crate::DeviceId {
        &self.submission.device
    }

    /// The command ID.
    #[must_use]
    pub fn id(&self) -> &CommandId {
        &self.submission.id
    }

    /// The required report, if answers do not contain the command's ID.
    #[must_use]
    pub fn expects(&self) -> Option<&Expectation> {
        self.submission.form.as_ref()?.expects.as_deref()
    }

    /// A report of its device's state is its answer.
    pub(crate) fn waits_for_report(&self) -> bool {
        matches!(self.expects(), Some(Expectation::State { .. }))
    }

    /// The delivery while the device is offline.
    pub(crate) fn delivery(&self) -> Delivery {
        self.submission.policy.delivery
    }

    /// The last send, if it has this number.
    fn send(&mut self, number: u32) -> Option<&mut LastSend> {
        self.last_send.as_mut().filter(|send| send.number == number)
    }

    fn handed(&mut self, number: u32, at: Timestamp) {
        let before = self.last_send.map_or(self.submitted_at, |send| send.at);
        if self.is_unsent() && self.unreadable.is_none() {
            // Its wait is over.
            self.message = None;
        }
        self.attempt = self.attempt.saturating_add(1);
        self.last_send = Some(LastSend { number, at, before, on_wire: false, publish_result: PublishResult::Open });
    }

    /// As if the process had been killed after passing it on.
    fn events_missing(&mut self, at: Timestamp) {
        self.state = State::Queued;
        self.handed(self.last_send.map_or(0, |send| send.number).saturating_add(1), at);
        self.message = Some(sentences::events_missing());
    }

    fn sent(&mut self, number: u32, at: Timestamp) {
        let Some(send) = self.send(number) else { return };
        send.at = at;
        send.on_wire = true;
        self.rungs.sent = Some(at);
        self.climb(State::Sent);
    }

    fn at_broker(&mut self, number: u32, nobody_listening: bool, at: Timestamp) {
        let Some(send) = self.send(number) else { return };
        send.publish_result = PublishResult::Confirmed;
        self.rungs.at_broker = Some(at);
        self.nobody_listening = nobody_listening;
        if self.state == State::TimedOut {
            self.message = Some(sentences::confirmed_after_time_out(self));
        }
        self.climb(State::AtBroker);
    }

    fn not_sent(&mut self, number: u32) {
        let Some(send) = self.send(number) else { return };
        if send.on_wire || !matches!(send.publish_result, PublishResult::Open | PublishResult::Unknown) {
            return;
        }
        send.publish_result = PublishResult::NotSent;
        send.at = send.before;
        self.attempt = self.attempt.saturating_sub(1);
    }

    fn undeliverable(&mut self, why: &NotDelivered, at: Timestamp) {
        if let Some(send) = &mut self.last_send
            && matches!(why, NotDelivered::Refused { .. } | NotDelivered::TooLarge { .. })
        {
            send.publish_result = PublishResult::Refused;
        }
        if self.attempt <= 1 && self.state < State::AtBroker {
            self.end(State::Undeliverable, sentences::undeliverable(why), at);
        } else if !self.is_settled() {
            self.repeat_refused = true;
            self.message = Some(sentences::repeat_refused(self, why));
        }
    }

    fn answered(&mut self, answer: &crate::Answer, reading: Reading, at: Timestamp) {
        match reading {
            Reading::Moved | Reading::Inferred | Reading::Late => {
                self.note_answer(answer, at);
                let state = answer.outcome.state();
                self.matched = Some(match (&answer.claim, reading) {
                    (Claim::State, _) => Match::Reported,
                    (_, Reading::Inferred) => Match::Inferred,
                    _ => Match::Exact,
                });
                if state.is_final() {
                    self.state = state;
                    self.rungs.finished = Some(at);
                    self.late |= reading == Reading::Late;
                    self.message.clone_from(&answer.message);
                    self.result.clone_from(&answer.result);
                } else {
                    self.climb(state);
                }
            }
            Reading::Challenge => {
                self.last_answer_at = Some(at);
                self.message = Some(sentences::challenged());
                if let Some(send) = &mut self.last_send {
                    send.publish_result = PublishResult::Declined;
                }
            }
            Reading::Heartbeat => self.note_answer(answer, at),
            Reading::Duplicate => {
                self.duplicates = self.duplicates.saturating_add(1);
                if !self.is_settled() {
                    self.last_answer_at = Some(at);
                }
            }
            Reading::Conflict => self.conflict = true,
            Reading::Contradiction => {
                self.contradicted = Some(answer.outcome);
                self.result.clone_from(&answer.result);
                self.message = Some(sentences::contradicted(self.state, answer));
            }
            Reading::AfterTheEnd => {}
            Reading::Ambiguous => {
                self.ambiguous = self.ambiguous.saturating_add(1);
                self.matched.get_or_insert(Match::Ambiguous);
            }
        }
    }

    /// Only evidence: changes neither its state nor its deadline. Its message mentions it, unless the device itself has
    /// reported how it ended.
    fn unreadable(&mut self, why: &str, at: Timestamp) {
        let count = self.unreadable.as_ref().map_or(0, |before| before.count).saturating_add(1);
        self.unreadable = Some(UnreadableAnswers { count, last_at: at, why: why.into() });
        if !self.is_settled() || self.state == State::TimedOut {
            self.message = Some(sentences::unreadable(self, at, why));
        }
    }

    /// An answer from the device about this command.
    fn note_answer(&mut self, answer: &crate::Answer, at: Timestamp) {
        self.last_answer_at = Some(at);
        self.rungs.accepted.get_or_insert(at);
        if answer.outcome == Outcome::Running && answer.progress.is_some() {
            self.progress = answer.progress;
        }
        if answer.message.is_some() {
            self.message.clone_from(&answer.message);
        }
    }

    fn climb(&mut self, state: State) {
        if self.state < state {
            self.state = state;
        }
    }

    /// Ends it without the device. A final state does not change.
    fn end(&mut self, state: State, message: Box<str>, at: Timestamp) {
        if self.is_settled() {
            return;
        }
        self.state = state;
        self.message = Some(message);
        self.rungs.finished = Some(at);
    }
}
