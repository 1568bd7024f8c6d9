//! One run of a plan: starts everything, applies the faults, removes them, waits for the end, and compares.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::json;
use wilco_engine::api::{CommandState, CommandView, Delivery, NewCommand, NewRollout, RolloutCommand, RolloutTarget};
use wilco_tests::{Broker, Child, Settings};

use crate::console::{Order, Told};
use crate::fleet::{self, Behaviour};
use crate::link::Link;
use crate::oracle::{self, Executions, FanOut, Finding, Wrong};
use crate::plan::{Act, Party, Plan, Way};
use crate::wiretap::Wire;

/// After everything is healed, so long at most until every command is finished.
const FINAL_WITHIN: Duration = Duration::from_secs(180);
/// So long at most until a started process is ready. The machine may be busy.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Nothing more is coming when nothing has come for so long.
const QUIET: Duration = Duration::from_millis(400);

/// The result of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) commands: usize,
    pub(crate) succeeded: usize,
    pub(crate) findings: Vec<Finding>,
    /// From the broker's return until the console had subscribed again, for each time.
    pub(crate) recoveries: Vec<Duration>,
}

/// Runs a plan in a directory, which is left there.
pub(crate) fn run(plan: &Plan, directory: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(error) = Run::start(plan, directory).and_then(|mut run| run.complete(&mut outcome)) {
        outcome.findings.push(Finding { wrong: Wrong::Broken, what: format!("{error:#}") });
    }
    outcome
}

struct Run<'a> {
    plan: &'a Plan,
    directory: PathBuf,
    broker: Broker,
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
}

struct Console {
    child: Child,
    orders: std::process::ChildStdin,
    told: Receiver<Told>,
}

impl<'a> Run<'a> {
    fn start(plan: &'a Plan, directory: &Path) -> Result<Run<'a>> {
        let more = "max_queued_messages 20000\nmax_inflight_messages 100";
        let broker = Broker::start(&Settings { persistent: plan.persistent, more, ..Settings::default() })?;
        let wire = Arc::new(Mutex::new(Wire::default()));
        let link = Link::start(broker.port(), Arc::clone(&wire))?;
        let fleet_link = Link::start(broker.port(), Arc::default())?;
        let mut run = Run {
            plan,
            directory: directory.to_owned(),
            broker,
            link,
            fleet_link,
            wire,
            fleet: None,
            console: None,
            connection: String::new(),
            fan_outs: Vec::new(),
            broker_up: Vec::new(),
        };
        run.start_fleet()?;
        run.fleet_is_up()?;
        run.start_console()?;
        run.until_told("connection that is online", |told| matches!(told, Told::Online).then_some(()))?;
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
        let is_final = self.wait_for_the_end()?;
        let (wire, asked, history) = self.last_history()?;
        outcome.commands = history.len();
        outcome.succeeded = history.iter().filter(|command| command.state == CommandState::Succeeded).count();
        // What the devices have done since then is no mistake of the history.
        let executions = Executions { asked: asked.asked, ..self.executions()? };
        outcome.recoveries = recoveries(&self.broker_up, &wire.subscribed);
        outcome.findings =
            oracle::judge(&history, &executions, &wire, &self.fan_outs, self.plan.devices, self.plan.safe);
        if !is_final && outcome.findings.iter().all(|finding| finding.wrong != Wrong::NeverFinal) {
            let what = "a rollout did not end".to_owned();
            outcome.findings.push(Finding { wrong: Wrong::NeverFinal, what });
        }
        if !outcome.findings.is_empty() {
            let mut file = File::create(self.directory.join("history.json"))?;
            for command in &history {
                writeln!(file, "{}", serde_json::to_string(command)?)?;
            }
            std::fs::write(self.directory.join("wire.txt"), format!("{wire:#?}"))?;
        }
        Ok(())
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
        }
    }

    fn kill(&mut self, party: Party) {
        match party {
            Party::Console => {
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
            Party::Broker => self.broker.kill(),
            Party::Fleet => self.fleet = None,
        }
    }

    fn revive(&mut self, party: Party) -> Result<()> {
        match party {
            Party::Console => self.start_console(),
            Party::Fleet => self.start_fleet(),
            Party::Broker => {
                self.broker.resume()?;
                self.broker_up.push(Instant::now());
                Ok(())
            }
        }
    }

    fn signal(&self, party: Party, signal: Signal) -> Result<()> {
        match (party, &self.console, &self.fleet) {
            (Party::Console, Some(console), _) => console.child.signal(signal),
            (Party::Fleet, _, Some(fleet)) => fleet.signal(signal),
            (Party::Broker, ..) if signal == Signal::STOP => self.broker.freeze(),
            (Party::Broker, ..) => self.broker.thaw(),
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
        self.fan_outs.push(FanOut { args: args.to_string(), accepted: None, refused: false, asker_is_gone: false });
        let (timeout_ms, ttl_ms, retries) = (Some(plan.timeout_ms), Some(plan.ttl_ms), plan.retries);
        let delivery = Some(Delivery::BrokerHolds);
        let connection = self.connection.clone();
        self.order(&match plan.way {
            Way::Send => {
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
            Way::Rollout => {
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
    fn until_told<T>(&mut self, what: &str, mut look: impl FnMut(Told) -> Option<T>) -> Result<T> {
        let console = self.console.as_mut().context("there is no console")?;
        let by = Instant::now() + READY_WITHIN;
        loop {
            let left = by.saturating_duration_since(Instant::now());
            let Ok(told) = console.told.recv_timeout(left) else {
                bail!("the console said nothing of a {what}: {}", console.child.log())
            };
            note(&mut self.fan_outs, &told);
            if let Told::Broken(why) = &told {
                bail!("the console does not work: {why}");
            }
            if let Some(found) = look(told) {
                return Ok(found);
            }
        }
    }

    /// Waits until nothing is open and every fan-out has been answered that can be.
    fn wait_for_the_end(&mut self) -> Result<bool> {
        let by = Instant::now() + FINAL_WITHIN;
        while Instant::now() < by {
            self.order(&Order::Open)?;
            let open = self.until_told("number of open commands", |told| match told {
                Told::Open(count) => Some(count),
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
        let by = Instant::now() + READY_WITHIN;
        loop {
            let progress = self.wait_for_quiet();
            let wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let asked = self.executions()?;
            let history = self.history()?;
            if self.progress() == progress || Instant::now() > by {
                return Ok((wire, asked, history));
            }
        }
    }

    fn executions(&self) -> Result<Executions> {
        Ok(Executions::read(&std::fs::read_to_string(self.fleet_log())?))
    }

    /// Waits until nothing has happened at the devices and on the wire for a while. Returns how far both were.
    fn wait_for_quiet(&self) -> (usize, usize, u64) {
        let (mut last, mut since) = (self.progress(), Instant::now());
        let by = since + READY_WITHIN;
        while since.elapsed() < QUIET && Instant::now() < by {
            thread::sleep(Duration::from_millis(50));
            let now = self.progress();
            if now != last {
                (last, since) = (now, Instant::now());
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
            Told::History(history) => Some(history),
            _ => None,
        })
    }

    fn start_console(&mut self) -> Result<()> {
        let data = self.directory.join("data");
        let mut command = Child::command(std::env::current_exe()?);
        command.arg("console").arg(&data).arg(self.link.port().to_string());
        command.arg(if self.plan.is_v5 { "5" } else { "4" }).stdin(Stdio::piped()).stdout(Stdio::piped());
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
            Told::Ready(connection) => Some(connection),
            _ => None,
        })?;
        Ok(())
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
            strays: plan.strays,
        };
        let mut command = Child::command(std::env::current_exe()?);
        command.arg("fleet").arg(self.fleet_log()).args(behaviour.arguments()).stdout(Stdio::null());
        self.fleet = Some(Child::start(&mut command, &self.directory.join("fleet-errors.log"))?);
        Ok(())
    }

    fn fleet_is_up(&self) -> Result<()> {
        let is_up = || std::fs::read_to_string(self.fleet_log()).is_ok_and(|log| log.contains("up\n")).then_some(());
        wilco_tests::soon("fleet that has subscribed", READY_WITHIN, is_up)
    }

    fn fleet_log(&self) -> PathBuf {
        self.directory.join("fleet.log")
    }
}

fn note(fan_outs: &mut [FanOut], told: &Told) {
    match told {
        Told::Sent(number, ids) => fan_outs[*number].accepted = Some(ids.clone()),
        Told::Refused(number, _) => fan_outs[*number].refused = true,
        _ => {}
    }
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
