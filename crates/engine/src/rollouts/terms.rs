//! The parameters of a rollout as text, for its report and for the approver.

use super::limits_text;
use crate::api::{
    BetweenStages, Gate, HaltLimit, HaltRule, LeaveOut, MaintenanceHours, NewRollout, RolloutTarget, WhichMembers,
    grouped,
};

/// How a rollout goes on and when it stops, each with its label. What it leaves open is left out.
pub(crate) fn terms(spec: &NewRollout) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let terms = [
        ("Left out", left_out(spec.leave_out)),
        ("Rate", spec.rate.map(|rate| format!("at most {} per second", grouped(rate)))),
        ("In flight", spec.in_flight.map(|limit| format!("at most {}", grouped(limit)))),
        ("Between stages", between(spec.between)),
        ("Gate", spec.gate.as_ref().map(gate)),
        ("Halts", spec.halt.as_ref().map(halts)),
        ("Hours", spec.hours.as_ref().map(hours)),
        ("Follows", spec.follows.as_ref().map(|follows| format!("rollout {}", follows.rollout))),
    ];
    terms.into_iter().filter_map(|(label, value)| Some((label, value?)))
}

/// The devices of a rollout, in words.
pub(crate) fn target(target: &RolloutTarget) -> String {
    match target {
        RolloutTarget::Devices { .. } => "selected devices".to_owned(),
        RolloutTarget::Search { search } if search.trim().is_empty() => "every device".to_owned(),
        RolloutTarget::Search { search } => format!("devices that match {search}"),
        RolloutTarget::Desired { search, .. } if search.trim().is_empty() => {
            "every device that differs from its desired configuration".to_owned()
        }
        RolloutTarget::Desired { search, .. } => {
            format!("devices that match {search} and differ from their desired configuration")
        }
        RolloutTarget::Members { rollout, which } => {
            let which = match which {
                WhichMembers::Failed => "the failed devices",
                WhichMembers::FailedOrNotStarted => "the failed and not started devices",
                WhichMembers::NotStarted => "the devices not started",
                WhichMembers::Succeeded => "the devices that succeeded",
                WhichMembers::All => "all devices",
                WhichMembers::Changed => "the changed devices",
            };
            format!("{which} of rollout {rollout}")
        }
        RolloutTarget::Broadcast { group: Some(group), .. } => format!("the group {group}, by broadcast"),
        RolloutTarget::Broadcast { group: None, .. } => "every device, by broadcast".to_owned(),
    }
}

/// `devices that are offline or already as requested`, as they were at the start.
fn left_out(LeaveOut { offline, already, busy }: LeaveOut) -> Option<String> {
    let kinds = [(offline, "offline"), (already, "already as requested"), (busy, "busy with another command")];
    let kinds: Vec<_> = kinds.into_iter().filter(|(left_out, _)| *left_out).map(|(_, kind)| kind).collect();
    (!kinds.is_empty()).then(|| format!("devices that are {}", kinds.join(" or ")))
}

fn between(between: BetweenStages) -> Option<String> {
    match between {
        BetweenStages::Continue => None,
        BetweenStages::Pause { pause_ms } => Some(format!("a pause of {}", duration(pause_ms))),
        BetweenStages::Ask => Some("wait for confirmation".to_owned()),
    }
}

fn gate(gate: &Gate) -> String {
    format!("{} {} for {}", gate.series, limits_text(gate), duration(gate.for_ms))
}

fn halts(halt: &HaltRule) -> String {
    let above = match halt.above {
        HaltLimit::Members { count: 1 } => "above 1 failed device".to_owned(),
        HaltLimit::Members { count } => format!("above {} failed devices", grouped(count)),
        HaltLimit::Percent { percent } => format!("above {percent} % failed"),
    };
    let timeouts = if halt.count_timeouts { "timeouts count" } else { "timeouts do not count" };
    let have = if halt.after == 1 { "has" } else { "have" };
    format!("{above}, after {} {have} finished; {timeouts}", grouped(halt.after))
}

/// `1 h 30 min`, `45 s`, `250 ms`.
fn duration(ms: u64) -> String {
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "min"), (ms / 1_000 % 60, "s"), (ms % 1_000, "ms")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}"));
    let text = parts.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "0 s".to_owned() } else { text }
}

/// `22:00 to 04:00, Europe/Amsterdam`.
fn hours(hours: &MaintenanceHours) -> String {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{} to {}, {}", time(hours.from_minute), time(hours.until_minute), hours.time_zone)
}

#[cfg(test)]
mod tests {
    use super::{duration, halts, hours, left_out};
    use crate::api::{HaltLimit, HaltRule, LeaveOut, MaintenanceHours};

    #[test]
    fn a_halt_rule_and_the_devices_left_out_are_said_in_words() {
        let halt = |above, after| HaltRule { above, after, count_timeouts: true };
        let one = halts(&halt(HaltLimit::Members { count: 1 }, 1));
        assert_eq!(one, "above 1 failed device, after 1 has finished; timeouts count");
        let many = halts(&halt(HaltLimit::Percent { percent: 2.5 }, 20));
        assert_eq!(many, "above 2.5 % failed, after 20 have finished; timeouts count");
        assert_eq!(left_out(LeaveOut::default()), None);
        let some = LeaveOut { offline: true, already: true, busy: false };
        assert_eq!(left_out(some).as_deref(), Some("devices that are offline or already as requested"));
    }

    #[test]
    fn lengths_and_hours_are_as_people_read_them() {
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(5_400_000), "1 h 30 min");
        assert_eq!(duration(1_250), "1 s 250 ms");
        let night = MaintenanceHours { from_minute: 1_320, until_minute: 245, time_zone: "Europe/Amsterdam".into() };
        assert_eq!(hours(&night), "22:00 to 04:05, Europe/Amsterdam");
    }
}
