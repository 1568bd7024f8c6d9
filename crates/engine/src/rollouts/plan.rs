//! Converts the parameters of a rollout to the plan of its state machine.

use std::num::NonZeroU32;

use wilco_ledger::{
    Millis,
    rollout::{self, Action, Between, Halt, Plan},
};

use super::{gate, hours};
use crate::api::{BetweenStages, Failure, HaltLimit, LeaveOut, NewRollout, RolloutAction, StageSize, grouped, invalid};

/// The maximum number of stages.
const STAGES_AT_MOST: usize = 100;
/// The longest pause, milliseconds: 30 days.
const LONGEST: u64 = 30 * 86_400_000;
/// So much of a share may be due to how binary numbers are rounded.
const ROUNDING: f64 = 1e-12;
/// The longest name, characters.
const NAME: usize = 200;
/// The longest note, in bytes.
const NOTE: usize = 20_000;

/// The plan of a rollout with stages of these sizes.
pub(crate) fn plan(spec: &NewRollout, stages: &[u32]) -> Plan {
    Plan {
        stages: stages.to_vec(),
        between: match spec.between {
            BetweenStages::Continue => Between::Continue,
            BetweenStages::Pause { pause_ms } => Between::Pause(Millis(pause_ms)),
            BetweenStages::Ask => Between::Ask,
        },
        rate: spec.rate.and_then(NonZeroU32::new),
        in_flight: spec.in_flight.and_then(NonZeroU32::new),
        halt: spec.halt.map(|halt| Halt {
            above: match halt.above {
                HaltLimit::Members { count } => rollout::HaltLimit::Members(count),
                HaltLimit::Percent { percent } => rollout::HaltLimit::Percent(percent),
            },
            after: halt.after,
            count_timeouts: halt.count_timeouts,
        }),
        gate: spec.gate.as_ref().map(|gate| Millis(gate.for_ms)),
        hours: spec.hours.is_some(),
        broadcast: spec.is_broadcast(),
    }
}

/// The number of members of each stage, none of them 0 and all together `members`; or why there are no such stages.
pub(crate) fn stage_sizes(stages: &[StageSize], members: u32) -> Result<Vec<u32>, Failure> {
    if stages.len() > STAGES_AT_MOST {
        return Err(invalid(
            format!("A rollout cannot have {} stages.", stages.len()),
            &format!("The maximum is {STAGES_AT_MOST}."),
        ));
    }
    let mut sizes = Vec::new();
    let mut taken = 0_u32;
    for stage in stages {
        let until = match *stage {
            StageSize::Devices { count: 0 } => {
                return Err(invalid("A stage needs at least 1 device.".into(), "Enter at least 1."));
            }
            StageSize::Devices { count } => taken.saturating_add(count),
            StageSize::Percent { percent } if percent > 0.0 && percent <= 100.0 => share(percent, members),
            StageSize::Percent { percent } => {
                return Err(invalid(
                    format!("A stage of {percent} % is not allowed."),
                    "Enter more than 0 % and at most 100 %.",
                ));
            }
        };
        let until = until.min(members);
        // A percentage that the earlier stages have already reached adds no device.
        if until > taken {
            sizes.push(until - taken);
            taken = until;
        }
    }
    if taken < members {
        sizes.push(members - taken);
    }
    Ok(sizes)
}

/// So many per cent of the members, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the number of members")]
fn share(percent: f64, members: u32) -> u32 {
    let exact = f64::from(members) * percent / 100.0;
    // 0.07 % of 10,000 are 7, and not a little more.
    (exact * (1.0 - ROUNDING)).ceil().max(1.0) as u32
}

/// Why a rollout with these parameters is invalid, whatever its devices are.
pub(crate) fn refuse(spec: &NewRollout) -> Option<Failure> {
    if spec.rate == Some(0) || spec.in_flight == Some(0) {
        return Some(invalid(
            "A limit of 0 would prevent all sending.".into(),
            "Enter at least 1, or omit it to use the limits of the connection.",
        ));
    }
    if let Some(HaltLimit::Percent { percent }) = spec.halt.map(|halt| halt.above)
        && !(0.0..=100.0).contains(&percent)
    {
        return Some(invalid(
            format!("{percent} % is not a valid limit for halting."),
            "Enter a percentage from 0 to 100, or a number of devices.",
        ));
    }
    let name = spec.name.as_deref().unwrap_or_default().chars().count();
    if name > NAME {
        return Some(invalid(
            format!("The rollout's name has {} characters; the maximum is {NAME}.", grouped(name as u64)),
            "Shorten it, and put the rest into the note.",
        ));
    }
    if let Some(refusal) = spec.note.as_deref().and_then(refuse_note) {
        return Some(refusal);
    }
    if matches!(spec.between, BetweenStages::Pause { pause_ms } if pause_ms > LONGEST) {
        return Some(invalid("The pause between two stages is too long.".into(), "The maximum is 30 days."));
    }
    if spec.is_broadcast() {
        let staged = !spec.stages.is_empty() || spec.rate.is_some() || spec.in_flight.is_some() || spec.gate.is_some();
        if staged || spec.halt.is_some() {
            return Some(invalid(
                "A broadcast reaches all its devices at once.".into(),
                "Remove stages, rate, in-flight limit, gate and halt rule, or send to each device separately.",
            ));
        }
        if spec.leave_out != LeaveOut::default() {
            return Some(invalid(
                "A broadcast reaches every device that subscribes, so none can be left out.".into(),
                "Send to each device separately.",
            ));
        }
    }
    if let Some(refusal) = spec.gate.as_ref().and_then(gate::refuse) {
        return Some(refusal);
    }
    spec.hours.as_ref().and_then(hours::refuse)
}

/// Why that cannot be a rollout's note.
pub(crate) fn refuse_note(note: &str) -> Option<Failure> {
    (note.len() > NOTE).then(|| invalid("The note is too long.".into(), "Shorten it to 20,000 bytes."))
}

/// The state machine's action.
pub(crate) fn action(action: RolloutAction) -> Action {
    match action {
        RolloutAction::Pause => Action::Pause,
        RolloutAction::Resume => Action::Resume,
        RolloutAction::Stop => Action::Stop,
        RolloutAction::StartNextStage => Action::StartNextStage,
        RolloutAction::CloseStage => Action::CloseStage,
    }
}

#[cfg(test)]
mod tests {
    use super::{StageSize, stage_sizes};

    #[test]
    fn a_percentage_counts_the_stages_before_it() {
        let devices = |count| StageSize::Devices { count };
        let percent = |percent| StageSize::Percent { percent };
        let check = |stages: &[StageSize], members: u32, expected: &[u32]| {
            assert_eq!(stage_sizes(stages, members).ok().as_deref(), Some(expected), "{stages:?} of {members}");
        };
        check(&[], 5, &[5]);
        check(&[devices(10), percent(10.0), percent(100.0)], 2_000, &[10, 190, 1_800]);
        check(&[devices(10), percent(10.0), percent(100.0)], 50, &[10, 40]);
        check(&[devices(10), percent(10.0), percent(100.0)], 5, &[5]);
        check(&[percent(1.0)], 150, &[2, 148]);
        check(&[percent(0.1), devices(3)], 10, &[1, 3, 6]);
        check(&[percent(0.07), percent(0.57)], 10_000, &[7, 50, 9_943]);
        check(&[percent(0.14)], 20_000, &[28, 19_972]);
        check(&[percent(100.0)], 100_000, &[100_000]);
        for refused in [devices(0), percent(0.0), percent(100.1), percent(f64::NAN), percent(-1.0)] {
            assert!(stage_sizes(&[refused], 10).is_err(), "{refused:?}");
        }
    }
}
