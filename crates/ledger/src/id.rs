//! Device IDs and command IDs.

use std::{borrow::Borrow, fmt, sync::Arc};

/// A device ID: exactly one MQTT topic level.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(Arc<str>);

/// The longest device id in bytes.
const LONGEST: usize = 200;
/// These name broadcasts.
const RESERVED: [&str; 2] = ["all", "groups"];

/// The reason why a text cannot be a device ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeviceId {
    /// It is empty.
    #[error("a device ID cannot be empty")]
    Empty,
    /// MQTT 5 section 4.7: wildcards, the level separator and U+0000 are not allowed inside a topic level.
    #[error("a device ID is one topic level, so it cannot contain {0:?}")]
    Character(char),
    /// MQTT 5 section 4.7.2: topics with a leading `$` belong to the broker.
    #[error("a device ID cannot begin with '$': such topics belong to the broker")]
    Dollar,
    /// `all` and `groups` name broadcasts.
    #[error("'{0}' is a broadcast topic, so it cannot be a device ID")]
    Reserved(&'static str),
    /// Longer than a topic allows (AWS: 256 bytes for the whole topic).
    #[error("a device ID can have at most {LONGEST} bytes, this one has {0}")]
    TooLong(usize),
}

impl DeviceId {
    /// Validates a device ID.
    ///
    /// # Errors
    /// See [`InvalidDeviceId`].
    pub fn new(id: impl AsRef<str>) -> Result<DeviceId, InvalidDeviceId> {
        let id = id.as_ref();
        if id.is_empty() {
            return Err(InvalidDeviceId::Empty);
        }
        if id.len() > LONGEST {
            return Err(InvalidDeviceId::TooLong(id.len()));
        }
        if id.starts_with('$') {
            return Err(InvalidDeviceId::Dollar);
        }
        if let Some(bad) = id.chars().find(|c| matches!(c, '+' | '#' | '/') || c.is_control()) {
            return Err(InvalidDeviceId::Character(bad));
        }
        for reserved in RESERVED {
            if id == reserved {
                return Err(InvalidDeviceId::Reserved(reserved));
            }
        }
        Ok(DeviceId(id.into()))
    }

    /// The device ID closest to a text that may be invalid: forbidden characters become `-`, excess length is cut off.
    #[must_use]
    pub fn closest_to(text: &str) -> DeviceId {
        let mut id: String =
            text.chars().map(|c| if matches!(c, '+' | '#' | '/') || c.is_control() { '-' } else { c }).collect();
        if id.starts_with('$') {
            id.replace_range(..1, "-");
        }
        if id.is_empty() || RESERVED.contains(&id.as_str()) {
            id.push('-');
        }
        id.truncate(id.floor_char_boundary(LONGEST));
        DeviceId(id.into())
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A command ID, which answers repeat so that they can be matched. Unique for a device on a connection.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(Arc<str>);

/// The reason why a text cannot be a command ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommandId {
    /// It is empty.
    #[error("a command ID cannot be empty")]
    Empty,
    /// It is longer than 128 bytes.
    #[error("a command ID can have at most 128 bytes, this one has {0}")]
    TooLong(usize),
}

impl CommandId {
    /// Validates a command ID. IDs of other consoles are accepted too, so any text is allowed.
    ///
    /// # Errors
    /// See [`InvalidCommandId`].
    pub fn new(id: impl AsRef<str>) -> Result<CommandId, InvalidCommandId> {
        let id = id.as_ref();
        match id.len() {
            0 => Err(InvalidCommandId::Empty),
            1..=128 => Ok(CommandId(id.into())),
            longer => Err(InvalidCommandId::TooLong(longer)),
        }
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for CommandId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceId, InvalidDeviceId};

    #[test]
    fn a_device_id_is_one_topic_level() {
        let check = |id: &str, expected: Result<(), InvalidDeviceId>| {
            assert_eq!(DeviceId::new(id).map(|_| ()), expected, "{id:?}");
        };
        check("kitchen-0417", Ok(()));
        check("küche 7", Ok(()));
        check("", Err(InvalidDeviceId::Empty));
        check("a/b", Err(InvalidDeviceId::Character('/')));
        check("a+", Err(InvalidDeviceId::Character('+')));
        check("#", Err(InvalidDeviceId::Character('#')));
        check("a\0b", Err(InvalidDeviceId::Character('\0')));
        check("$SYS", Err(InvalidDeviceId::Dollar));
        check("all", Err(InvalidDeviceId::Reserved("all")));
        check("groups", Err(InvalidDeviceId::Reserved("groups")));
        check(&"x".repeat(201), Err(InvalidDeviceId::TooLong(201)));
    }

    #[test]
    fn any_text_has_a_closest_device_id() {
        let check = |text: &str, expected: &str| {
            let id = DeviceId::closest_to(text);
            assert_eq!(id.as_str(), expected);
            assert_eq!(DeviceId::new(expected), Ok(id));
        };
        check("kitchen-0417", "kitchen-0417");
        check("a/b+c#d\0", "a-b-c-d-");
        check("$SYS", "-SYS");
        check("$", "-");
        check("", "-");
        check("all", "all-");
        check("groups", "groups-");
        check(&"é".repeat(150), &"é".repeat(100));
        check(&format!("x{}", "é".repeat(150)), &format!("x{}", "é".repeat(99)));
    }
}
