//! Surveys the devices of a rollout before it starts: which are offline, already in the requested state or busy, and
//! which are left out for it.
//!
//! It reads a fleet in memory, each device once, and nothing else: a plan for 100,000 devices reads no store.

use std::{collections::BTreeMap, iter, sync::Arc};

use wilco_dialect::{StateReport, json};
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
/// Settings that a device has already and that are named, at most.
const SHOWN: usize = 4;

/// The survey of a rollout's target.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) offline: Found,
    pub(crate) presence_unknown: u32,
    /// Devices that are not listed, which may be mistyped.
    pub(crate) unlisted: Found,
    pub(crate) already: Found,
    pub(crate) busy_elsewhere: Found,
    pub(crate) busy_here: Found,
    /// Unfinished commands of other consoles: the command and its operator, and the number of devices.
    elsewhere: BTreeMap<(Arc<str>, Option<Arc<str>>), u32>,
    /// Those that are not left out, in the order of their release.
    pub(crate) members: Vec<NewMember>,
    /// The survey of each of these.
    pub(crate) usual: Vec<ExpectedAnswer>,
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
pub(crate) struct ExpectedAnswer {
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
        let requested = Requested::of(&template.name, &template.args);
        let mut survey = Survey::default();
        survey.members.reserve(target.len());
        survey.usual.reserve(target.len());
        let busy = busy.into_iter().chain(iter::repeat_with(|| None));
        for (member, busy) in target.into_iter().zip(busy) {
            let Some(device) = fleet.get(&member.device) else {
                survey.presence_unknown += 1;
                survey.unlisted.add(&member.device);
                survey.keep(member, ExpectedAnswer { offline: false, answer_ms: None });
                continue;
            };
            let offline = device.presence == Presence::Offline;
            let own = member.args.as_deref().map(|args| Requested::of(&template.name, args));
            let already = own.as_ref().unwrap_or(&requested).reported_by(device).is_some();
            if let Some(Command { submission, .. }) = busy.as_ref().filter(|busy| busy.origin == Origin::Observed) {
                *survey.elsewhere.entry((Arc::clone(&submission.name), submission.by.clone())).or_default() += 1;
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
                survey.keep(member, ExpectedAnswer { offline, answer_ms: device.trip_ms });
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

    fn keep(&mut self, member: NewMember, usual: ExpectedAnswer) {
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

/// The state that a command requests, as far as its device reports such a state. Values stay texts, so that numbers are
/// compared to the last digit.
pub(crate) enum Requested {
    Led(bool),
    /// The telemetry interval, milliseconds.
    Interval(String),
    Config {
        changes: Members,
        /// Only the saved configuration changes.
        at_restart: bool,
    },
    /// Nothing is reported.
    Nothing,
}

/// The members of a JSON object, each as it was written.
type Members = Vec<(String, String)>;

impl Requested {
    pub(crate) fn of(command: &str, args: &str) -> Requested {
        let args = json::members(args).unwrap_or_default();
        let requested = match command {
            "led" => member(&args, "on").and_then(|on| on.parse().ok()).map(Requested::Led),
            "telemetry.set" => member(&args, "interval_ms").map(|interval| Requested::Interval(interval.to_owned())),
            "config.set" => {
                let changes = member(&args, "changes").and_then(json::members).filter(|changes| !changes.is_empty());
                let at_restart = member(&args, "apply").is_some_and(|apply| json::same(apply, "\"restart\""));
                changes.map(|changes| Requested::Config { changes, at_restart })
            }
            _ => None,
        };
        requested.unwrap_or(Requested::Nothing)
    }

    /// What the device already reports, in a few words, if that is the requested state.
    pub(crate) fn reported_by(&self, device: &Device) -> Option<String> {
        let reported = || device.state.as_deref().map(StateReport::of).unwrap_or_default();
        match self {
            Requested::Led(on) => (device.led == Some(*on)).then(|| if *on { "ON" } else { "OFF" }.to_owned()),
            Requested::Interval(interval) => {
                let reported = reported().telemetry_interval_ms?.to_string();
                json::same(interval, &reported).then(|| format!("interval_ms = {reported}"))
            }
            Requested::Config { changes, at_restart } => {
                let StateReport { running, saved, .. } = reported();
                let has = |config: String| {
                    let config = json::members(&config).unwrap_or_default();
                    changes.iter().all(|(key, value)| member(&config, key).is_some_and(|has| json::same(has, value)))
                };
                let is_reported = match at_restart {
                    true => saved.is_some_and(has),
                    // It changes both; a device may report no saved one.
                    false => running.is_some_and(has) && saved.is_none_or(has),
                };
                is_reported.then(|| {
                    let shown = changes.iter().take(SHOWN).map(|(key, value)| format!("{key} = {value}"));
                    shown.collect::<Vec<_>>().join(", ")
                })
            }
            Requested::Nothing => None,
        }
    }
}

/// The member of that name; of several, the last one counts.
fn member<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests;
