//! The input of a rehearsal, and the start of the rehearsed rollout with given members.
//!
//! It runs no rehearsal: that needs virtual devices and a broker, which the engine does not know.

use std::collections::HashMap;

use wilco_ledger::{AnswerWindow, DeviceId};

use super::{Drafted, Handle, device_id, fleet, not_found};
use crate::{
    answer_times::percentile,
    api::{
        BetweenStages, CommandDefinition, Confirmed, Failure, LeaveOut, NewRollout, Presence, RehearsalPlan,
        RehearsedDevice, RolloutTarget, RolloutView, invalid,
    },
    catalogue::{Known, definition},
    controller::SharedFleet,
    rollouts::span_ms,
    store::{ConnectionId, NewMember},
};

/// The latest answers of a connection that are looked at.
const ANSWERS: usize = 20_000;
/// How long an answer is taken to need where none is known of any device, milliseconds.
const UNKNOWN_MS: f64 = 200.0;

impl Handle {
    /// The input of a rollout's rehearsal. Nothing is sent or stored.
    ///
    /// # Errors
    /// As [`Handle::plan_rollout`], and `Invalid` where no device is left to rehearse with.
    pub async fn plan_rehearsal(&self, new: NewRollout) -> Result<RehearsalPlan, Failure> {
        let Drafted { spec, survey, nothing, .. } = self.draft_rollout(new).await?;
        if survey.members.is_empty() {
            let left_out = || {
                invalid("All devices of this rollout are left out.".into(), "Choose other devices, or leave out fewer.")
            };
            return Err(nothing.unwrap_or_else(left_out));
        }
        let connection = ConnectionId::from(spec.connection.as_str());
        let shared = self.shared(&spec.connection).await?;
        let known = self.connections().await?.into_iter().find(|known| known.id == spec.connection);
        let known = known.ok_or_else(|| not_found("connection", &spec.connection))?;
        let limits = shared.widest(known.settings.preset, &known.url);
        let usual = self.usual_answers(&connection, &spec.command.name).await?;
        let members = survey.members;
        let imitate = move |fleet: SharedFleet| {
            let fleet = fleet::read(&fleet);
            members.into_iter().map(|member| usual.imitate(member, &fleet)).collect::<Vec<_>>()
        };
        let devices = self.of_fleet(&spec.connection, imitate).await?;
        let definition = match self.catalogue.find(&connection, &spec.command.name) {
            Known::Own(own) => Some(as_wilco_sends_it(definition::described(&own.definition.kind))),
            Known::BuiltIn(_) | Known::Nothing => None,
        };
        let mut remarks = remarks(&spec);
        if known.settings.dialects.iter().any(|dialect| dialect.name != "wilco") {
            remarks.push(
                "The virtual devices use Wilco's dialect, regardless of the dialects of the real ones.".to_owned(),
            );
        }
        if devices.iter().all(|device| (device.p50_ms - UNKNOWN_MS).abs() < f64::EPSILON) {
            remarks.push("No answer times are known yet, so each virtual device takes 200 ms.".to_owned());
        }
        let pause_ms = match spec.between {
            BetweenStages::Pause { pause_ms } => pause_ms,
            BetweenStages::Continue | BetweenStages::Ask => 0,
        };
        let pause_ms = pause_ms.max(spec.gate.as_ref().map_or(0, |gate| gate.for_ms));
        let places = u32::try_from(limits.answer_window).ok();
        let is_broadcast = spec.is_broadcast();
        let lower = |own: Option<u32>, connection: Option<u32>| {
            if is_broadcast { None } else { own.into_iter().chain(connection).min() }
        };
        let rollout = NewRollout {
            connection: String::new(),
            name: None,
            note: None,
            leave_out: LeaveOut::default(),
            between: BetweenStages::Continue,
            rate: lower(spec.rate, limits.sends_per_second),
            in_flight: lower(spec.in_flight, places.filter(|_| limits.answer_window < AnswerWindow::MOST)),
            gate: None,
            hours: None,
            follows: None,
            confirmed: Confirmed::No,
            target: match spec.target {
                RolloutTarget::Broadcast { group, .. } => RolloutTarget::Broadcast { group, search: String::new() },
                _ => RolloutTarget::default(),
            },
            ..spec
        };
        Ok(RehearsalPlan { rollout, devices, definition, settings: self.settings.get(), pause_ms, remarks })
    }

    /// Starts a rollout for exactly these devices of a plan, some with individual arguments, whatever its target.
    /// Returns like [`Handle::start_rollout`].
    ///
    /// # Errors
    /// As [`Handle::start_rollout`].
    pub async fn start_rehearsed(&self, new: NewRollout, devices: &[RehearsedDevice]) -> Result<RolloutView, Failure> {
        let member = |device: &RehearsedDevice| {
            let args = device.args.as_ref().map(|args| args.as_str().into());
            Ok::<_, Failure>(NewMember { device: device_id(&device.device)?, args })
        };
        let members = devices.iter().map(member).collect::<Result<_, _>>()?;
        self.start_members(new, Some(members)).await
    }

    /// The answer times of this command, from the latest answers of a connection.
    async fn usual_answers(&self, connection: &ConnectionId, command: &str) -> Result<UsualAnswers, Failure> {
        let mut usual = UsualAnswers::default();
        for answered in self.store.answered(connection, None, ANSWERS).await? {
            let took = span_ms(answered.sent_at, answered.finished_at);
            if answered.name == command {
                usual.of_all.push(took);
                usual.of_command.entry(answered.device).or_default().push(took);
            } else {
                usual.of_device.entry(answered.device).or_default().push(took);
            }
        }
        usual.of_all.sort_by(f64::total_cmp);
        usual.of_command.values_mut().chain(usual.of_device.values_mut()).for_each(|times| {
            times.sort_by(f64::total_cmp);
        });
        Ok(usual)
    }
}

/// How long devices usually take to answer, milliseconds; each list is sorted.
#[derive(Default)]
struct UsualAnswers {
    /// The answers to this command, by device.
    of_command: HashMap<DeviceId, Vec<f64>>,
    /// The answers to other commands, by device.
    of_device: HashMap<DeviceId, Vec<f64>>,
    /// The answers of all devices to this command.
    of_all: Vec<f64>,
}

impl UsualAnswers {
    fn imitate(&self, member: NewMember, fleet: &crate::fleet::Fleet) -> RehearsedDevice {
        let NewMember { device, args } = member;
        let known = fleet.get(&device);
        let times = self.of_command.get(&device).or_else(|| Some(&self.of_all).filter(|times| !times.is_empty()));
        let (p50_ms, p95_ms) = match times.or_else(|| self.of_device.get(&device)) {
            Some(times) => (percentile(times, 50), percentile(times, 95)),
            None => known.and_then(|known| known.trip_ms).map_or((UNKNOWN_MS, UNKNOWN_MS), |trip| (trip, trip)),
        };
        RehearsedDevice {
            device: device.as_str().to_owned(),
            firmware: known.and_then(|known| known.firmware.clone()),
            tags: known.map(|known| known.tags.clone()).unwrap_or_default(),
            led: known.and_then(|known| known.led).unwrap_or_default(),
            presence: known.map_or(Presence::Unknown, |known| known.presence),
            p50_ms,
            p95_ms,
            args: args.map(|args| args.as_ref().to_owned().into()),
        }
    }
}

/// The same command as Wilco's own dialect writes it, which virtual devices read.
fn as_wilco_sends_it(described: CommandDefinition) -> CommandDefinition {
    CommandDefinition { topic: None, payload: None, plain: false, ..described }
}

fn remarks(spec: &NewRollout) -> Vec<String> {
    let mut remarks = Vec::new();
    if spec.between != BetweenStages::Continue {
        remarks.push("The next stage starts immediately: the rehearsal does not wait between stages.".to_owned());
    }
    if let Some(gate) = &spec.gate {
        remarks.push(format!(
            "The gate on {} is not rehearsed, because virtual devices report different measurements.",
            gate.series
        ));
    }
    if spec.hours.is_some() {
        remarks.push("The rehearsal does not wait for the maintenance hours.".to_owned());
    }
    remarks
}
