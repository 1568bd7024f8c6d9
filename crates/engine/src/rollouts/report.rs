//! The report of a rollout for other people: the command, its devices, the results, and the failures.

mod document;

use document::{Document, Part};

use super::terms::{target, terms};

use crate::{
    api::{
        AnswerTimes, MemberCounts, MemberState, MemberView, ReportFormat, RolloutDetail, RolloutView, SharedTrait,
        SlowAnswers, TimesView, Verdict, grouped,
    },
    history_writer::exact_time,
};

/// Failed members that are listed, at most.
pub(crate) const LISTED: u32 = 1_000;
/// The slowest members that are listed, at most.
pub(crate) const SLOWEST: u32 = 10;

/// A part of a report.
pub(crate) struct Report<'a> {
    pub(crate) detail: &'a RolloutDetail,
    /// The name of its connection.
    pub(crate) connection: &'a str,
    /// The failed members, [`LISTED`] at most.
    pub(crate) failed: &'a [MemberView],
    /// Those of its members that took longest to answer, [`SLOWEST`] at most.
    pub(crate) slowest: &'a [MemberView],
    /// When it is written, Unix milliseconds.
    pub(crate) at: i64,
}

/// A report as text, or `None` for a format that lists members only.
pub(crate) fn report(report: &Report<'_>, format: ReportFormat) -> Option<String> {
    let document = document(report);
    match format {
        ReportFormat::Html => Some(document.html()),
        ReportFormat::Markdown => Some(document.markdown()),
        ReportFormat::Json | ReportFormat::Csv => None,
    }
}

fn document(report: &Report<'_>) -> Document {
    let RolloutDetail {
        rollout,
        answer_times,
        firmware_times,
        causes,
        shared,
        slow,
        unexpected_devices,
        unexpected_count,
        ..
    } = report.detail;
    let spec = &rollout.spec;
    let name = spec.name.as_deref().unwrap_or(&spec.command.name);
    let mut parts = vec![Part::Facts(facts(report))];
    if let Some(note) = spec.note.as_deref().filter(|note| !note.trim().is_empty()) {
        parts.extend([Part::Heading("Note"), Part::Quote(note.to_owned())]);
    }
    parts.extend([Part::Heading("Devices by state"), counts(&rollout.counts)]);
    parts.extend(disagreement(report.detail.disagreed, report.detail.disagree).map(Part::Text));
    parts.extend([Part::Heading("Stages"), stages(rollout)]);
    if answer_times.count > 0 {
        parts.extend([Part::Heading("Answer times"), percentiles(answer_times), histogram(answer_times)]);
        if !firmware_times.is_empty() {
            parts.push(by_firmware(firmware_times));
        }
        parts.extend(slowest(report.slowest));
        parts.extend(slow.iter().flat_map(slow_traits));
    }
    if !causes.is_empty() {
        let rows = causes.iter().map(|cause| vec![grouped(cause.count), cause.state.words(), cause.message.clone()]);
        parts.push(Part::Heading("Causes of failure"));
        parts.push(Part::Table { heads: vec!["Devices", "State", "Message"], rows: rows.collect() });
    }
    if !shared.is_empty() {
        parts.push(Part::Heading("Common traits of the failed devices"));
        let heads = vec!["Trait", "Failed devices", "Devices that succeeded", "Search"];
        parts.push(Part::Table { heads, rows: shared.iter().map(shared_row).collect() });
    }
    if !unexpected_devices.is_empty() {
        let rows = unexpected_devices.iter().map(|unexpected_device| {
            let message = unexpected_device.message.clone().unwrap_or_default();
            vec![
                unexpected_device.device.clone(),
                unexpected_device.state.words(),
                exact_time(unexpected_device.at),
                message,
            ]
        });
        parts.push(Part::Heading("Devices outside the rollout that answered"));
        parts.push(Part::Table { heads: vec!["Device", "State", "Answered", "Message"], rows: rows.collect() });
        let listed = u32::try_from(unexpected_devices.len()).unwrap_or(u32::MAX);
        if *unexpected_count > listed {
            parts.push(Part::Text(format!("{} of {} are listed.", grouped(listed), grouped(*unexpected_count))));
        }
    }
    parts.extend(failed_members(report));
    parts.push(Part::Text(format!("Written by Wilco at {}. All times are UTC.", exact_time(report.at))));
    Document { title: format!("Rollout {}: {name}", grouped(rollout.number)), parts }
}

/// How many devices reported something else than they answered.
/// Devices whose answer said yes and whose reports said otherwise afterwards: `then`, of them `now` still.
fn disagreement(then: u32, now: u32) -> Option<String> {
    let devices = match then.max(now) {
        0 => return None,
        1 => "1 device answered that it succeeded, but reported other values afterwards.".to_owned(),
        many => {
            format!("{} devices answered that they succeeded, but reported other values afterwards.", grouped(many))
        }
    };
    let still = match now {
        0 => String::new(),
        1 => " 1 still does.".to_owned(),
        many => format!(" {} still do.", grouped(many)),
    };
    Some(devices + &still)
}

fn facts(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let RolloutDetail { rollout, followed_by, .. } = report.detail;
    let spec = &rollout.spec;
    let time = |at: Option<i64>| at.map(exact_time);
    let facts = [
        ("State", Some(rollout.state.as_str().to_owned())),
        ("Why", rollout.why.clone()),
        ("Command", Some(format!("{} {}", spec.command.name, spec.command.args))),
        ("Connection", Some(report.connection.to_owned())),
        ("Target", Some(target(&spec.target))),
        ("Devices", Some(grouped(rollout.members))),
        ("Started", Some(exact_time(rollout.started_at))),
        ("Ended", time(rollout.ended_at)),
    ];
    let followed_by = Some(followed_by.join(", ")).filter(|ids| !ids.is_empty());
    let facts = facts.into_iter().chain(approval(rollout)).filter_map(|(label, value)| Some((label, value?)));
    facts.chain(terms(spec)).chain(followed_by.map(|ids| ("Followed by", ids))).collect()
}

/// Whose approval it waits for or has.
fn approval(rollout: &RolloutView) -> Option<(&'static str, Option<String>)> {
    let approval = rollout.approval.as_ref()?;
    let text = match &approval.decision {
        None => "required, not given yet".to_owned(),
        Some(decision) => {
            let verdict = match decision.verdict {
                Verdict::Approved => "approved",
                Verdict::Declined => "declined",
            };
            let note = decision.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            let at = exact_time(decision.signed_at);
            format!("{verdict} by {} at {at}, key {}{note}", decision.by, decision.fingerprint)
        }
    };
    Some(("Approval", Some(text)))
}

fn counts(counts: &MemberCounts) -> Part {
    let rows = counts.by_state().into_iter().filter(|(_, count)| *count > 0);
    let rows = rows.map(|(state, count)| vec![state_name(state), grouped(count)]).collect();
    Part::Table { heads: vec!["State", "Devices"], rows }
}

fn state_name(state: MemberState) -> String {
    match state {
        MemberState::Pending => "not started".to_owned(),
        MemberState::Released(state) => state.words(),
    }
}

fn stages(rollout: &RolloutView) -> Part {
    let rows = (1_u32..).zip(&rollout.stages).map(|(place, stage)| {
        let cancelled = stage.counts.cancelled;
        let failed = stage.counts.failed().saturating_sub(cancelled);
        let (succeeded, unconfirmed) = (stage.counts.succeeded, stage.counts.unconfirmed);
        let time = |at: Option<i64>| at.map(exact_time).unwrap_or_default();
        let closed = if stage.closed { ", closed manually" } else { "" };
        vec![
            grouped(place),
            grouped(stage.members),
            grouped(succeeded),
            grouped(unconfirmed),
            grouped(failed),
            grouped(cancelled),
            grouped(stage.members.saturating_sub(succeeded + unconfirmed + failed + cancelled)),
            time(stage.started_at),
            format!("{}{closed}", time(stage.ended_at)),
        ]
    });
    let heads =
        vec!["Stage", "Devices", "Succeeded", "Unconfirmed", "Failed", "Cancelled", "Unfinished", "Started", "Ended"];
    Part::Table { heads, rows: rows.collect() }
}

fn percentiles(times: &AnswerTimes) -> Part {
    let ms = |ms: Option<f64>| ms.map(|ms| format!("{ms:.0} ms")).unwrap_or_default();
    let row = vec![grouped(times.count), ms(times.p50_ms), ms(times.p95_ms), ms(times.p99_ms), ms(times.max_ms)];
    Part::Table { heads: vec!["Answers", "p50", "p95", "p99", "Slowest"], rows: vec![row] }
}

fn by_firmware(times: &[TimesView]) -> Part {
    let ms = |ms: f64| format!("{ms:.0} ms");
    let rows = times.iter().map(|times| {
        let firmware = times.name.clone().unwrap_or_else(|| "Unknown".to_owned());
        vec![firmware, grouped(times.count), ms(times.p50_ms), ms(times.p95_ms), ms(times.p99_ms), ms(times.max_ms)]
    });
    Part::Table { heads: vec!["Firmware", "Answers", "p50", "p95", "p99", "Slowest"], rows: rows.collect() }
}

/// Members that answered that they succeeded, but report other values.
fn slowest(members: &[MemberView]) -> Option<Part> {
    let rows = members.iter().filter_map(|member| {
        let took = format!("{:.0} ms", member.took_ms?);
        Some(vec![member.device.clone(), took, state_name(member.state), member.firmware.clone().unwrap_or_default()])
    });
    let rows: Vec<_> = rows.collect();
    let heads = vec!["Slowest devices", "Answered after", "State", "Firmware"];
    (!rows.is_empty()).then_some(Part::Table { heads, rows })
}

fn slow_traits(slow: &SlowAnswers) -> [Part; 2] {
    let rows = slow.shared.iter().map(|of| {
        vec![
            format!("{} {}", of.kind.label(), of.value),
            format!("{} of {}", grouped(of.slow_with), grouped(slow.count)),
            format!("{} of {}", grouped(of.quick_with), grouped(of.quick)),
            of.search.clone(),
        ]
    });
    let heads = vec!["Trait", "Slow devices", "Quicker devices", "Search"];
    let text = format!("Common traits of the devices that took longer than {:.0} ms:", slow.above_ms);
    [Part::Text(text), Part::Table { heads, rows: rows.collect() }]
}

fn histogram(times: &AnswerTimes) -> Part {
    let last = times.buckets.len().saturating_sub(1);
    let bars = times.buckets.iter().enumerate().filter(|(_, count)| **count > 0).map(|(place, count)| {
        let from = f64::from(u32::try_from(place).unwrap_or(u32::MAX)) * times.bucket_ms;
        let label = if place == last && place > 0 {
            format!("{from} ms and more")
        } else {
            format!("{from} to {} ms", from + times.bucket_ms)
        };
        (label, *count)
    });
    Part::Bars(bars.collect())
}

fn shared_row(shared: &SharedTrait) -> Vec<String> {
    let kind = shared.kind.label();
    vec![
        format!("{kind} {}", shared.value),
        format!("{} of {}", grouped(shared.failed_with), grouped(shared.failed)),
        format!("{} of {}", grouped(shared.succeeded_with), grouped(shared.succeeded)),
        shared.search.clone(),
    ]
}

fn failed_members(report: &Report<'_>) -> Vec<Part> {
    if report.failed.is_empty() {
        return Vec::new();
    }
    let rows = report.failed.iter().map(|member| {
        vec![
            member.device.clone(),
            grouped(member.stage + 1),
            state_name(member.state),
            member.firmware.clone().unwrap_or_default(),
            member.finished_at.map(exact_time).unwrap_or_default(),
            member.message.clone().unwrap_or_default(),
        ]
    });
    let heads = vec!["Device", "Stage", "State", "Firmware", "Ended", "Message"];
    let mut parts = vec![Part::Heading("Failed devices"), Part::Table { heads, rows: rows.collect() }];
    let all = report.detail.rollout.counts.failed();
    let listed = u32::try_from(report.failed.len()).unwrap_or(u32::MAX);
    if all > listed {
        let text = format!(
            "{} of {} failed devices are listed. Export the devices as CSV for all.",
            grouped(listed),
            grouped(all)
        );
        parts.push(Part::Text(text));
    }
    parts
}

#[cfg(test)]
mod tests;
