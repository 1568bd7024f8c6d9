//! One run of a plan: starts everything, applies the faults, removes them, waits for the end, and compares. At the end
//! the console is killed and started once more, and says the same as before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wilco_engine::api::{CommandState, CommandView, Delivery, NewCommand, NewRollout, RolloutCommand, RolloutTarget};
use wilco_tests::Child;

use crate::console::{ConsoleReply, EndedRollout, KeptUnmatched, Moved, Order};
use crate::fleet::{self, Behaviour};
use crate::link::Link;
use crate::load::Load;
use crate::oracle::{self, Evidence, Executions, FanOut, Finding, Wrong};
use crate::plan::{Act, Disk, Participant, Plan, SendMode};
use crate::server::Server;
use crate::wiretap::Wire;

/// After everything is healed, so long at most until every command is finished. These three are measured by [`Load::time`].
const FINAL_WITHIN: Duration = Duration::from_secs(180);
/// So long at most until a started process is ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Nothing more is coming when nothing has come for so long.
const QUIET: Duration = Duration::from_millis(400);
/// How often it is looked at whether a reply has come.
const LOOK: Duration = Duration::from_millis(200);
/// How often a restart at the end is tried while something still happens.
const RESTARTS: usize = 5;

/// The result of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The commands by the state in which they ended.
    pub(crate) states: BTreeMap<CommandState, usize>,
    /// Commands that a device carried out twice because the broker delivered their request again.
    pub(crate) delivered_again: usize,
    pub(crate) findings: Vec<Finding>,
    /// From the broker's return until the console had subscribed again, for each time.
    pub(crate) recoveries: Vec<Duration>,
    /// What was outstanding when the broker was killed last, and from its return until every command had finished.
    pub(crate) finished: Option<(usize, Duration)>,
}

/// Runs a plan in a directory, which is left there.
pub(crate) fn run(plan: &Plan, directory: &Path, load: &Load) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(error) = Run::start(plan, directory, load).and_then(|mut run| run.complete(&mut outcome)) {
        outcome.findings.push(Finding { wrong: Wrong::Broken, what: format!("{error:#}") });
    }
    outcome
}

struct Run<'a> {
    plan: &'a Plan,
    load: &'a Load,
    directory: PathBuf,
    server: Server,
    /// Between console and broker.
    link: Link,
    /// Between devices and broker.
    fleet_link: Link,
    wire: Arc<Mutex<Wire>>,
    fleet: Option<Child>,
    console: Option<Console>,
    connection: String,
    fan_outs: Vec<FanOut>,
    /// When the broker was back after each kill.
    broker_up: Vec<Instant>,
    /// Commands without an end when the broker was killed last.
    outstanding: usize,
    /// How far the console's clocks are moved.
    moved: Moved,
    /// How much longer each sync of the console takes, milliseconds.
    slower_ms: u64,
}

struct Console {
    child: Child,
    orders: std::process::ChildStdin,
    told: Receiver<ConsoleReply>,
}

impl<'a> Run<'a> {
    fn start(plan: &'a Plan, directory: &Path, load: &'a Load) -> Result<Run<'a>> {
        let server = Server::start(plan, directory)?;
        let wire = Arc::new(Mutex::new(Wire::default()));
        let link = Link::start(server.port(), Arc::clone(&wire))?;
        let fleet_link = Link::start(server.port(), Arc::default())?;
        let mut run = Run {
            plan,
            load,
            directory: directory.to_owned(),
            server,
            link,
            fleet_link,
            wire,
            fleet: None,
            console: None,
            connection: String::new(),
            fan_outs: Vec::new(),
            broker_up: Vec::new(),
            outstanding: 0,
            moved: Moved::default(),
            slower_ms: 0,
        };
        run.start_fleet()?;
        run.fleet_is_up()?;
        run.start_console()?;
        run.until_told("connection that is online", |told| matches!(told, ConsoleReply::Online).then_some(()))?;
        Ok(run)
    }

    fn complete(&mut self, outcome: &mut Outcome) -> Result<()> {
        let began = Instant::now();
        for (at, act) in &self.plan.acts {
            thread::sleep((began + Duration::from_millis(*at)).saturating_duration_since(Instant::now()));
            self.act(*act)?;
        }
        self.link.heal();
        self.fleet_link.heal();
        self.slow_disk(0)?;
        let mut is_final = self.wait_for_the_end()?;
        if let Some(up) = self.broker_up.last() {
            outcome.finished = Some((self.outstanding, up.elapsed()));
        }
        if self.send_again()? {
            is_final &= self.wait_for_the_end()?;
        }
        let (wire, asked, history) = self.last_history()?;
        for command in &history {
            *outcome.states.entry(command.state).or_default() += 1;
        }
        // What the devices have done since then is no mistake of the history.
        let executions = Executions { asked: asked.asked, ..self.executions()? };
        let unmatched = self.unmatched(oracle::devices_with_strays(&history, &wire))?;
        let (damage, rollouts) = self.check()?;
        outcome.recoveries = recoveries(&self.broker_up, &wire.subscribed);
        outcome.delivered_again = oracle::delivered_again(&executions, &wire);
        outcome.findings = oracle::judge(&Evidence {
            plan: self.plan,
            fan_outs: &self.fan_outs,
            history: &history,
            rollouts: &rollouts,
            unmatched: &unmatched,
            executions: &executions,
            wire: &wire,
        });
        outcome.findings.extend(damage.into_iter().map(|what| Finding { wrong: Wrong::Lost, what }));
        if !is_final && outcome.findings.iter().all(|finding| finding.wrong != Wrong::NeverFinal) {
            let what = "a rollout did not end".to_owned();
            outcome.findings.push(Finding { wrong: Wrong::NeverFinal, what });
        }
        outcome.findings.extend(self.changed_by_a_restart()?);
        if !outcome.findings.is_empty() {
            let mut file = File::create(self.directory.join("history.json"))?;
            for command in &history {
                writeln!(file, "{}", serde_json::to_string(command)?)?;
            }
            std::fs::write(self.directory.join("wire.txt"), format!("{wire:#?}"))?;
        }
        Ok(())
    }

    /// Sends once more what was refused, or died with the console, as a person would: a run in which nothing was sent would
    /// prove nothing. Says whether there was anything to send.
    fn send_again(&mut self) -> Result<bool> {
        let history = self.history()?;
        let is_unknown = |fan_out: &FanOut| {
            fan_out.accepted.is_none() && history.iter().all(|command| command.args.as_str() != fan_out.args)
        };
        let unknown: Vec<usize> =
            (0..self.fan_outs.len()).filter(|number| is_unknown(&self.fan_outs[*number])).collect();
        for number in &unknown {
            self.send(*number)?;
        }
        Ok(!unknown.is_empty())
    }

    /// How the history differs once the console was killed and started again. What still happens meanwhile is no difference,
    /// so it is compared when nothing does.
    fn changed_by_a_restart(&mut self) -> Result<Option<Finding>> {
        for _ in 0..RESTARTS {
            let progress = self.wait_for_quiet();
            let before = self.history()?;
            self.kill(Participant::Console);
            self.start_console()?;
            let after = self.history()?;
            if self.progress() == progress {
                return Ok(difference(&before, &after));
            }
        }
        Ok(None)
    }

    fn act(&mut self, act: Act) -> Result<()> {
        match act {
            Act::Send(number) => self.send(number),
            Act::Cancel => self.order(&Order::Cancel),
            Act::Kill(party, down) => {
                self.kill(party);
                thread::sleep(Duration::from_millis(down));
                self.revive(party)
            }
            Act::Pause(party, length) => {
                self.signal(party, Signal::STOP)?;
                thread::sleep(Duration::from_millis(length));
                self.signal(party, Signal::CONT)
            }
            Act::Network(is_console, network) => {
                let link = if is_console { &self.link } else { &self.fleet_link };
                link.suffer(network);
                Ok(())
            }
            Act::Disk(Disk::Full(length)) => {
                self.order(&Order::Disk { full: true, slower_ms: self.slower_ms })?;
                thread::sleep(Duration::from_millis(length));
                self.order(&Order::Disk { full: false, slower_ms: self.slower_ms })
            }
            Act::Disk(Disk::Slow(slower_ms)) => self.slow_disk(slower_ms),
            Act::SetClock(by) => {
                self.moved.wall += by;
                self.order(&Order::Clock(self.moved))
            }
            Act::Sleep(length, asleep) => {
                self.signal(Participant::Console, Signal::STOP)?;
                thread::sleep(Duration::from_millis(length));
                self.moved.asleep += asleep;
                // It is read as soon as the console continues.
                self.order(&Order::Clock(self.moved))?;
                self.signal(Participant::Console, Signal::CONT)
            }
        }
    }

    fn slow_disk(&mut self, slower_ms: u64) -> Result<()> {
        self.slower_ms = slower_ms;
        self.order(&Order::Disk { full: false, slower_ms })
    }

    fn kill(&mut self, party: Participant) {
        match party {
            Participant::Console => {
                // What it had said before may still be read.
                if let Some(mut console) = self.console.take() {
                    console.child.kill();
                    while let Ok(told) = console.told.recv() {
                        note(&mut self.fan_outs, &told);
                    }
                    // Nobody will say any more what became of the others.
                    self.fan_outs.iter_mut().for_each(|fan_out| fan_out.asker_is_gone = true);
                }
            }
            Participant::Broker => {
                self.server.kill();
                let ended = self.wire.lock().unwrap_or_else(PoisonError::into_inner).ends();
                self.outstanding = (self.plan.devices * self.fan_outs.len()).saturating_sub(ended);
            }
            Participant::Fleet => self.fleet = None,
        }
    }

    fn revive(&mut self, party: Participant) -> Result<()> {
        match party {
            Participant::Console => self.start_console(),
            Participant::Fleet => self.start_fleet(),
            Participant::Broker => {
                self.server.resume()?;
                self.broker_up.push(Instant::now());
                Ok(())
            }
        }
    }

    fn signal(&self, party: Participant, signal: Signal) -> Result<()> {
        match (party, &self.console, &self.fleet) {
            (Participant::Console, Some(console), _) => console.child.signal(signal),
            (Participant::Fleet, _, Some(fleet)) => fleet.signal(signal),
            (Participant::Broker, ..) => self.server.signal(signal),
            _ => Ok(()),
        }
    }

    fn send(&mut self, number: usize) -> Result<()> {
        let plan = self.plan;
        let devices: Vec<String> = (0..plan.devices).map(fleet::device).collect();
        let (command, args) = match plan.safe {
            true => ("led", json!({"on": number == 0})),
            false => ("restart", json!({"delay_ms": number})),
        };
        let fan_out = FanOut { args: args.to_string(), accepted: None, refused: None, asker_is_gone: false };
        match self.fan_outs.get_mut(number) {
            Some(before) => *before = fan_out,
            None => self.fan_outs.push(fan_out),
        }
        let (timeout_ms, ttl_ms, retries) = (Some(plan.timeout_ms), Some(plan.ttl_ms), plan.retries);
        let delivery = Some(Delivery::BrokerHolds);
        let connection = self.connection.clone();
        self.order(&match plan.way {
            SendMode::Send => {
                let new = NewCommand {
                    connection,
                    devices,
                    command: command.to_owned(),
                    args: args.into(),
                    timeout_ms,
                    ttl_ms,
                    retries,
                    delivery,
                    no_answer: false,
                    ..NewCommand::default()
                };
                Order::Send(number, Box::new(new))
            }
            SendMode::Rollout => {
                let (name, args) = (command.to_owned(), args.into());
                let command = RolloutCommand { name, args, timeout_ms, ttl_ms, retries, delivery, no_answer: false };
                let target = RolloutTarget::Devices { devices };
                Order::Roll(number, Box::new(NewRollout { connection, target, command, ..NewRollout::default() }))
            }
        })
    }

    fn order(&mut self, order: &Order) -> Result<()> {
        let console = self.console.as_mut().context("there is no console")?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        console.orders.write_all(&line).with_context(|| console.child.log())
    }

    /// Waits for something that the console says, and notes the rest.
    fn until_told<T>(&mut self, what: &str, mut look: impl FnMut(ConsoleReply) -> Option<T>) -> Result<T> {
        let console = self.console.as_mut().context("there is no console")?;
        let by = self.load.time() + READY_WITHIN;
        loop {
            let told = match console.told.recv_timeout(LOOK) {
                Ok(told) => told,
                Err(RecvTimeoutError::Timeout) if self.load.time() < by => continue,
                Err(_) => bail!("the console said nothing of a {what}: {}", console.child.log()),
            };
            note(&mut self.fan_outs, &told);
            if let ConsoleReply::Broken(why) = &told {
                bail!("the console does not work: {why}");
            }
            if let Some(found) = look(told) {
                return Ok(found);
            }
        }
    }

    /// Waits until nothing is open and every fan-out has been answered that can be.
    fn wait_for_the_end(&mut self) -> Result<bool> {
        let by = self.load.time() + FINAL_WITHIN;
        while self.load.time() < by {
            self.order(&Order::Open)?;
            let open = self.until_told("number of open commands", |told| match told {
                ConsoleReply::Open(count) => Some(count),
                _ => None,
            })?;
            if open == 0 && self.fan_outs.iter().all(FanOut::is_settled) {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(false)
    }

    /// The history once nothing happens any more: late answers may still come after the last command has ended. With it,
    /// what was on the wire and at the devices before it was read, all of which it must know.
    fn last_history(&mut self) -> Result<(Wire, Executions, Vec<CommandView>)> {
        let by = self.load.time() + READY_WITHIN;
        loop {
            let progress = self.wait_for_quiet();
            let wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let asked = self.executions()?;
            let history = self.history()?;
            if self.progress() == progress || self.load.time() > by {
                return Ok((wire, asked, history));
            }
        }
    }

    fn executions(&self) -> Result<Executions> {
        Ok(Executions::read(&std::fs::read_to_string(self.fleet_log())?))
    }

    /// Waits until nothing has happened at the devices and on the wire for a while. Returns how far both were.
    fn wait_for_quiet(&self) -> (usize, usize, u64) {
        let (mut last, mut since) = (self.progress(), self.load.time());
        let by = since + READY_WITHIN;
        while self.load.time() < (since + QUIET).min(by) {
            thread::sleep(Duration::from_millis(50));
            let now = self.progress();
            if now != last {
                (last, since) = (now, self.load.time());
            }
        }
        last
    }

    fn progress(&self) -> (usize, usize, u64) {
        let wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let log = std::fs::metadata(self.fleet_log()).map_or(0, |data| data.len());
        (wire.acknowledged.len(), wire.published.len(), log)
    }

    fn history(&mut self) -> Result<Vec<CommandView>> {
        self.order(&Order::History)?;
        self.until_told("history", |told| match told {
            ConsoleReply::History(history) => Some(history),
            _ => None,
        })
    }

    fn unmatched(&mut self, devices: Vec<String>) -> Result<BTreeMap<String, KeptUnmatched>> {
        self.order(&Order::Unmatched(devices))?;
        self.until_told("list of answers without a command", |told| match told {
            ConsoleReply::Unmatched(unmatched) => Some(unmatched),
            _ => None,
        })
    }

    /// The problems of the stored history, and the rollouts.
    fn check(&mut self) -> Result<(Vec<String>, Vec<EndedRollout>)> {
        self.order(&Order::Check)?;
        self.until_told("check of the history", |told| match told {
            ConsoleReply::Checked(damage, rollouts) => Some((damage, rollouts)),
            _ => None,
        })
    }

    fn start_console(&mut self) -> Result<()> {
        let data = self.directory.join("data");
        let mut command = Child::command(std::env::current_exe()?);
        command.arg("console").arg(&data).arg(self.link.port().to_string());
        command.arg(if self.plan.is_v5 { "5" } else { "4" }).arg(serde_json::to_string(&self.moved)?);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Child::start(&mut command, &self.directory.join("console.log"))?;
        let orders = child.take_input().context("no input")?;
        let output = BufReader::new(child.take_output().context("no output")?);
        let (sender, told) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The last line of a killed process may be cut off.
                let Ok(told) = serde_json::from_str(&line) else { continue };
                if sender.send(told).is_err() {
                    break;
                }
            }
        });
        self.console = Some(Console { child, orders, told });
        self.connection = self.until_told("start", |told| match told {
            ConsoleReply::Ready(connection) => Some(connection),
            _ => None,
        })?;
        self.slow_disk(self.slower_ms)
    }

    fn start_fleet(&mut self) -> Result<()> {
        let plan = self.plan;
        let behaviour = Behaviour {
            port: self.fleet_link.port(),
            devices: plan.devices,
            seed: plan.seed,
            deduplicates: plan.deduplicates,
            work_ms: plan.work_ms,
            failing: plan.failing,
            unmatched: plan.unmatched,
        };
        let mut command = Child::command(std::env::current_exe()?);
        command.arg("fleet").arg(self.fleet_log()).args(behaviour.arguments()).stdout(Stdio::null());
        self.fleet = Some(Child::start(&mut command, &self.directory.join("fleet-errors.log"))?);
        Ok(())
    }

    fn fleet_is_up(&self) -> Result<()> {
        let by = self.load.time() + READY_WITHIN;
        while !std::fs::read_to_string(self.fleet_log()).is_ok_and(|log| log.contains("up\n")) {
            ensure!(self.load.time() < by, "the fleet has not subscribed");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn fleet_log(&self) -> PathBuf {
        self.directory.join("fleet.log")
    }
}

fn note(fan_outs: &mut [FanOut], told: &ConsoleReply) {
    match told {
        ConsoleReply::Sent(number, ids) => fan_outs[*number].accepted = Some(ids.clone()),
        ConsoleReply::Refused(number, why) => fan_outs[*number].refused = Some(why.clone()),
        _ => {}
    }
}

/// What a console says of its commands that it did not say before it was killed.
fn difference(before: &[CommandView], after: &[CommandView]) -> Option<Finding> {
    let key = |command: &CommandView| (command.device.clone(), command.id.clone());
    let of = |it: &CommandView| (it.state, it.attempts, it.late, it.conflict, it.contradicted);
    let known: BTreeMap<_, _> = after.iter().map(|command| (key(command), of(command))).collect();
    let different = before.iter().filter(|command| known.get(&key(command)) != Some(&of(command))).count();
    let is_same = different == 0 && after.len() == before.len();
    let (before, after) = (before.len(), after.len());
    let what = format!("{different} of {before} commands are different after a restart, which knows {after}");
    (!is_same).then_some(Finding { wrong: Wrong::Lost, what })
}

/// From each return of the broker until the next subscription, unless it was gone again by then.
fn recoveries(up: &[Instant], subscribed: &[Instant]) -> Vec<Duration> {
    let back = |number: usize| {
        let at = up[number];
        let first = subscribed.iter().filter(|subscribed| **subscribed > at).min()?;
        let is_in_time = up.get(number + 1).is_none_or(|next| first < next);
        is_in_time.then(|| first.duration_since(at))
    };
    (0..up.len()).filter_map(back).collect()
}
