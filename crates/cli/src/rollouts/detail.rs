//! The answers of a rollout, as lines.

use wilco_engine::api::{
    AnswerTimes, Cause, RolloutApproval, RolloutDetail, SharedTrait, SlowAnswers, SlowTrait, TimesView, Verdict,
};

use crate::output::{clean, count, local_time, state_name, visible_name};

/// The maximum number of devices outside the rollout to list.
const NAMED: usize = 20;

/// Answer times, causes, what the failed share and what followed, where there is any of it.
pub(super) fn lines(detail: &RolloutDetail) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(detail.rollout.approval.as_ref().map(approval));
    lines.extend(times(&detail.answer_times));
    lines.extend(detail.firmware_times.iter().map(firmware));
    lines.extend(detail.causes.iter().map(cause));
    lines.extend(detail.shared.iter().map(shared));
    lines.extend(detail.slow.iter().flat_map(slow));
    lines.extend(unexpected_devices(detail));
    lines.extend(disagree(detail.disagreed, detail.disagree));
    if !detail.followed_by.is_empty() {
        lines.push(format!("Followed by: rollout {}", detail.followed_by.join(", ")));
    }
    lines
}

/// `Approved by Bo on desk-2 at 2026-11-29 10:21:03, key 1f2e …: after the maintenance window`
fn approval(approval: &RolloutApproval) -> String {
    let Some(decision) = &approval.decision else {
        return format!("Needs the approval of a second installation until {}", local_time(approval.expires_at));
    };
    let verdict = match decision.verdict {
        Verdict::Approved => "Approved",
        Verdict::Declined => "Declined",
    };
    let note = decision.note.as_deref().map(|note| format!(": {}", clean(note))).unwrap_or_default();
    let (by, at) = (clean(&decision.by), local_time(decision.signed_at));
    format!("{verdict} by {by} at {at}, key {}{note}", decision.fingerprint)
}

/// `2 devices answered that are no members: lamp-8 succeeded, lamp-9 failed: no LED`
pub(super) fn unexpected_devices(detail: &RolloutDetail) -> Option<String> {
    let devices = if detail.unexpected_count == 1 {
        "device outside the rollout answered"
    } else {
        "devices outside the rollout answered"
    };
    let named: Vec<_> = detail
        .unexpected_devices
        .iter()
        .take(NAMED)
        .map(|unexpected_device| {
            let message = unexpected_device.message.as_deref().map(|message| format!(": {}", clean(message)));
            let state = state_name(unexpected_device.state);
            format!("{} {state}{}", visible_name(&unexpected_device.device), message.unwrap_or_default())
        })
        .collect();
    let more = if named.len() < detail.unexpected_count as usize { ", …" } else { "" };
    (detail.unexpected_count > 0)
        .then(|| format!("{} {devices}: {}{more}", count(detail.unexpected_count as usize), named.join(", ")))
}

/// `3 devices answered that they succeeded, but reported other values afterwards. 2 still do: wilco devices --search
/// is:disagrees`
fn disagree(then: u32, now: u32) -> Option<String> {
    // What was noticed a moment ago may not be stored yet.
    let devices = match then.max(now) {
        0 => return None,
        1 => "1 device answered that it succeeded, but reported other values afterwards".to_owned(),
        many => {
            format!(
                "{} devices answered that they succeeded, but reported other values afterwards",
                count(many as usize)
            )
        }
    };
    let still = match now {
        0 => String::new(),
        1 => " 1 still does: wilco devices --search is:disagrees".to_owned(),
        many => format!(" {} still do: wilco devices --search is:disagrees", count(many as usize)),
    };
    Some(format!("{devices}.{still}"))
}

fn times(times: &AnswerTimes) -> Option<String> {
    let ms = |ms: f64| format!("{ms:.0} ms");
    Some(format!(
        "Answer times: p50 {}, p95 {}, p99 {}, slowest {}",
        ms(times.p50_ms?),
        ms(times.p95_ms?),
        ms(times.p99_ms?),
        ms(times.max_ms?)
    ))
}

/// `Firmware 2.3.0: 41 answers, p50 120 ms, p95 300 ms, p99 310 ms, slowest 330 ms`
fn firmware(times: &TimesView) -> String {
    let TimesView { name, count: answers, p50_ms, p95_ms, p99_ms, max_ms, .. } = times;
    let firmware = name.as_deref().map_or("Firmware unknown".into(), |name| format!("Firmware {}", visible_name(name)));
    format!(
        "{firmware}: {} answers, p50 {p50_ms:.0} ms, p95 {p95_ms:.0} ms, p99 {p99_ms:.0} ms, slowest {max_ms:.0} ms",
        count(*answers as usize)
    )
}

/// `3 failed: valve jammed`
fn cause(cause: &Cause) -> String {
    let (number, state) = (count(cause.count as usize), state_name(cause.state));
    match cause.message.as_str() {
        "" => format!("{number} {state}"),
        message => format!("{number} {state}: {}", clean(message)),
    }
}

/// `Firmware 2.3.0: 41 of 41 failed devices, 2 of 2,104 that succeeded (search: firmware:=2.3.0)`
fn shared(shared: &SharedTrait) -> String {
    let kind = shared.kind.label();
    let of = |with: u32, all: u32| format!("{} of {}", count(with as usize), count(all as usize));
    format!(
        "{kind} {}: {} failed devices, {} that succeeded (search: {})",
        clean(&shared.value),
        of(shared.failed_with, shared.failed),
        of(shared.succeeded_with, shared.succeeded),
        clean(&shared.search)
    )
}

/// `Tag kitchen: 84 of 90 devices that took longer than 950 ms, 12 of 630 quicker ones (search: tag:kitchen)`
fn slow(slow: &SlowAnswers) -> Vec<String> {
    let of = |with: u32, all: u32| format!("{} of {}", count(with as usize), count(all as usize));
    let line = |shared: &SlowTrait| {
        format!(
            "{} {}: {} devices that took longer than {:.0} ms, {} quicker ones (search: {})",
            shared.kind.label(),
            clean(&shared.value),
            of(shared.slow_with, slow.count),
            slow.above_ms,
            of(shared.quick_with, shared.quick),
            clean(&shared.search)
        )
    };
    slow.shared.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::disagree;

    #[test]
    fn past_and_current_contradicting_reports_are_distinguished() {
        let told = |then, now| disagree(then, now).unwrap_or_default();
        assert_eq!(told(0, 0), "");
        assert_eq!(told(1, 0), "1 device answered that it succeeded, but reported other values afterwards.");
        let many = "3 devices answered that they succeeded, but reported other values afterwards.";
        assert_eq!(told(3, 2), format!("{many} 2 still do: wilco devices --search is:disagrees"));
        assert_eq!(told(0, 3), format!("{many} 3 still do: wilco devices --search is:disagrees"));
    }
}
