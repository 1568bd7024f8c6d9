//! Presence from AWS IoT Core's lifecycle events: one for each connection that begins or ends, possibly duplicated or out of
//! order.
//!
//! It has no timer: [`Lifecycle::due`] says when to check again.

use serde_json::Value;
use wilco_ledger::{DeviceId, Millis, Timestamp};

use crate::{
    DecodedMessage, Unreadable,
    json::{Members, whole},
    topics,
    wilco::text_of,
    words,
};

/// How long a `disconnected` is doubted: a device that has lost its connection is usually back before that, and its
/// `connected` may have overtaken the other.
const RECONNECT_TIME: Millis = Millis::seconds(5);

/// Versions begin again at 0 when a device was away for about an hour. Events that lie so far apart come in the right
/// order, and AWS' times are right to two minutes.
const RENUMBERED: Millis = Millis::seconds(30 * 60);

/// How much of a session's name is kept, in bytes.
const LONGEST_NAME: usize = 128;

/// A connection of a device began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleEvent {
    /// Whether it began.
    pub online: bool,
    /// The network connection of that device; the same for its beginning and its end.
    pub version: Option<u64>,
    /// The connection's name, the same for its beginning and its end.
    pub session: Option<String>,
    /// The time of AWS's clock, accurate to about two minutes.
    pub at: Option<Timestamp>,
}

/// Orders the lifecycle events of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// The last event in the order of the device's connections, and when it was received.
    latest: Option<(LifecycleEvent, Timestamp)>,
    /// When a `disconnected` takes effect.
    due: Option<Timestamp>,
    believed: Option<bool>,
}

impl Lifecycle {
    /// Adds an event. Returns the device's presence if it has changed: a `connected` takes effect immediately, a
    /// `disconnected` only in [`Lifecycle::settle`].
    pub fn handle(&mut self, event: LifecycleEvent, now: Timestamp) -> Option<bool> {
        if let Some((latest, heard)) = &self.latest
            && !event.follows(latest, now.since(*heard))
        {
            return None;
        }
        let online = event.online;
        self.latest = Some((event, now));
        self.due = (!online).then(|| now + RECONNECT_TIME);
        if online { self.believe(true) } else { None }
    }

    /// When to call [`Lifecycle::settle`], unless another event arrives first.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Applies a `disconnected` that was not contradicted. Returns whether this is a change.
    pub fn settle(&mut self, now: Timestamp) -> Option<bool> {
        self.due.take_if(|due| *due <= now)?;
        self.believe(false)
    }

    fn believe(&mut self, online: bool) -> Option<bool> {
        (self.believed.replace(online) != Some(online)).then_some(online)
    }
}

impl LifecycleEvent {
    /// Whether it happened after another event, which was received this much earlier.
    fn follows(&self, earlier: &LifecycleEvent, heard_later_by: Millis) -> bool {
        let later_by = match (self.at, earlier.at) {
            (Some(own), Some(other)) => own.since(other),
            _ => heard_later_by,
        };
        if later_by >= RENUMBERED {
            return true;
        }
        match (self.version, earlier.version) {
            (Some(own), Some(other)) if own != other => return own > other,
            (Some(_), Some(_)) => return self.ends(earlier),
            _ => {}
        }
        match (&self.session, &earlier.session) {
            (Some(own), Some(other)) if own == other => self.ends(earlier),
            // The end of a connection is of no interest once another has begun.
            (Some(_), Some(_)) => self.online,
            _ => self.online != earlier.online,
        }
    }

    /// Orders two events of one connection: the end follows the beginning.
    fn ends(&self, earlier: &LifecycleEvent) -> bool {
        !self.online && earlier.online
    }
}

/// Reads a lifecycle event. `None` for any other topic, and for clients whose id cannot be a device's.
pub(crate) fn decode(topic: &str, payload: &[u8]) -> Result<Option<DecodedMessage>, Unreadable> {
    let Some((client, online)) = topics::lifecycle_client(topic) else { return Ok(None) };
    let Ok(device) = DeviceId::new(client) else { return Ok(None) };
    match members(payload) {
        Ok(members) => Ok(Some(DecodedMessage::Lifecycle { device, event: event(&members, online) })),
        // The broker sent this event; the device itself sent nothing.
        Err(why) => Err(Unreadable {
            device: None,
            id: None,
            why: format!("This event about '{device}' is unreadable: {why}."),
        }),
    }
}

fn members(payload: &[u8]) -> Result<Members, String> {
    Members::parse(text_of(payload)?).map_err(|error| format!("it is not a JSON object ({error})"))
}

fn event(members: &Members, online: bool) -> LifecycleEvent {
    LifecycleEvent {
        online,
        version: members.get("versionNumber").as_ref().and_then(whole).and_then(|version| u64::try_from(version).ok()),
        session: members
            .get("sessionIdentifier")
            .as_ref()
            .and_then(Value::as_str)
            .map(|name| words::shortened(name, LONGEST_NAME)),
        at: members.get("timestamp").as_ref().and_then(whole).map(Timestamp),
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::{Lifecycle, LifecycleEvent};

    const CONNECTED: bool = true;
    const DISCONNECTED: bool = false;
    const HOUR: i64 = 3_600_000;

    /// Times, events, and the resulting changes: `+` online, `-` offline, `` none.
    struct Watch {
        lifecycle: Lifecycle,
    }

    impl Watch {
        fn new() -> Watch {
            Watch { lifecycle: Lifecycle::default() }
        }

        /// An event with its version; with AWS' time where it has one.
        #[track_caller]
        fn receive_rules(self, now: i64, online: bool, version: u64, at: Option<i64>, expected: &str) -> Watch {
            self.hears_event(
                now,
                LifecycleEvent { online, version: Some(version), session: None, at: at.map(Timestamp) },
                expected,
            )
        }

        /// An event that has only the session's name, if that.
        #[track_caller]
        fn hears_of(self, now: i64, online: bool, session: Option<&str>, expected: &str) -> Watch {
            let session = session.map(str::to_owned);
            self.hears_event(now, LifecycleEvent { online, version: None, session, at: None }, expected)
        }

        #[track_caller]
        fn hears_event(mut self, now: i64, event: LifecycleEvent, expected: &str) -> Watch {
            let shown = format!("{event:?}");
            let news = self.lifecycle.handle(event, Timestamp(now));
            assert_eq!(show(news), expected, "at {now}: {shown}");
            self
        }

        #[track_caller]
        fn waits(mut self, now: i64, expected: &str) -> Watch {
            assert_eq!(show(self.lifecycle.settle(Timestamp(now))), expected, "at {now}");
            self
        }

        #[track_caller]
        fn wakes(self, expected: Option<i64>) -> Watch {
            assert_eq!(self.lifecycle.due(), expected.map(Timestamp));
            self
        }
    }

    fn show(news: Option<bool>) -> &'static str {
        match news {
            Some(true) => "+",
            Some(false) => "-",
            None => "",
        }
    }

    #[test]
    fn connected_is_believed_at_once_and_disconnected_after_a_while() {
        Watch::new()
            .receive_rules(0, CONNECTED, 7, None, "+")
            .wakes(None)
            .receive_rules(1_000, DISCONNECTED, 7, None, "")
            .wakes(Some(6_000))
            .waits(5_999, "")
            .waits(6_000, "-")
            .wakes(None)
            .waits(60_000, "")
            .receive_rules(61_000, CONNECTED, 8, None, "+");
    }

    #[test]
    fn a_device_that_is_back_at_once_was_never_away() {
        Watch::new()
            .receive_rules(0, CONNECTED, 7, None, "+")
            .receive_rules(1_000, DISCONNECTED, 7, None, "")
            .receive_rules(3_000, CONNECTED, 8, None, "")
            .waits(60_000, "");
    }

    #[test]
    fn doubled_events_change_nothing() {
        Watch::new()
            .receive_rules(0, CONNECTED, 7, Some(0), "+")
            .receive_rules(10, CONNECTED, 7, Some(0), "")
            .receive_rules(1_000, DISCONNECTED, 7, Some(900), "")
            .receive_rules(4_000, DISCONNECTED, 7, Some(900), "")
            .wakes(Some(6_000))
            .waits(6_000, "-")
            .receive_rules(6_001, DISCONNECTED, 7, Some(900), "")
            .receive_rules(6_002, CONNECTED, 7, Some(0), "")
            .wakes(None);
    }

    #[test]
    fn events_out_of_order_are_put_in_order() {
        // The end overtakes the beginning of the same connection.
        Watch::new()
            .receive_rules(0, DISCONNECTED, 7, None, "")
            .receive_rules(10, CONNECTED, 7, None, "")
            .waits(5_000, "-");
        // The next connection overtakes the end of the one before.
        Watch::new()
            .receive_rules(0, CONNECTED, 7, Some(0), "+")
            .receive_rules(1_000, CONNECTED, 9, Some(1_000), "")
            .receive_rules(1_010, DISCONNECTED, 7, Some(900), "")
            .wakes(None)
            .receive_rules(1_020, CONNECTED, 8, Some(950), "");
        // Also when the one before had lasted for hours, and AWS' clock is two minutes off.
        Watch::new()
            .receive_rules(0, CONNECTED, 7, Some(0), "+")
            .receive_rules(3 * HOUR, CONNECTED, 8, Some(3 * HOUR), "")
            .receive_rules(3 * HOUR + 10, DISCONNECTED, 7, Some(3 * HOUR + 120_000), "")
            .wakes(None);
    }

    #[test]
    fn versions_begin_again_after_an_hour_offline() {
        let away = || {
            Watch::new()
                .receive_rules(0, CONNECTED, 7, Some(0), "+")
                .receive_rules(1_000, DISCONNECTED, 7, Some(1_000), "")
                .waits(6_000, "-")
        };
        away().receive_rules(HOUR, CONNECTED, 0, Some(HOUR), "+");
        away().receive_rules(HOUR, CONNECTED, 0, None, "+");
        away().receive_rules(60_000, CONNECTED, 0, Some(60_000), "");
        // An old one that was delivered only now.
        away().receive_rules(HOUR, CONNECTED, 6, Some(-1_000), "");
        away().receive_rules(HOUR, CONNECTED, 7, Some(HOUR), "+");
    }

    #[test]
    fn without_versions_sessions_tell_and_without_those_the_order_of_arrival() {
        Watch::new()
            .hears_of(0, CONNECTED, Some("a"), "+")
            .hears_of(1, CONNECTED, Some("b"), "")
            .hears_of(2, DISCONNECTED, Some("a"), "")
            .wakes(None)
            .hears_of(3, DISCONNECTED, Some("b"), "")
            .wakes(Some(5_003))
            .hears_of(4, CONNECTED, Some("b"), "")
            .waits(5_003, "-");
        Watch::new()
            .hears_of(0, CONNECTED, None, "+")
            .hears_of(1, CONNECTED, None, "")
            .hears_of(2, DISCONNECTED, None, "")
            .hears_of(3, CONNECTED, None, "")
            .wakes(None);
    }
}
