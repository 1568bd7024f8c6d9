//! Collects changes and hands them out in batches.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tokio::sync::mpsc;
use wilco_ledger::{CommandId, DeviceId, Timestamp};

use crate::{
    api::{Batch, DeviceStates, Failure, Notice, NoticeLevel, RolloutView},
    store::ConnectionId,
    views::CommandSnapshot,
};

/// The maximum number of commands and devices in one batch; beyond that, a client must read its lists again.
const NAMED_AT_MOST: usize = 200;

/// A clock of the computer that has moved by less against the engine's needs no batch, milliseconds.
const APART: i64 = 1_000;

/// The number of batches that a slow listener may be behind before it is disconnected.
const MOST_UNREAD: usize = 600;

type CommandKey = (ConnectionId, DeviceId, CommandId);

/// Gathers changes until the next batch.
#[derive(Default)]
pub(crate) struct Feed {
    listeners: Vec<mpsc::Sender<Batch>>,
    sequence: u64,
    commands: HashMap<CommandKey, CommandSnapshot>,
    more_commands: bool,
    connections: bool,
    devices: HashSet<ConnectionId>,
    changed_devices: BTreeSet<(ConnectionId, DeviceId)>,
    device_states: Vec<DeviceStates>,
    rollouts: BTreeMap<u32, RolloutView>,
    notices: Vec<Notice>,
    /// How far the computer's clock was ahead of the engine's when that was last handed out, milliseconds.
    apart: i64,
    /// One of the clocks was set since.
    clock_was_set: bool,
    /// What changed of devices does not wait for anything else to hand out.
    devices_at_once: bool,
}

impl Feed {
    /// A new listener. It gets every batch from now on, the first of them with all connections.
    pub(crate) fn listen(&mut self) -> mpsc::Receiver<Batch> {
        let (listener, batches) = mpsc::channel(MOST_UNREAD);
        self.listeners.push(listener);
        self.connections = true;
        batches
    }

    /// There is something to hand out.
    pub(crate) fn is_due(&self) -> bool {
        let notices = !self.notices.is_empty() && !self.listeners.is_empty();
        self.connections
            || self.clock_was_set
            || self.devices_at_once
            || !self.commands.is_empty()
            || !self.devices.is_empty()
            || !self.rollouts.is_empty()
            || notices
    }

    /// Adds the current state of a command. Where there are too many, those of rollouts make room for the others, for which
    /// a person waits.
    pub(crate) fn command(&mut self, connection: &ConnectionId, snapshot: &CommandSnapshot) {
        let submission = &snapshot.command.submission;
        let key = (connection.clone(), submission.device.clone(), submission.id.clone());
        if self.commands.len() >= NAMED_AT_MOST && !self.commands.contains_key(&key) {
            self.more_commands = true;
            let is_member = |snapshot: &CommandSnapshot| snapshot.command.submission.rollout.is_some();
            if is_member(snapshot) {
                return;
            }
            let Some(member) = self.commands.iter().find_map(|(key, other)| is_member(other).then(|| key.clone()))
            else {
                return;
            };
            self.commands.remove(&member);
        }
        self.commands.insert(key, snapshot.clone());
    }

    /// Adds the current state of a rollout.
    pub(crate) fn rollout(&mut self, view: RolloutView) {
        self.rollouts.insert(view.number, view);
    }

    /// Something about a connection is different.
    pub(crate) fn connections(&mut self) {
        self.connections = true;
    }

    /// Something about devices is different.
    pub(crate) fn devices(&mut self, connection: &ConnectionId, changed: impl IntoIterator<Item = DeviceId>) {
        for device in changed {
            self.devices.insert(connection.clone());
            if self.changed_devices.len() < NAMED_AT_MOST {
                self.changed_devices.insert((connection.clone(), device));
            }
        }
    }

    /// Somebody may be waiting for what a device reported: it is handed out with the next batch, and not within a second.
    pub(crate) fn devices_at_once(&mut self) {
        self.devices_at_once = true;
    }

    /// The presence and the last command's state of devices in which one of them is different.
    pub(crate) fn device_states(&mut self, states: Option<DeviceStates>) {
        self.device_states.extend(states);
    }

    /// A sentence for the person.
    pub(crate) fn notice(&mut self, level: NoticeLevel, message: impl Into<String>, hint: Option<String>) {
        self.say(Notice { level, message: message.into(), hint, connection: None });
    }

    /// A sentence about a connection, of no use once that is gone.
    pub(crate) fn notice_of(&mut self, connection: &ConnectionId, message: impl Into<String>, hint: impl Into<String>) {
        let connection = Some(connection.as_str().to_owned());
        let (level, hint) = (NoticeLevel::Warning, Some(hint.into()));
        self.say(Notice { level, message: message.into(), hint, connection });
    }

    fn say(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) && self.notices.len() < 20 {
            self.notices.push(notice);
        }
    }

    /// Something was not done that was to be done.
    pub(crate) fn failure(&mut self, failure: impl Into<Failure>) {
        let failure = failure.into();
        self.notice(NoticeLevel::Error, failure.message, failure.hint);
    }

    /// Notes how far the computer's clock is ahead of the engine's, milliseconds. Listeners are told the engine's time as
    /// soon as that changes.
    pub(crate) fn clocks(&mut self, apart: i64) {
        if apart.abs_diff(self.apart) >= APART.unsigned_abs() {
            self.apart = apart;
            self.clock_was_set = true;
        }
    }

    /// Hands out the collected changes. `connections` is called only if one of them changed.
    pub(crate) fn hand_out(&mut self, now: Timestamp, connections: impl FnOnce() -> Vec<crate::api::ConnectionView>) {
        let mut commands: Vec<_> =
            self.commands.drain().map(|((connection, ..), snapshot)| snapshot.view(connection.as_str())).collect();
        commands.sort_unstable_by(|a, b| (a.queued_at, &a.id).cmp(&(b.queued_at, &b.id)));
        self.sequence += 1;
        self.clock_was_set = false;
        self.devices_at_once = false;
        let batch = Batch {
            sequence: self.sequence,
            now: now.0,
            connections: std::mem::take(&mut self.connections).then(connections),
            commands,
            more_commands: std::mem::take(&mut self.more_commands),
            devices: self.devices.drain().map(|id| id.as_str().to_owned()).collect(),
            changed_devices: std::mem::take(&mut self.changed_devices)
                .into_iter()
                .map(|(connection, device)| (connection.as_str().to_owned(), device.as_str().to_owned()))
                .collect(),
            device_states: std::mem::take(&mut self.device_states),
            rollouts: std::mem::take(&mut self.rollouts).into_values().collect(),
            // Notices before the window opens wait for it.
            notices: if self.listeners.is_empty() { Vec::new() } else { std::mem::take(&mut self.notices) },
        };
        // A listener that is gone, or that has not read for half a minute, is no longer served.
        self.listeners.retain(|listener| listener.try_send(batch.clone()).is_ok());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::sync::Arc;

    use wilco_ledger::{
        Command, CommandId, Delivery, DeviceId, Event, Fact, Membership, Millis, Origin, Policy, Retry, Submission,
        Timestamp,
    };

    use super::{Feed, NAMED_AT_MOST};
    use crate::{api::NoticeLevel, views::CommandSnapshot};

    const NOW: Timestamp = Timestamp(1_795_438_800_000);

    fn command(number: u32, rollout: Option<Membership>) -> CommandSnapshot {
        let device = DeviceId::new(format!("pump-{number}")).unwrap();
        let submission = Submission {
            device: device.clone(),
            id: CommandId::new(format!("0198f3c2-7d1e-7c2a-9c55-{number:012x}")).unwrap(),
            name: "led".into(),
            args: "{}".into(),
            policy: Policy {
                delivery: Delivery::Now,
                timeout: Millis(10_000),
                time_to_live: Millis(60_000),
                retry: Retry { permitted: false, limit: 0, pause: Millis(500) },
                answer_expected: true,
                answers_carry_ids: true,
            },
            again_of: None,
            rollout,
            automatic: false,
            by: None,
            form: None,
        };
        let fact = Fact::Submitted { submission: submission.into(), origin: Origin::Here };
        let command = Command::begin(&Event { device, command: None, at: NOW, fact }).unwrap();
        CommandSnapshot::new(Arc::new(command), None)
    }

    #[test]
    fn a_command_of_no_rollout_is_not_left_out_for_those_of_a_rollout() {
        let mut feed = Feed::default();
        let mut batches = feed.listen();
        let connection = "bench".into();
        let members = u32::try_from(NAMED_AT_MOST).unwrap() + 100;
        for member in 0..members {
            feed.command(&connection, &command(member, Some(Membership { rollout: 1, member })));
        }
        for number in [9_000, 9_001, 9_000] {
            feed.command(&connection, &command(number, None));
        }
        feed.hand_out(NOW, Vec::new);
        let batch = batches.try_recv().unwrap();
        assert!(batch.more_commands);
        assert_eq!(batch.commands.len(), NAMED_AT_MOST);
        for device in ["pump-9000", "pump-9001"] {
            assert_eq!(batch.commands.iter().filter(|view| view.device == device).count(), 1, "{device}");
        }
        // The others are left out as before.
        for number in 0..members {
            feed.command(&connection, &command(number, None));
        }
        feed.hand_out(NOW, Vec::new);
        let batch = batches.try_recv().unwrap();
        assert_eq!((batch.commands.len(), batch.more_commands), (NAMED_AT_MOST, true));
    }

    #[test]
    fn a_clock_that_is_set_is_told_of_at_once() {
        let mut feed = Feed::default();
        let mut batches = feed.listen();
        feed.hand_out(NOW, Vec::new);
        assert_eq!(batches.try_recv().unwrap().now, NOW.0);
        feed.clocks(300);
        assert!(!feed.is_due(), "no clock runs as another does");
        for apart in [86_400_000, 0, -86_400_000] {
            feed.clocks(apart);
            assert!(feed.is_due(), "{apart}");
            feed.hand_out(NOW, Vec::new);
            assert_eq!(batches.try_recv().unwrap().now, NOW.0);
            feed.clocks(apart + 5);
            assert!(!feed.is_due(), "{apart}");
        }
    }

    #[test]
    fn a_report_that_somebody_waits_for_is_due_once() {
        let mut feed = Feed::default();
        let mut batches = feed.listen();
        feed.hand_out(NOW, Vec::new);
        batches.try_recv().unwrap();
        assert!(!feed.is_due());
        feed.devices_at_once();
        assert!(feed.is_due());
        feed.devices(&"bench".into(), [DeviceId::new("pump-1").unwrap()]);
        feed.hand_out(NOW, Vec::new);
        assert_eq!(batches.try_recv().unwrap().changed_devices, [("bench".to_owned(), "pump-1".to_owned())]);
        assert!(!feed.is_due());
    }

    #[test]
    fn what_is_said_before_anybody_listens_waits_for_who_does() {
        let mut feed = Feed::default();
        feed.notice(NoticeLevel::Warning, "The demo fleet did not start.", None);
        assert!(!feed.is_due(), "nothing is handed out again and again to nobody");
        feed.hand_out(NOW, Vec::new);
        let mut batches = feed.listen();
        feed.hand_out(NOW, Vec::new);
        assert_eq!(batches.try_recv().unwrap().notices.len(), 1);
        assert!(!feed.is_due());
        feed.hand_out(NOW, Vec::new);
        assert_eq!(batches.try_recv().unwrap().notices, []);
    }

    #[test]
    fn notices_about_a_connection_contain_its_name() {
        let mut feed = Feed::default();
        let mut batches = feed.listen();
        feed.notice_of(&"bench".into(), "This answer cannot be read.", "It does not change a command's state.");
        feed.hand_out(NOW, Vec::new);
        assert_eq!(batches.try_recv().unwrap().notices[0].connection.as_deref(), Some("bench"));
    }
}
