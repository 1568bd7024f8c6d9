//! The plan of one run: everything that a scenario and a seed decide.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// Milliseconds.
const HOUR: i64 = 3_600_000;

/// The fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// Two fan-outs close together, with answers that belong to no command between them.
    Pairs,
    /// The console is killed.
    Console,
    /// The broker is killed.
    Broker,
    /// The devices are killed.
    Fleet,
    /// Console, broker or devices are stopped for a while (SIGSTOP) and continue.
    Pause,
    /// The network is cut, half closed, silent or slow.
    Network,
    /// The console's disk is slow or full.
    Disk,
    /// The computer's clock is set, and the computer sleeps.
    Clock,
    /// All of it.
    Everything,
    /// The broker is killed with 10,000 commands outstanding. Once in a report, and not for each seed.
    Recovery,
}

/// The three that can be killed or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Participant {
    Console,
    Broker,
    Fleet,
}

/// The network fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Every TCP connection is closed.
    Cut,
    /// One side ends, and the other one may still send: the broker's (`true`), or that of the console or the devices.
    HalfClose(bool),
    /// Nothing arrives for so long; afterwards all of it does.
    Silence(u64),
    /// Nothing arrives for so long; then the connections are closed, and what was on the way is lost.
    SilenceAndCut(u64),
    /// Everything takes so much longer, for a while.
    Delay(u64),
}

/// The disk fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// There is no room for so long.
    Full(u64),
    /// Each sync takes so much longer, until the end.
    Slow(u64),
}

/// The broker of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Mosquitto,
    /// The one that is built into the app.
    Demo,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// A fan-out is sent: the first or the second.
    Send(usize),
    /// Some commands of the first fan-out are cancelled.
    Cancel,
    /// Killed, and started again after so many milliseconds.
    Kill(Participant, u64),
    /// Stopped for so many milliseconds.
    Pause(Participant, u64),
    /// The network between the broker and the console (`true`) or the devices.
    Network(bool, Network),
    /// The disk of the console.
    Disk(Disk),
    /// The console's wall clock is set by so many milliseconds.
    SetClock(i64),
    /// The console's computer sleeps: nothing runs on it for so many milliseconds, in which its clocks advance by so many
    /// more.
    Sleep(u64, i64),
}

/// How a fan-out is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendMode {
    /// Each device gets a command of its own at once.
    Send,
    /// As a rollout.
    Rollout,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) devices: usize,
    /// The devices remember ids, and do nothing twice.
    pub(crate) deduplicates: bool,
    /// The command may be repeated: `led`, and not `restart`.
    pub(crate) safe: bool,
    /// Resends that a person allows; they allow none of a command that must not be repeated.
    pub(crate) retries: Option<u32>,
    pub(crate) ttl_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) way: SendMode,
    /// MQTT 5; 3.1.1 otherwise.
    pub(crate) is_v5: bool,
    pub(crate) server: Server,
    /// Mosquitto keeps sessions and messages when it is killed.
    pub(crate) persistent: bool,
    /// How long a device works, in milliseconds, at most.
    pub(crate) work_ms: u64,
    /// How many of a hundred commands fail at the device.
    pub(crate) failing: u64,
    /// How many of a hundred requests lead to an answer that belongs to no command.
    pub(crate) unmatched: u64,
    /// The actions, with their times in milliseconds after the start.
    pub(crate) acts: Vec<(u64, Act)>,
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 10] = [
        Scenario::Pairs,
        Scenario::Console,
        Scenario::Broker,
        Scenario::Fleet,
        Scenario::Pause,
        Scenario::Network,
        Scenario::Disk,
        Scenario::Clock,
        Scenario::Everything,
        Scenario::Recovery,
    ];

    /// Those that every seed has a run of.
    pub(crate) fn of_each_seed() -> impl Iterator<Item = Scenario> {
        Scenario::ALL.into_iter().filter(|scenario| *scenario != Scenario::Recovery)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Pairs => "pairs",
            Scenario::Console => "console",
            Scenario::Broker => "broker",
            Scenario::Fleet => "fleet",
            Scenario::Pause => "pause",
            Scenario::Network => "network",
            Scenario::Disk => "disk",
            Scenario::Clock => "clock",
            Scenario::Everything => "everything",
            Scenario::Recovery => "recovery",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Scenario::Pairs => "two fan-outs close together; answers that belong to no command",
            Scenario::Console => "`kill -9` of the console",
            Scenario::Broker => "`kill -9` of the broker, with and without persistence",
            Scenario::Fleet => "`kill -9` of the devices",
            Scenario::Pause => "console, broker or devices stopped (SIGSTOP) for up to 3 s",
            Scenario::Network => "connections cut, half closed, silent or slow",
            Scenario::Disk => "the console's disk full for up to 1.5 s, or each sync up to 300 ms slower",
            Scenario::Clock => "the console's clock set by up to a day; its computer asleep for up to an hour",
            Scenario::Everything => "all of these in one run",
            Scenario::Recovery => "`kill -9` of the broker with 10,000 commands outstanding",
        }
    }
}

impl Plan {
    pub(crate) fn new(scenario: Scenario, seed: u64) -> Plan {
        let mut random = Random::new(seed ^ (scenario as u64) << 32);
        if scenario == Scenario::Recovery {
            return Plan::recovery(seed, &mut random);
        }
        let devices = random.pick(&[300, 300, 400, 500, 700, 1_000]);
        let (ttl_ms, timeout_ms) = random.pick(&[(500, 800), (2_000, 1_500), (4_000, 2_500), (8_000, 5_000)]);
        let safe = random.happens(50);
        let retries = random.within(0, 3);
        let mut plan = Plan {
            seed,
            devices,
            deduplicates: random.happens(50),
            safe,
            retries: u32::try_from(retries).ok().filter(|_| safe && retries > 0),
            ttl_ms,
            timeout_ms,
            way: random.pick(&[SendMode::Send, SendMode::Send, SendMode::Rollout]),
            is_v5: random.happens(70),
            server: if random.happens(25) { Server::Demo } else { Server::Mosquitto },
            persistent: random.happens(50),
            work_ms: random.pick(&[0, 0, 20, 200, 900]),
            failing: random.pick(&[0, 0, 10]),
            unmatched: if scenario == Scenario::Pairs { 30 } else { random.pick(&[0, 5]) },
            acts: vec![(0, Act::Send(0))],
        };
        let mut second = random.soon(600);
        if scenario == Scenario::Pairs || random.happens(70) {
            plan.acts.push((second, Act::Send(1)));
        } else {
            second = 0;
        }
        if random.happens(25) {
            plan.acts.push((second + random.soon(300), Act::Cancel));
        }
        for _ in 0..faults(scenario, &mut random) {
            let at = second * random.within(0, 1) + random.soon(900);
            plan.acts.push((at, fault(scenario, &mut random)));
        }
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    /// A fan-out to 10,000 devices, none of which has received its request when the broker is killed.
    fn recovery(seed: u64, random: &mut Random) -> Plan {
        Plan {
            seed,
            devices: 10_000,
            deduplicates: true,
            safe: true,
            retries: Some(3),
            ttl_ms: 600_000,
            timeout_ms: 10_000,
            way: SendMode::Send,
            is_v5: true,
            server: Server::Mosquitto,
            persistent: random.happens(50),
            work_ms: 200,
            failing: 0,
            unmatched: 0,
            acts: vec![
                // What goes to the devices takes longer than the broker lives.
                (0, Act::Network(false, Network::Delay(1_500))),
                (0, Act::Send(0)),
                (700, Act::Kill(Participant::Broker, 1_000)),
            ],
        }
    }

    /// A person cancels some of the commands.
    pub(crate) fn cancels(&self) -> bool {
        self.acts.iter().any(|(_, act)| *act == Act::Cancel)
    }

    /// The disk is full for some time, so that a fan-out may be refused.
    pub(crate) fn fills_disk(&self) -> bool {
        self.acts.iter().any(|(_, act)| matches!(act, Act::Disk(Disk::Full(_))))
    }
}

fn faults(scenario: Scenario, random: &mut Random) -> u64 {
    match scenario {
        Scenario::Pairs | Scenario::Recovery => 0,
        Scenario::Everything => random.within(2, 5),
        _ => random.within(1, 3),
    }
}

fn fault(scenario: Scenario, random: &mut Random) -> Act {
    let down = random.soon(1_500);
    match scenario {
        Scenario::Pairs | Scenario::Console => Act::Kill(Participant::Console, down),
        Scenario::Broker | Scenario::Recovery => Act::Kill(Participant::Broker, down),
        Scenario::Fleet => Act::Kill(Participant::Fleet, down),
        Scenario::Pause => {
            Act::Pause(random.pick(&[Participant::Console, Participant::Broker, Participant::Fleet]), down * 2)
        }
        Scenario::Network => {
            let length = random.soon(3_000);
            let is_brokers = random.happens(50);
            let kind = random.pick(&[
                Network::Cut,
                Network::HalfClose(is_brokers),
                Network::Silence(length),
                Network::SilenceAndCut(length),
                Network::Delay(length / 10),
            ]);
            Act::Network(random.happens(75), kind)
        }
        Scenario::Disk => {
            let slower = random.within(5, 300);
            Act::Disk(random.pick(&[Disk::Full(down), Disk::Full(down), Disk::Slow(slower)]))
        }
        Scenario::Clock => {
            let step = random.pick(&[2_500, 60_000, HOUR, 24 * HOUR]);
            let (back, forward, asleep) =
                (Act::SetClock(-step), Act::SetClock(step), random.pick(&[6_000, 60_000, HOUR]));
            random.pick(&[back, forward, Act::Sleep(down, asleep), Act::Sleep(down, asleep)])
        }
        Scenario::Everything => {
            let one = random.pick(&[
                Scenario::Console,
                Scenario::Broker,
                Scenario::Fleet,
                Scenario::Pause,
                Scenario::Network,
                Scenario::Network,
                Scenario::Disk,
                Scenario::Clock,
            ]);
            fault(one, random)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Disk, Network, Participant, Plan, Scenario, SendMode, Server};

    /// The plans of the first 200 seeds.
    fn plans() -> Vec<Plan> {
        (1..=200).flat_map(|seed| Scenario::of_each_seed().map(move |scenario| Plan::new(scenario, seed))).collect()
    }

    #[test]
    fn two_hundred_seeds_have_every_kind_of_fan_out_and_every_fault() {
        let plans = plans();
        let check = |what: &str, is_so: &dyn Fn(&Plan) -> bool| {
            let count = plans.iter().filter(|plan| is_so(plan)).count();
            assert!(count > plans.len() / 100 && count < plans.len(), "{count} of {} plans: {what}", plans.len());
        };
        assert!(plans.iter().all(|plan| (300..=1_000).contains(&plan.devices)));
        check("1,000 devices", &|plan| plan.devices == 1_000);
        check("devices that deduplicate", &|plan| plan.deduplicates);
        check("a command that may be repeated", &|plan| plan.safe);
        check("a short time to live", &|plan| plan.ttl_ms == 500);
        check("a long time to live", &|plan| plan.ttl_ms == 8_000);
        check("a rollout", &|plan| plan.way == SendMode::Rollout);
        check("the broker inside the app", &|plan| plan.server == Server::Demo);
        check("two fan-outs", &|plan| plan.acts.iter().any(|(_, act)| *act == Act::Send(1)));
        check("answers that belong to no command", &|plan| plan.unmatched > 0);
        check("cancelled commands", &Plan::cancels);
        let has = |what: &str, is_it: &dyn Fn(&Act) -> bool| {
            check(what, &|plan| plan.acts.iter().any(|(_, act)| is_it(act)));
        };
        for party in [Participant::Console, Participant::Broker, Participant::Fleet] {
            has("killed", &|act| matches!(act, Act::Kill(of, _) if *of == party));
            has("stopped", &|act| matches!(act, Act::Pause(of, _) if *of == party));
        }
        has("a cut", &|act| matches!(act, Act::Network(_, Network::Cut)));
        has("one side closed", &|act| matches!(act, Act::Network(_, Network::HalfClose(true))));
        has("the other side closed", &|act| matches!(act, Act::Network(_, Network::HalfClose(false))));
        has("silence", &|act| matches!(act, Act::Network(_, Network::Silence(_))));
        has("silence and a cut", &|act| matches!(act, Act::Network(_, Network::SilenceAndCut(_))));
        has("a slow network", &|act| matches!(act, Act::Network(_, Network::Delay(_))));
        has("a full disk", &|act| matches!(act, Act::Disk(Disk::Full(_))));
        has("a slow disk", &|act| matches!(act, Act::Disk(Disk::Slow(_))));
        has("a clock that is set back", &|act| matches!(act, Act::SetClock(..0)));
        has("a clock that is set forward", &|act| matches!(act, Act::SetClock(1..)));
        has("a computer that sleeps", &|act| matches!(act, Act::Sleep(..)));
    }

    #[test]
    fn no_device_receives_a_request_before_the_broker_is_killed_with_10_000_commands_outstanding() {
        for seed in 1..=20 {
            let plan = Plan::new(Scenario::Recovery, seed);
            assert_eq!((plan.devices, plan.acts[1]), (10_000, (0, Act::Send(0))));
            let [(0, Act::Network(false, Network::Delay(later))), _, (killed, Act::Kill(Participant::Broker, _))] =
                plan.acts[..]
            else {
                panic!("{:?}", plan.acts)
            };
            assert!(later > killed);
        }
    }

    #[test]
    fn a_seed_has_one_plan() {
        for scenario in Scenario::ALL {
            assert_eq!(format!("{:?}", Plan::new(scenario, 7)), format!("{:?}", Plan::new(scenario, 7)));
            assert_eq!(Scenario::named(scenario.name()), Some(scenario));
        }
    }
}
