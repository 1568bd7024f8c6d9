//! The members of a rollout that answered much later than most, and what they have in common.

use serde_json::Value;
use wilco_ledger::{DeviceId, Timestamp};

use super::{shared::shared_traits, took};
use crate::{
    answer_times::{NOTICEABLE, percentile},
    api::{SharedTrait, SlowAnswers, SlowTrait},
    fleet::Fleet,
    store::StoredMember,
};

/// As many members are looked at, at most: the slowest of them.
const LOOKED_AT: usize = 2_000;
/// They took so many times as long as half of all members, at the least.
const TIMES: f64 = 2.0;

/// The members that answered much later than most, beside those that did not.
#[derive(Debug, PartialEq)]
pub(crate) struct SlowMembers {
    /// They took longer than this, milliseconds.
    above_ms: f64,
    slow: Vec<DeviceId>,
    quick: Vec<DeviceId>,
}

/// Divides those that have answered. Members between the slowest 2,000 and the quick ones are in neither.
pub(crate) fn slow_members(members: &[StoredMember]) -> SlowMembers {
    let mut times: Vec<_> = members.iter().filter_map(|member| Some((took(member)?, &member.device))).collect();
    times.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let p50 = percentile(&times.iter().map(|(took, _)| *took).collect::<Vec<_>>(), 50);
    let much = (p50 * TIMES).max(p50 + NOTICEABLE);
    let beyond = times.iter().rev().nth(LOOKED_AT).map_or(0.0, |(took, _)| *took);
    let above_ms = much.max(beyond);
    let devices = |is_one: &dyn Fn(f64) -> bool| -> Vec<DeviceId> {
        times.iter().filter(|(took, _)| is_one(*took)).map(|(_, device)| (*device).clone()).collect()
    };
    SlowMembers { above_ms, slow: devices(&|took| took > above_ms), quick: devices(&|took| took <= much) }
}

impl SlowMembers {
    /// What the slow ones have in common, by the current state of their devices; none where there is nothing.
    pub(crate) fn traits(&self, fleet: &Fleet, request: (&str, &Value), now: Timestamp) -> Option<SlowAnswers> {
        let known = |ids: &[DeviceId]| ids.iter().map(|id| fleet.get(id)).collect::<Vec<_>>();
        let shared = shared_traits(&known(&self.slow), &known(&self.quick), request, now);
        let count = u32::try_from(self.slow.len()).unwrap_or(u32::MAX);
        let shared: Vec<_> = shared.into_iter().map(slow_trait).collect();
        (!shared.is_empty()).then_some(SlowAnswers { above_ms: self.above_ms, count, shared })
    }
}

/// A trait of the slow ones, which were compared as failed ones are.
fn slow_trait(compared: SharedTrait) -> SlowTrait {
    let SharedTrait { kind, value, failed_with, succeeded_with, succeeded, search, .. } = compared;
    SlowTrait { kind, value, slow_with: failed_with, quick_with: succeeded_with, quick: succeeded, search }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use serde_json::json;
    use wilco_ledger::{DeviceId, State, Timestamp};

    use super::{LOOKED_AT, slow_members};
    use crate::{
        api::{SlowTrait, TraitKind},
        fleet::Fleet,
        store::StoredMember,
    };

    fn device(place: usize) -> DeviceId {
        DeviceId::new(format!("pump-{place}")).unwrap()
    }

    /// Members that took so long, milliseconds, in this order.
    fn members(times: impl IntoIterator<Item = i64>) -> Vec<StoredMember> {
        let member = |(place, took): (usize, i64)| StoredMember {
            member: u32::try_from(place).unwrap(),
            device: device(place),
            args: None,
            earlier: None,
            state: Some(State::Succeeded),
            command: None,
            message: None,
            attempts: 1,
            released_at: Some(Timestamp(1_000)),
            sent_at: Some(Timestamp(1_000)),
            finished_at: Some(Timestamp(1_000 + took)),
        };
        times.into_iter().enumerate().map(member).collect()
    }

    #[test]
    fn members_are_slow_from_twice_the_median_on_and_never_because_of_less_than_a_quarter_second() {
        let check = |times: &[i64], above_ms: f64, slow: &[usize], quick: usize| {
            let found = slow_members(&members(times.iter().copied()));
            assert!((found.above_ms - above_ms).abs() < 1e-9, "{times:?}: {}", found.above_ms);
            assert_eq!(found.slow, slow.iter().map(|place| device(*place)).collect::<Vec<_>>(), "{times:?}");
            assert_eq!(found.quick.len(), quick, "{times:?}");
        };
        check(&[], 250.0, &[], 0);
        check(&[10, 12, 11, 200, 260], 262.0, &[], 5);
        check(&[10, 12, 11, 270, 263], 262.0, &[4, 3], 3);
        check(&[1_000, 1_100, 1_000, 1_900, 2_001], 2_200.0, &[], 5);
        check(&[1_000, 900, 1_000, 2_000, 2_001], 2_000.0, &[4], 4);
        let mut silent = members([10, 900]);
        silent[1].state = Some(State::TimedOut);
        assert_eq!(slow_members(&silent).slow, []);
    }

    #[test]
    fn the_slowest_are_looked_at_and_the_others_that_are_slow_count_as_neither() {
        let times = (0..10_000).map(|place| if place < 7_000 { 10 } else { 1_000 + place });
        let found = slow_members(&members(times));
        assert_eq!((found.slow.len(), found.quick.len()), (LOOKED_AT, 7_000));
        assert!((found.above_ms - 8_999.0).abs() < 1e-9, "{}", found.above_ms);
    }

    #[test]
    fn what_the_second_hump_shares_is_named_and_decoys_are_not() {
        let mut fleet = Fleet::default();
        let times: Vec<i64> = (0..700).map(|place| if place % 7 == 0 { 1_200 } else { 40 }).collect();
        for (place, took) in times.iter().enumerate() {
            fleet.update(&device(place), |device| {
                // One that is slow has another tag, and a few that are quick have it, too.
                let kitchen = (*took > 40 && place != 0) || place == 1;
                device.tags = vec![if kitchen { "kitchen" } else { "roof" }.to_owned(), "north".to_owned()];
                device.firmware = Some(if place % 2 == 0 { "2.3.0" } else { "2.3.1" }.to_owned());
                device.report(json!({"running": {"serial": place}}).to_string(), None);
            });
        }
        let found = slow_members(&members(times.iter().copied()));
        let slow = found.traits(&fleet, ("led", &json!({})), Timestamp(9_000)).unwrap();
        let kitchen = SlowTrait {
            kind: TraitKind::Tag,
            value: "kitchen".into(),
            slow_with: 99,
            quick_with: 1,
            quick: 600,
            search: "tag:kitchen".into(),
        };
        assert_eq!((slow.count, slow.shared), (100, vec![kitchen]));
        // Nobody is slow.
        let even = slow_members(&members(vec![40; 700]));
        assert_eq!(even.traits(&fleet, ("led", &json!({})), Timestamp(9_000)), None);
    }
}
