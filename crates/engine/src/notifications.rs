//! Notifications while the window is in the background: commands that failed or took long, and rollouts that halt, wait
//! for a person or finish.
//!
//! Commands are collected until nothing happens for a moment, so that several are one notification. Those of a rollout are
//! not: it has notifications of its own. The shell decides whether the window is in the background and shows them. They
//! contain no texts of devices, because some systems interpret markup.

mod rollout;

use std::{cmp::Reverse, collections::BTreeMap};

use tokio::sync::mpsc;
use wilco_ledger::{Command, Event, Fact, Millis, Origin, Reading, State, Timestamp, grouped};

use crate::{
    api::{CommandState, NotificationContent, NotificationSubject, RolloutView, Settings},
    settings::SharedSettings,
    store::ConnectionId,
};

/// Nothing has ended for so long.
const QUIET: Millis = Millis::seconds(2);
/// A long fan-out is reported in parts.
const LONGEST_GATHERING: Millis = Millis::seconds(30);
/// News that a slow listener may fall behind.
pub(crate) const MOST_UNREAD: usize = 16;

/// Collects finished commands, and notifies one listener.
pub(crate) struct Notifications {
    settings: SharedSettings,
    listener: mpsc::Sender<NotificationContent>,
    gathered: Option<Gathered>,
}

/// The commands that finished since the last notification.
struct Gathered {
    since: Timestamp,
    last: Timestamp,
    ends: BTreeMap<State, u32>,
    longest: Millis,
    /// The first, which is the one where there is only one.
    connection: ConnectionId,
    device: String,
    id: String,
    command: String,
    /// The name of the connection; none for several.
    name: Option<String>,
}

impl Notifications {
    pub(crate) fn new(settings: SharedSettings, listener: mpsc::Sender<NotificationContent>) -> Notifications {
        Notifications { settings, listener, gathered: None }
    }

    /// A command has finished, on a connection that is called `name`.
    pub(crate) fn ended(&mut self, connection: &ConnectionId, name: &str, command: &Command, now: Timestamp) {
        let gathered = self.gathered.get_or_insert_with(|| Gathered {
            since: now,
            last: now,
            ends: BTreeMap::new(),
            longest: Millis(0),
            connection: connection.clone(),
            device: command.submission.device.as_str().to_owned(),
            id: command.submission.id.as_str().to_owned(),
            command: command.submission.name.to_string(),
            name: Some(name.to_owned()),
        });
        gathered.last = now;
        gathered.name.take_if(|_| gathered.connection != *connection);
        gathered.longest = gathered.longest.max(now.since(command.submitted_at));
        *gathered.ends.entry(command.state).or_default() += 1;
    }

    /// A rollout on a connection that is called `name` has changed.
    pub(crate) fn rollout(&mut self, before: &RolloutView, now: &RolloutView, name: &str) {
        if let Some(content) = rollout::content(before, now, name, &self.settings.get()) {
            // A receiver that is so far behind shows nothing anyway.
            let _ = self.listener.try_send(content);
        }
    }

    /// Sends the collected notification when it is due. `false` when there is no listener any more.
    pub(crate) fn send_due(&mut self, now: Timestamp) -> bool {
        if let Some(gathered) = self.gathered.take_if(|gathered| gathered.is_due(now))
            && let Some(content) = gathered.content(&self.settings.get())
        {
            // A receiver that is so far behind shows nothing anyway.
            let _ = self.listener.try_send(content);
        }
        !self.listener.is_closed()
    }
}

/// The event is the end of a command of this installation that nobody cancelled, and that belongs to no rollout.
pub(crate) fn is_end(event: &Event, command: &Command) -> bool {
    if command.submission.rollout.is_some() {
        return false;
    }
    let ends = match &event.fact {
        Fact::Answered { reading, .. } => matches!(reading, Reading::Moved | Reading::Inferred | Reading::Late),
        Fact::TimedOut(_) | Fact::Undeliverable(_) | Fact::Expired | Fact::Unconfirmed => true,
        _ => false,
    };
    ends && command.state.is_final() && command.origin == Origin::Here && !command.abandoned
}

impl Gathered {
    fn is_due(&self, now: Timestamp) -> bool {
        now.since(self.last) >= QUIET || now.since(self.since) >= LONGEST_GATHERING
    }

    /// The text; `None` if there is nothing to notify about.
    fn content(&self, settings: &Settings) -> Option<NotificationContent> {
        let all: u32 = self.ends.values().sum();
        let good = |state: &State| matches!(state, State::Succeeded | State::Unconfirmed);
        let bad: u32 = self.ends.iter().filter(|(state, _)| !good(state)).map(|(_, count)| count).sum();
        let took_long = self.longest >= Millis::seconds(settings.long_after_s.into());
        if !(settings.notify_failed && bad > 0 || settings.notify_long && took_long) {
            return None;
        }
        let took = span(self.longest);
        let on = self.name.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        if let (1, Some(state)) = (all, self.ends.keys().next()) {
            let title = format!("{} {}: {}", self.device, self.command, CommandState::from(*state).words());
            let command = Some((self.device.clone(), self.id.clone()));
            return Some(NotificationContent {
                title,
                body: format!("After {took}{on}."),
                subject: self.subject(command, bad),
            });
        }
        let title = match bad {
            0 => format!("{all} commands finished"),
            bad => format!("{bad} of {all} commands failed"),
        };
        let mut ends: Vec<_> = self.ends.iter().collect();
        ends.sort_by_key(|(_, count)| Reverse(**count));
        let counts: Vec<_> = ends
            .into_iter()
            .map(|(state, count)| format!("{} {}", grouped(*count), CommandState::from(*state).words()))
            .collect();
        let body = format!("{}{on}. The longest took {took}.", counts.join(", "));
        Some(NotificationContent { title, body, subject: self.subject(None, bad) })
    }

    fn subject(&self, command: Option<(String, String)>, bad: u32) -> NotificationSubject {
        NotificationSubject { connection: self.connection.as_str().to_owned(), command, rollout: None, bad: bad > 0 }
    }
}

fn span(length: Millis) -> String {
    match length.0 {
        under @ 0..1_000 => format!("{under} ms"),
        under @ 1_000..10_000 => format!("{}.{} s", under / 1_000, under % 1_000 / 100),
        under @ 10_000..120_000 => format!("{} s", under / 1_000),
        under @ 120_000..7_200_000 => format!("{} min", under / 60_000),
        other => format!("{} h", other / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use tokio::sync::mpsc;
    use wilco_ledger::{
        Command, CommandId, Delivery, DeviceId, Event, Fact, Membership, Millis, NotDelivered, Origin, Policy, Retry,
        Submission, TimeOut, Timestamp,
    };

    use super::{Notifications, is_end};
    use crate::{
        api::{NotificationContent, Settings},
        settings::SharedSettings,
        store::ConnectionId,
    };

    /// A command, and the event that caused its state.
    fn command(device: &str, submitted: i64, at: i64, fact: Fact) -> (Command, Event) {
        let policy = Policy {
            delivery: Delivery::Now,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            retry: Retry { permitted: false, limit: 0, pause: Millis(0) },
            answer_expected: true,
            answers_carry_ids: true,
        };
        let submission = Submission {
            device: DeviceId::new(device).unwrap(),
            id: CommandId::new("c1").unwrap(),
            name: "led".into(),
            form: None,
            args: "{}".into(),
            policy,
            again_of: None,
            rollout: None,
            automatic: false,
            by: None,
        };
        let event = |at, fact| Event {
            device: submission.device.clone(),
            command: Some(submission.id.clone()),
            at: Timestamp(at),
            fact,
        };
        let begin = Fact::Submitted { submission: submission.clone().into(), origin: Origin::Here };
        let mut command = Command::begin(&event(submitted, begin)).unwrap();
        let event = event(at, fact);
        command.apply(&event);
        (command, event)
    }

    /// The notification about finished commands, each with its duration in milliseconds after its submission at 0.
    fn told(change: fn(&mut Settings), ends: &[(i64, Fact)], at: i64) -> Option<String> {
        let mut settings = Settings::default();
        change(&mut settings);
        let (listener, mut news) = mpsc::channel(1);
        let mut notifications = Notifications::new(SharedSettings::new(settings), listener);
        for (number, (took, fact)) in ends.iter().enumerate() {
            let (command, event) = command(&format!("pump-{number}"), 0, *took, fact.clone());
            if is_end(&event, &command) {
                notifications.ended(&ConnectionId::from("plant"), "Plant", &command, Timestamp(*took));
            }
        }
        assert!(notifications.send_due(Timestamp(at)));
        let told = news.try_recv().ok().map(|NotificationContent { title, body, subject }| {
            assert_eq!(subject.connection, "plant");
            assert_eq!(subject.command, (ends.len() == 1).then(|| ("pump-0".to_owned(), "c1".to_owned())));
            assert_eq!(subject.bad, ends.iter().any(|(_, fact)| *fact != Fact::Unconfirmed));
            format!("{title} | {body}")
        });
        drop(news);
        assert!(!notifications.send_due(Timestamp(at)), "nobody listens any more");
        told
    }

    const LOST: Fact = Fact::TimedOut(TimeOut::Silence);
    const REFUSED: Fact = Fact::Undeliverable(NotDelivered::NotConnected);

    #[test]
    fn failed_and_long_commands_are_notified_once_it_is_quiet() {
        let check = |change: fn(&mut Settings), ends: &[(i64, Fact)], at: i64, expected: Option<&str>| {
            assert_eq!(told(change, ends, at).as_deref(), expected, "{ends:?} at {at}");
        };
        check(|_| {}, &[], 60_000, None);
        // Bad, quick or not.
        check(|_| {}, &[(500, REFUSED)], 2_499, None);
        check(|_| {}, &[(500, REFUSED)], 2_500, Some("pump-0 led: undeliverable | After 500 ms on Plant."));
        check(|settings| settings.notify_failed = false, &[(500, REFUSED)], 9_000, None);
        // Good, and quick or not.
        check(|_| {}, &[(9_999, Fact::Unconfirmed)], 60_000, None);
        check(|_| {}, &[(10_000, Fact::Unconfirmed)], 60_000, Some("pump-0 led: unconfirmed | After 10 s on Plant."));
        check(|settings| settings.long_after_s = 11, &[(10_000, Fact::Unconfirmed)], 60_000, None);
        check(
            |settings| settings.long_after_s = 1,
            &[(1_740, Fact::Unconfirmed)],
            60_000,
            Some("pump-0 led: unconfirmed | After 1.7 s on Plant."),
        );
        check(|settings| settings.notify_long = false, &[(10_000, Fact::Unconfirmed)], 60_000, None);
        // A bad one that took long, of which only the long ones are wanted.
        check(
            |settings| settings.notify_failed = false,
            &[(300_000, LOST)],
            400_000,
            Some("pump-0 led: timed out | After 5 min on Plant."),
        );
    }

    #[test]
    fn a_fan_out_is_one_piece_of_news() {
        let mut ends = vec![(1_000, Fact::Unconfirmed); 312];
        ends.extend(vec![(11_000, LOST); 3]);
        ends.push((11_500, REFUSED));
        assert_eq!(
            told(|_| {}, &ends, 13_500).as_deref(),
            Some(
                "4 of 316 commands failed | 312 unconfirmed, 3 timed out, 1 undeliverable on Plant. The longest took \
                 11 s."
            )
        );
        let fine = vec![(12_000, Fact::Unconfirmed); 2];
        assert_eq!(
            told(|_| {}, &fine, 14_000).as_deref(),
            Some("2 commands finished | 2 unconfirmed on Plant. The longest took 12 s.")
        );
        // A fan-out that never ends is reported in parts.
        let on_and_on: Vec<_> = (0..31).map(|second| (second * 1_000, LOST)).collect();
        assert!(told(|_| {}, &on_and_on, 30_001).is_some());
        assert_eq!(told(|_| {}, &on_and_on[..29], 29_000), None);
    }

    #[test]
    fn commands_stopped_by_a_user_cause_no_notification() {
        let check = |fact: Fact, expected: bool| {
            let (command, event) = command("pump-7", 0, 1, fact);
            assert_eq!(is_end(&event, &command), expected, "{:?}", event.fact);
        };
        check(LOST, true);
        check(REFUSED, true);
        check(Fact::Expired, true);
        check(Fact::Cancelled, false);
        check(Fact::TimedOut(TimeOut::Abandoned), false);
        check(Fact::Handed { attempt: 1 }, false);
        // A rollout is news by itself.
        let (mut command, event) = command("pump-7", 0, 1, LOST);
        let submission = Submission::clone(&command.submission);
        command.submission = Submission { rollout: Some(Membership { rollout: 3, member: 0 }), ..submission }.into();
        assert!(!is_end(&event, &command));
    }

    #[test]
    fn of_several_connections_none_is_named() {
        let (listener, mut news) = mpsc::channel(1);
        let mut notifications = Notifications::new(SharedSettings::new(Settings::default()), listener);
        let (command, _) = command("pump-0", 0, 500, REFUSED);
        for name in ["plant", "yard", "plant"] {
            notifications.ended(&ConnectionId::from(name), name, &command, Timestamp(500));
        }
        assert!(notifications.send_due(Timestamp(9_000)));
        assert_eq!(news.try_recv().unwrap().body, "3 undeliverable. The longest took 500 ms.");
    }
}
