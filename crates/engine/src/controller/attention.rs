//! What needs somebody: commands that ended badly of late, that nobody has dismissed, and that were not made good since.
//!
//! A command is made good by a later one that succeeded on the same device and asked the same: the same command with the
//! same arguments, or one that says that it repeats it. Another command says nothing about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wilco_ledger::{Command, CommandId, DeviceId, Millis, State, Timestamp};

/// How long a command that ended badly needs somebody, counted from when it was asked for.
pub(super) const NEEDS_YOU_FOR: Millis = Millis::seconds(3_600);

type Key = (Timestamp, DeviceId, CommandId);
/// A command's name and its arguments.
type Asked = (Arc<str>, Arc<str>);

/// Those of one connection, each once, whatever else is heard of it.
#[derive(Default)]
pub(super) struct Attention {
    needed: BTreeSet<Key>,
    /// What each of those asked, by device.
    asked: BTreeMap<(DeviceId, Timestamp, CommandId), Asked>,
    dismissed: BTreeSet<Key>,
}

impl Attention {
    /// What the store knows.
    pub(super) fn restore(
        needed: impl Iterator<Item = Command>,
        dismissed: impl Iterator<Item = Command>,
    ) -> Attention {
        let dismissed = dismissed.map(|command| key(&command)).collect();
        let mut attention = Attention { dismissed, ..Attention::default() };
        needed.for_each(|command| attention.add(&command));
        attention
    }

    /// A command stands otherwise: it may have ended badly, or well after all. Answers with those that it has made good:
    /// they need nobody any more, and are dismissed.
    pub(super) fn note(&mut self, command: &Command, now: Timestamp) -> Vec<(DeviceId, CommandId)> {
        let key = key(command);
        let of_late = now.since(command.submitted_at) <= NEEDS_YOU_FOR;
        if ended_badly(command.state) && of_late && !self.dismissed.contains(&key) {
            self.add(command);
        } else {
            self.remove(&key);
        }
        if command.state != State::Succeeded || self.asked.is_empty() {
            return Vec::new();
        }
        let good = self.made_good_by(command);
        for key in &good {
            self.remove(key);
            self.dismissed.insert(key.clone());
        }
        good.into_iter().map(|(_, device, id)| (device, id)).collect()
    }

    /// Those of its device that were asked for before and are the same request.
    fn made_good_by(&self, command: &Command) -> Vec<Key> {
        let asked = &command.asked;
        let earlier = (command.submitted_at, asked.id.clone());
        let of_device = self
            .asked
            .range((asked.device.clone(), Timestamp(i64::MIN), asked.id.clone())..)
            .take_while(|((device, ..), _)| *device == asked.device);
        of_device
            .filter(|((_, at, id), (name, args))| {
                (*at, id.clone()) < earlier
                    && (asked.again_of.as_ref() == Some(id) || (name, args) == (&asked.name, &asked.args))
            })
            .map(|((device, at, id), _)| (*at, device.clone(), id.clone()))
            .collect()
    }

    fn add(&mut self, command: &Command) {
        let (at, device, id) = key(command);
        let asked = (Arc::clone(&command.asked.name), Arc::clone(&command.asked.args));
        self.asked.insert((device.clone(), at, id.clone()), asked);
        self.needed.insert((at, device, id));
    }

    fn remove(&mut self, key: &Key) {
        if self.needed.remove(key) {
            let (at, device, id) = key.clone();
            self.asked.remove(&(device, at, id));
        }
    }

    /// What was asked for too long ago needs nobody any more.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let is_old = |key: Option<&Key>| key.is_some_and(|(submitted, ..)| now.since(*submitted) > NEEDS_YOU_FOR);
        while let Some(key) = self.needed.first().filter(|key| is_old(Some(key))).cloned() {
            self.remove(&key);
        }
        while is_old(self.dismissed.first()) {
            self.dismissed.pop_first();
        }
    }

    pub(super) fn count(&self) -> usize {
        self.needed.len()
    }

    /// That one, or all.
    pub(super) fn to_dismiss(&self, one: Option<&(DeviceId, CommandId)>) -> Vec<(DeviceId, CommandId)> {
        let all = self.needed.iter().map(|(_, device, id)| (device.clone(), id.clone()));
        all.filter(|key| one.is_none_or(|one| one == key)).collect()
    }

    /// Somebody has seen these.
    pub(super) fn dismiss(&mut self, seen: &[(DeviceId, CommandId)]) {
        let seen: BTreeSet<_> = seen.iter().collect();
        let is_seen = |key: &&Key| seen.contains(&(key.1.clone(), key.2.clone()));
        for key in self.needed.iter().filter(is_seen).cloned().collect::<Vec<_>>() {
            self.remove(&key);
            self.dismissed.insert(key);
        }
    }
}

fn key(command: &Command) -> Key {
    (command.submitted_at, command.device().clone(), command.id().clone())
}

pub(super) fn ended_badly(state: State) -> bool {
    matches!(state, State::Failed | State::Rejected | State::TimedOut | State::Undeliverable)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::sync::Arc;

    use wilco_ledger::{
        Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, State, Submission,
        Timestamp,
    };

    use super::Attention;

    /// A command that was asked for at that time and stands like that.
    fn command(device: &str, number: i64, args: &str, again_of: Option<i64>, state: State) -> Command {
        let id = |number: i64| CommandId::new(format!("c{number}")).unwrap();
        let policy = Policy {
            delivery: Delivery::BrokerHolds,
            time_to_live: Millis::seconds(60),
            timeout: Millis::seconds(10),
            retry: Retry { permitted: true, limit: 3, pause: Millis::seconds(30) },
            answer_expected: true,
            answers_carry_ids: true,
        };
        let asked = Submission {
            device: DeviceId::new(device).unwrap(),
            id: id(number),
            name: Arc::from("led"),
            args: Arc::from(args),
            form: None,
            policy,
            again_of: again_of.map(id),
            rollout: None,
        };
        let fact = Fact::Submitted { origin: Origin::Here, asked: Arc::new(asked.clone()) };
        let event = Event { device: asked.device.clone(), command: Some(asked.id), at: Timestamp(number), fact };
        Command { state, ..Command::begin(&event).unwrap() }
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
}
