//! Commands that need attention: they failed recently, nobody has dismissed them, and no later command has made up for them.
//!
//! A later command makes up for a failed one if it succeeded on the same device with the same name and arguments, or if it
//! repeats it explicitly. Any other command does not.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use wilco_ledger::{Command, CommandId, DeviceId, Millis, State, Submission, Timestamp};

/// How long a failed command needs attention, counted from its end.
pub(crate) const NEEDS_ATTENTION_FOR: Millis = Millis::seconds(3_600);

/// A command of a connection.
type Key = (DeviceId, CommandId);

/// The commands of one connection that need attention, each once.
#[derive(Debug, Default)]
pub(super) struct Attention {
    commands: HashMap<DeviceId, BTreeMap<CommandId, Noted>>,
    by_end: BTreeSet<(Timestamp, Key)>,
    needed: usize,
}

/// A command that ended badly.
#[derive(Debug, Clone)]
struct Noted {
    submission: Arc<Submission>,
    submitted_at: Timestamp,
    ended_at: Timestamp,
    /// Somebody has seen it, or it was made good.
    dismissed: bool,
}

impl Attention {
    /// The stored state: failed commands, and whether they were dismissed.
    pub(super) fn restore(commands: impl Iterator<Item = (Command, bool)>, now: Timestamp) -> Attention {
        let mut attention = Attention::default();
        for (command, dismissed) in commands {
            attention.note(&command, now);
            if dismissed {
                attention.dismiss(&[key(&command)]);
            }
        }
        attention
    }

    /// The state of a command has changed: it may have failed, or succeeded after all. Returns the failed commands that
    /// it made up for: they need no more attention, and are dismissed.
    pub(super) fn note(&mut self, command: &Command, now: Timestamp) -> Vec<Key> {
        let key = key(command);
        let dismissed = self.remove(&key).is_some_and(|noted| noted.dismissed);
        let ended_at = command.rungs.finished.unwrap_or(command.changed_at);
        if command.state.ended_badly() && !command.submission.automatic && now.since(ended_at) <= NEEDS_ATTENTION_FOR {
            let (submission, submitted_at) = (Arc::clone(&command.submission), command.submitted_at);
            self.insert(key, Noted { submission, submitted_at, ended_at, dismissed });
        }
        if command.state != State::Succeeded {
            return Vec::new();
        }
        let good = self.made_good_by(command);
        self.dismiss(&good);
        good
    }

    /// Earlier failed commands of its device with the same request.
    fn made_good_by(&self, command: &Command) -> Vec<Key> {
        let Command { submission, submitted_at, .. } = command;
        let is_repeated = |id: &CommandId, earlier: &Noted| {
            !earlier.dismissed
                && (earlier.submitted_at, id) < (*submitted_at, &submission.id)
                && (submission.again_of.as_ref() == Some(id)
                    || (&earlier.submission.name, &earlier.submission.args) == (&submission.name, &submission.args))
        };
        let of_device = self.commands.get(&submission.device).into_iter().flatten();
        of_device
            .filter(|(id, earlier)| is_repeated(id, earlier))
            .map(|(id, _)| (submission.device.clone(), id.clone()))
            .collect()
    }

    /// Commands that failed longer ago need no attention.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some((ended_at, key)) = self.by_end.first()
            && now.since(*ended_at) > NEEDS_ATTENTION_FOR
        {
            let key = key.clone();
            self.remove(&key);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.needed
    }

    /// That one, or all.
    pub(super) fn to_dismiss(&self, one: Option<&Key>) -> Vec<Key> {
        let noted = |(device, id): &Key| self.commands.get(device).and_then(|commands| commands.get(id));
        let needed = |key: &&Key| noted(key).is_some_and(|noted| !noted.dismissed);
        match one {
            Some(one) => [one].into_iter().filter(needed).cloned().collect(),
            None => self.by_end.iter().map(|(_, key)| key).filter(needed).cloned().collect(),
        }
    }

    /// Somebody has seen these.
    pub(super) fn dismiss(&mut self, seen: &[Key]) {
        for (device, id) in seen {
            if let Some(noted) = self.commands.get_mut(device).and_then(|commands| commands.get_mut(id))
                && !std::mem::replace(&mut noted.dismissed, true)
            {
                self.needed -= 1;
            }
        }
    }

    /// A command is no longer kept.
    pub(super) fn forget(&mut self, device: &DeviceId, id: &CommandId) {
        self.remove(&(device.clone(), id.clone()));
    }

    /// A device is forgotten, and what is noted of its commands is handed back.
    pub(super) fn take(&mut self, device: &DeviceId) -> Attention {
        let ids: Vec<CommandId> = self.commands.get(device).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let mut taken = Attention::default();
        for id in ids {
            let key = (device.clone(), id);
            if let Some(noted) = self.remove(&key) {
                taken.insert(key, noted);
            }
        }
        taken
    }

    /// That device is known again.
    pub(super) fn put_back(&mut self, taken: Attention) {
        for (device, commands) in taken.commands {
            for (id, noted) in commands {
                let key = (device.clone(), id);
                self.remove(&key);
                self.insert(key, noted);
            }
        }
    }

    fn insert(&mut self, key: Key, noted: Noted) {
        self.by_end.insert((noted.ended_at, key.clone()));
        self.needed += usize::from(!noted.dismissed);
        let (device, id) = key;
        self.commands.entry(device).or_default().insert(id, noted);
    }

    fn remove(&mut self, key: &Key) -> Option<Noted> {
        let commands = self.commands.get_mut(&key.0)?;
        let noted = commands.remove(&key.1)?;
        if commands.is_empty() {
            self.commands.remove(&key.0);
        }
        self.by_end.remove(&(noted.ended_at, key.clone()));
        self.needed -= usize::from(!noted.dismissed);
        Some(noted)
    }
}

fn key(command: &Command) -> Key {
    (command.device().clone(), command.id().clone())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::sync::Arc;

    use wilco_ledger::{
        Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, State, Submission,
        Timestamp,
    };

    use super::Attention;

    const HOUR: i64 = 3_600_000;

    fn key(device: &str, number: i64) -> (DeviceId, CommandId) {
        (DeviceId::new(device).unwrap(), CommandId::new(format!("c{number}")).unwrap())
    }

    /// A command submitted at that time, in that state.
    fn command(device: &str, number: i64, args: &str, again_of: Option<i64>, state: State) -> Command {
        let policy = Policy {
            delivery: Delivery::BrokerHolds,
            time_to_live: Millis::seconds(60),
            timeout: Millis::seconds(10),
            retry: Retry { permitted: true, limit: 3, pause: Millis::seconds(30) },
            answer_expected: true,
            answers_carry_ids: true,
        };
        let (device, id) = key(device, number);
        let submission = Submission {
            device,
            id,
            name: Arc::from("led"),
            args: Arc::from(args),
            form: None,
            policy,
            again_of: again_of.map(|number| key("a", number).1),
            rollout: None,
            automatic: false,
            by: None,
        };
        let fact = Fact::Submitted { origin: Origin::Here, submission: Arc::new(submission.clone()) };
        let event =
            Event { device: submission.device.clone(), command: Some(submission.id), at: Timestamp(number), fact };
        Command { state, ..Command::begin(&event).unwrap() }
    }

    fn timed_out(device: &str, number: i64, ended_at: i64) -> Command {
        let mut command = command(device, number, "on", None, State::TimedOut);
        command.rungs.finished = Some(Timestamp(ended_at));
        command
    }

    #[test]
    fn a_later_success_of_the_same_request_makes_a_failure_good() {
        let now = Timestamp(1_000);
        let made_good = |later: Command| {
            let mut attention = Attention::default();
            attention.note(&command("a", 5, "on", None, State::Failed), now);
            attention.note(&command("b", 6, "on", None, State::TimedOut), now);
            let good: Vec<_> = attention.note(&later, now).into_iter().map(|(device, _)| device.to_string()).collect();
            assert_eq!(attention.count(), 2 - good.len());
            // Late news of it does not bring it back.
            attention.note(&command("a", 5, "on", None, State::Failed), now);
            assert_eq!(attention.count(), 2 - good.len());
            good
        };
        assert_eq!(made_good(command("a", 7, "on", None, State::Succeeded)), ["a"]);
        assert_eq!(made_good(command("a", 7, "off", Some(5), State::Succeeded)), ["a"]);
        let nothing: [&str; 0] = [];
        // Another request, one that did not succeed, an earlier one, and one of another device.
        assert_eq!(made_good(command("a", 7, "off", None, State::Succeeded)), nothing);
        assert_eq!(made_good(command("a", 7, "on", None, State::Unconfirmed)), nothing);
        assert_eq!(made_good(command("a", 4, "on", None, State::Succeeded)), nothing);
        assert_eq!(made_good(command("c", 7, "on", None, State::Succeeded)), nothing);
    }

    #[test]
    fn the_hour_begins_when_the_command_ends() {
        let mut attention = Attention::default();
        // It waited for its device for two hours.
        attention.note(&timed_out("a", 1, 2 * HOUR), Timestamp(2 * HOUR));
        assert_eq!(attention.count(), 1);
        attention.expire(Timestamp(3 * HOUR));
        assert_eq!(attention.count(), 1);
        attention.expire(Timestamp(3 * HOUR + 1));
        assert_eq!((attention.count(), attention.commands.len(), attention.by_end.len()), (0, 0, 0));
        attention.note(&timed_out("a", 1, 2 * HOUR), Timestamp(3 * HOUR + 1));
        assert_eq!(attention.count(), 0);
    }

    #[test]
    fn dismissals_are_kept_and_a_device_is_removed_with_its_commands() {
        let mut attention = Attention::default();
        for (device, number) in [("a", 1), ("a", 2), ("b", 3)] {
            attention.note(&timed_out(device, number, number), Timestamp(3));
        }
        assert_eq!(attention.to_dismiss(Some(&key("a", 1))), [key("a", 1)]);
        attention.dismiss(&[key("a", 1), key("a", 1), key("c", 9)]);
        assert_eq!((attention.count(), attention.to_dismiss(Some(&key("a", 1)))), (2, vec![]));
        // Another event of it arrives.
        attention.note(&timed_out("a", 1, 1), Timestamp(4));
        assert_eq!((attention.count(), attention.to_dismiss(None)), (2, vec![key("a", 2), key("b", 3)]));
        let taken = attention.take(&key("a", 1).0);
        assert_eq!((taken.count(), attention.to_dismiss(None)), (1, vec![key("b", 3)]));
        attention.put_back(taken);
        assert_eq!((attention.count(), attention.to_dismiss(Some(&key("a", 1)))), (2, vec![]));
        attention.forget(&key("b", 3).0, &key("b", 3).1);
        assert_eq!(attention.to_dismiss(None), [key("a", 2)]);
    }
}
