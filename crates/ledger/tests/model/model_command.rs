//! One command of the model, and what is said of it.

use wilco_ledger::{Answer, Claim, CommandId, DeviceId, Fact, Match, Origin, Outcome, Reading, State, Submission};

use crate::naive::millis;

#[derive(Debug, Clone)]
pub(crate) struct ModelCommand {
    pub(crate) submission: Submission,
    pub(crate) origin: Origin,
    pub(crate) state: State,
    pub(crate) late: bool,
    pub(crate) duplicates: u32,
    /// How many messages about it could not be read, and when the last came.
    pub(crate) unreadable: Option<(u32, i64)>,
    pub(crate) conflict: bool,
    pub(crate) contradicted: Option<Outcome>,
    pub(crate) ambiguous: u32,
    pub(crate) matched: Option<Match>,
    pub(crate) result: Option<Box<str>>,
    pub(crate) submitted: i64,
    pub(crate) sends: Vec<Sending>,
    pub(crate) heard: Option<i64>,
    pub(crate) no_more_sends: bool,
    pub(crate) held_by_broker: bool,
    pub(crate) not_before: i64,
    pub(crate) in_next_session: bool,
    /// A final answer that may have been meant for it has come.
    pub(crate) spent: bool,
    /// It has timed out, and its device has not answered anything since.
    pub(crate) unanswered: bool,
    /// Settled before a restart, and not looked up since.
    pub(crate) forgotten: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    pub(crate) number: u32,
    pub(crate) at: i64,
    pub(crate) on_wire: bool,
    /// This process waits for its PUBACK.
    pub(crate) under_way: bool,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Open,
    AtBroker,
    Lost,
    NotTaken,
    Refused,
}

impl ModelCommand {
    pub(crate) fn new(submission: &Submission, origin: Origin, now: i64) -> ModelCommand {
        let seen = Sending { number: 1, at: now, on_wire: true, under_way: false, end: End::AtBroker };
        ModelCommand {
            submission: submission.clone(),
            origin,
            state: if origin == Origin::Here { State::Queued } else { State::AtBroker },
            late: false,
            duplicates: 0,
            unreadable: None,
            conflict: false,
            contradicted: None,
            ambiguous: 0,
            matched: None,
            result: None,
            submitted: now,
            sends: if origin == Origin::Here { Vec::new() } else { vec![seen] },
            heard: None,
            no_more_sends: false,
            held_by_broker: false,
            not_before: i64::MIN,
            in_next_session: false,
            spent: false,
            unanswered: false,
            forgotten: false,
        }
    }

    pub(crate) fn attempts(&self) -> u32 {
        let sends = self.sends.iter().filter(|send| send.end != End::NotTaken).count();
        u32::try_from(sends).expect("few sends")
    }

    pub(crate) fn ours(&self) -> bool {
        self.origin == Origin::Here
    }

    pub(crate) fn never_sent(&self) -> bool {
        self.attempts() == 0 && (self.state == State::Queued || self.state == State::Held)
    }

    pub(crate) fn settled(&self) -> bool {
        self.state.is_final()
    }

    pub(crate) fn outstanding(&self) -> bool {
        !self.settled() && !self.never_sent()
    }

    /// An answer without an id can be meant for it although it has ended.
    pub(crate) fn unconfirmed_a_moment_ago(&self, now: i64) -> bool {
        let lately = now < self.last_sign() + millis(self.submission.policy.timeout.0);
        self.ours() && self.state == State::Unconfirmed && !self.spent && !self.forgotten && lately
    }

    pub(crate) fn in_flight(&self) -> bool {
        self.ours() && self.outstanding()
    }

    pub(crate) fn heard_of_device(&self) -> bool {
        self.state == State::Accepted || self.state == State::Running
    }

    pub(crate) fn is(&self, device: &DeviceId, id: &CommandId) -> bool {
        !self.forgotten && self.submission.device == *device && self.submission.id == *id
    }

    fn last_sign(&self) -> i64 {
        self.last_sent().max(self.heard.unwrap_or(i64::MIN))
    }

    /// When it last went out, or something was to go out.
    pub(crate) fn last_sent(&self) -> i64 {
        self.sends.iter().rev().find(|send| send.end != End::NotTaken).map_or(self.submitted, |send| send.at)
    }

    fn end_of_life(&self) -> i64 {
        self.submitted + millis(self.submission.policy.time_to_live.0)
    }

    fn may_repeat(&self) -> bool {
        let policy = self.submission.policy;
        self.in_flight()
            && policy.retry.permitted
            && policy.answers_carry_ids
            && !self.no_more_sends
            && self.attempts() <= policy.retry.limit
    }

    /// Its last send is neither in progress nor known to have arrived or not.
    pub(crate) fn lost(&self) -> bool {
        self.sends.last().is_some_and(|send| send.end == End::Lost || (send.end == End::Open && !send.under_way))
    }

    pub(crate) fn deadline(&self) -> i64 {
        if self.never_sent() {
            return self.end_of_life();
        }
        let timeout = millis(self.submission.policy.timeout.0);
        let mut deadline = self.last_sign() + timeout;
        if !self.heard_of_device() {
            if self.held_by_broker {
                deadline = deadline.max(self.end_of_life() + timeout);
            }
            if self.lost() && self.may_repeat() {
                deadline = deadline.max(self.end_of_life());
            }
        }
        deadline
    }

    /// Whether it is to be sent now, if everything else allows it.
    pub(crate) fn due(&self, now: i64) -> bool {
        if now >= self.end_of_life() || !self.ours() {
            return false;
        }
        if self.never_sent() {
            return self.state == State::Queued && now >= self.not_before;
        }
        if !self.may_repeat() {
            return false;
        }
        let Some(last) = self.sends.last() else { return false };
        if last.end == End::NotTaken {
            return now >= self.not_before;
        }
        if last.under_way || last.end == End::Refused || (self.lost() && self.in_next_session) {
            return false;
        }
        (self.lost() && !self.heard_of_device()) || now >= self.last_sign() + self.pause()
    }

    /// Doubled for each attempt, and up to a quarter more by a hash of the id (FNV-1a).
    fn pause(&self) -> i64 {
        let mut pause = self.submission.policy.retry.pause.0;
        for _ in 1..self.attempts() {
            pause *= 2;
        }
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut bytes = self.submission.id.as_str().as_bytes().to_vec();
        bytes.extend(self.attempts().to_le_bytes());
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        millis(pause + hash % (pause / 4 + 1))
    }

    pub(crate) fn note(&mut self, fact: &Fact, now: i64) {
        match fact {
            Fact::Submitted { .. } | Fact::Unsolicited { .. } | Fact::AwaitsReturn => {}
            Fact::Unreadable { .. } => self.unreadable = Some((self.unreadable.map_or(1, |(count, _)| count + 1), now)),
            Fact::Held => self.state = State::Held,
            Fact::Released => self.state = State::Queued,
            Fact::Handed { attempt } => {
                self.sends.push(Sending { number: *attempt, at: now, on_wire: false, under_way: true, end: End::Open })
            }
            Fact::EventsMissing => {
                let number = self.sends.last().map_or(0, |send| send.number) + 1;
                self.sends.push(Sending { number, at: now, on_wire: false, under_way: false, end: End::Lost });
                self.state = State::Queued;
            }
            Fact::Sent { .. } => {
                let send = self.sends.last_mut().expect("a send");
                send.at = now;
                send.on_wire = true;
                self.state = self.state.max(State::Sent);
            }
            Fact::AtBroker { .. } => {
                self.sends.last_mut().expect("a send").end = End::AtBroker;
                self.state = self.state.max(State::AtBroker);
            }
            Fact::DeliveryUnknown { .. } => self.sends.last_mut().expect("a send").end = End::Lost,
            Fact::NotSent { .. } => self.sends.last_mut().expect("a send").end = End::NotTaken,
            Fact::Undeliverable(_) => {
                if let Some(send) = self.sends.last_mut()
                    && send.end != End::NotTaken
                {
                    send.end = End::Refused;
                }
                if self.attempts() > 1 || self.state >= State::AtBroker {
                    self.no_more_sends = true;
                } else {
                    self.state = State::Undeliverable;
                }
            }
            Fact::Unconfirmed => self.state = State::Unconfirmed,
            Fact::TimedOut(_) => {
                self.state = State::TimedOut;
                self.unanswered = true;
            }
            Fact::Expired => self.state = State::Expired,
            Fact::Cancelled => self.state = State::Cancelled,
            Fact::Answered { answer, reading } => self.answered(answer, *reading, now),
        }
    }

    fn answered(&mut self, answer: &Answer, reading: Reading, now: i64) {
        if !self.settled() && reading != Reading::Ambiguous {
            self.heard = Some(now);
        }
        match reading {
            Reading::Moved | Reading::Inferred | Reading::Late => {
                self.state = answer.outcome.state();
                self.late |= reading == Reading::Late;
                self.matched = Some(match reading {
                    _ if answer.claim == Claim::State => Match::Reported,
                    Reading::Inferred => Match::Inferred,
                    _ => Match::Exact,
                });
                if self.settled() {
                    self.result.clone_from(&answer.result);
                }
            }
            Reading::Challenge | Reading::Heartbeat | Reading::AfterTheEnd => {}
            Reading::Duplicate => self.duplicates += 1,
            Reading::Conflict => self.conflict = true,
            Reading::Contradiction => {
                self.contradicted = Some(answer.outcome);
                self.result.clone_from(&answer.result);
            }
            Reading::Ambiguous => {
                self.ambiguous += 1;
                if self.matched.is_none() {
                    self.matched = Some(Match::Ambiguous);
                }
            }
        }
    }
}
