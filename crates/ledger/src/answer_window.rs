//! How many commands may be sent although many wait for answers: some, as long as the broker keeps no answers back.
//!
//! A broker keeps only so many messages for a client (mosquitto: 1,000) and drops the rest without a word. The answers to
//! [`crate::Limits::answer_window`] commands fit in there whatever happens, so that many may always wait. But devices that
//! are slow, or never answer, would hold up all others that way. Their answers are not in the broker's queue, and a probe
//! shows it: a message of this client to itself, which queues behind everything that the broker keeps for this client. The
//! messages that arrive between the probe's PUBACK and the probe itself are those that were queued. If there are next to
//! none, some more commands may be sent, and then the next probe tells.
//!
//! It deliberately sends nothing and has no clock: the caller sends the probe and says when.

use crate::{Millis, Timestamp};

/// So many commands may be sent that no probe has followed.
const UNPROVEN: usize = 200;
/// The next probe is sent after so many.
const PROBE_AFTER: usize = 50;
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
/// What a probe has shown is out of date after this.
const OUT_OF_DATE: Millis = Millis::seconds(2);

/// What probes have shown of the broker's queue for this client, over one network connection.
#[derive(Debug, Clone)]
pub struct AnswerWindow {
    /// There is a connection, and the client may send messages to itself over it.
    may_probe: bool,
    probe: Option<Probe>,
    /// The last probe has shown that there was no queue.
    shown: Option<Shown>,
    /// No probe is sent before this.
    pause_until: Timestamp,
}

/// There was no queue.
#[derive(Debug, Clone, Copy)]
struct Shown {
    at: Timestamp,
    /// Commands sent since then.
    unproven: usize,
}

/// A probe under way.
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
        AnswerWindow { may_probe: false, probe: None, shown: None, pause_until: Timestamp(i64::MIN) }
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
    }

    /// More commands never wait for answers at the same time, not counting silent devices. A device is silent after two
    /// seconds, so these are 5,000 silent devices a second.
    pub const MOST: usize = 10_000;

    /// So many commands may be sent however many wait.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.shown.map_or(0, |shown| UNPROVEN.saturating_sub(shown.unproven))
    }

    /// A network connection stands. `may_probe`: the client may send messages to itself over it. Otherwise there are never
    /// any to spare.
    pub fn connected(&mut self, may_probe: bool) {
        *self = AnswerWindow { may_probe, ..AnswerWindow::default() };
    }

    /// The network connection has ended: the broker queues what devices answer from now on.
    pub fn disconnected(&mut self) {
        *self = AnswerWindow::default();
    }

    /// A command has been sent.
    pub fn sent(&mut self) {
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
        let is_wanted = self.shown.is_none_or(|shown| shown.unproven >= PROBE_AFTER);
        (self.may_probe && self.probe.is_none() && is_wanted).then_some(self.pause_until)
    }

    /// A probe is on its way.
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
        if probe.is_bad {
            self.pause_until = now + PAUSE;
        } else {
            self.shown = Some(Shown { at: now, unproven: probe.sent_behind });
        }
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

    /// What happens to a window, at a time in milliseconds.
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

    /// What a connected window has to spare after each of these, and when it wants the next probe at the end.
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
        check(&[&up_to_a_hundred(100)[..], &[(3, Returned, 200)]].concat(), None);
        check(&[&up_to_a_hundred(101)[..], &[(3, Returned, 0)]].concat(), Some(203));
        // What comes before the PUBACK was not queued.
        check(&[(0, Probed, 0), (1, Messages(900), 0), (2, Confirmed, 0), (3, Returned, 200)], None);
        // A broker may send the PUBACK behind the message.
        check(&[(0, Probed, 0), (1, Returned, 200), (2, Confirmed, 200), (3, Messages(900), 200)], None);
    }

    #[test]
    fn what_is_sent_behind_a_probe_is_not_shown_by_it() {
        check(
            &[
                (0, Probed, 0),
                (1, Commands(30), 0),
                (2, Returned, 170),
                (3, Commands(19), 151),
                (3, Commands(1), 150),
                (4, Probed, 150),
                (5, Commands(140), 10),
                (6, Commands(10), 0),
                (7, Returned, 50),
            ],
            Some(i64::MIN),
        );
    }

    #[test]
    fn a_queue_a_late_probe_and_a_lost_connection_end_it() {
        let shown = || vec![(0, Probed, 0), (1, Returned, 200), (2, Commands(60), 140), (3, Probed, 140)];
        let with = |steps: Vec<(i64, Happens, usize)>| shown().into_iter().chain(steps).collect::<Vec<_>>();
        check(
            &with(vec![(4, Confirmed, 140), (5, Messages(100), 140), (6, Messages(1), 0), (9, Returned, 0)]),
            Some(209),
        );
        check(&with(vec![(1_003, Tick, 140), (1_004, Tick, 0), (1_005, Returned, 0)]), Some(1_205));
        check(&with(vec![(1_004, Confirmed, 0), (1_005, Returned, 0)]), Some(1_205));
        check(&with(vec![(900, Confirmed, 140), (1_900, Tick, 140), (1_901, Tick, 0)]), None);
        check(&with(vec![(10_003, Tick, 0), (10_004, Returned, 0)]), Some(70_003));
        check(&with(vec![(4, Disconnected, 0), (5, Returned, 0)]), None);
        check(&with(vec![(4, Refused, 0), (5, Returned, 0)]), None);
        // What was shown two seconds ago.
        check(&[(0, Probed, 0), (1, Returned, 200), (2_000, Tick, 200), (2_001, Tick, 0)], Some(i64::MIN));
    }

    #[test]
    fn a_client_that_may_not_send_messages_to_itself_has_none_to_spare() {
        let mut window = AnswerWindow::default();
        window.connected(false);
        assert_eq!((window.spare(), window.probe_due_at()), (0, None));
    }
}
