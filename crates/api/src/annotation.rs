use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A device that a person adds, with what they set of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewDevice {
    /// Its id.
    pub device: String,
    /// Its name here, 100 characters at most.
    #[serde(default)]
    pub name: Option<String>,
    /// Its tags here, 50 at most, of 64 characters each, without commas and semicolons.
    #[serde(default)]
    pub tags: Vec<String>,
    /// A note, 10,000 characters at most.
    #[serde(default)]
    pub note: Option<String>,
}

/// Devices that have been forgotten, and those that could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ForgottenDevices {
    /// Those that are no longer listed.
    pub devices: Vec<String>,
    /// Those that have a command in progress, or are still to be sent one by a rollout.
    pub busy: Vec<String>,
    /// Those that their connection names.
    pub named: Vec<String>,
    /// For so long they can be restored, seconds; then their history is deleted.
    pub undo_within_s: u32,
}

/// A file of devices while it is read: what is in it, or what has been imported of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceImport {
    /// Its columns, in the file's order.
    pub columns: Vec<ImportColumn>,
    /// How many lines have been read, the first one with the columns left out.
    pub lines: u32,
    /// Devices that are not known yet.
    pub new: u32,
    /// Devices of which something is different.
    pub changed: u32,
    /// Devices that are set like that already.
    pub same: u32,
    /// Lines that cannot be imported. All others can.
    pub refused: u32,
    /// Why, of the first 100 of them.
    pub errors: Vec<ImportError>,
    /// The first devices that can be imported, 5 at most.
    pub examples: Vec<NewDevice>,
    /// How many bytes have been read.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How many there are.
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// It was stopped: what was read until then is imported, the rest is not.
    pub stopped: bool,
}

/// A column of a file of devices.
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
    /// The device's id.
    Device,
    /// Its name.
    Name,
    /// Its tags, with commas or semicolons between them.
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
    /// Why, as a sentence.
    pub message: String,
}

/// Devices that were written to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceExport {
    /// The file.
    pub path: PathBuf,
    /// How many.
    pub devices: u32,
}
