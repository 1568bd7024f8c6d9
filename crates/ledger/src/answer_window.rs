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
//! It sends nothing and has no clock: the caller sends the probe and passes the time.

use crate::{Millis, Timestamp};

/// The number of messages that waiting commands may always cause.
const ALWAYS: f64 = 600.0;
/// Commands that cause this many messages may be sent without a probe after them.
const UNPROVEN: f64 = 200.0;
/// The next probe is sent after commands that cause this many messages.
const PROBE_AFTER: f64 = 60.0;
/// The assumed number of messages per command until it has been counted: accepted, succeeded, and the device's new
/// state.
const USUAL: f64 = 3.0;
/// The minimum number of messages that a command is assumed to cause.
const LEAST: f64 = 2.0;
/// And so many at most: what exceeds this is telemetry.
const MOST_MESSAGES: f64 = 10.0;
/// The number of commands after which the average is known.
const COUNTED: usize = 20;
/// If it is less than before, this share of the difference is applied each time; if it is more, all of it.
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

/// The results of probes of the broker's queue for this client, over one network connection.
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
}

/// Messages that came, and commands that were sent.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    messages: usize,
    commands: usize,
}

/// There was no queue.
#[derive(Debug, Clone, Copy)]
struct Shown {
    at: Timestamp,
    /// Commands sent since then.
    unproven: usize,
}

/// A probe in progress.
#[derive(Debug, Clone)]
struct Probe {
    sent_at: Timestamp,
    /// When its PUBACK came.
    confirmed_at: Option<Timestamp>,
    /// Messages that have come since then.
    queued: usize,
    /// Commands sent behind it.
    sent_behind: usize,
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
    }

    /// More commands never wait for answers at the same time, not counting silent devices. A device is silent after two
    /// seconds, so these are 5,000 silent devices a second.
    pub const MOST: usize = 10_000;

    /// So many commands may be sent however many wait.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.shown.map_or(0, |shown| self.bringing(UNPROVEN).saturating_sub(shown.unproven))
    }

    /// The number of commands that may always wait for answers: their messages certainly fit into a broker's queue.
    /// Without probes, [`crate::Limits::answer_window`] decides instead.
    #[must_use]
    pub fn always(&self) -> usize {
        if self.may_probe { self.bringing(ALWAYS) } else { usize::MAX }
    }

    /// The number of commands that cause this many messages.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 6 and 300")]
    fn bringing(&self, messages: f64) -> usize {
        (messages / self.messages_per_command) as usize
    }

    /// Whether everything has been read that the broker had for the client at that time, as far as that can be known. A
    /// device that had answered by then is not silent.
    #[must_use]
    pub fn has_read(&self, at: Timestamp) -> bool {
        !self.may_probe || self.is_lost || self.read_up_to.is_some_and(|read| read >= at)
    }

    /// A network connection is established. `may_probe`: the client may send messages to itself over it. Otherwise
    /// there is never spare capacity.
    pub fn connected(&mut self, may_probe: bool) {
        let messages_per_command = self.messages_per_command;
        *self = AnswerWindow { may_probe, messages_per_command, ..AnswerWindow::default() };
    }

    /// The network connection has ended: the broker queues what devices answer from now on.
    pub fn disconnected(&mut self) {
        *self = AnswerWindow::default();
    }

    /// A command has been sent.
    pub fn sent(&mut self) {
        self.counted.commands += 1;
        if let Some(shown) = &mut self.shown {
            shown.unproven += 1;
        }
        if let Some(probe) = &mut self.probe {
            probe.sent_behind += 1;
        }
    }

    /// When the next probe is to be sent, if many commands wait for answers. `None`: not before something else happens.
    #[must_use]
    pub fn probe_due_at(&self) -> Option<Timestamp> {
        let is_wanted = self.shown.is_none_or(|shown| shown.unproven >= self.bringing(PROBE_AFTER));
        self.next_probe_at().filter(|_| is_wanted)
    }

    /// When a probe may be sent that is to show whether everything has been read, see [`AnswerWindow::has_read`].
    #[must_use]
    pub fn next_probe_at(&self) -> Option<Timestamp> {
        (self.may_probe && self.probe.is_none()).then_some(self.pause_until)
    }

    /// A probe was sent.
    pub fn probe_sent(&mut self, now: Timestamp) {
        self.probe = Some(Probe { sent_at: now, confirmed_at: None, queued: 0, sent_behind: 0, is_bad: false });
    }

    /// The probe's PUBACK has come.
    pub fn probe_confirmed(&mut self, now: Timestamp) {
        self.tick(now);
        if let Some(probe) = &mut self.probe {
            probe.confirmed_at.get_or_insert(now);
        }
    }

    /// The broker does not let the client send messages to itself, so there are none to spare on this connection.
    pub fn probe_refused(&mut self) {
        *self = AnswerWindow::default();
    }

    /// Another message has come from the broker.
    pub fn message(&mut self) {
        self.counted.messages += 1;
        let Some(probe) = self.probe.as_mut().filter(|probe| probe.confirmed_at.is_some()) else { return };
        probe.queued += 1;
        if probe.queued > SHORT_QUEUE {
            probe.is_bad = true;
            self.shown = None;
        }
    }

    /// The probe has come back.
    pub fn probe_returned(&mut self, now: Timestamp) {
        self.tick(now);
        let Some(probe) = self.probe.take() else { return };
        self.read_up_to = Some(probe.sent_at);
        self.is_lost = false;
        self.count();
        if probe.is_bad {
            self.pause_until = now + PAUSE;
        } else {
            self.shown = Some(Shown { at: now, unproven: probe.sent_behind });
        }
    }

    /// Updates the average number of messages per command.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn count(&mut self) {
        if self.counted.commands < COUNTED {
            return;
        }
        let Counted { messages, commands } = std::mem::take(&mut self.counted);
        let now = (messages as f64 / commands as f64).clamp(LEAST, MOST_MESSAGES);
        let before = self.messages_per_command;
        self.messages_per_command = if now > before { now } else { before + (now - before) * LESS };
    }

    /// Time has passed. To be called at least once a second.
    pub fn tick(&mut self, now: Timestamp) {
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
mod tests {
    use super::AnswerWindow;
    use crate::Timestamp;

    /// An input of a window, at a time in milliseconds.
    #[derive(Clone, Copy)]
    enum Happens {
        Commands(usize),
        Probed,
        Confirmed,
        Messages(usize),
        Returned,
        Refused,
        Tick,
        Disconnected,
    }

    use Happens::{Commands, Confirmed, Disconnected, Messages, Probed, Refused, Returned, Tick};

    /// The free capacity of a connected window after each input, and the time of the next probe at the end.
    fn check(steps: &[(i64, Happens, usize)], probe_due_at: Option<i64>) {
        let mut window = AnswerWindow::default();
        window.connected(true);
        for (place, (at, happens, spare)) in steps.iter().enumerate() {
            let now = Timestamp(*at);
            match happens {
                Commands(count) => (0..*count).for_each(|_| window.sent()),
                Probed => window.probe_sent(now),
                Confirmed => window.probe_confirmed(now),
                Messages(count) => (0..*count).for_each(|_| window.message()),
                Returned => window.probe_returned(now),
                Refused => window.probe_refused(),
                Tick => window.tick(now),
                Disconnected => window.disconnected(),
            }
            assert_eq!(window.spare(), *spare, "after step {place}");
        }
        assert_eq!(window.probe_due_at(), probe_due_at.map(Timestamp));
    }

    #[test]
    fn a_probe_without_a_queue_before_it_lets_more_commands_out() {
        check(&[], Some(i64::MIN));
        check(&[(0, Probed, 0)], None);
        let up_to_a_hundred = |count| [(0, Probed, 0), (1, Confirmed, 0), (2, Messages(count), 0)];
        check(&[&up_to_a_hundred(100)[..], &[(3, Returned, 66)]].concat(), None);
        check(&[&up_to_a_hundred(101)[..], &[(3, Returned, 0)]].concat(), Some(203));
        // Messages before the PUBACK were not queued.
        check(&[(0, Probed, 0), (1, Messages(900), 0), (2, Confirmed, 0), (3, Returned, 66)], None);
        // A broker may send the PUBACK behind the message.
        check(&[(0, Probed, 0), (1, Returned, 66), (2, Confirmed, 66), (3, Messages(900), 66)], None);
    }

    #[test]
    fn what_is_sent_behind_a_probe_is_not_shown_by_it() {
        check(
            &[
                (0, Probed, 0),
                (1, Commands(10), 0),
                (2, Returned, 56),
                (3, Commands(9), 47),
                (3, Commands(1), 46),
                (4, Probed, 46),
                (5, Commands(36), 10),
                (6, Commands(10), 0),
                // Those before it brought nothing, so there is room for more.
                (7, Returned, 26),
            ],
            Some(i64::MIN),
        );
    }

    #[test]
    fn a_queue_a_late_probe_and_a_lost_connection_end_it() {
        let shown = || vec![(0, Probed, 0), (1, Returned, 66), (2, Commands(26), 40), (3, Probed, 40)];
        let with = |steps: Vec<(i64, Happens, usize)>| shown().into_iter().chain(steps).collect::<Vec<_>>();
        check(
            &with(vec![(4, Confirmed, 40), (5, Messages(100), 40), (6, Messages(1), 0), (9, Returned, 0)]),
            Some(209),
        );
        check(&with(vec![(1_003, Tick, 40), (1_004, Tick, 0), (1_005, Returned, 0)]), Some(1_205));
        check(&with(vec![(1_004, Confirmed, 0), (1_005, Returned, 0)]), Some(1_205));
        check(&with(vec![(900, Confirmed, 40), (1_900, Tick, 40), (1_901, Tick, 0)]), None);
        check(&with(vec![(10_003, Tick, 0), (10_004, Returned, 0)]), Some(70_003));
        check(&with(vec![(4, Disconnected, 0), (5, Returned, 0)]), None);
        check(&with(vec![(4, Refused, 0), (5, Returned, 0)]), None);
        // The result of the probe two seconds ago.
        check(&[(0, Probed, 0), (1, Returned, 66), (2_000, Tick, 66), (2_001, Tick, 0)], Some(i64::MIN));
    }

    #[test]
    fn what_commands_bring_decides_how_many_may_wait() {
        // Commands, messages, and how many may wait and be spared afterwards.
        let check = |rounds: &[(usize, usize, usize, usize)]| {
            let mut window = AnswerWindow::default();
            window.connected(true);
            assert_eq!(window.always(), 200);
            for (commands, messages, always, spare) in rounds {
                window.probe_sent(Timestamp(0));
                (0..*messages).for_each(|_| window.message());
                window.probe_returned(Timestamp(1));
                assert_eq!((window.always(), window.spare()), (*always, *spare), "{rounds:?}");
                (0..*commands).for_each(|_| window.sent());
            }
        };
        // They are counted once there are enough of them; more is believed at once, less by and by.
        check(&[(20, 0, 200, 66), (20, 120, 100, 33), (20, 20, 120, 40), (20, 20, 141, 47)]);
        check(&[(19, 0, 200, 66), (20, 900, 200, 66), (20, 0, 60, 20)]);
        check(&[(20, 0, 200, 66), (20, 9_000, 60, 20)]);
    }

    #[test]
    fn only_a_probe_that_was_sent_later_shows_that_everything_before_was_read() {
        let mut window = AnswerWindow::default();
        assert!(window.has_read(Timestamp(9)), "nothing can be learnt");
        window.connected(true);
        assert!(!window.has_read(Timestamp(0)));
        window.probe_sent(Timestamp(5));
        window.tick(Timestamp(9_000));
        assert!(!window.has_read(Timestamp(5)), "a late one is still on its way");
        window.probe_returned(Timestamp(9_001));
        assert!(window.has_read(Timestamp(5)) && !window.has_read(Timestamp(6)));
        window.probe_sent(Timestamp(9_002));
        window.tick(Timestamp(19_002));
        assert!(window.has_read(Timestamp(19_002)), "a lost one shows nothing any more");
        window.probe_sent(Timestamp(80_000));
        window.probe_returned(Timestamp(80_001));
        assert!(window.has_read(Timestamp(80_000)) && !window.has_read(Timestamp(80_001)));
        window.disconnected();
        assert!(window.has_read(Timestamp(90_000)), "nothing can be learnt");
    }

    #[test]
    fn a_client_that_may_not_send_messages_to_itself_has_none_to_spare() {
        let mut window = AnswerWindow::default();
        window.connected(false);
        assert_eq!((window.spare(), window.probe_due_at()), (0, None));
    }
}
