//! The devices: hundreds of them over one MQTT connection, in a process of its own, which logs every execution before
//! it answers.
//!
//! The log is also the devices' memory: after a `kill -9` they read from it what they have done and not yet answered.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wilco_tests::packets::{self, Packet, Publish, packet};

use crate::random::Random;

/// How the devices behave: the arguments of the process, in this order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) port: u16,
    pub(crate) devices: usize,
    pub(crate) seed: u64,
    pub(crate) deduplicates: bool,
    pub(crate) work_ms: u64,
    pub(crate) failing: u64,
    pub(crate) unmatched: u64,
}

impl Behaviour {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let Behaviour { port, devices, seed, deduplicates, work_ms, failing, unmatched } = *self;
        [u64::from(port), devices as u64, seed, u64::from(deduplicates), work_ms, failing, unmatched]
            .map(|number| number.to_string())
            .to_vec()
    }

    fn read(arguments: &[String]) -> Result<Behaviour> {
        let numbers: Vec<u64> = arguments.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let [port, devices, seed, deduplicates, work_ms, failing, unmatched] = numbers[..] else {
            anyhow::bail!("seven numbers are needed")
        };
        Ok(Behaviour {
            port: u16::try_from(port)?,
            devices: usize::try_from(devices)?,
            seed,
            deduplicates: deduplicates == 1,
            work_ms,
            failing,
            unmatched,
        })
    }
}

/// The id of a device by its number.
pub(crate) fn device(number: usize) -> String {
    format!("unit-{number:04}")
}

/// Runs the devices until the process is killed: `log` and the numbers of a [`Behaviour`].
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let (log, numbers) = arguments.split_first().context("no log")?;
    let mut fleet = Fleet::new(Path::new(log), Behaviour::read(numbers)?)?;
    loop {
        // The broker or the network may be gone; both come back.
        let _ = fleet.serve();
        fleet.stream = None;
        thread::sleep(Duration::from_millis(50));
    }
}

/// A scheduled answer of a device.
enum Due {
    /// It has finished the work.
    Perform(String, String, String),
    Say(String, Vec<u8>),
}

struct Fleet {
    behaviour: Behaviour,
    log: File,
    random: Random,
    /// The result of each command, by ID: `succeeded` or `failed`.
    done: HashMap<String, &'static str>,
    /// The running commands.
    begun: HashSet<String>,
    /// Messages that the broker has not acknowledged, by packet id.
    unacknowledged: BTreeMap<u16, (String, Vec<u8>)>,
    due: BTreeMap<(Instant, u64), Due>,
    numbered: u64,
    next_packet: u16,
    stream: Option<TcpStream>,
}

impl Fleet {
    fn new(log: &Path, behaviour: Behaviour) -> Result<Fleet> {
        let before = std::fs::read_to_string(log).unwrap_or_default();
        let mut done = HashMap::new();
        let mut unsaid = BTreeMap::new();
        for line in before.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["done", device, id, _, outcome] => {
                    let outcome = if outcome == "failed" { "failed" } else { "succeeded" };
                    done.insert(id.to_owned(), outcome);
                    unsaid.insert(id.to_owned(), (device.to_owned(), outcome));
                }
                ["said", id] => drop(unsaid.remove(id)),
                _ => {}
            }
        }
        let mut fleet = Fleet {
            log: OpenOptions::new().create(true).append(true).open(log)?,
            random: Random::new(behaviour.seed ^ before.len() as u64),
            behaviour,
            done,
            begun: HashSet::new(),
            unacknowledged: BTreeMap::new(),
            due: BTreeMap::new(),
            numbered: 0,
            next_packet: 0,
            stream: None,
        };
        for (id, (device, outcome)) in unsaid {
            fleet.say_later(0, &device, answer(&id, outcome));
        }
        Ok(fleet)
    }

    fn serve(&mut self) -> Result<()> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.behaviour.port))?;
        stream.set_nodelay(true)?;
        let incoming = packets_of(stream.try_clone()?);
        self.stream = Some(stream);
        let name = b"\0\x04MQTT\x04\0\0\x3c\0\x05units";
        self.write(&packet(packets::CONNECT << 4, &[name]))?;
        loop {
            let wait = self
                .due
                .first_key_value()
                .map_or(Duration::from_secs(1), |((at, _), _)| at.saturating_duration_since(Instant::now()));
            match incoming.recv_timeout(wait) {
                Ok(packet) => self.hear(&packet)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the connection has ended"),
            }
            while let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= Instant::now()) {
                match first.remove() {
                    Due::Perform(device, id, command) => self.perform(&device, &id, &command)?,
                    Due::Say(topic, payload) => self.publish(topic, payload)?,
                }
            }
        }
    }

    fn hear(&mut self, packet: &Packet) -> Result<()> {
        match packet.kind() {
            packets::CONNACK => {
                let filter = "+/req";
                self.write(&packets::packet(packets::SUBSCRIBE << 4 | 2, &[&[0xff, 0xff], &text(filter), &[1]]))?;
                let again: Vec<_> = self
                    .unacknowledged
                    .iter()
                    .map(|(id, (topic, payload))| publish(0x3a, topic, Some(*id), payload))
                    .collect();
                self.write(&again.concat())
            }
            packets::SUBACK => {
                let mut all = Vec::new();
                for number in 0..self.behaviour.devices {
                    let topic = format!("{}/status", device(number));
                    all.extend(publish(0x31, &topic, None, br#"{"online":true,"boot":"1","firmware":"1.0"}"#));
                }
                self.write(&all)?;
                self.note("up")
            }
            packets::PUBLISH => {
                let message = Publish::read(packet, 4)?;
                self.asked(&message)?;
                let Some(id) = message.id else { return Ok(()) };
                self.write(&packets::packet(packets::PUBACK << 4, &[&id]))
            }
            packets::PUBACK => {
                let id = u16::from_be_bytes(packet.body.first_chunk().copied().unwrap_or_default());
                let Some((_, payload)) = self.unacknowledged.remove(&id) else { return Ok(()) };
                let said: Value = serde_json::from_slice(&payload)?;
                match (&said["status"], said["id"].as_str()) {
                    (Value::String(status), Some(id)) if status == "succeeded" || status == "failed" => {
                        self.note(&format!("said {id}"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn asked(&mut self, message: &Publish) -> Result<()> {
        let Some(device) = message.topic.strip_suffix("/req") else { return Ok(()) };
        let request: Value = serde_json::from_slice(&message.payload)?;
        let (Some(id), Some(command)) = (request["id"].as_str(), request["command"].as_str()) else { return Ok(()) };
        self.note(&format!("asked {device} {id} {command}"))?;
        if self.behaviour.deduplicates {
            if let Some(outcome) = self.done.get(id).copied() {
                self.say_later(0, device, answer(id, outcome));
                return Ok(());
            }
            if !self.begun.insert(id.to_owned()) {
                return Ok(());
            }
        }
        if self.random.happens(self.behaviour.unmatched) {
            // Of a command that nobody sent, or of another device's.
            let unexpected_device = format!("00000000-0000-4000-8000-{:012x}", self.random.next() & 0xffff_ffff_ffff);
            let (who, whose) = match self.random.happens(50) {
                true => (device.to_owned(), unexpected_device),
                false => (crate::fleet::device(self.behaviour.devices - 1), id.to_owned()),
            };
            if who != device || whose != id {
                let status = self.random.pick(&["succeeded", "failed", "rejected"]);
                self.say_later(self.random.clone().within(0, 50), &who, answer(&whose, status));
            }
        }
        let work = self.random.within(0, self.behaviour.work_ms);
        if work > 100 {
            self.say_later(0, device, answer(id, "accepted"));
        }
        self.later(work, Due::Perform(device.to_owned(), id.to_owned(), command.to_owned()));
        Ok(())
    }

    fn perform(&mut self, device: &str, id: &str, command: &str) -> Result<()> {
        self.begun.remove(id);
        let outcome = match self.done.get(id) {
            Some(outcome) => outcome,
            None if self.random.happens(self.behaviour.failing) => "failed",
            None => "succeeded",
        };
        // One write: it is there whole or not at all when the process is killed.
        self.note(&format!("done {device} {id} {command} {outcome}"))?;
        self.done.insert(id.to_owned(), outcome);
        self.publish(format!("{device}/resp"), answer(id, outcome))
    }

    fn publish(&mut self, topic: String, payload: Vec<u8>) -> Result<()> {
        loop {
            self.next_packet = self.next_packet % 0xfff0 + 1;
            if !self.unacknowledged.contains_key(&self.next_packet) {
                break;
            }
        }
        let bytes = publish(0x32, &topic, Some(self.next_packet), &payload);
        self.unacknowledged.insert(self.next_packet, (topic, payload));
        self.write(&bytes)
    }

    fn say_later(&mut self, after_ms: u64, device: &str, payload: Vec<u8>) {
        self.later(after_ms, Due::Say(format!("{device}/resp"), payload));
    }

    fn later(&mut self, after_ms: u64, due: Due) {
        self.numbered += 1;
        self.due.insert((Instant::now() + Duration::from_millis(after_ms), self.numbered), due);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.as_mut().context("not connected")?.write_all(bytes)?;
        Ok(())
    }

    fn note(&mut self, line: &str) -> Result<()> {
        self.log.write_all(format!("{line}\n").as_bytes())?;
        Ok(())
    }
}

fn answer(id: &str, status: &str) -> Vec<u8> {
    json!({"id": id, "status": status}).to_string().into_bytes()
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length, text.as_bytes()].concat()
}

fn publish(first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let id = id.map(u16::to_be_bytes);
    packet(first, &[&text(topic), id.as_ref().map_or(&[], |id| &id[..]), payload])
}

fn packets_of(stream: TcpStream) -> Receiver<Packet> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(packet)) = Packet::read(&mut stream) {
            if sender.send(packet).is_err() {
                break;
            }
        }
    });
    receiver
}
