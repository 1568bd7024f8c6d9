//! Adds, names, tags and annotates devices.

use std::{collections::HashSet, process::ExitCode};

use wilco_engine::api::NewDevice;

use super::chosen;
use crate::{
    base::Base,
    input,
    options::{DeviceAddOptions, DeviceNameOptions, DeviceNoteOptions, TagOptions},
    output::{Output, count, several, visible_name},
    problem::{self, Problem},
};

/// Devices that are named one by one.
const NAMED: usize = 5;

/// Adds devices, or sets what is given of those that are known.
pub(super) async fn add(base: &Base, options: DeviceAddOptions) -> Result<ExitCode, Problem> {
    let DeviceAddOptions { connection, named, name, tag, note } = options;
    let devices = input::devices(&named)?;
    if name.is_some() && devices.len() > 1 {
        return Err(Problem::new(
            format!("--name works for one device only; {} devices were given.", count(devices.len())),
            "Omit --name, or add the devices one by one.",
        ));
    }
    let connection = base.connection(&connection).await?;
    let total = devices.len();
    let new = |device| NewDevice { device, name: name.clone(), tags: tag.clone(), note: note.clone() };
    let changed = base.console().add_devices(&connection.id, devices.into_iter().map(new).collect()).await?;
    say(match (changed.as_slice(), total) {
        ([], 1) => "The device already exists. Nothing was changed.".to_owned(),
        ([], _) => "The devices already exist. Nothing was changed.".to_owned(),
        ([one], _) => format!("Added or changed {}.", visible_name(one)),
        (some, _) => format!("Added or changed {}.", several(some.len(), "device")),
    })
}

/// Names a device.
pub(super) async fn name_one(base: &Base, options: DeviceNameOptions) -> Result<ExitCode, Problem> {
    let DeviceNameOptions { connection, device, name: given, clear: _ } = options;
    let connection = base.connection(&connection).await?;
    base.console().name_device(&connection.id, &device, given.clone()).await?;
    say(match given {
        Some(given) => format!("Named {} {}.", visible_name(&device), visible_name(&given)),
        None => format!("Removed the name of {}.", visible_name(&device)),
    })
}

/// Writes a note of a device.
pub(super) async fn note(base: &Base, options: DeviceNoteOptions) -> Result<ExitCode, Problem> {
    let DeviceNoteOptions { connection, device, note, clear: _ } = options;
    let connection = base.connection(&connection).await?;
    let is_note = note.is_some();
    base.console().note_device(&connection.id, &device, note).await?;
    say(match is_note {
        true => format!("Wrote the note of {}.", visible_name(&device)),
        false => format!("Removed the note of {}.", visible_name(&device)),
    })
}

/// Sets a tag of devices.
pub(super) async fn tag(base: &Base, options: TagOptions) -> Result<ExitCode, Problem> {
    let TagOptions { tag, which } = options;
    let (connection, devices) = chosen(base, which).await?;
    let new = unknown(base, &connection.id, &devices).await?;
    let tagged = base.console().tag_devices(&connection.id, devices, &tag).await?;
    let tagged = format!("Tagged {} with {}.", several(tagged.len(), "device"), visible_name(&tag));
    say(match new.as_slice() {
        [] => tagged,
        [one] => format!("{tagged} {} was unknown, and has been added.", visible_name(one)),
        some => {
            format!("{tagged} {} were unknown, and have been added: {}.", several(some.len(), "device"), names(some))
        }
    })
}

/// Removes a tag that was set here.
pub(super) async fn untag(base: &Base, options: TagOptions) -> Result<ExitCode, Problem> {
    let TagOptions { tag, which } = options;
    let (connection, devices) = chosen(base, which).await?;
    let unknown = unknown(base, &connection.id, &devices).await?;
    let untagged = base.console().untag_devices(&connection.id, devices, &tag).await?;
    if !unknown.is_empty() {
        problem::warn(
            &format!(
                "{} not known: {}.",
                if unknown.len() == 1 { "A device is" } else { "Devices are" },
                names(&unknown)
            ),
            Some("List the devices with wilco devices."),
        );
    }
    say(format!("Removed {} from {}.", visible_name(&tag), several(untagged.len(), "device")))
}

/// Those of some devices that are not known.
async fn unknown(base: &Base, connection: &str, devices: &[String]) -> Result<Vec<String>, Problem> {
    let known: HashSet<String> =
        super::all(base.console(), connection, "").await?.into_iter().map(|row| row.device).collect();
    Ok(devices.iter().filter(|device| !known.contains(*device)).cloned().collect())
}

/// The first of some devices.
fn names(devices: &[String]) -> String {
    let named: Vec<_> = devices.iter().take(NAMED).map(|device| visible_name(device)).collect();
    match devices.len() - named.len() {
        0 => named.join(", "),
        others => format!("{} and {}", named.join(", "), several(others, "other")),
    }
}

fn say(sentence: String) -> Result<ExitCode, Problem> {
    let mut output = Output::text();
    output.line(&sentence)?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}
