use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A device that a user adds, with its annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewDevice {
    /// The device ID.
    pub device: String,
    /// Its name here, at most 100 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// Its tags here: at most 50, of 64 characters each, without commas and semicolons.
    #[serde(default)]
    pub tags: Vec<String>,
    /// A note, at most 10,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}

/// The devices that were forgotten, and those that could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ForgottenDevices {
    /// The forgotten devices.
    pub devices: Vec<String>,
    /// Devices that have a command in progress, or that a rollout still has to send to.
    pub busy: Vec<String>,
    /// Devices that the connection lists under *Only these devices*.
    pub named: Vec<String>,
    /// How long they can be restored, in seconds; after that, their history is deleted.
    pub undo_within_s: u32,
}

/// The progress of reading or importing a device file: its content, or what has been imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceImport {
    /// Its columns, in the file's order.
    pub columns: Vec<ImportColumn>,
    /// The number of lines read, without the header.
    pub lines: u32,
    /// The number of new devices.
    pub new: u32,
    /// The number of known devices that would change or have changed.
    pub changed: u32,
    /// The number of devices that already match the file.
    pub same: u32,
    /// The number of lines that cannot be imported. All others can.
    pub refused: u32,
    /// The reasons for the first 100 of them.
    pub errors: Vec<ImportError>,
    /// The first devices that can be imported, at most 5.
    pub examples: Vec<NewDevice>,
    /// The number of bytes read.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The size of the file in bytes.
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// The import was stopped: lines read until then are imported, the others are not.
    pub stopped: bool,
}

/// A column of a device file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportColumn {
    /// The name of the column in the file.
    pub name: String,
    /// The meaning of the column; none if it is not used.
    pub kind: Option<ImportColumnKind>,
}

/// The meaning of a column in a device file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportColumnKind {
    /// The device ID.
    Device,
    /// The device's name.
    Name,
    /// The device's tags, separated by commas or semicolons.
    Tags,
    /// A note.
    Note,
}

/// Why a line of a file cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportError {
    /// The line, counted from 1.
    pub line: u32,
    /// The reason, as a sentence.
    pub message: String,
}

/// The result of writing devices to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceExport {
    /// The path of the file.
    pub path: PathBuf,
    /// The number of devices.
    pub devices: u32,
}
