//! The plan of one run: everything that a scenario and a seed decide.

use crate::random::Random;

/// The fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// All of it.
    Everything,
}

/// The three that can be killed or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Console,
    Broker,
    Fleet,
}

/// The network fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Every TCP connection is closed.
    Cut,
    /// The broker's side ends; the other one may still send.
    HalfClose,
    /// Nothing arrives for so long; afterwards all of it does.
    Silence(u64),
    /// Nothing arrives for so long; then the connections are closed, and what was on the way is lost.
    SilenceAndCut(u64),
    /// Everything takes so much longer, for a while.
    Delay(u64),
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// A fan-out is sent: the first or the second.
    Send(usize),
    /// Some commands of the first fan-out are cancelled.
    Cancel,
    /// Killed, and started again after so many milliseconds.
    Kill(Party, u64),
    /// Stopped for so many milliseconds.
    Pause(Party, u64),
    /// The network between the broker and the console (`true`) or the devices.
    Network(bool, Network),
}

/// How a fan-out is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
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
    pub(crate) way: Way,
    /// MQTT 5; 3.1.1 otherwise.
    pub(crate) is_v5: bool,
    /// The broker keeps sessions and messages when it is killed.
    pub(crate) persistent: bool,
    /// How long a device works, in milliseconds, at most.
    pub(crate) work_ms: u64,
    /// How many of a hundred commands fail at the device.
    pub(crate) failing: u64,
    /// How many of a hundred requests lead to an answer that belongs to no command.
    pub(crate) strays: u64,
    /// The actions, with their times in milliseconds after the start.
    pub(crate) acts: Vec<(u64, Act)>,
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 7] = [
        Scenario::Pairs,
        Scenario::Console,
        Scenario::Broker,
        Scenario::Fleet,
        Scenario::Pause,
        Scenario::Network,
        Scenario::Everything,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Pairs => "pairs",
            Scenario::Console => "console",
            Scenario::Broker => "broker",
            Scenario::Fleet => "fleet",
            Scenario::Pause => "pause",
            Scenario::Network => "network",
            Scenario::Everything => "everything",
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
            Scenario::Everything => "all of these in one run",
        }
    }
}

impl Plan {
    pub(crate) fn new(scenario: Scenario, seed: u64) -> Plan {
        let mut random = Random::new(seed ^ (scenario as u64) << 32);
        let devices = random.pick(&[100, 100, 200, 300, 300, 500, 1_000]);
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
            way: random.pick(&[Way::Send, Way::Send, Way::Rollout]),
            is_v5: random.happens(70),
            persistent: random.happens(50),
            work_ms: random.pick(&[0, 0, 20, 200, 900]),
            failing: random.pick(&[0, 0, 10]),
            strays: if scenario == Scenario::Pairs { 30 } else { random.pick(&[0, 5]) },
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
}

fn faults(scenario: Scenario, random: &mut Random) -> u64 {
    match scenario {
        Scenario::Pairs => 0,
        Scenario::Everything => random.within(2, 5),
        _ => random.within(1, 3),
    }
}

fn fault(scenario: Scenario, random: &mut Random) -> Act {
    let down = random.soon(1_500);
    match scenario {
        Scenario::Pairs | Scenario::Console => Act::Kill(Party::Console, down),
        Scenario::Broker => Act::Kill(Party::Broker, down),
        Scenario::Fleet => Act::Kill(Party::Fleet, down),
        Scenario::Pause => Act::Pause(random.pick(&[Party::Console, Party::Broker, Party::Fleet]), down * 2),
        Scenario::Network => {
            let length = random.soon(3_000);
            let kind = random.pick(&[
                Network::Cut,
                Network::HalfClose,
                Network::Silence(length),
                Network::SilenceAndCut(length),
                Network::Delay(length / 10),
            ]);
            Act::Network(random.happens(75), kind)
        }
        Scenario::Everything => {
            let one = random.pick(&[
                Scenario::Console,
                Scenario::Broker,
                Scenario::Fleet,
                Scenario::Pause,
                Scenario::Network,
                Scenario::Network,
            ]);
            fault(one, random)
        }
    }
}
