//! Built-in commands for devices of other dialects: the LED, a restart and the configuration.

use std::borrow::Cow;

use crate::{
    devices::{CommandRequest, DeviceCommand, KnownDevice, Role},
    json::ExactValue,
};

/// A command of a device and its arguments.
pub type InPlace<'a> = (Cow<'a, str>, Cow<'a, str>);

impl KnownDevice {
    /// The device's command, with arguments, that corresponds to a built-in command.
    ///
    /// # Errors
    /// A sentence: why it cannot do that.
    pub fn in_place_of<'a>(&'a self, built_in: &'a str, args: &'a str) -> Result<InPlace<'a>, String> {
        if self.command(built_in).is_some() || crate::command(built_in).is_none() {
            return Ok((built_in.into(), args.into()));
        }
        let lacks = |what: &str| {
            let name = self.name.as_deref().unwrap_or(self.id.as_str());
            format!("'{name}' has no known {what}. Choose one of its commands.")
        };
        match built_in {
            "led" => {
                let light = self.command_for(Role::Light).ok_or_else(|| lacks("relay or light"))?;
                Ok(((&*light.name).into(), args.into()))
            }
            "restart" => {
                let restart = self.command_for(Role::Restart).ok_or_else(|| lacks("restart command"))?;
                Ok(((&*restart.name).into(), "{}".into()))
            }
            "config.get" if self.command_for(Role::ReadSettings).is_some() => {
                let read = self.command_for(Role::ReadSettings).map_or("", |one| &*one.name);
                Ok((read.into(), "{}".into()))
            }
            "config.set" if self.commands.iter().any(|one| one.is_setting) => self.change_settings(args),
            _ => Err(format!(
                "'{built_in}' is a command for devices with Wilco's dialect. {}",
                lacks(
                    "command like \
                                                                                                      it"
                )
            )),
        }
    }

    /// The command that changes all given settings at once.
    fn change_settings(&self, args: &str) -> Result<InPlace<'_>, String> {
        let args = ExactValue::parse(args).unwrap_or_default();
        let name = || self.name.as_deref().unwrap_or(self.id.as_str());
        let changes = match args.get("changes") {
            Some(ExactValue::Object(changes)) if !changes.is_empty() => changes,
            _ => return Err("There is nothing to change.".to_owned()),
        };
        if args.get("apply").and_then(ExactValue::as_str) == Some("restart") {
            return Err(format!("'{}' applies settings immediately. Choose Apply now.", name()));
        }
        let mut found = Vec::new();
        for (key, value) in changes {
            let is_it = |one: &&DeviceCommand| one.is_setting && one.reports.as_deref() == Some(key);
            match self.commands.iter().find(is_it) {
                Some(command) if command.refused.is_none() => found.push((command, value)),
                _ => return Err(format!("'{}' has no setting '{key}' that Wilco can change.", name())),
            }
        }
        if let [(command, value)] = found.as_slice() {
            return Ok(((&*command.name).into(), format!("{{\"value\":{value}}}").into()));
        }
        let mut together: Option<(&str, ExactValue)> = None;
        for (command, value) in found {
            let CommandRequest::Request { command: request, argument: Some(argument), beside } = &command.ask else {
                return Err(one_by_one(name()));
            };
            let (first, all) = together.get_or_insert_with(|| (request, beside_of(beside.as_deref())));
            let has_beside = || match beside_of(beside.as_deref()) {
                ExactValue::Object(beside) => beside.iter().all(|(name, value)| all.get(name) == Some(value)),
                _ => true,
            };
            let is_same = **first == **request && has_beside();
            // A plain value is the whole request.
            if !is_same || **argument == *"value" {
                return Err(one_by_one(name()));
            }
            put_at(all, argument, value.clone());
        }
        let (request, args) = together.ok_or_else(|| "There is nothing to change.".to_owned())?;
        Ok((request.into(), args.to_string().into()))
    }
}

fn one_by_one(device: &str) -> String {
    format!("'{device}' accepts one setting per command. Change the settings one by one.")
}

/// The arguments that go beside a value.
pub(crate) fn beside_of(beside: Option<&str>) -> ExactValue {
    let empty = || ExactValue::Object(Vec::new());
    beside.and_then(|beside| ExactValue::parse(beside).ok()).filter(ExactValue::is_object).unwrap_or_else(empty)
}

/// Puts a value where an argument is: `on`, or `config/auto_off` in an object of its own. Without a name, its members.
pub(crate) fn put_at(args: &mut ExactValue, argument: &str, value: ExactValue) {
    if argument.is_empty() {
        return value.members().iter().for_each(|(name, value)| args.set(name, value.clone()));
    }
    let mut at = args;
    let mut names = argument.split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return at.set(name, value);
        }
        let Some(inner) = at.object_at(name) else { return };
        at = inner;
    }
}
