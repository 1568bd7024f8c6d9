//! Broadcasts of other consoles: one request for all devices, or for a group of them.
//!
//! Only the devices know which of them belong to a group. So a notice shows the request when it arrives, and each device that
//! answers it gets a command of another console, together with its answer, also after a restart (decisions 136 and 143).

use std::{collections::VecDeque, sync::Arc};

use wilco_dialect::{Broadcast, DecodedMessage, Dialect, Inbound};
use wilco_ledger::{Answer, Command, CommandId, DeviceId, Event, Fact, Input, Ledger, Origin, Raw, Timestamp, grouped};

use super::{Connection, Controller, rollouts::Rollouts};
use crate::{
    dialects::{self, SharedDialects},
    message_rates::{Bucket, Rate},
    store::{BROADCASTS_KEPT, Change, ConnectionId, StoredBroadcast},
};

/// How many are remembered at once, and how many a second in the long run.
const REMEMBERED_RATE: Rate = Rate { at_once: 20, per_second: 1 };
/// Each that is remembered has a payload of so many bytes at most, which is stored with every answer.
const LARGEST: usize = 16 * 1024;

/// The broadcasts of other consoles.
pub(super) struct Broadcasts {
    allowance: Bucket,
    /// The latest last.
    latest: VecDeque<Remembered>,
}

struct Remembered {
    asked: Broadcast,
    raw: Raw,
    at: Timestamp,
}

impl Default for Broadcasts {
    fn default() -> Broadcasts {
        Broadcasts { allowance: Bucket::full(REMEMBERED_RATE, Timestamp(0)), latest: VecDeque::new() }
    }
}

impl Broadcasts {
    /// Remembers a broadcast. Returns the message and the hint of the notice about it; `None` if it is known, or too
    /// many arrive.
    fn remember(&mut self, asked: Broadcast, raw: Raw, now: Timestamp) -> Option<(String, String)> {
        if self.of(&asked.id).is_some() || !self.allowance.take(1, REMEMBERED_RATE, now) {
            return None;
        }
        let by = asked.by().map(|by| format!(" ({by})")).unwrap_or_default();
        let to = match &asked.group {
            Some(group) => format!("the devices of the group {group}"),
            None => "all devices".to_owned(),
        };
        let message = format!("Another console{by} sent {} to {to}.", asked.name());
        let size = raw.payload.len();
        if size > LARGEST {
            let (size, limit) = (grouped(size), grouped(LARGEST));
            let hint =
                format!("Answers to it are kept without the request, which has {size} bytes; the limit is {limit}.");
            return Some((message, hint));
        }
        self.add(Remembered { asked, raw, at: now });
        Some((message, "The history lists each device that answers, with its answer.".to_owned()))
    }

    fn add(&mut self, remembered: Remembered) {
        if self.latest.len() == BROADCASTS_KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(remembered);
    }

    /// Sets them to those that are stored, the last one last. A request that the connection's topics do not lead to any more is
    /// left out.
    pub(super) fn restore(&mut self, stored: Vec<StoredBroadcast>, dialect: &Dialect) {
        self.latest.clear();
        for StoredBroadcast { id, at, raw } in stored {
            let Raw { topic, payload, qos, .. } = &raw;
            // The ID was in the payload, or beside it.
            let correlation = Some(id.as_str().as_bytes());
            let inbound = Inbound { topic, payload, qos: *qos, retained: false, correlation };
            if let Ok(Some(DecodedMessage::Broadcast(Some(asked)))) = dialect.decode(&inbound) {
                self.add(Remembered { asked: *asked, raw, at });
            }
        }
    }

    fn of(&self, id: &CommandId) -> Option<&Remembered> {
        self.latest.iter().rev().find(|known| known.asked.id == *id)
    }

    /// The command of a broadcast that a device has not answered, and may be carrying out: one to all devices, or to one of its
    /// groups.
    fn unanswered(
        &self,
        device: &DeviceId,
        is_in: impl Fn(&str) -> bool,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Option<Command> {
        let may_run = |Remembered { asked, at, .. }: &&Remembered| {
            now.since(*at) < asked.timeout()
                && !ledger.is_known(device, &asked.id)
                && asked.group.as_deref().is_none_or(&is_in)
        };
        let Remembered { asked, at, .. } = self.latest.iter().find(may_run)?;
        let fact = Fact::Submitted { submission: Arc::new(asked.of(device.clone())), origin: Origin::Observed };
        Command::begin(&Event { device: device.clone(), command: Some(asked.id.clone()), at: *at, fact })
    }
}

impl Connection {
    /// The command of another console's broadcast that a device has not answered. Devices of other firmware receive none.
    pub(super) fn unanswered_broadcast(&self, device: &DeviceId, now: Timestamp) -> Option<Command> {
        let is_own = |dialects: &SharedDialects| dialects::read(dialects).dialect_of(device).is_none();
        if self.broadcasts.latest.is_empty() || !self.dialects.as_ref().is_none_or(is_own) {
            return None;
        }
        let fleet = self.fleet.read();
        // A device belongs to the groups that its tags name, as where Wilco itself sends to a group.
        let is_in = |group: &str| fleet.get(device).is_some_and(|device| device.all_tags().any(|tag| tag == group));
        self.broadcasts.unanswered(device, is_in, &self.ledger, now)
    }
}

impl Controller {
    /// A broadcast has come: another console's, or our own coming back.
    pub(super) fn broadcast(&mut self, connection: &ConnectionId, asked: Broadcast, raw: Raw) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if known.rollouts.is_broadcast(&asked.id) {
            return;
        }
        let id = asked.id.clone();
        let Some((message, hint)) = known.broadcasts.remember(asked, raw, now) else { return };
        if let Some(Remembered { raw, at, .. }) = known.broadcasts.of(&id) {
            let broadcast = Box::new(StoredBroadcast { id, at: *at, raw: raw.clone() });
            self.pending_batch.changes.push(Change::Broadcast { connection: connection.clone(), broadcast });
        }
        self.feed.notice_of(connection, message, hint);
    }

    /// An answer to a broadcast of another console is one to a command of its device.
    pub(super) fn answers_broadcast(&mut self, connection: &ConnectionId, answer: &Answer) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(id) = Rollouts::answered_id(answer).filter(|_| !answer.retained) else { return };
        let Some(Remembered { asked, raw, .. }) = known.broadcasts.of(id) else { return };
        let is_known = known.ledger.is_known(&answer.device, id);
        if is_known || !known.rates.reads_request(&answer.device, raw.payload.len(), now) {
            return;
        }
        let (command, raw) = (asked.of(answer.device.clone()), raw.clone());
        self.record_received(connection, Input::Observed(command), Some(raw));
    }
}

#[cfg(test)]
mod tests {
    use wilco_dialect::{DecodedMessage, Dialect, Inbound, Topics};
    use wilco_ledger::{CommandId, DeviceId, Input, Ledger, Limits, Raw, Timestamp};

    use super::{BROADCASTS_KEPT, Broadcast, Broadcasts, LARGEST, StoredBroadcast};

    fn decoded(topic: &str, id: usize) -> Option<Broadcast> {
        let payload =
            format!(r#"{{"id":"00000000-0000-7000-8000-{id:012}","command":"restart","args":{{}},"by":"Ana"}}"#);
        let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 0, retained: false, correlation: None };
        let dialect = Dialect::Wilco(Topics::default());
        let Ok(Some(DecodedMessage::Broadcast(broadcast))) = dialect.decode(&inbound) else { panic!("{topic}") };
        broadcast.map(|broadcast| *broadcast)
    }

    fn broadcast(topic: &str, id: usize) -> Broadcast {
        decoded(topic, id).unwrap_or_else(|| panic!("{topic}"))
    }

    #[test]
    fn a_group_of_any_name_and_length_is_not_taken_down() {
        let longest = "x".repeat(200);
        assert_eq!(broadcast(&format!("groups/{longest}/req"), 1).group.as_deref(), Some(longest.as_str()));
        for group in [format!("{longest}x"), "kit\u{1b}[2Jchen".to_owned(), "x".repeat(60_000)] {
            assert_eq!(decoded(&format!("groups/{group}/req"), 1), None, "{group:.20}");
        }
    }

    fn raw(bytes: usize) -> Raw {
        Raw { payload: vec![b'x'; bytes].into(), ..Raw::default() }
    }

    #[test]
    fn a_broadcast_is_told_once_with_its_sender_and_whom_it_is_for() {
        let mut broadcasts = Broadcasts::default();
        let mut check = |topic: &str, id: usize, bytes: usize, expected: Option<(&str, &str)>| {
            let told = broadcasts.remember(broadcast(topic, id), raw(bytes), Timestamp(0));
            let (message, hint) = expected.unzip();
            assert_eq!(told.as_ref().map(|(message, _)| message.as_str()), message);
            assert!(told.is_none_or(|(_, told)| hint.is_some_and(|hint| told.contains(hint))));
        };
        check(
            "all/req",
            1,
            10,
            Some(("Another console (Ana) sent restart to all devices.", "each device that answers")),
        );
        check("all/req", 1, 10, None);
        let group = "Another console (Ana) sent restart to the devices of the group kitchen.";
        check("groups/kitchen/req", 2, LARGEST + 1, Some((group, "which has 16,385 bytes; the limit is 16,384.")));
        assert!(broadcasts.of(&broadcast("all/req", 1).id).is_some());
        assert!(broadcasts.of(&broadcast("all/req", 2).id).is_none());
    }

    #[test]
    fn a_broadcast_keeps_the_devices_that_it_is_for_busy_until_they_answer_or_its_time_is_over() {
        let mut broadcasts = Broadcasts::default();
        let (group, all) = (broadcast("groups/kitchen/req", 1), broadcast("all/req", 2));
        let timeout = i64::try_from(all.timeout().0).expect("short");
        let pump = DeviceId::new("pump").expect("a device ID");
        let mut ledger = Ledger::new(Limits::default());
        let in_none = |_: &str| false;
        broadcasts.remember(group.clone(), raw(10), Timestamp(0));
        assert!(broadcasts.unanswered(&pump, in_none, &ledger, Timestamp(1)).is_none());
        let busy = broadcasts.unanswered(&pump, |group| group == "kitchen", &ledger, Timestamp(1)).expect("it may run");
        assert_eq!(busy.id(), &group.id);
        broadcasts.remember(all.clone(), raw(10), Timestamp(1_000));
        let busy = broadcasts.unanswered(&pump, in_none, &ledger, Timestamp(1_000 + timeout - 1)).expect("it may run");
        assert_eq!(
            (busy.id(), busy.submission.by.as_deref(), busy.submitted_at),
            (&all.id, Some("Ana"), Timestamp(1_000))
        );
        assert!(broadcasts.unanswered(&pump, |_| true, &ledger, Timestamp(1_000 + timeout)).is_none());
        // Its own command says so once it has one.
        ledger.handle(Input::Observed(all.of(pump.clone())), Timestamp(1_500));
        assert!(broadcasts.unanswered(&pump, in_none, &ledger, Timestamp(1_500)).is_none());
    }

    #[test]
    fn a_console_that_floods_costs_neither_memory_nor_hundreds_of_notices() {
        let mut broadcasts = Broadcasts::default();
        let mut remember = |id, at| broadcasts.remember(broadcast("all/req", id), raw(10), Timestamp(at)).is_some();
        assert_eq!((0..1_000).filter(|id| remember(*id, 0)).count(), 20);
        // Afterwards one a second.
        assert_eq!((1_000..3_000).filter(|id| remember(*id, *id as i64)).count(), 2);
        assert_eq!((0..500).filter(|id| remember(10_000 + id, *id as i64 * 1_000 + 10_000)).count(), 500);
        assert_eq!(broadcasts.latest.len(), BROADCASTS_KEPT);
    }

    #[test]
    fn what_is_stored_is_remembered_after_a_restart_with_the_id_that_came_beside_the_payload() {
        let stored = |topic: &str, id: &str, payload: &str| StoredBroadcast {
            id: CommandId::new(id).expect("an ID"),
            at: Timestamp(7),
            raw: Raw { topic: topic.into(), payload: payload.as_bytes().into(), qos: 1, cut: None },
        };
        let within = r#"{"id":"within","command":"restart","args":{}}"#;
        let rows = vec![
            stored("all/req", "within", within),
            stored("groups/kitchen/req", "beside", r#"{"command":"led","args":{"on":true},"by":"Ana"}"#),
            // The connection's prefix was another one then.
            stored("cmd/all/req", "elsewhere", within),
        ];
        let mut broadcasts = Broadcasts::default();
        broadcasts.remember(broadcast("all/req", 1), raw(10), Timestamp(9));
        broadcasts.restore(rows, &Dialect::Wilco(Topics::default()));
        let remembered: Vec<_> = broadcasts
            .latest
            .iter()
            .map(|known| (known.asked.id.as_str(), known.asked.name(), known.asked.by(), known.asked.group.as_deref()))
            .collect();
        let expected = [("within", "restart", None, None), ("beside", "led", Some("Ana"), Some("kitchen"))];
        assert_eq!(remembered, expected);
        assert!(broadcasts.latest.iter().all(|known| known.at == Timestamp(7)));
    }
}
