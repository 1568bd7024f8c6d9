//! Surveys the devices of a rollout before it starts: which are offline, already in the requested state or busy, and
//! which are left out for it.
//!
//! It reads a fleet in memory, each device once, and nothing else: a plan for 100,000 devices reads no store.

use std::{collections::BTreeMap, iter, sync::Arc};

use serde_json::{Map, Value};
use wilco_dialect::{Reported, json};
use wilco_ledger::{Command, DeviceId, Origin};

use crate::{
    api::{LeaveOut, Presence, grouped},
    fleet::{Device, Fleet},
    store::{CommandTemplate, NewMember},
};

/// The same unfinished command on this many devices counts as a rollout of another console.
const OVERLAP: u32 = 3;
/// Examples of each kind, at most.
const EXAMPLES: usize = 5;

/// The survey of a rollout's target.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) offline: Found,
    pub(crate) presence_unknown: u32,
    pub(crate) already: Found,
    pub(crate) busy_elsewhere: Found,
    pub(crate) busy_here: Found,
    /// Unfinished commands of other consoles: the command and its operator, and the number of devices.
    elsewhere: BTreeMap<(Arc<str>, Option<Arc<str>>), u32>,
    /// Those that are not left out, in the order of their release.
    pub(crate) members: Vec<NewMember>,
    /// The survey of each of these.
    pub(crate) usual: Vec<Usual>,
}

/// Devices of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) count: u32,
    /// The first of them by id, 5 at most.
    pub(crate) examples: Vec<String>,
}

/// The expected answer time of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    /// It is known to be offline.
    pub(crate) offline: bool,
    /// From sent to its first sign, the last time that this was measured, milliseconds.
    pub(crate) answer_ms: Option<f64>,
}

impl Survey {
    /// Surveys each of a target's devices, and applies the exclusions. `busy`: for each device the command that keeps
    /// it busy, if any.
    pub(crate) fn of(
        fleet: &Fleet,
        target: Vec<NewMember>,
        busy: Vec<Option<Command>>,
        template: &CommandTemplate,
        leave_out: LeaveOut,
    ) -> Survey {
        let asked = arguments(&template.args);
        let mut survey = Survey::default();
        survey.members.reserve(target.len());
        survey.usual.reserve(target.len());
        let busy = busy.into_iter().chain(iter::repeat_with(|| None));
        for (member, busy) in target.into_iter().zip(busy) {
            let Some(device) = fleet.get(&member.device) else {
                survey.presence_unknown += 1;
                survey.keep(member, Usual { offline: false, answer_ms: None });
                continue;
            };
            let offline = device.presence == Presence::Offline;
            let own = member.args.as_deref().map(arguments);
            let already = is_already(device, &template.name, own.as_ref().unwrap_or(&asked));
            if let Some(Command { asked, .. }) = busy.as_ref().filter(|busy| busy.origin == Origin::Observed) {
                *survey.elsewhere.entry((Arc::clone(&asked.name), asked.by.clone())).or_default() += 1;
            }
            let busy = busy.map(|busy| busy.origin);
            if offline {
                survey.offline.add(&device.id);
            }
            survey.presence_unknown += u32::from(device.presence == Presence::Unknown);
            if already {
                survey.already.add(&device.id);
            }
            match busy {
                Some(Origin::Observed) => survey.busy_elsewhere.add(&device.id),
                Some(Origin::Here) => survey.busy_here.add(&device.id),
                None => {}
            }
            let LeaveOut { offline: without_offline, already: without_already, busy: without_busy } = leave_out;
            if !(without_offline && offline || without_already && already || without_busy && busy.is_some()) {
                survey.keep(member, Usual { offline, answer_ms: device.trip_ms });
            }
        }
        survey
    }

    /// A rollout of another console to these devices, as a sentence: the same command to several of them.
    pub(crate) fn overlap(&self) -> Option<String> {
        let ((name, by), count) = self.elsewhere.iter().max_by_key(|(_, count)| **count)?;
        let by = by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        let devices = grouped(*count);
        (*count >= OVERLAP).then(|| {
            format!("Another console{by} is sending {name} to {devices} of these devices, which may be a rollout.")
        })
    }

    fn keep(&mut self, member: NewMember, usual: Usual) {
        self.members.push(member);
        self.usual.push(usual);
    }
}

impl Found {
    /// Counts a device.
    pub(crate) fn add(&mut self, device: &DeviceId) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(device.as_str().to_owned());
        }
    }
}

fn arguments(text: &str) -> Map<String, Value> {
    match json::approximate(text) {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    }
}

/// The device already reports the requested state.
fn is_already(device: &Device, command: &str, args: &Map<String, Value>) -> bool {
    let reported = || device.state.as_deref().map(Reported::of).unwrap_or_default();
    match command {
        "led" => device.led.is_some() && args.get("on").and_then(Value::as_bool) == device.led,
        "telemetry.set" => {
            let interval = args.get("interval_ms").and_then(Value::as_u64);
            interval.is_some() && interval == reported().telemetry_interval_ms
        }
        "config.set" => {
            let Some(changes) = args.get("changes").and_then(Value::as_object).filter(|changes| !changes.is_empty())
            else {
                return false;
            };
            let Reported { running, saved, .. } = reported();
            let has = |config: String| {
                let config = json::approximate(&config);
                changes.iter().all(|(key, value)| config.get(key).is_some_and(|has| is_same(has, value)))
            };
            match args.get("apply").and_then(Value::as_str) {
                // It changes the saved configuration only.
                Some("restart") => saved.is_some_and(has),
                // It changes both; a device may report no saved one.
                _ => running.is_some_and(&has) && saved.is_none_or(&has),
            }
        }
        _ => false,
    }
}

/// The same, whichever way its numbers are written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let whole = one.as_i128().zip(other.as_i128());
            whole.map_or_else(|| one.as_f64() == other.as_f64(), |(one, other)| one == other)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
