//! The ledger against a naive model of its rules, over random histories: submissions, publishes, PUBACKs, answers that
//! are lost, duplicated, reordered or foreign, time, sessions, presence, cancelling, and a process that is killed with
//! some of its events not yet on disk.

mod action;
mod invariants;
mod model_command;
mod naive;
mod world;

use proptest::prelude::*;

use action::{Action, actions};
use wilco_ledger::{Limits, Millis};
use world::World;

/// Windows small enough to be in the way.
const NARROW: Limits = Limits {
    send_window: 2,
    answer_window: 3,
    silent_after: Millis::seconds(2),
    sends_per_second: None,
    return_within: Millis::seconds(5),
    earlier_answers_within: Millis::seconds(3),
    earlier_answers_at_most: Millis::seconds(7),
    settled_kept: 10_000,
};

/// Windows that are never in the way.
const WIDE: Limits = Limits { send_window: 500, answer_window: 500, ..NARROW };

/// A few sends a second, through windows that are in the way now and then.
const SLOW: Limits = Limits { send_window: 4, answer_window: 5, sends_per_second: Some(3), ..NARROW };

/// As narrow, and hardly any memory for what has ended.
const FORGETFUL: Limits = Limits { settled_kept: 0, ..NARROW };

fn play(limits: Limits, actions: &[Action]) -> Result<(), TestCaseError> {
    let mut world = World::new(limits);
    for action in actions {
        world.play(action)?;
    }
    world.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_its_rules_say_with_room_for_all(actions in actions()) {
        play(WIDE, &actions)?;
    }

    #[test]
    fn the_ledger_does_what_its_rules_say_through_narrow_windows(actions in actions()) {
        play(NARROW, &actions)?;
    }

    #[test]
    fn the_ledger_does_what_its_rules_say_at_a_slow_rate(actions in actions()) {
        play(SLOW, &actions)?;
    }

    #[test]
    fn the_ledger_does_what_its_rules_say_when_it_forgets_what_has_ended(actions in actions()) {
        play(FORGETFUL, &actions)?;
    }
}
