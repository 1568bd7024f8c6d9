//! Determines which device owns a command topic from a discovery message. Anyone can publish such a message.

use super::{DialectSet, Member};
use crate::{
    KnownDevice,
    devices::Devices,
    file::{Group, RequestRule},
    pattern::{Captures, Kind, Known, Pattern},
};

/// The other devices that receive commands on a topic.
enum Owner<'a> {
    Device(&'a KnownDevice),
    /// A name of a device that is not known yet, or of any device, by the dialect's rules.
    Named(&'a str),
    /// Several devices.
    Several(&'a str),
}

impl DialectSet {
    /// Refuses a topic on which another device receives commands, or several devices do.
    ///
    /// # Errors
    /// A sentence that names its owner.
    pub(super) fn is_own(&self, device: &KnownDevice, devices: &Devices, topic: &str) -> Result<(), String> {
        if let Some(other) = devices.asked_on(topic, &device.id) {
            let name = devices.get(other).and_then(|other| other.name.as_deref()).unwrap_or(other.as_str());
            return Err(format!(
                "'{topic}' is also a command topic of the device '{name}', so the topic is ambiguous."
            ));
        }
        let mut others = self.members.iter().filter(|member| member.file.name != device.dialect);
        match others.find_map(|member| member.owner(devices, topic)) {
            None => Ok(()),
            Some(Owner::Device(other)) if other.id == device.id => Ok(()),
            Some(Owner::Device(other)) => {
                let name = other.name.as_deref().unwrap_or(other.id.as_str());
                Err(format!("'{topic}' belongs to the device '{name}', so commands for other devices cannot use it."))
            }
            Some(Owner::Named(name)) => {
                Err(format!("'{topic}' belongs to '{name}', so commands for other devices cannot use it."))
            }
            Some(Owner::Several(title)) => {
                Err(format!("'{topic}' reaches several devices ({title}), so a command for one device cannot use it."))
            }
        }
    }
}

impl Member {
    /// The group that has this name in topics.
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.file.groups.iter().find(|group| *group.device == *name)
    }

    /// The devices that receive commands on a topic, by the rules of this dialect.
    fn owner<'a>(&'a self, devices: &'a Devices, topic: &str) -> Option<Owner<'a>> {
        let bound = |name: &str| self.setting(name);
        let is_device = |name: &str| devices.has_address(&self.file.name, name);
        let known = Known { bound: &bound, is_device: &is_device };
        // A pattern without anything fixed says nothing.
        let is_fixed = |pattern: &Pattern| {
            let by_setting = pattern.places().any(|place| self.vars.contains_key(place));
            by_setting || pattern.plain().contains(|c: char| c != '/')
        };
        let usable = |pattern: &&Pattern| self.is_set_for(pattern) && is_fixed(pattern);
        self.file.requests.iter().find_map(|rule| {
            let read = |pattern: &Pattern| pattern.read(topic, Kind::Topic, &known);
            let captures = rule.topics.iter().filter(usable).find_map(read)?;
            self.owner_by(rule, &captures, devices)
        })
    }

    fn owner_by<'a>(
        &'a self,
        rule: &'a RequestRule,
        captures: &Captures<'_>,
        devices: &'a Devices,
    ) -> Option<Owner<'a>> {
        let Some(captured) = captures.get("device") else {
            // The topic is for one device, for one that the payload names, or for any.
            return Some(match rule.device.as_deref().filter(|device| !device.starts_with('!')) {
                Some(name) => devices.named(&self.file.name, name).map_or(Owner::Named(name), Owner::Device),
                None => Owner::Named(&self.file.title),
            });
        };
        match self.group(captured) {
            Some(group) => Some(Owner::Several(&group.title)),
            None => devices.named(&self.file.name, captured).map(Owner::Device),
        }
    }
}
