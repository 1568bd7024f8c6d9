//! Detects Nagle's algorithm from the round-trip times.

use std::time::Duration;

use super::milliseconds;
use wilco_connection::PreflightFinding;

/// Linux holds a small packet's acknowledgement back for 40 ms, and Nagle's algorithm (RFC 896) waits for it, on one way
/// or on both.
const DELAYED: [std::ops::RangeInclusive<f64>; 2] = [38.0..=60.0, 78.0..=110.0];
/// How much longer than the way to the broker that makes a trip at least, milliseconds.
const LONGER: f64 = 30.0;

/// A remark where each of these trips waited for a delayed acknowledgement. The shortest counts: a busy computer only
/// makes some of them longer.
pub(super) fn finding(trips: &[Duration], far: Duration) -> Option<PreflightFinding> {
    let shortest = trips.iter().min()?;
    let delayed = DELAYED.iter().any(|range| range.contains(&milliseconds(*shortest)));
    if !delayed || milliseconds(*shortest) - milliseconds(far) < LONGER {
        return None;
    }
    Some(PreflightFinding {
        title: "Each answer is delayed by about 40 ms".to_owned(),
        why: format!(
            "A TCP round trip to the broker takes {}, but an MQTT message takes {}. Nagle's algorithm causes such a \
             delay if one side does not disable it.",
            shown(far),
            shown(*shortest)
        ),
        hint: "Wilco disables it. Add set_tcp_nodelay true to mosquitto.conf, and set TCP_NODELAY on the socket in \
               firmware. Otherwise everything works, but more slowly."
            .to_owned(),
        trace: None,
        policy: None,
        pin: None,
        version: None,
    })
}

/// A span of time for people.
pub(super) fn shown(span: Duration) -> String {
    let milliseconds = milliseconds(span);
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::finding;

    #[test]
    fn only_a_near_broker_that_is_always_slow_is_remarked_on() {
        let check = |far: f64, trips: [f64; 3], expected: bool| {
            let span = |milliseconds: f64| Duration::from_secs_f64(milliseconds / 1_000.0);
            assert_eq!(finding(&trips.map(span), span(far)).is_some(), expected, "{far} {trips:?}");
        };
        check(0.1, [41.0, 44.0, 44.2], true);
        check(2.0, [84.0, 88.0, 90.0], true);
        check(0.1, [44.0, 200.0, 900.0], true);
        check(0.1, [0.2, 0.3, 44.0], false);
        check(20.0, [41.0, 44.0, 44.0], false);
        check(0.1, [30.0, 31.0, 33.0], false);
        check(0.1, [65.0, 66.0, 70.0], false);
    }
}
