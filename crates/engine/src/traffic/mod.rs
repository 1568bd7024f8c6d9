//! Live traffic: shows the messages that a session sends and receives.
//!
//! A tap beside the controller exists only while somebody watches. It never waits: messages that do not fit into its
//! bounded queue are counted and dropped. The watcher's task decodes and shortens the messages. Live traffic adds no
//! subscriptions: it shows only the messages of this session.

mod filter;
mod meaning;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use wilco_dialect::{Dialect, Inbound};
use wilco_ledger::{DeviceId, Timestamp};

pub(crate) use filter::TopicFilter;

use crate::{
    api::{TrafficBatch, TrafficMessage},
    mqtt::Envelope,
    store::ConnectionId,
    views,
};

/// Messages that wait to be shown, at most.
const QUEUE: usize = 1_000;
/// Bytes of a payload that are shown.
const SHOWN: usize = 32 * 1_024;
/// Handed out so often.
const BATCH_EVERY: Duration = Duration::from_millis(100);
/// The maximum number of messages in a batch, so that the page stays responsive.
const BATCH: usize = 100;

/// A message that passes the tap.
#[derive(Clone, Copy)]
pub(crate) struct ObservedMessage<'a> {
    /// The recipient of a sent message: the topic of a user's own command need not name it.
    pub(crate) to: Option<&'a DeviceId>,
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: u8,
    pub(crate) retained: bool,
    pub(crate) correlation: Option<&'a [u8]>,
    pub(crate) envelope: &'a Envelope,
}

/// Where messages are seen passing.
pub(crate) struct Tap {
    connection: ConnectionId,
    device: Option<DeviceId>,
    filter: TopicFilter,
    dialect: Dialect,
    queue: mpsc::Sender<Seen>,
    /// How many matched.
    passed: Arc<AtomicU64>,
}

/// The watcher's side.
pub(crate) struct View {
    dialect: Dialect,
    queue: mpsc::Receiver<Seen>,
    passed: Arc<AtomicU64>,
}

/// A message that was seen, as it passed.
struct Seen {
    number: u64,
    at: Timestamp,
    outgoing: bool,
    topic: String,
    /// As much of it as is shown.
    payload: Vec<u8>,
    bytes: usize,
    qos: u8,
    retained: bool,
    correlation: Option<Vec<u8>>,
    envelope: Envelope,
}

/// A tap, and what comes out of it.
pub(crate) fn tap(
    connection: ConnectionId,
    device: Option<DeviceId>,
    filter: TopicFilter,
    dialect: Dialect,
) -> (Tap, View) {
    let (sender, queue) = mpsc::channel(QUEUE);
    let passed = Arc::new(AtomicU64::new(0));
    let view = View { dialect: dialect.clone(), queue, passed: Arc::clone(&passed) };
    (Tap { connection, device, filter, dialect, queue: sender, passed }, view)
}

impl Tap {
    /// A message passes. Never waits.
    pub(crate) fn see(&self, connection: &ConnectionId, passing: ObservedMessage<'_>, at: Timestamp) {
        if *connection != self.connection || !self.wants(&passing) {
            return;
        }
        let number = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
        // Copied only where there is room for it.
        let Ok(place) = self.queue.try_reserve() else { return };
        let ObservedMessage { to, topic, payload, qos, retained, correlation, envelope } = passing;
        place.send(Seen {
            number,
            at,
            outgoing: to.is_some(),
            topic: topic.to_owned(),
            payload: payload[..payload.len().min(SHOWN)].to_vec(),
            bytes: payload.len(),
            qos,
            retained,
            correlation: correlation.map(<[u8]>::to_vec),
            envelope: envelope.clone(),
        });
    }

    /// Nobody looks any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    fn wants(&self, passing: &ObservedMessage<'_>) -> bool {
        let of_device = self.device.as_ref().is_none_or(|device| match passing.to {
            Some(to) => to == device,
            None => self.dialect.device_of(passing.topic).is_some_and(|of| of == *device),
        });
        of_device && self.filter.matches(passing.topic)
    }
}

impl View {
    /// Sends messages to the watcher until it stops or the tap is removed.
    pub(crate) async fn hand_out(mut self, to: mpsc::Sender<TrafficBatch>) {
        let mut pace = interval(BATCH_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown = 0;
        loop {
            tokio::select! {
                _ = pace.tick() => {}
                () = to.closed() => return,
            }
            let Some(batch) = self.batch(&mut shown) else { return };
            if (!batch.messages.is_empty() || batch.left_out > 0) && to.send(batch).await.is_err() {
                return;
            }
        }
    }

    /// The messages so far. `shown` is the number of the last one delivered.
    fn batch(&mut self, shown: &mut u64) -> Option<TrafficBatch> {
        let mut messages = Vec::new();
        let mut left_out = 0;
        while messages.len() < BATCH {
            match self.queue.try_recv() {
                Ok(seen) => {
                    left_out += seen.number - *shown - 1;
                    *shown = seen.number;
                    messages.push(self.view(seen));
                }
                Err(mpsc::error::TryRecvError::Disconnected) if messages.is_empty() => return None,
                Err(_) => break,
            }
        }
        // More than is read: the newest are worth more than the oldest.
        while self.queue.len() > QUEUE / 2
            && let Ok(seen) = self.queue.try_recv()
        {
            left_out += seen.number - *shown;
            *shown = seen.number;
        }
        if self.queue.is_empty() {
            let passed = self.passed.load(Ordering::Relaxed);
            // One may have passed and not be in the queue yet; it is accounted for by the next batch.
            if passed > *shown + 1 {
                left_out += passed - 1 - *shown;
                *shown = passed - 1;
            }
        }
        Some(TrafficBatch { messages, left_out: u32::try_from(left_out).unwrap_or(u32::MAX) })
    }

    fn view(&self, seen: Seen) -> TrafficMessage {
        let Seen { number, at, outgoing, topic, payload, bytes, qos, retained, correlation, envelope } = seen;
        let cut = bytes - payload.len();
        let correlation = correlation.as_deref();
        let inbound = Inbound { topic: &topic, payload: &payload, qos, retained, correlation };
        let (meaning, unreadable) = match cut {
            0 => meaning::of(&self.dialect, &inbound),
            _ => ("Too large to decode.".to_owned(), false),
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut wire = views::wire(&topic, &payload, qos);
        wire.bytes = count(bytes);
        TrafficMessage {
            number,
            at: at.0,
            outgoing,
            wire,
            cut: count(cut),
            retained,
            dup: envelope.dup,
            packet_bytes: count(envelope.bytes),
            properties: envelope.properties.named(correlation),
            meaning,
            unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_dialect::{Dialect, Topics};
    use wilco_ledger::{DeviceId, Timestamp};

    use super::{BATCH, ObservedMessage, QUEUE, SHOWN, Tap, TopicFilter, View, tap};
    use crate::mqtt::Envelope;

    fn looking(device: Option<&str>, filter: &str) -> (Tap, View) {
        let dialect = Dialect::Wilco(Topics::new("plant").unwrap());
        let device = device.map(|device| DeviceId::new(device).unwrap());
        tap("c".into(), device, TopicFilter::parse(filter).unwrap(), dialect)
    }

    fn pass(tap: &Tap, connection: &str, topic: &str, payload: &[u8]) {
        let envelope = Envelope::default();
        let passing = ObservedMessage {
            to: None,
            topic,
            payload,
            qos: 1,
            retained: false,
            correlation: None,
            envelope: &envelope,
        };
        tap.see(&connection.into(), passing, Timestamp(7));
    }

    #[tokio::test]
    async fn a_command_is_seen_with_its_device_whatever_its_topic() {
        let check = |looked_at: &str, expected: usize| {
            let (tap, mut view) = looking(Some(looked_at), "");
            let (to, envelope) = (DeviceId::new("pump-7").unwrap(), Envelope::default());
            let passing = ObservedMessage {
                to: Some(&to),
                topic: "plant/valves/pump-7",
                payload: b"{}",
                qos: 1,
                retained: false,
                correlation: None,
                envelope: &envelope,
            };
            tap.see(&"c".into(), passing, Timestamp(7));
            let seen = view.batch(&mut 0).map_or(0, |batch| batch.messages.iter().filter(|one| one.outgoing).count());
            assert_eq!(seen, expected, "{looked_at}");
        };
        check("pump-7", 1);
        check("pump-8", 0);
    }

    #[tokio::test]
    async fn only_what_is_asked_for_is_seen() {
        let check = |device: Option<&str>, filter: &str, expected: &[&str]| {
            let (tap, mut view) = looking(device, filter);
            for topic in ["plant/pump-7/resp", "plant/pump-8/resp", "plant/pump-7/status", "elsewhere"] {
                pass(&tap, "c", topic, b"{}");
                pass(&tap, "another", topic, b"{}");
            }
            let batch = view.batch(&mut 0).unwrap();
            let seen: Vec<_> = batch.messages.iter().map(|message| message.wire.topic.as_str()).collect();
            assert_eq!((seen, batch.left_out), (expected.to_vec(), 0), "{device:?} {filter}");
        };
        check(None, "", &["plant/pump-7/resp", "plant/pump-8/resp", "plant/pump-7/status", "elsewhere"]);
        check(Some("pump-7"), "", &["plant/pump-7/resp", "plant/pump-7/status"]);
        check(Some("pump-7"), "plant/+/resp", &["plant/pump-7/resp"]);
        check(None, "plant/+/resp", &["plant/pump-7/resp", "plant/pump-8/resp"]);
    }

    #[tokio::test]
    async fn a_flood_is_never_waited_for_and_every_message_is_shown_or_counted() {
        let (tap, mut view) = looking(None, "");
        let (mut shown, mut seen, mut left_out) = (0, Vec::new(), 0);
        for round in 0..5 {
            for _ in 0..QUEUE * 2 {
                pass(&tap, "c", "plant/pump-7/telemetry", b"{\"heap\":1}");
            }
            let batch = view.batch(&mut shown).unwrap();
            assert!(batch.messages.len() <= BATCH, "round {round}");
            left_out += u64::from(batch.left_out);
            seen.extend(batch.messages.into_iter().map(|message| message.number));
        }
        drop(tap);
        while let Some(batch) = view.batch(&mut shown) {
            left_out += u64::from(batch.left_out);
            seen.extend(batch.messages.into_iter().map(|message| message.number));
            if seen.len() as u64 + left_out >= QUEUE as u64 * 10 - 1 {
                break;
            }
        }
        assert!(seen.is_sorted() && seen.len() > 5 * BATCH, "{} were seen", seen.len());
        // The very last may be on its way.
        assert!((QUEUE as u64 * 10 - 1..=QUEUE as u64 * 10).contains(&(seen.len() as u64 + left_out)));
    }

    #[tokio::test]
    async fn a_long_payload_is_cut_and_that_is_said() {
        let (tap, mut view) = looking(None, "");
        pass(&tap, "c", "plant/pump-7/log", &vec![b'x'; SHOWN + 5]);
        let message = view.batch(&mut 0).unwrap().messages.remove(0);
        assert_eq!((message.cut, message.wire.bytes as usize), (5, SHOWN + 5));
        assert_eq!((message.wire.payload.len(), &*message.meaning), (SHOWN, "Too large to decode."));
    }

    #[tokio::test]
    async fn a_tap_is_closed_when_nobody_looks_any_more() {
        let (tap, view) = looking(None, "");
        assert!(!tap.is_closed());
        drop(view);
        assert!(tap.is_closed());
        pass(&tap, "c", "plant/pump-7/resp", b"{}");
    }
}
