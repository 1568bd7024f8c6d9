//! Prints the plan of a rollout, before it starts.

use std::process::ExitCode;

use wilco_engine::api::{NewRollout, PlannedRequest, RolloutPlan};

use crate::{
    base::Base,
    options::Listing,
    output::{Output, clean, count, several, visible_name},
    problem::Problem,
};

/// Requests that are asked for at once.
const PAGE: u32 = 2_000;

/// Prints it and every request that it would publish: a JSON object in one line and one for each request, or lines for
/// people.
pub(super) async fn print(
    plan: &RolloutPlan,
    spec: NewRollout,
    base: &Base,
    listing: Listing,
) -> Result<ExitCode, Problem> {
    let mut output = if listing == Listing::Json { Output::data() } else { Output::text() };
    match listing {
        Listing::Json => output.json(plan)?,
        Listing::Text => lines(plan).iter().try_for_each(|line| output.line(line))?,
    }
    let mut pending = (plan.members > 0).then_some(0);
    while let Some(from) = pending {
        let page = base.console().planned_requests(spec.clone(), from, PAGE).await?;
        for request in &page.requests {
            match listing {
                Listing::Json => output.json(request)?,
                Listing::Text => output.line(&line(request))?,
            }
        }
        pending = Some(page.from.saturating_add(PAGE)).filter(|next| *next < page.total);
    }
    if listing == Listing::Text {
        output.line("Nothing was sent.")?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `pump-1/req {"command":"led"}`
fn line(PlannedRequest { request, .. }: &PlannedRequest) -> String {
    format!("  {} {}", clean(&request.topic), clean(&request.payload))
}

/// Prints why nothing is to be done, to people.
pub(super) fn print_remarks(plan: &RolloutPlan, listing: Listing) -> Result<ExitCode, Problem> {
    if listing == Listing::Text {
        let mut output = Output::text();
        plan.remarks.iter().try_for_each(|remark| output.line(&clean(remark)))?;
        output.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(plan: &RolloutPlan) -> Vec<String> {
    let stages: Vec<_> = plan.stages.iter().map(|size| count(*size as usize)).collect();
    let in_stages =
        if stages.len() > 1 { format!(" in {} stages: {}", stages.len(), stages.join(", ")) } else { String::new() };
    let messages = usize::try_from(plan.messages).unwrap_or(usize::MAX);
    let mut lines = vec![
        format!("Devices:   {}{in_stages}", count(plan.members as usize)),
        format!(
            "Duration:  {}",
            plan.expected_ms.map_or_else(|| "until you start the next stage".to_owned(), duration)
        ),
        format!("Messages:  {}", count(messages)),
    ];
    let busy = plan.busy_elsewhere + plan.busy_here;
    let busy_words = match (plan.busy_elsewhere, plan.busy_here) {
        (_, 0) => "busy with a command from another console".to_owned(),
        (0, _) => "busy with another command of yours".to_owned(),
        (elsewhere, _) => format!("busy, {} with a command from another console", count(elsewhere as usize)),
    };
    for (number, words, examples) in [
        (plan.offline, "offline", &plan.offline_examples),
        (plan.presence_unknown, "with unknown presence", &Vec::new()),
        (plan.already, "already in the requested state", &plan.already_examples),
        (busy, &*busy_words, &plan.busy_examples),
    ] {
        if number > 0 {
            lines.push(format!("{} {words}{}", count(number as usize), named(number, examples)));
        }
    }
    let overlaps = [&plan.overlap, &plan.overlap_here].into_iter().flatten();
    lines.extend(overlaps.map(|overlap| clean(overlap).into_owned()));
    lines.extend(unknown_before(plan));
    lines.extend(changed_since(plan));
    lines.extend(unreported(plan));
    if plan.dangerous {
        lines.push("This command interrupts the devices.".to_owned());
    }
    lines.extend(plan.remarks.iter().map(|remark| clean(remark).into_owned()));
    if !plan.samples.is_empty() {
        lines.push("The requests ({id} is the command ID):".to_owned());
    }
    lines
}

/// The devices on which another console's command is running, and which command it seems to be, as sentences.
pub(super) fn busy_elsewhere(plan: &RolloutPlan) -> Option<String> {
    let devices = several(plan.busy_elsewhere as usize, "device");
    let verb = if plan.busy_elsewhere == 1 { "is" } else { "are" };
    let overlap = plan.overlap.as_deref().map(|overlap| format!(" {}", clean(overlap))).unwrap_or_default();
    (plan.busy_elsewhere > 0).then(|| format!("{devices} {verb} busy with a command from another console.{overlap}"))
}

/// The devices that cannot be restored, as a sentence.
pub(super) fn unknown_before(plan: &RolloutPlan) -> Option<String> {
    let verb = if plan.unknown_before == 1 { "is" } else { "are" };
    (plan.unknown_before > 0).then(|| {
        format!(
            "{} {verb} left out, because their earlier values are unknown{}.",
            count(plan.unknown_before as usize),
            named(plan.unknown_before, &plan.unknown_before_examples)
        )
    })
}

/// The devices that lose a value that was set after the rollout, as a sentence.
pub(super) fn changed_since(plan: &RolloutPlan) -> Option<String> {
    let (verb, values) =
        if plan.changed_since == 1 { ("has", "loses that value") } else { ("have", "lose those values") };
    (plan.changed_since > 0).then(|| {
        format!(
            "{} {verb} been changed since, and {values}{}.",
            count(plan.changed_since as usize),
            named(plan.changed_since, &plan.changed_since_examples)
        )
    })
}

/// Of whom it is not known what they have, as a sentence.
pub(super) fn unreported(plan: &RolloutPlan) -> Option<String> {
    let verb = if plan.unreported == 1 { "has" } else { "have" };
    (plan.unreported > 0).then(|| {
        format!(
            "{} {verb} not reported a configuration{}.",
            count(plan.unreported as usize),
            named(plan.unreported, &plan.unreported_examples)
        )
    })
}

/// `: pump-1, pump-2, …`
fn named(number: u32, examples: &[String]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let more = if examples.len() < number as usize { ", …" } else { "" };
    let names: Vec<_> = examples.iter().map(|device| visible_name(device)).collect();
    format!(": {}{more}", names.join(", "))
}

/// `about 3 min`
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn duration(milliseconds: u64) -> String {
    let in_units = |unit: f64| (milliseconds as f64 / unit).round();
    match milliseconds {
        0..1_000 => "less than a second".to_owned(),
        1_000..90_000 => format!("about {} s", in_units(1_000.0)),
        90_000..5_400_000 => format!("about {} min", in_units(60_000.0)),
        5_400_000..172_800_000 => format!("about {} h", in_units(3_600_000.0)),
        _ => format!("about {} days", in_units(86_400_000.0)),
    }
}

#[cfg(test)]
mod tests {
    use wilco_engine::api::{Confirmation, PlannedRequest, RolloutPlan, WireView};

    use super::{duration, line, lines};

    fn plan() -> RolloutPlan {
        let request = WireView {
            topic: "pump-1/req".into(),
            qos: 1,
            bytes: 16,
            payload: "{\"command\":\"led\"}".into(),
            binary: false,
            cut: None,
        };
        RolloutPlan {
            members: 2_000,
            fingerprint: String::new(),
            stages: vec![10, 190, 1_800],
            offline: 12,
            presence_unknown: 0,
            already: 1,
            busy_elsewhere: 2,
            overlap: Some("Another console (A\u{1b}) is sending led.".into()),
            overlap_here: Some("Rollout 3 (led) has not finished.".into()),
            busy_here: 1,
            offline_examples: vec!["pump-3".into(), "pump-4".into()],
            already_examples: vec!["pump-\u{1b}5".into()],
            busy_examples: vec!["pump-6".into(), "pump-7".into(), "pump-8".into()],
            unknown_before: 2,
            unknown_before_examples: vec!["pump-9".into(), "pump-10".into()],
            changed_since: 1,
            changed_since_examples: vec!["pump-12".into()],
            unreported: 1,
            unreported_examples: vec!["pump-11".into()],
            expected_ms: Some(200_000),
            messages: 6_000,
            dangerous: true,
            needs_approval: false,
            confirmation: Confirmation::None,
            remarks: vec!["The connection is not online.".into()],
            samples: vec![PlannedRequest { device: "pump-1".into(), request }],
        }
    }

    #[test]
    fn a_plan_is_told_in_lines() {
        let expected = [
            "Devices:   2,000 in 3 stages: 10, 190, 1,800",
            "Duration:  about 3 min",
            "Messages:  6,000",
            "12 offline: pump-3, pump-4, …",
            "1 already in the requested state: pump-\\u{1b}5",
            "3 busy, 2 with a command from another console: pump-6, pump-7, pump-8",
            "Another console (A\\u{1b}) is sending led.",
            "Rollout 3 (led) has not finished.",
            "2 are left out, because their earlier values are unknown: pump-9, pump-10.",
            "1 has been changed since, and loses that value: pump-12.",
            "1 has not reported a configuration: pump-11.",
            "This command interrupts the devices.",
            "The connection is not online.",
            "The requests ({id} is the command ID):",
        ];
        let printed = lines(&plan());
        assert!(!printed.concat().contains('\u{1b}'), "{printed:?}");
        assert_eq!(printed, expected);
        assert_eq!(plan().samples.iter().map(line).collect::<Vec<_>>(), ["  pump-1/req {\"command\":\"led\"}"]);
        let asks = RolloutPlan { expected_ms: None, ..plan() };
        assert_eq!(lines(&asks)[1], "Duration:  until you start the next stage");
    }

    #[test]
    fn a_duration_is_told_in_the_unit_that_fits() {
        for (milliseconds, printed) in [
            (0, "less than a second"),
            (1_400, "about 1 s"),
            (90_000, "about 2 min"),
            (7_200_000, "about 2 h"),
            (864_000_000, "about 10 days"),
        ] {
            assert_eq!(duration(milliseconds), printed);
        }
    }
}
