//! Single rules, as short scenarios.

use wilco_ledger::{
    Millis, State, Timestamp,
    rollout::{
        Action, Between, Effect, GateReading, Halt, HaltLimit, HaltReason, Input, Phase, Plan, Refusal, Rollout,
        Suspension, WaitsFor,
    },
};

const START: Timestamp = Timestamp(1_000_000);

fn at(milliseconds: u64) -> Timestamp {
    START + Millis(milliseconds)
}

fn plan(stages: &[u32]) -> Plan {
    Plan {
        stages: stages.to_vec(),
        between: Between::Continue,
        rate: None,
        in_flight: None,
        halt: None,
        gate: None,
        hours: false,
        broadcast: false,
    }
}

fn begin(plan: Plan) -> Rollout {
    let mut rollout = Rollout::new(plan, START);
    assert_eq!(rollout.handle(Input::Connected, START), []);
    rollout
}

fn release(rollout: &mut Rollout, room: u32, now: Timestamp) -> Vec<u32> {
    let member = |effect: &Effect| match effect {
        Effect::Release { member } => *member,
        Effect::Cancel { member } => panic!("{member} is cancelled"),
    };
    rollout.handle(Input::Room(room), now).iter().map(member).collect()
}

fn end(rollout: &mut Rollout, members: impl IntoIterator<Item = u32>, state: State, now: Timestamp) {
    for member in members {
        rollout.handle(Input::Member { member, state }, now);
    }
}

#[test]
fn no_more_is_released_than_there_is_room_for() {
    let mut rollout = begin(plan(&[3, 7]));
    assert_eq!(release(&mut rollout, 2, START), [0, 1]);
    assert_eq!(release(&mut rollout, 5, START), [2], "the stage has three members");
    end(&mut rollout, 0..3, State::Succeeded, at(10));
    assert_eq!(release(&mut rollout, 4, at(10)), [3, 4, 5, 6]);
}

#[test]
fn nothing_is_released_before_it_is_approved_whatever_a_person_does() {
    let mut rollout = Rollout::unapproved(plan(&[2, 2]), START);
    rollout.handle(Input::Connected, START);
    for action in [Action::Pause, Action::Resume, Action::StartNextStage, Action::CloseStage] {
        assert_eq!(rollout.refuses(action), Some(Refusal::Unapproved), "{action:?}");
        assert_eq!(rollout.handle(Input::Act(action), at(1)), [], "{action:?}");
    }
    assert_eq!(release(&mut rollout, 4, at(2)), []);
    assert!(!rollout.wants_room(at(2)));
    // Also after a restart.
    let mut rollout = Rollout::restore(plan(&[2, 2]), rollout.progress().clone(), vec![None; 4], None, at(3));
    rollout.handle(Input::Connected, at(3));
    assert_eq!(rollout.phase(at(3)), Phase::Waiting(WaitsFor::Approval));
    assert_eq!(release(&mut rollout, 4, at(3)), []);
    let mut stopped = rollout.clone();
    stopped.handle(Input::Act(Action::Stop), at(4));
    assert!(stopped.is_over() && stopped.progress().ended_at == Some(at(4)));
    stopped.handle(Input::Approved, at(5));
    assert_eq!(release(&mut stopped, 4, at(5)), [], "it was stopped");

    rollout.handle(Input::Approved, at(4));
    assert_eq!(release(&mut rollout, 4, at(4)), [0, 1]);
    // A second approval changes nothing.
    rollout.handle(Input::Act(Action::Pause), at(5));
    rollout.handle(Input::Approved, at(6));
    assert_eq!(rollout.progress().suspension, Some(Suspension::Paused));
}

#[test]
fn a_halt_comes_before_the_next_release_and_a_person_may_let_it_go_on() {
    let halt = Some(Halt { above: HaltLimit::Percent(25.0), after: 4, count_timeouts: true });
    let mut rollout = begin(Plan { halt, ..plan(&[20]) });
    release(&mut rollout, 6, START);
    end(&mut rollout, 0..2, State::Failed, at(1));
    assert_eq!(rollout.phase(at(1)), Phase::Running, "only two have ended");
    end(&mut rollout, [2], State::Succeeded, at(2));
    end(&mut rollout, [3], State::TimedOut, at(3));
    assert_eq!(rollout.phase(at(3)), Phase::Halted);
    assert_eq!(rollout.progress().suspension, Some(Suspension::Halted(HaltReason::Failures { failed: 3, ended: 4 })));
    assert_eq!(release(&mut rollout, 6, at(4)), []);
    assert_eq!(rollout.progress().ended_at, None, "two are on their way");
    end(&mut rollout, 4..6, State::Succeeded, at(5));
    assert_eq!(rollout.progress().ended_at, Some(at(5)));
    // What had failed before does not halt it again at once.
    rollout.handle(Input::Act(Action::Resume), at(6));
    assert_eq!((release(&mut rollout, 1, at(6)), rollout.progress().ended_at), (vec![6], None));
    end(&mut rollout, [6], State::Failed, at(7));
    assert_eq!(rollout.phase(at(7)), Phase::Running, "one has ended since");
}

#[test]
fn exactly_the_limit_does_not_halt_it_and_one_more_does() {
    let check = |percent: f64, ended: u32, allowed: u32| {
        let halt = Halt { above: HaltLimit::Percent(percent), after: 1, count_timeouts: true };
        assert!(!halt.is_exceeded(allowed, ended), "{allowed} of {ended} are {percent} %");
        assert!(halt.is_exceeded(allowed + 1, ended), "one more than {percent} % of {ended}");
    };
    check(0.0, 20, 0);
    check(5.0, 20, 1);
    check(0.57, 10_000, 57);
    check(0.29, 100_000, 290);
    check(100.0 / 3.0, 3, 1);
}

#[test]
fn cancelled_members_dilute_no_failures() {
    let halt = Some(Halt { above: HaltLimit::Percent(25.0), after: 4, count_timeouts: true });
    let mut rollout = begin(Plan { halt, ..plan(&[20]) });
    release(&mut rollout, 12, START);
    end(&mut rollout, 0..8, State::Cancelled, at(1));
    end(&mut rollout, 8..10, State::Failed, at(2));
    end(&mut rollout, [10], State::Succeeded, at(3));
    assert_eq!(rollout.phase(at(3)), Phase::Running, "only three have ended of themselves");
    end(&mut rollout, [11], State::Succeeded, at(4));
    assert_eq!(rollout.progress().suspension, Some(Suspension::Halted(HaltReason::Failures { failed: 2, ended: 4 })));
}

#[test]
fn a_late_answer_to_one_that_failed_before_hides_no_failure_after_it_was_resumed() {
    let halt = Some(Halt { above: HaltLimit::Members(1), after: 2, count_timeouts: true });
    let mut rollout = begin(Plan { halt, ..plan(&[20]) });
    release(&mut rollout, 2, START);
    end(&mut rollout, 0..2, State::TimedOut, at(1));
    assert_eq!(rollout.phase(at(1)), Phase::Halted);
    rollout.handle(Input::Act(Action::Resume), at(2));
    end(&mut rollout, 0..2, State::Succeeded, at(3));
    release(&mut rollout, 3, at(4));
    end(&mut rollout, [2], State::Failed, at(5));
    assert_eq!(rollout.phase(at(5)), Phase::Running, "one failed of itself is allowed");
    end(&mut rollout, [3], State::Failed, at(6));
    assert_eq!(rollout.progress().suspension, Some(Suspension::Halted(HaltReason::Failures { failed: 2, ended: 2 })));
}

#[test]
fn between_stages_it_waits_for_a_pause_a_person_or_a_gate() {
    let check = |plan: Plan, now: u64, expected: WaitsFor, then: &[(Input, u64)]| {
        let mut rollout = begin(plan);
        release(&mut rollout, 9, START);
        end(&mut rollout, 0..1, State::Succeeded, at(100));
        assert_eq!(rollout.phase(at(now)), Phase::Waiting(expected));
        assert_eq!(release(&mut rollout, 9, at(now)), []);
        for (input, now) in then {
            rollout.handle(input.clone(), at(*now));
        }
        let now = then.last().map_or(now, |(_, now)| *now);
        assert_eq!(release(&mut rollout, 9, at(now)), [1]);
    };
    let stages = plan(&[1, 1]);
    let pause = Plan { between: Between::Pause(Millis(1_000)), ..stages.clone() };
    check(pause.clone(), 1_099, WaitsFor::Pause { until: at(1_100) }, &[(Input::Tick, 1_100)]);
    check(pause, 200, WaitsFor::Pause { until: at(1_100) }, &[(Input::Act(Action::StartNextStage), 200)]);
    let ask = Plan { between: Between::Ask, ..stages.clone() };
    check(ask, 9_999, WaitsFor::Person, &[(Input::Act(Action::StartNextStage), 10_000)]);
    let gate = Plan { gate: Some(Millis(500)), ..stages };
    let within = || Input::Gate(GateReading::Within);
    check(gate.clone(), 200, WaitsFor::Gate { until: None }, &[(within(), 300), (Input::Tick, 800)]);
    let unknown = Input::Gate(GateReading::Unknown);
    let broken = [(within(), 300), (unknown, 700), (within(), 900), (within(), 1_400)];
    check(gate.clone(), 200, WaitsFor::Gate { until: None }, &broken);
    // Outside its limits it halts, and who lets it continue has seen why.
    let outside = Input::Gate(GateReading::Outside("It is too hot.".into()));
    check(gate, 200, WaitsFor::Gate { until: None }, &[(outside, 300), (Input::Act(Action::Resume), 400)]);
}

#[test]
fn nothing_is_released_outside_the_hours_nor_before_they_are_known() {
    let mut rollout = begin(Plan { hours: true, ..plan(&[5]) });
    assert!(rollout.hours_are_due(START));
    assert_eq!(release(&mut rollout, 1, START), []);
    rollout.handle(Input::Hours { open: true, until: at(1_000) }, START);
    assert_eq!((release(&mut rollout, 1, at(999)), release(&mut rollout, 1, at(1_000))), (vec![0], vec![]));
    assert!(rollout.hours_are_due(at(1_000)));
    rollout.handle(Input::Hours { open: false, until: at(5_000) }, at(1_000));
    assert_eq!(rollout.phase(at(1_000)), Phase::Waiting(WaitsFor::Hours { until: at(5_000) }));
    assert_eq!(rollout.next_deadline(at(1_000)), Some(at(5_000)));
}

#[test]
fn a_stage_that_waits_for_offline_devices_can_be_closed() {
    let mut rollout = begin(plan(&[3, 2]));
    release(&mut rollout, 9, START);
    assert!(rollout.refuses(Action::StartNextStage).is_some());
    end(&mut rollout, [0], State::Succeeded, at(1));
    end(&mut rollout, [1], State::Held, at(1));
    end(&mut rollout, [2], State::Running, at(1));
    rollout.handle(Input::Act(Action::CloseStage), at(2));
    assert_eq!(release(&mut rollout, 9, at(2)), [], "a device is at it");
    end(&mut rollout, [2], State::Succeeded, at(3));
    assert_eq!(release(&mut rollout, 9, at(3)), [3, 4]);
    end(&mut rollout, 3..5, State::Succeeded, at(4));
    assert_eq!((rollout.phase(at(4)), rollout.is_over()), (Phase::Running, false), "one is still held");
    end(&mut rollout, [1], State::Expired, at(5));
    assert_eq!((rollout.phase(at(5)), rollout.progress().ended_at), (Phase::Finished, Some(at(5))));
}

#[test]
fn a_rate_is_kept_evenly_and_over_a_restart() {
    let rate = std::num::NonZeroU32::new(10);
    let mut rollout = begin(Plan { rate, ..plan(&[30]) });
    let mut times = Vec::new();
    for now in 0..2_000 {
        times.extend(release(&mut rollout, 9, at(now)).iter().map(|_| now));
    }
    assert_eq!((times.len(), &times[..3]), (20, &[0, 100, 200][..]));
    assert_eq!(rollout.next_deadline(at(1_950)), Some(at(2_000)));
    let members = (0..30).map(|member| rollout.member(member)).collect();
    let plan = rollout.plan().clone();
    let mut again = Rollout::restore(plan, rollout.progress().clone(), members, Some(at(1_900)), at(1_950));
    again.handle(Input::Connected, at(1_950));
    assert_eq!((release(&mut again, 9, at(1_950)), release(&mut again, 9, at(2_001))), (vec![], vec![20]));
}

#[test]
fn stop_cancels_what_was_never_sent() {
    let mut rollout = begin(plan(&[5]));
    release(&mut rollout, 3, START);
    end(&mut rollout, [0], State::Held, at(1));
    end(&mut rollout, [1], State::AtBroker, at(1));
    let effects = rollout.handle(Input::Act(Action::Stop), at(2));
    assert_eq!(effects, [Effect::Cancel { member: 0 }, Effect::Cancel { member: 2 }]);
    end(&mut rollout, [0, 2], State::Cancelled, at(2));
    assert!(!rollout.is_over());
    end(&mut rollout, [1], State::Succeeded, at(3));
    assert_eq!((rollout.is_over(), rollout.progress().ended_at), (true, Some(at(3))));
    assert!(rollout.refuses(Action::Resume).is_some());
}

#[test]
fn a_broadcast_releases_everybody_at_once_and_never_again() {
    let mut rollout = begin(Plan { broadcast: true, ..plan(&[4]) });
    assert_eq!(release(&mut rollout, 0, START), []);
    assert_eq!(release(&mut rollout, 1, START), [0, 1, 2, 3]);
    end(&mut rollout, 0..2, State::Succeeded, at(1));
    end(&mut rollout, 2..4, State::TimedOut, at(2));
    assert_eq!((rollout.phase(at(2)), release(&mut rollout, 9, at(2))), (Phase::Finished, vec![]));
    // However it came to be that only some are known to be out, there is no second publish.
    let members = vec![Some(State::Succeeded), None, None, None];
    let plan = Plan { broadcast: true, ..plan(&[4]) };
    let mut again = Rollout::restore(plan, rollout.progress().clone(), members, Some(START), at(3));
    again.handle(Input::Connected, at(3));
    assert_eq!(release(&mut again, 9, at(3)), []);
}

#[test]
fn a_clock_that_is_set_keeps_nobody_waiting_and_releases_nobody_early() {
    const HOUR: i64 = 3_600_000;
    let rate = std::num::NonZeroU32::new(1);
    let mut rollout = begin(Plan { rate, ..plan(&[9]) });
    assert_eq!(release(&mut rollout, 5, START), [0]);
    assert_eq!(release(&mut rollout, 5, at(999)), [] as [u32; 0]);
    // Set back by hours, it continues at once, and at its rate.
    let back = Timestamp(START.0 - 5 * HOUR);
    assert_eq!(release(&mut rollout, 5, back), [1]);
    assert_eq!(release(&mut rollout, 5, back + Millis(999)), [] as [u32; 0]);
    assert_eq!(release(&mut rollout, 5, back + Millis(1_000)), [2]);
    // Set forward by hours, it does not make up for them.
    let forward = Timestamp(START.0 + 5 * HOUR);
    assert_eq!(release(&mut rollout, 5, forward), [3]);
    assert_eq!(release(&mut rollout, 5, forward + Millis(999)), [] as [u32; 0]);
}

#[test]
fn a_pause_between_stages_counts_time_even_while_a_person_has_paused_the_rollout() {
    let between = Between::Pause(Millis(600_000));
    let mut rollout = begin(Plan { between, ..plan(&[1, 1]) });
    assert!(!rollout.counts_time(START));
    release(&mut rollout, 1, START);
    assert!(!rollout.counts_time(START), "its command has a timeout of its own");
    end(&mut rollout, [0], State::Succeeded, at(10));
    assert!(rollout.counts_time(at(10)));
    rollout.handle(Input::Act(Action::Pause), at(20));
    assert!(rollout.counts_time(at(20)) && rollout.next_deadline(at(20)).is_none());
    assert!(!rollout.counts_time(at(600_010)), "it has passed");
    rollout.handle(Input::Act(Action::Stop), at(30));
    assert!(!rollout.counts_time(at(30)));
}
