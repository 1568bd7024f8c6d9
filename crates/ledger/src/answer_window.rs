//! Decides how many commands may wait for answers: a limited number, as long as the broker queues no answers.
//!
//! A broker queues only a limited number of messages for a client (mosquitto: 1,000) and drops the rest silently. A
//! command causes several: a device accepts it, reports progress, answers that it succeeded, and publishes its new
//! state. [`AnswerWindow`] counts them, and lets only so many commands wait that their messages fit into that queue in
//! any case.
//!
//! Devices that are slow or never answer would block all others that way. Their answers are not in the broker's queue,
//! and a probe shows that: a message of this client to itself, which is queued behind everything that the broker holds
//! for this client. The messages that arrive between the probe's PUBACK and the probe itself are those that were
//! queued. If there are almost none, some more commands may be sent, until the next probe. A probe that returns,
//! however late, also shows that everything before it has been read: only then is a device known to be silent, rather
//! than its answer still queued at the broker.
//!
//! Devices that take long may all answer in the future, as fast as their commands were sent, or faster if they stop
//! together. So no more commands are sent than could be answered while we read: from one probe to the next, those that
//! cause about as many messages as a broker hands over in one round trip (mosquitto: 20 without a PUBACK), and within
//! half a second, those whose messages fit into its queue. Commands that have been answered do not count, and prompt
//! answers prove that more can be read, so fleets that answer promptly are not limited by this, even if some of their
//! devices never answer.
//!
//! It sends nothing and has no clock: the caller sends the probe and passes the time.

use crate::{
    Millis, Timestamp,
    recent_sends::{self, RecentSends},
};

/// The number of messages that waiting commands may always cause.
const ALWAYS: f64 = 600.0;
/// Commands that cause this many messages may be sent and unanswered without a probe after them. mosquitto hands over 20
/// messages before it waits for a PUBACK, so this many can be read in a probe's round trip.
const UNPROVEN: f64 = 18.0;
/// The next probe is sent after commands that cause this many messages.
const PROBE_AFTER: f64 = 9.0;
/// Each command that was answered within a probe's round trip allows so many more: about as many are on their way.
const FOR_A_PROMPT_ANSWER: usize = 4;
/// Commands of half a second that cause this many messages may be unanswered: they fit into a broker's queue, should
/// their devices stop for so long and then answer together.
const OF_HALF_A_SECOND: f64 = 800.0;
/// One more for so many commands that were answered promptly within it.
const PROMPT_ANSWERS_FOR_ONE_MORE: usize = 8;
/// The assumed number of messages per command until it has been counted: accepted, succeeded, and the device's new
/// state.
const USUAL: f64 = 3.0;
/// The minimum number of messages that a command is assumed to cause.
const LEAST: f64 = 2.0;
/// And so many at most: what exceeds this is telemetry.
const MOST_MESSAGES: f64 = 10.0;
/// The number of commands after which the average is known.
const COUNTED: usize = 20;
/// If it is less than before, this share of the difference is applied each time, once most commands have been answered;
/// if it is more, all of it.
const LESS: f64 = 0.25;
/// A queue of up to so many messages is none: they are on their way.
const SHORT_QUEUE: usize = 100;
/// A PUBACK of the probe, or the probe after its PUBACK, that takes longer than this shows nothing good.
const LATE: Millis = Millis::seconds(1);
/// A probe that has not returned by then is lost.
const LOST: Millis = Millis::seconds(10);
/// From a probe that has shown a queue to the next.
const PAUSE: Millis = Millis(200);
/// From a probe that was lost to the next.
const PAUSE_AFTER_LOSS: Millis = Millis::seconds(60);
/// The result of a probe expires after this time.
const OUT_OF_DATE: Millis = Millis::seconds(2);

/// The probe results of one network connection.
#[derive(Debug, Clone)]
pub struct AnswerWindow {
    /// There is a connection, and the client may send messages to itself over it.
    may_probe: bool,
    probe: Option<Probe>,
    /// The last probe has shown that there was no queue.
    shown: Option<Shown>,
    /// No probe is sent before this.
    pause_until: Timestamp,
    /// All messages that the broker had for the client at this time have been read.
    read_up_to: Option<Timestamp>,
    /// The last probe was lost, so it is not known what has been read.
    is_lost: bool,
    /// The average number of messages per command.
    messages_per_command: f64,
    /// The changes since the last computation.
    counted: Counted,
    /// The commands of the last half second, over any network connection.
    recent: RecentSends,
    /// The number of the last command that was sent, over any network connection.
    last_number: u64,
}

/// A command that was sent, until it ends: see [`AnswerWindow::sent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentCommand {
    number: u64,
    at: Timestamp,
}

/// Messages that came, commands that were sent, and commands that were answered.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    messages: usize,
    commands: usize,
    answered: usize,
}

/// There was no queue.
#[derive(Debug, Clone, Copy)]
struct Shown {
    at: Timestamp,
    /// Commands sent since the probe, without those that have ended.
    since: Since,
    /// Commands that were answered promptly within the round trip of the probe.
    prompt_answers: usize,
}

/// The commands from a certain one on.
#[derive(Debug, Clone, Copy)]
struct Since {
    /// The number of the last one before them.
    after: u64,
    /// Those of them that have not ended.
    unanswered: usize,
}

impl Since {
    fn ended(&mut self, sent: SentCommand) {
        if sent.number > self.after {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
    }
}

/// A probe in progress.
#[derive(Debug, Clone)]
struct Probe {
    sent_at: Timestamp,
    /// When its PUBACK came.
    confirmed_at: Option<Timestamp>,
    /// Messages that have come since then, and before the probe.
    queued: usize,
    /// Commands sent behind it.
    since: Since,
    /// Commands that were answered promptly meanwhile.
    prompt_answers: usize,
    /// It has come back. What came before it may still have to be stored and acknowledged.
    is_read: bool,
    /// It shows nothing good, whenever it comes back.
    is_bad: bool,
}

impl Default for AnswerWindow {
    fn default() -> AnswerWindow {
        AnswerWindow {
            may_probe: false,
            probe: None,
            shown: None,
            pause_until: Timestamp(i64::MIN),
            read_up_to: None,
            is_lost: false,
            messages_per_command: USUAL,
            counted: Counted::default(),
            recent: RecentSends::default(),
            last_number: 0,
        }
    }
}

impl AnswerWindow {
    /// The clock is ahead of the one before by so many milliseconds from now on.
    pub(crate) fn clock_is_set(&mut self, by: i64) {
        self.pause_until = self.pause_until.moved(by);
        if let Some(shown) = &mut self.shown {
            shown.at = shown.at.moved(by);
        }
        if let Some(probe) = &mut self.probe {
            probe.sent_at = probe.sent_at.moved(by);
            probe.confirmed_at = probe.confirmed_at.map(|at| at.moved(by));
        }
        self.read_up_to = self.read_up_to.map(|at| at.moved(by));
        self.recent.clock_is_set();
    }

    /// The maximum number of commands that wait for answers at the same time, not counting silent devices.
    pub const MOST: usize = 10_000;

    /// A device is slow if it takes longer than this to answer, see [`AnswerWindow::send_to_slow`].
    pub const SLOW_AFTER: Millis = recent_sends::SPAN;

    /// How long it takes about to send commands to so many slow devices, or to devices that never answer.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate, and not negative"
    )]
    pub fn send_to_slow(devices: usize) -> Millis {
        let beyond = (devices as f64 - ALWAYS / USUAL).max(0.0);
        Millis((beyond * USUAL / OF_HALF_A_SECOND * recent_sends::SPAN.0 as f64) as u64)
    }

    /// The number of commands that may be sent, however many wait.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.proven().min(self.room_of_half_a_second())
    }

    /// When time alone allows more commands, because only those of the last half second prevent them.
    #[must_use]
    pub fn more_spare_at(&self) -> Option<Timestamp> {
        self.recent.fewer_at().filter(|_| self.proven() > 0 && self.room_of_half_a_second() == 0)
    }

    /// The number of commands that the probes allow.
    fn proven(&self) -> usize {
        self.shown.map_or(0, |shown| {
            let allowed = self.bringing(UNPROVEN) + shown.prompt_answers * FOR_A_PROMPT_ANSWER;
            allowed.saturating_sub(shown.since.unanswered)
        })
    }

    /// The number of commands that those of the last half second allow.
    fn room_of_half_a_second(&self) -> usize {
        let allowed = self.bringing(OF_HALF_A_SECOND) + self.recent.answers() / PROMPT_ANSWERS_FOR_ONE_MORE;
        allowed.saturating_sub(self.recent.unanswered())
    }

    /// The number of commands that may always wait for answers: their messages certainly fit into a broker's queue.
    /// Without probes, [`crate::Limits::answer_window`] decides instead.
    #[must_use]
    pub fn always(&self) -> usize {
        if self.may_probe { self.bringing(ALWAYS) } else { usize::MAX }
    }

    /// The number of commands that cause this many messages.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 400")]
    fn bringing(&self, messages: f64) -> usize {
        ((messages / self.messages_per_command) as usize).max(1)
    }

    /// Whether everything that the broker had for the client at that time has been read, as far as this can be known. A
    /// device that had answered by then is not silent.
    #[must_use]
    pub fn has_read(&self, at: Timestamp) -> bool {
        !self.may_probe || self.is_lost || self.read_up_to.is_some_and(|read| read >= at)
    }

    /// A network connection is established. `may_probe`: the client may send messages to itself over it. Otherwise
    /// there is never spare capacity.
    pub fn connected(&mut self, may_probe: bool) {
        let messages_per_command = self.messages_per_command;
        self.reset();
        self.may_probe = may_probe;
        self.messages_per_command = messages_per_command;
    }

    /// The network connection has ended: from now on, the broker queues answers.
    pub fn disconnected(&mut self) {
        self.reset();
    }

    /// Discards what is known about the network connection. Commands sent over it may still end.
    fn reset(&mut self) {
        let (last_number, recent) = (self.last_number, std::mem::take(&mut self.recent));
        *self = AnswerWindow { last_number, recent, ..AnswerWindow::default() };
    }

    /// A command has been sent. Report its end with [`AnswerWindow::ended`].
    pub fn sent(&mut self, now: Timestamp) -> SentCommand {
        self.last_number += 1;
        self.counted.commands += 1;
        self.recent.sent(now);
        if let Some(shown) = &mut self.shown {
            shown.since.unanswered += 1;
        }
        if let Some(probe) = &mut self.probe {
            probe.since.unanswered += 1;
        }
        SentCommand { number: self.last_number, at: now }
    }

    /// A sent command no longer waits for an answer. `answered`: because it was answered.
    pub fn ended(&mut self, sent: SentCommand, answered: bool, now: Timestamp) {
        self.counted.answered += usize::from(answered);
        if let Some(shown) = &mut self.shown {
            shown.since.ended(sent);
        }
        if let Some(probe) = &mut self.probe {
            probe.since.ended(sent);
        }
        if self.recent.ended(sent.at, now) && answered {
            self.recent.answered(now);
            if let Some(probe) = &mut self.probe {
                probe.prompt_answers += 1;
            }
        }
    }

    /// When the next probe is due, if many commands wait for answers. `None`: only after another event.
    #[must_use]
    pub fn probe_due_at(&self) -> Option<Timestamp> {
        let is_wanted = self.shown.is_none_or(|shown| shown.since.unanswered >= self.bringing(PROBE_AFTER));
        self.next_probe_at().filter(|_| is_wanted)
    }

    /// When a probe may be sent to show whether everything has been read, see [`AnswerWindow::has_read`].
    #[must_use]
    pub fn next_probe_at(&self) -> Option<Timestamp> {
        (self.may_probe && self.probe.is_none()).then_some(self.pause_until)
    }

    /// A probe was sent.
    pub fn probe_sent(&mut self, now: Timestamp) {
        self.probe = Some(Probe {
            sent_at: now,
            confirmed_at: None,
            queued: 0,
            since: Since { after: self.last_number, unanswered: 0 },
            prompt_answers: 0,
            is_read: false,
            is_bad: false,
        });
    }

    /// The PUBACK of the probe has arrived.
    pub fn probe_confirmed(&mut self, now: Timestamp) {
        self.tick(now);
        if let Some(probe) = &mut self.probe {
            probe.confirmed_at.get_or_insert(now);
        }
    }

    /// The broker does not deliver the client's messages to itself, so this connection has no spare capacity.
    pub fn probe_refused(&mut self) {
        self.reset();
    }

    /// Another message has arrived from the broker.
    pub fn message(&mut self) {
        self.counted.messages += 1;
        let is_before_it = |probe: &&mut Probe| probe.confirmed_at.is_some() && !probe.is_read;
        let Some(probe) = self.probe.as_mut().filter(is_before_it) else { return };
        probe.queued += 1;
        if probe.queued > SHORT_QUEUE {
            probe.is_bad = true;
            self.shown = None;
        }
    }

    /// The probe has come back: everything that the broker had before it has been read. Once that is stored and
    /// acknowledged, call [`AnswerWindow::probe_settled`].
    pub fn probe_returned(&mut self, now: Timestamp) {
        self.tick(now);
        let Some(probe) = &mut self.probe else { return };
        probe.is_read = true;
        self.read_up_to = Some(probe.sent_at);
        self.is_lost = false;
    }

    /// Everything before the probe has been stored, and its PUBACKs have been sent: only now does a broker deliver more
    /// than a few messages. Has no effect before [`AnswerWindow::probe_returned`].
    pub fn probe_settled(&mut self, now: Timestamp) {
        self.tick(now);
        let Some(Probe { since, prompt_answers, is_bad, .. }) = self.probe.take_if(|probe| probe.is_read) else {
            return;
        };
        self.count();
        if is_bad {
            self.pause_until = now + PAUSE;
        } else {
            self.shown = Some(Shown { at: now, since, prompt_answers });
        }
    }

    /// Updates the average number of messages per command.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn count(&mut self) {
        if self.counted.commands < COUNTED {
            return;
        }
        let Counted { messages, commands, answered } = std::mem::take(&mut self.counted);
        let now = (messages as f64 / commands as f64).clamp(LEAST, MOST_MESSAGES);
        let before = self.messages_per_command;
        // Devices that have not answered yet may still cause as many messages as the others.
        let is_known = answered * 2 >= commands;
        if now > before {
            self.messages_per_command = now;
        } else if is_known {
            self.messages_per_command = before + (now - before) * LESS;
        }
    }

    /// Time has passed. Call it at least once per second.
    pub fn tick(&mut self, now: Timestamp) {
        self.recent.advance(now);
        if self.shown.is_some_and(|shown| now.since(shown.at) >= OUT_OF_DATE) {
            self.shown = None;
        }
        let Some(probe) = &mut self.probe else { return };
        if now.since(probe.sent_at) >= LOST {
            self.probe = None;
            self.shown = None;
            self.is_lost = true;
            self.pause_until = now + PAUSE_AFTER_LOSS;
        } else if now.since(probe.confirmed_at.unwrap_or(probe.sent_at)) > LATE {
            probe.is_bad = true;
            self.shown = None;
        }
    }
}

#[cfg(test)]
mod tests;
