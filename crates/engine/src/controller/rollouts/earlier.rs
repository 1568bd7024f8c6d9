//! The values of devices before a rollout changes them: from their reports, or requested with `config.get` before the
//! release. A device that does not answer is changed anyway, and its values cannot be restored.

use std::collections::HashMap;

use wilco_dialect::StateReport;
use wilco_ledger::{CommandId, Delivery, DeviceId, Millis, Policy, Retry, Submission, rollout::Plan};

use crate::{
    api::Presence,
    fleet::Device,
    rollouts::{CHANGES, READS, earlier_values},
    store::CommandTemplate,
};

/// Members whose devices are asked before they are released, at most.
const AHEAD: u32 = 64;
/// A device that does not answer the question holds up its release no longer than this.
const ANSWERS_WITHIN: Millis = Millis::seconds(10);

/// The reported values.
pub(super) struct Earlier {
    /// Devices can be queried: their answers name the request.
    asks: bool,
    /// By the member's place: `None` while the answer is awaited, otherwise the result where there was one.
    answers: HashMap<u32, Option<Option<Box<str>>>>,
}

/// The known values of a member's device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// A JSON object.
    Known(String),
    /// The device will not answer.
    Unknown,
    /// The device has not been queried yet.
    NotQueried,
    /// Its answer is expected.
    Queried,
}

impl Earlier {
    /// `None` for a command that changes no configuration, or has a user's own form.
    pub(super) fn of(template: &CommandTemplate) -> Option<Earlier> {
        let is_own = template.form.as_ref().is_some_and(|form| form.payload.is_some());
        let changes = &*template.name == CHANGES && !is_own;
        changes.then(|| Earlier { asks: template.policy.answers_carry_ids, answers: HashMap::new() })
    }

    /// The known values for a member with these arguments.
    pub(super) fn before(&self, member: u32, args: &str, device: Option<&Device>) -> Before {
        let state = device.and_then(|device| device.state.as_deref());
        if let Some(values) = state.and_then(|state| earlier_values(args, state)) {
            return Before::Known(values);
        }
        match self.answers.get(&member) {
            Some(None) => Before::Queried,
            Some(Some(result)) => {
                let values = result.as_deref().and_then(|result| earlier_values(args, result));
                values.map_or(Before::Unknown, Before::Known)
            }
            // One that reports all that it has, and not this, has nothing more to say.
            None if !self.asks || state.is_some_and(|state| StateReport::of(state).running.is_some()) => {
                Before::Unknown
            }
            None if device.is_some_and(|device| device.presence == Presence::Offline) => Before::Unknown,
            None => Before::NotQueried,
        }
    }

    /// The number of members from the next one on that may be queried: no faster than they are released.
    pub(super) fn room(&self, plan: &Plan) -> u32 {
        [plan.rate, plan.in_flight].into_iter().flatten().map(|limit| limit.get()).fold(AHEAD, u32::min)
    }

    pub(super) fn queried(&mut self, member: u32) {
        self.answers.insert(member, None);
    }

    pub(super) fn learn(&mut self, member: u32, result: Option<&str>) {
        self.answers.insert(member, Some(result.map(Into::into)));
    }

    /// It is released.
    pub(super) fn forget(&mut self, member: u32) {
        self.answers.remove(&member);
    }
}

/// The request for a device's values. It is sent now or never, and once.
pub(super) fn question(device: DeviceId, id: CommandId, policy: Policy) -> Submission {
    let within = policy.timeout.min(ANSWERS_WITHIN);
    Submission {
        device,
        id,
        name: READS.into(),
        args: "{}".into(),
        form: None,
        policy: Policy {
            delivery: Delivery::Now,
            timeout: within,
            time_to_live: within,
            retry: Retry { permitted: false, limit: 0, pause: within },
            answer_expected: true,
            answers_carry_ids: policy.answers_carry_ids,
        },
        again_of: None,
        rollout: None,
        automatic: true,
        by: None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{Delivery, DeviceId, Millis, Policy, Retry};

    use super::{Before, Earlier};
    use crate::{api::Presence, fleet::Device, store::CommandTemplate};

    const ARGS: &str = r#"{"changes":{"level":5},"apply":"now"}"#;

    fn template(name: &str) -> CommandTemplate {
        let second = Millis::seconds(1);
        let policy = Policy {
            delivery: Delivery::BrokerHolds,
            timeout: second,
            time_to_live: second,
            retry: Retry { permitted: false, limit: 0, pause: second },
            answer_expected: true,
            answers_carry_ids: true,
        };
        CommandTemplate { name: name.into(), args: ARGS.into(), form: None, policy }
    }

    fn device(state: Option<&str>, presence: Presence) -> Device {
        let mut device = Device::new(DeviceId::new("pump-1").unwrap());
        device.presence = presence;
        if let Some(state) = state {
            device.report(state.to_owned(), None);
        }
        device
    }

    #[test]
    fn only_what_no_report_says_is_asked_for() {
        let mut earlier = Earlier::of(&template("config.set")).unwrap();
        let reported = device(Some(r#"{"running":{"level":1.50}}"#), Presence::Online);
        let known = Before::Known(r#"{"level":1.50}"#.to_owned());
        assert_eq!(earlier.before(0, ARGS, Some(&reported)), known);
        let without = device(Some(r#"{"running":{"other":1}}"#), Presence::Online);
        assert_eq!(earlier.before(0, ARGS, Some(&without)), Before::Unknown);
        assert_eq!(earlier.before(0, ARGS, Some(&device(None, Presence::Offline))), Before::Unknown);

        let silent = device(None, Presence::Unknown);
        assert_eq!(earlier.before(0, ARGS, Some(&silent)), Before::NotQueried);
        earlier.queried(0);
        assert_eq!(earlier.before(0, ARGS, Some(&silent)), Before::Queried);
        earlier.learn(0, Some(r#"{"running":{"level":1.50},"saved":{}}"#));
        assert_eq!(earlier.before(0, ARGS, Some(&silent)), known);
        earlier.queried(1);
        earlier.learn(1, None);
        assert_eq!(earlier.before(1, ARGS, None), Before::Unknown);
        assert!(Earlier::of(&template("led")).is_none());
    }
}
