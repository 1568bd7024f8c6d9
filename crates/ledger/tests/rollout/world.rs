//! The environment of a rollout: commands that progress, a disk, a clock, and a user. It keeps its own record, in the
//! simplest form.

use proptest::prelude::prop;
use wilco_ledger::{
    Millis, State, Timestamp,
    rollout::{Action, Effect, GateReading, HaltLimit, HaltReason, Input, Plan, Progress, Rollout, Suspension},
};

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Room(u32),
    Moves(prop::sample::Index, State),
    Act(Action),
    Wait(Millis),
    Connection(bool),
    Gate(u8),
    Hours(bool, Millis),
    Commit,
    Crash,
}

/// What is known of a member, by the world's own books.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member {
    state: State,
    released_at: Timestamp,
}

/// What a crash leaves.
#[derive(Debug, Clone)]
struct Disk {
    progress: Progress,
    members: Vec<Option<Member>>,
    well_since: Option<Timestamp>,
    before: Vec<bool>,
}

/// Whether a member says how well it goes.
fn is_judged(member: Member) -> bool {
    member.state.is_final() && member.state != State::Cancelled
}

pub(crate) struct World {
    plan: Plan,
    rollout: Rollout,
    now: Timestamp,
    members: Vec<Option<Member>>,
    connected: bool,
    /// Since when the gate's measurement has been well without a break, by the world's own books.
    well_since: Option<Timestamp>,
    /// The members that had ended when a person last let it continue after failures.
    before: Vec<bool>,
    disk: Disk,
}

impl World {
    pub(crate) fn new(plan: Plan) -> World {
        let now = Timestamp(1_000_000);
        let rollout = Rollout::new(plan.clone(), now);
        let members = vec![None; plan.members() as usize];
        let before = vec![false; members.len()];
        let disk = Disk {
            progress: rollout.progress().clone(),
            members: members.clone(),
            well_since: None,
            before: before.clone(),
        };
        World { plan, rollout, now, members, connected: false, well_since: None, before, disk }
    }

    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Room(room) => self.tell(Input::Room(room)),
            Step::Moves(index, state) => self.moves(index, state),
            Step::Act(action) => self.act(action),
            Step::Wait(length) => {
                self.now = self.now + length;
                self.tell(Input::Tick);
            }
            Step::Connection(connected) => {
                self.connected = connected;
                self.tell(if connected { Input::Connected } else { Input::Disconnected });
            }
            Step::Gate(reading) => self.gate(reading),
            Step::Hours(open, length) => self.tell(Input::Hours { open, until: self.now + length }),
            Step::Commit => {
                let progress = self.rollout.progress().clone();
                let (members, before) = (self.members.clone(), self.before.clone());
                self.disk = Disk { progress, members, well_since: self.well_since, before };
            }
            Step::Crash => self.crash(),
        }
        self.compare();
    }

    /// Lets everything finish: devices answer, a person lets it continue. It must not take forever.
    pub(crate) fn finish(&mut self) {
        for _ in 0..2_000 {
            if self.rollout.is_over() {
                assert!(self.rollout.progress().ended_at.is_some(), "finished, and without an end");
                return;
            }
            self.take(Step::Connection(true));
            self.take(Step::Hours(true, Millis::seconds(60)));
            self.take(Step::Gate(0));
            for action in [Action::Resume, Action::StartNextStage] {
                self.act(action);
            }
            self.take(Step::Room(100));
            for place in 0..self.members.len() {
                if self.members[place].is_some_and(|member| !member.state.is_final()) {
                    self.set(place, State::Succeeded);
                }
            }
            self.take(Step::Wait(Millis::seconds(6)));
        }
        panic!("it does not come to an end: {:?}", self.rollout);
    }

    fn gate(&mut self, reading: u8) {
        if self.rollout.watches_gate() {
            self.well_since = (reading == 0).then(|| self.well_since.unwrap_or(self.now));
        }
        self.tell(Input::Gate(match reading {
            0 => GateReading::Within,
            1 => GateReading::Unknown,
            _ => GateReading::Outside("It is too hot.".into()),
        }));
    }

    fn act(&mut self, action: Action) {
        let refused = self.rollout.refuses(action).is_some();
        if action == Action::Resume && !refused {
            // Nobody has looked meanwhile.
            self.well_since = self.well_since.map(|_| self.now);
            if matches!(self.rollout.progress().suspension, Some(Suspension::Halted(HaltReason::Failures { .. }))) {
                self.before = self.members.iter().map(|member| member.is_some_and(is_judged)).collect();
            }
        }
        let before = self.rollout.progress().clone();
        self.tell(Input::Act(action));
        if refused {
            let after = self.rollout.progress();
            assert_eq!((&before.suspension, before.stage), (&after.suspension, after.stage), "{action:?} was refused");
        }
    }

    /// A command moves: up, or from a time-out to what its device said after all.
    fn moves(&mut self, index: prop::sample::Index, state: State) {
        let released: Vec<_> = (0..self.members.len()).filter(|place| self.members[*place].is_some()).collect();
        if released.is_empty() {
            return;
        }
        let place = released[index.index(released.len())];
        let Some(member) = self.members[place] else { return };
        let late = member.state == State::TimedOut && state.is_from_device();
        if (!member.state.is_final() && state > member.state) || late {
            self.set(place, state);
        }
    }

    fn set(&mut self, place: usize, state: State) {
        if let Some(member) = &mut self.members[place] {
            member.state = state;
        }
        self.tell(Input::Member { member: u32::try_from(place).expect("few members"), state });
    }

    fn crash(&mut self) {
        let Disk { progress, members, well_since, before } = self.disk.clone();
        self.well_since = well_since;
        self.before = before;
        let states = members.iter().map(|member| member.map(|member| member.state)).collect();
        let last = members.iter().flatten().map(|member| member.released_at).max();
        self.members = members;
        self.connected = false;
        self.rollout = Rollout::restore(self.plan.clone(), progress, states, last, self.now);
        self.tell(Input::Tick);
    }

    fn tell(&mut self, input: Input) {
        let halted = self.must_halt();
        let suspended = self.rollout.progress().suspension.clone();
        let is_action = matches!(input, Input::Act(_));
        let stage = self.rollout.progress().stage;
        let effects = self.rollout.handle(input, self.now);
        if self.rollout.progress().stage > stage {
            let is_well = |length| self.well_since.is_some_and(|since| since + length <= self.now);
            assert!(is_action || self.plan.gate.is_none_or(is_well), "the next stage began before the gate was passed");
            self.well_since = None;
        }
        if self.plan.broadcast {
            let released = effects.iter().filter(|effect| matches!(effect, Effect::Release { .. })).count();
            assert!(released == 0 || released == self.members.len(), "{released} of a broadcast are released");
        }
        for effect in effects {
            match effect {
                Effect::Release { member } => {
                    assert!(!halted, "released although the rule says halt");
                    assert_eq!(suspended, None, "released although {suspended:?}");
                    assert!(self.connected, "released without a connection");
                    self.release(member);
                }
                Effect::Cancel { member } => {
                    assert!(is_action);
                    let state = self.members[member as usize].map(|member| member.state);
                    assert!(matches!(state, Some(State::Queued | State::Held)), "cancelled, but {state:?}");
                }
            }
        }
        if halted && !is_action {
            let suspension = &self.rollout.progress().suspension;
            assert!(
                matches!(suspension, Some(Suspension::Halted(_) | Suspension::Stopped)),
                "not halted: {suspension:?}"
            );
        }
    }

    fn release(&mut self, member: u32) {
        let place = member as usize;
        assert_eq!(self.members[place], None, "released twice");
        self.members[place] = Some(Member { state: State::Queued, released_at: self.now });
        let stage = self.rollout.stage_of(member);
        let first: u32 = self.plan.stages[..stage].iter().sum();
        for (other, known) in self.members[..first as usize].iter().enumerate() {
            let state = known.expect("an earlier stage has a member that is not released").state;
            let earlier = self.rollout.stage_of(u32::try_from(other).expect("few members"));
            let given_up = self.rollout.progress().stages[earlier].closed && state < State::Accepted;
            // A device of a closed stage may have spoken since the next one began.
            let spoke = self.rollout.progress().stages[earlier].closed;
            assert!(state.is_final() || given_up || spoke, "stage {earlier} is not done: {state:?}");
        }
        if let Some(limit) = self.plan.in_flight {
            let awaited = |(place, member): (usize, &Option<Member>)| {
                let stage = self.rollout.stage_of(u32::try_from(place).expect("few members"));
                let closed = self.rollout.progress().stages[stage].closed;
                member.is_some_and(|member| !(member.state.is_final() || closed && member.state < State::Accepted))
            };
            let in_flight = self.members.iter().enumerate().filter(|one| awaited(*one)).count();
            assert!(in_flight <= limit.get() as usize, "{in_flight} in flight, {limit} allowed");
        }
        if let Some(rate) = self.plan.rate {
            let of_late = |member: &&Member| self.now.since(member.released_at) < Millis(1_000);
            let released = self.members.iter().flatten().filter(of_late).count();
            assert!(released <= rate.get() as usize, "{released} within a second, {rate} allowed");
        }
    }

    /// What the halt rule says of what is known, by counting.
    fn must_halt(&self) -> bool {
        let Some(halt) = self.plan.halt else { return false };
        let progress = self.rollout.progress();
        if self.members.iter().all(Option::is_some) || matches!(progress.suspension, Some(Suspension::Stopped)) {
            return false;
        }
        // Those that end after a person has let it continue, whatever is said of the others meanwhile.
        let since =
            || self.members.iter().zip(&self.before).filter(|(_, before)| !**before).filter_map(|(one, _)| *one);
        let has_failed = |member: &Member| match member.state {
            State::Failed | State::Rejected | State::Undeliverable => true,
            State::TimedOut | State::Expired => halt.count_timeouts,
            _ => false,
        };
        let count = |number: usize| u32::try_from(number).expect("few members");
        let ended = count(since().filter(|member| is_judged(*member)).count());
        let failed = count(since().filter(has_failed).count());
        let exceeded = match halt.above {
            HaltLimit::Members(limit) => failed > limit,
            HaltLimit::Percent(percent) => f64::from(failed) > percent / 100.0 * f64::from(ended) + 1e-9,
        };
        ended >= halt.after && exceeded
    }

    /// The books agree.
    fn compare(&self) {
        let states: Vec<_> = self.members.iter().map(|member| member.map(|member| member.state)).collect();
        for (place, state) in (0..).zip(&states) {
            assert_eq!(self.rollout.member(place), *state, "member {place}");
        }
        let counts = self.rollout.counts();
        assert_eq!(counts.all() as usize, states.len());
        assert_eq!(counts.pending() as usize, states.iter().filter(|state| state.is_none()).count());
        for state in State::ALL {
            assert_eq!(counts.in_state(state) as usize, states.iter().filter(|known| **known == Some(state)).count());
        }
        if let Some(Suspension::Halted(HaltReason::Failures { failed, ended })) = &self.rollout.progress().suspension {
            assert!(self.plan.halt.is_some_and(|halt| halt.is_exceeded(*failed, *ended)));
        }
    }
}
