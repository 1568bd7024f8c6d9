//! A rollout against a naive model: answers, actions, lost connections, passing time and crashes in any order. No
//! member is released twice, limits hold, a halt takes effect before the next release, stages keep their order, and
//! every run ends.

mod rules;
mod world;

use proptest::prelude::*;
use wilco_ledger::{
    Millis, State,
    rollout::{Action, Between, Halt, HaltLimit, Plan},
};

use world::{Step, World};

fn plans() -> impl Strategy<Value = Plan> {
    let between = prop_oneof![
        Just(Between::Continue),
        (0..5_000_u64).prop_map(|ms| Between::Pause(Millis(ms))),
        Just(Between::Ask)
    ];
    let above = prop_oneof![
        (0..6_u32).prop_map(HaltLimit::Members),
        (0..80_u32).prop_map(|percent| HaltLimit::Percent(percent.into()))
    ];
    let halt = (above, 0..6_u32, any::<bool>()).prop_map(|(above, after, count_timeouts)| Halt {
        above,
        after,
        count_timeouts,
    });
    let limits = (proptest::option::of(1..2_000_u32), proptest::option::of(1..6_u32));
    let gate = proptest::option::of((0..3_000_u64).prop_map(Millis));
    (proptest::collection::vec(1..8_u32, 1..5), between, limits, proptest::option::of(halt), gate, any::<bool>())
        .prop_map(|(stages, between, (rate, in_flight), halt, gate, hours)| Plan {
            stages,
            between,
            rate: rate.and_then(std::num::NonZeroU32::new),
            in_flight: in_flight.and_then(std::num::NonZeroU32::new),
            halt,
            gate,
            hours,
            broadcast: false,
        })
        .prop_flat_map(|plan| prop_oneof![6 => Just(plan.clone()), 1 => Just(broadcast(plan))])
}

/// The same in one publish.
fn broadcast(plan: Plan) -> Plan {
    Plan { stages: vec![plan.members()], rate: None, in_flight: None, gate: None, broadcast: true, ..plan }
}

fn steps() -> impl Strategy<Value = Step> {
    let action = prop_oneof![
        4 => Just(Action::Pause),
        8 => Just(Action::Resume),
        1 => Just(Action::Stop),
        6 => Just(Action::StartNextStage),
        4 => Just(Action::CloseStage),
    ];
    let state = prop_oneof![
        1 => Just(State::Held),
        1 => Just(State::Sent),
        1 => Just(State::AtBroker),
        1 => Just(State::Accepted),
        1 => Just(State::Running),
        4 => Just(State::Succeeded),
        2 => Just(State::Failed),
        1 => Just(State::Rejected),
        2 => Just(State::TimedOut),
        1 => Just(State::Expired),
        1 => Just(State::Undeliverable),
    ];
    prop_oneof![
        12 => (0..6_u32).prop_map(Step::Room),
        16 => (any::<prop::sample::Index>(), state).prop_map(|(member, state)| Step::Moves(member, state)),
        4 => action.prop_map(Step::Act),
        6 => (0..1_500_u64).prop_map(|ms| Step::Wait(Millis(ms))),
        2 => any::<bool>().prop_map(Step::Connection),
        3 => (0..3_u8).prop_map(Step::Gate),
        3 => (any::<bool>(), 0..4_000_u64).prop_map(|(open, ms)| Step::Hours(open, Millis(ms))),
        5 => Just(Step::Commit),
        2 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold_and_it_comes_to_an_end(
        plan in plans(),
        steps in proptest::collection::vec(steps(), 0..120),
    ) {
        let mut world = World::new(plan);
        for step in steps {
            world.take(step);
        }
        world.finish();
    }
}
