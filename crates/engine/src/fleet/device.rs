use std::sync::Arc;

use wilco_dialect::{StateReport, json};
use wilco_ledger::{Command, CommandId, DeviceId, Disagreement, Reported, Timestamp};

use super::tally;
use crate::{
    api::{DeviceRow, Presence},
    store::{Annotation, Restart, StoredDescription, StoredDevice},
    views::{self, CommandSnapshot},
};

/// Each value as JSON text, by its key.
type Values = Vec<(String, String)>;

/// The known state of one device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) presence: Presence,
    pub(crate) presence_since: Option<Timestamp>,
    pub(crate) led: Option<bool>,
    pub(crate) seen_at: Option<Timestamp>,
    pub(crate) firmware: Option<String>,
    pub(crate) boot: Option<String>,
    pub(crate) restart: Option<Restart>,
    pub(crate) tags: Vec<String>,
    /// The annotation by users; few devices have one.
    pub(crate) annotation: Option<Box<Annotation>>,
    /// Its last report, unchanged.
    pub(crate) state: Option<String>,
    /// The running configuration: each value as JSON text, parsed once because searches need it often.
    pub(crate) running: Values,
    /// The saved values that differ from the running ones.
    pub(super) saved_apart: Values,
    pub(crate) reported_at: Option<Timestamp>,
    pub(crate) trip_ms: Option<f64>,
    pub(crate) last_command: Option<CommandSnapshot>,
    /// The description in its dialect; nothing for Wilco's own.
    pub(crate) description: Option<Arc<StoredDescription>>,
    /// Its dialect has a command for its relay or its light; unknown before it announces itself. Each device of Wilco's own
    /// dialect has one.
    pub(crate) can_switch: bool,
    /// The difference between its answer and its report.
    pub(crate) disagreement: Option<Box<Disagreement>>,
    /// Messages in the last second, where those are so many that some were not read or not kept.
    pub(crate) over_rate: Option<u32>,
    pub(super) dirty: DirtyFlags,
}

/// Whether a device is among the changed ones since the last call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DirtyFlags {
    pub(super) changed: bool,
    /// Its presence or its last command's state is another one.
    pub(super) tile: bool,
    pub(super) unsaved: bool,
}

impl Device {
    pub(crate) fn new(id: DeviceId) -> Device {
        Device {
            id,
            presence: Presence::Unknown,
            presence_since: None,
            led: None,
            seen_at: None,
            firmware: None,
            boot: None,
            restart: None,
            tags: Vec::new(),
            annotation: None,
            state: None,
            running: Vec::new(),
            saved_apart: Vec::new(),
            reported_at: None,
            trip_ms: None,
            last_command: None,
            description: None,
            can_switch: false,
            disagreement: None,
            over_rate: None,
            dirty: DirtyFlags::default(),
        }
    }

    pub(crate) fn restore(stored: StoredDevice) -> Device {
        let (running, saved_apart) = stored.state.as_deref().map(configuration).unwrap_or_default();
        Device {
            // Facts from the last run of the program may be outdated.
            presence: Presence::Unknown,
            presence_since: stored.presence_since,
            led: stored.led,
            seen_at: stored.seen_at,
            firmware: stored.firmware,
            boot: stored.boot,
            restart: stored.restart,
            tags: stored.tags,
            annotation: None,
            running,
            saved_apart,
            state: stored.state,
            reported_at: stored.reported_at,
            trip_ms: stored.trip_ms,
            last_command: None,
            description: stored.description,
            can_switch: false,
            disagreement: stored.disagreement,
            over_rate: None,
            dirty: DirtyFlags::default(),
            id: stored.device,
        }
    }

    pub(crate) fn stored(&self) -> StoredDevice {
        StoredDevice {
            device: self.id.clone(),
            online: match self.presence {
                Presence::Online => Some(true),
                Presence::Offline => Some(false),
                Presence::Unknown => None,
            },
            presence_since: self.presence_since,
            led: self.led,
            seen_at: self.seen_at,
            firmware: self.firmware.clone(),
            boot: self.boot.clone(),
            restart: self.restart,
            tags: self.tags.clone(),
            state: self.state.clone(),
            reported_at: self.reported_at,
            trip_ms: self.trip_ms,
            description: self.description.clone(),
            disagreement: self.disagreement.clone(),
        }
    }

    /// Records the state of its latest command.
    pub(super) fn command(&mut self, snapshot: CommandSnapshot) {
        fn turn(command: &Command) -> (Timestamp, &CommandId) {
            (command.submitted_at, command.id())
        }
        let command = &snapshot.command;
        if let (Some(sent), Some(accepted)) = (command.rungs.sent, command.rungs.accepted) {
            self.trip_ms = Some((accepted.0 - sent.0).max(0) as f64);
        }
        if !command.submission.automatic
            && self.last_command.as_ref().is_none_or(|last| turn(&last.command) <= turn(command))
        {
            self.last_command = Some(snapshot);
        }
    }

    /// Its last command's state by its place in [`crate::api::MemberState`]; 0 where it had no command.
    pub(super) fn state_code(&self) -> u8 {
        self.last_command.as_ref().map_or(0, |last| tally::code(last.command.state))
    }

    /// As it is listed. `dialect`: the title of the one that describes it.
    pub(super) fn row(&self, connection: &str, dialect: Option<String>) -> DeviceRow {
        DeviceRow {
            connection: connection.to_owned(),
            device: self.id.as_str().to_owned(),
            presence: self.presence,
            presence_since: self.presence_since.map(|at| at.0),
            led: self.led,
            last_command: self.last_command.as_ref().map(|last| last.view(connection)),
            seen_at: self.seen_at.map(|at| at.0),
            firmware: self.firmware.clone(),
            boot: self.boot.clone(),
            tags: self.tags.clone(),
            name: self.shown_name().map(str::to_owned),
            added_tags: self.annotation.as_ref().map(|set| set.tags.clone()).unwrap_or_default(),
            trip_ms: self.trip_ms,
            model: self.description.as_ref().and_then(|described| described.model.clone()),
            dialect,
            can_switch: self.description.is_none() || self.can_switch,
            over_rate: self.over_rate,
            disagrees: self.disagreement.as_deref().map(views::disagreement),
        }
    }

    /// It is known not to be there.
    pub(crate) fn is_offline(&self) -> bool {
        self.presence == Presence::Offline
    }

    /// The reported value that a command can change, by the names of [`wilco_dialect::implied_state`], or by that in
    /// the reports of other firmware. None if it is not reported, or known only from a retained report.
    pub(crate) fn reports(&self, key: &str) -> Option<Box<str>> {
        self.reported_at?;
        if self.description.is_some() {
            let value = self.running(key)?;
            // A string is quoted here, and a command contains it without quotes.
            return Some(serde_json::from_str::<Box<str>>(value).unwrap_or_else(|_| value.into()));
        }
        let reported = StateReport::of(self.state.as_deref()?);
        let config = match key {
            "led" => return reported.led.map(|on| on.to_string().into()),
            "telemetry_interval_ms" => return reported.telemetry_interval_ms.map(|ms| ms.to_string().into()),
            _ if key.starts_with("running.") => reported.running,
            _ => reported.saved,
        };
        let (_, name) = key.split_once('.')?;
        let values = json::members(&config?)?;
        values.into_iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.into())
    }

    /// The name that people know it by: the one given here, or else the one that its firmware announces.
    pub(super) fn shown_name(&self) -> Option<&str> {
        let announced = || self.description.as_deref().and_then(|described| described.shown_name(&self.id));
        self.name().or_else(announced)
    }

    /// The name that a person has given it.
    pub(crate) fn name(&self) -> Option<&str> {
        self.annotation.as_ref()?.name.as_deref()
    }

    /// The tags that it reports, then those that a person has set; each once.
    pub(crate) fn all_tags(&self) -> impl Iterator<Item = &str> {
        let set = self.annotation.iter().flat_map(|annotation| &annotation.tags);
        self.tags.iter().chain(set.filter(|tag| !self.tags.contains(tag))).map(String::as_str)
    }

    /// A value of the configuration that it runs with, as JSON text.
    pub(crate) fn running(&self, key: &str) -> Option<&str> {
        self.running.iter().rev().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// The running values by key, without objects whose members are keys too: `switch:0` beside `switch:0/output`.
    pub(super) fn running_leaves(&self) -> impl Iterator<Item = (&str, &str)> {
        let has_members = move |key: &str| {
            let mut others = self.running.iter().filter_map(|(other, _)| other.strip_prefix(key));
            others.any(|rest| rest.starts_with('/'))
        };
        let leaves = self.running.iter().filter(move |(key, value)| !(value.starts_with('{') && has_members(key)));
        leaves.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A value of the configuration that it saved, where that is another one than it runs with, as JSON text.
    pub(crate) fn saved_apart(&self, key: &str) -> Option<&str> {
        self.saved_apart.iter().rev().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Records a start of the device. `since`: the start by its own report; `at`: the time of that report, if known.
    pub(crate) fn started(&mut self, boot: Option<String>, since: Option<Timestamp>, at: Option<Timestamp>) {
        let Some(boot) = boot else { return };
        let is_another = self.boot.as_ref() != Some(&boot);
        let was_known = self.boot.replace(boot).is_some();
        // A device that only connects again has not restarted.
        if is_another || self.restart.is_none() {
            let reported = since.map(|at| Restart { at, reported: true });
            let seen = at.filter(|_| is_another && was_known).map(|at| Restart { at, reported: false });
            self.restart = reported.or(seen);
        }
        // It restarted at an unknown time, so what it reported before may be from before.
        if is_another && was_known && self.restart.is_none() {
            self.reported_at = None;
        }
    }

    /// Notes values that a device of another dialect reports. They are searched and compared as a configuration is.
    pub(crate) fn report_values(&mut self, reported: &[Reported], led: Option<bool>, at: Option<Timestamp>) {
        let value = |reported: &Reported| (reported.key.to_string(), json::value_of(reported.shown()));
        let is_value = |reported: &&Reported| &*reported.key != wilco_dialect::STARTED;
        self.running = reported.iter().filter(is_value).map(value).collect();
        self.led = led.or(self.led);
        self.reported_at = at.or(self.reported_at);
    }

    /// Notes what the device reports of itself, or has reported at some time: then the same report keeps its time.
    pub(crate) fn report(&mut self, state: String, at: Option<Timestamp>) {
        self.led = StateReport::of(&state).led.or(self.led);
        (self.running, self.saved_apart) = configuration(&state);
        let is_same = self.state.as_ref() == Some(&state);
        self.reported_at = at.or(self.reported_at.filter(|_| is_same));
        self.state = Some(state);
    }
}

/// The configuration that a device runs with, as it reports it, and what of the saved one is another value.
fn configuration(state: &str) -> (Values, Values) {
    let StateReport { running, saved, .. } = StateReport::of(state);
    let members = |config: Option<String>| config.and_then(|config| json::members(&config)).unwrap_or_default();
    let running = members(running);
    let mut saved = members(saved);
    saved.retain(|saved| !running.contains(saved));
    (running, saved)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use serde_json::json;
    use wilco_ledger::{DeviceId, Timestamp};

    use super::Device;

    #[test]
    fn a_restart_is_told_by_the_device_or_seen_by_its_boot_id() {
        let mut device = Device::new(DeviceId::new("pump-7").unwrap());
        let mut check = |boot: &str, since: Option<i64>, at: Option<i64>, expected: Option<(i64, bool)>| {
            device.started(Some(boot.to_owned()), since.map(Timestamp), at.map(Timestamp));
            assert_eq!(device.restart.map(|restart| (restart.at.0, restart.reported)), expected, "{boot}");
        };
        // Its uptime is unknown.
        check("a", None, Some(5), None);
        check("a", None, Some(6), None);
        check("b", None, Some(7), Some((7, false)));
        // It connects again.
        check("b", Some(9), Some(9), Some((7, false)));
        check("c", Some(10), Some(12), Some((10, true)));
        check("c", Some(20), Some(20), Some((10, true)));
        // It restarted while Wilco was not connected, at an unknown time.
        check("d", None, None, None);
        check("d", Some(30), None, Some((30, true)));
    }

    #[test]
    fn a_report_from_before_a_restart_is_not_taken_for_a_later_one() {
        let mut device = Device::new(DeviceId::new("pump-7").unwrap());
        device.started(Some("a".to_owned()), None, Some(Timestamp(1)));
        device.report(json!({"led": true}).to_string(), Some(Timestamp(2)));
        device.started(Some("b".to_owned()), None, Some(Timestamp(3)));
        assert_eq!(device.reported_at, Some(Timestamp(2)), "the restart has a time to compare it with");
        // While Wilco was not connected.
        device.started(Some("c".to_owned()), None, None);
        assert_eq!((device.led, device.reported_at), (Some(true), None));
        device.report(json!({"led": true}).to_string(), Some(Timestamp(9)));
        device.started(Some("c".to_owned()), None, None);
        assert_eq!(device.reported_at, Some(Timestamp(9)));
    }

    #[test]
    fn a_retained_report_has_no_current_time() {
        let mut device = Device::new(DeviceId::new("pump-7").unwrap());
        let mut check = |led: bool, at: Option<i64>, expected: Option<i64>| {
            device.report(json!({"led": led}).to_string(), at.map(Timestamp));
            assert_eq!((device.led, device.reported_at), (Some(led), expected.map(Timestamp)));
        };
        check(true, None, None);
        check(true, Some(7), Some(7));
        // After the next start it comes again.
        check(true, None, Some(7));
        check(false, None, None);
        check(false, Some(9), Some(9));
    }
}
