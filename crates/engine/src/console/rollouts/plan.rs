//! The plan of a rollout, before it starts. Nothing is sent or stored for it.

use wilco_ledger::{Delivery, Limits, Timestamp};

use super::{Drafted, Handle, named, not_found};
use crate::{
    api::{ConnectionView, Failure, LinkState, NewRollout, PlannedRequests, RolloutPlan, grouped, sentence},
    controller::OverlappingRollout,
    rollouts::{Found, Survey, expected, fingerprint, hours_at},
    sample::Samples,
    store::CommandTemplate,
};

/// Requests that a plan has, at most.
const SAMPLES: usize = 5;
/// Requests of one page, at most.
const PAGE: u32 = 5_000;

impl Handle {
    /// The plan of a rollout that would start now.
    ///
    /// # Errors
    /// As [`Handle::start_rollout`]'s, but for a rollout of which every device is left out, or that has nothing to do:
    /// that has no members.
    pub async fn plan_rollout(&self, new: NewRollout) -> Result<RolloutPlan, Failure> {
        let Drafted { spec, template, survey, stages, dangerous, needs_approval, overlapping, unknown, nothing } =
            self.draft_rollout(new).await?;
        let shared = self.shared(&spec.connection).await?;
        let known = self.connections().await?.into_iter().find(|known| known.id == spec.connection);
        let connection = known.ok_or_else(|| not_found("connection", &spec.connection))?;
        // Maintenance hours follow the computer's clock.
        let (now, wall) = (self.clock.now(), self.clock.wall());

        let limits = shared.widest(connection.settings.preset, &connection.url);
        let longest = template.policy.answer_expected.then_some(template.policy.timeout);
        let spans = expected(&spec, &stages, &survey.usual, &limits, connection.round_trip_ms, longest);
        let wait_for_hours = spec.hours.as_ref().map(|hours| hours_at(hours, wall)).filter(|(open, _)| !open);
        let expected_ms = spans.map(|spans| {
            let wait = wait_for_hours.map_or(0, |(_, until)| u64::try_from(until.0 - wall.0).unwrap_or(0));
            spans.0.saturating_add(wait)
        });
        let settings = self.settings.get();
        let by = settings.operator_name.as_deref();
        let samples = survey.members.iter().take(if spec.is_broadcast() { 1 } else { SAMPLES });
        let requests = Samples { shared: &shared, template: &template, by, now };
        let samples = samples.filter_map(|member| requests.of(member).transpose()).collect::<Result<_, _>>()?;
        let messages = messages(&template, &survey, spec.is_broadcast());
        let mut remarks = remarks(&spec, &template, &connection, &limits, &survey, expected_ms, wall);
        if spec.gate.is_some() && stages.len() == 1 {
            remarks.push("There is only one stage, so the gate has no effect.".to_owned());
        }
        if needs_approval {
            remarks.push("Nothing is sent until a second installation has approved it.".to_owned());
        }
        if let Err(refused) = shared.mode.permit(&shared.name) {
            remarks.push(refused.message);
        }
        if let Some(nothing) = nothing {
            // Further remarks about sending do not apply if nothing is sent.
            remarks = vec![nothing.message];
        } else if let Some((unfit, why)) = &unknown.unfit {
            let devices = if unfit.count == 1 {
                "1 device is".to_owned()
            } else {
                format!("{} devices are", grouped(unfit.count))
            };
            remarks.push(format!("{devices} left out: {}. {}", unfit.examples.join(", "), sentence(why)));
        }
        let overlap = survey.overlap();
        let fingerprint = fingerprint(&survey.members);
        let Survey { offline, presence_unknown, already, busy_elsewhere, busy_here, members, .. } = survey;
        let Found { count: busy_elsewhere, examples: mut busy_examples } = busy_elsewhere;
        busy_examples.extend(busy_here.examples);
        busy_examples.truncate(SAMPLES);
        Ok(RolloutPlan {
            members: u32::try_from(members.len()).unwrap_or(u32::MAX),
            fingerprint,
            stages,
            offline: offline.count,
            presence_unknown,
            already: already.count,
            busy_elsewhere,
            overlap,
            overlap_here: overlapping.map(|overlapping| has_not_finished(&overlapping)),
            busy_here: busy_here.count,
            offline_examples: offline.examples,
            already_examples: already.examples,
            busy_examples,
            unknown_before: unknown.before.count,
            unknown_before_examples: unknown.before.examples,
            changed_since: unknown.changed_since.count,
            changed_since_examples: unknown.changed_since.examples,
            unreported: unknown.unreported.count,
            unreported_examples: unknown.unreported.examples,
            expected_ms,
            messages,
            dangerous,
            needs_approval,
            confirmation: shared.mode.needs(true),
            remarks,
            samples,
        })
    }

    /// Some of the requests of a rollout that would start now, at most 5,000.
    ///
    /// # Errors
    /// As [`Handle::plan_rollout`].
    pub async fn planned_requests(&self, new: NewRollout, from: u32, count: u32) -> Result<PlannedRequests, Failure> {
        let Drafted { spec, template, survey, .. } = self.draft_rollout(new).await?;
        let shared = self.shared(&spec.connection).await?;
        let settings = self.settings.get();
        let (by, now) = (settings.operator_name.as_deref(), self.clock.now());
        let members = if spec.is_broadcast() { survey.members.get(..1).unwrap_or_default() } else { &survey.members };
        let total = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let from = from.min(total);
        let requests = Samples { shared: &shared, template: &template, by, now };
        let some = members.iter().skip(from as usize).take(count.min(PAGE) as usize);
        let requests = some.filter_map(|member| requests.of(member).transpose()).collect::<Result<_, _>>()?;
        Ok(PlannedRequests { requests, from, total })
    }
}

/// `Rollout 3 (led) has not finished and still has to send to 40 of these devices.`
fn has_not_finished(overlapping: &OverlappingRollout) -> String {
    let OverlappingRollout { number, command, devices } = overlapping;
    format!(
        "Rollout {number} ({command}) has not finished and still has to send to {} of these devices.",
        grouped(*devices)
    )
}

/// The requests and the answers: most devices answer *accepted* and *succeeded*.
fn messages(template: &CommandTemplate, survey: &Survey, broadcast: bool) -> u64 {
    let policy = &template.policy;
    let answers = match (policy.answer_expected, policy.answers_carry_ids) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    };
    // A command that must go out at once is not sent to a device that is away.
    let is_sent = |offline: bool| !offline || policy.delivery != Delivery::Now;
    let sent = survey.usual.iter().filter(|usual| is_sent(usual.offline)).count();
    let sent = u64::try_from(sent).unwrap_or(u64::MAX);
    let requests = if broadcast { 1 } else { sent };
    requests.saturating_add(sent.saturating_mul(answers))
}

/// Remarks before the start.
fn remarks(
    spec: &NewRollout,
    template: &CommandTemplate,
    connection: &ConnectionView,
    limits: &Limits,
    survey: &Survey,
    expected_ms: Option<u64>,
    wall: Timestamp,
) -> Vec<String> {
    let mut remarks = Vec::new();
    match &connection.link {
        LinkState::Online { .. } => {}
        LinkState::Loading | LinkState::Connecting | LinkState::Subscribing => {
            remarks.push("The connection is not online yet. Wilco starts sending as soon as it is.".to_owned());
        }
        LinkState::Waiting { message, .. } | LinkState::Stopped { message, .. } => {
            remarks.push(format!("The connection is not online. Wilco starts sending when it is. {message}"));
        }
    }
    if let Some(limit) = limits.sends_per_second {
        let name = connection.settings.preset.view().name;
        remarks.push(match spec.rate {
            Some(rate) if rate > limit => {
                format!(
                    "Wilco sends at most {limit} commands per second to {name}, so a rate of {} cannot be reached.",
                    grouped(rate)
                )
            }
            Some(_) => format!("Wilco sends at most {limit} commands per second to {name}, including other commands."),
            None => format!("Wilco sends at most {limit} commands per second to {name}."),
        });
    }
    let places = u32::try_from(limits.answer_window).unwrap_or(u32::MAX);
    if template.policy.answer_expected && spec.in_flight.is_some_and(|in_flight| in_flight > places) {
        remarks.push(format!(
            "At most {} commands of a connection can wait for answers at the same time, not counting silent devices.",
            grouped(places)
        ));
    }
    let away = survey.usual.iter().filter(|usual| usual.offline).count();
    if let Ok(away @ 1..) = u32::try_from(away) {
        let devices = if away == 1 { "1 device is".to_owned() } else { format!("{} devices are", grouped(away)) };
        remarks.push(match template.policy.delivery {
            Delivery::Now => {
                format!("{devices} offline: a device that is offline when its turn comes fails as undeliverable.")
            }
            Delivery::Broadcast => {
                format!("{devices} offline, and reachable only if the broker keeps messages for offline devices.")
            }
            Delivery::BrokerHolds | Delivery::HoldHere => {
                format!("{devices} offline. The expected duration does not include waiting for them.")
            }
        });
    }
    let unlisted = &survey.unlisted;
    if unlisted.count > 0 {
        let (verb, ids) = if unlisted.count == 1 { ("is", "ID") } else { ("are", "IDs") };
        remarks.push(format!("{} {verb} not in the list of devices. Check the device {ids}.", named(unlisted)));
    }
    if !survey.usual.is_empty() && survey.usual.iter().all(|usual| usual.answer_ms.is_none()) {
        remarks.push("No answer times are known yet, so the expected duration is a guess.".to_owned());
    }
    if spec.is_broadcast() {
        remarks.push("Every device that subscribes to the topic is reached, whether or not it is a member.".to_owned());
    }
    if let Some(hours) = &spec.hours {
        match hours_at(hours, wall) {
            (false, _) => remarks.push(
                "It is now outside the maintenance hours. The expected duration includes waiting for them.".to_owned(),
            ),
            (true, until) => {
                let left = u64::try_from(until.0 - wall.0).unwrap_or(0);
                if expected_ms.is_some_and(|expected| expected > left) {
                    remarks.push(
                        "The rollout takes longer than the maintenance hours, so it continues in the next period."
                            .to_owned(),
                    );
                }
            }
        }
    }
    remarks
}

#[cfg(test)]
mod tests;
